/* The fake driver API. */
#include "qa/unit/kernels/fake_cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/emulated.h"
#include "qa/unit/kernels/emulator.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define LAUNCH_FAILED 719
/* What everything takes by the devices' clock: so the engine always does the same, and believes
 * that a device is fast enough for several tiles and segments at a time. */
#define TIME_MS 8

const struct fx_fake_cuda fx_fake_cuda_usual = {
    .version = 13010, .devices = FX_FAKE_DEVICES, .release = 13000, .memory = (size_t)1 << 28};
static struct fx_fake_cuda now;
static size_t allocated, most;

static const struct {
    const struct fx_emulated *emulated;
    int capability;
} machine[FX_FAKE_DEVICES] = {{&fx_emulated_dp4a, 61},
                              {&fx_emulated_mma8, 75},
                              {&fx_emulated_mma16, 80},
                              {&fx_emulated_wgmma, 90}};

struct fx_cu_context {
    int device;
};
struct fx_cu_module {
    int device;
};
struct fx_cu_function {
    unsigned number;
    int shared; /* dynamic, as allowed */
};
struct fx_cu_event {
    int64_t ns; /* 0: not recorded */
};

static struct fx_cu_context contexts[FX_FAKE_DEVICES] = {{0}, {1}, {2}, {3}};
static struct fx_cu_context *current;
static struct fx_cu_function functions[FX_CUDA_FUNCTIONS];
static int launches;

static int init(unsigned flags)
{
    (void)flags;
    return now.init_error;
}

static int driver_version(int *version)
{
    *version = now.version;
    return 0;
}

static int error_string(int error, const char **text)
{
    *text = error == LAUNCH_FAILED ? "unspecified launch failure" : "some error";
    return 0;
}

static int device_count(int *count)
{
    *count = now.devices;
    return 0;
}

static int device_get(int *device, int index)
{
    *device = index;
    return index < now.devices ? 0 : 101;
}

static int device_name(char *name, int n, int device)
{
    snprintf(name, (size_t)n, "emulated %s", machine[device].emulated->name);
    return 0;
}

static int device_memory(size_t *bytes, int device)
{
    (void)device;
    *bytes = now.memory;
    return 0;
}

static int capability_of(int device)
{
    return now.newest && device == FX_FAKE_DEVICES - 1 ? now.newest : machine[device].capability;
}

static int device_attribute(int *value, int attribute, int device)
{
    switch (attribute) {
    case FX_CU_ATTRIBUTE_MAJOR:
        *value = capability_of(device) / 10;
        return 0;
    case FX_CU_ATTRIBUTE_MINOR:
        *value = capability_of(device) % 10;
        return 0;
    case FX_CU_ATTRIBUTE_PROCESSORS:
        *value = 5;
        return 0;
    case FX_CU_ATTRIBUTE_INTEGRATED:
        *value = 0;
        return 0;
    }
    return 1;
}

static int device_bus(char *id, int n, int device)
{
    snprintf(id, (size_t)n, "0000:%02x:00.0", device + 1);
    return 0;
}

static int context_retain(struct fx_cu_context **context, int device)
{
    *context = &contexts[device];
    return 0;
}

static int context_release(int device)
{
    (void)device;
    return 0;
}

static int context_set(struct fx_cu_context *context)
{
    current = context;
    return 0;
}

static int module_load(struct fx_cu_module **module, const void *image)
{
    *module = fx_xcalloc(1, sizeof **module);
    (*module)->device = current->device;
    return image ? 0 : 200;
}

static int module_unload(struct fx_cu_module *module)
{
    free(module);
    return 0;
}

static int module_function(struct fx_cu_function **function, struct fx_cu_module *module,
                           const char *name)
{
    for (unsigned at = 0; at < FX_CUDA_FUNCTIONS; at++) {
        if (!strcmp(name, fx_cuda_functions[at]) && machine[module->device].emulated->run[at]) {
            functions[at] = (struct fx_cu_function){.number = at};
            *function = &functions[at];
            return 0;
        }
    }
    return 500;
}

static int function_set(struct fx_cu_function *function, int attribute, int value)
{
    FX_CHECK_INT(attribute, FX_CU_FUNCTION_SHARED);
    function->shared = value;
    return 0;
}

static int memory_info(size_t *free_bytes, size_t *all_bytes)
{
    *free_bytes = *all_bytes = now.memory;
    return 0;
}

/* The size stands in front, where no kernel comes. */
#define FRONT 1024

