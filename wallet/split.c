/* Coins that can be spent side by side: the last large one is cut before it is needed. */
#include "wallet/wallet_int.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "wallet/fund_int.h"

/* All of a coin's are spent in the pool at once, each by one transaction: with the one that cuts it
 * these stay below 25, the pool's limit of a chain. Its limit of size holds them up earlier where
 * they are large, as answers are: those beyond it go once the cut is mined. */
#define PARTS_MAX 16
#define INPUT_VSIZE 58
#define OUTPUT_VSIZE 43
#define REST_VSIZE 11
#define WORTH_MIN 1000 /* embers: parts are above dust */

static int64_t fee_of(int64_t rate, int64_t vsize)
{
    return (rate * vsize + 999) / 1000;
}

/* The only coin that is worth this much; false: there is none, or there are more. */
static bool find_last(const struct fx_wallet *wallet, int64_t worth, struct fx_wallet_coin *last)
{
    struct fx_wallet_coin *coins;
    size_t n = fx_wallet_coins(wallet, &coins), found = 0;
    for (size_t i = 0; i < n && found < 2; i++) {
        if (coins[i].spendable && coins[i].safe && coins[i].value >= worth) {
            *last = coins[i];
            found++;
        }
    }
    free(coins);
    return found == 1;
}

/* Into how many parts worth this much each; cutting costs less than one of them is worth. */
static int64_t count_parts(int64_t value, int64_t worth, int64_t rate)
{
    int64_t n = PARTS_MAX;
    while (n > 1) {
        int64_t fee = fee_of(rate, REST_VSIZE + INPUT_VSIZE + n * OUTPUT_VSIZE);
        if (fee < worth && value - fee >= n * worth) {
            break;
        }
        n--;
    }
    return n;
}

/* The last part is the change. */
static bool lay_out(struct fx_wallet *wallet, struct fx_txb *b, const struct fx_wallet_coin *coin,
                    int64_t n, int64_t part, struct fx_wallet_error *error)
{
    fx_txb_add_in(b, &coin->outpoint, FX_SEQUENCE_REPLACEABLE);
    for (int64_t i = 1; i < n; i++) {
        struct fx_hash key;
        uint8_t script[34];
        if (!fx_wallet_new_key(wallet, FX_KEY_CHANGE, NULL, &key, error)) {
            return false;
        }
        fx_script_p2tr(key.b, script);
        fx_txb_add_out(b, part, script, sizeof(script));
    }
    return true;
}

bool fx_wallet_split(struct fx_wallet *wallet, int64_t amount, struct fx_wallet_error *error)
{
    int64_t rate = fx_mempool_estimate(wallet->set->mempool, FX_FEE_TARGET);
    int64_t worth = amount + fee_of(rate, INPUT_VSIZE + OUTPUT_VSIZE), fee;
    struct fx_wallet_coin coin;
    struct fx_hash txid;
    struct fx_txb b;
    if (amount < WORTH_MIN || !find_last(wallet, worth, &coin) || coin.height == 0) {
        return true;
    }
    int64_t n = count_parts(coin.value, worth, rate);
    if (n < 2) {
        return true;
    }
    struct fx_fund_terms terms = {.rate = rate};
    int64_t left = coin.value - fee_of(rate, REST_VSIZE + INPUT_VSIZE + n * OUTPUT_VSIZE);
    fx_txb_init(&b);
    bool ok = lay_out(wallet, &b, &coin, n, left / n, error) &&
              fx_fund(wallet, &b, NULL, 0, &terms, &fee, error) &&
              fx_send_funded(wallet, &b, "split", &txid, error);
    fx_txb_clear(&b);
    return ok;
}
