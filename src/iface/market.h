/*
 * The market of tasks: what is on offer to a solver and in what order, what is known of solvers,
 * and sums over recent blocks. All of it is policy and advice: no rule of the chain depends on it.
 * Implemented by src/jobs. Main thread only.
 */
#ifndef FX_IFACE_MARKET_H
#define FX_IFACE_MARKET_H

#include "src/iface/jobs.h"

#define FX_MARKET_WINDOW 2016   /* blocks that are looked at where nothing else is said */
#define FX_MARKET_LONGEST 20160 /* blocks that sums can be asked over */

/* ---- offers ------------------------------------------------------------------------------ */

/* Who may claim while a task is exclusive (protocol section 5). */
enum fx_slot {
    FX_SLOT_NONE = 0, /* not exclusive, or not any more */
    FX_SLOT_WAITS,    /* the beacon that chooses the solver is not mined yet: nobody may */
    FX_SLOT_ANYONE,   /* no job-lane block was there to choose from */
    FX_SLOT_OWN,      /* the solver that asks */
    FX_SLOT_OTHER
};

/* Why an open task is not offered. */
enum fx_offer_bar {
    FX_OFFER_FREE = 0,
    FX_OFFER_CLAIMED,   /* a spend of it waits in the mempool */
    FX_OFFER_EXCLUSIVE, /* nobody, or another solver, may claim it now */
    FX_OFFER_WORKED_ON, /* another solver mined a block in it, and is not overdue yet */
    FX_OFFER_TOO_LATE,  /* at the speed given it would not be done by its deadline */
    FX_OFFER_KIND       /* of a kind that is not offered */
};

struct fx_offer {
    struct fx_outpoint origin;
    enum fx_offer_bar bar;
    double pay; /* embers a brick: escrow less burn, and what the credit can gain */
    bool operands_here;
    enum fx_slot slot;
    struct fx_hash assignee; /* FX_SLOT_OWN, FX_SLOT_OTHER */
    uint32_t slot_end;       /* the last height at which only it may claim; 0: no slot */
    bool worked_on;          /* a job-lane block was mined in it since it was open; then: */
    struct fx_hash worker;   /* the solver of the first such block */
    int64_t worked_since;    /* its time */
    bool overdue;            /* it should have finished long ago */
    unsigned place;          /* of the solver that asks among those that might take it; 0: first */
};

struct fx_offer_query {
    const struct fx_hash *solver; /* NULL: of nobody in particular */
    double speed;                 /* bricks a second that it has for one task; 0: not known */
    enum fx_burn burn;
    int64_t burn_amount; /* FX_BURN_AMOUNT: embers a task */
    bool all;            /* those that are barred too, after the others */
    bool here;           /* only those whose operands are here */
    size_t skip, count;  /* of those that fit; count 0: to the last */
};

/* What is on offer, best first: see doc/miner.md for the order. *offers is the caller's to free;
 * *total is how many fit, with those before and after the page. */
size_t fx_jobs_offers(struct fx_jobs *jobs, const struct fx_offer_query *query,
                      struct fx_offer **offers, size_t *total);
/* The middle of what open tasks of other clients pay a brick, in embers; 0: there are none. */
double fx_jobs_going_rate(struct fx_jobs *jobs);

/* ---- solvers ----------------------------------------------------------------------------- */

/* What the last FX_MARKET_WINDOW blocks say of a solver. */
struct fx_solver_info {
    struct fx_hash key;
    uint32_t blocks;         /* job-lane blocks: its chances of exclusive tasks */
    uint64_t claims, bricks; /* that it claimed */
    uint32_t last_height;    /* of a block with a block or claim of it */
    int64_t first, last;     /* times of the first and last block with a block or claim of it */
    double speed;           /* bricks a second: claimed after the first claim's block; 0: unknown */
    unsigned slots, missed; /* of its last three exclusive slots that are over, and those in which
                               it did not claim */
    bool available;         /* fewer than three missed */
};

#define FX_SLOTS_COUNT 3

/* Those with a block or claim, most claimed bricks first. A view until the next event. */
size_t fx_jobs_solvers(struct fx_jobs *jobs, const struct fx_solver_info **solvers);

/* What exclusivity of a task funded now would mean. */
struct fx_exclusive_outlook {
    uint32_t chances;     /* job-lane blocks of the window: one of them is drawn */
    uint32_t unavailable; /* of these, blocks of solvers that are not available */
    uint16_t proposed;    /* blocks: the value of `exclusive` that is worth waiting for */
};
/* bricks: of the largest task. */
void fx_jobs_outlook(struct fx_jobs *jobs, uint64_t bricks, struct fx_exclusive_outlook *outlook);

/* ---- sums -------------------------------------------------------------------------------- */

struct fx_market_sum {
    uint64_t tasks, bricks;
    uint64_t escrow; /* embers */
};

struct fx_market_info {
    uint32_t first, last;         /* heights of the window */
    int64_t seconds;              /* from the parent of the first to the last */
    struct fx_market_sum offered; /* announced */
    struct fx_market_sum actions[FX_ACTION_REJECT + 1]; /* task spends, by action */
    uint64_t burned;               /* embers: at settlement, of bonds, deposits, rejected escrows */
    uint64_t pay;                  /* embers of settled escrows that were not burned */
    struct fx_market_sum open;     /* now */
    int64_t open_least, open_most; /* embers for 1,000 bricks, of those open now */
    uint32_t job_blocks;
    double work;   /* bricks that these took on average: the sum of E */
    double useful; /* of these, bricks of settled tasks: the sum of min(credit, E) */
};

/* Over the last `blocks` blocks, at most FX_MARKET_LONGEST. */
void fx_jobs_market(struct fx_jobs *jobs, uint32_t blocks, struct fx_market_info *info);

#endif
