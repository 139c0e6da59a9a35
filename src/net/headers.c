/* Headers: what chains peers have, and telling them of ours. */
#include "src/net/sync_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/compactrelay_int.h"
#include "src/net/permit_int.h"
#include "src/net/presync_int.h"
#include "src/net/stream_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define INVALID_CLIMB_MAX 20000
#define PRESYNC_ANSWER_MS 120000 /* after which a peer that is silent may begin anew */

enum take {
    TAKE_OK = 0,
    TAKE_NO_ROOM, /* one unproven header too many */
    TAKE_STOP     /* nothing after it is looked at */
};

size_t fx_locator_make(const struct fx_index *from, struct fx_hash locator[FX_LOCATOR_MAX])
{
    size_t n = 0;
    uint32_t step = 1;
    const struct fx_index *at = from;

    for (;;) {
        locator[n++] = at->id;
        if (at->height == 0 || n == FX_LOCATOR_MAX) {
            return n;
        }
        if (n > 10) {
            step = step > (1u << 30) ? step : step * 2;
        }
        at = fx_index_ancestor(from, at->height > step ? at->height - step : 0);
    }
}

void fx_headers_ask(struct fx_peer *peer, const struct fx_index *from)
{
    struct fx_hash locator[FX_LOCATOR_MAX];
    struct fx_hash stop;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n;

    if (from == NULL) {
        /* From the parent, so that a peer with the same chain answers with one header at least:
         * that tells what it has. */
        from = fx_chain_best_header(peer->net->chain);
        from = from->parent != NULL ? from->parent : from;
    }
    memset(&stop, 0, sizeof stop);
    n = fx_locator_make(from, locator);
    fx_msg_locator_write(locator, n, &stop, &buf);
    peer->sync.headers_asked_ms = fx_clock_monotonic_ms();
    fx_peer_send(peer, "getheaders", &buf);
}

void fx_headers_known(struct fx_peer *peer, const struct fx_index *index)
{
    struct fx_peer_sync *sync = &peer->sync;

    if (sync->best_known == NULL || fx_u256_cmp(&index->work, &sync->best_known->work) >= 0) {
        sync->best_known = index;
    }
}

bool fx_headers_announced(struct fx_peer *peer, const struct fx_hash *id)
{
    const struct fx_index *index = fx_chain_find(peer->net->chain, id);

    if (index == NULL) {
        peer->sync.unknown = *id;
        peer->sync.has_unknown = true;
        return true;
    }
    if ((index->status & FX_INDEX_FAILED) == 0) {
        fx_headers_known(peer, index);
    }
    return false;
}

bool fx_headers_invalidated(const struct fx_index *index)
{
    for (unsigned i = 0; i < INVALID_CLIMB_MAX && index != NULL; i++, index = index->parent) {
        if ((index->status & FX_INDEX_INVALIDATED) != 0) {
            return true;
        }
        if ((index->status & FX_INDEX_FAILED) == 0) {
            return false;
        }
    }
    return false;
}

void fx_headers_settle(struct fx_peer *peer)
{
    struct fx_peer_sync *sync = &peer->sync;

    if (sync->paused_at == NULL || sync->stream != NULL) {
        return;
    }
    if (fx_unproven_count(peer) <= FX_UNPROVEN_MAX / 2) {
        const struct fx_index *from = sync->paused_at;

        sync->paused_at = NULL;
        fx_headers_ask(peer, from);
    }
}

static void blame_header(struct fx_peer *peer, const struct fx_header *header,
                         const struct fx_hash *id, enum fx_verdict why)
{
    char hex[FX_HASH_HEX];
    char text[160];

    fx_hash_to_id(id, hex);
    if (why == FX_TIME_TOO_NEW) {
        fx_log_info("net: header %s from peer %" PRIu64 " is not taken: its time is %" PRId64
                    " seconds ahead of this clock (time-too-new)",
                    hex, peer->id, (int64_t)header->time - fx_clock_now());
        return;
    }
    snprintf(text, sizeof text, "invalid header %s, ", hex);
    fx_sync_reason(header, why, text + strlen(text), sizeof text - strlen(text));
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, text);
}

