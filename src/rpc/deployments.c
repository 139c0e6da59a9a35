/* getdeploymentinfo: which of Bitcoin's soft forks hold. */
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
    fx_json_set(deployments, "taproot", buried(0, index));
    fx_json_set(out, "hash", fx_json_id(&index->id));
    fx_json_set(out, "height", json_integer(index->height));
    fx_json_set(out, "deployments", deployments);
    return out;
}

const struct fx_rpc_command fx_rpc_getdeploymentinfo = {
    .name = "getdeploymentinfo",
    .text = "Returns the soft forks of Bitcoin, and whether they hold for the block after one. All "
            "do from the first block on, but where -testactivationheight says otherwise; nothing "
            "is signalled for.",
    .args = "blockhash?: hash   # Default: the tip",
    .result = "{ hash: hash, height: int\n"
              "deployments: { *: { type: str, active: bool, height: int } } }",
    .errors = "-5: Block not found",
    .example = "",
    .run = getdeploymentinfo,
};
