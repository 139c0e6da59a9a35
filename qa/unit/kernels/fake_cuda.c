/* The fake driver API. */
#include "qa/unit/kernels/fake_cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/emulated.h"
#include "qa/unit/kernels/emulator.h"
#include "src/util/mem.h"

#define LAUNCH_FAILED 719
/* What a brick takes by the devices' clock where the machine does not say: so the engine always
 * does the same, and believes that a device is fast enough for several tiles and segments at a
 * time. */
#define BRICK_NS 2000000
#define WGMMA_BRICK_NS 500000
#define PEEL_BRICKS 4   /* of a tile, in bricks */
#define NOISE_PART 20   /* of a block, likewise */
#define QUERY_NS 500000 /* of this machine's time between one look at an event and the next */

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
/* Streams work beside each other, each in order, by a clock of their own: work takes what
 * cost_of() says, and this machine's clock stands still until it waits. */
struct fx_cu_stream {
    int64_t end_ns;  /* when it will have done all that it was given */
    uint64_t copies; /* from and to host memory, so far */
    uint64_t over;   /* of these, as far as this machine waited */
};
struct fx_cu_event {
    struct fx_cu_stream *stream; /* NULL: not recorded */
    int64_t ns;
    uint64_t copies; /* that it comes after */
};

static struct fx_cu_context contexts[FX_FAKE_DEVICES] = {{0}, {1}, {2}, {3}};
static struct fx_cu_context *current;
static struct fx_cu_function functions[FX_CUDA_FUNCTIONS];
static int launches;
static bool broken;         /* a launch failed: so does all that comes after */
static int64_t host_ns = 1; /* this machine's clock, as devices see it */
static int64_t flight_ns;   /* the longest that a stream had to do at a time */
static struct fx_cu_stream *streams[16];
static unsigned n_streams;

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

    if (!current || bytes > now.memory - now.others - allocated ||
        posix_memalign(&p, FRONT, FRONT + bytes) != 0)
        return FX_CU_MEMORY;
    memcpy(p, &bytes, sizeof bytes);
    if (!now.idle)
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
    for (unsigned at = 0; at < n_streams && !broken; at++)
        FX_CHECK_INT(streams[at]->over, streams[at]->copies);
    free(memory);
    return 0;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void give(struct fx_cu_stream *stream, int64_t ns)
{
    stream->end_ns = (stream->end_ns > host_ns ? stream->end_ns : host_ns) + ns;
    if (stream->end_ns - host_ns > flight_ns)
        flight_ns = stream->end_ns - host_ns;
}

static int copy_to(unsigned long long to, const void *from, size_t n, struct fx_cu_stream *stream)
{
    if (broken)
        return LAUNCH_FAILED;
    memcpy((void *)(uintptr_t)to, from, n);
    stream->copies++;
    return 0;
}

static int copy_from(void *to, unsigned long long from, size_t n, struct fx_cu_stream *stream)
{
    if (broken)
        return LAUNCH_FAILED;
    memcpy(to, (const void *)(uintptr_t)from, n);
    stream->copies++;
    return 0;
}

static int fill(unsigned long long to, unsigned word, size_t words, struct fx_cu_stream *stream)
{
    (void)stream;
    if (broken)
        return LAUNCH_FAILED;
    for (size_t at = 0; at < words; at++)
        memcpy((uint8_t *)(uintptr_t)to + 4 * at, &word, 4);
    return 0;
}

static uint32_t word_of(void **params, unsigned at)
{
    uint32_t word;

    memcpy(&word, params[at], sizeof word);
    return word;
}

static int64_t cost_of(unsigned function, uint32_t groups, void **params)
{
    int64_t usual = current->device == FX_FAKE_WGMMA ? WGMMA_BRICK_NS : BRICK_NS;
    int64_t brick = now.brick_ns ? now.brick_ns : usual;
    const struct fx_bricks_args *args;

    switch (function) {
    case FX_CUDA_NOISE:
        return brick / NOISE_PART * (groups / 8) * (word_of(params, 12) - word_of(params, 11));
    case FX_CUDA_NONCES:
        return (int64_t)word_of(params, 3) * now.nonces_ns / 1000;
    case FX_CUDA_BRICKS:
    case FX_CUDA_BRICKS_WGMMA:
        args = params[0];
        if (function == FX_CUDA_BRICKS_WGMMA)
            groups = word_of(params, 1) * 4; /* two tiles of each entry */
        return brick * groups * (args->flags & FX_PEELED ? PEEL_BRICKS : args->to - args->from);
    }
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
    broken = broken || ++launches == now.fail_after;
    if (broken)
        return LAUNCH_FAILED;
    give(stream, cost_of(function->number, grid_x, params));
    if (!now.idle)
        fx_emulate(machine[current->device].emulated->run[function->number], params, grid_x,
                   block_x, function->number == FX_CUDA_BRICKS_WGMMA ? 2 : 1);
    return 0;
}

static int stream_create(struct fx_cu_stream **stream, unsigned flags)
{
    FX_CHECK_INT(flags, FX_CU_STREAM_NON_BLOCKING);
    FX_CHECK(n_streams < sizeof streams / sizeof *streams);
    *stream = streams[n_streams++] = fx_xcalloc(1, sizeof **stream);
    return 0;
}

static int stream_destroy(struct fx_cu_stream *stream)
{
    unsigned at = 0;

    while (streams[at] != stream)
        at++;
    streams[at] = streams[--n_streams];
    free(stream);
    return 0;
}

static int stream_follow(struct fx_cu_stream *stream, struct fx_cu_event *event, unsigned flags)
{
    (void)flags;
    if (broken)
        return LAUNCH_FAILED;
    if (stream->end_ns < event->ns)
        stream->end_ns = event->ns;
    return event->stream ? 0 : 1;
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
    if (broken)
        return LAUNCH_FAILED;
    give(stream, 0);
    *event = (struct fx_cu_event){stream, stream->end_ns, stream->copies};
    return 0;
}

/* All that the event's stream did before it is over. */
static void pass(const struct fx_cu_event *event)
{
    if (event->stream->over < event->copies)
        event->stream->over = event->copies;
}

static int event_wait(struct fx_cu_event *event)
{
    if (broken)
        return LAUNCH_FAILED;
    if (!event->stream)
        return 1;
    if (host_ns < event->ns)
        host_ns = event->ns;
    pass(event);
    return 0;
}

static int event_query(struct fx_cu_event *event)
{
    if (broken)
        return LAUNCH_FAILED;
    host_ns += QUERY_NS;
    if (!event->stream || event->ns > host_ns)
        return FX_CU_NOT_READY;
    pass(event);
    return 0;
}

static int event_between(float *ms, struct fx_cu_event *from, struct fx_cu_event *to)
{
    if (broken)
        return LAUNCH_FAILED;
    *ms = (float)((double)(to->ns - from->ns) / 1e6);
    return from->stream && to->stream && to->ns <= host_ns ? 0 : FX_CU_NOT_READY;
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
    broken = false;
    most = allocated;
    build = (struct fx_cuda_build){now.release ? "code" : NULL, now.release, targets, 90};
    fx_cuda_replace(&fake, &build);
}

size_t fx_fake_cuda_most(void)
{
    return most;
}

int64_t fx_fake_cuda_flight_ns(void)
{
    int64_t longest = flight_ns;

    flight_ns = 0;
    return longest;
}

void fx_fake_cuda_brick_ns(int64_t ns)
{
    now.brick_ns = ns;
}
