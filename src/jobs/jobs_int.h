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

#define FX_OWN_OFFERS_MAX 65536 /* transactions of one job, those that offer again included */

/* An own job: what the chain does not say of it. */
struct fx_own_product {
    uint32_t rows, columns;
    uint64_t depth;
    uint8_t limbs_a, limbs_b;
    uint8_t type; /* enum fx_job_type */
    double scale_a, scale_b, error;
    uint32_t first_part, n_parts; /* of the job's */
};

struct fx_own_part {
    struct fx_gemm gemm;
    int64_t escrow; /* embers, of each task */
};

struct fx_own_tx {
    uint32_t part;
    uint32_t first, count; /* tasks of the part */
    uint32_t deadline;     /* unix time */
    struct fx_hash txid;   /* zero: not sent */
    int64_t fee;           /* embers */
    bool dropped;          /* not to be sent, or taken back */
    bool automatic;        /* made by this node in place of what came to nothing */
    bool final;            /* what comes to nothing of it is not offered again by itself */
};

struct fx_own_job {
    struct fx_hash id;     /* txid of its first transaction */
    struct fx_hash client; /* key of all its tasks */
    uint16_t window, exclusive;
    int64_t fee_rate;  /* embers per 1,000 vbytes; 0: estimated */
    int64_t submitted; /* unix time */
    struct fx_own_product *products;
    size_t n_products;
    struct fx_own_part *parts;
    size_t n_parts;
    struct fx_own_tx *offers;
    size_t n_offers;
    /* not stored */
    int64_t retry_ms;        /* monotonic: when what waits may be tried again */
    char text[FX_NOTE_TEXT]; /* what it waits for */
};

