/* Signed texts: made, and traced back to the key. */
#include "src/keys/message.h"

#include <string.h>

#include <secp256k1_recovery.h>

#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/util/buf.h"

#define FIRST_BYTE 27 /* and four such values for each form of the key */
#define COMPRESSED 4

void fx_message_hash(const char *magic, const char *text, struct fx_hash *hash)
{
    struct fx_buf bytes = FX_BUF_INIT;
    fx_buf_var_bytes(&bytes, magic, strlen(magic));
    fx_buf_var_bytes(&bytes, text, strlen(text));
    fx_sha256d(bytes.data, bytes.len, hash->b);
    fx_buf_clear(&bytes);
}

bool fx_message_sign(const uint8_t secret[32], bool compressed, const uint8_t entropy[32],
                     const struct fx_hash *hash, uint8_t signature[FX_MESSAGE_SIGNATURE])
{
    secp256k1_context *secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    secp256k1_ecdsa_recoverable_signature made;
    secp256k1_pubkey own, found;
    int id = 0;
    bool ok =
        secp256k1_context_randomize(secp, entropy) &&
        secp256k1_ecdsa_sign_recoverable(secp, &made, hash->b, secret, NULL, NULL) &&
        secp256k1_ecdsa_recoverable_signature_serialize_compact(secp, signature + 1, &id, &made) &&
        secp256k1_ec_pubkey_create(secp, &own, secret) &&
        secp256k1_ecdsa_recover(secp, &found, &made, hash->b) &&
        secp256k1_ec_pubkey_cmp(secp, &own, &found) == 0;
    signature[0] = (uint8_t)(FIRST_BYTE + id + (compressed ? COMPRESSED : 0));
    secp256k1_context_destroy(secp);
    return ok;
}

bool fx_message_signer(const struct fx_hash *hash, const uint8_t signature[FX_MESSAGE_SIGNATURE],
                       uint8_t key_hash[20])
{
    const secp256k1_context *secp = secp256k1_context_static;
    unsigned form = (unsigned)signature[0] - FIRST_BYTE;
    secp256k1_ecdsa_recoverable_signature read;
    secp256k1_pubkey key;
    uint8_t bytes[65];
    size_t n = sizeof(bytes);
    if (form >= 2 * COMPRESSED ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(secp, &read, signature + 1,
                                                             (int)(form % COMPRESSED)) ||
        !secp256k1_ecdsa_recover(secp, &key, &read, hash->b)) {
        return false;
    }
    secp256k1_ec_pubkey_serialize(secp, bytes, &n, &key,
                                  form >= COMPRESSED ? SECP256K1_EC_COMPRESSED
                                                     : SECP256K1_EC_UNCOMPRESSED);
    fx_hash160(bytes, n, key_hash);
    return true;
}
