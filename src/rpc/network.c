/* Commands on peers. */
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

static json_t *services_names(uint64_t services)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } names[] = {{FX_NODE_NETWORK, "NETWORK"}, {FX_NODE_WITNESS, "WITNESS"},
                 {FX_NODE_JOBDATA, "JOBDATA"}, {1 << 2, "BLOOM"},
                 {1 << 6, "COMPACT_FILTERS"},  {FX_NODE_NETWORK_LIMITED, "NETWORK_LIMITED"},
                 {1 << 11, "P2P_V2"}};
    json_t *out = json_array();
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *name = NULL;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            name = names[i].bit == UINT64_C(1) << bit ? names[i].name : name;
        }
        if (services >> bit & 1) {
            json_array_append_new(out,
                                  name ? json_string(name) : json_sprintf("UNKNOWN[2^%u]", bit));
        }
    }
    return out;
}

static json_t *services_hex(uint64_t services)
{
    return json_sprintf("%08x%08x", (unsigned)(services >> 32), (unsigned)(services & 0xffffffffu));
}

static json_t *bytes_by_command(const struct fx_peer_info *p, bool sent)
{
    json_t *out = json_object();
    for (size_t i = 0; i < p->n_commands; i++) {
        uint64_t bytes = sent ? p->commands[i].sent : p->commands[i].received;
        if (bytes > 0) {
            fx_json_set(out, p->commands[i].name, json_integer((json_int_t)bytes));
        }
    }
    return out;
}

static json_t *getpeerinfo(struct fx_rpc_call *call)
{
    struct fx_peer_info *peers = NULL;
    size_t n = fx_net_peers(call->rpc->config.net, &peers);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct fx_peer_info *p = &peers[i];
        json_t *o = json_object();
        fx_json_set(o, "id", json_integer((json_int_t)p->id));
        fx_json_set(o, "addr", json_string(p->address));
        if (p->bound_to[0]) {
            fx_json_set(o, "addrbind", json_string(p->bound_to));
        }
        fx_json_set(o, "network", json_string(p->network));
        fx_json_set(o, "services", services_hex(p->services));
        fx_json_set(o, "servicesnames", services_names(p->services));
        fx_json_set(o, "relaytxes", json_boolean(p->relays_txs));
        fx_json_set(o, "lastsend", json_integer(p->last_send));
        fx_json_set(o, "lastrecv", json_integer(p->last_recv));
        fx_json_set(o, "last_transaction", json_integer(p->last_tx));
        fx_json_set(o, "last_block", json_integer(p->last_block));
        fx_json_set(o, "bytessent", json_integer((json_int_t)p->bytes_sent));
        fx_json_set(o, "bytesrecv", json_integer((json_int_t)p->bytes_recv));
        fx_json_set(o, "conntime", json_integer(p->connected_at));
        fx_json_set(o, "timeoffset", json_integer(p->time_offset));
        if (p->ping_us >= 0) {
            fx_json_set(o, "pingtime", json_real((double)p->ping_us / 1e6));
            fx_json_set(o, "minping", json_real((double)p->min_ping_us / 1e6));
        }
        if (p->ping_wait_us >= 0) {
            fx_json_set(o, "pingwait", json_real((double)p->ping_wait_us / 1e6));
        }
        json_t *agent = json_string(p->user_agent); /* NULL where it is not UTF-8 */
        fx_json_set(o, "version", json_integer(p->version));
        fx_json_set(o, "subver", agent ? agent : json_string("(not UTF-8)"));
        fx_json_set(o, "inbound", json_boolean(p->inbound));
        fx_json_set(o, "handshake", json_boolean(p->handshake_done));
        fx_json_set(o, "bip152_hb_to", json_boolean(p->compact_to));
        fx_json_set(o, "bip152_hb_from", json_boolean(p->compact_from));
        fx_json_set(o, "startingheight", json_integer(p->start_height));
        fx_json_set(o, "presynced_headers", json_integer(p->presync_height));
        fx_json_set(o, "synced_headers", json_integer(p->best_height));
        fx_json_set(o, "synced_blocks", json_integer(p->common_height));
        json_t *in_flight = json_array();
        for (size_t k = 0; k < p->blocks_in_flight; k++) {
            json_array_append_new(in_flight, json_integer(p->in_flight_heights[k]));
        }
        fx_json_set(o, "inflight", in_flight);
        fx_json_set(o, "addr_relay_enabled", json_boolean(p->relays_addrs));
        json_t *permissions = json_array();
        for (size_t k = 0; k < p->n_permissions; k++) {
            json_array_append_new(permissions, json_string(p->permissions[k]));
        }
        fx_json_set(o, "permissions", permissions);
        fx_json_set(o, "minfeefilter", fx_json_amount(p->fee_filter));
        fx_json_set(o, "bytessent_per_msg", bytes_by_command(p, true));
        fx_json_set(o, "bytesrecv_per_msg", bytes_by_command(p, false));
        fx_json_set(o, "connection_type", json_string(p->connection_type));
        fx_json_set(o, "transport_protocol_type", json_string("v1"));
        fx_json_set(o, "session_id", json_string(""));
        fx_json_set(o, "misbehaviour", json_integer(p->misbehaviour));
        json_array_append_new(out, o);
    }
    free(peers);
    return out;
}