struct fx_jobs {
    struct fx_jobs_config config;
    struct fx_db *db;
    struct fx_book *book;
    struct fx_map *pending;  /* txid -> struct fx_book_job of the mempool; owns */
    struct fx_map *claiming; /* the outpoints that claims of the mempool spend; owns */
    struct fx_map *notes;    /* origin -> struct fx_note; owns */
    struct fx_map *own;      /* txid -> struct fx_own_job; owns */
    struct fx_map *members;  /* txid of any transaction of an own job -> the job */
    struct fx_map *announce; /* type || root -> when a blob is to be announced again; owns */
    struct fx_checker *checker;
    struct fx_solvers *solvers; /* what the last blocks say of them; made when first asked for */
    struct event *timer;
    size_t visited;             /* jobs of the book, by age, in this round of visit_jobs */
    bool resumed;               /* downloads of the last run were taken up again */
    uint64_t map_key[2];        /* for maps keyed by what outsiders choose */
    struct fx_hash reoffer_tip; /* best block of the book when fx_reoffer_step had looked at all */
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
/* Also of own.c's values, by first byte of their key. */
bool fx_notes_load_all(struct fx_jobs *jobs, char kind,
                       bool (*load)(struct fx_jobs *jobs, const uint8_t *key, size_t key_len,
                                    const uint8_t *value, size_t n));

/* ---- own.c: own jobs ---- */
bool fx_own_load(struct fx_jobs *jobs);
void fx_own_job_destroy(struct fx_own_job *own);
/* Writes it under its id, and from the first time on the jobs own it. False: disk; where it was not
 * known it stays the caller's. */
bool fx_own_save(struct fx_jobs *jobs, struct fx_own_job *own);
/* Takes it from the disk and from the jobs; it is the caller's again. */
void fx_own_forget(struct fx_jobs *jobs, struct fx_own_job *own);
struct fx_own_job *fx_own_find(const struct fx_jobs *jobs, const struct fx_hash *id);
/* The own job that a transaction belongs to; NULL: none. */
struct fx_own_job *fx_own_of(const struct fx_jobs *jobs, const struct fx_hash *txid);
/* The own job of this name, of a key of the wallet; NULL: error says why. */
struct fx_own_job *fx_own_of_wallet(const struct fx_jobs *jobs, const struct fx_wallet *wallet,
                                    const struct fx_hash *job, struct fx_jobs_error *error);
/* Whether all operands are complete in the store, in their shape. */
bool fx_own_check_operands(const struct fx_jobs *jobs, const struct fx_own_job *own,
                           struct fx_jobs_error *error);
/* Tasks of a part. */
uint32_t fx_own_count_tasks(const struct fx_gemm *gemm);
/* Offers tasks [first, first + count) of a part, in as many transactions as that takes; they are
 * yet to be saved and sent. `all` is as each, but for first and count. */
void fx_own_add_txs(struct fx_own_job *own, const struct fx_own_tx *all);
enum fx_job_tx_status fx_own_tx_status(const struct fx_jobs *jobs, const struct fx_own_tx *offer);

/* The product that part number `part` of the job is of, and its number there. */
void fx_own_place(const struct fx_own_job *own, uint32_t part, uint32_t *product, uint32_t *number);
/* A product as callers see it; its parts are left out. */
void fx_own_product_get(const struct fx_own_job *own, size_t number,
                        struct fx_job_product *product);

/* ---- view.c: a product and its tasks ---- */
enum fx_view_offered {
    FX_VIEW_NOT_OFFERED = 0, /* or taken back */
    FX_VIEW_WAITING,         /* in a transaction that is still to be sent */
    FX_VIEW_SENT
};

struct fx_view_part {
    struct fx_gemm gemm;
    const struct fx_book_task **tasks; /* by index; NULL: neither mined nor in the mempool */
    uint8_t *offered;                  /* by index: enum fx_view_offered */
    uint32_t n_tasks;
};

struct fx_job_view {
    struct fx_job_product product;
    struct fx_view_part *parts;
    size_t n_parts;
};
/* False: no such job or product, and nothing is to be closed. */
bool fx_job_view_open(const struct fx_jobs *jobs, const struct fx_hash *id, size_t product,
                      struct fx_job_view *view);
void fx_job_view_close(struct fx_job_view *view);
/* What a job of somebody else's is of, as far as the chain says. */
void fx_view_padded_product(const struct fx_gemm *gemm, struct fx_job_product *product);
enum fx_check_status fx_view_check(const struct fx_jobs *jobs, const struct fx_book_task *task);
/* The task's result is here and was found right; task may be NULL. */
bool fx_view_is_here(const struct fx_jobs *jobs, const struct fx_book_task *task);

/* ---- funding.c: the transactions of own jobs ---- */
/* Funds, signs and sends one; *offer is of own's. False: nothing was sent. */
bool fx_funding_send(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own,
                     struct fx_own_tx *offer, struct fx_jobs_error *error);
/* Signs what the wallet funded; NULL: error says why, and nothing is reserved. One reference. */
struct fx_tx *fx_funding_sign(struct fx_wallet *wallet, struct fx_txb *b,
                              struct fx_jobs_error *error);
/* Sends what waits, as far as it can be. */
void fx_funding_send_all(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own);
void fx_funding_step(struct fx_jobs *jobs);
/* Tells peers that the job's operands are here. */
void fx_funding_announce(struct fx_jobs *jobs, const struct fx_own_job *own);

/* ---- reoffer.c: tasks that came to nothing, once more ---- */
/* Offers again by itself what cheats made come to nothing, as the configuration says. */
void fx_reoffer_step(struct fx_jobs *jobs);
/* Is there a task of it that will be offered again by itself, if nothing is done? */
bool fx_reoffer_is_coming(const struct fx_jobs *jobs, const struct fx_own_job *own);

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

/* ---- quote.c: what a job is cut into and costs ---- */
/* What a request comes to, part after part; parts may be NULL, else the caller frees *parts.
 * error may be NULL. */
bool fx_quote_make(struct fx_jobs *jobs, const struct fx_job_request *request,
                   struct fx_job_quote *quote, struct fx_own_part **parts, size_t *n_parts,
                   struct fx_jobs_error *error);
/* Puts the fee that was paid in the place of the estimated one. */
void fx_quote_set_fee(struct fx_job_quote *quote, int64_t fee);
/* Of a deadline: what is chosen for 0. False: it has passed. */
bool fx_quote_deadline(uint32_t wanted, uint32_t *deadline, struct fx_jobs_error *error);

/* ---- split.c: policies without state ---- */
#define FX_TX_TASKS_MAX 2048 /* of one transaction: it stays below the standard weight */
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
/* What a claim's solver loses where a challenge is not answered, embers. */
int64_t fx_claim_stake(const struct fx_book_state *claim);

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
    int64_t stake;  /* embers that are lost without it: no fee is above. 0: what the wallet pays */
    bool urgent;    /* the time nearly ran out: a replacement pays twice as much */
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
/* Checks claims of the job's tasks, where it is an own one. */
void fx_watcher_job(struct fx_jobs *jobs, struct fx_book_job *job);
/* And claims of others, with -watch. */
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
#define FX_MADE_AT_ONCE 8 /* transactions: each is written to disk, and others wait */
/* Ends what is due of the job's tasks; *made counts the transactions. False: that many are made,
 * and the rest of the job is for another time. */
bool fx_settle_job(struct fx_jobs *jobs, struct fx_book_job *job, unsigned *made);
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
 * that it has, in units of locks, has begun: a higher fee is due. */
bool fx_settle_is_stuck(const struct fx_jobs *jobs, const struct fx_book_task *task,
                        uint32_t units);
/* The last quarter of that time has begun. */
bool fx_settle_is_urgent(const struct fx_jobs *jobs, const struct fx_book_task *task,
                         uint32_t units);

/* ---- dispute.c: fraud, challenge, answer, expire, reject ---- */
/* Does what is due on the job's claims, as fx_settle_job. */
bool fx_dispute_job(struct fx_jobs *jobs, struct fx_book_job *job, unsigned *made);

/* ---- certs.c ---- */
/* Keeps it and tells peers. */
bool fx_cert_make(struct fx_jobs *jobs, struct fx_book_task *task, struct fx_wallet *wallet);

#endif
