/*
 * The CUDA backend without a GPU: all of it, down to the device code, on emulated devices, one for
 * each way of making bricks. Only NVIDIA's library is not in it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"
#include "kernels/device.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/bed.h"
#include "qa/unit/kernels/fake_cuda.h"
#include "qa/unit/kernels/suite.h"

static const struct fx_backend *const cuda = &fx_backend_cuda;

static struct fx_suite suite_of(enum fx_fake_device kind)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device;

    fx_fake_cuda_use(&fx_fake_cuda_usual);
    device = cuda->open(kind, error);
    if (!device)
        FX_FAIL("open: %s", error);
    return (struct fx_suite){cuda, device};
}

static void end_of(const struct fx_suite *suite)
{
    cuda->close(suite->device);
    fx_fake_cuda_use(NULL);
}

#define ONE(test, kind, call)                         \
    FX_TEST(test)                                     \
    {                                                 \
        struct fx_suite s = suite_of(FX_FAKE_##kind); \
                                                      \
        call;                                         \
        end_of(&s);                                   \
    }

ONE(vectors_by_dp4a, DP4A, fx_suite_vectors(&s))
ONE(vectors_by_mma8, MMA8, fx_suite_vectors(&s))
ONE(vectors_by_mma16, MMA16, fx_suite_vectors(&s))
ONE(vectors_by_wgmma, WGMMA, fx_suite_vectors(&s))
ONE(random_products_by_dp4a, DP4A, fx_suite_random(&s, 1))
ONE(random_products_by_mma8, MMA8, fx_suite_random(&s, 1))
ONE(random_products_by_mma16, MMA16, fx_suite_random(&s, 1))
ONE(random_products_by_wgmma, WGMMA, fx_suite_random(&s, 3))
ONE(extremes_by_dp4a, DP4A, fx_suite_extremes(&s))
ONE(extremes_by_mma8, MMA8, fx_suite_extremes(&s))
ONE(extremes_by_mma16, MMA16, fx_suite_extremes(&s))
ONE(extremes_by_wgmma, WGMMA, fx_suite_extremes(&s))
ONE(operands_out_of_range_by_dp4a, DP4A, fx_suite_out_of_range(&s))
ONE(operands_out_of_range_by_wgmma, WGMMA, fx_suite_out_of_range(&s))

/* What is the same for all of them is tried with one. */
ONE(tiles_that_are_done_are_left_alone, WGMMA, fx_suite_done_tiles(&s))
ONE(headers_that_change, DP4A, fx_suite_header_changes(&s))
ONE(tickets_left_of_another_header, DP4A, fx_suite_left_tickets(&s))
ONE(mining_alone, WGMMA, fx_suite_mining(&s))
ONE(mining_after_the_product, WGMMA, fx_suite_mining_after_product(&s))
ONE(partial_sums_survive_a_restart, WGMMA, fx_suite_restart(&s))
ONE(the_tip_moves, WGMMA, fx_suite_tip_moves(&s))
ONE(a_sink_that_says_stop, DP4A, fx_suite_stopping_sink(&s))
ONE(an_operand_that_cannot_be_read, MMA16, fx_suite_unreadable(&s))
ONE(tasks_that_are_none, MMA16, fx_suite_no_tasks(&s))
ONE(nonces, MMA16, fx_suite_nonces(&s))

/* A task that is larger than the device's memory streams through it. */
FX_TEST(a_task_larger_than_the_memory)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_kernel_header header;
    struct fx_session *session;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device;
    struct fx_bed bed;

    fake.memory = 3 << 20;
    fx_fake_cuda_use(&fake);
    fx_bed_init(&bed, 4, 5, 2, 2, 20); /* operands of 2.5 MiB, beside all else */
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, FX_KERNEL_PRODUCT | FX_KERNEL_MINE, 4);
    device = cuda->open(FX_FAKE_WGMMA, error);
    FX_CHECK(device != NULL);
    session = cuda->begin(device, &bed.task, NULL, error);
    FX_CHECK(session != NULL);
    FX_CHECK_INT(fx_bed_run(&bed, cuda, session, &header), FX_STEP_DONE);
    cuda->end(session);
    cuda->close(device);
    FX_CHECK(bed.blocks_read > 4 * 20); /* some were read again */
    FX_CHECK(fx_fake_cuda_most() <= fake.memory);
    fx_bed_check_product(&bed);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    fx_bed_clear(&bed);
    fx_fake_cuda_use(NULL);
}

