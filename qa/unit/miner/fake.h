/*
 * A node in memory, behind the functions of src/miner/node.h: a chain of two lanes with tasks on
 * it, a store of uploads, and switches for what can go wrong. Every call is one step of its world:
 * a claim is on the chain once it was asked about, and settled the next time.
 *
 * The miner's lines are kept as well, instead of printed.
 */
#ifndef FX_QA_UNIT_MINER_FAKE_H
#define FX_QA_UNIT_MINER_FAKE_H

#include "src/miner/node.h"

#define FX_FAKE_TASKS 8
#define FX_FAKE_UPLOADS 32

struct fx_fake_task {
    struct fx_miner_task task;
    const int8_t *a, *b; /* panel matrices, row-major; owned by the fake */
    bool claimed_here;   /* by the miner under test */
    bool right;          /* what it claimed is the product */
    unsigned claims, blocks;
    struct fx_hash claim;
};

struct fx_fake {
    /* switches, set by tests */
    bool down, refuses_password;
    int wallet_error;      /* code of the answer to what needs the wallet; 0: it is there */
    unsigned not_here;     /* calls of prepare that say: not yet */
    unsigned no_funds;     /* claims that are refused for want of coins */
    unsigned lose_claims;  /* claims that get lost before they are on the chain */
    unsigned lose_answers; /* claims that are made, and not answered */
    unsigned slow_settle;  /* looks at a claimed task before it settles; 0: the next one */
    bool no_settle;        /* claims stay claimed */
    unsigned job_bits;     /* a ticket wins with probability 2^-bits */
    unsigned hash_bits;
    char chain[16];
    /* what came of it */
    struct fx_fake_task tasks[FX_FAKE_TASKS];
    size_t n_tasks;
    double speed; /* that the tasks were asked for */
    uint32_t height;
    unsigned job_blocks, hash_blocks;
    unsigned bad_blocks;   /* submissions that do not meet the target */
    unsigned stale_blocks; /* submissions on an old tip */
    unsigned calls, works;
};

extern struct fx_fake fx_fake;

void fx_fake_begin(void);
void fx_fake_end(void);
/* A job of rows x cols tiles and this depth, one task with all of it. Returns its number. */
size_t fx_fake_add(uint32_t rows, uint32_t cols, uint32_t depth, int64_t escrow);
/* Another solver's claim. */
void fx_fake_take(size_t task);
void fx_fake_move_tip(void);
/* A reorganisation takes the claim off the chain. with_result: and the node's store has lost what
 * was uploaded. */
void fx_fake_undo_claim(size_t task, bool with_result);
/* The node's wallet has another solver key. */
void fx_fake_change_key(void);
/* For reading and setting the world while the miner runs. */
void fx_fake_lock(void);
void fx_fake_unlock(void);
/* Lines that contain this text, said since fx_fake_begin. */
unsigned fx_fake_said(const char *text);
/* All lines, to standard error: why a test failed. */
void fx_fake_print(void);

#endif
