/* Blocks of the hash lane, made on the node's own CPU. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/mempool.h"
#include "src/iface/template.h"
#include "src/keys/address.h"
#include "src/keys/descriptor.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define TRIES_PER_LOOK 2000 /* hashes between two looks at the clock */

struct generate {
    struct fx_buf script;
    int64_t left;
    uint64_t tries; /* hashes left */
    uint64_t work;  /* template under way; 0: none */
    struct fx_header header;
    struct fx_u256 target;
    json_t *ids;
    /* generateblock: these transactions, and no others */
    bool given, submit;
    struct fx_tx **txs; /* one reference each */
    size_t n_txs;
};

static void generate_free(void *ctx)
{
    struct generate *g = ctx;
    for (size_t i = 0; i < g->n_txs; i++) {
        fx_tx_unref(g->txs[i]);
    }
    free(g->txs);
    fx_buf_clear(&g->script);
    json_decref(g->ids);
    free(g);
}

static bool generate_start(struct fx_rpc_call *call, struct generate *g)
{
    char error[FX_TEMPLATE_ERROR];
    struct fx_templates *templates = call->rpc->config.templates;
    const struct fx_span script = {g->script.data, g->script.len};
    const struct fx_template *t =
        g->given ? fx_template_given(templates, script, g->txs, g->n_txs, error)
                 : fx_template_hash(templates, script, error);
    if (!t && g->given) {
        fx_rpc_fail(call, FX_RPC_VERIFY, "TestBlockValidity failed: %s", error);
        return false;
    }
    if (!t) {
        fx_rpc_fail(call, FX_RPC_MISC, "%s", error);
        return false;
    }
    fx_rpc_note_template(call->rpc, t);
    g->work = t->id;
    g->header = t->header;
    (void)fx_nbits_decode(g->header.nbits, &g->target);
    return true;
}

static void generate_keep(struct generate *g, const struct fx_block *block)
{
    if (!g->given) {
        json_array_append_new(g->ids, fx_json_id(&block->id));
    } else {
        fx_json_set(g->ids, "hash", fx_json_id(&block->id));
        if (!g->submit) {
            fx_json_set(g->ids, "hex", fx_json_hex(block->raw.data, block->raw.len));
        }
    }
    g->left--;
}

static bool generate_found(struct fx_rpc_call *call, struct generate *g)
{
    enum fx_verdict why = FX_OK;
    struct fx_block *block = fx_template_solve_hash(call->rpc->config.templates, g->work,
                                                    g->header.time, g->header.nonce);
    g->work = 0;
    if (!block) {
        return true; /* the template is gone: another one */
    }
    enum fx_result result =
        g->submit ? fx_chain_accept_block(call->rpc->config.chain, block, NULL, &why) : FX_VALID;
    if (result == FX_VALID) {
        generate_keep(g, block);
    } else if (result == FX_FAILED) {
        fx_rpc_fail_read(call, "or write the block");
    } else {
        fx_rpc_fail(call, FX_RPC_INTERNAL, "ProcessNewBlock, block not accepted: %s",
                    fx_verdict_string(why));
    }
    fx_block_unref(block);
    return !call->failed;
}

static int generate_step(struct fx_rpc_call *call, void *ctx)
{
    struct generate *g = ctx;
    int64_t end = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    do {
        if (g->left == 0 || g->tries == 0) {
            call->result = json_incref(g->ids);
            return FX_RPC_STEP_DONE;
        }
        if (g->work == 0 && !generate_start(call, g)) {
            return FX_RPC_STEP_DONE;
        }
        for (unsigned i = 0; i < TRIES_PER_LOOK && g->tries > 0; i++, g->tries--) {
            struct fx_hash id;
            fx_header_id(&g->header, &id);
            struct fx_u256 number = fx_u256_from_hash(&id);
            if (fx_u256_cmp(&number, &g->target) <= 0) {
                if (!generate_found(call, g)) {
                    return FX_RPC_STEP_DONE;
                }
                break;
            }
            if (g->header.nonce == UINT32_MAX) {
                g->work = 0;
                break;
            }
            g->header.nonce++;
        }
    } while (fx_clock_monotonic_ms() < end);
    return 0;
}

/* ---- where blocks pay ------------------------------------------------------------------------ */

/* The one script of a descriptor; of combo() that of its witness program, where it has one. wrong:
 * what to say where it is no descriptor; NULL: the reason. False after fx_rpc_fail. */
static bool descriptor_script(struct fx_rpc_call *call, const char *text, const char *wrong,
                              struct fx_buf *script)
{
    char error[FX_DESCRIPTOR_ERROR] = "";
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n;
    struct fx_descriptor *d = fx_descriptor_parse(call->rpc->config.params, text, false, error);
    if (!d) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "%s", wrong ? wrong : error);
        return false;
    }
    if (fx_descriptor_is_range(d)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
        fx_descriptor_destroy(d);
        return false;
    }
    bool ok = fx_descriptor_scripts(d, 0, scripts, &n);
    fx_descriptor_destroy(d);
    if (!ok) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Cannot derive script without private keys");
        return false;
    }
    size_t chosen = n == 4 ? 2 : n - 1;
    fx_buf_bytes(script, scripts[chosen].data, scripts[chosen].len);
    for (size_t i = 0; i < n; i++) {
        fx_buf_clear(&scripts[i]);
    }
    return true;
}

