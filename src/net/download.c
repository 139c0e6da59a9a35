/* Fetching blocks from several peers at once, and taking those that come. */
#include "src/net/sync_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/compactrelay_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define AVOID_MS 60000
#define WALK 128         /* headers looked at in one go */
#define LIMITED_MARGIN 2 /* blocks */
#define UNASKED_AROUND                                                        \
    288 /* a block nobody asked for is at most this far from the tip's height \
         */

static void avoid(struct fx_peer *peer, const struct fx_hash *id)
{
    struct fx_peer_sync *sync = &peer->sync;
    unsigned at = sync->next_avoid++ % (sizeof sync->avoid / sizeof sync->avoid[0]);

    sync->avoid[at] = *id;
    sync->avoid_until_ms[at] = fx_clock_monotonic_ms() + AVOID_MS;
}

void fx_download_again(struct fx_peer *peer, const struct fx_hash *id)
{
    struct fx_peer_sync *sync = &peer->sync;

    for (size_t i = 0; i < sizeof sync->avoid / sizeof sync->avoid[0]; i++) {
        if (fx_hash_equal(&sync->avoid[i], id)) {
            sync->avoid_until_ms[i] = 0;
        }
    }
}

static bool avoids(const struct fx_peer *peer, const struct fx_hash *id, int64_t now_ms)
{
    const struct fx_peer_sync *sync = &peer->sync;

    for (size_t i = 0; i < sizeof sync->avoid / sizeof sync->avoid[0]; i++) {
        if (sync->avoid_until_ms[i] > now_ms && fx_hash_equal(&sync->avoid[i], id)) {
            return true;
        }
    }
    return false;
}

static void release(struct fx_net *net, struct fx_inflight *entry)
{
    struct fx_peer *peer = fx_net_peer(net, entry->peer);

    if (peer != NULL && peer->sync.in_flight > 0) {
        peer->sync.in_flight--;
    }
    fx_map_remove(net->sync->in_flight, entry->index->id.b);
    free(entry);
}

static void note_asked(struct fx_peer *peer, const struct fx_index *index, int64_t now_ms)
{
    struct fx_inflight *entry = fx_xcalloc(1, sizeof *entry);

    entry->index = index;
    entry->peer = peer->id;
    entry->asked_ms = now_ms;
    if (peer->sync.in_flight++ == 0) {
        peer->sync.last_block_ms = now_ms;
    }
    fx_map_put(peer->net->sync->in_flight, index->id.b, entry);
}

static void send_getdata(struct fx_peer *peer, const struct fx_inv *items, size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    if (n == 0) {
        return;
    }
    fx_msg_inv_write(items, n, &buf);
    fx_peer_send(peer, "getdata", &buf);
}

/* For what was just noted. A block that is all that is missing comes compact where it can. */
static void send_requests(struct fx_peer *peer, struct fx_inv *items, size_t n)
{
    const struct fx_net *net = peer->net;

    if (n == 1 && fx_map_count(net->sync->in_flight) == 1 &&
        fx_compactrelay_wants(peer, fx_chain_find(net->chain, &items[0].hash))) {
        items[0].type = FX_INV_COMPACT_BLOCK;
    }
    send_getdata(peer, items, n);
}

struct fx_peer *fx_download_asked(const struct fx_net *net, const struct fx_index *index)
{
    const struct fx_inflight *entry = fx_map_get(net->sync->in_flight, index->id.b);

    return entry == NULL ? NULL : fx_net_peer(net, entry->peer);
}

void fx_download_note(struct fx_peer *peer, const struct fx_index *index)
{
    struct fx_inflight *stale = fx_map_get(peer->net->sync->in_flight, index->id.b);

    if (stale != NULL) {
        release(peer->net, stale);
    }
    note_asked(peer, index, fx_clock_monotonic_ms());
}

void fx_download_ask(struct fx_peer *peer, const struct fx_index *index)
{
    struct fx_inv inv = {FX_INV_WITNESS_BLOCK, index->id};

    fx_download_note(peer, index);
    send_getdata(peer, &inv, 1);
}

void fx_download_heard(struct fx_peer *peer)
{
    peer->sync.last_block_ms = fx_clock_monotonic_ms();
    peer->sync.slow_until_ms = 0;
}

