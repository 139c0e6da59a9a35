/* Kinds of output scripts. */
#include "consensus/script.h"

#include <string.h>

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

/* By its size and first byte; whether it is on the curve shows when it is used. */
static bool looks_like_key(struct fx_span key)
{
    if (key.len == 33) {
        return key.data[0] == 2 || key.data[0] == 3;
    }
    return key.len == 65 && (key.data[0] == 4 || key.data[0] == 6 || key.data[0] == 7);
}

/* A number up to 20, by its opcode or by the shortest push; 0: it is none. */
static unsigned small_count(const struct fx_op *op)
{
    if (op->code >= FX_OP_1 && op->code <= FX_OP_16) {
        return op->code - FX_OP_1 + 1u;
    }
    /* What has an opcode of its own has no shorter push. */
    if (op->code == 1 && op->data.data[0] > 16 && op->data.data[0] <= FX_SCRIPT_MULTISIG_KEYS_MAX) {
        return op->data.data[0];
    }
    return 0;
}

bool fx_script_read_multisig(struct fx_span script, struct fx_script_multisig *multisig)
{
    struct fx_script_walk walk;
    struct fx_op op;

    fx_script_walk_init(&walk, script);
    multisig->n = 0;
    if (!fx_script_walk_next(&walk, &op)) {
        return false;
    }
    multisig->required = small_count(&op);
    while (fx_script_walk_next(&walk, &op) && looks_like_key(op.data)) {
        if (multisig->n == FX_SCRIPT_MULTISIG_KEYS_MAX) {
            return false;
        }
        multisig->keys[multisig->n++] = op.data;
    }
    return multisig->required > 0 && multisig->required <= multisig->n && !walk.cut &&
           small_count(&op) == multisig->n && walk.at + 1 == walk.end &&
           *walk.at == FX_OP_CHECKMULTISIG;
}

static enum fx_script_type classify_bare(struct fx_span script)
{
    const uint8_t *s = script.data;
    struct fx_script_multisig multisig;

    if (script.len == 25 && s[0] == FX_OP_DUP && s[1] == FX_OP_HASH160 && s[2] == 20 &&
        s[23] == FX_OP_EQUALVERIFY && s[24] == FX_OP_CHECKSIG) {
        return FX_SCRIPT_P2PKH;
    }
    if (fx_script_is_p2sh(script)) {
        return FX_SCRIPT_P2SH;
    }
    if (script.len == 0) {
        return FX_SCRIPT_OTHER;
    }
    if (s[0] == FX_OP_RETURN && fx_script_is_push_only((struct fx_span){s + 1, script.len - 1})) {
        return FX_SCRIPT_RETURN;
    }
    if (s[0] + 2u == script.len && s[script.len - 1] == FX_OP_CHECKSIG &&
        looks_like_key((struct fx_span){s + 1, s[0]})) {
        return FX_SCRIPT_PUBKEY;
    }
    return fx_script_read_multisig(script, &multisig) ? FX_SCRIPT_MULTISIG : FX_SCRIPT_OTHER;
}

enum fx_script_type fx_script_classify(struct fx_span script)
{
    static const uint8_t anchor[] = {0x4e, 0x73};
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
        if (version == 1 && program.len == sizeof anchor &&
            memcmp(program.data, anchor, sizeof anchor) == 0) {
            return FX_SCRIPT_ANCHOR;
        }
        return FX_SCRIPT_WITNESS_UNKNOWN;
    }
    return classify_bare(script);
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
    case FX_SCRIPT_PUBKEY:
        return "pubkey";
    case FX_SCRIPT_MULTISIG:
        return "multisig";
    case FX_SCRIPT_ANCHOR:
        return "anchor";
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
