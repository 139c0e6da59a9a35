/* What the spends of its outputs do to a task of the book (protocol section 5). */
#include <string.h>

#include "src/jobs/book_int.h"
#include "src/util/mem.h"

/* The paired output is the task's unspent one from now on. */
static bool move_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in, uint32_t height)
{
    if (in >= tx->n_out || !fx_script_is_task(tx->out[in].script, NULL)) {
        return false;
    }
    task->state.outpoint.txid = tx->txid;
    task->state.outpoint.index = (uint32_t)in;
    task->state.value = tx->out[in].value;
    task->state.height = height;
    return true;
}

static bool claim_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                       uint32_t height)
{
    const struct fx_txin *txin = &tx->in[in];
    struct fx_book_state *state = &task->state;
    struct fx_reader r;

    if (txin->n_witness != 4 || !move_task(task, tx, in, height)) {
        return false;
    }
    fx_reader_init(&r, txin->witness[2].data, txin->witness[2].len);
    state->escrow = fx_read_i64(&r);
    state->bond = fx_read_i64(&r);
    state->burn = fx_read_i64(&r);
    state->solver = fx_read_hash(&r);
    state->result = fx_read_hash(&r);
    state->status = FX_STATUS_CLAIMED;
    fx_script_is_task(tx->out[in].script, &state->program);
    state->claim = state->outpoint;
    state->claim_height = height;
    return !r.bad;
}

static bool challenge_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                           uint32_t height)
{
    const struct fx_txin *txin = &tx->in[in];

    if (txin->n_witness != 4 || txin->witness[2].len != 4 || !move_task(task, tx, in, height)) {
        return false;
    }
    task->state.status = FX_STATUS_CHALLENGED;
    task->state.tile = fx_load_u32(txin->witness[2].data);
    task->state.asked++;
    return true;
}

/* The claim stands again, with a window of its own. */
static bool answer_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                        uint32_t height)
{
    if (!move_task(task, tx, in, height)) {
        return false;
    }
    task->state.status = FX_STATUS_CLAIMED;
    task->state.claim = task->state.outpoint;
    task->state.claim_height = height;
    task->state.tile = 0;
    return true;
}

/* Open again: nothing is left of the claim but the record of its dispute. */
static bool restore_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                         uint32_t height)
{
    struct fx_book_state *state = &task->state;

    if (!move_task(task, tx, in, height)) {
        return false;
    }
    state->status = FX_STATUS_OPEN;
    state->escrow = state->value;
    state->restored++;
    memset(&state->claim, 0, sizeof state->claim);
    memset(&state->program, 0, sizeof state->program);
    memset(&state->solver, 0, sizeof state->solver);
    memset(&state->result, 0, sizeof state->result);
    state->claim_height = 0;
    state->bond = state->burn = 0;
    state->asked = 0;
    state->tile = 0;
    return true;
}

static void end_task(struct fx_book_task *task, const struct fx_tx *tx, uint32_t height,
                     enum fx_task_status status, enum fx_task_action action)
{
    task->state.status = status;
    task->state.end_txid = tx->txid;
    task->state.end_height = height;
    task->state.end_action = action;
    memset(&task->state.outpoint, 0, sizeof task->state.outpoint);
    task->state.value = 0;
    task->state.height = 0;
}

/* Notes a step of a dispute before the state changes. */
static void add_event(struct fx_book_task *task, const struct fx_tx *tx, uint32_t height,
                      enum fx_task_action action)
{
    struct fx_task_event *event;

    if (task->state.n_events == task->cap_events) {
        task->cap_events = task->cap_events == 0 ? 2 : 2 * task->cap_events;
        task->events = fx_xreallocarray(task->events, task->cap_events, sizeof *task->events);
    }
    event = &task->events[task->state.n_events++];
    memset(event, 0, sizeof *event);
    event->action = action;
    event->txid = tx->txid;
    event->height = height;
    event->solver = task->state.solver;
    event->challenged = task->state.status == FX_STATUS_CHALLENGED;
    event->tile = task->state.tile;
}

static bool dispute_task(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                         uint32_t height, enum fx_task_action action)
{
    bool known;

    add_event(task, tx, height, action);
    if (action == FX_ACTION_CHALLENGE) {
        known = challenge_task(task, tx, in, height);
        task->events[task->state.n_events - 1].challenged = known;
        task->events[task->state.n_events - 1].tile = task->state.tile;
        return known;
    }
    if (action == FX_ACTION_REJECT) {
        end_task(task, tx, height, FX_STATUS_REJECTED, FX_ACTION_REJECT);
        return true;
    }
    return action == FX_ACTION_ANSWER ? answer_task(task, tx, in, height)
                                      : restore_task(task, tx, in, height);
}

bool fx_book_task_spend(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                        uint32_t height, enum fx_task_action action)
{
    switch (action) {
    case FX_ACTION_REFUND:
        end_task(task, tx, height, FX_STATUS_REFUNDED, action);
        return true;
    case FX_ACTION_CLAIM:
        return claim_task(task, tx, in, height);
    case FX_ACTION_ACCEPT:
    case FX_ACTION_TAKE:
        end_task(task, tx, height, FX_STATUS_SETTLED, action);
        return true;
    case FX_ACTION_FRAUD:
    case FX_ACTION_CHALLENGE:
    case FX_ACTION_ANSWER:
    case FX_ACTION_EXPIRE:
    case FX_ACTION_REJECT:
        return dispute_task(task, tx, in, height, action);
    }
    return false;
}
