/* Whom an exclusive task is assigned to, as the rules see it (protocol section 5). */
#include <stdlib.h>
#include <string.h>

#include "consensus/spend.h"
#include "src/jobs/jobs_int.h"

void fx_assigner_init(struct fx_assigner *assigner, const struct fx_jobs *jobs)
{
    memset(assigner, 0, sizeof *assigner);
    fx_chain_view(jobs->config.chain, &assigner->view);
}

void fx_assigner_clear(struct fx_assigner *assigner)
{
    free(assigner->solvers);
    memset(assigner, 0, sizeof *assigner);
}

static void look_up(struct fx_assigner *assigner, uint32_t h0)
{
    const struct fx_view *view = &assigner->view;

    if (assigner->known && assigner->h0 == h0) {
        return;
    }
    free(assigner->solvers);
    assigner->solvers = NULL;
    assigner->n = 0;
    assigner->known = true;
    assigner->h0 = h0;
    assigner->has_beacon = view->beacon(view->ctx, h0, &assigner->beacon);
    if (assigner->has_beacon == FX_FOUND &&
        fx_exclusive_solvers(view, h0, &assigner->solvers, &assigner->n) != FX_VALID) {
        assigner->has_beacon = FX_LOOKUP_FAILED;
    }
}

enum fx_slot fx_assigner_find(struct fx_assigner *assigner, const struct fx_book_task *task,
                              struct fx_hash *assignee)
{
    if (task->job->spec.exclusive == 0) {
        return FX_SLOT_NONE;
    }
    look_up(assigner, task->state.h0);
    switch (assigner->has_beacon) {
    case FX_FOUND:
        break;
    case FX_MISSING:
        return FX_SLOT_WAITS;
    case FX_LOOKUP_FAILED:
        return FX_SLOT_NONE;
    }
    if (assigner->n == 0) {
        return FX_SLOT_ANYONE;
    }
    *assignee =
        assigner->solvers[fx_exclusive_pick(&assigner->beacon.id, &task->origin, assigner->n)];
    return FX_SLOT_OTHER;
}
