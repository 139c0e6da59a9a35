/* Kinds of output scripts: which one a script is, and making those that addresses stand for. */
#ifndef FX_CONSENSUS_SCRIPT_H
#define FX_CONSENSUS_SCRIPT_H

#include "consensus/script_ops.h"

enum fx_script_type {
    FX_SCRIPT_OTHER = 0,
    FX_SCRIPT_P2PKH,
    FX_SCRIPT_P2SH,
    FX_SCRIPT_P2WPKH,
    FX_SCRIPT_P2WSH,
    FX_SCRIPT_P2TR,
    FX_SCRIPT_TASK,
    FX_SCRIPT_WITNESS_UNKNOWN,
    FX_SCRIPT_RETURN, /* OP_RETURN and pushes: carries data */
    FX_SCRIPT_PUBKEY,
    FX_SCRIPT_MULTISIG, /* bare */
    FX_SCRIPT_ANCHOR    /* P2A: spendable by anybody, without a witness */
};

/* m of n keys, each of which is one by size and first byte. */
struct fx_script_multisig {
    unsigned required, n; /* 1 <= required <= n <= FX_SCRIPT_MULTISIG_KEYS_MAX */
    struct fx_span keys[FX_SCRIPT_MULTISIG_KEYS_MAX]; /* views */
};
bool fx_script_read_multisig(struct fx_span script, struct fx_script_multisig *multisig);

enum fx_script_type fx_script_classify(struct fx_span script);
/* "pubkeyhash", "witness_v0_keyhash", ... as Bitcoin Core's RPC names them; "witness_v2_task" for
 * ours. */
const char *fx_script_type_name(enum fx_script_type type);
/* True for a witness program; version and program (a view) are set. */
bool fx_script_is_witness(struct fx_span script, unsigned *version, struct fx_span *program);
bool fx_script_is_unspendable(struct fx_span script);
void fx_script_p2tr(const uint8_t output_key[32], uint8_t script[34]);
void fx_script_p2wpkh(const uint8_t key_hash[20], uint8_t script[22]);

#endif
