/* Scripts as sequences of operations. */
#include "consensus/script_ops.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script_num.h"
#include "consensus/sigops.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

/* A script from hex in memory of exactly its size. */
static struct fx_span script_of(const char *hex)
{
    uint8_t raw[1000];
    struct fx_span script;

    script.len = fx_unit_unhex(hex, raw, sizeof raw);
    script.data = fx_xmemdup(raw, script.len);
    return script;
}

static void drop(struct fx_span script)
{
    free((void *)(uintptr_t)script.data);
}

static uint64_t sigops(const char *hex, bool accurate)
{
    struct fx_span script = script_of(hex);
    uint64_t n = fx_script_sigops(script, accurate);

    drop(script);
    return n;
}

FX_TEST(sigops_by_the_number_before_a_multisig)
{
    FX_CHECK_INT(sigops("ae", true), 20);
    FX_CHECK_INT(sigops("51ae", true), 1);
    FX_CHECK_INT(sigops("51ae", false), 20);
    FX_CHECK_INT(sigops("60af", true), 16);
    FX_CHECK_INT(sigops("00ae", true), 20);
    FX_CHECK_INT(sigops("0111ae", true), 20);
    FX_CHECK_INT(sigops("4fae", true), 20);
    FX_CHECK_INT(sigops("61ae", true), 20);
    FX_CHECK_INT(sigops("5361ae", true), 20);
    FX_CHECK_INT(sigops("53aeac53ad", true), 5);
    FX_CHECK_INT(sigops("53ae02ac", true), 3);
}

static uint64_t p2sh_sigops(const char *hex)
{
    struct fx_span script = script_of(hex);
    uint64_t n = fx_script_p2sh_sigops(script);

    drop(script);
    return n;
}

FX_TEST(sigops_of_p2sh)
{
    FX_CHECK_INT(p2sh_sigops(""), 0);
    FX_CHECK_INT(p2sh_sigops("01ac"), 1);
    FX_CHECK_INT(p2sh_sigops("0353aeac"), 4);
    FX_CHECK_INT(p2sh_sigops("01ae02ffad"), 1);
    FX_CHECK_INT(p2sh_sigops("6001ac"), 1);
    FX_CHECK_INT(p2sh_sigops("01ac51"), 0); /* the last push is a number */
    FX_CHECK_INT(p2sh_sigops("01ac6101ac"), 0);
    FX_CHECK_INT(p2sh_sigops("01ac61"), 0);
    FX_CHECK_INT(p2sh_sigops("01ac02ac"), 0); /* cut short */
    FX_CHECK_INT(p2sh_sigops("4c01ac"), 1);
}

#define P20 "0102030405060708090a0b0c0d0e0f1011121314"
#define P32 P20 "15161718191a1b1c1d1e1f20"

static uint64_t witness_sigops(const char *sig, const char *pubkey, const char *item)
{
    struct fx_span a = script_of(sig), b = script_of(pubkey);
    struct fx_span items[2] = {{NULL, 0}, {NULL, 0}};
    uint64_t n;

    if (item != NULL) {
        items[1] = script_of(item);
    }
    n = fx_script_witness_sigops(a, b, items, item != NULL ? 2 : 0);
    drop(a);
    drop(b);
    drop(items[1]);
    return n;
}

FX_TEST(sigops_of_witness_programs)
{
    FX_CHECK_INT(witness_sigops("", "0014" P20, NULL), 1);
    FX_CHECK_INT(witness_sigops("", "0020" P32, NULL), 0);
    FX_CHECK_INT(witness_sigops("", "0020" P32, "52aeac"), 3);
    FX_CHECK_INT(witness_sigops("", "5120" P32, "52aeac"), 0);
    FX_CHECK_INT(witness_sigops("", "5114" P20, "52aeac"), 0);
    FX_CHECK_INT(witness_sigops("", "0015" P20 "00", "ac"), 0);
    /* Inside of P2SH. */
    FX_CHECK_INT(witness_sigops("160014" P20, "a914" P20 "87", NULL), 1);
    FX_CHECK_INT(witness_sigops("220020" P32, "a914" P20 "87", "ae"), 20);
    FX_CHECK_INT(witness_sigops("225120" P32, "a914" P20 "87", "ae"), 0);
    FX_CHECK_INT(witness_sigops("61160014" P20, "a914" P20 "87", NULL), 0);
    FX_CHECK_INT(witness_sigops("160014" P20, "51", NULL), 0);
    FX_CHECK_INT(witness_sigops("", "a914" P20 "87", NULL), 0);
}

