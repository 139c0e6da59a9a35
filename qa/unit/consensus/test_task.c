/* Task outputs as bytes: specs, preimages, scripts, records, announcements. */
#include "consensus/task.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"

static const struct fx_hash client = {{0xc1, 2, 3}};

static struct fx_span span_of(const struct fx_buf *buf)
{
    struct fx_span span = {buf->data, buf->len};

    return span;
}

/* A job, and a task of it in any state. */
static void make(struct fx_test_job *job, struct fx_task *task, enum fx_task_state state)
{
    fx_test_job_init(job, 384, 256, 512, 2, 1, &client);
    memset(task, 0, sizeof(*task));
    task->state = (uint8_t)state;
    task->spec = job->spec;
    task->index = 3;
    if (state != FX_TASK_FUNDED) {
        memset(&task->origin, 0x11, sizeof(task->origin));
        task->escrow = 7;
        task->bond = 8;
        task->burn = 9;
        memset(&task->solver, 0x22, sizeof(task->solver));
        memset(&task->result, 0x33, sizeof(task->result));
    }
    if (state == FX_TASK_CHALLENGED) {
        task->tile = 1;
    }
}

static bool reads(const struct fx_task *task)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_task back;
    bool ok;

    fx_task_write(task, &preimage);
    ok = fx_task_read(fx_params_get(FX_REGTEST), span_of(&preimage), &back);
    fx_buf_clear(&preimage);
    return ok;
}

FX_TEST(preimages)
{
    static const size_t sizes[] = {167, 255, 259};

    for (unsigned state = 0; state <= 2; state++) {
        struct fx_test_job job;
        struct fx_task task, back;
        struct fx_buf preimage = FX_BUF_INIT, again = FX_BUF_INIT;

        make(&job, &task, (enum fx_task_state)state);
        fx_task_write(&task, &preimage);
        FX_CHECK_INT(preimage.len, sizes[state]);
        FX_CHECK(fx_task_read(fx_params_get(FX_REGTEST), span_of(&preimage), &back));
        FX_CHECK_INT(back.state, state);
        FX_CHECK(fx_outpoint_equal(&back.origin, &task.origin));
        FX_CHECK_INT(back.spec.version, 1);
        FX_CHECK_INT(back.spec.kind, FX_KIND_GEMM);
        FX_CHECK(fx_hash_equal(&back.spec.client, &client));
        FX_CHECK_INT(back.spec.deadline, job.spec.deadline);
        FX_CHECK_INT(back.spec.window, job.spec.window);
        FX_CHECK_INT(back.spec.exclusive, job.spec.exclusive);
        FX_CHECK_INT(back.spec.body.len, FX_GEMM_BODY_SIZE);
        FX_CHECK_INT(back.index, 3);
        FX_CHECK_INT(back.escrow, task.escrow);
        FX_CHECK_INT(back.bond, task.bond);
        FX_CHECK_INT(back.burn, task.burn);
        FX_CHECK(fx_hash_equal(&back.solver, &task.solver));
        FX_CHECK(fx_hash_equal(&back.result, &task.result));
        FX_CHECK_INT(back.tile, task.tile);
        FX_CHECK(back.kind == &fx_kind_gemm);
        FX_CHECK_INT(back.shape.row0, 2);
        FX_CHECK_INT(back.shape.col0, 1);
        FX_CHECK_INT(back.shape.bricks, 2);
        fx_task_write(&back, &again);
        FX_CHECK_INT(again.len, preimage.len);
        FX_CHECK_MEM(again.data, preimage.data, preimage.len);
        fx_buf_clear(&preimage);
        fx_buf_clear(&again);
        fx_test_job_clear(&job);
    }
}

