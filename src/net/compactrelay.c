/* Compact blocks between peers. */
#include "src/net/compactrelay_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/compact_int.h"
#include "src/net/sync_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define VERSION_BITCOIN 2
#define VERSION_LANES 3 /* protocol section 9 */
#define NEAR_TIP_S (20 * 600)

struct fx_compactrelay {
    uint64_t preferred[FX_COMPACT_PEERS]; /* peers asked to announce, the latest supplier last */
    size_t n_preferred;
    struct fx_tx *extra[FX_EXTRA_TXS]; /* NULL: none yet */
    size_t next_extra;
    struct fx_hash cached_id; /* of the block in `cached`; NULL data: none */
    struct fx_buf cached;
};

void fx_compactrelay_create(struct fx_net *net)
{
    net->compactrelay = fx_xcalloc(1, sizeof *net->compactrelay);
}

void fx_compactrelay_destroy(struct fx_net *net)
{
    struct fx_compactrelay *cr = net->compactrelay;

    if (cr == NULL) {
        return;
    }
    for (size_t i = 0; i < FX_EXTRA_TXS; i++) {
        fx_tx_unref(cr->extra[i]);
    }
    fx_buf_clear(&cr->cached);
    free(cr);
    net->compactrelay = NULL;
}

void fx_compactrelay_keep(struct fx_net *net, const struct fx_tx *tx)
{
    struct fx_compactrelay *cr = net->compactrelay;

    if (tx->raw.len > FX_EXTRA_TX_BYTES) {
        return;
    }
    fx_tx_unref(cr->extra[cr->next_extra]);
    cr->extra[cr->next_extra] = fx_tx_ref(tx);
    cr->next_extra = (cr->next_extra + 1) % FX_EXTRA_TXS;
}

bool fx_compactrelay_near_tip(const struct fx_net *net)
{
    return fx_chain_tip(net->chain)->header.time > fx_clock_now() - NEAR_TIP_S;
}

/* With -blocksonly there is little in it that blocks could be put together from. */
static bool has_pool(const struct fx_net *net)
{
    return net->mempool != NULL && !net->blocks_only;
}

/* ---- who announces so ------------------------------------------------------------------------ */

static uint64_t version_spoken(const struct fx_net *net)
{
    return net->params->lanes ? VERSION_LANES : VERSION_BITCOIN;
}

static void send_sendcmpct(struct fx_peer *peer, bool announce)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_buf_u8(&buf, announce ? 1 : 0);
    fx_buf_u64(&buf, version_spoken(peer->net));
    fx_peer_send(peer, "sendcmpct", &buf);
    peer->compact.announces = announce;
}

void fx_compactrelay_peer_ready(struct fx_peer *peer)
{
    send_sendcmpct(peer, false);
}

bool fx_handle_sendcmpct(struct fx_peer *peer, struct fx_reader *r)
{
    bool announce = fx_read_u8(r) != 0;
    uint64_t version = fx_read_u64(r);

    if (!fx_reader_done(r)) {
        return false;
    }
    /* One version may be offered after another; what we do not speak says nothing. */
    if (version == version_spoken(peer->net)) {
        peer->compact.provides = true;
        peer->compact.announces_to = announce;
    }
    return true;
}

static size_t find_preferred(const struct fx_compactrelay *cr, uint64_t id)
{
    size_t at = 0;

    while (at < cr->n_preferred && cr->preferred[at] != id) {
        at++;
    }
    return at;
}

static void remove_preferred(struct fx_compactrelay *cr, size_t at)
{
    cr->n_preferred--;
    memmove(cr->preferred + at, cr->preferred + at + 1,
            (cr->n_preferred - at) * sizeof cr->preferred[0]);
}

static bool is_outbound(const struct fx_peer *peer)
{
    return peer->origin != FX_PEER_INBOUND;
}

/* The place to give up for the peer. An inbound one does not take that of the last outbound one:
 * whoever can connect to us could take all. */
static size_t oldest_preferred(const struct fx_net *net, const struct fx_peer *peer)
{
    const struct fx_compactrelay *cr = net->compactrelay;
    const struct fx_peer *oldest = fx_net_peer(net, cr->preferred[0]);
    size_t outbound = 0;

    for (size_t i = 0; i < cr->n_preferred; i++) {
        const struct fx_peer *other = fx_net_peer(net, cr->preferred[i]);

        outbound += other != NULL && is_outbound(other) ? 1 : 0;
    }
    return !is_outbound(peer) && outbound == 1 && oldest != NULL && is_outbound(oldest) ? 1 : 0;
}

