/* Text forms: what decodes is encoded as the same text. The first byte of the input says which. */
#include "qa/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

#include "src/util/base58.h"
#include "src/util/bech32.h"
#include "src/util/hex.h"

#define MAX_BYTES 128

static void check_hex(const char *text)
{
    uint8_t *bytes;
    size_t length;
    char *again;

    if (fx_hex_decode_dup(text, MAX_BYTES, &bytes, &length)) {
        FX_FUZZ_CHECK(length <= MAX_BYTES);
        again = fx_hex_dup(bytes, length);
        FX_FUZZ_CHECK(strcasecmp(again, text) == 0);
        free(again);
        free(bytes);
    }
}

static void check_base58(const char *text)
{
    uint8_t bytes[MAX_BYTES];
    size_t length;
    char *again;

    if (fx_base58_decode(text, bytes, sizeof(bytes), &length)) {
        FX_FUZZ_CHECK(length <= sizeof(bytes));
        again = fx_base58_encode(bytes, length);
        FX_FUZZ_CHECK(strcmp(again, text) == 0);
        free(again);
    }
    fx_base58check_decode(text, bytes, sizeof(bytes), &length);
}

static void check_segwit(const char *text)
{
    uint8_t program[40];
    char again[FX_BECH32_ADDRESS_MAX];
    unsigned version;
    size_t length;

    if (fx_segwit_decode("fx", text, &version, program, &length)) {
        FX_FUZZ_CHECK(version <= 16 && length >= 2 && length <= sizeof(program));
        FX_FUZZ_CHECK(fx_segwit_encode("fx", version, program, length, again));
        FX_FUZZ_CHECK(strcasecmp(again, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *text;

    if (length == 0) {
        return 0;
    }
    text = calloc(1, length);
    if (text == NULL) {
        abort();
    }
    memcpy(text, data + 1, length - 1);
    switch (data[0] % 3) {
    case 0:
        check_hex(text);
        break;
    case 1:
        check_base58(text);
        break;
    case 2:
        check_segwit(text);
        break;
    }
    free(text);
    return 0;
}
