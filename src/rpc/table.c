/* The table of all commands, made once from the topics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/rpc/rpc_int.h"
#include "src/util/mem.h"

static const struct fx_rpc_topic *const topics[] = {
    &fx_rpc_topic_blockchain, &fx_rpc_topic_control, &fx_rpc_topic_jobs,   &fx_rpc_topic_market,
    &fx_rpc_topic_mempool,    &fx_rpc_topic_miner,   &fx_rpc_topic_mining, &fx_rpc_topic_network,
    &fx_rpc_topic_rawtx,      &fx_rpc_topic_regtest, &fx_rpc_topic_tasks,  &fx_rpc_topic_wallet,
    &fx_rpc_topic_coins,
};

static bool wanted(const struct fx_rpc *rpc, const struct fx_rpc_topic *topic)
{
    bool wallets = rpc->config.wallets != NULL;
    bool jobs = wallets && rpc->config.jobs != NULL;
    return topic->needs == FX_RPC_ALWAYS || (topic->needs == FX_RPC_WITH_WALLETS && wallets) ||
           (topic->needs == FX_RPC_WITH_JOBS && jobs);
}

static bool entry_make(struct fx_rpc *rpc, const struct fx_rpc_topic *topic,
                       const struct fx_rpc_command *command, char *error)
{
    char why[160] = "more arguments than fit";
    struct fx_schema *args = fx_schema_fields(command->args, why);
    struct fx_schema *result = args ? fx_schema_forms(command->result, why) : NULL;
    if (!result || args->n_in > FX_RPC_ARGS_MAX) {
        snprintf(error, FX_RPC_CREATE_ERROR, "description of %s: %s", command->name, why);
        fx_schema_destroy(args);
        fx_schema_destroy(result);
        return false;
    }
    rpc->entries = fx_xreallocarray(rpc->entries, rpc->n_entries + 1, sizeof(*rpc->entries));
    rpc->entries[rpc->n_entries++] = (struct fx_rpc_entry){command, topic, args, result};
    return true;
}

bool fx_rpc_table_make(struct fx_rpc *rpc, char error[FX_RPC_CREATE_ERROR])
{
    for (size_t t = 0; t < sizeof(topics) / sizeof(topics[0]); t++) {
        if (!wanted(rpc, topics[t])) {
            continue;
        }
        for (const struct fx_rpc_command *const *c = topics[t]->commands; *c; c++) {
            if (!entry_make(rpc, topics[t], *c, error)) {
                return false;
            }
        }
    }
    return true;
}

void fx_rpc_table_clear(struct fx_rpc *rpc)
{
    for (size_t i = 0; i < rpc->n_entries; i++) {
        fx_schema_destroy(rpc->entries[i].args);
        fx_schema_destroy(rpc->entries[i].result);
    }
    free(rpc->entries);
    rpc->entries = NULL;
    rpc->n_entries = 0;
}

const struct fx_rpc_entry *fx_rpc_table_find(const struct fx_rpc *rpc, const char *name)
{
    for (size_t i = 0; i < rpc->n_entries; i++) {
        if (strcmp(rpc->entries[i].command->name, name) == 0) {
            return &rpc->entries[i];
        }
    }
    return NULL;
}
