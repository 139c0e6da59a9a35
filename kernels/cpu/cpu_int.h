/*
 * The parts of the CPU backend: the device (cpu.c) and the memory that it keeps (memory.c), what
 * belongs to a header (seed.c), the inner loops of an instruction set (engine_int.h), a rectangle
 * of tiles and the work on it (group.c), a task (session.c, stages.c, save.c), the hash lane
 * (hash.c).
 */
#ifndef FX_KERNELS_CPU_CPU_INT_H
#define FX_KERNELS_CPU_CPU_INT_H

#include "kernels/cpu/engine_int.h"
#include "kernels/kernel.h"
#include "src/crypto/sha256.h"
#include "src/sys/pool.h"

#define FX_CPU_KEPT 4 /* what a session takes: two groups, permutations; and one to spare */

/* A piece of memory on the boundary of a page; nothing where size is 0. */
struct fx_cpu_memory {
    void *at;
    size_t size;
};

struct fx_device {
    const struct fx_cpu_engine *engine;
    struct fx_pool *pool; /* NULL: one thread, the caller's */
    unsigned threads;
    struct fx_cpu_memory kept[FX_CPU_KEPT];
};

/* At least n > 0 bytes, of whatever content; the caller gives it back. */
struct fx_cpu_memory fx_cpu_memory_take(struct fx_device *device, size_t n);
void fx_cpu_memory_give(struct fx_device *device, struct fx_cpu_memory memory);
/* Gives the system what the device keeps. */
void fx_cpu_memory_clear(struct fx_device *device);

/* Noise and midstate under one header. */
struct fx_cpu_seed {
    uint8_t seed[32];
    uint8_t key[32];         /* of the noise */
    struct fx_sha256 ticket; /* after the tag, the seed and the 32 zero bytes */
};

void fx_cpu_seed_init(struct fx_cpu_seed *seed, const uint8_t id[32]);
/* L_side,panel: 128 x 256 in rows. */
void fx_cpu_noise_panel(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t panel,
                        int8_t *out);
void fx_cpu_noise_perm(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t segment,
                       struct fx_cpu_perm *perm);
/* Of n <= FX_CPU_CHUNK segments. */
void fx_cpu_plan_init(struct fx_cpu_plan *plan, const struct fx_cpu_perm *perms, unsigned n);
/* Turns all signs: what gathers by the plan then takes back. */
void fx_cpu_plan_negate(struct fx_cpu_plan *plan);
void fx_cpu_ticket(const struct fx_cpu_seed *seed, const uint32_t words[8], uint32_t i, uint32_t j,
                   uint32_t l, uint8_t ticket[32]);
/* As little-endian numbers: value <= target. */
bool fx_cpu_meets(const uint8_t value[32], const uint8_t target[32]);

/* The entries of struct fx_backend. */
struct fx_session *fx_cpu_begin(struct fx_device *device, const struct fx_kernel_task *task,
                                const uint8_t *done, char error[FX_KERNEL_TEXT]);
enum fx_kernel_step fx_cpu_step(struct fx_session *session, const struct fx_kernel_header *header,
                                unsigned budget_ms, const atomic_bool *cancel,
                                const struct fx_kernel_sink *sink, char error[FX_KERNEL_TEXT]);
void fx_cpu_stats(const struct fx_session *session, struct fx_kernel_stats *stats);
bool fx_cpu_save(struct fx_session *session, bool (*write)(void *ctx, const void *data, size_t n),
                 void *ctx);
bool fx_cpu_load(struct fx_session *session, const uint8_t *data, size_t n);
void fx_cpu_end(struct fx_session *session);
bool fx_cpu_hash(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                 uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                 uint64_t *tried);

#endif
