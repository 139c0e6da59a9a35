/* The orphan pool. */
#include "src/net/orphans_int.h"

#include <stdlib.h>

#include "src/net/limits_int.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

struct orphan {
    const struct fx_tx *tx;
    uint64_t peer;
    int64_t until_ms;
};

/* At most FX_ORPHANS_MAX entries: plain walks are cheap enough. */
struct fx_orphans {
    struct orphan list[FX_ORPHANS_MAX];
    size_t n;
};

struct fx_orphans *fx_orphans_create(void)
{
    return fx_xcalloc(1, sizeof(struct fx_orphans));
}

void fx_orphans_destroy(struct fx_orphans *orphans)
{
    if (orphans == NULL) {
        return;
    }
    for (size_t i = 0; i < orphans->n; i++) {
        fx_tx_unref(orphans->list[i].tx);
    }
    free(orphans);
}

static void remove_at(struct fx_orphans *orphans, size_t at)
{
    fx_tx_unref(orphans->list[at].tx);
    orphans->list[at] = orphans->list[--orphans->n];
}

bool fx_orphans_has(const struct fx_orphans *orphans, const struct fx_hash *wtxid)
{
    for (size_t i = 0; i < orphans->n; i++) {
        if (fx_hash_equal(&orphans->list[i].tx->wtxid, wtxid)) {
            return true;
        }
    }
    return false;
}

bool fx_orphans_add(struct fx_orphans *orphans, const struct fx_tx *tx, uint64_t peer,
                    int64_t now_ms)
{
    if (fx_tx_weight(tx) > FX_ORPHAN_WEIGHT_MAX || fx_orphans_has(orphans, &tx->wtxid)) {
        return false;
    }
    if (orphans->n == FX_ORPHANS_MAX) {
        remove_at(orphans, (size_t)fx_random_below(orphans->n));
    }
    orphans->list[orphans->n].tx = fx_tx_ref(tx);
    orphans->list[orphans->n].peer = peer;
    orphans->list[orphans->n].until_ms = now_ms + FX_ORPHAN_S * 1000;
    orphans->n++;
    return true;
}

size_t fx_orphans_count(const struct fx_orphans *orphans)
{
    return orphans->n;
}

static bool spends(const struct fx_tx *tx, const struct fx_hash *txid)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_hash_equal(&tx->in[i].prevout.txid, txid)) {
            return true;
        }
    }
    return false;
}

const struct fx_tx *fx_orphans_take_child(struct fx_orphans *orphans, const struct fx_hash *txid,
                                          uint64_t *peer)
{
    for (size_t i = 0; i < orphans->n; i++) {
        if (spends(orphans->list[i].tx, txid)) {
            const struct fx_tx *tx = orphans->list[i].tx;

            *peer = orphans->list[i].peer;
            orphans->list[i] = orphans->list[--orphans->n];
            return tx;
        }
    }
    return NULL;
}

void fx_orphans_peer_gone(struct fx_orphans *orphans, uint64_t peer)
{
    for (size_t i = orphans->n; i > 0; i--) {
        if (orphans->list[i - 1].peer == peer) {
            remove_at(orphans, i - 1);
        }
    }
}

void fx_orphans_expire(struct fx_orphans *orphans, int64_t now_ms)
{
    for (size_t i = orphans->n; i > 0; i--) {
        if (now_ms >= orphans->list[i - 1].until_ms) {
            remove_at(orphans, i - 1);
        }
    }
}

static bool conflicts(const struct fx_tx *orphan, const struct fx_tx *tx)
{
    if (fx_hash_equal(&orphan->txid, &tx->txid)) {
        return true;
    }
    for (size_t i = 0; i < orphan->n_in; i++) {
        for (size_t j = 0; j < tx->n_in; j++) {
            if (fx_outpoint_equal(&orphan->in[i].prevout, &tx->in[j].prevout)) {
                return true;
            }
        }
    }
    return false;
}

void fx_orphans_confirmed(struct fx_orphans *orphans, const struct fx_tx *tx)
{
    for (size_t i = orphans->n; i > 0; i--) {
        if (conflicts(orphans->list[i - 1].tx, tx)) {
            remove_at(orphans, i - 1);
        }
    }
}
