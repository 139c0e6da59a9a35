/* Transactions, those in the making, coins. */
#include "consensus/tx.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

/* The signed transaction of BIP143's P2WPKH example: two inputs, one witness. */
static const char example[] =
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004948304"
    "5022100"
    "8b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0"
    "a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287"
    "d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76"
    "ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac00024730440220"
    "3609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f9030"
    "0e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62f"
    "c70f07aeee635711000000";

static size_t example_bytes(uint8_t raw[512])
{
    return fx_unit_unhex(example, raw, 512);
}

static struct fx_tx *parse_hex(const char *hex)
{
    size_t max = strlen(hex) / 2 + 1;
    uint8_t *raw = fx_xmalloc(max);
    size_t n = fx_unit_unhex(hex, raw, max);
    struct fx_tx *tx = fx_tx_parse(raw, n);

    free(raw);
    return tx;
}

/* Every way to write a transaction gives its bytes again, and its ids are of these. */
static void check_round_trip(const struct fx_tx *tx, const uint8_t *raw, size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_tx *again;
    struct fx_hash id;
    struct fx_txb b;

    fx_tx_write(tx, &buf);
    FX_CHECK_INT(buf.len, n);
    FX_CHECK_MEM(buf.data, raw, n);
    fx_sha256d(raw, n, id.b);
    FX_CHECK(fx_hash_equal(&id, &tx->wtxid));
    FX_CHECK_INT(tx->total_size, n);
    fx_buf_clear(&buf);

    fx_tx_write_stripped(tx, &buf);
    FX_CHECK_INT(buf.len, tx->base_size);
    fx_sha256d(buf.data, buf.len, id.b);
    FX_CHECK(fx_hash_equal(&id, &tx->txid));
    fx_buf_clear(&buf);

    FX_CHECK_INT(fx_tx_weight(tx), 3 * tx->base_size + n);

    if (tx->n_in == 0) {
        return; /* not to be written by a txb */
    }
    fx_txb_from_tx(&b, tx);
    again = fx_txb_build(&b);
    FX_CHECK(again != NULL);
    FX_CHECK_INT(again->raw.len, n);
    FX_CHECK_MEM(again->raw.data, raw, n);
    FX_CHECK(fx_hash_equal(&again->txid, &tx->txid));
    fx_tx_unref(again);
    fx_txb_clear(&b);
}

FX_TEST(fields_of_a_known_transaction)
{
    uint8_t raw[512];
    size_t n = example_bytes(raw);
    struct fx_tx *tx = fx_tx_parse(raw, n);
    char id[FX_HASH_HEX];

    FX_CHECK(tx != NULL);
    FX_CHECK_INT(tx->version, 1);
    FX_CHECK_INT(tx->lock_time, 17);
    FX_CHECK_INT(tx->n_in, 2);
    FX_CHECK_INT(tx->n_out, 2);
    FX_CHECK(tx->has_witness);
    FX_CHECK_INT(tx->in[0].n_witness, 0);
    FX_CHECK_INT(tx->in[0].script_sig.len, 73);
    FX_CHECK_INT(tx->in[0].sequence, 0xffffffee);
    FX_CHECK_INT(tx->in[1].n_witness, 2);
    FX_CHECK_INT(tx->in[1].prevout.index, 1);
    FX_CHECK_INT(tx->in[1].witness[0].len, 71);
    FX_CHECK_INT(tx->in[1].witness[1].len, 33);
    FX_CHECK_INT(tx->in[1].witness[1].data[0], 2);
    FX_CHECK_INT(tx->out[0].value, 112340000);
    FX_CHECK_INT(tx->out[1].script.len, 25);
    fx_hash_to_id(&tx->txid, id);
    FX_CHECK_STR(id, "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609");
    fx_tx_unref(tx);
}

FX_TEST(written_as_it_was_read)
{
    uint8_t raw[512];
    size_t n = example_bytes(raw);
    struct fx_tx *tx = fx_tx_parse(raw, n);

    FX_CHECK(tx != NULL);
    check_round_trip(tx, raw, n);
    FX_CHECK_INT(fx_tx_vsize(tx), (fx_tx_weight(tx) + 3) / 4);
    fx_tx_unref(tx);
}

