/* A block against the state after its parent: coins, task records, reward. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/util/map.h"
#include "src/util/mem.h"

/* The caller's view with the outputs that the block has created and spent so far. */
struct overlay {
    struct fx_view view; /* what fx_connect_tx sees; its ctx is this */
    const struct fx_view *base;
    const struct fx_tx *coinbase;
    uint32_t height;
    struct fx_map *outputs; /* outpoint to const struct fx_txout, or to `gone` */
};

/* One block while it is connected. */
struct connection {
    const struct fx_connect_context *context;
    const struct fx_block *block;
    struct overlay overlay;
    struct fx_connected *out;
    enum fx_verdict *why;
    uint64_t sigops;
    size_t challenges;
    uint32_t exempt; /* FX_VERIFY_* */
};

static const struct fx_txout gone;

static enum fx_result refuse(enum fx_verdict *why, enum fx_verdict verdict)
{
    *why = verdict;
    return FX_INVALID;
}

/* ---- overlay ----------------------------------------------------------------------------- */

static enum fx_lookup overlay_coin(void *ctx, const struct fx_outpoint *outpoint,
                                   struct fx_coin *coin)
{
    const struct overlay *overlay = (const struct overlay *)ctx;
    const struct fx_txout *out;
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(outpoint, key);
    out = (const struct fx_txout *)fx_map_get(overlay->outputs, key);
    if (out == NULL) {
        return overlay->base->coin(overlay->base->ctx, outpoint, coin);
    }
    if (out == &gone) {
        return FX_MISSING;
    }
    fx_coin_set(coin, out, overlay->height,
                fx_hash_equal(&outpoint->txid, &overlay->coinbase->txid));
    return FX_FOUND;
}

static enum fx_lookup overlay_record(void *ctx, const struct fx_outpoint *origin,
                                     struct fx_task_record *record)
{
    const struct fx_view *base = ((const struct overlay *)ctx)->base;

    return base->record(base->ctx, origin, record);
}

static enum fx_lookup overlay_settled_at(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                         size_t *n)
{
    const struct fx_view *base = ((const struct overlay *)ctx)->base;

    return base->settled_at(base->ctx, height, origins, n);
}

static enum fx_lookup overlay_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct fx_view *base = ((const struct overlay *)ctx)->base;

    return base->ancestor(base->ctx, height, ancestor);
}

static enum fx_lookup overlay_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct fx_view *base = ((const struct overlay *)ctx)->base;

    return base->beacon(base->ctx, above, ancestor);
}

static void overlay_init(struct overlay *overlay, const struct fx_view *base,
                         const struct fx_block *block, uint32_t height)
{
    overlay->view.ctx = overlay;
    overlay->view.coin = overlay_coin;
    overlay->view.record = overlay_record;
    overlay->view.settled_at = overlay_settled_at;
    overlay->view.ancestor = overlay_ancestor;
    overlay->view.beacon = overlay_beacon;
    overlay->base = base;
    overlay->coinbase = block->txs[0];
    overlay->height = height;
    /* No rule sees the order of the map. The block's id as its key is one that whoever wrote the
     * transactions did not know then. */
    overlay->outputs =
        fx_map_create(FX_OUTPOINT_SIZE, fx_load_u64(block->id.b), fx_load_u64(block->id.b + 8));
}

static void overlay_put(struct overlay *overlay, const struct fx_outpoint *outpoint,
                        const struct fx_txout *out)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(outpoint, key);
    fx_map_put(overlay->outputs, key, (void *)(uintptr_t)out);
}

static void overlay_add_tx(struct overlay *overlay, const struct fx_tx *tx)
{
    struct fx_outpoint outpoint = {.txid = tx->txid};

    for (size_t i = 0; i < tx->n_in && !fx_tx_is_coinbase(tx); i++) {
        overlay_put(overlay, &tx->in[i].prevout, &gone);
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        if (!fx_script_is_unspendable(tx->out[i].script)) {
            outpoint.index = (uint32_t)i;
            overlay_put(overlay, &outpoint, &tx->out[i]);
        }
    }
}

/* ---- transactions ------------------------------------------------------------------------ */

/* BIP30: no transaction makes an outpoint that is still unspent. */
static enum fx_result check_new_outputs(struct connection *c)
{
    const struct fx_view *view = c->context->view;

