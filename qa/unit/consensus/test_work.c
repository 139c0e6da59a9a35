/*
 * Work proofs: their bytes, the coinbase script, and the five rules, each violated alone. A case is
 * a job-lane block that is put together anew for each run, so that a change of any part is seen by
 * exactly the rule that it breaks.
 */
#include "consensus/work.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "consensus/fornaxconsensus.h"
#include "consensus/lane.h"
#include "qa/unit/consensus/job.h"
#include "qa/unit/consensus/scene.h"
#include "qa/unit/harness.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"
#include "src/util/u256.h"

#define HEIGHT 1001u

struct work {
    struct fx_scene scene;
    struct fx_test_job job;
    struct fx_test_key client, solver, signer;
    struct fx_task task; /* of the preimage in the proof */
    struct fx_outpoint outpoint;
    struct fx_outpoint *backing; /* in the proof; room for FX_SCENE_ITEMS */
    size_t n_backing;
    uint32_t i, j, l;
    uint32_t path_panel_a, path_panel_b; /* of what the blocks in the proof are */
    uint32_t nbits;

    /* how to break it */
    bool no_output, two_outputs, other_lists, other_preimage, bad_signature, sign_other;
    bool alter_a, alter_b, alter_path_a, alter_path_b, high;

    struct fx_buf proof;
    struct fx_block *block;
    struct fx_hash ticket;
    struct fx_record_delta delta;
    uint64_t credit, burns;
    enum fx_verdict why;
};

static struct fx_span span_of(const struct fx_buf *buf)
{
    struct fx_span span = {buf->data, buf->len};

    return span;
}

static void add_task_coin(struct work *w, const struct fx_task *task)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program;
    uint8_t script[FX_TASK_SCRIPT_SIZE];

    fx_task_write(task, &preimage);
    fx_task_program(span_of(&preimage), &program);
    fx_task_script(&program, script);
    fx_scene_add_coin(&w->scene, &w->outpoint, 5000, script, sizeof(script), 900);
    fx_buf_clear(&preimage);
}

static void settled_record(const struct work *w, struct fx_task_record *record)
{
    memset(record, 0, sizeof(*record));
    record->settled = 990;
    record->h0 = 800;
    record->client = w->client.xonly;
    record->solver = w->solver.xonly;
    record->bricks = 100;
    record->burn = 7;
}

static void begin(struct work *w)
{
    memset(w, 0, sizeof(*w));
    fx_scene_init(&w->scene);
    fx_record_delta_init(&w->delta);
    fx_test_key(21, &w->client);
    fx_test_key(22, &w->solver);
    w->signer = w->solver;
    /* Tasks of 2 x 1 tiles in a grid of 3 x 3: task 4 has rows 2..2, columns 1..1. */
    fx_test_job_init(&w->job, 384, 384, 768, 2, 1, &w->client.xonly);
    w->task.spec = w->job.spec;
    w->task.index = 1;
    w->outpoint = fx_scene_outpoint(1);
    add_task_coin(w, &w->task);
    w->backing = fx_xcalloc(FX_SCENE_ITEMS, sizeof(*w->backing));
    w->i = 1;
    w->j = 1;
    w->l = 2;
    w->path_panel_a = 1;
    w->path_panel_b = 1;
    w->nbits = fx_params_get(FX_REGTEST)->limit_nbits[FX_LANE_JOB];
}

static void end(struct work *w)
{
    fx_buf_clear(&w->proof);
    fx_block_unref(w->block);
    fx_record_delta_clear(&w->delta);
    free(w->backing);
    fx_test_job_clear(&w->job);
    fx_scene_clear(&w->scene);
}

static struct fx_tx *coinbase(const struct work *w, struct fx_span preimage)
{
    static const uint8_t pay[34] = {0x51, 0x20, 9};
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE];
    struct fx_cb_work cb;
    struct fx_outpoint null;
    struct fx_txb b;
    struct fx_tx *tx;

    cb.outpoint = w->outpoint;
    cb.solver = w->solver.xonly;
    fx_work_preimage_hash(preimage, &cb.preimage_hash);
    fx_work_backing_hash(w->backing, w->n_backing, &cb.backing_hash);
    cb.preimage_hash.b[3] ^= w->other_preimage;
    cb.backing_hash.b[3] ^= w->other_lists;
    fx_cb_work_script(&cb, script);
    memset(&null, 0, sizeof(null));
    null.index = UINT32_MAX;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, "\x02\xe9\x03", 3);
    fx_txb_add_out(&b, 0, pay, sizeof(pay));
    if (!w->no_output) {
        fx_txb_add_out(&b, 0, script, sizeof(script));
    }
    if (w->two_outputs) {
        fx_txb_add_out(&b, 0, script, sizeof(script));
    }
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

