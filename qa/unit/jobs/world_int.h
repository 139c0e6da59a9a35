/* What the files of the small world share. */
#ifndef FX_QA_UNIT_JOBS_WORLD_INT_H
#define FX_QA_UNIT_JOBS_WORLD_INT_H

#include "qa/unit/jobs/world.h"

#define WORLD_BLOBS 64
#define WORLD_TILES 64 /* of a result that is put together */

struct world_blob {
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    enum fx_blob_state state;
    const struct fx_test_job *job; /* operand */
    enum fx_side side;
    struct fx_task_shape task; /* result */
    const int32_t *result;
    uint32_t put; /* tiles of a partial one that came */
    bool had[WORLD_TILES];
};

struct fx_blobs {
    struct world_blob list[WORLD_BLOBS];
    size_t n;
    void (*complete)(void *ctx, const struct fx_blob_key *key);
    void *ctx;
    void (*make_room)(void *ctx, uint64_t bytes);
    void *room_ctx;
    int64_t idle;     /* seconds, of all */
    unsigned expired; /* how often uploads were looked at */
};

struct fx_net {
    char unused;
};

struct fx_wallets {
    char unused;
};

struct fx_wallet {
    char unused;
};

struct fx_world_state {
    struct world world;
    struct fx_blobs blobs;
    struct fx_net net;
    struct fx_wallets wallets;
    struct fx_wallet wallet;
};

extern struct fx_world_state world_state;

/* chain and mempool */
enum fx_result world_judge(const struct fx_tx *tx, struct fx_record_delta *delta, int64_t *fee,
                           uint64_t *burned, enum fx_verdict *why);
/* Coins that nothing spends; out views the world's. */
bool world_next_coin(size_t *at, struct fx_outpoint *outpoint, struct fx_coin *out);
bool world_coin(const struct fx_outpoint *outpoint, struct fx_coin *out);
/* blobs */
void world_blobs_clear(void);

#endif
