/* Tests of the block index on disk. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/store/index_db.h"
#include "src/sys/db.h"
#include "src/sys/file.h"

#define N 20

struct found {
    struct fx_index *entries[N];
    size_t n;
};

static bool find(void *ctx, struct fx_index *entry)
{
    struct found *found = ctx;

    FX_CHECK(found->n < N);
    found->entries[found->n++] = entry;
    return true;
}

static void fill(struct fx_index *index, unsigned i)
{
    memset(index, 0, sizeof(*index));
    index->header.version = fx_header_version(i % 2 ? FX_LANE_JOB : FX_LANE_HASH);
    index->header.nonce = i;
    fx_unit_rand_fill(&index->header.prev, 32);
    fx_unit_rand_fill(&index->solver, 32);
    fx_header_id(&index->header, &index->id);
    index->lane = i % 2;
    index->height = i * 1000;
    index->status = FX_INDEX_HAVE_DATA | UINT32_C(1) << 31;
    index->n_txs = i;
    index->size = i + 1;
    index->file = i + 2;
    index->data_pos = UINT64_C(1) << 40 | i;
    index->undo_file = i + 3;
    index->undo_pos = UINT64_C(1) << 41 | i;
    index->undo_size = i + 4;
    index->arrival = UINT64_C(1) << 42 | i;
}

static void check_same(const struct fx_index *a, const struct fx_index *b)
{
    FX_CHECK_MEM(a->id.b, b->id.b, 32);
    FX_CHECK_MEM(a->header.prev.b, b->header.prev.b, 32);
    FX_CHECK_MEM(a->solver.b, b->solver.b, 32);
    FX_CHECK_INT(a->lane, b->lane);
    FX_CHECK_INT(a->height, b->height);
    FX_CHECK_INT(a->status, b->status & FX_INDEX_STORED);
    FX_CHECK_INT(a->n_txs, b->n_txs);
    FX_CHECK_INT(a->size, b->size);
    FX_CHECK_INT(a->file, b->file);
    FX_CHECK_INT(a->data_pos, b->data_pos);
    FX_CHECK_INT(a->undo_file, b->undo_file);
    FX_CHECK_INT(a->undo_pos, b->undo_pos);
    FX_CHECK_INT(a->undo_size, b->undo_size);
    FX_CHECK_INT(a->arrival, b->arrival);
}

FX_TEST(entries_and_ends_come_back)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files_end end = {.block_file = 3, .undo_file = 4, .block_pos = 5, .undo_pos = 6};
    struct fx_files_end got;
    struct fx_index made[N], *entries[N];
    struct found found = {0};
    struct fx_index_db *db = fx_index_db_open(dir, 1 << 20, NULL);
    size_t i, j;

    FX_CHECK(db != NULL);
    FX_CHECK(fx_index_db_read_end(db, &got));
    FX_CHECK_INT(got.block_pos, 0);
    for (i = 0; i < N; i++) {
        fill(&made[i], (unsigned)i);
        entries[i] = &made[i];
    }
    FX_CHECK(fx_index_db_write(db, entries, N, &end, false));
    made[3].status |= FX_INDEX_FAILED;
    FX_CHECK(fx_index_db_write(db, &entries[3], 1, &end, true));
    fx_index_db_close(db);
    db = fx_index_db_open(dir, 1 << 20, NULL);
    FX_CHECK(fx_index_db_read_end(db, &got));
    FX_CHECK_INT(got.block_file, 3);
    FX_CHECK_INT(got.undo_file, 4);
    FX_CHECK_INT(got.block_pos, 5);
    FX_CHECK_INT(got.undo_pos, 6);
    FX_CHECK(fx_index_db_each(db, find, &found));
    FX_CHECK_INT(found.n, N);
    for (i = 0; i < N; i++) {
        for (j = 0; j < N && found.entries[j]->header.nonce != i; j++) {
        }
        FX_CHECK(j < N);
        check_same(found.entries[j], &made[i]);
        free(found.entries[j]);
        found.entries[j] = &made[i];
    }
    fx_index_db_close(db);
}

FX_TEST(marks_come_back)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_index_db *db = fx_index_db_open(dir, 1 << 20, NULL);
    bool partial = true, pruned = true;

    FX_CHECK(fx_index_db_get_partial(db, &partial) && !partial);
    FX_CHECK(fx_index_db_get_pruned(db, &pruned) && !pruned);
    FX_CHECK(fx_index_db_set_partial(db, true));
    FX_CHECK(fx_index_db_set_pruned(db));
    fx_index_db_close(db);
    db = fx_index_db_open(dir, 1 << 20, NULL);
    FX_CHECK(fx_index_db_get_partial(db, &partial) && partial);
    FX_CHECK(fx_index_db_get_pruned(db, &pruned) && pruned);
    FX_CHECK(fx_index_db_set_partial(db, false));
    FX_CHECK(fx_index_db_get_partial(db, &partial) && !partial);
    FX_CHECK(fx_index_db_get_pruned(db, &pruned) && pruned);
    fx_index_db_close(db);
}

FX_TEST(a_damaged_entry_is_refused)
{
    const char *dir = fx_unit_tmpdir();
    uint8_t key[33] = {'b'}, value[20] = {1};
    struct found found = {0};
    struct fx_index_db *index;
    struct fx_db *db = fx_db_open(dir, 1 << 20, NULL);

    FX_CHECK(fx_db_write(db, key, sizeof(key), value, sizeof(value), true));
    fx_db_close(db);
    index = fx_index_db_open(dir, 1 << 20, NULL);
    FX_CHECK(!fx_index_db_each(index, find, &found));
    FX_CHECK_INT(found.n, 0);
    fx_index_db_close(index);
}
