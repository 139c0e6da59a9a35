/* The table of networks, and what follows from it alone. */
#include "consensus/params.h"

#include <string.h>

#include "consensus/kinds/kind.h"

static const struct fx_kind *const no_kinds[] = {NULL};

/* Magics are bytes that are rare in text and no part of UTF-8. Addresses begin with F and f on
 * main, T and t on test, R and r on regtest; extended keys with fpub, tfpu, rfpu. All of these,
 * ports and coin types are clear of Bitcoin's, except on btcregtest, where they are Bitcoin's. */
static const struct fx_params table[] = {
    {
        .kind = FX_MAIN,
        .name = "main",
        .data_subdir = "",
        .limit_nbits = {0x1d100000, 0x1f400000},
        .lanes = true,
        .tasks = true,
        .retarget = true,
        .job_work_shift = 18,
        .first_subsidy = INT64_C(1000000000),
        .halving_interval = 2102400,
        .max_money = INT64_C(4204800000000000),
        .window_min = 14,
        .answer_window = 14,
        .max_future_seconds = 600,
        .kinds = fx_kinds_v1,
        .genesis_time = 1750000000,
        .genesis_nonce = 22140128,
        .genesis_id = {{0x4f, 0x7e, 0x9d, 0x5b, 0xd5, 0xc5, 0xee, 0x96, 0x64, 0xa9, 0x73,
                        0x4d, 0x96, 0xda, 0x3e, 0x89, 0xdf, 0x5b, 0xff, 0xc8, 0x51, 0xfd,
                        0x8e, 0x99, 0x4c, 0x59, 0x1f, 0x2a, 0x09, 0x00, 0x00, 0x00}},
        .magic = {0xf0, 0xc2, 0xa1, 0xfe},
        .p2p_port = 16333,
        .rpc_port = 16332,
        .bech32_hrp = "fx",
        .base58_pubkey = 35,
        .base58_script = 95,
        .base58_secret = 163,
        .ext_public = 0x03273e4b,
        .ext_secret = 0x03273a10,
        .coin_type = 4607576,
        .network_id = 1,
    },
    {
        .kind = FX_TEST,
        .name = "test",
        .data_subdir = "test",
        .limit_nbits = {0x1d100000, 0x1f400000},
        .lanes = true,
        .tasks = true,
        .retarget = true,
        .job_work_shift = 18,
        .first_subsidy = INT64_C(1000000000),
        .halving_interval = 2102400,
        .max_money = INT64_C(4204800000000000),
        .window_min = 2,
        .answer_window = 2,
        .max_future_seconds = 600,
        .kinds = fx_kinds_v1,
        .genesis_time = 1750000000,
        .genesis_nonce = 616803160,
        .genesis_id = {{0x75, 0xee, 0x9a, 0x23, 0x1d, 0x9a, 0xba, 0xd6, 0xe5, 0x62, 0x30,
                        0x7a, 0xae, 0xb9, 0xe2, 0x7f, 0x70, 0x56, 0xb7, 0x41, 0x98, 0x4f,
                        0xc9, 0x39, 0xac, 0x42, 0xaf, 0xa5, 0x0f, 0x00, 0x00, 0x00}},
        .magic = {0xf1, 0xc3, 0xa2, 0xfd},
        .p2p_port = 16433,
        .rpc_port = 16432,
        .bech32_hrp = "tfx",
        .base58_pubkey = 65,
        .base58_script = 127,
        .base58_secret = 177,
        .ext_public = 0x04324678,
        .ext_secret = 0x0432467f,
        .coin_type = 4607577,
        .network_id = 2,
    },
    {
        .kind = FX_REGTEST,
        .name = "regtest",
        .data_subdir = "regtest",
        .limit_nbits = {0x207fffff, 0x207fffff},
        .lanes = true,
        .tasks = true,
        .retarget = false,
        .job_work_shift = 0,
        .first_subsidy = INT64_C(1000000000),
        .halving_interval = 150,
        .max_money = INT64_C(4204800000000000),
        .window_min = 1,
        .answer_window = 1,
        .max_future_seconds = 600,
        .kinds = fx_kinds_v1,
        .genesis_time = 1700000000,
        .genesis_nonce = 0,
        .genesis_id = {{0x3f, 0xdb, 0x77, 0x4e, 0x0c, 0xd6, 0xfc, 0x08, 0xd4, 0x57, 0xc1,
                        0xae, 0xa8, 0xa7, 0xa9, 0xf8, 0x94, 0x39, 0xb3, 0x69, 0x3e, 0x42,
                        0xf1, 0xfa, 0x53, 0xe5, 0xc5, 0x61, 0x26, 0x3b, 0xd9, 0x3d}},
        .magic = {0xf2, 0xc4, 0xa3, 0xfc},
        .p2p_port = 16533,
        .rpc_port = 16532,
        .bech32_hrp = "fxrt",
        .base58_pubkey = 60,
        .base58_script = 122,
        .base58_secret = 188,
        .ext_public = 0x0408b150,
        .ext_secret = 0x0408b157,
        .coin_type = 4607578,
        .network_id = 3,
    },
    {
        .kind = FX_BTCREGTEST,
        .name = "btcregtest",
        .data_subdir = "btcregtest",
        .limit_nbits = {0x207fffff, 0x207fffff},
        .lanes = false,
        .tasks = false,
        .retarget = false,
        .job_work_shift = 0,
        .first_subsidy = INT64_C(5000000000),
        .halving_interval = 150,
        .max_money = INT64_C(2100000000000000),
        .window_min = 1,
        .answer_window = 1,
        .max_future_seconds = 7200,
        .kinds = no_kinds,
        .genesis_time = 1296688602,
        .genesis_nonce = 2,
        .genesis_id = {{0x06, 0x22, 0x6e, 0x46, 0x11, 0x1a, 0x0b, 0x59, 0xca, 0xaf, 0x12,
                        0x60, 0x43, 0xeb, 0x5b, 0xbf, 0x28, 0xc3, 0x4f, 0x3a, 0x5e, 0x33,
                        0x2a, 0x1f, 0xc7, 0xb2, 0xb7, 0x3c, 0xf1, 0x88, 0x91, 0x0f}},
        .magic = {0xfa, 0xbf, 0xb5, 0xda},
        .p2p_port = 18444,
        .rpc_port = 18443,
        .bech32_hrp = "bcrt",
        .base58_pubkey = 111,
        .base58_script = 196,
        .base58_secret = 239,
        .ext_public = 0x043587cf,
        .ext_secret = 0x04358394,
        .coin_type = 1,
        .network_id = 4,
    },
};

#define NETWORKS (sizeof table / sizeof table[0])

const struct fx_params *fx_params_find(const char *name)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const struct fx_params *fx_params_get(enum fx_chain_kind kind)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        if (table[i].kind == kind) {
            return &table[i];
        }
    }
    return NULL;
}

int64_t fx_subsidy_full(const struct fx_params *params, uint32_t height)
{
    uint32_t halvings = height / params->halving_interval;

    /* The first subsidy is positive, so 63 halvings leave nothing. */
    return halvings >= 63 ? 0 : params->first_subsidy >> halvings;
}

bool fx_fork_binds(const struct fx_params *params, enum fx_fork fork, uint32_t height)
{
    return height >= params->fork_height[fork];
}

bool fx_money_range(const struct fx_params *params, int64_t amount)
{
    return amount >= 0 && amount <= params->max_money;
}
