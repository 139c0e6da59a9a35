/*
 * Headers of a chain that has too little work to be stored, until there is more: they are weighed
 * as they go by (stream_int.h), and of each message the id of its last header is kept. Once they
 * have enough work the peer is asked for them again, and they are stored as far as they are the
 * same. So a flood of headers that cost nothing takes 36 bytes a message (a peer, and for at most
 * FX_STREAM_MAX headers), where 2,000 entries of the index would be forever.
 */
#ifndef FX_NET_PRESYNC_INT_H
#define FX_NET_PRESYNC_INT_H

#include "src/net/stream_int.h"

struct fx_presync_mark {
    struct fx_hash id;
    uint32_t height;
};

struct fx_presync {
    struct fx_stream stream;
    const struct fx_index *last; /* stored: at first what the headers follow */
    bool again;                  /* they had enough work, and are fetched to be stored */
    int64_t asked_ms;            /* for the next of them */
    struct fx_presync_mark *marks;
    size_t n_marks, cap_marks;
    size_t next_mark; /* again: the first that is not stored yet */
};

/* start: stored, and the parent of the first header to come. */
struct fx_presync *fx_presync_create(const struct fx_index *start);
void fx_presync_destroy(struct fx_presync *presync); /* NULL: nothing */
/* A message of n headers that follow the last one weighed. FX_OK: they were added. */
enum fx_verdict fx_presync_weigh(struct fx_presync *presync, const struct fx_params *params,
                                 const struct fx_header *headers, size_t n, int64_t now);
/* From here on they are fetched again. */
void fx_presync_turn(struct fx_presync *presync);
/* Again: how many of these headers, which follow `last`, may be stored; 0: they are not those that
 * were weighed. */
size_t fx_presync_same(const struct fx_presync *presync, const struct fx_header *headers, size_t n);
/* Again: what was stored ends with `last`. False: that was all, there is no more to do. */
bool fx_presync_stored(struct fx_presync *presync, const struct fx_index *last);

/* Has a chain that ends like this the work that its headers are stored for? At least the least work
 * of any chain, in hash-lane headers alone (protocol section 3), and what the tip had 144 blocks
 * ago; a sixteenth of what that lies above the fork must be of hash-lane headers. */
bool fx_presync_is_enough(const struct fx_chain *chain, const struct fx_stream *stream);

#endif
