/* The bounded reader: every value, every bound. */
#include "src/util/reader.h"

#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/buf.h"

FX_TEST(reads_what_was_written)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash h, got;
    uint8_t copy[2];
    size_t n;
    fx_unit_rand_fill(h.b, sizeof h.b);
    fx_buf_u8(&buf, 200);
    fx_buf_u16(&buf, 50000);
    fx_buf_u16be(&buf, 50001);
    fx_buf_u32(&buf, 0xfedcba98);
    fx_buf_u64(&buf, UINT64_C(0xfedcba9876543210));
    fx_buf_i64(&buf, INT64_MIN);
    fx_buf_hash(&buf, &h);
    fx_buf_bytes(&buf, "xy", 2);
    fx_buf_var_bytes(&buf, "tile", 4);

    struct fx_reader r;
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK_INT(fx_read_u8(&r), 200);
    FX_CHECK_INT(fx_read_u16(&r), 50000);
    FX_CHECK_INT(fx_read_u16be(&r), 50001);
    FX_CHECK_INT(fx_read_u32(&r), 0xfedcba98);
    FX_CHECK_INT(fx_read_u64(&r), UINT64_C(0xfedcba9876543210));
    FX_CHECK_INT(fx_read_i64(&r), INT64_MIN);
    got = fx_read_hash(&r);
    FX_CHECK(fx_hash_equal(&h, &got));
    fx_read_copy(&r, copy, 2);
    FX_CHECK_MEM(copy, "xy", 2);
    FX_CHECK(!fx_reader_done(&r));
    const uint8_t *view = fx_read_var_bytes(&r, 4, &n);
    FX_CHECK_INT(n, 4);
    FX_CHECK(view == buf.data + buf.len - 4);
    FX_CHECK(fx_reader_done(&r));
    fx_buf_clear(&buf);
}

