/* Tests of the chain when its files are damaged or cannot be written, and of threads. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"

#define BIG_CACHE ((size_t)16 << 20)

static void flip(const char *dir, const char *name, uint64_t at)
{
    char path[400];
    uint8_t byte;
    int fd;

    snprintf(path, sizeof(path), "%s/blocks/%s", dir, name);
    fd = open(path, O_RDWR);
    FX_CHECK(fd >= 0);
    FX_CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
    byte ^= 0x10;
    FX_CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
    close(fd);
}

/* A block of a side branch rots on disk; when the branch wins it is found out, and the block is
 * taken again. */
FX_TEST(a_damaged_block_is_fetched_again)
{
    const char *dir = fx_unit_tmpdir();
    const struct fx_index *fork, *side[3], *main_tip;
    struct fx_block *blocks[3];
    struct kit kit;
    unsigned i;

    kit_open(&kit, dir, BIG_CACHE);
    fork = kit_mine_empty(&kit, 5);
    main_tip = kit_mine_empty(&kit, 2);
    for (i = 0; i < 3; i++) {
        struct kit_block spec = {.value = -1, .salt = 3, .parent = i == 0 ? fork : side[i - 1]};

        blocks[i] = kit_make(&kit, &spec);
        if (i == 2) {
            flip(dir, "blk00000.dat", side[1]->data_pos + FX_HEADER_SIZE + 40);
        }
        side[i] = kit_accept(&kit, blocks[i]);
    }
    FX_CHECK(fx_chain_tip(kit.chain) == main_tip);
    FX_CHECK_INT(side[1]->status & FX_INDEX_HAVE_DATA, 0);
    FX_CHECK_INT(side[1]->status & FX_INDEX_FAILED, 0);
    FX_CHECK(side[2]->arrival == 0);
    FX_CHECK(fx_chain_best_header(kit.chain) == side[2]);
    FX_CHECK(fx_chain_read_block(kit.chain, side[1]) == NULL);
    kit_accept(&kit, blocks[1]);
    FX_CHECK(fx_chain_tip(kit.chain) == side[2]);
    for (i = 0; i < 3; i++) {
        fx_block_unref(blocks[i]);
    }
    kit_close(&kit);
}

FX_TEST(damaged_undo_data_stops_the_chain)
{
    const char *dir = fx_unit_tmpdir();
    struct kit_block spec = {.value = -1};
    const struct fx_index *tip;
    struct fx_block *block;
    struct fx_undo undo;
    enum fx_verdict why;
    struct kit kit;

    kit_open(&kit, dir, BIG_CACHE);
    tip = kit_mine_empty(&kit, 5);
    block = kit_make(&kit, &spec);
    FX_CHECK(fx_chain_read_undo(kit.chain, tip, &undo));
    fx_undo_clear(&undo);
    flip(dir, "rev00000.dat", tip->undo_pos);
    FX_CHECK(!fx_chain_read_undo(kit.chain, tip, &undo));
    FX_CHECK(!fx_chain_invalidate(kit.chain, tip));
    FX_CHECK(fx_chain_fatal(kit.chain) != NULL);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, block, NULL, &why), FX_FAILED);
    FX_CHECK(!fx_chain_flush(kit.chain));
    fx_block_unref(block);
    kit_close(&kit);
}

FX_TEST(a_full_disk_stops_the_chain_and_loses_nothing)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_block *block = NULL;
    enum fx_result result = FX_VALID;
    struct rlimit limit, small;
    enum fx_verdict why;
    struct fx_hash last = {{0}};
    struct kit kit;
    unsigned n;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 20);
    /* A limit on the size of files stands in for the end of the disk. */
    signal(SIGXFSZ, SIG_IGN);
    FX_CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = limit;
    small.rlim_cur = 20000;
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (n = 0; n < 1000 && result == FX_VALID; n++) {
        struct kit_block spec = {.value = -1};

        block = kit_make(&kit, &spec);
        result = fx_chain_accept_block(kit.chain, block, NULL, &why);
        if (result == FX_VALID) {
            last = block->id;
            fx_block_unref(block);
        }
    }
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    signal(SIGXFSZ, SIG_DFL);
    FX_CHECK_INT(result, FX_FAILED);
    FX_CHECK(n > 2);
    FX_CHECK(fx_chain_fatal(kit.chain) != NULL);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, last.b, 32);
    kit_accept(&kit, block);
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, block->id.b, 32);
    fx_block_unref(block);
    kit_close(&kit);
}

FX_TEST(scripts_run_on_threads)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_block *block;
    enum fx_verdict why;
    struct fx_pool *pool = fx_pool_create(3);
    struct kit kit;
    unsigned bad, i;

    kit_open(&kit, dir, BIG_CACHE);
    kit.pool = pool;
    kit_reopen(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 120);
    for (bad = 0; bad <= KIT_TX_MAX; bad++) {
        struct kit_block spec = {.value = -1, .n_txs = KIT_TX_MAX, .salt = bad};

        for (i = 0; i < KIT_TX_MAX; i++) {
            struct kit_coin coin = kit_coinbase(&kit, i + 1);

            /* A signature that commits to another amount. */
            coin.value -= i == bad;
            spec.txs[i] = kit_pay(&kit, &coin, 1, 1000);
        }
        block = kit_make(&kit, &spec);
        if (bad < KIT_TX_MAX) {
            FX_CHECK_INT(fx_chain_accept_block(kit.chain, block, NULL, &why), FX_INVALID);
            FX_CHECK_INT(why, FX_SCRIPT_VERIFY_SCHNORR_SIG);
            FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 120);
        } else {
            kit_accept(&kit, block);
            FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 121);
        }
        fx_block_unref(block);
    }
    kit_close(&kit);
    fx_pool_destroy(pool);
}
