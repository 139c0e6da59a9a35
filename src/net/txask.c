/* Transactions asked for of peers. */
#include "src/net/txask_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define CANDIDATES_MAX 8

/* A transaction asked for. */
struct ask {
    struct fx_inv inv;
    uint64_t peer;
    int64_t asked_ms;
    uint64_t candidates[CANDIDATES_MAX]; /* others that announced it */
    size_t n_candidates;
};

void fx_txask_create(struct fx_net *net)
{
    net->txasks = fx_map_create(sizeof(struct fx_hash), net->map_key[0], net->map_key[1]);
}

void fx_txask_destroy(struct fx_net *net)
{
    fx_map_destroy(net->txasks, free);
    net->txasks = NULL;
}

static void send_ask(struct fx_peer *peer, const struct fx_inv *inv)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_inv_write(inv, 1, &buf);
    fx_peer_send(peer, "getdata", &buf);
}

static void note_ask(struct fx_peer *peer, const struct fx_inv *inv)
{
    struct ask *ask = fx_xcalloc(1, sizeof *ask);

    ask->inv = *inv;
    ask->peer = peer->id;
    ask->asked_ms = fx_clock_monotonic_ms();
    peer->tx.asked++;
    fx_map_put(peer->net->txasks, inv->hash.b, ask);
}

/* How it is asked for what it announced. */
static uint32_t type_for(const struct fx_peer *peer)
{
    if (peer->tx.wtxid) {
        return FX_INV_WTX;
    }
    return (peer->version.services & FX_NODE_WITNESS) != 0 ? FX_INV_WITNESS_TX : FX_INV_TX;
}

bool fx_txask_announced(struct fx_peer *peer, const struct fx_inv *inv, struct fx_inv *out)
{
    struct ask *ask = fx_map_get(peer->net->txasks, inv->hash.b);

    if (ask != NULL) {
        if (ask->peer != peer->id && ask->n_candidates < CANDIDATES_MAX) {
            ask->candidates[ask->n_candidates++] = peer->id;
        }
        return false;
    }
    if (peer->tx.asked >= FX_TX_ASKED_PER_PEER) {
        return false;
    }
    out->type = type_for(peer);
    out->hash = inv->hash;
    note_ask(peer, out);
    return true;
}

bool fx_txask_now(struct fx_peer *peer, const struct fx_inv *inv)
{
    if (fx_map_get(peer->net->txasks, inv->hash.b) != NULL ||
        peer->tx.asked >= FX_TX_ASKED_PER_PEER) {
        return false;
    }
    note_ask(peer, inv);
    send_ask(peer, inv);
    return true;
}

void fx_txask_end(struct fx_net *net, const struct fx_hash *hash)
{
    struct ask *ask = fx_map_remove(net->txasks, hash->b);
    struct fx_peer *peer = ask == NULL ? NULL : fx_net_peer(net, ask->peer);

    if (peer != NULL && peer->tx.asked > 0) {
        peer->tx.asked--;
    }
    free(ask);
}

void fx_txask_answered(struct fx_peer *peer, const struct fx_tx *tx)
{
    const struct ask *ask = fx_map_get(peer->net->txasks, tx->txid.b);

    if (ask != NULL && ask->peer == peer->id) {
        fx_txask_end(peer->net, &tx->txid);
    }
    if (tx->has_witness) {
        fx_txask_end(peer->net, &tx->wtxid);
    }
}

/* The peer did not deliver: the next that announced it is asked; false: there is none. */
static bool ask_next(struct fx_net *net, struct ask *ask)
{
    struct fx_peer *before = fx_net_peer(net, ask->peer);

    if (before != NULL && before->tx.asked > 0) {
        before->tx.asked--;
    }
    ask->peer = FX_NO_PEER;
    while (ask->n_candidates > 0) {
        struct fx_peer *peer = fx_net_peer(net, ask->candidates[0]);

        ask->n_candidates--;
        memmove(ask->candidates, ask->candidates + 1,
                ask->n_candidates * sizeof ask->candidates[0]);
        if (peer == NULL || !fx_peer_ready(peer) || peer->tx.asked >= FX_TX_ASKED_PER_PEER) {
            continue;
        }
        ask->peer = peer->id;
        ask->asked_ms = fx_clock_monotonic_ms();
        if (ask->inv.type != FX_INV_WITNESS_TX || !peer->tx.wtxid) {
            ask->inv.type = type_for(peer);
        }
        peer->tx.asked++;
        send_ask(peer, &ask->inv);
        return true;
    }
    return false;
}

void fx_txask_notfound(struct fx_peer *peer, const struct fx_inv *inv)
{
    struct ask *ask = fx_map_get(peer->net->txasks, inv->hash.b);

    if (ask != NULL && ask->peer == peer->id && !ask_next(peer->net, ask)) {
        fx_txask_end(peer->net, &inv->hash);
    }
}

void fx_txask_retry(struct fx_net *net, int64_t asked_before_ms, uint64_t of_peer)
{
    struct fx_map *asked = net->txasks;
    size_t at = 0;
    const void *key;
    void *value;

    while (fx_map_next(asked, &at, &key, &value)) {
        struct ask *ask = value;

        if ((ask->asked_ms < asked_before_ms || ask->peer == of_peer) && !ask_next(net, ask)) {
            fx_map_remove(asked, key);
            free(ask);
        }
    }
}
