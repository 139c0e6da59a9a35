/* What the files of this folder share: the module's state, and the steps of its timer. */
#ifndef FX_JOBS_JOBS_INT_H
#define FX_JOBS_JOBS_INT_H

#include "src/iface/chain.h"
#include "src/iface/market.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/jobs/book_int.h"
#include "src/jobs/jobs.h"
#include "src/matrix/source.h"
#include "src/sys/pool.h"

struct event;
struct fx_checker;
struct fx_solvers;

#define FX_NOTE_TEXT 160 /* as fx_task_info.note */

/* What this node found out and promised about one task by itself. */
struct fx_note {
    struct fx_outpoint origin;
    struct fx_hash program; /* of the claimed output that it speaks of; zero: of none */
    enum fx_check_status check;
    bool certified;
    uint8_t certificate[64];
    bool has_payout;
    struct fx_hash payout;   /* output key that settlement or refund pays to */
    char text[FX_NOTE_TEXT]; /* of the check */
    uint8_t rounds;          /* right: of the check that found it so */
    bool located;            /* wrong: this entry, absolute, is */
    uint32_t row, column;
    /* not stored */
    char end_text[FX_NOTE_TEXT]; /* what settlement or refund waits for */
    struct fx_blob_key fetched;  /* the result asked of the network, where fetching */
    bool fetching;
    /* The wait for the result of the claimed output made at this height: from when, in unix time,
     * and how many of its chunks were here when it was looked at last. */
    uint32_t waits_height;
    int64_t waits_since;
    uint64_t waits_have;
    /* monotonic: when a check, a settlement, a step of a dispute may be tried again */
    int64_t check_ms, end_ms, dispute_ms;
};

/* An own job: what the chain does not say of it. */
struct fx_own_job {
    struct fx_hash id;
    uint32_t rows, columns, depth;
    int64_t fee;       /* embers */
    int64_t submitted; /* unix time */
};

struct fx_jobs {
    struct fx_jobs_config config;
    struct fx_db *db;
    struct fx_book *book;
    struct fx_map *pending;  /* txid -> struct fx_book_job of the mempool; owns */
    struct fx_map *notes;    /* origin -> struct fx_note; owns */
    struct fx_map *own;      /* txid -> struct fx_own_job; owns */
    struct fx_map *announce; /* type || root -> when a blob is to be announced again; owns */
    struct fx_checker *checker;
    struct fx_solvers *solvers; /* what the last blocks say of them; made when first asked for */
    struct event *timer;
    bool resumed;        /* downloads of the last run were taken up again */
    uint64_t map_key[2]; /* for maps keyed by what outsiders choose */
    uint32_t swept_height;
    int64_t sweep_ms;    /* monotonic: when fx_keep_step looks again, whatever the tip */
    uint32_t unreadable; /* height of the block that could not be read last; 0: none */
};

