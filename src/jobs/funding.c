/*
 * The transactions of an own job: each announces some of its tasks and pays into them. What cannot
 * be sent at once (coins that are not there yet, a chain of unconfirmed transactions that is long
 * already) waits and is tried again, also after a restart.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define RETRY_MS 3000

static void write_tasks(struct fx_txb *tx, const struct fx_own_job *own,
                        const struct fx_own_tx *offer)
{
    const struct fx_own_part *part = &own->parts[offer->part];
    struct fx_buf script = FX_BUF_INIT, body = FX_BUF_INIT;
    struct fx_task_spec spec;

    fx_gemm_write(&part->gemm, &body);
    memset(&spec, 0, sizeof spec);
    spec.version = 1;
    spec.kind = FX_KIND_GEMM;
    spec.client = own->client;
    spec.deadline = offer->deadline;
    spec.window = own->window;
    spec.exclusive = own->exclusive;
    spec.body = fx_jobs_span(&body);
    fx_task_announcement_write(offer->first, &spec, &script);
    fx_txb_add_out(tx, 0, script.data, script.len);
    for (uint32_t i = 0; i < offer->count; i++) {
        struct fx_buf preimage = FX_BUF_INIT;
        struct fx_hash program;
        uint8_t task_script[FX_TASK_SCRIPT_SIZE];

        fx_task_fresh_preimage(&spec, offer->first + i, &preimage);
        fx_task_program(fx_jobs_span(&preimage), &program);
        fx_task_script(&program, task_script);
        fx_txb_add_out(tx, part->escrow, task_script, sizeof task_script);
        fx_buf_clear(&preimage);
    }
    fx_buf_clear(&script);
    fx_buf_clear(&body);
}

struct fx_tx *fx_funding_sign(struct fx_wallet *wallet, struct fx_txb *b,
                              struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_coin *spent = NULL;
    bool fine = fx_wallet_spent_coins(wallet, b, &spent, &why);

    if (fine) {
        fine = fx_wallet_sign(wallet, b, spent, &why);
        for (size_t i = 0; i < b->n_in; i++) {
            fx_coin_clear(&spent[i]);
        }
        free(spent);
    }
    if (!fine) {
        fx_wallet_release(wallet, b);
        fx_jobs_pass_error(error, &why);
        return NULL;
    }
    return fx_txb_build(b);
}

/* First to disk: what is paid for and then not known as the own job would lose its shape. */
static bool commit(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own,
                   struct fx_own_tx *offer, const struct fx_txb *b, const struct fx_tx *tx,
                   struct fx_jobs_error *error)
{
    bool first = fx_hash_is_zero(&own->id);
    struct fx_wallet_error why;

    offer->txid = tx->txid;
    if (first) {
        own->id = tx->txid;
    }
    if (!fx_own_save(jobs, own)) {
        memset(&offer->txid, 0, sizeof offer->txid);
        fx_wallet_release(wallet, b);
        return fx_jobs_refuse(error, -4, "The job cannot be written to disk");
    }
    if (fx_wallet_commit(wallet, tx, "job", &why)) {
        return true;
    }
    if (first) {
        fx_own_forget(jobs, own);
    } else {
        fx_map_remove(jobs->members, offer->txid.b);
        memset(&offer->txid, 0, sizeof offer->txid);
        fx_own_save(jobs, own);
    }
    return fx_jobs_pass_error(error, &why);
}

bool fx_funding_send(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own,
                     struct fx_own_tx *offer, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_tx *tx;
    struct fx_txb b;
    bool sent = false;

    fx_txb_init(&b);
    write_tasks(&b, own, offer);
    if (!fx_wallet_fund(wallet, &b, NULL, 0, own->fee_rate, 0, 0, 0, &offer->fee, &why)) {
        fx_jobs_pass_error(error, &why);
    } else {
        tx = fx_funding_sign(wallet, &b, error);
        sent = tx != NULL && commit(jobs, wallet, own, offer, &b, tx, error);
        fx_tx_unref(tx);
    }
    fx_txb_clear(&b);
    return sent;
}

/* Its deadline came before it could be sent: nobody would take it. */
static bool is_late(const struct fx_own_tx *offer)
{
    return (int64_t)offer->deadline <= fx_clock_now();
}

void fx_funding_send_all(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own)
{
    bool dropped = false;

    own->text[0] = '\0';
    for (size_t i = 0; i < own->n_offers; i++) {
        struct fx_own_tx *offer = &own->offers[i];
        struct fx_jobs_error error;

        if (fx_own_tx_status(jobs, offer) != FX_JOB_TX_WAITING) {
            continue;
        }
        if (is_late(offer)) {
            offer->dropped = dropped = true;
            continue;
        }
        if (!fx_funding_send(jobs, wallet, own, offer, &error)) {
            own->retry_ms = fx_clock_monotonic_ms() + RETRY_MS;
            fx_note_text(own->text, "%s", error.text);
            break;
        }
    }
    if (dropped && !fx_own_save(jobs, own)) {
        fx_log_info("jobs: an own job cannot be written");
    }
}

static bool has_waiting(const struct fx_jobs *jobs, const struct fx_own_job *own)
{
    for (size_t i = 0; i < own->n_offers; i++) {
        if (fx_own_tx_status(jobs, &own->offers[i]) == FX_JOB_TX_WAITING) {
            return true;
        }
    }
    return false;
}

void fx_funding_step(struct fx_jobs *jobs)
{
    int64_t now = fx_clock_monotonic_ms();
    size_t at = 0;
    void *value;

    if (fx_jobs_is_syncing(jobs)) {
        return;
    }
    while (fx_map_next(jobs->own, &at, NULL, &value)) {
        struct fx_own_job *own = value;
        struct fx_wallet *wallet;

        if (now < own->retry_ms || !has_waiting(jobs, own)) {
            continue;
        }
        wallet = fx_jobs_wallet_of(jobs, &own->client);
        if (wallet != NULL) {
            fx_funding_send_all(jobs, wallet, own);
            return; /* saving a job may have moved the entries of the map */
        }
    }
}

void fx_funding_announce(struct fx_jobs *jobs, const struct fx_own_job *own)
{
    struct fx_blob_key key;

    memset(&key, 0, sizeof key);
    key.type = FX_BLOB_OPERAND;
    for (size_t i = 0; i < own->n_parts; i++) {
        key.root = own->parts[i].gemm.root_a;
        fx_announce_start(jobs, &key);
        key.root = own->parts[i].gemm.root_b;
        fx_announce_start(jobs, &key);
    }
}
