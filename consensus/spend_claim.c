/* Action 1, claim (protocol section 5): a solver binds itself to a result. */
#include "consensus/spend_int.h"

#include <stdlib.h>

#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

enum fx_result fx_exclusive_solvers(const struct fx_view *view, uint32_t h0,
                                    struct fx_hash **solvers, size_t *n)
{
    uint32_t height = h0 < FX_EXCLUSIVE_LOOKBACK ? 0 : h0 - FX_EXCLUSIVE_LOOKBACK + 1;

    *n = 0;
    *solvers = fx_xcalloc(FX_EXCLUSIVE_LOOKBACK, sizeof(**solvers));
    for (; height <= h0; height++) {
        struct fx_ancestor ancestor;

        /* Every height up to h0 lies below the spending block: an answer must exist. */
        if (view->ancestor(view->ctx, height, &ancestor) != FX_FOUND) {
            return FX_FAILED;
        }
        if (ancestor.lane == FX_LANE_JOB) {
            (*solvers)[(*n)++] = ancestor.solver;
        }
    }
    return FX_VALID;
}

size_t fx_exclusive_pick(const struct fx_hash *beacon, const struct fx_outpoint *origin, size_t n)
{
    struct fx_hash hash;

    fx_task_assign_hash(beacon, origin, &hash);
    return (size_t)(fx_load_u64(hash.b) % n);
}

static enum fx_result check_assignee(struct fx_spend *s, const struct fx_hash *beacon,
                                     const struct fx_hash *solver)
{
    struct fx_hash *solvers;
    size_t n;
    enum fx_result result = fx_exclusive_solvers(s->ctx->view, s->record.h0, &solvers, &n);

    if (result == FX_VALID && n > 0 &&
        !fx_hash_equal(&solvers[fx_exclusive_pick(beacon, &s->origin, n)], solver)) {
        result = fx_spend_refuse(s, FX_BAD_TASK_EXCLUSIVE);
    }
    free(solvers);
    return result;
}

static enum fx_result check_exclusivity(struct fx_spend *s, const struct fx_hash *solver)
{
    const struct fx_view *view = s->ctx->view;
    struct fx_ancestor beacon;

    if (s->task.spec.exclusive == 0 ||
        s->ctx->height > (uint64_t)s->record.h0 + s->task.spec.exclusive) {
        return FX_VALID;
    }
    switch (view->beacon(view->ctx, s->record.h0, &beacon)) {
    case FX_FOUND:
        return check_assignee(s, &beacon.id, solver);
    case FX_MISSING:
        return fx_spend_refuse(s, FX_BAD_TASK_EXCLUSIVE);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    return FX_FAILED;
}

/* Amounts of the claimed fields, each and together, and the bond. */
static enum fx_result check_claim_amounts(struct fx_spend *s, const struct fx_task *claimed)
{
    enum fx_result result = fx_spend_check_amounts(s, claimed);

    if (result != FX_VALID) {
        return result;
    }
    if (claimed->escrow != (uint64_t)s->coin->value || claimed->burn > claimed->escrow) {
        return fx_spend_refuse(s, FX_BAD_TASK_AMOUNT);
    }
    if (4 * claimed->bond < claimed->escrow || claimed->bond < (uint64_t)FX_DEPOSIT) {
        return fx_spend_refuse(s, FX_BAD_TASK_BOND);
    }
    return FX_VALID;
}

static void read_claim(struct fx_spend *s, struct fx_task *claimed)
{
    struct fx_reader r;

    *claimed = s->task;
    claimed->state = FX_TASK_CLAIMED;
    claimed->origin = s->origin;
    fx_reader_init(&r, s->txin->witness[2].data, s->txin->witness[2].len);
    claimed->escrow = fx_read_u64(&r);
    claimed->bond = fx_read_u64(&r);
    claimed->burn = fx_read_u64(&r);
    claimed->solver = fx_read_hash(&r);
    claimed->result = fx_read_hash(&r);
}

enum fx_result fx_spend_claim(struct fx_spend *s)
{
    struct fx_task claimed;
    enum fx_result result;

    if (s->txin->witness[2].len != FX_TASK_CLAIM_FIELDS) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = fx_spend_read(s, FX_TASK_FUNDED);
    if (result != FX_VALID) {
        return result;
    }
    read_claim(s, &claimed);
    result = check_claim_amounts(s, &claimed);
    if (result != FX_VALID) {
        return result;
    }
    /* Before exclusivity: no beacon can lie between h0 and a block at or below it. */
    if (s->ctx->height <= s->record.h0) {
        return fx_spend_refuse(s, FX_BAD_TASK_LOCKTIME);
    }
    result = fx_spend_check_pair(s, &claimed, (int64_t)(claimed.escrow + claimed.bond));
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &claimed.solver);
    }
    if (result == FX_VALID) {
        result = check_exclusivity(s, &claimed.solver);
    }
    if (result != FX_VALID) {
        return result;
    }
    fx_spend_move(s, FX_TASK_CLAIMED);
    s->record.client = claimed.spec.client;
    s->record.solver = claimed.solver;
    s->record.bricks = claimed.shape.bricks;
    s->record.burn = claimed.burn;
    s->record.asked = 0;
    return fx_spend_set_record(s);
}
