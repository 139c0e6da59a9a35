/* A made-up chain for tests. */
#include "qa/unit/consensus/scene.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"

static enum fx_lookup find_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    const struct fx_scene *scene = ctx;

    if (scene->fail_coin) {
        return FX_LOOKUP_FAILED;
    }
    for (size_t at = 0; at < scene->n_coins; at++) {
        if (fx_outpoint_equal(&scene->coins[at].outpoint, outpoint)) {
            fx_coin_copy(coin, &scene->coins[at].coin);
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

static enum fx_lookup find_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    const struct fx_scene *scene = ctx;

    if (scene->fail_record) {
        return FX_LOOKUP_FAILED;
    }
    for (size_t at = 0; at < scene->n_records; at++) {
        if (fx_outpoint_equal(&scene->records[at].origin, origin)) {
            *record = scene->records[at].record;
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

static enum fx_lookup find_settled(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                   size_t *n)
{
    const struct fx_scene *scene = ctx;

    *n = 0;
    *origins = fx_xcalloc(scene->n_records + 1, sizeof(**origins));
    for (size_t at = 0; at < scene->n_records; at++) {
        if (scene->records[at].record.settled == height) {
            (*origins)[(*n)++] = scene->records[at].origin;
        }
    }
    return FX_FOUND;
}

static void fill_ancestor(const struct fx_scene *scene, uint32_t height,
                          struct fx_ancestor *ancestor)
{
    memset(ancestor, 0, sizeof(*ancestor));
    fx_scene_id(height, &ancestor->id);
    ancestor->height = height;
    ancestor->lane = scene->lane[height];
    ancestor->solver = scene->solver[height];
}

static enum fx_lookup find_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct fx_scene *scene = ctx;

    if (scene->fail_ancestor) {
        return FX_LOOKUP_FAILED;
    }
    if (height > scene->tip) {
        return FX_MISSING;
    }
    fill_ancestor(scene, height, ancestor);
    return FX_FOUND;
}

static enum fx_lookup find_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct fx_scene *scene = ctx;

    if (scene->fail_beacon) {
        return FX_LOOKUP_FAILED;
    }
    for (uint32_t height = above + 1; height <= scene->tip; height++) {
        if (scene->lane[height] == FX_LANE_HASH) {
            fill_ancestor(scene, height, ancestor);
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

void fx_scene_init(struct fx_scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->view.ctx = scene;
    scene->view.coin = find_coin;
    scene->view.record = find_record;
    scene->view.settled_at = find_settled;
    scene->view.ancestor = find_ancestor;
    scene->view.beacon = find_beacon;
    scene->tip = 1000;
    scene->records = fx_xcalloc(FX_SCENE_ITEMS, sizeof(*scene->records));
}

void fx_scene_clear(struct fx_scene *scene)
{
    for (size_t at = 0; at < scene->n_coins; at++) {
        fx_coin_clear(&scene->coins[at].coin);
    }
    free(scene->records);
    memset(scene, 0, sizeof(*scene));
}

void fx_scene_add_coin(struct fx_scene *scene, const struct fx_outpoint *outpoint, int64_t value,
                       const void *script, size_t n, uint32_t height)
{
    struct fx_txout out = {.value = value, .script = {script, n}};

    FX_CHECK(scene->n_coins < sizeof(scene->coins) / sizeof(*scene->coins));
    scene->coins[scene->n_coins].outpoint = *outpoint;
    fx_coin_set(&scene->coins[scene->n_coins].coin, &out, height, false);
    scene->n_coins++;
}

void fx_scene_set_record(struct fx_scene *scene, const struct fx_outpoint *origin,
                         const struct fx_task_record *record)
{
    size_t at = 0;

    while (at < scene->n_records && !fx_outpoint_equal(&scene->records[at].origin, origin)) {
        at++;
    }
    if (at == scene->n_records) {
        FX_CHECK(at < FX_SCENE_ITEMS);
        scene->n_records++;
    }
    scene->records[at].origin = *origin;
    scene->records[at].record = *record;
}

void fx_scene_id(uint32_t height, struct fx_hash *id)
{
    fx_tagged_hash("test/block", &height, sizeof(height), id->b);
}

struct fx_outpoint fx_scene_outpoint(unsigned number)
{
    struct fx_outpoint outpoint;

    fx_tagged_hash("test/outpoint", &number, sizeof(number), outpoint.txid.b);
    outpoint.index = number;
    return outpoint;
}
