/* Tests of the blob store: chunks with their paths, partial blobs, damage. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/store/blob.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"

static struct fx_blobs *open_blobs(const char *dir)
{
    char *error = NULL;
    struct fx_blobs *blobs = fx_blobs_open(dir, &error);

    FX_CHECK(blobs != NULL);
    return blobs;
}

/* An operand, made without the store: chunks in panel order, and any path. */
struct operand {
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint32_t panels, blocks;
    int8_t *chunks;
    struct fx_hash *roots;
};

static void operand_init(struct operand *o, uint32_t panels, uint32_t blocks)
{
    struct fx_hash *panel_roots = calloc(panels, sizeof(*panel_roots));
    uint32_t i, l;

    memset(o, 0, sizeof(*o));
    o->panels = panels;
    o->blocks = blocks;
    o->shape.rows = panels * FX_TILE;
    o->shape.cols = blocks * FX_DEPTH;
    o->chunks = malloc((size_t)panels * blocks * FX_BLOCK_BYTES);
    o->roots = calloc((size_t)panels * blocks, sizeof(*o->roots));
    fx_unit_rand_fill(o->chunks, (size_t)panels * blocks * FX_BLOCK_BYTES);
    for (i = 0; i < panels; i++) {
        for (l = 0; l < blocks; l++) {
            size_t n = (size_t)i * blocks + l;

            fx_commit_operand_block(o->chunks + n * FX_BLOCK_BYTES, &o->roots[n]);
        }
        fx_commit_root(o->roots + (size_t)i * blocks, blocks, &panel_roots[i]);
    }
    fx_commit_root(panel_roots, panels, &o->key.root);
    free(panel_roots);
}

static void operand_clear(struct operand *o)
{
    free(o->chunks);
    free(o->roots);
}

static struct fx_span chunk_of(const struct operand *o, uint32_t i, uint32_t l)
{
    size_t n = (size_t)i * o->blocks + l;

    return (struct fx_span){(const uint8_t *)o->chunks + n * FX_BLOCK_BYTES, FX_BLOCK_BYTES};
}

static size_t path_of(const struct operand *o, uint32_t i, uint32_t l,
                      struct fx_hash path[FX_BLOB_PATH_MAX])
{
    struct fx_hash *panel_roots = calloc(o->panels, sizeof(*panel_roots));
    unsigned low = fx_commit_depth(o->blocks);
    uint32_t p;

    for (p = 0; p < o->panels; p++) {
        fx_commit_root(o->roots + (size_t)p * o->blocks, o->blocks, &panel_roots[p]);
    }
    fx_commit_path(o->roots + (size_t)i * o->blocks, o->blocks, l, path);
    fx_commit_path(panel_roots, o->panels, i, path + low);
    free(panel_roots);
    return low + fx_commit_depth(o->panels);
}

static enum fx_blob_put put(struct fx_blobs *blobs, const struct operand *o, uint32_t i, uint32_t l)
{
    struct fx_hash path[FX_BLOB_PATH_MAX];
    size_t n = path_of(o, i, l, path);

    return fx_blobs_put(blobs, &o->key, i, l, chunk_of(o, i, l), path[0].b, n);
}

static void check_chunk(struct fx_blobs *blobs, const struct operand *o, uint32_t i, uint32_t l)
{
    uint8_t data[FX_BLOB_CHUNK_MAX], path[32 * FX_BLOB_PATH_MAX];
    struct fx_hash want[FX_BLOB_PATH_MAX];
    size_t n, n_path, n_want = path_of(o, i, l, want);

    FX_CHECK(fx_blobs_get(blobs, &o->key, i, l, data, &n, path, &n_path));
    FX_CHECK_INT(n, FX_BLOCK_BYTES);
    FX_CHECK_MEM(data, chunk_of(o, i, l).data, n);
    FX_CHECK_INT(n_path, n_want);
    FX_CHECK_MEM(path, want, 32 * n_path);
    memset(path, 0, sizeof(path));
    FX_CHECK(fx_blobs_path(blobs, &o->key, i, l, path, &n_path));
    FX_CHECK_MEM(path, want, 32 * n_want);
}

struct told {
    unsigned n;
    struct fx_blob_key key;
};

static void on_complete(void *ctx, const struct fx_blob_key *key)
{
    struct told *told = ctx;

    told->n++;
    told->key = *key;
}

