/*
 * Task outputs (protocol section 5): preimages, programs, records, and the hashes that are signed.
 * Bytes only; the rules of spending stand in consensus/spend.h.
 */
#ifndef FX_CONSENSUS_TASK_H
#define FX_CONSENSUS_TASK_H

#include "consensus/kinds/kind.h"
#include "consensus/params.h"
#include "consensus/tx.h"

#define FX_TASK_PREIMAGE_MIN 83 /* shorter ones are unspendable */
#define FX_TASK_SCRIPT_SIZE 34
#define FX_TASK_SPEC_HEAD 42    /* bytes of a spec before its body */
#define FX_TASK_CLAIM_FIELDS 88 /* escrow, bond, burn, solver, result */

enum fx_task_state { FX_TASK_FUNDED = 0, FX_TASK_CLAIMED = 1, FX_TASK_CHALLENGED = 2 };

enum fx_task_action {
    FX_ACTION_REFUND = 0,
    FX_ACTION_CLAIM = 1,
    FX_ACTION_ACCEPT = 2,
    FX_ACTION_TAKE = 3,
    FX_ACTION_FRAUD = 4,
    FX_ACTION_CHALLENGE = 5,
    FX_ACTION_ANSWER = 6,
    FX_ACTION_EXPIRE = 7,
    FX_ACTION_REJECT = 8
};

struct fx_task_spec {
    uint8_t version, kind;
    struct fx_hash client;
    uint32_t deadline;   /* unix time */
    uint16_t window;     /* units of 512 s */
    uint16_t exclusive;  /* blocks */
    struct fx_span body; /* a view of the bytes it was read from */
};

/* A parsed preimage. */
struct fx_task {
    uint8_t state;
    struct fx_outpoint origin; /* zero: fresh */
    struct fx_task_spec spec;
    uint32_t index;
    /* claimed and challenged */
    uint64_t escrow, bond, burn; /* embers */
    struct fx_hash solver, result;
    /* challenged */
    uint32_t tile;
    /* derived where the spec is valid */
    const struct fx_kind *kind;
    struct fx_task_shape shape;
};

/* The record that the chain keeps an origin. */
struct fx_task_record {
    bool live;                   /* names an outpoint */
    struct fx_outpoint outpoint; /* where live */
    uint8_t state;               /* enum fx_task_state, where live */
    bool backed;
    uint8_t asked;
    uint32_t h0;      /* height of the origin's coin */
    uint32_t settled; /* height; 0: not settled */
    struct fx_hash client, solver;
    uint64_t bricks;
    uint64_t burn;
};

/* The serialized spec without index: `version .. body`. False unless it is a valid spec (all of its
 * bytes used). */
bool fx_task_spec_read(const struct fx_params *params, struct fx_span spec,
                       struct fx_task_spec *out);
void fx_task_spec_write(const struct fx_task_spec *spec, struct fx_buf *buf);

/* True where the preimage is well-formed with a valid spec and index; task->spec.body views the
 * preimage. */
bool fx_task_read(const struct fx_params *params, struct fx_span preimage, struct fx_task *task);
/* Reads only what refund needs: state, origin, version, kind, client, deadline. False below 83
 * bytes. */
bool fx_task_read_head(struct fx_span preimage, struct fx_task *task);
/* Writes state, origin, spec, index and what the state adds. */
void fx_task_write(const struct fx_task *task, struct fx_buf *preimage);

void fx_task_program(struct fx_span preimage,
                     struct fx_hash *program); /* TH("fornax/p2task", preimage) */
void fx_task_script(const struct fx_hash *program, uint8_t script[FX_TASK_SCRIPT_SIZE]);
/* True for `52 20 <32 bytes>`; program may be NULL. */
bool fx_script_is_task(struct fx_span script, struct fx_hash *program);

/* What a certificate signs: TH("fornax/accept", program). */
void fx_task_accept_hash(const struct fx_hash *program, struct fx_hash *hash);

#define FX_TASK_ASKED_MAX 8 /* challenges of one claim */

/*
 * Random choices (protocol section 5); beacon is the id of the block that gives the randomness.
 * Of exclusivity: TH("fornax/assign", beacon(h0) || origin), whose first u64 counts.
 * Of take: TH("fornax/sample", beacon(h1) || origin || number), for numbers below FX_TASK_SAMPLES;
 * the kind's `sample` makes an entry of it.
 */
#define FX_TASK_SAMPLES 2
void fx_task_assign_hash(const struct fx_hash *beacon, const struct fx_outpoint *origin,
                         struct fx_hash *hash);
void fx_task_sample_hash(const struct fx_hash *beacon, const struct fx_outpoint *origin,
                         uint8_t number, struct fx_hash *hash);

/* The announcement of a job transaction (policy): vout[0] is OP_RETURN <"fxjs" || first u32 ||
 * spec>. */
bool fx_task_announcement_read(const struct fx_params *params, const struct fx_tx *tx,
                               uint32_t *first, struct fx_task_spec *spec);
void fx_task_announcement_write(uint32_t first, const struct fx_task_spec *spec,
                                struct fx_buf *script);
/* The preimage of a fresh task (state 0, zero origin) of this spec. */
void fx_task_fresh_preimage(const struct fx_task_spec *spec, uint32_t index,
                            struct fx_buf *preimage);

void fx_task_record_write(const struct fx_task_record *record, struct fx_buf *buf);
bool fx_task_record_read(struct fx_reader *r, struct fx_task_record *record);
bool fx_task_record_equal(const struct fx_task_record *a, const struct fx_task_record *b);

#endif
