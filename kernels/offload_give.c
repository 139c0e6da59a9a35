/* What a session gives out: tickets, and the tiles of the supertile that is finished. */
#include <string.h>

#include "kernels/offload_int.h"

void fx_offload_give_tickets(struct fx_session *session)
{
    const struct fx_kernel_sink *sink = session->sink;
    size_t given = 0;

    while (given < session->n_found && !session->stop) {
        const struct fx_found *found = &session->found_list[given++];

        session->stop = !sink->ticket(sink->ctx, found->i, found->j, found->l, found->ticket);
    }
    if (given > 0)
        memmove(session->found_list, session->found_list + given,
                (session->n_found - given) * sizeof *session->found_list);
    session->n_found -= given;
}

/* Asks for up to TILE_BATCH tiles from `from` on, into a half of the host's room. */
static bool ask(struct fx_session *session, uint32_t from, unsigned half)
{
    const struct fx_super *back = &session->back;
    uint32_t to =
        from + FX_OFFLOAD_TILE_BATCH < back->n_tiles ? from + FX_OFFLOAD_TILE_BATCH : back->n_tiles;

    for (uint32_t at = from; at < to; at++) {
        uint64_t tile =
            (uint64_t)(back->tiles[at] >> 16) * back->rect.cols + (back->tiles[at] & 0xffff);
        uint8_t *host = session->tile_host +
                        ((size_t)half * FX_OFFLOAD_TILE_BATCH + (at - from)) * FX_TILE_BYTES;

        if (!fx_offload_ok(session,
                           session->driver->read(session->ctx, FX_OFFLOAD_DOWNLOAD,
                                                 session->sums[back->sums], tile * FX_TILE_BYTES,
                                                 host, FX_TILE_BYTES)))
            return false;
    }
    return fx_offload_ok(
        session, session->driver->mark(session->ctx, FX_OFFLOAD_DOWNLOAD, FX_MARK_GIVE + half));
}

static void give(struct fx_session *session, unsigned half)
{
    const struct fx_kernel_sink *sink = session->sink;
    struct fx_super *back = &session->back;
    const uint8_t *host = session->tile_host + (size_t)half * FX_OFFLOAD_TILE_BATCH * FX_TILE_BYTES;
    uint32_t from = back->given;

    while (back->given < back->n_tiles && back->given - from < FX_OFFLOAD_TILE_BATCH &&
           !session->stop && !atomic_load(session->cancel)) {
        uint32_t code = back->tiles[back->given];
        uint64_t tile = (uint64_t)(back->rect.row + (code >> 16)) * session->task.cols +
                        back->rect.col + (code & 0xffff);
        const int32_t *data =
            (const int32_t *)(const void *)(host + (size_t)(back->given - from) * FX_TILE_BYTES);

        back->given++;
        session->left--;
        session->stats.tiles++;
        session->stop = !sink->tile(sink->ctx, tile, data);
    }
}

bool fx_offload_give_tiles(struct fx_session *session)
{
    struct fx_super *back = &session->back;
    uint32_t from = back->given;
    unsigned half = session->give_half;

    if (!session->sink->tile) {
        session->left -= back->n_tiles - from;
        session->stats.tiles += back->n_tiles - from;
        back->given = back->n_tiles;
    } else {
        if (session->give_pending == 0) {
            if (!ask(session, from, half))
                return false;
            session->give_pending = 1;
        }
        if (from + FX_OFFLOAD_TILE_BATCH < back->n_tiles && session->give_pending == 1) {
            if (!ask(session, from + FX_OFFLOAD_TILE_BATCH, half ^ 1))
                return false;
            session->give_pending = 2;
        }
        if (!fx_offload_ok(session, session->driver->wait(session->ctx, FX_MARK_GIVE + half)))
            return false;
        give(session, half);
        session->give_pending--;
        session->give_half ^= 1;
        if (back->given < from + FX_OFFLOAD_TILE_BATCH && back->given < back->n_tiles) {
            /* Interrupted: what is on its way is asked for again, from another tile on. */
            if (!fx_offload_finish(session, FX_OFFLOAD_DOWNLOAD))
                return false;
            session->give_pending = 0;
        }
    }
    if (back->given == back->n_tiles) {
        back->active = false;
        session->give_pending = 0;
    }
    return true;
}
