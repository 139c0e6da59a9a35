/* The public face of the rules of task spends: what the chain knows comes as plain arguments. */
#include "consensus/fornaxconsensus.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/fornaxconsensus_int.h"
#include "consensus/spend.h"
#include "src/util/mem.h"

/* ---- the caller's knowledge as a view ---------------------------------------------------------
 */

struct known {
    const fornaxconsensus_spend *spend;
    uint32_t above; /* what the beacon was last asked for: a claim asks for that of h0 first */
};

static struct fx_outpoint outpoint_of(const fornaxconsensus_outpoint *from)
{
    struct fx_outpoint outpoint;

    memcpy(outpoint.txid.b, from->txid, sizeof(outpoint.txid.b));
    outpoint.index = from->index;
    return outpoint;
}

static void give_outpoint(const struct fx_outpoint *from, fornaxconsensus_outpoint *to)
{
    memcpy(to->txid, from->txid.b, sizeof(to->txid));
    to->index = from->index;
}

/* Spends look up no coins and no lists of settled records. */
static enum fx_lookup no_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    (void)ctx;
    (void)outpoint;
    (void)coin;
    return FX_LOOKUP_FAILED;
}

static enum fx_lookup no_settled(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                 size_t *n)
{
    (void)ctx;
    (void)height;
    (void)origins;
    (void)n;
    return FX_LOOKUP_FAILED;
}

static enum fx_lookup find_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    const fornaxconsensus_record *given = ((const struct known *)ctx)->spend->record;
    struct fx_outpoint named;

    if (given == NULL) {
        return FX_MISSING;
    }
    named = outpoint_of(&given->origin);
    if (!fx_outpoint_equal(&named, origin)) {
        return FX_MISSING;
    }
    memset(record, 0, sizeof(*record));
    record->live = given->live != 0;
    if (record->live) {
        record->outpoint = outpoint_of(&given->outpoint);
        record->state = given->state;
    }
    record->backed = given->backed != 0;
    record->asked = given->asked;
    record->h0 = given->h0;
    record->settled = given->settled;
    memcpy(record->client.b, given->client, sizeof(record->client.b));
    memcpy(record->solver.b, given->solver, sizeof(record->solver.b));
    record->bricks = given->bricks;
    record->burn = given->burn;
    return FX_FOUND;
}

/* The solvers, one a height from the first on: their order is all that the rule looks at. */
static enum fx_lookup find_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct known *known = (const struct known *)ctx;
    const fornaxconsensus_spend *spend = known->spend;
    uint32_t h0 = known->above;
    uint32_t first = h0 < FX_EXCLUSIVE_LOOKBACK ? 0 : h0 - FX_EXCLUSIVE_LOOKBACK + 1;

    if (height < first || height > h0 || spend->n_solvers > (uint64_t)h0 - first + 1) {
        return FX_LOOKUP_FAILED;
    }
    memset(ancestor, 0, sizeof(*ancestor));
    ancestor->height = height;
    ancestor->lane = FX_LANE_HASH;
    if (height - first < spend->n_solvers) {
        ancestor->lane = FX_LANE_JOB;
        memcpy(ancestor->solver.b, spend->solvers + 32 * (size_t)(height - first), 32);
    }
    return FX_FOUND;
}

static enum fx_lookup find_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    struct known *known = (struct known *)ctx;
    const fornaxconsensus_spend *spend = known->spend;

    known->above = above;
    if (spend->beacon == NULL) {
        return FX_MISSING;
    }
    if (spend->beacon_height <= above) {
        return FX_LOOKUP_FAILED;
    }
    memset(ancestor, 0, sizeof(*ancestor));
    memcpy(ancestor->id.b, spend->beacon, sizeof(ancestor->id.b));
    ancestor->height = spend->beacon_height;
    ancestor->lane = FX_LANE_HASH;
    return FX_FOUND;
}

/* ---- arguments ----------------------------------------------------------------------------------
 */

static bool arguments_are_good(const fornaxconsensus_spend *spend, const struct fx_params *params)
{
    if (params == NULL || spend->tx == NULL || spend->spent == NULL ||
        spend->in >= spend->n_spent || spend->n_solvers > FX_EXCLUSIVE_LOOKBACK ||
        (spend->solvers == NULL && spend->n_solvers > 0) ||
        (spend->beacon != NULL && spend->beacon_height >= spend->height)) {
        return false;
    }
    return spend->record == NULL || spend->record->live == 0 ||
           spend->record->state <= FX_TASK_CHALLENGED;
}

