/* The kind gemm: what bodies are valid, how they are cut, entry proofs and tiles. */
#include "consensus/kinds/kind.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"

static const struct fx_gemm base = {.m = 384, .n = 256, .k = 512, .task_rows = 2, .task_cols = 1};

static bool valid(const struct fx_gemm *gemm)
{
    struct fx_buf body = FX_BUF_INIT;
    struct fx_span span;
    struct fx_gemm back;
    bool ok;

    fx_gemm_write(gemm, &body);
    span.data = body.data;
    span.len = body.len;
    FX_CHECK_INT(body.len, FX_GEMM_BODY_SIZE);
    ok = fx_kind_gemm.check_body(span);
    FX_CHECK_INT(fx_gemm_read(span, &back), ok);
    if (ok) {
        FX_CHECK_INT(back.m, gemm->m);
        FX_CHECK_INT(back.n, gemm->n);
        FX_CHECK_INT(back.k, gemm->k);
        FX_CHECK_INT(back.task_rows, gemm->task_rows);
        FX_CHECK_INT(back.task_cols, gemm->task_cols);
    }
    fx_buf_clear(&body);
    return ok;
}

FX_TEST(table)
{
    FX_CHECK(fx_kind_find(fx_kinds_v1, FX_KIND_GEMM) == &fx_kind_gemm);
    FX_CHECK(fx_kind_find(fx_kinds_v1, 0) == NULL);
    FX_CHECK(fx_kind_find(fx_kinds_v1, 2) == NULL);
    FX_CHECK_STR(fx_kind_gemm.name, "gemm");
    FX_CHECK(fx_kind_gemm.mineable);
}

FX_TEST(valid_bodies)
{
    static const struct {
        size_t field; /* offset of a u32 of fx_gemm */
        uint32_t value;
        bool ok;
    } cases[] = {
        {offsetof(struct fx_gemm, m), 0, false},
        {offsetof(struct fx_gemm, m), 64, false},
        {offsetof(struct fx_gemm, m), 128, true},
        {offsetof(struct fx_gemm, m), 192, false},
        {offsetof(struct fx_gemm, m), 1 << 24, true},
        {offsetof(struct fx_gemm, m), (1 << 24) + 128, false},
        {offsetof(struct fx_gemm, n), 0, false},
        {offsetof(struct fx_gemm, n), 128, true},
        {offsetof(struct fx_gemm, n), 129, false},
        {offsetof(struct fx_gemm, n), 1 << 24, true},
        {offsetof(struct fx_gemm, n), (1 << 24) + 128, false},
        {offsetof(struct fx_gemm, k), 0, false},
        {offsetof(struct fx_gemm, k), 128, false},
        {offsetof(struct fx_gemm, k), 256, true},
        {offsetof(struct fx_gemm, k), 384, false},
        {offsetof(struct fx_gemm, k), 65536, true},
        {offsetof(struct fx_gemm, k), 65536 + 256, false},
        {offsetof(struct fx_gemm, task_rows), 0, false},
        {offsetof(struct fx_gemm, task_rows), UINT32_MAX, true},
        {offsetof(struct fx_gemm, task_cols), 0, false},
        {offsetof(struct fx_gemm, task_cols), UINT32_MAX, true},
    };

    FX_CHECK(valid(&base));
    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        struct fx_gemm gemm = base;

        memcpy((char *)&gemm + cases[at].field, &cases[at].value, 4);
        if (valid(&gemm) != cases[at].ok) {
            FX_FAIL("case %zu", at);
        }
    }
}

FX_TEST(tiles_of_a_task_are_bounded)
{
    struct fx_gemm gemm = base;

    gemm.m = 1 << 24;
    gemm.n = 1 << 24;
    gemm.task_rows = 1 << 12;
    gemm.task_cols = 1 << 12;
    FX_CHECK(valid(&gemm));
    gemm.task_rows++;
    FX_CHECK(!valid(&gemm));
    /* What the grid cuts off does not count. */
    gemm.m = 128;
    gemm.task_rows = UINT32_MAX;
    gemm.task_cols = UINT32_MAX;
    FX_CHECK(valid(&gemm));
    gemm.m = 128 << 8;
    FX_CHECK(!valid(&gemm));
}

FX_TEST(length_of_body)
{
    uint8_t bytes[FX_GEMM_BODY_SIZE + 1] = {0};
    struct fx_buf body = FX_BUF_INIT;
    struct fx_span span = {bytes, FX_GEMM_BODY_SIZE};

    fx_gemm_write(&base, &body);
    memcpy(bytes, body.data, body.len);
    FX_CHECK(fx_kind_gemm.check_body(span));
    span.len++;
    FX_CHECK(!fx_kind_gemm.check_body(span));
    span.len -= 2;
    FX_CHECK(!fx_kind_gemm.check_body(span));
    span.len = 0;
    FX_CHECK(!fx_kind_gemm.check_body(span));
    fx_buf_clear(&body);
}