/* The bytes at their places, as the protocol lists them. */
FX_TEST(layout)
{
    struct fx_test_job job;
    struct fx_task task;
    struct fx_buf p = FX_BUF_INIT;

    make(&job, &task, FX_TASK_CHALLENGED);
    job.spec.exclusive = task.spec.exclusive = 0x0102;
    fx_task_write(&task, &p);
    FX_CHECK_INT(p.data[0], 2);
    FX_CHECK_INT(p.data[1], 0x11);
    FX_CHECK_INT(p.data[36], 0x11);
    FX_CHECK_HEX(p.data + 37, "0101c10203");
    FX_CHECK_INT(fx_load_u32(p.data + 71), job.spec.deadline);
    FX_CHECK_HEX(p.data + 75, "14000201");
    FX_CHECK_MEM(p.data + 79, job.body, FX_GEMM_BODY_SIZE);
    FX_CHECK_INT(fx_load_u32(p.data + 163), 3);
    FX_CHECK_INT(fx_load_u64(p.data + 167), 7);
    FX_CHECK_INT(fx_load_u64(p.data + 175), 8);
    FX_CHECK_INT(fx_load_u64(p.data + 183), 9);
    FX_CHECK_INT(p.data[191], 0x22);
    FX_CHECK_INT(p.data[223], 0x33);
    FX_CHECK_INT(fx_load_u32(p.data + 255), 1);
    fx_buf_clear(&p);
    fx_test_job_clear(&job);
}

FX_TEST(lengths_of_preimages)
{
    for (unsigned state = 0; state <= 2; state++) {
        struct fx_test_job job;
        struct fx_task task, back;
        struct fx_buf preimage = FX_BUF_INIT;
        size_t full;

        make(&job, &task, (enum fx_task_state)state);
        fx_task_write(&task, &preimage);
        full = preimage.len;
        fx_buf_u8(&preimage, 0);
        for (preimage.len = 0; preimage.len <= full + 1; preimage.len++) {
            FX_CHECK_INT(fx_task_read(fx_params_get(FX_REGTEST), span_of(&preimage), &back),
                         preimage.len == full);
            FX_CHECK_INT(fx_task_read_head(span_of(&preimage), &back), preimage.len >= 83);
        }
        preimage.len = full;
        preimage.data[0] = 3;
        FX_CHECK(!fx_task_read(fx_params_get(FX_REGTEST), span_of(&preimage), &back));
        fx_buf_clear(&preimage);
        fx_test_job_clear(&job);
    }
}

FX_TEST(head_of_an_invalid_spec)
{
    struct fx_test_job job;
    struct fx_task task, back;
    struct fx_buf preimage = FX_BUF_INIT;

    make(&job, &task, FX_TASK_FUNDED);
    task.spec.version = 9;
    task.spec.kind = 7;
    task.spec.deadline = 5;
    fx_task_write(&task, &preimage);
    FX_CHECK(!fx_task_read(fx_params_get(FX_REGTEST), span_of(&preimage), &back));
    FX_CHECK(fx_task_read_head(span_of(&preimage), &back));
    FX_CHECK_INT(back.state, FX_TASK_FUNDED);
    FX_CHECK(fx_outpoint_is_zero(&back.origin));
    FX_CHECK_INT(back.spec.version, 9);
    FX_CHECK_INT(back.spec.kind, 7);
    FX_CHECK_INT(back.spec.deadline, 5);
    FX_CHECK(fx_hash_equal(&back.spec.client, &client));
    fx_buf_clear(&preimage);
    fx_test_job_clear(&job);
}

static bool spec_reads(const struct fx_task_spec *spec)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_task_spec read;
    bool ok;

    fx_task_spec_write(spec, &buf);
    ok = fx_task_spec_read(fx_params_get(FX_REGTEST), (struct fx_span){buf.data, buf.len}, &read);
    fx_buf_clear(&buf);
    return ok;
}