/* What the list says of a machine, in the words that stand in it. */
static void check_refused(const struct fx_fake_cuda *fake, unsigned index, const char *word)
{
    struct fx_device_info found[FX_FAKE_DEVICES];
    char error[FX_KERNEL_TEXT] = "";
    size_t n;

    fx_fake_cuda_use(fake);
    n = cuda->list(found, FX_FAKE_DEVICES);
    FX_CHECK(n > index);
    FX_CHECK(!found[index].usable);
    if (!strstr(found[index].why, word))
        FX_FAIL("\"%s\" has no \"%s\"", found[index].why, word);
    FX_CHECK(cuda->open(index, error) == NULL);
    FX_CHECK_STR(error, found[index].why);
    fx_fake_cuda_use(NULL);
}

FX_TEST(why_a_device_is_not_usable)
{
    struct fx_fake_cuda fake = fx_fake_cuda_usual;

    fake.version = 12040;
    check_refused(&fake, 2, "too old: it is for CUDA 12.4, and 13.0 or newer");
    fake = fx_fake_cuda_usual;
    fake.newest = 53;
    check_refused(&fake, 3, "no kernels for compute capability 5.3");
    /* Only PTX serves it, which a driver older than the toolkit does not compile. */
    fake.newest = 130;
    fake.release = 13020;
    check_refused(&fake, 3, "too old: it is for CUDA 13.1, and 13.2 or newer");
    fake = fx_fake_cuda_usual;
    fake.release = 0;
    check_refused(&fake, 0, "without CUDA kernels");
    fake = fx_fake_cuda_usual;
    fake.devices = 0;
    check_refused(&fake, 0, "no device");
    fake = fx_fake_cuda_usual;
    fake.init_error = 803;
    check_refused(&fake, 0, "does not start: some error (803)");
}

/* Machine code for the first of a line serves the later ones; PTX all that are newer. */
FX_TEST(devices_that_the_targets_do_not_name)
{
    static const int newest[] = {62, 78, 87, 91, 130};
    struct fx_fake_cuda fake = fx_fake_cuda_usual;
    struct fx_device_info found[FX_FAKE_DEVICES];

    for (size_t at = 0; at < sizeof newest / sizeof *newest; at++) {
        fake.newest = newest[at];
        fx_fake_cuda_use(&fake);
        FX_CHECK_INT(cuda->list(found, FX_FAKE_DEVICES), FX_FAKE_DEVICES);
        FX_CHECK(found[FX_FAKE_DEVICES - 1].usable);
    }
    fx_fake_cuda_use(NULL);
}

/* ---- NVML ------------------------------------------------------------------------------------ */

static int degrees, watts; /* negative: an error of this number */

static int nvml_init(void)
{
    return 0;
}

static int nvml_by_bus(const char *bus_id, struct fx_nvml_device **device)
{
    *device = NULL;
    return strcmp(bus_id, "0000:03:00.0") == 0 ? 0 : 6; /* of the third device */
}

static int nvml_value(int value, unsigned *out)
{
    if (value < 0)
        return -value;
    *out = (unsigned)value;
    return 0;
}

static int nvml_temperature(struct fx_nvml_device *device, int sensor, unsigned *out)
{
    FX_CHECK(device == NULL && sensor == 0);
    return nvml_value(degrees, out);
}

static int nvml_power(struct fx_nvml_device *device, unsigned *out)
{
    FX_CHECK(device == NULL);
    return nvml_value(watts, out);
}

static void check_sensors(unsigned index, int temperature, int milliwatts)
{
    struct fx_device_sensors sensors = {7, 7};
    char error[FX_KERNEL_TEXT];
    struct fx_device *device = cuda->open(index, error);

    FX_CHECK(device != NULL);
    cuda->sensors(device, &sensors);
    cuda->close(device);
    FX_CHECK_INT(sensors.temperature, temperature);
    FX_CHECK_INT(sensors.milliwatts, milliwatts);
}

FX_TEST(sensors)
{
    const struct fx_nvml nvml = {nvml_init, nvml_by_bus, nvml_temperature, nvml_power};

    fx_fake_cuda_use(&fx_fake_cuda_usual);
    fx_nvml_replace(&nvml);
    degrees = 61;
    watts = 287499;
    check_sensors(FX_FAKE_MMA16, 61, 287499);
    check_sensors(FX_FAKE_WGMMA, -1, -1); /* NVML does not know it */
    degrees = -3;                         /* not supported */
    check_sensors(FX_FAKE_MMA16, -1, 287499);
    degrees = 0;
    watts = -3;
    check_sensors(FX_FAKE_MMA16, 0, -1);
    fx_nvml_replace(NULL);
    fx_fake_cuda_use(NULL);
}

