/* Transactions that spend a task output: witness, fee, signatures (protocol section 5). */
#include <stdlib.h>
#include <string.h>

#include "consensus/sighash.h"
#include "src/jobs/jobs_int.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define SIGNATURE_BYTES 64
#define DUST 330        /* embers: less is not worth an output */
#define RELAY_RATE 1000 /* embers per 1,000 vbytes that a replacement adds */
#define OWN_VSIZE 101   /* of one coin of the wallet, and change */

/* Replaces the witness of the task's input, which is the first one. */
static void set_witness(struct fx_txb *b, const struct fx_task_spend *spend,
                        const uint8_t signature[SIGNATURE_BYTES])
{
    uint8_t action = (uint8_t)spend->action;

    fx_txb_clear_witness(b, 0);
    fx_txb_push_witness(b, 0, &action, 1);
    fx_txb_push_witness(b, 0, signature, spend->bare ? 0 : SIGNATURE_BYTES);
    for (size_t i = 0; i < spend->n_items; i++) {
        fx_txb_push_witness(b, 0, spend->items[i].data, spend->items[i].len);
    }
    fx_txb_push_witness(b, 0, spend->preimage.data, spend->preimage.len);
}

static size_t item_size(size_t n)
{
    return fx_var_size(n) + n;
}

/* One weight unit a byte. */
static size_t witness_weight(const struct fx_task_spend *spend)
{
    size_t weight = fx_var_size(3 + spend->n_items) + item_size(1) +
                    item_size(spend->bare ? 0 : SIGNATURE_BYTES) + item_size(spend->preimage.len);

    for (size_t i = 0; i < spend->n_items; i++) {
        weight += item_size(spend->items[i].len);
    }
    return weight;
}

/* Fee rates of a spend, embers per 1,000 vbytes. */
struct rates {
    int64_t least; /* that the pool takes, and that the estimate asks for */
    int64_t wanted;
};

