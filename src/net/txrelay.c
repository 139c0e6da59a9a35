/* Transactions between peers. */
#include "src/net/txrelay_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/compactrelay_int.h"
#include "src/net/orphans_int.h"
#include "src/net/permit_int.h"
#include "src/net/rolling_int.h"
#include "src/net/sync_int.h"
#include "src/net/txask_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define PARENTS_MAX 64
#define INV_BATCH 1000
#define KNOWN_MAX 20000
#define CONFIRMED_MAX 48000
#define REJECTS_MAX 60000
#define RETRY_REGTEST_MS 4000
#define DELAY_OUTBOUND_MS 2000
#define DELAY_INBOUND_MS 5000
#define OWN_EAGER_MS 20000
#define OWN_MS 600000
#define OWN_KEEP_MS (INT64_C(14) * 86400 * 1000)

struct own {
    const struct fx_tx *tx;
    int64_t added_ms, next_ms;
    bool fetched; /* a peer asked for it, as it was not known there */
};

struct fx_txrelay {
    struct fx_rolling *rejects;   /* wtxids, since the tip last moved */
    struct fx_rolling *confirmed; /* txids and wtxids */
    struct fx_orphans *orphans;
    struct fx_map *own;        /* txid -> struct own */
    struct fx_map *own_wtxid;  /* the same by wtxid */
    struct fx_hash *connected; /* txids of blocks that connected while orphans waited */
    size_t n_connected, cap_connected;
};

void fx_txrelay_create(struct fx_net *net)
{
    struct fx_txrelay *tr = fx_xcalloc(1, sizeof *tr);

    net->txrelay = tr;
    tr->own = fx_map_create(sizeof(struct fx_hash), net->map_key[0], net->map_key[1]);
    tr->own_wtxid = fx_map_create(sizeof(struct fx_hash), net->map_key[0], net->map_key[1]);
    tr->rejects = fx_rolling_create(REJECTS_MAX);
    tr->confirmed = fx_rolling_create(CONFIRMED_MAX);
    tr->orphans = fx_orphans_create();
}

static void free_own(void *value)
{
    struct own *own = value;

    fx_tx_unref(own->tx);
    free(own);
}

void fx_txrelay_destroy(struct fx_net *net)
{
    struct fx_txrelay *tr = net->txrelay;

    if (tr == NULL) {
        return;
    }
    fx_map_destroy(tr->own_wtxid, NULL);
    fx_map_destroy(tr->own, free_own);
    fx_rolling_destroy(tr->rejects);
    fx_rolling_destroy(tr->confirmed);
    fx_orphans_destroy(tr->orphans);
    free(tr->connected);
    free(tr);
    net->txrelay = NULL;
}

bool fx_txrelay_is_quiet(const struct fx_net *net)
{
    return net->mempool == NULL ||
           ((!net->eager || !net->params->lanes) && fx_chain_is_initial_download(net->chain));
}

/* ---- telling peers --------------------------------------------------------------------------- */

static const struct fx_hash *id_for(const struct fx_peer *peer, const struct fx_tx *tx)
{
    return peer->tx.wtxid ? &tx->wtxid : &tx->txid;
}

static void enqueue(struct fx_peer *peer, const struct fx_tx *tx)
{
    struct fx_peer_tx *ptx = &peer->tx;

    if (!fx_peer_ready(peer) || !ptx->relay || ptx->n_queue >= FX_TX_QUEUE_MAX ||
        fx_rolling_has(ptx->known, id_for(peer, tx))) {
        return;
    }
    if (ptx->n_queue == ptx->cap_queue) {
        ptx->cap_queue = ptx->cap_queue == 0 ? 64 : ptx->cap_queue * 2;
        ptx->queue = fx_xreallocarray(ptx->queue, ptx->cap_queue, sizeof *ptx->queue);
    }
    if (ptx->n_queue == 0 && !peer->net->eager) {
        /* A random delay hides where a transaction came from. */
        uint64_t most = peer->origin == FX_PEER_INBOUND ? DELAY_INBOUND_MS : DELAY_OUTBOUND_MS;

        ptx->next_ms = fx_clock_monotonic_ms() + (int64_t)fx_random_below(most);
    }
    ptx->queue[ptx->n_queue++] = tx->wtxid;
}

