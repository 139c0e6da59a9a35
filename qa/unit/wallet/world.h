/*
 * The world of a wallet, in memory: a chain that the test extends and cuts, a pool, peers. The
 * rules are the real ones: the pool takes what fx_connect_tx and the scripts of its inputs allow.
 */
#ifndef FX_QA_UNIT_WALLET_WORLD_H
#define FX_QA_UNIT_WALLET_WORLD_H

#include "wallet/wallet_int.h"

#define WORLD_BLOCKS 512
#define WORLD_POOL 64

struct world {
    const struct fx_params *params;
    const char *dir;
    struct fx_index *index[WORLD_BLOCKS]; /* best chain */
    struct fx_block *block[WORLD_BLOCKS];
    uint32_t height;
    struct fx_index *stale[WORLD_BLOCKS]; /* cut off; kept, as the chain keeps them */
    size_t n_stale;
    struct fx_tx *pool[WORLD_POOL];
    int64_t fees[WORLD_POOL];
    size_t n_pool;
    const char *refuse; /* the pool refuses everything for this reason; NULL: judges */
    unsigned relayed, forgotten, read_blocks;
    unsigned salt;
    struct fx_wallets *set;
};

extern struct world world;

void world_open(void);
/* The wallets end and come back with nothing loaded. */
void world_restart(void);
void world_close(void);

/* A block whose coinbase pays the subsidy to script (empty: to nobody), with these transactions
 * (references stay the caller's). They leave the pool; what conflicts with them does too. */
void world_mine(struct fx_span script, struct fx_tx *const *txs, size_t n);
void world_mine_empty(unsigned n);
/* Everything that is in the pool. */
void world_mine_pool(void);
/* Takes the tip away; its transactions do not come back to the pool. */
void world_cut(void);
/* Drops a transaction from the pool. */
void world_drop(const struct fx_hash *txid, enum fx_tx_removal reason);

/* A wallet and its helpers; any failure fails the test. */
struct fx_wallet *world_wallet(const char *name, const char *mnemonic);
/* A new address' script, 34 bytes; the wallet's own. */
struct fx_span world_script(struct fx_wallet *wallet, enum fx_key_use use);
/* Mines a coinbase to the wallet and 100 blocks on it. */
void world_pay(struct fx_wallet *wallet, unsigned coins);
struct fx_wallet_balance world_balance(const struct fx_wallet *wallet);

#endif
