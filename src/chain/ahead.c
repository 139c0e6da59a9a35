/* Blocks that will be wanted soon are read, parsed, checked by themselves, and their coins fetched,
 * on the pool's threads, while the main thread connects the blocks before them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

static enum fx_data read_other(struct fx_ahead *ahead)
{
    uint8_t *data = fx_xmalloc(ahead->size);
    enum fx_verdict why;

    if (!fx_fd_read_all(ahead->fd, ahead->pos, data, ahead->size)) {
        free(data);
        return errno == 0 ? FX_DATA_LOST : FX_DATA_FAILED;
    }
    ahead->block = fx_block_parse(ahead->chain->params, data, ahead->size, &why);
    free(data);
    return ahead->block != NULL ? FX_DATA_OK : FX_DATA_LOST;
}

static void work(void *arg)
{
    struct fx_ahead *ahead = arg;

    ahead->data = ahead->index != NULL
                      ? fx_chain_load_block(ahead->chain, &ahead->copy, &ahead->block)
                      : read_other(ahead);
    if (ahead->data == FX_DATA_OK) {
        fx_check_block_alone(ahead->chain->params, ahead->block, &ahead->check);
        if (ahead->coins != NULL) {
            fx_coin_batch_fetch(ahead->coins, ahead->block->txs, ahead->block->n_txs);
        }
    }
}

static void init(struct fx_ahead *ahead, const struct fx_chain *chain, const struct fx_index *index)
{
    memset(ahead, 0, sizeof(*ahead));
    ahead->chain = chain;
    ahead->index = index;
    if (index != NULL) {
        ahead->copy = *index;
        ahead->size = index->size;
    }
}

static void start(struct fx_ahead *ahead, struct fx_chain *chain)
{
    ahead->coins = chain->pool != NULL ? fx_coin_batch_create(chain->state) : NULL;
    fx_pool_task_start(chain->pool, &ahead->task, work, ahead);
}

void fx_ahead_start(struct fx_ahead *ahead, struct fx_chain *chain, int fd, uint64_t pos,
                    uint32_t size)
{
    init(ahead, chain, NULL);
    ahead->fd = fd;
    ahead->pos = pos;
    ahead->size = size;
    start(ahead, chain);
}

void fx_ahead_finish(struct fx_ahead *ahead)
{
    fx_pool_task_finish(ahead->chain->pool, &ahead->task);
    fx_coin_batch_take(ahead->coins);
    ahead->coins = NULL;
}

void fx_ahead_end(struct fx_ahead *ahead)
{
    fx_pool_task_cancel(ahead->chain->pool, &ahead->task);
    fx_coin_batch_destroy(ahead->coins);
    fx_block_unref(ahead->block);
}

/* ---- the blocks of the index that come next ---- */

static struct fx_ahead *slot(struct fx_chain *chain, size_t at)
{
    return &chain->ahead[(chain->first_ahead + at) % FX_AHEAD_BLOCKS];
}

void fx_ahead_drop(struct fx_chain *chain)
{
    for (size_t i = 0; i < chain->n_ahead; i++) {
        fx_ahead_end(slot(chain, i));
    }
    chain->n_ahead = 0;
}

static size_t bytes_ahead(struct fx_chain *chain)
{
    size_t bytes = 0;

    for (size_t i = 0; i < chain->n_ahead; i++) {
        bytes += slot(chain, i)->size;
    }
    return bytes;
}

void fx_ahead_toward(struct fx_chain *chain, const struct fx_index *target)
{
    uint32_t height = chain->tip->height + 1;
    size_t bytes;

    if (chain->pool == NULL) {
        return;
    }
    if (chain->n_ahead > 0 && slot(chain, 0)->index != fx_index_ancestor(target, height)) {
        fx_ahead_drop(chain);
    }
    bytes = bytes_ahead(chain);
    while (chain->n_ahead < FX_AHEAD_BLOCKS && bytes < FX_AHEAD_BYTES) {
        const struct fx_index *index = fx_index_ancestor(target, height + (uint32_t)chain->n_ahead);
        struct fx_ahead *next = slot(chain, chain->n_ahead);

        if (index == NULL) {
            return;
        }
        init(next, chain, index);
        start(next, chain);
        chain->n_ahead++;
        bytes += index->size;
    }
}

enum fx_data fx_ahead_take(struct fx_chain *chain, const struct fx_index *index,
                           struct fx_block **block)
{
    struct fx_ahead here, *ahead = &here;
    enum fx_verdict why;
    enum fx_data data;

    if (chain->n_ahead > 0 && slot(chain, 0)->index == index) {
        ahead = slot(chain, 0);
        chain->first_ahead = (chain->first_ahead + 1) % FX_AHEAD_BLOCKS;
        chain->n_ahead--;
        fx_ahead_finish(ahead);
    } else {
        init(ahead, chain, index);
        work(ahead);
    }
    *block = ahead->block;
    data = ahead->data;
    if (data == FX_DATA_OK && fx_check_block_at(chain->params, *block, &ahead->check, index->height,
                                                index->parent->median_time, &why) != FX_VALID) {
        fx_log_info("the block at height %u is damaged on disk: %s", index->height,
                    fx_verdict_string(why));
        fx_block_unref(*block);
        *block = NULL;
        data = FX_DATA_LOST;
    }
    return data;
}
