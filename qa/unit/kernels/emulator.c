/*
 * The emulator. One group, or a cluster of two, at a time; its threads are coroutines that run in a
 * circle, and give way where they wait. Instructions of a warp are written out from the PTX manual,
 * thread by thread, from what all lanes brought: they are the second word on layouts, beside the
 * kernels that use them.
 */
#include "qa/unit/kernels/emulator.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "kernels/cuda/emulate.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define THREADS_MAX 1024 /* of a cluster */
#define STACK (128 * 1024)
#define SHARED_BYTES (232448) /* 227 KiB: the most that a group can have */
#define WINDOW 0x400          /* where the emulated shared window begins */
#define NAMES 16
#define LANE_BYTES 32
#define PENDING_MAX 16
#define IDLE_ROUNDS 20000 /* all threads waited this often: nothing will come */

struct gather {
    uint8_t bytes[2][32][LANE_BYTES];
    unsigned arrived;
    uint64_t generation;
};

struct bar {
    unsigned arrived;
    uint64_t generation;
};

struct product {
    int32_t *d;
    uint64_t a, b;
    int add;
    bool committed;
};

/* Where a coroutine goes on. A context of libc starts it; from then on switches are jumps, as those
 * of libc ask the system each time. */
struct place {
    ucontext_t start;
    bool started;
    void *jump[5]; /* of __builtin_setjmp */
};

struct thread {
    struct place place;
    uint8_t *stack;
    bool over;
    uint32_t number; /* within its group */
    uint32_t rank;   /* of the group in the cluster */
    uint64_t gathers;
    struct product pending[PENDING_MAX];
    unsigned n_pending;
};

static struct {
    void (*kernel)(void *args);
    void *args;
    uint32_t groups, threads, cluster, first_group;
    ucontext_t blank;
    struct thread all[THREADS_MAX];
    struct thread *now;
    struct place circle;
    uint64_t progress; /* whatever a waiting thread may wait for has happened this often */
    unsigned idle;     /* rounds in which nothing has */
    struct gather warps[THREADS_MAX / 32];
    struct bar group_bar[2], cluster_bar, named[2][NAMES];
    const void *main_stack;
    size_t main_stack_size;
} emu;

static _Alignas(1024) uint8_t shared[2][SHARED_BYTES + 2048];

/* ---- coroutines ------------------------------------------------------------------------------ */

/* The sanitizer is told of switches elsewhere; here it would ask the system about stacks. */
#define UNWATCHED __attribute__((noinline, no_sanitize_address))

UNWATCHED __attribute__((noreturn)) static void go(struct place *to)
{
    if (to->started)
        __builtin_longjmp(to->jump, 1);
    to->started = true;
    setcontext(&to->start);
    abort();
}

UNWATCHED static void swap(struct place *from, struct place *to)
{
    if (__builtin_setjmp(from->jump) == 0)
        go(to);
}

static void give_way(void)
{
    struct thread *self = emu.now;
#if defined(__SANITIZE_ADDRESS__)
    void *fake = NULL;

    __sanitizer_start_switch_fiber(self->over ? NULL : &fake, emu.main_stack, emu.main_stack_size);
#endif
    swap(&self->place, &emu.circle);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, &emu.main_stack, &emu.main_stack_size);
#endif
}

static void thread_main(void)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(NULL, &emu.main_stack, &emu.main_stack_size);
#endif
    emu.kernel(emu.args);
    emu.now->over = true;
    emu.progress++;
    give_way();
}

static void resume(struct thread *thread)
{
#if defined(__SANITIZE_ADDRESS__)
    void *fake = NULL;
#endif
    emu.now = thread;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fake, thread->stack, STACK);
#endif
    swap(&emu.circle, &thread->place);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
}

static void make_ready(struct thread *thread, uint32_t at)
{
    thread->over = false;
    thread->number = at % emu.threads;
    thread->rank = at / emu.threads;
    thread->gathers = 0;
    thread->n_pending = 0;
#if defined(__SANITIZE_ADDRESS__)
    /* The thread before left the marks of its frames. */
    __asan_unpoison_memory_region(thread->stack, STACK);
#endif
    thread->place.start = emu.blank;
    thread->place.start.uc_stack.ss_sp = thread->stack;
    thread->place.start.uc_stack.ss_size = STACK;
    thread->place.start.uc_link = NULL;
    makecontext(&thread->place.start, thread_main, 0);
    thread->place.started = false;
}

