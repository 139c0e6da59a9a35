/*
 * How much a device is given at a time, by its own clock: a step that is cancelled waits for no
 * more than that. The devices are fakes that take their time and compute nothing, so that fast ones
 * and large tasks can be tried.
 */
#include <string.h>

#include "kernels/kernel.h"
#include "kernels/trial.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/bed.h"
#include "qa/unit/kernels/fake_cuda.h"

#define BOTH (FX_KERNEL_PRODUCT | FX_KERNEL_MINE)
#define MS INT64_C(1000000)
#define MOST (50 * MS)
/* What the first units may take more: the device's first word on its speed is of bricks alone. */
#define SLACK (8 * MS)

static const struct fx_backend *const cuda = &fx_backend_cuda;

static struct fx_device *open_fake(const struct fx_fake_cuda *fake, enum fx_fake_device kind)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device;

    fx_fake_cuda_use(fake);
    fx_fake_cuda_flight_ns();
    device = cuda->open(kind, error);
    if (!device)
        FX_FAIL("open: %s", error);
    return device;
}

static void close_fake(struct fx_device *device)
{
    cuda->close(device);
    fx_fake_cuda_use(NULL);
}

static void check_flight(const char *what, int64_t brick_ns, int64_t most)
{
    int64_t flight = fx_fake_cuda_flight_ns();

    if (flight > most)
        FX_FAIL("%s, bricks of %lld ns: %lld us are under way", what, (long long)brick_ns,
                (long long)(flight / 1000));
}

/* A task of about 25 units. */
static struct fx_kernel_task task_for(struct fx_trial *trial, int64_t brick_ns)
{
    uint64_t bricks = (uint64_t)(500 * MS / brick_ns);
    uint32_t depth = bricks > 100000 ? 64 : 8, side = 1;

    while ((uint64_t)side * side * depth < bricks)
        side++;
    return fx_trial_task(trial, side, side + 1, depth);
}

static void run_out(struct fx_session *session, unsigned mode, uint8_t seed)
{
    const struct fx_kernel_sink sink = {NULL, fx_trial_sink.ticket, NULL};
    struct fx_kernel_header header;
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    enum fx_kernel_step step;

    fx_bed_header(&header, mode, 0);
    header.seed[0] = seed;
    do {
        step = cuda->step(session, &header, 600000, &cancel, &sink, error);
    } while (step == FX_STEP_MORE);
    if (step != FX_STEP_DONE)
        FX_FAIL("step %d: %s", (int)step, error);
}

static void check_speed(enum fx_fake_device kind, int64_t brick_ns, unsigned mode)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_kernel_stats stats;
    struct fx_kernel_task task;
    struct fx_session *session;
    struct fx_device *device;
    struct fx_trial trial;

    fake.brick_ns = brick_ns;
    fake.idle = true;
    device = open_fake(&fake, kind);
    fx_trial_init(&trial);
    task = task_for(&trial, brick_ns);
    session = cuda->begin(device, &task, NULL, error);
    FX_CHECK(session != NULL);
    check_flight("the first word", brick_ns, MOST);
    run_out(session, mode, 1);
    cuda->stats(session, &stats);
    FX_CHECK_INT(stats.bricks, (uint64_t)task.rows * task.cols * task.depth);
    cuda->end(session);
    check_flight("a task", brick_ns, MOST + SLACK);
    fx_trial_clear(&trial);
    close_fake(device);
}

FX_TEST(what_is_under_way_is_over_soon)
{
    static const unsigned modes[] = {BOTH, FX_KERNEL_PRODUCT, FX_KERNEL_MINE};

    /* From an H200 to a processor of two cores. */
    check_speed(FX_FAKE_WGMMA, 600, BOTH);
    for (unsigned at = 0; at < 3; at++) {
        check_speed(FX_FAKE_WGMMA, 20000, modes[at]);
        check_speed(FX_FAKE_MMA16, 20000, modes[at]);
        check_speed(FX_FAKE_MMA16, 200000, modes[at]);
        check_speed(FX_FAKE_WGMMA, 700000, modes[at]);
        check_speed(FX_FAKE_MMA16, 5 * MS, modes[at]);
    }
}

