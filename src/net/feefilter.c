/* feefilter, as Bitcoin Core sends it: rounded, and at times that say nothing of this node. */
#include "src/net/feefilter_int.h"

#include "src/net/permit_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/clock.h"
#include "src/sys/random.h"

#define MINUTE_US (INT64_C(60) * 1000 * 1000)
#define EVERY_US (10 * MINUTE_US) /* on average */
#define SOON_US (5 * MINUTE_US)   /* within which a large change is told */
#define STEP 1.1                  /* between the rates that are sent */
#define RATE_MAX 10000000         /* embers per 1,000 vbytes */

bool fx_handle_feefilter(struct fx_peer *peer, struct fx_reader *r)
{
    peer->tx.fee_filter = fx_read_i64(r);
    return fx_reader_done(r);
}

/* The rates that are sent are 0, half of the step of replacements, and each STEP times the last: of
 * those around `rate` one by chance, for the exact one would tell this node from others. */
static int64_t rounded(int64_t rate, int64_t increment)
{
    double below = 0, at = increment < 2 ? 1 : (double)(increment / 2);

    if (rate <= 0) {
        return 0;
    }
    while (at < (double)rate && at * STEP <= RATE_MAX) {
        below = at;
        at *= STEP;
    }
    return (int64_t)(at < (double)rate || fx_random_below(3) == 0 ? at : below);
}

static bool is_told(const struct fx_peer *peer)
{
    return fx_peer_ready(peer) && peer->net->mempool != NULL && !peer->net->blocks_only &&
           fx_peer_gives_txs(peer) && (peer->permissions & FX_PERMIT_FORCERELAY) == 0;
}

/* While this node can judge none, it wants none. */
static int64_t rate_wanted(const struct fx_net *net, const struct fx_mempool_info *pool)
{
    int64_t rate;

    if (fx_txrelay_is_quiet(net)) {
        return rounded(INT64_MAX, pool->increment_rate);
    }
    rate = rounded(pool->min_fee_rate > pool->relay_fee_rate ? pool->min_fee_rate : 0,
                   pool->increment_rate);
    return rate > pool->relay_fee_rate ? rate : pool->relay_fee_rate;
}

static void tell(struct fx_peer *peer, int64_t rate)
{
    struct fx_buf buf = FX_BUF_INIT;

    if (rate == peer->tx.fee_sent) {
        return;
    }
    peer->tx.fee_sent = rate;
    fx_buf_i64(&buf, rate);
    fx_peer_send(peer, "feefilter", &buf);
}

void fx_feefilter_tick(struct fx_peer *peer)
{
    struct fx_peer_tx *tx = &peer->tx;
    int64_t now_us = fx_clock_passed_us();
    struct fx_mempool_info pool;
    int64_t all;

    if (!is_told(peer)) {
        return;
    }
    fx_mempool_info(peer->net->mempool, &pool);
    all = rounded(INT64_MAX, pool.increment_rate);
    if (tx->fee_sent == all && !fx_txrelay_is_quiet(peer->net)) {
        tx->fee_next_us = 0; /* it wants some from now on */
    }
    if (now_us >= tx->fee_next_us) {
        tell(peer, rate_wanted(peer->net, &pool));
        tx->fee_next_us = now_us + (int64_t)fx_random_below(2 * EVERY_US);
    } else if (now_us + SOON_US < tx->fee_next_us && tx->fee_sent != all &&
               (pool.min_fee_rate < tx->fee_sent / 4 * 3 ||
                pool.min_fee_rate > tx->fee_sent / 3 * 4)) {
        tx->fee_next_us = now_us + (int64_t)fx_random_below(SOON_US);
    }
}
