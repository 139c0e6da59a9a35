/* Transactions of the property test, made from JSON. */
#include "qa/model/model_tx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "consensus/sighash.h"
#include "qa/model/model_job.h"
#include "qa/unit/harness.h"
#include "src/util/hex.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define NAME_SIZE 32
#define SPECS 64

struct spec {
    bool set;
    struct fx_task_spec spec;
    uint8_t body[FX_GEMM_BODY_SIZE];
    const struct model_job *job; /* NULL where the body is not valid */
};

static struct spec specs[SPECS];
static struct fx_map *by_name; /* name to struct fx_tx */
static struct fx_map *by_id;   /* txid to name */

/* ---- JSON -------------------------------------------------------------------------------- */

json_t *model_member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL) {
        FX_FAIL("no member %s", name);
    }
    return value;
}

int64_t model_int(const json_t *value)
{
    FX_CHECK(json_is_integer(value));
    return json_integer_value(value);
}

const char *model_text(const json_t *value)
{
    FX_CHECK(json_is_string(value));
    return json_string_value(value);
}

static int64_t int_at(const json_t *array, size_t at)
{
    return model_int(json_array_get(array, at));
}

/* ---- keys and specs ---------------------------------------------------------------------- */

const struct fx_test_key *model_key(unsigned number)
{
    static struct fx_test_key keys[MODEL_KEYS];
    static bool made[MODEL_KEYS];

    FX_CHECK(number < MODEL_KEYS);
    if (!made[number]) {
        fx_test_key(number + 1, &keys[number]);
        made[number] = true;
    }
    return &keys[number];
}

int model_key_number(const struct fx_hash *xonly)
{
    for (unsigned number = 0; number < MODEL_KEYS; number++) {
        if (fx_hash_equal(&model_key(number)->xonly, xonly)) {
            return (int)number;
        }
    }
    return -1;
}

void model_spec_set(const json_t *json)
{
    size_t number = (size_t)int_at(json, 0);
    const json_t *shape = json_array_get(json, 7);
    struct fx_buf body = FX_BUF_INIT;
    struct fx_gemm gemm;
    struct spec *spec;

    FX_CHECK(number < SPECS);
    spec = &specs[number];
    memset(spec, 0, sizeof(*spec));
    memset(&gemm, 0, sizeof(gemm));
    spec->set = true;
    spec->spec.version = (uint8_t)int_at(json, 1);
    spec->spec.kind = (uint8_t)int_at(json, 2);
    spec->spec.client = model_key((unsigned)int_at(json, 3))->xonly;
    spec->spec.deadline = (uint32_t)int_at(json, 4);
    spec->spec.window = (uint16_t)int_at(json, 5);
    spec->spec.exclusive = (uint16_t)int_at(json, 6);
    gemm.m = (uint32_t)int_at(shape, 0);
    gemm.n = (uint32_t)int_at(shape, 1);
    gemm.k = (uint32_t)int_at(shape, 2);
    gemm.task_rows = (uint32_t)int_at(shape, 3);
    gemm.task_cols = (uint32_t)int_at(shape, 4);
    spec->job = model_job_get(&gemm);
    fx_gemm_write(spec->job != NULL ? model_job_gemm(spec->job) : &gemm, &body);
    memcpy(spec->body, body.data, sizeof(spec->body));
    fx_buf_clear(&body);
    spec->spec.body = (struct fx_span){spec->body, sizeof(spec->body)};
}

static const struct spec *spec_get(size_t number)
{
    FX_CHECK(number < SPECS && specs[number].set);
    return &specs[number];
}

/* ---- tasks ------------------------------------------------------------------------------- */

/* The result that a preimage names; NULL where its spec has none. */
static const struct model_result *result_of(const json_t *task)
{
    const struct spec *spec = spec_get((size_t)int_at(task, 2));
    const json_t *result = json_array_get(task, 8);

    return spec->job == NULL ? NULL
                             : model_result_get(spec->job, (uint32_t)int_at(task, 3),
                                                &model_key((unsigned)int_at(result, 1))->xonly,
                                                (enum model_variation)int_at(result, 0));
}

