/* Tests of the database wrapper. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/db.h"
#include "src/sys/file.h"

static struct fx_db *open_db(const char *dir, const char *name)
{
    char *path = fx_path_join(dir, name);
    struct fx_db *db = fx_db_open(path, 1 << 20, NULL);

    FX_CHECK(db != NULL);
    free(path);
    return db;
}

static void expect(struct fx_db *db, const char *key, const char *value)
{
    uint8_t *got;
    size_t n;

    if (value == NULL) {
        FX_CHECK_INT(fx_db_read(db, key, strlen(key), &got, &n), FX_DB_ABSENT);
        return;
    }
    FX_CHECK_INT(fx_db_read(db, key, strlen(key), &got, &n), FX_DB_FOUND);
    FX_CHECK_INT(n, strlen(value));
    FX_CHECK_MEM(got, value, n);
    free(got);
}

FX_TEST(write_read_delete_survive_reopening)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_db *db = open_db(dir, "deep/db");

    FX_CHECK(fx_db_write(db, "a", 1, "one", 3, false));
    FX_CHECK(fx_db_write(db, "b", 1, "", 0, true));
    FX_CHECK(fx_db_write(db, "c", 1, "three", 5, false));
    FX_CHECK(fx_db_delete(db, "c", 1, false));
    fx_db_close(db);
    db = open_db(dir, "deep/db");
    expect(db, "a", "one");
    expect(db, "b", "");
    expect(db, "c", NULL);
    fx_db_close(db);
}

FX_TEST(batch_is_applied_or_dropped)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_db *db = open_db(dir, "db");
    struct fx_db_batch *batch = fx_db_batch_create();

    FX_CHECK(fx_db_write(db, "old", 3, "x", 1, false));
    fx_db_batch_put(batch, "k", 1, "v", 1);
    fx_db_batch_delete(batch, "old", 3);
    FX_CHECK(fx_db_batch_bytes(batch) >= 5);
    fx_db_batch_destroy(batch);
    expect(db, "k", NULL);
    expect(db, "old", "x");
    batch = fx_db_batch_create();
    fx_db_batch_put(batch, "k", 1, "v", 1);
    fx_db_batch_delete(batch, "old", 3);
    FX_CHECK(fx_db_batch_write(db, batch, true));
    expect(db, "k", "v");
    expect(db, "old", NULL);
    fx_db_close(db);
}

FX_TEST(iterates_a_prefix_in_order)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_db *db = open_db(dir, "db");
    const char *keys[] = {"b2", "a", "b10", "c", "b1", "b\xff"};
    const char *want[] = {"b1", "b10", "b2", "b\xff"};
    const uint8_t *key, *value;
    struct fx_db_iter *it;
    size_t key_len, n, i;

    for (i = 0; i < 6; i++) {
        FX_CHECK(fx_db_write(db, keys[i], strlen(keys[i]), keys[i], strlen(keys[i]), false));
    }
    it = fx_db_iter_create(db, "b", 1);
    for (i = 0; i < 4; i++) {
        FX_CHECK(fx_db_iter_next(it, &key, &key_len, &value, &n));
        FX_CHECK_INT(key_len, strlen(want[i]));
        FX_CHECK_MEM(key, want[i], key_len);
        FX_CHECK_INT(n, key_len);
        FX_CHECK_MEM(value, want[i], n);
    }
    FX_CHECK(!fx_db_iter_next(it, &key, &key_len, &value, &n));
    FX_CHECK(!fx_db_iter_failed(it));
    fx_db_iter_destroy(it);
    it = fx_db_iter_create(db, "", 0);
    for (i = 0; fx_db_iter_next(it, &key, &key_len, &value, &n); i++) {
    }
    FX_CHECK_INT(i, 6);
    fx_db_iter_destroy(it);
    fx_db_close(db);
}

FX_TEST(a_locked_database_is_refused)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_db *db = open_db(dir, "db");
    char *path = fx_path_join(dir, "db"), *error = NULL;

    FX_CHECK(fx_db_open(path, 1 << 20, &error) == NULL);
    FX_CHECK(error != NULL && error[0] != '\0');
    free(error);
    free(path);
    fx_db_close(db);
}
