/* The state after the tip, as the rules see it. */
#include <stdlib.h>

#include "src/chain/chain_int.h"

static enum fx_lookup view_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    struct fx_chain *chain = ctx;

    return fx_state_coin(chain->state, outpoint, coin);
}

static enum fx_lookup view_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    struct fx_chain *chain = ctx;

    return fx_state_record(chain->state, origin, record);
}

static enum fx_lookup view_settled_at(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                      size_t *n)
{
    struct fx_chain *chain = ctx;

    return fx_state_settled_at(chain->state, height, origins, n);
}

static void fill(const struct fx_index *index, struct fx_ancestor *ancestor)
{
    *ancestor = (struct fx_ancestor){
        .id = index->id,
        .height = index->height,
        .lane = index->lane,
        .time = index->header.time,
        .median_time = index->median_time,
        .solver = index->solver,
    };
}

static enum fx_lookup view_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct fx_chain *chain = ctx;

    if (height > chain->tip->height) {
        return FX_MISSING;
    }
    fill(chain->active[height], ancestor);
    return FX_FOUND;
}

/* The first height above `above` with a block of the hash lane: lane_heights gives the newest one
 * at or below a height, and does not fall, so it can be searched by halves. */
static enum fx_lookup view_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct fx_chain *chain = ctx;
    uint32_t low = above, high = chain->tip->height;

    if (above >= high || chain->lane_heights[high][FX_LANE_HASH] <= above) {
        return FX_MISSING;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (chain->lane_heights[middle][FX_LANE_HASH] > above) {
            high = middle;
        } else {
            low = middle;
        }
    }
    fill(chain->active[high], ancestor);
    return FX_FOUND;
}

void fx_chain_view(struct fx_chain *chain, struct fx_view *view)
{
    *view = (struct fx_view){
        .ctx = chain,
        .coin = view_coin,
        .record = view_record,
        .settled_at = view_settled_at,
        .ancestor = view_ancestor,
        .beacon = view_beacon,
    };
}