FX_TEST(references_share_one_object)
{
    uint8_t raw[512];
    size_t n = example_bytes(raw);
    struct fx_tx *tx = fx_tx_parse(raw, n);
    struct fx_tx *other = fx_tx_ref(tx);

    FX_CHECK(other == tx);
    fx_tx_unref(tx);
    FX_CHECK_INT(other->n_in, 2);
    fx_tx_unref(other);
    fx_tx_unref(NULL);
}

FX_TEST(a_reader_ends_after_the_transaction)
{
    uint8_t raw[600];
    size_t n = example_bytes(raw);
    struct fx_reader r;
    struct fx_tx *tx;

    raw[n] = 0xab;
    fx_reader_init(&r, raw, n + 1);
    tx = fx_tx_read(&r);
    FX_CHECK(tx != NULL);
    FX_CHECK_INT(r.left, 1);
    FX_CHECK_INT(fx_read_u8(&r), 0xab);
    fx_tx_unref(tx);
    FX_CHECK(fx_tx_parse(raw, n + 1) == NULL);
}

FX_TEST(every_truncation_is_refused)
{
    uint8_t raw[512];
    size_t n = example_bytes(raw);

    for (size_t len = 0; len < n; len++) {
        uint8_t *exact = fx_xmemdup(raw, len); /* so that a sanitizer sees a read past the end */
        struct fx_reader r;

        fx_reader_init(&r, exact, len);
        FX_CHECK(fx_tx_read(&r) == NULL);
        FX_CHECK(r.bad);
        free(exact);
    }
}

FX_TEST(altered_bytes_never_break_the_parser)
{
    uint8_t raw[512];
    size_t n = example_bytes(raw);

    for (unsigned round = fx_unit_rounds(20000); round > 0; round--) {
        uint8_t *changed = fx_xmemdup(raw, n);
        struct fx_tx *tx;

        for (uint64_t i = fx_unit_rand_below(3) + 1; i > 0; i--) {
            changed[fx_unit_rand_below(n)] = (uint8_t)fx_unit_rand64();
        }
        tx = fx_tx_parse(changed, n);
        if (tx != NULL) {
            check_round_trip(tx, changed, n);
            fx_tx_unref(tx);
        }
        free(changed);
    }
}

#define IN "0000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define OUT            \
    "0100000000000000" \
    "00"

FX_TEST(marker_and_flags_of_bip144)
{
    struct fx_tx *tx = parse_hex("02000000"
                                 "01" IN "01" OUT "00000000");

    FX_CHECK(tx != NULL);
    FX_CHECK(!tx->has_witness);
    fx_tx_unref(tx);

    tx = parse_hex("02000000"
                   "0001"
                   "01" IN "01" OUT "0100"
                   "00000000");
    FX_CHECK(tx != NULL);
    FX_CHECK(tx->has_witness);
    fx_tx_unref(tx);

    /* A witness section in which no input has any. */
    FX_CHECK(parse_hex("02000000"
                       "0001"
                       "01" IN "01" OUT "00"
                       "00000000") == NULL);
    /* Flags that nobody knows. */
    FX_CHECK(parse_hex("02000000"
                       "0002"
                       "01" IN "01" OUT "00000000") == NULL);
    FX_CHECK(parse_hex("02000000"
                       "0003"
                       "01" IN "01" OUT "0100"
                       "00000000") == NULL);
    /* No flags: neither inputs nor outputs. */
    tx = parse_hex("02000000"
                   "0000"
                   "00000000");
    FX_CHECK(tx != NULL);
    FX_CHECK_INT(tx->n_in, 0);
    FX_CHECK_INT(tx->n_out, 0);
    fx_tx_unref(tx);
}

FX_TEST(counts_are_bounded_before_they_allocate)
{
    /* 0xfe + a huge count; 0xff + a larger one; not in the shortest form. */
    FX_CHECK(parse_hex("02000000"
                       "feffffffff" IN "01" OUT "00000000") == NULL);
    FX_CHECK(parse_hex("02000000"
                       "ffffffffffffffffff" IN "01" OUT "00000000") == NULL);
    FX_CHECK(parse_hex("02000000"
                       "fd0100" IN "01" OUT "00000000") == NULL);
    FX_CHECK(parse_hex("02000000"
                       "01" IN "feffffff7f" OUT "00000000") == NULL);
    FX_CHECK(parse_hex("02000000"
                       "0001"
                       "01" IN "01" OUT "feffffff7f00"
                       "00000000") == NULL);
}

