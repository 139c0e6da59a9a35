/*
 * A second job kind, in this binary alone: "digits" asks for the decimal digits of a * b, number by
 * number. It enters by the table that params carry, as gemm does, and everything around kinds must
 * take it without knowing it: preimages, shapes, records, claims, samples, settlement.
 */
#include "consensus/kinds/kind.h"

#include <string.h>

#include "consensus/work.h"
#include "qa/unit/consensus/spend_case.h"
#include "qa/unit/harness.h"

#define DIGITS 200

/* Body: count u32, factor u32. A task is up to 256 rows of one tile column. */
static bool digits_check(struct fx_span body)
{
    return body.len == 8 && fx_load_u32(body.data) > 0 && fx_load_u32(body.data) <= 100000;
}

static uint64_t digits_tasks(struct fx_span body)
{
    return (fx_load_u32(body.data) + 255) / 256;
}

static void digits_shape(struct fx_span body, uint32_t index, struct fx_task_shape *shape)
{
    uint32_t left = fx_load_u32(body.data) - 256 * index;

    memset(shape, 0, sizeof *shape);
    shape->row0 = 256 * index;
    shape->rows = left < 256 ? left : 256;
    shape->cols = shape->depth = 1;
    shape->tiles = shape->bricks = shape->rows;
}

static void digits_sample(const struct fx_task_shape *shape, const struct fx_hash *hash,
                          uint32_t *row, uint32_t *column)
{
    *row = shape->row0 + (uint32_t)(fx_load_u64(hash->b) % shape->rows);
    *column = 0;
}

/* A proof is the digit sum that the solver claims for a row; the result root plays no part. */
static enum fx_entry digits_verify(struct fx_span body, const struct fx_task_shape *shape,
                                   const struct fx_hash *solver, const struct fx_hash *result,
                                   uint32_t row, uint32_t column, struct fx_span proof)
{
    uint64_t product = (uint64_t)row * fx_load_u32(body.data + 4);
    uint32_t sum = 0;

    (void)solver;
    (void)result;
    if (proof.len != 4 || column != 0 || row < shape->row0 || row - shape->row0 >= shape->rows)
        return FX_ENTRY_NEITHER;
    for (; product > 0; product /= 10)
        sum += (uint32_t)(product % 10);
    return fx_load_u32(proof.data) == sum ? FX_ENTRY_EQUAL : FX_ENTRY_DIFFERENT;
}

static size_t digits_proof_size(struct fx_span body, const struct fx_task_shape *shape)
{
    (void)body;
    (void)shape;
    return 4;
}

static bool digits_tile(const struct fx_task_shape *shape, const struct fx_hash *solver,
                        const struct fx_hash *result, uint32_t tile, struct fx_span data,
                        struct fx_span path)
{
    (void)solver;
    (void)result;
    (void)path;
    return tile < shape->tiles && data.len == 4;
}

static const struct fx_kind kind_digits = {
    .id = DIGITS,
    .name = "digits",
    .check_body = digits_check,
    .task_count = digits_tasks,
    .task_shape = digits_shape,
    .sample = digits_sample,
    .verify_entry = digits_verify,
    .entry_proof_size = digits_proof_size,
    .verify_tile = digits_tile,
    .mineable = false,
};

static const struct fx_kind *const two_kinds[] = {&fx_kind_gemm, &kind_digits, NULL};

static const uint8_t body_bytes[8] = {0x2c, 1, 0, 0, 7, 0, 0, 0}; /* 300 numbers, times 7 */

static struct fx_params params_of(void)
{
    struct fx_params params = *fx_params_get(FX_REGTEST);

    params.kinds = two_kinds;
    return params;
}

static struct fx_task_spec spec_of(const struct fx_hash *client)
{
    struct fx_task_spec spec = {.version = 1, .kind = DIGITS, .deadline = 1700000000, .window = 1};

    spec.client = *client;
    spec.body = (struct fx_span){body_bytes, sizeof body_bytes};
    return spec;
}

FX_TEST(it_is_found_beside_gemm)
{
    struct fx_params params = params_of();

    FX_CHECK(fx_kind_find(params.kinds, DIGITS) == &kind_digits);
    FX_CHECK(fx_kind_find(params.kinds, FX_KIND_GEMM) == &fx_kind_gemm);
    FX_CHECK(fx_kind_find(fx_kinds_v1, DIGITS) == NULL);
}

