/* What a unit leaves when it is over: tickets that it found, counts and times. */
#include "kernels/offload_int.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

static bool take_found(struct fx_session *session, unsigned parity, uint32_t count)
{
    const struct fx_offload_driver *driver = session->driver;

    for (uint32_t from = 0; from < count;) {
        uint32_t n = count - from < FX_OFFLOAD_FOUND_BATCH ? count - from : FX_OFFLOAD_FOUND_BATCH;
        uint64_t offset = (FX_OFFLOAD_FOUND_HEAD + (uint64_t)from * FX_OFFLOAD_FOUND_WORDS) * 4;

        if (!fx_offload_ok(session,
                           driver->read(session->ctx, FX_OFFLOAD_DOWNLOAD, session->found[parity],
                                        offset, session->found_host,
                                        (size_t)n * FX_OFFLOAD_FOUND_WORDS * 4)) ||
            !fx_offload_finish(session, FX_OFFLOAD_DOWNLOAD))
            return false;
        for (uint32_t at = 0; at < n; at++) {
            const uint32_t *words = session->found_host + at * FX_OFFLOAD_FOUND_WORDS;
            struct fx_found *found;

            if (session->n_found == session->cap_found) {
                session->cap_found = session->cap_found ? 2 * session->cap_found : 64;
                session->found_list = fx_xreallocarray(session->found_list, session->cap_found,
                                                       sizeof *session->found_list);
            }
            found = &session->found_list[session->n_found++];
            found->i = words[0];
            found->j = words[1];
            found->l = words[2];
            for (unsigned w = 0; w < 8; w++)
                fx_store_u32(found->ticket + 4 * w, words[4 + w]);
        }
        from += n;
    }
    session->stats.tickets += count;
    return true;
}

static bool lap(struct fx_session *session, unsigned marks, enum fx_offload_mark from,
                enum fx_offload_mark to, uint64_t *counter)
{
    uint64_t ns = 0;

    if (!fx_offload_ok(session,
                       session->driver->between(session->ctx, marks + from, marks + to, &ns)))
        return false;
    *counter += ns;
    return true;
}

static bool count_time(struct fx_session *session, const struct fx_unit *unit, unsigned marks)
{
    struct fx_kernel_stats *stats = &session->stats;
    uint64_t all = 0, rest = 0;

    if (!lap(session, marks, FX_MARK_START, FX_MARK_NOISED, &stats->noise_ns) ||
        !lap(session, marks, FX_MARK_NOISED, FX_MARK_PRODUCT, &stats->product_ns) ||
        !lap(session, marks, FX_MARK_PRODUCT, FX_MARK_TICKETS, &stats->hash_ns) ||
        !lap(session, marks, FX_MARK_TICKETS, FX_MARK_END,
             unit->peeled ? &stats->peel_ns : &rest) ||
        !lap(session, marks, FX_MARK_START, FX_MARK_TICKETS, &all))
        return false;
    fx_offload_learn(session, unit->timed, all);
    return true;
}

bool fx_offload_collect(struct fx_session *session)
{
    unsigned parity = (session->completed + 1) % 2, marks = parity * FX_MARK_UNIT;
    const struct fx_unit *unit = &session->units[parity];

    if (!fx_offload_ok(session, session->driver->wait(session->ctx, marks + FX_MARK_END)))
        return false;
    session->completed++;
    session->stats.bricks += unit->bricks;
    if (unit->mine) {
        uint32_t count = session->head_host[parity * FX_OFFLOAD_FOUND_HEAD];

        if (count > session->max_tiles * session->chunk)
            return fx_offload_fail(session, "the device counts more tickets than there are bricks");
        if (!take_found(session, parity, count))
            return false;
    }
    return count_time(session, unit, marks);
}

bool fx_offload_drain(struct fx_session *session)
{
    while (session->completed < session->started) {
        if (!fx_offload_collect(session))
            return false;
    }
    return true;
}
