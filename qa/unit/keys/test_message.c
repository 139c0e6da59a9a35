/* Signed texts. */
#include "src/keys/message.h"

#include <string.h>

#include "qa/unit/harness.h"

static const char magic[] = "Bitcoin Signed Message:\n";
/* The private key 1, and the hashes of its public key in both forms. */
static const uint8_t one[32] = {[31] = 1};
static const char *const hash_of[2] = {"91b24bf9f5288532960ac687abb035127b1d28a5",
                                       "751e76e8199196d454941c45d1b3a323f1433bd6"};

FX_TEST(the_key_is_found_again)
{
    for (unsigned compressed = 0; compressed < 2; compressed++) {
        uint8_t signature[FX_MESSAGE_SIGNATURE], again[FX_MESSAGE_SIGNATURE];
        uint8_t found[20], right[20], entropy[32] = {7};
        struct fx_hash hash, other;

        fx_message_hash(magic, "a text", &hash);
        FX_CHECK(fx_message_sign(one, compressed, entropy, &hash, signature));
        FX_CHECK(fx_message_signer(&hash, signature, found));
        FX_CHECK_HEX(found, hash_of[compressed]);
        entropy[0]++; /* hides the secret, and changes nothing */
        FX_CHECK(fx_message_sign(one, compressed, entropy, &hash, again));
        FX_CHECK_MEM(again, signature, sizeof(signature));
        fx_message_hash(magic, "another text", &other);
        memcpy(right, found, sizeof(right));
        FX_CHECK(!fx_message_signer(&other, signature, found) ||
                 memcmp(found, right, sizeof(right)) != 0);
    }
}

FX_TEST(what_nobody_signed)
{
    const uint8_t entropy[32] = {0};
    uint8_t signature[FX_MESSAGE_SIGNATURE], found[20];
    struct fx_hash hash;

    fx_message_hash(magic, "", &hash);
    FX_CHECK(fx_message_sign(one, true, entropy, &hash, signature));
    signature[0] = 26;
    FX_CHECK(!fx_message_signer(&hash, signature, found));
    signature[0] = 35;
    FX_CHECK(!fx_message_signer(&hash, signature, found));
    memset(signature, 0, sizeof(signature));
    signature[0] = 31;
    FX_CHECK(!fx_message_signer(&hash, signature, found));
    memset(signature + 1, 0xff, sizeof(signature) - 1); /* over the order of the group */
    FX_CHECK(!fx_message_signer(&hash, signature, found));
}
