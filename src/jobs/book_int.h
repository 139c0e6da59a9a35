/*
 * The book: every task that the chain announces, and what became of it, in memory and in the
 * database. It follows the best chain block by block, and writes each block's changes with their
 * undo and the new marker as one batch: so it is exact after reorganisations and restarts, whatever
 * the chain's own state on disk was when the process ended.
 *
 * Pointers to jobs and tasks stay valid until a block is disconnected or the book is reset.
 */
#ifndef FX_JOBS_BOOK_INT_H
#define FX_JOBS_BOOK_INT_H

#include "consensus/block.h"
#include "src/jobs/tally_int.h"
#include "src/sys/db.h"
#include "src/util/map.h"

/* The part of a task that blocks change. Fields of a state that was not reached are zero. */
struct fx_book_state {
    enum fx_task_status status;
    int64_t escrow; /* embers */
    uint32_t h0;
    struct fx_outpoint outpoint; /* open, claimed, challenged: the unspent output */
    int64_t value;               /* its value, embers */
    uint32_t height;             /* of the block that made it */
    uint32_t restored;           /* how often it was claimed in vain */
    struct fx_outpoint claim;    /* the claimed output, after an answer its successor */
    struct fx_hash program;      /* its program: the same for all of one claim */
    uint32_t claim_height;       /* of that output */
    struct fx_hash solver, result;
    int64_t bond, burn; /* embers */
    uint8_t asked;      /* challenges of this claim */
    uint32_t tile;      /* challenged: the one asked for */
    uint32_t n_events;  /* of the task's disputes so far */
    struct fx_hash end_txid;
    uint32_t end_height;
    enum fx_task_action end_action;
    bool backed;
};

struct fx_book_task {
    struct fx_outpoint origin;
    struct fx_book_job *job;
    uint32_t index;
    struct fx_task_shape shape;
    struct fx_buf preimage; /* of the fresh funded output */
    struct fx_buf again;    /* of a restored one: with its origin; made when it is first needed */
    struct fx_book_state state;
    struct fx_task_event *events; /* state.n_events of them count */
    size_t cap_events;
    struct fx_hash *blocks; /* job-lane blocks mined inside it, in order of height */
    size_t n_blocks, cap_blocks;
    struct fx_book_task *claims_prev, *claims_next; /* see fx_book_claims_of */
    uint32_t logged; /* private to the book: the change that saved its state last */
};

/* A transaction that announces tasks. */
struct fx_book_job {
    struct fx_hash id; /* its txid */
    uint32_t first;    /* index of the task at vout 1 */
    struct fx_buf bytes;
    struct fx_task_spec spec; /* views bytes */
    const struct fx_kind *kind;
    struct fx_gemm gemm;         /* kind gemm; else zero */
    struct fx_book_task **tasks; /* by index */
    size_t n_tasks;
    /* Of a job in the book: how many of its tasks are in this status. */
    uint32_t n_status[FX_STATUS_REJECTED + 1];
};

/*
 * The job that a transaction announces, its tasks in state pending; NULL where it announces none:
 * no OP_RETURN of this form with a valid spec in vout[0], or no output at vout[1] that pays to the
 * task it names.
 */
struct fx_book_job *fx_book_job_read(const struct fx_params *params, const struct fx_tx *tx);
void fx_book_job_destroy(struct fx_book_job *job);
/* Of the funded output, fresh or restored; view. */
struct fx_span fx_book_funded_preimage(const struct fx_book_task *task);
/* The preimage that an action pays to: of the restored, the claimed or the challenged output. */
void fx_book_restored_preimage(const struct fx_params *params, const struct fx_book_task *task,
                               struct fx_buf *preimage);
void fx_book_challenged_preimage(const struct fx_params *params, const struct fx_book_task *task,
                                 uint32_t tile, struct fx_buf *preimage);
/* A claim stands or stood last, and its fields are set. */
bool fx_book_is_claim(const struct fx_book_task *task);
/* The preimage of the claimed output. */
void fx_book_claimed_preimage(const struct fx_params *params, const struct fx_book_task *task,
                              struct fx_buf *preimage);
/* What its spec says of an operand of a gemm task, and of its result. */
void fx_book_operand(const struct fx_book_job *job, unsigned side, struct fx_blob_key *key,
                     struct fx_blob_shape *shape);
void fx_book_result(const struct fx_book_task *task, struct fx_blob_key *key,
                    struct fx_blob_shape *shape);

struct fx_book; /* opaque */

/* Loads what the database holds; db stays the caller's. genesis: where a new book starts. NULL:
 * *error, the caller's to free, says why. */
struct fx_book *fx_book_create(const struct fx_params *params, struct fx_db *db,
                               const struct fx_hash *genesis, char **error);
void fx_book_destroy(struct fx_book *book);

/* The last block it has seen. */
const struct fx_hash *fx_book_best(const struct fx_book *book, uint32_t *height);
/* The block's parent is the last one seen. False: the database failed, and nothing has changed. */
bool fx_book_connect(struct fx_book *book, const struct fx_block *block);
/* Takes back the last block. FX_MISSING: its undo is no more, the book can only be reset. */
enum fx_lookup fx_book_disconnect(struct fx_book *book);
/* Forgets all, back to genesis. */
bool fx_book_reset(struct fx_book *book, const struct fx_hash *genesis);

