/* The shared library's script calls, as a program for libbitcoinconsensus uses them. */
#include "consensus/fornaxconsensus.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

#define ALL ((unsigned)fornaxconsensus_SCRIPT_FLAGS_VERIFY_ALL)
#define WITHOUT_TAPROOT (ALL & ~(unsigned)fornaxconsensus_SCRIPT_FLAGS_VERIFY_TAPROOT)
#define WITHOUT_WITNESS (WITHOUT_TAPROOT & ~(unsigned)fornaxconsensus_SCRIPT_FLAGS_VERIFY_WITNESS)

struct spend {
    uint8_t script[100], tx[2000];
    unsigned script_len, tx_len, in;
    int64_t amount;
};

static void spend_init(struct spend *s, const char *script, int64_t amount, const char *tx,
                       unsigned in)
{
    s->script_len = (unsigned)fx_unit_unhex(script, s->script, sizeof s->script);
    s->tx_len = (unsigned)fx_unit_unhex(tx, s->tx, sizeof s->tx);
    s->amount = amount;
    s->in = in;
}

static int with_amount(const struct spend *s, unsigned flags, fornaxconsensus_error *err)
{
    return fornaxconsensus_verify_script_with_amount(s->script, s->script_len, s->amount, s->tx,
                                                     s->tx_len, s->in, flags, err);
}

/* The signed transaction of BIP143's first example: a P2PK input, a P2WPKH one. */
static void bip143(struct spend *s, unsigned in)
{
    static const char tx[] = "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db"
                             "4e4ad969f00000000494830"
                             "450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd3"
                             "0be022040529b194ba3f928"
                             "1a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804c"
                             "c89d182d279655c3aa89e81"
                             "5b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb20600000000197"
                             "6a9148280b37df378db99f6"
                             "6f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a2"
                             "1b2d50ce2f0167faa815988"
                             "ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb136"
                             "6d7f01cc44a0220573a954c"
                             "4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e"
                             "83188368da1ff3e292e7aca"
                             "fcdb3566bb0ad253f62fc70f07aeee635711000000";

    if (in == 0) {
        spend_init(s, "2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac",
                   625000000, tx, 0);
    } else {
        spend_init(s, "00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1", 600000000, tx, 1);
    }
}

FX_TEST(flags_are_those_of_bitcoin)
{
    FX_CHECK_INT(ALL, 1 + 4 + 16 + 512 + 1024 + 2048 + 131072);
    FX_CHECK_INT(fornaxconsensus_ERR_SPENT_OUTPUTS_MISMATCH, 7);
}

FX_TEST(without_a_witness)
{
    struct spend s;
    fornaxconsensus_error err = fornaxconsensus_ERR_TX_INDEX;

    bip143(&s, 0);
    FX_CHECK_INT(fornaxconsensus_verify_script(s.script, s.script_len, s.tx, s.tx_len, 0,
                                               WITHOUT_WITNESS, &err),
                 1);
    FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
    FX_CHECK_INT(fornaxconsensus_verify_script(s.script, s.script_len, s.tx, s.tx_len, 1,
                                               WITHOUT_WITNESS, &err),
                 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
    FX_CHECK_INT(fornaxconsensus_verify_script(s.script, s.script_len, s.tx, s.tx_len, 0,
                                               WITHOUT_TAPROOT, &err),
                 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_AMOUNT_REQUIRED);
    FX_CHECK_INT(fornaxconsensus_verify_script(s.script, s.script_len, s.tx, s.tx_len, 0,
                                               WITHOUT_TAPROOT, NULL),
                 0);
    s.tx[60] ^= 1;
    FX_CHECK_INT(fornaxconsensus_verify_script(s.script, s.script_len, s.tx, s.tx_len, 0,
                                               WITHOUT_WITNESS, NULL),
                 0);
}

FX_TEST(with_the_amount)
{
    struct spend s;
    fornaxconsensus_error err = fornaxconsensus_ERR_TX_INDEX;

    bip143(&s, 1);
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, &err), 1);
    FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, NULL), 1);
    s.amount++;
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, &err), 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
    FX_CHECK_INT(with_amount(&s, ALL, &err), 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_SPENT_OUTPUTS_REQUIRED);
}

