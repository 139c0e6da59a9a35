/* Tests of uploads: any split into pieces, resuming, a full disk, sudden death. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/store/blob.h"
#include "src/sys/file.h"

static struct fx_blobs *open_blobs(const char *dir)
{
    char *error = NULL;
    struct fx_blobs *blobs = fx_blobs_open(dir, &error);

    FX_CHECK(blobs != NULL);
    return blobs;
}

/* Sends what is left in random pieces. */
static enum fx_upload send(struct fx_blobs *blobs, const char *id, const uint8_t *bytes,
                           uint64_t total, uint64_t from, size_t piece)
{
    while (from < total) {
        size_t n = (size_t)fx_unit_rand_below(piece) + 1;
        uint64_t received;
        enum fx_upload result;

        n = n > total - from ? (size_t)(total - from) : n;
        result = fx_upload_write(blobs, id, from, (struct fx_span){bytes + from, n}, &received);
        if (result != FX_UPLOAD_OK) {
            return result;
        }
        from += n;
        FX_CHECK_INT(received, from);
    }
    return FX_UPLOAD_OK;
}

/* Every chunk of the finished blob against the matrix it came from. */
static void check_operand(struct fx_blobs *blobs, const struct fx_hash *root,
                          const struct fx_blob_shape *shape, const int8_t *matrix)
{
    struct fx_blob_key key = {.type = FX_BLOB_OPERAND, .root = *root};
    uint8_t data[FX_BLOB_CHUNK_MAX], path[32 * FX_BLOB_PATH_MAX];
    uint32_t i, l, row;
    size_t n, n_path;

    for (i = 0; i < shape->rows / FX_TILE; i++) {
        for (l = 0; l < shape->cols / FX_DEPTH; l++) {
            FX_CHECK(fx_blobs_get(blobs, &key, i, l, data, &n, path, &n_path));
            for (row = 0; row < FX_TILE; row++) {
                FX_CHECK_MEM(data + row * FX_DEPTH,
                             matrix + ((size_t)i * FX_TILE + row) * shape->cols + l * FX_DEPTH,
                             FX_DEPTH);
            }
            FX_CHECK(fx_commit_operand_open((const int8_t *)data, shape->rows, shape->cols, i, l,
                                            path, root));
        }
    }
}

