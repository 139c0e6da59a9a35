/*
 * Scripts: a transaction, flags, fewer flags, which input, and the coins that it spends. What is
 * valid stays valid with fewer flags and is so every time; what the scripts cost does not depend on
 * how it is counted.
 */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/script_check.h"
#include "consensus/script_ops.h"
#include "consensus/sigops.h"
#include "src/util/mem.h"

#define FLAGS ((UINT32_C(1) << 21) - 1)

/* Flags that need others go where these are missing. */
static uint32_t fit(uint32_t flags)
{
    flags &= FLAGS;
    if ((flags & FX_VERIFY_P2SH) == 0) {
        flags &= ~FX_VERIFY_WITNESS;
    }
    if ((flags & FX_VERIFY_WITNESS) == 0) {
        flags &= ~(FX_VERIFY_CLEANSTACK | FX_VERIFY_TAPROOT);
    }
    return flags;
}

/* No fuzzer signs: so that scripts get past their signatures, every other one counts as good. */
static bool knows(void *ctx, const struct fx_sig_claim *claim)
{
    (void)ctx;
    FX_FUZZ_CHECK(!claim->schnorr || (claim->key.len == 32 && claim->sig.len == 64));
    return claim->sig.len > 8 && (claim->sig.data[8] & 1) != 0;
}

static void remember(void *ctx, const struct fx_sig_claim *claim)
{
    (void)ctx;
    (void)claim;
}

/* Walking a script in steps covers it, and what is left of it without a push is shorter by that. */
static void check_walk(struct fx_span script)
{
    struct fx_script_walk walk;
    struct fx_op op, last = {0};
    size_t ops = 0;

    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        FX_FUZZ_CHECK(op.data.len <= script.len);
        last = op;
        ops++;
    }
    FX_FUZZ_CHECK(walk.cut || walk.at == walk.end);
    FX_FUZZ_CHECK(fx_script_sigops(script, true) <= fx_script_sigops(script, false));
    FX_FUZZ_CHECK(fx_script_sigops(script, false) <= 20 * ops);
    if (last.data.len > 0) {
        struct fx_buf needle = FX_BUF_INIT, left = FX_BUF_INIT;
        size_t found;

        fx_script_push(&needle, last.data);
        found = fx_script_delete(script, (struct fx_span){needle.data, needle.len}, &left);
        FX_FUZZ_CHECK(found == 0 ? left.len == 0 : left.len + found * needle.len == script.len);
        fx_buf_clear(&needle);
        fx_buf_clear(&left);
    }
}

static void check_input(const struct fx_script_check *check, uint32_t flags, uint32_t fewer)
{
    const struct fx_txin *in = &check->tx->in[check->in];
    enum fx_script_error error = fx_script_check_flags(check, flags);

    FX_FUZZ_CHECK(fx_script_check_flags(check, flags) == error);
    if (error == FX_SCRIPT_ERR_OK) {
        FX_FUZZ_CHECK(fx_script_check_flags(check, fewer) == FX_SCRIPT_ERR_OK);
    }
    check_walk(in->script_sig);
    check_walk(fx_coin_script(&check->spent[check->in]));
    for (size_t i = 0; i < in->n_witness; i++) {
        check_walk(in->witness[i]);
    }
}

static void read_coin(struct fx_reader *r, struct fx_coin *coin)
{
    struct fx_txout out = {.value = fx_read_i64(r)};

    out.script.data = fx_read_var_bytes(r, r->left, &out.script.len);
    if (r->bad) {
        out.script.len = 0;
    }
    fx_coin_set(coin, &out, 1, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const struct fx_sig_memory memory = {NULL, knows, remember};
    struct fx_reader r;
    struct fx_tx *tx;
    struct fx_coin *spent;
    struct fx_sighash_cache cache;
    struct fx_script_check check = {.cache = &cache};
    uint32_t flags, fewer;

    fx_reader_init(&r, data, length);
    tx = fx_tx_read(&r);
    if (tx == NULL || tx->n_in == 0) {
        fx_tx_unref(tx);
        return 0;
    }
    flags = fit(fx_read_u32(&r));
    fewer = fit(flags & fx_read_u32(&r));
    check.in = fx_read_u8(&r) % tx->n_in;
    spent = fx_xcalloc(tx->n_in, sizeof *spent);
    for (size_t i = 0; i < tx->n_in; i++) {
        read_coin(&r, &spent[i]);
    }
    fx_sighash_cache_init(&cache, tx, spent);
    check.tx = tx;
    check.spent = spent;
    check_input(&check, flags, fewer);
    check.memory = &memory;
    check_input(&check, flags, fewer);
    for (size_t i = 0; i < tx->n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    fx_tx_unref(tx);
    return 0;
}
