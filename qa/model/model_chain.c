/* A chain in memory for the property test. */
#include "qa/model/model_chain.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/crypto/taghash.h"
#include "src/util/map.h"
#include "src/util/mem.h"

/* ---- the view ---------------------------------------------------------------------------- */

static enum fx_lookup find_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    const struct model_chain *chain = ctx;
    uint8_t key[FX_OUTPOINT_SIZE];
    const struct fx_coin *found;

    fx_outpoint_key(outpoint, key);
    found = fx_map_get(chain->coins, key);
    if (found == NULL) {
        return FX_MISSING;
    }
    fx_coin_copy(coin, found);
    return FX_FOUND;
}

static enum fx_lookup find_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    const struct model_chain *chain = ctx;
    uint8_t key[FX_OUTPOINT_SIZE];
    const struct fx_task_record *found;

    fx_outpoint_key(origin, key);
    found = fx_map_get(chain->records, key);
    if (found == NULL) {
        return FX_MISSING;
    }
    *record = *found;
    return FX_FOUND;
}

static struct fx_outpoint outpoint_of(const uint8_t key[FX_OUTPOINT_SIZE])
{
    struct fx_reader r;

    fx_reader_init(&r, key, FX_OUTPOINT_SIZE);
    return fx_outpoint_read(&r);
}

static enum fx_lookup find_settled(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                   size_t *n)
{
    const struct model_chain *chain = ctx;
    const void *key;
    void *value;
    size_t at = 0;

    *n = 0;
    *origins = fx_xcalloc(fx_map_count(chain->records) + 1, sizeof(**origins));
    while (fx_map_next(chain->records, &at, &key, &value)) {
        if (((const struct fx_task_record *)value)->settled == height) {
            (*origins)[(*n)++] = outpoint_of(key);
        }
    }
    return FX_FOUND;
}

static struct fx_hash base_id(uint32_t height)
{
    struct fx_hash id;

    fx_tagged_hash("model/base", &height, sizeof(height), id.b);
    return id;
}

uint32_t model_chain_height(const struct model_chain *chain)
{
    return chain->base + (uint32_t)chain->n_blocks;
}

struct fx_hash model_chain_tip(const struct model_chain *chain)
{
    return chain->n_blocks > 0 ? chain->blocks[chain->n_blocks - 1].block->id
                               : base_id(chain->base);
}

static int64_t time_at(const struct model_chain *chain, uint32_t height)
{
    return height <= chain->base ? chain->time0 + (int64_t)height * chain->step
                                 : chain->blocks[height - chain->base - 1].time;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Of this block and the ten before it. */
static int64_t median_time(const struct model_chain *chain, uint32_t height)
{
    int64_t times[FX_MEDIAN_TIME_SPAN];
    size_t n = 0;

    for (; n < FX_MEDIAN_TIME_SPAN && n <= height; n++) {
        times[n] = time_at(chain, height - (uint32_t)n);
    }
    qsort(times, n, sizeof(*times), compare_times);
    return times[n / 2];
}

int64_t model_chain_median_time(const struct model_chain *chain)
{
    return median_time(chain, model_chain_height(chain));
}

static enum fx_lookup find_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct model_chain *chain = ctx;

    if (height > model_chain_height(chain)) {
        return FX_MISSING;
    }
    memset(ancestor, 0, sizeof(*ancestor));
    ancestor->height = height;
    ancestor->time = time_at(chain, height);
    if (height <= chain->base) {
        ancestor->id = base_id(height);
        ancestor->lane = FX_LANE_HASH;
        ancestor->median_time = median_time(chain, height);
    } else {
        const struct model_block *block = &chain->blocks[height - chain->base - 1];

        ancestor->id = block->block->id;
        ancestor->lane = block->lane;
        ancestor->median_time = block->median_time;
        ancestor->solver = block->solver;
    }
    return FX_FOUND;
}

