/* A solver's work on the tasks of others: operands, claims, the backing list. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "src/jobs/jobs_int.h"
#include "src/sys/log.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

bool fx_jobs_want_operands(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                           struct fx_jobs_error *error)
{
    const struct fx_book_task *task = fx_book_find(jobs->book, origin);
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (task == NULL) {
        return fx_jobs_refuse(error, -8, "No such task on the chain");
    }
    if (task->job->spec.kind != FX_KIND_GEMM) {
        return fx_jobs_refuse(error, -8, "Tasks of this kind have no operands");
    }
    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        fx_book_operand(task->job, side, &key, &shape);
        if (fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE) {
            continue;
        }
        if (!fx_blobs_expect(jobs->config.blobs, &key, &shape)) {
            return fx_jobs_refuse(error, -4, "No room on disk for an operand");
        }
        fx_net_fetch_blob(jobs->config.net, &key);
    }
    return true;
}

/* ---- claims ------------------------------------------------------------------------------ */

int64_t fx_jobs_burn_auto(struct fx_jobs *jobs, uint64_t bricks, int64_t escrow)
{
    const struct fx_index *tip = fx_chain_tip(jobs->config.chain);
    uint32_t nbits[FX_LANES];

    fx_chain_targets(jobs->config.chain, tip, nbits);
    return fx_split_burn(jobs->config.params, tip->height + 1, nbits[FX_LANE_JOB], bricks, escrow);
}

static bool check_open(const struct fx_jobs *jobs, const struct fx_outpoint *origin,
                       const struct fx_book_task *task, struct fx_jobs_error *error)
{
    if (task == NULL) {
        return fx_jobs_find(jobs, origin) != NULL
                   ? fx_jobs_refuse(error, -4, "The task is not mined yet")
                   : fx_jobs_refuse(error, -8, "No such task on the chain");
    }
    switch (task->state.status) {
    case FX_STATUS_OPEN:
        break;
    case FX_STATUS_CLAIMED:
    case FX_STATUS_CHALLENGED:
    case FX_STATUS_SETTLED:
        return fx_jobs_refuse(error, -4, "The task was taken meanwhile: it is claimed");
    case FX_STATUS_REFUNDED:
        return fx_jobs_refuse(error, -4, "The task was refunded to its client");
    case FX_STATUS_REJECTED:
        return fx_jobs_refuse(error, -4, "The task was rejected by its client");
    case FX_STATUS_PENDING:
        return fx_jobs_refuse(error, -4, "The task is not mined yet");
    }
    if (fx_mempool_spender(jobs->config.mempool, &task->state.outpoint) != NULL) {
        return fx_jobs_refuse(error, -4,
                              "The task was taken meanwhile: a transaction that spends it waits "
                              "in the mempool");
    }
    return true;
}

static bool check_result(const struct fx_jobs *jobs, const struct fx_book_task *task,
                         const struct fx_hash *result, const struct fx_hash *solver,
                         struct fx_jobs_error *error)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint64_t chunks, have;

    memset(&key, 0, sizeof key);
    key.type = FX_BLOB_RESULT;
    key.root = *result;
    key.solver = *solver;
    if (fx_blobs_state(jobs->config.blobs, &key) != FX_BLOB_COMPLETE ||
        !fx_blobs_info(jobs->config.blobs, &key, &shape, &chunks, &have)) {
        return fx_jobs_refuse(error, -8, "The result was not uploaded under the solver's key");
    }
    if (shape.rows != task->shape.rows || shape.cols != task->shape.cols) {
        return fx_jobs_refuse(error, -8, "The result is of %u x %u tiles, the task of %u x %u",
                              shape.rows, shape.cols, task->shape.rows, task->shape.cols);
    }
    return true;
}

static bool choose_burn(struct fx_jobs *jobs, const struct fx_book_task *task, enum fx_burn burn,
                        int64_t amount, int64_t *chosen, struct fx_jobs_error *error)
{
    *chosen = 0;
    switch (burn) {
    case FX_BURN_AUTO:
        *chosen = fx_jobs_burn_auto(jobs, task->shape.bricks, task->state.escrow);
        return true;
    case FX_BURN_NONE:
        return true;
    case FX_BURN_AMOUNT:
        break;
    }
    if (amount < 0 || amount > task->state.escrow) {
        return fx_jobs_refuse(error, -8, "A claim burns at most the escrow, %" PRId64 " embers",
                              task->state.escrow);
    }
    *chosen = amount;
    return true;
}

static void write_fields(const struct fx_book_state *claimed, struct fx_buf *fields)
{
    fx_buf_i64(fields, claimed->escrow);
    fx_buf_i64(fields, claimed->bond);
    fx_buf_i64(fields, claimed->burn);
    fx_buf_hash(fields, &claimed->solver);
    fx_buf_hash(fields, &claimed->result);
}

