/* The job lane's work proof: its bytes. */
#include "consensus/work_proof.h"

#include <stdlib.h>

#include "consensus/commit.h"
#include "src/util/mem.h"

/* No field is longer than a block, whose weight is at least its size. */
#define FIELD_MAX FX_BLOCK_WEIGHT_MAX

static struct fx_span read_span(struct fx_reader *r, size_t n)
{
    struct fx_span span;

    span.data = fx_read_bytes(r, n);
    span.len = span.data != NULL ? n : 0;
    return span;
}

static size_t path_bytes(uint32_t rows, uint32_t k)
{
    return (size_t)fx_commit_operand_path_depth(rows, k) * 32;
}

struct fx_work_proof *fx_work_proof_read(const struct fx_params *params, struct fx_reader *r)
{
    struct fx_work_proof *proof = fx_xcalloc(1, sizeof(*proof));
    struct fx_outpoint *backing = NULL;
    size_t before = r->left;

    proof->preimage.data = fx_read_var_bytes(r, FIELD_MAX, &proof->preimage.len);
    /* Without a shape nothing says how long the rest is. */
    if (!fx_task_read(params, proof->preimage, &proof->task) ||
        proof->task.kind->id != FX_KIND_GEMM) {
        goto bad;
    }
    (void)fx_gemm_read(proof->task.spec.body, &proof->gemm); /* it is valid, as the task is */
    /* A list over FX_BACKING_MAX parses: it condemns the block that commits to it. */
    proof->n_backing = (size_t)fx_read_count(r, FIELD_MAX / FX_OUTPOINT_SIZE, FX_OUTPOINT_SIZE);
    backing = fx_xcalloc(proof->n_backing, sizeof(*backing));
    proof->owned = backing;
    proof->backing = backing;
    for (size_t at = 0; at < proof->n_backing; at++) {
        backing[at] = fx_outpoint_read(r);
    }
    proof->i = fx_read_u32(r);
    proof->j = fx_read_u32(r);
    proof->l = fx_read_u32(r);
    proof->block_a = read_span(r, FX_BLOCK_BYTES);
    proof->path_a = read_span(r, path_bytes(proof->gemm.m, proof->gemm.k));
    proof->block_b = read_span(r, FX_BLOCK_BYTES);
    proof->path_b = read_span(r, path_bytes(proof->gemm.n, proof->gemm.k));
    proof->signature = read_span(r, 64);
    if (r->bad) {
        goto bad;
    }
    proof->size = before - r->left;
    return proof;

bad:
    r->bad = true;
    fx_work_proof_destroy(proof);
    return NULL;
}

void fx_work_proof_destroy(struct fx_work_proof *proof)
{
    if (proof != NULL) {
        free(proof->owned);
        free(proof);
    }
}

static void write_span(struct fx_buf *buf, struct fx_span span)
{
    fx_buf_bytes(buf, span.data, span.len);
}

void fx_work_proof_write(const struct fx_work_proof *proof, struct fx_buf *buf)
{
    fx_buf_var_bytes(buf, proof->preimage.data, proof->preimage.len);
    fx_buf_var(buf, proof->n_backing);
    for (size_t at = 0; at < proof->n_backing; at++) {
        fx_outpoint_write(&proof->backing[at], buf);
    }
    fx_buf_u32(buf, proof->i);
    fx_buf_u32(buf, proof->j);
    fx_buf_u32(buf, proof->l);
    write_span(buf, proof->block_a);
    write_span(buf, proof->path_a);
    write_span(buf, proof->block_b);
    write_span(buf, proof->path_b);
    write_span(buf, proof->signature);
}
