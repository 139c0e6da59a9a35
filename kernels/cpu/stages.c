/* The order of a group's stages: what comes after one that is complete, and what a new header does
 * to the one under way. */
#include "kernels/cpu/session_int.h"

#include <string.h>

static bool mines(const struct fx_session *session)
{
    return (session->header->mode & FX_KERNEL_MINE) != 0;
}

static void enter(struct fx_session *session, struct fx_cpu_group *group, enum fx_cpu_stage stage)
{
    group->stage = stage;
    switch (stage) {
    case FX_CPU_PERMS:
        fx_cpu_items_set(&group->items, (size_t)2 * session->task.depth);
        return;
    case FX_CPU_PANELS:
    case FX_CPU_NOISE:
    case FX_CPU_DIGITS:
        fx_cpu_items_set(&group->items, group->units);
        return;
    case FX_CPU_BRICKS:
    case FX_CPU_PEEL:
        fx_cpu_items_set(&group->items, group->n_wanted);
        return;
    case FX_CPU_REST:
    case FX_CPU_GIVE:
        fx_cpu_items_set(&group->items, 0);
        return;
    }
}

/* Operands of the chunk; with noise, the permutations are those of the group's seed. */
static void enter_noise(struct fx_session *session, struct fx_cpu_group *group, bool noised,
                        bool summed)
{
    group->noised = noised;
    group->summed = summed;
    for (unsigned side = 0; noised && side < 2; side++) {
        memcpy(group->perms[side],
               session->perms + (size_t)side * session->task.depth + group->next,
               group->segments * sizeof *group->perms[side]);
        fx_cpu_plan_init(&group->plans[side], group->perms[side], group->segments);
    }
    enter(session, group, FX_CPU_NOISE);
}

static bool same_seed(const struct fx_session *session, const struct fx_cpu_group *group)
{
    return !memcmp(group->seed.seed, session->seed.seed, 32);
}

/* What the next chunk of the group needs first. */
static void plan(struct fx_session *session, struct fx_cpu_group *group)
{
    const bool product = group == &session->product;
    uint32_t left;

    group->again = false;
    if (group->next == session->task.depth) {
        enter(session, group, group->gathered ? FX_CPU_DIGITS : FX_CPU_GIVE);
        return;
    }
    left = session->task.depth - group->next;
    group->segments = left < FX_CPU_CHUNK ? left : FX_CPU_CHUNK;
    if (!mines(session)) {
        enter_noise(session, group, false, product);
        return;
    }
    if (!session->has_perms) {
        enter(session, group, FX_CPU_PERMS);
        return;
    }
    if (group->gathered && !same_seed(session, group)) {
        enter(session, group, FX_CPU_DIGITS);
        return;
    }
    if (!group->has_panels || !same_seed(session, group)) {
        group->seed = session->seed;
        group->has_panels = false; /* whatever comes before they are made */
        enter(session, group, FX_CPU_PANELS);
        return;
    }
    enter_noise(session, group, true, product);
}

/* Does the stage NOISE go into G and H? */
static bool gathers(const struct fx_cpu_group *group)
{
    return group->noised && group->summed;
}

/* What has gone into G and H stays there: then the stage has to be finished. */
static bool has_gathered(const struct fx_cpu_group *group)
{
    return group->stage == FX_CPU_NOISE && gathers(group) &&
           (group->undone || fx_cpu_items_begun(&group->items));
}

static bool any_dirty(const struct fx_cpu_group *group)
{
    for (size_t unit = 0; unit < group->units; unit++) {
        for (size_t s = 0; s < group->segments; s++) {
            if (group->dirty[unit * FX_CPU_CHUNK + s])
                return true;
        }
    }
    return false;
}

/* Gathers the chunk once more, with all signs turned. */
static void enter_undo(struct fx_session *session, struct fx_cpu_group *group)
{
    group->undone = true;
    for (unsigned side = 0; side < 2; side++)
        fx_cpu_plan_negate(&group->plans[side]);
    enter(session, group, FX_CPU_NOISE);
}

/*
 * Entries outside [-64, 63] cannot be noised within int8, and a block of them cannot win. G and H
 * are shared by a row or column of tiles, so where there is such a block, the product of the whole
 * chunk goes without noise, and the bricks that can win are made once more for their tickets.
 */
