/* The table of networks (protocol section 2): every number by which one network differs from
 * another. btcregtest is Bitcoin's regtest: its numbers are those of Bitcoin Core's chainparams. */
#ifndef FX_CONSENSUS_PARAMS_H
#define FX_CONSENSUS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/hash.h"

#define FX_LANES 2
enum fx_lane { FX_LANE_HASH = 0, FX_LANE_JOB = 1 };

#define FX_COINBASE_MATURITY 100
#define FX_BLOCK_WEIGHT_MAX 4000000
/* Bytes of what is parsed at all, Bitcoin Core's MAX_SIZE: what is larger than a block may be is
 * refused by the rule that it breaks, not as something that does not parse. */
#define FX_PARSE_MAX (32u << 20)
#define FX_BLOCK_SIGOPS_COST_MAX 80000
/* Challenges in a block: all of them can be answered in the next one, beside as much of other use
 * (protocol section 5). */
#define FX_BLOCK_CHALLENGES_MAX 24
#define FX_DEPOSIT INT64_C(2000000)               /* embers */
#define FX_RECORD_KEEP 20160                      /* blocks that a settled record is kept */
#define FX_BACKING_MAX 4096                       /* origins in a backing list */
#define FX_MEDIAN_TIME_SPAN 11                    /* blocks */
#define FX_LOCKTIME_THRESHOLD UINT32_C(500000000) /* lock times at or above are times */
#define FX_EXCLUSIVE_LOOKBACK 2016
#define FX_EXCLUSIVE_MAX 144

enum fx_chain_kind { FX_MAIN = 0, FX_TEST, FX_REGTEST, FX_BTCREGTEST };

/* Bitcoin's soft forks that bind from a height on. */
enum fx_fork {
    FX_FORK_HEIGHT = 0, /* BIP34: the coinbase begins with the height */
    FX_FORK_DERSIG,     /* BIP66 */
    FX_FORK_CLTV,       /* BIP65 */
    FX_FORK_CSV,        /* BIP68, BIP112, BIP113 */
    FX_FORK_SEGWIT,     /* BIP141, BIP143, BIP147 */
    FX_FORKS
};

struct fx_kind; /* consensus/kinds/kind.h */

struct fx_params {
    enum fx_chain_kind kind;
    const char *name; /* "main", "test", "regtest", "btcregtest": -chain=, getblockchaininfo */
    const char *data_subdir; /* below the data directory; "" for main */

    /* rules */
    bool lanes; /* false: nVersion has no lane, every block is of the hash lane */
    bool tasks; /* false: a witness program of version 2 is unencumbered, as in Bitcoin */
    uint32_t limit_nbits[FX_LANES];
    bool retarget;             /* false: both lanes stay at their limit */
    unsigned job_work_shift;   /* c = 2^shift: 18, regtest 0 */
    int64_t first_subsidy;     /* S0, embers */
    uint32_t halving_interval; /* blocks */
    int64_t max_money;
    uint16_t window_min, answer_window; /* units of 512 s */
    int64_t max_future_seconds;
    /* BIP94: the first block of each period of so many is at most 600 s older than its parent. 0:
     * no such rule. */
    uint32_t timewarp_period;
    const struct fx_kind *const *kinds; /* the job kinds valid here, NULL-terminated */
    /* The first block that each binds; 0: all. Others than 0 are for tests, on btcregtest. */
    uint32_t fork_height[FX_FORKS];

    /* genesis: built by fx_genesis_block() from these */
    uint32_t genesis_time, genesis_nonce;
    struct fx_hash genesis_id;

    /* wire and text */
    uint8_t magic[4];
    uint16_t p2p_port, rpc_port;
    const char *bech32_hrp;
    uint8_t base58_pubkey, base58_script, base58_secret;
    uint32_t ext_public, ext_secret; /* BIP32 version bytes, big-endian value */
    uint32_t coin_type;              /* BIP44 */
    uint8_t network_id;              /* for tests and logs */
};

/* The params of a name, or NULL. They live for ever. */
const struct fx_params *fx_params_find(const char *name);
const struct fx_params *fx_params_get(enum fx_chain_kind kind);

/* S(h) = S0 >> (h / halving), 0 when the shift reaches 64. */
int64_t fx_subsidy_full(const struct fx_params *params, uint32_t height);
/* Does the fork bind a block of this height? */
bool fx_fork_binds(const struct fx_params *params, enum fx_fork fork, uint32_t height);
bool fx_money_range(const struct fx_params *params, int64_t amount);

#endif