/* ---- jobs.c ---- */
/* Runs the timer's steps soon, and not inside the event that is being handled. */
void fx_jobs_kick(struct fx_jobs *jobs);
/* One round of all steps; the timer's body. */
void fx_jobs_step(struct fx_jobs *jobs);
/* Known blocks that are not connected yet: automatic transactions wait. */
bool fx_jobs_is_syncing(const struct fx_jobs *jobs);
/* The loaded wallet that has this key, or NULL. */
struct fx_wallet *fx_jobs_wallet_of(const struct fx_jobs *jobs, const struct fx_hash *key);
/* Sets error (may be NULL) and returns false. */
bool fx_jobs_refuse(struct fx_jobs_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool fx_jobs_pass_error(struct fx_jobs_error *error, const struct fx_wallet_error *from);
/* The task of an origin, in the book or pending; NULL: none. */
struct fx_book_task *fx_jobs_find(const struct fx_jobs *jobs, const struct fx_outpoint *origin);
struct fx_book_job *fx_jobs_find_job(const struct fx_jobs *jobs, const struct fx_hash *id);
bool fx_jobs_has_operands(const struct fx_jobs *jobs, const struct fx_book_job *job);
struct fx_span fx_jobs_span(const struct fx_buf *buf);

/* ---- info.c ---- */
void fx_jobs_fill_task(struct fx_jobs *jobs, const struct fx_book_task *task,
                       struct fx_task_info *info);

/* ---- notes.c ---- */
bool fx_notes_load(struct fx_jobs *jobs);
/* The note about a task's present claim, or about the open task; NULL: none. */
struct fx_note *fx_note_find(const struct fx_jobs *jobs, const struct fx_book_task *task);
/* The same, made where there is none; one about another claim starts anew. */
struct fx_note *fx_note_get(struct fx_jobs *jobs, const struct fx_book_task *task);
/* Where the note is about a claim that is no more, what it waits for is given up. */
void fx_note_refresh(struct fx_jobs *jobs, const struct fx_book_task *task);
bool fx_note_save(struct fx_jobs *jobs, const struct fx_note *note);
void fx_note_text(char text[FX_NOTE_TEXT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fx_own_save(struct fx_jobs *jobs, const struct fx_own_job *own);
void fx_own_forget(struct fx_jobs *jobs, const struct fx_hash *id);
const struct fx_own_job *fx_own_find(const struct fx_jobs *jobs, const struct fx_hash *id);

/* ---- assign.c: whom an exclusive task is assigned to (protocol section 5) ---- */
/* Tasks that are asked for one after the other with the same h0 share its look-ups. */
struct fx_assigner {
    struct fx_view view;
    bool known; /* for h0: */
    uint32_t h0;
    enum fx_lookup has_beacon;
    struct fx_ancestor beacon;
    struct fx_hash *solvers;
    size_t n;
};
/* Good until the tip changes. */
void fx_assigner_init(struct fx_assigner *assigner, const struct fx_jobs *jobs);
void fx_assigner_clear(struct fx_assigner *assigner);
/* FX_SLOT_OTHER: to *assignee, whoever asks. FX_SLOT_NONE: it never was, or a look-up failed. */
enum fx_slot fx_assigner_find(struct fx_assigner *assigner, const struct fx_book_task *task,
                              struct fx_hash *assignee);

/* ---- solvers.c ---- */
void fx_solvers_destroy(struct fx_solvers *solvers);
/* NULL: nothing is known of it. */
const struct fx_solver_info *fx_solvers_find(struct fx_jobs *jobs, const struct fx_hash *key);
/* Between two blocks of late, on average, within what may be believed. */
double fx_market_block_seconds(const struct fx_jobs *jobs);

/* ---- announce.c: telling peers again and again what this node serves ---- */
/* From now on, while a task names it: at once, then after growing pauses. */
void fx_announce_start(struct fx_jobs *jobs, const struct fx_blob_key *key);
void fx_announce_step(struct fx_jobs *jobs);

/* ---- keep.c: which blobs stay ---- */
/* Removes what nobody will ask for any more: the data of finished tasks, data that no task came to
 * name, uploads that do not go on. */
void fx_keep_step(struct fx_jobs *jobs);
/* Removes blobs of so many bytes that can be done without, or none. ctx: the jobs. */
void fx_keep_make_room(void *ctx, uint64_t bytes);

/* ---- split.c: policies without state ---- */
#define FX_JOBS_TASKS_MAX 2048 /* of one job: its transaction stays below the standard weight */
/* Chooses what is 0 of task_rows and task_cols, in tiles, for a grid of rows x cols tiles. */
void fx_split_choose(uint32_t rows, uint32_t cols, uint32_t depth, uint32_t *task_rows,
                     uint32_t *task_cols);
/* The reward that is offered where the client names none, embers a task. */
int64_t fx_split_reward(uint64_t bricks);
/* Half of what `bricks` of credit can gain at this height and target, at most the escrow (where
 * lanes do not retarget: half of it). */
int64_t fx_split_burn(const struct fx_params *params, uint32_t height, uint32_t job_nbits,
                      uint64_t bricks, int64_t escrow);
/* max(DEPOSIT, a quarter of the escrow rounded up). */
int64_t fx_split_bond(int64_t escrow);

/* ---- spend.c: transactions that spend a task output ---- */
struct fx_task_spend {
    enum fx_task_action action;
    struct fx_outpoint outpoint;
    int64_t value;           /* embers, of the output */
    struct fx_hash key;      /* that signs */
    struct fx_span preimage; /* of the output */
    struct fx_span items[2]; /* of the witness, between signature and preimage */
    size_t n_items;
    uint32_t sequence, lock_time;
    bool bare;      /* the signature's item is empty: anyone's fraud proof */
    int64_t burned; /* embers */
    /* The output with the input's index: where the pay goes, and paired is 0: the value is what
     * remains; or what the action asks for, and its value. */
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    int64_t paired; /* embers */
    /* With paired: where what remains goes, in an output of its own; where it does not suffice,
     * and without, the wallet pays. */
    bool has_rest;
    uint8_t rest[FX_TASK_SCRIPT_SIZE];
};
/* Builds and signs; the fee beats what spends the output in the mempool. NULL: error says why. One
 * reference. */
struct fx_tx *fx_task_spend_build(struct fx_jobs *jobs, struct fx_wallet *wallet,
                                  const struct fx_task_spend *spend, struct fx_jobs_error *error);
/* Hands it to the wallet, the mempool and the peers; drops the reference. */
bool fx_task_spend_commit(struct fx_wallet *wallet, struct fx_tx *tx, const char *comment,
                          struct fx_hash *txid, struct fx_jobs_error *error);

/* ---- checker.c: checks of results on the pool ---- */
struct fx_checker *fx_checker_create(struct fx_jobs *jobs);
void fx_checker_destroy(struct fx_checker *checker);
/* Starts a check of a claimed or settled task, all of whose blobs are here; false: too many run. */
bool fx_checker_start(struct fx_checker *checker, const struct fx_book_task *task);
bool fx_checker_is_running(const struct fx_checker *checker, const struct fx_hash *program);

struct fx_check_result {
    struct fx_outpoint origin;
    struct fx_hash program;
    bool readable;
    bool right;
    uint8_t rounds;
    uint32_t row, column; /* of the first difference found */
    bool located;
    int32_t expected, got;
};

/* ---- watcher.c: own jobs ---- */
void fx_watcher_step(struct fx_jobs *jobs);
void fx_watcher_checked(struct fx_jobs *jobs, const struct fx_check_result *result);

enum fx_blob_state fx_watcher_result_state(const struct fx_jobs *jobs,
                                           const struct fx_book_task *task);
/* Has the client waited long enough for the result of a claim? */
bool fx_watcher_is_late(struct fx_jobs *jobs, const struct fx_book_task *task,
                        struct fx_note *note);
/* Keeps the tiles that a block's answers reveal. */
void fx_watcher_block(struct fx_jobs *jobs, const struct fx_block *block);

/* ---- source.c: a task's operands and result, from the store ---- */
struct fx_task_source {
    struct fx_jobs *jobs;
    const struct fx_book_task *task;
};
/* source views own. */
void fx_task_source_init(struct fx_task_source *own, struct fx_jobs *jobs,
                         const struct fx_book_task *task, struct fx_source *source);

/* ---- settle.c: own claims, and refunds ---- */
void fx_settle_step(struct fx_jobs *jobs);
/* The median time from which a lock of this many units on the task's unspent output is over
 * (protocol section 5, BIP68). 0: not known. */
int64_t fx_settle_lock_end(const struct fx_jobs *jobs, const struct fx_book_task *task,
                           uint32_t units);
/* Sets where the task's pay goes: one address a task, so that attempts that fail use up none. */
bool fx_settle_payout(struct fx_jobs *jobs, struct fx_wallet *wallet,
                      const struct fx_book_task *task, const char *label,
                      uint8_t script[FX_TASK_SCRIPT_SIZE], struct fx_jobs_error *error);
bool fx_settle_send(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_book_task *task,
                    const struct fx_task_spend *spend, const char *comment, struct fx_hash *txid,
                    struct fx_jobs_error *error);
/* What a spend in the mempool of the task's output does; false: nothing spends it there. */
bool fx_settle_pending(const struct fx_jobs *jobs, const struct fx_book_task *task,
                       enum fx_task_action *action);
/* A spend waits in the mempool that was passed over by a block, and the second half of the time
 * until `end` (median time; in all `term` seconds) has begun: a higher fee is due. */
bool fx_settle_is_stuck(const struct fx_jobs *jobs, const struct fx_book_task *task, int64_t end,
                        int64_t term);

/* ---- dispute.c: fraud, challenge, answer, expire, reject ---- */
void fx_dispute_step(struct fx_jobs *jobs);

/* ---- certs.c ---- */
/* Keeps it and tells peers. */
bool fx_cert_make(struct fx_jobs *jobs, struct fx_book_task *task, struct fx_wallet *wallet);

#endif
