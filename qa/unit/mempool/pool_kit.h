/* A pool over a real regtest chain in a folder, and what its listeners hear. */
#ifndef FX_QA_UNIT_MEMPOOL_POOL_KIT_H
#define FX_QA_UNIT_MEMPOOL_POOL_KIT_H

#include "qa/unit/chain/kit.h"
#include "src/mempool/mempool.h"

#define REMOVALS (FX_REMOVED_SIZE + 1)

struct pool_kit {
    struct kit kit;
    struct fx_mempool *pool;
    struct fx_mempool_config config;
    unsigned added, removed[REMOVALS];
};

/* A chain of this many blocks, all paying to the kit's miner key. */
void pool_kit_open(struct pool_kit *k, unsigned blocks);
/* Ends the pool and makes it again with what config says now. */
void pool_kit_restart(struct pool_kit *k);
void pool_kit_close(struct pool_kit *k);

/* Submits; "" or the reason. Checks that the answer and the pool agree. */
const char *pool_kit_submit(struct pool_kit *k, const struct fx_tx *tx);
/* Submits what must be taken; drops the caller's reference and returns the pool's. */
const struct fx_tx *pool_kit_take(struct pool_kit *k, struct fx_tx *tx);
bool pool_kit_has(const struct pool_kit *k, const struct fx_tx *tx);
size_t pool_kit_count(const struct pool_kit *k);
/* Spends coins of the miner key to outputs of these values, all of the miner key. The coins' values
 * less those is the fee. */
struct fx_tx *pool_kit_spend(const struct pool_kit *k, const struct kit_coin *coins, size_t n_coins,
                             const int64_t *values, size_t n_values);
/* The same to outputs of another script. */
struct fx_tx *pool_kit_pay(const struct pool_kit *k, const struct kit_coin *coins, size_t n_coins,
                           const int64_t *values, size_t n_values, struct fx_span to);
/* Mines a block with these transactions, whose fees are known to the pool. */
void pool_kit_mine(struct pool_kit *k, const struct fx_tx *const *txs, size_t n);

#endif
