/* The five rules of the job lane's work proofs (protocol section 6). */
#include "consensus/work.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "consensus/lane.h"
#include "consensus/spend.h"
#include "src/util/mem.h"

/* ---- rules 3 to 5 -------------------------------------------------------------------------- */

static enum fx_result refuse(enum fx_verdict *why, enum fx_verdict verdict)
{
    *why = verdict;
    return FX_INVALID;
}

static enum fx_result refuse_copy(enum fx_verdict *why, enum fx_verdict verdict)
{
    *why = verdict;
    return FX_INVALID_COPY;
}

static bool opens(struct fx_span block, uint32_t rows, uint32_t k, uint32_t panel, uint32_t l,
                  struct fx_span path, const struct fx_hash *root)
{
    return fx_commit_operand_open((const int8_t *)block.data, rows, k, panel, l, path.data, root);
}

static bool brick_opens(const struct fx_work_proof *proof)
{
    const struct fx_task_shape *shape = &proof->task.shape;
    const struct fx_gemm *gemm = &proof->gemm;

    /* Below the first row or column the difference wraps around. Opening a block bounds l. */
    if (proof->i - shape->row0 >= shape->rows || proof->j - shape->col0 >= shape->cols) {
        return false;
    }
    return opens(proof->block_a, gemm->m, gemm->k, proof->i, proof->l, proof->path_a,
                 &gemm->root_a) &&
           opens(proof->block_b, gemm->n, gemm->k, proof->j, proof->l, proof->path_b,
                 &gemm->root_b);
}

static bool brick_ticket(const struct fx_block *block, struct fx_hash *ticket)
{
    const struct fx_work_proof *proof = block->work;

    return fx_brick_ticket(&block->id, (const int8_t *)proof->block_a.data,
                           (const int8_t *)proof->block_b.data, proof->i, proof->j, proof->l,
                           ticket);
}

void fx_work_ticket(const struct fx_block *block, struct fx_hash *ticket)
{
    /* No block with an entry out of range passes fx_check_work. */
    if (!brick_ticket(block, ticket)) {
        memset(ticket, 0xff, sizeof(*ticket));
    }
}

enum fx_result fx_check_work(const struct fx_params *params, const struct fx_block *block,
                             enum fx_verdict *why)
{
    const struct fx_work_proof *proof = block->work;
    struct fx_cb_work cb;
    struct fx_hash hash, ticket;

    *why = FX_OK;
    if (fx_lane_of(params, &block->header) != FX_LANE_JOB) {
        return FX_VALID;
    }
    if (proof == NULL) {
        return refuse_copy(why, FX_BAD_WORK_PARSE);
    }
    if (block->n_txs == 0 || !fx_cb_work_read(block->txs[0], &cb)) {
        return refuse(why, FX_BAD_CB_WORK);
    }
    fx_work_preimage_hash(proof->preimage, &hash);
    if (!fx_hash_equal(&hash, &cb.preimage_hash)) {
        return refuse_copy(why, FX_BAD_WORK_PREIMAGE);
    }
    fx_work_backing_hash(proof->backing, proof->n_backing, &hash);
    if (!fx_hash_equal(&hash, &cb.backing_hash)) {
        return refuse_copy(why, FX_BAD_WORK_PREIMAGE);
    }
    if (!brick_opens(proof)) {
        return refuse_copy(why, FX_BAD_WORK_OPEN);
    }
    if (!brick_ticket(block, &ticket)) {
        return refuse_copy(why, FX_BAD_WORK_RANGE);
    }
    if (!fx_nbits_met(block->header.nbits, &ticket)) {
        return refuse_copy(why, FX_HIGH_TICKET);
    }
    fx_work_sign_hash(&block->id, &hash);
    if (!fx_schnorr_verify(&cb.solver, &hash, proof->signature.data)) {
        return refuse_copy(why, FX_BAD_WORK_SIG);
    }
    return FX_VALID;
}

/* ---- rules 1 and 2 ------------------------------------------------------------------------- */

