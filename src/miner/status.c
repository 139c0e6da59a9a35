/* Counters, and what is shown of them. */
#include "src/miner/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

void fx_miner_status_init(struct fx_miner_status *status, const char *network,
                          const struct fx_device_choice *choices, size_t n)
{
    memset(status, 0, sizeof *status);
    status->network = network;
    status->start_ms = fx_clock_monotonic_ms();
    status->devices = fx_xcalloc(n + 1, sizeof *status->devices);
    status->n = n;
    for (size_t at = 0; at < n; at++)
        status->devices[at].choice = &choices[at];
    pthread_mutex_init(&status->lock, NULL);
    fx_miner_status_sample(status);
}

void fx_miner_status_clear(struct fx_miner_status *status)
{
    pthread_mutex_destroy(&status->lock);
    free(status->devices);
}

void fx_miner_status_set(struct fx_miner_status *status, struct fx_device_status *device,
                         enum fx_device_state state, const char *text)
{
    pthread_mutex_lock(&status->lock);
    if (device->state != FX_DEVICE_RETIRED) {
        device->state = state;
        device->task[0] = 0;
        if (state == FX_DEVICE_RETIRED)
            snprintf(device->why, sizeof device->why, "%s", text);
        else if (text)
            snprintf(device->task, sizeof device->task, "%s", text);
    }
    pthread_mutex_unlock(&status->lock);
}

void fx_miner_status_sample(struct fx_miner_status *status)
{
    int64_t now = fx_clock_monotonic_ms();

    pthread_mutex_lock(&status->lock);
    for (size_t at = 0; at < status->n; at++) {
        struct fx_device_status *d = &status->devices[at];

        d->samples[d->n_samples++ % FX_STATUS_SAMPLES] =
            (struct fx_status_sample){now, atomic_load(&d->bricks), atomic_load(&d->hashes)};
    }
    pthread_mutex_unlock(&status->lock);
}

/* ---- a look at all of it --------------------------------------------------------------------- */

struct view {
    double bricks_rate, hashes_rate; /* a second */
    struct fx_device_sensors sensors;
    enum fx_device_state state;
    char task[FX_STATUS_TASK], why[FX_KERNEL_TEXT];
};

struct sums {
    double bricks_rate, hashes_rate;
    unsigned long long tickets, job_blocks, hash_blocks, tasks_done;
};

static const struct fx_status_sample *oldest(const struct fx_device_status *d)
{
    return &d->samples[d->n_samples < FX_STATUS_SAMPLES ? 0 : d->n_samples % FX_STATUS_SAMPLES];
}

static void look(struct fx_miner_status *status, struct fx_device_status *d, struct view *out)
{
    const struct fx_backend *backend = d->choice->backend;
    double seconds;

    pthread_mutex_lock(&status->lock);
    seconds = (double)(fx_clock_monotonic_ms() - oldest(d)->ms) / 1000;
    if (seconds < 0.001)
        seconds = 0.001;
    out->bricks_rate = (double)(atomic_load(&d->bricks) - oldest(d)->bricks) / seconds;
    out->hashes_rate = (double)(atomic_load(&d->hashes) - oldest(d)->hashes) / seconds;
    out->state = d->state;
    memcpy(out->task, d->task, sizeof out->task);
    memcpy(out->why, d->why, sizeof out->why);
    pthread_mutex_unlock(&status->lock);
    out->sensors = (struct fx_device_sensors){-1, -1};
    if (backend->sensors && d->device)
        backend->sensors(d->device, &out->sensors);
}

