/* The first block of each network, built from the table of params. */
#include "consensus/block.h"

#include <string.h>

#define TEXT "Work done once, used twice: Fornax "

struct fx_block *fx_genesis_block(const struct fx_params *params)
{
    /* OP_RETURN alone: nothing is paid, and the output could not be spent. */
    static const uint8_t output[1] = {0x6a};
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    const struct fx_span no_work = {NULL, 0};
    struct fx_buf script = FX_BUF_INIT;
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH)};
    struct fx_block *block;
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

    header.merkle_root = coinbase->txid;
    header.time = params->genesis_time;
    header.nbits = params->limit_nbits[FX_LANE_HASH];
    header.nonce = params->genesis_nonce;
    block = fx_block_make(params, &header, no_work, &coinbase, 1);
    fx_tx_unref(coinbase);
    return block;
}
