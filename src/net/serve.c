/* Answers to peers' questions: getheaders, getdata; and inventories, theirs to us. */
#include "src/net/sync_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/compactrelay_int.h"
#include "src/net/permit_int.h"
#include "src/net/txask_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define LIMITED_MARGIN 2           /* blocks */
#define STALE_AGE_MAX (30 * 86400) /* seconds */

static const struct fx_index *locate(const struct fx_chain *chain, const struct fx_hash *locator,
                                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fx_index *index = fx_chain_find(chain, &locator[i]);

        if (index != NULL && fx_chain_contains(chain, index)) {
            return index;
        }
    }
    return fx_chain_genesis(chain);
}

/* Blocks off the best chain that are old are nobody's business: which of them are here would tell
 * this node from others. Without lanes nor are those that never were on it. */
static bool may_tell_of(const struct fx_net *net, const struct fx_index *index)
{
    const struct fx_index *best = fx_chain_best_header(net->chain);

    if (fx_chain_contains(net->chain, index)) {
        return true;
    }
    return (net->params->lanes || (index->status & FX_INDEX_CONNECTED) != 0) &&
           (int64_t)best->header.time - (int64_t)index->header.time < STALE_AGE_MAX;
}

/* Without lanes other messages that cannot be read are ignored: Bitcoin nodes drop a peer for this
 * one. */
static bool drop_too_long(struct fx_peer *peer, struct fx_reader locator)
{
    fx_read_u32(&locator);
    if (peer->net->params->lanes || fx_read_var(&locator) <= FX_LOCATOR_MAX || locator.bad) {
        return false;
    }
    fx_peer_drop(peer, "its locator is too long");
    return true;
}

bool fx_handle_getheaders(struct fx_peer *peer, struct fx_reader *r)
{
    const struct fx_chain *chain = peer->net->chain;
    struct fx_hash locator[FX_LOCATOR_MAX];
    struct fx_hash stop;
    struct fx_header *headers = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    const struct fx_index *at = NULL;
    const struct fx_index *last = NULL;
    size_t n = 0;
    size_t count = 0;

    if (drop_too_long(peer, *r)) {
        return true;
    }
    if (!fx_msg_locator_read(r, locator, &n, &stop)) {
        return false;
    }
    headers = fx_xcalloc(FX_HEADERS_MAX, sizeof *headers);
    if (!fx_chain_has_min_work(chain) && (peer->permissions & FX_PERMIT_DOWNLOAD) == 0) {
        last = NULL; /* a chain of so little work is nobody's business: an empty answer */
    } else if (n == 0) {
        at = fx_chain_find(chain, &stop);
        if (at == NULL || !may_tell_of(peer->net, at)) {
            free(headers);
            return true;
        }
        headers[count++] = at->header;
    } else {
        last = locate(chain, locator, n);
        for (at = fx_chain_at(chain, last->height + 1); at != NULL && count < FX_HEADERS_MAX;
             at = fx_chain_at(chain, at->height + 1)) {
            headers[count++] = at->header;
            last = at;
            if (fx_hash_equal(&at->id, &stop)) {
                break;
            }
        }
        peer->sync.best_sent = last;
    }
    fx_msg_headers_write(headers, count, &buf);
    fx_peer_send(peer, "headers", &buf);
    free(headers);
    return true;
}

bool fx_handle_getblocks(struct fx_peer *peer, struct fx_reader *r)
{
    const struct fx_chain *chain = peer->net->chain;
    struct fx_hash locator[FX_LOCATOR_MAX];
    struct fx_inv items[FX_GETBLOCKS_MAX];
    struct fx_buf buf = FX_BUF_INIT;
    const struct fx_index *at;
    struct fx_hash stop;
    size_t n = 0, count = 0;

    if (drop_too_long(peer, *r)) {
        return true;
    }
    if (!fx_msg_locator_read(r, locator, &n, &stop)) {
        return false;
    }
    at = fx_chain_at(chain, locate(chain, locator, n)->height + 1);
    while (at != NULL && count < FX_GETBLOCKS_MAX && !fx_hash_equal(&at->id, &stop) &&
           (at->status & FX_INDEX_HAVE_DATA) != 0) {
        items[count++] = (struct fx_inv){FX_INV_BLOCK, at->id};
        at = fx_chain_at(chain, at->height + 1);
    }
    if (count > 0) {
        fx_msg_inv_write(items, count, &buf);
        fx_peer_send(peer, "inv", &buf);
    }
    return true;
}

