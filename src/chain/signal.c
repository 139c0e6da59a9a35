/* BIP9: which deployments blocks have signalled for. Without lanes only: with them, nVersion has
 * other uses. */
#include "src/iface/chain.h"

#define TOP_MASK UINT32_C(0xe0000000)
#define TOP_BITS UINT32_C(0x20000000)

bool fx_index_signals(const struct fx_index *index, unsigned bit)
{
    uint32_t version = (uint32_t)index->header.version;

    return (version & TOP_MASK) == TOP_BITS && (version >> bit & 1) != 0;
}

/* The first of the whole periods up to index, but for the one that begins with genesis, in which
 * enough blocks signalled; 0: none. */
static uint32_t first_convinced(const struct fx_index *index, unsigned bit)
{
    uint32_t first = 0, count = 0;

    for (; index != NULL && index->height >= FX_SIGNAL_PERIOD; index = index->parent) {
        if (index->height % FX_SIGNAL_PERIOD == FX_SIGNAL_PERIOD - 1) {
            count = 0;
        }
        count += fx_index_signals(index, bit);
        if (index->height % FX_SIGNAL_PERIOD == 0 && count >= FX_SIGNAL_THRESHOLD) {
            first = index->height / FX_SIGNAL_PERIOD;
        }
    }
    return first;
}

enum fx_signal_state fx_index_signal_state(const struct fx_index *parent, unsigned bit,
                                           uint32_t *since)
{
    uint32_t period = parent == NULL ? 0 : (parent->height + 1) / FX_SIGNAL_PERIOD;
    uint32_t convinced;

    *since = 0;
    if (period == 0) {
        return FX_SIGNAL_DEFINED;
    }
    convinced = first_convinced(fx_index_ancestor(parent, period * FX_SIGNAL_PERIOD - 1), bit);
    if (convinced == 0) {
        *since = FX_SIGNAL_PERIOD;
        return FX_SIGNAL_STARTED;
    }
    if (convinced + 1 == period) {
        *since = period * FX_SIGNAL_PERIOD;
        return FX_SIGNAL_LOCKED_IN;
    }
    *since = (convinced + 2) * FX_SIGNAL_PERIOD;
    return FX_SIGNAL_ACTIVE;
}
