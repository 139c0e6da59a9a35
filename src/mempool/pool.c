/* The pool's state: entries in and out, limits, and what others may ask (src/iface/mempool.h). */
#include "src/mempool/mempool_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define ROLLING_HALF_LIFE 43200 /* seconds, as Bitcoin Core's */
#define TRIM_MANY 1000          /* entries whose sorting takes long */
#define ENTRY_OVERHEAD 320      /* of the maps, the lists and the allocator, about */

bool fx_pool_rate_below(int64_t a, size_t a_vsize, int64_t b, size_t b_vsize)
{
    return (__int128)a * (__int128)b_vsize < (__int128)b * (__int128)a_vsize;
}

static size_t entry_usage(const struct fx_pool_entry *entry)
{
    const struct fx_tx *tx = entry->tx;
    size_t items = 0;
    for (size_t i = 0; i < tx->n_in; i++) {
        items += tx->in[i].n_witness;
    }
    return sizeof(*entry) + sizeof(*tx) + tx->total_size + ENTRY_OVERHEAD +
           tx->n_in * (sizeof(struct fx_txin) + 96) + tx->n_out * sizeof(struct fx_txout) +
           items * sizeof(struct fx_span) +
           entry->records.n * (sizeof(struct fx_record_change) + sizeof(struct fx_pool_record));
}

struct fx_pool_entry *fx_pool_find(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    return fx_map_get(pool->by_txid, txid->b);
}

struct fx_pool_entry *fx_pool_spender(const struct fx_mempool *pool, const struct fx_outpoint *o)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(o, key);
    return fx_map_get(pool->spenders, key);
}

int64_t fx_pool_fees(const struct fx_pool_entry *entry)
{
    return entry->fee + entry->delta - entry->burned;
}

int64_t fx_pool_delta(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    const int64_t *delta = fx_map_get(pool->deltas, txid->b);
    return delta ? *delta : 0;
}

/* ---- in ---------------------------------------------------------------------------------------*/

static void link_parents(struct fx_mempool *pool, struct fx_pool_entry *entry)
{
    int64_t fees = fx_pool_fees(entry);
    entry->ancestor_count = entry->descendant_count = 1;
    entry->ancestor_vsize = entry->descendant_vsize = entry->vsize;
    entry->ancestor_fees = entry->descendant_fees = fees;
    fx_pool_parents(pool, entry->tx, &entry->parents);
    for (size_t i = 0; i < entry->parents.n; i++) {
        fx_pool_list_push(&entry->parents.at[i]->children, entry);
    }
    struct fx_pool_list above = {0};
    fx_pool_ancestors(pool, &entry->parents, &above);
    for (size_t i = 0; i < above.n; i++) {
        struct fx_pool_entry *a = above.at[i];
        a->descendant_count++;
        a->descendant_vsize += entry->vsize;
        a->descendant_fees += fees;
        entry->ancestor_count++;
        entry->ancestor_vsize += a->vsize;
        entry->ancestor_fees += fx_pool_fees(a);
    }
    fx_pool_list_clear(&above);
}

void fx_pool_set_time(struct fx_mempool *pool, struct fx_pool_entry *entry, int64_t time)
{
    entry->time = time;
    if (time < pool->oldest) {
        pool->oldest = time;
    }
}

struct fx_pool_entry *fx_pool_add(struct fx_mempool *pool, const struct fx_tx *tx,
                                  const struct fx_connected_tx *connected, uint64_t sigops,
                                  int64_t time, struct fx_record_delta *records, bool contextual)
{
    struct fx_pool_entry *entry = fx_xcalloc(1, sizeof(*entry));
    entry->tx = fx_tx_ref(tx);
    entry->fee = connected->fee;
    entry->burned = (int64_t)connected->burned;
    entry->delta = fx_pool_delta(pool, &tx->txid);
    entry->weight = fx_tx_weight(tx);
    entry->sigops = sigops;
    entry->vsize = fx_policy_vsize(pool, tx, sigops);
    fx_pool_set_time(pool, entry, time);
    entry->height = fx_chain_tip(pool->chain)->height;
    entry->seq = ++pool->seq;
    entry->task = connected->n_spends > 0;
    entry->challenges = connected->challenges;
    entry->contextual = contextual;
    entry->records = *records;
    fx_record_delta_init(records);
    fx_pool_records_apply(pool->records, &entry->records);
    link_parents(pool, entry);

    entry->prev = pool->last;
    *(pool->last ? &pool->last->next : &pool->first) = entry;
    pool->last = entry;
    fx_map_put(pool->by_txid, tx->txid.b, entry);
    fx_map_put(pool->by_wtxid, tx->wtxid.b, entry);
    for (size_t i = 0; i < tx->n_in; i++) {
        uint8_t key[FX_OUTPOINT_SIZE];
        fx_outpoint_key(&tx->in[i].prevout, key);
        fx_map_put(pool->spenders, key, entry);
    }
    pool->count++;
    pool->vsize += entry->vsize;
    pool->usage += entry_usage(entry);
    pool->challenges += entry->challenges;
    pool->total_fee += entry->fee;
    pool->sequence++;
    return entry;
}