static const struct fx_rpc_command getpeerinfo_command = {
    .name = "getpeerinfo",
    .text = "Returns what is known of each connected peer.",
    .result = "[ { id: int, addr: str\n"
              "addrbind?: str        # Our end of the connection\n"
              "network: str          # ipv4, ipv6 or not_publicly_routable\n"
              "services: hex, servicesnames: [ str ]\n"
              "relaytxes: bool       # It wants transactions\n"
              "lastsend: time, lastrecv: time\n"
              "last_transaction: time, last_block: time # That were taken from it; 0: none\n"
              "bytessent: int, bytesrecv: int, conntime: time\n"
              "timeoffset: int       # Seconds that its clock is ahead of ours\n"
              "pingtime?: num, minping?: num # Seconds: the last and the least\n"
              "pingwait?: num        # Seconds since a ping that is not answered yet\n"
              "version: int, subver: str, inbound: bool\n"
              "handshake: bool       # version and verack came\n"
              "bip152_hb_to: bool    # We asked it to announce blocks as compact ones\n"
              "bip152_hb_from: bool  # It asked us\n"
              "startingheight: int\n"
              "presynced_headers: int # Height of those that lack work to be stored; -1: none\n"
              "synced_headers: int   # Height of the best header it announced; -1: none yet\n"
              "synced_blocks: int    # Height of the last block that both have; -1: none yet\n"
              "inflight: [ int ]     # Heights of the blocks asked of it that have not come\n"
              "addr_relay_enabled: bool\n"
              "permissions: [ str ]  # By -whitelist and -whitebind\n"
              "minfeefilter: amount  # Least fee rate that it wants, per 1,000 vbytes\n"
              "bytessent_per_msg: { *: int }, bytesrecv_per_msg: { *: int }\n"
              "connection_type: str  # inbound, manual, outbound-full-relay, block-relay-only, "
              "addr-fetch, feeler, or data\n"
              "transport_protocol_type: str, session_id: str # v1, and none\n"
              "misbehaviour: int } ]",
    .example = "",
    .run = getpeerinfo,
};

static json_t *getconnectioncount(struct fx_rpc_call *call)
{
    struct fx_peer_info *peers = NULL;
    size_t n = fx_net_peers(call->rpc->config.net, &peers);
    free(peers);
    return json_integer((json_int_t)n);
}

static const struct fx_rpc_command getconnectioncount_command = {
    .name = "getconnectioncount",
    .text = "Returns the number of connected peers.",
    .result = "int",
    .example = "",
    .run = getconnectioncount,
};

/* Nothing bounds what is sent in a day. */
static json_t *upload_target(void)
{
    json_t *out = json_object();
    fx_json_set(out, "timeframe", json_integer(86400));
    fx_json_set(out, "target", json_integer(0));
    fx_json_set(out, "target_reached", json_false());
    fx_json_set(out, "serve_historical_blocks", json_true());
    fx_json_set(out, "bytes_left_in_cycle", json_integer(0));
    fx_json_set(out, "time_left_in_cycle", json_integer(0));
    return out;
}

static json_t *getnettotals(struct fx_rpc_call *call)
{
    uint64_t sent = 0, received = 0;
    json_t *out = json_object();
    fx_net_totals(call->rpc->config.net, &sent, &received);
    fx_json_set(out, "totalbytesrecv", json_integer((json_int_t)received));
    fx_json_set(out, "totalbytessent", json_integer((json_int_t)sent));
    fx_json_set(out, "timemillis", json_integer(fx_clock_real() * 1000));
    fx_json_set(out, "uploadtarget", upload_target());
    return out;
}

