/* The table of networks. */
#include "consensus/params.h"

#include <string.h>

#include "consensus/block.h"
#include "consensus/kinds/kind.h"
#include "consensus/lane.h"
#include "qa/unit/harness.h"

static const enum fx_chain_kind kinds[] = {FX_MAIN, FX_TEST, FX_REGTEST, FX_BTCREGTEST};

FX_TEST(found_by_name_and_kind)
{
    FX_CHECK(fx_params_find("main") == fx_params_get(FX_MAIN));
    FX_CHECK(fx_params_find("test") == fx_params_get(FX_TEST));
    FX_CHECK(fx_params_find("regtest") == fx_params_get(FX_REGTEST));
    FX_CHECK(fx_params_find("btcregtest") == fx_params_get(FX_BTCREGTEST));
    FX_CHECK(fx_params_find("signet") == NULL);
    FX_CHECK(fx_params_find("") == NULL);
}

FX_TEST(no_two_networks_can_be_mistaken)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct fx_params *a = fx_params_get(kinds[i]);

        FX_CHECK_INT(a->kind, kinds[i]);
        for (unsigned k = 0; k < i; k++) {
            const struct fx_params *b = fx_params_get(kinds[k]);

            FX_CHECK(memcmp(a->magic, b->magic, 4) != 0);
            FX_CHECK(a->p2p_port != b->p2p_port && a->rpc_port != b->rpc_port);
            FX_CHECK(a->p2p_port != b->rpc_port && a->rpc_port != b->p2p_port);
            FX_CHECK(strcmp(a->bech32_hrp, b->bech32_hrp) != 0);
            FX_CHECK(a->base58_pubkey != b->base58_pubkey);
            FX_CHECK(a->base58_secret != b->base58_secret);
            FX_CHECK(a->ext_public != b->ext_public && a->ext_secret != b->ext_secret);
            FX_CHECK(a->coin_type != b->coin_type && a->network_id != b->network_id);
            FX_CHECK(!fx_hash_equal(&a->genesis_id, &b->genesis_id));
            FX_CHECK(strcmp(a->data_subdir, b->data_subdir) != 0);
        }
    }
}

FX_TEST(numbers_of_the_protocol)
{
    const struct fx_params *p = fx_params_get(FX_MAIN);

    FX_CHECK_INT(p->limit_nbits[FX_LANE_HASH], 0x1d100000);
    FX_CHECK_INT(p->limit_nbits[FX_LANE_JOB], 0x1f400000);
    FX_CHECK_STR(p->bech32_hrp, "fx");
    FX_CHECK_INT(p->window_min, 14);
    FX_CHECK_INT(p->answer_window, 14);
    FX_CHECK_INT(p->halving_interval, 2102400);
    FX_CHECK_INT(p->max_future_seconds, 600);
    FX_CHECK_INT(p->job_work_shift, 18);
    p = fx_params_get(FX_TEST);
    FX_CHECK_STR(p->bech32_hrp, "tfx");
    FX_CHECK_INT(p->window_min, 2);
    FX_CHECK_INT(p->limit_nbits[FX_LANE_JOB], 0x1f400000);
    p = fx_params_get(FX_REGTEST);
    FX_CHECK_STR(p->bech32_hrp, "fxrt");
    FX_CHECK_INT(p->window_min, 1);
    FX_CHECK_INT(p->halving_interval, 150);
    FX_CHECK_INT(p->job_work_shift, 0);
    FX_CHECK(!p->retarget);
    for (unsigned i = 0; i < 3; i++) {
        p = fx_params_get(kinds[i]);
        FX_CHECK_INT(p->first_subsidy, 1000000000);
        FX_CHECK_INT(p->max_money, INT64_C(42048000) * 100000000);
        FX_CHECK(p->lanes && p->tasks);
        FX_CHECK(fx_kind_find(p->kinds, FX_KIND_GEMM) == &fx_kind_gemm);
    }
}

FX_TEST(genesis_is_as_the_table_says)
{
    for (unsigned i = 0; i < 3; i++) {
        const struct fx_params *p = fx_params_get(kinds[i]);
        struct fx_block *block = fx_genesis_block(p);
        struct fx_u256 target, number;
        struct fx_hash root;

        FX_CHECK(block != NULL);
        FX_CHECK_MEM(block->id.b, p->genesis_id.b, 32);
        FX_CHECK_INT(fx_header_lane(&block->header), FX_LANE_HASH);
        FX_CHECK_INT(block->header.nbits, p->limit_nbits[FX_LANE_HASH]);
        FX_CHECK_INT(block->header.time, p->genesis_time);
        FX_CHECK(fx_hash_is_zero(&block->header.prev));
        FX_CHECK(fx_nbits_decode(block->header.nbits, &target));
        number = fx_u256_from_hash(&block->id);
        FX_CHECK(fx_u256_cmp(&number, &target) <= 0);
        fx_block_merkle_root(block, &root, NULL);
        FX_CHECK(fx_hash_equal(&root, &block->header.merkle_root));
        FX_CHECK_INT(block->n_txs, 1);
        FX_CHECK_INT(block->txs[0]->out[0].script.data[0], 0x6a);
        fx_block_unref(block);
    }
}

