/* The hash lane on the CPU: double SHA-256 from the midstate of the header's first 64 bytes, many
 * nonces at a time. Only where the top of a hash does not rule it out, the whole of it is made. */
#include <string.h>

#include "kernels/cpu/cpu_int.h"
#include "src/util/buf.h"

#define STRIDE 4096 /* nonces between two looks at the other threads */
#define BATCH 256

struct search {
    const uint8_t *header, *target;
    struct fx_sha256 midstate;
    uint32_t first;
    uint64_t count;
    const atomic_bool *cancel;
    atomic_ullong next, tried;
    atomic_ullong found; /* offset from first; count where none */
};

static bool wins(const struct search *search, uint32_t nonce)
{
    struct fx_sha256 hash = search->midstate;
    uint8_t tail[16], id[32];

    memcpy(tail, search->header + 64, 12);
    fx_store_u32(tail + 12, nonce);
    fx_sha256_update(&hash, tail, sizeof tail);
    fx_sha256_final(&hash, id);
    fx_sha256(id, sizeof id, id);
    return fx_cpu_meets(id, search->target);
}

/* The first of these that wins; to where there is none. */
static uint64_t first_winner(const struct search *search, uint64_t from, uint64_t to)
{
    const uint32_t limit = fx_load_u32(search->target + 28);
    uint32_t top[BATCH];

    while (from < to) {
        const size_t n = to - from < BATCH ? (size_t)(to - from) : BATCH;

        fx_sha256d_nonces(search->midstate.state, search->header + 64,
                          search->first + (uint32_t)from, n, top);
        for (size_t at = 0; at < n; at++) {
            if (top[at] <= limit && wins(search, search->first + (uint32_t)(from + at)))
                return from + at;
        }
        from += n;
    }
    return to;
}

static void try_nonces(struct search *search, uint64_t from, uint64_t to)
{
    const uint64_t at = first_winner(search, from, to);
    unsigned long long best = atomic_load(&search->found);

    atomic_fetch_add(&search->tried, at < to ? at - from + 1 : to - from);
    while (at < to && at < best && !atomic_compare_exchange_weak(&search->found, &best, at))
        continue;
}

static void work(void *arg, size_t thread)
{
    struct search *search = arg;

    (void)thread;
    while (!atomic_load(search->cancel)) {
        uint64_t from = atomic_fetch_add(&search->next, STRIDE);
        uint64_t to = from + STRIDE < search->count ? from + STRIDE : search->count;

        if (from >= search->count || from > atomic_load(&search->found))
            return;
        try_nonces(search, from, to);
    }
}

bool fx_cpu_hash(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                 uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                 uint64_t *tried)
{
    struct search search = {
        .header = header, .target = target, .first = first, .count = count, .cancel = cancel};

    fx_sha256_init(&search.midstate);
    fx_sha256_update(&search.midstate, header, 64);
    atomic_init(&search.next, 0);
    atomic_init(&search.tried, 0);
    atomic_init(&search.found, count);
    fx_pool_for(device->pool, device->threads, work, &search);
    *tried = atomic_load(&search.tried);
    if (atomic_load(&search.found) >= count)
        return false;
    *nonce = first + (uint32_t)atomic_load(&search.found);
    return true;
}
