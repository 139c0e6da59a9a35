/* BIP340 signatures, by libsecp256k1's static context: verifying needs no other. */
#include "consensus/spend.h"

#include <secp256k1_schnorrsig.h>

bool fx_schnorr_verify(const struct fx_hash *key, const struct fx_hash *hash,
                       const uint8_t signature[64])
{
    secp256k1_xonly_pubkey point;

    if (!secp256k1_xonly_pubkey_parse(secp256k1_context_static, &point, key->b)) {
        return false;
    }
    return secp256k1_schnorrsig_verify(secp256k1_context_static, signature, hash->b,
                                       sizeof(hash->b), &point) == 1;
}