static bool is_block(uint32_t type)
{
    return type == FX_INV_BLOCK || type == FX_INV_WITNESS_BLOCK || type == FX_INV_COMPACT_BLOCK;
}

static bool is_tx(uint32_t type)
{
    return type == FX_INV_TX || type == FX_INV_WITNESS_TX || type == FX_INV_WTX;
}

/* A peer that serves blocks is asked for headers whenever it tells of something new. Of another,
 * which may tell of anything, one announcement is followed up. */
static bool is_followed(struct fx_peer *peer)
{
    bool first = !peer->sync.followed;

    peer->sync.followed = true;
    return first || fx_peer_has_blocks(peer);
}

bool fx_handle_inv(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_inv *items = NULL;
    size_t n = 0;
    size_t n_ask = 0;
    bool ask_headers = false;

    if (fx_peer_oversized(peer, "inv", r, FX_INV_MAX)) {
        return true;
    }
    if (!fx_msg_inv_read(r, &items, &n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_block(items[i].type)) {
            ask_headers = fx_headers_announced(peer, &items[i].hash) || ask_headers;
        } else if (is_tx(items[i].type)) {
            struct fx_inv ask;

            if (!fx_peer_gives_txs(peer)) {
                char hex[FX_HASH_HEX];

                fx_hash_to_id(&items[i].hash, hex);
                fx_log(FX_LOG_NET,
                       "transaction (%s) inv sent in violation of protocol, disconnecting "
                       "peer=%" PRIu64,
                       hex, peer->id);
                fx_peer_drop(peer, NULL);
                break;
            }
            if (fx_txrelay_announced(peer, &items[i], &ask)) {
                items[n_ask++] = ask;
            }
        }
    }
    if (ask_headers && is_followed(peer)) {
        /* It has one that we have not: there will be an answer beyond what we know. */
        fx_headers_ask(peer, fx_chain_best_header(peer->net->chain));
    }
    if (n_ask > 0) {
        struct fx_buf buf = FX_BUF_INIT;

        fx_msg_inv_write(items, n_ask, &buf);
        fx_peer_send(peer, "getdata", &buf);
    }
    free(items);
    fx_download_from(peer);
    return true;
}

bool fx_handle_notfound(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_inv *items = NULL;
    size_t n = 0;

    if (!fx_msg_inv_read(r, &items, &n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_block(items[i].type)) {
            fx_download_notfound(peer, &items[i].hash);
        } else if (is_tx(items[i].type)) {
            fx_txask_notfound(peer, &items[i]);
        }
    }
    free(items);
    return true;
}

/* ---- getdata --------------------------------------------------------------------------------- */

static void send_block(struct fx_peer *peer, const struct fx_block *block, bool witness)
{
    struct fx_buf buf = FX_BUF_INIT;
    size_t head = 0;

    if (witness) {
        fx_peer_send_span(peer, "block", block->raw);
        return;
    }
    /* Without witnesses: header and work proof as they are, then the stripped transactions. */
    head = block->raw.len - fx_var_size(block->n_txs);
    for (size_t i = 0; i < block->n_txs; i++) {
        head -= block->txs[i]->total_size;
    }
    fx_buf_bytes(&buf, block->raw.data, head);
    fx_buf_var(&buf, block->n_txs);
    for (size_t i = 0; i < block->n_txs; i++) {
        fx_tx_write_stripped(block->txs[i], &buf);
    }
    fx_peer_send(peer, "block", &buf);
}

bool fx_serve_may(const struct fx_index *index)
{
    return (index->status & FX_INDEX_HAVE_DATA) != 0 && (index->status & FX_INDEX_PROVEN) != 0 &&
           (index->status & FX_INDEX_FAILED) == 0;
}

struct fx_block *fx_serve_read(struct fx_net *net, const struct fx_index *index)
{
    const struct fx_block *recent = net->sync->recent;

    if (recent != NULL && fx_hash_equal(&recent->id, &index->id)) {
        return fx_block_ref(recent);
    }
    return fx_chain_read_block(net->chain, index);
}

/* A peer that is far behind has not much of a deeper block in its pool. */
static bool is_sent_compact(const struct fx_net *net, const struct fx_index *index)
{
    return index->height + FX_COMPACT_DEPTH >= fx_chain_tip(net->chain)->height &&
           fx_compactrelay_near_tip(net);
}

