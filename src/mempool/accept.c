/* Taking a transaction into the pool: rules, policy, replacement. */
#include "src/mempool/mempool_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/chain/chain.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define CARVE_OUT_VSIZE_MAX 10000

/* One attempt, with what its steps find out. */
struct attempt {
    struct fx_mempool *pool;
    const struct fx_tx *tx;
    struct fx_accept *out;
    struct fx_pool_view ctx;
    struct fx_view view;
    struct fx_connected_tx connected;
    bool is_connected;
    struct fx_record_delta delta;
    struct fx_pool_list direct;   /* entries that spend what tx spends */
    struct fx_pool_list replaced; /* these and their descendants */
    struct fx_map *records;       /* that the replaced changed, as before; NULL: none */
    uint64_t sigops;              /* cost */
    bool contextual;
    unsigned flags;           /* enum fx_pool_try */
    struct fx_replaced *gone; /* NULL: nobody asks */
};

static bool refuse(struct attempt *a, enum fx_result result, bool policy, const char *reason)
{
    a->out->result = result;
    a->out->policy = policy;
    snprintf(a->out->reason, sizeof(a->out->reason), "%s", reason);
    return false;
}

static bool refuse_policy(struct attempt *a, const char *reason)
{
    return refuse(a, FX_INVALID, true, reason);
}

/* Verdicts that another tip could turn: the peer that sent the transaction may simply see one. */
static bool depends_on_tip(enum fx_verdict why)
{
    return why == FX_BAD_TXNS_INPUTS_MISSINGORSPENT || why == FX_BAD_TXNS_PREMATURE_SPEND ||
           why == FX_BAD_TXNS_NONFINAL_SEQUENCE || why == FX_BAD_TASK_RECORD ||
           why == FX_BAD_TASK_LOCKTIME || why == FX_BAD_TASK_EXCLUSIVE ||
           why == FX_BAD_TASK_SAMPLE || why == FX_BAD_TASK_ASKED;
}

/* Broken whatever the state of the chain. */
static bool is_broken(enum fx_verdict why)
{
    static const enum fx_verdict verdicts[] = {
        FX_TX_DECODE,
        FX_BAD_TXNS_VIN_EMPTY,
        FX_BAD_TXNS_VOUT_EMPTY,
        FX_BAD_TXNS_OVERSIZE,
        FX_BAD_TXNS_VOUT_NEGATIVE,
        FX_BAD_TXNS_VOUT_TOOLARGE,
        FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE,
        FX_BAD_TXNS_INPUTS_DUPLICATE,
        FX_BAD_TXNS_PREVOUT_NULL,
        FX_BAD_TXNS_IN_BELOWOUT,
        FX_BAD_TASK_SIG,
        FX_BAD_TASK_WITNESS,
        FX_BAD_TASK_PROGRAM,
    };

    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        if (why == verdicts[i]) {
            return true;
        }
    }
    return fx_verdict_is_script(why);
}

static bool refuse_verdict(struct attempt *a, enum fx_verdict why)
{
    a->out->refusal = is_broken(why) ? FX_REFUSAL_BROKEN : FX_REFUSAL_OTHER;
    return refuse(a, FX_INVALID, depends_on_tip(why), fx_verdict_string(why));
}

/* ---- the rules --------------------------------------------------------------------------------*/

static enum fx_result connect(struct fx_mempool *pool, const struct fx_tx *tx,
                              const struct fx_view *view, struct fx_record_delta *delta,
                              struct fx_connected_tx *connected, enum fx_verdict *why)
{
    const struct fx_index *tip = fx_chain_tip(pool->chain);
    struct fx_connect_context context = {.params = pool->params,
                                         .view = view,
                                         .height = tip->height + 1,
                                         .parent_median_time = tip->median_time,
                                         .relay = true};
    return fx_connect_tx(&context, tx, delta, connected, why);
}

/* True where a later tip may make the transaction invalid, or needs to look at it again. */
static bool is_contextual(const struct fx_tx *tx, const struct fx_connected_tx *connected)
{
    if (connected->n_spends > 0 || tx->lock_time != 0) {
        return true;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (connected->spent[i].coinbase ||
            (tx->version >= 2 && !(tx->in[i].sequence & FX_SEQUENCE_LOCK_DISABLE))) {
            return true;
        }
    }
    return false;
}

