/* Transactions that are judged together, as one would not do without another. */
#include <stdio.h>
#include <string.h>

#include "src/mempool/mempool_int.h"
#include "src/sys/clock.h"

#define TOO_DEAR "max feerate exceeded"

/* ---- what a package must be ------------------------------------------------------------------ */

static bool spends_from(const struct fx_tx *tx, const struct fx_tx *parent)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_hash_equal(&tx->in[i].prevout.txid, &parent->txid)) {
            return true;
        }
    }
    return false;
}

static bool conflict(const struct fx_tx *a, const struct fx_tx *b)
{
    for (size_t i = 0; i < a->n_in; i++) {
        for (size_t j = 0; j < b->n_in; j++) {
            if (fx_outpoint_equal(&a->in[i].prevout, &b->in[j].prevout)) {
                return true;
            }
        }
    }
    return false;
}

/* Some pair (i, j), i before j, for which this holds. */
static bool any_pair(struct fx_tx *const *txs, size_t n,
                     bool (*holds)(const struct fx_tx *first, const struct fx_tx *second))
{
    for (size_t j = 1; j < n; j++) {
        for (size_t i = 0; i < j; i++) {
            if (holds(txs[i], txs[j])) {
                return true;
            }
        }
    }
    return false;
}

static bool same_txid(const struct fx_tx *a, const struct fx_tx *b)
{
    return fx_hash_equal(&a->txid, &b->txid);
}

/* NULL, or what is wrong with the package as such. */
static const char *check_package(struct fx_tx *const *txs, size_t n)
{
    size_t weight = 0;
    if (n > FX_PACKAGE_TXS_MAX) {
        return "package-too-many-transactions";
    }
    for (size_t i = 0; i < n; i++) {
        weight += fx_tx_weight(txs[i]);
    }
    if (n > 1 && weight > FX_PACKAGE_WEIGHT_MAX) {
        return "package-too-large";
    }
    if (any_pair(txs, n, same_txid)) {
        return "package-contains-duplicates";
    }
    if (any_pair(txs, n, spends_from)) {
        return "package-not-sorted"; /* one spends from a later one */
    }
    return any_pair(txs, n, conflict) ? "conflict-in-package" : NULL;
}

/* The last spends from all others, which do not spend from each other. */
static bool is_child_with_parents(struct fx_tx *const *txs, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (!spends_from(txs[n - 1], txs[i])) {
            return false;
        }
        for (size_t j = 0; j + 1 < n; j++) {
            if (spends_from(txs[i], txs[j])) {
                return false;
            }
        }
    }
    return true;
}

/* What the child spends besides the package is confirmed. */
static bool has_all_parents(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n)
{
    const struct fx_tx *child = txs[n - 1];
    struct fx_view view;
    fx_chain_view(pool->chain, &view);
    for (size_t i = 0; i < child->n_in; i++) {
        bool known = false;
        struct fx_coin coin;
        for (size_t j = 0; j + 1 < n && !known; j++) {
            known = fx_hash_equal(&child->in[i].prevout.txid, &txs[j]->txid);
        }
        if (known) {
            continue;
        }
        switch (view.coin(view.ctx, &child->in[i].prevout, &coin)) {
        case FX_FOUND:
            fx_coin_clear(&coin);
            break;
        case FX_MISSING:
            return false;
        case FX_LOOKUP_FAILED: /* the child by itself will fail on that */
            break;
        }
    }
    return true;
}

/* ---- entries that came quietly --------------------------------------------------------------- */

void fx_pool_confirm_quiet(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n)
{
    fx_pool_expire(pool, fx_clock_now());
    fx_pool_trim(pool);
    for (size_t i = 0; i < n; i++) {
        if (fx_pool_find(pool, &txs[i]->txid)) {
            fx_pool_notify_added(pool, txs[i]);
        }
    }
    fx_pool_reap(pool);
}

void fx_pool_undo_quiet(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n)
{
    size_t n_listeners = pool->n_listeners;
    uint64_t sequence = pool->sequence;
    pool->n_listeners = 0;
    while (n-- > 0) {
        struct fx_pool_entry *entry = fx_pool_find(pool, &txs[n]->txid);
        if (entry) {
            fx_pool_remove_tree(pool, entry, FX_REMOVED_REPLACED);
            sequence--; /* as if it had not come */
        }
    }
    pool->n_listeners = n_listeners;
    pool->sequence = sequence;
    fx_pool_reap(pool);
}

/* ---- testing --------------------------------------------------------------------------------- */

/* One after the other, each on top of those before it, up to the first that fails; none stays.
 * Returns how many passed. */