FX_TEST(longer_than_what_is_parsed_is_refused)
{
    size_t script = FX_PARSE_MAX;
    struct fx_buf buf = FX_BUF_INIT;

    fx_buf_u32(&buf, 2);
    fx_buf_u8(&buf, 1);
    memset(fx_buf_extend(&buf, 36), 1, 36);
    fx_buf_u8(&buf, 0);
    fx_buf_u32(&buf, 0);
    fx_buf_u8(&buf, 1);
    fx_buf_u64(&buf, 1);
    fx_buf_var(&buf, script);
    memset(fx_buf_extend(&buf, script), 0x51, script);
    fx_buf_u32(&buf, 0);
    FX_CHECK(fx_tx_parse(buf.data, buf.len) == NULL);
    fx_buf_clear(&buf);
}

/* tx_valid.json and tx_invalid.json of Bitcoin Core. */
static unsigned run_vectors(const char *name, bool valid)
{
    struct fx_params params = *fx_params_get(FX_MAIN);
    json_t *list = fx_unit_vector(name);
    unsigned n = 0;
    size_t at;
    json_t *entry;

    params.max_money = INT64_C(2100000000000000);
    json_array_foreach(list, at, entry)
    {
        const char *hex = json_string_value(json_array_get(entry, 1));
        const char *flags = json_string_value(json_array_get(entry, 2));
        struct fx_tx *tx;
        uint8_t *raw;
        size_t len;

        if (json_array_size(entry) != 3 || hex == NULL || flags == NULL) {
            continue;
        }
        raw = fx_xmalloc(strlen(hex) / 2 + 1);
        len = fx_unit_unhex(hex, raw, strlen(hex) / 2 + 1);
        tx = fx_tx_parse(raw, len);
        if (valid || strcmp(flags, "BADTX") != 0) {
            FX_CHECK(tx != NULL);
            FX_CHECK_INT(fx_check_tx(&params, tx), FX_OK);
        } else {
            FX_CHECK(tx == NULL || fx_check_tx(&params, tx) != FX_OK);
        }
        if (tx != NULL) {
            check_round_trip(tx, raw, len);
        }
        fx_tx_unref(tx);
        free(raw);
        n++;
    }
    json_decref(list);
    return n;
}

FX_TEST(valid_transactions_of_bitcoin)
{
    FX_CHECK(run_vectors("tx_valid.json", true) > 100);
}

FX_TEST(invalid_transactions_of_bitcoin)
{
    FX_CHECK(run_vectors("tx_invalid.json", false) > 50);
}

FX_TEST(outpoints)
{
    struct fx_outpoint a = {.index = 0}, b = {.index = UINT32_MAX}, c = {.index = 1};
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    struct fx_outpoint read;
    uint8_t key[FX_OUTPOINT_SIZE];

    FX_CHECK(fx_outpoint_is_zero(&a) && !fx_outpoint_is_null(&a));
    FX_CHECK(fx_outpoint_is_null(&b) && !fx_outpoint_is_zero(&b));
    c.txid.b[31] = 9;
    FX_CHECK(!fx_outpoint_is_zero(&c) && !fx_outpoint_is_null(&c));
    FX_CHECK(fx_outpoint_cmp(&a, &b) < 0 && fx_outpoint_cmp(&b, &a) > 0);
    FX_CHECK(fx_outpoint_cmp(&b, &c) < 0 && fx_outpoint_cmp(&c, &c) == 0);
    FX_CHECK(fx_outpoint_equal(&c, &c) && !fx_outpoint_equal(&a, &b));

    fx_outpoint_write(&c, &buf);
    fx_outpoint_key(&c, key);
    FX_CHECK_INT(buf.len, FX_OUTPOINT_SIZE);
    FX_CHECK_MEM(buf.data, key, FX_OUTPOINT_SIZE);
    FX_CHECK_INT(key[32], 1);
    fx_reader_init(&r, key, sizeof key);
    read = fx_outpoint_read(&r);
    FX_CHECK(fx_outpoint_equal(&read, &c) && fx_reader_done(&r));
    fx_buf_clear(&buf);
}

