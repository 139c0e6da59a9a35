/* Output descriptors and addresses: what parses is written as a text that means the same. The first
 * byte of the input is the number of a chain and says which of the two. */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "src/keys/address.h"
#include "src/keys/descriptor.h"

static bool same(const struct fx_buf *a, const struct fx_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void check_address(const struct fx_params *params, const char *text)
{
    char error[FX_ADDRESS_ERROR], address[FX_ADDRESS_MAX];
    struct fx_buf script = FX_BUF_INIT, again = FX_BUF_INIT;

    if (fx_address_decode(params, text, &script, error)) {
        FX_FUZZ_CHECK(
            fx_address_encode(params, (struct fx_span){script.data, script.len}, address));
        FX_FUZZ_CHECK(fx_address_decode(params, address, &again, error));
        FX_FUZZ_CHECK(same(&script, &again));
    } else {
        FX_FUZZ_CHECK(memchr(error, 0, sizeof error) != NULL && script.len == 0);
    }
    fx_buf_clear(&script);
    fx_buf_clear(&again);
}

/* What can be told of a script without more names the same script. */
static void check_infer(const struct fx_params *params, const struct fx_buf *script)
{
    char error[FX_DESCRIPTOR_ERROR];
    char *text = fx_descriptor_infer(params, (struct fx_span){script->data, script->len});
    struct fx_descriptor *descriptor = fx_descriptor_parse(params, text, false, error);
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n;

    FX_FUZZ_CHECK(descriptor != NULL);
    FX_FUZZ_CHECK(fx_descriptor_scripts(descriptor, 0, scripts, &n) && n == 1);
    FX_FUZZ_CHECK(same(&scripts[0], script));
    fx_buf_clear(&scripts[0]);
    fx_descriptor_destroy(descriptor);
    free(text);
}

/* Both give the same scripts at this position, where the public one gives any. */
static void check_scripts(const struct fx_params *params, const struct fx_descriptor *descriptor,
                          const struct fx_descriptor *public, uint32_t position)
{
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX], others[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n = 0, n_others = 0;
    bool given = fx_descriptor_scripts(descriptor, position, scripts, &n);
    bool others_given = fx_descriptor_scripts(public, position, others, &n_others);

    FX_FUZZ_CHECK(given || !others_given);
    FX_FUZZ_CHECK(n <= FX_DESCRIPTOR_SCRIPTS_MAX && (!others_given || n == n_others));
    for (size_t i = 0; given && i < n; i++) {
        FX_FUZZ_CHECK(!others_given || same(&scripts[i], &others[i]));
        check_infer(params, &scripts[i]);
        fx_buf_clear(&scripts[i]);
    }
    for (size_t i = 0; others_given && i < n_others; i++) {
        fx_buf_clear(&others[i]);
    }
}

static void check_descriptor(const struct fx_params *params, const char *text)
{
    char error[FX_DESCRIPTOR_ERROR];
    struct fx_descriptor *descriptor = fx_descriptor_parse(params, text, false, error), *public;
    char *once, *twice;

    if (descriptor == NULL) {
        FX_FUZZ_CHECK(memchr(error, 0, sizeof error) != NULL && error[0] != 0);
        return;
    }
    once = fx_descriptor_text(descriptor);
    public = fx_descriptor_parse(params, once, true, error);
    FX_FUZZ_CHECK(public != NULL && !fx_descriptor_has_secrets(public));
    twice = fx_descriptor_text(public);
    FX_FUZZ_CHECK(strcmp(once, twice) == 0);
    FX_FUZZ_CHECK(fx_descriptor_is_range(descriptor) == fx_descriptor_is_range(public));
    FX_FUZZ_CHECK(fx_descriptor_is_combo(descriptor) == fx_descriptor_is_combo(public));
    FX_FUZZ_CHECK(fx_descriptor_is_solvable(descriptor) == fx_descriptor_is_solvable(public));
    check_scripts(params, descriptor, public, 0);
    check_scripts(params, descriptor, public, 7);
    free(once);
    free(twice);
    fx_descriptor_destroy(descriptor);
    fx_descriptor_destroy(public);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const enum fx_chain_kind chains[] = {FX_MAIN, FX_TEST, FX_REGTEST, FX_BTCREGTEST};
    const struct fx_params *params;
    char *text;

    if (length == 0 || length > FX_DESCRIPTOR_TEXT_MAX) {
        return 0;
    }
    params = fx_params_get(chains[data[0] % 4]);
    text = calloc(1, length);
    if (text == NULL) {
        abort();
    }
    memcpy(text, data + 1, length - 1);
    if (data[0] / 4 % 2 == 0) {
        check_descriptor(params, text);
    } else {
        check_address(params, text);
    }
    free(text);
    return 0;
}