static void fill_and_check(uint32_t panels, uint32_t blocks)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    struct fx_blob_shape shape;
    struct told told = {0};
    uint32_t xy[3][2], i, l;
    uint64_t from, chunks, have, n = 0;
    struct operand o;

    operand_init(&o, panels, blocks);
    fx_blobs_subscribe(blobs, on_complete, &told);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_ABSENT);
    FX_CHECK_INT(put(blobs, &o, 0, 0), FX_BLOB_PUT_UNASKED);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    /* In an order that jumps about; reopened on the way. */
    for (from = 0; n < (uint64_t)panels * blocks; n++) {
        size_t got;

        from = fx_unit_rand_below((uint64_t)panels * blocks);
        got = fx_blobs_missing(blobs, &o.key, &from, xy, 3);
        if (got == 0) {
            from = 0;
            got = fx_blobs_missing(blobs, &o.key, &from, xy, 3);
        }
        FX_CHECK(got > 0);
        FX_CHECK_INT(told.n, 0);
        FX_CHECK_INT(put(blobs, &o, xy[got - 1][0], xy[got - 1][1]), FX_BLOB_PUT_OK);
        FX_CHECK_INT(put(blobs, &o, xy[got - 1][0], xy[got - 1][1]), FX_BLOB_PUT_KNOWN);
        check_chunk(blobs, &o, xy[got - 1][0], xy[got - 1][1]);
        FX_CHECK(fx_blobs_info(blobs, &o.key, &shape, &chunks, &have));
        FX_CHECK_INT(have, n + 1);
        if (n % 5 == 2) {
            fx_blobs_close(blobs);
            blobs = open_blobs(dir);
            fx_blobs_subscribe(blobs, on_complete, &told);
        }
    }
    FX_CHECK_INT(told.n, 1);
    FX_CHECK_MEM(told.key.root.b, o.key.root.b, 32);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
    from = 0;
    FX_CHECK_INT(fx_blobs_missing(blobs, &o.key, &from, xy, 3), 0);
    for (i = 0; i < panels; i++) {
        for (l = 0; l < blocks; l++) {
            check_chunk(blobs, &o, i, l);
        }
    }
    FX_CHECK_INT(put(blobs, &o, 0, 0), FX_BLOB_PUT_KNOWN);
    fx_blobs_remove(blobs, &o.key);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_ABSENT);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_ABSENT);
    fx_blobs_close(blobs);
    operand_clear(&o);
}

FX_TEST(operands_fill_chunk_by_chunk)
{
    static const uint32_t shapes[][2] = {{1, 1}, {1, 3}, {3, 1}, {2, 2}, {5, 3}, {3, 6}, {4, 4}};
    size_t i;

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        fill_and_check(shapes[i][0], shapes[i][1]);
    }
}

FX_TEST(bad_chunks_are_refused)
{
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct fx_hash path[FX_BLOB_PATH_MAX];
    uint8_t data[FX_BLOCK_BYTES];
    struct fx_blob_key result;
    struct operand o;
    struct fx_span span = {data, sizeof(data)};
    size_t n;

    operand_init(&o, 3, 2);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    n = path_of(&o, 1, 1, path);
    memcpy(data, chunk_of(&o, 1, 1).data, sizeof(data));
    data[77] ^= 1;
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 1, span, path[0].b, n), FX_BLOB_PUT_BAD);
    data[77] ^= 1;
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 0, span, path[0].b, n), FX_BLOB_PUT_BAD);
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 1, span, path[0].b, n - 1), FX_BLOB_PUT_BAD);
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 3, 0, span, path[0].b, n), FX_BLOB_PUT_UNASKED);
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 2, span, path[0].b, n), FX_BLOB_PUT_UNASKED);
    result = o.key;
    result.type = FX_BLOB_RESULT;
    FX_CHECK_INT(fx_blobs_put(blobs, &result, 1, 0, span, path[0].b, n), FX_BLOB_PUT_UNASKED);
    span.len--;
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 1, span, path[0].b, n), FX_BLOB_PUT_BAD);
    path[0].b[0] ^= 1;
    span.len++;
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 1, span, path[0].b, n), FX_BLOB_PUT_BAD);
    path[0].b[0] ^= 1;
    FX_CHECK_INT(fx_blobs_put(blobs, &o.key, 1, 1, span, path[0].b, n), FX_BLOB_PUT_OK);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