static void upload_operand(uint32_t rows, uint32_t cols, size_t piece)
{
    struct fx_blob_shape shape = {.rows = rows, .cols = cols};
    uint64_t total = (uint64_t)rows * cols, received;
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    int8_t *matrix = malloc(total);
    struct fx_hash root, want, again;

    fx_unit_rand_fill(matrix, total);
    FX_CHECK(fx_commit_operand_matrix(matrix, rows, cols, &want));
    FX_CHECK_INT(fx_upload_open(blobs, "a1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(received, 0);
    FX_CHECK_INT(fx_upload_finish(blobs, "a1", &root), FX_UPLOAD_OFFSET);
    FX_CHECK_INT(send(blobs, "a1", (uint8_t *)matrix, total, 0, piece), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "a1", &root), FX_UPLOAD_OK);
    FX_CHECK_MEM(root.b, want.b, 32);
    FX_CHECK_INT(fx_upload_finish(blobs, "a1", &again), FX_UPLOAD_OK);
    FX_CHECK_MEM(again.b, want.b, 32);
    FX_CHECK_INT(fx_upload_open(blobs, "a1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(received, total);
    check_operand(blobs, &root, &shape, matrix);
    /* The same bytes under another id find the blob there. */
    FX_CHECK_INT(fx_upload_open(blobs, "b2", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(send(blobs, "b2", (uint8_t *)matrix, total, 0, total), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "b2", &again), FX_UPLOAD_OK);
    FX_CHECK_MEM(again.b, want.b, 32);
    free(matrix);
    fx_blobs_close(blobs);
}

FX_TEST(operands_become_panel_blocks)
{
    upload_operand(128, 256, 5000);
    upload_operand(384, 768, 50000);
    upload_operand(640, 256, 200000);
    upload_operand(256, 1536, 1000);
}

FX_TEST(results_are_taken_tile_by_tile)
{
    struct fx_blob_shape shape = {.rows = 3, .cols = 1};
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct fx_blob_key key = {.type = FX_BLOB_RESULT};
    uint8_t *tiles = malloc(3 * FX_TILE_BYTES), *got = malloc(FX_BLOB_CHUNK_MAX);
    uint8_t path[32 * FX_BLOB_PATH_MAX];
    struct fx_hash want;
    uint64_t received;
    size_t n, n_path;

    fx_unit_rand_fill(tiles, 3 * FX_TILE_BYTES);
    fx_unit_rand_fill(&shape.solver, 32);
    key.solver = shape.solver;
    /* One tile column: the rectangle row-major is the tiles one after the other. */
    FX_CHECK(
        fx_commit_result_matrix((const int32_t *)(void *)tiles, 384, 128, &shape.solver, &want));
    FX_CHECK_INT(fx_upload_open(blobs, "ff", FX_BLOB_RESULT, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(send(blobs, "ff", tiles, 3 * FX_TILE_BYTES, 0, 100000), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "ff", &key.root), FX_UPLOAD_OK);
    FX_CHECK_MEM(key.root.b, want.b, 32);
    FX_CHECK(fx_blobs_get(blobs, &key, 2, 0, got, &n, path, &n_path));
    FX_CHECK_MEM(got, tiles + 2 * FX_TILE_BYTES, n);
    free(got);
    free(tiles);
    fx_blobs_close(blobs);
}

/* What a power cut leaves of files that nobody synced is in no order: nothing of it is gone by. */
FX_TEST(after_another_boot_an_upload_begins_anew)
{
    static const uint8_t another[] = "00000000-1111-2222-3333-444444444444";
    struct fx_blob_shape shape = {.rows = 256, .cols = 256};
    uint64_t total = 256 * 256, received;
    const char *dir = fx_unit_tmpdir();
    char *count = fx_path_join(dir, "uploads/e1/received");
    char *tail = fx_path_join(dir, "uploads/e1/tail");
    struct fx_blobs *blobs = open_blobs(dir);
    int8_t *matrix = malloc(total);
    struct fx_hash root, want;
    uint8_t *bytes;
    size_t n;

    fx_unit_rand_fill(matrix, total);
    fx_commit_operand_matrix(matrix, shape.rows, shape.cols, &want);
    FX_CHECK_INT(fx_upload_open(blobs, "e1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(send(blobs, "e1", (uint8_t *)matrix, 40000, 0, 10000), FX_UPLOAD_OK);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_upload_open(blobs, "e1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(received, 40000);

    /* The count reached the disk, and what it counts did not. */
    FX_CHECK(fx_file_read(count, 100, &bytes, &n));
    if (n > 8) {
        memcpy(bytes + 8, another, n - 8 < 36 ? n - 8 : 36);
    }
    FX_CHECK(fx_file_write(count, bytes, n, 0600) && fx_file_write(tail, "", 0, 0600));
    free(bytes);
    FX_CHECK_INT(fx_upload_open(blobs, "e1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(received, 0);
    FX_CHECK_INT(send(blobs, "e1", (uint8_t *)matrix, total, received, 10000), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "e1", &root), FX_UPLOAD_OK);
    FX_CHECK(fx_hash_equal(&root, &want));
    check_operand(blobs, &root, &shape, matrix);

    /* One that was cut short counts nothing. */
    FX_CHECK_INT(fx_upload_open(blobs, "e2", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(send(blobs, "e2", (uint8_t *)matrix, 40000, 0, 10000), FX_UPLOAD_OK);
    free(count);
    count = fx_path_join(dir, "uploads/e2/received");
    FX_CHECK(fx_file_write(count, "", 0, 0600));
    FX_CHECK_INT(fx_upload_open(blobs, "e2", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(received, 0);
    fx_blobs_close(blobs);
    free(matrix);
    free(count);
    free(tail);
}

FX_TEST(bad_calls)
{
    struct fx_blob_shape shape = {.rows = 128, .cols = 256}, other = {.rows = 256, .cols = 256};
    struct fx_blob_shape odd = {.rows = 100, .cols = 256};
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    static const char *ids[] = {
        "", "xyz", "../a", "a b",
        "01234567890123456789012345678901234567890123456789012345678901234"};
    uint8_t bytes[40000] = {0};
    struct fx_hash root;
    uint64_t received;
    size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        FX_CHECK_INT(fx_upload_open(blobs, ids[i], FX_BLOB_OPERAND, &shape, &received),
                     FX_UPLOAD_SHAPE);
    }
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_OPERAND, &odd, &received), FX_UPLOAD_SHAPE);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 0, (struct fx_span){bytes, 1}, &received),
                 FX_UPLOAD_OFFSET);
    FX_CHECK_INT(fx_upload_finish(blobs, "1", &root), FX_UPLOAD_SHAPE);
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_OPERAND, &other, &received), FX_UPLOAD_SHAPE);
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_RESULT, &shape, &received), FX_UPLOAD_SHAPE);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 0, (struct fx_span){bytes, 100}, &received),
                 FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 0, (struct fx_span){bytes, 100}, &received),
                 FX_UPLOAD_OFFSET);
    FX_CHECK_INT(received, 100);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 101, (struct fx_span){bytes, 100}, &received),
                 FX_UPLOAD_OFFSET);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 100, (struct fx_span){bytes, 32669}, &received),
                 FX_UPLOAD_SHAPE);
    FX_CHECK_INT(received, 100);
    FX_CHECK_INT(fx_upload_write(blobs, "1", 100, (struct fx_span){bytes, 32668}, &received),
                 FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "1", &root), FX_UPLOAD_OK);
    fx_blobs_close(blobs);
}