/* ---- out --------------------------------------------------------------------------------------*/

static void unlink_entry(struct fx_mempool *pool, struct fx_pool_entry *entry)
{
    int64_t fees = fx_pool_fees(entry);
    struct fx_pool_list kin = {0};
    fx_pool_ancestors(pool, &entry->parents, &kin);
    for (size_t i = 0; i < kin.n; i++) {
        kin.at[i]->descendant_count--;
        kin.at[i]->descendant_vsize -= entry->vsize;
        kin.at[i]->descendant_fees -= fees;
    }
    kin.n = 0;
    fx_pool_descendants(pool, &entry->children, &kin);
    for (size_t i = 0; i < kin.n; i++) {
        kin.at[i]->ancestor_count--;
        kin.at[i]->ancestor_vsize -= entry->vsize;
        kin.at[i]->ancestor_fees -= fees;
    }
    fx_pool_list_clear(&kin);
    for (size_t i = 0; i < entry->parents.n; i++) {
        fx_pool_list_drop(&entry->parents.at[i]->children, entry);
    }
    for (size_t i = 0; i < entry->children.n; i++) {
        fx_pool_list_drop(&entry->children.at[i]->parents, entry);
    }
    fx_pool_list_clear(&entry->parents);
    fx_pool_list_clear(&entry->children);
}

void fx_pool_remove(struct fx_mempool *pool, struct fx_pool_entry *entry, enum fx_tx_removal reason)
{
    const struct fx_tx *tx = entry->tx;
    pool->count--;
    pool->vsize -= entry->vsize;
    pool->usage -= entry_usage(entry);
    pool->challenges -= entry->challenges;
    pool->total_fee -= entry->fee;
    unlink_entry(pool, entry);
    fx_map_remove(pool->by_txid, tx->txid.b);
    fx_map_remove(pool->by_wtxid, tx->wtxid.b);
    for (size_t i = 0; i < tx->n_in; i++) {
        uint8_t key[FX_OUTPOINT_SIZE];
        fx_outpoint_key(&tx->in[i].prevout, key);
        fx_map_remove(pool->spenders, key);
    }
    *(entry->prev ? &entry->prev->next : &pool->first) = entry->next;
    *(entry->next ? &entry->next->prev : &pool->last) = entry->prev;
    entry->removed = true;
    entry->next = pool->dead;
    pool->dead = entry;
    if (reason == FX_REMOVED_BLOCK) {
        free(fx_map_remove(pool->deltas, tx->txid.b));
    } else {
        pool->sequence++;
    }
    fx_pool_notify_removed(pool, tx, reason);
}

void fx_pool_remove_tree(struct fx_mempool *pool, struct fx_pool_entry *entry,
                         enum fx_tx_removal reason)
{
    struct fx_pool_list from = {.at = &entry, .n = 1, .cap = 1}, tree = {0};
    fx_pool_descendants(pool, &from, &tree);
    fx_pool_list_sort(&tree);
    for (size_t i = tree.n; i-- > 0;) {
        fx_pool_records_revert(pool->records, &tree.at[i]->records);
        fx_pool_remove(pool, tree.at[i], reason);
    }
    fx_pool_list_clear(&tree);
}

void fx_pool_reap(struct fx_mempool *pool)
{
    while (pool->dead) {
        struct fx_pool_entry *entry = pool->dead;
        pool->dead = entry->next;
        fx_tx_unref(entry->tx);
        fx_record_delta_clear(&entry->records);
        free(entry);
    }
}

/* ---- limits -----------------------------------------------------------------------------------*/

