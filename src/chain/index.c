/* The block index: entries, what is derived from their headers, walking them, loading and saving.
 */
#include <stdlib.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

void fx_index_list_add(struct index_list *list, struct fx_index *index)
{
    if (list->n == list->cap) {
        list->cap = list->cap * 2 + 16;
        list->at = fx_xreallocarray(list->at, list->cap, sizeof(struct fx_index *));
    }
    list->at[list->n++] = index;
}

void fx_index_list_clear(struct index_list *list)
{
    free(list->at);
    *list = (struct index_list){0};
}

/* ---- ancestors ---- */

static uint32_t drop_lowest_bit(uint32_t n)
{
    return n & (n - 1);
}

/* Bitcoin's skip list: far jumps and near ones alternate, so that any ancestor is about log(n)
 * steps away. */
static uint32_t skip_height(uint32_t height)
{
    if (height < 2) {
        return 0;
    }
    return height & 1 ? drop_lowest_bit(drop_lowest_bit(height - 1)) + 1 : drop_lowest_bit(height);
}

const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height)
{
    const struct fx_index *walk = index;
    uint32_t at;

    if (index == NULL || height > index->height) {
        return NULL;
    }
    for (at = index->height; at > height; at = walk->height) {
        uint32_t skip = skip_height(at), before = skip_height(at - 1);

        if (walk->skip != NULL &&
            (skip == height || (skip > height && !(before + 2 < skip && before >= height)))) {
            walk = walk->skip;
        } else {
            walk = walk->parent;
        }
    }
    return walk;
}

const struct fx_index *fx_index_fork(const struct fx_index *a, const struct fx_index *b)
{
    if (a->height > b->height) {
        a = fx_index_ancestor(a, b->height);
    } else if (b->height > a->height) {
        b = fx_index_ancestor(b, a->height);
    }
    while (a != b) {
        /* Equal skips of equal heights mean that the fork is above them. */
        if (a->skip != NULL && a->skip != b->skip) {
            a = a->skip;
            b = b->skip;
        } else {
            a = a->parent;
            b = b->parent;
        }
    }
    return a;
}

/* ---- entries ---- */

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t median_time(const struct fx_index *index)
{
    uint32_t times[FX_MEDIAN_TIME_SPAN];
    size_t n = 0;

    for (; index != NULL && n < FX_MEDIAN_TIME_SPAN; index = index->parent) {
        times[n++] = index->header.time;
    }
    qsort(times, n, sizeof(times[0]), compare_times);
    return times[n / 2];
}

/* All that follows from the header and the parent. */
static void derive(const struct fx_chain *chain, struct fx_index *index, struct fx_index *parent)
{
    const struct fx_params *params = chain->params;
    struct fx_u256 share[FX_LANES], added;
    uint32_t nbits[FX_LANES];

    index->parent = parent;
    index->lane = fx_lane_of(params, &index->header);
    if (parent == NULL) {
        index->height = 0;
        fx_lane_genesis(params, &index->lanes);
        memcpy(nbits, params->limit_nbits, sizeof(nbits));
    } else {
        index->height = parent->height + 1;
        index->skip =
            (struct fx_index *)(uintptr_t)fx_index_ancestor(parent, skip_height(index->height));
        fx_lane_advance(&parent->lanes, &index->header, parent->header.time, &index->lanes);
        fx_lane_targets(params, &parent->lanes, parent->header.time, nbits);
        index->work = parent->work;
        index->hash_work = parent->hash_work;
    }
    index->median_time = median_time(index);
    added = fx_lane_work_added(params, index->lane, nbits);
    fx_u256_add(&index->work, &added, &index->work);
    if (index->lane == FX_LANE_HASH) {
        fx_lane_shares(params, nbits, share);
        fx_u256_add(&index->hash_work, &share[FX_LANE_HASH], &index->hash_work);
    }
}

struct fx_index *fx_chain_entry(const struct fx_chain *chain, const struct fx_hash *id)
{
    return fx_map_get(chain->entries, id->b);
}

const struct fx_index *fx_chain_find(const struct fx_chain *chain, const struct fx_hash *id)
{
    return fx_chain_entry(chain, id);
}

static void consider_best_header(struct fx_chain *chain, struct fx_index *index)
{
    if ((index->status & FX_INDEX_FAILED) == 0 &&
        (chain->best_header == NULL || fx_u256_cmp(&index->work, &chain->best_header->work) > 0)) {
        chain->best_header = index;
    }
}

struct fx_index *fx_chain_add_entry(struct fx_chain *chain, const struct fx_header *header,
                                    struct fx_index *parent)
{
    struct fx_index *index = fx_xcalloc(1, sizeof(*index));

    index->header = *header;
    fx_header_id(header, &index->id);
    derive(chain, index, parent);
    if (index->lane == FX_LANE_HASH) {
        index->status |= FX_INDEX_PROVEN;
    }
    fx_map_put(chain->entries, index->id.b, index);
    consider_best_header(chain, index);
    fx_chain_touch(chain, index);
    return index;
}

void fx_chain_find_best_header(struct fx_chain *chain)
{
    void *value;
    size_t at = 0;

    chain->best_header = chain->tip;
    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        consider_best_header(chain, value);
    }
}