/* Views of what the caller gave; NULL where a coin is none. */
static struct fx_coin *make_coins(const fornaxconsensus_spend *spend,
                                  const struct fx_params *params)
{
    struct fx_coin *coins = (struct fx_coin *)fx_xcalloc(spend->n_spent, sizeof *coins);

    for (size_t at = 0; at < spend->n_spent; at++) {
        const fornaxconsensus_coin *from = &spend->spent[at];

        if (!fx_money_range(params, from->value) ||
            (from->scriptPubKey == NULL && from->scriptPubKeySize > 0)) {
            free(coins);
            return NULL;
        }
        coins[at].value = from->value;
        coins[at].height = from->height;
        coins[at].script = (uint8_t *)(uintptr_t)from->scriptPubKey;
        coins[at].script_len = from->scriptPubKeySize;
    }
    return coins;
}

/* ---- the call -----------------------------------------------------------------------------------
 */

static void give_record(const struct fx_record_change *change, fornaxconsensus_record *to)
{
    const struct fx_task_record *record = &change->after;

    give_outpoint(&change->origin, &to->origin);
    to->live = record->live ? 1 : 0;
    if (record->live) {
        give_outpoint(&record->outpoint, &to->outpoint);
        to->state = record->state;
    }
    to->backed = record->backed ? 1 : 0;
    to->asked = record->asked;
    to->h0 = record->h0;
    to->settled = record->settled;
    memcpy(to->client, record->client.b, sizeof(to->client));
    memcpy(to->solver, record->solver.b, sizeof(to->solver));
    to->bricks = record->bricks;
    to->burn = record->burn;
}

static void give_result(const struct fx_spend_result *result, const struct fx_record_delta *delta,
                        fornaxconsensus_spent *spent)
{
    memset(spent, 0, sizeof(*spent));
    spent->action = (unsigned)result->action;
    give_outpoint(&result->origin, &spent->origin);
    spent->burned = result->burned;
    /* One spend changes one record; a fresh task that is refunded has none. */
    if (delta->n > 0 && delta->changes[0].has) {
        spent->has_record = 1;
        give_record(&delta->changes[0], &spent->record);
    }
}

static enum fx_result judge(const fornaxconsensus_spend *spend, const struct fx_params *params,
                            const struct fx_tx *tx, const struct fx_coin *coins,
                            fornaxconsensus_spent *spent, enum fx_verdict *why)
{
    struct known known = {.spend = spend};
    struct fx_view view = {.ctx = &known,
                           .coin = no_coin,
                           .record = find_record,
                           .settled_at = no_settled,
                           .ancestor = find_ancestor,
                           .beacon = find_beacon};
    struct fx_sighash_cache cache;
    struct fx_spend_context ctx = {.params = params,
                                   .view = &view,
                                   .height = spend->height,
                                   .tx = tx,
                                   .spent = coins,
                                   .cache = &cache};
    struct fx_record_delta delta;
    struct fx_spend_result result;
    enum fx_result judged;

    fx_sighash_cache_init(&cache, tx, coins);
    fx_record_delta_init(&delta);
    judged = fx_connect_spend(&ctx, spend->in, &delta, &result, why);
    if (judged == FX_VALID && spent != NULL) {
        give_result(&result, &delta, spent);
    }
    fx_record_delta_clear(&delta);
    return judged;
}

int fornaxconsensus_connect_spend(const fornaxconsensus_spend *spend, fornaxconsensus_spent *spent,
                                  const char **reject)
{
    enum fx_result judged = FX_FAILED;
    enum fx_verdict why = FX_OK;
    const struct fx_params *params;
    struct fx_coin *coins;
    struct fx_tx *tx;

    if (reject != NULL) {
        *reject = NULL;
    }
    params = spend != NULL ? fx_public_params(spend->network) : NULL;
    if (spend == NULL || !arguments_are_good(spend, params)) {
        return 0;
    }
    tx = fx_tx_parse(spend->tx, spend->tx_len);
    /* The number of coins is bounded by that of the inputs before anything is allocated for it. */
    coins = tx != NULL && tx->n_in == spend->n_spent ? make_coins(spend, params) : NULL;
    if (coins != NULL) {
        judged = judge(spend, params, tx, coins, spent, &why);
    }
    free(coins);
    fx_tx_unref(tx);
    if (judged == FX_FAILED) {
        return 0;
    }
    if (reject != NULL) {
        *reject = fx_verdict_string(why);
    }
    return judged == FX_VALID ? 1 : 0;
}