static bool ticket_is_low(const struct work *w, const struct fx_hash *id, const int8_t *a,
                          const int8_t *b, struct fx_hash *ticket)
{
    struct fx_u256 target, value;

    if (!fx_brick_ticket(id, a, b, w->i, w->j, w->l, ticket)) {
        return !w->high; /* out of range: no matter */
    }
    value = fx_u256_from_hash(ticket);
    FX_CHECK(fx_nbits_decode(w->nbits, &target));
    return fx_u256_cmp(&value, &target) <= 0;
}

/* A header whose ticket is as wanted, by trying nonces. */
static void mine(struct work *w, struct fx_header *header, struct fx_hash *id, const int8_t *a,
                 const int8_t *b)
{
    for (header->nonce = 0; header->nonce < 1000; header->nonce++) {
        fx_header_id(header, id);
        if (ticket_is_low(w, id, a, b, &w->ticket) != w->high) {
            return;
        }
    }
    FX_FAIL("no ticket in 1,000");
}

/* Puts the block together. */
static void make(struct work *w)
{
    struct fx_buf preimage = FX_BUF_INIT;
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    uint8_t path_a[32 * FX_TREE_DEPTH_MAX], path_b[32 * FX_TREE_DEPTH_MAX], signature[64];
    struct fx_work_proof proof;
    struct fx_header header;
    struct fx_hash id, hash;
    struct fx_tx *tx;

    fx_task_write(&w->task, &preimage);
    tx = coinbase(w, span_of(&preimage));
    memset(&header, 0, sizeof(header));
    header.version = fx_header_version(FX_LANE_JOB);
    header.time = 1700000000;
    header.nbits = w->nbits;
    fx_merkle_root(&tx->txid, 1, &header.merkle_root, NULL);

    fx_test_job_block(&w->job, FX_SIDE_A, w->path_panel_a, w->l % 3, a);
    fx_test_job_block(&w->job, FX_SIDE_B, w->path_panel_b, w->l % 3, b);
    memset(&proof, 0, sizeof(proof));
    proof.path_a.len = 32 * fx_test_job_path(&w->job, FX_SIDE_A, w->path_panel_a, w->l % 3, path_a);
    proof.path_b.len = 32 * fx_test_job_path(&w->job, FX_SIDE_B, w->path_panel_b, w->l % 3, path_b);
    a[400] = (int8_t)(a[400] ^ w->alter_a);
    b[400] = (int8_t)(b[400] ^ w->alter_b);
    path_a[40] ^= w->alter_path_a;
    path_b[40] ^= w->alter_path_b;
    mine(w, &header, &id, a, b);
    fx_work_sign_hash(&id, &hash);
    hash.b[0] ^= w->sign_other;
    fx_test_sign(&w->signer, &hash, signature);
    signature[9] ^= w->bad_signature;

    proof.preimage = span_of(&preimage);
    proof.backing = w->backing;
    proof.n_backing = w->n_backing;
    proof.i = w->i;
    proof.j = w->j;
    proof.l = w->l;
    proof.block_a.data = (const uint8_t *)a;
    proof.block_a.len = sizeof(a);
    proof.path_a.data = path_a;
    proof.block_b.data = (const uint8_t *)b;
    proof.block_b.len = sizeof(b);
    proof.path_b.data = path_b;
    proof.signature.data = signature;
    proof.signature.len = 64;
    w->proof.len = 0;
    fx_work_proof_write(&proof, &w->proof);
    fx_block_unref(w->block);
    w->block = fx_block_make(fx_params_get(FX_REGTEST), &header, span_of(&w->proof), &tx, 1);
    fx_tx_unref(tx);
    fx_buf_clear(&preimage);
    FX_CHECK(w->block != NULL);
}

/* The public library says of these bytes what the rules say of the block. */
static void check_public(const struct work *w, bool valid)
{
    uint8_t ticket[32] = {0}, none[32] = {0};
    struct fx_span raw = w->block->raw;
    const char *reject = "not set";

    FX_CHECK_INT(fornaxconsensus_check_work(FORNAXCONSENSUS_NETWORK_REGTEST, raw.data, raw.len,
                                            ticket, &reject),
                 valid);
    FX_CHECK(reject != NULL);
    FX_CHECK_STR(reject, fx_verdict_string(w->why));
    FX_CHECK_MEM(ticket, valid ? w->ticket.b : none, 32);
}

static enum fx_result check(struct work *w)
{
    enum fx_result result;