FX_TEST(shapes_that_no_spec_has_are_refused)
{
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct fx_blob_key operand = {.type = FX_BLOB_OPERAND}, result = {.type = FX_BLOB_RESULT};
    static const struct fx_blob_shape operands[] = {
        {.rows = 0, .cols = 256},     {.rows = 100, .cols = 256},
        {.rows = 128, .cols = 0},     {.rows = 128, .cols = 128},
        {.rows = 128, .cols = 65792}, {.rows = (1u << 24) + 128, .cols = 256},
    };
    static const struct fx_blob_shape results[] = {
        {.rows = 0, .cols = 1}, {.rows = 1, .cols = 0}, {.rows = 1u << 20, .cols = 1u << 20}};
    size_t i;

    for (i = 0; i < sizeof(operands) / sizeof(operands[0]); i++) {
        FX_CHECK(!fx_blobs_expect(blobs, &operand, &operands[i]));
    }
    for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        FX_CHECK(!fx_blobs_expect(blobs, &result, &results[i]));
    }
    fx_blobs_close(blobs);
}

/* Whoever has the blob answers by its own shape, whatever a task says that it is. */
FX_TEST(chunks_of_another_shape_are_told_from_bad_ones)
{
    static const struct fx_blob_shape wrong[] = {
        {.rows = 4 * FX_TILE, .cols = 2 * FX_DEPTH},  /* a level less within a panel */
        {.rows = 32 * FX_TILE, .cols = 8 * FX_DEPTH}, /* more of both */
        {.rows = 6 * FX_TILE, .cols = 4 * FX_DEPTH},  /* the same levels */
    };
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct operand o;
    size_t i;

    operand_init(&o, 5, 3);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        FX_CHECK(fx_blobs_expect(blobs, &o.key, &wrong[i]));
        FX_CHECK_INT(put(blobs, &o, 2, 1), i == 2 ? FX_BLOB_PUT_OK : FX_BLOB_PUT_SHAPE);
        o.chunks[(2 * 3 + 1) * FX_BLOCK_BYTES] ^= 1;
        FX_CHECK_INT(put(blobs, &o, 2, 1), i == 2 ? FX_BLOB_PUT_KNOWN : FX_BLOB_PUT_BAD);
        o.chunks[(2 * 3 + 1) * FX_BLOCK_BYTES] ^= 1;
    }
    operand_clear(&o);
    fx_blobs_close(blobs);
}

FX_TEST(results_are_keyed_by_the_solver)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    struct fx_blob_shape shape = {.rows = 2, .cols = 3};
    struct fx_blob_key key = {.type = FX_BLOB_RESULT}, other = {.type = FX_BLOB_RESULT};
    struct fx_blob_shape other_shape = {.rows = 2, .cols = 3};
    uint8_t *tiles = malloc(6 * FX_TILE_BYTES), *got = malloc(FX_BLOB_CHUNK_MAX);
    uint8_t got_path[32 * FX_BLOB_PATH_MAX];
    struct fx_hash roots[6], path[FX_BLOB_PATH_MAX];
    size_t n, n_path;
    uint32_t t;

    fx_unit_rand_fill(tiles, 6 * FX_TILE_BYTES);
    fx_unit_rand_fill(&shape.solver, 32);
    key.solver = shape.solver;
    for (t = 0; t < 6; t++) {
        fx_commit_result_tile(&shape.solver, tiles + t * FX_TILE_BYTES, &roots[t]);
    }
    fx_commit_root(roots, 6, &key.root);
    FX_CHECK(fx_blobs_expect(blobs, &key, &shape));
    for (t = 0; t < 6; t++) {
        struct fx_span span = {tiles + t * FX_TILE_BYTES, FX_TILE_BYTES};

        fx_commit_path(roots, 6, t, path);
        FX_CHECK_INT(fx_blobs_put(blobs, &key, t, 1, span, path[0].b, 3), FX_BLOB_PUT_UNASKED);
        FX_CHECK_INT(fx_blobs_put(blobs, &key, t, 0, span, path[0].b, 3), FX_BLOB_PUT_OK);
        FX_CHECK(fx_blobs_get(blobs, &key, t, 0, got, &n, got_path, &n_path));
        FX_CHECK_INT(n, FX_TILE_BYTES);
        FX_CHECK_MEM(got, span.data, n);
        FX_CHECK_INT(n_path, 3);
        FX_CHECK_MEM(got_path, path, 96);
    }
    FX_CHECK_INT(fx_blobs_state(blobs, &key), FX_BLOB_COMPLETE);

    /* The same root under another's key has a place of its own, where nothing of this fits. */
    FX_CHECK(!fx_blobs_expect(blobs, &key, &other_shape));
    other.root = key.root;
    FX_CHECK(fx_blobs_expect(blobs, &other, &other_shape));
    FX_CHECK_INT(
        fx_blobs_put(blobs, &other, 0, 0, (struct fx_span){tiles, FX_TILE_BYTES}, got_path, 3),
        FX_BLOB_PUT_BAD);
    fx_blobs_remove(blobs, &other);
    FX_CHECK_INT(fx_blobs_state(blobs, &other), FX_BLOB_ABSENT);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_blobs_state(blobs, &key), FX_BLOB_COMPLETE);
    free(tiles);
    free(got);
    fx_blobs_close(blobs);
}