FX_TEST(pushes_only)
{
    static const struct {
        const char *hex;
        bool only;
    } cases[] = {
        {"", true},         {"00", true},         {"60", true},        {"61", false},
        {"50", true},       {"4f", true},         {"01ac", true},      {"01", false},
        {"02ac", false},    {"4c", false},        {"4c01", false},     {"4d01", false},
        {"4d0100ff", true}, {"4e00000000", true}, {"4e000000", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fx_span script = script_of(cases[i].hex);

        FX_CHECK_INT(fx_script_is_push_only(script), cases[i].only);
        drop(script);
    }
}

FX_TEST(heads_of_pushes)
{
    static const struct {
        size_t n;
        const char *head;
    } cases[] = {
        {0, "00"},     {1, "01"},       {75, "4b"},        {76, "4c4c"},
        {255, "4cff"}, {256, "4d0001"}, {65535, "4dffff"}, {65536, "4e00000100"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[5];

        FX_CHECK_INT(fx_script_push_head(cases[i].n, head), strlen(cases[i].head) / 2);
        FX_CHECK_HEX(head, cases[i].head);
    }
}

static void take(const char *script_hex, const char *needle_hex, size_t times, const char *left)
{
    struct fx_span script = script_of(script_hex), needle = script_of(needle_hex);
    struct fx_buf out = FX_BUF_INIT;

    FX_CHECK_INT(fx_script_delete(script, needle, &out), times);
    FX_CHECK_INT(out.len, strlen(left) / 2);
    if (out.len > 0) {
        FX_CHECK_HEX(out.data, left);
    }
    fx_buf_clear(&out);
    drop(script);
    drop(needle);
}

/* The cases of Bitcoin Core's test of FindAndDelete, and some. */
FX_TEST(deleting_pushes)
{
    take("5152", "", 0, "");
    take("515253", "52", 1, "5153");
    take("535153535453", "53", 4, "5154");
    take("0302ff03", "0302ff03", 1, "");
    take("0302ff030302ff03", "0302ff03", 2, "");
    take("0302ff030302ff03", "02", 0, "");
    take("0302ff030302ff03", "ff", 0, "");
    /* Only where an operation begins; and then bytes, not operations, are compared. */
    take("0302ff030302ff03", "03", 2, "02ff0302ff03");
    take("02feed5169", "feed51", 0, "");
    take("02feed5169", "02feed51", 1, "69");
    take("516902feed5169", "feed51", 0, "");
    take("516902feed5169", "02feed51", 1, "516969");
    take("00005151", "00", 2, "5151");
    take("0003feed", "03feed", 1, "00"); /* what is left is cut short */
    take("0003feed", "00", 1, "03feed");
}

FX_TEST(numbers)
{
    static const struct {
        int64_t value;
        const char *hex;
    } cases[] = {
        {0, ""},
        {1, "01"},
        {-1, "81"},
        {127, "7f"},
        {128, "8000"},
        {-128, "8080"},
        {255, "ff00"},
        {256, "0001"},
        {-255, "ff80"},
        {32767, "ff7f"},
        {32768, "008000"},
        {2147483647, "ffffff7f"},
        {-2147483647, "ffffffff"},
        {2147483648, "0000008000"},
        {INT64_C(1) << 62, "0000000000000040"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[FX_SCRIPT_NUM_BYTES];
        size_t n = fx_script_num_write(cases[i].value, raw);
        int64_t value = 77;

        FX_CHECK_INT(n, strlen(cases[i].hex) / 2);
        if (n > 0) {
            FX_CHECK_HEX(raw, cases[i].hex);
        }
        FX_CHECK(fx_script_num_read((struct fx_span){raw, n}, 8, true, &value));
        FX_CHECK_INT(value, cases[i].value);
        FX_CHECK_INT(fx_script_num_read((struct fx_span){raw, n}, 4, true, &value), n <= 4);
        FX_CHECK_INT(fx_script_is_true((struct fx_span){raw, n}), cases[i].value != 0);
    }
}

FX_TEST(numbers_in_longer_forms)
{
    static const struct {
        const char *hex;
        int64_t value;
    } cases[] = {
        {"00", 0}, {"80", 0}, {"0000", 0}, {"0080", 0}, {"0100", 1}, {"0180", -1}, {"7f00", 127},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fx_span data = script_of(cases[i].hex);
        int64_t value = 77;

        FX_CHECK(!fx_script_num_read(data, 4, true, &value));
        FX_CHECK(fx_script_num_read(data, 4, false, &value));
        FX_CHECK_INT(value, cases[i].value);
        FX_CHECK_INT(fx_script_is_true(data), cases[i].value != 0);
        drop(data);
    }
}
