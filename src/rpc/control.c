/* Commands on the node itself. */
#include <malloc.h>
#include <string.h>

#include "src/iface/txindex.h"
#include "src/rpc/dispatch_int.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"

static json_t *uptime(struct fx_rpc_call *call)
{
    int64_t seconds = fx_clock_now() - call->rpc->config.started;
    return json_integer(seconds < 0 ? 0 : seconds);
}

static const struct fx_rpc_command uptime_command = {
    .name = "uptime",
    .text = "Returns the seconds since the node was started; with setmocktime, by that clock.",
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

static bool switch_categories(struct fx_rpc_call *call, const json_t *names,
                              bool (*turn)(const char *category))
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        if (!turn(json_string_value(name))) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "unknown logging category %.40s",
                        json_string_value(name));
            return false;
        }
    }
    return true;
}

static json_t *logging(struct fx_rpc_call *call)
{
    json_t *out = json_object();
    size_t i;
    if (!switch_categories(call, call->args[0], fx_log_enable) ||
        !switch_categories(call, call->args[1], fx_log_disable)) {
        json_decref(out);
        return NULL;
    }
    for (i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        fx_json_set(out, categories[i].name, json_boolean(fx_log_enabled(categories[i].bit)));
    }
    return out;
}

static const struct fx_rpc_command logging_command = {
    .name = "logging",
    .text = "Returns which categories are logged, after switching some on, then others off.",
    .args = "include?: [ str ]   # Categories to switch on; \"all\": every one, \"none\": none\n"
            "exclude?: [ str ]   # Categories to switch off",
    .result = "{ *: bool }",
    .errors = "-8: unknown logging category",
    .example = "\n[\"net\",\"jobs\"] [\"http\"]",
    .run = logging,
};

/* ---- memory ---------------------------------------------------------------------------------- */

static json_t *getmemoryinfo(struct fx_rpc_call *call)
{
    const char *mode = fx_rpc_arg_str(call->args[0], "stats");
    struct mallinfo2 heap = mallinfo2();
    json_t *out = json_object(), *all = json_object();
    if (strcmp(mode, "stats") != 0) {
        json_decref(out);
        json_decref(all);
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "unknown mode %.40s", mode);
    }
    fx_json_set(all, "used", json_integer((json_int_t)(heap.uordblks + heap.hblkhd)));
    fx_json_set(all, "free", json_integer((json_int_t)heap.fordblks));
    fx_json_set(all, "total", json_integer((json_int_t)(heap.arena + heap.hblkhd)));
    fx_json_set(all, "locked", json_integer(0));
    fx_json_set(all, "chunks_used", json_integer((json_int_t)heap.hblks));
    fx_json_set(all, "chunks_free", json_integer((json_int_t)heap.ordblks));
    fx_json_set(out, "locked", all);
    return out;
}

static const struct fx_rpc_command getmemoryinfo_command = {
    .name = "getmemoryinfo",
    .text = "Returns figures of the heap, under the names that Bitcoin Core has for its locked "
            "memory; no memory is locked here.",
    .args = "mode?: str = stats   # stats",
    .result = "{ locked: { used: int, free: int, total: int   # Bytes\n"
              "locked: int             # 0\n"
              "chunks_used: int, chunks_free: int } }",
    .errors = "-8: unknown mode",
    .example = "",
    .run = getmemoryinfo,
};

static json_t *getindexinfo(struct fx_rpc_call *call)
{
    static const char name[] = "txindex";
    const struct fx_tx_index *index = call->rpc->config.tx_index;
    json_t *out = json_object();
    if (index && strcmp(fx_rpc_arg_str(call->args[0], name), name) == 0) {
        json_t *o = json_object();
        fx_json_set(o, "synced", json_boolean(fx_tx_index_is_synced(index)));
        fx_json_set(o, "best_block_height", json_integer(fx_tx_index_height(index)));
        fx_json_set(out, name, o);
    }
    return out;
}

static const struct fx_rpc_command getindexinfo_command = {
    .name = "getindexinfo",
    .text = "Returns the optional indexes that are on, and how far each is: of this node, txindex.",
    .args = "index_name?: str   # Only this one",
    .result = "{ *: { synced: bool, best_block_height: int } }",
    .example = "\n\"txindex\"",
    .run = getindexinfo,
};

/* ---- what there is none of ------------------------------------------------------------------- */

static json_t *getzmqnotifications(struct fx_rpc_call *call)
{
    (void)call;
    return json_array();
}

static const struct fx_rpc_command getzmqnotifications_command = {
    .name = "getzmqnotifications",
    .text = "Returns the ZeroMQ notifications that are on: none, this node has no ZeroMQ.",
    .result = "array  # []",
    .example = "",
    .run = getzmqnotifications,
};

/* ---- for tests ------------------------------------------------------------------------------- */

static json_t *syncwithvalidationinterfacequeue(struct fx_rpc_call *call)
{
    (void)call;
    return json_null();
}

static const struct fx_rpc_command syncwithvalidationinterfacequeue_command = {
    .name = "syncwithvalidationinterfacequeue",
    .text = "Waits until all know of the tip and the mempool as they are now. That is always so "
            "here: events are over before the next call.",
    .result = "null",
    .example = "",
    .run = syncwithvalidationinterfacequeue,
    .flags = FX_RPC_HIDDEN,
};

static json_t *echo(struct fx_rpc_call *call)
{
    json_t *out = json_array();
    for (size_t i = 0; i < call->n_args; i++) {
        json_array_append_new(out, call->args[i] ? json_incref(call->args[i]) : json_null());
    }
    return out;
}

#define ECHO_ARGS                                                                          \
    "arg0?: any, arg1?: any, arg2?: any, arg3?: any, arg4?: any, arg5?: any, arg6?: any\n" \
    "arg7?: any, arg8?: any, arg9?: any"

static const struct fx_rpc_command echo_command = {
    .name = "echo",
    .text = "Returns its arguments. fornax-cli passes them as text.",
    .args = ECHO_ARGS,
    .result = "array",
    .example = "one two",
    .run = echo,
    .flags = FX_RPC_HIDDEN,
};

static const struct fx_rpc_command echojson_command = {
    .name = "echojson",
    .text = "Returns its arguments.",
    .args = ECHO_ARGS,
    .result = "array",
    .example = "1 two",
    .run = echo,
    .flags = FX_RPC_HIDDEN,
};

static const struct fx_rpc_command *const commands[] = {
    &fx_rpc_help,
    &fx_rpc_getrpcschema,
    &fx_rpc_setmocktime,
    &uptime_command,
    &stop_command,
    &getrpcinfo_command,
    &logging_command,
    &getmemoryinfo_command,
    &getindexinfo_command,
    &getzmqnotifications_command,
    &syncwithvalidationinterfacequeue_command,
    &fx_rpc_mockscheduler,
    &echo_command,
    &echojson_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_control = {"Control", commands, FX_RPC_ALWAYS};
