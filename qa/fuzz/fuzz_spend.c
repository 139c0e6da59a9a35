/*
 * Spends of task outputs, with any witness. The input is what the rules look up (heights, the
 * coin's value, the record, the beacon) and the transaction, whose witness says which action it is;
 * the coin pays to the preimage in that witness, and the signature is made here, with a key that
 * the input names, as no fuzzer makes one. What the rules say is the same every time, and what they
 * change is one record, in a way that the action allows.
 */
#include "qa/fuzz/fuzz.h"

#include <secp256k1_schnorrsig.h>
#include <string.h>

#include "consensus/params.h"
#include "consensus/spend.h"
#include "src/util/mem.h"

struct world {
    struct fx_view view;
    uint32_t height, coin_height;
    int64_t value;
    uint8_t signer;
    bool has_record;
    struct fx_task_record record;
    struct fx_hash beacon, solver;
};

/* ---- what the rules look up -------------------------------------------------------------- */

static enum fx_lookup no_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    (void)ctx;
    (void)outpoint;
    (void)coin;
    return FX_MISSING;
}

static enum fx_lookup the_record(void *ctx, const struct fx_outpoint *origin,
                                 struct fx_task_record *record)
{
    const struct world *w = (const struct world *)ctx;

    (void)origin;
    *record = w->record;
    return w->has_record ? FX_FOUND : FX_MISSING;
}

static enum fx_lookup none_settled(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                   size_t *n)
{
    (void)ctx;
    (void)height;
    *origins = NULL;
    *n = 0;
    return FX_FOUND;
}

/* Each seventh block is of the job lane; of these, every other one is the signer's. */
static enum fx_lookup ancestor_at(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct world *w = (const struct world *)ctx;

    memset(ancestor, 0, sizeof *ancestor);
    ancestor->height = height;
    ancestor->lane = height % 7 == 0 ? FX_LANE_JOB : FX_LANE_HASH;
    if (height % 14 == 0) {
        ancestor->solver = w->solver;
    }
    return FX_FOUND;
}

static enum fx_lookup the_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct world *w = (const struct world *)ctx;

    ancestor_at(ctx, above + 1, ancestor);
    ancestor->id = w->beacon;
    return above < w->height && above + 1 < w->height ? FX_FOUND : FX_MISSING;
}

/* ---- the spend --------------------------------------------------------------------------- */

static const secp256k1_context *signing(void)
{
    static secp256k1_context *context;

    if (context == NULL) {
        context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    }
    return context;
}

/* The key whose secret is this small number, not 0. */
static void key_of(uint8_t number, secp256k1_keypair *pair, struct fx_hash *xonly)
{
    uint8_t secret[32] = {0};
    secp256k1_xonly_pubkey point;

    secret[31] = number > 0 ? number : 1;
    FX_FUZZ_CHECK(secp256k1_keypair_create(signing(), pair, secret));
    FX_FUZZ_CHECK(secp256k1_keypair_xonly_pub(signing(), &point, NULL, pair));
    secp256k1_xonly_pubkey_serialize(signing(), xonly->b, &point);
}

/* The coin of input `in`: a task output of the preimage that the witness ends with. */
static void make_coins(const struct world *w, const struct fx_tx *tx, size_t in,
                       struct fx_coin *coins)
{
    const struct fx_txin *txin = &tx->in[in];
    struct fx_span preimage = {NULL, 0};
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_hash program;
    struct fx_txout out = {.value = w->value, .script = {script, sizeof script}};

    if (txin->n_witness > 0) {
        preimage = txin->witness[txin->n_witness - 1];
    }
    fx_task_program(preimage, &program);
    fx_task_script(&program, script);
    for (size_t i = 0; i < tx->n_in; i++) {
        fx_coin_set(&coins[i], &out, w->coin_height, false);
    }
}

/* The same transaction with a true signature where one of that length stands. */
static struct fx_tx *sign(const struct world *w, const struct fx_tx *tx, size_t in,
                          const struct fx_coin *coins)
{
    const struct fx_txin *txin = &tx->in[in];
    struct fx_sighash_cache cache;
    secp256k1_keypair pair;
    struct fx_hash hash, xonly;
    uint8_t signature[64];
    struct fx_txb b;
    struct fx_tx *signed_tx;

    if (txin->n_witness < 2 || txin->witness[0].len != 1 || txin->witness[1].len != 64) {
        return fx_tx_ref(tx);
    }
    fx_sighash_cache_init(&cache, tx, coins);
    fx_sighash_task(tx, in, coins, txin->witness[0].data[0], &cache, &hash);
    key_of(w->signer, &pair, &xonly);
    FX_FUZZ_CHECK(secp256k1_schnorrsig_sign32(signing(), signature, hash.b, &pair, NULL));
    fx_txb_from_tx(&b, tx);
    fx_txb_clear_witness(&b, in);
    for (size_t i = 0; i < txin->n_witness; i++) {
        fx_txb_push_witness(&b, in, i == 1 ? signature : txin->witness[i].data,
                            txin->witness[i].len);
    }
    signed_tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return signed_tx;
}