static void check_shape(const struct fx_test_job *job, uint32_t index, uint32_t row0, uint32_t col0,
                        uint32_t rows, uint32_t cols)
{
    struct fx_task_shape shape;

    fx_kind_gemm.task_shape(job->spec.body, index, &shape);
    FX_CHECK_INT(shape.row0, row0);
    FX_CHECK_INT(shape.col0, col0);
    FX_CHECK_INT(shape.rows, rows);
    FX_CHECK_INT(shape.cols, cols);
    FX_CHECK_INT(shape.depth, job->gemm.k / 256);
    FX_CHECK_INT(shape.tiles, rows * cols);
    FX_CHECK_INT(shape.bricks, (uint64_t)rows * cols * shape.depth);
}

FX_TEST(cutting)
{
    struct fx_test_job job;
    struct fx_hash client = {{0}};

    fx_test_job_init(&job, 384, 640, 512, 2, 3, &client);
    FX_CHECK_INT(fx_kind_gemm.task_count(job.spec.body), 4);
    check_shape(&job, 0, 0, 0, 2, 3);
    check_shape(&job, 1, 0, 3, 2, 2);
    check_shape(&job, 2, 2, 0, 1, 3);
    check_shape(&job, 3, 2, 3, 1, 2);
    job.gemm.task_rows = UINT32_MAX;
    job.gemm.task_cols = 1;
    fx_test_job_pack(&job);
    FX_CHECK_INT(fx_kind_gemm.task_count(job.spec.body), 5);
    check_shape(&job, 4, 0, 4, 3, 1);
    /* More tasks than a u32 can name. */
    job.gemm.m = 1 << 24;
    job.gemm.n = 1 << 24;
    job.gemm.task_rows = 1;
    fx_test_job_pack(&job);
    FX_CHECK_INT(fx_kind_gemm.task_count(job.spec.body), INT64_C(1) << 34);
    check_shape(&job, UINT32_MAX, UINT32_MAX / (1 << 17), (1 << 17) - 1, 1, 1);
    fx_test_job_clear(&job);
}

FX_TEST(samples)
{
    struct fx_task_shape shape = {.row0 = 2, .col0 = 3, .rows = 2, .cols = 1};
    struct fx_hash hash = {{0}};
    uint32_t row, column;

    fx_store_u64(hash.b, 255);
    fx_store_u64(hash.b + 8, 127);
    fx_kind_gemm.sample(&shape, &hash, &row, &column);
    FX_CHECK_INT(row, 2 * 128 + 255);
    FX_CHECK_INT(column, 3 * 128 + 127);
    fx_store_u64(hash.b, 256);
    fx_store_u64(hash.b + 8, UINT64_MAX);
    fx_kind_gemm.sample(&shape, &hash, &row, &column);
    FX_CHECK_INT(row, 2 * 128);
    FX_CHECK_INT(column, 3 * 128 + 127);
}

/* A job of several tasks, of which one is solved. */
struct solved {
    struct fx_test_job job;
    struct fx_test_key solver;
    struct fx_task_shape shape;
    int32_t *result;
    struct fx_hash root;
};

static void solve(struct solved *s, uint32_t index)
{
    struct fx_hash client = {{0}};

    fx_test_job_init(&s->job, 384, 640, 512, 2, 3, &client);
    fx_test_key(5, &s->solver);
    fx_kind_gemm.task_shape(s->job.spec.body, index, &s->shape);
    s->result = fx_test_job_result(&s->job, &s->shape);
    fx_test_result_root(&s->shape, s->result, &s->solver.xonly, &s->root);
}

static void solved_clear(struct solved *s)
{
    free(s->result);
    fx_test_job_clear(&s->job);
}

static enum fx_entry verify(const struct solved *s, uint32_t row, uint32_t column,
                            const struct fx_buf *proof)
{
    struct fx_span span = {proof->data, proof->len};

    return fx_kind_gemm.verify_entry(s->job.spec.body, &s->shape, &s->solver.xonly, &s->root, row,
                                     column, span);
}

