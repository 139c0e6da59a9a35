/* Which of the pool's transactions a template takes. */
#include "src/template/template_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/random.h"
#include "src/util/map.h"
#include "src/util/mem.h"

/* A block that is nearly full is not searched to the end for something small. */
#define MISSES_MAX 1000
#define NEARLY_FULL 4000            /* weight that it has left at most */
#define COINBASE_SIGOPS_RESERVE 400 /* cost; as Bitcoin Core's */

static bool depends_on(const struct fx_tx *tx, const struct fx_map *txids)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_map_get(txids, tx->in[i].prevout.txid.b)) {
            return true;
        }
    }
    return false;
}

static struct fx_map *txid_set(void)
{
    return fx_map_create(sizeof(struct fx_hash), fx_random_u64(), fx_random_u64());
}

static bool pays_less(const struct fx_mempool_entry *e, int64_t rate)
{
    return (__int128)e->group_fees * 1000 < (__int128)rate * (__int128)e->group_vsize;
}

void fx_selection_make(struct fx_mempool *mempool, size_t weight_max, int64_t min_fee_rate,
                       struct fx_selection *out)
{
    *out = (struct fx_selection){0};
    if (!mempool) {
        return;
    }
    struct fx_mempool_entry *entries;
    size_t n = fx_mempool_list(mempool, &entries), misses = 0, challenges = 0;
    uint64_t sigops = COINBASE_SIGOPS_RESERVE;
    struct fx_map *left_out = txid_set();
    out->txs = fx_xcalloc(n + 1, sizeof(*out->txs));
    out->fees = fx_xcalloc(n + 1, sizeof(*out->fees));
    out->burned = fx_xcalloc(n + 1, sizeof(*out->burned));
    out->sigops = fx_xcalloc(n + 1, sizeof(*out->sigops));
    for (size_t i = 0; i < n; i++) {
        const struct fx_mempool_entry *e = &entries[i];
        bool full = weight_max - out->weight <= NEARLY_FULL;
        if (pays_less(e, min_fee_rate) || (full && misses >= MISSES_MAX)) {
            break; /* all that come after it pay as little */
        }
        if (e->weight > weight_max - out->weight || depends_on(e->tx, left_out) ||
            e->sigops > FX_BLOCK_SIGOPS_COST_MAX - sigops ||
            e->challenges > FX_BLOCK_CHALLENGES_MAX - challenges) {
            fx_map_put(left_out, e->tx->txid.b, out);
            misses++;
            continue;
        }
        out->txs[out->n] = fx_tx_ref(e->tx);
        out->fees[out->n] = e->fee;
        out->sigops[out->n] = e->sigops;
        out->burned[out->n++] = e->burned;
        out->weight += e->weight;
        sigops += e->sigops;
        challenges += e->challenges;
    }
    fx_map_destroy(left_out, NULL);
    free(entries);
}

void fx_selection_drop(struct fx_selection *selection, size_t at)
{
    struct fx_map *dropped = txid_set();
    size_t kept = at;
    for (size_t i = at; i < selection->n; i++) {
        struct fx_tx *tx = selection->txs[i];
        if (i == at || depends_on(tx, dropped)) {
            fx_map_put(dropped, tx->txid.b, selection);
            selection->weight -= fx_tx_weight(tx);
            continue;
        }
        /* Swapped, not overwritten: the references of those dropped gather at the end. */
        selection->txs[i] = selection->txs[kept];
        selection->txs[kept] = tx;
        selection->fees[kept] = selection->fees[i];
        selection->sigops[kept] = selection->sigops[i];
        selection->burned[kept++] = selection->burned[i];
    }
    for (size_t i = kept; i < selection->n; i++) {
        fx_tx_unref(selection->txs[i]);
    }
    selection->n = kept;
    fx_map_destroy(dropped, NULL);
}

void fx_selection_clear(struct fx_selection *selection)
{
    for (size_t i = 0; i < selection->n; i++) {
        fx_tx_unref(selection->txs[i]);
    }
    free(selection->txs);
    free(selection->fees);
    free(selection->burned);
    free(selection->sigops);
    *selection = (struct fx_selection){0};
}
