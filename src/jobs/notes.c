/*
 * What this node knows by itself, in the module's database. Keys, by first byte:
 *   N origin   a note: program, check, certificate, payout, text, wrong entry, rounds
 *   O txid     an own job: own.c
 * These are promises and findings, not the chain's: a reorganisation leaves them alone, and each
 * note names the claimed output that it is about.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

static bool fits(const struct fx_note *note, const struct fx_book_task *task)
{
    return fx_book_is_claim(task) ? fx_hash_equal(&note->program, &task->state.program)
                                  : fx_hash_is_zero(&note->program);
}

static struct fx_note *lookup(const struct fx_jobs *jobs, const struct fx_outpoint *origin)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(origin, key);
    return fx_map_get(jobs->notes, key);
}

struct fx_note *fx_note_find(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    struct fx_note *note = lookup(jobs, &task->origin);

    return note != NULL && fits(note, task) ? note : NULL;
}

struct fx_note *fx_note_get(struct fx_jobs *jobs, const struct fx_book_task *task)
{
    struct fx_note *note = lookup(jobs, &task->origin);

    if (note == NULL) {
        uint8_t key[FX_OUTPOINT_SIZE];

        note = fx_xcalloc(1, sizeof *note);
        note->origin = task->origin;
        fx_outpoint_key(&task->origin, key);
        fx_map_put(jobs->notes, key, note);
    } else if (!fits(note, task)) {
        if (note->fetching) {
            fx_net_cancel_blob(jobs->config.net, &note->fetched);
        }
        memset(note, 0, sizeof *note);
        note->origin = task->origin;
    }
    if (fx_book_is_claim(task)) {
        note->program = task->state.program;
    }
    return note;
}

void fx_note_refresh(struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_note *note = lookup(jobs, &task->origin);

    if (note != NULL && !fits(note, task)) {
        fx_note_get(jobs, task);
    }
}

void fx_note_text(char text[FX_NOTE_TEXT], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(text, FX_NOTE_TEXT, format, args);
    va_end(args);
}

bool fx_note_save(struct fx_jobs *jobs, const struct fx_note *note)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[1 + FX_OUTPOINT_SIZE] = {'N'};
    bool saved, final = note->check == FX_CHECK_RIGHT || note->check == FX_CHECK_WRONG;

    fx_outpoint_key(&note->origin, key + 1);
    fx_buf_hash(&value, &note->program);
    fx_buf_u8(&value, final ? (uint8_t)note->check : FX_CHECK_NONE);
    fx_buf_u8(&value, note->certified ? 1 : 0);
    fx_buf_bytes(&value, note->certificate, sizeof note->certificate);
    fx_buf_u8(&value, note->has_payout ? 1 : 0);
    fx_buf_hash(&value, &note->payout);
    fx_buf_var_bytes(&value, note->text, strlen(note->text));
    fx_buf_u8(&value, note->located ? 1 : 0);
    fx_buf_u32(&value, note->row);
    fx_buf_u32(&value, note->column);
    fx_buf_u8(&value, note->rounds);
    saved = fx_db_write(jobs->db, key, sizeof key, value.data, value.len, true);
    fx_buf_clear(&value);
    return saved;
}

static bool load_note(struct fx_jobs *jobs, const uint8_t *key, size_t key_len,
                      const uint8_t *value, size_t n)
{
    struct fx_note *note = fx_xcalloc(1, sizeof *note);
    struct fx_reader r;
    const uint8_t *text;
    size_t length;
    uint8_t check;

    fx_reader_init(&r, key + 1, key_len - 1);
    note->origin = fx_outpoint_read(&r);
    if (!fx_reader_done(&r)) {
        free(note);
        return false;
    }
    fx_reader_init(&r, value, n);
    note->program = fx_read_hash(&r);
    check = fx_read_u8(&r);
    note->certified = fx_read_u8(&r) != 0;
    fx_read_copy(&r, note->certificate, sizeof note->certificate);
    note->has_payout = fx_read_u8(&r) != 0;
    note->payout = fx_read_hash(&r);
    text = fx_read_var_bytes(&r, sizeof note->text - 1, &length);
    note->located = fx_read_u8(&r) != 0;
    note->row = fx_read_u32(&r);
    note->column = fx_read_u32(&r);
    note->rounds = fx_read_u8(&r);
    if (!fx_reader_done(&r) || check > FX_CHECK_WRONG) {
        free(note);
        return false;
    }
    note->check = (enum fx_check_status)check;
    if (length > 0) {
        memcpy(note->text, text, length);
    }
    fx_map_put(jobs->notes, key + 1, note);
    return true;
}

/* ------------------------------------------------------------------------------------------ */

bool fx_notes_load_all(struct fx_jobs *jobs, char kind,
                       bool (*load)(struct fx_jobs *jobs, const uint8_t *key, size_t key_len,
                                    const uint8_t *value, size_t n))
{
    struct fx_db_iter *it = fx_db_iter_create(jobs->db, &kind, 1);
    const uint8_t *key, *value;
    size_t key_len, n;
    bool fine;

    while (fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        if (!load(jobs, key, key_len, value, n)) {
            fx_log_info("jobs: an entry '%c' does not parse, it is left out", kind);
        }
    }
    fine = !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    return fine;
}

bool fx_notes_load(struct fx_jobs *jobs)
{
    return fx_notes_load_all(jobs, 'N', load_note);
}