static void add(struct sums *sums, struct fx_device_status *d, const struct view *view)
{
    sums->bricks_rate += view->bricks_rate;
    sums->hashes_rate += view->hashes_rate;
    sums->tickets += atomic_load(&d->tickets);
    sums->job_blocks += atomic_load(&d->job_blocks);
    sums->hash_blocks += atomic_load(&d->hash_blocks);
    sums->tasks_done += atomic_load(&d->tasks_done);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void row(struct fx_device_status *d, const struct view *view)
{
    char degrees[16] = "-", watts[16] = "-", work[FX_STATUS_TASK + FX_KERNEL_TEXT] = "nothing";

    if (view->sensors.temperature >= 0)
        snprintf(degrees, sizeof degrees, "%d C", view->sensors.temperature);
    if (view->sensors.milliwatts >= 0)
        snprintf(watts, sizeof watts, "%d W", (view->sensors.milliwatts + 500) / 1000);
    switch (view->state) {
    case FX_DEVICE_IDLE:
        break;
    case FX_DEVICE_HASH:
        snprintf(work, sizeof work, "hash lane");
        break;
    case FX_DEVICE_TASK:
        snprintf(work, sizeof work, "task %s", view->task);
        break;
    case FX_DEVICE_RETIRED:
        snprintf(work, sizeof work, "retired: %s", view->why);
        break;
    }
    fx_miner_say("%-10s %10.1f %12.0f %6s %7s %8llu %7llu %6llu %7llu  %s", d->choice->name,
                 view->bricks_rate, view->hashes_rate, degrees, watts,
                 (unsigned long long)atomic_load(&d->tickets),
                 (unsigned long long)(atomic_load(&d->job_blocks) + atomic_load(&d->hash_blocks)),
                 (unsigned long long)atomic_load(&d->tasks_done),
                 (unsigned long long)atomic_load(&d->errors), work);
}

void fx_miner_status_print(struct fx_miner_status *status)
{
    struct sums sums = {0};
    char paid[FX_AMOUNT_TEXT];

    fx_miner_say("%-10s %10s %12s %6s %7s %8s %7s %6s %7s  %s", "device", "bricks/s", "hashes/s",
                 "temp", "power", "tickets", "blocks", "tasks", "errors", "works on");
    for (size_t at = 0; at < status->n; at++) {
        struct view view;

        look(status, &status->devices[at], &view);
        add(&sums, &status->devices[at], &view);
        row(&status->devices[at], &view);
    }
    fx_amount_format(atomic_load(&status->paid), paid);
    fx_miner_say("status: %.1f bricks/s, %.0f hashes/s | tickets %llu | blocks: job %llu, hash "
                 "%llu | tasks: done %llu, claimed %llu, paid %llu | paid %s FNX",
                 sums.bricks_rate, sums.hashes_rate, sums.tickets, sums.job_blocks,
                 sums.hash_blocks, sums.tasks_done,
                 (unsigned long long)atomic_load(&status->tasks_claimed),
                 (unsigned long long)atomic_load(&status->tasks_paid), paid);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *number_or_null(int value, double unit)
{
    return value < 0 ? json_null() : json_real((double)value * unit);
}

static json_t *text_or_null(const char *text)
{
    return text[0] ? json_string(text) : json_null();
}

static json_t *count(const atomic_ullong *counter)
{
    return json_integer((json_int_t)atomic_load(counter));
}

static json_t *device_json(struct fx_device_status *d, const struct view *view)
{
    static const char *const states[] = {
        [FX_DEVICE_IDLE] = "idle",
        [FX_DEVICE_HASH] = "hash",
        [FX_DEVICE_TASK] = "task",
        [FX_DEVICE_RETIRED] = "retired",
    };

    return json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:f,s:f,s:o,s:o,s:o,s:{s:o,s:o},s:o,s:o,s:o,s:o}", "device",
        d->choice->name, "name", d->choice->model, "state", states[view->state], "task",
        text_or_null(view->task), "why", text_or_null(view->why), "bricks_per_second",
        view->bricks_rate, "hashes_per_second", view->hashes_rate, "bricks", count(&d->bricks),
        "hashes", count(&d->hashes), "tickets", count(&d->tickets), "blocks", "job",
        count(&d->job_blocks), "hash", count(&d->hash_blocks), "tasks", count(&d->tasks_done),
        "errors", count(&d->errors), "temperature", number_or_null(view->sensors.temperature, 1),
        "power", number_or_null(view->sensors.milliwatts, 0.001));
}

json_t *fx_miner_status_json(struct fx_miner_status *status)
{
    json_t *devices = json_array();
    struct sums sums = {0};

    for (size_t at = 0; at < status->n; at++) {
        struct view view;

        look(status, &status->devices[at], &view);
        add(&sums, &status->devices[at], &view);
        json_array_append_new(devices, device_json(&status->devices[at], &view));
    }
    return json_pack("{s:s,s:s,s:I,s:b,s:f,s:f,s:I,s:{s:I,s:I},s:{s:I,s:o,s:o},s:f,s:o}", "version",
                     PACKAGE_VERSION, "network", status->network, "uptime",
                     (json_int_t)((fx_clock_monotonic_ms() - status->start_ms) / 1000), "connected",
                     (int)atomic_load(&status->connected), "bricks_per_second", sums.bricks_rate,
                     "hashes_per_second", sums.hashes_rate, "tickets", (json_int_t)sums.tickets,
                     "blocks", "job", (json_int_t)sums.job_blocks, "hash",
                     (json_int_t)sums.hash_blocks, "tasks", "done", (json_int_t)sums.tasks_done,
                     "claimed", count(&status->tasks_claimed), "paid", count(&status->tasks_paid),
                     "paid", (double)atomic_load(&status->paid) / 1e8, "devices", devices);
}
