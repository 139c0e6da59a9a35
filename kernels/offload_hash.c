/* The hash lane on a device: nonces in pieces of some milliseconds by its own clock, one at a time.
 */
#include <stdio.h>
#include <string.h>

#include "kernels/device.h"
#include "kernels/offload.h"
#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"

#define MARK_START 0
#define MARK_DONE 1
#define GROUP 256
#define PIECE_LEAST (UINT64_C(1) << 14)
#define PIECE_MOST (UINT64_C(1) << 30)
#define PIECE_NS 20000000 /* what a piece should take */
#define ITEMS_MOST (UINT64_C(1) << 22)

struct lane {
    struct fx_offload *device;
    uint64_t constants, best;
    uint32_t *host, *host_best;
};

struct hashed {
    bool found;
    uint32_t nonce;
    uint64_t tried;
};

static bool start(struct lane *lane, const uint8_t header[80], const uint8_t target[32])
{
    const struct fx_offload_driver *driver = lane->device->driver;
    void *ctx = lane->device->ctx;
    struct fx_sha256 midstate;

    lane->host = driver->host_alloc(ctx, FX_LANE_WORDS * 4);
    lane->host_best = driver->host_alloc(ctx, 4);
    if (!lane->host || !lane->host_best ||
        !driver->alloc(ctx, FX_LANE_WORDS * 4, &lane->constants) ||
        !driver->alloc(ctx, 4, &lane->best))
        return false;
    fx_sha256_init(&midstate);
    fx_sha256_update(&midstate, header, 64);
    for (unsigned w = 0; w < 8; w++) {
        lane->host[FX_LANE_MIDSTATE + w] = midstate.state[w];
        lane->host[FX_LANE_TARGET + w] = fx_load_u32(target + 4 * w);
    }
    for (unsigned w = 0; w < 3; w++)
        lane->host[FX_LANE_TAIL + w] = fx_load_u32be(header + 64 + 4 * w);
    return driver->write(ctx, FX_OFFLOAD_COMPUTE, lane->constants, 0, lane->host,
                         FX_LANE_WORDS * 4);
}

static void stop(struct lane *lane)
{
    const struct fx_offload_driver *driver = lane->device->driver;
    void *ctx = lane->device->ctx;

    if (driver->mark(ctx, FX_OFFLOAD_COMPUTE, MARK_DONE))
        driver->wait(ctx, MARK_DONE);
    if (lane->constants)
        driver->release(ctx, lane->constants);
    if (lane->best)
        driver->release(ctx, lane->best);
    if (lane->host)
        driver->host_release(ctx, lane->host);
    if (lane->host_best)
        driver->host_release(ctx, lane->host_best);
}

/* The lowest offset that wins, or count, and how long that took. False: the device failed. */
static bool search(struct lane *lane, uint32_t first, uint32_t count, uint32_t *best, uint64_t *ns)
{
    const struct fx_offload_driver *driver = lane->device->driver;
    void *ctx = lane->device->ctx;
    uint64_t groups =
        count < ITEMS_MOST ? ((uint64_t)count + GROUP - 1) / GROUP : ITEMS_MOST / GROUP;
    uint32_t each = (uint32_t)((count + groups * GROUP - 1) / (groups * GROUP));
    const struct fx_offload_arg args[] = {
        {true, lane->constants}, {true, lane->best}, {false, first}, {false, count}, {false, each}};

    *lane->host_best = count;
    if (!driver->write(ctx, FX_OFFLOAD_COMPUTE, lane->best, 0, lane->host_best, 4) ||
        !driver->mark(ctx, FX_OFFLOAD_COMPUTE, MARK_START) ||
        !driver->launch(ctx, FX_OFFLOAD_NONCES, (uint32_t)groups, args, 5) ||
        !driver->read(ctx, FX_OFFLOAD_COMPUTE, lane->best, 0, lane->host_best, 4) ||
        !driver->mark(ctx, FX_OFFLOAD_COMPUTE, MARK_DONE) || !driver->wait(ctx, MARK_DONE) ||
        !driver->between(ctx, MARK_START, MARK_DONE, ns))
        return false;
    *best = *lane->host_best;
    return true;
}

/* How many nonces the next piece has: the device may be faster than was known, or slower by now. */
static void learn(struct fx_offload *device, uint64_t tried, uint64_t ns)
{
    if (ns > 3 * PIECE_NS / 2 && device->piece > PIECE_LEAST)
        device->piece /= 2;
    else if (tried == device->piece && ns < PIECE_NS / 2 && device->piece < PIECE_MOST)
        device->piece *= 2;
}

/* False: the device failed. */
static bool hash_all(struct lane *lane, uint32_t first, uint64_t count, const atomic_bool *cancel,
                     struct hashed *out)
{
    struct fx_offload *device = lane->device;

    while (out->tried < count && !out->found && !atomic_load(cancel)) {
        uint64_t left = count - out->tried, ns = 0;
        uint32_t n = (uint32_t)(left < device->piece ? left : device->piece), best;
        uint32_t from = first + (uint32_t)out->tried;
        int64_t began = fx_clock_monotonic_ns();

        if (!search(lane, from, n, &best, &ns))
            return false;
        learn(device, n, ns ? ns : (uint64_t)(fx_clock_monotonic_ns() - began));
        out->found = best < n;
        out->nonce = from + best;
        out->tried += out->found ? best + UINT64_C(1) : n;
    }
    return true;
}

bool fx_offload_hash(struct fx_offload *device, const uint8_t header[80], const uint8_t target[32],
                     uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                     uint64_t *tried)
{
    struct lane lane = {.device = device};
    struct hashed out = {0};

    device->hash_error[0] = 0;
    if (device->piece == 0)
        device->piece = PIECE_LEAST;
    if (!start(&lane, header, target) || !hash_all(&lane, first, count, cancel, &out))
        snprintf(device->hash_error, sizeof device->hash_error, "%s",
                 device->driver->error(device->ctx));
    stop(&lane);
    if (out.found)
        *nonce = out.nonce;
    *tried = out.tried;
    return out.found;
}