static int64_t estimate(const struct fx_jobs *jobs, const struct fx_task_spend *spend,
                        unsigned blocks)
{
    return spend->action == FX_ACTION_CHALLENGE
               ? fx_mempool_estimate_challenge(jobs->config.mempool, blocks)
               : fx_mempool_estimate(jobs->config.mempool, blocks);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* For a transaction of this size: as estimated, and above that of a rival in the mempool (BIP125,
 * rules 3, 4 and 6). What was passed over by blocks bids a quarter more, and twice as much as the
 * time runs out. */
static struct rates choose_rates(const struct fx_jobs *jobs, const struct fx_task_spend *spend,
                                 int64_t vsize)
{
    const struct fx_tx *rival = fx_mempool_spender(jobs->config.mempool, &spend->outpoint);
    struct rates rates = {.least = estimate(jobs, spend, FX_FEE_TARGET)};
    struct fx_mempool_entry entry;
    struct fx_mempool_info info;
    int64_t old;

    rates.wanted = rates.least;
    if (rival == NULL || !fx_mempool_entry(jobs->config.mempool, &rival->txid, &entry)) {
        return rates;
    }
    fx_mempool_info(jobs->config.mempool, &info);
    old = (entry.fee - entry.burned) * 1000 / (int64_t)entry.vsize;
    rates.least = larger(rates.least, old + 1);
    rates.least = larger(rates.least, (entry.descendant_fees * 1000 + vsize - 1) / vsize +
                                          larger(info.min_fee_rate, RELAY_RATE));
    rates.wanted = larger(rates.least, old + old / (spend->urgent ? 1 : 4) + 1);
    rates.wanted = larger(rates.wanted, estimate(jobs, spend, 1));
    return rates;
}

/* With the task's witness in place. */
static int64_t vsize_of(struct fx_txb *b, const struct fx_task_spend *spend)
{
    static const uint8_t none[SIGNATURE_BYTES];
    struct fx_tx *tx;
    int64_t vsize;

    set_witness(b, spend, none);
    tx = fx_txb_build(b);
    vsize = (int64_t)fx_tx_vsize(tx);
    fx_tx_unref(tx);
    fx_txb_clear_witness(b, 0);
    return vsize;
}

static bool refuse_fee(int64_t fee, int64_t stake, struct fx_jobs_error *error)
{
    char asks[FX_AMOUNT_TEXT], loses[FX_AMOUNT_TEXT];

    fx_amount_format(fee, asks);
    fx_amount_format(stake, loses);
    return fx_jobs_refuse(error, -4,
                          "A fee of %s FNX is more than what is at stake, %s FNX: it waits for "
                          "lower fees",
                          asks, loses);
}

/* The fee rate and the fee of the transaction as it stands, with `more` vbytes to come: no more
 * than what is at stake. */
static bool choose_fee(const struct fx_jobs *jobs, struct fx_txb *b,
                       const struct fx_task_spend *spend, int64_t more, int64_t *rate, int64_t *fee,
                       struct fx_jobs_error *error)
{
    int64_t vsize = vsize_of(b, spend) + more;
    struct rates rates = choose_rates(jobs, spend, vsize);
    int64_t most = spend->stake > 0 ? spend->stake * 1000 / vsize : INT64_MAX;

    if (rates.least > most) {
        return refuse_fee((rates.least * vsize + 999) / 1000, spend->stake, error);
    }
    *rate = rates.wanted < most ? rates.wanted : most;
    *fee = (*rate * vsize + 999) / 1000;
    return true;
}

/* What this takes the place of has coins that the wallet does not spend twice by itself, and it may
 * have no others. Only the key that signs does the same, with coins of its own wallet. */
static void add_coins_of_rival(const struct fx_jobs *jobs, const struct fx_task_spend *spend,
                               struct fx_txb *b)
{
    const struct fx_tx *rival = fx_mempool_spender(jobs->config.mempool, &spend->outpoint);
    const struct fx_txin *first = rival != NULL ? &rival->in[0] : NULL;

    if (rival == NULL || spend->bare || !fx_outpoint_equal(&first->prevout, &spend->outpoint) ||
        first->n_witness == 0 || first->witness[0].len != 1 ||
        first->witness[0].data[0] != spend->action) {
        return;
    }
    for (size_t i = 1; i < rival->n_in; i++) {
        fx_txb_add_in(b, &rival->in[i].prevout, FX_SEQUENCE_REPLACEABLE);
    }
}

/* Change of this cannot be spent before it is mined (protocol section 5), and other tasks may be
 * due in the same block: it does not take the last coin. What fails here shows when it is funded. A
 * replacement may have no new parents in the pool. */
static void spare_last_coin(const struct fx_jobs *jobs, struct fx_wallet *wallet,
                            const struct fx_task_spend *spend, int64_t amount)
{
    struct fx_wallet_error ignored;

    if (fx_mempool_spender(jobs->config.mempool, &spend->outpoint) == NULL) {
        fx_wallet_split(wallet, amount, &ignored);
    }
}

/* Own inputs for what the task's input does not pay, and change. */
static bool fund(const struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_txb *b,
                 const struct fx_task_spend *spend, int64_t rate, struct fx_jobs_error *error)
{
    struct fx_fund_input input = {
        .in = 0, .value = spend->value, .witness_weight = witness_weight(spend)};
    struct fx_wallet_error why;
    int64_t fee;

    add_coins_of_rival(jobs, spend, b);
    /* What the wallet brings may be several coins, each a little more of a fee. */
    return fx_wallet_fund(wallet, b, &input, 1, rate, spend->burned, 2 * spend->stake, 0, &fee,
                          &why) ||
           fx_jobs_pass_error(error, &why);
}

/* Signs the task's input by its key. */
static struct fx_tx *sign_task(struct fx_wallet *wallet, struct fx_txb *b,
                               const struct fx_task_spend *spend, const struct fx_coin *spent,
                               struct fx_jobs_error *error)
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    struct fx_wallet_error why;
    uint8_t signature[SIGNATURE_BYTES] = {0};

    if (spend->bare) {
        fx_tx_unref(tx);
        set_witness(b, spend, signature);
        return fx_txb_build(b);
    }
    fx_sighash_cache_init(&cache, tx, spent);
    fx_sighash_task(tx, 0, spent, (uint8_t)spend->action, &cache, &hash);
    fx_tx_unref(tx);
    if (!fx_wallet_sign_hash(wallet, &spend->key, &hash, signature, &why)) {
        fx_jobs_pass_error(error, &why);
        return NULL;
    }
    set_witness(b, spend, signature);
    return fx_txb_build(b);
}