void fx_compactrelay_prefer(struct fx_peer *peer)
{
    struct fx_net *net = peer->net;
    struct fx_compactrelay *cr = net->compactrelay;
    size_t at = find_preferred(cr, peer->id);

    if (!fx_peer_ready(peer) || !peer->compact.provides || !has_pool(net)) {
        return;
    }
    if (at < cr->n_preferred) {
        remove_preferred(cr, at);
    } else {
        if (cr->n_preferred == FX_COMPACT_PEERS) {
            size_t place = oldest_preferred(net, peer);
            struct fx_peer *oldest = fx_net_peer(net, cr->preferred[place]);

            if (oldest != NULL) {
                send_sendcmpct(oldest, false);
            }
            remove_preferred(cr, place);
        }
        send_sendcmpct(peer, true);
    }
    cr->preferred[cr->n_preferred++] = peer->id;
}

/* ---- blocks that wait for transactions ------------------------------------------------------- */

static void release_waiting(struct fx_peer *peer, size_t at)
{
    fx_partial_destroy(peer->compact.waiting[at].partial);
    peer->compact.waiting[at].partial = NULL;
    peer->compact.waiting[at].index = NULL;
}

/* FX_COMPACT_PER_PEER: none. NULL: a free place. */
static size_t find_waiting(const struct fx_peer *peer, const struct fx_index *index)
{
    size_t at = 0;

    while (at < FX_COMPACT_PER_PEER && peer->compact.waiting[at].index != index) {
        at++;
    }
    return at;
}

static bool is_waiting(const struct fx_peer *peer, const struct fx_index *index)
{
    return find_waiting(peer, index) < FX_COMPACT_PER_PEER;
}

void fx_compactrelay_forget_of(struct fx_peer *peer, const struct fx_index *index)
{
    size_t at = find_waiting(peer, index);

    if (at < FX_COMPACT_PER_PEER) {
        release_waiting(peer, at);
    }
}

void fx_compactrelay_forget(struct fx_net *net, const struct fx_index *index)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        fx_compactrelay_forget_of(net->peers[i], index);
    }
}

void fx_compactrelay_peer_gone(struct fx_peer *peer)
{
    struct fx_compactrelay *cr = peer->net->compactrelay;
    size_t at = find_preferred(cr, peer->id);

    if (at < cr->n_preferred) {
        remove_preferred(cr, at);
    }
    for (at = 0; at < FX_COMPACT_PER_PEER; at++) {
        release_waiting(peer, at);
    }
}

/* Blocks that came by another way, and peers that do not answer. */
void fx_compactrelay_tick(struct fx_net *net, int64_t now_ms)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        for (size_t at = 0; at < FX_COMPACT_PER_PEER; at++) {
            const struct fx_index *index = peer->compact.waiting[at].index;

            if (index != NULL &&
                ((index->status & (FX_INDEX_HAVE_DATA | FX_INDEX_FAILED)) != 0 ||
                 now_ms - peer->compact.waiting[at].asked_ms > FX_BLOCK_STALL_MS)) {
                release_waiting(peer, at);
            }
        }
    }
}

static size_t count_waiting(const struct fx_net *net)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_peers; i++) {
        for (size_t at = 0; at < FX_COMPACT_PER_PEER; at++) {
            n += net->peers[i]->compact.waiting[at].index != NULL ? 1 : 0;
        }
    }
    return n;
}

/* ---- putting together ------------------------------------------------------------------------ */

/* Who is asked for a block, in whatever form. */
struct asked {
    size_t n;
    bool of_peer;     /* this one is among them */
    bool first;       /* the download rests on this one, or on nobody */
    bool of_outbound; /* one that we connected to is among them */
};

static void look_who_is_asked(const struct fx_peer *peer, const struct fx_index *index,
                              struct asked *asked)
{
    const struct fx_net *net = peer->net;
    const struct fx_peer *owner = fx_download_asked(net, index);

    memset(asked, 0, sizeof *asked);
    asked->first = owner == NULL || owner == peer;
    for (size_t i = 0; i < net->n_peers; i++) {
        const struct fx_peer *other = net->peers[i];

        if (!other->closing && (other == owner || is_waiting(other, index))) {
            asked->n++;
            asked->of_peer = asked->of_peer || other == peer;
            asked->of_outbound = asked->of_outbound || is_outbound(other);
        }
    }
}

/* The download rests on this peer, or on nobody: it is asked for the whole block. */
static void ask_whole(struct fx_peer *peer, const struct fx_index *index)
{
    const struct fx_peer *owner = fx_download_asked(peer->net, index);

    fx_compactrelay_forget_of(peer, index);
    if (owner == NULL || owner == peer) {
        fx_download_ask(peer, index);
    }
}

/* Others are asked then. */
static void blame(struct fx_peer *peer, const struct fx_index *index, const char *why)
{
    fx_download_notfound(peer, &index->id);
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, why);
}

