/* The table of commands. */
#include "src/net/dispatch_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/net/addrman_int.h"
#include "src/net/blobdir_int.h"
#include "src/net/blobfetch_int.h"
#include "src/net/certs_int.h"
#include "src/net/compact_int.h"
#include "src/net/compactrelay_int.h"
#include "src/net/feefilter_int.h"
#include "src/net/handshake_int.h"
#include "src/net/permit_int.h"
#include "src/net/sync_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/log.h"

#define UNKNOWN_MAX 65536 /* commands of other versions are read and ignored up to this size */

/* Bloom filters (BIP37, BIP111), and the whole mempool (BIP35): who asks for what is not offered
 * takes this node for another. */
static bool handle_unoffered(struct fx_peer *peer, struct fx_reader *r)
{
    (void)r;
    fx_peer_drop(peer, "it asks for a service that is not offered");
    return true;
}

static bool handle_mempool(struct fx_peer *peer, struct fx_reader *r)
{
    if ((peer->permissions & FX_PERMIT_MEMPOOL) == 0) {
        return handle_unoffered(peer, r);
    }
    fx_txrelay_announce_all(peer);
    return fx_reader_done(r);
}

static const struct fx_command commands[] = {
    {"version", 1024, true, fx_handle_version},
    {"verack", 0, true, fx_handle_verack},
    {"wtxidrelay", 0, true, fx_handle_wtxidrelay},
    {"sendaddrv2", 0, true, fx_handle_sendaddrv2},
    {"ping", 8, false, fx_handle_ping},
    {"pong", 8, false, fx_handle_pong},
    {"sendheaders", 0, false, fx_handle_sendheaders},
    {"getheaders", 4 + 9 + FX_LOCATOR_MAX * 32 + 32, false, fx_handle_getheaders},
    {"getblocks", 4 + 9 + FX_LOCATOR_MAX * 32 + 32, false, fx_handle_getblocks},
    {"headers", 9 + FX_HEADERS_MAX *(FX_HEADER_SIZE + 1), false, fx_handle_headers},
    {"inv", 9 + FX_INV_MAX *FX_INV_SIZE, false, fx_handle_inv},
    {"getdata", 9 + FX_INV_MAX *FX_INV_SIZE, false, fx_handle_getdata},
    {"notfound", 9 + FX_INV_MAX *FX_INV_SIZE, false, fx_handle_notfound},
    {"block", FX_BLOCK_SIZE_MAX, false, fx_handle_block},
    {"sendcmpct", 9, false, fx_handle_sendcmpct},
    {"cmpctblock", FX_MESSAGE_MAX, false, fx_handle_cmpctblock},
    {"getblocktxn", 32 + 3 + 3 * FX_COMPACT_TXS_MAX, false, fx_handle_getblocktxn},
    {"blocktxn", FX_MESSAGE_MAX, false, fx_handle_blocktxn},
    {"tx", FX_BLOCK_SIZE_MAX, false, fx_handle_tx},
    {"feefilter", 8, false, fx_handle_feefilter},
    {"filterload", UNKNOWN_MAX, false, handle_unoffered},
    {"filteradd", UNKNOWN_MAX, false, handle_unoffered},
    {"filterclear", UNKNOWN_MAX, false, handle_unoffered},
    {"mempool", 0, false, handle_mempool},
    {"getaddr", 0, false, fx_handle_getaddr},
    {"addr", 9 + FX_ADDR_MAX * 30, false, fx_handle_addr},
    {"addrv2", 9 + FX_ADDR_MAX *(17 + FX_ADDR_BYTES_MAX), false, fx_handle_addrv2},
    {"cert", FX_CERT_SIZE, false, fx_handle_cert},
    {"invdata", 33 + 6 + FX_ADDR_BYTES_MAX, false, fx_handle_invdata},
    {"getchunk", FX_CHUNK_ID_MAX, false, fx_handle_getchunk},
    {"chunk", FX_CHUNK_ID_MAX + FX_BLOB_CHUNK_MAX + 9 + FX_BLOB_PATH_MAX * 32, false,
     fx_handle_chunk},
    {"nochunk", FX_CHUNK_ID_MAX, false, fx_handle_nochunk},
};

#define COMMANDS (sizeof commands / sizeof commands[0])
_Static_assert(COMMANDS < FX_NET_COMMANDS, "a slot for each command, and one for the unknown");

size_t fx_command_slot(const char *name)
{
    const struct fx_command *command = fx_command_find(name);

    return command == NULL ? COMMANDS : (size_t)(command - commands);
}

const char *fx_command_name(size_t slot)
{
    if (slot > COMMANDS) {
        return NULL;
    }
    return slot == COMMANDS ? "*other*" : commands[slot].name;
}

const struct fx_command *fx_command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

uint32_t fx_command_max(const struct fx_peer *peer, const char *name)
{
    const struct fx_command *command = fx_command_find(name);

    if (peer->ready && !peer->net->params->lanes) {
        return FX_BITCOIN_MESSAGE_MAX;
    }
    if (command == NULL) {
        return peer->ready ? UNKNOWN_MAX : 1024;
    }
    return command->early || peer->ready ? command->max : UNKNOWN_MAX;
}

/* What peers have is of no use while blocks are read from files; they are asked for it after. */
static bool must_wait(const struct fx_net *net, const char *name)
{
    static const char *const names[] = {"headers", "inv", "block", "cmpctblock", "blocktxn", "tx"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return fx_chain_is_importing(net->chain);
        }
    }
    return false;
}

void fx_dispatch(struct fx_peer *peer, const char *name, struct fx_span payload)
{
    const struct fx_command *command = fx_command_find(name);
    struct fx_reader r;
    char why[128];

    fx_log(FX_LOG_NET, "received: %s (%zu bytes) peer=%" PRIu64, name, payload.len, peer->id);
    if (!peer->version_seen && strcmp(name, "version") != 0) {
        snprintf(why, sizeof why,
                 "non-version message before version handshake. Message \"%s\" from peer=%" PRIu64,
                 name, peer->id);
        fx_peer_misbehaved(peer, 20, why);
        return;
    }
    if (!peer->ready && (command == NULL || !command->early)) {
        fx_log(FX_LOG_NET, "net: Unsupported message \"%s\" prior to verack from peer=%" PRIu64,
               name, peer->id);
        return;
    }
    if (command == NULL || must_wait(peer->net, name)) {
        fx_log(FX_LOG_NET, "net: peer %" PRIu64 " ignored: %s", peer->id, name);
        return;
    }
    fx_reader_init(&r, payload.data, payload.len);
    if (!command->handle(peer, &r)) {
        snprintf(why, sizeof why, "malformed %s message of %zu bytes", name, payload.len);
        if (!peer->net->params->lanes && peer->ready) {
            /* Bitcoin nodes ignore what they cannot read: another version may have sent it. */
            fx_log(FX_LOG_NET, "net: ProcessMessages(%s, %zu bytes): Exception '%s' peer=%" PRIu64,
                   name, payload.len, r.bad ? "end of data" : "malformed", peer->id);
            return;
        }
        fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, why);
    }
}
