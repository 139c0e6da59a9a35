/* Tests of the transaction index: built from blocks, moved by events, there again after a restart.
 */
#include "src/chain/txindex.h"

#include <stdio.h>
#include <stdlib.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"
#include "src/sys/db.h"

#define BIG_CACHE ((size_t)16 << 20)

struct bed {
    struct kit kit;
    const char *kit_dir;
    char dir[400];
    struct fx_tx_index *index;
};

static void open_index(struct bed *bed)
{
    char *error;

    bed->index = fx_tx_index_create(bed->kit.chain, bed->dir, &error);
    FX_CHECK(bed->index != NULL);
}

static void bed_open(struct bed *bed)
{
    bed->kit_dir = fx_unit_tmpdir();
    kit_open(&bed->kit, bed->kit_dir, BIG_CACHE);
    snprintf(bed->dir, sizeof(bed->dir), "%s/txindex", bed->kit_dir);
    bed->index = NULL;
}

static void bed_close(struct bed *bed)
{
    fx_tx_index_destroy(bed->index);
    kit_close(&bed->kit);
}

static struct fx_hash coinbase_of(struct bed *bed, const struct fx_index *at)
{
    struct fx_block *block = fx_chain_read_block(bed->kit.chain, at);
    struct fx_hash txid;

    FX_CHECK(block != NULL);
    txid = block->txs[0]->txid;
    fx_block_unref(block);
    return txid;
}

/* The index says of the coinbase of this block that it is there, or that it is nowhere. */
static void expect(struct bed *bed, const struct fx_index *at, bool there)
{
    const struct fx_index *block = NULL;
    struct fx_hash txid = coinbase_of(bed, at);
    enum fx_lookup found = fx_tx_index_find(bed->index, &txid, &block);

    FX_CHECK_INT(found, there ? FX_FOUND : FX_MISSING);
    FX_CHECK(!there || block == at);
}

static void write_mark(struct bed *bed, const struct fx_hash *mark, size_t n)
{
    const uint8_t key = 'B';
    struct fx_db *db = fx_db_open(bed->dir, 1 << 20, NULL);

    FX_CHECK(fx_db_write(db, &key, 1, mark, n, true));
    fx_db_close(db);
}

static void catch_up(struct bed *bed)
{
    enum fx_tx_index_step step;

    while ((step = fx_tx_index_step(bed->index, 1)) == FX_TX_INDEX_MORE) {
    }
    FX_CHECK_INT(step, FX_TX_INDEX_SYNCED);
    FX_CHECK(fx_tx_index_is_synced(bed->index));
}

FX_TEST(blocks_of_before_are_indexed_by_steps_and_new_ones_by_events)
{
    const struct fx_index *old, *fresh;
    struct bed bed;

    bed_open(&bed);
    old = kit_mine_empty(&bed.kit, 30);
    open_index(&bed);
    FX_CHECK(!fx_tx_index_is_synced(bed.index));
    FX_CHECK_INT(fx_tx_index_height(bed.index), 0);
    expect(&bed, old, false);
    /* What comes while it is behind waits for its turn. */
    fresh = kit_mine_empty(&bed.kit, 1);
    expect(&bed, fresh, false);
    FX_CHECK_INT(fx_tx_index_step(bed.index, 0), FX_TX_INDEX_MORE);
    FX_CHECK_INT(fx_tx_index_height(bed.index), 1);
    catch_up(&bed);
    expect(&bed, old, true);
    expect(&bed, fresh, true);
    fresh = kit_mine_empty(&bed.kit, 2);
    FX_CHECK(fx_tx_index_is_synced(bed.index));
    expect(&bed, fresh, true);
    expect(&bed, fresh->parent, true);
    expect(&bed, fx_chain_genesis(bed.kit.chain), false);
    bed_close(&bed);
}

FX_TEST(a_block_off_the_best_chain_is_not_told_of)
{
    const struct fx_index *fork, *lost, *won;
    struct bed bed;

    bed_open(&bed);
    open_index(&bed);
    catch_up(&bed);
    fork = kit_mine_empty(&bed.kit, 5);
    lost = kit_mine_empty(&bed.kit, 2);
    FX_CHECK(fx_chain_invalidate(bed.kit.chain, lost->parent));
    FX_CHECK(fx_chain_tip(bed.kit.chain) == fork);
    expect(&bed, lost, false);
    expect(&bed, lost->parent, false);
    expect(&bed, fork, true);
    won = kit_mine(&bed.kit, &(struct kit_block){.value = -1, .salt = 9});
    expect(&bed, won, true);
    FX_CHECK(fx_tx_index_is_synced(bed.index));
    bed_close(&bed);
}

FX_TEST(it_goes_on_where_it_was)
{
    const struct fx_index *fork, *lost, *won;
    struct bed bed;

    bed_open(&bed);
    open_index(&bed);
    catch_up(&bed);
    fork = kit_mine_empty(&bed.kit, 5);
    lost = kit_mine_empty(&bed.kit, 3);
    fx_tx_index_destroy(bed.index);
    kit_reopen(&bed.kit, bed.kit_dir, BIG_CACHE);
    open_index(&bed);
    FX_CHECK(fx_tx_index_is_synced(bed.index));
    fx_tx_index_destroy(bed.index);
    bed.index = NULL;
    /* The chain changes branches while the index is not there. */
    kit_reopen(&bed.kit, bed.kit_dir, BIG_CACHE);
    lost = fx_chain_tip(bed.kit.chain);
    fork = fx_index_ancestor(lost, 5);
    FX_CHECK(fx_chain_invalidate(bed.kit.chain, fx_index_ancestor(lost, 6)));
    won = kit_mine(&bed.kit, &(struct kit_block){.value = -1, .salt = 9});
    open_index(&bed);
    FX_CHECK(!fx_tx_index_is_synced(bed.index));
    FX_CHECK_INT(fx_tx_index_height(bed.index), 5);
    catch_up(&bed);
    expect(&bed, lost, false);
    expect(&bed, fork, true);
    expect(&bed, won, true);
    bed_close(&bed);
}

/* What a power cut took from the chain is not in it; the mark's second block is. */
FX_TEST(a_mark_of_a_block_that_was_lost_leads_back_to_an_ancestor)
{
    struct fx_hash mark[2] = {{.b = {1}}};
    const struct fx_index *tip;
    struct bed bed;

    bed_open(&bed);
    tip = kit_mine_empty(&bed.kit, 6);
    mark[1] = fx_index_ancestor(tip, 4)->id;
    write_mark(&bed, mark, sizeof(mark));
    open_index(&bed);
    FX_CHECK_INT(fx_tx_index_height(bed.index), 4);
    catch_up(&bed);
    expect(&bed, tip, true);
    bed_close(&bed);
}

/* A mark of blocks that the chain does not know: it is of another chain. */
FX_TEST(an_index_of_another_chain_is_made_anew)
{
    const struct fx_hash strange[2] = {{.b = {1}}, {.b = {2}}};
    const struct fx_index *tip;
    struct bed bed;

    bed_open(&bed);
    tip = kit_mine_empty(&bed.kit, 3);
    write_mark(&bed, strange, sizeof(strange));
    open_index(&bed);
    FX_CHECK_INT(fx_tx_index_height(bed.index), 0);
    catch_up(&bed);
    expect(&bed, tip, true);
    bed_close(&bed);
}
