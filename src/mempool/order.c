/* The order in which a miner takes transactions: by fee rate of a transaction with its ancestors.
 */
#include "src/mempool/mempool_int.h"

#include <stdlib.h>

#include "src/util/mem.h"

#define BLOCK_VSIZE (FX_BLOCK_WEIGHT_MAX / FX_WITNESS_SCALE)

/* What an entry's ancestors that are not yet taken still cost. */
struct node {
    struct fx_pool_entry *entry;
    int64_t fees;
    size_t vsize;
    bool taken;
};

/* A place in the heap: outdated where the node's numbers have changed since. */
struct place {
    struct node *node;
    int64_t fees;
    size_t vsize;
};

struct heap {
    struct place *at;
    size_t n, cap;
};

static bool above(const struct place *a, const struct place *b)
{
    if (fx_pool_rate_below(b->fees, b->vsize, a->fees, a->vsize)) {
        return true;
    }
    if (fx_pool_rate_below(a->fees, a->vsize, b->fees, b->vsize)) {
        return false;
    }
    return a->node->entry->seq < b->node->entry->seq;
}

static void heap_push(struct heap *heap, struct node *node)
{
    if (heap->n == heap->cap) {
        heap->cap = heap->cap ? heap->cap * 2 : 64;
        heap->at = fx_xreallocarray(heap->at, heap->cap, sizeof(*heap->at));
    }
    struct place place = {node, node->fees, node->vsize};
    size_t i = heap->n++;
    for (; i > 0 && above(&place, &heap->at[(i - 1) / 2]); i = (i - 1) / 2) {
        heap->at[i] = heap->at[(i - 1) / 2];
    }
    heap->at[i] = place;
}

static struct place heap_pop(struct heap *heap)
{
    struct place top = heap->at[0], last = heap->at[--heap->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->n) {
            break;
        }
        if (child + 1 < heap->n && above(&heap->at[child + 1], &heap->at[child])) {
            child++;
        }
        if (!above(&heap->at[child], &last)) {
            break;
        }
        heap->at[i] = heap->at[child];
        i = child;
    }
    if (heap->n > 0) {
        heap->at[i] = last;
    }
    return top;
}

/* Entries lie in nodes by position in the pool, found again by binary search on seq. */
static struct node *find_node(struct node *nodes, size_t n, const struct fx_pool_entry *entry)
{
    size_t low = 0;
    while (n > 1) {
        size_t half = n / 2;
        if (nodes[low + half].entry->seq <= entry->seq) {
            low += half;
            n -= half;
        } else {
            n = half;
        }
    }
    return &nodes[low];
}

/* Takes the node with those of its ancestors that are left; their descendants become cheaper. */
static size_t take(struct fx_mempool *pool, struct node *nodes, size_t n, struct node *node,
                   struct heap *heap, struct fx_mempool_entry *out)
{
    struct fx_pool_list from = {.at = &node->entry, .n = 1, .cap = 1}, package = {0}, below = {0};
    fx_pool_ancestors(pool, &from, &package);
    fx_pool_list_sort(&package);
    const struct node group = *node;
    size_t count = 0;
    for (size_t i = 0; i < package.n; i++) {
        struct fx_pool_entry *entry = package.at[i];
        struct node *taken = find_node(nodes, n, entry);
        if (taken->taken) {
            continue;
        }
        taken->taken = true;
        fx_pool_describe(entry, &out[count]);
        out[count].group_fees = group.fees;
        out[count++].group_vsize = group.vsize;
        below.n = 0;
        fx_pool_descendants(pool, &entry->children, &below);
        for (size_t j = 0; j < below.n; j++) {
            struct node *child = find_node(nodes, n, below.at[j]);
            if (!child->taken) {
                child->fees -= fx_pool_fees(entry);
                child->vsize -= entry->vsize;
                heap_push(heap, child);
            }
        }
    }
    fx_pool_list_clear(&package);
    fx_pool_list_clear(&below);
    return count;
}

size_t fx_mempool_list(const struct fx_mempool *const_pool, struct fx_mempool_entry **entries)
{
    /* Walks write marks into entries; nothing that anyone sees changes. */
    struct fx_mempool *pool = (struct fx_mempool *)const_pool;
    size_t n = 0, count = 0;
    struct node *nodes = fx_xcalloc(pool->count + 1, sizeof(*nodes));
    *entries = fx_xcalloc(pool->count + 1, sizeof(**entries));
    struct heap heap = {0};
    for (struct fx_pool_entry *e = pool->first; e; e = e->next) {
        nodes[n] = (struct node){.entry = e, .fees = e->ancestor_fees, .vsize = e->ancestor_vsize};
        heap_push(&heap, &nodes[n++]);
    }
    while (heap.n > 0) {
        struct place top = heap_pop(&heap);
        if (top.node->taken || top.fees != top.node->fees || top.vsize != top.node->vsize) {
            continue;
        }
        count += take(pool, nodes, n, top.node, &heap, *entries + count);
    }
    free(heap.at);
    free(nodes);
    return count;
}

/* The rate of the entry with whose group a sum over the order passes `most`, and one ember more to
 * stand before it; at least the pool's minimum. */
static int64_t rate_at(const struct fx_mempool *pool, uint64_t most,
                       uint64_t (*share)(const struct fx_mempool_entry *))
{
    struct fx_mempool_info info;
    fx_mempool_info(pool, &info);
    struct fx_mempool_entry *entries;
    size_t n = fx_mempool_list(pool, &entries);
    uint64_t sum = 0;
    int64_t rate = info.min_fee_rate;
    for (size_t i = 0; i < n; i++) {
        sum += share(&entries[i]);
        if (sum > most) {
            int64_t there = entries[i].group_fees * 1000 / (int64_t)entries[i].group_vsize + 1;
            rate = there > rate ? there : rate;
            break;
        }
    }
    free(entries);
    return rate;
}

static uint64_t share_of_size(const struct fx_mempool_entry *entry)
{
    return entry->vsize;
}

static uint64_t share_of_challenges(const struct fx_mempool_entry *entry)
{
    return entry->challenges;
}

/*
 * What the pool itself tells: the rate of the transaction that stands where `blocks` full blocks
 * end. A pool that fits asks for no more than its minimum.
 */
int64_t fx_mempool_estimate(const struct fx_mempool *pool, unsigned blocks)
{
    struct fx_mempool_info info;
    fx_mempool_info(pool, &info);
    uint64_t depth = (uint64_t)(blocks ? blocks : 1) * BLOCK_VSIZE;
    return pool->vsize <= depth ? info.min_fee_rate : rate_at(pool, depth, share_of_size);
}

int64_t fx_mempool_estimate_challenge(const struct fx_mempool *pool, unsigned blocks)
{
    int64_t rate = fx_mempool_estimate(pool, blocks);
    uint64_t places = (uint64_t)(blocks ? blocks : 1) * FX_BLOCK_CHALLENGES_MAX;
    if (pool->challenges < places) {
        return rate;
    }
    int64_t there = rate_at(pool, places - 1, share_of_challenges);
    return there > rate ? there : rate;
}
