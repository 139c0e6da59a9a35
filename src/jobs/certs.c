/* Certificates: a client's word, for one claimed output, that its result is right (protocol
 * section 9). */
#include <string.h>

#include "consensus/spend.h"
#include "src/jobs/jobs_int.h"
#include "src/sys/log.h"

static void log_cert(const struct fx_book_task *task, const char *what)
{
    char id[FX_HASH_HEX];

    fx_hash_to_id(&task->origin.txid, id);
    fx_log_info("jobs: task %s:%u %s", id, task->origin.index, what);
}

enum fx_cert fx_jobs_cert(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                          const struct fx_hash *program, const uint8_t signature[64])
{
    const struct fx_book_task *task = fx_book_find(jobs->book, origin);
    struct fx_note *note;
    struct fx_hash hash;

    if (task == NULL || task->state.status != FX_STATUS_CLAIMED ||
        !fx_hash_equal(&task->state.program, program)) {
        return FX_CERT_IGNORED;
    }
    note = fx_note_find(jobs, task);
    if (note != NULL && note->certified) {
        return FX_CERT_KNOWN;
    }
    fx_task_accept_hash(program, &hash);
    if (!fx_schnorr_verify(&task->job->spec.client, &hash, signature)) {
        return FX_CERT_BAD;
    }
    note = fx_note_get(jobs, task);
    note->certified = true;
    note->end_ms = 0; /* what failed without it may be tried again at once */
    memcpy(note->certificate, signature, sizeof note->certificate);
    /* Kept in memory where the disk is full: the network has it too. */
    fx_note_save(jobs, note);
    log_cert(task, "is certified by its client");
    fx_jobs_kick(jobs);
    return FX_CERT_NEW;
}

void fx_jobs_each_cert(struct fx_jobs *jobs,
                       void (*visit)(void *ctx, const struct fx_outpoint *origin,
                                     const struct fx_hash *program, const uint8_t signature[64]),
                       void *ctx)
{
    const struct fx_book_task *task;
    size_t at = 0;

    while ((task = fx_book_next_active(jobs->book, &at)) != NULL) {
        const struct fx_note *note = fx_note_find(jobs, task);

        if (task->state.status == FX_STATUS_CLAIMED && note != NULL && note->certified) {
            visit(ctx, &task->origin, &task->state.program, note->certificate);
        }
    }
}

bool fx_cert_make(struct fx_jobs *jobs, struct fx_book_task *task, struct fx_wallet *wallet)
{
    struct fx_note *note = fx_note_get(jobs, task);
    struct fx_wallet_error why;
    struct fx_hash hash;

    fx_task_accept_hash(&task->state.program, &hash);
    if (!fx_wallet_sign_hash(wallet, &task->job->spec.client, &hash, note->certificate, &why)) {
        fx_note_text(note->text, "right, but not certified: %s", why.text);
        return false;
    }
    note->certified = true;
    note->end_ms = 0; /* what failed without it may be tried again at once */
    note->text[0] = '\0';
    fx_note_save(jobs, note);
    fx_net_relay_cert(jobs->config.net, &task->origin, &task->state.program, note->certificate);
    log_cert(task, "has the right result: certified");
    fx_jobs_kick(jobs);
    return true;
}
