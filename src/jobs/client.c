/* What a client does with a job: submit it, and take it back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define DUST 330 /* embers: less is not worth an output */

/* ---- submission -------------------------------------------------------------------------- */

static void add_products(struct fx_own_job *own, const struct fx_job_request *request)
{
    uint32_t parts = 0;

    own->n_products = request->n_products;
    own->products = fx_xcalloc(own->n_products, sizeof *own->products);
    for (size_t i = 0; i < own->n_products; i++) {
        const struct fx_job_product *from = &request->products[i];
        struct fx_own_product *to = &own->products[i];

        to->rows = from->rows;
        to->columns = from->columns;
        to->depth = from->depth;
        to->limbs_a = (uint8_t)from->limbs_a;
        to->limbs_b = (uint8_t)from->limbs_b;
        to->type = (uint8_t)from->type;
        to->scale_a = from->scale_a;
        to->scale_b = from->scale_b;
        to->error = from->error;
        to->first_part = parts;
        to->n_parts = (uint32_t)from->n_parts;
        parts += to->n_parts;
    }
}

static struct fx_own_job *make_own(const struct fx_job_request *request,
                                   const struct fx_job_quote *quote, struct fx_own_part *parts,
                                   size_t n_parts)
{
    struct fx_own_job *own = fx_xcalloc(1, sizeof *own);

    own->window = quote->window;
    own->exclusive = quote->exclusive;
    own->fee_rate = request->fee_rate;
    own->submitted = fx_clock_now();
    own->parts = parts;
    own->n_parts = n_parts;
    add_products(own, request);
    for (uint32_t i = 0; i < n_parts; i++) {
        const struct fx_own_tx all = {
            .part = i, .count = fx_own_count_tasks(&parts[i].gemm), .deadline = quote->deadline};

        fx_own_add_txs(own, &all);
    }
    return own;
}

/* One transaction is funded or it is not; of several, the first must not go out where the wallet
 * cannot pay for all. */
static bool check_funds(const struct fx_wallet *wallet, const struct fx_job_quote *quote,
                        struct fx_jobs_error *error)
{
    struct fx_wallet_balance balance;
    char need[FX_AMOUNT_TEXT], have[FX_AMOUNT_TEXT];

    if (quote->transactions == 1) {
        return true;
    }
    fx_wallet_balance(wallet, &balance);
    if (balance.trusted >= quote->total) {
        return true;
    }
    fx_amount_format(quote->total, need);
    fx_amount_format(balance.trusted, have);
    return fx_jobs_refuse(error, -6,
                          "Insufficient funds: the job's %" PRIu64
                          " transactions take %s FNX, the wallet can spend %s FNX",
                          quote->transactions, need, have);
}

static int64_t fees_of(const struct fx_own_job *own)
{
    int64_t fees = 0;

    for (size_t i = 0; i < own->n_offers; i++) {
        fees += own->offers[i].fee; /* each below the wallet's highest */
    }
    return fees;
}

static bool submit(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own,
                   struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    char id[FX_HASH_HEX];

    if (!fx_own_check_operands(jobs, own, error) || !check_funds(wallet, quote, error)) {
        return false;
    }
    if (!fx_wallet_new_key(wallet, FX_KEY_CLIENT, "job", &own->client, &why)) {
        return fx_jobs_pass_error(error, &why);
    }
    if (!fx_funding_send(jobs, wallet, own, &own->offers[0], error)) {
        return false;
    }
    fx_funding_send_all(jobs, wallet, own);
    if (own->text[0] == '\0') {
        fx_quote_set_fee(quote, fees_of(own));
    }
    fx_hash_to_id(&own->id, id);
    fx_log_info("jobs: job %s of %" PRIu64 " tasks and %" PRIu64 " bricks is submitted", id,
                quote->tasks, quote->bricks);
    fx_funding_announce(jobs, own);
    return true;
}

bool fx_jobs_submit(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_job_request *request, struct fx_hash *job,
                    struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    struct fx_own_part *parts;
    struct fx_own_job *own;
    size_t n_parts;

    if (!fx_quote_make(jobs, request, quote, &parts, &n_parts, error)) {
        return false;
    }
    own = make_own(request, quote, parts, n_parts);
    if (!submit(jobs, wallet, own, quote, error)) {
        fx_own_job_destroy(own);
        return false;
    }
    *job = own->id;
    return true;
}

/* ---- taking back ------------------------------------------------------------------------- */

/* Adds the inputs of an unconfirmed transaction that are not outputs of another one of the job, and
 * what it takes to replace it: the fees of all that falls with it. */
static void add_inputs(const struct fx_jobs *jobs, const struct fx_own_job *own,
                       const struct fx_mempool_entry *entry, struct fx_txb *b, int64_t *fees)
{
    const struct fx_tx *tx = entry->tx;

    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_outpoint *from = &tx->in[i].prevout;
        const struct fx_own_job *of = fx_own_of(jobs, &from->txid);

        if (of != own || fx_book_find_job(jobs->book, &from->txid) != NULL) {
            fx_txb_add_in(b, from, FX_SEQUENCE_REPLACEABLE);
        }
    }
    *fees += entry->descendant_fees;
}