FX_TEST(preimages_parse_and_have_its_shape)
{
    struct fx_params params = params_of();
    struct fx_hash client = {{3}};
    struct fx_task_spec spec = spec_of(&client), back;
    struct fx_buf preimage = FX_BUF_INIT, text = FX_BUF_INIT;
    struct fx_task task;

    fx_task_spec_write(&spec, &text);
    FX_CHECK(fx_task_spec_read(&params, (struct fx_span){text.data, text.len}, &back));
    FX_CHECK_INT(back.kind, DIGITS);
    /* Where the kind is not in the table the same bytes are no valid spec. */
    FX_CHECK(!fx_task_spec_read(fx_params_get(FX_REGTEST), (struct fx_span){text.data, text.len},
                                &back));
    for (uint32_t index = 0; index < 3; index++) {
        struct fx_span span;

        preimage.len = 0;
        fx_task_fresh_preimage(&spec, index, &preimage);
        span = (struct fx_span){preimage.data, preimage.len};
        FX_CHECK_INT(fx_task_read(&params, span, &task), index < 2);
        FX_CHECK(!fx_task_read(fx_params_get(FX_REGTEST), span, &task));
        if (index == 2)
            continue;
        FX_CHECK(fx_task_read(&params, span, &task));
        FX_CHECK(task.kind == &kind_digits);
        FX_CHECK_INT(task.shape.row0, 256 * index);
        FX_CHECK_INT(task.shape.bricks, index == 0 ? 256 : 44);
    }
    fx_buf_clear(&preimage);
    fx_buf_clear(&text);
}

static bool any_body(struct fx_span body)
{
    (void)body;
    return true;
}

static uint64_t one_task(struct fx_span body)
{
    (void)body;
    return 1;
}

static void no_shape(struct fx_span body, uint32_t index, struct fx_task_shape *shape)
{
    (void)body;
    (void)index;
    memset(shape, 0, sizeof *shape);
}

/* A body may be empty; what stands around it is complete all the same. */
FX_TEST(a_head_that_is_cut_short)
{
    struct fx_kind easy = kind_digits;
    const struct fx_kind *const kinds[] = {&easy, NULL};
    struct fx_params params = *fx_params_get(FX_REGTEST);
    struct fx_hash client = {{3}};
    struct fx_task_spec spec = spec_of(&client), back;
    struct fx_buf text = FX_BUF_INIT;
    struct fx_task task;

    easy.check_body = any_body;
    easy.task_count = one_task;
    easy.task_shape = no_shape;
    params.kinds = kinds;
    spec.body.len = 0;
    fx_task_spec_write(&spec, &text);
    FX_CHECK_INT(text.len, FX_TASK_SPEC_HEAD);
    for (size_t n = 0; n <= text.len; n++) {
        FX_CHECK_INT(fx_task_spec_read(&params, (struct fx_span){text.data, n}, &back),
                     n == FX_TASK_SPEC_HEAD);
    }
    text.len = 0;
    fx_task_fresh_preimage(&spec, 0, &text);
    FX_CHECK_INT(text.len, FX_TASK_PREIMAGE_MIN);
    for (size_t n = 0; n <= text.len; n++) {
        FX_CHECK_INT(fx_task_read(&params, (struct fx_span){text.data, n}, &task),
                     n == FX_TASK_PREIMAGE_MIN);
    }
    fx_buf_clear(&text);
}

/* The spend that the scene starts with, made one of a task of the second kind. */
static void make_digits(struct fx_spend_case *s)
{
    s->params.kinds = two_kinds;
    s->task.spec = spec_of(&s->client.xonly);
    s->task.spec.deadline = s->job.spec.deadline;
    s->next.spec = s->task.spec;
    kind_digits.task_shape(s->task.spec.body, 1, &s->shape);
}

static void set_samples(struct fx_spend_case *s, uint32_t off)
{
    for (uint8_t number = 0; number < FX_TASK_SAMPLES; number++) {
        struct fx_hash beacon, hash;
        uint32_t row, column, sum = 0;

        fx_scene_id(951, &beacon);
        fx_task_sample_hash(&beacon, &s->task.origin, number, &hash);
        digits_sample(&s->shape, &hash, &row, &column);
        for (uint64_t product = 7 * (uint64_t)row; product > 0; product /= 10)
            sum += (uint32_t)(product % 10);
        s->items[number].len = 0;
        fx_buf_u32(&s->items[number], sum + off);
    }
}