void fx_txrelay_announce(struct fx_net *net, const struct fx_tx *tx)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        enqueue(net->peers[i], tx);
    }
}

/* A peer may say below which fee rate it takes nothing (BIP133). */
static bool passes_filter(const struct fx_peer *peer, const struct fx_tx *tx)
{
    struct fx_mempool_entry entry;

    if (peer->tx.fee_filter <= 0 || !fx_mempool_entry(peer->net->mempool, &tx->txid, &entry) ||
        entry.vsize == 0) {
        return true;
    }
    return (entry.fee - entry.burned) / (int64_t)entry.vsize >= peer->tx.fee_filter / 1000;
}

static void send_queue(struct fx_peer *peer)
{
    struct fx_peer_tx *ptx = &peer->tx;
    struct fx_inv items[INV_BATCH];
    size_t n = 0;
    size_t done = 0;
    struct fx_buf buf = FX_BUF_INIT;

    for (; done < ptx->n_queue && n < INV_BATCH; done++) {
        const struct fx_tx *tx = fx_mempool_get_wtxid(peer->net->mempool, &ptx->queue[done]);
        struct own *own = fx_map_get(peer->net->txrelay->own_wtxid, ptx->queue[done].b);

        tx = tx == NULL && own != NULL ? own->tx : tx;
        if (tx == NULL || fx_rolling_has(ptx->known, id_for(peer, tx)) ||
            !passes_filter(peer, tx)) {
            continue;
        }
        items[n].type = ptx->wtxid ? FX_INV_WTX : FX_INV_TX;
        items[n++].hash = *id_for(peer, tx);
        fx_rolling_add(ptx->known, id_for(peer, tx));
    }
    ptx->n_queue -= done;
    memmove(ptx->queue, ptx->queue + done, ptx->n_queue * sizeof *ptx->queue);
    if (n > 0) {
        fx_msg_inv_write(items, n, &buf);
        fx_peer_send(peer, "inv", &buf);
    }
}

void fx_txrelay_flush(struct fx_net *net)
{
    int64_t now_ms = fx_clock_monotonic_ms();

    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        while (fx_peer_ready(peer) && peer->tx.n_queue > 0 &&
               (net->eager || now_ms >= peer->tx.next_ms)) {
            send_queue(peer);
        }
    }
}

/* ---- this node's own ------------------------------------------------------------------------- */

static int64_t own_interval(const struct fx_net *net)
{
    return net->eager ? OWN_EAGER_MS : OWN_MS + (int64_t)fx_random_below(OWN_MS);
}

void fx_txrelay_own(struct fx_net *net, const struct fx_tx *tx)
{
    struct fx_txrelay *tr = net->txrelay;

    if (fx_map_get(tr->own, tx->txid.b) == NULL && fx_map_count(tr->own) < FX_OWN_TXS_MAX) {
        struct own *own = fx_xcalloc(1, sizeof *own);

        own->tx = fx_tx_ref(tx);
        own->added_ms = fx_clock_monotonic_ms();
        own->next_ms = own->added_ms + own_interval(net);
        fx_map_put(tr->own, tx->txid.b, own);
        fx_map_put(tr->own_wtxid, tx->wtxid.b, own);
    }
    fx_txrelay_announce(net, tx);
}

void fx_net_hurry(struct fx_net *net, int64_t seconds)
{
    size_t at = 0;
    void *value;

    while (fx_map_next(net->txrelay->own, &at, NULL, &value)) {
        struct own *own = value;

        own->added_ms -= 1000 * seconds;
        own->next_ms -= 1000 * seconds;
    }
}

bool fx_net_is_unbroadcast(const struct fx_net *net, const struct fx_hash *txid)
{
    const struct own *own = fx_map_get(net->txrelay->own, txid->b);

    return own != NULL && !own->fetched;
}

