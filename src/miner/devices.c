/* Listing, choosing, opening and trying devices. */
#include "src/miner/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/trial.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define DEVICES_MAX 64 /* of one backend */
#define TRIAL_HASHES 200000
#define TRIAL_MS 150

void fx_miner_devices_print(void)
{
    struct fx_device_info *found = fx_xcalloc(DEVICES_MAX, sizeof *found);

    for (size_t b = 0; fx_backends[b]; b++) {
        size_t n = fx_backends[b]->list(found, DEVICES_MAX);

        for (size_t at = 0; at < n && at < DEVICES_MAX; at++) {
            const struct fx_device_info *info = &found[at];

            printf("%s:%u  %s", info->backend, info->index, info->name);
            if (info->memory > 0)
                printf(", %" PRIu64 " MiB", info->memory >> 20);
            if (!info->usable)
                printf(" (not usable: %s)", info->why);
            else if (info->spare)
                printf(" (used only if it is asked for: another backend makes more of it)");
            printf("\n");
        }
    }
    free(found);
}

void fx_miner_device_title(const struct fx_device_choice *choice)
{
    printf("%s%s%s", choice->name, choice->model[0] ? ", " : "", choice->model);
}

/* ---- what was asked for ---------------------------------------------------------------------- */

struct choices {
    struct fx_device_choice *list;
    size_t n;
};

static struct fx_device_choice *choose(struct choices *choices, const struct fx_backend *backend,
                                       unsigned index)
{
    struct fx_device_choice *choice;

    for (size_t at = 0; at < choices->n; at++) {
        choice = &choices->list[at];
        if (choice->backend == backend && choice->index == index)
            return choice;
    }
    choices->list = fx_xreallocarray(choices->list, choices->n + 1, sizeof *choices->list);
    choice = &choices->list[choices->n++];
    *choice = (struct fx_device_choice){.backend = backend, .index = index};
    snprintf(choice->name, sizeof choice->name, "%.16s:%u", backend->name, index);
    return choice;
}

/* The usable devices of a backend, those that are spare or those that are not. Returns how many. */
static size_t choose_all(struct choices *choices, const struct fx_backend *backend, bool spare,
                         char why[FX_KERNEL_TEXT])
{
    struct fx_device_info *found = fx_xcalloc(DEVICES_MAX, sizeof *found);
    size_t n = backend->list(found, DEVICES_MAX), chosen = 0;

    for (size_t at = 0; at < n && at < DEVICES_MAX; at++) {
        if (!found[at].usable && !why[0])
            snprintf(why, FX_KERNEL_TEXT, "%s: %.120s", backend->name, found[at].why);
        if (found[at].usable && found[at].spare == spare) {
            struct fx_device_choice *choice = choose(choices, backend, found[at].index);

            memcpy(choice->model, found[at].name, sizeof choice->model);
            chosen++;
        }
    }
    free(found);
    return chosen;
}

static bool choose_kind(struct choices *choices, const struct fx_backend *backend,
                        char why[FX_KERNEL_TEXT])
{
    return choose_all(choices, backend, false, why) > 0 ||
           choose_all(choices, backend, true, why) > 0;
}

/* Of all backends but the CPU's, or of that one as well. */
static size_t choose_main(struct choices *choices, bool with_cpu)
{
    char why[FX_KERNEL_TEXT] = "";
    size_t n = 0;

    for (size_t b = 0; fx_backends[b]; b++) {
        if (with_cpu || fx_backends[b] != &fx_backend_cpu)
            n += choose_all(choices, fx_backends[b], false, why);
    }
    return n;
}

static void choose_one(struct choices *choices, const struct fx_backend *backend, unsigned index)
{
    struct fx_device_choice *choice = choose(choices, backend, index);
    struct fx_device_info *found = fx_xcalloc(DEVICES_MAX, sizeof *found);
    size_t n = backend->list(found, DEVICES_MAX);

    if (index < n && index < DEVICES_MAX)
        memcpy(choice->model, found[index].name, sizeof choice->model);
    free(found);
}

bool fx_miner_devices_choose(const struct fx_miner_options *options, struct fx_device_choice **list,
                             size_t *n, char error[FX_KERNEL_TEXT])
{
    struct choices choices = {NULL, 0};
    bool ok = true;

    error[0] = 0;
    for (size_t at = 0; at < options->n_wishes && ok; at++) {
        const struct fx_device_wish *wish = &options->wishes[at];

        switch (wish->wish) {
        case FX_WISH_AUTO:
            ok = choose_main(&choices, false) > 0 || choose_kind(&choices, &fx_backend_cpu, error);
            break;
        case FX_WISH_ALL:
            ok = choose_main(&choices, true) > 0;
            break;
        case FX_WISH_KIND:
            ok = choose_kind(&choices, wish->backend, error);
            break;
        case FX_WISH_ONE:
            choose_one(&choices, wish->backend, wish->index);
            break;
        }
    }
    if (!ok && !error[0])
        snprintf(error, FX_KERNEL_TEXT, "this machine has no device that is usable");
    if (!ok) {
        free(choices.list);
        choices = (struct choices){NULL, 0};
    }
    *list = choices.list;
    *n = choices.n;
    return ok;
}

struct fx_device *fx_miner_device_open(const struct fx_miner_options *options,
                                       const struct fx_device_choice *choice,
                                       char error[FX_KERNEL_TEXT])
{
    fx_backend_cpu_set_threads(options->threads);
    return choice->backend->open(choice->index, error);
}

/* ---- how fast it is -------------------------------------------------------------------------- */

bool fx_miner_device_measure(const struct fx_backend *backend, struct fx_device *device,
                             struct fx_pay_rates *rates, char error[FX_KERNEL_TEXT])
{
    static const uint8_t nothing[80]; /* a target that no hash meets; a header */
    struct fx_kernel_task task;
    const struct fx_kernel_header header = {.mode = FX_KERNEL_PRODUCT | FX_KERNEL_MINE};
    struct fx_kernel_stats before, stats;
    atomic_bool cancel = false;
    struct fx_session *session;
    struct fx_trial trial;
    enum fx_kernel_step step;
    uint64_t tried = 0;
    uint32_t nonce;
    int64_t start = fx_clock_monotonic_ns(), took;

    backend->hash(device, nothing, nothing, 0, TRIAL_HASHES, &cancel, &nonce, &tried);
    took = fx_clock_monotonic_ns() - start;
    if (fx_backend_hash_error(backend, device)[0]) {
        snprintf(error, FX_KERNEL_TEXT, "%s", fx_backend_hash_error(backend, device));
        return false;
    }
    rates->hashes = took > 0 ? (double)tried * 1e9 / (double)took : 0;
    fx_trial_init(&trial);
    task = fx_trial_task(&trial, 256, 256, 16);
    session = backend->begin(device, &task, NULL, error);
    if (!session) {
        fx_trial_clear(&trial);
        return false;
    }
    /* The first step makes what all bricks share. */
    step = backend->step(session, &header, 0, &cancel, &fx_trial_sink, error);
    backend->stats(session, &before);
    start = fx_clock_monotonic_ns();
    if (step == FX_STEP_MORE)
        step = backend->step(session, &header, TRIAL_MS, &cancel, &fx_trial_sink, error);
    took = fx_clock_monotonic_ns() - start;
    backend->stats(session, &stats);
    backend->end(session);
    fx_trial_clear(&trial);
    rates->bricks = took > 0 ? (double)(stats.bricks - before.bricks) * 1e9 / (double)took : 0;
    return step != FX_STEP_FAILED;
}