/* Where old blocks are pruned, which of those below the promised ones are still here is nobody's
 * business: it would tell this node from others. A few more than promised, for peers that lag. */
static bool is_too_deep(const struct fx_peer *peer, const struct fx_index *index)
{
    const struct fx_net *net = peer->net;

    return (net->services & FX_NODE_NETWORK) == 0 && (peer->permissions & FX_PERMIT_NOBAN) == 0 &&
           index->height + FX_PRUNE_KEEP + LIMITED_MARGIN < fx_chain_tip(net->chain)->height;
}

bool fx_serve_block(struct fx_peer *peer, const struct fx_inv *inv)
{
    struct fx_net *net = peer->net;
    const struct fx_index *index = fx_chain_find(net->chain, &inv->hash);
    struct fx_block *block = NULL;

    if (index != NULL && is_too_deep(peer, index)) {
        fx_log(FX_LOG_NET,
               "Ignore block request below NODE_NETWORK_LIMITED threshold, disconnect "
               "peer=%" PRIu64,
               peer->id);
        fx_peer_drop(peer, NULL);
        return true;
    }
    if (index == NULL || !fx_serve_may(index) || !may_tell_of(net, index)) {
        return false;
    }
    if (inv->type == FX_INV_COMPACT_BLOCK && is_sent_compact(net, index)) {
        return fx_compactrelay_send(peer, index);
    }
    block = fx_serve_read(net, index);
    if (block == NULL) {
        return false;
    }
    send_block(peer, block, inv->type != FX_INV_BLOCK);
    fx_block_unref(block);
    return true;
}

void fx_serve_wanted(struct fx_peer *peer)
{
    struct fx_peer_sync *sync = &peer->sync;
    struct fx_inv *missing = NULL;
    size_t n_missing = 0;

    while (sync->wanted_at < sync->n_wanted && !peer->closing &&
           fx_peer_send_backlog(peer) <= FX_SEND_PAUSE) {
        const struct fx_inv *inv = &sync->wanted[sync->wanted_at++];

        if (is_block(inv->type) ? fx_serve_block(peer, inv)
                                : is_tx(inv->type) && fx_txrelay_serve(peer, inv)) {
            continue;
        }
        if (missing == NULL) {
            missing = fx_xcalloc(sync->n_wanted, sizeof *missing);
        }
        missing[n_missing++] = *inv;
    }
    if (n_missing > 0) {
        struct fx_buf buf = FX_BUF_INIT;

        fx_msg_inv_write(missing, n_missing, &buf);
        fx_peer_send(peer, "notfound", &buf);
    }
    free(missing);
    if (sync->wanted_at == sync->n_wanted) {
        free(sync->wanted);
        sync->wanted = NULL;
        sync->n_wanted = 0;
        sync->wanted_at = 0;
    }
}

/* The first of what is asked for, in Bitcoin Core's words. */
static void log_getdata(const struct fx_peer *peer, const struct fx_inv *inv)
{
    char hex[FX_HASH_HEX];
    const char *name = "unknown";

    switch (inv->type) { /* open: the peer may have sent anything */
    case FX_INV_TX:
        name = "tx";
        break;
    case FX_INV_WTX:
        name = "wtx";
        break;
    case FX_INV_WITNESS_TX:
        name = "witness-tx";
        break;
    case FX_INV_BLOCK:
        name = "block";
        break;
    case FX_INV_WITNESS_BLOCK:
        name = "witness-block";
        break;
    case FX_INV_COMPACT_BLOCK:
        name = "cmpctblock";
        break;
    default: /* said so above */
        break;
    }
    fx_hash_to_id(&inv->hash, hex);
    fx_log(FX_LOG_NET, "received getdata for: %s %s peer=%" PRIu64, name, hex, peer->id);
}

bool fx_handle_getdata(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_inv *items = NULL;
    size_t n = 0;

    if (fx_peer_oversized(peer, "getdata", r, FX_INV_MAX)) {
        return true;
    }
    /* Nothing more is read from the peer while it waits for what it asked before. */
    if (!fx_msg_inv_read(r, &items, &n)) {
        return false;
    }
    if (n > 0) {
        log_getdata(peer, &items[0]);
    }
    free(peer->sync.wanted);
    peer->sync.wanted = items;
    peer->sync.n_wanted = n;
    peer->sync.wanted_at = 0;
    fx_serve_wanted(peer);
    return true;
}