/* A branch is worth fetching when its stored headers outweigh the tip (section 3), or when a
 * stream of headers that were not stored has shown so. Without lanes, where each header is proven
 * by its work, it need not weigh more: its blocks are there then when it grows. */
static bool is_worth(const struct fx_net *net, const struct fx_index *index)
{
    return fx_u256_cmp(&index->work, fx_chain_min_work(net->chain)) >= 0 &&
           fx_u256_cmp(&index->work, &fx_chain_tip(net->chain)->work) >=
               (net->params->lanes ? 1 : 0);
}

/* Once segwit binds, a block without witnesses is none. */
static bool gives_whole(const struct fx_peer *peer)
{
    const struct fx_net *net = peer->net;

    return (peer->version.services & FX_NODE_WITNESS) != 0 ||
           !fx_fork_binds(net->params, FX_FORK_SEGWIT, fx_chain_tip(net->chain)->height + 1);
}

static const struct fx_index *fetch_target(const struct fx_peer *peer)
{
    const struct fx_index *best = peer->sync.best_known;

    if (!fx_peer_ready(peer) || best == NULL || (best->status & FX_INDEX_FAILED) != 0 ||
        !fx_peer_has_blocks(peer) || !gives_whole(peer)) {
        return NULL;
    }
    if (is_worth(peer->net, best)) {
        return best;
    }
    best = peer->sync.stream_fetch;
    return best == NULL || (best->status & FX_INDEX_FAILED) != 0 ? NULL : best;
}

/* The last block on the way to `best` that is here with all before it. */
static const struct fx_index *move_common(struct fx_peer *peer, const struct fx_index *best)
{
    struct fx_peer_sync *sync = &peer->sync;

    if (sync->common == NULL) {
        sync->common = fx_chain_tip(peer->net->chain);
    }
    sync->common = fx_index_fork(sync->common, best);
    /* The chain may have moved on by itself, or gone back behind what was common. */
    if (fx_chain_contains(peer->net->chain, sync->common)) {
        const struct fx_index *fork = fx_index_fork(fx_chain_tip(peer->net->chain), best);

        sync->common = fork->height > sync->common->height ? fork : sync->common;
    }
    return sync->common;
}

/* Blocks that were asked of it in vain, and others that can be asked: it has to wait, or it would
 * hold up a part of each window. */