void model_task_read(const json_t *json, struct fx_task *task)
{
    const json_t *origin = json_array_get(json, 1);
    const struct model_result *result;

    memset(task, 0, sizeof(*task));
    task->state = (uint8_t)int_at(json, 0);
    if (json_is_string(origin)) {
        task->origin = model_outpoint(model_text(origin));
    }
    task->spec = spec_get((size_t)int_at(json, 2))->spec;
    task->index = (uint32_t)int_at(json, 3);
    if (task->state == FX_TASK_FUNDED) {
        return;
    }
    task->escrow = (uint64_t)int_at(json, 4);
    task->bond = (uint64_t)int_at(json, 5);
    task->burn = (uint64_t)int_at(json, 6);
    task->solver = model_key((unsigned)int_at(json, 7))->xonly;
    result = result_of(json);
    if (result != NULL) {
        task->result = *model_result_root(result);
    }
    task->tile = (uint32_t)int_at(json, 9);
}

void model_preimage(const json_t *json, struct fx_buf *preimage)
{
    struct fx_task task;

    model_task_read(json, &task);
    fx_task_write(&task, preimage);
}

static void program_of(const json_t *task, struct fx_hash *program)
{
    struct fx_buf preimage = FX_BUF_INIT;

    model_preimage(task, &preimage);
    fx_task_program((struct fx_span){preimage.data, preimage.len}, program);
    fx_buf_clear(&preimage);
}

/* ---- the register ------------------------------------------------------------------------ */

static void name_key(const char *name, uint8_t key[NAME_SIZE])
{
    size_t n = strlen(name);

    FX_CHECK(n < NAME_SIZE);
    memset(key, 0, NAME_SIZE);
    memcpy(key, name, n);
}

void model_tx_put(const char *name, struct fx_tx *tx)
{
    uint8_t key[NAME_SIZE];

    if (by_name == NULL) {
        by_name = fx_map_create(NAME_SIZE, 1, 2);
        by_id = fx_map_create(sizeof(struct fx_hash), 1, 2);
    }
    name_key(name, key);
    FX_CHECK(fx_map_put(by_name, key, tx) == NULL);
    FX_CHECK(fx_map_put(by_id, tx->txid.b, fx_xstrdup(name)) == NULL);
}

struct fx_tx *model_tx_get(const char *name)
{
    uint8_t key[NAME_SIZE];

    name_key(name, key);
    return by_name == NULL ? NULL : fx_map_get(by_name, key);
}

static void unref(void *tx)
{
    fx_tx_unref(tx);
}

void model_tx_clear(void)
{
    fx_map_destroy(by_name, unref);
    fx_map_destroy(by_id, free);
    by_name = by_id = NULL;
    memset(specs, 0, sizeof(specs));
}

struct fx_outpoint model_outpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    struct fx_outpoint outpoint;
    char name[NAME_SIZE] = {0};
    const struct fx_tx *tx;

    FX_CHECK(colon != NULL && (size_t)(colon - text) < sizeof(name));
    memcpy(name, text, (size_t)(colon - text));
    tx = model_tx_get(name);
    if (tx == NULL) {
        FX_FAIL("no transaction %s", name);
    }
    outpoint.txid = tx->txid;
    outpoint.index = (uint32_t)strtoul(colon + 1, NULL, 10);
    return outpoint;
}

json_t *model_outpoint_json(const struct fx_outpoint *outpoint)
{
    const char *name = by_id == NULL ? NULL : fx_map_get(by_id, outpoint->txid.b);
    char text[NAME_SIZE + 16];

    snprintf(text, sizeof(text), "%s:%u", name == NULL ? "?" : name, outpoint->index);
    return json_string(text);
}

/* ---- witnesses --------------------------------------------------------------------------- */

