/* Undo data of task spends: each transition, connected in a block and rolled back. The data itself
 * as bytes is in test_connect.c. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/spend_case.h"

#define FAR_FUTURE INT64_C(4000000000) /* every relative lock has passed */

/* A hash-lane block with the spend of the case, and what the rules say of it. */
struct step {
    struct fx_spend_case s;
    struct fx_block *block;
    struct fx_connected connected;
};

static struct fx_block *block_of(struct fx_spend_case *s, const struct fx_tx *tx)
{
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH)};
    struct fx_span no_work = {NULL, 0};
    struct fx_tx *txs[2];
    struct fx_block *block;
    struct fx_txb b;

    fx_txb_init(&b);
    fx_txb_add_in(&b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, &s->height, sizeof(s->height));
    fx_txb_add_out(&b, 0, "\x51", 1);
    txs[0] = fx_txb_build(&b);
    fx_txb_clear(&b);
    txs[1] = fx_tx_ref(tx);
    block = fx_block_make(&s->params, &header, no_work, txs, 2);
    fx_tx_unref(txs[0]);
    fx_tx_unref(txs[1]);
    FX_CHECK(block != NULL);
    return block;
}

static void connect(struct step *step)
{
    struct fx_spend_case *s = &step->s;
    struct fx_connect_context context = {.params = &s->params,
                                         .view = &s->scene.view,
                                         .height = s->height,
                                         .parent_median_time = FAR_FUTURE};
    struct fx_outpoint outpoints[2] = {fx_scene_outpoint(77), s->outpoint};
    struct fx_coin coins[2];
    struct fx_tx *tx = fx_case_build(s, coins);

    for (size_t at = 0; at < 2; at++) {
        fx_scene_add_coin(&s->scene, &outpoints[at], coins[at].value, coins[at].script,
                          coins[at].script_len, coins[at].height);
        fx_coin_clear(&coins[at]);
    }
    step->block = block_of(s, tx);
    fx_tx_unref(tx);
    if (fx_connect_block(&context, step->block, 0x207fffff, &step->connected, &s->why) !=
        FX_VALID) {
        FX_FAIL("refused: %s", fx_verdict_string(s->why));
    }
}

static void end(struct step *step)
{
    fx_connected_clear(&step->connected);
    fx_block_unref(step->block);
    fx_case_end(&step->s);
}

static void set_or_remove(struct fx_scene *scene, const struct fx_outpoint *origin, bool has,
                          const struct fx_task_record *record)
{
    if (has) {
        fx_scene_set_record(scene, origin, record);
        return;
    }
    for (size_t at = 0; at < scene->n_records; at++) {
        if (fx_outpoint_equal(&scene->records[at].origin, origin)) {
            scene->records[at] = scene->records[--scene->n_records];
            return;
        }
    }
}

/* A task that is funded again, with the record that fraud or expire leave it. */
static void fund_again(struct fx_spend_case *s)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record record = {.live = true, .h0 = H0 - 7, .asked = 5, .burn = 3, .bricks = 4};

    s->task.origin = origin;
    s->next.origin = origin;
    s->outpoint = fx_scene_outpoint(4);
    record.outpoint = s->outpoint;
    record.client = s->client.xonly;
    record.solver = s->client.xonly;
    fx_scene_set_record(&s->scene, &origin, &record);
}

/* Undo data goes through its bytes, as it does on disk. */
static void reread(const struct fx_undo *undo, struct fx_undo *again)
{
    struct fx_buf raw = FX_BUF_INIT;
    struct fx_reader r;

    fx_undo_write(undo, &raw);
    fx_reader_init(&r, raw.data, raw.len);
    FX_CHECK(fx_undo_read(&r, again));
    FX_CHECK(fx_reader_done(&r));
    fx_buf_clear(&raw);
}

/* Connects, applies, rolls back: the record (if there was one) and the coins are as before. */
static void there_and_back(struct step *step, bool stays)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record before, after;
    struct fx_scene *scene = &step->s.scene;
    bool had = scene->view.record(scene, &origin, &before) == FX_FOUND;
    const struct fx_record_change *change;
    struct fx_undo undo;

    connect(step);
    reread(&step->connected.undo, &undo);
    FX_CHECK_INT(undo.n_coins, 2);
    FX_CHECK_INT(undo.coins[IN].value, step->s.value);
    FX_CHECK_INT(undo.coins[IN].height, step->s.coin_height);
    FX_CHECK(fx_script_is_task(fx_coin_script(&undo.coins[IN]), NULL));
    FX_CHECK_INT(undo.records.n, had || stays ? 1 : 0);
    if (undo.records.n == 1) {
        change = &undo.records.changes[0];
        FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
        FX_CHECK_INT(change->had, had);
        FX_CHECK_INT(change->has, stays);
        set_or_remove(scene, &origin, change->has, &change->after);
        FX_CHECK_INT(scene->view.record(scene, &origin, &after), stays ? FX_FOUND : FX_MISSING);
        set_or_remove(scene, &origin, change->had, &change->before);
    }
    FX_CHECK_INT(scene->view.record(scene, &origin, &after), had ? FX_FOUND : FX_MISSING);
    FX_CHECK(!had || fx_task_record_equal(&before, &after));
    fx_undo_clear(&undo);
}

FX_TEST(each_transition_and_back)
{
    for (unsigned number = 0; number < FX_CASES; number++) {
        struct step step;

        memset(&step, 0, sizeof(step));
        fx_case_begin_any(&step.s, number);
        there_and_back(&step, number != FX_ACTION_REFUND && number != FX_ACTION_REJECT);
        end(&step);
    }
}

FX_TEST(restored_tasks_and_back)
{
    for (unsigned number = FX_ACTION_REFUND; number <= FX_ACTION_CLAIM; number++) {
        struct step step;

        memset(&step, 0, sizeof(step));
        fx_case_begin_any(&step.s, number);
        fund_again(&step.s);
        there_and_back(&step, number == FX_ACTION_CLAIM);
        end(&step);
    }
}

/* What each transition burns comes out of the reward. */
FX_TEST(burns_of_each_transition)
{
    static const int64_t burned[FX_CASES] = {0,          0,        BURN,   BURN,     BOND / 2, 0,
                                             FX_DEPOSIT, BOND / 2, ESCROW, BOND / 2, BOND / 2};

    for (unsigned number = 0; number < FX_CASES; number++) {
        struct step step;

        memset(&step, 0, sizeof(step));
        fx_case_begin_any(&step.s, number);
        connect(&step);
        FX_CHECK_INT(step.connected.burned, burned[number]);
        FX_CHECK(step.connected.fees >= step.connected.burned);
        end(&step);
    }
}
