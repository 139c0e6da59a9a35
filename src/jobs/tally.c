/* What each block did to the market, summed: counts, bricks and embers by action. */
#include "src/jobs/tally_int.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/lane.h"
#include "src/jobs/book_int.h"
#include "src/util/mem.h"

void fx_tally_add(uint64_t *sum, uint64_t value)
{
    *sum = value > UINT64_MAX - *sum ? UINT64_MAX : *sum + value;
}

static void add_task(struct fx_market_sum *sum, uint64_t bricks, int64_t escrow)
{
    sum->tasks++;
    fx_tally_add(&sum->bricks, bricks);
    fx_tally_add(&sum->escrow, (uint64_t)escrow);
}

static uint64_t expected_bricks(uint32_t nbits)
{
    struct fx_u256 target, expected;

    if (!fx_nbits_decode(nbits, &target)) {
        return 0;
    }
    expected = fx_work_expected(&target);
    return fx_u256_bits(&expected) > 64 ? UINT64_MAX : expected.w[0];
}

void fx_tally_begin(struct fx_tally *tally, const struct fx_block *block, uint32_t height)
{
    struct fx_cb_work work;

    memset(tally, 0, sizeof *tally);
    tally->height = height;
    tally->time = block->header.time;
    if (block->work != NULL && fx_cb_work_read(block->txs[0], &work)) {
        tally->job = true;
        tally->solver = work.solver;
        tally->work = expected_bricks(block->header.nbits);
    }
}

void fx_tally_backed(struct fx_tally *tally, const struct fx_book_task *task)
{
    fx_tally_add(&tally->credit, task->shape.bricks);
}

void fx_tally_offered(struct fx_tally *tally, const struct fx_book_task *task)
{
    add_task(&tally->offered, task->shape.bricks, task->state.escrow);
}

static void add_claim(struct fx_tally *tally, const struct fx_book_task *task)
{
    /* Grows by powers of two: capacity is what the count says. */
    if ((tally->n_claims & (tally->n_claims - 1)) == 0) {
        size_t cap = tally->n_claims == 0 ? 1 : 2 * tally->n_claims;

        tally->claims = fx_xreallocarray(tally->claims, cap, sizeof *tally->claims);
    }
    tally->claims[tally->n_claims].solver = task->state.solver;
    tally->claims[tally->n_claims++].bricks = task->shape.bricks;
}

void fx_tally_spent(struct fx_tally *tally, const struct fx_book_task *task,
                    const struct fx_book_state *before, enum fx_task_action action)
{
    uint64_t escrow = (uint64_t)before->escrow, burn = (uint64_t)before->burn;

    add_task(&tally->actions[action], task->shape.bricks, before->escrow);
    switch (action) {
    case FX_ACTION_CLAIM:
        add_claim(tally, task);
        break;
    case FX_ACTION_ACCEPT:
    case FX_ACTION_TAKE:
        fx_tally_add(&tally->burned, burn);
        fx_tally_add(&tally->pay, escrow - burn);
        break;
    case FX_ACTION_FRAUD:
    case FX_ACTION_EXPIRE:
        fx_tally_add(&tally->burned, (uint64_t)before->bond / 2);
        break;
    case FX_ACTION_REJECT:
        fx_tally_add(&tally->burned, escrow);
        break;
    case FX_ACTION_ANSWER:
        fx_tally_add(&tally->burned, FX_DEPOSIT);
        break;
    case FX_ACTION_REFUND:
    case FX_ACTION_CHALLENGE:
        break;
    }
}

void fx_tally_clear(struct fx_tally *tally)
{
    free(tally->claims);
    tally->claims = NULL;
    tally->n_claims = 0;
}

/* ---- as it is stored --------------------------------------------------------------------- */

static void write_sum(const struct fx_market_sum *sum, struct fx_buf *buf)
{
    fx_buf_u64(buf, sum->tasks);
    fx_buf_u64(buf, sum->bricks);
    fx_buf_u64(buf, sum->escrow);
}

static void read_sum(struct fx_reader *r, struct fx_market_sum *sum)
{
    sum->tasks = fx_read_u64(r);
    sum->bricks = fx_read_u64(r);
    sum->escrow = fx_read_u64(r);
}

