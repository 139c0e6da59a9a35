/* Changes of task records. */
#include "consensus/records.h"

#include <string.h>

#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"

static struct fx_outpoint origin_of(uint32_t n)
{
    struct fx_outpoint o = {.index = n};

    o.txid.b[0] = (uint8_t)(n * 37);
    return o;
}

FX_TEST(reads_through_to_the_view)
{
    struct world w;
    struct fx_record_delta delta;
    struct fx_task_record record = {.bricks = 4}, got;
    struct fx_outpoint known = origin_of(1), unknown = origin_of(2);

    world_init(&w, 10);
    world_add_record(&w, &known, &record);
    fx_record_delta_init(&delta);
    FX_CHECK_INT(fx_record_delta_get(&delta, &w.view, &known, &got), FX_FOUND);
    FX_CHECK_INT(got.bricks, 4);
    FX_CHECK_INT(fx_record_delta_get(&delta, &w.view, &unknown, &got), FX_MISSING);
    w.record_fails = true;
    FX_CHECK_INT(fx_record_delta_get(&delta, &w.view, &known, &got), FX_LOOKUP_FAILED);
    FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &known, &record), FX_LOOKUP_FAILED);
    FX_CHECK_INT(delta.n, 0);
    fx_record_delta_clear(&delta);
    world_clear(&w);
}

FX_TEST(keeps_what_was_before)
{
    struct world w;
    struct fx_record_delta delta;
    struct fx_task_record record = {.bricks = 4}, got;
    struct fx_outpoint known = origin_of(1), fresh = origin_of(2);

    world_init(&w, 10);
    world_add_record(&w, &known, &record);
    fx_record_delta_init(&delta);
    record.bricks = 5;
    FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &known, &record), FX_FOUND);
    record.bricks = 6;
    FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &known, &record), FX_FOUND);
    FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &fresh, &record), FX_MISSING);
    FX_CHECK_INT(delta.n, 2);
    FX_CHECK(delta.changes[0].had && delta.changes[0].has);
    FX_CHECK_INT(delta.changes[0].before.bricks, 4);
    FX_CHECK_INT(delta.changes[0].after.bricks, 6);
    FX_CHECK(!delta.changes[1].had && delta.changes[1].has);
    FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &known, NULL), FX_FOUND);
    FX_CHECK_INT(fx_record_delta_get(&delta, &w.view, &known, &got), FX_MISSING);
    FX_CHECK(delta.changes[0].had && !delta.changes[0].has);
    FX_CHECK_INT(delta.changes[0].before.bricks, 4);
    fx_record_delta_clear(&delta);
    world_clear(&w);
}

FX_TEST(many_origins_in_any_order)
{
    struct world w;
    struct fx_record_delta delta, copy;
    struct fx_task_record record = {0}, got;

    world_init(&w, 10);
    fx_record_delta_init(&delta);
    for (uint32_t i = 0; i < 1000; i++) {
        struct fx_outpoint origin = origin_of(i * 7919 % 1000);

        record.bricks = i * 7919 % 1000;
        FX_CHECK_INT(fx_record_delta_set(&delta, &w.view, &origin, &record), FX_MISSING);
    }
    FX_CHECK_INT(delta.n, 1000);
    fx_record_delta_copy(&copy, &delta);
    fx_record_delta_clear(&delta);
    for (uint32_t i = 0; i < 1000; i++) {
        struct fx_outpoint origin = origin_of(i);

        FX_CHECK_INT(fx_record_delta_get(&copy, &w.view, &origin, &got), FX_FOUND);
        FX_CHECK_INT(got.bricks, i);
        FX_CHECK_INT(copy.changes[i].after.bricks, i * 7919 % 1000); /* in order of touch */
    }
    FX_CHECK(!fx_record_delta_append(&copy, &copy.changes[3]));
    fx_record_delta_clear(&copy);
    fx_record_delta_copy(&copy, &delta); /* of an empty one */
    FX_CHECK_INT(copy.n, 0);
    fx_record_delta_clear(&copy);
    world_clear(&w);
}
