/* Signature hashes: BIP143 for segwit version 0, BIP341 for taproot and task spends. */
#ifndef FX_CONSENSUS_SIGHASH_H
#define FX_CONSENSUS_SIGHASH_H

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

/* spent: tx->n_in coins. */
void fx_sighash_cache_init(struct fx_sighash_cache *cache, const struct fx_tx *tx,
                           const struct fx_coin *spent);

/* BIP143. script_code: the script that is signed (for P2WPKH, that of P2PKH). */
void fx_sighash_v0(const struct fx_tx *tx, size_t in, struct fx_span script_code, int64_t amount,
                   uint32_t hash_type, const struct fx_sighash_cache *cache, struct fx_hash *hash);
/* BIP341 key path, ext_flag 0, with or without annex. False for an invalid hash type. */
bool fx_sighash_taproot(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                        uint8_t hash_type, const struct fx_span *annex,
                        const struct fx_sighash_cache *cache, struct fx_hash *hash);
/* Protocol section 5: TH("fornax/tasksighash", action u8 || 0x00 || SigMsg(0x00, 0)). */
void fx_sighash_task(const struct fx_tx *tx, size_t in, const struct fx_coin *spent, uint8_t action,
                     const struct fx_sighash_cache *cache, struct fx_hash *hash);

#endif