    make(w);
    result = fx_check_work(fx_params_get(FX_REGTEST), w->block, &w->why);
    check_public(w, result == FX_VALID);
    return result;
}

static enum fx_result connect(struct work *w)
{
    enum fx_result result = check(w);

    if (result != FX_VALID) {
        return result;
    }
    fx_record_delta_clear(&w->delta);
    return fx_connect_work(fx_params_get(FX_REGTEST), &w->scene.view, w->block, HEIGHT, &w->delta,
                           &w->credit, &w->burns, &w->why);
}

/* A valid block, then this change, then this result of check() or connect(). */
#define CASE(change, call, result_, reason)               \
    do {                                                  \
        struct work w;                                    \
        begin(&w);                                        \
        change;                                           \
        FX_CHECK_INT(call(&w), (result_));                \
        FX_CHECK_STR(fx_verdict_string(w.why), (reason)); \
        end(&w);                                          \
    } while (0)

#define COPY(change, reason) CASE(change, check, FX_INVALID_COPY, reason)
#define CONDEMNED(change, reason) CASE(change, connect, FX_INVALID, reason)
#define GOOD(change) CASE(change, connect, FX_VALID, "")

/* ---- bytes --------------------------------------------------------------------------------- */

FX_TEST(round_trip)
{
    struct work w;
    struct fx_reader r;
    struct fx_work_proof *proof;
    struct fx_buf again = FX_BUF_INIT;

    begin(&w);
    w.backing[0] = fx_scene_outpoint(5);
    w.backing[1] = fx_scene_outpoint(6);
    w.n_backing = 2;
    make(&w);
    fx_buf_u8(&w.proof, 0xaa); /* the next thing in the stream */
    fx_reader_init(&r, w.proof.data, w.proof.len);
    proof = fx_work_proof_read(fx_params_get(FX_REGTEST), &r);
    FX_CHECK(proof != NULL);
    FX_CHECK(!r.bad);
    FX_CHECK_INT(r.left, 1);
    FX_CHECK_INT(proof->size, w.proof.len - 1);
    FX_CHECK_INT(proof->n_backing, 2);
    FX_CHECK(fx_outpoint_equal(&proof->backing[1], &w.backing[1]));
    FX_CHECK_INT(proof->i, 1);
    FX_CHECK_INT(proof->j, 1);
    FX_CHECK_INT(proof->l, 2);
    FX_CHECK_INT(proof->gemm.k, 768);
    FX_CHECK_INT(proof->task.shape.rows, 2);
    FX_CHECK_INT(proof->path_a.len, 4 * 32);
    fx_work_proof_write(proof, &again);
    FX_CHECK_INT(again.len, proof->size);
    FX_CHECK_MEM(again.data, w.proof.data, again.len);
    fx_work_proof_destroy(proof);
    fx_buf_clear(&again);
    end(&w);
}

/* Where each part stands, in the protocol's words. */
FX_TEST(layout)
{
    struct work w;
    const uint8_t *p;

    begin(&w);
    w.backing[0] = fx_scene_outpoint(5);
    w.n_backing = 1;
    make(&w);
    p = w.proof.data;
    FX_CHECK_INT(p[0], 167);
    FX_CHECK_INT(p[168], 1);
    FX_CHECK_MEM(p + 169, w.backing[0].txid.b, 32);
    FX_CHECK_INT(fx_load_u32(p + 205), 1);
    FX_CHECK_INT(fx_load_u32(p + 209), 1);
    FX_CHECK_INT(fx_load_u32(p + 213), 2);
    FX_CHECK_INT(w.proof.len, 217 + 2 * (FX_BLOCK_BYTES + 4 * 32) + 64);
    end(&w);
}

FX_TEST(truncated)
{
    struct work w;
    struct fx_reader r;
    size_t n;

    begin(&w);
    w.backing[0] = fx_scene_outpoint(5);
    w.n_backing = 1;
    make(&w);
    for (n = 0; n < w.proof.len; n += n < 300 || n > w.proof.len - 300 ? 1 : 997) {
        fx_reader_init(&r, w.proof.data, n);
        FX_CHECK(fx_work_proof_read(fx_params_get(FX_REGTEST), &r) == NULL);
        FX_CHECK(r.bad);
    }
    end(&w);
}

static bool parses(const struct work *w)
{
    struct fx_reader r;
    struct fx_work_proof *proof;
    bool ok;

    fx_reader_init(&r, w->proof.data, w->proof.len);
    proof = fx_work_proof_read(fx_params_get(FX_REGTEST), &r);
    ok = proof != NULL;
    FX_CHECK_INT(r.bad, !ok);
    fx_work_proof_destroy(proof);
    return ok;
}