static void flip(const char *dir, const struct operand *o, const char *name, off_t at)
{
    char hex[FX_HASH_HEX], path[400];
    uint8_t byte;
    int fd;

    fx_hash_to_hex(&o->key.root, hex);
    snprintf(path, sizeof(path), "%s/operand-%s/%s", dir, hex, name);
    fd = open(path, O_RDWR);
    FX_CHECK(fd >= 0);
    FX_CHECK(pread(fd, &byte, 1, at) == 1);
    byte ^= 4;
    FX_CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

FX_TEST(damage_makes_a_chunk_missing)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    uint8_t data[FX_BLOB_CHUNK_MAX], path[32 * FX_BLOB_PATH_MAX];
    struct operand o;
    uint32_t i, l, xy[5][2];
    uint64_t from = 0;
    size_t n, n_path;

    operand_init(&o, 2, 2);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    for (i = 0; i < 2; i++) {
        for (l = 0; l < 2; l++) {
            FX_CHECK_INT(put(blobs, &o, i, l), FX_BLOB_PUT_OK);
        }
    }
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
    flip(dir, &o, "data", FX_BLOCK_BYTES + 5);
    FX_CHECK(!fx_blobs_get(blobs, &o.key, 0, 1, data, &n, path, &n_path));
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_PARTIAL);
    check_chunk(blobs, &o, 0, 0);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK_INT(fx_blobs_missing(blobs, &o.key, &from, xy, 5), 1);
    FX_CHECK_INT(xy[0][0], 0);
    FX_CHECK_INT(xy[0][1], 1);
    FX_CHECK_INT(put(blobs, &o, 0, 1), FX_BLOB_PUT_OK);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
    /* A node of the tree: the path of its neighbour is wrong then. */
    flip(dir, &o, "tree", 32 * 3 + 1);
    FX_CHECK(!fx_blobs_path(blobs, &o.key, 1, 0, path, &n_path));
    check_chunk(blobs, &o, 0, 1);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

FX_TEST(another_shape_of_the_same_root)
{
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct fx_blob_shape tall = {.rows = 512, .cols = 256}, wrong = {.rows = 384, .cols = 256};
    uint8_t data[FX_BLOB_CHUNK_MAX], path[32 * FX_BLOB_PATH_MAX];
    struct operand o;
    size_t n, n_path;
    uint32_t i;

    operand_init(&o, 2, 2);
    /* A wrong shape was named first: the right one replaces it. */
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &wrong));
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    for (i = 0; i < 4; i++) {
        FX_CHECK_INT(put(blobs, &o, i / 2, i % 2), FX_BLOB_PUT_OK);
    }
    FX_CHECK(!fx_blobs_expect(blobs, &o.key, &wrong));
    /* Four blocks in two panels or in four: the same root, the same chunks. */
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &tall));
    FX_CHECK(fx_blobs_get(blobs, &o.key, 3, 0, data, &n, path, &n_path));
    FX_CHECK_MEM(data, chunk_of(&o, 1, 1).data, n);
    FX_CHECK(!fx_blobs_get(blobs, &o.key, 1, 1, data, &n, path, &n_path));
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    check_chunk(blobs, &o, 1, 1);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

