/* Commands on hosts and subnets that are banned; the topic that lists them is in network.c. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/net.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"

#define BAN_TIME_MAX (INT64_C(1) << 40) /* seconds: past any clock */

static json_t *ban(struct fx_rpc_call *call, const char *subnet)
{
    struct fx_net *net = call->rpc->config.net;
    int64_t now = fx_clock_now(), until;
    if (!fx_rpc_arg_int(call, call->args[2], "bantime", 0, BAN_TIME_MAX, 0, &until)) {
        return NULL;
    }
    if (fx_rpc_arg_bool(call->args[3], false)) {
        if (until < now) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER, "Error: Absolute timestamp is in the past");
        }
    } else {
        until = now + (until == 0 ? fx_net_ban_seconds(net) : until);
    }
    switch (fx_net_ban(net, subnet, until)) {
    case FX_BAN_DONE:
        return json_null();
    case FX_BAN_ALREADY:
        return fx_rpc_fail(call, FX_RPC_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned");
    case FX_BAN_FULL:
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Error: too many are banned; ban a subnet around them instead");
    case FX_BAN_NO_SUBNET:
    case FX_BAN_NONE:
        break;
    }
    return fx_rpc_fail(call, FX_RPC_INVALID_SUBNET, "Error: Invalid IP/Subnet");
}

static json_t *unban(struct fx_rpc_call *call, const char *subnet)
{
    switch (fx_net_unban(call->rpc->config.net, subnet)) {
    case FX_BAN_DONE:
        return json_null();
    case FX_BAN_NO_SUBNET:
        return fx_rpc_fail(call, FX_RPC_INVALID_SUBNET, "Error: Invalid IP/Subnet");
    case FX_BAN_NONE:
    case FX_BAN_ALREADY:
    case FX_BAN_FULL:
        break;
    }
    return fx_rpc_fail(call, FX_RPC_INVALID_SUBNET,
                       "Error: Unban failed. Requested address/subnet was not previously manually "
                       "banned.");
}

static json_t *setban(struct fx_rpc_call *call)
{
    const char *subnet = json_string_value(call->args[0]);
    const char *what = json_string_value(call->args[1]);
    if (strcmp(what, "add") == 0) {
        return ban(call, subnet);
    }
    if (strcmp(what, "remove") == 0) {
        return unban(call, subnet);
    }
    return fx_rpc_fail(call, FX_RPC_PARAMETER, "command must be add or remove");
}

const struct fx_rpc_command fx_rpc_setban = {
    .name = "setban",
    .text =
        "Bans a host or a subnet, or ends that. Its peers are disconnected, none of it connects "
        "or is dialled by itself. Bans outlast restarts.",
    .args = "subnet: str       # Numeric address, with /bits for a subnet\n"
            "command: str      # add or remove\n"
            "bantime?: int = 0   # Seconds; 0: those of -bantime (a day)\n"
            "absolute?: bool = false   # bantime is the unix time at which it ends",
    .result = "null",
    .errors = "-8: not a command, or a time that has passed\n"
              "-23: Error: IP/Subnet already banned\n"
              "-30: not an address or subnet, or it is not banned",
    .example = "\"192.0.2.5\" \"add\" 86400\n\"192.0.2.0/24\" \"add\"",
    .run = setban,
};

static json_t *listbanned(struct fx_rpc_call *call)
{
    struct fx_ban *bans = NULL;
    size_t n = fx_net_bans(call->rpc->config.net, &bans);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        fx_json_set(o, "address", json_string(bans[i].subnet));
        fx_json_set(o, "ban_created", json_integer(bans[i].created));
        fx_json_set(o, "banned_until", json_integer(bans[i].until));
        fx_json_set(o, "ban_duration", json_integer(bans[i].until - bans[i].created));
        fx_json_set(o, "time_remaining", json_integer(bans[i].until - fx_clock_now()));
        json_array_append_new(out, o);
    }
    free(bans);
    return out;
}

const struct fx_rpc_command fx_rpc_listbanned = {
    .name = "listbanned",
    .text = "Returns the hosts and subnets that setban banned.",
    .result = "[ { address: str   # With /bits\n"
              "ban_created: time, banned_until: time\n"
              "ban_duration: int, time_remaining: int } ]   # Seconds",
    .example = "",
    .run = listbanned,
};

static json_t *clearbanned(struct fx_rpc_call *call)
{
    fx_net_clear_bans(call->rpc->config.net);
    return json_null();
}

const struct fx_rpc_command fx_rpc_clearbanned = {
    .name = "clearbanned",
    .text = "Ends all bans of setban.",
    .result = "null",
    .example = "",
    .run = clearbanned,
};
