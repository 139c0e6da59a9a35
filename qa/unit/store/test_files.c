/* Tests of the block and undo files: what is written is read, what is torn is seen. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/store/files.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static const uint8_t magic[4] = {1, 2, 3, 4};

static struct fx_files *open_files(const char *dir, uint64_t roll)
{
    char *error = NULL;
    struct fx_files *files = fx_files_open(dir, magic, roll, &error);

    FX_CHECK(files != NULL);
    return files;
}

/* In place of libc's: every sync is counted, those of the database's thread as well. */
static _Atomic unsigned n_syncs;

int fdatasync(int fd)
{
    n_syncs++;
    return fsync(fd);
}

static void flip(const char *dir, const char *name, off_t at)
{
    char *path = fx_path_join(dir, name);
    int fd = open(path, O_RDWR);
    uint8_t byte;

    FX_CHECK(fd >= 0);
    FX_CHECK(pread(fd, &byte, 1, at) == 1);
    byte ^= 0x40;
    FX_CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
    free(path);
}

static void cut(const char *dir, const char *name, off_t size)
{
    char *path = fx_path_join(dir, name);

    FX_CHECK(truncate(path, size) == 0);
    free(path);
}

struct written {
    uint32_t file, size;
    uint64_t pos;
    uint8_t fill;
};

/* More than any file that is rolled over, less than the longest that a block can have. */
FX_TEST(undo_data_may_be_much_longer_than_a_block)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, FX_FILES_ROLL);
    const size_t size = (64u << 20) + 1;
    uint8_t *undo = fx_xcalloc(size, 1), *data;
    struct fx_hash id = {{7}};
    uint32_t file;
    uint64_t pos;

    undo[size - 1] = 5;
    FX_CHECK(fx_files_write_undo(files, &id, (struct fx_span){undo, size}, &file, &pos));
    FX_CHECK_INT(fx_files_read_undo(files, &id, file, pos, (uint32_t)size, &data), FX_FILES_OK);
    FX_CHECK(memcmp(data, undo, size) == 0);
    free(data);
    free(undo);
    fx_files_close(files);
}

FX_TEST(records_roll_over_and_come_back)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, 5000);
    struct fx_hash id = {{7}};
    struct written blocks[100], undos[100];
    uint8_t payload[3000], *data;
    struct fx_files_end end;
    char *path;
    unsigned i;

    for (i = 0; i < 100; i++) {
        blocks[i].size = (uint32_t)fx_unit_rand_below(sizeof(payload)) + 1;
        undos[i].size = (uint32_t)fx_unit_rand_below(sizeof(payload));
        blocks[i].fill = (uint8_t)i;
        undos[i].fill = (uint8_t)(100 + i);
        memset(payload, blocks[i].fill, sizeof(payload));
        FX_CHECK(fx_files_write_block(files, (struct fx_span){payload, blocks[i].size},
                                      &blocks[i].file, &blocks[i].pos));
        memset(payload, undos[i].fill, sizeof(payload));
        FX_CHECK(fx_files_write_undo(files, &id, (struct fx_span){payload, undos[i].size},
                                     &undos[i].file, &undos[i].pos));
    }
    FX_CHECK(fx_files_sync(files));
    FX_CHECK(blocks[99].file > 10);
    fx_files_get_end(files, &end);
    fx_files_close(files);
    path = fx_path_join(dir, "blk00003.dat");
    FX_CHECK(fx_path_exists(path));
    free(path);
    files = open_files(dir, 5000);
    fx_files_set_end(files, &end);
    for (i = 0; i < 100; i++) {
        FX_CHECK_INT(
            fx_files_read_block(files, blocks[i].file, blocks[i].pos, blocks[i].size, &data),
            FX_FILES_OK);
        FX_CHECK(data[0] == i && data[blocks[i].size - 1] == i);
        free(data);
        FX_CHECK_INT(
            fx_files_read_undo(files, &id, undos[i].file, undos[i].pos, undos[i].size, &data),
            FX_FILES_OK);
        FX_CHECK(undos[i].size == 0 || data[undos[i].size - 1] == 100 + i);
        free(data);
    }
    fx_files_close(files);
}

/* A file ends before the record that would make it as large as the limit; one larger than that has
 * a file of its own. */
FX_TEST(files_stay_below_the_limit)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, 1000);
    static const struct {
        uint32_t size, file;
    } wanted[] = {{491, 0}, {492, 0}, {1, 1}, {5000, 2}, {10, 3}, {973, 3}, {492, 4}, {492, 5}};
    uint8_t payload[5000] = {0};
    uint32_t file;
    uint64_t pos;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        FX_CHECK(
            fx_files_write_block(files, (struct fx_span){payload, wanted[i].size}, &file, &pos));
        FX_CHECK_INT(file, wanted[i].file);
    }
    FX_CHECK_INT(fx_files_block_size(files, 0), 999);
    FX_CHECK_INT(fx_files_block_size(files, 2), 5008);
    fx_files_close(files);
}

