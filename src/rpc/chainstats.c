/* Figures over blocks: getblockstats of one, getchaintxstats of many. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/rpc/topics_int.h"
#include "src/util/mem.h"

#define PERCENTILES 5
#define COIN_OVERHEAD 41 /* outpoint, height, coinbase: as Bitcoin Core counts */
#define DEFAULT_WINDOW_SECONDS (30 * 24 * 60 * 60)
#define BLOCK_SECONDS 600

/* ---- getblockstats --------------------------------------------------------------------------- */

/* One transaction after the coinbase. */
struct tx_figures {
    int64_t fee, rate; /* embers, embers per vbyte */
    int64_t size, weight;
};

struct figures {
    struct tx_figures *txs;
    size_t n;
    int64_t ins, outs, total_out, total_size, total_weight, total_fee;
    int64_t sw_txs, sw_size, sw_weight;
    int64_t coins; /* outputs that joined the unspent ones */
    int64_t size_inc, size_inc_actual;
};

static int64_t coin_size(size_t script_len)
{
    return (int64_t)(8 + fx_var_size(script_len) + script_len + COIN_OVERHEAD);
}

static int64_t add_outputs(const struct fx_index *index, const struct fx_tx *tx, struct figures *f)
{
    int64_t sum = 0;
    f->outs += (int64_t)tx->n_out;
    for (size_t i = 0; i < tx->n_out; i++) {
        struct fx_span script = tx->out[i].script;
        sum += tx->out[i].value;
        f->size_inc += coin_size(script.len);
        if (index->parent && !fx_script_is_unspendable(script)) {
            f->coins++;
            f->size_inc_actual += coin_size(script.len);
        }
    }
    return sum;
}

static void add_tx(const struct fx_index *index, const struct fx_tx *tx,
                   const struct fx_coin *spent, struct figures *f)
{
    struct tx_figures *t = &f->txs[f->n++];
    int64_t in = 0, out = add_outputs(index, tx, f);
    for (size_t i = 0; i < tx->n_in; i++) {
        in += spent[i].value;
        f->size_inc -= coin_size(spent[i].script_len);
        f->size_inc_actual -= coin_size(spent[i].script_len);
    }
    t->fee = in - out;
    t->size = (int64_t)tx->total_size;
    t->weight = (int64_t)fx_tx_weight(tx);
    t->rate = t->fee * FX_WITNESS_SCALE / t->weight;
    f->ins += (int64_t)tx->n_in;
    f->total_out += out;
    f->total_size += t->size;
    f->total_weight += t->weight;
    f->total_fee += t->fee;
    if (tx->has_witness) {
        f->sw_txs++;
        f->sw_size += t->size;
        f->sw_weight += t->weight;
    }
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* One figure of all transactions, in order; the caller frees. */
static int64_t *sorted(const struct figures *f, size_t offset)
{
    int64_t *out = fx_xcalloc(f->n + 1, sizeof(*out));
    for (size_t i = 0; i < f->n; i++) {
        memcpy(&out[i], (const char *)&f->txs[i] + offset, sizeof(out[i]));
    }
    qsort(out, f->n, sizeof(*out), by_value);
    return out;
}

/* Least, median and greatest of a figure under three names. */
static void set_spread(json_t *out, const struct figures *f, size_t offset, const char *least,
                       const char *median, const char *greatest)
{
    int64_t *values = sorted(f, offset);
    size_t n = f->n;
    fx_json_set(out, least, json_integer(values[0]));
    if (median) {
        int64_t middle =
            n % 2 == 0 && n > 0 ? (values[n / 2 - 1] + values[n / 2]) / 2 : values[n / 2];
        fx_json_set(out, median, json_integer(middle));
    }
    fx_json_set(out, greatest, json_integer(n > 0 ? values[n - 1] : 0));
    free(values);
}

static int by_rate(const void *a, const void *b)
{
    const struct tx_figures *x = a, *y = b;
    int order = by_value(&x->rate, &y->rate);
    return order != 0 ? order : by_value(&x->weight, &y->weight);
}

/* The rates below which 10, 25, 50, 75 and 90 per cent of the weight lie. Sorts the transactions.
 */
static json_t *percentiles(struct figures *f)
{
    static const int64_t twentieths[PERCENTILES] = {2, 5, 10, 15, 18};
    json_t *out = json_array();
    int64_t weight = 0;
    size_t next = 0;
    if (f->n > 0) {
        qsort(f->txs, f->n, sizeof(*f->txs), by_rate);
    }
    for (size_t i = 0; i < f->n; i++) {
        weight += f->txs[i].weight;
        while (next < PERCENTILES && 20 * weight >= twentieths[next] * f->total_weight) {
            json_array_append_new(out, json_integer(f->txs[i].rate));
            next++;
        }
    }
    while (next++ < PERCENTILES) {
        json_array_append_new(out, json_integer(f->n > 0 ? f->txs[f->n - 1].rate : 0));
    }
    return out;
}

static json_t *figures_json(const struct fx_rpc *rpc, const struct fx_index *index,
                            struct figures *f)
{
    json_t *out = json_object();
    int64_t n = (int64_t)f->n;
    int64_t rate = f->total_weight ? f->total_fee * FX_WITNESS_SCALE / f->total_weight : 0;
    fx_json_set(out, "avgfee", json_integer(n ? f->total_fee / n : 0));
    fx_json_set(out, "avgfeerate", json_integer(rate));
    fx_json_set(out, "avgtxsize", json_integer(n ? f->total_size / n : 0));
    fx_json_set(out, "blockhash", fx_json_id(&index->id));
    fx_json_set(out, "feerate_percentiles", percentiles(f));
    fx_json_set(out, "height", json_integer(index->height));
    fx_json_set(out, "ins", json_integer(f->ins));
    set_spread(out, f, offsetof(struct tx_figures, fee), "minfee", "medianfee", "maxfee");
    set_spread(out, f, offsetof(struct tx_figures, rate), "minfeerate", NULL, "maxfeerate");
    set_spread(out, f, offsetof(struct tx_figures, size), "mintxsize", "mediantxsize", "maxtxsize");
    fx_json_set(out, "mediantime", json_integer(index->median_time));
    fx_json_set(out, "outs", json_integer(f->outs));
    fx_json_set(out, "subsidy", json_integer(fx_subsidy_full(rpc->config.params, index->height)));
    fx_json_set(out, "swtotal_size", json_integer(f->sw_size));
    fx_json_set(out, "swtotal_weight", json_integer(f->sw_weight));
    fx_json_set(out, "swtxs", json_integer(f->sw_txs));
    fx_json_set(out, "time", json_integer(index->header.time));
    fx_json_set(out, "total_out", json_integer(f->total_out));
    fx_json_set(out, "total_size", json_integer(f->total_size));
    fx_json_set(out, "total_weight", json_integer(f->total_weight));
    fx_json_set(out, "totalfee", json_integer(f->total_fee));
    fx_json_set(out, "txs", json_integer(n + 1));
    fx_json_set(out, "utxo_increase", json_integer(f->outs - f->ins));
    fx_json_set(out, "utxo_size_inc", json_integer(f->size_inc));
    fx_json_set(out, "utxo_increase_actual", json_integer(f->coins - f->ins));
    fx_json_set(out, "utxo_size_inc_actual", json_integer(f->size_inc_actual));
    return out;
}

/* Leaves what was asked for. False after fx_rpc_fail. */
static bool select_figures(struct fx_rpc_call *call, json_t *all, const json_t *names, json_t **out)
{
    size_t i;
    json_t *name;
    *out = json_object();
    json_array_foreach(names, i, name)
    {
        json_t *value = json_object_get(all, json_string_value(name));
        if (!value) {
            json_decref(*out);
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid selected statistic '%.100s'",
                        json_string_value(name));
            return false;
        }
        json_object_set(*out, json_string_value(name), value);
    }
    return true;
}

