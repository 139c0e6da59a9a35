/* ECDSA signatures in DER. The spends of test_script.c go through the strict form. */
#include "consensus/der.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

/* r and s as they come out, 0 where there are none. */
static bool lax(const char *hex, uint8_t compact[64])
{
    uint8_t raw[600];
    size_t n = fx_unit_unhex(hex, raw, sizeof raw);
    /* Exactly as long, so that a read beyond it is found. */
    uint8_t *exact = fx_xmemdup(raw, n);
    bool ok = fx_der_read_lax((struct fx_span){exact, n}, compact);

    free(exact);
    return ok;
}

static void expect(const char *hex, unsigned r, unsigned s)
{
    uint8_t compact[64], expected[64] = {0};

    expected[30] = (uint8_t)(r >> 8);
    expected[31] = (uint8_t)r;
    expected[62] = (uint8_t)(s >> 8);
    expected[63] = (uint8_t)s;
    FX_CHECK(lax(hex, compact));
    FX_CHECK_MEM(compact, expected, sizeof compact);
}

static void refuse(const char *hex)
{
    uint8_t compact[64];

    FX_CHECK(!lax(hex, compact));
}

#define ONES32 "0101010101010101010101010101010101010101010101010101010101010101"

FX_TEST(forms_that_were_taken_once)
{
    expect("3006020101020102", 1, 2);
    expect("30080202aabb02021234", 0xaabb, 0x1234); /* without the sign byte */
    expect("3000020101020102", 1, 2);               /* the sequence's length is not looked at */
    expect("307f020101020102", 1, 2);
    expect("308106020101020102", 1, 2); /* lengths of more bytes than they need */
    expect("3083ffffff020101020102", 1, 2);
    expect("3006028101010282000102", 1, 2); /* leading zeros of a length do not count */
    expect("300602840000000101028300000102", 1, 2);
    expect("3006028700000000000001010201020304", 1, 2); /* bytes left over */
    expect("300602040000000102020002", 1, 2);           /* leading zeros of the numbers */
    expect("300402000200", 0, 0);                       /* numbers of nothing */
    expect("300602000201ff", 0, 0xff);
    expect("300502000281"
           "00",
           0, 0);
    expect("30060201010280"
           "00",
           1, 0); /* a length that no byte says */
}

FX_TEST(numbers_that_are_too_long_are_zero)
{
    uint8_t compact[64], zero[64] = {0};

    expect("30260221010000000000000000000000000000000000000000000000000000000000000000020102", 0,
           0);
    expect("30260201010221010000000000000000000000000000000000000000000000000000000000000000", 0,
           0);
    FX_CHECK(lax("304502210000" ONES32 "0220" ONES32, compact) == false);
    FX_CHECK(lax("3045022100" ONES32 "0220" ONES32, compact));
    FX_CHECK(memcmp(compact, zero, sizeof zero) != 0);
    for (size_t i = 0; i < sizeof compact; i++) {
        FX_CHECK_INT(compact[i], 1);
    }
}

FX_TEST(what_holds_no_two_numbers)
{
    static const char good[] = "3006020101020102";
    char cut[sizeof good];

    for (size_t n = 0; n + 1 < sizeof good; n += 2) {
        memcpy(cut, good, n);
        cut[n] = 0;
        refuse(cut);
    }
    refuse("3106020101020102");
    refuse("3006030101020102");
    refuse("3006020101030102");
    refuse("30890201010201");
    refuse("3006020501020102"); /* a number beyond the end */
    refuse("30060201010202ff");
    refuse("3006028401000000010201"); /* lengths that no signature has */
    refuse("300602850001000000010201");
    refuse("3006028a01");
    refuse("300602830100000102");
}

FX_TEST(lengths_of_three_bytes)
{
    static uint8_t der[65536 + 20] = {0x30, 0, 0x02, 0x83, 1, 0, 1};
    struct fx_span span = {der, 7 + 65537 + 3};
    uint8_t compact[64];

    der[7 + 65536] = 5;
    memcpy(der + 7 + 65537, "\x02\x01\x06", 3);
    FX_CHECK(fx_der_read_lax(span, compact));
    FX_CHECK_INT(compact[31], 5);
    FX_CHECK_INT(compact[63], 6);
    span.len -= 4;
    FX_CHECK(!fx_der_read_lax(span, compact));
}

FX_TEST(what_strict_is)
{
    static const struct {
        const char *hex;
        bool strict;
    } cases[] = {
        {"3006020101020101"
         "01",
         true},
        {"3006020100020101"
         "01",
         true}, /* zero is a number */
        {"3006020101020100"
         "01",
         true},
        {"3006020181020101"
         "01",
         false}, /* negative */
        {"3006020101020181"
         "01",
         false},
        {"300702020001020101"
         "01",
         false}, /* a zero byte too many */
        {"300702020081020101"
         "01",
         true},
        {"300702010102020001"
         "01",
         false},
        {"300702010102020081"
         "01",
         true},
        {"30050200020101"
         "01",
         false},
        {"30050201010200"
         "01",
         false},
        {"30070205010101010101", false}, /* one number that fills it */
        {"3007020101020101"
         "0001",
         false},
        {"3006020101030101"
         "01",
         false},
        {"3006030101020101"
         "01",
         false},
        {"3106020101020101"
         "01",
         false},
        {"3005020101020101"
         "01",
         false},
        {"3007020101020101"
         "01",
         false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[80], *exact;
        size_t n = fx_unit_unhex(cases[i].hex, raw, sizeof raw);

        exact = fx_xmemdup(raw, n);
        FX_CHECK_INT(fx_der_is_strict((struct fx_span){exact, n}), cases[i].strict);
        free(exact);
    }
    /* 73 bytes at most: numbers of 33 at most. */
    for (uint8_t r = 32; r <= 35; r++) {
        uint8_t raw[80] = {0x30, (uint8_t)(2 + r + 2 + 33), 0x02, r, 1};
        size_t n = 2u + 2u + r + 2u + 33u + 1u;

        raw[4 + r] = 0x02;
        raw[5 + r] = 33;
        raw[6 + r] = 1;
        raw[n - 1] = 1;
        FX_CHECK_INT(fx_der_is_strict((struct fx_span){raw, n}), r <= 33);
    }
}

/* What the library writes is strict, and reads the same both ways. */
FX_TEST(strict_signatures)
{
    for (unsigned i = 0; i < fx_unit_rounds(50); i++) {
        struct fx_hash hash;
        struct fx_span sig;
        uint8_t der[80], compact[64], *exact;
        size_t n, r_len;

        fx_unit_rand_fill(hash.b, sizeof hash.b);
        n = world_sign_ecdsa(1 + i % 5, &hash, der);
        der[n] = 1;
        sig.data = der;
        sig.len = n + 1;
        FX_CHECK(fx_der_is_strict(sig));
        FX_CHECK(fx_der_read_lax((struct fx_span){der, n}, compact));
        r_len = der[3];
        FX_CHECK_MEM(compact + 32 - (r_len > 32 ? 32 : r_len), der + 4 + (r_len > 32),
                     r_len > 32 ? 32 : r_len);
        for (size_t len = 0; len <= n; len++) {
            exact = fx_xmemdup(der, len);
            FX_CHECK(!fx_der_is_strict((struct fx_span){exact, len}));
            free(exact);
        }
    }
}