size_t fx_net_unbroadcast(const struct fx_net *net)
{
    size_t n = 0, at = 0;
    void *value;

    while (fx_map_next(net->txrelay->own, &at, NULL, &value)) {
        n += ((const struct own *)value)->fetched ? 0 : 1;
    }
    return n;
}

static void forget_own(struct fx_txrelay *tr, const struct fx_hash *txid)
{
    struct own *own = fx_map_remove(tr->own, txid->b);

    if (own != NULL) {
        fx_map_remove(tr->own_wtxid, own->tx->wtxid.b);
        free_own(own);
    }
}

void fx_txrelay_forget(struct fx_net *net, const struct fx_hash *txid)
{
    forget_own(net->txrelay, txid);
}

/* Past the filters of what peers know: one that forgot it is to hear of it again. */
static void announce_again(struct fx_net *net, const struct fx_tx *tx)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        if (fx_peer_ready(peer) && peer->tx.relay) {
            struct fx_inv inv = {peer->tx.wtxid ? FX_INV_WTX : FX_INV_TX, *id_for(peer, tx)};
            struct fx_buf buf = FX_BUF_INIT;

            fx_msg_inv_write(&inv, 1, &buf);
            fx_peer_send(peer, "inv", &buf);
        }
    }
}

static void offer_own(struct fx_net *net, const struct fx_tx *tx)
{
    struct fx_accept result;

    if (fx_mempool_get(net->mempool, &tx->txid) == NULL) {
        fx_mempool_accept(net->mempool, tx, false, &result);
        if (result.result != FX_VALID) {
            return;
        }
    }
    announce_again(net, tx);
}

/* Until it confirms. Without lanes as Bitcoin Core does: until a peer asked for it. */
static bool is_told_again(const struct fx_net *net, const struct own *own)
{
    return net->params->lanes || !own->fetched;
}

static void tick_own(struct fx_net *net, int64_t now_ms)
{
    struct fx_txrelay *tr = net->txrelay;
    const struct fx_tx **due = NULL;
    size_t n = 0;
    size_t at = 0;
    void *value;

    if (fx_map_count(tr->own) == 0) {
        return;
    }
    due = fx_xcalloc(fx_map_count(tr->own), sizeof(*due));
    while (fx_map_next(tr->own, &at, NULL, &value)) {
        struct own *own = value;

        if (now_ms - own->added_ms > OWN_KEEP_MS) {
            forget_own(tr, &own->tx->txid);
        } else if (now_ms >= own->next_ms && is_told_again(net, own)) {
            own->next_ms = now_ms + own_interval(net);
            due[n++] = fx_tx_ref(own->tx);
        }
    }
    /* What the mempool raises may come back here: the map is not being walked any more. */
    for (size_t i = 0; i < n; i++) {
        offer_own(net, due[i]);
        fx_tx_unref(due[i]);
    }
    free(due);
}

/* ---- transactions that come ------------------------------------------------------------------ */

static bool is_known(const struct fx_net *net, const struct fx_inv *inv)
{
    const struct fx_txrelay *tr = net->txrelay;

    if (inv->type == FX_INV_WTX) {
        if (fx_mempool_get_wtxid(net->mempool, &inv->hash) != NULL ||
            fx_orphans_has(tr->orphans, &inv->hash)) {
            return true;
        }
    } else if (fx_mempool_get(net->mempool, &inv->hash) != NULL) {
        return true;
    }
    return fx_rolling_has(tr->rejects, &inv->hash) || fx_rolling_has(tr->confirmed, &inv->hash);
}

bool fx_txrelay_announced(struct fx_peer *peer, const struct fx_inv *inv, struct fx_inv *out)
{
    struct fx_net *net = peer->net;

    if (fx_txrelay_is_quiet(net) || (inv->type == FX_INV_WTX) != peer->tx.wtxid) {
        return false;
    }
    fx_rolling_add(peer->tx.known, &inv->hash);
    return !is_known(net, inv) && fx_txask_announced(peer, inv, out);
}

