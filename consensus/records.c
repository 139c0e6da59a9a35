/* The changes that a block or a transaction makes to task records. */
#include "consensus/records.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

void fx_record_delta_init(struct fx_record_delta *delta)
{
    memset(delta, 0, sizeof *delta);
}

void fx_record_delta_clear(struct fx_record_delta *delta)
{
    free(delta->changes);
    free(delta->order);
    fx_record_delta_init(delta);
}

/* Where the origin stands in the sorted order, or would; true where it is there. */
static bool find(const struct fx_record_delta *delta, const struct fx_outpoint *origin, size_t *at)
{
    size_t low = 0, high = delta->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = fx_outpoint_cmp(&delta->changes[delta->order[middle]].origin, origin);

        if (c == 0) {
            *at = middle;
            return true;
        }
        if (c < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *at = low;
    return false;
}

static struct fx_record_change *insert(struct fx_record_delta *delta, size_t at)
{
    struct fx_record_change *change;

    if (delta->n == delta->cap) {
        delta->cap = delta->cap == 0 ? 8 : 2 * delta->cap;
        delta->changes = (struct fx_record_change *)fx_xreallocarray(delta->changes, delta->cap,
                                                                     sizeof *delta->changes);
        delta->order = (uint32_t *)fx_xreallocarray(delta->order, delta->cap, sizeof *delta->order);
    }
    memmove(delta->order + at + 1, delta->order + at, (delta->n - at) * sizeof *delta->order);
    delta->order[at] = (uint32_t)delta->n;
    change = &delta->changes[delta->n++];
    memset(change, 0, sizeof *change);
    return change;
}

enum fx_lookup fx_record_delta_get(const struct fx_record_delta *delta, const struct fx_view *view,
                                   const struct fx_outpoint *origin, struct fx_task_record *record)
{
    const struct fx_record_change *change;
    size_t at;

    if (!find(delta, origin, &at)) {
        return view->record(view->ctx, origin, record);
    }
    change = &delta->changes[delta->order[at]];
    if (!change->has) {
        return FX_MISSING;
    }
    *record = change->after;
    return FX_FOUND;
}

static void assign(struct fx_record_change *change, const struct fx_task_record *record)
{
    change->has = record != NULL;
    if (record != NULL) {
        change->after = *record;
    } else {
        memset(&change->after, 0, sizeof change->after);
    }
}

enum fx_lookup fx_record_delta_set(struct fx_record_delta *delta, const struct fx_view *view,
                                   const struct fx_outpoint *origin,
                                   const struct fx_task_record *record)
{
    struct fx_record_change *change;
    struct fx_task_record before;
    enum fx_lookup lookup;
    size_t at;

    if (find(delta, origin, &at)) {
        change = &delta->changes[delta->order[at]];
        lookup = change->has ? FX_FOUND : FX_MISSING;
        assign(change, record);
        return lookup;
    }
    lookup = view->record(view->ctx, origin, &before);
    if (lookup == FX_LOOKUP_FAILED) {
        return lookup;
    }
    change = insert(delta, at);
    change->origin = *origin;
    change->had = lookup == FX_FOUND;
    if (change->had) {
        change->before = before;
    }
    assign(change, record);
    return lookup;
}

void fx_record_delta_copy(struct fx_record_delta *to, const struct fx_record_delta *from)
{
    fx_record_delta_init(to);
    if (from->n == 0) {
        return;
    }
    to->n = from->n;
    to->cap = from->n;
    to->changes =
        (struct fx_record_change *)fx_xmemdup(from->changes, from->n * sizeof *from->changes);
    to->order = (uint32_t *)fx_xmemdup(from->order, from->n * sizeof *from->order);
}

bool fx_record_delta_append(struct fx_record_delta *delta, const struct fx_record_change *change)
{
    size_t at;

    if (find(delta, &change->origin, &at)) {
        return false;
    }
    *insert(delta, at) = *change;
    return true;
}