/* The rate halves in 12 hours; a pool that has become much emptier forgets faster. */
static void decay_rolling_rate(struct fx_mempool *pool)
{
    double elapsed = (double)(fx_clock_now() - pool->rolling_time);
    double half_life = ROLLING_HALF_LIFE;
    if (elapsed <= 0) {
        return;
    }
    if (pool->usage < pool->max_bytes / 4) {
        half_life /= 4;
    } else if (pool->usage < pool->max_bytes / 2) {
        half_life /= 2;
    }
    for (; elapsed >= half_life && pool->rolling_rate >= 1; elapsed -= half_life) {
        pool->rolling_rate /= 2;
    }
    if (elapsed < half_life) {
        pool->rolling_rate *= 1 - elapsed / (2 * half_life);
    }
    pool->rolling_time = fx_clock_now();
    if (pool->rolling_rate < (double)pool->policy.increment_rate / 2) {
        pool->rolling_rate = 0;
    }
}

static int64_t asked_rate(const struct fx_mempool *pool)
{
    int64_t rolling = (int64_t)(pool->rolling_rate + 0.5);
    return rolling > pool->policy.min_fee_rate ? rolling : pool->policy.min_fee_rate;
}

int64_t fx_pool_min_rate(struct fx_mempool *pool)
{
    if (pool->rolling_rate > 0) {
        decay_rolling_rate(pool);
    }
    return asked_rate(pool);
}

static int compare_eviction(const void *a, const void *b)
{
    const struct fx_pool_entry *x = *(struct fx_pool_entry *const *)a;
    const struct fx_pool_entry *y = *(struct fx_pool_entry *const *)b;
    if (fx_pool_rate_below(x->descendant_fees, x->descendant_vsize, y->descendant_fees,
                           y->descendant_vsize)) {
        return -1;
    }
    if (fx_pool_rate_below(y->descendant_fees, y->descendant_vsize, x->descendant_fees,
                           x->descendant_vsize)) {
        return 1;
    }
    return x->seq > y->seq ? -1 : 1;
}

void fx_pool_trim(struct fx_mempool *pool)
{
    if (pool->usage <= pool->max_bytes) {
        return;
    }
    /* A large pool goes somewhat below the limit, so that not every transaction sorts it. */
    size_t margin = pool->count > TRIM_MANY ? pool->max_bytes / 50 : 0;
    size_t goal = pool->max_bytes - margin;
    struct fx_pool_list all = {0};
    for (struct fx_pool_entry *e = pool->first; e; e = e->next) {
        fx_pool_list_push(&all, e);
    }
    qsort(all.at, all.n, sizeof(*all.at), compare_eviction);
    for (size_t i = 0; i < all.n && pool->usage > goal; i++) {
        struct fx_pool_entry *e = all.at[i];
        if (e->removed) {
            continue;
        }
        double rate = (double)e->descendant_fees * 1000 / (double)e->descendant_vsize +
                      (double)pool->policy.increment_rate;
        if (rate > pool->rolling_rate) {
            pool->rolling_rate = rate;
            pool->rolling_time = fx_clock_now();
        }
        fx_pool_remove_tree(pool, e, FX_REMOVED_SIZE);
    }
    fx_log(FX_LOG_MEMPOOL, "mempool: removed %zu transactions, rolling minimum fee bumped to %.0f",
           all.n - pool->count, pool->rolling_rate);
    fx_pool_list_clear(&all);
}

void fx_pool_expire(struct fx_mempool *pool, int64_t now)
{
    struct fx_pool_list old = {0};
    int64_t first_kept = now - pool->policy.expiry_seconds;
    if (pool->oldest >= first_kept) {
        return;
    }
    pool->oldest = INT64_MAX;
    for (struct fx_pool_entry *e = pool->first; e; e = e->next) {
        if (e->time < first_kept) {
            fx_pool_list_push(&old, e);
        } else if (e->time < pool->oldest) {
            pool->oldest = e->time;
        }
    }
    for (size_t i = 0; i < old.n; i++) {
        if (!old.at[i]->removed) {
            fx_pool_remove_tree(pool, old.at[i], FX_REMOVED_EXPIRED);
        }
    }
    fx_pool_list_clear(&old);
}

/* ---- events -----------------------------------------------------------------------------------*/

void fx_pool_notify_added(struct fx_mempool *pool, const struct fx_tx *tx)
{
    for (size_t i = 0; i < pool->n_listeners; i++) {
        if (pool->listeners[i].tx_added) {
            pool->listeners[i].tx_added(pool->listeners[i].ctx, tx);
        }
    }
}