static void ask_parents(struct fx_peer *peer, const struct fx_tx *tx)
{
    struct fx_net *net = peer->net;

    for (size_t i = 0, n = 0; i < tx->n_in && n < PARENTS_MAX; i++) {
        struct fx_inv inv = {FX_INV_WITNESS_TX, tx->in[i].prevout.txid};

        if (!is_known(net, &inv) && fx_txask_now(peer, &inv)) {
            n++;
        }
    }
}

static void note_reject(struct fx_txrelay *tr, const struct fx_tx *tx, enum fx_refusal refusal)
{
    switch (refusal) {
    case FX_REFUSAL_STRIPPED:
        return;
    case FX_REFUSAL_INPUTS:
        fx_rolling_add(tr->rejects, &tx->txid);
        break;
    case FX_REFUSAL_OTHER:
    case FX_REFUSAL_BROKEN:
        break;
    }
    fx_rolling_add(tr->rejects, &tx->wtxid);
}

static bool try_tx(struct fx_net *net, uint64_t peer_id, const struct fx_tx *tx)
{
    struct fx_txrelay *tr = net->txrelay;
    struct fx_peer *peer = fx_net_peer(net, peer_id);
    struct fx_accept result;
    char hex[FX_HASH_HEX], wtxid[FX_HASH_HEX];
    char text[FX_HASH_HEX + FX_MEMPOOL_REASON + 32];

    fx_mempool_accept(net->mempool, tx, false, &result);
    if (result.result == FX_VALID) {
        if (peer != NULL) {
            peer->last_tx = fx_clock_now();
        }
        fx_txask_end(net, &tx->txid);
        fx_txask_end(net, &tx->wtxid);
        return true;
    }
    if (result.result == FX_FAILED) {
        return false;
    }
    fx_hash_to_id(&tx->txid, hex);
    fx_hash_to_id(&tx->wtxid, wtxid);
    fx_log(FX_LOG_MEMPOOL, "%s (wtxid=%s) from peer=%" PRIu64 " was not accepted: %s", hex, wtxid,
           peer_id, result.reason);
    fx_compactrelay_keep(net, tx);
    if (result.missing_inputs) {
        if (!fx_rolling_has(tr->confirmed, &tx->txid) &&
            fx_orphans_add(tr->orphans, tx, peer_id, fx_clock_monotonic_ms()) && peer != NULL) {
            ask_parents(peer, tx);
        }
        return false;
    }
    note_reject(tr, tx, result.refusal);
    if (peer != NULL && result.refusal == FX_REFUSAL_BROKEN) {
        snprintf(text, sizeof text, "invalid transaction %s: %s", hex, result.reason);
        fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, text);
    }
    return false;
}

/* Tries the transaction, and then, for as long as something new went in, those that waited for it.
 */
static void take_with_orphans(struct fx_net *net, uint64_t peer_id, const struct fx_tx *first)
{
    struct fx_orphans *orphans = net->txrelay->orphans;
    const struct fx_tx *queue[FX_ORPHANS_MAX + 1];
    uint64_t peers[FX_ORPHANS_MAX + 1];
    size_t n = 1;

    queue[0] = fx_tx_ref(first);
    peers[0] = peer_id;
    for (size_t at = 0; at < n; at++) {
        if (try_tx(net, peers[at], queue[at])) {
            const struct fx_tx *child = NULL;
            uint64_t from = 0;

            while (n <= FX_ORPHANS_MAX &&
                   (child = fx_orphans_take_child(orphans, &queue[at]->txid, &from)) != NULL) {
                queue[n] = child;
                peers[n++] = from;
            }
        }
    }
    for (size_t at = 0; at < n; at++) {
        fx_tx_unref(queue[at]);
    }
}

