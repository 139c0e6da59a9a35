/* Base64. */
#include "src/util/base64.h"

#include <string.h>

#include "qa/unit/harness.h"

/* Of RFC 4648. */
static const struct {
    const char *plain, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

FX_TEST(there_and_back)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct fx_buf text = FX_BUF_INIT;
        uint8_t back[8];
        size_t n = strlen(vectors[i].plain), got;
        fx_base64_encode(&text, vectors[i].plain, n);
        fx_buf_u8(&text, 0);
        FX_CHECK_STR((const char *)text.data, vectors[i].text);
        FX_CHECK(fx_base64_decode(vectors[i].text, back, n, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK(n == 0 || memcmp(back, vectors[i].plain, n) == 0);
        FX_CHECK(n == 0 || !fx_base64_decode(vectors[i].text, back, n - 1, &got));
        fx_buf_clear(&text);
    }
}

FX_TEST(every_byte)
{
    struct fx_buf text = FX_BUF_INIT;
    uint8_t bytes[256], back[256];
    size_t n;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    fx_base64_encode(&text, bytes, sizeof(bytes));
    fx_buf_u8(&text, 0);
    FX_CHECK(fx_base64_decode((const char *)text.data, back, sizeof(back), &n));
    FX_CHECK_INT(n, sizeof(bytes));
    FX_CHECK_MEM(back, bytes, sizeof(bytes));
    fx_buf_clear(&text);
}

FX_TEST(what_is_none)
{
    static const char *const bad[] = {
        "Z",    "Zg",       "Zg=",   "Zm9",    /* too short for its bytes */
        "=",    "====",     "Z===",            /* padding alone, and too much of it */
        "Zg=v", "Zg==Zg==", "Zm9v=",           /* in the middle, and where none is needed */
        "Zh==", "Zm9=",                        /* bits left over */
        "Zm-v", "Zm_v",     " Zm9v", "Zm9v\n", /* other characters */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t out[16];
        size_t n;
        FX_CHECK(!fx_base64_decode(bad[i], out, sizeof(out), &n));
    }
}
