/* Signature hashes: Bitcoin's first one, BIP143 for segwit version 0, BIP341 and BIP342 for taproot
 * and task spends. */
#ifndef FX_CONSENSUS_SIGHASH_H
#define FX_CONSENSUS_SIGHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/tx.h"

#define FX_SIGHASH_DEFAULT 0
#define FX_SIGHASH_ALL 1
#define FX_SIGHASH_NONE 2
#define FX_SIGHASH_SINGLE 3
#define FX_SIGHASH_ANYONECANPAY 0x80

/* Hashes over the whole transaction, computed once for all of its inputs. */
struct fx_sighash_cache {
    /* BIP143, double SHA-256 */
    struct fx_hash v0_prevouts, v0_sequences, v0_outputs;
    /* BIP341, single SHA-256 */
    struct fx_hash prevouts, amounts, scripts, sequences, outputs;
};

/* spent: tx->n_in coins; NULL where they are not known: the hashes of BIP341 are then not to be
 * used. */
void fx_sighash_cache_init(struct fx_sighash_cache *cache, const struct fx_tx *tx,
                           const struct fx_coin *spent);

/*
 * Before segwit: script_code is the script that is signed, from the last CODESEPARATOR that was
 * run; the others are left out here. A SINGLE without its output signs the number 1. in < tx->n_in.
 */
void fx_sighash_legacy(const struct fx_tx *tx, size_t in, struct fx_span script_code,
                       uint32_t hash_type, struct fx_hash *hash);
/* BIP143. script_code: the script that is signed (for P2WPKH, that of P2PKH). */
void fx_sighash_v0(const struct fx_tx *tx, size_t in, struct fx_span script_code, int64_t amount,
                   uint32_t hash_type, const struct fx_sighash_cache *cache, struct fx_hash *hash);
/* BIP341 key path, ext_flag 0, with or without annex. False for an invalid hash type. */
bool fx_sighash_taproot(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                        uint8_t hash_type, const struct fx_span *annex,
                        const struct fx_sighash_cache *cache, struct fx_hash *hash);
/* What the signatures of one taproot input have in common. Only begin with fx_sighash_spend_init.
 */
struct fx_sighash_spend {
    bool has_annex;
    struct fx_hash annex_hash;
    bool has_leaf; /* the script path: BIP342's extension, ext_flag 1 */
    struct fx_hash leaf_hash;
    uint32_t codesep_pos; /* UINT32_MAX: none was run */
    bool has_output_hash; /* that of SINGLE, once it was needed */
    struct fx_hash output_hash;
};
/* annex: NULL where there is none. */
void fx_sighash_spend_init(struct fx_sighash_spend *spend, const struct fx_span *annex);
/* BIP341 with either path. False for an invalid hash type. spend->output_hash may be filled. */
bool fx_sighash_taproot_spend(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                              uint8_t hash_type, struct fx_sighash_spend *spend,
                              const struct fx_sighash_cache *cache, struct fx_hash *hash);
/* Protocol section 5: TH("fornax/tasksighash", action u8 || 0x00 || SigMsg(0x00, 0)). */
void fx_sighash_task(const struct fx_tx *tx, size_t in, const struct fx_coin *spent, uint8_t action,
                     const struct fx_sighash_cache *cache, struct fx_hash *hash);

#endif