static bool offer(void *ctx, const struct fx_tx *tx)
{
    return fx_partial_offer((struct fx_partial *)ctx, tx);
}

static enum fx_partial_result begin(struct fx_net *net, const struct fx_compact *m,
                                    struct fx_partial **partial)
{
    enum fx_partial_result result = fx_partial_create(m, net->map_key, partial);

    if (result != FX_PARTIAL_OK) {
        return result;
    }
    if (net->mempool != NULL) {
        fx_mempool_each(net->mempool, offer, *partial);
    }
    for (size_t i = 0; i < FX_EXTRA_TXS; i++) {
        const struct fx_tx *tx = net->compactrelay->extra[i];

        if (tx != NULL && !fx_partial_offer(*partial, tx)) {
            break;
        }
    }
    return FX_PARTIAL_OK;
}

static void finish(struct fx_peer *peer, const struct fx_index *index,
                   const struct fx_partial *partial, struct fx_tx *const *txs, size_t n)
{
    struct fx_block *block = NULL;

    switch (fx_partial_fill(partial, peer->net->params, txs, n, &block)) {
    case FX_PARTIAL_OK:
        fx_log(FX_LOG_NET, "net: compact block from peer %" PRIu64 " put together, %zu asked for",
               peer->id, n);
        if (!fx_download_take_compact(peer, block)) {
            ask_whole(peer, index);
        }
        fx_block_unref(block);
        return;
    case FX_PARTIAL_FAILED:
        ask_whole(peer, index);
        return;
    case FX_PARTIAL_INVALID:
        blame(peer, index, "invalid compact block/non-matching block transactions");
        return;
    }
}

/* The last of the places is for peers that we chose, unless one of them is asked already. */
static bool may_ask(const struct fx_peer *peer, const struct asked *asked)
{
    if (asked->first) {
        return true;
    }
    return asked->n < FX_COMPACT_PER_BLOCK && peer->sync.in_flight < FX_BLOCKS_PER_PEER &&
           peer->compact.announces &&
           (is_outbound(peer) || asked->of_outbound || asked->n + 1 < FX_COMPACT_PER_BLOCK);
}

/* Takes over the partial, or returns false. */
static bool ask_missing(struct fx_peer *peer, const struct fx_index *index,
                        struct fx_partial *partial, const uint32_t *indexes, size_t n)
{
    size_t at = find_waiting(peer, NULL);
    struct asked asked;
    struct fx_buf buf = FX_BUF_INIT;

    look_who_is_asked(peer, index, &asked);
    if (at == FX_COMPACT_PER_PEER || count_waiting(peer->net) >= FX_COMPACT_ALL ||
        !may_ask(peer, &asked)) {
        return false;
    }
    if (asked.first && !asked.of_peer) {
        fx_download_note(peer, index);
    }
    peer->compact.waiting[at].index = index;
    peer->compact.waiting[at].partial = partial;
    peer->compact.waiting[at].asked_ms = fx_clock_monotonic_ms();
    fx_msg_getblocktxn_write(&index->id, indexes, n, &buf);
    fx_peer_send(peer, "getblocktxn", &buf);
    return true;
}

static void put_together(struct fx_peer *peer, const struct fx_compact *m,
                         const struct fx_index *index)
{
    struct fx_partial *partial = NULL;
    uint32_t *missing = NULL;
    size_t n;

    if (is_waiting(peer, index)) {
        fx_log(FX_LOG_NET, "net: peer %" PRIu64 " sent a compact block again", peer->id);
        return;
    }
    switch (begin(peer->net, m, &partial)) {
    case FX_PARTIAL_INVALID:
        blame(peer, index, "invalid compact block");
        return;
    case FX_PARTIAL_FAILED:
        ask_whole(peer, index);
        return;
    case FX_PARTIAL_OK:
        break;
    }
    n = fx_partial_missing(partial, &missing);
    if (n == 0) {
        finish(peer, index, partial, NULL, 0);
    } else if (ask_missing(peer, index, partial, missing, n)) {
        partial = NULL;
    } else if (fx_download_asked(peer->net, index) == peer) {
        ask_whole(peer, index);
    }
    free(missing);
    fx_partial_destroy(partial);
}