static enum fx_lookup find_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct model_chain *chain = ctx;

    for (uint32_t height = above + 1; height <= model_chain_height(chain); height++) {
        if (find_ancestor(ctx, height, ancestor) == FX_FOUND && ancestor->lane == FX_LANE_HASH) {
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

void model_chain_init(struct model_chain *chain, uint32_t base, int64_t time0, int64_t step)
{
    memset(chain, 0, sizeof(*chain));
    chain->params = fx_params_get(FX_REGTEST);
    chain->base = base;
    chain->time0 = time0;
    chain->step = step;
    chain->coins = fx_map_create(FX_OUTPOINT_SIZE, 1, 2);
    chain->records = fx_map_create(FX_OUTPOINT_SIZE, 1, 2);
    chain->view.ctx = chain;
    chain->view.coin = find_coin;
    chain->view.record = find_record;
    chain->view.settled_at = find_settled;
    chain->view.ancestor = find_ancestor;
    chain->view.beacon = find_beacon;
}

static void free_coin(void *coin)
{
    fx_coin_clear(coin);
    free(coin);
}

static void drop_tip(struct model_chain *chain)
{
    struct model_block *block = &chain->blocks[--chain->n_blocks];

    fx_block_unref(block->block);
    fx_buf_clear(&block->undo);
}

void model_chain_clear(struct model_chain *chain)
{
    while (chain->n_blocks > 0) {
        drop_tip(chain);
    }
    free(chain->blocks);
    fx_map_destroy(chain->coins, free_coin);
    fx_map_destroy(chain->records, free);
    memset(chain, 0, sizeof(*chain));
}

/* ---- changes ----------------------------------------------------------------------------- */

static void add_coin(struct model_chain *chain, const struct fx_outpoint *outpoint,
                     const struct fx_coin *coin)
{
    struct fx_coin *copy = fx_xmalloc(sizeof(*copy));
    uint8_t key[FX_OUTPOINT_SIZE];
    void *old;

    fx_coin_copy(copy, coin);
    fx_outpoint_key(outpoint, key);
    old = fx_map_put(chain->coins, key, copy);
    if (old != NULL) {
        free_coin(old);
    }
}

static bool remove_coin(struct model_chain *chain, const struct fx_outpoint *outpoint)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    void *old;

    fx_outpoint_key(outpoint, key);
    old = fx_map_remove(chain->coins, key);
    if (old == NULL) {
        return false;
    }
    free_coin(old);
    return true;
}

static void add_outputs(struct model_chain *chain, const struct fx_tx *tx, uint32_t height,
                        bool coinbase)
{
    struct fx_outpoint outpoint = {.txid = tx->txid};

    for (size_t i = 0; i < tx->n_out; i++) {
        struct fx_coin coin;

        if (fx_script_is_unspendable(tx->out[i].script)) {
            continue;
        }
        outpoint.index = (uint32_t)i;
        fx_coin_set(&coin, &tx->out[i], height, coinbase);
        add_coin(chain, &outpoint, &coin);
        fx_coin_clear(&coin);
    }
}

void model_chain_add_coins(struct model_chain *chain, const struct fx_tx *tx, uint32_t height)
{
    add_outputs(chain, tx, height, false);
}

static void set_record(struct model_chain *chain, const struct fx_outpoint *origin, bool has,
                       const struct fx_task_record *record)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(origin, key);
    if (has) {
        free(fx_map_put(chain->records, key, fx_xmemdup(record, sizeof(*record))));
    } else {
        free(fx_map_remove(chain->records, key));
    }
}

static void apply(struct model_chain *chain, struct fx_block *block,
                  const struct fx_connected *connected)
{
    uint32_t height = model_chain_height(chain) + 1;
    struct model_block *made;
    struct fx_cb_work work;

    for (size_t t = 0; t < block->n_txs; t++) {
        for (size_t i = 0; t > 0 && i < block->txs[t]->n_in; i++) {
            remove_coin(chain, &block->txs[t]->in[i].prevout);
        }
        add_outputs(chain, block->txs[t], height, t == 0);
    }
    for (size_t i = 0; i < connected->undo.records.n; i++) {
        const struct fx_record_change *change = &connected->undo.records.changes[i];

        set_record(chain, &change->origin, change->has, &change->after);
    }
    if (chain->n_blocks == chain->cap_blocks) {
        chain->cap_blocks = chain->cap_blocks == 0 ? 64 : 2 * chain->cap_blocks;
        chain->blocks = fx_xreallocarray(chain->blocks, chain->cap_blocks, sizeof(*chain->blocks));
    }
    made = &chain->blocks[chain->n_blocks++];
    memset(made, 0, sizeof(*made));
    made->block = fx_block_ref(block);
    fx_undo_write(&connected->undo, &made->undo);
    made->lane = fx_header_lane(&block->header);
    made->time = block->header.time;
    made->median_time = median_time(chain, height);
    if (made->lane == FX_LANE_JOB && fx_cb_work_read(block->txs[0], &work)) {
        made->solver = work.solver;
    }
}

