/*
 * Jobs and tasks: the book of all tasks that the chain announces, this node's own jobs as a client,
 * and its work as a solver. Implemented by src/jobs. Main thread only.
 */
#ifndef FX_IFACE_JOBS_H
#define FX_IFACE_JOBS_H

#include "consensus/task.h"
#include "src/iface/blobs.h"
#include "src/iface/wallet.h"

struct fx_jobs; /* opaque */

/* What became of a task, as the chain has it. */
enum fx_task_status {
    FX_STATUS_PENDING = 0, /* announced in the mempool only */
    FX_STATUS_OPEN,        /* funded, confirmed */
    FX_STATUS_CLAIMED,
    FX_STATUS_SETTLED, /* by accept or take */
    FX_STATUS_REFUNDED,
    FX_STATUS_CHALLENGED, /* claimed, and a tile is asked for */
    FX_STATUS_REJECTED    /* its client burned the escrow: the result did not come */
};

/* Why the present claim will not stand, or the last one did not. */
enum fx_task_reason {
    FX_REASON_NONE = 0,
    FX_REASON_WRONG,      /* an entry is wrong: found here, or proven on the chain */
    FX_REASON_UNANSWERED, /* a challenge was not answered in time */
    FX_REASON_ABANDONED,  /* it was neither accepted nor taken in time */
    FX_REASON_UNDELIVERED /* rejected: eight answers, and the rest did not come */
};

/* One step of a dispute: fraud, challenge, answer, expire or reject, as the chain has it. */
struct fx_task_event {
    enum fx_task_action action;
    struct fx_hash txid;
    uint32_t height;
    struct fx_hash solver; /* of the claim that it was about */
    bool challenged;       /* the claim was challenged; then: */
    uint32_t tile;         /* the one asked for (challenge: by this step) */
};

/* What this node found out about a claim by itself. */
enum fx_check_status {
    FX_CHECK_NONE = 0,
    FX_CHECK_FETCHING,
    FX_CHECK_CHECKING,
    FX_CHECK_RIGHT,
    FX_CHECK_WRONG
};

struct fx_task_info {
    struct fx_outpoint origin; /* the outpoint of the funded output: the task's name */
    struct fx_hash job;        /* its name: txid of the announcement, of an own job of the first */
    struct fx_span preimage;   /* of the funded output, a restored one with its origin; view */
    struct fx_task_spec spec;  /* views preimage */
    uint32_t index;
    uint32_t product, part; /* of an own job: which product, and which part of it */
    struct fx_task_shape shape;
    int64_t escrow; /* value of the funded output, embers */
    enum fx_task_status status;
    uint32_t h0;                 /* 0: pending */
    struct fx_outpoint outpoint; /* the unspent output: open, claimed, challenged; else zero */
    struct fx_hash spender;      /* the mempool's transaction that spends it; zero: none */
    unsigned restored;           /* how often a claim was undone and the task open again */
    /* claimed, challenged, settled and rejected */
    struct fx_outpoint claim; /* the claimed output; after an answer its successor */
    uint32_t claim_height;    /* of that output */
    struct fx_hash solver, result;
    int64_t bond, burn;
    unsigned asked; /* challenges of this claim */
    uint32_t tile;  /* challenged: the one asked for */
    /* settled, refunded, rejected */
    struct fx_hash end_txid;
    uint32_t end_height;
    enum fx_task_action end_action; /* accept, take, refund or reject */
    bool backed;
    /* this node's own view */
    bool operands_here;
    enum fx_check_status check;
    unsigned rounds;           /* right: of Freivalds, each of which a wrong result passes with
                                * probability 2^-61 at most (protocol section 8); else 0 */
    bool certified;            /* a certificate is known */
    bool is_client, is_solver; /* a loaded wallet has the key */
    enum fx_task_reason reason;
    char note[160];  /* why a claim was found wrong, a settlement waits, ...; "" */
    size_t n_events; /* of all its disputes, in order */
    const struct fx_task_event *events; /* view */
    size_t n_blocks;                    /* job-lane blocks of the best chain mined inside it */
    const struct fx_hash *blocks;       /* their ids; view */
};

/*
 * What a client asks for: products, each the sum of parts along the depth, each part one product of
 * panel matrices on the chain. Where entries are wider than an operand's, an operand has the limbs
 * of its matrix (src/util/limbs.h) one below the other, the lowest first: `limbs_a * rows` rows of
 * A, `limbs_b * columns` of B transposed; and the result is put together from all pairs of them.
 */
#define FX_JOB_DEPTH_MAX 65536               /* of a part; all but the last have it in full */
#define FX_JOB_PRODUCTS_MAX 256              /* of a job */
#define FX_JOB_PARTS_MAX 1024                /* of all its products */
#define FX_JOB_TASKS_MAX (UINT64_C(1) << 16) /* of all its parts */

enum fx_job_type { FX_TYPE_INT32 = 0, FX_TYPE_INT64, FX_TYPE_FLOAT64 };

struct fx_job_part {
    struct fx_hash root_a, root_b; /* uploaded operands (A, and B transposed) */
};

