/* Figures and hashes over all coins and task records. */
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/crypto/sha256.h"

struct tally {
    struct fx_txoutset *info;
    struct fx_sha256 hash;
    bool damaged;
};

static void hash_entry(struct fx_sha256 *hash, const struct fx_outpoint *at, struct fx_span value)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(at, key);
    fx_sha256_update(hash, key, sizeof(key));
    fx_sha256_update(hash, value.data, value.len);
}

static bool count_coin(void *ctx, const struct fx_outpoint *at, struct fx_span value)
{
    struct tally *tally = ctx;
    struct fx_coin coin;
    struct fx_reader r;

    fx_reader_init(&r, value.data, value.len);
    if (!fx_coin_read(&r, &coin)) {
        tally->damaged = true;
        return false;
    }
    hash_entry(&tally->hash, at, value);
    tally->info->n_coins++;
    /* At most all the money there is. */
    tally->info->total_amount += coin.value;
    fx_coin_clear(&coin);
    return true;
}

static bool count_record(void *ctx, const struct fx_outpoint *at, struct fx_span value)
{
    struct tally *tally = ctx;

    hash_entry(&tally->hash, at, value);
    tally->info->n_records++;
    return true;
}

bool fx_chain_txoutset(struct fx_chain *chain, struct fx_txoutset *info)
{
    struct tally tally = {.info = info};

    memset(info, 0, sizeof(*info));
    if (!fx_chain_flush(chain)) {
        return false;
    }
    info->height = chain->tip->height;
    info->best = chain->tip->id;
    fx_sha256_init(&tally.hash);
    if (!fx_state_each_coin(chain->state, count_coin, &tally) || tally.damaged) {
        return false;
    }
    fx_sha256_final(&tally.hash, info->coins_hash.b);
    fx_sha256_init(&tally.hash);
    if (!fx_state_each_record(chain->state, count_record, &tally)) {
        return false;
    }
    fx_sha256_final(&tally.hash, info->records_hash.b);
    return true;
}

struct record_walk {
    bool (*visit)(void *ctx, const struct fx_outpoint *origin, const struct fx_task_record *record);
    void *ctx;
    bool damaged;
};

static bool visit_record(void *ctx, const struct fx_outpoint *origin, struct fx_span value)
{
    struct record_walk *walk = ctx;
    struct fx_task_record record;
    struct fx_reader r;

    fx_reader_init(&r, value.data, value.len);
    if (!fx_task_record_read(&r, &record)) {
        walk->damaged = true;
        return false;
    }
    return walk->visit(walk->ctx, origin, &record);
}

bool fx_chain_each_record(struct fx_chain *chain,
                          bool (*visit)(void *ctx, const struct fx_outpoint *origin,
                                        const struct fx_task_record *record),
                          void *ctx)
{
    struct record_walk walk = {.visit = visit, .ctx = ctx};

    return fx_chain_flush(chain) && fx_state_each_record(chain->state, visit_record, &walk) &&
           !walk.damaged;
}