enum fx_result model_chain_connect(struct model_chain *chain, struct fx_block *block, bool apply_it,
                                   struct fx_connected *out, enum fx_verdict *why)
{
    uint32_t height = model_chain_height(chain) + 1;
    struct fx_connect_context context = {.params = chain->params,
                                         .view = &chain->view,
                                         .height = height,
                                         .parent_median_time = model_chain_median_time(chain)};
    enum fx_result result;

    /* Of the rules that come before: deadlines are in lock times. */
    for (size_t t = 1; t < block->n_txs; t++) {
        if (!fx_tx_is_final(block->txs[t], height, context.parent_median_time)) {
            *why = FX_BAD_TXNS_NONFINAL;
            return FX_INVALID;
        }
    }
    result = fx_connect_block(&context, block, chain->params->limit_nbits[FX_LANE_JOB], out, why);
    if (result == FX_VALID && apply_it) {
        apply(chain, block, out);
    }
    return result;
}

static bool undo_spends(struct model_chain *chain, const struct fx_tx *tx, struct fx_undo *undo,
                        size_t *left)
{
    for (size_t i = tx->n_in; i-- > 0;) {
        if (*left == 0) {
            return false;
        }
        add_coin(chain, &tx->in[i].prevout, &undo->coins[--*left]);
    }
    return true;
}

static bool undo_outputs(struct model_chain *chain, const struct fx_tx *tx)
{
    struct fx_outpoint outpoint = {.txid = tx->txid};
    bool good = true;

    for (size_t i = 0; i < tx->n_out; i++) {
        outpoint.index = (uint32_t)i;
        if (!fx_script_is_unspendable(tx->out[i].script)) {
            good = remove_coin(chain, &outpoint) && good;
        }
    }
    return good;
}

bool model_chain_disconnect(struct model_chain *chain)
{
    const struct model_block *tip = &chain->blocks[chain->n_blocks - 1];
    struct fx_reader r;
    struct fx_undo undo;
    size_t left;
    bool good = true;

    if (chain->n_blocks == 0) {
        return false;
    }
    fx_reader_init(&r, tip->undo.data, tip->undo.len);
    if (!fx_undo_read(&r, &undo)) {
        return false;
    }
    left = undo.n_coins;
    for (size_t t = tip->block->n_txs; t-- > 0;) {
        good = undo_outputs(chain, tip->block->txs[t]) && good;
        good = (t == 0 || undo_spends(chain, tip->block->txs[t], &undo, &left)) && good;
    }
    for (size_t i = 0; i < undo.records.n; i++) {
        const struct fx_record_change *change = &undo.records.changes[i];

        set_record(chain, &change->origin, change->had, &change->before);
    }
    good = good && left == 0 && fx_reader_done(&r);
    fx_undo_clear(&undo);
    drop_tip(chain);
    return good;
}

/* ---- replay ------------------------------------------------------------------------------ */

static bool same_coins(const struct fx_map *a, const struct fx_map *b)
{
    const void *key;
    void *value;
    size_t at = 0;

    if (fx_map_count(a) != fx_map_count(b)) {
        return false;
    }
    while (fx_map_next(a, &at, &key, &value)) {
        const struct fx_coin *x = value, *y = fx_map_get(b, key);

        if (y == NULL || x->value != y->value || x->height != y->height ||
            x->coinbase != y->coinbase || x->script_len != y->script_len ||
            memcmp(x->script, y->script, x->script_len) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_records(const struct fx_map *a, const struct fx_map *b)
{
    const void *key;
    void *value;
    size_t at = 0;

    if (fx_map_count(a) != fx_map_count(b)) {
        return false;
    }
    while (fx_map_next(a, &at, &key, &value)) {
        const struct fx_task_record *other = fx_map_get(b, key);

        if (other == NULL || !fx_task_record_equal(value, other)) {
            return false;
        }
    }
    return true;
}

bool model_chain_replay(const struct model_chain *chain, const struct fx_tx *funds, uint32_t height)
{
    struct model_chain again;
    bool same = true;

    model_chain_init(&again, chain->base, chain->time0, chain->step);
    model_chain_add_coins(&again, funds, height);
    for (size_t at = 0; at < chain->n_blocks && same; at++) {
        struct fx_connected connected;
        enum fx_verdict why;

        same = model_chain_connect(&again, chain->blocks[at].block, true, &connected, &why) ==
               FX_VALID;
        if (same) {
            fx_connected_clear(&connected);
        }
    }
    same = same && same_coins(chain->coins, again.coins) &&
           same_records(chain->records, again.records);
    model_chain_clear(&again);
    return same;
}