static const struct fx_index *arg_hash_or_height(struct fx_rpc_call *call, const json_t *value)
{
    const struct fx_chain *chain = call->rpc->config.chain;
    if (json_is_string(value)) {
        struct fx_hash id;
        if (!fx_rpc_arg_hash(call, value, "hash_or_height", &id)) {
            return NULL;
        }
        const struct fx_index *index = fx_chain_find(chain, &id);
        if (!index) {
            fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Block not found");
        }
        return index;
    }
    int64_t height = json_integer_value(value), tip = fx_chain_tip(chain)->height;
    if (height < 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Target block height %lld is negative",
                    (long long)height);
        return NULL;
    }
    if (height > tip) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Target block height %lld after current tip %lld",
                    (long long)height, (long long)tip);
        return NULL;
    }
    return fx_chain_at(chain, (uint32_t)height);
}

/* Every input's coin is there: the undo data fits the block. */
static bool fill_figures(const struct fx_index *index, const struct fx_block *block,
                         const struct fx_undo *undo, struct figures *f)
{
    size_t at = 0;
    f->txs = fx_xcalloc(block->n_txs, sizeof(*f->txs));
    (void)add_outputs(index, block->txs[0], f);
    for (size_t t = 1; t < block->n_txs; t++) {
        const struct fx_tx *tx = block->txs[t];
        if (undo->n_coins - at < tx->n_in) {
            return false;
        }
        add_tx(index, tx, &undo->coins[at], f);
        at += tx->n_in;
    }
    return true;
}

