/* The changes that a block, or a transaction in the mempool, makes to task records, with what they
 * were before. */
#ifndef FX_CONSENSUS_RECORDS_H
#define FX_CONSENSUS_RECORDS_H

#include "consensus/view.h"

struct fx_record_change {
    struct fx_outpoint origin;
    bool had, has; /* there was a record before, there is one after */
    struct fx_task_record before, after;
};

/* In the order in which origins were first touched; one entry an origin. */
struct fx_record_delta {
    struct fx_record_change *changes;
    size_t n, cap;
    uint32_t *order; /* private: the changes, sorted by origin */
};

void fx_record_delta_init(struct fx_record_delta *delta);
void fx_record_delta_clear(struct fx_record_delta *delta);
/* The record as it stands after the changes so far. */
enum fx_lookup fx_record_delta_get(const struct fx_record_delta *delta, const struct fx_view *view,
                                   const struct fx_outpoint *origin, struct fx_task_record *record);
/* Sets (record not NULL) or removes. Says whether there was a record just before;
 * FX_LOOKUP_FAILED, with nothing changed, where that could not be looked up. */
enum fx_lookup fx_record_delta_set(struct fx_record_delta *delta, const struct fx_view *view,
                                   const struct fx_outpoint *origin,
                                   const struct fx_task_record *record);
/* Adds a change as it stands, one that was written down before. False where its origin has one. */
bool fx_record_delta_append(struct fx_record_delta *delta, const struct fx_record_change *change);
/* to is initialised by it: a copy to try changes on. */
void fx_record_delta_copy(struct fx_record_delta *to, const struct fx_record_delta *from);

#endif