static const struct fx_rpc_command getnettotals_command = {
    .name = "getnettotals",
    .text = "Returns the bytes that went over the network since the start.",
    .result = "{ totalbytesrecv: int, totalbytessent: int, timemillis: int\n"
              "uploadtarget: { timeframe: int\n"
              "target: int   # 0: none\n"
              "target_reached: bool, serve_historical_blocks: bool\n"
              "bytes_left_in_cycle: int, time_left_in_cycle: int } }",
    .example = "",
    .run = getnettotals,
};

/* 100 for 0.1.0, as Bitcoin Core counts. */
static int version_number(void)
{
    const char *s = PACKAGE_VERSION;
    int out = 0;
    for (int part = 0; part < 3; part++) {
        int n = 0;
        for (; *s >= '0' && *s <= '9'; s++) {
            n = 10 * n + (*s - '0');
        }
        out = 100 * out + n;
        s += *s == '.';
    }
    return out;
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The median of what peers that were dialled say their clocks are ahead. */
static int64_t time_offset(const struct fx_peer_info *peers, size_t n)
{
    int64_t *offsets = fx_xcalloc(n + 1, sizeof(*offsets));
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!peers[i].inbound) {
            offsets[used++] = peers[i].time_offset;
        }
    }
    qsort(offsets, used, sizeof(*offsets), by_value);
    int64_t median = used > 0 ? offsets[used / 2] : 0;
    free(offsets);
    return median;
}

/* Peers are dialled by IPv4 and IPv6, through no proxy. */
static json_t *networks(void)
{
    static const char *const names[] = {"ipv4", "ipv6", "onion", "i2p", "cjdns"};
    json_t *out = json_array();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *o = json_object();
        fx_json_set(o, "name", json_string(names[i]));
        fx_json_set(o, "limited", json_boolean(i > 1));
        fx_json_set(o, "reachable", json_boolean(i <= 1));
        fx_json_set(o, "proxy", json_string(""));
        fx_json_set(o, "proxy_randomize_credentials", json_false());
        json_array_append_new(out, o);
    }
    return out;
}

static json_t *getnetworkinfo(struct fx_rpc_call *call)
{
    const struct fx_rpc *rpc = call->rpc;
    struct fx_peer_info *peers = NULL;
    struct fx_mempool_info pool;
    uint64_t services = fx_net_local_services(rpc->config.net);
    size_t n = fx_net_peers(rpc->config.net, &peers), inbound = 0;
    for (size_t i = 0; i < n; i++) {
        inbound += peers[i].inbound;
    }
    int64_t offset = time_offset(peers, n);
    free(peers);
    fx_mempool_info(rpc->config.mempool, &pool);
    json_t *out = json_object();
    fx_json_set(out, "version", json_integer(version_number()));
    fx_json_set(out, "subversion", json_string(fx_net_user_agent(rpc->config.net)));
    fx_json_set(out, "protocolversion", json_integer(FX_NET_PROTOCOL_VERSION));
    fx_json_set(out, "localservices", services_hex(services));
    fx_json_set(out, "localservicesnames", services_names(services));
    fx_json_set(out, "localrelay", json_boolean(fx_net_takes_txs(rpc->config.net)));
    fx_json_set(out, "timeoffset", json_integer(offset));
    fx_json_set(out, "networkactive", json_boolean(fx_net_is_active(rpc->config.net)));
    fx_json_set(out, "port", json_integer(fx_net_port(rpc->config.net)));
    fx_json_set(out, "connections", json_integer((json_int_t)n));
    fx_json_set(out, "connections_in", json_integer((json_int_t)inbound));
    fx_json_set(out, "connections_out", json_integer((json_int_t)(n - inbound)));
    fx_json_set(out, "networks", networks());
    fx_json_set(out, "relayfee", fx_json_amount(pool.relay_fee_rate));
    fx_json_set(out, "incrementalfee", fx_json_amount(pool.increment_rate));
    fx_json_set(out, "localaddresses", json_array());
    fx_json_set(out, "warnings", fx_rpc_warnings_json(rpc));
    return out;
}