/* claimed: the task with the state that the claim gives it. */
static struct fx_tx *build_claim(struct fx_jobs *jobs, struct fx_wallet *wallet,
                                 const struct fx_book_task *claimed, struct fx_jobs_error *error)
{
    struct fx_buf fields = FX_BUF_INIT, preimage = FX_BUF_INIT;
    struct fx_task_spend spend;
    struct fx_hash program;
    struct fx_tx *tx;

    write_fields(&claimed->state, &fields);
    fx_book_claimed_preimage(jobs->config.params, claimed, &preimage);
    fx_task_program(fx_jobs_span(&preimage), &program);
    memset(&spend, 0, sizeof spend);
    spend.action = FX_ACTION_CLAIM;
    spend.outpoint = claimed->state.outpoint;
    spend.value = claimed->state.value;
    spend.key = claimed->state.solver;
    spend.preimage = fx_book_funded_preimage(claimed);
    spend.items[0] = fx_jobs_span(&fields);
    spend.n_items = 1;
    spend.sequence = FX_SEQUENCE_REPLACEABLE;
    fx_task_script(&program, spend.script);
    spend.paired = claimed->state.escrow + claimed->state.bond;
    spend.stake = claimed->state.escrow;
    tx = fx_task_spend_build(jobs, wallet, &spend, error);
    fx_buf_clear(&fields);
    fx_buf_clear(&preimage);
    return tx;
}

/* ---- what a claim leaves for answers ------------------------------------------------------ */

/* Of an answer, beside the tile and its path; of a claim: with one coin of the wallet's and change,
 * and room for a preimage. */
#define ANSWER_WEIGHT 1150
#define CLAIM_VSIZE 330

static int64_t fee_for(const struct fx_jobs *jobs, size_t vsize)
{
    return (fx_mempool_estimate(jobs->config.mempool, FX_FEE_TARGET) * (int64_t)vsize + 999) / 1000;
}

/* The fees of the answers that a claim's client can still ask for. None of them is above what is at
 * stake. */
static int64_t fee_of_answers(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    size_t weight = ANSWER_WEIGHT + FX_TILE_BYTES + 32 * fx_commit_depth(task->shape.tiles);
    int64_t fee = fee_for(jobs, (weight + FX_WITNESS_SCALE - 1) / FX_WITNESS_SCALE);
    int64_t stake = fx_claim_stake(&task->state);
    int answers = FX_TASK_ASKED_MAX - task->state.asked;

    if (task->state.status == FX_STATUS_CHALLENGED) {
        answers++;
    }
    return answers * (fee < stake ? fee : stake);
}

/* Where a claim waits in the mempool: the task with the state that it gives it. */
static bool read_pending_claim(const struct fx_jobs *jobs, const struct fx_book_task *task,
                               struct fx_book_task *claimed)
{
    const struct fx_tx *tx = fx_mempool_spender(jobs->config.mempool, &task->state.outpoint);

    for (size_t in = 0; tx != NULL && in < tx->n_in; in++) {
        const struct fx_txin *txin = &tx->in[in];

        if (fx_outpoint_equal(&txin->prevout, &task->state.outpoint) && txin->n_witness == 4 &&
            txin->witness[0].data[0] == FX_ACTION_CLAIM) {
            *claimed = *task;
            return fx_book_task_spend(claimed, tx, in, 0, FX_ACTION_CLAIM);
        }
    }
    return false;
}

/* The same of this solver's claims in the mempool. */
static int64_t fee_of_pending(const struct fx_jobs *jobs, const struct fx_hash *solver)
{
    struct fx_book_task claimed;
    void *outpoint;
    size_t at = 0;
    int64_t fee = 0;

    while (fx_map_next(jobs->claiming, &at, NULL, &outpoint)) {
        const struct fx_book_task *task = fx_book_at(jobs->book, outpoint);

        if (task != NULL && read_pending_claim(jobs, task, &claimed) &&
            fx_hash_equal(&claimed.state.solver, solver)) {
            fee += fee_of_answers(jobs, &claimed);
        }
    }
    return fee;
}

/* An answer that cannot be paid for costs the bond: what those of all open claims would cost now
 * stays in the wallet. */
static int64_t reserve_for(const struct fx_jobs *jobs, const struct fx_book_task *claimed)
{
    const struct fx_hash *solver = &claimed->state.solver;
    int64_t reserve = fee_of_answers(jobs, claimed) + fee_of_pending(jobs, solver);

    for (const struct fx_book_task *task = fx_book_claims_of(jobs->book, solver); task != NULL;
         task = task->claims_next) {
        reserve += fee_of_answers(jobs, task);
    }
    return reserve;
}