/* Two tasks name one root by different shapes, in turn: each of these has all of its chunks. */
FX_TEST(chunks_stay_whatever_shape_is_named)
{
    static const struct fx_blob_shape wrong[] = {
        {.rows = 8 * FX_TILE, .cols = 3 * FX_DEPTH},  /* more panels */
        {.rows = 6 * FX_TILE, .cols = 4 * FX_DEPTH},  /* wider panels: all move up */
        {.rows = 10 * FX_TILE, .cols = 2 * FX_DEPTH}, /* half as wide, twice as many */
        {.rows = 3 * FX_TILE, .cols = 8 * FX_DEPTH},  /* twice as wide */
        {.rows = 20 * FX_TILE, .cols = FX_DEPTH},
    };
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    uint64_t chunks = 0, have = 0, n = 0;
    struct fx_blob_shape shape;
    struct told told = {0};
    struct operand o;

    operand_init(&o, 5, 3);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    for (uint32_t l = 3; l-- > 0;) {
        for (uint32_t i = 0; i < o.panels; i++) {
            FX_CHECK_INT(put(blobs, &o, i, l), FX_BLOB_PUT_OK);
            n++;
            if (n == 10) {
                fx_blobs_close(blobs);
                blobs = open_blobs(dir);
                fx_blobs_subscribe(blobs, on_complete, &told);
            }
            FX_CHECK(fx_blobs_expect(blobs, &o.key, &wrong[n % 5]) == (n < 15));
            FX_CHECK(fx_blobs_info(blobs, &o.key, &shape, &chunks, &have));
            FX_CHECK_INT(have, n);
            FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
            FX_CHECK(fx_blobs_info(blobs, &o.key, &shape, &chunks, &have));
            FX_CHECK_INT(have, n);
            FX_CHECK_INT(chunks, 15);
            check_chunk(blobs, &o, i, l);
            check_chunk(blobs, &o, 0, 2);
        }
    }
    FX_CHECK_INT(told.n, 1);
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

/* All that can be had has come under a shape that has more: naming the right one completes it. */
FX_TEST(the_right_shape_completes_what_a_larger_one_could_not)
{
    struct fx_blob_shape larger = {.rows = 6 * FX_TILE, .cols = 4 * FX_DEPTH};
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct told told = {0};
    struct operand o;

    operand_init(&o, 5, 3);
    fx_blobs_subscribe(blobs, on_complete, &told);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &larger));
    for (uint32_t n = 0; n < 15; n++) {
        FX_CHECK_INT(put(blobs, &o, n / 3, n % 3), FX_BLOB_PUT_OK);
    }
    FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_PARTIAL);
    FX_CHECK_INT(told.n, 0);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    FX_CHECK_INT(told.n, 1);
    for (uint32_t n = 0; n < 15; n++) {
        check_chunk(blobs, &o, n / 3, n % 3);
    }
    FX_CHECK(!fx_blobs_expect(blobs, &o.key, &larger));
    operand_clear(&o);
    fx_blobs_close(blobs);
}

/* A shape with fewer chunks than the root has is never complete, and the right one not late. */
FX_TEST(a_shape_too_small_does_not_become_complete)
{
    static const struct fx_blob_shape small[] = {
        {.rows = 6 * FX_TILE, .cols = 3 * FX_DEPTH},
        {.rows = 7 * FX_TILE, .cols = 3 * FX_DEPTH},
        {.rows = 5 * FX_TILE, .cols = 4 * FX_DEPTH},
    };
    struct operand o;

    operand_init(&o, 7, 4);
    for (size_t s = 0; s < sizeof(small) / sizeof(small[0]); s++) {
        struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
        uint32_t panels = small[s].rows / FX_TILE, blocks = small[s].cols / FX_DEPTH;
        uint32_t refused = 0;

        FX_CHECK(fx_blobs_expect(blobs, &o.key, &small[s]));
        for (uint32_t n = 0; n < panels * blocks; n++) {
            refused += put(blobs, &o, n / blocks, n % blocks) == FX_BLOB_PUT_SHAPE;
        }
        FX_CHECK(refused > 0);
        FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_PARTIAL);
        FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
        FX_CHECK_INT(put(blobs, &o, 6, 3), FX_BLOB_PUT_OK);
        FX_CHECK(!fx_blobs_expect(blobs, &o.key, &small[s]));
        for (uint32_t n = 0; n < 28; n++) {
            FX_CHECK(put(blobs, &o, n / 4, n % 4) != FX_BLOB_PUT_SHAPE);
        }
        FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
        fx_blobs_close(blobs);
    }
    operand_clear(&o);
}

