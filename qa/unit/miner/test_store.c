/* The state of tasks on disk. */
#include "src/miner/store.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static struct fx_stored_task some_task(unsigned number)
{
    struct fx_stored_task stored;

    memset(&stored, 0, sizeof stored);
    snprintf(stored.task.origin, sizeof stored.task.origin, "%064x:%u", number, number);
    stored.task.status = FX_MINER_TASK_OPEN;
    stored.task.kind = 1;
    stored.task.m = 384;
    stored.task.n = 256;
    stored.task.k = 768;
    stored.task.escrow = INT64_C(4204800000000000); /* MAX_MONEY, to the ember */
    stored.task.shape = (struct fx_task_shape){1, 0, 2, 2, 3, 4, 12};
    memset(stored.task.root_a.b, (int)number, 32);
    memset(stored.task.root_b.b, (int)number + 1, 32);
    stored.stage = FX_STAGE_CLAIMED;
    stored.blocks = 3;
    memcpy(stored.device, "cuda:0", sizeof "cuda:0");
    memset(stored.solver.b, 5, 32);
    memset(stored.result.b, 6, 32);
    memset(stored.claim.b, 7, 32);
    return stored;
}

FX_TEST(state_comes_back)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_stored_task stored = some_task(1), back, *list;
    char error[FX_KERNEL_TEXT];

    FX_CHECK(fx_store_open(dir, error));
    FX_CHECK(!fx_store_load(dir, stored.task.origin, &back));
    FX_CHECK(fx_store_save(dir, &stored));
    FX_CHECK(fx_store_load(dir, stored.task.origin, &back));
    FX_CHECK_STR(back.task.origin, stored.task.origin);
    FX_CHECK_INT(back.stage, stored.stage);
    FX_CHECK_INT(back.blocks, 3);
    FX_CHECK_STR(back.device, "cuda:0");
    FX_CHECK_INT(back.task.escrow, stored.task.escrow);
    FX_CHECK_INT(back.task.m, 384);
    FX_CHECK_MEM(&back.task.shape, &stored.task.shape, sizeof back.task.shape);
    FX_CHECK(fx_hash_equal(&back.task.root_a, &stored.task.root_a));
    FX_CHECK(fx_hash_equal(&back.task.root_b, &stored.task.root_b));
    FX_CHECK(fx_hash_equal(&back.solver, &stored.solver));
    FX_CHECK(fx_hash_equal(&back.result, &stored.result));
    FX_CHECK(fx_hash_equal(&back.claim, &stored.claim));
    stored = some_task(2);
    stored.stage = FX_STAGE_WORK;
    FX_CHECK(fx_store_save(dir, &stored));
    FX_CHECK_INT(fx_store_list(dir, &list), 2);
    free(list);
    fx_store_remove(dir, stored.task.origin);
    FX_CHECK_INT(fx_store_list(dir, &list), 1);
    FX_CHECK_INT(list[0].stage, FX_STAGE_CLAIMED);
    free(list);
}

FX_TEST(damaged_state_is_no_state)
{
    static const char *const texts[] = {
        "", "{", "[]", "{\"version\":2}", "{\"version\":1,\"stage\":\"work\"}",
    };
    const char *dir = fx_unit_tmpdir();
    struct fx_stored_task stored = some_task(1), back, *list = NULL;
    char error[FX_KERNEL_TEXT], *path;

    FX_CHECK(fx_store_open(dir, error));
    FX_CHECK(fx_store_save(dir, &stored));
    path = fx_store_path(dir, stored.task.origin, "state.json");
    for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++) {
        FX_CHECK(fx_file_write(path, texts[at], strlen(texts[at]), 0600));
        FX_CHECK(!fx_store_load(dir, stored.task.origin, &back));
        FX_CHECK_INT(fx_store_list(dir, &list), 0);
        free(list);
        list = NULL;
    }
    free(path);
}

FX_TEST(one_miner_a_directory)
{
    const char *dir = fx_unit_tmpdir();
    char error[FX_KERNEL_TEXT] = "";

    FX_CHECK(fx_store_open(dir, error));
    FX_CHECK(!fx_store_open(dir, error));
    FX_CHECK(strstr(error, "another fornax-miner") != NULL);
    FX_CHECK(!fx_store_open("/dev/null/x", error));
    FX_CHECK(strstr(error, "cannot make") != NULL);
}

/* A and B of one root share their file: a panel that one has fetched, the other has. */
FX_TEST(operands_share_files)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_stored_task stored = some_task(1);
    const struct fx_miner_task *kept[1] = {&stored.task};
    struct fx_operands operands;
    char error[FX_KERNEL_TEXT];
    enum fx_side side;
    uint32_t panel;
    int8_t *data = fx_xmalloc((size_t)3 * FX_BLOCK_BYTES), block[FX_BLOCK_BYTES];

    stored.task.m = stored.task.n = 384;
    stored.task.root_b = stored.task.root_a;
    FX_CHECK(fx_store_open(dir, error));
    for (unsigned round = 0; round < 2; round++) {
        unsigned fetched = 0;

        FX_CHECK(fx_operands_open(&operands, dir, &stored.task));
        while (fx_operands_missing(&operands, &side, &panel)) {
            memset(data, (int)panel, (size_t)3 * FX_BLOCK_BYTES);
            FX_CHECK(fx_pieces_put(&operands.side[side], panel, data));
            fetched++;
        }
        /* A reads panels 1 and 2, B 0 and 1: three of one file; none the second time. */
        FX_CHECK_INT(fetched, round == 0 ? 3 : 0);
        FX_CHECK(fx_operands_read(&operands, FX_SIDE_B, 1, 2, 1, block));
        FX_CHECK_INT(block[77], 1);
        FX_CHECK(!fx_operands_read(&operands, FX_SIDE_B, 3, 0, 1, block));
        FX_CHECK(!fx_operands_read(&operands, FX_SIDE_B, 1, 3, 1, block));
        fx_operands_close(&operands);
    }
    fx_operands_sweep(dir, kept, 1);
    FX_CHECK(fx_operands_open(&operands, dir, &stored.task));
    FX_CHECK(!fx_operands_missing(&operands, &side, &panel));
    fx_operands_close(&operands);
    fx_operands_sweep(dir, kept, 0);
    FX_CHECK(fx_operands_open(&operands, dir, &stored.task));
    FX_CHECK(fx_operands_missing(&operands, &side, &panel));
    fx_operands_close(&operands);
    free(data);
}