static void run_cluster(void)
{
    uint32_t threads = emu.threads * emu.cluster, left = threads;

    emu.idle = 0;
    memset(emu.warps, 0, sizeof emu.warps);
    memset(emu.group_bar, 0, sizeof emu.group_bar);
    memset(&emu.cluster_bar, 0, sizeof emu.cluster_bar);
    memset(emu.named, 0, sizeof emu.named);
    memset(shared, 0xa5, sizeof shared); /* memory that nobody wrote holds rubbish */
    for (uint32_t at = 0; at < threads; at++)
        make_ready(&emu.all[at], at);
    while (left > 0) {
        uint64_t before = emu.progress;

        left = 0;
        for (uint32_t at = 0; at < threads; at++) {
            if (!emu.all[at].over) {
                resume(&emu.all[at]);
                left += !emu.all[at].over;
            }
        }
        emu.idle = emu.progress == before ? emu.idle + 1 : 0;
        if (emu.idle > IDLE_ROUNDS)
            FX_FAIL("the emulated threads wait for each other");
    }
}

void fx_emulate(void (*kernel)(void *args), void *args, uint32_t groups, uint32_t threads,
                uint32_t cluster)
{
    FX_CHECK(threads * cluster <= THREADS_MAX && groups % cluster == 0 && threads % 32 == 0);
    emu.kernel = kernel;
    emu.args = args;
    emu.groups = groups;
    emu.threads = threads;
    emu.cluster = cluster;
    getcontext(&emu.blank);
    emu.circle.started = true;
    for (uint32_t at = 0; at < threads * cluster; at++) {
        if (!emu.all[at].stack)
            emu.all[at].stack = fx_xmalloc(STACK);
    }
    for (emu.first_group = 0; emu.first_group < groups; emu.first_group += cluster)
        run_cluster();
}

__attribute__((destructor)) static void free_stacks(void)
{
    for (uint32_t at = 0; at < THREADS_MAX; at++)
        free(emu.all[at].stack);
}

uint32_t fx_emu_thread(void)
{
    return emu.now->number;
}

uint32_t fx_emu_group(void)
{
    return emu.first_group + emu.now->rank;
}

uint32_t fx_emu_groups(void)
{
    return emu.groups;
}

uint32_t fx_emu_rank(void)
{
    return emu.now->rank;
}

uint8_t *fx_emu_shared(void)
{
    return shared[emu.now->rank];
}

uint32_t fx_emu_shared_address(const void *at)
{
    return (uint32_t)((const uint8_t *)at - shared[emu.now->rank]) + WINDOW;
}

/* ---- barriers -------------------------------------------------------------------------------- */

static void meet(struct bar *bar, unsigned threads)
{
    uint64_t generation = bar->generation;

    if (++bar->arrived == threads) {
        bar->arrived = 0;
        bar->generation++;
        emu.progress++;
    }
    while (bar->generation == generation)
        give_way();
}

void fx_emu_sync(void)
{
    meet(&emu.group_bar[emu.now->rank], emu.threads);
}

void fx_emu_sync_cluster(void)
{
    meet(&emu.cluster_bar, emu.threads * emu.cluster);
}

void fx_emu_bar_sync(uint32_t name, uint32_t threads)
{
    meet(&emu.named[emu.now->rank][name], threads);
}

void fx_emu_bar_arrive(uint32_t name, uint32_t threads)
{
    struct bar *bar = &emu.named[emu.now->rank][name];

    if (++bar->arrived == threads) {
        bar->arrived = 0;
        bar->generation++;
    }
    emu.progress++;
}

/* What each lane of the warp brings, for all of them to see until they meet again. */
static const uint8_t (*gather(const void *mine, size_t n))[LANE_BYTES]
{
    struct thread *self = emu.now;
    struct gather *warp = &emu.warps[(self->rank * emu.threads + self->number) / 32];
    unsigned turn = self->gathers++ & 1;
    uint64_t generation = warp->generation;

    memcpy(warp->bytes[turn][self->number & 31], mine, n);
    if (++warp->arrived == 32) {
        warp->arrived = 0;
        warp->generation++;
        emu.progress++;
    }
    while (warp->generation == generation)
        give_way();
    return (const uint8_t(*)[LANE_BYTES])warp->bytes[turn];
}

void fx_emu_sync_warp(void)
{
    const uint8_t nothing = 0;

    gather(&nothing, 1);
}

/* ---- instructions of a warp ------------------------------------------------------------------ */

static uint32_t word_of(const uint8_t *bytes, unsigned at)
{
    uint32_t word;

    memcpy(&word, bytes + 4 * at, 4);
    return word;
}

