/*
 * Compact blocks (BIP152): their three messages, short ids, and putting a block together from what
 * is known of it. Pure; compactrelay.c has what goes on between peers.
 *
 * On networks with lanes, `cmpctblock` carries the work proof after the header (protocol section
 * 9); short ids are keyed by header and nonce there too.
 */
#ifndef FX_NET_COMPACT_INT_H
#define FX_NET_COMPACT_INT_H

#include "consensus/block.h"
#include "src/util/buf.h"

#define FX_SHORT_ID_SIZE 6
#define FX_COMPACT_TXS_MAX                                                \
    UINT16_MAX /* of a block; indexes on the wire are differences of them \
                */

struct fx_map;

/* A transaction that came with the message. */
struct fx_prefilled {
    uint32_t index;   /* in the block: at most FX_COMPACT_TXS_MAX */
    struct fx_tx *tx; /* a reference */
};

/* `cmpctblock`. */
struct fx_compact {
    struct fx_header header;
    struct fx_hash id;
    struct fx_span work; /* the work proof; empty in the hash lane; views what it was read from */
    uint64_t nonce;
    const uint8_t *short_ids; /* n_short of FX_SHORT_ID_SIZE bytes each; likewise */
    size_t n_short;
    struct fx_prefilled *prefilled; /* by index, ascending; owned */
    size_t n_prefilled;
};

/* Writes the block with its coinbase, and short ids of the others. */
void fx_compact_write(const struct fx_block *block, uint64_t nonce, struct fx_buf *buf);
/* False: it does not parse; nothing is to be cleared then. That the indexes fit the number of
 * transactions is for fx_partial_create. */
bool fx_compact_read(const struct fx_params *params, struct fx_reader *r, struct fx_compact *m);
void fx_compact_clear(struct fx_compact *m);

/* The keys of short ids: from SHA-256 over header and nonce. */
void fx_short_id_keys(const struct fx_header *header, uint64_t nonce, uint64_t keys[2]);
/* The lower 48 bits of SipHash-2-4 of the wtxid, least significant byte first. */
void fx_short_id(const uint64_t keys[2], const struct fx_hash *wtxid, uint8_t id[FX_SHORT_ID_SIZE]);

/* `getblocktxn`: indexes ascend. *indexes is the caller's to free. */
void fx_msg_getblocktxn_write(const struct fx_hash *id, const uint32_t *indexes, size_t n,
                              struct fx_buf *buf);
bool fx_msg_getblocktxn_read(struct fx_reader *r, struct fx_hash *id, uint32_t **indexes,
                             size_t *n);

/* `blocktxn`: the transactions of block at these indexes, which it has. */
void fx_msg_blocktxn_write(const struct fx_block *block, const uint32_t *indexes, size_t n,
                           struct fx_buf *buf);
/* After the block's id was read. *txs and its references are the caller's: fx_txs_free. */
bool fx_msg_blocktxn_read(struct fx_reader *r, struct fx_tx ***txs, size_t *n);
void fx_txs_free(struct fx_tx **txs, size_t n);

/* ---- a block of which not all is here --------------------------------------------------------
 */

enum fx_partial_result {
    FX_PARTIAL_OK = 0,
    FX_PARTIAL_FAILED, /* nobody's fault, short ids that collide: the whole block is needed */
    FX_PARTIAL_INVALID /* the peer sent what cannot be */
};

struct fx_partial; /* opaque */

/* map_key: random, of this process. *partial is set where the result is FX_PARTIAL_OK, and owns
 * all it needs. */
enum fx_partial_result fx_partial_create(const struct fx_compact *m, const uint64_t map_key[2],
                                         struct fx_partial **partial);
void fx_partial_destroy(struct fx_partial *partial); /* NULL: nothing */
/* A transaction that may be in the block. Of two with one short id none is taken. False: all are
 * found, more need not be offered. */
bool fx_partial_offer(struct fx_partial *partial, const struct fx_tx *tx);
/* The indexes that are not known; *indexes is the caller's to free. Returns how many. */
size_t fx_partial_missing(const struct fx_partial *partial, uint32_t **indexes);
/* The block with these transactions at the missing indexes; its merkle root is that of its header.
 * One reference, where the result is FX_PARTIAL_OK. */
enum fx_partial_result fx_partial_fill(const struct fx_partial *partial,
                                       const struct fx_params *params, struct fx_tx *const *txs,
                                       size_t n, struct fx_block **block);

#endif
