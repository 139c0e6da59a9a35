/* Spending task outputs (protocol section 5): one function an action. */
#include "consensus/spend.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

#define SIGNATURE_BYTES 64

/* One spend while it is judged. */
struct spend {
    const struct fx_spend_context *ctx;
    size_t in;
    const struct fx_txin *txin;
    const struct fx_coin *coin;
    enum fx_task_action action;
    struct fx_span preimage;
    struct fx_hash program;
    struct fx_task task; /* refund: the head alone */
    struct fx_outpoint origin;
    struct fx_task_record record; /* as it stands; made here for a fresh task */
    bool fresh;
    struct fx_record_delta *delta;
    uint64_t burned;
    enum fx_verdict *why;
};

static enum fx_result refuse(struct spend *s, enum fx_verdict verdict)
{
    *s->why = verdict;
    return FX_INVALID;
}

/* Items of the witness of an action; 0 for an action that this version has not. */
static size_t witness_items(uint8_t action)
{
    if (action > FX_ACTION_REJECT) {
        return 0;
    }
    switch ((enum fx_task_action)action) {
    case FX_ACTION_REFUND:
        return 3;
    case FX_ACTION_CLAIM:
    case FX_ACTION_ACCEPT:
        return 4;
    case FX_ACTION_TAKE:
        return 5;
    /* The places of the actions that deal with wrong or missing results. A rule that admits one
     * comes with its check and its state transition; until then nothing can be spent by them, and
     * no record is ever in state challenged. */
    case FX_ACTION_FRAUD:
    case FX_ACTION_CHALLENGE:
    case FX_ACTION_ANSWER:
    case FX_ACTION_EXPIRE:
    case FX_ACTION_REJECT:
        return 0;
    }
    return 0;
}

/* Witness and preimage against the table and the coin; fills action, preimage, program. */
static enum fx_result read_witness(struct spend *s)
{
    const struct fx_span *items = s->txin->witness;
    size_t n = s->txin->n_witness;
    struct fx_hash program;

    if (s->txin->script_sig.len != 0 || n == 0 || items[0].len != 1) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    if (n != witness_items(items[0].data[0])) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    s->action = (enum fx_task_action)items[0].data[0];
    if (items[1].len != SIGNATURE_BYTES) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    s->preimage = items[n - 1];
    fx_task_program(s->preimage, &s->program);
    if (!fx_script_is_task(fx_coin_script(s->coin), &program) ||
        !fx_hash_equal(&program, &s->program)) {
        return refuse(s, FX_BAD_TASK_PROGRAM);
    }
    return FX_VALID;
}

/* The preimage and the state it is in. */
static enum fx_result read_task(struct spend *s, enum fx_task_state from)
{
    if (!fx_task_read_head(s->preimage, &s->task)) {
        return refuse(s, FX_BAD_TASK_SPEC);
    }
    if (s->task.state != from) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    /* Refund goes by the head: it is the way out of an output whose spec is not valid. */
    if (s->action != FX_ACTION_REFUND && !fx_task_read(s->ctx->params, s->preimage, &s->task)) {
        return refuse(s, FX_BAD_TASK_SPEC);
    }
    return FX_VALID;
}

static enum fx_result find_record(struct spend *s)
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
        return refuse(s, FX_BAD_TASK_RECORD);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    if (!s->record.live || !fx_outpoint_equal(&s->record.outpoint, &s->txin->prevout)) {
        return refuse(s, FX_BAD_TASK_RECORD);
    }
    return FX_VALID;
}

static enum fx_result check_signature(struct spend *s, const struct fx_hash *key)
{
    struct fx_hash hash;

    fx_sighash_task(s->ctx->tx, s->in, s->ctx->spent, (uint8_t)s->action, s->ctx->cache, &hash);
    if (!fx_schnorr_verify(key, &hash, s->txin->witness[1].data)) {
        return refuse(s, FX_BAD_TASK_SIG);
    }
    return FX_VALID;
}

/* "-> X >= value": the output with this input's index pays to the program of X at least this. */
static enum fx_result check_pair(struct spend *s, const struct fx_task *to, int64_t value)
{
    const struct fx_tx *tx = s->ctx->tx;
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program, paid;
    struct fx_span span;

    if (s->in >= tx->n_out || tx->out[s->in].value < value ||
        !fx_script_is_task(tx->out[s->in].script, &paid)) {
        return refuse(s, FX_BAD_TASK_PAIR);
    }
    fx_task_write(to, &preimage);
    span.data = preimage.data;
    span.len = preimage.len;
    fx_task_program(span, &program);
    fx_buf_clear(&preimage);
    return fx_hash_equal(&program, &paid) ? FX_VALID : refuse(s, FX_BAD_TASK_PAIR);
}

/* "lock u": BIP68 itself is enforced with all other relative locks of the transaction. */
static enum fx_result check_lock(struct spend *s, uint32_t units)
{
    uint32_t sequence = s->txin->sequence;