/* The sum of the inputs; 0: error is set. */
static int64_t sum_inputs(struct fx_wallet *wallet, const struct fx_txb *b,
                          struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_coin *spent = NULL;
    int64_t sum = 0;

    if (!fx_wallet_spent_coins(wallet, b, &spent, &why)) {
        fx_jobs_pass_error(error, &why);
        return 0;
    }
    for (size_t i = 0; i < b->n_in; i++) {
        sum += spent[i].value; /* coins that exist: below all money */
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    return sum;
}

/* Pays all of the inputs, less a fee above `fees`, to a new address of the wallet. */
static bool send_back(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_txb *b,
                      int64_t fees, struct fx_job_cancel *done, struct fx_jobs_error *error)
{
    struct fx_mempool_info info;
    struct fx_wallet_error why;
    struct fx_hash key;
    struct fx_tx *tx;
    uint8_t script[34];
    int64_t sum = sum_inputs(wallet, b, error), vsize = 11 + 43 + 58 * (int64_t)b->n_in;
    bool sent;

    if (sum == 0) {
        return false;
    }
    fx_mempool_info(jobs->config.mempool, &info);
    done->fee = fees + (vsize * (info.increment_rate + info.min_fee_rate) + 999) / 1000;
    if (sum - done->fee < DUST) {
        return fx_jobs_refuse(error, -6, "Taking the job back would cost more than it holds");
    }
    if (!fx_wallet_new_key(wallet, FX_KEY_RECEIVE, "job cancelled", &key, &why)) {
        return fx_jobs_pass_error(error, &why);
    }
    fx_script_p2tr(key.b, script);
    fx_txb_add_out(b, sum - done->fee, script, sizeof script);
    tx = fx_funding_sign(wallet, b, error);
    if (tx == NULL) {
        return false;
    }
    done->replacement = tx->txid;
    sent = fx_wallet_commit(wallet, tx, "job cancelled", &why) || fx_jobs_pass_error(error, &why);
    fx_tx_unref(tx);
    return sent;
}

/* One that waits for a block, or for its way back into the mempool, which there may not be: where a
 * block excludes it, or the process ended before the wallet had it. It is given up. */
static bool take_back(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_own_job *own,
                      const struct fx_own_tx *offer, struct fx_txb *b, int64_t *fees,
                      struct fx_job_cancel *done, struct fx_jobs_error *error)
{
    struct fx_mempool_entry entry;
    struct fx_wallet_error why;

    if (fx_mempool_entry(jobs->config.mempool, &offer->txid, &entry)) {
        add_inputs(jobs, own, &entry, b, fees);
        done->n_replaced++;
        return true;
    }
    if (!fx_wallet_give_up(wallet, &offer->txid, &why)) {
        return fx_jobs_pass_error(error, &why);
    }
    done->n_abandoned++;
    return true;
}

static bool replace(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_own_job *own,
                    struct fx_job_cancel *done, struct fx_jobs_error *error)
{
    struct fx_txb b;
    int64_t fees = 0;
    bool fine = true;

    fx_txb_init(&b);
    for (size_t i = 0; fine && i < own->n_offers; i++) {
        if (fx_own_tx_status(jobs, &own->offers[i]) == FX_JOB_TX_PENDING) {
            fine = take_back(jobs, wallet, own, &own->offers[i], &b, &fees, done, error);
        }
    }
    fine = fine && (b.n_in == 0 || send_back(jobs, wallet, &b, fees, done, error));
    fx_txb_clear(&b);
    return fine;
}

/* False: the job is over, and error says how. */
static bool check_not_over(struct fx_jobs *jobs, const struct fx_own_job *own,
                           struct fx_jobs_error *error)
{
    struct fx_job_info info;

    if (!fx_jobs_get(jobs, &own->id, &info)) {
        return fx_jobs_refuse(error, -4, "The job is not known");
    }
    switch (info.status) {
    case FX_JOB_PENDING:
    case FX_JOB_OPEN:
        return true;
    case FX_JOB_DONE:
        return fx_jobs_refuse(error, -4, "The job is done: all of its %zu tasks are settled",
                              info.n_tasks);
    case FX_JOB_CANCELLED:
        return fx_jobs_refuse(error, -4, "The job was cancelled already");
    case FX_JOB_ENDED:
        break;
    }
    return fx_reoffer_is_coming(jobs, own) ||
           fx_jobs_refuse(error, -4,
                          "The job has ended: of its %zu tasks %zu were settled, %zu refunded and "
                          "%zu rejected, and nothing is left to take back",
                          info.n_tasks, info.n_settled, info.n_refunded, info.n_rejected);
}

bool fx_jobs_cancel(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_hash *job,
                    struct fx_job_cancel *done, struct fx_jobs_error *error)
{
    struct fx_own_job *own = fx_own_of_wallet(jobs, wallet, job, error);

    memset(done, 0, sizeof *done);
    if (own == NULL || !check_not_over(jobs, own, error) ||
        !replace(jobs, wallet, own, done, error)) {
        return false;
    }
    for (size_t i = 0; i < own->n_offers; i++) {
        enum fx_job_tx_status status = fx_own_tx_status(jobs, &own->offers[i]);

        done->n_dropped += status == FX_JOB_TX_WAITING ? 1 : 0;
        own->offers[i].dropped = status != FX_JOB_TX_CONFIRMED;
        own->offers[i].final = true;
    }
    own->text[0] = '\0';
    return fx_own_save(jobs, own) || fx_jobs_refuse(error, -4, "The job cannot be written to disk");
}