/* Rule 1: the outpoint is an unspent task output, funded, with this preimage. */
static enum fx_result connect_task(const struct fx_view *view, const struct fx_work_proof *proof,
                                   const struct fx_outpoint *outpoint, enum fx_verdict *why)
{
    struct fx_coin coin;
    struct fx_task_record record;
    struct fx_hash program, expected;
    bool same;

    if (proof->task.state != FX_TASK_FUNDED) {
        return refuse(why, FX_BAD_WORK_TASK);
    }
    switch (view->coin(view->ctx, outpoint, &coin)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return refuse(why, FX_BAD_WORK_TASK);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    fx_task_program(proof->preimage, &expected);
    same = fx_script_is_task(fx_coin_script(&coin), &program) && fx_hash_equal(&program, &expected);
    fx_coin_clear(&coin);
    if (!same) {
        return refuse(why, FX_BAD_WORK_TASK);
    }
    if (fx_outpoint_is_zero(&proof->task.origin)) {
        return FX_VALID;
    }
    switch (view->record(view->ctx, &proof->task.origin, &record)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return refuse(why, FX_BAD_WORK_TASK);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    if (!record.live || !fx_outpoint_equal(&record.outpoint, outpoint)) {
        return refuse(why, FX_BAD_WORK_TASK);
    }
    return FX_VALID;
}

static int compare_outpoints(const void *a, const void *b)
{
    return fx_outpoint_cmp(a, b);
}

static bool names_one_twice(const struct fx_outpoint *backing, size_t n)
{
    struct fx_outpoint *sorted = fx_xmemdup(backing, n * sizeof(*backing));
    bool twice = false;

    qsort(sorted, n, sizeof(*sorted), compare_outpoints);
    for (size_t at = 1; at < n && !twice; at++) {
        twice = fx_outpoint_equal(&sorted[at - 1], &sorted[at]);
    }
    free(sorted);
    return twice;
}

/* Rule 2 for one origin. */
static enum fx_result connect_origin(const struct fx_view *view, const struct fx_outpoint *origin,
                                     const struct fx_hash *solver, uint32_t height,
                                     struct fx_record_delta *delta, struct fx_task_record *record,
                                     enum fx_verdict *why)
{
    switch (view->record(view->ctx, origin, record)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return refuse(why, FX_BAD_WORK_BACKING);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    if (record->settled == 0 || (uint64_t)record->settled + FX_RECORD_KEEP <= height ||
        record->backed || !fx_hash_equal(&record->solver, solver)) {
        return refuse(why, FX_BAD_WORK_BACKING);
    }
    record->backed = true;
    if (fx_record_delta_set(delta, view, origin, record) == FX_LOOKUP_FAILED) {
        return FX_FAILED;
    }
    return FX_VALID;
}

enum fx_result fx_connect_work(const struct fx_params *params, const struct fx_view *view,
                               const struct fx_block *block, uint32_t height,
                               struct fx_record_delta *delta, uint64_t *credit, uint64_t *burns,
                               enum fx_verdict *why)
{
    const struct fx_work_proof *proof = block->work;
    struct fx_cb_work cb;
    enum fx_result result;

    *why = FX_OK;
    *credit = 0;
    *burns = 0;
    if (fx_lane_of(params, &block->header) != FX_LANE_JOB) {
        return FX_VALID;
    }
    if (proof == NULL || block->n_txs == 0 || !fx_cb_work_read(block->txs[0], &cb)) {
        return refuse(why, FX_BAD_CB_WORK);
    }
    result = connect_task(view, proof, &cb.outpoint, why);
    if (result != FX_VALID) {
        return result;
    }
    if (proof->n_backing > FX_BACKING_MAX || names_one_twice(proof->backing, proof->n_backing)) {
        return refuse(why, FX_BAD_WORK_BACKING);
    }
    for (size_t at = 0; at < proof->n_backing; at++) {
        struct fx_task_record record;

        result = connect_origin(view, &proof->backing[at], &cb.solver, height, delta, &record, why);
        if (result != FX_VALID) {
            return result;
        }
        /* At most 4,096 * 2^32 bricks, and 4,096 * MAX_MONEY < 2^64 embers. */
        *credit += record.bricks;
        *burns += record.burn;
    }
    return FX_VALID;
}