static bool is_passed_over(const struct fx_peer *peer, int64_t now_ms)
{
    const struct fx_net *net = peer->net;

    if (peer->sync.slow_until_ms <= now_ms) {
        return false;
    }
    for (size_t i = 0; i < net->n_peers; i++) {
        if (net->peers[i]->sync.slow_until_ms <= now_ms && fetch_target(net->peers[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* A peer without all blocks has those that it tells of, as long as both are near the tip. */
static bool serves_new(const struct fx_peer *peer)
{
    return gives_whole(peer) &&
           ((peer->version.services & FX_NODE_NETWORK) != 0 || fx_compactrelay_near_tip(peer->net));
}

/* The branch that the peer told of last, where it is short: it may not be on the way to the best
 * one, whose blocks perhaps never come. */
static void fetch_announced(struct fx_peer *peer)
{
    const struct fx_index *at = peer->sync.announced;
    const struct fx_index *missing[FX_BLOCKS_PER_PEER];
    struct fx_inv items[FX_BLOCKS_PER_PEER];
    size_t n = 0, n_items = 0;
    int64_t now_ms = fx_clock_monotonic_ms();

    if (at == NULL || !fx_peer_ready(peer) || !is_worth(peer->net, at) || !serves_new(peer)) {
        return;
    }
    for (; (at->status & FX_INDEX_HAVE_DATA) == 0; at = at->parent) {
        if ((at->status & FX_INDEX_FAILED) != 0) {
            return;
        }
        if (fx_map_get(peer->net->sync->in_flight, at->id.b) != NULL) {
            continue;
        }
        if (n == FX_BLOCKS_PER_PEER) {
            return;
        }
        missing[n++] = at;
    }
    while (n > 0 && peer->sync.in_flight < FX_BLOCKS_PER_PEER) {
        const struct fx_index *index = missing[--n];

        if (!avoids(peer, &index->id, now_ms)) {
            note_asked(peer, index, now_ms);
            items[n_items++] = (struct fx_inv){FX_INV_WITNESS_BLOCK, index->id};
        }
    }
    send_requests(peer, items, n_items);
}

/* Of a peer that has the last blocks only, none is asked that it may be about to prune. */
static bool may_have(const struct fx_peer *peer, const struct fx_index *index)
{
    return (peer->version.services & FX_NODE_NETWORK) != 0 ||
           index->height + FX_PRUNE_KEEP > peer->sync.best_known->height + LIMITED_MARGIN;
}

static void fetch_best(struct fx_peer *peer)
{
    const struct fx_index *best = fetch_target(peer);
    const struct fx_index *walk[WALK];
    struct fx_inv items[FX_BLOCKS_PER_PEER];
    size_t n_items = 0;
    int64_t now_ms = fx_clock_monotonic_ms();
    uint32_t height, end;
    bool contiguous = true;

    if (best == NULL || peer->sync.in_flight >= FX_BLOCKS_PER_PEER ||
        is_passed_over(peer, now_ms)) {
        return;
    }
    height = move_common(peer, best)->height;
    end = best->height - height > FX_BLOCK_WINDOW ? height + FX_BLOCK_WINDOW : best->height;
    while (height < end && peer->sync.in_flight < FX_BLOCKS_PER_PEER) {
        size_t n = end - height < WALK ? end - height : WALK;
        const struct fx_index *at = fx_index_ancestor(best, height + (uint32_t)n);

        for (size_t i = n; i > 0; i--, at = at->parent) {
            walk[i - 1] = at;
        }
        height += (uint32_t)n;
        for (size_t i = 0; i < n && peer->sync.in_flight < FX_BLOCKS_PER_PEER; i++) {
            if ((walk[i]->status & FX_INDEX_FAILED) != 0) {
                send_requests(peer, items, n_items);
                return;
            }
            if ((walk[i]->status & FX_INDEX_HAVE_DATA) != 0) {
                peer->sync.common = contiguous ? walk[i] : peer->sync.common;
                continue;
            }
            contiguous = false;
            if (may_have(peer, walk[i]) &&
                fx_map_get(peer->net->sync->in_flight, walk[i]->id.b) == NULL &&
                !avoids(peer, &walk[i]->id, now_ms)) {
                note_asked(peer, walk[i], now_ms);
                items[n_items++] = (struct fx_inv){FX_INV_WITNESS_BLOCK, walk[i]->id};
            }
        }
    }
    send_requests(peer, items, n_items);
}

void fx_download_from(struct fx_peer *peer)
{
    fetch_best(peer);
    fetch_announced(peer);
}

void fx_download_all(struct fx_net *net)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        fx_download_from(net->peers[i]);
    }
}

void fx_download_notfound(struct fx_peer *peer, const struct fx_hash *id)
{
    struct fx_inflight *entry = fx_map_get(peer->net->sync->in_flight, id->b);

    if (entry == NULL || entry->peer != peer->id) {
        return;
    }
    release(peer->net, entry);
    avoid(peer, id);
    fx_download_all(peer->net);
}

/* ---- blocks that come ------------------------------------------------------------------------ */

/* The id may still be that of a good block: another peer is asked. A peer whose own headers rest on
 * this proof is dropped with them (section 3); without lanes any is, as Bitcoin Core does. */
static void bad_copy(struct fx_peer *peer, const struct fx_hash *id, enum fx_verdict why)
{
    char hex[FX_HASH_HEX];
    char text[200];
    bool own = fx_unproven_has(peer, id) || !peer->net->params->lanes;

    fx_hash_to_id(id, hex);
    snprintf(text, sizeof text,
             why == FX_BAD_TXNMRKLROOT
                 ? "bad copy of block %s: Block mutated: %s, hashMerkleRoot mismatch"
                 : "bad copy of block %s: %s",
             hex, fx_verdict_string(why));
    avoid(peer, id);
    fx_peer_misbehaved(peer, own ? FX_MISBEHAVIOUR_MAX : FX_MISBEHAVIOUR_MAX / 2, text);
    fx_download_all(peer->net);
}

static void invalid_block(struct fx_peer *peer, const struct fx_block *block,
                          const struct fx_index *index, enum fx_verdict why)
{
    char hex[FX_HASH_HEX];
    char text[160];

    fx_hash_to_id(&block->id, hex);
    avoid(peer, &block->id);
    if (why == FX_TIME_TOO_NEW || why == FX_PREV_BLK_NOT_FOUND || why == FX_DUPLICATE ||
        (index != NULL && fx_headers_invalidated(index))) {
        fx_log_info("net: block %s from peer %" PRIu64 " is not taken: %s", hex, peer->id,
                    fx_verdict_string(why));
        return;
    }
    snprintf(text, sizeof text, "invalid block %s, ", hex);
    fx_sync_reason(&block->header, why, text + strlen(text), sizeof text - strlen(text));
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, text);
}

static void settle_all(struct fx_net *net)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (fx_peer_ready(net->peers[i])) {
            fx_headers_settle(net->peers[i]);
        }
    }
}