struct fx_job_product {
    uint32_t rows, columns; /* before limbs and padding: A is rows x depth, B depth x columns */
    uint64_t depth;
    unsigned limbs_a, limbs_b; /* 1 to FX_LIMBS_MAX */
    enum fx_job_type type;     /* of the result's entries */
    /* float64: an entry is the sum of integers over scale_a * scale_b, and differs from the product
     * of the matrices that were quantised by at most `error`: the client's word. Else 1, 1, 0. */
    double scale_a, scale_b, error;
    const struct fx_job_part *parts; /* view; NULL where only the shape is told */
    size_t n_parts;                  /* depth / FX_JOB_DEPTH_MAX, rounded up */
};

enum fx_job_status {
    FX_JOB_PENDING = 0,
    FX_JOB_OPEN,
    FX_JOB_DONE,
    FX_JOB_ENDED,    /* some tasks refunded or rejected */
    FX_JOB_CANCELLED /* before any of it was confirmed */
};

struct fx_job_info {
    struct fx_hash id;             /* txid of its first transaction */
    struct fx_task_spec spec;      /* of that; view */
    struct fx_gemm gemm;           /* its first part */
    struct fx_job_product product; /* the first; of jobs that are not own the padded one */
    size_t n_products;
    enum fx_job_status status;
    size_t n_tasks, n_open, n_claimed, n_settled, n_refunded, n_certified;
    size_t n_challenged, n_rejected;
    size_t n_waiting;    /* in transactions that are still to be sent */
    size_t n_here;       /* whose result is here and was found right */
    size_t n_wrong;      /* claims found wrong: by this node, or proven on the chain */
    int64_t reward, fee; /* embers: all escrows; fees of the funding transactions */
    int64_t submitted;   /* unix time */
    uint32_t height;     /* of its first transaction; 0: not confirmed */
    bool own;
    bool result_here; /* every task's result is here and checked */
    char note[160];   /* why transactions wait to be sent; "" */
};

/* A transaction of an own job, sent or to be sent. */
enum fx_job_tx_status {
    FX_JOB_TX_WAITING = 0, /* sent once it can be */
    FX_JOB_TX_PENDING,
    FX_JOB_TX_CONFIRMED,
    FX_JOB_TX_DROPPED /* will not be sent, or was taken back */
};

struct fx_job_tx {
    struct fx_hash txid; /* zero: not sent */
    enum fx_job_tx_status status;
    uint32_t product, part; /* part of the product */
    uint32_t first, count;  /* tasks of the part */
    int64_t escrow, fee;    /* embers, of each task; of the transaction */
    uint32_t deadline, height;
    bool automatic; /* made by the node in place of tasks that came to nothing */
};

/* What canceling did. */
struct fx_job_cancel {
    struct fx_hash replacement;   /* the transaction that takes the coins back; zero: none */
    size_t n_replaced, n_dropped; /* transactions taken back, and not to be sent */
    size_t n_abandoned;           /* that were neither mined nor in the mempool: given up */
    int64_t fee;                  /* embers, of the replacement */
};

struct fx_job_request {
    const struct fx_job_product *products;
    size_t n_products;
    uint32_t task_rows, task_cols; /* tiles; 0: chosen */
    int64_t reward;                /* embers a task; 0: chosen */
    uint32_t deadline;             /* unix time; 0: chosen */
    uint16_t window;               /* units of 512 s; 0: the network's least */
    uint16_t exclusive;            /* blocks */
    int64_t fee_rate;              /* embers per 1,000 vbytes; 0: estimated */
};

struct fx_job_quote {
    uint32_t m, n, k; /* padded, of the first part */
    uint32_t task_rows, task_cols;
    uint64_t products;     /* of matrices of entries: pairs of limbs of all parts */
    uint64_t transactions; /* that announce them */
    uint64_t tasks;
    uint64_t bricks; /* all */
    int64_t escrow;  /* a task; where parts differ, the highest */
    int64_t reward;  /* all escrows */
    int64_t fee;     /* of the transactions, estimated */
    int64_t fee_per_task;
    int64_t total;
    uint32_t deadline;
    uint16_t window, exclusive;
};

struct fx_jobs_error {
    int code; /* as struct fx_wallet_error */
    char text[FX_WALLET_ERROR];
};

/* Client */
bool fx_jobs_quote(struct fx_jobs *jobs, const struct fx_job_request *request,
                   struct fx_job_quote *quote, struct fx_jobs_error *error);
/* Funds, announces, relays. The quote is what was done, where all of it could be sent at once; the
 * rest is sent as soon as it can be. False: nothing was sent. */
bool fx_jobs_submit(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_job_request *request, struct fx_hash *job,
                    struct fx_job_quote *quote, struct fx_jobs_error *error);
bool fx_jobs_get(struct fx_jobs *jobs, const struct fx_hash *job, struct fx_job_info *info);
/* The newest `count`, less `skip` at the end, oldest first; what is not confirmed comes last. own:
 * only those of loaded wallets' keys. *infos is the caller's to free. */
