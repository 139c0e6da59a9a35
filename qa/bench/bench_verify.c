/*
 * What it costs to check a job-lane work proof (protocol section 6, rules 3 to 5) on one core:
 * whole calls of fx_check_work, of a block on a task of k = 65,536, as bytes that came from a peer;
 * then the pieces that it consists of. With SHA-256 as the processor has it, and in plain C, as on
 * one without SHA extensions. A test binary whose test prints figures; each call has to hold.
 *
 *     qa/bench/bench_verify
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/brick.h"
#include "consensus/commit.h"
#include "consensus/lane.h"
#include "consensus/spend.h"
#include "consensus/work.h"
#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/crypto/sha256_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define K 65536
#define SEGMENT 77 /* the one that is opened */
#define TURNS 300

struct bench {
    struct fx_test_job job;
    struct fx_test_key key; /* of the solver */
    struct fx_block *block;
    struct fx_hash message; /* that the proof signs */
};

static struct fx_tx *coinbase(const struct bench *bench, struct fx_span preimage)
{
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE];
    struct fx_cb_work cb = {.solver = bench->key.xonly};
    struct fx_outpoint null = {.index = UINT32_MAX};
    struct fx_txb b;
    struct fx_tx *tx;

    fx_work_preimage_hash(preimage, &cb.preimage_hash);
    fx_work_backing_hash(NULL, 0, &cb.backing_hash);
    fx_cb_work_script(&cb, script);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, "\x02\xe9\x03", 3);
    fx_txb_add_out(&b, 0, script, sizeof script);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

/* A nonce under which the ticket of the brick meets the target. */
static void mine(struct fx_header *header, const int8_t *a, const int8_t *b, struct fx_hash *id)
{
    struct fx_hash ticket;

    do {
        header->nonce++;
        fx_header_id(header, id);
        FX_CHECK(fx_brick_ticket(id, a, b, 0, 0, SEGMENT, &ticket));
    } while (!fx_nbits_met(header->nbits, &ticket));
}

static void make_proof(struct bench *bench, struct fx_header *header, struct fx_span preimage,
                       struct fx_buf *out)
{
    int8_t blocks[2][FX_BLOCK_BYTES];
    uint8_t paths[2][32 * FX_TREE_DEPTH_MAX], signature[64];
    struct fx_work_proof proof = {.preimage = preimage, .l = SEGMENT};
    struct fx_span *const block[2] = {&proof.block_a, &proof.block_b};
    struct fx_span *const path[2] = {&proof.path_a, &proof.path_b};
    struct fx_hash id;

    for (unsigned side = 0; side < 2; side++) {
        fx_test_job_block(&bench->job, (enum fx_side)side, 0, SEGMENT, blocks[side]);
        block[side]->data = (const uint8_t *)blocks[side];
        block[side]->len = FX_BLOCK_BYTES;
        path[side]->data = paths[side];
        path[side]->len =
            32 * fx_test_job_path(&bench->job, (enum fx_side)side, 0, SEGMENT, paths[side]);
    }
    mine(header, blocks[0], blocks[1], &id);
    fx_work_sign_hash(&id, &bench->message);
    fx_test_sign(&bench->key, &bench->message, signature);
    proof.signature.data = signature;
    proof.signature.len = sizeof signature;
    fx_work_proof_write(&proof, out);
}

static void bench_init(struct bench *bench)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_buf preimage = FX_BUF_INIT, proof = FX_BUF_INIT;
    struct fx_header header = {.version = fx_header_version(FX_LANE_JOB),
                               .time = 1700000000,
                               .nbits = params->limit_nbits[FX_LANE_JOB]};
    struct fx_span span;
    struct fx_task task = {0};
    struct fx_tx *tx;

    fx_test_key(22, &bench->key);
    fx_test_job_init(&bench->job, FX_TILE, FX_TILE, K, 1, 1, &bench->key.xonly);
    task.spec = bench->job.spec;
    fx_task_write(&task, &preimage);
    span.data = preimage.data;
    span.len = preimage.len;
    tx = coinbase(bench, span);
    fx_merkle_root(&tx->txid, 1, &header.merkle_root, NULL);
    make_proof(bench, &header, span, &proof);
    span.data = proof.data;
    span.len = proof.len;
    bench->block = fx_block_make(params, &header, span, &tx, 1);
    FX_CHECK(bench->block != NULL);
    fx_tx_unref(tx);
    fx_buf_clear(&preimage);
    fx_buf_clear(&proof);
}

static bool check_work(const struct bench *bench)
{
    enum fx_verdict why;

    return fx_check_work(fx_params_get(FX_REGTEST), bench->block, &why) == FX_VALID;
}

static bool open_both(const struct bench *bench)
{
    const struct fx_work_proof *proof = bench->block->work;

    return fx_commit_operand_open((const int8_t *)proof->block_a.data, FX_TILE, K, 0, SEGMENT,
                                  proof->path_a.data, &bench->job.gemm.root_a) &&
           fx_commit_operand_open((const int8_t *)proof->block_b.data, FX_TILE, K, 0, SEGMENT,
                                  proof->path_b.data, &bench->job.gemm.root_b);
}

static bool make_ticket(const struct bench *bench)
{
    const struct fx_work_proof *proof = bench->block->work;
    struct fx_hash ticket;

    return fx_brick_ticket(&bench->block->id, (const int8_t *)proof->block_a.data,
                           (const int8_t *)proof->block_b.data, 0, 0, SEGMENT, &ticket);
}

static bool check_signature(const struct bench *bench)
{
    return fx_schnorr_verify(&bench->key.xonly, &bench->message,
                             bench->block->work->signature.data);
}

/* Microseconds of the fastest turn. */
static double best_of(const struct bench *bench, bool (*piece)(const struct bench *bench))
{
    int64_t best = INT64_MAX;

    for (unsigned at = 0; at < TURNS; at++) {
        int64_t start = fx_clock_monotonic_ns(), took;

        FX_CHECK(piece(bench));
        took = fx_clock_monotonic_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best / 1e3;
}

static void show(const struct bench *bench)
{
    static const struct {
        const char *name;
        bool (*piece)(const struct bench *bench);
    } pieces[] = {{"fx_check_work", check_work},
                  {"two blocks opened", open_both},
                  {"noise, product, ticket", make_ticket},
                  {"signature", check_signature}};

    printf("a work proof, SHA-256 by %s\n", fx_sha256_implementation());
    for (size_t at = 0; at < sizeof pieces / sizeof *pieces; at++)
        printf("  %-24s %8.1f us\n", pieces[at].name, best_of(bench, pieces[at].piece));
}

FX_TEST(work_proof)
{
    struct bench bench;

    bench_init(&bench);
    show(&bench);
    fx_sha256_use_generic(true);
    show(&bench);
    fx_sha256_use_generic(false);
    fx_block_unref(bench.block);
    fx_test_job_clear(&bench.job);
}
