/* Signing: what is not seen through RPC. */
#include "src/keys/signer.h"

#include <string.h>

#include "qa/unit/harness.h"
#include "src/keys/address.h"

static const uint8_t entropy[32] = {1, 2, 3};

/* A transaction with one input, and the coin that it spends. */
struct made {
    struct fx_tx *tx;
    struct fx_coin coin;
    struct fx_sighash_cache cache;
    struct fx_solution solution;
    struct fx_signer *signer;
};

static void make(struct made *m, struct fx_span script, uint32_t lock_time)
{
    const struct fx_outpoint outpoint = {.txid = {{7}}};
    const struct fx_txout out = {.value = 5000, .script = script};
    struct fx_txb b;

    memset(m, 0, sizeof(*m));
    fx_txb_init(&b);
    b.lock_time = lock_time;
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 4000, "\x51", 1);
    m->tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_coin_set(&m->coin, &out, 1, false);
    fx_sighash_cache_init(&m->cache, m->tx, &m->coin);
    m->signer = fx_signer_create(entropy);
}

static void solve(struct made *m)
{
    const struct fx_signable at = {m->tx, 0, &m->coin, &m->coin, &m->cache};

    fx_signer_solve(m->signer, &at, FX_SIGHASH_DEFAULT, &m->solution);
}

static void clear(struct made *m)
{
    fx_solution_clear(&m->solution);
    fx_signer_destroy(m->signer);
    fx_coin_clear(&m->coin);
    fx_tx_unref(m->tx);
}

static void put_key_hash(uint8_t secret_end, bool compressed, struct fx_buf *script, bool witness)
{
    static const char *const hashes[2][2] = {
        {"91b24bf9f5288532960ac687abb035127b1d28a5", "751e76e8199196d454941c45d1b3a323f1433bd6"},
        {"d6c8e828c1eca1bba065e1b83e1dc2a36e387a42", "06afd46bcdfd22ef94ac122aa11f241244a37ecc"},
    };
    uint8_t hash[20];

    fx_unit_unhex(hashes[secret_end - 1][compressed], hash, sizeof(hash));
    if (witness) {
        fx_script_put_witness(script, 0, (struct fx_span){hash, sizeof(hash)});
    } else {
        fx_script_put_p2pkh(script, hash);
    }
}

FX_TEST(r_never_takes_a_byte_more)
{
    const uint8_t secret[32] = {[31] = 1};

    for (unsigned i = 0; i < 32; i++) {
        struct fx_buf script = FX_BUF_INIT;
        struct made m;

        put_key_hash(1, true, &script, false);
        make(&m, (struct fx_span){script.data, script.len}, i); /* another hash to sign each time */
        fx_signer_add_key(m.signer, secret, true);
        solve(&m);
        FX_CHECK_INT(m.solution.n_signed, 1);
        FX_CHECK_INT(m.solution.signed_by[0].signature.data[3], 32);
        FX_CHECK(m.solution.signed_by[0].signature.len <= 71);
        clear(&m);
        fx_buf_clear(&script);
    }
}

FX_TEST(long_keys_sign_no_witness)
{
    const uint8_t secret[32] = {[31] = 1};

    for (unsigned n = 0; n < 4; n++) {
        bool compressed = (n & 1) != 0, witness = (n & 2) != 0;
        struct fx_buf script = FX_BUF_INIT;
        struct made m;

        put_key_hash(1, compressed, &script, witness);
        make(&m, (struct fx_span){script.data, script.len}, 0);
        fx_signer_add_key(m.signer, secret, compressed);
        solve(&m);
        FX_CHECK_INT(m.solution.complete, compressed || !witness);
        clear(&m);
        fx_buf_clear(&script);
    }
}

FX_TEST(only_the_keys_given_sign)
{
    const uint8_t first[32] = {[31] = 1}, second[32] = {[31] = 2};
    struct fx_buf script = FX_BUF_INIT;
    struct made m;

    put_key_hash(2, true, &script, true);
    make(&m, (struct fx_span){script.data, script.len}, 0);
    fx_signer_add_key(m.signer, first, true);
    solve(&m);
    FX_CHECK(!m.solution.complete);
    FX_CHECK_INT(m.solution.witness.n, 0);
    fx_signer_add_key(m.signer, second, true);
    solve(&m);
    FX_CHECK(m.solution.complete);
    FX_CHECK_INT(m.solution.witness.n, 2);
    clear(&m);
    fx_buf_clear(&script);
}

/* Scripts without keys of ours: nothing is made up, whatever the coin is. */
FX_TEST(scripts_that_nobody_here_can_spend)
{
    static const char *const scripts[] = {"", "6a", "51", "0014", "a914", "5220"};
    const uint8_t secret[32] = {[31] = 1};

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        uint8_t script[64] = {0};
        size_t n = fx_unit_unhex(scripts[i], script, sizeof(script));
        struct made m;

        if (n == 2) { /* with its program, of zeros */
            n += script[1];
            n += script[0] == 0xa9;
            script[22] = script[0] == 0xa9 ? 0x87 : 0;
        }
        make(&m, (struct fx_span){script, n}, 0);
        fx_signer_add_key(m.signer, secret, true);
        solve(&m);
        FX_CHECK(!m.solution.complete);
        FX_CHECK_INT(m.solution.n_signed, 0);
        clear(&m);
    }
}
