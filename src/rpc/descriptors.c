/* Commands on output descriptors: what they are, their addresses, and the coins that they find. */
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/keys/address.h"
#include "src/keys/descriptor.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/sys/random.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define RANGE_MAX INT64_C(0x7fffffff)
#define RANGE_LENGTH_MAX 1000000
#define SCAN_RANGE_DEFAULT 1000
#define COINS_PER_LOOK 256       /* at the clock */
#define SCAN_SCRIPTS_MAX 4000000 /* of all descriptors of a scan */

/* ---- arguments ------------------------------------------------------------------------------- */

static struct fx_descriptor *arg_descriptor(struct fx_rpc_call *call, const char *text,
                                            bool need_checksum)
{
    char error[FX_DESCRIPTOR_ERROR] = "";
    struct fx_descriptor *d =
        fx_descriptor_parse(call->rpc->config.params, text, need_checksum, error);
    if (!d) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "%s", error);
    }
    return d;
}

/* A number n (from 0 to n), or [begin, end]. */
static bool arg_range(struct fx_rpc_call *call, const json_t *value, int64_t *begin, int64_t *end)
{
    const char *wrong = NULL;
    *begin = 0;
    *end = json_integer_value(value);
    if (json_is_array(value)) {
        const json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
        if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last)) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Range must be specified as end or as [begin,end]");
            return false;
        }
        *begin = json_integer_value(first);
        *end = json_integer_value(last);
    }
    if (*begin > *end && json_is_array(value)) {
        wrong = "Range specified as [begin,end] must not have begin after end";
    } else if (*begin < 0) {
        wrong = "Range should be greater or equal than 0";
    } else if (*end < 0 || *end > RANGE_MAX) {
        wrong = "End of range is too high";
    } else if (*end >= *begin + RANGE_LENGTH_MAX) {
        wrong = "Range is too large";
    }
    if (wrong) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s", wrong);
    }
    return !wrong;
}

static void scripts_clear(struct fx_buf *scripts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fx_buf_clear(&scripts[i]);
    }
}

/* ---- getdescriptorinfo, deriveaddresses ------------------------------------------------------ */

static json_t *getdescriptorinfo(struct fx_rpc_call *call)
{
    char checksum[FX_DESCRIPTOR_CHECKSUM + 1];
    const char *text = json_string_value(call->args[0]);
    struct fx_descriptor *d = arg_descriptor(call, text, false);
    if (!d) {
        return NULL;
    }
    (void)fx_descriptor_checksum(text, strcspn(text, "#"), checksum); /* it parsed */
    char *canonical = fx_descriptor_text(d);
    json_t *out = json_object();
    fx_json_set(out, "descriptor", json_string(canonical));
    fx_json_set(out, "checksum", json_string(checksum));
    fx_json_set(out, "isrange", json_boolean(fx_descriptor_is_range(d)));
    fx_json_set(out, "issolvable", json_boolean(fx_descriptor_is_solvable(d)));
    fx_json_set(out, "hasprivatekeys", json_boolean(fx_descriptor_has_secrets(d)));
    free(canonical);
    fx_descriptor_destroy(d);
    return out;
}

const struct fx_rpc_command fx_rpc_getdescriptorinfo = {
    .name = "getdescriptorinfo",
    .text = "Analyses an output descriptor (BIP380). Miniscript is not known.",
    .args = "descriptor: str",
    .result = "{ descriptor: str      # Without secret keys\n"
              "checksum: str          # Of the descriptor as it was given\n"
              "isrange: bool          # It has a *\n"
              "issolvable: bool       # It says how to spend\n"
              "hasprivatekeys: bool }",
    .errors = "-5: it is no descriptor, with the reason",
    .example = "\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)\"",
    .run = getdescriptorinfo,
};

static bool append_addresses(struct fx_rpc_call *call, const struct fx_descriptor *d,
                             uint32_t position, json_t *out)
{
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n;
    bool ok = true;
    if (!fx_descriptor_scripts(d, position, scripts, &n)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Cannot derive script without private keys");
        return false;
    }
    for (size_t i = 0; i < n && ok; i++) {
        char address[FX_ADDRESS_MAX];
        const struct fx_span script = {scripts[i].data, scripts[i].len};
        if (fx_address_encode(call->rpc->config.params, script, address)) {
            json_array_append_new(out, json_string(address));
        } else if (n == 1) { /* combo() has a script without one, too */
            fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                        "Descriptor does not have a corresponding address");
            ok = false;
        }
    }
    scripts_clear(scripts, n);
    return ok;
}