FX_TEST(a_full_disk_loses_nothing)
{
    struct fx_blob_shape shape = {.rows = 512, .cols = 512};
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    uint64_t total = 512 * 512, received;
    struct rlimit limit, small;
    struct fx_hash root, want;
    int8_t *matrix = malloc(total);
    enum fx_upload result;

    fx_unit_rand_fill(matrix, total);
    FX_CHECK(fx_commit_operand_matrix(matrix, 512, 512, &want));
    FX_CHECK_INT(fx_upload_open(blobs, "d1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    /* A limit on the size of files stands in for the end of the disk. */
    signal(SIGXFSZ, SIG_IGN);
    FX_CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = limit;
    small.rlim_cur = 150000;
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    result = send(blobs, "d1", (uint8_t *)matrix, total, 0, 10000);
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    FX_CHECK_INT(result, FX_UPLOAD_FULL);
    FX_CHECK_INT(fx_upload_open(blobs, "d1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK(received > 100000 && received < total);
    FX_CHECK_INT(send(blobs, "d1", (uint8_t *)matrix, total, received, 10000), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "d1", &root), FX_UPLOAD_OK);
    FX_CHECK_MEM(root.b, want.b, 32);
    check_operand(blobs, &root, &shape, matrix);
    signal(SIGXFSZ, SIG_DFL);
    free(matrix);
    fx_blobs_close(blobs);
}

/* A child uploads and tells what was acknowledged until it dies at the named point; then the rest
 * is sent here. True: it did die. */
static bool die_and_resume(const char *at)
{
    struct fx_blob_shape shape = {.rows = 384, .cols = 512};
    const char *dir = fx_unit_tmpdir();
    uint64_t total = 384 * 512, received, told, acknowledged = 0;
    struct fx_hash root, want;
    int8_t *matrix = malloc(total);
    struct fx_blobs *blobs;
    int ends[2], status;
    pid_t child;

    fx_unit_rand_fill(matrix, total);
    FX_CHECK(fx_commit_operand_matrix(matrix, 384, 512, &want));
    FX_CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        setenv("FORNAX_CRASH_AT", at, 1);
        blobs = open_blobs(dir);
        fx_upload_open(blobs, "c1", FX_BLOB_OPERAND, &shape, &received);
        while (received < total) {
            size_t n = total - received < 20000 ? (size_t)(total - received) : 20000;

            fx_upload_write(blobs, "c1", received,
                            (struct fx_span){(uint8_t *)matrix + received, n}, &received);
            if (write(ends[1], &received, sizeof(received)) != sizeof(received)) {
                _exit(2);
            }
        }
        fx_upload_finish(blobs, "c1", &root);
        _exit(0);
    }
    close(ends[1]);
    while (read(ends[0], &told, sizeof(told)) == sizeof(told)) {
        acknowledged = told;
    }
    close(ends[0]);
    FX_CHECK(waitpid(child, &status, 0) == child);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_upload_open(blobs, "c1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK(received >= acknowledged);
    FX_CHECK_INT(send(blobs, "c1", (uint8_t *)matrix, total, received, 30000), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_upload_finish(blobs, "c1", &root), FX_UPLOAD_OK);
    FX_CHECK_MEM(root.b, want.b, 32);
    check_operand(blobs, &root, &shape, matrix);
    fx_blobs_close(blobs);
    free(matrix);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

FX_TEST(sudden_death_loses_nothing_acknowledged)
{
    static const char *points[] = {"upload-write",  "upload-write:5", "upload-unit",
                                   "upload-unit:2", "upload-unit:3",  "upload-finish",
                                   "upload-root"};
    size_t i;

    for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        FX_CHECK(die_and_resume(points[i]));
    }
    FX_CHECK(!die_and_resume("nowhere"));
}