static bool settles(enum fx_task_action action)
{
    return action == FX_ACTION_ACCEPT || action == FX_ACTION_TAKE;
}

static void check_change(const struct world *w, const struct fx_tx *tx, size_t in,
                         const struct fx_spend_result *spend, const struct fx_record_delta *delta)
{
    const struct fx_record_change *change = delta->changes;

    FX_FUZZ_CHECK(spend->burned <= (uint64_t)fx_params_get(FX_REGTEST)->max_money);
    if (delta->n == 0) {
        FX_FUZZ_CHECK(spend->action == FX_ACTION_REFUND);
        return;
    }
    FX_FUZZ_CHECK(delta->n == 1 && change->has && change->had == w->has_record);
    FX_FUZZ_CHECK(fx_outpoint_equal(&change->origin, &spend->origin));
    FX_FUZZ_CHECK((change->after.settled == w->height) == settles(spend->action) ||
                  (w->has_record && change->after.settled == w->record.settled));
    FX_FUZZ_CHECK(change->after.state <= FX_TASK_CHALLENGED);
    if (change->after.live) {
        FX_FUZZ_CHECK(change->after.outpoint.index == in && in < tx->n_out);
        FX_FUZZ_CHECK(fx_hash_equal(&change->after.outpoint.txid, &tx->txid));
        FX_FUZZ_CHECK(fx_script_is_task(tx->out[in].script, NULL));
    } else {
        FX_FUZZ_CHECK(settles(spend->action) || spend->action == FX_ACTION_REFUND ||
                      spend->action == FX_ACTION_REJECT);
    }
}

static void check_spend(struct world *w, const struct fx_tx *tx, size_t in,
                        const struct fx_coin *coins)
{
    struct fx_sighash_cache cache;
    struct fx_spend_context ctx = {.params = fx_params_get(FX_REGTEST),
                                   .view = &w->view,
                                   .height = w->height,
                                   .tx = tx,
                                   .spent = coins,
                                   .cache = &cache};
    struct fx_spend_result spend;
    enum fx_result results[2];
    enum fx_verdict verdicts[2];

    fx_sighash_cache_init(&cache, tx, coins);
    for (int again = 0; again <= 1; again++) {
        struct fx_record_delta delta;

        fx_record_delta_init(&delta);
        results[again] = fx_connect_spend(&ctx, in, &delta, &spend, &verdicts[again]);
        FX_FUZZ_CHECK((results[again] == FX_VALID) == (verdicts[again] == FX_OK));
        if (results[again] == FX_VALID) {
            check_change(w, tx, in, &spend, &delta);
        }
        fx_record_delta_clear(&delta);
    }
    FX_FUZZ_CHECK(results[0] == results[1] && verdicts[0] == verdicts[1]);
    FX_FUZZ_CHECK(results[0] != FX_FAILED); /* no look-up fails here */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct world w = {.view = {&w, no_coin, the_record, none_settled, ancestor_at, the_beacon}};
    struct fx_reader r;
    struct fx_tx *tx, *signed_tx;
    struct fx_coin *coins;
    secp256k1_keypair pair;
    size_t in;

    fx_reader_init(&r, data, length);
    in = fx_read_u8(&r);
    w.signer = fx_read_u8(&r);
    /* No chain is longer, and sums of a few heights do not wrap around. */
    w.height = fx_read_u32(&r) >> 1;
    w.coin_height = fx_read_u32(&r) >> 1;
    w.value = (int64_t)(fx_read_u64(&r) % ((uint64_t)fx_params_get(FX_REGTEST)->max_money + 1));
    w.beacon = fx_read_hash(&r);
    w.has_record = fx_read_u8(&r) != 0;
    if (w.has_record && !fx_task_record_read(&r, &w.record)) {
        return 0;
    }
    tx = fx_tx_read(&r);
    if (tx == NULL || tx->n_in == 0) {
        fx_tx_unref(tx);
        return 0;
    }
    in %= tx->n_in;
    key_of(w.signer, &pair, &w.solver);
    coins = fx_xcalloc(tx->n_in, sizeof *coins);
    make_coins(&w, tx, in, coins);
    signed_tx = sign(&w, tx, in, coins);
    check_spend(&w, signed_tx, in, coins);
    for (size_t i = 0; i < tx->n_in; i++) {
        fx_coin_clear(&coins[i]);
    }
    free(coins);
    fx_tx_unref(signed_tx);
    fx_tx_unref(tx);
    return 0;
}