/* Addresses under way: a range may be long. */
struct derive {
    struct fx_descriptor *descriptor;
    json_t *addresses;
    int64_t at, end;
};

static void derive_free(void *ctx)
{
    struct derive *derive = ctx;
    fx_descriptor_destroy(derive->descriptor);
    json_decref(derive->addresses);
    free(derive);
}

static int derive_step(struct fx_rpc_call *call, void *ctx)
{
    struct derive *derive = ctx;
    int64_t until = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    while (derive->at <= derive->end) {
        if (!append_addresses(call, derive->descriptor, (uint32_t)derive->at, derive->addresses)) {
            return FX_RPC_STEP_DONE;
        }
        derive->at++;
        if (fx_clock_monotonic_ms() >= until) {
            return 0;
        }
    }
    call->result = json_incref(derive->addresses);
    return FX_RPC_STEP_DONE;
}

static json_t *deriveaddresses(struct fx_rpc_call *call)
{
    int64_t begin = 0, end = 0;
    if (call->args[1] && !arg_range(call, call->args[1], &begin, &end)) {
        return NULL;
    }
    struct fx_descriptor *d = arg_descriptor(call, json_string_value(call->args[0]), true);
    if (!d) {
        return NULL;
    }
    bool range = fx_descriptor_is_range(d);
    if (range != (call->args[1] != NULL)) {
        fx_descriptor_destroy(d);
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           range ? "Range must be specified for a ranged descriptor"
                                 : "Range should not be specified for an un-ranged descriptor");
    }
    struct derive *derive = fx_xcalloc(1, sizeof(*derive));
    *derive = (struct derive){d, json_array(), begin, end};
    return fx_rpc_slice(call, derive_step, derive_free, derive);
}

const struct fx_rpc_command fx_rpc_deriveaddresses = {
    .name = "deriveaddresses",
    .text = "Returns the addresses that a descriptor describes.",
    .args = "descriptor: str        # With its checksum\n"
            "range?: int|array      # End, or [begin, end], of one with a *",
    .result = "[ str ]",
    .errors = "-5: it is no descriptor, or has no addresses\n-8: the range is missing or wrong",
    .example = "\"descriptor\" \"[0,2]\"",
    .run = deriveaddresses,
};

/* ---- scantxoutset ---------------------------------------------------------------------------- */

/* A script that is looked for: number `which` at a position of a descriptor. */
struct wanted {
    size_t descriptor, which;
    uint32_t position;
};

/* A descriptor whose scripts are looked for. */
struct sought {
    struct fx_descriptor *descriptor;
    int64_t at, end; /* positions whose scripts are yet to be derived */
};

struct fx_rpc_scan {
    struct fx_rpc *rpc;
    struct sought *sought;
    size_t n_sought, n_scripts;
    size_t derived;         /* of the sought, those whose scripts all are */
    struct fx_map *scripts; /* SHA-256 of a script -> struct wanted, owned */
    json_t *unspents;
    int64_t total;
    uint64_t seen;
    struct fx_coin_walk *walk;
    const struct fx_index *tip; /* when it began */
    unsigned percent;           /* of the coins, by the first bytes of their ids */
    bool aborted;
};

static void scan_free(void *ctx)
{
    struct fx_rpc_scan *scan = ctx;
    if (scan->rpc->scan == scan) {
        scan->rpc->scan = NULL;
    }
    for (size_t i = 0; i < scan->n_sought; i++) {
        fx_descriptor_destroy(scan->sought[i].descriptor);
    }
    free(scan->sought);
    fx_map_destroy(scan->scripts, free);
    fx_coin_walk_destroy(scan->walk);
    json_decref(scan->unspents);
    free(scan);
}

static void script_key(struct fx_span script, uint8_t key[32])
{
    fx_sha256(script.data, script.len, key);
}