static json_t *getblockstats(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *index = arg_hash_or_height(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    struct fx_undo undo = {0};
    struct figures f = {0};
    struct fx_block *block = fx_rpc_read_block(call, index);
    if (!block) {
        return NULL;
    }
    json_t *all = NULL, *out = NULL;
    bool undone = fx_chain_read_undo(chain, index, &undo);
    if ((undone || !index->parent) && fill_figures(index, block, &undo, &f)) {
        all = figures_json(call->rpc, index, &f);
    } else {
        fx_rpc_fail(call, FX_RPC_MISC, "Undo data is not there for this block");
    }
    if (undone) {
        fx_undo_clear(&undo);
    }
    fx_block_unref(block);
    free(f.txs);
    if (all && json_array_size(call->args[1]) > 0) {
        (void)select_figures(call, all, call->args[1], &out);
        json_decref(all);
        return call->failed ? NULL : out;
    }
    return all;
}

const struct fx_rpc_command fx_rpc_getblockstats = {
    .name = "getblockstats",
    .text = "Returns figures of a block. Amounts are in embers; the coinbase counts in outs, txs, "
            "utxo_increase and utxo_size_inc alone.",
    .args = "hash_or_height: str|int\n"
            "stats?: [ str ]   # Those of these names alone",
    .result = "{ avgfee?: int, avgfeerate?: int, avgtxsize?: int, blockhash?: hash\n"
              "feerate_percentiles?: [ int ]  # 10, 25, 50, 75 and 90 per cent of the weight\n"
              "height?: int\n"
              "ins?: int                      # Inputs, without the coinbase's\n"
              "maxfee?: int, maxfeerate?: int, maxtxsize?: int\n"
              "medianfee?: int, mediantime?: time, mediantxsize?: int\n"
              "minfee?: int, minfeerate?: int, mintxsize?: int\n"
              "outs?: int, subsidy?: int\n"
              "swtotal_size?: int, swtotal_weight?: int, swtxs?: int  # With a witness\n"
              "time?: time, total_out?: int, total_size?: int, total_weight?: int, totalfee?: int\n"
              "txs?: int, utxo_increase?: int, utxo_size_inc?: int\n"
              "utxo_increase_actual?: int     # Without outputs that nobody can spend\n"
              "utxo_size_inc_actual?: int }",
    .errors = "-5: Block not found\n-8: the height or a name is wrong",
    .example = "1000 '[\"minfeerate\",\"avgfeerate\"]'",
    .run = getblockstats,
};

/* ---- getchaintxstats ------------------------------------------------------------------------- */

static uint64_t count_txs(const struct fx_index *last, const struct fx_index *before)
{
    uint64_t n = 0;
    for (; last != before; last = last->parent) {
        n += last->n_txs;
    }
    return n;
}

static bool arg_window(struct fx_rpc_call *call, const struct fx_index *last, int64_t *blocks)
{
    int64_t height = last->height;
    if (!call->args[0]) {
        *blocks = DEFAULT_WINDOW_SECONDS / BLOCK_SECONDS;
        *blocks = *blocks < height - 1 ? *blocks : height > 0 ? height - 1 : 0;
        return true;
    }
    *blocks = json_integer_value(call->args[0]);
    if (*blocks < 0 || (*blocks > 0 && *blocks >= height)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Invalid block count: should be between 0 and the block's height - 1");
        return false;
    }
    return true;
}

static json_t *getchaintxstats(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *last = fx_chain_tip(chain);
    int64_t blocks;
    if (call->args[1]) {
        last = fx_rpc_arg_block(call, call->args[1]);
        if (!last) {
            return NULL;
        }
        if (!fx_chain_contains(chain, last)) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER, "Block is not in main chain");
        }
    }
    if (!arg_window(call, last, &blocks)) {
        return NULL;
    }
    const struct fx_index *first = fx_index_ancestor(last, last->height - (uint32_t)blocks);
    int64_t seconds = last->median_time - first->median_time;
    uint64_t txs = count_txs(last, first);
    json_t *out = json_object();
    fx_json_set(out, "time", json_integer(last->header.time));
    fx_json_set(out, "txcount", json_integer((json_int_t)(txs + count_txs(first, NULL))));
    fx_json_set(out, "window_final_block_hash", fx_json_id(&last->id));
    fx_json_set(out, "window_final_block_height", json_integer(last->height));
    fx_json_set(out, "window_block_count", json_integer(blocks));
    if (blocks > 0) {
        fx_json_set(out, "window_interval", json_integer(seconds));
        fx_json_set(out, "window_tx_count", json_integer((json_int_t)txs));
    }
    if (blocks > 0 && seconds > 0) {
        fx_json_set(out, "txrate", json_real((double)txs / (double)seconds));
    }
    return out;
}

const struct fx_rpc_command fx_rpc_getchaintxstats = {
    .name = "getchaintxstats",
    .text = "Returns how many transactions the chain has, and how many came in its last blocks.",
    .args = "nblocks?: int = one month   # Blocks of the window\n"
            "blockhash?: hash            # Its last block; default: the tip",
    .result = "{ time: time, txcount: int\n"
              "window_final_block_hash: hash, window_final_block_height: int\n"
              "window_block_count: int\n"
              "window_interval?: int       # Seconds, of median times\n"
              "window_tx_count?: int\n"
              "txrate?: num }              # Transactions a second",
    .errors = "-5: Block not found\n-8: Invalid block count, or the block is not in the chain",
    .example = "\n2016",
    .run = getchaintxstats,
};