FX_TEST(arguments_that_are_bad)
{
    static const struct fornaxconsensus_UTXO spent[2];
    struct spend s;
    fornaxconsensus_error err;

    bip143(&s, 1);
    for (unsigned bit = 0; bit < 32; bit++) {
        unsigned flag = 1u << bit;

        with_amount(&s, WITHOUT_TAPROOT | flag, &err);
        FX_CHECK_INT(err, (ALL & flag) == 0  ? fornaxconsensus_ERR_INVALID_FLAGS
                          : flag == 1u << 17 ? fornaxconsensus_ERR_SPENT_OUTPUTS_REQUIRED
                                             : fornaxconsensus_ERR_OK);
    }
    s.in = 2;
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, &err), 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_TX_INDEX);
    s.in = 1;
    s.tx_len++;
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, &err), 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_TX_SIZE_MISMATCH);
    s.tx_len -= 2;
    FX_CHECK_INT(with_amount(&s, WITHOUT_TAPROOT, &err), 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_TX_DESERIALIZE);
    FX_CHECK_INT(fornaxconsensus_verify_script_with_amount(s.script, s.script_len, s.amount, NULL,
                                                           0, 0, WITHOUT_TAPROOT, &err),
                 0);
    FX_CHECK_INT(err, fornaxconsensus_ERR_TX_DESERIALIZE);
    s.tx_len++;
    for (unsigned n = 0; n < 4; n++) {
        fornaxconsensus_verify_script_with_spent_outputs(s.script, s.script_len, s.amount, s.tx,
                                                         s.tx_len, spent, n, 1, ALL, &err);
        FX_CHECK_INT(err,
                     n == 2 ? fornaxconsensus_ERR_OK : fornaxconsensus_ERR_SPENT_OUTPUTS_MISMATCH);
    }
}

/* The signed transaction of BIP341's vectors: every input, with what all of them spend. */
FX_TEST(with_spent_outputs)
{
    json_t *data = fx_unit_vector("bip341_wallet_vectors.json");
    const json_t *test = json_array_get(json_object_get(data, "keyPathSpending"), 0);
    const json_t *utxos = json_object_get(json_object_get(test, "given"), "utxosSpent");
    size_t n = json_array_size(utxos);
    uint8_t scripts[16][64], tx[4096];
    fornaxconsensus_UTXO spent[16];
    fornaxconsensus_error err;
    unsigned len = (unsigned)fx_unit_unhex(
        json_string_value(json_object_get(json_object_get(test, "auxiliary"), "fullySignedTx")), tx,
        sizeof tx);

    FX_CHECK(n <= 16);
    for (size_t i = 0; i < n; i++) {
        const json_t *utxo = json_array_get(utxos, i);

        spent[i].scriptPubKey = scripts[i];
        spent[i].scriptPubKeySize =
            (unsigned)fx_unit_unhex(json_string_value(json_object_get(utxo, "scriptPubKey")),
                                    scripts[i], sizeof scripts[i]);
        spent[i].value = json_integer_value(json_object_get(utxo, "amountSats"));
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned other = (i + 1) % (unsigned)n;

        FX_CHECK_INT(fornaxconsensus_verify_script_with_spent_outputs(
                         scripts[i], spent[i].scriptPubKeySize, spent[i].value, tx, len, spent,
                         (unsigned)n, i, ALL, &err),
                     1);
        FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
        FX_CHECK_INT(fornaxconsensus_verify_script_with_spent_outputs(
                         scripts[other], spent[other].scriptPubKeySize, spent[other].value, tx, len,
                         spent, (unsigned)n, i, ALL, &err),
                     0);
        FX_CHECK_INT(err, fornaxconsensus_ERR_OK);
    }
    json_decref(data);
}
