/* Ancestors and descendants of the pool's entries. */
#include "src/mempool/mempool_int.h"

#include <stdlib.h>

#include "src/util/mem.h"

void fx_pool_list_push(struct fx_pool_list *list, struct fx_pool_entry *entry)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        list->at = fx_xreallocarray(list->at, list->cap, sizeof(*list->at));
    }
    list->at[list->n++] = entry;
}

void fx_pool_list_drop(struct fx_pool_list *list, const struct fx_pool_entry *entry)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i] == entry) {
            list->at[i] = list->at[--list->n];
            return;
        }
    }
}

void fx_pool_list_clear(struct fx_pool_list *list)
{
    free(list->at);
    *list = (struct fx_pool_list){0};
}

void fx_pool_parents(struct fx_mempool *pool, const struct fx_tx *tx, struct fx_pool_list *out)
{
    uint64_t mark = ++pool->epoch;
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_pool_entry *parent = fx_pool_find(pool, &tx->in[i].prevout.txid);
        if (parent && parent->mark != mark) {
            parent->mark = mark;
            fx_pool_list_push(out, parent);
        }
    }
}

static void walk(struct fx_mempool *pool, const struct fx_pool_list *from, struct fx_pool_list *out,
                 bool up)
{
    uint64_t mark = ++pool->epoch;
    size_t at = out->n;
    for (size_t i = 0; i < from->n; i++) {
        if (from->at[i]->mark != mark) {
            from->at[i]->mark = mark;
            fx_pool_list_push(out, from->at[i]);
        }
    }
    for (; at < out->n; at++) {
        const struct fx_pool_list *next = up ? &out->at[at]->parents : &out->at[at]->children;
        for (size_t i = 0; i < next->n; i++) {
            if (next->at[i]->mark != mark) {
                next->at[i]->mark = mark;
                fx_pool_list_push(out, next->at[i]);
            }
        }
    }
}

void fx_pool_ancestors(struct fx_mempool *pool, const struct fx_pool_list *from,
                       struct fx_pool_list *out)
{
    walk(pool, from, out, true);
}

void fx_pool_descendants(struct fx_mempool *pool, const struct fx_pool_list *from,
                         struct fx_pool_list *out)
{
    walk(pool, from, out, false);
}

static int compare_seq(const void *a, const void *b)
{
    const struct fx_pool_entry *x = *(struct fx_pool_entry *const *)a;
    const struct fx_pool_entry *y = *(struct fx_pool_entry *const *)b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void fx_pool_list_sort(struct fx_pool_list *list)
{
    if (list->n > 1) {
        qsort(list->at, list->n, sizeof(*list->at), compare_seq);
    }
}
