/*
 * Headers and blocks. headers.c learns what chains peers have and tells them of ours, download.c
 * fetches blocks from several peers at once, serve.c answers their questions.
 */
#ifndef FX_NET_SYNC_INT_H
#define FX_NET_SYNC_INT_H

#include "src/net/peer_int.h"

struct fx_map;

struct fx_inflight {
    const struct fx_index *index;
    uint64_t peer;
    int64_t asked_ms;
};

struct fx_sync {
    struct fx_map *in_flight; /* block id -> struct fx_inflight */
    struct fx_map *unproven;  /* host -> struct fx_unproven */
    int64_t next_ask_ms;
    size_t next_ask; /* whose turn it is, counted up */
    /* The newest block that connected, for quick service; NULL: none yet. */
    const struct fx_block *recent;
    struct fx_map *recent_txs; /* txid or wtxid -> its struct fx_tx; NULL: not asked for yet */
};

void fx_sync_create(struct fx_net *net);
void fx_sync_destroy(struct fx_net *net);
void fx_sync_peer_ready(struct fx_peer *peer);
void fx_sync_peer_gone(struct fx_peer *peer);
/* The blocks asked of this peer that have not come, FX_NET_IN_FLIGHT at most: their number. */
size_t fx_sync_in_flight(const struct fx_peer *peer, uint32_t heights[FX_NET_IN_FLIGHT]);
void fx_sync_tick(struct fx_net *net, int64_t now_ms);
void fx_sync_block_connected(struct fx_net *net, const struct fx_block *block);
/* A transaction of the newest block, which peers of a miner may lack, and which has left the pool.
 * NULL: it has none of this id. */
const struct fx_tx *fx_sync_recent_tx(struct fx_net *net, const struct fx_inv *inv);

/* Why a header or its block is refused, with what Bitcoin Core's log adds to the reject string. */
void fx_sync_reason(const struct fx_header *header, enum fx_verdict why, char *text, size_t size);

/*
 * unproven.c: job-lane headers that were stored before their proof was checked, counted by the host
 * that sent them: a peer that comes again does not begin anew.
 */
bool fx_unproven_has_room(struct fx_peer *peer);
void fx_unproven_add(struct fx_peer *peer, const struct fx_index *index);
bool fx_unproven_has(const struct fx_peer *peer, const struct fx_hash *id);
size_t fx_unproven_count(struct fx_peer *peer); /* not settled by now */
void fx_unproven_peer_gone(struct fx_peer *peer);

/* headers.c */
bool fx_handle_headers(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_sendheaders(struct fx_peer *peer, struct fx_reader *r);
/* A block that the peer says it has. True: it is not in the index, ask for headers. */
bool fx_headers_announced(struct fx_peer *peer, const struct fx_hash *id);
/* Asks for what follows `from`; NULL: the best header. */
void fx_headers_ask(struct fx_peer *peer, const struct fx_index *from);
/* Job proofs were checked: where there is room for more of the peer's headers, asks for them. */
void fx_headers_settle(struct fx_peer *peer);
/* The failure is a user's invalidateblock, here or at an ancestor: nobody is to blame. */
bool fx_headers_invalidated(const struct fx_index *index);
/* Tells the peers of the new tip. */
void fx_headers_announce_tip(struct fx_net *net);
/* The header of a compact block: its entry, or NULL where it is not taken. Who relays one may not
 * have looked beyond the header (BIP152): only one that is bad by itself counts against the peer.
 */
const struct fx_index *fx_headers_take(struct fx_peer *peer, const struct fx_header *header);
/* A header on this parent would be of a chain with too little work to be stored (presync_int.h). */
bool fx_headers_lack_work(const struct fx_net *net, const struct fx_index *parent,
                          const struct fx_header *header);
/* The peer has this block: best_known moves up. */
void fx_headers_known(struct fx_peer *peer, const struct fx_index *index);
size_t fx_locator_make(const struct fx_index *from, struct fx_hash locator[FX_LOCATOR_MAX]);

/* download.c */
bool fx_handle_block(struct fx_peer *peer, struct fx_reader *r);
void fx_download_notfound(struct fx_peer *peer, const struct fx_hash *id);
/* The peer announces a block: it may be asked for it although it did not deliver it before. */
void fx_download_again(struct fx_peer *peer, const struct fx_hash *id);
void fx_download_from(struct fx_peer *peer); /* asks for what may be asked now */
void fx_download_all(struct fx_net *net);
void fx_download_tick(struct fx_net *net, int64_t now_ms);
void fx_download_peer_gone(struct fx_peer *peer);
/* The peer that is asked for this block and has not delivered it; NULL: none. */
struct fx_peer *fx_download_asked(const struct fx_net *net, const struct fx_index *index);
/* It is asked from now on, by whatever message; nobody was. */
void fx_download_note(struct fx_peer *peer, const struct fx_index *index);
/* Asks it for the whole block; it, or nobody, is asked for it already. */
void fx_download_ask(struct fx_peer *peer, const struct fx_index *index);
/* It delivers what it is asked for, in parts. */
void fx_download_heard(struct fx_peer *peer);
/* Takes a block that was put together from a compact one. False: this copy is no good. */
bool fx_download_take_compact(struct fx_peer *peer, const struct fx_block *block);

/* serve.c */
bool fx_handle_getheaders(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_getblocks(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_getdata(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_inv(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_notfound(struct fx_peer *peer, struct fx_reader *r);
void fx_serve_wanted(struct fx_peer *peer);      /* as far as its send buffer allows */
bool fx_serve_may(const struct fx_index *index); /* it is here, and as good as known */
/* One reference; NULL: it cannot be read. */
struct fx_block *fx_serve_read(struct fx_net *net, const struct fx_index *index);
/* Answers to one item of getdata; false: the block is not here. */
bool fx_serve_block(struct fx_peer *peer, const struct fx_inv *inv);

#endif