static void take(struct fx_peer *peer, const struct fx_compact *m)
{
    struct fx_net *net = peer->net;
    const struct fx_index *tip = fx_chain_tip(net->chain);
    const struct fx_index *parent = fx_chain_find(net->chain, &m->header.prev);
    const struct fx_index *index = NULL;
    bool asked;

    if (parent == NULL) {
        if (!fx_chain_is_initial_download(net->chain)) {
            fx_headers_ask(peer, NULL);
        }
        return;
    }
    if (fx_headers_lack_work(net, parent, &m->header)) {
        fx_log(FX_LOG_NET, "Ignoring low-work compact block from peer %" PRIu64, peer->id);
        return;
    }
    index = fx_headers_take(peer, &m->header);
    if (index == NULL || (index->status & FX_INDEX_HAVE_DATA) != 0) {
        return;
    }
    asked = fx_download_asked(net, index) == peer;
    if (asked) {
        fx_download_heard(peer);
    }
    /* Where the pool is of no use, it says what a header says. */
    if (fx_u256_cmp(&index->work, &tip->work) <= 0 ||
        index->height > tip->height + FX_COMPACT_AHEAD ||
        (fx_download_asked(net, index) == NULL && !fx_compactrelay_near_tip(net))) {
        if (asked) {
            ask_whole(peer, index);
        }
        return;
    }
    put_together(peer, m, index);
}

bool fx_handle_cmpctblock(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_compact m;

    if (!fx_compact_read(peer->net->params, r, &m)) {
        return false;
    }
    take(peer, &m);
    fx_compact_clear(&m);
    if (!peer->closing) {
        fx_download_from(peer);
    }
    return true;
}

bool fx_handle_blocktxn(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_hash id = fx_read_hash(r);
    const struct fx_index *index = r->bad ? NULL : fx_chain_find(peer->net->chain, &id);
    size_t at = index == NULL ? FX_COMPACT_PER_PEER : find_waiting(peer, index);
    struct fx_partial *partial;
    struct fx_tx **txs = NULL;
    size_t n = 0;

    if (at == FX_COMPACT_PER_PEER) {
        fx_log(FX_LOG_NET, "net: peer %" PRIu64 " sent transactions of a block unasked", peer->id);
        return !r->bad;
    }
    if (!fx_msg_blocktxn_read(r, &txs, &n)) {
        return false;
    }
    partial = peer->compact.waiting[at].partial;
    peer->compact.waiting[at].partial = NULL;
    release_waiting(peer, at);
    if (fx_download_asked(peer->net, index) == peer) {
        fx_download_heard(peer);
    }
    finish(peer, index, partial, txs, n);
    fx_partial_destroy(partial);
    fx_txs_free(txs, n);
    if (!peer->closing) {
        fx_download_from(peer);
    }
    return true;
}

/* ---- serving --------------------------------------------------------------------------------- */

bool fx_compactrelay_wants(const struct fx_peer *peer, const struct fx_index *index)
{
    const struct fx_net *net = peer->net;

    return peer->compact.provides && has_pool(net) && index->parent != NULL &&
           (index->parent->status & FX_INDEX_CONNECTED) != 0 && fx_compactrelay_near_tip(net);
}

bool fx_compactrelay_send(struct fx_peer *peer, const struct fx_index *index)
{
    struct fx_net *net = peer->net;
    struct fx_compactrelay *cr = net->compactrelay;

    if (cr->cached.data == NULL || !fx_hash_equal(&cr->cached_id, &index->id)) {
        struct fx_block *block = fx_serve_read(net, index);

        if (block == NULL) {
            return false;
        }
        fx_buf_clear(&cr->cached);
        fx_compact_write(block, fx_random_u64(), &cr->cached);
        cr->cached_id = index->id;
        fx_block_unref(block);
    }
    fx_peer_send_span(peer, "cmpctblock", (struct fx_span){cr->cached.data, cr->cached.len});
    return true;
}

static void send_txs(struct fx_peer *peer, const struct fx_block *block, const uint32_t *indexes,
                     size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    /* They ascend. */
    if (n > 0 && indexes[n - 1] >= block->n_txs) {
        fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, "getblocktxn with out-of-bounds tx indices");
        return;
    }
    fx_msg_blocktxn_write(block, indexes, n, &buf);
    fx_peer_send(peer, "blocktxn", &buf);
}

bool fx_handle_getblocktxn(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    const struct fx_index *index = NULL;
    struct fx_block *block = NULL;
    struct fx_hash id;
    uint32_t *indexes = NULL;
    size_t n = 0;

    if (!fx_msg_getblocktxn_read(r, &id, &indexes, &n)) {
        return false;
    }
    index = fx_chain_find(net->chain, &id);
    if (index == NULL || !fx_serve_may(index)) {
        fx_log(FX_LOG_NET, "net: peer %" PRIu64 " asked for transactions of a block not here",
               peer->id);
    } else if (index->height + FX_COMPACT_TXS_DEPTH < fx_chain_tip(net->chain)->height) {
        fx_serve_block(peer, &(struct fx_inv){FX_INV_WITNESS_BLOCK, id});
    } else if ((block = fx_serve_read(net, index)) != NULL) {
        send_txs(peer, block, indexes, n);
        fx_block_unref(block);
    }
    free(indexes);
    return true;
}
