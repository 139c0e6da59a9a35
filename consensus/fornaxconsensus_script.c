/* The public face of the script interpreter: checks arguments, then asks the rules. */
#include "consensus/fornaxconsensus.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/interpreter.h"
#include "src/util/mem.h"

#define FLAGS_ALL ((unsigned)fornaxconsensus_SCRIPT_FLAGS_VERIFY_ALL)

_Static_assert(FLAGS_ALL == FX_VERIFY_CONSENSUS, "the public flags are the bits of ours");

/* The arguments of one call. */
struct call {
    struct fx_span script_pubkey;
    int64_t amount;
    struct fx_span tx;
    const fornaxconsensus_UTXO *spent; /* NULL where they are not known */
    size_t n_spent;
    size_t in;
    uint32_t flags;
};

/* Views of what the caller gave. */
static struct fx_coin *make_coins(const struct call *call)
{
    struct fx_coin *coins = (struct fx_coin *)fx_xcalloc(call->n_spent, sizeof *coins);

    for (size_t i = 0; i < call->n_spent; i++) {
        coins[i].value = call->spent[i].value;
        coins[i].script = (uint8_t *)(uintptr_t)call->spent[i].scriptPubKey;
        coins[i].script_len = call->spent[i].scriptPubKeySize;
    }
    return coins;
}

static bool run(const struct call *call, const struct fx_tx *tx)
{
    const struct fx_txin *in = &tx->in[call->in];
    bool taproot = (call->flags & FX_VERIFY_TAPROOT) != 0;
    struct fx_coin *coins = taproot ? make_coins(call) : NULL;
    struct fx_sighash_cache cache;
    struct fx_script_context context = {
        .tx = tx, .in = call->in, .amount = call->amount, .spent = coins, .cache = &cache};
    enum fx_script_error error;

    fx_sighash_cache_init(&cache, tx, coins);
    error = fx_script_verify(in->script_sig, call->script_pubkey, in->witness, in->n_witness,
                             call->flags, &context);
    free(coins);
    return error == FX_SCRIPT_ERR_OK;
}

static fornaxconsensus_error check_arguments(const struct call *call, const struct fx_tx *tx,
                                             size_t left)
{
    if (call->spent != NULL && call->n_spent != tx->n_in) {
        return fornaxconsensus_ERR_SPENT_OUTPUTS_MISMATCH;
    }
    if (call->in >= tx->n_in) {
        return fornaxconsensus_ERR_TX_INDEX;
    }
    return left > 0 ? fornaxconsensus_ERR_TX_SIZE_MISMATCH : fornaxconsensus_ERR_OK;
}

static int verify(const struct call *call, fornaxconsensus_error *err)
{
    fornaxconsensus_error error;
    struct fx_reader r;
    struct fx_tx *tx;
    bool valid;

    if ((call->flags & ~FLAGS_ALL) != 0) {
        *err = fornaxconsensus_ERR_INVALID_FLAGS;
        return 0;
    }
    if ((call->flags & FX_VERIFY_TAPROOT) != 0 && call->spent == NULL) {
        *err = fornaxconsensus_ERR_SPENT_OUTPUTS_REQUIRED;
        return 0;
    }
    fx_reader_init(&r, call->tx.data, call->tx.len);
    tx = call->tx.data != NULL ? fx_tx_read(&r) : NULL;
    if (tx == NULL) {
        *err = fornaxconsensus_ERR_TX_DESERIALIZE;
        return 0;
    }
    error = check_arguments(call, tx, r.left);
    valid = error == fornaxconsensus_ERR_OK && run(call, tx);
    fx_tx_unref(tx);
    *err = error;
    return valid ? 1 : 0;
}

int fornaxconsensus_verify_script_with_spent_outputs(
    const unsigned char *scriptPubKey, unsigned int scriptPubKeyLen, int64_t amount,
    const unsigned char *txTo, unsigned int txToLen, const fornaxconsensus_UTXO *spentOutputs,
    unsigned int spentOutputsLen, unsigned int nIn, unsigned int flags, fornaxconsensus_error *err)
{
    struct call call = {.script_pubkey = {scriptPubKey, scriptPubKeyLen},
                        .amount = amount,
                        .tx = {txTo, txToLen},
                        .spent = spentOutputs,
                        .n_spent = spentOutputsLen,
                        .in = nIn,
                        .flags = flags};
    fornaxconsensus_error ignored;

    return verify(&call, err != NULL ? err : &ignored);
}

int fornaxconsensus_verify_script_with_amount(const unsigned char *scriptPubKey,
                                              unsigned int scriptPubKeyLen, int64_t amount,
                                              const unsigned char *txTo, unsigned int txToLen,
                                              unsigned int nIn, unsigned int flags,
                                              fornaxconsensus_error *err)
{
    return fornaxconsensus_verify_script_with_spent_outputs(
        scriptPubKey, scriptPubKeyLen, amount, txTo, txToLen, NULL, 0, nIn, flags, err);
}

int fornaxconsensus_verify_script(const unsigned char *scriptPubKey, unsigned int scriptPubKeyLen,
                                  const unsigned char *txTo, unsigned int txToLen, unsigned int nIn,
                                  unsigned int flags, fornaxconsensus_error *err)
{
    if ((flags & fornaxconsensus_SCRIPT_FLAGS_VERIFY_WITNESS) != 0) {
        if (err != NULL) {
            *err = fornaxconsensus_ERR_AMOUNT_REQUIRED;
        }
        return 0;
    }
    return fornaxconsensus_verify_script_with_amount(scriptPubKey, scriptPubKeyLen, 0, txTo,
                                                     txToLen, nIn, flags, err);
}