FX_TEST(preimages_without_a_shape)
{
    struct work w;

    begin(&w);
    make(&w);
    FX_CHECK(parses(&w));
    w.proof.data[1 + 37] = 2; /* version of the spec */
    FX_CHECK(!parses(&w));
    w.proof.data[1 + 37] = 1;
    w.proof.data[1 + 38] = 2; /* kind */
    FX_CHECK(!parses(&w));
    w.proof.data[1 + 38] = 1;
    w.proof.data[1 + 163] = 6; /* index, of 6 tasks */
    FX_CHECK(!parses(&w));
    w.proof.data[1 + 163] = 5;
    FX_CHECK(parses(&w));
    w.proof.data[0] = 166;
    FX_CHECK(!parses(&w));
    end(&w);
}

FX_TEST(counts_in_their_shortest_form)
{
    struct work w;
    struct fx_buf longer = FX_BUF_INIT;
    struct fx_reader r;

    begin(&w);
    make(&w);
    fx_buf_bytes(&longer, "\xfd\xa7", 3);
    fx_buf_bytes(&longer, w.proof.data + 1, w.proof.len - 1);
    fx_reader_init(&r, longer.data, longer.len);
    FX_CHECK(fx_work_proof_read(fx_params_get(FX_REGTEST), &r) == NULL);
    longer.len = 0;
    fx_buf_bytes(&longer, w.proof.data, 168);
    fx_buf_u8(&longer, 0xfd);
    fx_buf_u16(&longer, 0);
    fx_buf_bytes(&longer, w.proof.data + 169, w.proof.len - 169);
    fx_reader_init(&r, longer.data, longer.len);
    FX_CHECK(fx_work_proof_read(fx_params_get(FX_REGTEST), &r) == NULL);
    fx_buf_clear(&longer);
    end(&w);
}