/* What is known of a chunk at the end of a group tells as well whether a shape is too small. */
FX_TEST(a_shape_that_ends_too_soon_is_refused)
{
    struct fx_blob_shape narrow = {.rows = 7 * FX_TILE, .cols = 3 * FX_DEPTH};
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct operand o;

    operand_init(&o, 7, 4);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    FX_CHECK_INT(put(blobs, &o, 1, 1), FX_BLOB_PUT_OK);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &narrow));
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    FX_CHECK_INT(put(blobs, &o, 1, 2), FX_BLOB_PUT_OK);
    FX_CHECK(!fx_blobs_expect(blobs, &o.key, &narrow));
    check_chunk(blobs, &o, 1, 1);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

static bool count(void *ctx, const struct fx_blob_key *key)
{
    unsigned *left = ctx;

    (void)key;
    return --*left > 0;
}

struct pressure {
    struct fx_blobs *blobs;
    const struct fx_blob_key *gives_way;
    uint64_t asked;
};

static void make_room(void *ctx, uint64_t bytes)
{
    struct pressure *pressure = ctx;

    pressure->asked = bytes;
    if (pressure->gives_way != NULL) {
        fx_blobs_remove(pressure->blobs, pressure->gives_way);
    }
}

FX_TEST(room_is_limited)
{
    struct fx_blobs *blobs = open_blobs(fx_unit_tmpdir());
    struct fx_blob_shape shape = {.rows = 256, .cols = 512};
    struct fx_blob_key first = {.type = FX_BLOB_OPERAND}, second = first, third = first;
    struct pressure pressure = {.blobs = blobs};
    uint64_t bytes, received;
    int64_t idle;

    fx_unit_rand_fill(&first.root, 32);
    fx_unit_rand_fill(&second.root, 32);
    fx_unit_rand_fill(&third.root, 32);
    FX_CHECK(!fx_blobs_use(blobs, &first, &bytes, &idle));
    FX_CHECK(fx_blobs_expect(blobs, &first, &shape));
    FX_CHECK(fx_blobs_use(blobs, &first, &bytes, &idle));
    FX_CHECK(bytes > 256 * 512 && bytes < 256 * 512 + 1000);
    FX_CHECK_INT(fx_blobs_bytes(blobs), bytes);
    fx_blobs_set_limit(blobs, 3 * bytes - 1);
    fx_blobs_set_room(blobs, make_room, &pressure);
    FX_CHECK(fx_blobs_expect(blobs, &second, &shape));
    FX_CHECK_INT(pressure.asked, 0);
    FX_CHECK_INT(fx_blobs_spare(blobs), bytes - 1);
    FX_CHECK(!fx_blobs_expect(blobs, &third, &shape));
    FX_CHECK_INT(pressure.asked, 1);
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_LIMIT);
    pressure.gives_way = &first;
    FX_CHECK_INT(fx_upload_open(blobs, "1", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    FX_CHECK_INT(fx_blobs_state(blobs, &first), FX_BLOB_ABSENT);
    FX_CHECK_INT(fx_blobs_bytes(blobs), 2 * bytes); /* of an upload all of what it will take */
    FX_CHECK(!fx_blobs_expect(blobs, &third, &shape));
    pressure.gives_way = &second;
    FX_CHECK(fx_blobs_expect(blobs, &third, &shape));
    fx_blobs_close(blobs);
}

FX_TEST(idle_time_outlives_a_restart)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs;
    struct fx_blob_shape shape = {.rows = 128, .cols = 256};
    struct fx_blob_key key = {.type = FX_BLOB_OPERAND};
    uint64_t bytes, received;
    int64_t idle;

    fx_clock_set_mock(1700000000);
    blobs = open_blobs(dir);
    fx_unit_rand_fill(&key.root, 32);
    FX_CHECK(fx_blobs_expect(blobs, &key, &shape));
    FX_CHECK_INT(fx_upload_open(blobs, "ab", FX_BLOB_OPERAND, &shape, &received), FX_UPLOAD_OK);
    fx_clock_set_mock(1700000000 + 1000);
    fx_blobs_close(blobs);
    blobs = open_blobs(dir);
    FX_CHECK(fx_blobs_use(blobs, &key, &bytes, &idle));
    FX_CHECK_INT(idle, 1000);
    fx_uploads_expire(blobs, 1000);
    FX_CHECK_INT(fx_blobs_bytes(blobs), 2 * bytes);
    fx_uploads_expire(blobs, 999);
    FX_CHECK_INT(fx_blobs_bytes(blobs), bytes);
    fx_blobs_close(blobs);
    fx_clock_set_mock(0);
}

