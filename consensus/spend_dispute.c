/* The actions about results that are wrong or do not come (protocol section 5): fraud, challenge,
 * answer, expire, reject. */
#include "consensus/spend_int.h"

#include <string.h>

#include "src/util/buf.h"

#define TILE_ITEM_BYTES 4  /* challenge: tile u32 */
#define ENTRY_ITEM_BYTES 8 /* fraud: row u32 || col u32 */
#define EXPIRE_WINDOWS 2   /* what a claim that nobody takes stays, in windows */
#define EXPIRE_DEPTH 60    /* blocks above the beacon of such a claim */
#define P2TR_BYTES 34

/* The task as it was before it was claimed: the same escrow waits for another solver. The certain
 * penalty is half of the bond. */
static enum fx_result restore(struct fx_spend *s)
{
    struct fx_task funded = s->task;
    enum fx_result result;

    funded.state = FX_TASK_FUNDED;
    result = fx_spend_check_pair(s, &funded, (int64_t)s->task.escrow);
    if (result != FX_VALID) {
        return result;
    }
    fx_spend_move(s, FX_TASK_FUNDED);
    s->burned = s->task.bond / 2;
    return fx_spend_set_record(s);
}

/* ---- 4 fraud ----------------------------------------------------------------------------- */

/* Anybody may prove a claim wrong. Once the client has paid a deposit into it, it alone may: the
 * deposit is in the output that the proof frees. */
static enum fx_result check_accuser(struct fx_spend *s)
{
    bool signs = s->txin->witness[1].len != 0;

    if (signs != (s->task.state == FX_TASK_CHALLENGED)) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    return signs ? fx_spend_check_signature(s, &s->task.spec.client) : FX_VALID;
}

enum fx_result fx_spend_fraud(struct fx_spend *s)
{
    const struct fx_span entry = s->txin->witness[2];
    const struct fx_task *task = &s->task;
    enum fx_result result;

    if (entry.len != ENTRY_ITEM_BYTES) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = fx_spend_read_either(s, FX_TASK_CLAIMED, FX_TASK_CHALLENGED);
    if (result == FX_VALID) {
        result = check_accuser(s);
    }
    if (result != FX_VALID) {
        return result;
    }
    if (task->kind->verify_entry(task->spec.body, &task->shape, &task->solver, &task->result,
                                 fx_load_u32(entry.data), fx_load_u32(entry.data + 4),
                                 s->txin->witness[3]) != FX_ENTRY_DIFFERENT) {
        return fx_spend_refuse(s, FX_BAD_TASK_FRAUD);
    }
    return restore(s);
}

/* ---- 5 challenge ------------------------------------------------------------------------- */

enum fx_result fx_spend_challenge(struct fx_spend *s)
{
    struct fx_task challenged;
    enum fx_result result;

    if (s->txin->witness[2].len != TILE_ITEM_BYTES) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = fx_spend_read(s, FX_TASK_CLAIMED);
    if (result != FX_VALID) {
        return result;
    }
    challenged = s->task;
    challenged.state = FX_TASK_CHALLENGED;
    challenged.tile = fx_load_u32(s->txin->witness[2].data);
    if (challenged.tile >= s->task.shape.tiles) {
        return fx_spend_refuse(s, FX_BAD_TASK_TILE);
    }
    if (s->record.asked >= FX_TASK_ASKED_MAX) {
        return fx_spend_refuse(s, FX_BAD_TASK_ASKED);
    }
    result = fx_spend_check_pair(s, &challenged, s->coin->value + FX_DEPOSIT);
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &s->task.spec.client);
    }
    if (result != FX_VALID) {
        return result;
    }
    fx_spend_move(s, FX_TASK_CHALLENGED);
    s->record.asked++;
    return fx_spend_set_record(s);
}

/* ---- 6 answer ---------------------------------------------------------------------------- */

enum fx_result fx_spend_answer(struct fx_spend *s)
{
    const struct fx_task *task = &s->task;
    struct fx_task claimed;
    enum fx_result result = fx_spend_read(s, FX_TASK_CHALLENGED);

    if (result != FX_VALID) {
        return result;
    }
    claimed = *task;
    claimed.state = FX_TASK_CLAIMED;
    result = fx_spend_check_pair(s, &claimed, (int64_t)(task->escrow + task->bond));
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &task->solver);
    }
    if (result != FX_VALID) {
        return result;
    }
    if (!task->kind->verify_tile(&task->shape, &task->solver, &task->result, task->tile,
                                 s->txin->witness[2], s->txin->witness[3])) {
        return fx_spend_refuse(s, FX_BAD_TASK_ANSWER);
    }
    fx_spend_move(s, FX_TASK_CLAIMED);
    /* Neither side's: a solver that could earn it would serve nothing before it is asked. */
    s->burned = FX_DEPOSIT;
    return fx_spend_set_record(s);
}

/* ---- 7 expire ---------------------------------------------------------------------------- */

/* The solver could take from the beacon on: it had this many blocks to do so. */
static enum fx_result check_depth(struct fx_spend *s)
{
    const struct fx_view *view = s->ctx->view;
    struct fx_ancestor beacon;

    switch (view->beacon(view->ctx, s->coin->height, &beacon)) {
    case FX_FOUND:
        if ((uint64_t)beacon.height + EXPIRE_DEPTH <= s->ctx->height) {
            return FX_VALID;
        }
        break;
    case FX_MISSING:
        break;
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    return fx_spend_refuse(s, FX_BAD_TASK_LOCKTIME);
}

enum fx_result fx_spend_expire(struct fx_spend *s)
{
    enum fx_result result = fx_spend_read_either(s, FX_TASK_CLAIMED, FX_TASK_CHALLENGED);

    if (result != FX_VALID) {
        return result;
    }
    if (s->task.state == FX_TASK_CHALLENGED) {
        result = fx_spend_check_lock(s, s->ctx->params->answer_window);
    } else {
        /* A window is below 32,768 units: twice that still fits the 16 bits of a lock. */
        result = fx_spend_check_lock(s, EXPIRE_WINDOWS * (uint32_t)s->task.spec.window);
        if (result == FX_VALID) {
            result = check_depth(s);
        }
    }
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &s->task.spec.client);
    }
    return result == FX_VALID ? restore(s) : result;
}

/* ---- 8 reject ---------------------------------------------------------------------------- */

/* The bond goes back: the solver has answered whatever it was asked. */
static enum fx_result check_bond_paid(struct fx_spend *s)
{
    const struct fx_txout *out = fx_spend_pair(s);
    uint8_t script[P2TR_BYTES] = {0x51, 0x20};

    memcpy(script + 2, s->task.solver.b, sizeof(s->task.solver.b));
    if (out == NULL || out->value < (int64_t)s->task.bond || out->script.len != sizeof(script) ||
        memcmp(out->script.data, script, sizeof(script)) != 0) {
        return fx_spend_refuse(s, FX_BAD_TASK_PAIR);
    }
    return FX_VALID;
}

enum fx_result fx_spend_reject(struct fx_spend *s)
{
    enum fx_result result = fx_spend_read(s, FX_TASK_CLAIMED);

    if (result != FX_VALID) {
        return result;
    }
    if (s->record.asked != FX_TASK_ASKED_MAX) {
        return fx_spend_refuse(s, FX_BAD_TASK_ASKED);
    }
    result = check_bond_paid(s);
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &s->task.spec.client);
    }
    if (result != FX_VALID) {
        return result;
    }
    /* Neither live nor settled: it is forgotten with this block. */
    fx_spend_close(s);
    s->burned = s->task.escrow;
    return fx_spend_set_record(s);
}