/* Where not even the bond is there, funding says so. */
static bool check_reserve(const struct fx_jobs *jobs, const struct fx_wallet *wallet,
                          const struct fx_book_task *claimed, struct fx_jobs_error *error)
{
    int64_t reserve = reserve_for(jobs, claimed), bond = claimed->state.bond;
    int64_t needs = bond + fee_for(jobs, CLAIM_VSIZE) + reserve;
    struct fx_wallet_balance balance;
    char has[FX_AMOUNT_TEXT], wants[FX_AMOUNT_TEXT], keeps[FX_AMOUNT_TEXT];

    fx_wallet_balance(wallet, &balance);
    if (balance.trusted < bond || balance.trusted >= needs) {
        return true;
    }
    fx_amount_format(balance.trusted, has);
    fx_amount_format(needs, wants);
    fx_amount_format(reserve, keeps);
    return fx_jobs_refuse(
        error, -6,
        "Insufficient funds: a claim needs %s FNX, of which %s stay for answers to "
        "challenges of open claims, and the wallet has %s: send coins to it, or "
        "wait until claims are settled",
        wants, keeps, has);
}

/* ---- claiming ----------------------------------------------------------------------------- */

/* Says what the coins would have been for. */
static bool explain(const struct fx_jobs_error *why, int64_t bond, struct fx_jobs_error *error)
{
    char amount[FX_AMOUNT_TEXT];

    if (why->code != -6) {
        return fx_jobs_refuse(error, why->code, "%s", why->text);
    }
    fx_amount_format(bond, amount);
    return fx_jobs_refuse(error, why->code,
                          "Insufficient funds: a claim needs coins for its bond, %s FNX, and a fee",
                          amount);
}

bool fx_jobs_claim(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_outpoint *origin,
                   const struct fx_hash *result, enum fx_burn burn, int64_t burn_amount,
                   struct fx_hash *txid, struct fx_jobs_error *error)
{
    const struct fx_book_task *task = fx_book_find(jobs->book, origin);
    struct fx_book_task claimed;
    struct fx_wallet_error why;
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    struct fx_jobs_error unfunded;
    struct fx_tx *tx;
    char id[FX_HASH_HEX];

    if (!check_open(jobs, origin, task, error)) {
        return false;
    }
    claimed = *task;
    claimed.state.result = *result;
    if (!fx_wallet_solver_key(wallet, &claimed.state.solver, &why)) {
        return fx_jobs_pass_error(error, &why);
    }
    if (!check_result(jobs, task, result, &claimed.state.solver, error) ||
        !choose_burn(jobs, task, burn, burn_amount, &claimed.state.burn, error)) {
        return false;
    }
    claimed.state.bond = fx_split_bond(task->state.escrow);
    if (!check_reserve(jobs, wallet, &claimed, error)) {
        return false;
    }
    tx = build_claim(jobs, wallet, &claimed, &unfunded);
    if (tx == NULL) {
        return explain(&unfunded, claimed.state.bond, error);
    }
    if (!fx_task_spend_commit(wallet, tx, "claim", txid, error)) {
        return false;
    }
    fx_hash_to_id(&origin->txid, id);
    fx_log_info("jobs: task %s:%u is claimed, bond %" PRId64 ", burn %" PRId64 " embers", id,
                origin->index, claimed.state.bond, claimed.state.burn);
    fx_book_result(&claimed, &key, &shape);
    fx_announce_start(jobs, &key);
    return true;
}

/* ---- backing ----------------------------------------------------------------------------- */

static int by_settlement(const void *a, const void *b)
{
    const struct fx_book_task *x = *(const struct fx_book_task *const *)a;
    const struct fx_book_task *y = *(const struct fx_book_task *const *)b;

    if (x->state.end_height != y->state.end_height) {
        return x->state.end_height < y->state.end_height ? -1 : 1;
    }
    return fx_outpoint_cmp(&x->origin, &y->origin);
}

/* Young enough for the block after the tip: protocol section 6, rule 2. */
static bool is_young(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    uint64_t height = (uint64_t)fx_chain_tip(jobs->config.chain)->height + 1;

    return (uint64_t)task->state.end_height + FX_RECORD_KEEP > height;
}

size_t fx_jobs_backing(struct fx_jobs *jobs, const struct fx_hash *solver,
                       struct fx_outpoint **origins, uint64_t *credit, uint64_t *burns)
{
    const struct fx_book_task **list = NULL, *task;
    size_t n = 0, cap = 0, at = 0;

    while ((task = fx_book_next_unbacked(jobs->book, &at)) != NULL) {
        if (!fx_hash_equal(&task->state.solver, solver) || !is_young(jobs, task)) {
            continue;
        }
        if (n == cap) {
            cap = cap == 0 ? 16 : 2 * cap;
            list = fx_xreallocarray(list, cap, sizeof(struct fx_book_task *));
        }
        list[n++] = task;
    }
    if (n > 0) {
        qsort(list, n, sizeof(struct fx_book_task *), by_settlement);
    }
    if (n > FX_BACKING_MAX) {
        n = FX_BACKING_MAX;
    }
    *origins = fx_xcalloc(n, sizeof **origins);
    *credit = 0;
    *burns = 0;
    for (size_t i = 0; i < n; i++) {
        (*origins)[i] = list[i]->origin;
        *credit += list[i]->shape.bricks;
        *burns += (uint64_t)list[i]->state.burn;
    }
    free(list);
    return n;
}