static const struct fx_rpc_command getnetworkinfo_command = {
    .name = "getnetworkinfo",
    .text = "Returns the state of this node on the network.",
    .result = "{ version: int, subversion: str, protocolversion: int\n"
              "localservices: hex, localservicesnames: [ str ]\n"
              "localrelay: bool      # It takes transactions of all peers; false: -blocksonly\n"
              "timeoffset: int       # Seconds that the clocks of peers are ahead: the median of "
              "those dialled\n"
              "networkactive: bool   # See setnetworkactive\n"
              "port: int             # That it listens on; 0: it does not\n"
              "connections: int, connections_in: int, connections_out: int\n"
              "networks: [ { name: str, limited: bool, reachable: bool\n"
              "  proxy: str, proxy_randomize_credentials: bool } ]\n"
              "relayfee: amount      # Least fee rate that is relayed, FNX per 1,000 vbytes\n"
              "incrementalfee: amount  # What a replacement pays on top\n"
              "localaddresses: [ { address: str, port: int, score: int } ]   # Empty: none is "
              "known\n"
              "warnings: [ str ] }",
    .example = "",
    .run = getnetworkinfo,
};

static json_t *addnode(struct fx_rpc_call *call)
{
    struct fx_net *net = call->rpc->config.net;
    const char *node = json_string_value(call->args[0]);
    const char *what = json_string_value(call->args[1]);
    if (strcmp(what, "remove") == 0) {
        if (!fx_net_remove_node(net, node)) {
            return fx_rpc_fail(call, FX_RPC_NODE_NOT_ADDED,
                               "Error: Node could not be removed. It has not been added "
                               "previously.");
        }
        return json_null();
    }
    bool once = strcmp(what, "onetry") == 0;
    if (!once && strcmp(what, "add") != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "command must be add, remove or onetry");
    }
    if (!once && fx_net_is_added(net, node)) {
        return fx_rpc_fail(call, FX_RPC_NODE_ALREADY_ADDED, "Error: Node already added");
    }
    if (!fx_net_add_node(net, node, once)) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "node must be an address or the name of a host, with or without :port "
                           "(not '%.100s')",
                           node);
    }
    return json_null();
}

static const struct fx_rpc_command addnode_command = {
    .name = "addnode",
    .text = "Connects to a node and stays connected, or tries it once, or forgets it.",
    .args = "node: str      # Numeric address or name of a host, with or without :port\n"
            "command: str   # add, remove or onetry",
    .result = "null",
    .errors = "-8: not an address, or not a command\n"
              "-23: Error: Node already added\n"
              "-24: it has not been added previously",
    .example = "\"192.0.2.5:8733\" \"add\"",
    .run = addnode,
};

static json_t *disconnectnode(struct fx_rpc_call *call)
{
    const char *address = fx_rpc_arg_str(call->args[0], "");
    int64_t id = 0;
    bool by_id = call->args[1] != NULL;
    if (by_id == (*address != 0)) {
        return fx_rpc_fail(call, FX_RPC_INVALID_PARAMS,
                           "Only one of address and nodeid should be provided.");
    }
    if (!fx_rpc_arg_int(call, call->args[1], "nodeid", 0, INT64_MAX, 0, &id)) {
        return NULL;
    }
    if (!fx_net_disconnect(call->rpc->config.net, by_id ? NULL : address, (uint64_t)id)) {
        return fx_rpc_fail(call, FX_RPC_NODE_NOT_CONNECTED, "Node not found in connected nodes");
    }
    return json_null();
}

static const struct fx_rpc_command disconnectnode_command = {
    .name = "disconnectnode",
    .text = "Ends the connection to a peer, named by address or by id.",
    .args = "address?: str   # As getpeerinfo has it\n"
            "nodeid?: int    # The id of getpeerinfo; then address is \"\"",
    .result = "null",
    .errors = "-29: Node not found in connected nodes",
    .example = "\"192.0.2.5:8733\"\n\"\" 1",
    .run = disconnectnode,
};

static const struct fx_rpc_command *const commands[] = {
    &getpeerinfo_command,
    &getconnectioncount_command,
    &getnettotals_command,
    &getnetworkinfo_command,
    &addnode_command,
    &disconnectnode_command,
    &fx_rpc_getaddednodeinfo,
    &fx_rpc_setnetworkactive,
    &fx_rpc_ping,
    &fx_rpc_getblockfrompeer,
    &fx_rpc_setban,
    &fx_rpc_listbanned,
    &fx_rpc_clearbanned,
    &fx_rpc_addconnection,
    &fx_rpc_sendmsgtopeer,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_network = {"Network", commands, FX_RPC_ALWAYS};