/* It is kept busy all the same: units are not cut into pieces that are too small. */
FX_TEST(a_device_has_enough_to_do)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_kernel_task task;
    struct fx_session *session;
    struct fx_device *device;
    struct fx_trial trial;

    fake.brick_ns = 20000;
    fake.idle = true;
    device = open_fake(&fake, FX_FAKE_WGMMA);
    fx_trial_init(&trial);
    task = task_for(&trial, fake.brick_ns);
    session = cuda->begin(device, &task, NULL, error);
    FX_CHECK(session != NULL);
    fx_fake_cuda_flight_ns();
    run_out(session, BOTH, 1);
    FX_CHECK(fx_fake_cuda_flight_ns() > 25 * MS);
    cuda->end(session);
    fx_trial_clear(&trial);
    close_fake(device);
}

/* Many times slower from one moment to the next, as when it gets hot or has other work: what was
 * under way then takes longer, what comes after does not. */
FX_TEST(a_device_that_slows_down)
{
    const struct fx_kernel_sink sink = {NULL, fx_trial_sink.ticket, NULL};
    const int64_t brick_ns = 20000;
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_kernel_header header;
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    struct fx_kernel_task task;
    struct fx_session *session;
    struct fx_device *device;
    struct fx_trial trial;

    fake.brick_ns = brick_ns;
    fake.idle = true;
    device = open_fake(&fake, FX_FAKE_WGMMA);
    fx_trial_init(&trial);
    task = fx_trial_task(&trial, 40, 40, 256);
    session = cuda->begin(device, &task, NULL, error);
    FX_CHECK(session != NULL);
    fx_bed_header(&header, BOTH, 0);
    FX_CHECK_INT(cuda->step(session, &header, 0, &cancel, &sink, error), FX_STEP_MORE);
    fx_fake_cuda_brick_ns(4 * brick_ns);
    FX_CHECK_INT(cuda->step(session, &header, 0, &cancel, &sink, error), FX_STEP_MORE);
    fx_fake_cuda_flight_ns();
    /* The same supertile still, which was made for a faster device. */
    FX_CHECK_INT(cuda->step(session, &header, 0, &cancel, &sink, error), FX_STEP_MORE);
    check_flight("the supertile that it had", 4 * brick_ns, MOST);
    run_out(session, BOTH, 2);
    cuda->end(session);
    fx_trial_clear(&trial);
    close_fake(device);
}

/* ---- operands -------------------------------------------------------------------------------- */

/* The tip moves while operands are read: at this read. */
struct reader {
    struct fx_bed *bed;
    atomic_bool cancel;
    uint64_t at;
};

static bool read_and_cancel(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                            uint32_t count, int8_t *out)
{
    struct reader *reader = ctx;
    const struct fx_kernel_operands *operands = &reader->bed->task.operands;

    if (reader->bed->reads + 1 == reader->at)
        atomic_store(&reader->cancel, true);
    return operands->read(operands->ctx, side, panel, first, count, out);
}