FX_TEST(specs_by_themselves)
{
    struct fx_test_job job;
    struct fx_task task;
    uint8_t body[256] = {0};

    make(&job, &task, FX_TASK_FUNDED);
    FX_CHECK(spec_reads(&task.spec));
    task.spec.kind = 2;
    FX_CHECK(!spec_reads(&task.spec));
    task.spec.kind = 1;
    FX_CHECK(task.spec.body.len <= sizeof body);
    task.spec.body.data = body; /* a product of nothing */
    FX_CHECK(!spec_reads(&task.spec));
    fx_test_job_clear(&job);
}

FX_TEST(valid_specs)
{
    struct fx_test_job job;
    struct fx_task task;

    make(&job, &task, FX_TASK_FUNDED);
    FX_CHECK(reads(&task));
    task.spec.version = 0;
    FX_CHECK(!reads(&task));
    task.spec.version = 2;
    FX_CHECK(!reads(&task));
    task.spec.version = 1;
    task.spec.kind = 0;
    FX_CHECK(!reads(&task));
    task.spec.kind = 2;
    FX_CHECK(!reads(&task));
    task.spec.kind = 1;
    task.spec.window = 0; /* regtest: at least 1 */
    FX_CHECK(!reads(&task));
    task.spec.window = 1;
    FX_CHECK(reads(&task));
    task.spec.window = 32767;
    FX_CHECK(reads(&task));
    task.spec.window = 32768;
    FX_CHECK(!reads(&task));
    task.spec.window = 20;
    task.spec.exclusive = 144;
    FX_CHECK(reads(&task));
    task.spec.exclusive = 145;
    FX_CHECK(!reads(&task));
    task.spec.exclusive = 0;
    task.spec.deadline = 499999999;
    FX_CHECK(!reads(&task));
    task.spec.deadline = 500000000;
    FX_CHECK(reads(&task));
    task.index = 4;
    FX_CHECK(!reads(&task));
    task.index = UINT32_MAX;
    FX_CHECK(!reads(&task));
    task.index = 0;
    FX_CHECK(reads(&task));
    job.gemm.k = 128;
    fx_test_job_pack(&job);
    FX_CHECK(!reads(&task));
    fx_test_job_clear(&job);
}

FX_TEST(window_of_the_network)
{
    struct fx_params params = *fx_params_get(FX_REGTEST);
    struct fx_test_job job;
    struct fx_task task;
    struct fx_buf spec = FX_BUF_INIT;
    struct fx_task_spec back;

    FX_CHECK_INT(fx_params_get(FX_MAIN)->window_min, 14);
    FX_CHECK_INT(fx_params_get(FX_TEST)->window_min, 2);
    FX_CHECK_INT(params.window_min, 1);
    make(&job, &task, FX_TASK_FUNDED);
    fx_task_spec_write(&job.spec, &spec);
    FX_CHECK_INT(spec.len, FX_TASK_SPEC_HEAD + FX_GEMM_BODY_SIZE);
    params.window_min = job.spec.window;
    FX_CHECK(fx_task_spec_read(&params, span_of(&spec), &back));
    params.window_min++;
    FX_CHECK(!fx_task_spec_read(&params, span_of(&spec), &back));
    fx_buf_clear(&spec);
    fx_test_job_clear(&job);
}

FX_TEST(more_tasks_than_an_index_names)
{
    struct fx_test_job job;
    struct fx_task task;

    make(&job, &task, FX_TASK_FUNDED);
    job.gemm.m = 1 << 24;
    job.gemm.n = 1 << 24;
    job.gemm.task_rows = 1;
    fx_test_job_pack(&job);
    task.index = UINT32_MAX;
    FX_CHECK(reads(&task));
    fx_test_job_clear(&job);
}

