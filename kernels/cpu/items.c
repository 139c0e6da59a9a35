/* The items of a stage, shared out among threads. */
#include "kernels/cpu/items.h"

#include <stdint.h>
#include <stdlib.h>

#include "src/util/mem.h"

void fx_cpu_items_init(struct fx_cpu_items *items, unsigned threads)
{
    items->n = 0;
    items->threads = threads;
    items->shares = fx_xcalloc(threads, sizeof *items->shares);
}

void fx_cpu_items_clear(struct fx_cpu_items *items)
{
    free(items->shares);
}

void fx_cpu_items_set(struct fx_cpu_items *items, size_t n)
{
    items->n = n;
    for (unsigned t = 0; t < items->threads; t++) {
        struct fx_cpu_share *share = &items->shares[t];

        share->first = (size_t)((uint64_t)n * t / items->threads);
        share->end = (size_t)((uint64_t)n * (t + 1) / items->threads);
        atomic_store(&share->next, share->first);
    }
}

bool fx_cpu_items_take(struct fx_cpu_items *items, unsigned thread, size_t *item)
{
    for (unsigned t = 0; t < items->threads; t++) {
        struct fx_cpu_share *share = &items->shares[(thread + t) % items->threads];

        if (atomic_load(&share->next) >= share->end)
            continue;
        *item = atomic_fetch_add(&share->next, 1);
        if (*item < share->end)
            return true;
    }
    return false;
}

bool fx_cpu_items_begun(const struct fx_cpu_items *items)
{
    for (unsigned t = 0; t < items->threads; t++) {
        if (atomic_load(&items->shares[t].next) > items->shares[t].first)
            return true;
    }
    return false;
}

bool fx_cpu_items_taken(const struct fx_cpu_items *items)
{
    for (unsigned t = 0; t < items->threads; t++) {
        if (atomic_load(&items->shares[t].next) < items->shares[t].end)
            return false;
    }
    return true;
}
