/*
 * Operands on the device: slots of one chunk of one panel each. As many as there is memory for, so
 * that a task that fits is read once; a larger one streams through.
 */
#include <string.h>

#include "kernels/offload_int.h"
#include "src/sys/clock.h"

/* Entries lie in [-64, 63] where their two highest bits are equal. */
static bool in_range(const uint8_t *block)
{
    uint64_t differ = 0;

    for (size_t at = 0; at < FX_BLOCK_BYTES; at += 8) {
        uint64_t word;

        memcpy(&word, block + at, 8);
        differ |= word ^ word << 1;
    }
    return (differ & UINT64_C(0x8080808080808080)) == 0;
}

/* A slot that no unit reads any more. */
static bool free_slot(struct fx_session *session, uint32_t *slot)
{
    for (;;) {
        for (uint32_t tried = 0; tried < session->n_slots; tried++) {
            uint32_t at = session->hand;

            session->hand = at + 1 < session->n_slots ? at + 1 : 0;
            if (session->slots[at].used <= session->completed) {
                *slot = at;
                return true;
            }
        }
        if (session->completed == session->started)
            return fx_offload_fail(session, "no slot is free"); /* there are enough for a unit */
        if (!fx_offload_collect(session))
            return false;
    }
}

static bool fill(struct fx_session *session, uint32_t at)
{
    const struct fx_kernel_operands *operands = &session->task.operands;
    const struct fx_offload_driver *driver = session->driver;
    struct fx_slot *slot = &session->slots[at];
    enum fx_side side = slot->side ? FX_SIDE_B : FX_SIDE_A;
    uint32_t panel = slot->panel + (slot->side ? session->task.col0 : session->task.row0);
    uint32_t first = slot->chunk * session->chunk;
    uint32_t count = session->task.depth - first;
    uint64_t slot_bytes = (uint64_t)session->chunk * FX_BLOCK_BYTES;
    unsigned stage = session->stage;
    uint8_t *host = session->stage_host + stage * slot_bytes;
    int64_t start;

    if (count > session->chunk)
        count = session->chunk;
    if (session->stage_used[stage] &&
        !fx_offload_ok(session, driver->wait(session->ctx, FX_MARK_STAGE + stage)))
        return false;
    start = fx_clock_monotonic_ns();
    if (!operands->read(operands->ctx, side, panel, first, count, (int8_t *)host))
        return fx_offload_fail(session, "an operand could not be read");
    memset(slot->dirty, 0, sizeof slot->dirty);
    for (uint32_t s = 0; s < count; s++) {
        if (!in_range(host + (size_t)s * FX_BLOCK_BYTES))
            slot->dirty[s / 32] |= UINT32_C(1) << s % 32;
    }
    session->stats.read_ns += (uint64_t)(fx_clock_monotonic_ns() - start);
    session->stage = (stage + 1) % FX_OFFLOAD_STAGES;
    session->stage_used[stage] = true;
    return fx_offload_ok(session,
                         driver->write(session->ctx, FX_OFFLOAD_UPLOAD, session->plain,
                                       at * slot_bytes, host, (size_t)count * FX_BLOCK_BYTES)) &&
           fx_offload_ok(session,
                         driver->mark(session->ctx, FX_OFFLOAD_UPLOAD, FX_MARK_STAGE + stage));
}

/* The slot of a chunk of a panel, for the unit that is made ready. */
static bool slot_of(struct fx_session *session, unsigned side, uint32_t panel, uint32_t chunk,
                    uint32_t *out)
{
    uint32_t *where = &session->where[side][(size_t)panel * session->chunks + chunk];
    struct fx_slot *slot;

    if (*where == 0) {
        uint32_t at = 0;

        if (!free_slot(session, &at))
            return false;
        slot = &session->slots[at];
        if (slot->full)
            session->where[slot->side][(size_t)slot->panel * session->chunks + slot->chunk] = 0;
        *slot =
            (struct fx_slot){.full = true, .side = (uint8_t)side, .panel = panel, .chunk = chunk};
        if (!fill(session, at)) {
            slot->full = false;
            return false;
        }
        *where = at + 1;
    }
    *out = *where - 1;
    session->slots[*out].used = session->started + 1;
    return true;
}

bool fx_offload_operands(struct fx_session *session, const struct fx_rect *rect, uint32_t chunk,
                         uint32_t *out)
{
    uint32_t base = session->max_rows, units = base + session->max_cols;

    for (unsigned side = 0; side < 2; side++) {
        uint32_t panels = side ? rect->cols : rect->rows, from = side ? rect->col : rect->row;

        for (uint32_t x = 0; x < panels; x++) {
            uint32_t unit = (side ? base : 0) + x, slot;

            if (atomic_load(session->cancel))
                return true;
            if (!slot_of(session, side, from + x, chunk, &slot))
                return false;
            out[unit] = slot;
            memcpy(out + units + unit * FX_OFFLOAD_DIRTY_WORDS, session->slots[slot].dirty,
                   sizeof session->slots[slot].dirty);
        }
    }
    return true;
}