FX_TEST(programs)
{
    struct fx_test_job job;
    struct fx_task task;
    struct fx_buf fresh = FX_BUF_INIT, same = FX_BUF_INIT;
    struct fx_hash program, expected, got;
    uint8_t script[FX_TASK_SCRIPT_SIZE + 1];
    struct fx_span span = {script, FX_TASK_SCRIPT_SIZE};

    make(&job, &task, FX_TASK_FUNDED);
    fx_task_fresh_preimage(&job.spec, 3, &fresh);
    fx_task_write(&task, &same);
    FX_CHECK_INT(fresh.len, same.len);
    FX_CHECK_MEM(fresh.data, same.data, same.len);

    fx_task_program(span_of(&fresh), &program);
    fx_tagged_hash("fornax/p2task", fresh.data, fresh.len, expected.b);
    FX_CHECK_MEM(program.b, expected.b, 32);
    fx_task_script(&program, script);
    FX_CHECK_HEX(script, "5220");
    FX_CHECK(fx_script_is_task(span, &got));
    FX_CHECK_MEM(got.b, program.b, 32);
    FX_CHECK(fx_script_is_task(span, NULL));
    script[0] = 0x51; /* taproot */
    FX_CHECK(!fx_script_is_task(span, &got));
    script[0] = 0x52;
    script[1] = 31;
    FX_CHECK(!fx_script_is_task(span, &got));
    script[1] = 32;
    span.len--;
    FX_CHECK(!fx_script_is_task(span, &got));
    span.len += 2;
    FX_CHECK(!fx_script_is_task(span, &got));

    fx_task_accept_hash(&program, &got);
    fx_tagged_hash("fornax/accept", program.b, 32, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    fx_buf_clear(&fresh);
    fx_buf_clear(&same);
    fx_test_job_clear(&job);
}

FX_TEST(hashes_of_random_choices)
{
    struct fx_hash beacon = {{1, 2}}, got, expected;
    struct fx_outpoint origin;
    uint8_t message[69];

    memset(&origin, 0, sizeof(origin));
    origin.txid.b[0] = 3;
    origin.index = 0x01020304;
    memset(message, 0, sizeof(message));
    memcpy(message, beacon.b, 32);
    message[32] = 3;
    memcpy(message + 64, "\x04\x03\x02\x01", 4);
    fx_task_assign_hash(&beacon, &origin, &got);
    fx_tagged_hash("fornax/assign", message, 68, expected.b);
    FX_CHECK_MEM(got.b, expected.b, 32);
    for (uint8_t number = 0; number < FX_TASK_SAMPLES; number++) {
        message[68] = number;
        fx_task_sample_hash(&beacon, &origin, number, &got);
        fx_tagged_hash("fornax/sample", message, 69, expected.b);
        FX_CHECK_MEM(got.b, expected.b, 32);
    }
}

/* A transaction whose first output has this script. */
static struct fx_tx *with_output(const uint8_t *script, size_t n)
{
    struct fx_txb b;
    struct fx_outpoint prevout;
    struct fx_tx *tx;

    memset(&prevout, 1, sizeof(prevout));
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 0, script, n);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

static bool announces(const uint8_t *script, size_t n, uint32_t *first)
{
    struct fx_task_spec spec;
    struct fx_tx *tx = with_output(script, n);
    bool ok = fx_task_announcement_read(fx_params_get(FX_REGTEST), tx, first, &spec);

    if (ok) {
        FX_CHECK(fx_hash_equal(&spec.client, &client));
        FX_CHECK_INT(spec.body.len, FX_GEMM_BODY_SIZE);
    }
    fx_tx_unref(tx);
    return ok;
}

FX_TEST(announcements)
{
    struct fx_test_job job;
    struct fx_task task;
    struct fx_buf script = FX_BUF_INIT;
    uint32_t first = 0;

    make(&job, &task, FX_TASK_FUNDED);
    fx_task_announcement_write(0xabcd, &job.spec, &script);
    FX_CHECK_INT(script.len, 137);
    FX_CHECK_HEX(script.data, "6a4c86"
                              "66786a73"
                              "cdab0000"
                              "0101");
    FX_CHECK(announces(script.data, script.len, &first));
    FX_CHECK_INT(first, 0xabcd);
    FX_CHECK(!announces(script.data, script.len - 1, &first));
    for (size_t at = 0; at < 7; at++) {
        script.data[at] ^= 1;
        FX_CHECK(!announces(script.data, script.len, &first));
        script.data[at] ^= 1;
    }
    script.data[11] = 2; /* version of the spec */
    FX_CHECK(!announces(script.data, script.len, &first));
    script.data[11] = 1;
    fx_buf_u8(&script, 0);
    FX_CHECK(!announces(script.data, script.len, &first));
    script.data[2]++;
    FX_CHECK(!announces(script.data, script.len, &first));
    FX_CHECK(!announces(script.data, 0, &first));
    FX_CHECK(!announces(script.data, 3, &first));
    fx_buf_clear(&script);
    fx_test_job_clear(&job);
}

static void fill_record(struct fx_task_record *record)
{
    memset(record, 0, sizeof(*record));
    record->live = true;
    memset(&record->outpoint, 5, sizeof(record->outpoint));
    record->state = FX_TASK_CLAIMED;
    record->backed = true;
    record->asked = 3;
    record->h0 = 100;
    record->settled = 200;
    memset(&record->client, 6, sizeof(record->client));
    memset(&record->solver, 7, sizeof(record->solver));
    record->bricks = UINT64_C(1) << 40;
    record->burn = UINT64_C(1) << 50;
}

FX_TEST(records)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        struct fx_task_record record, back;
        struct fx_buf buf = FX_BUF_INIT;
        struct fx_reader r;

        fill_record(&record);
        record.live = flags & 1;
        record.backed = flags & 2;
        fx_task_record_write(&record, &buf);
        fx_reader_init(&r, buf.data, buf.len);
        FX_CHECK(fx_task_record_read(&r, &back));
        FX_CHECK(fx_reader_done(&r));
        FX_CHECK(fx_task_record_equal(&record, &back));
        for (size_t n = 0; n < buf.len; n++) {
            fx_reader_init(&r, buf.data, n);
            FX_CHECK(!fx_task_record_read(&r, &back));
        }
        if (record.live) {
            buf.data[37] = FX_TASK_CHALLENGED;
            fx_reader_init(&r, buf.data, buf.len);
            FX_CHECK(fx_task_record_read(&r, &back));
            buf.data[37]++;
            fx_reader_init(&r, buf.data, buf.len);
            FX_CHECK(!fx_task_record_read(&r, &back));
            buf.data[37] = 0;
        }
        buf.data[0] |= 4;
        fx_reader_init(&r, buf.data, buf.len);
        FX_CHECK(!fx_task_record_read(&r, &back));
        fx_buf_clear(&buf);
    }
}

FX_TEST(records_differ_in_each_field)
{
    struct fx_task_record a, b;

#define DIFFERS(change)                      \
    fill_record(&a);                         \
    fill_record(&b);                         \
    FX_CHECK(fx_task_record_equal(&a, &b));  \
    change;                                  \
    FX_CHECK(!fx_task_record_equal(&a, &b)); \
    FX_CHECK(!fx_task_record_equal(&b, &a))

    DIFFERS(b.live = false);
    DIFFERS(b.outpoint.index++);
    DIFFERS(b.outpoint.txid.b[3]++);
    DIFFERS(b.state = FX_TASK_FUNDED);
    DIFFERS(b.backed = false);
    DIFFERS(b.asked++);
    DIFFERS(b.h0++);
    DIFFERS(b.settled++);
    DIFFERS(b.client.b[31]++);
    DIFFERS(b.solver.b[31]++);
    DIFFERS(b.bricks++);
    DIFFERS(b.burn++);
#undef DIFFERS
    /* Without an outpoint, its fields do not count. */
    fill_record(&a);
    a.live = false;
    b = a;
    b.outpoint.index++;
    b.state = FX_TASK_FUNDED;
    FX_CHECK(fx_task_record_equal(&a, &b));
}