/* What is in the pool already is told to the others as if it were new: forcerelay. */
static void force_relay(struct fx_peer *peer, const struct fx_tx *tx)
{
    struct fx_net *net = peer->net;
    char txid[FX_HASH_HEX], wtxid[FX_HASH_HEX];

    fx_hash_to_id(&tx->txid, txid);
    fx_hash_to_id(&tx->wtxid, wtxid);
    if (fx_mempool_get_wtxid(net->mempool, &tx->wtxid) == NULL) {
        fx_log_info(
            "Not relaying non-mempool transaction %s (wtxid=%s) from forcerelay peer=%" PRIu64,
            txid, wtxid, peer->id);
        return;
    }
    fx_log_info("Force relaying tx %s (wtxid=%s) from peer=%" PRIu64, txid, wtxid, peer->id);
    fx_txrelay_announce(net, tx);
    fx_net_flush_soon(net);
}

bool fx_handle_tx(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    const struct fx_tx *tx = NULL;
    const char *why;

    if (!fx_peer_gives_txs(peer)) {
        fx_log(FX_LOG_NET, "transaction sent in violation of protocol peer=%" PRIu64, peer->id);
        fx_peer_drop(peer, NULL);
        return true;
    }
    tx = fx_tx_parse_why(r->p, r->left, &why);
    if (tx == NULL) {
        fx_log(FX_LOG_NET, "net: tx: %s peer=%" PRIu64, why ? why : "end of data", peer->id);
        return false;
    }
    fx_rolling_add(peer->tx.known, id_for(peer, tx));
    fx_txask_answered(peer, tx);
    if (fx_txrelay_is_quiet(net)) {
        fx_tx_unref(tx);
        return true;
    }
    if (fx_mempool_get_wtxid(net->mempool, &tx->wtxid) == NULL &&
        !fx_rolling_has(net->txrelay->rejects, &tx->wtxid)) {
        take_with_orphans(net, peer->id, tx);
    } else if ((peer->permissions & FX_PERMIT_FORCERELAY) != 0) {
        force_relay(peer, tx);
    }
    fx_tx_unref(tx);
    return true;
}

/* It waits to be announced to the peer, which is not to find out before that it is here. */
static bool is_queued(const struct fx_peer *peer, const struct fx_tx *tx)
{
    for (size_t i = 0; i < peer->tx.n_queue; i++) {
        if (fx_hash_equal(&peer->tx.queue[i], &tx->wtxid)) {
            return true;
        }
    }
    return false;
}

bool fx_txrelay_serve(struct fx_peer *peer, const struct fx_inv *inv)
{
    struct fx_net *net = peer->net;
    bool by_wtxid = inv->type == FX_INV_WTX;
    const struct fx_tx *tx = NULL;
    struct own *own = NULL;

    if (net->mempool == NULL) {
        return false;
    }
    tx = by_wtxid ? fx_mempool_get_wtxid(net->mempool, &inv->hash)
                  : fx_mempool_get(net->mempool, &inv->hash);
    own = fx_map_get(by_wtxid ? net->txrelay->own_wtxid : net->txrelay->own, inv->hash.b);
    if (tx == NULL) {
        tx = own != NULL ? own->tx : fx_sync_recent_tx(net, inv);
    }
    if (tx == NULL || is_queued(peer, tx)) {
        return false;
    }
    if (own != NULL) {
        own->fetched = true;
    }
    fx_rolling_add(peer->tx.known, id_for(peer, tx));
    if (inv->type == FX_INV_TX) {
        struct fx_buf buf = FX_BUF_INIT;

        fx_tx_write_stripped(tx, &buf);
        fx_peer_send(peer, "tx", &buf);
    } else {
        fx_peer_send_span(peer, "tx", tx->raw);
    }
    return true;
}

/* ---- peers, blocks, time --------------------------------------------------------------------- */

/* On regtest a newcomer hears of the whole pool: tests connect nodes when they like. Elsewhere that
 * would tell too much about who knew what when. */
static void announce_pool(struct fx_peer *peer)
{
    struct fx_mempool_entry *entries = NULL;
    size_t n = fx_mempool_list(peer->net->mempool, &entries);

    for (size_t i = 0; i < n; i++) {
        enqueue(peer, entries[i].tx);
    }
    free(entries);
}

