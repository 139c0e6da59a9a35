/*
 * What each block did to the market (src/iface/market.h), and the run of these tallies over the
 * last blocks, which the book keeps in memory and in the database.
 */
#ifndef FX_JOBS_TALLY_INT_H
#define FX_JOBS_TALLY_INT_H

#include "consensus/work.h"
#include "src/iface/market.h"

struct fx_book_task;
struct fx_book_state;

struct fx_tally_claim {
    struct fx_hash solver;
    uint64_t bricks;
};

struct fx_tally {
    uint32_t height;
    int64_t time; /* of the header */
    bool job;     /* of the job lane; then: */
    struct fx_hash solver;
    uint64_t work, credit; /* bricks: E, and those of its backing list */
    uint64_t burned, pay;  /* embers, as in struct fx_market_info */
    struct fx_market_sum offered;
    struct fx_market_sum actions[FX_ACTION_REJECT + 1];
    struct fx_tally_claim *claims; /* owned */
    size_t n_claims;
};

/* The tally of a block, then what it did, one by one. Cleared by whoever holds it last. */
void fx_tally_begin(struct fx_tally *tally, const struct fx_block *block, uint32_t height);
void fx_tally_backed(struct fx_tally *tally, const struct fx_book_task *task);
void fx_tally_offered(struct fx_tally *tally, const struct fx_book_task *task);
/* before: the task's state before this spend; task: after it. */
void fx_tally_spent(struct fx_tally *tally, const struct fx_book_task *task,
                    const struct fx_book_state *before, enum fx_task_action action);
void fx_tally_clear(struct fx_tally *tally);

void fx_tally_write(const struct fx_tally *tally, struct fx_buf *buf);
/* False: it does not parse, and nothing is to be cleared. */
bool fx_tally_read(struct fx_reader *r, uint32_t height, struct fx_tally *tally);

/* Sums stop at the top: anybody can move the same coins again and again. */
void fx_tally_add(uint64_t *sum, uint64_t value);
void fx_tally_sum(struct fx_market_sum *sum, const struct fx_market_sum *more);

/* Of the last FX_MARKET_LONGEST blocks at most, heights without a gap. All zero: none. */
struct fx_tallies {
    struct fx_tally *list; /* [first, first + n) */
    size_t first, n, cap;
};

void fx_tallies_push(struct fx_tallies *tallies, const struct fx_tally *tally); /* takes it over */
void fx_tallies_pop(struct fx_tallies *tallies);
void fx_tallies_clear(struct fx_tallies *tallies);
/* 0: the last block's. NULL: not kept. */
const struct fx_tally *fx_tallies_back(const struct fx_tallies *tallies, size_t back);

#endif
