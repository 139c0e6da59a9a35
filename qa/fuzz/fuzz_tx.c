/* Transactions: what parses is written as the same bytes, and survives being taken apart. */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fx_tx *tx = fx_tx_parse(data, length);
    struct fx_tx *again;
    struct fx_buf buf;
    struct fx_txb builder;

    if (tx == NULL) {
        return 0;
    }
    fx_buf_init(&buf);
    fx_tx_write(tx, &buf);
    FX_FUZZ_CHECK(buf.len == length && memcmp(buf.data, data, length) == 0);
    FX_FUZZ_CHECK(tx->total_size == length && tx->base_size <= length);
    FX_FUZZ_CHECK(fx_tx_weight(tx) == 3 * tx->base_size + tx->total_size);
    FX_FUZZ_CHECK(fx_tx_vsize(tx) >= tx->base_size);

    buf.len = 0;
    fx_tx_write_stripped(tx, &buf);
    FX_FUZZ_CHECK(buf.len == tx->base_size);
    FX_FUZZ_CHECK(tx->has_witness || fx_hash_equal(&tx->txid, &tx->wtxid));

    fx_txb_from_tx(&builder, tx);
    again = fx_txb_build(&builder);
    FX_FUZZ_CHECK(fx_hash_equal(&again->wtxid, &tx->wtxid));
    fx_tx_unref(again);
    fx_txb_clear(&builder);
    fx_buf_clear(&buf);
    fx_tx_unref(tx);
    return 0;
}