void fx_txrelay_peer_ready(struct fx_peer *peer)
{
    size_t at = 0;
    void *value;

    peer->tx.known = fx_rolling_create(KNOWN_MAX);
    if (peer->net->eager && peer->net->params->lanes && peer->net->mempool != NULL) {
        announce_pool(peer);
    }
    while (fx_map_next(peer->net->txrelay->own, &at, NULL, &value)) {
        if (is_told_again(peer->net, value)) {
            enqueue(peer, ((struct own *)value)->tx);
        }
    }
    fx_net_flush_soon(peer->net);
}

void fx_txrelay_announce_all(struct fx_peer *peer)
{
    if (peer->net->mempool != NULL) {
        announce_pool(peer);
        fx_net_flush_soon(peer->net);
    }
}

void fx_txrelay_peer_gone(struct fx_peer *peer)
{
    fx_txask_retry(peer->net, INT64_MIN, peer->id);
    fx_orphans_peer_gone(peer->net->txrelay->orphans, peer->id);
}

/* Tests of our own do not wait; those of Bitcoin Core count on its time. */
static int64_t retry_ms(const struct fx_net *net)
{
    return net->eager && net->params->lanes ? RETRY_REGTEST_MS : FX_TX_RETRY_MS;
}

void fx_txrelay_tick(struct fx_net *net, int64_t now_ms)
{
    if (net->mempool == NULL) {
        return;
    }
    fx_txask_retry(net, now_ms - retry_ms(net), FX_NO_PEER);
    fx_orphans_expire(net->txrelay->orphans, now_ms);
    tick_own(net, now_ms);
    fx_txrelay_flush(net);
}

static void note_connected(struct fx_txrelay *tr, const struct fx_hash *txid)
{
    if (fx_orphans_count(tr->orphans) == 0) {
        return;
    }
    if (tr->n_connected == tr->cap_connected) {
        tr->cap_connected = tr->cap_connected == 0 ? 256 : tr->cap_connected * 2;
        tr->connected = fx_xreallocarray(tr->connected, tr->cap_connected, sizeof *tr->connected);
    }
    tr->connected[tr->n_connected++] = *txid;
}

static void confirm_own(struct fx_net *net, const struct fx_hash *txid)
{
    char hex[FX_HASH_HEX];

    if (fx_net_is_unbroadcast(net, txid)) {
        fx_hash_to_id(txid, hex);
        fx_log(FX_LOG_NET,
               "Removed %s from set of unbroadcast txns before confirmation that txn was sent out",
               hex);
    }
    forget_own(net->txrelay, txid);
}

void fx_txrelay_block_connected(struct fx_net *net, const struct fx_block *block)
{
    struct fx_txrelay *tr = net->txrelay;

    for (size_t i = 0; i < block->n_txs; i++) {
        const struct fx_tx *tx = block->txs[i];

        fx_rolling_add(tr->confirmed, &tx->txid);
        if (tx->has_witness) {
            fx_rolling_add(tr->confirmed, &tx->wtxid);
        }
        fx_orphans_confirmed(tr->orphans, tx);
        confirm_own(net, &tx->txid);
        note_connected(tr, &tx->txid);
    }
}

void fx_txrelay_block_disconnected(struct fx_net *net)
{
    fx_rolling_clear(net->txrelay->confirmed);
    /* What comes back into the pool is told again: a peer may not have it any more, or judged it on
     * the other branch. */
    for (size_t i = 0; i < net->n_peers; i++) {
        if (net->peers[i]->tx.known != NULL) {
            fx_rolling_clear(net->peers[i]->tx.known);
        }
    }
}

void fx_txrelay_tip_changed(struct fx_net *net)
{
    struct fx_txrelay *tr = net->txrelay;

    fx_rolling_clear(tr->rejects);
    for (size_t i = 0; i < tr->n_connected && net->mempool != NULL; i++) {
        const struct fx_tx *child = NULL;
        uint64_t peer = 0;

        child = fx_orphans_take_child(tr->orphans, &tr->connected[i], &peer);
        if (child != NULL) {
            take_with_orphans(net, peer, child);
            fx_tx_unref(child);
        }
    }
    tr->n_connected = 0;
}
