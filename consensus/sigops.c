/* Counting signature operations. */
#include "consensus/sigops.h"

#include "consensus/script.h"

#define P2WPKH_SIZE 20
#define P2WSH_SIZE 32

uint64_t fx_script_sigops(struct fx_span script, bool accurate)
{
    struct fx_script_walk walk;
    struct fx_op op;
    uint8_t last = FX_OP_INVALIDOPCODE;
    uint64_t n = 0;

    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code == FX_OP_CHECKSIG || op.code == FX_OP_CHECKSIGVERIFY) {
            n++;
        } else if (op.code == FX_OP_CHECKMULTISIG || op.code == FX_OP_CHECKMULTISIGVERIFY) {
            n += accurate && last >= FX_OP_1 && last <= FX_OP_16 ? last - FX_OP_1 + 1u
                                                                 : FX_SCRIPT_MULTISIG_KEYS_MAX;
        }
        last = op.code;
    }
    return n;
}

/* What the last operation of a script that only pushes leaves on top; false for any other. Number
 * opcodes count as pushes of nothing. */
static bool last_push(struct fx_span script, struct fx_span *data)
{
    struct fx_script_walk walk;
    struct fx_op op;

    data->data = NULL;
    data->len = 0;
    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code > FX_OP_16) {
            return false;
        }
        *data = op.data;
    }
    return !walk.cut;
}

uint64_t fx_script_p2sh_sigops(struct fx_span script_sig)
{
    struct fx_span redeem;

    return last_push(script_sig, &redeem) ? fx_script_sigops(redeem, true) : 0;
}

uint64_t fx_script_witness_sigops(struct fx_span script_sig, struct fx_span script_pubkey,
                                  const struct fx_span *witness, size_t n_witness)
{
    struct fx_span program, redeem;
    unsigned version;

    if (!fx_script_is_witness(script_pubkey, &version, &program)) {
        if (!fx_script_is_p2sh(script_pubkey) || !last_push(script_sig, &redeem) ||
            !fx_script_is_witness(redeem, &version, &program)) {
            return 0;
        }
    }
    if (version != 0) {
        return 0;
    }
    if (program.len == P2WPKH_SIZE) {
        return 1;
    }
    return program.len == P2WSH_SIZE && n_witness > 0
               ? fx_script_sigops(witness[n_witness - 1], true)
               : 0;
}
