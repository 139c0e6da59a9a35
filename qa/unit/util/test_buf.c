/* Buffers and the writers of the wire format. */
#include "src/util/buf.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

static void check_content(struct fx_buf *buf, const char *hex)
{
    FX_CHECK_INT(buf->len, strlen(hex) / 2);
    FX_CHECK(buf->cap >= buf->len);
    FX_CHECK_HEX(buf->data, hex);
}

FX_TEST(integers)
{
    struct fx_buf buf = FX_BUF_INIT;
    fx_buf_u8(&buf, 0xfe);
    fx_buf_u16(&buf, 0x0102);
    fx_buf_u16be(&buf, 0x0304);
    fx_buf_u32(&buf, 0x05060708);
    fx_buf_u32be(&buf, 0x8090a0b0);
    fx_buf_u64(&buf, UINT64_C(0xf1f2f3f4f5f6f7f8));
    fx_buf_i64(&buf, -2);
    check_content(&buf, "fe"
                        "0201"
                        "0304"
                        "08070605"
                        "8090a0b0"
                        "f8f7f6f5f4f3f2f1"
                        "feffffffffffffff");
    fx_buf_clear(&buf);
    FX_CHECK(!buf.data && buf.len == 0 && buf.cap == 0);
}

FX_TEST(compact_size)
{
    static const struct {
        uint64_t v;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {0xfc, "fc"},
        {0xfd, "fdfd00"},
        {0xffff, "fdffff"},
        {0x10000, "fe00000100"},
        {0xffffffff, "feffffffff"},
        {UINT64_C(0x100000000), "ff0000000001000000"},
        {UINT64_MAX, "ffffffffffffffffff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fx_buf buf = FX_BUF_INIT;
        fx_buf_var(&buf, cases[i].v);
        check_content(&buf, cases[i].hex);
        FX_CHECK_INT(fx_var_size(cases[i].v), buf.len);
        fx_buf_clear(&buf);
    }
}

FX_TEST(bytes_and_text)
{
    struct fx_buf buf;
    struct fx_hash h;
    memset(h.b, 0x11, sizeof h.b);
    fx_buf_init(&buf);
    fx_buf_bytes(&buf, NULL, 0);
    FX_CHECK_INT(buf.len, 0);
    fx_buf_bytes(&buf, "\x01\x02", 2);
    fx_buf_var_bytes(&buf, "\xaa\xbb\xcc", 3);
    fx_buf_var_bytes(&buf, NULL, 0);
    fx_buf_str(&buf, "ab");
    fx_buf_hash(&buf, &h);
    check_content(&buf, "0102"
                        "03aabbcc"
                        "00"
                        "6162"
                        "1111111111111111111111111111111111111111111111111111111111111111");
    fx_buf_clear(&buf);
}

FX_TEST(printf_of_any_length)
{
    char expected[400];
    memset(expected, 'x', sizeof expected);
    for (int n = 0; n < (int)sizeof expected - 2; n++) {
        struct fx_buf buf = FX_BUF_INIT;
        fx_buf_u8(&buf, '<');
        fx_buf_printf(&buf, "%.*s%d", n, expected, 7);
        FX_CHECK_INT(buf.len, n + 2);
        FX_CHECK_INT(buf.data[0], '<');
        FX_CHECK_MEM(buf.data + 1, expected, (size_t)n);
        FX_CHECK_INT(buf.data[n + 1], '7');
        fx_buf_clear(&buf);
    }
}

FX_TEST(grows_by_random_pieces)
{
    uint8_t *model = malloc(1 << 20);
    FX_CHECK(model);
    struct fx_buf buf = FX_BUF_INIT;
    while (buf.len < 900000) {
        const size_t n = (size_t)fx_unit_rand_below(20000), before = buf.len;
        uint8_t *p = fx_buf_extend(&buf, n);
        FX_CHECK(p == buf.data + before);
        fx_unit_rand_fill(p, n);
        memcpy(model + before, p, n);
    }
    FX_CHECK_MEM(buf.data, model, buf.len);
    fx_buf_clear(&buf);
    free(model);
}

FX_TEST(reserve_then_no_move)
{
    struct fx_buf buf = FX_BUF_INIT;
    fx_buf_reserve(&buf, 5000);
    const uint8_t *data = buf.data;
    for (unsigned i = 0; i < 5000; i++)
        fx_buf_u8(&buf, (uint8_t)i);
    FX_CHECK(buf.data == data);
    fx_buf_clear(&buf);
}

FX_TEST(extend_by_nothing)
{
    struct fx_buf buf = FX_BUF_INIT;
    FX_CHECK(fx_buf_extend(&buf, 0));
    FX_CHECK_INT(buf.len, 0);
    fx_buf_clear(&buf);
}

FX_TEST(steal)
{
    struct fx_buf buf = FX_BUF_INIT;
    size_t n;
    fx_buf_str(&buf, "brick");
    uint8_t *data = fx_buf_steal(&buf, &n);
    FX_CHECK_INT(n, 5);
    FX_CHECK_MEM(data, "brick", 5);
    FX_CHECK(!buf.data && buf.len == 0 && buf.cap == 0);
    fx_buf_str(&buf, "again");
    FX_CHECK_MEM(data, "brick", 5);
    free(data);
    data = fx_buf_steal(&buf, NULL);
    FX_CHECK_MEM(data, "again", 5);
    free(data);
}

FX_TEST(loads_and_stores_at_any_alignment)
{
    uint8_t data[24];
    for (unsigned shift = 0; shift < 8; shift++) {
        uint8_t *p = data + shift;
        for (unsigned i = 0; i < 8; i++)
            p[i] = (uint8_t)(0xf1 + i);
        FX_CHECK_INT(fx_load_u16(p), 0xf2f1);
        FX_CHECK_INT(fx_load_u32(p), 0xf4f3f2f1);
        FX_CHECK_INT(fx_load_u64(p), UINT64_C(0xf8f7f6f5f4f3f2f1));
        FX_CHECK_INT(fx_load_u32be(p), 0xf1f2f3f4);
        FX_CHECK_INT(fx_load_u64be(p), UINT64_C(0xf1f2f3f4f5f6f7f8));
        fx_store_u32(p, 0x01020304);
        FX_CHECK_HEX(p, "04030201f5");
        fx_store_u32be(p, 0x01020304);
        FX_CHECK_HEX(p, "01020304f5");
        fx_store_u64(p, UINT64_C(0x0102030405060708));
        FX_CHECK_HEX(p, "0807060504030201");
        fx_store_u64be(p, UINT64_C(0x0102030405060708));
        FX_CHECK_HEX(p, "0102030405060708");
    }
}