/* Derives the next position of the first descriptor that has one left. */
static bool want_position(struct fx_rpc_call *call, struct fx_rpc_scan *scan)
{
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n, at = scan->derived;
    uint32_t position = (uint32_t)scan->sought[at].at++;
    if (!fx_descriptor_scripts(scan->sought[at].descriptor, position, scripts, &n)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Cannot derive script without private keys");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t key[32];
        struct wanted wanted = {at, i, position};
        script_key((struct fx_span){scripts[i].data, scripts[i].len}, key);
        if (!fx_map_get(scan->scripts, key)) {
            fx_map_put(scan->scripts, key, fx_xmemdup(&wanted, sizeof(wanted)));
        }
    }
    scripts_clear(scripts, n);
    scan->n_scripts += n;
    if (scan->n_scripts > SCAN_SCRIPTS_MAX) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Range is too large: more than %d scripts in all",
                    SCAN_SCRIPTS_MAX);
        return false;
    }
    return true;
}

/* "descriptor" or {"desc": .., "range": ..} */
static bool want_object(struct fx_rpc_call *call, struct fx_rpc_scan *scan, const json_t *object)
{
    const json_t *range = json_object_get(object, "range");
    const char *text = fx_rpc_arg_str(object, NULL);
    int64_t begin = 0, end = SCAN_RANGE_DEFAULT;
    if (!text) {
        text = fx_rpc_arg_str(json_object_get(object, "desc"), NULL);
    }
    if (!text) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Descriptor needs to be provided in scan object");
        return false;
    }
    if (range && !arg_range(call, range, &begin, &end)) {
        return false;
    }
    struct fx_descriptor *d = arg_descriptor(call, text, false);
    if (!d) {
        return false;
    }
    if (!fx_descriptor_is_range(d)) {
        begin = end = 0;
    }
    scan->sought[scan->n_sought++] = (struct sought){d, begin, end};
    return true;
}

enum derived { DERIVED_ALL, DERIVED_SOME, DERIVED_FAILED };

/* Scripts of what is left, until the time is over. */
static enum derived derive_scripts(struct fx_rpc_call *call, struct fx_rpc_scan *scan,
                                   int64_t until)
{
    while (scan->derived < scan->n_sought && !scan->aborted) {
        const struct sought *sought = &scan->sought[scan->derived];
        if (sought->at > sought->end) {
            scan->derived++;
            continue;
        }
        if (!want_position(call, scan)) {
            return DERIVED_FAILED;
        }
        if (fx_clock_monotonic_ms() >= until) {
            return DERIVED_SOME;
        }
    }
    return DERIVED_ALL;
}

static void look_at(struct fx_rpc_scan *scan, const struct fx_outpoint *outpoint,
                    const struct fx_coin *coin)
{
    uint8_t key[32];
    scan->seen++;
    scan->percent = (outpoint->txid.b[0] * 256u + outpoint->txid.b[1]) * 100 / 65536;
    script_key(fx_coin_script(coin), key);
    const struct wanted *wanted = fx_map_get(scan->scripts, key);
    if (!wanted) {
        return;
    }
    char *text = fx_descriptor_instance(scan->sought[wanted->descriptor].descriptor,
                                        wanted->position, wanted->which);
    const struct fx_index *block = fx_index_ancestor(scan->tip, coin->height);
    json_t *o = json_object();
    fx_json_set(o, "txid", fx_json_id(&outpoint->txid));
    fx_json_set(o, "vout", json_integer(outpoint->index));
    fx_json_set(o, "scriptPubKey", fx_json_hex(coin->script, coin->script_len));
    fx_json_set(o, "desc", json_string(text ? text : ""));
    fx_json_set(o, "amount", fx_json_amount(coin->value));
    fx_json_set(o, "coinbase", json_boolean(coin->coinbase));
    fx_json_set(o, "height", json_integer(coin->height));
    fx_json_set(o, "blockhash", fx_json_id(&block->id));
    fx_json_set(o, "confirmations", json_integer(scan->tip->height - coin->height + 1));
    json_array_append_new(scan->unspents, o);
    free(text);
    scan->total += coin->value;
}

static json_t *scan_json(const struct fx_rpc_scan *scan)
{
    json_t *out = json_object();
    fx_json_set(out, "success", json_boolean(!scan->aborted));
    fx_json_set(out, "txouts", json_integer((json_int_t)scan->seen));
    fx_json_set(out, "height", json_integer(scan->tip->height));
    fx_json_set(out, "bestblock", fx_json_id(&scan->tip->id));
    json_object_set(out, "unspents", scan->unspents);
    fx_json_set(out, "total_amount", fx_json_amount(scan->total));
    return out;
}