/* What stands above a number that is missing is of no use to whoever reads from the start. */
FX_TEST(a_new_start_ends_at_the_first_gap)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, 200);
    struct fx_hash id = {{7}};
    struct fx_files_end end;
    uint8_t payload[150] = {0};
    uint32_t file;
    uint64_t pos;

    for (unsigned i = 0; i < 6; i++) {
        FX_CHECK(fx_files_write_block(files, (struct fx_span){payload, 150}, &file, &pos));
        FX_CHECK_INT(file, i);
        FX_CHECK(fx_files_write_undo(files, &id, (struct fx_span){payload, 150}, &file, &pos));
    }
    FX_CHECK(fx_files_remove_block(files, 3));
    FX_CHECK(fx_files_remove_block(files, 3)); /* it is not there: no failure */
    FX_CHECK(fx_files_remove_undo(files, 0));
    FX_CHECK_INT(fx_files_undo_size(files, 0), 0);
    FX_CHECK(fx_files_start_over(files));
    fx_files_get_end(files, &end);
    FX_CHECK_INT(end.block_file, 2);
    FX_CHECK_INT(end.block_pos, 158);
    FX_CHECK_INT(fx_files_block_size(files, 4), 0);
    FX_CHECK_INT(fx_files_block_size(files, 5), 0);
    FX_CHECK_INT(fx_files_undo_size(files, 5), 0);
    FX_CHECK(fx_files_remove_block(files, 0));
    FX_CHECK(fx_files_start_over(files));
    fx_files_get_end(files, &end);
    FX_CHECK_INT(end.block_file, 0);
    FX_CHECK_INT(end.block_pos, 0);
    FX_CHECK_INT(fx_files_block_size(files, 1), 0);
    fx_files_close(files);
}

FX_TEST(damage_is_seen)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, FX_FILES_ROLL);
    struct fx_hash id = {{7}}, other = {{8}};
    uint8_t payload[100] = {5}, *data;
    uint64_t block, undo;
    uint32_t file;

    FX_CHECK(fx_files_write_block(files, (struct fx_span){payload, 100}, &file, &block));
    FX_CHECK(fx_files_write_undo(files, &id, (struct fx_span){payload, 100}, &file, &undo));
    FX_CHECK_INT(block, 8);
    FX_CHECK_INT(fx_files_read_block(files, 0, block, 99, &data), FX_FILES_DAMAGED);
    FX_CHECK_INT(fx_files_read_block(files, 0, block + 1, 100, &data), FX_FILES_DAMAGED);
    FX_CHECK_INT(fx_files_read_block(files, 0, 0, 100, &data), FX_FILES_DAMAGED);
    FX_CHECK_INT(fx_files_read_block(files, 9, block, 100, &data), FX_FILES_DAMAGED);
    FX_CHECK_INT(fx_files_read_undo(files, &other, 0, undo, 100, &data), FX_FILES_DAMAGED);
    FX_CHECK_INT(fx_files_read_undo(files, &id, 0, undo, 100, &data), FX_FILES_OK);
    free(data);
    flip(dir, "rev00000.dat", (off_t)undo + 50);
    FX_CHECK_INT(fx_files_read_undo(files, &id, 0, undo, 100, &data), FX_FILES_DAMAGED);
    flip(dir, "blk00000.dat", 0);
    FX_CHECK_INT(fx_files_read_block(files, 0, block, 100, &data), FX_FILES_DAMAGED);
    flip(dir, "blk00000.dat", 0);
    cut(dir, "blk00000.dat", 60);
    FX_CHECK_INT(fx_files_read_block(files, 0, block, 100, &data), FX_FILES_DAMAGED);
    fx_files_close(files);
}

/* A state that is synced may stand on records that a process before wrote and did not live to sync.
 */
FX_TEST(what_was_there_at_the_start_is_synced_too)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, 5000);
    struct fx_span payload = {magic, sizeof(magic)};
    struct fx_hash id = {{7}};
    struct fx_files_end end;
    uint32_t file;
    uint64_t pos;

    FX_CHECK(fx_files_write_block(files, payload, &file, &pos));
    FX_CHECK(fx_files_write_undo(files, &id, payload, &file, &pos));
    fx_files_get_end(files, &end);
    fx_files_close(files);
    files = open_files(dir, 5000);
    fx_files_set_end(files, &end);
    n_syncs = 0;
    FX_CHECK(fx_files_sync(files));
    FX_CHECK_INT(n_syncs, 2);
    FX_CHECK(fx_files_sync(files));
    FX_CHECK_INT(n_syncs, 2);
    fx_files_close(files);
}

FX_TEST(a_torn_tail_is_overwritten)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_files *files = open_files(dir, FX_FILES_ROLL);
    uint8_t one[100] = {1}, two[40] = {2}, *data;
    struct fx_files_end end;
    uint64_t first, torn, second;
    uint32_t file;

    FX_CHECK(fx_files_write_block(files, (struct fx_span){one, 100}, &file, &first));
    fx_files_get_end(files, &end);
    FX_CHECK(fx_files_write_block(files, (struct fx_span){one, 100}, &file, &torn));
    fx_files_close(files);
    cut(dir, "blk00000.dat", (off_t)torn + 10);

    files = open_files(dir, FX_FILES_ROLL);
    fx_files_set_end(files, &end);
    FX_CHECK(fx_files_write_block(files, (struct fx_span){two, 40}, &file, &second));
    FX_CHECK_INT(second, torn);
    FX_CHECK_INT(fx_files_read_block(files, 0, first, 100, &data), FX_FILES_OK);
    FX_CHECK_MEM(data, one, 100);
    free(data);
    FX_CHECK_INT(fx_files_read_block(files, 0, second, 40, &data), FX_FILES_OK);
    FX_CHECK_MEM(data, two, 40);
    free(data);
    fx_files_close(files);
}

FX_TEST(a_folder_that_cannot_be_made_is_an_error)
{
    char *error = NULL;

    FX_CHECK(fx_files_open("/proc/nothing/here", magic, FX_FILES_ROLL, &error) == NULL);
    FX_CHECK(error != NULL && strstr(error, "/proc/nothing/here") != NULL);
    free(error);
}