    for (size_t t = 0; t < c->block->n_txs; t++) {
        const struct fx_tx *tx = c->block->txs[t];
        struct fx_outpoint outpoint = {.txid = tx->txid};

        for (size_t i = 0; i < tx->n_out; i++) {
            struct fx_coin coin;

            if (fx_script_is_unspendable(tx->out[i].script)) {
                continue;
            }
            outpoint.index = (uint32_t)i;
            switch (view->coin(view->ctx, &outpoint, &coin)) {
            case FX_FOUND:
                fx_coin_clear(&coin);
                return refuse(c->why, FX_BAD_TXNS_BIP30);
            case FX_MISSING:
                break;
            case FX_LOOKUP_FAILED:
                return FX_FAILED;
            }
        }
    }
    return FX_VALID;
}

/* The rest of FX_VERIFY_CONSENSUS binds every block, as no chain has one that broke it. */
static uint32_t exempt_flags(const struct fx_params *params, uint32_t height)
{
    static const struct {
        enum fx_fork fork;
        uint32_t flags;
    } forks[] = {
        {FX_FORK_DERSIG, FX_VERIFY_DERSIG},
        {FX_FORK_CLTV, FX_VERIFY_CHECKLOCKTIMEVERIFY},
        {FX_FORK_CSV, FX_VERIFY_CHECKSEQUENCEVERIFY},
        {FX_FORK_SEGWIT, FX_VERIFY_NULLDUMMY},
    };
    uint32_t exempt = 0;

    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
        if (!fx_fork_binds(params, forks[i].fork, height)) {
            exempt |= forks[i].flags;
        }
    }
    return exempt;
}

/* Moves what fx_connect_tx found into the arrays of the block, and lists the script checks. */
static void keep_tx(struct connection *c, size_t t, struct fx_connected_tx *connected)
{
    struct fx_connected *out = c->out;
    const struct fx_tx *tx = c->block->txs[t];
    struct fx_coin *spent = out->undo.coins + out->undo.n_coins;
    struct fx_sighash_cache *cache = &out->caches[t - 1];

    memcpy(spent, connected->spent, tx->n_in * sizeof *spent);
    out->undo.n_coins += tx->n_in;
    *cache = connected->cache;
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_script_check *check = &out->checks[out->n_checks];

        if (!c->context->params->tasks ||
            fx_script_classify(fx_coin_script(&spent[i])) != FX_SCRIPT_TASK) {
            check->tx = tx;
            check->in = i;
            check->spent = spent;
            check->cache = cache;
            check->exempt = c->exempt;
            out->n_checks++;
        }
    }
    /* The coins are the block's now. */
    free(connected->spent);
    connected->spent = NULL;
    fx_connected_tx_clear(connected, 0);
}

static enum fx_result connect_one(struct connection *c, size_t t)
{
    struct fx_connect_context context = *c->context;
    struct fx_connected *out = c->out;
    struct fx_connected_tx connected;
    enum fx_result result;

    context.view = &c->overlay.view;
    result = fx_connect_tx(&context, c->block->txs[t], &out->undo.records, &connected, c->why);
    if (result != FX_VALID) {
        return result;
    }
    c->sigops += fx_tx_sigops_cost(c->block->txs[t], connected.spent);
    /* Both are at most MAX_MONEY, so the sum fits. */
    out->fees += connected.fee;
    if (!fx_money_range(context.params, out->fees)) {
        fx_connected_tx_clear(&connected, c->block->txs[t]->n_in);
        return refuse(c->why, FX_BAD_TXNS_ACCUMULATED_FEE_OUTOFRANGE);
    }
    /* No more than the fee, so the sum is in range with that of the fees. */
    out->burned += (int64_t)connected.burned;
    c->challenges += connected.challenges;
    keep_tx(c, t, &connected);
    if (c->sigops > FX_BLOCK_SIGOPS_COST_MAX) {
        return refuse(c->why, FX_BAD_BLK_SIGOPS);
    }
    if (c->challenges > FX_BLOCK_CHALLENGES_MAX) {
        return refuse(c->why, FX_BAD_BLK_CHALLENGES);
    }
    return FX_VALID;
}

static enum fx_result connect_transactions(struct connection *c)
{
    struct fx_connected *out = c->out;
    size_t inputs = 0;

    for (size_t t = 1; t < c->block->n_txs; t++) {
        inputs += c->block->txs[t]->n_in;
    }
    out->undo.coins = (struct fx_coin *)fx_xcalloc(inputs + 1, sizeof *out->undo.coins);
    out->checks = (struct fx_script_check *)fx_xcalloc(inputs + 1, sizeof *out->checks);
    out->caches = (struct fx_sighash_cache *)fx_xcalloc(c->block->n_txs, sizeof *out->caches);