/* One read of each kind over too few bytes: bad, zero, and bad for ever. */
FX_TEST(past_the_end)
{
    static const uint8_t data[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const size_t widths[] = {1, 2, 2, 4, 8, 8, 32};
    for (unsigned kind = 0; kind < 7; kind++) {
        for (size_t have = 0; have <= widths[kind]; have++) {
            struct fx_reader r;
            struct fx_hash h;
            bool zero = false;
            fx_reader_init(&r, data, have);
            switch (kind) {
            case 0:
                zero = fx_read_u8(&r) == 0;
                break;
            case 1:
                zero = fx_read_u16(&r) == 0;
                break;
            case 2:
                zero = fx_read_u16be(&r) == 0;
                break;
            case 3:
                zero = fx_read_u32(&r) == 0;
                break;
            case 4:
                zero = fx_read_u64(&r) == 0;
                break;
            case 5:
                zero = fx_read_i64(&r) == 0;
                break;
            case 6:
                h = fx_read_hash(&r);
                zero = fx_hash_is_zero(&h);
                break;
            }
            const bool enough = have == widths[kind];
            FX_CHECK_INT(zero, !enough);
            FX_CHECK_INT(r.bad, !enough);
            FX_CHECK_INT(fx_reader_done(&r), enough);
        }
    }
}

FX_TEST(bad_stays_bad)
{
    static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t copy[3] = {9, 9, 9};
    size_t n = 5;
    struct fx_reader r;
    fx_reader_init(&r, data, 3);
    FX_CHECK_INT(fx_read_u32(&r), 0);
    FX_CHECK(r.bad);
    FX_CHECK_INT(fx_read_u8(&r), 0);
    FX_CHECK(!fx_read_bytes(&r, 0));
    fx_read_copy(&r, copy, 3);
    FX_CHECK_HEX(copy, "000000");
    FX_CHECK_INT(fx_read_var(&r), 0);
    FX_CHECK_INT(fx_read_count(&r, 10, 0), 0);
    FX_CHECK(!fx_read_var_bytes(&r, 10, &n));
    FX_CHECK_INT(n, 0);
    FX_CHECK(!fx_reader_done(&r));
}

FX_TEST(nothing_to_read)
{
    struct fx_reader r;
    fx_reader_init(&r, NULL, 0);
    FX_CHECK(fx_reader_done(&r));
    FX_CHECK(fx_read_bytes(&r, 0));
    FX_CHECK(!r.bad);
    FX_CHECK(!fx_read_bytes(&r, 1));
    FX_CHECK(r.bad);
}

FX_TEST(huge_lengths_do_not_wrap)
{
    static const uint8_t data[4];
    struct fx_reader r;
    fx_reader_init(&r, data, sizeof data);
    FX_CHECK(!fx_read_bytes(&r, SIZE_MAX));
    FX_CHECK(r.bad);
}

static uint64_t read_var_hex(const char *hex, bool *bad)
{
    uint8_t data[16];
    struct fx_reader r;
    fx_reader_init(&r, data, fx_unit_unhex(hex, data, sizeof data));
    const uint64_t v = fx_read_var(&r);
    *bad = r.bad;
    return v;
}

FX_TEST(compact_size_shortest_form_only)
{
    static const char *const refused[] = {
        "",
        "fd",
        "fdfd",
        "fdfc00",
        "fd0000",
        "feffff",
        "feffff0000",
        "fe00000000",
        "fefd000000",
        "ffffffffff",
        "ffffffffff00000000",
        "ff0000000000000000",
        "ff00000000010000",
    };
    bool bad;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        FX_CHECK_INT(read_var_hex(refused[i], &bad), 0);
        FX_CHECK(bad);
    }
    static const uint64_t edges[] = {
        0, 0xfc, 0xfd, 0xffff, 0x10000, 0xffffffff, UINT64_C(0x100000000), UINT64_MAX,
    };
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        struct fx_buf buf = FX_BUF_INIT;
        struct fx_reader r;
        fx_buf_var(&buf, edges[i]);
        fx_reader_init(&r, buf.data, buf.len);
        FX_CHECK_INT(fx_read_var(&r), edges[i]);
        FX_CHECK(fx_reader_done(&r));
        fx_buf_clear(&buf);
    }
}

/* fx_read_count over a count byte and `left` bytes after it. */
static bool count_accepted(uint8_t count, size_t left, uint64_t max, size_t unit)
{
    uint8_t data[100] = {0};
    struct fx_reader r;
    data[0] = count;
    fx_reader_init(&r, data, 1 + left);
    const uint64_t got = fx_read_count(&r, max, unit);
    FX_CHECK_INT(got, r.bad ? 0 : count);
    return !r.bad;
}

FX_TEST(counts_are_bounded)
{
    FX_CHECK(count_accepted(5, 0, 5, 0));
    FX_CHECK(!count_accepted(6, 99, 5, 0));
    FX_CHECK(count_accepted(3, 12, 9, 4));
    FX_CHECK(!count_accepted(3, 11, 9, 4));
    FX_CHECK(count_accepted(0, 0, 9, 4));
    FX_CHECK(!count_accepted(2, 60, 9, SIZE_MAX));
}

FX_TEST(var_bytes_are_bounded)
{
    static const uint8_t data[] = {3, 0xaa, 0xbb, 0xcc, 0};
    struct fx_reader r;
    size_t n;
    fx_reader_init(&r, data, 4);
    FX_CHECK(!fx_read_var_bytes(&r, 2, &n) && r.bad);
    fx_reader_init(&r, data, 3);
    FX_CHECK(!fx_read_var_bytes(&r, 3, &n) && r.bad);
    fx_reader_init(&r, data, 5);
    FX_CHECK(fx_read_var_bytes(&r, 3, &n) == data + 1);
    FX_CHECK_INT(n, 3);
    FX_CHECK(fx_read_var_bytes(&r, 3, &n));
    FX_CHECK_INT(n, 0);
    FX_CHECK(fx_reader_done(&r));
}