    if ((uint32_t)s->ctx->tx->version < 2 || (sequence & FX_SEQUENCE_LOCK_DISABLE) != 0 ||
        (sequence & FX_SEQUENCE_LOCK_TIME) == 0 || (sequence & FX_SEQUENCE_LOCK_MASK) < units) {
        return refuse(s, FX_BAD_TASK_SEQUENCE);
    }
    return FX_VALID;
}

static enum fx_result set_record(struct spend *s)
{
    if (fx_record_delta_set(s->delta, s->ctx->view, &s->origin, &s->record) == FX_LOOKUP_FAILED) {
        return FX_FAILED;
    }
    return FX_VALID;
}

static void clear_outpoint(struct fx_task_record *record)
{
    record->live = false;
    memset(&record->outpoint, 0, sizeof(record->outpoint));
    record->state = FX_TASK_FUNDED;
}

static enum fx_result settle(struct spend *s)
{
    clear_outpoint(&s->record);
    s->record.settled = s->ctx->height;
    s->burned = s->task.burn;
    return set_record(s);
}

/* ---- 0 refund ---------------------------------------------------------------------------- */

static enum fx_result refund(struct spend *s)
{
    enum fx_result result = read_task(s, FX_TASK_FUNDED);

    if (result == FX_VALID) {
        result = find_record(s);
    }
    if (result != FX_VALID) {
        return result;
    }
    /* nLockTime is compared with the median time where finality is checked, if it is a time. */
    if (s->ctx->tx->lock_time < FX_LOCKTIME_THRESHOLD ||
        s->ctx->tx->lock_time < s->task.spec.deadline) {
        return refuse(s, FX_BAD_TASK_LOCKTIME);
    }
    if (s->txin->sequence == FX_SEQUENCE_FINAL) {
        return refuse(s, FX_BAD_TASK_SEQUENCE);
    }
    result = check_signature(s, &s->task.spec.client);
    if (result != FX_VALID) {
        return result;
    }
    /* A fresh task has no record to close. Any other is left unsettled and without an outpoint, and
     * is forgotten with this block. */
    if (s->fresh) {
        return FX_VALID;
    }
    clear_outpoint(&s->record);
    return set_record(s);
}

/* ---- 1 claim ----------------------------------------------------------------------------- */

/* The solvers of the job-lane blocks in (h0 - 2016, h0], in height order; *solvers is freed by the
 * caller whatever is returned. */
static enum fx_result recent_solvers(struct spend *s, struct fx_hash **solvers, size_t *n)
{
    uint32_t h0 = s->record.h0;
    uint32_t height = h0 < FX_EXCLUSIVE_LOOKBACK ? 0 : h0 - FX_EXCLUSIVE_LOOKBACK + 1;

    *n = 0;
    *solvers = fx_xcalloc(FX_EXCLUSIVE_LOOKBACK, sizeof(**solvers));
    for (; height <= h0; height++) {
        struct fx_ancestor ancestor;

        /* Every height up to h0 lies below the spending block: an answer must exist. */
        if (s->ctx->view->ancestor(s->ctx->view->ctx, height, &ancestor) != FX_FOUND) {
            return FX_FAILED;
        }
        if (ancestor.lane == FX_LANE_JOB) {
            (*solvers)[(*n)++] = ancestor.solver;
        }
    }
    return FX_VALID;
}

static enum fx_result check_assignee(struct spend *s, const struct fx_hash *beacon,
                                     const struct fx_hash *solver)
{
    struct fx_hash *solvers, hash;
    size_t n;
    enum fx_result result = recent_solvers(s, &solvers, &n);

    if (result == FX_VALID && n > 0) {
        fx_task_assign_hash(beacon, &s->origin, &hash);
        if (!fx_hash_equal(&solvers[fx_load_u64(hash.b) % n], solver)) {
            result = refuse(s, FX_BAD_TASK_EXCLUSIVE);
        }
    }
    free(solvers);
    return result;
}

static enum fx_result check_exclusivity(struct spend *s, const struct fx_hash *solver)
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
        return refuse(s, FX_BAD_TASK_EXCLUSIVE);
    case FX_LOOKUP_FAILED:
        return FX_FAILED;
    }
    return FX_FAILED;
}

/* Amounts of the claimed fields, each and together, and the bond. */
static enum fx_result check_claim_amounts(struct spend *s, const struct fx_task *claimed)
{
    uint64_t max = (uint64_t)s->ctx->params->max_money;

    if (claimed->escrow > max || claimed->bond > max || claimed->burn > max ||
        claimed->escrow + claimed->bond > max) {
        return refuse(s, FX_BAD_TASK_AMOUNT);
    }
    if (claimed->escrow != (uint64_t)s->coin->value || claimed->burn > claimed->escrow) {
        return refuse(s, FX_BAD_TASK_AMOUNT);
    }
    if (4 * claimed->bond < claimed->escrow || claimed->bond < (uint64_t)FX_DEPOSIT) {
        return refuse(s, FX_BAD_TASK_BOND);
    }
    return FX_VALID;
}