static int scan_step(struct fx_rpc_call *call, void *ctx)
{
    struct fx_rpc_scan *scan = ctx;
    struct fx_outpoint outpoint;
    struct fx_coin coin;
    int64_t end = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    enum fx_coin_step step = FX_COIN_END;
    switch (derive_scripts(call, scan, end)) {
    case DERIVED_ALL:
        break;
    case DERIVED_SOME:
        return 0;
    case DERIVED_FAILED:
        return FX_RPC_STEP_DONE;
    }
    for (unsigned n = 0; !scan->aborted; n++) {
        if (n % COINS_PER_LOOK == COINS_PER_LOOK - 1 && fx_clock_monotonic_ms() >= end) {
            return 0;
        }
        step = fx_coin_walk_next(scan->walk, &outpoint, &coin);
        if (step != FX_COIN_NEXT) {
            break;
        }
        look_at(scan, &outpoint, &coin);
        fx_coin_clear(&coin);
    }
    if (step == FX_COIN_FAILED) {
        fx_rpc_fail_read(call, "the coins");
    } else {
        call->result = scan_json(scan);
    }
    return FX_RPC_STEP_DONE;
}

static json_t *scan_start(struct fx_rpc_call *call, const json_t *objects)
{
    struct fx_chain *chain = call->rpc->config.chain;
    if (call->rpc->scan) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Scan already in progress, use action \"abort\" or \"status\"");
    }
    struct fx_rpc_scan *scan = fx_xcalloc(1, sizeof(*scan));
    size_t i;
    json_t *object;
    bool ok = true;
    scan->rpc = call->rpc;
    scan->unspents = json_array();
    scan->sought = fx_xcalloc(json_array_size(objects) + 1, sizeof(*scan->sought));
    scan->scripts = fx_map_create(32, fx_random_u64(), fx_random_u64());
    json_array_foreach(objects, i, object)
    {
        ok = ok && want_object(call, scan, object);
    }
    if (ok) {
        scan->tip = fx_chain_tip(chain);
        scan->walk = fx_coin_walk_create(chain);
        ok = scan->walk != NULL;
        if (!ok) {
            fx_rpc_fail_read(call, "the coins");
        }
    }
    if (!ok) {
        scan_free(scan);
        return NULL;
    }
    call->rpc->scan = scan;
    return fx_rpc_slice(call, scan_step, scan_free, scan);
}

static json_t *scantxoutset(struct fx_rpc_call *call)
{
    const char *action = json_string_value(call->args[0]);
    struct fx_rpc_scan *under_way = call->rpc->scan;
    if (strcmp(action, "status") == 0) {
        return under_way ? json_pack("{s: i}", "progress", (int)under_way->percent) : json_null();
    }
    if (strcmp(action, "abort") == 0) {
        if (under_way) {
            under_way->aborted = true;
        }
        return json_boolean(under_way != NULL);
    }
    if (strcmp(action, "start") != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid action '%.100s'", action);
    }
    if (!call->args[1]) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "scanobjects argument is required for the start action");
    }
    return scan_start(call, call->args[1]);
}

const struct fx_rpc_command fx_rpc_scantxoutset = {
    .name = "scantxoutset",
    .text =
        "Looks for the unspent outputs that descriptors describe. It reads the whole set, as it "
        "was when the call came, in slices between which others are served.",
    .args =
        "action: str                      # start, status or abort\n"
        "scanobjects?: [ str|object ]     # Descriptors, or {\"desc\": descriptor, \"range\": n "
        "or [begin, end]}; without a range, 0 to 1000",
    .result = "@ action start\n"
              "{ success: bool   # false: aborted, with what was found by then\n"
              "txouts: int, height: int, bestblock: hash\n"
              "unspents: [ { txid: hash, vout: int, scriptPubKey: hex\n"
              "  desc: str          # With the one key, and where it comes from\n"
              "  amount: amount, coinbase: bool, height: int\n"
              "  blockhash: hash, confirmations: int } ]\n"
              "total_amount: amount }\n"
              "@ action status\n{ progress: int }   # Per cent\n"
              "@ action status, and no scan is under way\nnull\n"
              "@ action abort: was there a scan\nbool",
    .errors = "-5: a descriptor is wrong, with the reason\n-8: the action or a range is wrong, "
              "or a scan is under way",
    .example = "start '[\"addr(address)\"]'",
    .run = scantxoutset,
};