static enum take take(struct fx_peer *peer, const struct fx_header *header,
                      const struct fx_index **index)
{
    struct fx_chain *chain = peer->net->chain;
    enum fx_verdict why = FX_OK;
    const struct fx_index *parent = NULL;
    struct fx_hash id;

    fx_header_id(header, &id);
    *index = fx_chain_find(chain, &id);
    if (*index != NULL) {
        if (((*index)->status & FX_INDEX_FAILED) == 0) {
            return TAKE_OK;
        }
        if (!fx_headers_invalidated(*index)) {
            blame_header(peer, header, &id, FX_DUPLICATE_INVALID);
        }
        return TAKE_STOP;
    }
    parent = fx_chain_find(chain, &header->prev);
    if (parent == NULL ||
        ((parent->status & FX_INDEX_FAILED) != 0 && fx_headers_invalidated(parent))) {
        peer->sync.unknown = id;
        peer->sync.has_unknown = true;
        return TAKE_STOP;
    }
    if (fx_lane_of(peer->net->params, header) == FX_LANE_JOB && !fx_unproven_has_room(peer)) {
        return TAKE_NO_ROOM;
    }
    switch (fx_chain_accept_header(chain, header, index, &why)) {
    case FX_VALID:
        fx_unproven_add(peer, *index);
        return TAKE_OK;
    case FX_INVALID:
    case FX_INVALID_COPY:
        blame_header(peer, header, &id, why);
        return TAKE_STOP;
    case FX_FAILED:
        return TAKE_STOP;
    }
    return TAKE_STOP;
}

const struct fx_index *fx_headers_take(struct fx_peer *peer, const struct fx_header *header)
{
    const struct fx_index *index = NULL;
    struct fx_hash id;

    fx_header_id(header, &id);
    index = fx_chain_find(peer->net->chain, &id);
    if ((index != NULL && (index->status & FX_INDEX_FAILED) != 0) ||
        take(peer, header, &index) != TAKE_OK) {
        return NULL;
    }
    fx_headers_known(peer, index);
    peer->sync.announced = index;
    fx_download_again(peer, &id);
    return index;
}

static void unconnecting(struct fx_peer *peer, const struct fx_header *last)
{
    struct fx_hash id;

    if (peer->net->params->lanes && ++peer->sync.unconnecting > FX_UNCONNECTING_MAX) {
        peer->sync.unconnecting = 0;
        fx_peer_misbehaved(peer, 20, "headers that connect to nothing known");
        return;
    }
    fx_header_id(last, &id);
    peer->sync.unknown = id;
    peer->sync.has_unknown = true;
    /* There will be an answer: it has one more than we know at least. */
    fx_headers_ask(peer, fx_chain_best_header(peer->net->chain));
}

static bool is_sequence(const struct fx_header *headers, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct fx_hash id;

        fx_header_id(&headers[i - 1], &id);
        if (!fx_hash_equal(&id, &headers[i].prev)) {
            return false;
        }
    }
    return true;
}

/* What the peer has beyond `last` follows either last, or what we know on top of it already. Then
 * it is asked from the parent of that: a peer with no more than we have says so with one header. */
static void ask_more(struct fx_peer *peer, const struct fx_index *last)
{
    const struct fx_index *best = fx_chain_best_header(peer->net->chain);

    if (best->height > last->height && fx_index_ancestor(best, last->height) == last) {
        fx_headers_ask(peer, NULL);
    } else {
        fx_headers_ask(peer, last);
    }
}

/* ---- headers for which there is no room ------------------------------------------------------ */

static void end_stream(struct fx_peer *peer)
{
    free(peer->sync.stream);
    peer->sync.stream = NULL;
}

static void ask_after(struct fx_peer *peer, const struct fx_stream *stream)
{
    struct fx_hash locator[FX_LOCATOR_MAX];
    struct fx_hash stop;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n;

    memset(&stop, 0, sizeof stop);
    n = fx_locator_make(stream->start, locator);
    memmove(locator + 1, locator, (n < FX_LOCATOR_MAX ? n : n - 1) * sizeof locator[0]);
    locator[0] = stream->id;
    n = n < FX_LOCATOR_MAX ? n + 1 : n;
    fx_msg_locator_write(locator, n, &stop, &buf);
    peer->sync.headers_asked_ms = fx_clock_monotonic_ms();
    fx_peer_send(peer, "getheaders", &buf);
}