uint32_t fx_emu_shfl_xor(uint32_t value, uint32_t mask)
{
    return word_of(gather(&value, sizeof value)[(emu.now->number & 31) ^ mask], 0);
}

void fx_emu_ldmatrix_x4(uint32_t out[4], const void *row)
{
    const uint8_t(*lanes)[LANE_BYTES] = gather(&row, sizeof row);
    unsigned lane = emu.now->number & 31;

    for (unsigned matrix = 0; matrix < 4; matrix++) {
        const uint8_t *address;

        memcpy(&address, lanes[8 * matrix + lane / 4], sizeof address);
        memcpy(&out[matrix], address + 4 * (lane % 4), 4);
    }
}

static int32_t byte_of(uint32_t word, unsigned at)
{
    return (int8_t)(word >> 8 * at);
}

/* Element (row, k) of A: register (k >= 16) * 2 + (row >= 8) of lane 4 (row % 8) + k % 16 / 4. */
static int32_t a_16x32(const uint8_t (*lanes)[LANE_BYTES], unsigned row, unsigned k)
{
    return byte_of(word_of(lanes[row % 8 * 4 + k % 16 / 4], k / 16 * 2 + row / 8), k % 4);
}

/* Element (k, column) of B: register k >= 16 of lane 4 column + k % 16 / 4; after A's registers. */
static int32_t b_32x8(const uint8_t (*lanes)[LANE_BYTES], unsigned k, unsigned column)
{
    return byte_of(word_of(lanes[column * 4 + k % 16 / 4], 4 + k / 16), k % 4);
}

void fx_emu_mma_m16n8k32(int32_t d[4], const uint32_t a[4], const uint32_t b[2], const int32_t c[4])
{
    uint32_t mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
    const uint8_t(*lanes)[LANE_BYTES] = gather(mine, sizeof mine);
    unsigned lane = emu.now->number & 31;

    for (unsigned e = 0; e < 4; e++) {
        unsigned row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
        int32_t sum = c[e];

        for (unsigned k = 0; k < 32; k++)
            sum += a_16x32(lanes, row, k) * b_32x8(lanes, k, column);
        d[e] = sum;
    }
}

void fx_emu_mma_m8n8k16(int32_t d[2], uint32_t a, uint32_t b, const int32_t c[2])
{
    uint32_t mine[2] = {a, b};
    const uint8_t(*lanes)[LANE_BYTES] = gather(mine, sizeof mine);
    unsigned lane = emu.now->number & 31;

    for (unsigned e = 0; e < 2; e++) {
        unsigned row = lane / 4, column = lane % 4 * 2 + e;
        int32_t sum = c[e];

        for (unsigned k = 0; k < 16; k++)
            sum += byte_of(word_of(lanes[row * 4 + k / 4], 0), k % 4) *
                   byte_of(word_of(lanes[column * 4 + k / 4], 1), k % 4);
        d[e] = sum;
    }
}

uint32_t fx_emu_byte_perm(uint32_t a, uint32_t b, uint32_t select)
{
    uint64_t both = (uint64_t)b << 32 | a;
    uint32_t out = 0;

    for (unsigned at = 0; at < 4; at++)
        out |= (uint32_t)(both >> 8 * (select >> 4 * at & 7) & 0xff) << 8 * at;
    return out;
}

int32_t fx_emu_dp4a(uint32_t a, uint32_t b, int32_t c)
{
    for (unsigned at = 0; at < 4; at++)
        c += byte_of(a, at) * byte_of(b, at);
    return c;
}

/* ---- wgmma ----------------------------------------------------------------------------------- */

/*
 * A byte of a K-major operand by its descriptor, in the 128-byte swizzle: rows are 128 bytes apart,
 * eight of them the stride of bits 32 .. 45; bits 4 .. 6 of the address are then turned by its bits
 * 7 .. 9.
 */
static int32_t operand(uint64_t descriptor, unsigned row, unsigned k)
{
    uint32_t start = (uint32_t)(descriptor & 0x3fff) << 4;
    uint32_t stride = (uint32_t)(descriptor >> 32 & 0x3fff) << 4;
    uint32_t address = start + row / 8 * stride + row % 8 * 128 + k;

    FX_CHECK(descriptor >> 62 == 1 && (descriptor >> 49 & 7) == 0);
    address ^= (address >> 7 & 7) << 4;
    FX_CHECK(address >= WINDOW && address - WINDOW < SHARED_BYTES);
    return (int8_t)shared[emu.now->rank][address - WINDOW];
}