static int memory_alloc(unsigned long long *memory, size_t bytes)
{
    void *p = NULL;

    if (!current || bytes > now.memory - allocated || posix_memalign(&p, FRONT, FRONT + bytes) != 0)
        return FX_CU_MEMORY;
    memcpy(p, &bytes, sizeof bytes);
    memset((uint8_t *)p + FRONT, 0xa5, bytes);
    allocated += bytes;
    most = allocated > most ? allocated : most;
    *memory = (unsigned long long)(uintptr_t)p + FRONT;
    return 0;
}

static int memory_free(unsigned long long memory)
{
    void *p = (void *)(uintptr_t)(memory - FRONT);
    size_t bytes;

    memcpy(&bytes, p, sizeof bytes);
    allocated -= bytes;
    free(p);
    return 0;
}

static int host_alloc(void **memory, size_t bytes, unsigned flags)
{
    (void)flags;
    *memory = fx_xmalloc(bytes);
    return 0;
}

static int host_free(void *memory)
{
    free(memory);
    return 0;
}

static int copy_to(unsigned long long to, const void *from, size_t n, struct fx_cu_stream *stream)
{
    (void)stream;
    memcpy((void *)(uintptr_t)to, from, n);
    return 0;
}

static int copy_from(void *to, unsigned long long from, size_t n, struct fx_cu_stream *stream)
{
    (void)stream;
    memcpy(to, (const void *)(uintptr_t)from, n);
    return 0;
}

static int fill(unsigned long long to, unsigned word, size_t words, struct fx_cu_stream *stream)
{
    (void)stream;
    for (size_t at = 0; at < words; at++)
        memcpy((uint8_t *)(uintptr_t)to + 4 * at, &word, 4);
    return 0;
}

static int launch(struct fx_cu_function *function, unsigned grid_x, unsigned grid_y,
                  unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                  unsigned shared, struct fx_cu_stream *stream, void **params, void **extra)
{
    FX_CHECK(stream && !extra && grid_x > 0);
    FX_CHECK(grid_y == 1 && grid_z == 1 && block_y == 1 && block_z == 1);
    /* More than 48 KiB must have been asked for. */
    FX_CHECK((int)shared <= (function->shared ? function->shared : 48 * 1024));
    if (++launches == now.fail_after)
        return LAUNCH_FAILED;
    fx_emulate(machine[current->device].emulated->run[function->number], params, grid_x, block_x,
               function->number == FX_CUDA_BRICKS_WGMMA ? 2 : 1);
    return 0;
}

static int stream_create(struct fx_cu_stream **stream, unsigned flags)
{
    FX_CHECK_INT(flags, FX_CU_STREAM_NON_BLOCKING);
    *stream = fx_xmalloc(1);
    return 0;
}

static int stream_destroy(struct fx_cu_stream *stream)
{
    free(stream);
    return 0;
}

static int stream_follow(struct fx_cu_stream *stream, struct fx_cu_event *event, unsigned flags)
{
    (void)stream;
    (void)flags;
    return event->ns ? 0 : 1;
}

static int event_create(struct fx_cu_event **event, unsigned flags)
{
    (void)flags;
    *event = fx_xcalloc(1, sizeof **event);
    return 0;
}

static int event_destroy(struct fx_cu_event *event)
{
    free(event);
    return 0;
}

static int event_record(struct fx_cu_event *event, struct fx_cu_stream *stream)
{
    FX_CHECK(stream != NULL);
    event->ns = fx_clock_monotonic_ns();
    return 0;
}

static int event_wait(struct fx_cu_event *event)
{
    return event->ns ? 0 : 1;
}

static int event_query(struct fx_cu_event *event)
{
    return event->ns ? 0 : FX_CU_NOT_READY;
}

static int event_between(float *ms, struct fx_cu_event *from, struct fx_cu_event *to)
{
    *ms = TIME_MS;
    return from->ns && to->ns ? 0 : FX_CU_NOT_READY;
}

static const struct fx_cu fake = {
#define X(member, symbol, arguments) .member = member,
    FX_CU_CALLS(X)
#undef X
};

static const int targets[] = {61, 75, 80, 90, 0};

void fx_fake_cuda_use(const struct fx_fake_cuda *wanted)
{
    static struct fx_cuda_build build;

    if (!wanted) {
        fx_cuda_replace(NULL, NULL);
        return;
    }
    now = *wanted;
    launches = 0;
    most = allocated;
    build = (struct fx_cuda_build){now.release ? "code" : NULL, now.release, targets, 90};
    fx_cuda_replace(&fake, &build);
}

size_t fx_fake_cuda_most(void)
{
    return most;
}
