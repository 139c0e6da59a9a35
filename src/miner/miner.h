/*
 * The miner: one device, the node, and the loop that chooses what to do next. The main thread
 * drives the device; a watcher looks at the tip (watch.h), and finished tasks are delivered on a
 * thread of their own (deliver.h).
 */
#ifndef FX_MINER_MINER_H
#define FX_MINER_MINER_H

#include "src/miner/deliver.h"
#include "src/miner/devices.h"
#include "src/miner/pay.h"
#include "src/miner/watch.h"

#define FX_MINER_STEP_MS 250

struct fx_skipped {
    char origin[FX_ORIGIN_TEXT];
    int64_t until_ms;
};

struct fx_miner {
    const struct fx_miner_options *options;
    struct fx_device *device;
    struct fx_miner_node node; /* of the main thread */
    struct fx_miner_status status;
    struct fx_watch watch;
    struct fx_deliver deliver;
    struct fx_pay_rates rates;
    struct fx_pay_chain chain;
    struct fx_pay_policy policy;
    atomic_bool *stop, *cancel; /* cancel ends the device's step: tip moved, or stop */
    bool fatal;                 /* a message went out; exit 1 */
    /* the node's troubles */
    bool down;
    char said[300];
    int64_t refused_since_ms; /* of the credentials; 0: they are good */
    unsigned backoff_ms;
    /* what there is to do */
    struct fx_miner_task *tasks;
    size_t n_tasks;
    int64_t tasks_due_ms;
    unsigned tasks_moves, chain_moves;
    struct fx_skipped *skipped;
    size_t n_skipped;
    /* the hash lane */
    bool have_hash;
    struct fx_miner_work hash_work;
    int64_t hash_until_ms; /* when the work is too old */
    unsigned hash_moves;
    uint32_t hash_time, hash_nonce;
    uint64_t hash_left;    /* nonces of this time */
    int64_t hash_found_ms; /* the last block, for the pace of regtest */
};

/* Runs until *stop. Exit status: 0, or 1 after a message. */
int fx_miner_run(const struct fx_miner_options *options, atomic_bool *stop, atomic_bool *cancel);

/* ---- for the miner's own files -------------------------------------------------------------- */

/* True for FX_NODE_OK. Else says once what is wrong, and notes when to try again. */
bool fx_miner_node_ok(struct fx_miner *miner, enum fx_miner_node_status status, const char *what);
/* "what: text", unless that was the last thing said this way. */
void fx_miner_say_once(struct fx_miner *miner, const char *what, const char *text);
/* Sleeps, but not beyond a stop. */
void fx_miner_nap(const struct fx_miner *miner, unsigned ms);
/* How long a header is worked on before new transactions are asked for. */
unsigned fx_miner_refresh_ms(const struct fx_miner *miner);
/* Not to be chosen for a while. */
void fx_miner_skip(struct fx_miner *miner, const char *origin, unsigned ms);

/* hash.c: at most about a second of the hash lane. */
void fx_miner_hash(struct fx_miner *miner);
/* work.c: works on the task until it is done, gone, or the miner stops. */
void fx_miner_work(struct fx_miner *miner, const struct fx_miner_task *task);

#endif
