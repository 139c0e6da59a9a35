/* Standardness: what the pool takes besides what the rules allow (Bitcoin's policy, with tasks). */
#include "src/mempool/mempool_int.h"

#define DUST_RATE 3000 /* embers per 1,000 vbytes */
#define STANDARD_WEIGHT_MAX 400000
#define TASK_SPEND_WEIGHT_MAX 1000000
#define STANDARD_BASE_SIZE_MIN 65 /* CVE-2017-12842: no transaction looks like a merkle node */
#define RETURN_SCRIPT_MAX 83
#define ANNOUNCEMENT_SCRIPT_MAX 137
#define ANNEX_TAG 0x50

int64_t fx_policy_dust(struct fx_span script)
{
    if (fx_script_is_unspendable(script)) {
        return 0;
    }
    struct fx_span program;
    unsigned version;
    size_t size = 8 + fx_var_size(script.len) + script.len;
    /* What an input that spends it takes: outpoint, script length, sequence, and a signature with
     * its key, discounted where it is a witness. */
    size += fx_script_is_witness(script, &version, &program) ? 32 + 4 + 1 + 107 / 4 + 4 : 148;
    return (int64_t)size * DUST_RATE / 1000;
}

static bool return_is_standard(const struct fx_params *params, const struct fx_tx *tx, size_t out)
{
    struct fx_span script = tx->out[out].script;
    if (script.len <= RETURN_SCRIPT_MAX) {
        return true;
    }
    struct fx_task_spec spec;
    uint32_t first;
    return out == 0 && script.len <= ANNOUNCEMENT_SCRIPT_MAX &&
           fx_task_announcement_read(params, tx, &first, &spec);
}

const char *fx_policy_check_tx(const struct fx_params *params, const struct fx_tx *tx)
{
    if (tx->version < 1 || tx->version > 3) {
        return "version";
    }
    if (fx_tx_weight(tx) > TASK_SPEND_WEIGHT_MAX) {
        return "tx-size";
    }
    if (tx->base_size < STANDARD_BASE_SIZE_MIN) {
        return "tx-size-small";
    }
    size_t returns = 0;
    for (size_t i = 0; i < tx->n_out; i++) {
        switch (fx_script_classify(tx->out[i].script)) {
        case FX_SCRIPT_OTHER:
            return "scriptpubkey";
        case FX_SCRIPT_RETURN:
            if (!return_is_standard(params, tx, i)) {
                return "scriptpubkey";
            }
            returns++;
            break;
        case FX_SCRIPT_P2PKH:
        case FX_SCRIPT_P2SH:
        case FX_SCRIPT_P2WPKH:
        case FX_SCRIPT_P2WSH:
        case FX_SCRIPT_P2TR:
        case FX_SCRIPT_TASK:
        case FX_SCRIPT_WITNESS_UNKNOWN:
            break;
        }
        if (tx->out[i].value < fx_policy_dust(tx->out[i].script)) {
            return "dust";
        }
    }
    return returns > 1 ? "multi-op-return" : NULL;
}

const char *fx_policy_check_inputs(const struct fx_params *params, const struct fx_tx *tx,
                                   const struct fx_coin *spent, bool *task)
{
    *task = false;
    for (size_t i = 0; i < tx->n_in; i++) {
        enum fx_script_type type = fx_script_classify(fx_coin_script(&spent[i]));
        if (type == FX_SCRIPT_TASK && !params->tasks) {
            type = FX_SCRIPT_WITNESS_UNKNOWN;
        }
        if (type == FX_SCRIPT_TASK) {
            *task = true;
        }
        if (type == FX_SCRIPT_WITNESS_UNKNOWN) {
            return "bad-txns-nonstandard-inputs";
        }
        if (type == FX_SCRIPT_P2TR) {
            const struct fx_txin *in = &tx->in[i];
            const struct fx_span *top = in->n_witness > 1 ? &in->witness[in->n_witness - 1] : NULL;
            if (top && top->len > 0 && top->data[0] == ANNEX_TAG) {
                return "bad-witness-nonstandard"; /* an annex has no meaning yet */
            }
        }
    }
    return fx_tx_weight(tx) > STANDARD_WEIGHT_MAX && !*task ? "tx-size" : NULL;
}