FX_TEST(a_txb_is_built_and_taken_apart)
{
    struct fx_outpoint prevout = {.index = 3};
    struct fx_txb b;
    struct fx_tx *tx;

    fx_txb_init(&b);
    FX_CHECK_INT(b.version, 2);
    FX_CHECK_INT(fx_txb_add_in(&b, &prevout, 5), 0);
    FX_CHECK_INT(fx_txb_add_in(&b, &prevout, 6), 1);
    FX_CHECK_INT(fx_txb_add_out(&b, 77, "abc", 3), 0);
    fx_txb_set_script_sig(&b, 0, "xy", 2);
    fx_txb_set_script_sig(&b, 0, "z", 1);
    fx_txb_push_witness(&b, 1, "", 0);
    fx_txb_push_witness(&b, 1, "item", 4);
    tx = fx_txb_build(&b);
    FX_CHECK_INT(tx->in[1].n_witness, 2);
    FX_CHECK_INT(tx->in[1].witness[0].len, 0);
    FX_CHECK_MEM(tx->in[1].witness[1].data, "item", 4);
    FX_CHECK_INT(tx->in[0].script_sig.len, 1);
    FX_CHECK_INT(tx->in[0].sequence, 5);
    FX_CHECK_INT(tx->out[0].value, 77);
    fx_tx_unref(tx);

    fx_txb_clear_witness(&b, 1);
    tx = fx_txb_build(&b);
    FX_CHECK(!tx->has_witness);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
}

static void check_coin(const struct fx_coin *coin, size_t size)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    struct fx_coin read;

    fx_coin_write(coin, &buf);
    if (size > 0) {
        FX_CHECK_INT(buf.len, size);
    }
    for (size_t n = 0; n < buf.len; n++) {
        fx_reader_init(&r, buf.data, n);
        FX_CHECK(!fx_coin_read(&r, &read) && r.bad);
    }
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_coin_read(&r, &read));
    FX_CHECK(fx_reader_done(&r));
    FX_CHECK_INT(read.value, coin->value);
    FX_CHECK_INT(read.height, coin->height);
    FX_CHECK_INT(read.coinbase, coin->coinbase);
    FX_CHECK_INT(read.script_len, coin->script_len);
    FX_CHECK_MEM(read.script, coin->script, coin->script_len);
    fx_coin_clear(&read);
    fx_buf_clear(&buf);
}

FX_TEST(coins_are_compact)
{
    uint8_t script[80] = {0x51, 32, 1, 2, 3};
    struct fx_coin coin = {.value = 1000000000, .height = 100, .coinbase = true, .script = script};

    coin.script_len = 34;
    check_coin(&coin, 1 + 1 + 1 + 32);
    script[0] = 0x52;
    check_coin(&coin, 1 + 1 + 1 + 32);
    script[0] = 0x00;
    script[1] = 20;
    coin.script_len = 22;
    check_coin(&coin, 1 + 1 + 1 + 20);
    script[0] = 0x53;
    check_coin(&coin, 1 + 1 + 1 + 22);
    coin.script_len = 0;
    check_coin(&coin, 3);
}

FX_TEST(coins_of_every_amount)
{
    static const int64_t amounts[] = {
        0,         1,          9,         10,         99,
        100,       546,        123456789, 1000000000, INT64_C(4204800000000000),
        999999999, 1000000001, 11,        19,         90};
    uint8_t script[300] = {0x76};

    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        struct fx_coin coin = {
            .value = amounts[i], .height = UINT32_MAX, .script = script, .script_len = 25};

        check_coin(&coin, 0);
    }
    for (unsigned round = fx_unit_rounds(500); round > 0; round--) {
        struct fx_coin coin = {.value = (int64_t)fx_unit_rand_below(UINT64_C(4204800000000001)),
                               .height = (uint32_t)fx_unit_rand64(),
                               .coinbase = fx_unit_rand_below(2) == 0,
                               .script = script,
                               .script_len = (size_t)fx_unit_rand_below(sizeof script)};

        fx_unit_rand_fill(script, sizeof script);
        check_coin(&coin, 0);
    }
}

FX_TEST(coins_that_do_not_parse)
{
    /* height over 32 bits; an amount over 63 bits; a script longer than a block */
    static const char *const wrong[] = {"ff0000000002000000", "00ffffffffffffffffff03",
                                        "0000fe00000010"};

    for (size_t i = 0; i < 3; i++) {
        uint8_t raw[32];
        size_t n = fx_unit_unhex(wrong[i], raw, sizeof raw);
        struct fx_reader r;
        struct fx_coin coin;

        fx_reader_init(&r, raw, n);
        FX_CHECK(!fx_coin_read(&r, &coin));
        FX_CHECK(r.bad);
    }
}
