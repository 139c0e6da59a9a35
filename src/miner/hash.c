/*
 * The hash lane. On regtest, where every second hash wins, at most one block a second is mined:
 * more would only bury the chain.
 */
#include "src/miner/crew.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/sys/random.h"
#include "src/util/buf.h"
#include "src/util/u256.h"

#define SLICE_MS 1000
#define BATCH_MS 200
#define BATCH_LEAST 4096
#define HEADER_TIME 68
#define HEADER_NONCE 76

static bool get_work(struct fx_miner *miner)
{
    unsigned moves = atomic_load(&miner->crew->watch.moves);
    int64_t now = fx_clock_monotonic_ms();

    if (miner->have_hash && moves == miner->hash_moves && now < miner->hash_until_ms)
        return true;
    miner->have_hash = false;
    if (!fx_miner_node_ok(miner, fx_miner_node_work(&miner->node, NULL, &miner->hash_work),
                          "no work"))
        return false;
    miner->have_hash = true;
    miner->hash_moves = moves;
    miner->hash_until_ms = now + fx_miner_refresh_ms(miner);
    miner->hash_time = fx_load_u32(miner->hash_work.header + HEADER_TIME);
    /* Anywhere: two miners of one node are given the same header. */
    miner->hash_nonce = (uint32_t)fx_random_u64();
    miner->hash_left = UINT64_C(1) << 32;
    miner->chain.fees = miner->hash_work.fees;
    return true;
}

static void submit(struct fx_miner *miner, uint32_t nonce)
{
    struct fx_miner_work *work = &miner->hash_work;
    bool accepted = false;
    enum fx_miner_node_status status =
        fx_miner_node_submit_hash(&miner->node, work, nonce, miner->hash_time, &accepted);

    miner->have_hash = false;
    fx_crew_hash_found(miner->crew);
    if (!fx_miner_node_ok(miner, status, "a block was not taken"))
        return;
    if (accepted) {
        atomic_fetch_add(&miner->status->hash_blocks, 1);
        fx_miner_say("block %u of the hash lane", work->height);
    } else {
        fx_miner_say("block %u of the hash lane was rejected: %s", work->height, miner->node.text);
    }
}

/* As many nonces as take about BATCH_MS. */
static uint64_t batch(const struct fx_miner *miner)
{
    double count = miner->rates.hashes * BATCH_MS / 1000;

    if (!(count > BATCH_LEAST))
        return BATCH_LEAST;
    return count < (double)miner->hash_left ? (uint64_t)count : miner->hash_left;
}

/* The device is not believed. */
static bool wins(const struct fx_miner *miner, const uint8_t header[80], uint32_t nonce)
{
    struct fx_u256 value, limit = fx_u256_from_hash(&miner->hash_work.target);
    struct fx_hash id;
    uint8_t copy[80];

    memcpy(copy, header, sizeof copy);
    fx_store_u32(copy + HEADER_NONCE, nonce);
    fx_sha256d(copy, sizeof copy, id.b);
    value = fx_u256_from_hash(&id);
    return fx_u256_cmp(&value, &limit) <= 0;
}

/* True: the work is over. */
static bool try_batch(struct fx_miner *miner)
{
    uint64_t count = batch(miner), tried = 0;
    int64_t start = fx_clock_monotonic_ns(), took;
    uint8_t header[80];
    const char *why;
    uint32_t nonce;
    bool found;

    if (count > miner->hash_left)
        count = miner->hash_left;
    memcpy(header, miner->hash_work.header, sizeof header);
    fx_store_u32(header + HEADER_TIME, miner->hash_time);
    fx_store_u32(header + HEADER_NONCE, miner->hash_nonce);
    found = miner->backend->hash(miner->device, header, miner->hash_work.target.b,
                                 miner->hash_nonce, count, &miner->cancel, &nonce, &tried);
    if (found && !wins(miner, header, nonce)) {
        fx_crew_retire(miner->crew, miner, true, "it found a hash that does not win");
        return true;
    }
    why = fx_backend_hash_error(miner->backend, miner->device);
    if (why[0] || (!found && tried == 0 && !atomic_load(&miner->cancel))) {
        fx_crew_retire(miner->crew, miner, false, why[0] ? why : "it does not hash");
        return true;
    }
    took = fx_clock_monotonic_ns() - start;
    atomic_fetch_add(&miner->status->hashes, tried);
    if (tried >= BATCH_LEAST && took > 0)
        miner->rates.hashes = 0.7 * miner->rates.hashes + 0.3 * (double)tried * 1e9 / (double)took;
    miner->hash_nonce += (uint32_t)tried;
    miner->hash_left -= tried < miner->hash_left ? tried : miner->hash_left;
    if (miner->hash_left == 0) {
        miner->hash_time++;
        miner->hash_left = UINT64_C(1) << 32;
    }
    if (found)
        submit(miner, nonce);
    return found;
}

void fx_miner_hash(struct fx_miner *miner)
{
    int64_t end = fx_clock_monotonic_ms() + SLICE_MS;

    while (!fx_miner_ends(miner) && fx_clock_monotonic_ms() < end) {
        unsigned wait_ms = fx_crew_pace_ms(miner->crew);

        if (wait_ms > 0) {
            fx_miner_nap(miner, wait_ms < 100 ? wait_ms : 100);
            return;
        }
        atomic_store(&miner->cancel, false);
        if (fx_miner_ends(miner))
            return;
        if (!get_work(miner)) {
            fx_miner_nap(miner, miner->backoff_ms);
            return;
        }
        if (try_batch(miner))
            return;
    }
}
