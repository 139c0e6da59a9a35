/* getdeploymentinfo: which of Bitcoin's soft forks hold. */
#include <stdint.h>

#include "src/rpc/topics_int.h"

static json_t *buried(uint32_t height, const struct fx_index *index)
{
    json_t *out = json_object();
    fx_json_set(out, "type", json_string("buried"));
    /* For the block after this one. */
    fx_json_set(out, "active", json_boolean((uint64_t)index->height + 1 >= height));
    fx_json_set(out, "height", json_integer(height));
    return out;
}

/* ---- what is signalled for (BIP9), on Bitcoin's regtest ---------------------------------------
 */

static const char *state_name(enum fx_signal_state state)
{
    switch (state) {
    case FX_SIGNAL_DEFINED:
        return "defined";
    case FX_SIGNAL_STARTED:
        return "started";
    case FX_SIGNAL_LOCKED_IN:
        return "locked_in";
    case FX_SIGNAL_ACTIVE:
        break;
    }
    return "active";
}

static json_t *bip9_json(int64_t start_time, enum fx_signal_state state, uint32_t since,
                         enum fx_signal_state next)
{
    json_t *out = json_object();
    fx_json_set(out, "start_time", json_integer(start_time));
    fx_json_set(out, "timeout", json_integer(INT64_MAX)); /* never */
    fx_json_set(out, "min_activation_height", json_integer(0));
    fx_json_set(out, "status", json_string(state_name(state)));
    fx_json_set(out, "since", json_integer(since));
    fx_json_set(out, "status_next", json_string(state_name(next)));
    return out;
}

static json_t *bip9_fork(json_t *bip9, enum fx_signal_state next, uint32_t since_next)
{
    json_t *out = json_object();
    fx_json_set(out, "type", json_string("bip9"));
    if (next == FX_SIGNAL_ACTIVE) {
        fx_json_set(out, "height", json_integer(since_next));
    }
    fx_json_set(out, "active", json_boolean(next == FX_SIGNAL_ACTIVE));
    fx_json_set(out, "bip9", bip9);
    return out;
}

/* The blocks of index's period up to it: who signals, and what may still come of it. */
static void count_signals(const struct fx_index *index, bool started, json_t *bip9)
{
    uint32_t elapsed = index->height % FX_SIGNAL_PERIOD + 1, count = 0;
    char signs[FX_SIGNAL_PERIOD + 1] = {0};
    json_t *statistics = json_object();
    for (uint32_t i = elapsed; i-- > 0; index = index->parent) {
        bool signals = fx_index_signals(index, FX_SIGNAL_DUMMY_BIT);
        signs[i] = signals ? '#' : '-';
        count += signals;
    }
    fx_json_set(statistics, "period", json_integer(FX_SIGNAL_PERIOD));
    fx_json_set(statistics, "elapsed", json_integer(elapsed));
    fx_json_set(statistics, "count", json_integer(count));
    if (started) {
        fx_json_set(statistics, "threshold", json_integer(FX_SIGNAL_THRESHOLD));
        fx_json_set(statistics, "possible",
                    json_boolean(elapsed - count <= FX_SIGNAL_PERIOD - FX_SIGNAL_THRESHOLD));
    }
    fx_json_set(bip9, "bit", json_integer(FX_SIGNAL_DUMMY_BIT));
    fx_json_set(bip9, "statistics", statistics);
    fx_json_set(bip9, "signalling", json_string(signs));
}

static json_t *testdummy(const struct fx_index *index)
{
    uint32_t since, since_next;
    enum fx_signal_state state = fx_index_signal_state(index->parent, FX_SIGNAL_DUMMY_BIT, &since);
    enum fx_signal_state next = fx_index_signal_state(index, FX_SIGNAL_DUMMY_BIT, &since_next);
    json_t *bip9 = bip9_json(0, state, since, next);
    if (state == FX_SIGNAL_STARTED || state == FX_SIGNAL_LOCKED_IN) {
        count_signals(index, state == FX_SIGNAL_STARTED, bip9);
    }
    return bip9_fork(bip9, next, since_next);
}

/* Bitcoin Core's way to say that it was always active. */
static json_t *taproot(void)
{
    return bip9_fork(bip9_json(-1, FX_SIGNAL_ACTIVE, 0, FX_SIGNAL_ACTIVE), FX_SIGNAL_ACTIVE, 0);
}

static json_t *getdeploymentinfo(struct fx_rpc_call *call)
{
    static const char *const names[FX_FORKS] = {
        [FX_FORK_HEIGHT] = "bip34", [FX_FORK_DERSIG] = "bip66",  [FX_FORK_CLTV] = "bip65",
        [FX_FORK_CSV] = "csv",      [FX_FORK_SEGWIT] = "segwit",
    };
    const struct fx_params *params = call->rpc->config.params;
    const struct fx_index *index = fx_chain_tip(call->rpc->config.chain);
    if (call->args[0]) {
        index = fx_rpc_arg_block(call, call->args[0]);
        if (!index) {
            return NULL;
        }
    }
    json_t *out = json_object(), *deployments = json_object();
    for (unsigned fork = 0; fork < FX_FORKS; fork++) {
        fx_json_set(deployments, names[fork], buried(params->fork_height[fork], index));
    }
    if (params->lanes) {
        fx_json_set(deployments, "taproot", buried(0, index));
    } else {
        fx_json_set(deployments, "testdummy", testdummy(index));
        fx_json_set(deployments, "taproot", taproot());
    }
    fx_json_set(out, "hash", fx_json_id(&index->id));
    fx_json_set(out, "height", json_integer(index->height));
    fx_json_set(out, "deployments", deployments);
    return out;
}

const struct fx_rpc_command fx_rpc_getdeploymentinfo = {
    .name = "getdeploymentinfo",
    .text = "Returns the soft forks of Bitcoin, and whether they hold for the block after one. All "
            "do from the first block on, but where -testactivationheight says otherwise. Only on "
            "btcregtest is something signalled for (BIP9): testdummy, which changes no rule.",
    .args = "blockhash?: hash   # Default: the tip",
    .result =
        "{ hash: hash, height: int\n"
        "deployments: { *: { type: str     # buried or bip9\n"
        "active: bool, height?: int        # Holds for the next block; from which height on\n"
        "bip9?: { bit?: int, start_time: int, timeout: int, min_activation_height: int\n"
        "status: str                       # defined, started, locked_in, active: of the block\n"
        "since: int, status_next: str      # And of the one after it\n"
        "statistics?: { period: int, elapsed: int, count: int\n"
        "threshold?: int, possible?: bool }\n"
        "signalling?: str } } } }          # The blocks of this period: # signals, - does not",
    .errors = "-5: Block not found",
    .example = "",
    .run = getdeploymentinfo,
};
