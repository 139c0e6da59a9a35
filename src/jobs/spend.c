/* Transactions that spend a task output: witness, fee, signatures (protocol section 5). */
#include <stdlib.h>
#include <string.h>

#include "consensus/sighash.h"
#include "src/jobs/jobs_int.h"
#include "src/util/mem.h"

#define SIGNATURE_BYTES 64
#define FEE_TARGET 6 /* blocks */
#define DUST 330     /* embers: less is not worth an output */

/* Replaces the witness of the task's input, which is the first one. */
static void set_witness(struct fx_txb *b, const struct fx_task_spend *spend,
                        const uint8_t signature[SIGNATURE_BYTES])
{
    uint8_t action = (uint8_t)spend->action;

    fx_txb_clear_witness(b, 0);
    fx_txb_push_witness(b, 0, &action, 1);
    fx_txb_push_witness(b, 0, signature, SIGNATURE_BYTES);
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
    size_t weight = fx_var_size(3 + spend->n_items) + item_size(1) + item_size(SIGNATURE_BYTES) +
                    item_size(spend->preimage.len);

    for (size_t i = 0; i < spend->n_items; i++) {
        weight += item_size(spend->items[i].len);
    }
    return weight;
}

/* The fee of the transaction as it stands, with the task's witness in place. */
static int64_t fee_of(const struct fx_jobs *jobs, struct fx_txb *b,
                      const struct fx_task_spend *spend)
{
    static const uint8_t none[SIGNATURE_BYTES];
    int64_t rate = fx_mempool_estimate(jobs->config.mempool, FEE_TARGET);
    struct fx_tx *tx;
    int64_t vsize;

    set_witness(b, spend, none);
    tx = fx_txb_build(b);
    vsize = (int64_t)fx_tx_vsize(tx);
    fx_tx_unref(tx);
    fx_txb_clear_witness(b, 0);
    return (rate * vsize + 999) / 1000;
}

/* Own inputs for what the task's input does not pay, and change. */
static bool fund(struct fx_wallet *wallet, struct fx_txb *b, const struct fx_task_spend *spend,
                 struct fx_jobs_error *error)
{
    struct fx_fund_input input = {
        .in = 0, .value = spend->value, .witness_weight = witness_weight(spend)};
    struct fx_wallet_error why;
    int64_t fee;

    return fx_wallet_fund(wallet, b, &input, 1, 0, spend->burned, 0, &fee, &why) ||
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
    uint8_t signature[SIGNATURE_BYTES];

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

struct fx_tx *fx_task_spend_build(struct fx_jobs *jobs, struct fx_wallet *wallet,
                                  const struct fx_task_spend *spend, struct fx_jobs_error *error)
{
    struct fx_txb b;
    struct fx_tx *tx = NULL;
    int64_t remains = 0;

    fx_txb_init(&b);
    b.lock_time = spend->lock_time;
    fx_txb_add_in(&b, &spend->outpoint, spend->sequence);
    fx_txb_add_out(&b, spend->paired, spend->script, sizeof spend->script);
    if (spend->paired == 0) {
        remains = spend->value - spend->burned - fee_of(jobs, &b, spend);
        b.out[0].value = remains >= DUST ? remains : DUST;
    }
    if (remains >= DUST) {
        tx = sign_alone(wallet, &b, spend, error);
    } else if (fund(wallet, &b, spend, error)) {
        tx = sign_funded(wallet, &b, spend, error);
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
