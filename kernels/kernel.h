/*
 * The interface of compute backends. A backend lists its devices, opens them, and on each runs
 * tasks: bricks of noised operands whose tickets are compared with a target, while the exact
 * product is peeled out of the same bricks (protocol section 6). Nothing that a backend says is
 * believed: a ticket is checked again by consensus code and a result by Freivalds before either
 * leaves the miner.
 *
 * A device is used by one thread at a time; different devices by different threads. Errors are one
 * sentence for the user.
 */
#ifndef FX_KERNELS_KERNEL_H
#define FX_KERNELS_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"

#define FX_KERNEL_TEXT 160

struct fx_device;  /* an open device; opaque, each backend has its own */
struct fx_session; /* a task on a device; opaque, likewise */

struct fx_device_info {
    const char *backend; /* "cpu", "opencl", "cuda" */
    unsigned index;      /* within the backend */
    char name[FX_KERNEL_TEXT];
    uint64_t memory; /* bytes; 0: not known */
    bool usable;
    char why[FX_KERNEL_TEXT]; /* where it is not usable */
    bool spare; /* usable, but another backend makes more of the same hardware: not for "all" */
};

/* What a device says of itself; negative where it is not known. */
struct fx_device_sensors {
    int temperature; /* degrees Celsius */
    int milliwatts;
};

/* Where a session reads its operands. May be called from threads of the backend, from several at a
 * time. */
struct fx_kernel_operands {
    void *ctx;
    /* Panel blocks (panel, first) .. (panel, first + count - 1), 32,768 bytes each. False stops the
     * step with FAILED. */
    bool (*read)(void *ctx, enum fx_side side, uint32_t panel, uint32_t first, uint32_t count,
                 int8_t *out);
};

/* A task: a rectangle of result tiles, row-major, each the sum of `depth` bricks. Panels are
 * absolute (row0 + row). */
struct fx_kernel_task {
    uint8_t kind; /* FX_KIND of consensus/kinds: 1 is gemm */
    uint32_t row0, col0;
    uint32_t rows, cols;
    uint32_t depth;
    struct fx_kernel_operands operands;
};

enum fx_kernel_mode {
    FX_KERNEL_PRODUCT = 1, /* finish tiles */
    FX_KERNEL_MINE = 2     /* hash tickets */
};

/* Under what header a step works. It may change from step to step: sums are peeled of each brick's
 * own noise. */
struct fx_kernel_header {
    uint8_t seed[32];   /* block id */
    uint8_t target[32]; /* little-endian number */
    unsigned mode;      /* enum fx_kernel_mode bits */
};

/* What a step gives back, on the thread that called it. */
struct fx_kernel_sink {
    void *ctx;
    /* A ticket that meets the target; i and j are absolute. False ends the step as CANCELLED. */
    bool (*ticket)(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32]);
    /* An exact tile, 128 x 128 row-major; `tile` counts row-major in the rectangle. False: as
     * above. NULL: finished tiles stay on the device and are dropped (benches). */
    bool (*tile)(void *ctx, uint64_t tile, const int32_t *data);
};

enum fx_kernel_step {
    FX_STEP_MORE = 0, /* the budget is used up, there is more to do */
    FX_STEP_DONE, /* PRODUCT: every tile was given out; MINE alone: every brick was tried under this
                     header */
    FX_STEP_CANCELLED, /* *cancel became true, within 100 ms */
    FX_STEP_FAILED     /* the session cannot go on; error says why */
};

/* Counters since the session began; times in nanoseconds, summed over threads. Where the fold is
 * part of the product, its time is in product_ns, and fold_ns is 0. */
struct fx_kernel_stats {
    uint64_t bricks;
    uint64_t tickets; /* that met the target */
    uint64_t tiles;
    uint64_t read_ns, noise_ns, product_ns, fold_ns, hash_ns, peel_ns;
};

struct fx_backend {
    const char *name;
    /* Fills at most max entries; returns how many devices there are. Where there is none, the one
     * entry says why. */
    size_t (*list)(struct fx_device_info *devices, size_t max);
    /* NULL: error says why. */
    struct fx_device *(*open)(unsigned index, char error[FX_KERNEL_TEXT]);
    void (*close)(struct fx_device *device);
    /* Does it run this kind? */
    bool (*runs_kind)(uint8_t kind);
    /* NULL where the backend knows nothing. Callable from any thread while the device is open. */
    void (*sensors)(struct fx_device *device, struct fx_device_sensors *sensors);

    /* The task is copied. done: one bit a tile (bit t & 7 of byte t >> 3), tiles that need no work;
     * or NULL. */
    struct fx_session *(*begin)(struct fx_device *device, const struct fx_kernel_task *task,
                                const uint8_t *done, char error[FX_KERNEL_TEXT]);
    /* Works for about budget_ms milliseconds. No brick of the product is computed twice to deliver
     * it. */
    enum fx_kernel_step (*step)(struct fx_session *session, const struct fx_kernel_header *header,
                                unsigned budget_ms, const atomic_bool *cancel,
                                const struct fx_kernel_sink *sink, char error[FX_KERNEL_TEXT]);
    void (*stats)(const struct fx_session *session, struct fx_kernel_stats *stats);
    /*
     * Partial sums, to go on after a restart: save hands pieces of bytes to write (false from it
     * ends with false); load takes them as one span from a session of the same task and done bits.
     * Where a backend has nothing to keep, save writes nothing.
     */
    bool (*save)(struct fx_session *session, bool (*write)(void *ctx, const void *data, size_t n),
                 void *ctx);
    bool (*load)(struct fx_session *session, const uint8_t *data, size_t n);
    void (*end)(struct fx_session *session);

    /*
     * Hash lane: double SHA-256 over header with nonces first .. first + count - 1. True when one
     * meets the target; *nonce is the first found. *tried: how many were. Ends early when *cancel
     * becomes true.
     */
    bool (*hash)(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                 uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                 uint64_t *tried);
    /* Why the last hash of the device ended before its time; empty where it did not. NULL where it
     * cannot fail. */
    const char *(*hash_error)(const struct fx_device *device);
};

extern const struct fx_backend fx_backend_cpu;
extern const struct fx_backend fx_backend_cuda;
extern const struct fx_backend fx_backend_opencl; /* where the build has the headers */

/* All backends of this build, NULL-terminated. */
extern const struct fx_backend *const fx_backends[];
const struct fx_backend *fx_backend_find(const char *name);
/* hash_error of a backend that may have none. */
const char *fx_backend_hash_error(const struct fx_backend *backend, const struct fx_device *device);

#endif