static bool is_final(const struct fx_mempool *pool, const struct fx_tx *tx)
{
    const struct fx_index *tip = fx_chain_tip(pool->chain);
    return fx_tx_is_final(tx, tip->height + 1, tip->median_time);
}

static bool may_be_stripped(const struct fx_tx *tx, enum fx_script_error error)
{
    return !tx->has_witness && (error == FX_SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY ||
                                error == FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
}

/*
 * One input by the rules of relay, whose error is told. Where these fail, those of blocks say
 * whether the transaction is merely unwelcome or invalid.
 */
static bool run_script(struct attempt *a, const struct fx_script_check *check)
{
    enum fx_script_error error = fx_script_check_flags(check, FX_VERIFY_STANDARD);
    char reason[sizeof(a->out->reason)];
    if (error == FX_SCRIPT_ERR_OK) {
        return true;
    }
    if (fx_script_check_run(check) != FX_OK) {
        refuse_verdict(a, fx_verdict_of_script(error));
    } else {
        snprintf(reason, sizeof(reason), "non-mandatory-script-verify-flag (%s)",
                 fx_script_error_text(error));
        refuse_policy(a, reason);
    }
    if (may_be_stripped(a->tx, error)) {
        a->out->refusal = FX_REFUSAL_STRIPPED;
    }
    return false;
}

/* Scripts are no part of fx_connect_tx; task spends are, and are never judged apart from it. What
 * passes is not verified again when a block brings it. */
static bool run_scripts(struct attempt *a)
{
    struct fx_sigcache *cache = fx_chain_sigcache(a->pool->chain);
    struct fx_sig_memory memory;
    fx_sigcache_memory(cache, true, &memory);
    for (size_t i = 0; i < a->tx->n_in; i++) {
        if (a->pool->params->tasks &&
            fx_script_is_task(fx_coin_script(&a->connected.spent[i]), NULL)) {
            continue;
        }
        struct fx_script_check check = {.tx = a->tx,
                                        .in = i,
                                        .spent = a->connected.spent,
                                        .cache = &a->connected.cache,
                                        .memory = &memory};
        if (!run_script(a, &check)) {
            return false;
        }
    }
    fx_sigcache_add_tx(cache, &a->tx->wtxid);
    return true;
}

/* An input is unknown: either the transaction is in the chain already, or a parent is missing. */
static bool refuse_missing(struct attempt *a)
{
    for (size_t i = 0; i < a->tx->n_out; i++) {
        struct fx_outpoint own = {a->tx->txid, (uint32_t)i};
        struct fx_coin coin;
        enum fx_lookup found = a->ctx.base.coin(a->ctx.base.ctx, &own, &coin);
        if (found == FX_LOOKUP_FAILED) {
            return refuse(a, FX_FAILED, false, "database error");
        }
        if (found == FX_FOUND) {
            fx_coin_clear(&coin);
            return refuse_policy(a, "txn-already-known");
        }
    }
    a->out->missing_inputs = true;
    return refuse_verdict(a, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
}

static bool check_rules(struct attempt *a)
{
    enum fx_verdict why = FX_OK;
    enum fx_result result = connect(a->pool, a->tx, &a->view, &a->delta, &a->connected, &why);
    if (result == FX_FAILED) {
        return refuse(a, FX_FAILED, false, "database error");
    }
    if (why == FX_BAD_TXNS_INPUTS_MISSINGORSPENT) {
        return refuse_missing(a);
    }
    if (result != FX_VALID) {
        refuse_verdict(a, why);
        if (why == FX_BAD_TASK_WITNESS && !a->tx->has_witness) {
            a->out->refusal = FX_REFUSAL_STRIPPED;
        }
        return false;
    }
    a->is_connected = true;
    a->out->fee = a->connected.fee;
    a->out->fee_delta = fx_pool_delta(a->pool, &a->tx->txid);
    a->contextual = is_contextual(a->tx, &a->connected);
    /* What no block can take would wait for ever. */
    return a->connected.challenges <= FX_BLOCK_CHALLENGES_MAX ||
           refuse_verdict(a, FX_BAD_BLK_CHALLENGES);
}

/* ---- replacement ------------------------------------------------------------------------------*/

/* False where one of them may not be replaced. */
static bool find_conflicts(struct attempt *a)
{
    uint64_t mark = ++a->pool->epoch;
    for (size_t i = 0; i < a->tx->n_in; i++) {
        struct fx_pool_entry *rival = fx_pool_spender(a->pool, &a->tx->in[i].prevout);
        if (rival && rival->mark != mark) {
            if (!a->pool->policy.full_rbf && !fx_policy_signals_replacing(rival->tx)) {
                return refuse_policy(a, "txn-mempool-conflict");
            }
            rival->mark = mark;
            fx_pool_list_push(&a->direct, rival);
        }
    }
    if (a->direct.n == 0) {
        return true;
    }
    fx_pool_descendants(a->pool, &a->direct, &a->replaced);
    fx_pool_list_sort(&a->replaced);
    a->records = fx_pool_records_create();
    a->ctx.reverted = a->records;
    for (size_t i = a->replaced.n; i-- > 0;) {
        a->replaced.at[i]->hidden = true;
        fx_pool_records_revert(a->records, &a->replaced.at[i]->records);
    }
    return true;
}

/* What it counts as paying. */
static int64_t attempt_fees(const struct attempt *a)
{
    return a->connected.fee + fx_pool_delta(a->pool, &a->tx->txid) - (int64_t)a->connected.burned;
}

static bool refuse_fee(struct attempt *a, const char *reason)
{
    a->out->fee_low = true;
    return refuse_policy(a, reason);
}

static bool is_parent_of_rival(const struct attempt *a, const struct fx_pool_entry *parent)
{
    for (size_t i = 0; i < a->direct.n; i++) {
        for (size_t j = 0; j < a->direct.at[i]->parents.n; j++) {
            if (a->direct.at[i]->parents.at[j] == parent) {
                return true;
            }
        }
    }
    return false;
}

/* BIP125 rules 2 to 5; every unconfirmed transaction may be replaced. */
static bool check_replacement(struct attempt *a, const struct fx_pool_list *parents)
{
    if (a->direct.n == 0) {
        return true;
    }
    if (a->flags & FX_POOL_NO_REPLACING) {
        return refuse_policy(a, "bip125-replacement-disallowed");
    }
    int64_t fees = attempt_fees(a);
    size_t vsize = a->out->vsize;
    for (size_t i = 0; i < a->direct.n; i++) {
        const struct fx_pool_entry *rival = a->direct.at[i];
        if (!fx_pool_rate_below(fx_pool_fees(rival), rival->vsize, fees, vsize)) {
            return refuse_policy(a, "insufficient fee");
        }
    }
    if (a->replaced.n > FX_POOL_REPLACED_MAX) {
        return refuse_policy(a, "too many potential replacements");
    }
    for (size_t i = 0; i < parents->n; i++) {
        if (!is_parent_of_rival(a, parents->at[i])) {
            return refuse_policy(a, "replacement-adds-unconfirmed");
        }
    }
    int64_t lost = 0;
    for (size_t i = 0; i < a->replaced.n; i++) {
        lost += fx_pool_fees(a->replaced.at[i]);
    }
    if (fees < lost || fees - lost < fx_policy_fee(a->pool->policy.increment_rate, vsize)) {
        return refuse_policy(a, "insufficient fee");
    }
    return true;
}

/* ---- limits -----------------------------------------------------------------------------------*/

/* What lies below an entry once the replaced are gone. */
static void count_below(struct fx_mempool *pool, struct fx_pool_entry *entry, size_t *count,
                        size_t *vsize)
{
    struct fx_pool_list from = {.at = &entry, .n = 1, .cap = 1}, below = {0};
    fx_pool_descendants(pool, &from, &below);
    *count = *vsize = 0;
    for (size_t i = 0; i < below.n; i++) {
        if (!below.at[i]->hidden) {
            (*count)++;
            *vsize += below.at[i]->vsize;
        }
    }
    fx_pool_list_clear(&below);
}

/* In the words of Bitcoin Core. why may be NULL. */
__attribute__((format(printf, 2, 3))) static bool over(char why[FX_MEMPOOL_DETAIL],
                                                       const char *format, ...)
{
    va_list args;
    if (why) {
        va_start(args, format);
        vsnprintf(why, FX_MEMPOOL_DETAIL, format, args);
        va_end(args);
    }
    return false;
}

static bool ancestors_fit(const struct fx_mempool_policy *policy, const struct fx_pool_list *above,
                          size_t vsize, char why[FX_MEMPOOL_DETAIL])
{
    for (size_t i = 0; i < above->n; i++) {
        vsize += above->at[i]->vsize;
    }
    if (above->n + 1 > policy->ancestors_max) {
        return over(why, "too many unconfirmed ancestors [limit: %zu]", policy->ancestors_max);
    }
    if (vsize > policy->ancestors_vsize_max) {
        return over(why, "exceeds ancestor size limit [limit: %zu]", policy->ancestors_vsize_max);
    }
    return true;
}

/* May one of this size come below these, by these limits? hidden: some entries are to be replaced
 * by it. why (may be NULL): which limit it would pass. */
static bool chain_fits(struct fx_mempool *pool, const struct fx_mempool_policy *policy,
                       const struct fx_pool_list *above, size_t vsize, bool hidden,
                       char why[FX_MEMPOOL_DETAIL])
{
    char id[FX_HASH_HEX];
    if (!ancestors_fit(policy, above, vsize, why)) {
        return false;
    }
    for (size_t i = 0; i < above->n; i++) {
        size_t most =
            above->at[i]->task ? 1 + FX_POOL_TASK_DESCENDANTS_MAX : policy->descendants_max;
        size_t count = above->at[i]->descendant_count, below = above->at[i]->descendant_vsize;
        if (hidden) {
            count_below(pool, above->at[i], &count, &below);
        }
        fx_hash_to_id(&above->at[i]->tx->txid, id);
        if (below + vsize > policy->descendants_vsize_max) {
            return over(why, "exceeds descendant size limit for tx %s [limit: %zu]", id,
                        policy->descendants_vsize_max);
        }
        if (count + 1 > most) {
            return over(why, "too many descendants for tx %s [limit: %zu]", id, most);
        }
    }
    return true;
}

/* Bitcoin Core's carve-out: a small child of one parent may come once more, so that nobody can
 * keep others who have an output of that parent from paying for it. */
static bool chain_fits_once_more(struct attempt *a, const struct fx_pool_list *above)
{
    struct fx_mempool_policy policy = a->pool->policy;
    policy.ancestors_max = 2;
    policy.descendants_max++;
    policy.descendants_vsize_max += CARVE_OUT_VSIZE_MAX;
    return a->out->vsize <= CARVE_OUT_VSIZE_MAX &&
           chain_fits(a->pool, &policy, above, a->out->vsize, a->direct.n > 0, NULL);
}

static bool check_chain(struct attempt *a, const struct fx_pool_list *above)
{
    /* An entry of great weight (a task spend's proofs) may pass the limit of a chain by itself. */
    if (above->n == 0 ||
        chain_fits(a->pool, &a->pool->policy, above, a->out->vsize, a->direct.n > 0,
                   a->out->detail) ||
        (!(a->flags & FX_POOL_NO_CARVE_OUT) && chain_fits_once_more(a, above))) {
        a->out->detail[0] = '\0';
        return true;
    }
    return refuse_policy(a, FX_POOL_TOO_LONG);
}

static bool check_fees(struct attempt *a)
{
    int64_t fees = attempt_fees(a);
    if (a->flags & FX_POOL_FEES_LATER) {
        return true;
    }
    if (fees < fx_policy_fee(a->pool->policy.min_fee_rate, a->out->vsize)) {
        return refuse_fee(a, "min relay fee not met");
    }
    if (fees < fx_policy_fee(fx_pool_min_rate(a->pool), a->out->vsize)) {
        return refuse_fee(a, "mempool min fee not met");
    }
    return true;
}

static bool check_pool(struct attempt *a)
{
    if (!check_fees(a)) {
        return false;
    }
    struct fx_pool_list parents = {0}, above = {0};
    fx_pool_parents(a->pool, a->tx, &parents);
    fx_pool_ancestors(a->pool, &parents, &above);
    bool ok = check_chain(a, &above) && check_replacement(a, &parents);
    fx_pool_list_clear(&parents);
    fx_pool_list_clear(&above);
    return ok;
}

/* ---- the road ---------------------------------------------------------------------------------*/

static bool check_alone(struct attempt *a)
{
    const struct fx_tx *tx = a->tx;
    enum fx_verdict why = fx_check_tx(a->pool->params, tx);
    if (why != FX_OK) {
        return refuse_verdict(a, why);
    }
    if (fx_tx_is_coinbase(tx)) {
        return refuse(a, FX_INVALID, false, "coinbase");
    }
    const char *reason = a->pool->policy.accept_nonstd ? NULL : fx_policy_check_tx(a->pool, tx);
    if (reason) {
        return refuse_policy(a, reason);
    }
    if (tx->base_size < FX_POOL_BASE_SIZE_MIN) {
        return refuse_policy(a, "tx-size-small");
    }
    if (!is_final(a->pool, tx)) {
        return refuse_policy(a, "non-final");
    }
    const struct fx_pool_entry *same = fx_pool_find(a->pool, &tx->txid);
    if (same) {
        return refuse_policy(a, fx_hash_equal(&same->tx->wtxid, &tx->wtxid)
                                    ? "txn-already-in-mempool"
                                    : "txn-same-nonwitness-data-in-mempool");
    }
    return true;
}

static bool judge(struct attempt *a)
{
    if (!check_alone(a) || !find_conflicts(a)) {
        return false;
    }
    for (size_t i = 0; i < a->tx->n_in; i++) {
        const struct fx_pool_entry *parent = fx_pool_find(a->pool, &a->tx->in[i].prevout.txid);
        if (parent && parent->hidden) {
            return refuse(a, FX_INVALID, true, "bad-txns-spends-conflicting-tx");
        }
    }
    if (!check_rules(a)) {
        return false;
    }
    const char *reason =
        a->pool->policy.accept_nonstd
            ? NULL
            : fx_policy_check_inputs(a->pool->params, a->tx, a->connected.spent, &a->out->refusal);
    if (reason) {
        return refuse_policy(a, reason);
    }
    a->sigops = fx_tx_sigops_cost(a->tx, a->connected.spent);
    if (a->sigops > FX_POOL_SIGOPS_COST_MAX) {
        return refuse_policy(a, "bad-txns-too-many-sigops");
    }
    a->out->vsize = fx_policy_vsize(a->pool, a->tx, a->sigops);
    return check_pool(a) && ((a->flags & FX_POOL_NO_SCRIPTS) || run_scripts(a));
}

static void note_replaced(struct attempt *a)
{
    struct fx_replaced *gone = a->gone;
    if (!gone || a->replaced.n == 0) {
        return;
    }
    gone->ids = fx_xreallocarray(gone->ids, gone->n + a->replaced.n, sizeof(*gone->ids));
    for (size_t i = 0; i < a->replaced.n; i++) {
        gone->ids[gone->n++] = a->replaced.at[i]->tx->txid;
    }
}

static void enter(struct attempt *a)
{
    struct fx_mempool *pool = a->pool;
    note_replaced(a);
    for (size_t i = 0; i < a->direct.n; i++) {
        if (!a->direct.at[i]->removed) {
            fx_pool_remove_tree(pool, a->direct.at[i], FX_REMOVED_REPLACED);
        }
    }
    fx_pool_add(pool, a->tx, &a->connected, a->sigops, fx_clock_now(), &a->delta, a->contextual);
    a->out->result = FX_VALID;
    if (a->flags & FX_POOL_QUIET) {
        return;
    }
    fx_pool_expire(pool, fx_clock_now());
    fx_pool_trim(pool);
    if (!fx_pool_find(pool, &a->tx->txid)) {
        refuse_policy(a, "mempool full");
        return;
    }
    fx_pool_notify_added(pool, a->tx);
}

static void attempt_end(struct attempt *a)
{
    for (size_t i = 0; i < a->replaced.n; i++) {
        a->replaced.at[i]->hidden = false;
    }
    fx_pool_list_clear(&a->direct);
    fx_pool_list_clear(&a->replaced);
    fx_map_destroy(a->records, free);
    if (a->is_connected) {
        fx_connected_tx_clear(&a->connected, a->tx->n_in);
    }
    fx_record_delta_clear(&a->delta);
}

void fx_pool_try(struct fx_mempool *pool, const struct fx_tx *tx, unsigned flags,
                 struct fx_accept *out, struct fx_replaced *replaced)
{
    bool test = flags & FX_POOL_TEST;
    *out = (struct fx_accept){.result = FX_INVALID, .vsize = fx_tx_vsize(tx)};
    struct attempt a = {.pool = pool, .tx = tx, .out = out, .flags = flags, .gone = replaced};
    fx_record_delta_init(&a.delta);
    fx_pool_view_init(&a.ctx, pool, &a.view);
    bool ok = judge(&a);
    if (ok && test) {
        out->result = FX_VALID;
    } else if (ok) {
        enter(&a);
    }
    attempt_end(&a);
    fx_pool_reap(pool);
    if (out->result != FX_VALID && !test) {
        char id[FX_HASH_HEX];
        fx_hash_to_id(&tx->txid, id);
        fx_log(FX_LOG_MEMPOOL, "mempool: refused %s: %s", id, out->reason);
    }
}

void fx_mempool_accept(struct fx_mempool *pool, const struct fx_tx *tx, bool test,
                       struct fx_accept *out)
{
    fx_pool_try(pool, tx, test ? FX_POOL_TEST : 0, out, NULL);
}

/* ---- again ------------------------------------------------------------------------------------*/

/* What comes back may have more descendants than what comes anew: those are there already. */
static bool has_room_below(struct fx_mempool *pool, const struct fx_tx *tx, size_t vsize)
{
    struct fx_pool_list parents = {0}, above = {0};
    fx_pool_parents(pool, tx, &parents);
    fx_pool_ancestors(pool, &parents, &above);
    bool room = above.n == 0 || ancestors_fit(&pool->policy, &above, vsize, NULL);
    fx_pool_list_clear(&parents);
    fx_pool_list_clear(&above);
    return room;
}

bool fx_pool_readmit(struct fx_mempool *pool, const struct fx_tx *tx, int64_t time)
{
    if (fx_tx_is_coinbase(tx) || fx_pool_find(pool, &tx->txid) || !is_final(pool, tx)) {
        return false;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_pool_spender(pool, &tx->in[i].prevout)) {
            return false;
        }
    }
    struct fx_pool_view ctx;
    struct fx_view view;
    fx_pool_view_init(&ctx, pool, &view);
    struct fx_record_delta delta;
    fx_record_delta_init(&delta);
    struct fx_connected_tx connected;
    enum fx_verdict why;
    bool valid = connect(pool, tx, &view, &delta, &connected, &why) == FX_VALID, ok = false;
    if (valid) {
        uint64_t sigops = fx_tx_sigops_cost(tx, connected.spent);
        ok = has_room_below(pool, tx, fx_policy_vsize(pool, tx, sigops));
        if (ok) {
            fx_pool_add(pool, tx, &connected, sigops, time, &delta, is_contextual(tx, &connected));
        }
        fx_connected_tx_clear(&connected, tx->n_in);
    }
    fx_record_delta_clear(&delta);
    return ok;
}

bool fx_pool_rejudge(struct fx_mempool *pool, struct fx_pool_entry *entry,
                     const struct fx_map *records)
{
    if (!is_final(pool, entry->tx)) {
        return false;
    }
    struct fx_pool_view ctx;
    struct fx_view view;
    fx_pool_view_init(&ctx, pool, &view);
    ctx.records = records;
    struct fx_record_delta delta;
    fx_record_delta_init(&delta);
    struct fx_connected_tx connected;
    enum fx_verdict why;
    if (connect(pool, entry->tx, &view, &delta, &connected, &why) != FX_VALID) {
        fx_record_delta_clear(&delta);
        return false;
    }
    fx_connected_tx_clear(&connected, entry->tx->n_in);
    fx_record_delta_clear(&entry->records);
    entry->records = delta;
    return true;
}