void fx_pool_notify_removed(struct fx_mempool *pool, const struct fx_tx *tx,
                            enum fx_tx_removal reason)
{
    for (size_t i = 0; i < pool->n_listeners; i++) {
        if (pool->listeners[i].tx_removed) {
            pool->listeners[i].tx_removed(pool->listeners[i].ctx, tx, reason);
        }
    }
}

void fx_mempool_subscribe(struct fx_mempool *pool, const struct fx_mempool_events *events)
{
    pool->listeners =
        fx_xreallocarray(pool->listeners, pool->n_listeners + 1, sizeof(*pool->listeners));
    pool->listeners[pool->n_listeners++] = *events;
}

/* ---- the interface ----------------------------------------------------------------------------*/

const struct fx_tx *fx_mempool_get(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    const struct fx_pool_entry *entry = fx_pool_find(pool, txid);
    return entry ? entry->tx : NULL;
}

const struct fx_tx *fx_mempool_get_wtxid(const struct fx_mempool *pool, const struct fx_hash *wtxid)
{
    const struct fx_pool_entry *entry = fx_map_get(pool->by_wtxid, wtxid->b);
    return entry ? entry->tx : NULL;
}

void fx_mempool_each(const struct fx_mempool *pool,
                     bool (*visit)(void *ctx, const struct fx_tx *tx), void *ctx)
{
    size_t at = 0;
    void *value;

    while (fx_map_next(pool->by_txid, &at, NULL, &value) &&
           visit(ctx, ((const struct fx_pool_entry *)value)->tx)) {
    }
}

const struct fx_tx *fx_mempool_spender(const struct fx_mempool *pool,
                                       const struct fx_outpoint *outpoint)
{
    const struct fx_pool_entry *entry = fx_pool_spender(pool, outpoint);
    return entry ? entry->tx : NULL;
}

bool fx_mempool_signals_replacing(struct fx_mempool *pool, const struct fx_hash *txid)
{
    struct fx_pool_entry *entry = fx_pool_find(pool, txid);
    struct fx_pool_list from = {.at = &entry, .n = 1, .cap = 1}, above = {0};
    bool signals = false;
    if (!entry) {
        return false;
    }
    fx_pool_ancestors(pool, &from, &above);
    for (size_t i = 0; i < above.n && !signals; i++) {
        signals = fx_policy_signals_replacing(above.at[i]->tx);
    }
    fx_pool_list_clear(&above);
    return signals;
}

void fx_pool_describe(const struct fx_pool_entry *e, struct fx_mempool_entry *out)
{
    *out = (struct fx_mempool_entry){.tx = e->tx,
                                     .fee = e->fee,
                                     .burned = e->burned,
                                     .delta = e->delta,
                                     .vsize = e->vsize,
                                     .weight = e->weight,
                                     .sigops = e->sigops,
                                     .challenges = e->challenges,
                                     .time = e->time,
                                     .height = e->height,
                                     .ancestor_count = e->ancestor_count,
                                     .descendant_count = e->descendant_count,
                                     .ancestor_vsize = e->ancestor_vsize,
                                     .descendant_vsize = e->descendant_vsize,
                                     .ancestor_fees = e->ancestor_fees,
                                     .descendant_fees = e->descendant_fees};
}

bool fx_mempool_entry(const struct fx_mempool *pool, const struct fx_hash *txid,
                      struct fx_mempool_entry *out)
{
    const struct fx_pool_entry *entry = fx_pool_find(pool, txid);
    if (!entry) {
        return false;
    }
    fx_pool_describe(entry, out);
    return true;
}

void fx_mempool_info(const struct fx_mempool *pool, struct fx_mempool_info *info)
{
    *info = (struct fx_mempool_info){.count = pool->count,
                                     .bytes = pool->vsize,
                                     .usage = pool->usage,
                                     .total_fee = pool->total_fee,
                                     .max_usage = pool->max_bytes,
                                     .full_rbf = pool->policy.full_rbf,
                                     .sequence = pool->sequence,
                                     .min_fee_rate = asked_rate(pool),
                                     .relay_fee_rate = pool->policy.min_fee_rate,
                                     .increment_rate = pool->policy.increment_rate};
}

void fx_mempool_view(struct fx_mempool *pool, struct fx_view *view)
{
    fx_pool_view_init(&pool->public_view, pool, view);
    pool->public_view.spent_is_missing = true;
}

/* ---- priorities -------------------------------------------------------------------------------*/

