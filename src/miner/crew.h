/*
 * All devices of the process, each a struct fx_miner with a thread of its own, and what they share:
 * the watcher of the tip (watch.h), the deliverer of finished tasks (deliver.h), the counters
 * (status.h), who works on which task, and the node's troubles, which are said once and not once a
 * device.
 *
 * A device that fails or gives a wrong answer is retired: it is used no more in this process, and
 * what it worked on is open to the others.
 */
#ifndef FX_MINER_CREW_H
#define FX_MINER_CREW_H

#include "src/miner/deliver.h"
#include "src/miner/miner.h"
#include "src/miner/watch.h"

/* Exit statuses of fornax-miner; doc/miner.md says more of them. */
enum fx_miner_exit {
    FX_EXIT_OK = 0,
    FX_EXIT_ERROR = 1, /* an error that waiting does not cure; a message went out */
    FX_EXIT_USAGE = 2,
    FX_EXIT_DEVICE = 3 /* no device that works is left */
};

#define FX_SAID 8

struct fx_said {
    char line[300]; /* empty: none */
    int64_t ms;
};

struct fx_crew {
    const struct fx_miner_options *options;
    atomic_bool *stop;         /* end in order, now */
    atomic_bool *finish;       /* begin nothing new, and end when all is claimed */
    atomic_bool fatal;         /* a message went out: FX_EXIT_ERROR */
    struct fx_miner_node node; /* of the main thread */
    struct fx_miner_status status;
    struct fx_watch watch;
    struct fx_deliver deliver;
    struct fx_device_choice *choices;
    struct fx_miner *miners;
    size_t n;
    pthread_mutex_t lock; /* of what follows, and of at_work and task of each miner */
    bool down;
    struct fx_said said[FX_SAID]; /* in a ring, and when */
    size_t n_said;
    int64_t refused_since_ms; /* of the credentials; 0: they are good */
    int64_t hash_found_ms;    /* the last block of the hash lane, for the pace of regtest */
};

/* Runs until *stop, or until there is nothing to do after *finish. Returns the exit status. */
int fx_crew_run(const struct fx_miner_options *options, atomic_bool *stop, atomic_bool *finish);

/* ---- for the miner's own files; from any thread --------------------------------------------- */

/* Not to be used any more, and why. distrusted: it answered wrongly. */
void fx_crew_retire(struct fx_crew *crew, struct fx_miner *miner, bool distrusted, const char *why);
/* The task is the miner's until it leaves. False: another one has it, or no more may be begun. */
bool fx_crew_take(struct fx_crew *crew, struct fx_miner *miner, const struct fx_miner_task *task);
void fx_crew_leave(struct fx_crew *crew, struct fx_miner *miner);
/* May it be taken, as far as can be said now? */
bool fx_crew_is_free(struct fx_crew *crew, const char *origin);
/* Files of operands that nobody needs go: neither tasks on offer, nor those under work. */
void fx_crew_sweep(struct fx_crew *crew, const struct fx_miner_task *tasks, size_t n);
/* As fx_miner_node_ok, without a wait. backoff_ms is that of the caller. */
bool fx_crew_node_ok(struct fx_crew *crew, const struct fx_miner_node *node,
                     enum fx_miner_node_status status, const char *what, unsigned *backoff_ms);
/* "what: text", unless that was said this way in the last ten minutes. */
void fx_crew_say_once(struct fx_crew *crew, const char *what, const char *text);
/* Milliseconds until the next block of the hash lane may be looked for; 0: now. */
unsigned fx_crew_pace_ms(struct fx_crew *crew);
void fx_crew_hash_found(struct fx_crew *crew);

#endif
