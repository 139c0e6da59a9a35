/* The steps that several actions on tasks share: the preimage, the record, the paired output. */
#include "consensus/spend_int.h"

#include <string.h>

#include "src/util/buf.h"

enum fx_result fx_spend_refuse(struct fx_spend *s, enum fx_verdict verdict)
{
    *s->why = verdict;
    return FX_INVALID;
}

bool fx_spend_pays_to(struct fx_span script, const struct fx_hash *program)
{
    struct fx_hash paid;

    return fx_script_is_task(script, &paid) && fx_hash_equal(&paid, program);
}

/* The preimage, in one of two states. */
static enum fx_result read_task(struct fx_spend *s, enum fx_task_state from,
                                enum fx_task_state other)
{
    if (!fx_task_read_head(s->preimage, &s->task)) {
        return fx_spend_refuse(s, FX_BAD_TASK_SPEC);
    }
    if (s->task.state != from && s->task.state != other) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    /* Refund goes by the head: it is the way out of an output whose spec is not valid. */
    if (s->action == FX_ACTION_REFUND) {
        return FX_VALID;
    }
    if (!fx_task_read(s->ctx->params, s->preimage, &s->task)) {
        return fx_spend_refuse(s, FX_BAD_TASK_SPEC);
    }
    return s->task.state == FX_TASK_FUNDED ? FX_VALID : fx_spend_check_amounts(s, &s->task);
}

static enum fx_result find_record(struct fx_spend *s)
{
    s->fresh = s->task.state == FX_TASK_FUNDED && fx_outpoint_is_zero(&s->task.origin);
    if (s->fresh) {
        s->origin = s->txin->prevout;
        s->record.h0 = s->coin->height;
        return FX_VALID;
    }
    s->origin = s->task.origin;
    switch (fx_record_delta_get(s->delta, s->ctx->view, &s->origin, &s->record)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return fx_spend_refuse(s, FX_BAD_TASK_RECORD);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    if (!s->record.live || !fx_outpoint_equal(&s->record.outpoint, &s->txin->prevout)) {
        return fx_spend_refuse(s, FX_BAD_TASK_RECORD);
    }
    return FX_VALID;
}

enum fx_result fx_spend_read_either(struct fx_spend *s, enum fx_task_state from,
                                    enum fx_task_state other)
{
    enum fx_result result = read_task(s, from, other);

    return result == FX_VALID ? find_record(s) : result;
}

enum fx_result fx_spend_read(struct fx_spend *s, enum fx_task_state from)
{
    return fx_spend_read_either(s, from, from);
}

enum fx_result fx_spend_check_amounts(struct fx_spend *s, const struct fx_task *task)
{
    uint64_t max = (uint64_t)s->ctx->params->max_money;

    if (task->escrow > max || task->bond > max || task->burn > max ||
        task->escrow + task->bond > max) {
        return fx_spend_refuse(s, FX_BAD_TASK_AMOUNT);
    }
    return FX_VALID;
}

enum fx_result fx_spend_check_signature(struct fx_spend *s, const struct fx_hash *key)
{
    struct fx_hash hash;

    fx_sighash_task(s->ctx->tx, s->in, s->ctx->spent, (uint8_t)s->action, s->ctx->cache, &hash);
    if (!fx_schnorr_verify(key, &hash, s->txin->witness[1].data)) {
        return fx_spend_refuse(s, FX_BAD_TASK_SIG);
    }
    return FX_VALID;
}

const struct fx_txout *fx_spend_pair(const struct fx_spend *s)
{
    const struct fx_tx *tx = s->ctx->tx;

    return s->in < tx->n_out ? &tx->out[s->in] : NULL;
}

enum fx_result fx_spend_check_pair(struct fx_spend *s, const struct fx_task *to, int64_t value)
{
    const struct fx_txout *out = fx_spend_pair(s);
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program;
    struct fx_span span;

    if (out == NULL || out->value < value) {
        return fx_spend_refuse(s, FX_BAD_TASK_PAIR);
    }
    fx_task_write(to, &preimage);
    span.data = preimage.data;
    span.len = preimage.len;
    fx_task_program(span, &program);
    fx_buf_clear(&preimage);
    return fx_spend_pays_to(out->script, &program) ? FX_VALID
                                                   : fx_spend_refuse(s, FX_BAD_TASK_PAIR);
}

enum fx_result fx_spend_check_lock(struct fx_spend *s, uint32_t units)
{
    uint32_t sequence = s->txin->sequence;

    if ((uint32_t)s->ctx->tx->version < 2 || (sequence & FX_SEQUENCE_LOCK_DISABLE) != 0 ||
        (sequence & FX_SEQUENCE_LOCK_TIME) == 0 || (sequence & FX_SEQUENCE_LOCK_MASK) < units) {
        return fx_spend_refuse(s, FX_BAD_TASK_SEQUENCE);
    }
    return FX_VALID;
}

enum fx_result fx_spend_set_record(struct fx_spend *s)
{
    if (fx_record_delta_set(s->delta, s->ctx->view, &s->origin, &s->record) == FX_LOOKUP_FAILED) {
        return FX_FAILED;
    }
    return FX_VALID;
}

void fx_spend_move(struct fx_spend *s, enum fx_task_state to)
{
    s->record.live = true;
    s->record.outpoint.txid = s->ctx->tx->txid;
    s->record.outpoint.index = (uint32_t)s->in;
    s->record.state = (uint8_t)to;
}

void fx_spend_close(struct fx_spend *s)
{
    s->record.live = false;
    memset(&s->record.outpoint, 0, sizeof(s->record.outpoint));
    s->record.state = FX_TASK_FUNDED;
}
