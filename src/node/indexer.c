/* Drives fx_tx_index from the event loop. */
#include "src/node/indexer.h"

#include <stdlib.h>

#include <event2/event.h>

#include "src/chain/txindex.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define SLICE_MS 20

struct fx_indexer {
    struct fx_tx_index *index;
    struct event *next;
};

static void again(struct fx_indexer *indexer)
{
    static const struct timeval now;

    event_add(indexer->next, &now);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct fx_indexer *indexer = arg;

    (void)fd;
    (void)what;
    switch (fx_tx_index_step(indexer->index, SLICE_MS)) {
    case FX_TX_INDEX_MORE:
        again(indexer);
        break;
    case FX_TX_INDEX_SYNCED: /* and the chain's events keep it so */
        fx_log_info("txindex is enabled at height %u", fx_tx_index_height(indexer->index));
        break;
    case FX_TX_INDEX_FAILED:
        break;
    }
}

struct fx_indexer *fx_indexer_create(struct event_base *base, struct fx_chain *chain,
                                     const char *dir, char **error)
{
    struct fx_indexer *indexer = fx_xcalloc(1, sizeof *indexer);

    indexer->index = fx_tx_index_create(chain, dir, error);
    indexer->next = event_new(base, -1, 0, on_next, indexer);
    if (indexer->index && indexer->next) {
        again(indexer);
        return indexer;
    }
    if (indexer->index)
        *error = fx_xstrdup("the event loop cannot be set up");
    fx_indexer_destroy(indexer);
    return NULL;
}

struct fx_tx_index *fx_indexer_index(const struct fx_indexer *indexer)
{
    return indexer ? indexer->index : NULL;
}

void fx_indexer_destroy(struct fx_indexer *indexer)
{
    if (!indexer)
        return;
    if (indexer->next)
        event_free(indexer->next);
    fx_tx_index_destroy(indexer->index);
    free(indexer);
}
