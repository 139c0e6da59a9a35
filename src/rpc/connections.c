/* Commands that make, list and use connections; the topic that lists them is in network.c. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/net.h"
#include "src/rpc/topics_int.h"

#define MESSAGE_MAX (32u << 20)

static json_t *addconnection(struct fx_rpc_call *call)
{
    static const char *const kinds[] = {
        [FX_CONNECT_FULL] = "outbound-full-relay",
        [FX_CONNECT_BLOCKS] = "block-relay-only",
        [FX_CONNECT_ADDRS] = "addr-fetch",
        [FX_CONNECT_FEELER] = "feeler",
    };
    const char *address = json_string_value(call->args[0]);
    const char *type = json_string_value(call->args[1]);
    unsigned kind = FX_CONNECT_FULL;
    json_t *out;
    while (kind <= FX_CONNECT_FEELER && strcmp(type, kinds[kind]) != 0) {
        kind++;
    }
    if (kind > FX_CONNECT_FEELER) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "connection_type must be outbound-full-relay, block-relay-only, "
                           "addr-fetch or feeler");
    }
    if (fx_rpc_arg_bool(call->args[2], false)) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "The transport of BIP324 is not spoken here.");
    }
    if (!fx_net_connect(call->rpc->config.net, address, (enum fx_net_connection)kind)) {
        return fx_rpc_fail(call, FX_RPC_NODE_CAPACITY_REACHED,
                           "Error: Already at capacity for specified connection type.");
    }
    out = json_object();
    fx_json_set(out, "address", json_string(address));
    fx_json_set(out, "connection_type", json_string(type));
    return out;
}

const struct fx_rpc_command fx_rpc_addconnection = {
    .name = "addconnection",
    .text = "Makes a connection as this node would by itself.",
    .args = "address: str           # Numeric, with or without :port\n"
            "connection_type: str   # outbound-full-relay, block-relay-only (no transactions), "
            "addr-fetch (until addresses came), feeler (until its version came)\n"
            "v2transport?: bool = false   # Only false: BIP324 is not spoken",
    .result = "{ address: str, connection_type: str }",
    .errors = "-8: not such a type\n-34: not an address, or no place for one more of this type",
    .example = "\"192.0.2.5:8733\" \"block-relay-only\"",
    .run = addconnection,
    .flags = FX_RPC_REGTEST | FX_RPC_HIDDEN,
};

static json_t *added_node(const struct fx_added_node *node)
{
    json_t *out = json_object(), *addresses = json_array();
    fx_json_set(out, "addednode", json_string(node->address));
    fx_json_set(out, "connected", json_boolean(node->peer[0]));
    if (node->peer[0]) {
        json_t *address = json_object();
        fx_json_set(address, "address", json_string(node->peer));
        fx_json_set(address, "connected", json_string(node->inbound ? "inbound" : "outbound"));
        json_array_append_new(addresses, address);
    }
    fx_json_set(out, "addresses", addresses);
    return out;
}

static json_t *getaddednodeinfo(struct fx_rpc_call *call)
{
    const char *wanted = json_string_value(call->args[0]);
    struct fx_added_node *nodes = NULL;
    size_t n = fx_net_added_nodes(call->rpc->config.net, &nodes);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        if (!wanted || strcmp(wanted, nodes[i].address) == 0) {
            json_array_append_new(out, added_node(&nodes[i]));
        }
    }
    free(nodes);
    if (wanted && json_array_size(out) == 0) {
        json_decref(out);
        return fx_rpc_fail(call, FX_RPC_NODE_NOT_ADDED, "Error: Node has not been added.");
    }
    return out;
}

const struct fx_rpc_command fx_rpc_getaddednodeinfo = {
    .name = "getaddednodeinfo",
    .text = "Returns the nodes that are kept connected (addnode, -addnode, -connect).",
    .args = "node?: str   # Only this one, as it was added",
    .result = "[ { addednode: str        # As it was added\n"
              "connected: bool\n"
              "addresses: [ { address: str\n"
              "  connected: str } ] } ]  # inbound or outbound",
    .errors = "-24: Error: Node has not been added.",
    .example = "\n\"192.0.2.5:8733\"",
    .run = getaddednodeinfo,
};

static json_t *setnetworkactive(struct fx_rpc_call *call)
{
    struct fx_net *net = call->rpc->config.net;
    fx_net_set_active(net, json_is_true(call->args[0]));
    return json_boolean(fx_net_is_active(net));
}

const struct fx_rpc_command fx_rpc_setnetworkactive = {
    .name = "setnetworkactive",
    .text = "Closes all connections, and makes and accepts none, until it is called with true.",
    .args = "state: bool",
    .result = "bool   # What it is now",
    .example = "false",
    .run = setnetworkactive,
};

static json_t *ping(struct fx_rpc_call *call)
{
    fx_net_ping(call->rpc->config.net);
    return json_null();
}

const struct fx_rpc_command fx_rpc_ping = {
    .name = "ping",
    .text = "Pings all peers; getpeerinfo has how long they take, as pingtime and pingwait.",
    .result = "null",
    .example = "",
    .run = ping,
};

static json_t *sendmsgtopeer(struct fx_rpc_call *call)
{
    const char *name = json_string_value(call->args[1]);
    uint8_t *data = NULL;
    size_t n = 0;
    int64_t id = 0;
    bool sent;
    if (strlen(name) > 12) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Error: msg_type too long, max length is 12");
    }
    if (!fx_rpc_arg_int(call, call->args[0], "peer_id", 0, INT64_MAX, 0, &id) ||
        !fx_rpc_arg_hex(call, call->args[2], "msg", MESSAGE_MAX, &data, &n)) {
        return NULL;
    }
    sent = fx_net_send(call->rpc->config.net, (uint64_t)id, name, (struct fx_span){data, n});
    free(data);
    return sent ? json_object()
                : fx_rpc_fail(call, FX_RPC_MISC, "Error: Could not send message to peer");
}

const struct fx_rpc_command fx_rpc_sendmsgtopeer = {
    .name = "sendmsgtopeer",
    .text = "Sends a message of any kind to a peer.",
    .args = "peer_id: int    # The id of getpeerinfo\n"
            "msg_type: str   # At most 12 characters\n"
            "msg: hex        # Its payload",
    .result = "{ }",
    .errors = "-1: Error: Could not send message to peer\n-8: msg_type is too long",
    .example = "0 \"addr\" \"ffffff\"",
    .run = sendmsgtopeer,
    .flags = FX_RPC_HIDDEN,
};

static json_t *getblockfrompeer(struct fx_rpc_call *call)
{
    const struct fx_index *index;
    const char *why;
    struct fx_hash id;
    if (!fx_rpc_arg_hash(call, call->args[0], "hash", &id)) {
        return NULL;
    }
    index = fx_chain_find(call->rpc->config.chain, &id);
    if (!index) {
        return fx_rpc_fail(call, FX_RPC_MISC, "Block header missing");
    }
    if (fx_chain_prune_target(call->rpc->config.chain) != FX_PRUNE_OFF &&
        index->height > fx_chain_tip(call->rpc->config.chain)->height) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "In prune mode, only blocks that the node has already synced previously "
                           "can be fetched from a peer");
    }
    if (index->status & FX_INDEX_HAVE_DATA) {
        return fx_rpc_fail(call, FX_RPC_MISC, "Block already downloaded");
    }
    why = fx_net_fetch_block(call->rpc->config.net, (uint64_t)json_integer_value(call->args[1]),
                             index);
    return why ? fx_rpc_fail(call, FX_RPC_MISC, "%s", why) : json_object();
}

const struct fx_rpc_command fx_rpc_getblockfrompeer = {
    .name = "getblockfrompeer",
    .text = "Asks a peer for a block whose header is known. Returns at once.",
    .args = "blockhash: hash\n"
            "peer_id: int   # The id of getpeerinfo",
    .result = "{ }",
    .errors = "-1: the header is not known, the block is here, or the peer cannot be asked",
    .example = "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\" 0",
    .run = getblockfrompeer,
};