    c->sigops = fx_tx_sigops_cost(c->block->txs[0], NULL);
    overlay_add_tx(&c->overlay, c->block->txs[0]);
    for (size_t t = 1; t < c->block->n_txs; t++) {
        enum fx_result result = connect_one(c, t);

        if (result != FX_VALID) {
            return result;
        }
        overlay_add_tx(&c->overlay, c->block->txs[t]);
        if (c->context->sink != NULL) {
            c->context->sink->ready(c->context->sink->ctx, out->checks, out->n_checks);
        }
    }
    return FX_VALID;
}

/* ---- reward ------------------------------------------------------------------------------ */

static enum fx_result check_reward(struct connection *c, uint32_t job_nbits)
{
    const struct fx_params *params = c->context->params;
    const struct fx_tx *coinbase = c->block->txs[0];
    struct fx_connected *out = c->out;
    int64_t paid = 0;

    out->subsidy = fx_lane_subsidy(params, fx_lane_of(params, &c->block->header),
                                   c->context->height, job_nbits, out->credit, out->burns);
    /* All are at most MAX_MONEY: fx_check_tx saw to the outputs and their sum. */
    for (size_t i = 0; i < coinbase->n_out; i++) {
        paid += coinbase->out[i].value;
    }
    if (paid > out->subsidy + out->fees - out->burned) {
        return refuse(c->why, FX_BAD_CB_AMOUNT);
    }
    return FX_VALID;
}

/* ---- records that are forgotten ---------------------------------------------------------- */

static enum fx_result forget_settled(struct connection *c)
{
    const struct fx_view *view = c->context->view;
    struct fx_record_delta *records = &c->out->undo.records;
    struct fx_outpoint *origins = NULL;
    enum fx_result result = FX_VALID;
    uint32_t height;
    size_t n = 0;

    if (c->context->height <= FX_RECORD_KEEP) {
        return FX_VALID;
    }
    /* Those settled below it were forgotten by the blocks before this one. */
    height = c->context->height - FX_RECORD_KEEP;
    if (view->settled_at(view->ctx, height, &origins, &n) == FX_LOOKUP_FAILED) {
        return FX_FAILED;
    }
    for (size_t i = 0; i < n && result == FX_VALID; i++) {
        if (fx_record_delta_set(records, view, &origins[i], NULL) == FX_LOOKUP_FAILED) {
            result = FX_FAILED;
        }
    }
    free(origins);
    return result;
}

/* Refund and reject leave a record that is neither live nor settled. */
static enum fx_result forget_closed(struct connection *c)
{
    struct fx_record_delta *records = &c->out->undo.records;

    for (size_t i = 0; i < records->n; i++) {
        struct fx_record_change *change = &records->changes[i];
        struct fx_outpoint origin = change->origin;

        if (change->has && !change->after.live && change->after.settled == 0 &&
            fx_record_delta_set(records, c->context->view, &origin, NULL) == FX_LOOKUP_FAILED) {
            return FX_FAILED;
        }
    }
    return FX_VALID;
}

/* ------------------------------------------------------------------------------------------ */

static enum fx_result judge(struct connection *c, uint32_t job_nbits)
{
    struct fx_connected *out = c->out;
    enum fx_result result;

    /* The proof's task and list are judged against the state after the parent, before any
     * transaction of this block. */
    result = fx_connect_work(c->context->params, c->context->view, c->block, c->context->height,
                             &out->undo.records, &out->credit, &out->burns, c->why);
    if (result == FX_VALID) {
        result = check_new_outputs(c);
    }
    if (result == FX_VALID) {
        result = connect_transactions(c);
    }
    if (result == FX_VALID) {
        result = check_reward(c, job_nbits);
    }
    if (result == FX_VALID) {
        result = forget_settled(c);
    }
    return result == FX_VALID ? forget_closed(c) : result;
}

enum fx_result fx_connect_block(const struct fx_connect_context *context,
                                const struct fx_block *block, uint32_t job_nbits,
                                struct fx_connected *out, enum fx_verdict *why)
{
    struct connection c = {.context = context, .block = block, .out = out, .why = why};
    enum fx_result result;

    *why = FX_OK;
    memset(out, 0, sizeof *out);
    c.exempt = exempt_flags(context->params, context->height);
    fx_record_delta_init(&out->undo.records);
    overlay_init(&c.overlay, context->view, block, context->height);
    result = judge(&c, job_nbits);
    fx_map_destroy(c.overlay.outputs, NULL);
    if (result != FX_VALID) {
        if (context->sink != NULL) {
            context->sink->stop(context->sink->ctx);
        }
        fx_connected_clear(out);
    }
    return result;
}

void fx_connected_clear(struct fx_connected *connected)
{
    fx_undo_clear(&connected->undo);
    free(connected->checks);
    free(connected->caches);
    memset(connected, 0, sizeof *connected);
}
