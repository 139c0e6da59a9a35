/* The backing list of a job-lane template: settled work that the chain still counts (protocol
 * sections 4 and 6). */
#include "src/template/template_int.h"

#include <stdlib.h>

#include "src/util/mem.h"

static int compare_origins(const void *a, const void *b)
{
    return fx_outpoint_cmp(a, b);
}

static bool may_back(const struct fx_task_record *record, uint32_t height,
                     const struct fx_hash *solver)
{
    return record->settled != 0 && !record->backed && fx_hash_equal(&record->solver, solver) &&
           (uint64_t)record->settled + FX_RECORD_KEEP > height;
}

bool fx_backing_choose(const struct fx_view *view, uint32_t height, const struct fx_hash *solver,
                       const struct fx_outpoint *origins, size_t n, struct fx_outpoint **kept,
                       size_t *n_kept, uint64_t *credit, uint64_t *burns)
{
    struct fx_outpoint *sorted = fx_xcalloc(n + 1, sizeof(*sorted));
    if (n > 0) {
        /* The caller's order (oldest first) decides who is kept; sorting finds those named twice.
         */
        for (size_t i = 0; i < n; i++) {
            sorted[i] = origins[i];
        }
        qsort(sorted, n, sizeof(*sorted), compare_origins);
    }
    bool twice = false;
    for (size_t i = 1; i < n; i++) {
        twice = twice || fx_outpoint_equal(&sorted[i - 1], &sorted[i]);
    }
    const struct fx_outpoint *from = twice ? sorted : origins;
    *kept = fx_xcalloc(FX_BACKING_MAX, sizeof(**kept));
    *n_kept = 0;
    *credit = *burns = 0;
    for (size_t i = 0; i < n && *n_kept < FX_BACKING_MAX; i++) {
        if (twice && i > 0 && fx_outpoint_equal(&from[i - 1], &from[i])) {
            continue;
        }
        struct fx_task_record record;
        enum fx_lookup found = view->record(view->ctx, &from[i], &record);
        if (found == FX_LOOKUP_FAILED) {
            free(sorted);
            free(*kept);
            *kept = NULL;
            return false;
        }
        if (found == FX_FOUND && may_back(&record, height, solver)) {
            (*kept)[(*n_kept)++] = from[i];
            *credit += record.bricks; /* each at most 2^32, the list at most 2^12 */
            *burns += record.burn;
        }
    }
    free(sorted);
    return true;
}