/* Nobody is waited for: the block is here, or broken whoever sends it. */
static void end_requests(struct fx_net *net, const struct fx_index *index)
{
    struct fx_inflight *entry = fx_map_get(net->sync->in_flight, index->id.b);

    if (entry != NULL) {
        release(net, entry);
    }
    fx_compactrelay_forget(net, index);
}

/* The block is stored. Who supplies new ones while nothing else is missing is at the tip with us.
 */
static void accepted(struct fx_peer *peer, const struct fx_index *index, bool fresh)
{
    struct fx_net *net = peer->net;

    end_requests(net, index);
    fx_headers_known(peer, index);
    if (fresh) {
        peer->last_block = fx_clock_now();
        if (fx_map_count(net->sync->in_flight) == 0 && fx_chain_contains(net->chain, index) &&
            !fx_chain_is_initial_download(net->chain)) {
            fx_compactrelay_prefer(peer);
        }
    }
    settle_all(net);
}

static void accept_block(struct fx_peer *peer, const struct fx_block *block)
{
    struct fx_net *net = peer->net;
    enum fx_verdict why = FX_OK;
    bool fresh = false;
    enum fx_result result = fx_chain_accept_block(net->chain, block, &fresh, &why);
    const struct fx_index *index = fx_chain_find(net->chain, &block->id);

    switch (result) {
    case FX_VALID:
        accepted(peer, index, fresh);
        return;
    case FX_INVALID:
        invalid_block(peer, block, index, why);
        return;
    case FX_INVALID_COPY:
        bad_copy(peer, &block->id, why);
        return;
    case FX_FAILED:
        fx_log_info("net: a block from peer %" PRIu64 " could not be stored or judged", peer->id);
        avoid(peer, &block->id);
        return;
    }
}

/* Peers may relay compact blocks that they know the header of (BIP152): what follows from it is not
 * held against them. */
bool fx_download_take_compact(struct fx_peer *peer, const struct fx_block *block)
{
    struct fx_net *net = peer->net;
    enum fx_verdict why = FX_OK;
    bool fresh = false;
    enum fx_result result = fx_chain_accept_block(net->chain, block, &fresh, &why);
    const struct fx_index *index = fx_chain_find(net->chain, &block->id);
    char text[160];

    if (result == FX_VALID) {
        accepted(peer, index, fresh);
        return true;
    }
    fx_sync_reason(&block->header, why, text, sizeof text);
    fx_log_info("net: compact block from peer %" PRIu64 " is not taken: %s", peer->id,
                result == FX_FAILED ? "it could not be stored or judged" : text);
    if (result == FX_INVALID_COPY) {
        return false;
    }
    avoid(peer, &block->id);
    if ((index->status & FX_INDEX_FAILED) != 0) {
        end_requests(net, index);
    } else {
        fx_download_notfound(peer, &block->id);
    }
    return true;
}

/* Is a block wanted that was not asked of this peer? */
static bool is_welcome(const struct fx_net *net, const struct fx_index *index)
{
    const struct fx_index *tip = fx_chain_tip(net->chain);

    return fx_map_get(net->sync->in_flight, index->id.b) != NULL ||
           (fx_u256_cmp(&index->work, &tip->work) >= 0 &&
            fx_u256_cmp(&index->work, fx_chain_min_work(net->chain)) >= 0 &&
            index->height <= tip->height + UNASKED_AROUND);
}