size_t fx_jobs_list(struct fx_jobs *jobs, bool own, size_t count, size_t skip,
                    struct fx_job_info **infos);
/* One of a job's products, without its parts; false: it has fewer. */
bool fx_jobs_product(struct fx_jobs *jobs, const struct fx_hash *job, size_t number,
                     struct fx_job_product *product);
/* Of an own job; *offers is the caller's to free. */
size_t fx_jobs_txs(struct fx_jobs *jobs, const struct fx_hash *job, struct fx_job_tx **offers);
/* Takes back what is not confirmed, and offers nothing of the job again by itself. Where all of it
 * is confirmed the counts are 0. A job that is over (done, cancelled, or ended with nothing to be
 * offered again) is an error. */
bool fx_jobs_cancel(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_hash *job,
                    struct fx_job_cancel *done, struct fx_jobs_error *error);
/* Offers refunded and rejected tasks anew, with another deadline (unix time; 0: chosen). *n is how
 * many; 0 is an error. */
bool fx_jobs_reoffer(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_hash *job,
                     uint32_t deadline, size_t *n, struct fx_jobs_error *error);

/* A rectangle of a trimmed result, in entries. */
struct fx_job_rect {
    uint32_t row, rows, column, columns;
};
/* What is missing of a product's result: one rectangle a task and pair of limbs, which may overlap.
 * *rects is the caller's to free. */
size_t fx_jobs_missing(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                       struct fx_job_rect **rects);
/*
 * Rows [row0, row0 + count) of a product's trimmed result, row-major: sums of integers, which for
 * float64 are yet to be divided by both scales. False: not here yet, or out of range. partial: what
 * is missing is no error and is 0.
 */
bool fx_jobs_result_rows(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                         uint32_t row0, uint32_t count, bool partial, int64_t *out,
                         struct fx_jobs_error *error);

/* Book */
bool fx_jobs_task(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                  struct fx_task_info *info);
/* Which tasks to list. All zero: all of them. */
struct fx_task_filter {
    const struct fx_hash *job; /* NULL: of all jobs */
    unsigned statuses;         /* FX_STATUS_BIT of those wanted; 0: of any status */
    bool restored;             /* only those that a dispute opened again */
    size_t skip, count;        /* of those that fit; count 0: to the last */
};
#define FX_STATUS_BIT(status) (1u << (status))
/* In order of age; those of the mempool last. Open, claimed and challenged ones are found without a
 * walk over all that ever were. *infos is the caller's to free; views until the next event. */
size_t fx_jobs_tasks(struct fx_jobs *jobs, const struct fx_task_filter *filter,
                     struct fx_task_info **infos);
/* In how many shapes do open and claimed tasks name this root (protocol section 9), whoever the
 * key's solver is? 0: none does. A result's shape has its solver, and a copied claim names the same
 * root under another one. shapes: the first max. */
size_t fx_jobs_names_root(struct fx_jobs *jobs, const struct fx_blob_key *key,
                          struct fx_blob_shape *shapes, size_t max);

/* Certificates from peers. */
enum fx_cert { FX_CERT_IGNORED = 0, FX_CERT_BAD, FX_CERT_KNOWN, FX_CERT_NEW };
enum fx_cert fx_jobs_cert(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                          const struct fx_hash *program, const uint8_t signature[64]);
/* All certificates held, for a peer that has just connected. */
void fx_jobs_each_cert(struct fx_jobs *jobs,
                       void (*visit)(void *ctx, const struct fx_outpoint *origin,
                                     const struct fx_hash *program, const uint8_t signature[64]),
                       void *ctx);

/* Solver */
enum fx_burn { FX_BURN_AUTO = 0, FX_BURN_NONE, FX_BURN_AMOUNT };
/* Asks the network for a task's operands where they are not here. */
bool fx_jobs_want_operands(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                           struct fx_jobs_error *error);
/* Claims: the result blob must be complete in the store. Bond and fee come from wallet. *txid is
 * set. */
bool fx_jobs_claim(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_outpoint *origin,
                   const struct fx_hash *result, enum fx_burn burn, int64_t burn_amount,
                   struct fx_hash *txid, struct fx_jobs_error *error);
/* What FX_BURN_AUTO would burn: half of what the credit can gain, never more than the escrow. */
int64_t fx_jobs_burn_auto(struct fx_jobs *jobs, uint64_t bricks, int64_t escrow);
/* Settles now, by certificate where there is one, else by take where it is due; automatic
 * otherwise. */
bool fx_jobs_settle(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_outpoint *origin, struct fx_hash *txid,
                    struct fx_jobs_error *error);
bool fx_jobs_refund(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_outpoint *origin, struct fx_hash *txid,
                    struct fx_jobs_error *error);
/* Settled, not backed origins of this solver, oldest first; *origins is the caller's to free. */
size_t fx_jobs_backing(struct fx_jobs *jobs, const struct fx_hash *solver,
                       struct fx_outpoint **origins, uint64_t *credit, uint64_t *burns);

#endif
