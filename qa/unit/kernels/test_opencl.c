/* The OpenCL backend on the first device that is usable; skipped where there is none. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/kernels/suite.h"
#include "src/config.h"

#ifdef HAVE_OPENCL
#include "kernels/opencl/opencl_int.h"

/* One for all tests: opening compiles the kernels. */
static struct fx_device *opened;

static void close_opened(void)
{
    fx_backend_opencl.close(opened);
}

static struct fx_suite suite(void)
{
    struct fx_device_info found[16];
    size_t n = fx_backend_opencl.list(found, 16);
    char error[FX_KERNEL_TEXT] = "";

    for (size_t at = 0; at < n && at < 16 && !opened; at++) {
        if (!found[at].usable)
            continue;
        opened = fx_backend_opencl.open((unsigned)at, error);
        if (!opened)
            FX_FAIL("opencl:%zu, %s: %s", at, found[at].name, error);
        atexit(close_opened);
    }
    if (!opened)
        FX_SKIP(found[0].why);
    return (struct fx_suite){&fx_backend_opencl, opened};
}

#define SUITE(name, call)            \
    FX_TEST(name)                    \
    {                                \
        struct fx_suite s = suite(); \
                                     \
        call;                        \
    }

SUITE(vectors, fx_suite_vectors(&s))
SUITE(random_products, fx_suite_random(&s, 5))
SUITE(extremes, fx_suite_extremes(&s))
SUITE(the_deepest_tile, fx_suite_deepest(&s))
SUITE(operands_out_of_range, fx_suite_out_of_range(&s))
SUITE(headers_that_change, fx_suite_header_changes(&s))
SUITE(tickets_left_of_another_header, fx_suite_left_tickets(&s))
SUITE(mining_alone, fx_suite_mining(&s))
SUITE(mining_after_the_product, fx_suite_mining_after_product(&s))
SUITE(tiles_that_are_done_are_left_alone, fx_suite_done_tiles(&s))
SUITE(partial_sums_survive_a_restart, fx_suite_restart(&s))
SUITE(a_sink_that_says_stop, fx_suite_stopping_sink(&s))
SUITE(an_operand_that_cannot_be_read, fx_suite_unreadable(&s))
SUITE(tasks_that_are_none, fx_suite_no_tasks(&s))
SUITE(the_tip_moves, fx_suite_tip_moves(&s))
SUITE(cancel_ends_a_step_soon, fx_suite_cancel(&s))
SUITE(nonces, fx_suite_nonces(&s))

/* The kernels of devices that multiply packed int8, with that instruction written out. */
FX_TEST(packed_products)
{
    struct fx_suite plain = suite(), packed = plain;
    struct fx_device_info found[16];
    size_t n = fx_backend_opencl.list(found, 16), at = 0;
    char error[FX_KERNEL_TEXT] = "";

    while (at < n && at < 15 && !found[at].usable)
        at++;
    fx_opencl_build_with("-cl-std=CL1.2 -DFX_PACKED -DFX_PACKED_BY_HAND");
    packed.device = fx_backend_opencl.open((unsigned)at, error);
    fx_opencl_build_with(NULL);
    if (!packed.device)
        FX_FAIL("open: %s", error);
    fx_suite_vectors(&packed);
    fx_suite_random(&packed, 2);
    fx_suite_extremes(&packed);
    fx_backend_opencl.close(packed.device);
}

/* ---- devices that are not usable, by a loader that knows one device ---------------------------
 */

static struct {
    cl_bool available, compiler, little;
    size_t group;
    cl_ulong local;
    const char *version;
} fake;

static cl_int CL_API_CALL fake_platforms(cl_uint max, cl_platform_id *out, cl_uint *n)
{
    FX_CHECK(max > 0);
    out[0] = NULL;
    *n = 1;
    return CL_SUCCESS;
}

static cl_int CL_API_CALL fake_devices(cl_platform_id platform, cl_device_type type, cl_uint max,
                                       cl_device_id *out, cl_uint *n)
{
    FX_CHECK(platform == NULL && type == CL_DEVICE_TYPE_ALL && max > 0);
    out[0] = NULL;
    *n = 1;
    return CL_SUCCESS;
}

static cl_int give(const void *from, size_t n, size_t room, void *out)
{
    if (n > room)
        return CL_INVALID_VALUE;
    memcpy(out, from, n);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL fake_info(cl_device_id id, cl_device_info what, size_t room, void *out,
                                    size_t *n)
{
    FX_CHECK(id == NULL && n == NULL);
    switch (what) {
    case CL_DEVICE_NAME:
        return give("card", sizeof "card", room, out);
    case CL_DEVICE_VERSION:
        return give(fake.version, strlen(fake.version) + 1, room, out);
    case CL_DEVICE_AVAILABLE:
        return give(&fake.available, sizeof fake.available, room, out);
    case CL_DEVICE_COMPILER_AVAILABLE:
        return give(&fake.compiler, sizeof fake.compiler, room, out);
    case CL_DEVICE_ENDIAN_LITTLE:
        return give(&fake.little, sizeof fake.little, room, out);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return give(&fake.group, sizeof fake.group, room, out);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return give(&fake.local, sizeof fake.local, room, out);
    }
    return CL_INVALID_VALUE;
}

/* word: NULL where the device is usable. */
static void check_device(const char *word)
{
    const struct fx_cl cl = {
        .GetPlatformIDs = fake_platforms, .GetDeviceIDs = fake_devices, .GetDeviceInfo = fake_info};
    struct fx_device_info found;

    fx_cl_replace(&cl);
    FX_CHECK_INT(fx_backend_opencl.list(&found, 1), 1);
    fx_cl_replace(NULL);
    FX_CHECK_STR(found.name, "card");
    FX_CHECK_INT(found.usable, word == NULL);
    if (word && !strstr(found.why, word))
        FX_FAIL("\"%s\" has no \"%s\"", found.why, word);
}

FX_TEST(why_a_device_is_not_usable)
{
    fake.available = fake.compiler = fake.little = CL_TRUE;
    fake.group = 256;
    fake.local = 32768;
    fake.version = "OpenCL 1.2 card";
    check_device(NULL);
    fake.version = "OpenCL 3.0 card";
    check_device(NULL);
    fake.version = "OpenCL 1.1 card";
    check_device("older than OpenCL 1.2");
    fake.version = "OpenCL 1.2 card";
    fake.local = 16384;
    check_device("local memory");
    fake.group = 128;
    check_device("fewer than 256");
    fake.little = CL_FALSE;
    check_device("big-endian");
    fake.compiler = CL_FALSE;
    check_device("no compiler");
    fake.available = CL_FALSE;
    check_device("not available");
}

#else

FX_TEST(opencl)
{
    FX_SKIP("built without OpenCL");
}

#endif