static json_t *generate_many(struct fx_rpc_call *call, struct generate *g)
{
    int64_t tries;
    if (!fx_rpc_arg_int(call, call->args[0], "nblocks", 0, 1000000, 0, &g->left) ||
        !fx_rpc_arg_int(call, call->args[2], "maxtries", 0, INT64_MAX, 1000000, &tries)) {
        generate_free(g);
        return NULL;
    }
    g->ids = json_array();
    g->submit = true;
    g->tries = (uint64_t)tries;
    return fx_rpc_slice(call, generate_step, generate_free, g);
}

static json_t *generatetoaddress(struct fx_rpc_call *call)
{
    struct generate *g = fx_xcalloc(1, sizeof(*g));
    if (!fx_rpc_arg_address(call, call->args[1], &g->script)) {
        generate_free(g);
        return NULL;
    }
    return generate_many(call, g);
}

const struct fx_rpc_command fx_rpc_generatetoaddress = {
    .name = "generatetoaddress",
    .text = "Mines blocks of the hash lane on the node's CPU, paid to an address. For regtest: "
            "elsewhere the target is out of reach.",
    .args = "nblocks: int\n"
            "address: str\n"
            "maxtries?: int = 1000000   # Hashes in all, then it gives up",
    .result = "[ hash ]  # Ids of the blocks",
    .errors = "-5: Invalid address",
    .example = "11 \"address\"",
    .run = generatetoaddress,
};

static json_t *generatetodescriptor(struct fx_rpc_call *call)
{
    struct generate *g = fx_xcalloc(1, sizeof(*g));
    if (!descriptor_script(call, json_string_value(call->args[1]), NULL, &g->script)) {
        generate_free(g);
        return NULL;
    }
    return generate_many(call, g);
}

const struct fx_rpc_command fx_rpc_generatetodescriptor = {
    .name = "generatetodescriptor",
    .text = "Like generatetoaddress, paid to the script of a descriptor.",
    .args = "num_blocks: int\n"
            "descriptor: str\n"
            "maxtries?: int = 1000000   # Hashes in all, then it gives up",
    .result = "[ hash ]  # Ids of the blocks",
    .errors = "-5: it is no descriptor, with the reason\n-8: it has a range",
    .example = "11 \"descriptor\"",
    .run = generatetodescriptor,
};

/* ---- generateblock --------------------------------------------------------------------------- */

/* A transaction of the list: the id of one in the mempool, or one in hex. */
static bool add_tx(struct fx_rpc_call *call, struct generate *g, const char *text)
{
    const struct fx_tx *pooled = NULL;
    struct fx_tx *tx = NULL;
    struct fx_hash id;
    uint8_t *data;
    size_t n;
    if (fx_hash_from_id(&id, text)) {
        pooled = fx_mempool_get(call->rpc->config.mempool, &id);
        if (!pooled) {
            fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Transaction %s not in mempool.", text);
            return false;
        }
        tx = fx_tx_ref(pooled);
    } else if (fx_hex_decode_dup(text, FX_BLOCK_SIZE_MAX, &data, &n)) {
        tx = fx_tx_parse(data, n);
        free(data);
    }
    if (!tx) {
        fx_rpc_fail(call, FX_RPC_DESERIALIZATION,
                    "Transaction decode failed for %.100s. Make sure the tx has at least one "
                    "input.",
                    text);
        return false;
    }
    g->txs[g->n_txs++] = tx;
    return true;
}

/* An address or a descriptor. */
static bool arg_output(struct fx_rpc_call *call, const json_t *value, struct fx_buf *script)
{
    struct fx_rpc_call probe = {.rpc = call->rpc};
    bool address = fx_rpc_arg_address(&probe, value, script);
    free(probe.message);
    return address || descriptor_script(call, json_string_value(value),
                                        "Error: Invalid address or descriptor", script);
}

static json_t *generateblock(struct fx_rpc_call *call)
{
    size_t i;
    json_t *text;
    struct generate *g = fx_xcalloc(1, sizeof(*g));
    g->given = true;
    g->submit = fx_rpc_arg_bool(call->args[2], true);
    g->left = 1;
    g->tries = UINT64_MAX;
    g->ids = json_object();
    g->txs = fx_xcalloc(json_array_size(call->args[1]) + 1, sizeof(*g->txs));
    bool ok = arg_output(call, call->args[0], &g->script);
    json_array_foreach(call->args[1], i, text)
    {
        ok = ok && add_tx(call, g, json_string_value(text));
    }
    if (!ok) {
        generate_free(g);
        return NULL;
    }
    return fx_rpc_slice(call, generate_step, generate_free, g);
}

const struct fx_rpc_command fx_rpc_generateblock = {
    .name = "generateblock",
    .text = "Mines one block of the hash lane with exactly these transactions, in this order. Its "
            "coinbase takes no fees.",
    .args = "output: str                # Address or descriptor that the coinbase pays to\n"
            "transactions: [ str ]      # Ids of the mempool, or transactions in hex\n"
            "submit?: bool = true       # Give it to the chain; else it is returned in hex",
    .result = "{ hash: hash, hex?: hex }",
    .errors = "-5: not an address or descriptor, or a transaction is not in the mempool\n"
              "-8: the descriptor has a range\n-22: Transaction decode failed\n"
              "-25: the block would break a rule",
    .example = "\"address\" '[\"txid\"]'",
    .run = generateblock,
};