/* With lanes its header may be one for which there was no room; else, as Bitcoin Core sees it,
 * nobody sends a block before its header's parent. */
static void no_parent(struct fx_peer *peer)
{
    if (peer->net->params->lanes) {
        fx_headers_ask(peer, NULL);
        return;
    }
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, "AcceptBlock FAILED (prev-blk-not-found)");
}

static void log_lack_of_work(const struct fx_block *block)
{
    char hex[FX_HASH_HEX];

    fx_hash_to_id(&block->id, hex);
    fx_log(FX_LOG_NET,
           "AcceptBlockHeader: not adding new block header %s, missing anti-dos proof-of-work "
           "validation",
           hex);
}

/* A block whose header is new. With lanes the chain checks its puzzle or its ticket before it keeps
 * anything, so it is taken wherever it may matter soon. Without, its header is taken by itself, and
 * the block as if that had been known. */
static void take_new_block(struct fx_peer *peer, const struct fx_block *block)
{
    const struct fx_chain *chain = peer->net->chain;
    const struct fx_index *parent = fx_chain_find(chain, &block->header.prev);
    const struct fx_index *tip = fx_chain_tip(chain);

    if (parent == NULL) {
        no_parent(peer);
        return;
    }
    if (fx_headers_lack_work(peer->net, parent, &block->header)) {
        log_lack_of_work(block);
        return;
    }
    if (!peer->net->params->lanes) {
        const struct fx_index *index = fx_headers_take(peer, &block->header);

        if (index != NULL && is_welcome(peer->net, index)) {
            accept_block(peer, block);
        }
        return;
    }
    if (parent->height < tip->height + UNASKED_AROUND &&
        parent->height + UNASKED_AROUND > tip->height &&
        ((parent->status & FX_INDEX_FAILED) == 0 || !fx_headers_invalidated(parent))) {
        accept_block(peer, block);
    }
}

static void take_block(struct fx_peer *peer, const struct fx_block *block, bool asked)
{
    const struct fx_index *index = fx_chain_find(peer->net->chain, &block->id);

    if (index == NULL) {
        take_new_block(peer, block);
    } else if ((index->status & FX_INDEX_FAILED) != 0) {
        invalid_block(peer, block, index, FX_DUPLICATE_INVALID);
    } else if ((index->status & FX_INDEX_HAVE_DATA) != 0) {
        fx_headers_known(peer, index);
    } else if (asked || is_welcome(peer->net, index)) {
        accept_block(peer, block);
    }
}

/* In Bitcoin Core's words where the number of transactions is the trouble. */
static void log_undecodable(const struct fx_peer *peer, struct fx_reader r)
{
    size_t left;

    fx_read_bytes(&r, FX_HEADER_SIZE);
    left = r.left;
    fx_read_var(&r);
    fx_log(FX_LOG_NET, "net: a block from peer %" PRIu64 " cannot be read%s", peer->id,
           r.bad && left >= 9 ? ": non-canonical ReadCompactSize()" : "");
}

/* Of the block that the message begins with; 0: it begins with none. */
static size_t block_length(struct fx_reader r)
{
    const uint8_t *start = r.p;
    uint64_t n;

    fx_read_bytes(&r, FX_HEADER_SIZE);
    for (n = fx_read_var(&r); n > 0 && !r.bad; n--) {
        fx_tx_unref(fx_tx_read(&r));
    }
    return r.bad ? 0 : (size_t)(r.p - start);
}

/* NULL: *why. Bitcoin nodes overlook what follows a block in its message. */
static struct fx_block *parse(const struct fx_net *net, const struct fx_reader *r,
                              enum fx_verdict *why)
{
    struct fx_block *block = fx_block_parse(net->params, r->p, r->left, why);
    size_t n;

    if (block != NULL || *why != FX_BLOCK_DECODE || net->params->lanes) {
        return block;
    }
    n = block_length(*r);
    return n == 0 ? NULL : fx_block_parse(net->params, r->p, n, why);
}

