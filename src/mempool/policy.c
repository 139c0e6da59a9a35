/* Standardness: what the pool takes besides what the rules allow (Bitcoin's policy, with tasks). */
#include "src/mempool/mempool_int.h"

#include "consensus/script.h"
#include "consensus/script_ops.h"
#include "consensus/sigops.h"

#define STANDARD_WEIGHT_MAX 400000
#define TASK_SPEND_WEIGHT_MAX 1000000
#define SCRIPT_SIG_MAX 1650 /* 15 signatures and a P2SH script of 15 keys */
#define BARE_MULTISIG_KEYS_MAX 3
#define P2SH_SIGOPS_MAX 15
#define P2WSH_SCRIPT_MAX 3600
#define P2WSH_ITEMS_MAX 100
#define P2WSH_ITEM_MAX 80
#define TAPSCRIPT_ITEM_MAX 80
#define TAPSCRIPT_LEAF 0xc0
#define LEAF_MASK 0xfe
#define ANNOUNCEMENT_SCRIPT_MAX 137
#define ANNEX_TAG 0x50

const struct fx_mempool_policy fx_mempool_policy_default = {
    .full_rbf = true,
    .bare_multisig = true,
    .return_script_max = 83,
    .min_fee_rate = FX_MEMPOOL_MIN_FEE_RATE,
    .increment_rate = FX_MEMPOOL_MIN_FEE_RATE,
    .dust_rate = 3000,
    .bytes_per_sigop = 20,
    .ancestors_max = 25,
    .descendants_max = 25,
    .ancestors_vsize_max = 101000,
    .descendants_vsize_max = 101000,
    .expiry_seconds = INT64_C(336) * 3600,
};

int64_t fx_policy_fee(int64_t rate, size_t vsize)
{
    __int128 exact = (__int128)rate * (__int128)vsize;
    return (int64_t)((exact + (exact > 0 ? 999 : 0)) / 1000);
}

size_t fx_policy_vsize(const struct fx_mempool *pool, const struct fx_tx *tx, uint64_t sigops)
{
    size_t weight = fx_tx_weight(tx), counted = (size_t)sigops * pool->policy.bytes_per_sigop;
    weight = counted > weight ? counted : weight;
    return (weight + FX_WITNESS_SCALE - 1) / FX_WITNESS_SCALE;
}

int64_t fx_policy_dust(struct fx_span script, int64_t rate)
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
    return fx_policy_fee(rate, size);
}

static bool return_is_standard(const struct fx_mempool *pool, const struct fx_tx *tx, size_t out)
{
    struct fx_span script = tx->out[out].script;
    if (script.len <= pool->policy.return_script_max) {
        return true;
    }
    struct fx_task_spec spec;
    uint32_t first;
    return out == 0 && script.len <= ANNOUNCEMENT_SCRIPT_MAX &&
           fx_task_announcement_read(pool->params, tx, &first, &spec);
}

static const char *check_output(const struct fx_mempool *pool, const struct fx_tx *tx, size_t out)
{
    struct fx_span script = tx->out[out].script;
    struct fx_script_multisig multisig;
    switch (fx_script_classify(script)) {
    case FX_SCRIPT_OTHER:
        return "scriptpubkey";
    case FX_SCRIPT_RETURN:
        return return_is_standard(pool, tx, out) ? NULL : "scriptpubkey";
    case FX_SCRIPT_MULTISIG:
        if (!fx_script_read_multisig(script, &multisig) || multisig.n > BARE_MULTISIG_KEYS_MAX) {
            return "scriptpubkey";
        }
        if (!pool->policy.bare_multisig) {
            return "bare-multisig";
        }
        break;
    case FX_SCRIPT_PUBKEY:
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_P2WPKH:
    case FX_SCRIPT_P2WSH:
    case FX_SCRIPT_P2TR:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_ANCHOR:
    case FX_SCRIPT_WITNESS_UNKNOWN:
        break;
    }
    return tx->out[out].value < fx_policy_dust(script, pool->policy.dust_rate) ? "dust" : NULL;
}

const char *fx_policy_check_tx(const struct fx_mempool *pool, const struct fx_tx *tx)
{
    if (tx->version < 1 || tx->version > 3) {
        return "version";
    }
    /* What a task spend may have beyond others is witness: signatures of old kinds hash the rest of
     * the transaction once an input. */
    size_t weight_max = pool->params->tasks ? TASK_SPEND_WEIGHT_MAX : STANDARD_WEIGHT_MAX;
    if (fx_tx_weight(tx) > weight_max || tx->base_size * FX_WITNESS_SCALE > STANDARD_WEIGHT_MAX) {
        return "tx-size";
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].script_sig.len > SCRIPT_SIG_MAX) {
            return "scriptsig-size";
        }
        if (!fx_script_is_push_only(tx->in[i].script_sig)) {
            return "scriptsig-not-pushonly";
        }
    }
    size_t returns = 0;
    for (size_t i = 0; i < tx->n_out; i++) {
        const char *reason = check_output(pool, tx, i);
        if (reason) {
            return reason;
        }
        returns += fx_script_classify(tx->out[i].script) == FX_SCRIPT_RETURN;
    }
    return returns > 1 ? "multi-op-return" : NULL;
}