/* What the signatures of a transaction are about. */
struct signing {
    const struct fx_tx *tx;
    const struct fx_coin *spent;
    struct fx_sighash_cache cache;
    size_t in;
};

static void put_signature(const struct signing *signing, const json_t *sig, struct fx_buf *out)
{
    struct fx_hash hash;
    uint8_t signature[64];

    fx_sighash_task(signing->tx, signing->in, signing->spent, (uint8_t)int_at(sig, 1),
                    &signing->cache, &hash);
    fx_test_sign(model_key((unsigned)int_at(sig, 0)), &hash, signature);
    fx_buf_bytes(out, signature, sizeof(signature));
}

static void put_certificate(const json_t *cert, struct fx_buf *out)
{
    struct fx_hash program, hash;
    uint8_t signature[64];

    program_of(json_array_get(cert, 1), &program);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(model_key((unsigned)int_at(cert, 0)), &hash, signature);
    fx_buf_bytes(out, signature, sizeof(signature));
}

static void put_claim(const json_t *json, struct fx_buf *out)
{
    struct fx_task task;

    model_task_read(json, &task);
    fx_buf_u64(out, task.escrow);
    fx_buf_u64(out, task.bond);
    fx_buf_u64(out, task.burn);
    fx_buf_hash(out, &task.solver);
    fx_buf_hash(out, &task.result);
}

static void put_about_result(const char *what, const json_t *of, struct fx_buf *out)
{
    const struct model_result *result = result_of(json_array_get(of, 0));

    FX_CHECK(result != NULL);
    if (strcmp(what, "proof") == 0) {
        model_entry_proof(result, (uint32_t)int_at(of, 1), (uint32_t)int_at(of, 2), out);
    } else if (strcmp(what, "tile") == 0) {
        model_tile_data(result, (uint32_t)int_at(of, 1), out);
    } else {
        model_tile_path(result, (uint32_t)int_at(of, 1), out);
    }
}

static void put_hex(const char *text, struct fx_buf *out)
{
    uint8_t *bytes;
    size_t n;

    FX_CHECK(fx_hex_decode_dup(text, FX_BLOCK_WEIGHT_MAX, &bytes, &n));
    fx_buf_bytes(out, bytes, n);
    free(bytes);
}

static void put_item(const struct signing *signing, const char *what, json_t *of,
                     struct fx_buf *out)
{
    if (strcmp(what, "a") == 0) {
        fx_buf_u8(out, (uint8_t)model_int(of));
    } else if (strcmp(what, "sig") == 0) {
        put_signature(signing, of, out);
    } else if (strcmp(what, "pre") == 0) {
        model_preimage(of, out);
    } else if (strcmp(what, "claim") == 0) {
        put_claim(of, out);
    } else if (strcmp(what, "cert") == 0) {
        put_certificate(of, out);
    } else if (strcmp(what, "u32") == 0) {
        for (size_t at = 0; at < json_array_size(of); at++) {
            fx_buf_u32(out, (uint32_t)int_at(of, at));
        }
    } else if (strcmp(what, "hex") == 0) {
        put_hex(model_text(of), out);
    } else {
        put_about_result(what, of, out);
    }
}

static void change_item(const json_t *item, struct fx_buf *out)
{
    const json_t *value;

    if ((value = json_object_get(item, "flip")) != NULL && out->len > 0) {
        out->data[(uint64_t)model_int(value) % out->len] ^= 1;
    }
    if ((value = json_object_get(item, "cut")) != NULL) {
        size_t cut = (size_t)model_int(value);

        out->len -= cut < out->len ? cut : out->len;
    }
    if ((value = json_object_get(item, "pad")) != NULL) {
        for (int64_t n = model_int(value); n > 0; n--) {
            fx_buf_u8(out, 0);
        }
    }
}