FX_TEST(entry_proofs)
{
    struct solved s;
    uint32_t corners[][2] = {{0, 384}, {255, 639}, {130, 500}, {127, 511}};

    solve(&s, 1);
    for (size_t at = 0; at < 4; at++) {
        struct fx_buf proof = FX_BUF_INIT;

        fx_test_entry_proof(&s.job, &s.shape, s.result, &s.solver.xonly, corners[at][0],
                            corners[at][1], &proof);
        FX_CHECK_INT(proof.len, fx_kind_gemm.entry_proof_size(s.job.spec.body, &s.shape));
        FX_CHECK_INT(verify(&s, corners[at][0], corners[at][1], &proof), FX_ENTRY_EQUAL);
        FX_CHECK_INT(verify(&s, corners[at][0] ^ 1, corners[at][1], &proof), FX_ENTRY_NEITHER);
        FX_CHECK_INT(verify(&s, corners[at][0], corners[at][1] ^ 1, &proof), FX_ENTRY_NEITHER);
        fx_buf_clear(&proof);
    }
    solved_clear(&s);
}

FX_TEST(entry_proofs_of_an_invalid_body)
{
    static const struct fx_buf nothing = FX_BUF_INIT;
    struct solved s;

    /* Such a body asks for no bytes: none is proof of anything. */
    solve(&s, 1);
    s.job.gemm.task_rows = 0;
    fx_test_job_pack(&s.job);
    FX_CHECK_INT(fx_kind_gemm.entry_proof_size(s.job.spec.body, &s.shape), 0);
    FX_CHECK_INT(verify(&s, 0, 384, &nothing), FX_ENTRY_NEITHER);
    solved_clear(&s);
}

FX_TEST(entry_proof_of_a_wrong_result)
{
    struct solved s;
    struct fx_buf proof = FX_BUF_INIT;

    solve(&s, 1);
    s.result[5 * 256 + 9]++;
    fx_test_result_root(&s.shape, s.result, &s.solver.xonly, &s.root);
    fx_test_entry_proof(&s.job, &s.shape, s.result, &s.solver.xonly, 5, 384 + 9, &proof);
    FX_CHECK_INT(verify(&s, 5, 384 + 9, &proof), FX_ENTRY_DIFFERENT);
    /* Its neighbours are right. */
    fx_buf_clear(&proof);
    fx_test_entry_proof(&s.job, &s.shape, s.result, &s.solver.xonly, 5, 384 + 10, &proof);
    FX_CHECK_INT(verify(&s, 5, 384 + 10, &proof), FX_ENTRY_EQUAL);
    fx_buf_clear(&proof);
    solved_clear(&s);
}

FX_TEST(altered_entry_proofs)
{
    struct solved s;
    struct fx_buf proof = FX_BUF_INIT;
    struct fx_hash other = {{9}};
    struct fx_span span;

    solve(&s, 1);
    fx_test_entry_proof(&s.job, &s.shape, s.result, &s.solver.xonly, 77, 400, &proof);
    /* Any bit of it, in steps that meet every part. */
    for (size_t at = 0; at < proof.len; at += 13) {
        proof.data[at] ^= 0x10;
        FX_CHECK_INT(verify(&s, 77, 400, &proof), FX_ENTRY_NEITHER);
        proof.data[at] ^= 0x10;
    }
    FX_CHECK_INT(verify(&s, 77, 400, &proof), FX_ENTRY_EQUAL);
    proof.len--;
    FX_CHECK_INT(verify(&s, 77, 400, &proof), FX_ENTRY_NEITHER);
    proof.len++;
    fx_buf_u8(&proof, 0);
    FX_CHECK_INT(verify(&s, 77, 400, &proof), FX_ENTRY_NEITHER);
    proof.len--;
    /* Another solver, another result. */
    span.data = proof.data;
    span.len = proof.len;
    FX_CHECK_INT(
        fx_kind_gemm.verify_entry(s.job.spec.body, &s.shape, &other, &s.root, 77, 400, span),
        FX_ENTRY_NEITHER);
    FX_CHECK_INT(fx_kind_gemm.verify_entry(s.job.spec.body, &s.shape, &s.solver.xonly, &other, 77,
                                           400, span),
                 FX_ENTRY_NEITHER);
    fx_buf_clear(&proof);
    solved_clear(&s);
}

/*
 * Proofs of entries outside, in which every hash is right: the number that such an entry's tile
 * would have, cut to the depth of the tree, is that of another tile. Only the check of the place
 * tells them from a proof that the result is wrong.
 */
