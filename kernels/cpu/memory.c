/* Memory that outlives the session that it was for: a device keeps what it has touched, and the
 * next session finds it. */
#include "kernels/cpu/cpu_int.h"

#include "src/sys/pages.h"

static bool fits_better(const struct fx_cpu_memory *a, const struct fx_cpu_memory *b)
{
    return a->size > 0 && (b->size == 0 || a->size < b->size);
}

struct fx_cpu_memory fx_cpu_memory_take(struct fx_device *device, size_t n)
{
    struct fx_cpu_memory none = {NULL, 0}, *best = &none, taken;

    for (size_t at = 0; at < FX_CPU_KEPT; at++) {
        struct fx_cpu_memory *kept = &device->kept[at];

        if (kept->size >= n && fits_better(kept, best))
            best = kept;
    }
    if (best == &none) {
        n = (n + FX_PAGES_HUGE - 1) / FX_PAGES_HUGE * FX_PAGES_HUGE;
        return (struct fx_cpu_memory){fx_pages_map(n), n};
    }
    taken = *best;
    *best = none;
    return taken;
}

/* Of all pieces and one more, the smallest one goes. */
void fx_cpu_memory_give(struct fx_device *device, struct fx_cpu_memory memory)
{
    struct fx_cpu_memory *least = &device->kept[0];

    for (size_t at = 1; at < FX_CPU_KEPT; at++) {
        if (device->kept[at].size < least->size)
            least = &device->kept[at];
    }
    if (memory.size > least->size) {
        const struct fx_cpu_memory larger = memory;

        memory = *least;
        *least = larger;
    }
    if (memory.size > 0)
        fx_pages_unmap(memory.at, memory.size);
}

void fx_cpu_memory_clear(struct fx_device *device)
{
    for (size_t at = 0; at < FX_CPU_KEPT; at++) {
        if (device->kept[at].size > 0)
            fx_pages_unmap(device->kept[at].at, device->kept[at].size);
        device->kept[at] = (struct fx_cpu_memory){NULL, 0};
    }
}