/* last: the peer has no more after these. */
static void weigh(struct fx_peer *peer, const struct fx_header *headers, size_t n, bool last)
{
    struct fx_net *net = peer->net;
    struct fx_stream *stream = peer->sync.stream;

    for (size_t i = 0; i < n; i++) {
        enum fx_verdict why = fx_stream_add(stream, net->params, &headers[i], fx_clock_now());

        if (why != FX_OK) {
            struct fx_hash id;

            fx_header_id(&headers[i], &id);
            blame_header(peer, &headers[i], &id, why);
            end_stream(peer);
            return;
        }
    }
    peer->sync.streamed += n;
    if (fx_stream_is_worth(stream, fx_chain_tip(net->chain))) {
        fx_log(FX_LOG_NET,
               "net: peer %" PRIu64 " has a branch of %" PRIu32 " blocks worth fetching", peer->id,
               stream->height);
        peer->sync.stream_fetch = stream->start;
        end_stream(peer);
    } else if (last || peer->sync.streamed > FX_STREAM_MAX) {
        end_stream(peer);
    } else {
        ask_after(peer, stream);
    }
}

/* The first of these had no room. Where the stored ones outweigh the tip their blocks make some;
 * else all that follow must be seen to know whether the branch is worth it. */
static void pause_at(struct fx_peer *peer, const struct fx_index *stored,
                     const struct fx_header *rest, size_t n, bool last)
{
    struct fx_peer_sync *sync = &peer->sync;
    const struct fx_index *tip = fx_chain_tip(peer->net->chain);

    sync->paused_at = stored;
    if (sync->stream_fetch != NULL && stored->height >= sync->stream_fetch->height &&
        fx_index_ancestor(stored, sync->stream_fetch->height) == sync->stream_fetch) {
        sync->stream_fetch = stored;
        return;
    }
    if (fx_u256_cmp(&stored->work, &tip->work) > 0) {
        return;
    }
    end_stream(peer);
    sync->stream = fx_xcalloc(1, sizeof *sync->stream);
    sync->streamed = 0;
    fx_stream_init(sync->stream, stored);
    weigh(peer, rest, n, last);
}

/* ---- headers of little work ------------------------------------------------------------------ */

bool fx_headers_lack_work(const struct fx_net *net, const struct fx_index *parent,
                          const struct fx_header *header)
{
    struct fx_stream stream;

    fx_stream_init(&stream, parent);
    fx_stream_add(&stream, net->params, header, fx_clock_now()); /* one that is bad adds nothing */
    return !fx_presync_is_enough(net->chain, &stream);
}

static void end_presync(struct fx_peer *peer)
{
    fx_presync_destroy(peer->sync.presync);
    peer->sync.presync = NULL;
}

static void presync_ask(struct fx_peer *peer)
{
    struct fx_presync *presync = peer->sync.presync;

    presync->asked_ms = fx_clock_monotonic_ms();
    if (presync->again) {
        fx_headers_ask(peer, presync->last);
    } else {
        ask_after(peer, &presync->stream);
    }
}

/* n headers that follow those that were weighed. */
static void presync(struct fx_peer *peer, const struct fx_header *headers, size_t n)
{
    struct fx_net *net = peer->net;
    struct fx_presync *presync = peer->sync.presync;
    const struct fx_stream *stream = &presync->stream;
    enum fx_verdict why = fx_presync_weigh(presync, net->params, headers, n, fx_clock_now());

    if (why != FX_OK) {
        size_t bad = stream->height - presync->last->height - presync->n_marks * FX_HEADERS_MAX;
        struct fx_hash id;

        fx_header_id(&headers[bad], &id);
        blame_header(peer, &headers[bad], &id, why);
        end_presync(peer);
        return;
    }
    if (fx_presync_is_enough(net->chain, stream)) {
        fx_log(FX_LOG_NET,
               "net: Initial headers sync transition with peer=%" PRIu64
               ": reached sufficient work at height=%" PRIu32
               ", redownloading from height=%" PRIu32,
               peer->id, stream->height, presync->last->height);
        fx_presync_turn(presync);
        presync_ask(peer);
    } else if (n < FX_HEADERS_MAX || stream->height - presync->last->height > FX_STREAM_MAX) {
        fx_log(FX_LOG_NET,
               "net: Initial headers sync aborted with peer=%" PRIu64
               ": incomplete headers message at height=%" PRIu32 " (presync phase)",
               peer->id, stream->height);
        end_presync(peer);
    } else {
        presync_ask(peer);
    }
}

/* The headers are known, and on the way to our best one: storing them takes nothing. */
static bool are_known(const struct fx_net *net, const struct fx_header *last)
{
    const struct fx_index *best = fx_chain_best_header(net->chain);
    const struct fx_index *index = NULL;
    struct fx_hash id;

    fx_header_id(last, &id);
    index = fx_chain_find(net->chain, &id);
    return index != NULL && (fx_chain_contains(net->chain, index) ||
                             fx_index_ancestor(best, index->height) == index);
}