FX_TEST(entries_outside_the_rectangle)
{
    static const struct {
        uint32_t index, row, column, tile;
    } cases[] = {
        {1, 256 + 5, 384, 0}, /* below: number 4 of 0..3 */
        {1, 5, 383, 3},       /* to the left: number -1 */
        {0, 5, 384, 3},       /* to the right: the first tile of the next row */
        {2, 128 + 5, 0, 1},   /* above: number -3 */
    };

    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        struct solved s;
        struct fx_buf proof = FX_BUF_INIT;

        solve(&s, cases[at].index);
        fx_test_operand_part(&s.job, FX_SIDE_A, cases[at].row, &proof);
        fx_test_operand_part(&s.job, FX_SIDE_B, cases[at].column, &proof);
        fx_test_result_part(&s.shape, s.result, &s.solver.xonly, cases[at].tile, cases[at].row,
                            &proof);
        FX_CHECK_INT(proof.len, fx_kind_gemm.entry_proof_size(s.job.spec.body, &s.shape));
        FX_CHECK_INT(verify(&s, cases[at].row, cases[at].column, &proof), FX_ENTRY_NEITHER);
        FX_CHECK_INT(verify(&s, UINT32_MAX, UINT32_MAX, &proof), FX_ENTRY_NEITHER);
        fx_buf_clear(&proof);
        solved_clear(&s);
    }
}

FX_TEST(entry_proofs_with_full_range_operands)
{
    struct solved s;
    struct fx_buf proof = FX_BUF_INIT;

    solve(&s, 0);
    memset(s.job.a, -128, (size_t)s.job.gemm.m * s.job.gemm.k);
    memset(s.job.b, -128, (size_t)s.job.gemm.n * s.job.gemm.k);
    FX_CHECK(fx_commit_operand_matrix(s.job.a, s.job.gemm.m, s.job.gemm.k, &s.job.gemm.root_a));
    FX_CHECK(fx_commit_operand_matrix(s.job.b, s.job.gemm.n, s.job.gemm.k, &s.job.gemm.root_b));
    fx_test_job_pack(&s.job);
    free(s.result);
    s.result = fx_test_job_result(&s.job, &s.shape);
    FX_CHECK_INT(s.result[0], 512 << 14);
    fx_test_result_root(&s.shape, s.result, &s.solver.xonly, &s.root);
    fx_test_entry_proof(&s.job, &s.shape, s.result, &s.solver.xonly, 3, 4, &proof);
    FX_CHECK_INT(verify(&s, 3, 4, &proof), FX_ENTRY_EQUAL);
    fx_buf_clear(&proof);
    solved_clear(&s);
}

FX_TEST(tiles)
{
    struct solved s;
    uint8_t data[FX_TILE_BYTES], path[32 * FX_TREE_DEPTH_MAX];
    struct fx_span data_span = {data, sizeof(data)}, path_span = {path, 0};

    solve(&s, 0);
    for (uint32_t tile = 0; tile < s.shape.tiles; tile++) {
        const struct fx_hash *solver = &s.solver.xonly;

        path_span.len = 32 * fx_test_result_tile(&s.shape, s.result, solver, tile, data, path);
        FX_CHECK_INT(path_span.len, 96);
        FX_CHECK(fx_kind_gemm.verify_tile(&s.shape, solver, &s.root, tile, data_span, path_span));
        FX_CHECK(
            !fx_kind_gemm.verify_tile(&s.shape, solver, &s.root, tile ^ 1, data_span, path_span));
        FX_CHECK(!fx_kind_gemm.verify_tile(&s.shape, &s.root, &s.root, tile, data_span, path_span));
        data[4000] ^= 1;
        FX_CHECK(!fx_kind_gemm.verify_tile(&s.shape, solver, &s.root, tile, data_span, path_span));
        data[4000] ^= 1;
        path_span.len -= 32;
        FX_CHECK(!fx_kind_gemm.verify_tile(&s.shape, solver, &s.root, tile, data_span, path_span));
        data_span.len--;
        path_span.len += 32;
        FX_CHECK(!fx_kind_gemm.verify_tile(&s.shape, solver, &s.root, tile, data_span, path_span));
        data_span.len++;
    }
    /* Six tiles in a tree of eight: padding is no tile. */
    FX_CHECK(
        !fx_kind_gemm.verify_tile(&s.shape, &s.solver.xonly, &s.root, 6, data_span, path_span));
    solved_clear(&s);
}

/* A number beyond the rectangle that a full tree would take for one within. */
FX_TEST(tiles_outside_the_rectangle)
{
    struct solved s;
    uint8_t data[FX_TILE_BYTES], path[32 * FX_TREE_DEPTH_MAX];
    struct fx_span data_span = {data, sizeof(data)}, path_span = {path, 64};

    solve(&s, 1);
    FX_CHECK_INT(fx_test_result_tile(&s.shape, s.result, &s.solver.xonly, 0, data, path), 2);
    FX_CHECK(fx_kind_gemm.verify_tile(&s.shape, &s.solver.xonly, &s.root, 0, data_span, path_span));
    FX_CHECK(
        !fx_kind_gemm.verify_tile(&s.shape, &s.solver.xonly, &s.root, 4, data_span, path_span));
    solved_clear(&s);
}