void fx_chain_each_descendant(struct fx_chain *chain, const struct fx_index *index,
                              void (*fn)(struct fx_chain *chain, struct fx_index *at))
{
    void *value;
    size_t at = 0;

    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        struct fx_index *entry = value;

        if (fx_index_ancestor(entry, index->height) == index) {
            fn(chain, entry);
        }
    }
}

size_t fx_chain_tips(const struct fx_chain *chain, const struct fx_index ***tips)
{
    /* Keys are ids, which cost work to choose. */
    struct fx_map *parents = fx_map_create(32, fx_load_u64(chain->tip->id.b), 0);
    struct index_list list = {0};
    struct fx_index *entry;
    void *value;
    size_t at = 0;

    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        entry = value;
        if (entry->parent != NULL) {
            fx_map_put(parents, entry->parent->id.b, entry->parent);
        }
    }
    fx_index_list_add(&list, chain->tip);
    at = 0;
    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        entry = value;
        if (entry != chain->tip && fx_map_get(parents, entry->id.b) == NULL) {
            fx_index_list_add(&list, entry);
        }
    }
    fx_map_destroy(parents, NULL);
    *tips = (const struct fx_index **)list.at;
    return list.n;
}

/* ---- loading and saving ---- */

void fx_chain_touch(struct fx_chain *chain, struct fx_index *index)
{
    if ((index->status & FX_INDEX_DIRTY) == 0) {
        index->status |= FX_INDEX_DIRTY;
        fx_index_list_add(&chain->dirty, index);
    }
}

bool fx_chain_save_index(struct fx_chain *chain, bool sync)
{
    struct fx_files_end end;
    size_t i;

    fx_files_get_end(chain->files, &end);
    if (!fx_index_db_write(chain->index_db, chain->dirty.at, chain->dirty.n, &end, sync)) {
        return false;
    }
    for (i = 0; i < chain->dirty.n; i++) {
        chain->dirty.at[i]->status &= ~FX_INDEX_DIRTY;
    }
    chain->dirty.n = 0;
    return true;
}

static bool collect(void *ctx, struct fx_index *entry)
{
    struct index_list *list = ctx;

    fx_index_list_add(list, entry);
    return true;
}

static int compare_heights(const void *a, const void *b)
{
    const struct fx_index *x = *(struct fx_index *const *)a, *y = *(struct fx_index *const *)b;

    return x->height < y->height ? -1 : x->height > y->height;
}

/* Sets the entry in its place. False where it has none. */
static bool place(struct fx_chain *chain, struct fx_index *entry)
{
    struct fx_index *parent = NULL;
    uint32_t height = entry->height;

    if (fx_lane_of(chain->params, &entry->header) >= FX_LANES) {
        return false;
    }
    if (height > 0) {
        parent = fx_chain_entry(chain, &entry->header.prev);
        if (parent == NULL || parent->height + 1 != height) {
            return false;
        }
    } else if (!fx_hash_equal(&entry->id, &chain->params->genesis_id)) {
        return false;
    }
    derive(chain, entry, parent);
    fx_map_put(chain->entries, entry->id.b, entry);
    if (parent == NULL) {
        chain->genesis = entry;
    }
    if (entry->arrival >= chain->next_arrival) {
        chain->next_arrival = entry->arrival + 1;
    }
    return true;
}

bool fx_chain_load_index(struct fx_chain *chain, char **error)
{
    struct index_list list = {0};
    struct fx_files_end end;
    size_t i, n = 0;
    bool ok;

    chain->next_arrival = 1;
    ok = fx_index_db_read_end(chain->index_db, &end) &&
         fx_index_db_each(chain->index_db, collect, &list);
    if (!ok) {
        *error = fx_xstrdup("the block index cannot be read");
    } else {
        fx_files_set_end(chain->files, &end);
        if (list.n > 1) {
            qsort(list.at, list.n, sizeof(struct fx_index *), compare_heights);
        }
        if (list.n > 0 && !fx_hash_equal(&list.at[0]->id, &chain->params->genesis_id)) {
            *error = fx_xstrdup("the block index is of another network, or damaged");
            ok = false;
        }
    }
    for (; ok && n < list.n; n++) {
        if (!place(chain, list.at[n])) {
            *error = fx_xstrdup("the block index is damaged: an entry has no parent");
            ok = false;
            break;
        }
    }
    for (i = n; i < list.n; i++) {
        free(list.at[i]);
    }
    /* Arrivals again, from the bottom up: an ancestor's data may be gone. */
    for (i = 0; ok && i < list.n; i++) {
        struct fx_index *entry = list.at[i];
        bool data = (entry->status & FX_INDEX_HAVE_DATA) != 0;
        bool below = entry->parent == NULL || entry->parent->arrival != 0;
        /* What was pruned of the best chain has an arrival, what was pruned of others none. */
        bool had = data || (entry->status & FX_INDEX_PRUNED) != 0;

        if (entry->arrival != 0 && !(had && below)) {
            entry->arrival = 0;
            fx_chain_touch(chain, entry);
        } else if (entry->arrival == 0 && data && below) {
            entry->arrival = chain->next_arrival++;
            fx_chain_touch(chain, entry);
        }
        if (data && !below) {
            fx_index_list_add(&chain->unlinked, entry);
        }
    }
    fx_index_list_clear(&list);
    return ok;
}