static size_t try_all(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n, unsigned flags,
                      struct fx_package_tx *results)
{
    size_t added = 0;
    for (size_t i = 0; i < n && added == i; i++) {
        results[i].judged = true;
        fx_pool_try(pool, txs[i],
                    FX_POOL_NO_REPLACING | FX_POOL_NO_CARVE_OUT | FX_POOL_QUIET | flags,
                    &results[i].accept, NULL);
        added += results[i].accept.result == FX_VALID;
    }
    fx_pool_undo_quiet(pool, txs, added);
    return added;
}

/* Which limit a package would pass, in the words of Bitcoin Core. Those that were not judged count
 * without what their signature operations add to their size. */
static void describe_limits(const struct fx_mempool *pool, struct fx_tx *const *txs, size_t n,
                            const struct fx_package_tx *results, const char *last,
                            char out[FX_MEMPOOL_DETAIL])
{
    const struct fx_mempool_policy *policy = &pool->policy;
    size_t vsize = 0;
    for (size_t i = 0; i < n; i++) {
        vsize += results[i].judged ? results[i].accept.vsize : fx_policy_vsize(pool, txs[i], 0);
    }
    if (n > policy->ancestors_max) {
        snprintf(out, FX_MEMPOOL_DETAIL,
                 "package count %zu exceeds ancestor count limit [limit: %zu]", n,
                 policy->ancestors_max);
    } else if (n > policy->descendants_max) {
        snprintf(out, FX_MEMPOOL_DETAIL,
                 "package count %zu exceeds descendant count limit [limit: %zu]", n,
                 policy->descendants_max);
    } else if (vsize > policy->ancestors_vsize_max) {
        snprintf(out, FX_MEMPOOL_DETAIL,
                 "package size %zu exceeds ancestor size limit [limit: %zu]", vsize,
                 policy->ancestors_vsize_max);
    } else if (vsize > policy->descendants_vsize_max) {
        snprintf(out, FX_MEMPOOL_DETAIL,
                 "package size %zu exceeds descendant size limit [limit: %zu]", vsize,
                 policy->descendants_vsize_max);
    } else {
        snprintf(out, FX_MEMPOOL_DETAIL, "possibly %.*s", FX_MEMPOOL_DETAIL - 10, last);
    }
}

const char *fx_mempool_test_package(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n,
                                    struct fx_package_tx *results)
{
    const char *wrong = check_package(txs, n);
    memset(results, 0, n * sizeof(*results));
    if (wrong) {
        return wrong;
    }
    if (n == 1) {
        results[0].judged = true;
        fx_pool_try(pool, txs[0], FX_POOL_TEST, &results[0].accept, NULL);
        return NULL;
    }
    /* No script is run before all else holds of each: then that failure is all that is said. */
    size_t added = try_all(pool, txs, n, FX_POOL_NO_SCRIPTS, results);
    if (added == n) {
        (void)try_all(pool, txs, n, 0, results);
        return NULL;
    }
    if (added > 0 && strcmp(results[added].accept.reason, FX_POOL_TOO_LONG) == 0) {
        char detail[FX_MEMPOOL_DETAIL];
        describe_limits(pool, txs, n, results, results[added].accept.detail, detail);
        memset(results, 0, (added + 1) * sizeof(*results));
        memcpy(results[0].accept.detail, detail, sizeof(detail));
        return "package-mempool-limits";
    }
    memset(results, 0, added * sizeof(*results));
    return NULL;
}

/* ---- submitting ------------------------------------------------------------------------------ */

/* True where the pool has it, or the same with another witness. */
static bool look_up(const struct fx_mempool *pool, const struct fx_tx *tx,
                    struct fx_package_tx *result)
{
    const struct fx_pool_entry *entry = fx_pool_find(pool, &tx->txid);
    if (!entry) {
        return false;
    }
    *result = (struct fx_package_tx){.judged = true, .known = true, .pool_wtxid = entry->tx->wtxid};
    result->accept =
        (struct fx_accept){.result = FX_VALID, .fee = entry->fee, .vsize = entry->vsize};
    return true;
}

/* A package that is wanted for what it pays as a whole. */
struct together {
    struct fx_tx *txs[FX_PACKAGE_TXS_MAX];
    size_t at[FX_PACKAGE_TXS_MAX]; /* where they are in the results */
    size_t n, n_tried, n_entered;
};

static bool too_dear(const struct fx_accept *accept, int64_t max_rate)
{
    return max_rate > 0 && accept->fee > (int64_t)((uint64_t)max_rate * accept->vsize / 1000);
}

