/*
 * How much work is under way. The work of a unit is counted in bricks; how many the device makes in
 * a second is measured before the first task and learned from every unit, and units are cut so that
 * all that the device was given is over soon: a step that is cancelled waits for no more than that.
 */
#include "kernels/offload_int.h"
#include "src/sys/clock.h"

#define TRIAL_NS UINT64_C(8000000) /* a trial of this length is believed */
#define TRIAL_CHUNK 4
#define TRIAL_ENTRIES 32768
#define TRIAL_GROWTH 32

uint64_t fx_offload_work(const struct fx_session *session, uint64_t ns)
{
    return session->device->speed * (ns / 1000) / 1000000;
}

static uint64_t time_of(const struct fx_session *session, uint64_t work)
{
    return work * 1000000000 / (session->device->speed ? session->device->speed : 1);
}

/* Slower is believed at once, as too much may be under way. What was over in a moment says little:
 * small tasks do not fill a device. */
void fx_offload_learn(struct fx_session *session, uint64_t work, uint64_t ns)
{
    uint64_t *speed = &session->device->speed, now;

    if (ns == 0)
        return;
    now = work * 1000000000 / ns + 1;
    if (now > *speed)
        *speed = (3 * *speed + now) / 4;
    else if (ns >= FX_OFFLOAD_UNIT_NS / 4)
        *speed = now;
}

/* Of `left` segments, each of which is this much work: so many that a unit takes half as long again
 * as it should at the most, in pieces of the same length. */
uint32_t fx_offload_segments(const struct fx_session *session, uint64_t each, uint32_t left)
{
    uint64_t most = fx_offload_work(session, FX_OFFLOAD_UNIT_NS * 3 / 2) / (each ? each : 1);
    uint32_t pieces;

    if (most >= left)
        return left;
    if (most == 0)
        most = 1;
    pieces = (uint32_t)((left + most - 1) / most);
    return (left + pieces - 1) / pieces;
}

/* Would the device still be over soon with this much more to do? */
bool fx_offload_room(const struct fx_session *session, uint64_t work)
{
    for (uint64_t unit = session->completed + 1; unit <= session->started; unit++)
        work += session->units[unit % 2].work;
    return session->completed == session->started ||
           (session->started - session->completed < FX_OFFLOAD_AHEAD &&
            time_of(session, work) <= FX_OFFLOAD_FLIGHT_NS);
}

/* ---- the first word ---------------------------------------------------------------------------
 */

struct trial {
    uint64_t images, list, sums, folds;
    uint32_t *host;
};

static bool take(struct fx_session *session, uint64_t *buffer, uint64_t bytes)
{
    return fx_offload_ok(session, session->driver->alloc(session->ctx, bytes, buffer));
}

static bool trial_start(struct fx_session *session, struct trial *trial)
{
    const struct fx_offload_driver *driver = session->driver;
    unsigned span = session->device->span;
    uint64_t blocks = (uint64_t)(1 + span) * TRIAL_CHUNK * FX_BLOCK_BYTES;
    size_t list = (size_t)TRIAL_ENTRIES * 4;

    trial->host = driver->host_alloc(session->ctx, list);
    if (!fx_offload_ok(session, trial->host != NULL) || !take(session, &trial->images, blocks) ||
        !take(session, &trial->list, list) ||
        !take(session, &trial->sums, (uint64_t)span * FX_TILE_BYTES) ||
        !take(session, &trial->folds, (uint64_t)span * TRIAL_CHUNK * 32))
        return false;
    for (uint32_t at = 0; at < TRIAL_ENTRIES; at++)
        trial->host[at] = span == 2 ? UINT32_C(3) << 24 : UINT32_C(1) << 24;
    return fx_offload_ok(session, driver->zero(session->ctx, trial->images, 0, blocks)) &&
           fx_offload_ok(session, driver->write(session->ctx, FX_OFFLOAD_COMPUTE, trial->list, 0,
                                                trial->host, list));
}

/* By the device's clock, or by this machine's where it has none. */
static bool trial_run(struct fx_session *session, const struct trial *trial, uint32_t entries,
                      uint64_t *ns)
{
    const struct fx_offload_driver *driver = session->driver;
    const struct fx_offload_arg args[] = {fx_buffer(trial->images),
                                          fx_buffer(trial->list),
                                          fx_buffer(trial->sums),
                                          fx_buffer(trial->folds),
                                          fx_word(1),
                                          fx_word(session->device->span),
                                          fx_word(TRIAL_CHUNK),
                                          fx_word(0),
                                          fx_word(TRIAL_CHUNK),
                                          fx_word(FX_OFFLOAD_FOLDED)};
    int64_t start = fx_clock_monotonic_ns();

    if (!fx_offload_ok(session, driver->mark(session->ctx, FX_OFFLOAD_COMPUTE, FX_MARK_OTHER)) ||
        !fx_offload_run(session, FX_OFFLOAD_BRICKS, entries, args, 10) ||
        !fx_offload_ok(session,
                       driver->mark(session->ctx, FX_OFFLOAD_COMPUTE, FX_MARK_OTHER + 1)) ||
        !fx_offload_ok(session, driver->wait(session->ctx, FX_MARK_OTHER + 1)) ||
        !fx_offload_ok(session,
                       driver->between(session->ctx, FX_MARK_OTHER, FX_MARK_OTHER + 1, ns)))
        return false;
    if (*ns == 0)
        *ns = (uint64_t)(fx_clock_monotonic_ns() - start) + 1;
    return true;
}

/* Bricks of zeros, more and more of them, until they take long enough to be timed; never so many
 * that they would take much longer. */
static bool trial_all(struct fx_session *session, const struct trial *trial)
{
    uint32_t entries = session->device->pairs ? 2 : 1;

    for (;;) {
        uint64_t ns, growth;

        if (!trial_run(session, trial, entries, &ns))
            return false;
        if (ns >= TRIAL_NS || entries == TRIAL_ENTRIES) {
            session->device->speed =
                (uint64_t)entries * session->device->span * TRIAL_CHUNK * 1000000000 / ns + 1;
            return true;
        }
        growth = 2 * TRIAL_NS / ns;
        entries *= (uint32_t)(growth < TRIAL_GROWTH ? growth : TRIAL_GROWTH);
        entries = entries < TRIAL_ENTRIES ? entries : TRIAL_ENTRIES;
    }
}

bool fx_offload_measure(struct fx_session *session)
{
    const struct fx_offload_driver *driver = session->driver;
    struct trial trial = {0};
    bool ok = trial_start(session, &trial) && trial_all(session, &trial);
    const uint64_t buffers[] = {trial.images, trial.list, trial.sums, trial.folds};

    fx_offload_settle(session);
    for (size_t at = 0; at < sizeof buffers / sizeof *buffers; at++) {
        if (buffers[at])
            driver->release(session->ctx, buffers[at]);
    }
    if (trial.host)
        driver->host_release(session->ctx, trial.host);
    return ok;
}
