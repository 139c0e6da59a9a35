/* Commands that wait for blocks. */
#include <stdlib.h>

#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define WAIT_STEP_MS 20

enum wait_for { WAIT_NEW, WAIT_BLOCK, WAIT_HEIGHT };

struct wait {
    enum wait_for what;
    struct fx_hash block; /* WAIT_NEW: the tip that is no longer new */
    int64_t height;
    int64_t end_ms; /* 0: no end */
};

static bool is_over(const struct wait *wait, const struct fx_index *tip)
{
    switch (wait->what) {
    case WAIT_NEW:
        return !fx_hash_equal(&tip->id, &wait->block);
    case WAIT_BLOCK:
        return fx_hash_equal(&tip->id, &wait->block);
    case WAIT_HEIGHT:
        return tip->height >= wait->height;
    }
    return true;
}

static int wait_step(struct fx_rpc_call *call, void *ctx)
{
    const struct wait *wait = ctx;
    const struct fx_index *tip = fx_chain_tip(call->rpc->config.chain);
    bool late = wait->end_ms > 0 && fx_clock_monotonic_ms() >= wait->end_ms;
    if (!late && !is_over(wait, tip)) {
        return WAIT_STEP_MS;
    }
    call->result = json_object();
    fx_json_set(call->result, "hash", fx_json_id(&tip->id));
    fx_json_set(call->result, "height", json_integer(tip->height));
    return FX_RPC_STEP_DONE;
}

/* milliseconds: the argument, 0 for no end. */
static json_t *wait_for(struct fx_rpc_call *call, struct wait wait, const json_t *milliseconds)
{
    int64_t ms = milliseconds ? json_integer_value(milliseconds) : 0;
    if (ms < 0) {
        return fx_rpc_fail(call, FX_RPC_MISC, "Negative timeout");
    }
    if (ms > 0) {
        int64_t now = fx_clock_monotonic_ms();
        wait.end_ms = ms < INT64_MAX - now ? now + ms : INT64_MAX;
    }
    return fx_rpc_slice(call, wait_step, free, fx_xmemdup(&wait, sizeof(wait)));
}

#define WAIT_RESULT "{ hash: hash, height: int }  # The tip, also where the time is over"

static json_t *waitfornewblock(struct fx_rpc_call *call)
{
    const struct wait wait = {.what = WAIT_NEW, .block = fx_chain_tip(call->rpc->config.chain)->id};
    return wait_for(call, wait, call->args[0]);
}

const struct fx_rpc_command fx_rpc_waitfornewblock = {
    .name = "waitfornewblock",
    .text = "Waits for another tip and returns it.",
    .args = "timeout?: int = 0   # Milliseconds; 0: no end",
    .result = WAIT_RESULT,
    .errors = "-1: Negative timeout",
    .example = "1000",
    .run = waitfornewblock,
    .flags = FX_RPC_HIDDEN,
};

static json_t *waitforblock(struct fx_rpc_call *call)
{
    struct wait wait = {.what = WAIT_BLOCK};
    if (!fx_rpc_arg_hash(call, call->args[0], "blockhash", &wait.block)) {
        return NULL;
    }
    return wait_for(call, wait, call->args[1]);
}

const struct fx_rpc_command fx_rpc_waitforblock = {
    .name = "waitforblock",
    .text = "Waits until a block is the tip and returns the tip.",
    .args = "blockhash: hash\n"
            "timeout?: int = 0   # Milliseconds; 0: no end",
    .result = WAIT_RESULT,
    .errors = "-1: Negative timeout",
    .example = "\"blockhash\" 1000",
    .run = waitforblock,
    .flags = FX_RPC_HIDDEN,
};

static json_t *waitforblockheight(struct fx_rpc_call *call)
{
    const struct wait wait = {.what = WAIT_HEIGHT, .height = json_integer_value(call->args[0])};
    return wait_for(call, wait, call->args[1]);
}

const struct fx_rpc_command fx_rpc_waitforblockheight = {
    .name = "waitforblockheight",
    .text = "Waits until the tip has at least a height and returns the tip.",
    .args = "height: int\n"
            "timeout?: int = 0   # Milliseconds; 0: no end",
    .result = WAIT_RESULT,
    .errors = "-1: Negative timeout",
    .example = "100 1000",
    .run = waitforblockheight,
    .flags = FX_RPC_HIDDEN,
};
