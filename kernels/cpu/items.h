/*
 * The items of a stage, shared out among threads. Each thread has a share of its own, the same one
 * in each stage of as many items, so that what it touched in one chunk is in its caches, or at
 * least near it, in the next; when that is done, it takes from the others' shares.
 */
#ifndef FX_KERNELS_CPU_ITEMS_H
#define FX_KERNELS_CPU_ITEMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct fx_cpu_share {
    size_t first, end;
    atomic_size_t next; /* may pass end */
    char apart[104];    /* so that no two shares touch the same line of a cache */
};

struct fx_cpu_items {
    size_t n;
    unsigned threads;
    struct fx_cpu_share *shares;
};

void fx_cpu_items_init(struct fx_cpu_items *items, unsigned threads);
void fx_cpu_items_clear(struct fx_cpu_items *items);
/* Items 0 .. n - 1, none of them taken. While no thread takes any. */
void fx_cpu_items_set(struct fx_cpu_items *items, size_t n);
/* For thread 0 .. threads - 1, or any other number. False: all are taken. */
bool fx_cpu_items_take(struct fx_cpu_items *items, unsigned thread, size_t *item);
/* Has one been taken? Have all? */
bool fx_cpu_items_begun(const struct fx_cpu_items *items);
bool fx_cpu_items_taken(const struct fx_cpu_items *items);

#endif