bool fx_policy_signals_replacing(const struct fx_tx *tx)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence < FX_SEQUENCE_FINAL - 1) {
            return true;
        }
    }
    return false;
}

/* What a script of pushes leaves on top, as far as it can be a script itself: a number opcode's is
 * taken for empty. False where it leaves nothing, or would fail. */
static bool last_push(struct fx_span script_sig, struct fx_span *top)
{
    struct fx_script_walk walk;
    struct fx_op op;
    bool any = false;
    fx_script_walk_init(&walk, script_sig);
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code > FX_OP_16 || op.code == FX_OP_RESERVED ||
            op.data.len > FX_SCRIPT_ELEMENT_MAX) {
            return false;
        }
        *top = op.data;
        any = true;
    }
    return any && !walk.cut;
}

static bool p2wsh_is_standard(const struct fx_txin *in)
{
    size_t items = in->n_witness - 1;
    if (in->witness[items].len > P2WSH_SCRIPT_MAX || items > P2WSH_ITEMS_MAX) {
        return false;
    }
    for (size_t i = 0; i < items; i++) {
        if (in->witness[i].len > P2WSH_ITEM_MAX) {
            return false;
        }
    }
    return true;
}

static bool taproot_is_standard(const struct fx_txin *in)
{
    const struct fx_span *top = &in->witness[in->n_witness - 1];
    if (in->n_witness == 1) {
        return true; /* a signature by the key */
    }
    /* An annex has no meaning yet, and a control block is not empty. */
    if (top->len == 0 || top->data[0] == ANNEX_TAG) {
        return false;
    }
    for (size_t i = 0; i + 2 < in->n_witness && (top->data[0] & LEAF_MASK) == TAPSCRIPT_LEAF; i++) {
        if (in->witness[i].len > TAPSCRIPT_ITEM_MAX) {
            return false;
        }
    }
    return true;
}

/* Nothing is stuffed into a witness that its script does not need. */
static bool witness_is_standard(const struct fx_txin *in, struct fx_span script)
{
    struct fx_span program;
    unsigned version;
    bool p2sh = fx_script_is_p2sh(script);
    if (in->n_witness == 0) {
        return true;
    }
    if (p2sh && !last_push(in->script_sig, &script)) {
        return false;
    }
    if (!fx_script_is_witness(script, &version, &program)) {
        return false;
    }
    switch (fx_script_classify(script)) {
    case FX_SCRIPT_P2WSH:
        return p2wsh_is_standard(in);
    case FX_SCRIPT_P2TR:
        return p2sh || taproot_is_standard(in);
    case FX_SCRIPT_ANCHOR:
        return p2sh;
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_P2WPKH:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_WITNESS_UNKNOWN:
    case FX_SCRIPT_RETURN:
    case FX_SCRIPT_PUBKEY:
    case FX_SCRIPT_MULTISIG:
        break;
    }
    return true;
}

static bool input_is_standard(const struct fx_txin *in, enum fx_script_type type)
{
    struct fx_span ignored;
    switch (type) {
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_WITNESS_UNKNOWN:
        return false;
    case FX_SCRIPT_P2SH:
        return last_push(in->script_sig, &ignored) &&
               fx_script_p2sh_sigops(in->script_sig) <= P2SH_SIGOPS_MAX;
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_P2WPKH:
    case FX_SCRIPT_P2WSH:
    case FX_SCRIPT_P2TR:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_RETURN:
    case FX_SCRIPT_PUBKEY:
    case FX_SCRIPT_MULTISIG:
    case FX_SCRIPT_ANCHOR:
        break;
    }
    return true;
}

const char *fx_policy_check_inputs(const struct fx_params *params, const struct fx_tx *tx,
                                   const struct fx_coin *spent, enum fx_refusal *refusal)
{
    bool task = false;
    *refusal = FX_REFUSAL_OTHER;
    for (size_t i = 0; i < tx->n_in; i++) {
        enum fx_script_type type = fx_script_classify(fx_coin_script(&spent[i]));
        if (type == FX_SCRIPT_TASK && !params->tasks) {
            type = FX_SCRIPT_WITNESS_UNKNOWN;
        }
        if (type == FX_SCRIPT_TASK) {
            task = true;
        }
        if (!input_is_standard(&tx->in[i], type)) {
            *refusal = FX_REFUSAL_INPUTS;
            return "bad-txns-nonstandard-inputs";
        }
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_span script = fx_coin_script(&spent[i]);
        bool is_task = params->tasks && fx_script_classify(script) == FX_SCRIPT_TASK;
        if (!is_task && !witness_is_standard(&tx->in[i], script)) {
            return "bad-witness-nonstandard";
        }
    }
    return fx_tx_weight(tx) > STANDARD_WEIGHT_MAX && !task ? "tx-size" : NULL;
}