FX_TEST(a_claim_records_its_bricks)
{
    struct fx_spend_case s;

    fx_case_begin_claim(&s);
    make_digits(&s);
    CHECK_VALID(&s);
    FX_CHECK_INT(fx_case_only_change(&s)->after.bricks, 44);
    FX_CHECK_INT(fx_case_only_change(&s)->after.state, FX_TASK_CLAIMED);
    fx_case_end(&s);

    /* The networks of version 1 know no such kind: all that is left is a refund. */
    fx_case_begin_claim(&s);
    make_digits(&s);
    s.params.kinds = fx_kinds_v1;
    CHECK_REFUSED(&s, "bad-task-spec");
    fx_case_end(&s);
    fx_case_begin_refund(&s);
    make_digits(&s);
    s.params.kinds = fx_kinds_v1;
    CHECK_VALID(&s);
    fx_case_end(&s);
}

FX_TEST(take_asks_its_proofs)
{
    struct fx_spend_case s;

    fx_case_begin_take(&s);
    make_digits(&s);
    set_samples(&s, 0);
    CHECK_VALID(&s);
    FX_CHECK_INT(s.spent.burned, BURN);
    FX_CHECK_INT(fx_case_only_change(&s)->after.settled, s.height);
    fx_case_end(&s);

    fx_case_begin_take(&s);
    make_digits(&s);
    set_samples(&s, 1);
    CHECK_REFUSED(&s, "bad-task-sample");
    fx_case_end(&s);

    /* gemm's proofs are none of this kind. */
    fx_case_begin_take(&s);
    make_digits(&s);
    CHECK_REFUSED(&s, "bad-task-sample");
    fx_case_end(&s);
}

FX_TEST(accept_needs_only_the_certificate)
{
    struct fx_spend_case s;
    struct fx_hash program, hash;
    uint8_t script[FX_TASK_SCRIPT_SIZE], certificate[64];

    fx_case_begin_accept(&s);
    make_digits(&s);
    fx_case_task_script(&s.task, script);
    memcpy(program.b, script + 2, 32);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&s.client, &hash, certificate);
    s.items[0].len = 0;
    fx_buf_bytes(&s.items[0], certificate, 64);
    CHECK_VALID(&s);
    fx_case_end(&s);
}

/* Blocks are mined in gemm tasks only: a proof of another kind has no shape to be read by. */
FX_TEST(no_block_is_mined_in_it)
{
    struct fx_params params = params_of();
    struct fx_hash client = {{3}};
    struct fx_task_spec spec = spec_of(&client);
    struct fx_buf preimage = FX_BUF_INIT, proof = FX_BUF_INIT;
    struct fx_reader r;

    fx_task_fresh_preimage(&spec, 0, &preimage);
    fx_buf_var_bytes(&proof, preimage.data, preimage.len);
    fx_buf_var(&proof, 0);
    for (unsigned at = 0; at < 100000; at++)
        fx_buf_u8(&proof, 0);
    fx_reader_init(&r, proof.data, proof.len);
    FX_CHECK(fx_work_proof_read(&params, &r) == NULL);
    FX_CHECK(r.bad);
    fx_buf_clear(&preimage);
    fx_buf_clear(&proof);
}

/* Nor in one whose body reads as that of gemm. */
FX_TEST(no_block_is_mined_in_a_twin_of_gemm)
{
    struct fx_kind twin = fx_kind_gemm;
    const struct fx_kind *const kinds[] = {&fx_kind_gemm, &twin, NULL};
    struct fx_params params = *fx_params_get(FX_REGTEST);
    struct fx_hash client = {{3}};
    struct fx_test_job job;

    twin.id = DIGITS;
    params.kinds = kinds;
    fx_test_job_init(&job, FX_TILE, FX_TILE, FX_DEPTH, 1, 1, &client);
    for (int other = 0; other <= 1; other++) {
        struct fx_buf preimage = FX_BUF_INIT, bytes = FX_BUF_INIT;
        struct fx_work_proof *proof;
        struct fx_reader r;

        job.spec.kind = other ? DIGITS : FX_KIND_GEMM;
        fx_task_fresh_preimage(&job.spec, 0, &preimage);
        fx_buf_var_bytes(&bytes, preimage.data, preimage.len);
        memset(fx_buf_extend(&bytes, 100000), 0, 100000);
        fx_reader_init(&r, bytes.data, bytes.len);
        proof = fx_work_proof_read(&params, &r);
        FX_CHECK_INT(proof != NULL, !other);
        fx_work_proof_destroy(proof);
        fx_buf_clear(&preimage);
        fx_buf_clear(&bytes);
    }
    fx_test_job_clear(&job);
}