FX_TEST(hashes)
{
    struct fx_outpoint list[2] = {fx_scene_outpoint(1), fx_scene_outpoint(2)};
    struct fx_hash got, expected;
    struct fx_buf bytes = FX_BUF_INIT;
    struct fx_span span = {(const uint8_t *)"abc", 3};

    fx_work_preimage_hash(span, &got);
    fx_tagged_hash("fornax/preimage", "abc", 3, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    fx_buf_u8(&bytes, 2);
    fx_outpoint_write(&list[0], &bytes);
    fx_outpoint_write(&list[1], &bytes);
    fx_work_backing_hash(list, 2, &got);
    fx_tagged_hash("fornax/backing", bytes.data, bytes.len, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    fx_work_backing_hash(NULL, 0, &got);
    fx_tagged_hash("fornax/backing", "", 1, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    fx_work_sign_hash(&list[0].txid, &got);
    fx_tagged_hash("fornax/work", list[0].txid.b, 32, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    fx_buf_clear(&bytes);
}

FX_TEST(coinbase_script)
{
    struct fx_cb_work cb, back;
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE];
    struct work w;

    memset(&cb, 0, sizeof(cb));
    cb.outpoint = fx_scene_outpoint(0x01020304);
    memset(cb.solver.b, 1, 32);
    memset(cb.preimage_hash.b, 2, 32);
    memset(cb.backing_hash.b, 3, 32);
    fx_cb_work_script(&cb, script);
    FX_CHECK_HEX(script, "6a4c8866786a77");
    FX_CHECK_MEM(script + 7, cb.outpoint.txid.b, 32);
    FX_CHECK_HEX(script + 39, "0403020101");
    FX_CHECK_HEX(script + 74, "0102");
    FX_CHECK_HEX(script + 106, "0203");
    FX_CHECK_INT(script[138], 3);

    begin(&w);
    make(&w);
    FX_CHECK(fx_cb_work_read(w.block->txs[0], &back));
    FX_CHECK(fx_outpoint_equal(&back.outpoint, &w.outpoint));
    FX_CHECK(fx_hash_equal(&back.solver, &w.solver.xonly));
    end(&w);
}

/* Outputs that are nearly such an output are none. */
FX_TEST(coinbase_outputs_that_look_alike)
{
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE + 1] = {0};
    struct fx_cb_work cb, back;

    memset(&cb, 0, sizeof(cb));
    cb.outpoint = fx_scene_outpoint(3);
    fx_cb_work_script(&cb, script);
    for (unsigned which = 0; which < 10; which++) {
        struct fx_outpoint null;
        struct fx_txb b;
        struct fx_tx *tx;
        uint8_t other[sizeof(script)];
        size_t n = FX_CB_WORK_SCRIPT_SIZE;

        memcpy(other, script, sizeof(other));
        if (which < 7) {
            other[which] ^= 1;
        } else {
            n = which == 7 ? n - 1 : which == 8 ? n + 1 : 5;
        }
        memset(&null, 0, sizeof(null));
        fx_txb_init(&b);
        fx_txb_add_in(&b, &null, 0);
        fx_txb_add_out(&b, 0, other, n);
        tx = fx_txb_build(&b);
        FX_CHECK(!fx_cb_work_read(tx, &back));
        fx_tx_unref(tx);
        fx_txb_add_out(&b, 0, script, FX_CB_WORK_SCRIPT_SIZE);
        tx = fx_txb_build(&b);
        FX_CHECK(fx_cb_work_read(tx, &back));
        FX_CHECK(fx_outpoint_equal(&back.outpoint, &cb.outpoint));
        fx_tx_unref(tx);
        fx_txb_clear(&b);
    }
}

/* ---- what condemns and what does not ------------------------------------------------------- */

FX_TEST(a_block_as_it_should_be)
{
    struct work w;
    struct fx_hash ticket;

    begin(&w);
    FX_CHECK_INT(connect(&w), FX_VALID);
    FX_CHECK_INT(w.credit, 0);
    FX_CHECK_INT(w.burns, 0);
    FX_CHECK_INT(w.delta.n, 0);
    fx_work_ticket(w.block, &ticket);
    FX_CHECK_MEM(ticket.b, w.ticket.b, 32);
    end(&w);
}

/* What is wrong with the bytes around the proof, and with the arguments, of the public call. */
FX_TEST(public_call)
{
    struct fx_block *genesis = fx_genesis_block(fx_params_get(FX_REGTEST));
    uint8_t ticket[32] = {0}, none[32] = {0}, *raw;
    struct work w;
    const char *reject;
    size_t n;

    begin(&w);
    FX_CHECK_INT(check(&w), FX_VALID);
    n = w.block->raw.len;
    raw = fx_xmemdup(w.block->raw.data, n);
#define REFUSED(network, data, len, out) \
    (reject = "not set",                 \
     fornaxconsensus_check_work(network, data, len, out, &reject) == 0 && reject != NULL)
#define MISUSED(network, data, len, out) \
    (reject = "not set",                 \
     fornaxconsensus_check_work(network, data, len, out, &reject) == 0 && reject == NULL)
    FX_CHECK_INT(fornaxconsensus_check_work(FORNAXCONSENSUS_NETWORK_REGTEST, raw, n, ticket, NULL),
                 1);
    memset(ticket, 0, 32);
    FX_CHECK(REFUSED(FORNAXCONSENSUS_NETWORK_REGTEST, raw, n - 1, ticket));
    FX_CHECK_STR(reject, "block-decode-failed");
    FX_CHECK(REFUSED(FORNAXCONSENSUS_NETWORK_REGTEST, raw, 0, ticket));
    FX_CHECK_STR(reject, "block-decode-failed");
    raw[n - 1] ^= 1; /* the coinbase's lock time: its txid is another then */
    FX_CHECK(REFUSED(FORNAXCONSENSUS_NETWORK_REGTEST, raw, n, ticket));
    FX_CHECK_STR(reject, "bad-txnmrklroot");
    FX_CHECK(MISUSED(3, raw, n, ticket));
    FX_CHECK(MISUSED(FORNAXCONSENSUS_NETWORK_REGTEST, NULL, n, ticket));
    FX_CHECK(MISUSED(FORNAXCONSENSUS_NETWORK_REGTEST, raw, n, NULL));
    FX_CHECK(MISUSED(FORNAXCONSENSUS_NETWORK_REGTEST, genesis->raw.data, genesis->raw.len, ticket));
#undef REFUSED
#undef MISUSED
    FX_CHECK_MEM(ticket, none, 32);
    free(raw);
    fx_block_unref(genesis);
    end(&w);
}

FX_TEST(public_call_and_a_repeated_end)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_header header;
    struct fx_block *block;
    struct fx_tx *txs[2];
    struct fx_span proof;
    struct work w;
    uint8_t ticket[32];
    const char *reject;
    bool mutated;

    begin(&w);
    FX_CHECK_INT(check(&w), FX_VALID);
    header = w.block->header;
    txs[0] = txs[1] = w.block->txs[0];
    proof.data = w.block->raw.data + FX_HEADER_SIZE;
    proof.len = w.block->work->size;
    block = fx_block_make(params, &header, proof, txs, 2);
    FX_CHECK(block != NULL);
    fx_block_merkle_root(block, &header.merkle_root, &mutated);
    fx_block_unref(block);
    block = fx_block_make(params, &header, proof, txs, 2);
    FX_CHECK_INT(fornaxconsensus_check_work(FORNAXCONSENSUS_NETWORK_REGTEST, block->raw.data,
                                            block->raw.len, ticket, &reject),
                 0);
    FX_CHECK_STR(reject, "bad-txns-duplicate");
    fx_block_unref(block);
    end(&w);
}

FX_TEST(hash_lane_blocks_have_no_such_rules)
{
    struct fx_block *genesis = fx_genesis_block(fx_params_get(FX_REGTEST));
    struct fx_scene scene;
    struct fx_record_delta delta;
    uint64_t credit = 1, burns = 1;
    enum fx_verdict why;

    fx_scene_init(&scene);
    fx_record_delta_init(&delta);
    FX_CHECK_INT(fx_check_work(fx_params_get(FX_REGTEST), genesis, &why), FX_VALID);
    FX_CHECK_INT(fx_connect_work(fx_params_get(FX_REGTEST), &scene.view, genesis, 1, &delta,
                                 &credit, &burns, &why),
                 FX_VALID);
    FX_CHECK_INT(credit, 0);
    FX_CHECK_INT(burns, 0);
    fx_block_unref(genesis);
    fx_scene_clear(&scene);
}

static void check_refused_without(const struct work *w, const struct fx_block *block,
                                  enum fx_result result, const char *reason)
{
    struct fx_record_delta delta;
    uint64_t credit, burns;
    enum fx_verdict why;

    FX_CHECK(block != NULL);
    FX_CHECK_INT(fx_check_work(fx_params_get(FX_REGTEST), block, &why), result);
    FX_CHECK_STR(fx_verdict_string(why), reason);
    fx_record_delta_init(&delta);
    FX_CHECK_INT(fx_connect_work(fx_params_get(FX_REGTEST), &w->scene.view, block, HEIGHT, &delta,
                                 &credit, &burns, &why),
                 FX_INVALID);
    FX_CHECK_STR(fx_verdict_string(why), "bad-cb-work");
}

/* A block that was put together where there are no lanes has no proof; another, no coinbase. */
FX_TEST(blocks_without_proof_or_coinbase)
{
    const struct fx_span no_proof = {NULL, 0};
    struct fx_block *block;
    struct work w;

    begin(&w);
    make(&w);
    block =
        fx_block_make(fx_params_get(FX_BTCREGTEST), &w.block->header, no_proof, w.block->txs, 1);
    check_refused_without(&w, block, FX_INVALID_COPY, "bad-work-parse");
    fx_block_unref(block);
    block = fx_block_make(fx_params_get(FX_REGTEST), &w.block->header, span_of(&w.proof),
                          w.block->txs, 0);
    check_refused_without(&w, block, FX_INVALID, "bad-cb-work");
    fx_block_unref(block);
    w.no_output = true;
    make(&w);
    check_refused_without(&w, w.block, FX_INVALID, "bad-cb-work");
    end(&w);
}

FX_TEST(coinbase_outputs)
{
    CASE(w.no_output = true, check, FX_INVALID, "bad-cb-work");
    CASE(w.two_outputs = true, check, FX_INVALID, "bad-cb-work");
}

FX_TEST(bytes_that_do_not_match_their_hash)
{
    COPY(w.other_preimage = true, "bad-work-preimage");
    COPY(w.other_lists = true, "bad-work-preimage");
    /* Before anything else: also where everything else is wrong as well. */
    COPY((w.other_lists = true, w.alter_a = true, w.bad_signature = true), "bad-work-preimage");
}

FX_TEST(coordinates)
{
    /* Blocks of the operands all of them, but not of this task: rows 0..1, column 1. */
    COPY((w.i = 2, w.path_panel_a = 2), "bad-work-open");
    GOOD((w.i = 0, w.path_panel_a = 0));
    COPY((w.j = 0, w.path_panel_b = 0), "bad-work-open");
    COPY((w.j = 2, w.path_panel_b = 2), "bad-work-open");
    COPY(w.l = 3, "bad-work-open");
    COPY(w.l = UINT32_MAX, "bad-work-open");
    /* Blocks of other places. */
    COPY(w.path_panel_a = 0, "bad-work-open");
    COPY(w.path_panel_b = 0, "bad-work-open");
}

FX_TEST(openings)
{
    COPY(w.alter_a = true, "bad-work-open");
    COPY(w.alter_b = true, "bad-work-open");
    COPY(w.alter_path_a = true, "bad-work-open");
    COPY(w.alter_path_b = true, "bad-work-open");
}

static void put_entry(struct work *w, bool side_b, int8_t value)
{
    (side_b ? w->job.b : w->job.a)[(size_t)(128 + 5) * 768 + 512 + 9] = value;
    FX_CHECK(fx_commit_operand_matrix(w->job.a, 384, 768, &w->job.gemm.root_a));
    FX_CHECK(fx_commit_operand_matrix(w->job.b, 384, 768, &w->job.gemm.root_b));
    fx_test_job_pack(&w->job);
    w->scene.n_coins = 0;
    fx_coin_clear(&w->scene.coins[0].coin);
    add_task_coin(w, &w->task);
}

FX_TEST(range)
{
    for (int side = 0; side < 2; side++) {
        GOOD(put_entry(&w, side, 63));
        GOOD(put_entry(&w, side, -64));
        COPY(put_entry(&w, side, 64), "bad-work-range");
        COPY(put_entry(&w, side, -65), "bad-work-range");
        /* In another brick it does not matter. */
        GOOD((put_entry(&w, side, 64), w.l = 1));
    }
}

FX_TEST(tickets)
{
    COPY(w.high = true, "high-ticket");
    GOOD(w.nbits = 0x20100000);
    COPY((w.nbits = 0x20100000, w.high = true), "high-ticket");
}

FX_TEST(signatures)
{
    COPY(w.bad_signature = true, "bad-work-sig");
    COPY(w.sign_other = true, "bad-work-sig");
    COPY(w.signer = w.client, "bad-work-sig");
}

/* ---- rule 1 -------------------------------------------------------------------------------- */

static void other_coin(struct work *w, const struct fx_task *task)
{
    fx_coin_clear(&w->scene.coins[0].coin);
    w->scene.n_coins = 0;
    add_task_coin(w, task);
}

static void plain_coin(struct work *w)
{
    static const uint8_t script[34] = {0x51, 0x20, 4};

    fx_coin_clear(&w->scene.coins[0].coin);
    w->scene.n_coins = 0;
    fx_scene_add_coin(&w->scene, &w->outpoint, 5000, script, sizeof(script), 900);
}

static void funded_again(struct work *w, bool live, unsigned outpoint)
{
    struct fx_outpoint origin = fx_scene_outpoint(50);
    struct fx_task_record record;

    memset(&record, 0, sizeof(record));
    record.live = live;
    record.outpoint = fx_scene_outpoint(outpoint);
    w->task.origin = origin;
    other_coin(w, &w->task);
    fx_scene_set_record(&w->scene, &origin, &record);
}

FX_TEST(task)
{
    struct fx_task other;

    CONDEMNED(w.outpoint = fx_scene_outpoint(2), "bad-work-task");
    CONDEMNED(plain_coin(&w), "bad-work-task");
    CONDEMNED((other = w.task, other.index = 0, other_coin(&w, &other)), "bad-work-task");
    CONDEMNED((w.task.state = FX_TASK_CLAIMED, other_coin(&w, &w.task)), "bad-work-task");
    CONDEMNED((w.task.state = FX_TASK_CHALLENGED, other_coin(&w, &w.task)), "bad-work-task");
    /* Funded again: only the output that the record names. */
    GOOD(funded_again(&w, true, 1));
    CONDEMNED(funded_again(&w, true, 2), "bad-work-task");
    CONDEMNED(funded_again(&w, false, 1), "bad-work-task");
    CONDEMNED((funded_again(&w, true, 1), w.scene.n_records = 0), "bad-work-task");
}

FX_TEST(look_ups_that_fail)
{
    struct work w;

    begin(&w);
    w.scene.fail_coin = true;
    FX_CHECK_INT(connect(&w), FX_FAILED);
    w.scene.fail_coin = false;
    FX_CHECK_INT(connect(&w), FX_VALID);
    w.backing[w.n_backing++] = fx_scene_outpoint(5);
    w.scene.fail_record = true;
    FX_CHECK_INT(connect(&w), FX_FAILED);
    w.n_backing = 0;
    funded_again(&w, true, 1);
    FX_CHECK_INT(connect(&w), FX_FAILED);
    end(&w);
}

/* ---- rule 2 -------------------------------------------------------------------------------- */

static struct fx_task_record *add_backing(struct work *w, unsigned number)
{
    struct fx_outpoint origin = fx_scene_outpoint(number);
    struct fx_task_record record;

    settled_record(w, &record);
    w->backing[w->n_backing++] = origin;
    w->scene.records[w->scene.n_records].origin = origin;
    w->scene.records[w->scene.n_records].record = record;
    return &w->scene.records[w->scene.n_records++].record;
}

FX_TEST(backing_sums_and_marks)
{
    struct work w;

    begin(&w);
    add_backing(&w, 60)->bricks = 1000;
    add_backing(&w, 61)->burn = 3;
    add_backing(&w, 62);
    FX_CHECK_INT(connect(&w), FX_VALID);
    FX_CHECK_INT(w.credit, 1200);
    FX_CHECK_INT(w.burns, 17);
    FX_CHECK_INT(w.delta.n, 3);
    for (size_t at = 0; at < 3; at++) {
        struct fx_task_record expected = w.scene.records[at].record;

        expected.backed = true;
        FX_CHECK(fx_outpoint_equal(&w.delta.changes[at].origin, &w.backing[at]));
        FX_CHECK(w.delta.changes[at].had && w.delta.changes[at].has);
        FX_CHECK(fx_task_record_equal(&w.delta.changes[at].after, &expected));
    }
    end(&w);
}

FX_TEST(backing_origins)
{
    CONDEMNED(w.backing[w.n_backing++] = fx_scene_outpoint(60), "bad-work-backing");
    CONDEMNED(add_backing(&w, 60)->settled = 0, "bad-work-backing");
    CONDEMNED(add_backing(&w, 60)->backed = true, "bad-work-backing");
    CONDEMNED(add_backing(&w, 60)->solver = w.client.xonly, "bad-work-backing");
    CONDEMNED((add_backing(&w, 60), add_backing(&w, 61)->backed = true), "bad-work-backing");
    CONDEMNED((add_backing(&w, 60), w.backing[w.n_backing++] = w.backing[0]), "bad-work-backing");
    CONDEMNED((add_backing(&w, 60), add_backing(&w, 61), w.backing[w.n_backing++] = w.backing[0]),
              "bad-work-backing");
}

FX_TEST(backing_age)
{
    struct work w;
    enum fx_verdict why;

    begin(&w);
    add_backing(&w, 60)->settled = 990;
    FX_CHECK_INT(check(&w), FX_VALID);
    for (uint32_t height = 990 + FX_RECORD_KEEP - 1; height <= 990 + FX_RECORD_KEEP; height++) {
        fx_record_delta_clear(&w.delta);
        FX_CHECK_INT(fx_connect_work(fx_params_get(FX_REGTEST), &w.scene.view, w.block, height,
                                     &w.delta, &w.credit, &w.burns, &why),
                     height < 990 + FX_RECORD_KEEP ? FX_VALID : FX_INVALID);
    }
    FX_CHECK_STR(fx_verdict_string(why), "bad-work-backing");
    end(&w);
}

FX_TEST(length_of_the_backing_list)
{
    struct work w;

    begin(&w);
    for (unsigned at = 0; at < FX_BACKING_MAX; at++) {
        struct fx_task_record *record = add_backing(&w, 1000 + at);

        record->bricks = UINT64_C(1) << 32;
        record->burn = (uint64_t)fx_params_get(FX_REGTEST)->max_money;
    }
    FX_CHECK_INT(connect(&w), FX_VALID);
    FX_CHECK_INT(w.credit, INT64_C(1) << 44);
    FX_CHECK(w.burns == FX_BACKING_MAX * UINT64_C(4204800000000000));
    FX_CHECK_INT(w.delta.n, FX_BACKING_MAX);
    add_backing(&w, 999);
    FX_CHECK_INT(connect(&w), FX_INVALID);
    FX_CHECK_STR(fx_verdict_string(w.why), "bad-work-backing");
    end(&w);
}

/* Each bit of a proof matters: a copy with any one changed is refused, and never condemned. */
FX_TEST(altered_in_one_byte)
{
    struct work w;
    struct fx_tx *txs[1];

    begin(&w);
    w.backing[w.n_backing++] = fx_scene_outpoint(60);
    make(&w);
    txs[0] = fx_tx_ref(w.block->txs[0]);
    for (size_t at = 0; at < w.proof.len; at += at < 300 || at > w.proof.len - 400 ? 1 : 4099) {
        struct fx_block *copy;

        w.proof.data[at] ^= 0x40;
        copy =
            fx_block_make(fx_params_get(FX_REGTEST), &w.block->header, span_of(&w.proof), txs, 1);
        if (copy != NULL) {
            FX_CHECK(fx_hash_equal(&copy->id, &w.block->id));
            FX_CHECK_INT(fx_check_work(fx_params_get(FX_REGTEST), copy, &w.why), FX_INVALID_COPY);
            fx_block_unref(copy);
        }
        w.proof.data[at] ^= 0x40;
    }
    fx_tx_unref(txs[0]);
    end(&w);
}