/* Sums over kin stay in range: deltas are those of a user, fees those of the rules. */
static void shift_fees(struct fx_mempool *pool, struct fx_pool_entry *entry, int64_t delta)
{
    struct fx_pool_list from = {.at = &entry, .n = 1, .cap = 1}, kin = {0};
    entry->delta += delta;
    fx_pool_ancestors(pool, &from, &kin);
    for (size_t i = 0; i < kin.n; i++) {
        kin.at[i]->descendant_fees += delta;
    }
    kin.n = 0;
    fx_pool_descendants(pool, &from, &kin);
    for (size_t i = 0; i < kin.n; i++) {
        kin.at[i]->ancestor_fees += delta;
    }
    fx_pool_list_clear(&kin);
}

bool fx_mempool_prioritise(struct fx_mempool *pool, const struct fx_hash *txid, int64_t delta)
{
    int64_t *sum = fx_map_get(pool->deltas, txid->b);
    int64_t before = sum ? *sum : 0;
    if (delta > FX_POOL_DELTA_MAX || delta < -FX_POOL_DELTA_MAX ||
        before + delta > FX_POOL_DELTA_MAX || before + delta < -FX_POOL_DELTA_MAX) {
        return false;
    }
    if (!sum) {
        sum = fx_xcalloc(1, sizeof(*sum));
        fx_map_put(pool->deltas, txid->b, sum);
    }
    *sum += delta;
    if (*sum == 0) {
        free(fx_map_remove(pool->deltas, txid->b));
    }
    struct fx_pool_entry *entry = fx_pool_find(pool, txid);
    if (entry) {
        shift_fees(pool, entry, delta);
    }
    return true;
}

size_t fx_mempool_deltas(const struct fx_mempool *pool, struct fx_fee_delta **deltas)
{
    size_t n = 0, at = 0;
    const void *key;
    void *value;
    *deltas = fx_xcalloc(fx_map_count(pool->deltas) + 1, sizeof(**deltas));
    while (fx_map_next(pool->deltas, &at, &key, &value)) {
        memcpy((*deltas)[n].txid.b, key, sizeof((*deltas)[n].txid.b));
        (*deltas)[n++].delta = *(const int64_t *)value;
    }
    return n;
}

/* ---- making and ending ------------------------------------------------------------------------*/

struct fx_mempool *fx_mempool_create(const struct fx_mempool_config *config)
{
    struct fx_mempool *pool = fx_xcalloc(1, sizeof(*pool));
    pool->chain = config->chain;
    pool->params = fx_chain_params(config->chain);
    pool->path = config->path ? fx_xstrdup(config->path) : NULL;
    pool->max_bytes = config->max_bytes ? config->max_bytes : FX_MEMPOOL_MAX_BYTES_DEFAULT;
    pool->policy = config->policy ? *config->policy : fx_mempool_policy_default;
    uint64_t k0 = fx_random_u64(), k1 = fx_random_u64();
    pool->by_txid = fx_map_create(sizeof(struct fx_hash), k0, k1);
    pool->by_wtxid = fx_map_create(sizeof(struct fx_hash), k0, k1);
    pool->spenders = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    pool->records = fx_pool_records_create();
    pool->deltas = fx_map_create(sizeof(struct fx_hash), k0, k1);
    pool->sequence = 1;
    pool->oldest = INT64_MAX;
    pool->unread = config->load_later;
    fx_pool_subscribe_chain(pool);
    if (!pool->unread) {
        fx_pool_load(pool);
    }
    return pool;
}

void fx_mempool_load(struct fx_mempool *pool)
{
    if (pool->unread) {
        pool->unread = false;
        fx_pool_load(pool);
    }
}

void fx_mempool_destroy(struct fx_mempool *pool)
{
    if (!pool) {
        return;
    }
    if (!pool->unread) {
        fx_pool_save(pool);
    }
    pool->n_listeners = 0;
    while (pool->last) {
        fx_pool_remove(pool, pool->last, FX_REMOVED_SIZE);
    }
    fx_pool_reap(pool);
    for (size_t i = 0; i < pool->n_disconnected; i++) {
        fx_tx_unref(pool->disconnected[i]);
    }
    free(pool->disconnected);
    fx_map_destroy(pool->by_txid, NULL);
    fx_map_destroy(pool->by_wtxid, NULL);
    fx_map_destroy(pool->spenders, NULL);
    fx_map_destroy(pool->deltas, free);
    fx_map_destroy(pool->records, free);
    free(pool->listeners);
    free(pool->path);
    free(pool);
}
