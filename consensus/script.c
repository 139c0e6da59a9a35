/* Kinds of scripts, and verifying inputs by the rules of blocks. */
#include "consensus/script.h"

#include <string.h>

#include "consensus/script_ops.h"

bool fx_script_is_witness(struct fx_span script, unsigned *version, struct fx_span *program)
{
    const uint8_t *s = script.data;

    if (script.len < 4 || script.len > 42 || s[1] + 2u != script.len) {
        return false;
    }
    if (s[0] != 0 && (s[0] < 0x51 || s[0] > 0x60)) {
        return false;
    }
    *version = s[0] == 0 ? 0 : s[0] - 0x50u;
    program->data = s + 2;
    program->len = script.len - 2;
    return true;
}

enum fx_script_type fx_script_classify(struct fx_span script)
{
    const uint8_t *s = script.data;
    struct fx_span program;
    unsigned version;

    if (fx_script_is_witness(script, &version, &program)) {
        if (version == 0) {
            return program.len == 20   ? FX_SCRIPT_P2WPKH
                   : program.len == 32 ? FX_SCRIPT_P2WSH
                                       : FX_SCRIPT_OTHER;
        }
        if (program.len == 32 && version <= 2) {
            return version == 1 ? FX_SCRIPT_P2TR : FX_SCRIPT_TASK;
        }
        return FX_SCRIPT_WITNESS_UNKNOWN;
    }
    if (script.len == 25 && s[0] == FX_OP_DUP && s[1] == FX_OP_HASH160 && s[2] == 20 &&
        s[23] == FX_OP_EQUALVERIFY && s[24] == FX_OP_CHECKSIG) {
        return FX_SCRIPT_P2PKH;
    }
    if (fx_script_is_p2sh(script)) {
        return FX_SCRIPT_P2SH;
    }
    if (script.len > 0 && s[0] == FX_OP_RETURN) {
        return FX_SCRIPT_RETURN;
    }
    return FX_SCRIPT_OTHER;
}

const char *fx_script_type_name(enum fx_script_type type)
{
    switch (type) {
    case FX_SCRIPT_OTHER:
        return "nonstandard";
    case FX_SCRIPT_P2PKH:
        return "pubkeyhash";
    case FX_SCRIPT_P2SH:
        return "scripthash";
    case FX_SCRIPT_P2WPKH:
        return "witness_v0_keyhash";
    case FX_SCRIPT_P2WSH:
        return "witness_v0_scripthash";
    case FX_SCRIPT_P2TR:
        return "witness_v1_taproot";
    case FX_SCRIPT_TASK:
        return "witness_v2_task";
    case FX_SCRIPT_WITNESS_UNKNOWN:
        return "witness_unknown";
    case FX_SCRIPT_RETURN:
        return "nulldata";
    }
    return "nonstandard";
}

bool fx_script_is_unspendable(struct fx_span script)
{
    return script.len > FX_SCRIPT_SIZE_MAX || (script.len > 0 && script.data[0] == FX_OP_RETURN);
}

void fx_script_p2tr(const uint8_t output_key[32], uint8_t script[34])
{
    script[0] = 0x51;
    script[1] = 32;
    memcpy(script + 2, output_key, 32);
}

void fx_script_p2wpkh(const uint8_t key_hash[20], uint8_t script[22])
{
    script[0] = 0;
    script[1] = 20;
    memcpy(script + 2, key_hash, 20);
}

enum fx_script_error fx_script_check_flags(const struct fx_script_check *check, uint32_t flags)
{
    const struct fx_txin *in = &check->tx->in[check->in];
    const struct fx_coin *coin = &check->spent[check->in];
    struct fx_script_context context = {.tx = check->tx,
                                        .in = check->in,
                                        .amount = coin->value,
                                        .spent = check->spent,
                                        .cache = check->cache,
                                        .memory = check->memory};

    return fx_script_verify(in->script_sig, fx_coin_script(coin), in->witness, in->n_witness, flags,
                            &context);
}

enum fx_verdict fx_script_check_run(const struct fx_script_check *check)
{
    return fx_verdict_of_script(fx_script_check_flags(check, FX_VERIFY_CONSENSUS));
}