static struct fx_tx *sign_funded(struct fx_wallet *wallet, struct fx_txb *b,
                                 const struct fx_task_spend *spend, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_coin *spent = NULL;
    struct fx_tx *tx = NULL;

    if (!fx_wallet_spent_coins(wallet, b, &spent, &why)) {
        fx_jobs_pass_error(error, &why);
    } else {
        if (fx_wallet_sign(wallet, b, spent, &why)) {
            tx = sign_task(wallet, b, spend, spent, error);
        } else {
            fx_jobs_pass_error(error, &why);
        }
        for (size_t i = 0; i < b->n_in; i++) {
            fx_coin_clear(&spent[i]);
        }
        free(spent);
    }
    if (tx == NULL) {
        fx_wallet_release(wallet, b);
    }
    return tx;
}

/* The task's input alone: signatures need its value and script. */
static struct fx_tx *sign_alone(struct fx_wallet *wallet, struct fx_txb *b,
                                const struct fx_task_spend *spend, struct fx_jobs_error *error)
{
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_hash program;
    struct fx_coin coin;
    struct fx_txout out = {spend->value, {script, sizeof script}};
    struct fx_tx *tx;

    fx_task_program(spend->preimage, &program);
    fx_task_script(&program, script);
    memset(&coin, 0, sizeof coin);
    fx_coin_set(&coin, &out, 0, false);
    tx = sign_task(wallet, b, spend, &coin, error);
    fx_coin_clear(&coin);
    return tx;
}

static void lay_out(struct fx_txb *b, const struct fx_task_spend *spend, bool rest)
{
    fx_txb_init(b);
    b->lock_time = spend->lock_time;
    fx_txb_add_in(b, &spend->outpoint, spend->sequence);
    fx_txb_add_out(b, spend->paired, spend->script, sizeof spend->script);
    if (rest) {
        fx_txb_add_out(b, 0, spend->rest, sizeof spend->rest);
    }
}

struct fx_tx *fx_task_spend_build(struct fx_jobs *jobs, struct fx_wallet *wallet,
                                  const struct fx_task_spend *spend, struct fx_jobs_error *error)
{
    struct fx_txb b;
    struct fx_tx *tx = NULL;
    int64_t remains, rate, fee;

    lay_out(&b, spend, spend->has_rest);
    if (!choose_fee(jobs, &b, spend, 0, &rate, &fee, error)) {
        fx_txb_clear(&b);
        return NULL;
    }
    remains = spend->value - spend->paired - spend->burned - fee;
    if (remains >= DUST && (spend->paired == 0 || spend->has_rest)) {
        b.out[b.n_out - 1].value = remains;
        tx = sign_alone(wallet, &b, spend, error);
    } else {
        fx_txb_clear(&b);
        lay_out(&b, spend, false);
        if (spend->paired == 0) {
            b.out[0].value = DUST;
        }
        if (choose_fee(jobs, &b, spend, OWN_VSIZE, &rate, &fee, error)) {
            spare_last_coin(jobs, wallet, spend,
                            b.out[0].value + spend->burned + fee - spend->value);
            tx = fund(jobs, wallet, &b, spend, rate, error) ? sign_funded(wallet, &b, spend, error)
                                                            : NULL;
        }
    }
    fx_txb_clear(&b);
    return tx;
}

bool fx_task_spend_commit(struct fx_wallet *wallet, struct fx_tx *tx, const char *comment,
                          struct fx_hash *txid, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    bool done = fx_wallet_commit(wallet, tx, comment, &why);

    *txid = tx->txid;
    fx_tx_unref(tx);
    return done || fx_jobs_pass_error(error, &why);
}