/* Headers that follow `parent`, which is stored, and lack work by themselves: where the peer may
 * have more they are weighed with those, unless others of its are. */
static void weigh_first(struct fx_peer *peer, const struct fx_index *parent,
                        const struct fx_header *headers, size_t n)
{
    const struct fx_presync *other = peer->sync.presync;

    if (n < FX_HEADERS_MAX) {
        fx_log(FX_LOG_NET, "Ignoring low-work chain (height=%zu) from peer=%" PRIu64,
               parent->height + n, peer->id);
        return;
    }
    if (other != NULL && fx_clock_monotonic_ms() - other->asked_ms < PRESYNC_ANSWER_MS) {
        return;
    }
    end_presync(peer);
    peer->sync.presync = fx_presync_create(parent);
    presync(peer, headers, n);
}

/* How many of the headers, which follow `parent`, may be stored now. */
static size_t storable(struct fx_peer *peer, const struct fx_index *parent,
                       const struct fx_header *headers, size_t n)
{
    const struct fx_net *net = peer->net;
    const struct fx_presync *presync = peer->sync.presync;
    struct fx_stream stream;

    if ((peer->permissions & FX_PERMIT_NOBAN) != 0 || are_known(net, &headers[n - 1])) {
        return n;
    }
    if (presync != NULL && presync->again && presync->last == parent) {
        size_t same = fx_presync_same(presync, headers, n);

        if (same == 0) {
            fx_log(FX_LOG_NET,
                   "net: Initial headers sync aborted with peer=%" PRIu64
                   ": commitment mismatch at height=%" PRIu32 " (redownload phase)",
                   peer->id, parent->height);
            end_presync(peer);
        }
        return same;
    }
    fx_stream_init(&stream, parent);
    if (fx_presync_is_enough(net->chain, &stream)) {
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        if (fx_stream_add(&stream, net->params, &headers[i], fx_clock_now()) != FX_OK) {
            return i + 1; /* it is to blame for this one */
        }
    }
    if (fx_presync_is_enough(net->chain, &stream)) {
        return n;
    }
    weigh_first(peer, parent, headers, n);
    return 0;
}

/* ---- the message -------------------------------------------------------------------------------
 */

static void log_progress(const struct fx_net *net, const struct fx_index *last)
{
    if (fx_chain_is_initial_download(net->chain) && last == fx_chain_best_header(net->chain)) {
        fx_log_info("net: Synchronizing blockheaders, height: %" PRIu32, last->height);
    }
}

/* more: the peer has others after these, or may have. */
static void take_all(struct fx_peer *peer, const struct fx_header *headers, size_t n, bool more)
{
    const struct fx_index *last = fx_chain_find(peer->net->chain, &headers[0].prev);
    const struct fx_index *index = NULL;
    struct fx_presync *presync = peer->sync.presync;
    enum take result = TAKE_OK;
    size_t taken = 0;

    if (presync != NULL && (!presync->again || presync->last != last)) {
        presync = NULL; /* these are others */
    }
    while (taken < n && result == TAKE_OK) {
        result = take(peer, &headers[taken], &index);
        if (result == TAKE_OK) {
            last = index;
            taken++;
        }
    }
    if (taken > 0) {
        fx_headers_known(peer, last);
        peer->sync.announced = last;
        fx_download_again(peer, &last->id);
        log_progress(peer->net, last);
    }
    if (peer->closing) {
        return;
    }
    if (presync != NULL && taken > 0 && !fx_presync_stored(presync, last)) {
        end_presync(peer);
        presync = NULL;
    }
    if (result == TAKE_NO_ROOM) {
        pause_at(peer, last, headers + taken, n - taken, !more);
    } else if (result == TAKE_OK && more && presync != NULL) {
        presync_ask(peer);
    } else if (result == TAKE_OK && more) {
        ask_more(peer, last);
    }
}

/* The headers follow `parent`, which is stored. */
static void take_storable(struct fx_peer *peer, const struct fx_index *parent,
                          const struct fx_header *headers, size_t n)
{
    size_t most = storable(peer, parent, headers, n);

    if (most > 0) {
        take_all(peer, headers, most, most < n || n == FX_HEADERS_MAX);
    }
}

static bool continues_stream(const struct fx_peer *peer, const struct fx_header *first)
{
    return peer->sync.stream != NULL && fx_hash_equal(&first->prev, &peer->sync.stream->id);
}

