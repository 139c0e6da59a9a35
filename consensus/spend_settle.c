/* The ends of a task that is not in dispute (protocol section 5): refund, and the settlements
 * accept and take. */
#include "consensus/spend_int.h"

static enum fx_result settle(struct fx_spend *s)
{
    fx_spend_close(s);
    s->record.settled = s->ctx->height;
    s->burned = s->task.burn;
    return fx_spend_set_record(s);
}

/* ---- 0 refund ---------------------------------------------------------------------------- */

enum fx_result fx_spend_refund(struct fx_spend *s)
{
    enum fx_result result = fx_spend_read(s, FX_TASK_FUNDED);

    if (result != FX_VALID) {
        return result;
    }
    /* nLockTime is compared with the median time where finality is checked, if it is a time. */
    if (s->ctx->tx->lock_time < FX_LOCKTIME_THRESHOLD ||
        s->ctx->tx->lock_time < s->task.spec.deadline) {
        return fx_spend_refuse(s, FX_BAD_TASK_LOCKTIME);
    }
    if (s->txin->sequence == FX_SEQUENCE_FINAL) {
        return fx_spend_refuse(s, FX_BAD_TASK_SEQUENCE);
    }
    result = fx_spend_check_signature(s, &s->task.spec.client);
    if (result != FX_VALID) {
        return result;
    }
    /* A fresh task has no record to close. Any other is left unsettled and without an outpoint, and
     * is forgotten with this block. */
    if (s->fresh) {
        return FX_VALID;
    }
    fx_spend_close(s);
    return fx_spend_set_record(s);
}

/* ---- 2 accept ---------------------------------------------------------------------------- */

enum fx_result fx_spend_accept(struct fx_spend *s)
{
    struct fx_hash hash;
    enum fx_result result;

    if (s->txin->witness[2].len != FX_SIGNATURE_BYTES) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = fx_spend_read(s, FX_TASK_CLAIMED);
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &s->task.solver);
    }
    if (result != FX_VALID) {
        return result;
    }
    fx_task_accept_hash(&s->program, &hash);
    if (!fx_schnorr_verify(&s->task.spec.client, &hash, s->txin->witness[2].data)) {
        return fx_spend_refuse(s, FX_BAD_TASK_CERTIFICATE);
    }
    return settle(s);
}

/* ---- 3 take ------------------------------------------------------------------------------ */

static enum fx_result check_samples(struct fx_spend *s)
{
    const struct fx_view *view = s->ctx->view;
    const struct fx_task *task = &s->task;
    struct fx_ancestor beacon;

    switch (view->beacon(view->ctx, s->coin->height, &beacon)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return fx_spend_refuse(s, FX_BAD_TASK_SAMPLE);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    for (uint8_t sample = 0; sample < FX_TASK_SAMPLES; sample++) {
        struct fx_hash hash;
        uint32_t row, column;

        fx_task_sample_hash(&beacon.id, &s->origin, sample, &hash);
        task->kind->sample(&task->shape, &hash, &row, &column);
        if (task->kind->verify_entry(task->spec.body, &task->shape, &task->solver, &task->result,
                                     row, column, s->txin->witness[2 + sample]) != FX_ENTRY_EQUAL) {
            return fx_spend_refuse(s, FX_BAD_TASK_SAMPLE);
        }
    }
    return FX_VALID;
}

enum fx_result fx_spend_take(struct fx_spend *s)
{
    enum fx_result result = fx_spend_read(s, FX_TASK_CLAIMED);

    if (result == FX_VALID) {
        result = fx_spend_check_lock(s, s->task.spec.window);
    }
    if (result == FX_VALID) {
        result = fx_spend_check_signature(s, &s->task.solver);
    }
    if (result == FX_VALID) {
        result = check_samples(s);
    }
    return result == FX_VALID ? settle(s) : result;
}
