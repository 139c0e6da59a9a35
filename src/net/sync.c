/* Headers and blocks: what is made, ended and called at intervals. */
#include "src/net/sync_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/net/compactrelay_int.h"
#include "src/util/map.h"
#include "src/util/mem.h"

void fx_sync_create(struct fx_net *net)
{
    net->sync = fx_xcalloc(1, sizeof *net->sync);
    net->sync->in_flight = fx_map_create(sizeof(struct fx_hash), net->map_key[0], net->map_key[1]);
    net->sync->unproven = fx_map_create(FX_NETADDR_KEY, net->map_key[0], net->map_key[1]);
}

void fx_sync_destroy(struct fx_net *net)
{
    if (net->sync == NULL) {
        return;
    }
    fx_map_destroy(net->sync->in_flight, free);
    fx_map_destroy(net->sync->unproven, free);
    fx_map_destroy(net->sync->recent_txs, NULL);
    fx_block_unref(net->sync->recent);
    free(net->sync);
    net->sync = NULL;
}

void fx_sync_reason(const struct fx_header *header, enum fx_verdict why, char *text, size_t size)
{
    if (why == FX_BAD_VERSION) {
        snprintf(text, size, "%s(0x%08" PRIx32 ")", fx_verdict_string(why),
                 (uint32_t)header->version);
    } else if (why == FX_BAD_BLK_SIGOPS) {
        snprintf(text, size, "%s, out-of-bounds SigOpCount", fx_verdict_string(why));
    } else if (why == FX_HIGH_HASH) {
        snprintf(text, size, "%s, header with invalid proof of work", fx_verdict_string(why));
    } else {
        snprintf(text, size, "%s", fx_verdict_string(why));
    }
}

void fx_sync_peer_ready(struct fx_peer *peer)
{
    if (fx_peer_has_blocks(peer) && peer->origin != FX_PEER_ADDRS &&
        !fx_chain_is_importing(peer->net->chain)) {
        fx_headers_ask(peer, NULL);
    }
}

void fx_sync_peer_gone(struct fx_peer *peer)
{
    fx_download_peer_gone(peer);
    fx_compactrelay_peer_gone(peer);
    fx_unproven_peer_gone(peer);
}

/* Each peer in turn is asked for headers now and then: whatever announcement was lost, or could not
 * be used when it came, is made good. */
static void ask_one(struct fx_net *net, int64_t now_ms)
{
    struct fx_sync *sync = net->sync;

    if (net->n_peers == 0 || now_ms < sync->next_ask_ms || fx_chain_is_importing(net->chain)) {
        return;
    }
    sync->next_ask_ms = now_ms + (net->eager ? FX_ASK_EAGER_MS : FX_ASK_MS);
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[sync->next_ask++ % net->n_peers];

        if (fx_peer_ready(peer) && fx_peer_has_blocks(peer) && peer->origin != FX_PEER_ADDRS &&
            peer->sync.stream == NULL && peer->sync.presync == NULL) {
            fx_headers_ask(peer, NULL);
            return;
        }
    }
}

void fx_sync_tick(struct fx_net *net, int64_t now_ms)
{
    ask_one(net, now_ms);
    fx_compactrelay_tick(net, now_ms);
    fx_download_tick(net, now_ms);
}

void fx_sync_block_connected(struct fx_net *net, const struct fx_block *block)
{
    fx_map_destroy(net->sync->recent_txs, NULL);
    net->sync->recent_txs = NULL;
    fx_block_unref(net->sync->recent);
    net->sync->recent = fx_block_ref(block);
}

/* A peer may ask for 50,000 at once: none of them walks the block. */
static struct fx_map *list_recent(const struct fx_net *net)
{
    const struct fx_block *block = net->sync->recent;
    struct fx_map *txs = fx_map_create(sizeof(struct fx_hash), net->map_key[0], net->map_key[1]);

    for (size_t i = 0; i < block->n_txs; i++) {
        fx_map_put(txs, block->txs[i]->txid.b, block->txs[i]);
        fx_map_put(txs, block->txs[i]->wtxid.b, block->txs[i]);
    }
    return txs;
}

const struct fx_tx *fx_sync_recent_tx(struct fx_net *net, const struct fx_inv *inv)
{
    struct fx_sync *sync = net->sync;
    const struct fx_tx *tx;

    if (sync->recent == NULL) {
        return NULL;
    }
    if (sync->recent_txs == NULL) {
        sync->recent_txs = list_recent(net);
    }
    tx = fx_map_get(sync->recent_txs, inv->hash.b);
    if (tx == NULL ||
        !fx_hash_equal(inv->type == FX_INV_WTX ? &tx->wtxid : &tx->txid, &inv->hash)) {
        return NULL;
    }
    return tx;
}