FX_TEST(walk_and_remains)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    struct fx_blob_shape shape = {.rows = 128, .cols = 256};
    struct fx_blob_key key = {.type = FX_BLOB_OPERAND};
    char *remains = fx_path_join(dir, "operand-0123"), *file = fx_path_join(remains, "data");
    unsigned left = 10;

    key.root.b[0] = 1;
    FX_CHECK(fx_blobs_expect(blobs, &key, &shape));
    key.root.b[0] = 2;
    FX_CHECK(fx_blobs_expect(blobs, &key, &shape));
    FX_CHECK(fx_blobs_each(blobs, count, &left));
    FX_CHECK_INT(left, 8);
    left = 1;
    FX_CHECK(!fx_blobs_each(blobs, count, &left));
    fx_blobs_close(blobs);
    FX_CHECK(fx_dir_make(remains));
    FX_CHECK(fx_file_write(file, "x", 1, 0600));
    blobs = open_blobs(dir);
    FX_CHECK(!fx_path_exists(remains));
    FX_CHECK_INT(fx_blobs_state(blobs, &key), FX_BLOB_PARTIAL);
    fx_blobs_close(blobs);
    free(file);
    free(remains);
}

FX_TEST(a_full_disk_keeps_what_was_there)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_blobs *blobs = open_blobs(dir);
    struct rlimit limit, small;
    struct operand o;

    operand_init(&o, 1, 4);
    FX_CHECK(fx_blobs_expect(blobs, &o.key, &o.shape));
    signal(SIGXFSZ, SIG_IGN);
    FX_CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = limit;
    small.rlim_cur = FX_BLOCK_BYTES + 1000;
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    FX_CHECK_INT(put(blobs, &o, 0, 0), FX_BLOB_PUT_OK);
    FX_CHECK_INT(put(blobs, &o, 0, 1), FX_BLOB_PUT_FAILED);
    FX_CHECK_INT(put(blobs, &o, 0, 3), FX_BLOB_PUT_FAILED);
    FX_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    signal(SIGXFSZ, SIG_DFL);
    check_chunk(blobs, &o, 0, 0);
    FX_CHECK_INT(put(blobs, &o, 0, 1), FX_BLOB_PUT_OK);
    check_chunk(blobs, &o, 0, 1);
    operand_clear(&o);
    fx_blobs_close(blobs);
}

FX_TEST(sudden_death_keeps_what_was_acknowledged)
{
    static const char *points[] = {"blob-put-data:1", "blob-put-data:3", "blob-put-tree:1",
                                   "blob-put-tree:4"};
    size_t p;

    for (p = 0; p < sizeof(points) / sizeof(points[0]); p++) {
        const char *dir = fx_unit_tmpdir();
        struct fx_blobs *blobs;
        struct operand o;
        uint32_t i, told = 0;
        int ends[2], status;
        pid_t child;
        char c;

        operand_init(&o, 2, 2);
        FX_CHECK(pipe(ends) == 0);
        child = fork();
        if (child == 0) {
            setenv("FORNAX_CRASH_AT", points[p], 1);
            blobs = open_blobs(dir);
            fx_blobs_expect(blobs, &o.key, &o.shape);
            for (i = 0; i < 4; i++) {
                put(blobs, &o, i / 2, i % 2);
                if (write(ends[1], "x", 1) != 1) {
                    _exit(2);
                }
            }
            _exit(0);
        }
        close(ends[1]);
        while (read(ends[0], &c, 1) == 1) {
            told++;
        }
        close(ends[0]);
        FX_CHECK(waitpid(child, &status, 0) == child);
        FX_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        blobs = open_blobs(dir);
        for (i = 0; i < told; i++) {
            check_chunk(blobs, &o, i / 2, i % 2);
        }
        for (; i < 4; i++) {
            FX_CHECK_INT(put(blobs, &o, i / 2, i % 2), FX_BLOB_PUT_OK);
        }
        FX_CHECK_INT(fx_blobs_state(blobs, &o.key), FX_BLOB_COMPLETE);
        operand_clear(&o);
        fx_blobs_close(blobs);
    }
}
