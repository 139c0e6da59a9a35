/* A job of one brick, and job-lane blocks that are mined in it. */
#include "qa/unit/consensus/world.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/mem.h"

void world_job_init(struct world_job *job)
{
    struct fx_hash program;
    struct fx_span preimage;

    memset(job, 0, sizeof *job);
    for (size_t i = 0; i < FX_BLOCK_BYTES; i++) {
        job->a[i] = (int8_t)((int)(i * 7 % 128) - 64);
        job->b[i] = (int8_t)((int)(i * 11 % 128) - 64);
    }
    job->gemm.m = 128;
    job->gemm.n = 128;
    job->gemm.k = 256;
    fx_commit_operand_block(job->a, &job->gemm.root_a);
    fx_commit_operand_block(job->b, &job->gemm.root_b);
    job->gemm.task_rows = 1;
    job->gemm.task_cols = 1;
    fx_gemm_write(&job->gemm, &job->body);
    job->spec.version = 1;
    job->spec.kind = FX_KIND_GEMM;
    world_key(WORLD_CLIENT, &job->spec.client);
    job->spec.deadline = (uint32_t)WORLD_TIME0;
    job->spec.window = 1;
    job->spec.body.data = job->body.data;
    job->spec.body.len = job->body.len;
    fx_task_fresh_preimage(&job->spec, 0, &job->preimage);
    preimage.data = job->preimage.data;
    preimage.len = job->preimage.len;
    fx_task_program(preimage, &program);
    fx_task_script(&program, job->script);
}

void world_job_clear(struct world_job *job)
{
    fx_buf_clear(&job->body);
    fx_buf_clear(&job->preimage);
}

static struct fx_span preimage_of(const struct world_work *work)
{
    struct fx_span fresh = {work->job->preimage.data, work->job->preimage.len};

    return work->preimage.len > 0 ? work->preimage : fresh;
}

void world_work_output(const struct world_work *work, struct fx_txb *coinbase)
{
    struct fx_cb_work cb = {.outpoint = work->outpoint};
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE];

    world_key(WORLD_SOLVER, &cb.solver);
    fx_work_preimage_hash(preimage_of(work), &cb.preimage_hash);
    fx_work_backing_hash(work->backing, work->n_backing, &cb.backing_hash);
    fx_cb_work_script(&cb, script);
    fx_txb_add_out(coinbase, 0, script, sizeof script);
}

static struct fx_block *try_block(const struct world_work *work, const struct fx_header *header,
                                  struct fx_tx *const *txs, size_t n_txs)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_work_proof proof = {.preimage = preimage_of(work)};
    struct fx_buf raw = FX_BUF_INIT;
    uint8_t signature[64];
    struct fx_hash id, sign_hash;
    struct fx_block *block;
    struct fx_span span;

    fx_header_id(header, &id);
    fx_work_sign_hash(&id, &sign_hash);
    world_sign(WORLD_SOLVER, &sign_hash, signature);
    proof.backing = work->backing;
    proof.n_backing = work->n_backing;
    proof.block_a.data = (const uint8_t *)work->job->a;
    proof.block_a.len = FX_BLOCK_BYTES;
    proof.block_b.data = (const uint8_t *)work->job->b;
    proof.block_b.len = FX_BLOCK_BYTES;
    proof.signature.data = signature;
    proof.signature.len = sizeof signature;
    fx_work_proof_write(&proof, &raw);
    span.data = raw.data;
    span.len = raw.len;
    block = fx_block_make(params, header, span, txs, n_txs);
    fx_buf_clear(&raw);
    FX_CHECK(block != NULL);
    return block;
}

struct fx_block *world_job_block(const struct world_work *work, struct fx_tx **txs, size_t n_txs)
{
    struct fx_header header = {.version = fx_header_version(FX_LANE_JOB), .nbits = 0x207fffff};
    struct fx_hash *ids = fx_xcalloc(n_txs + 1, sizeof *ids);
    struct fx_block *block = NULL;

    for (size_t i = 0; i < n_txs; i++) {
        ids[i] = txs[i]->txid;
    }
    fx_merkle_root(ids, n_txs, &header.merkle_root, NULL);
    free(ids);
    for (;; header.nonce++) {
        struct fx_hash ticket;

        block = try_block(work, &header, txs, n_txs);
        fx_work_ticket(block, &ticket);
        if ((ticket.b[31] & 0x80) == 0) {
            break;
        }
        fx_block_unref(block);
    }
    for (size_t i = 0; i < n_txs; i++) {
        fx_tx_unref(txs[i]);
    }
    return block;
}