static void read_claim(struct spend *s, struct fx_task *claimed)
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

static enum fx_result claim(struct spend *s)
{
    struct fx_task claimed;
    enum fx_result result;

    if (s->txin->witness[2].len != FX_TASK_CLAIM_FIELDS) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = read_task(s, FX_TASK_FUNDED);
    if (result == FX_VALID) {
        result = find_record(s);
    }
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
        return refuse(s, FX_BAD_TASK_LOCKTIME);
    }
    result = check_pair(s, &claimed, (int64_t)(claimed.escrow + claimed.bond));
    if (result == FX_VALID) {
        result = check_signature(s, &claimed.solver);
    }
    if (result == FX_VALID) {
        result = check_exclusivity(s, &claimed.solver);
    }
    if (result != FX_VALID) {
        return result;
    }
    s->record.live = true;
    s->record.outpoint.txid = s->ctx->tx->txid;
    s->record.outpoint.index = (uint32_t)s->in;
    s->record.state = FX_TASK_CLAIMED;
    s->record.client = claimed.spec.client;
    s->record.solver = claimed.solver;
    s->record.bricks = claimed.shape.bricks;
    s->record.burn = claimed.burn;
    s->record.asked = 0;
    return set_record(s);
}

/* ---- 2 accept ---------------------------------------------------------------------------- */

static enum fx_result accept(struct spend *s)
{
    struct fx_hash hash;
    enum fx_result result;

    if (s->txin->witness[2].len != SIGNATURE_BYTES) {
        return refuse(s, FX_BAD_TASK_WITNESS);
    }
    result = read_task(s, FX_TASK_CLAIMED);
    if (result == FX_VALID) {
        result = find_record(s);
    }
    if (result == FX_VALID) {
        result = check_signature(s, &s->task.solver);
    }
    if (result != FX_VALID) {
        return result;
    }
    fx_task_accept_hash(&s->program, &hash);
    if (!fx_schnorr_verify(&s->task.spec.client, &hash, s->txin->witness[2].data)) {
        return refuse(s, FX_BAD_TASK_CERTIFICATE);
    }
    return settle(s);
}

/* ---- 3 take ------------------------------------------------------------------------------ */

static enum fx_result check_samples(struct spend *s)
{
    const struct fx_view *view = s->ctx->view;
    const struct fx_task *task = &s->task;
    struct fx_ancestor beacon;

    switch (view->beacon(view->ctx, s->coin->height, &beacon)) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return refuse(s, FX_BAD_TASK_SAMPLE);
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
            return refuse(s, FX_BAD_TASK_SAMPLE);
        }
    }
    return FX_VALID;
}

static enum fx_result take(struct spend *s)
{
    enum fx_result result = read_task(s, FX_TASK_CLAIMED);

    if (result == FX_VALID) {
        result = find_record(s);
    }
    if (result == FX_VALID) {
        result = check_lock(s, s->task.spec.window);
    }
    if (result == FX_VALID) {
        result = check_signature(s, &s->task.solver);
    }
    if (result == FX_VALID) {
        result = check_samples(s);
    }
    return result == FX_VALID ? settle(s) : result;
}

/* ------------------------------------------------------------------------------------------ */

static enum fx_result dispatch(struct spend *s)
{
    switch (s->action) {
    case FX_ACTION_REFUND:
        return refund(s);
    case FX_ACTION_CLAIM:
        return claim(s);
    case FX_ACTION_ACCEPT:
        return accept(s);
    case FX_ACTION_TAKE:
        return take(s);
    case FX_ACTION_FRAUD:
    case FX_ACTION_CHALLENGE:
    case FX_ACTION_ANSWER:
    case FX_ACTION_EXPIRE:
    case FX_ACTION_REJECT:
        break; /* witness_items() has refused them */
    }
    return refuse(s, FX_BAD_TASK_WITNESS);
}

enum fx_result fx_connect_spend(const struct fx_spend_context *ctx, size_t in,
                                struct fx_record_delta *delta, struct fx_spend_result *result,
                                enum fx_verdict *why)
{
    struct spend s;
    enum fx_result judged;

    memset(&s, 0, sizeof(s));
    s.ctx = ctx;
    s.in = in;
    s.txin = &ctx->tx->in[in];
    s.coin = &ctx->spent[in];
    s.delta = delta;
    s.why = why;
    *why = FX_OK;

    judged = read_witness(&s);
    if (judged == FX_VALID) {
        judged = dispatch(&s);
    }
    if (judged == FX_VALID && result != NULL) {
        result->action = s.action;
        result->origin = s.origin;
        result->burned = s.burned;
    }
    return judged;
}
