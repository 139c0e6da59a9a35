/*
 * A small world for src/jobs: a chain whose blocks and transactions are judged by the rules (all
 * but proof of work), a mempool, one wallet of real keys, blobs in memory, and a network that only
 * notes what it is asked for. There is one world at a time.
 */
#ifndef FX_QA_UNIT_JOBS_WORLD_H
#define FX_QA_UNIT_JOBS_WORLD_H

#include "qa/unit/consensus/job.h"
#include "src/iface/chain.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/jobs/jobs.h"

#define WORLD_START 1700000000 /* time of its first block */
#define WORLD_KEYS 64
#define WORLD_HEIGHT 128

struct world {
    const struct fx_params *params;
    struct event_base *base;
    const char *dir;
    struct fx_jobs *jobs; /* NULL between world_stop and world_start */
    struct fx_index *tip;
    /* wallet */
    unsigned n_keys;
    struct fx_test_key keys[WORLD_KEYS];
    struct fx_hash solver;
    bool poor;                 /* has no coins to fund anything with */
    unsigned pays_for;         /* so many transactions more, and then it is poor; 0: no limit */
    int64_t trusted;           /* embers, its balance; 0: all that there is */
    int64_t split;             /* embers: for payments of this much coins were to be cut last */
    bool locked;               /* signs nothing */
    int64_t fee_rate;          /* that the pool estimates; 0: 1,000 */
    int64_t challenge_rate;    /* the same of a challenge; 0: as fee_rate */
    unsigned abandoned;        /* transactions given up */
    bool muted;                /* signs nothing by the first client's key, keys[2] */
    bool no_client, no_solver; /* does not have that key, keys[2], or the solver's */
    bool watch;                /* of the configuration; read by world_start */
    unsigned reoffers;         /* the same */
    int64_t challenge_above;   /* the same */
    /* network: how often it was asked */
    unsigned fetched, cancelled, certs;
    struct fx_outpoint cert_origin;
    struct fx_hash cert_program;
    uint8_t cert[64];
    struct fx_blob_key fetched_key;
    struct fx_hash announced_result;
    unsigned announced;
};

/* A chain of this many blocks above genesis, each with a coin of the wallet; jobs runs. */
struct world *world_open(uint32_t blocks);
void world_close(void);
void world_stop(void); /* destroys jobs */
void world_start(void);

/* A hash-lane block with all of the mempool, some seconds after the last one. */
void world_mine(unsigned seconds);
/* A job-lane block inside this task with this backing list, mined by the wallet's solver key. */
void world_mine_inside(const struct fx_outpoint *origin, const struct fx_outpoint *backing,
                       size_t n_backing);
/* Takes the tip back; its transactions are lost, except to world_reconnect. */
void world_disconnect(void);
/* Connects the block that was disconnected last from this tip. */
void world_reconnect(void);
size_t world_mempool(const struct fx_tx *const **txs);
/* A hash-lane block without the mempool's transactions. */
void world_mine_empty(unsigned seconds);
/* Submits a transaction of somebody else's. */
bool world_submit(const struct fx_tx *tx, const char **why);
/* Forgets the mempool: as if it was evicted. */
void world_evict(void);
/* Runs what is due in the event loop. */
void world_run(void);
/* Runs the loop until *flag reads as true, ten seconds at most. */
bool world_wait(bool (*reached)(void *arg), void *arg);

/* Blobs; the job and the result (task's rectangle) stay the caller's and outlive the world. */
void world_add_operands(const struct fx_test_job *job);
void world_drop_operands(void);
/* Returns the root. */
struct fx_hash world_add_result(const struct fx_task_shape *shape, const int32_t *result,
                                const struct fx_hash *solver, bool complete);
void world_complete_result(const struct fx_hash *root);
#define WORLD_BLOB_BYTES 1000 /* of each, whatever it is */
/* The store lacks so many bytes, and no blob was used for so many seconds. */
void world_make_room(uint64_t bytes, int64_t idle);
/* The regular look at what is not needed any more. */
void world_sweep(int64_t idle);

/* All that jobs says of the chain's tasks, as text; the caller frees. */
char *world_dump(void);

#endif
