/* The first block of each network, built from the table of params. */
#include "consensus/block.h"

#include <string.h>

#define TEXT "Work done once, used twice: Fornax "

/* Bitcoin's coinbase of 2009, the same on all of its networks. Its output pays a key, but like any
 * genesis it makes no coin. */
static struct fx_tx *bitcoin_coinbase(void)
{
    static const uint8_t before[] = {0x04, 0xff, 0xff, 0x00, 0x1d, 0x01, 0x04, 0x45};
    static const char headline[] =
        "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";
    static const uint8_t output[] = {
        0x41, 0x04, 0x67, 0x8a, 0xfd, 0xb0, 0xfe, 0x55, 0x48, 0x27, 0x19, 0x67, 0xf1, 0xa6,
        0x71, 0x30, 0xb7, 0x10, 0x5c, 0xd6, 0xa8, 0x28, 0xe0, 0x39, 0x09, 0xa6, 0x79, 0x62,
        0xe0, 0xea, 0x1f, 0x61, 0xde, 0xb6, 0x49, 0xf6, 0xbc, 0x3f, 0x4c, 0xef, 0x38, 0xc4,
        0xf3, 0x55, 0x04, 0xe5, 0x1e, 0xc1, 0x12, 0xde, 0x5c, 0x38, 0x4d, 0xf7, 0xba, 0x0b,
        0x8d, 0x57, 0x8a, 0x4c, 0x70, 0x2b, 0x6b, 0xf1, 0x1d, 0x5f, 0xac,
    };
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    struct fx_buf script = FX_BUF_INIT;
    struct fx_txb b;
    struct fx_tx *coinbase;

    fx_buf_bytes(&script, before, sizeof before);
    fx_buf_str(&script, headline);
    fx_txb_init(&b);
    b.version = 1;
    fx_txb_add_in(&b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, script.data, script.len);
    fx_txb_add_out(&b, INT64_C(5000000000), output, sizeof output);
    coinbase = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_buf_clear(&script);
    return coinbase;
}

static struct fx_tx *own_coinbase(const struct fx_params *params)
{
    /* OP_RETURN alone: nothing is paid, and the output could not be spent. */
    static const uint8_t output[1] = {0x6a};
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    struct fx_buf script = FX_BUF_INIT;
    struct fx_txb b;
    struct fx_tx *coinbase;

    fx_buf_u8(&script, (uint8_t)(strlen(TEXT) + strlen(params->name)));
    fx_buf_str(&script, TEXT);
    fx_buf_str(&script, params->name);

    fx_txb_init(&b);
    fx_txb_add_in(&b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, script.data, script.len);
    fx_txb_add_out(&b, 0, output, sizeof output);
    coinbase = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_buf_clear(&script);
    return coinbase;
}

struct fx_block *fx_genesis_block(const struct fx_params *params)
{
    bool bitcoin = params->kind == FX_BTCREGTEST;
    const struct fx_span no_work = {NULL, 0};
    struct fx_header header = {.version = bitcoin ? 1 : fx_header_version(FX_LANE_HASH)};
    struct fx_tx *coinbase = bitcoin ? bitcoin_coinbase() : own_coinbase(params);
    struct fx_block *block;

    header.merkle_root = coinbase->txid;
    header.time = params->genesis_time;
    header.nbits = params->limit_nbits[FX_LANE_HASH];
    header.nonce = params->genesis_nonce;
    block = fx_block_make(params, &header, no_work, &coinbase, 1);
    fx_tx_unref(coinbase);
    return block;
}