FX_TEST(subsidies_halve_to_nothing)
{
    const struct fx_params *p = fx_params_get(FX_MAIN);
    int64_t total = 0;

    FX_CHECK_INT(fx_subsidy_full(p, 1), 1000000000);
    FX_CHECK_INT(fx_subsidy_full(p, 2102399), 1000000000);
    FX_CHECK_INT(fx_subsidy_full(p, 2102400), 500000000);
    FX_CHECK_INT(fx_subsidy_full(p, UINT32_MAX), 0);
    p = fx_params_get(FX_REGTEST);
    FX_CHECK_INT(fx_subsidy_full(p, 149), 1000000000);
    FX_CHECK_INT(fx_subsidy_full(p, 150), 500000000);
    FX_CHECK_INT(fx_subsidy_full(p, 150 * 64), 0);
    FX_CHECK_INT(fx_subsidy_full(p, 150 * 65), 0);
    p = fx_params_get(FX_MAIN);
    for (uint32_t halving = 0; halving < 40; halving++) {
        total += fx_subsidy_full(p, halving * p->halving_interval) * p->halving_interval;
    }
    FX_CHECK(total <= p->max_money);
}

FX_TEST(money_range)
{
    const struct fx_params *p = fx_params_get(FX_MAIN);

    FX_CHECK(fx_money_range(p, 0) && fx_money_range(p, p->max_money));
    FX_CHECK(!fx_money_range(p, -1) && !fx_money_range(p, p->max_money + 1));
}

/* The numbers of Bitcoin Core's kernel/chainparams.cpp. */
FX_TEST(btcregtest_is_the_regtest_of_bitcoin)
{
    const struct fx_params *p = fx_params_get(FX_BTCREGTEST);
    struct fx_block *block = fx_genesis_block(p);
    struct fx_lane_state lanes;
    struct fx_u256 work;
    char text[FX_HASH_HEX];

    FX_CHECK(block != NULL);
    FX_CHECK_MEM(block->id.b, p->genesis_id.b, 32);
    fx_hash_to_id(&block->id, text);
    FX_CHECK_STR(text, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
    fx_hash_to_id(&block->txs[0]->txid, text);
    FX_CHECK_STR(text, "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
    FX_CHECK_INT(block->raw.len, 285);
    FX_CHECK_INT(block->header.version, 1);
    FX_CHECK_INT(block->txs[0]->out[0].value, INT64_C(5000000000));
    fx_block_unref(block);

    fx_lane_genesis(p, &lanes);
    work = fx_lane_work_added(p, FX_LANE_HASH, lanes.nbits);
    FX_CHECK(work.w[0] == 2 && work.w[1] == 0 && work.w[2] == 0 && work.w[3] == 0);

    FX_CHECK_MEM(p->magic, "\xfa\xbf\xb5\xda", 4);
    FX_CHECK(p->p2p_port == 18444 && p->rpc_port == 18443);
    FX_CHECK_STR(p->bech32_hrp, "bcrt");
    FX_CHECK(p->base58_pubkey == 111 && p->base58_script == 196 && p->base58_secret == 239);
    FX_CHECK(p->ext_public == 0x043587cf && p->ext_secret == 0x04358394 && p->coin_type == 1);
    FX_CHECK_INT(p->max_money, INT64_C(21000000) * 100000000);
    FX_CHECK_INT(p->max_future_seconds, 2 * 60 * 60);
    FX_CHECK(!p->lanes && !p->tasks && !p->retarget);
    FX_CHECK(fx_kind_find(p->kinds, FX_KIND_GEMM) == NULL);
    FX_CHECK_INT(fx_subsidy_full(p, 1), INT64_C(5000000000));
    FX_CHECK_INT(fx_subsidy_full(p, 149), INT64_C(5000000000));
    FX_CHECK_INT(fx_subsidy_full(p, 150), INT64_C(2500000000));
    FX_CHECK_INT(fx_subsidy_full(p, 300), INT64_C(1250000000));
}