static void multiply(const struct product *product)
{
    unsigned lane = emu.now->number & 31, warp = emu.now->number / 32 % 4;
    int8_t rows[2][32];

    for (unsigned k = 0; k < 32; k++) {
        rows[0][k] = (int8_t)operand(product->a, warp * 16 + lane / 4, k);
        rows[1][k] = (int8_t)operand(product->a, warp * 16 + lane / 4 + 8, k);
    }
    for (unsigned j = 0; j < 16; j++) {
        for (unsigned e = 0; e < 2; e++) {
            int32_t first = 0, second = 0;

            for (unsigned k = 0; k < 32; k++) {
                int32_t b = operand(product->b, 8 * j + lane % 4 * 2 + e, k);

                first += rows[0][k] * b;
                second += rows[1][k] * b;
            }
            product->d[4 * j + e] = (product->add ? product->d[4 * j + e] : 0) + first;
            product->d[4 * j + 2 + e] = (product->add ? product->d[4 * j + 2 + e] : 0) + second;
        }
    }
}

void fx_emu_wgmma_fence(void)
{
}

void fx_emu_wgmma_m64n128k32(int32_t d[64], uint64_t a, uint64_t b, int add)
{
    struct thread *self = emu.now;

    FX_CHECK(self->n_pending < PENDING_MAX);
    if (!add)
        memset(d, 0x5a, 64 * sizeof *d);
    self->pending[self->n_pending++] = (struct product){d, a, b, add, false};
}

void fx_emu_wgmma_commit(void)
{
    struct thread *self = emu.now;

    /* The last product of each group carries the mark. */
    FX_CHECK(self->n_pending > 0);
    self->pending[self->n_pending - 1].committed = true;
}

void fx_emu_wgmma_wait(uint32_t pending)
{
    struct thread *self = emu.now;
    unsigned groups = 0, n = 0;

    for (unsigned at = 0; at < self->n_pending; at++)
        groups += self->pending[at].committed;
    while (groups > pending) {
        groups -= self->pending[n].committed;
        multiply(&self->pending[n++]);
    }
    memmove(self->pending, self->pending + n, (self->n_pending - n) * sizeof *self->pending);
    self->n_pending -= n;
}

/* ---- mbarrier -------------------------------------------------------------------------------- */

/* In the 64 bits of a barrier: phase, arrivals that are missing, arrivals of a phase, bytes that
 * are missing (they may come before they are expected). */
struct mbarrier {
    uint8_t phase, missing, count, filler;
    int32_t bytes;
};

static struct mbarrier load_mbarrier(const uint64_t *barrier)
{
    struct mbarrier m;

    memcpy(&m, barrier, sizeof m);
    return m;
}

static void store_mbarrier(uint64_t *barrier, struct mbarrier m)
{
    if (m.missing == 0 && m.bytes == 0) {
        m.phase ^= 1;
        m.missing = m.count;
    }
    memcpy(barrier, &m, sizeof m);
    emu.progress++;
}

/* The same place in the shared memory of another group. */
static void *there(void *here, uint32_t rank)
{
    return shared[rank] + ((uint8_t *)here - shared[emu.now->rank]);
}

void fx_emu_mbarrier_init(uint64_t *barrier, uint32_t count)
{
    struct mbarrier m = {.missing = (uint8_t)count, .count = (uint8_t)count};

    memcpy(barrier, &m, sizeof m);
}

static void arrive(uint64_t *barrier)
{
    struct mbarrier m = load_mbarrier(barrier);

    FX_CHECK(m.missing > 0);
    m.missing--;
    store_mbarrier(barrier, m);
}

void fx_emu_mbarrier_arrive_both(uint64_t *barrier)
{
    for (uint32_t rank = 0; rank < 2; rank++)
        arrive(there(barrier, rank));
}

void fx_emu_mbarrier_expect(uint64_t *barrier, uint32_t bytes)
{
    struct mbarrier m = load_mbarrier(barrier);

    m.bytes += (int32_t)bytes;
    memcpy(barrier, &m, sizeof m);
    arrive(barrier);
}

void fx_emu_mbarrier_wait(uint64_t *barrier, uint32_t parity)
{
    while (load_mbarrier(barrier).phase == (parity & 1))
        give_way();
}

void fx_emu_bulk_copy(void *to, const void *from, uint32_t bytes, uint64_t *barrier, int both)
{
    for (uint32_t rank = 0; rank < 2; rank++) {
        struct mbarrier m;

        if (!both && rank != emu.now->rank)
            continue;
        memcpy(there(to, rank), from, bytes);
        m = load_mbarrier(there(barrier, rank));
        m.bytes -= (int32_t)bytes;
        store_mbarrier(there(barrier, rank), m);
    }
}