static void push_item(const struct signing *signing, json_t *item, struct fx_txb *b)
{
    static const char *const kinds[] = {"a",     "sig", "pre",  "claim", "cert",
                                        "proof", "u32", "tile", "path",  "hex"};
    struct fx_buf out = FX_BUF_INIT;

    for (size_t at = 0; at < sizeof(kinds) / sizeof(*kinds); at++) {
        json_t *of = json_object_get(item, kinds[at]);

        if (of != NULL) {
            put_item(signing, kinds[at], of, &out);
        }
    }
    change_item(item, &out);
    fx_txb_push_witness(b, signing->in, out.data, out.len);
    fx_buf_clear(&out);
}

/* ---- transactions ------------------------------------------------------------------------ */

static void add_output(const json_t *json, struct fx_txb *b)
{
    static const uint8_t any = 0x51;
    const json_t *to = model_member(json, "to"), *value;
    int64_t amount = model_int(model_member(json, "v"));
    struct fx_buf script = FX_BUF_INIT;

    if ((value = json_object_get(to, "task")) != NULL) {
        struct fx_hash program;

        program_of(value, &program);
        fx_task_script(&program, fx_buf_extend(&script, FX_TASK_SCRIPT_SIZE));
    } else if ((value = json_object_get(to, "key")) != NULL) {
        fx_script_p2tr(model_key((unsigned)model_int(value))->xonly.b, fx_buf_extend(&script, 34));
    } else if ((value = json_object_get(to, "note")) != NULL) {
        fx_buf_u8(&script, 0x6a);
        fx_buf_u8(&script, (uint8_t)strlen(model_text(value)));
        fx_buf_str(&script, model_text(value));
    } else {
        fx_buf_u8(&script, any);
    }
    fx_txb_add_out(b, amount, script.data, script.len);
    fx_buf_clear(&script);
}

/* The output that an input spends, of whatever transaction is known. */
static void find_spent(const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    const char *name = fx_map_get(by_id, outpoint->txid.b);
    const struct fx_tx *tx = model_tx_get(name);
    struct fx_txout nothing = {0};

    fx_coin_set(coin, outpoint->index < tx->n_out ? &tx->out[outpoint->index] : &nothing, 0, false);
}

static void add_witnesses(const json_t *inputs, struct fx_txb *b)
{
    struct fx_tx *bare = fx_txb_build(b);
    struct fx_coin *spent = fx_xcalloc(bare->n_in, sizeof(*spent));
    struct signing signing = {.tx = bare, .spent = spent};

    for (size_t in = 0; in < bare->n_in; in++) {
        find_spent(&bare->in[in].prevout, &spent[in]);
    }
    fx_sighash_cache_init(&signing.cache, bare, spent);
    for (signing.in = 0; signing.in < bare->n_in; signing.in++) {
        json_t *items = json_object_get(json_array_get(inputs, signing.in), "w");

        for (size_t at = 0; at < json_array_size(items); at++) {
            push_item(&signing, json_array_get(items, at), b);
        }
    }
    for (size_t in = 0; in < bare->n_in; in++) {
        fx_coin_clear(&spent[in]);
    }
    free(spent);
    fx_tx_unref(bare);
}

struct fx_tx *model_tx_make(const json_t *json)
{
    const json_t *inputs = model_member(json, "in"), *outputs = model_member(json, "out");
    struct fx_tx *tx;
    struct fx_txb b;

    fx_txb_init(&b);
    b.version = (int32_t)model_int(model_member(json, "version"));
    b.lock_time = (uint32_t)model_int(model_member(json, "lock"));
    for (size_t in = 0; in < json_array_size(inputs); in++) {
        const json_t *input = json_array_get(inputs, in);
        struct fx_outpoint from = model_outpoint(model_text(model_member(input, "out")));

        fx_txb_add_in(&b, &from, (uint32_t)model_int(model_member(input, "seq")));
    }
    for (size_t out = 0; out < json_array_size(outputs); out++) {
        add_output(json_array_get(outputs, out), &b);
    }
    add_witnesses(inputs, &b);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    model_tx_put(model_text(model_member(json, "name")), tx);
    return tx;
}