bool fx_handle_block(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    struct fx_inflight *entry = NULL;
    struct fx_block *block = NULL;
    enum fx_verdict why = FX_OK;
    struct fx_header header;
    struct fx_hash id;
    bool asked = false;

    if (r->left < FX_HEADER_SIZE) {
        return false;
    }
    fx_header_read(r->p, &header);
    fx_header_id(&header, &id);
    entry = fx_map_get(net->sync->in_flight, id.b);
    if (entry != NULL && entry->peer == peer->id) {
        asked = true;
        fx_download_heard(peer);
        release(net, entry);
    }
    block = parse(net, r, &why);
    if (block == NULL) {
        if (why != FX_BAD_WORK_PARSE) {
            log_undecodable(peer, *r);
            return false;
        }
        bad_copy(peer, &id, why);
        return true;
    }
    take_block(peer, block, asked);
    fx_block_unref(block);
    if (!peer->closing) {
        fx_download_from(peer);
    }
    return true;
}

/* ---- peers that do not deliver --------------------------------------------------------------- */

static bool is_receiving(const struct fx_peer *peer, int64_t now_ms)
{
    return peer->has_frame && now_ms - peer->last_recv_ms < FX_BLOCK_RETRY_MS;
}

static struct fx_peer *another_with(struct fx_net *net, const struct fx_index *index,
                                    const struct fx_peer *not_this, int64_t now_ms)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];
        const struct fx_index *best = peer->sync.best_known;

        if (peer != not_this && fx_peer_ready(peer) && best != NULL &&
            peer->sync.in_flight < FX_BLOCKS_PER_PEER && best->height >= index->height &&
            fx_index_ancestor(best, index->height) == index && !avoids(peer, &index->id, now_ms)) {
            return peer;
        }
    }
    return NULL;
}

static void move_request(struct fx_inflight *entry, struct fx_peer *from, struct fx_peer *to,
                         int64_t now_ms)
{
    struct fx_inv inv = {FX_INV_WITNESS_BLOCK, entry->index->id};

    from->sync.in_flight--;
    from->sync.slow_until_ms = now_ms + AVOID_MS;
    avoid(from, &entry->index->id);
    entry->peer = to->id;
    entry->asked_ms = now_ms;
    if (to->sync.in_flight++ == 0) {
        to->sync.last_block_ms = now_ms;
    }
    send_getdata(to, &inv, 1);
}

void fx_download_tick(struct fx_net *net, int64_t now_ms)
{
    size_t at = 0;
    void *value;

    while (fx_map_next(net->sync->in_flight, &at, NULL, &value)) {
        struct fx_inflight *entry = value;
        struct fx_peer *peer = fx_net_peer(net, entry->peer);
        struct fx_peer *other = NULL;
        int64_t since;

        if (peer == NULL) {
            continue; /* the reaper comes to it */
        }
        since =
            peer->sync.last_block_ms > entry->asked_ms ? peer->sync.last_block_ms : entry->asked_ms;
        if (now_ms - since < FX_BLOCK_RETRY_MS || is_receiving(peer, now_ms)) {
            continue;
        }
        if (now_ms - since > FX_BLOCK_STALL_MS) {
            fx_peer_drop(peer, "it does not deliver the blocks that it announced");
            continue;
        }
        other = another_with(net, entry->index, peer, now_ms);
        if (other != NULL) {
            move_request(entry, peer, other, now_ms);
        }
    }
    fx_download_all(net);
}

size_t fx_sync_in_flight(const struct fx_peer *peer, uint32_t heights[FX_NET_IN_FLIGHT])
{
    size_t at = 0, n = 0;
    void *value;

    while (n < FX_NET_IN_FLIGHT && fx_map_next(peer->net->sync->in_flight, &at, NULL, &value)) {
        const struct fx_inflight *entry = value;

        if (entry->peer == peer->id) {
            heights[n++] = entry->index->height;
        }
    }
    return n;
}

void fx_download_peer_gone(struct fx_peer *peer)
{
    struct fx_net *net = peer->net;
    size_t at = 0;
    const void *key;
    void *value;

    while (fx_map_next(net->sync->in_flight, &at, &key, &value)) {
        struct fx_inflight *entry = value;

        if (entry->peer == peer->id) {
            fx_map_remove(net->sync->in_flight, key);
            free(entry);
        }
    }
    peer->sync.in_flight = 0;
}
