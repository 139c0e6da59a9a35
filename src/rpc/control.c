/* Commands on the node itself. */
#include "src/rpc/dispatch_int.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"

static json_t *uptime(struct fx_rpc_call *call)
{
    int64_t seconds = fx_clock_real() - call->rpc->config.started;
    return json_integer(seconds < 0 ? 0 : seconds);
}

static const struct fx_rpc_command uptime_command = {
    .name = "uptime",
    .text = "Returns the seconds since the node was started.",
    .result = "int",
    .example = "",
    .run = uptime,
};

static json_t *stop(struct fx_rpc_call *call)
{
    call->rpc->stopping = true; /* once the answer is out */
    return json_string("Fornax stopping");
}

static const struct fx_rpc_command stop_command = {
    .name = "stop",
    .text = "Asks the node to stop.",
    .args = "wait?: int  # Milliseconds, for tests of Bitcoin Core; it never waits",
    .result = "str  # Says that it does",
    .example = "",
    .run = stop,
};

/* Events reach everybody within the call that raised them. */
static json_t *syncwithvalidationinterfacequeue(struct fx_rpc_call *call)
{
    (void)call;
    return json_null();
}

static const struct fx_rpc_command syncwithvalidationinterfacequeue_command = {
    .name = "syncwithvalidationinterfacequeue",
    .text = "Returns when mempool and wallets have seen every block that came: here, always.",
    .result = "null",
    .example = "",
    .run = syncwithvalidationinterfacequeue,
};

static json_t *getrpcinfo(struct fx_rpc_call *call)
{
    json_t *out = json_object(), *active = json_array();
    int64_t now = fx_clock_monotonic_ms();
    for (const struct fx_rpc_session *s = call->rpc->sessions; s; s = s->next) {
        if (s->call.entry) {
            json_t *o = json_object();
            fx_json_set(o, "method", json_string(s->call.entry->command->name));
            fx_json_set(o, "duration", json_integer((now - s->call.started_ms) * 1000));
            json_array_append_new(active, o);
        }
    }
    fx_json_set(out, "active_commands", active);
    fx_json_set(out, "logpath", json_string(call->rpc->log_path));
    return out;
}

static const struct fx_rpc_command getrpcinfo_command = {
    .name = "getrpcinfo",
    .text = "Returns the calls under way, this one too.",
    .result = "{ active_commands: [ { method: str\n"
              "duration: int } ]   # Microseconds\n"
              "logpath: str }      # Of debug.log",
    .example = "",
    .run = getrpcinfo,
};

static const struct {
    const char *name;
    enum fx_log_category bit;
} categories[] = {
    {"net", FX_LOG_NET},       {"mempool", FX_LOG_MEMPOOL}, {"rpc", FX_LOG_RPC},
    {"chain", FX_LOG_CHAIN},   {"jobs", FX_LOG_JOBS},       {"wallet", FX_LOG_WALLET},
    {"mining", FX_LOG_MINING}, {"blobs", FX_LOG_BLOBS},     {"http", FX_LOG_HTTP},
};

static json_t *logging(struct fx_rpc_call *call)
{
    size_t i;
    json_t *name;
    json_array_foreach(call->args[0], i, name)
    {
        if (!fx_log_enable(json_string_value(name))) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER, "unknown logging category %.40s",
                               json_string_value(name));
        }
    }
    json_t *out = json_object();
    for (i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        fx_json_set(out, categories[i].name, json_boolean(fx_log_enabled(categories[i].bit)));
    }
    return out;
}

static const struct fx_rpc_command logging_command = {
    .name = "logging",
    .text = "Returns which categories are logged, after switching some on.",
    .args = "include?: [ str ]   # Categories to switch on; \"all\": every one, \"none\": none",
    .result = "{ *: bool }",
    .errors = "-8: unknown logging category",
    .example = "\n[\"net\",\"jobs\"]",
    .run = logging,
};

static const struct fx_rpc_command *const commands[] = {
    &fx_rpc_help,
    &fx_rpc_getrpcschema,
    &fx_rpc_setmocktime,
    &uptime_command,
    &stop_command,
    &getrpcinfo_command,
    &logging_command,
    &syncwithvalidationinterfacequeue_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_control = {"Control", commands, FX_RPC_ALWAYS};