static bool continues_presync(const struct fx_peer *peer, const struct fx_header *first)
{
    const struct fx_presync *presync = peer->sync.presync;

    return presync != NULL && !presync->again && fx_hash_equal(&first->prev, &presync->stream.id);
}

bool fx_handle_headers(struct fx_peer *peer, struct fx_reader *r)
{
    const struct fx_index *parent = NULL;
    struct fx_header *headers = NULL;
    size_t n = 0;

    if (fx_peer_oversized(peer, "headers", r, FX_HEADERS_MAX)) {
        return true;
    }
    if (!fx_msg_headers_read(r, &headers, &n)) {
        return false;
    }
    peer->sync.headers_asked_ms = 0;
    if (n == 0) {
        end_stream(peer);
        end_presync(peer);
        free(headers);
        return true;
    }
    parent = fx_chain_find(peer->net->chain, &headers[0].prev);
    if (!is_sequence(headers, n)) {
        fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, "non-continuous headers sequence");
    } else if (continues_presync(peer, &headers[0])) {
        presync(peer, headers, n);
    } else if (continues_stream(peer, &headers[0])) {
        weigh(peer, headers, n, n < FX_HEADERS_MAX);
    } else if (parent == NULL) {
        struct fx_hash id;

        fx_header_id(&headers[0], &id);
        if (!fx_hash_equal(&id, &fx_chain_genesis(peer->net->chain)->id)) {
            unconnecting(peer, &headers[n - 1]);
        }
    } else {
        peer->sync.unconnecting = 0;
        take_storable(peer, parent, headers, n);
    }
    free(headers);
    if (!peer->closing) {
        fx_download_from(peer);
    }
    return true;
}

bool fx_handle_sendheaders(struct fx_peer *peer, struct fx_reader *r)
{
    peer->sync.sendheaders = true;
    return fx_reader_done(r);
}

/* The highest block of our chain that the peer is known to have, or was told of. */
static const struct fx_index *peer_start(const struct fx_peer *peer, const struct fx_index *tip)
{
    const struct fx_index *start = NULL;
    const struct fx_index *of[2] = {peer->sync.best_known, peer->sync.best_sent};

    for (size_t i = 0; i < 2; i++) {
        const struct fx_index *fork = of[i] == NULL ? NULL : fx_index_fork(tip, of[i]);

        if (fork != NULL && (start == NULL || fork->height > start->height)) {
            start = fork;
        }
    }
    return start;
}

static void announce_to(struct fx_peer *peer, const struct fx_index *tip)
{
    const struct fx_index *start = peer_start(peer, tip);
    struct fx_buf buf = FX_BUF_INIT;

    if (start == tip) {
        return;
    }
    if (peer->compact.announces_to && start != NULL && start == tip->parent &&
        fx_compactrelay_send(peer, tip)) {
        peer->sync.best_sent = tip;
    } else if (peer->sync.sendheaders && start != NULL &&
               tip->height - start->height <= FX_ANNOUNCE_HEADERS) {
        struct fx_header headers[FX_ANNOUNCE_HEADERS];
        size_t n = tip->height - start->height;
        const struct fx_index *at = tip;

        for (size_t i = n; i > 0; i--, at = at->parent) {
            headers[i - 1] = at->header;
        }
        fx_msg_headers_write(headers, n, &buf);
        fx_peer_send(peer, "headers", &buf);
        peer->sync.best_sent = tip;
    } else {
        /* It asks for the headers, or has them: only then is it known what it can do with more. */
        struct fx_inv inv = {FX_INV_BLOCK, tip->id};

        fx_msg_inv_write(&inv, 1, &buf);
        fx_peer_send(peer, "inv", &buf);
    }
}

void fx_headers_announce_tip(struct fx_net *net)
{
    const struct fx_index *tip = fx_chain_tip(net->chain);

    if (fx_chain_is_initial_download(net->chain) && (!net->eager || !net->params->lanes)) {
        return;
    }
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        if (!fx_peer_ready(peer)) {
            continue;
        }
        if (peer->sync.has_unknown) {
            peer->sync.has_unknown = false;
            if (fx_headers_announced(peer, &peer->sync.unknown)) {
                /* What it has did not fit our chain then; it may now. */
                peer->sync.has_unknown = false;
                fx_headers_ask(peer, NULL);
            }
        }
        announce_to(peer, tip);
    }
}
