/* What undoing a block needs, and how it is written. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

#define COIN_MIN 3 /* bytes of the shortest coin */
#define CHANGE_MIN (FX_OUTPOINT_SIZE + 1)
#define HAD 1
#define HAS 2

void fx_undo_clear(struct fx_undo *undo)
{
    for (size_t i = 0; i < undo->n_coins; i++) {
        fx_coin_clear(&undo->coins[i]);
    }
    free(undo->coins);
    fx_record_delta_clear(&undo->records);
    memset(undo, 0, sizeof *undo);
}

void fx_undo_write(const struct fx_undo *undo, struct fx_buf *buf)
{
    fx_buf_var(buf, undo->n_coins);
    for (size_t i = 0; i < undo->n_coins; i++) {
        fx_coin_write(&undo->coins[i], buf);
    }
    fx_buf_var(buf, undo->records.n);
    for (size_t i = 0; i < undo->records.n; i++) {
        const struct fx_record_change *change = &undo->records.changes[i];

        fx_outpoint_write(&change->origin, buf);
        fx_buf_u8(buf, (uint8_t)((change->had ? HAD : 0) | (change->has ? HAS : 0)));
        if (change->had) {
            fx_task_record_write(&change->before, buf);
        }
        if (change->has) {
            fx_task_record_write(&change->after, buf);
        }
    }
}

static bool read_coins(struct fx_reader *r, struct fx_undo *undo)
{
    size_t n = (size_t)fx_read_count(r, FX_BLOCK_WEIGHT_MAX, COIN_MIN);

    if (r->bad) {
        return false;
    }
    undo->coins = (struct fx_coin *)fx_xcalloc(n + 1, sizeof *undo->coins);
    for (; undo->n_coins < n; undo->n_coins++) {
        if (!fx_coin_read(r, &undo->coins[undo->n_coins])) {
            return false;
        }
    }
    return true;
}

static bool read_change(struct fx_reader *r, struct fx_record_delta *records)
{
    struct fx_record_change change;
    uint8_t flags;

    memset(&change, 0, sizeof change);
    change.origin = fx_outpoint_read(r);
    flags = fx_read_u8(r);
    if (r->bad || flags > (HAD | HAS)) {
        return false;
    }
    change.had = (flags & HAD) != 0;
    change.has = (flags & HAS) != 0;
    if (change.had && !fx_task_record_read(r, &change.before)) {
        return false;
    }
    if (change.has && !fx_task_record_read(r, &change.after)) {
        return false;
    }
    return fx_record_delta_append(records, &change);
}

static bool read_changes(struct fx_reader *r, struct fx_record_delta *records)
{
    size_t n = (size_t)fx_read_count(r, FX_BLOCK_WEIGHT_MAX, CHANGE_MIN);

    for (size_t i = 0; i < n; i++) {
        if (r->bad || !read_change(r, records)) {
            return false;
        }
    }
    return !r->bad;
}

bool fx_undo_read(struct fx_reader *r, struct fx_undo *undo)
{
    memset(undo, 0, sizeof *undo);
    fx_record_delta_init(&undo->records);
    if (!read_coins(r, undo) || !read_changes(r, &undo->records)) {
        fx_undo_clear(undo);
        return false;
    }
    return true;
}