struct fx_book_job *fx_book_find_job(const struct fx_book *book, const struct fx_hash *id);
struct fx_book_task *fx_book_find(const struct fx_book *book, const struct fx_outpoint *origin);
/* The open, claimed or challenged task with this unspent output. */
struct fx_book_task *fx_book_at(const struct fx_book *book, const struct fx_outpoint *outpoint);
/* Iteration, in no order, from *at = 0; NULL at the end. Nothing may be connected meanwhile. */
struct fx_book_job *fx_book_next_job(const struct fx_book *book, size_t *at);
struct fx_book_task *fx_book_next_active(const struct fx_book *book, size_t *at);
/* The claimed and challenged tasks of this solver, in no order: the first, and each one's
 * claims_next. NULL: none. */
struct fx_book_task *fx_book_claims_of(const struct fx_book *book, const struct fx_hash *solver);
struct fx_book_task *fx_book_next_unbacked(const struct fx_book *book, size_t *at);
size_t fx_book_count_jobs(const struct fx_book *book);
/* Jobs of the chain by age, 0 the oldest; those of one block by id. NULL: no more. */
struct fx_book_job *fx_book_aged_job(const struct fx_book *book, size_t number);
/* The same from the other end: 0 is one of the last block that announced any; NULL: no more. */
struct fx_book_job *fx_book_back_job(const struct fx_book *book, size_t back);
/* Of the last blocks. */
const struct fx_tallies *fx_book_tallies(const struct fx_book *book);
/* In how many shapes do open, claimed and challenged tasks name this root, whoever the key's solver
 * is: 0, none does; more than one, as a claim can copy another's root. shapes: the first max. */
size_t fx_book_names_root(const struct fx_book *book, const struct fx_blob_key *key,
                          struct fx_blob_shape *shapes, size_t max);

/* ---- between book.c, book_task.c, book_spend.c and book_store.c ---- */

/* A job without tasks; NULL where the spec is not valid. */
struct fx_book_job *fx_book_job_create(const struct fx_params *params, const struct fx_hash *id,
                                       uint32_t first, struct fx_span spec);
/* The task at output `vout` of the announcement; NULL where the job has no such task. The caller's
 * until it is added. */
struct fx_book_task *fx_book_task_create(struct fx_book_job *job, uint32_t vout);
void fx_book_job_add(struct fx_book_job *job, struct fx_book_task *task);

/* What a spend of the task's unspent output does to it; the rules have judged it already: the
 * witness is that of its action. False: not understood. */
bool fx_book_task_spend(struct fx_book_task *task, const struct fx_tx *tx, size_t in,
                        uint32_t height, enum fx_task_action action);

/* The changes of one block. */
struct fx_book_change {
    struct fx_book_task *task;
    struct fx_book_state before;
};

struct fx_book_log {
    struct fx_hash id, parent;
    uint32_t height;
    struct fx_book_job **jobs; /* that it announces */
    size_t n_jobs, cap_jobs;
    struct fx_book_change *changes; /* of tasks that were there before, one a task */
    size_t n, cap;
    struct fx_book_task *mined; /* the task that it was mined inside, or NULL */
    struct fx_tally tally;
};

/* What undoes a block, as it is stored. */
struct fx_book_undo {
    struct fx_hash id, parent;
    struct fx_hash *jobs;
    size_t n_jobs;
    struct fx_outpoint *origins;
    struct fx_book_state *states;
    size_t n;
    bool has_mined;
    struct fx_outpoint mined;
};

/* Puts a stored job or task into the book being loaded; false where it does not fit. */
bool fx_book_load_job(struct fx_book *book, const struct fx_hash *id, uint32_t first,
                      struct fx_span spec);
bool fx_book_load_task(struct fx_book *book, const struct fx_outpoint *origin,
                       const struct fx_book_state *state);
bool fx_book_load_mined(struct fx_book *book, const struct fx_outpoint *origin,
                        const struct fx_hash *block);
bool fx_book_load_event(struct fx_book *book, const struct fx_outpoint *origin, uint32_t number,
                        const struct fx_task_event *event);

/* Takes the tally over; false where it does not follow the one before. */
bool fx_book_load_tally(struct fx_book *book, const struct fx_tally *tally);

/* FX_MISSING: there is none, or it does not parse. */
enum fx_lookup fx_book_store_load(struct fx_book *book, struct fx_db *db, struct fx_hash *best,
                                  uint32_t *height);
bool fx_book_store_connect(struct fx_db *db, const struct fx_book_log *log);
/* Of the last block; cleared by the caller where found. */
enum fx_lookup fx_book_store_undo(struct fx_db *db, uint32_t height, struct fx_book_undo *undo);
/* job: finds one of undo->jobs, for the names of its tasks. */
bool fx_book_store_disconnect(struct fx_db *db, const struct fx_book *book, uint32_t height,
                              const struct fx_book_undo *undo);
void fx_book_undo_clear(struct fx_book_undo *undo);
bool fx_book_store_reset(struct fx_db *db, const struct fx_hash *genesis);

#endif