static void refuse(struct fx_accept *accept, const char *reason)
{
    accept->result = FX_INVALID;
    accept->policy = true;
    snprintf(accept->reason, sizeof(accept->reason), "%s", reason);
}

/* All but their fees, one after the other, quietly. False: the last that was tried says why. */
static bool enter_together(struct fx_mempool *pool, struct together *t, int64_t max_rate,
                           struct fx_accept verdicts[FX_PACKAGE_TXS_MAX])
{
    for (size_t i = 0; i < t->n; i++) {
        fx_pool_try(pool, t->txs[i],
                    FX_POOL_FEES_LATER | FX_POOL_NO_REPLACING | FX_POOL_NO_CARVE_OUT |
                        FX_POOL_QUIET,
                    &verdicts[i], NULL);
        if (verdicts[i].result != FX_VALID) {
            t->n_tried = i + 1;
            return false;
        }
        t->n_entered = t->n_tried = i + 1;
        if (too_dear(&verdicts[i], max_rate)) {
            refuse(&verdicts[i], TOO_DEAR);
            return false;
        }
    }
    return true;
}

/* NULL, or what is wrong with their fees as a whole. */
static const char *check_fees(struct fx_mempool *pool, const struct together *t)
{
    int64_t fees = 0;
    size_t vsize = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct fx_pool_entry *entry = fx_pool_find(pool, &t->txs[i]->txid);
        fees += fx_pool_fees(entry);
        vsize += entry->vsize;
    }
    if (fees < fx_policy_fee(pool->policy.min_fee_rate, vsize)) {
        return "min relay fee not met";
    }
    return fees < fx_policy_fee(fx_pool_min_rate(pool), vsize) ? "mempool min fee not met" : NULL;
}

/* Where it fails, one says why, and the others keep what was said of each by itself. */
static void submit_together(struct fx_mempool *pool, struct together *t, int64_t max_rate,
                            struct fx_package_tx *results)
{
    struct fx_accept verdicts[FX_PACKAGE_TXS_MAX];
    bool entered = enter_together(pool, t, max_rate, verdicts);
    const char *wrong = entered ? check_fees(pool, t) : NULL;
    if (wrong) {
        refuse(&verdicts[t->n - 1], wrong);
    }
    if (!entered || wrong) {
        fx_pool_undo_quiet(pool, t->txs, t->n_entered);
        results[t->at[t->n_tried - 1]].accept = verdicts[t->n_tried - 1];
        return;
    }
    fx_pool_confirm_quiet(pool, t->txs, t->n);
    for (size_t i = 0; i < t->n; i++) {
        struct fx_package_tx *result = &results[t->at[i]];
        result->accept = verdicts[i];
        result->counted_together = true;
        if (!fx_pool_find(pool, &t->txs[i]->txid)) {
            refuse(&result->accept, "mempool full");
        }
    }
}

static void submit_one(struct fx_mempool *pool, const struct fx_tx *tx, int64_t max_rate,
                       struct fx_accept *out, struct fx_replaced *replaced)
{
    fx_pool_try(pool, tx, FX_POOL_TEST | FX_POOL_NO_CARVE_OUT, out, NULL);
    if (out->result != FX_VALID) {
        return;
    }
    if (too_dear(out, max_rate)) {
        refuse(out, TOO_DEAR);
        return;
    }
    fx_pool_try(pool, tx, 0, out, replaced);
}

const char *fx_mempool_submit_package(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n,
                                      int64_t max_rate, struct fx_package_tx *results,
                                      struct fx_replaced *replaced)
{
    const char *wrong = check_package(txs, n);
    struct together t = {.n = 0};
    bool failed = false;
    memset(results, 0, n * sizeof(*results));
    if (wrong) {
        return wrong;
    }
    if (n > 1 && !is_child_with_parents(txs, n)) {
        return FX_PACKAGE_TOPOLOGY;
    }
    if (n > 1 && !has_all_parents(pool, txs, n)) {
        return "package-not-child-with-unconfirmed-parents";
    }
    for (size_t i = 0; i < n; i++) {
        if (look_up(pool, txs[i], &results[i])) {
            continue;
        }
        struct fx_accept *accept = &results[i].accept;
        results[i].judged = true;
        submit_one(pool, txs[i], max_rate, accept, replaced);
        if (accept->fee_low || accept->missing_inputs) {
            t.txs[t.n] = txs[i];
            t.at[t.n++] = i;
        } else if (accept->result != FX_VALID) {
            failed = true;
        }
    }
    if (t.n > 1 && !failed) {
        submit_together(pool, &t, max_rate, results);
    }
    return NULL;
}