FX_TEST(all_devices_are_listed)
{
    struct fx_device_info found[FX_FAKE_DEVICES];
    char error[FX_KERNEL_TEXT] = "";

    fx_fake_cuda_use(&fx_fake_cuda_usual);
    FX_CHECK_INT(cuda->list(found, FX_FAKE_DEVICES), FX_FAKE_DEVICES);
    for (unsigned at = 0; at < FX_FAKE_DEVICES; at++) {
        FX_CHECK_STR(found[at].backend, "cuda");
        FX_CHECK_INT(found[at].index, at);
        FX_CHECK(found[at].usable && !found[at].spare && found[at].memory > 0);
    }
    FX_CHECK_STR(found[3].name, "emulated wgmma");
    FX_CHECK(cuda->open(FX_FAKE_DEVICES, error) == NULL);
    FX_CHECK(strstr(error, "fewer") != NULL);
    fx_fake_cuda_use(NULL);
}

/* A device that fails in the middle ends the session with the driver's words. */
FX_TEST(a_device_that_fails)
{
    for (int at = 1; at < 8; at++) {
        struct fx_fake_cuda fake = fx_fake_cuda_usual;
        char error[FX_KERNEL_TEXT] = "";
        struct fx_kernel_header header;
        atomic_bool cancel = false;
        struct fx_device *device;
        struct fx_session *session;
        struct fx_bed bed;

        fake.fail_after = at;
        fx_fake_cuda_use(&fake);
        fx_bed_init(&bed, 0, 0, 1, 1, 2);
        fx_bed_header(&header, FX_KERNEL_PRODUCT | FX_KERNEL_MINE, 0);
        device = cuda->open(FX_FAKE_DP4A, error);
        FX_CHECK(device != NULL);
        session = cuda->begin(device, &bed.task, NULL, error);
        if (session) {
            FX_CHECK_INT(cuda->step(session, &header, 60000, &cancel, &bed.sink, error),
                         FX_STEP_FAILED);
            FX_CHECK(strstr(error, "unspecified launch failure") != NULL);
            FX_CHECK_INT(cuda->step(session, &header, 60000, &cancel, &bed.sink, error),
                         FX_STEP_FAILED);
            cuda->end(session);
        }
        FX_CHECK(strstr(error, "unspecified launch failure") != NULL);
        FX_CHECK_INT(bed.n_tiles, 0);
        cuda->close(device);
        fx_bed_clear(&bed);
        fx_fake_cuda_use(NULL);
    }
}

/* Digits of gathered sums, up to the ends: 32,768 needs a third one. */
FX_TEST(limbs_add_up)
{
    for (int value = -32768; value <= 32768; value++) {
        int digits[3];

        for (int t = 0; t < 3; t++) {
            digits[t] = fx_limb(value, t);
            FX_CHECK(digits[t] >= -128 && digits[t] <= 127);
        }
        FX_CHECK_INT(digits[0] + digits[1] * 256 + digits[2] * 65536, value);
    }
    FX_CHECK_INT(fx_limb(32768, 2), 1);
}

/* ---- what nvcc made -------------------------------------------------------------------------- */

/* Of a fat binary: its header, and the entries that follow it. */
struct fat_header {
    uint32_t magic;
    uint16_t version, header_bytes;
    uint64_t bytes;
};

struct fat_entry {
    uint16_t kind, version; /* kind 1: PTX, 2: machine code */
    uint32_t header_bytes;
    uint64_t bytes;
    uint32_t unused[3], capability;
};

/* Machine code for each target that the build names, and PTX for the last one. */
FX_TEST(the_program_holds_what_the_build_says)
{
    const struct fx_cuda_build *build = &fx_cuda_build;
    const uint8_t *at = build->image;
    struct fat_header header;
    unsigned found = 0, ptx = 0;

    if (!at)
        FX_SKIP("built without nvcc");
    memcpy(&header, at, sizeof header);
    FX_CHECK_INT(header.magic, 0xba55ed50);
    at += header.header_bytes;
    for (const uint8_t *end = at + header.bytes; at < end;) {
        struct fat_entry entry;

        memcpy(&entry, at, sizeof entry);
        if (entry.kind == 2)
            FX_CHECK_INT(entry.capability, build->targets[found++]);
        else
            ptx = entry.capability;
        at += entry.header_bytes + entry.bytes;
    }
    FX_CHECK(found > 0 && build->targets[found] == 0);
    FX_CHECK_INT(ptx, build->ptx);
    FX_CHECK_INT(ptx, build->targets[found - 1]);
}
