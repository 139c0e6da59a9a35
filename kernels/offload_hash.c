/* The hash lane on a device: nonces in pieces of a few milliseconds. */
#include <string.h>

#include "kernels/device.h"
#include "kernels/offload.h"
#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"

#define MARK_DONE 0
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

/* The lowest offset that wins, or count. False: the device failed. */
static bool search(struct lane *lane, uint32_t first, uint32_t count, uint32_t *best)
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
        !driver->launch(ctx, FX_OFFLOAD_NONCES, (uint32_t)groups, args, 5) ||
        !driver->read(ctx, FX_OFFLOAD_COMPUTE, lane->best, 0, lane->host_best, 4) ||
        !driver->mark(ctx, FX_OFFLOAD_COMPUTE, MARK_DONE) || !driver->wait(ctx, MARK_DONE))
        return false;
    *best = *lane->host_best;
    return true;
}

bool fx_offload_hash(struct fx_offload *device, const uint8_t header[80], const uint8_t target[32],
                     uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                     uint64_t *tried)
{
    struct lane lane = {.device = device};
    uint64_t piece = PIECE_LEAST;
    bool found = false;

    *tried = 0;
    if (start(&lane, header, target)) {
        while (*tried < count && !atomic_load(cancel)) {
            uint64_t n = count - *tried < piece ? count - *tried : piece;
            uint32_t from = first + (uint32_t)*tried, best;
            int64_t began = fx_clock_monotonic_ns();

            if (!search(&lane, from, (uint32_t)n, &best))
                break;
            if (best < n) {
                *nonce = from + best;
                *tried += best + 1;
                found = true;
                break;
            }
            *tried += n;
            if (n == piece && fx_clock_monotonic_ns() - began < PIECE_NS / 2 && piece < PIECE_MOST)
                piece *= 2;
        }
    }
    stop(&lane);
    return found;
}