static void after_noise(struct fx_session *session, struct fx_cpu_group *group)
{
    if (gathers(group) && !group->undone && !any_dirty(group)) {
        group->gathered = true;
        enter(session, group, FX_CPU_BRICKS);
    } else if (gathers(group) && !group->undone && group->gathered) {
        enter_undo(session, group);
    } else if (gathers(group)) {
        group->undone = false;
        group->again = true;
        enter_noise(session, group, false, true);
    } else {
        enter(session, group, FX_CPU_BRICKS);
    }
}

static void after_bricks(struct fx_session *session, struct fx_cpu_group *group)
{
    group->has_sums = group->has_sums || group->summed;
    if (group->again && mines(session) && same_seed(session, group)) {
        group->again = false;
        enter_noise(session, group, true, false);
        return;
    }
    group->next += group->segments;
    plan(session, group);
}

bool fx_cpu_advance(struct fx_session *session, struct fx_cpu_group *group)
{
    switch (group->stage) {
    case FX_CPU_REST:
        if (!fx_cpu_next_group(session, group))
            return false;
        plan(session, group);
        return true;
    case FX_CPU_PERMS:
        session->has_perms = true;
        plan(session, group);
        return true;
    case FX_CPU_PANELS:
        group->has_panels = true;
        plan(session, group);
        return true;
    case FX_CPU_NOISE:
        after_noise(session, group);
        return true;
    case FX_CPU_BRICKS:
        after_bricks(session, group);
        return true;
    case FX_CPU_DIGITS:
        enter(session, group, FX_CPU_PEEL);
        return true;
    case FX_CPU_PEEL:
        if (atomic_exchange(&group->remains, false)) {
            enter(session, group, FX_CPU_DIGITS);
            return true;
        }
        group->gathered = false;
        plan(session, group);
        return true;
    case FX_CPU_GIVE:
        enter(session, group, FX_CPU_REST);
        return true;
    }
    return false;
}

void fx_cpu_take_header(struct fx_session *session, struct fx_cpu_group *group)
{
    if (mines(session) &&
        (!session->seeded || memcmp(session->seed.seed, session->header->seed, 32) != 0)) {
        fx_cpu_seed_init(&session->seed, session->header->seed);
        session->seeded = true;
        session->has_perms = false;
        session->n_found = 0; /* of the header before */
    }
    if (group == &session->mining && (!session->mined || !same_seed(session, group))) {
        group->seed = session->seed;
        session->mined = true;
        session->next_mined = 0;
        enter(session, group, FX_CPU_REST);
    }
    switch (group->stage) {
    case FX_CPU_PERMS:
    case FX_CPU_PANELS:
        plan(session, group);
        return;
    case FX_CPU_NOISE:
        if (has_gathered(group))
            return;
        if (group == &session->product && !group->summed)
            group->next += group->segments; /* the product has it; tickets were next */
        plan(session, group);
        return;
    case FX_CPU_REST:
    case FX_CPU_BRICKS:
    case FX_CPU_DIGITS:
    case FX_CPU_PEEL:
    case FX_CPU_GIVE:
        return;
    }
}

/* Is the stage one that has to be finished before tiles can be peeled? */
static bool under_way(const struct fx_cpu_group *group)
{
    return group->stage == FX_CPU_BRICKS || has_gathered(group);
}

bool fx_cpu_settle(struct fx_session *session)
{
    static const struct fx_kernel_header none;
    static const atomic_bool never = false;
    struct fx_cpu_group *group = &session->product;

    session->header = &none;
    session->cancel = &never;
    while (group->stage != FX_CPU_REST && group->stage != FX_CPU_GIVE) {
        if (under_way(group) || group->stage == FX_CPU_DIGITS || group->stage == FX_CPU_PEEL) {
            fx_cpu_group_run(session, group);
            if (atomic_load(&session->unreadable))
                return false;
            fx_cpu_advance(session, group);
            continue;
        }
        fx_cpu_take_header(session, group);
        if (!group->gathered)
            return true;
        enter(session, group, FX_CPU_DIGITS);
    }
    return true;
}

void fx_cpu_resume(struct fx_session *session, uint32_t next)
{
    static const struct fx_kernel_header none;

    session->header = &none;
    session->product.next = next;
    session->product.has_sums = true;
    plan(session, &session->product);
}