/* Nothing more is read then, and nothing that was read is read again. */
FX_TEST(the_tip_moves_while_operands_are_read)
{
    struct fx_kernel_header header;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_kernel_task task;
    struct fx_session *session;
    struct fx_device *device;
    struct reader reader;
    struct fx_bed bed;
    enum fx_kernel_step step;

    device = open_fake(&fx_fake_cuda_usual, FX_FAKE_MMA16);
    fx_bed_init(&bed, 0, 0, 2, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    reader = (struct reader){.bed = &bed};
    task = bed.task;
    task.operands = (struct fx_kernel_operands){&reader, read_and_cancel};
    session = cuda->begin(device, &task, NULL, error);
    FX_CHECK(session != NULL);
    do {
        uint64_t before = bed.reads;

        atomic_store(&reader.cancel, false);
        reader.at = before + 1;
        /* Now the product, now its bricks for tickets alone, of another supertile perhaps. */
        fx_bed_header(&header, before % 3 == 1 ? FX_KERNEL_MINE : BOTH, 0);
        step = cuda->step(session, &header, 600000, &reader.cancel, &bed.sink, error);
        if (step == FX_STEP_FAILED)
            FX_FAIL("step: %s", error);
        FX_CHECK(bed.reads <= before + 1);
    } while (step != FX_STEP_DONE);
    FX_CHECK_INT(bed.blocks_read, 4 * 3);
    fx_bed_check_product(&bed);
    cuda->end(session);
    fx_bed_clear(&bed);
    close_fake(device);
}

/* Others took memory since the device was opened: fewer operands find room. */
FX_TEST(memory_that_others_took)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_kernel_header header;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_session *session;
    struct fx_device *device;
    struct fx_bed bed;

    fake.memory = 6 << 20;
    fx_bed_init(&bed, 0, 0, 2, 2, 16);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 3);
    for (unsigned at = 0; at < 2; at++) {
        fake.others = at == 0 ? 0 : (size_t)7 << 19;
        device = open_fake(&fake, FX_FAKE_DP4A);
        fx_bed_empty(&bed);
        bed.blocks_read = 0;
        session = cuda->begin(device, &bed.task, NULL, error);
        FX_CHECK(session != NULL);
        FX_CHECK_INT(fx_bed_run(&bed, cuda, session, &header), FX_STEP_DONE);
        cuda->end(session);
        fx_bed_check_product(&bed);
        FX_CHECK(at == 0 ? bed.blocks_read == 4 * 16 : bed.blocks_read > 4 * 16);
        close_fake(device);
    }
    fx_bed_clear(&bed);
}

/* ---- the hash lane --------------------------------------------------------------------------- */

static uint64_t hash(struct fx_device *device, uint64_t count)
{
    static const uint8_t nothing[80];
    atomic_bool cancel = false;
    uint64_t tried;
    uint32_t nonce;

    FX_CHECK(!cuda->hash(device, nothing, nothing, 0, count, &cancel, &nonce, &tried));
    return tried;
}

FX_TEST(nonces_are_over_soon)
{
    /* A thousand nonces: ten billion a second, a million. */
    static const int64_t nonces_ns[] = {100, 1 * MS};

    for (size_t at = 0; at < sizeof nonces_ns / sizeof *nonces_ns; at++) {
        struct fx_fake_cuda fake = fx_fake_cuda_usual;
        struct fx_device *device;

        fake.nonces_ns = nonces_ns[at];
        fake.idle = true;
        device = open_fake(&fake, FX_FAKE_MMA16);
        FX_CHECK_INT(hash(device, 1000 * MS / nonces_ns[at] * 1000),
                     1000 * MS / nonces_ns[at] * 1000);
        check_flight("nonces", nonces_ns[at], 30 * MS);
        close_fake(device);
    }
}

FX_TEST(nonces_of_a_device_that_slows_down)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_device *device;

    fake.nonces_ns = 1000;
    fake.idle = true;
    device = open_fake(&fake, FX_FAKE_MMA16);
    hash(device, 1000000000);
    fake.nonces_ns = 16000;
    fx_fake_cuda_use(&fake);
    hash(device, 100000000);
    fx_fake_cuda_flight_ns();
    hash(device, 100000000);
    check_flight("nonces of a slower device", fake.nonces_ns, 30 * MS);
    close_fake(device);
}

/* The driver's words come through, and go when it works again. */
FX_TEST(why_a_device_does_not_hash)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_device *device;

    fake.fail_after = 2;
    fake.idle = true;
    device = open_fake(&fake, FX_FAKE_MMA16);
    FX_CHECK(hash(device, 1000000) < 1000000);
    FX_CHECK(strstr(fx_backend_hash_error(cuda, device), "unspecified launch failure (719)"));
    fake.fail_after = 0;
    fx_fake_cuda_use(&fake);
    FX_CHECK_INT(hash(device, 1000), 1000);
    FX_CHECK_STR(fx_backend_hash_error(cuda, device), "");
    close_fake(device);
    FX_CHECK_STR(fx_backend_hash_error(&fx_backend_cpu, NULL), "");
}
