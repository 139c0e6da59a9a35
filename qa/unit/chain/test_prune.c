/* Tests of pruning: what may go, what stays, and what is known of it after a restart. */
#include <stdlib.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"
#include "src/store/files.h"

#define BIG_CACHE ((size_t)16 << 20)
/* Automatic pruning leaves room for 17 MiB that come before it looks again. */
#define ROOM (UINT64_C(17) << 20)
#define KEPT_BYTES (UINT64_C(200) << 10)
/* A file of an empty block's size is full long before so many. */
#define FILE_BLOCKS 500

static bool has_data(const struct kit *kit, uint32_t height)
{
    return (fx_chain_at(kit->chain, height)->status & FX_INDEX_HAVE_DATA) != 0;
}

/* Blocks of the best chain are here from some height on, and all of them are that must be. */
static void check_prefix(const struct kit *kit)
{
    uint32_t tip = fx_chain_tip(kit->chain)->height, height = 1;
    int64_t pruned = fx_chain_pruned_height(kit->chain);

    for (; height <= tip; height++) {
        FX_CHECK_INT(has_data(kit, height), (int64_t)height > pruned);
    }
    FX_CHECK(pruned <= (int64_t)tip - FX_PRUNE_KEEP);
}

static void open_pruned(struct kit *kit, const char *dir, uint64_t prune)
{
    kit_open(kit, dir, BIG_CACHE);
    kit->prune = prune;
    kit_reopen(kit, dir, BIG_CACHE);
}

FX_TEST(files_stay_below_the_size_that_is_asked_for)
{
    const char *dir = fx_unit_tmpdir();
    struct kit kit;
    int64_t pruned;

    open_pruned(&kit, dir, ROOM + KEPT_BYTES);
    FX_CHECK_INT(fx_chain_prune_target(kit.chain), ROOM + KEPT_BYTES);
    while (fx_chain_pruned_height(kit.chain) < 0 && fx_chain_tip(kit.chain)->height < 3000) {
        FX_CHECK(fx_chain_disk_usage(kit.chain) < KEPT_BYTES + 2 * FX_FILES_ROLL_FAST);
        kit_mine_empty(&kit, 1);
    }
    pruned = fx_chain_pruned_height(kit.chain);
    FX_CHECK(pruned > 0);
    check_prefix(&kit);
    kit_mine_empty(&kit, 2 * FILE_BLOCKS);
    FX_CHECK(fx_chain_pruned_height(kit.chain) > pruned);
    FX_CHECK(fx_chain_disk_usage(kit.chain) < KEPT_BYTES + 2 * FX_FILES_ROLL_FAST);
    check_prefix(&kit);
    kit_close(&kit);
}

FX_TEST(pruned_blocks_stay_known)
{
    const char *dir = fx_unit_tmpdir();
    const struct fx_index *tip;
    struct fx_txoutset before, after;
    struct kit kit;
    int64_t pruned;

    open_pruned(&kit, dir, FX_PRUNE_MANUAL);
    tip = kit_mine_empty(&kit, FX_PRUNE_KEEP + FILE_BLOCKS);
    FX_CHECK(fx_chain_prune(kit.chain, UINT32_MAX));
    pruned = fx_chain_pruned_height(kit.chain);
    FX_CHECK(pruned > 0);
    check_prefix(&kit);
    FX_CHECK((fx_chain_at(kit.chain, 1)->status & FX_INDEX_PRUNED) != 0);
    FX_CHECK(fx_chain_read_block(kit.chain, fx_chain_at(kit.chain, 1)) == NULL);
    before = kit_set(&kit);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, FX_PRUNE_KEEP + FILE_BLOCKS);
    FX_CHECK_INT(fx_chain_pruned_height(kit.chain), pruned);
    after = kit_set(&kit);
    kit_check_same_set(&before, &after);
    /* As far back as a block can go, and on again. */
    tip = fx_chain_tip(kit.chain);
    FX_CHECK(
        fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, tip->height - FX_PRUNE_KEEP + 1)));
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, tip->height - FX_PRUNE_KEEP);
    FX_CHECK(fx_chain_reconsider(kit.chain, tip));
    FX_CHECK(fx_chain_tip(kit.chain) == tip);
    kit_close(&kit);
}

static uint32_t needed;

static uint32_t needs_from(void *ctx)
{
    (void)ctx;
    return needed;
}

FX_TEST(what_a_listener_has_not_read_stays)
{
    const struct fx_chain_events events = {.needs_from = needs_from};
    const char *dir = fx_unit_tmpdir();
    struct kit kit;

    open_pruned(&kit, dir, FX_PRUNE_MANUAL);
    fx_chain_subscribe(kit.chain, &events);
    kit_mine_empty(&kit, FX_PRUNE_KEEP + FILE_BLOCKS);
    needed = 3;
    FX_CHECK(fx_chain_prune(kit.chain, UINT32_MAX));
    FX_CHECK_INT(fx_chain_pruned_height(kit.chain), -1);
    needed = UINT32_MAX;
    FX_CHECK(fx_chain_prune(kit.chain, 2)); /* no file ends there */
    FX_CHECK_INT(fx_chain_pruned_height(kit.chain), -1);
    FX_CHECK(fx_chain_prune(kit.chain, UINT32_MAX));
    FX_CHECK(fx_chain_pruned_height(kit.chain) > 0);
    kit_close(&kit);
}

/* A branch that lost is forgotten with its file: it can win only if it is fetched again. */
FX_TEST(a_pruned_branch_cannot_win_before_it_is_here_again)
{
    const char *dir = fx_unit_tmpdir();
    struct kit_block spec = {.value = -1, .salt = 7};
    const struct fx_index *side, *tip;
    struct fx_block *block;
    struct kit kit;

    open_pruned(&kit, dir, FX_PRUNE_MANUAL);
    spec.parent = kit_mine_empty(&kit, 2);
    block = kit_make(&kit, &spec);
    kit_mine_empty(&kit, 1);
    side = kit_accept(&kit, block);
    tip = kit_mine_empty(&kit, FX_PRUNE_KEEP + FILE_BLOCKS);
    FX_CHECK(fx_chain_prune(kit.chain, UINT32_MAX));
    FX_CHECK_INT(side->status & (FX_INDEX_HAVE_DATA | FX_INDEX_PRUNED), FX_INDEX_PRUNED);
    FX_CHECK(side->arrival == 0);
    FX_CHECK(fx_chain_at(kit.chain, 3)->arrival != 0);
    FX_CHECK(kit_accept(&kit, block) == side);
    FX_CHECK_INT(side->status & (FX_INDEX_HAVE_DATA | FX_INDEX_PRUNED), FX_INDEX_HAVE_DATA);
    FX_CHECK(side->arrival != 0);
    FX_CHECK(fx_chain_tip(kit.chain) == tip);
    fx_block_unref(block);
    kit_close(&kit);
}