void fx_tally_write(const struct fx_tally *tally, struct fx_buf *buf)
{
    fx_buf_i64(buf, tally->time);
    fx_buf_u8(buf, tally->job ? 1 : 0);
    fx_buf_hash(buf, &tally->solver);
    fx_buf_u64(buf, tally->work);
    fx_buf_u64(buf, tally->credit);
    fx_buf_u64(buf, tally->burned);
    fx_buf_u64(buf, tally->pay);
    write_sum(&tally->offered, buf);
    for (size_t i = 0; i <= FX_ACTION_REJECT; i++) {
        write_sum(&tally->actions[i], buf);
    }
    fx_buf_var(buf, tally->n_claims);
    for (size_t i = 0; i < tally->n_claims; i++) {
        fx_buf_hash(buf, &tally->claims[i].solver);
        fx_buf_u64(buf, tally->claims[i].bricks);
    }
}

bool fx_tally_read(struct fx_reader *r, uint32_t height, struct fx_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->height = height;
    tally->time = fx_read_i64(r);
    tally->job = fx_read_u8(r) != 0;
    tally->solver = fx_read_hash(r);
    tally->work = fx_read_u64(r);
    tally->credit = fx_read_u64(r);
    tally->burned = fx_read_u64(r);
    tally->pay = fx_read_u64(r);
    read_sum(r, &tally->offered);
    for (size_t i = 0; i <= FX_ACTION_REJECT; i++) {
        read_sum(r, &tally->actions[i]);
    }
    tally->n_claims = fx_read_count(r, SIZE_MAX, 40);
    /* As many as add_claim would have made room for. */
    for (size_t cap = 1; tally->n_claims > 0; cap *= 2) {
        if (cap >= tally->n_claims) {
            tally->claims = fx_xcalloc(cap, sizeof *tally->claims);
            break;
        }
    }
    for (size_t i = 0; i < tally->n_claims; i++) {
        tally->claims[i].solver = fx_read_hash(r);
        tally->claims[i].bricks = fx_read_u64(r);
    }
    if (!fx_reader_done(r)) {
        fx_tally_clear(tally);
        return false;
    }
    return true;
}

/* ---- those of the last blocks ------------------------------------------------------------ */

void fx_tallies_push(struct fx_tallies *tallies, const struct fx_tally *tally)
{
    if (tallies->n == FX_MARKET_LONGEST) {
        fx_tally_clear(&tallies->list[tallies->first++]);
        tallies->n--;
    }
    if (tallies->first + tallies->n == tallies->cap) {
        /* Half of it is free at the front once the window is full: move, do not grow. */
        if (tallies->first > 0) {
            memmove(tallies->list, tallies->list + tallies->first,
                    tallies->n * sizeof *tallies->list);
        }
        tallies->first = 0;
        if (2 * tallies->n >= tallies->cap) {
            tallies->cap = tallies->cap == 0 ? 64 : 2 * tallies->cap;
            tallies->list = fx_xreallocarray(tallies->list, tallies->cap, sizeof *tallies->list);
        }
    }
    tallies->list[tallies->first + tallies->n++] = *tally;
}

void fx_tallies_pop(struct fx_tallies *tallies)
{
    if (tallies->n > 0) {
        fx_tally_clear(&tallies->list[tallies->first + --tallies->n]);
    }
}

void fx_tallies_clear(struct fx_tallies *tallies)
{
    while (tallies->n > 0) {
        fx_tallies_pop(tallies);
    }
    free(tallies->list);
    memset(tallies, 0, sizeof *tallies);
}

const struct fx_tally *fx_tallies_back(const struct fx_tallies *tallies, size_t back)
{
    return back < tallies->n ? &tallies->list[tallies->first + tallies->n - 1 - back] : NULL;
}

void fx_tally_sum(struct fx_market_sum *sum, const struct fx_market_sum *more)
{
    fx_tally_add(&sum->tasks, more->tasks);
    fx_tally_add(&sum->bricks, more->bricks);
    fx_tally_add(&sum->escrow, more->escrow);
}
