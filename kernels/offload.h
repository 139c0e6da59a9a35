/*
 * Tasks on a device that has a memory of its own: what the OpenCL and the CUDA backend have in
 * common. A backend is a driver, which moves bytes and starts kernels, and the kernels; this engine
 * is the session: which operands and sums are on the device, what is started next, what is given
 * out.
 *
 * A task is worked through in *supertiles*, rectangles of tiles whose sums stay on the device, as
 * large as its memory and its speed allow, and each of these in *units*: a few segments, a chunk of
 * them at most, for all tiles of the supertile. A unit takes about 20 ms; two of them are under way
 * at a time, while this thread reads operands for the next one and gives out the tiles of the
 * supertile before.
 */
#ifndef FX_KERNELS_OFFLOAD_H
#define FX_KERNELS_OFFLOAD_H

#include "kernels/kernel.h"

#define FX_OFFLOAD_CHUNK_MAX 128 /* segments a unit, at most */
#define FX_OFFLOAD_DIRTY_WORDS 8

/*
 * The kernels. A group works for as many panels, tiles or bricks as is said; arguments are buffers
 * and 32-bit words, in this order. Names that come again:
 *
 * header  FX_HEADER_WORDS words (kernels/device.h)
 * rows    of the supertile, in panels
 * base    panels of side A are units 0 .. rows - 1, those of side B base, base + 1, ..
 * lrows   L of a unit as it is, 32,768 bytes; limages: the same as an image
 * images  a noised block as its driver's kernels like it, 32,768 bytes, at unit * chunk + segment
 * list    one word an entry: row | column << 12 | flags << 24 of a tile within the supertile. Where
 *         span is 2, an entry stands for that column and the next one; bit 24 says that the first
 *         is wanted, bit 25 that the second is. Where entries come in pairs, one of them may have
 *         neither.
 * stride  the tile (row, column) is number row * stride + column of the supertile
 * chunk   segments of a slot; from, to: those that count, from <= segment < to
 * sums    128 x 128 int32 a tile, row-major
 * folds   8 words a brick, at tile * chunk + segment
 * table   a unit's slot in plain; after those of all units FX_OFFLOAD_DIRTY_WORDS words each, a bit
 *         for each of its segments that has an entry out of range
 */
enum fx_offload_kernel {
    /* L of all units: header, lrows, limages, rows, base, row0, col0. Two groups a panel. */
    FX_OFFLOAD_PANELS,
    /* All permutations: header, perms, depth. A group each; perms has 1,024 bytes a side and
     * segment. */
    FX_OFFLOAD_PERMS,
    /* Plain blocks to images, and G and H: plain, table, perms, lrows, images, gathered, rows,
     * base, chunk, first segment, depth, from, to, flags. Eight groups a panel. */
    FX_OFFLOAD_NOISE,
    /* Products of images: images, list, sums, folds, base, stride, chunk, from, to, flags. A
     * group an entry of the list. */
    FX_OFFLOAD_BRICKS,
    /* Tickets that meet the target: header, folds, list, table, found, count of the list, base,
     * stride, chunk, from, to, first row, first column, first segment, units in the table. An item
     * for each tile and segment of each entry, 256 a group; those that are not wanted or out of
     * range are left out. found: a counter, and from word 4 on i, j, l, 0 and 8 words of ticket
     * each. */
    FX_OFFLOAD_TICKETS,
    /* G and H in digits of 8 bits: gathered, limbs, used, rows, base. 32 groups a panel. limbs has
     * three images a unit, used a bit for each that is not zero. */
    FX_OFFLOAD_LIMBS,
    /* Sums less noise: limbs, used, limages, list, sums, base, stride. A group an entry. */
    FX_OFFLOAD_PEEL,
    /* Hash lane: lane constants (FX_LANE_WORDS words), best, first nonce, count, nonces an item.
     * 256 items a group; best becomes the lowest offset that wins. */
    FX_OFFLOAD_NONCES,
    FX_OFFLOAD_KERNELS
};

#define FX_OFFLOAD_NOISED 1u   /* NOISE: add noise */
#define FX_OFFLOAD_GATHERED 2u /* NOISE: gather G and H */
#define FX_OFFLOAD_ADDED 1u    /* BRICKS: add to the sums */
#define FX_OFFLOAD_FOLDED 2u   /* BRICKS: fold */
#define FX_OFFLOAD_SET                                                        \
    4u /* BRICKS, with ADDED: the sums are new, what they held does not count \
        */

/* Each works in order; they run beside each other. */
enum fx_offload_queue {
    FX_OFFLOAD_COMPUTE,
    FX_OFFLOAD_UPLOAD,
    FX_OFFLOAD_DOWNLOAD,
    FX_OFFLOAD_QUEUES
};

#define FX_OFFLOAD_MARKS 32

struct fx_offload_arg {
    bool is_buffer;
    uint64_t value;
};

/*
 * What a backend supplies. Functions of type bool give false when the device failed; `error` then
 * says why, in one sentence. A buffer is a number, not 0. Host memory that is read or written must
 * come from host_alloc, and stays untouched until the queue has passed a mark after it.
 */
struct fx_offload_driver {
    bool (*alloc)(void *ctx, uint64_t bytes, uint64_t *buffer);
    void (*release)(void *ctx, uint64_t buffer);
    void *(*host_alloc)(void *ctx, size_t bytes); /* NULL where there is no more */
    void (*host_release)(void *ctx, void *memory);
    bool (*write)(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset,
                  const void *from, size_t n);
    bool (*read)(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset, void *to,
                 size_t n);
    /* On the compute queue; offset and n are multiples of 4. */
    bool (*zero)(void *ctx, uint64_t buffer, uint64_t offset, uint64_t n);
    bool (*launch)(void *ctx, enum fx_offload_kernel kernel, uint32_t groups,
                   const struct fx_offload_arg *args, unsigned n_args);
    /* Sets mark 0 .. FX_OFFLOAD_MARKS - 1 at this point of the queue. */
    bool (*mark)(void *ctx, enum fx_offload_queue queue, unsigned mark);
    bool (*follow)(void *ctx, enum fx_offload_queue queue, unsigned mark); /* waits on the device */
    bool (*wait)(void *ctx, unsigned mark);                                /* waits here */
    bool (*passed)(void *ctx, unsigned mark, bool *passed);
    /* Between two marks of the compute queue that were passed; 0: the device has no clock. */
    bool (*between)(void *ctx, unsigned from, unsigned to, uint64_t *ns);
    const char *(*error)(void *ctx);
};

/* The part of a device that the engine knows; a backend has it in its struct fx_device. */
struct fx_offload {
    const struct fx_offload_driver *driver;
    void *ctx;
    uint64_t memory;     /* bytes that sessions may take */
    uint64_t max_buffer; /* bytes of one buffer */
    unsigned span;       /* columns of a list entry: 1 or 2 */
    bool pairs;          /* entries 2n and 2n + 1 of a list must have the same columns */
    uint64_t speed;      /* bricks a second; 0: not measured yet */
    uint64_t piece;      /* nonces of the hash lane at a time; 0: likewise */
    char hash_error[FX_KERNEL_TEXT]; /* why the last call of the hash lane failed; empty: it did not
                                      */
};

/* The entries of struct fx_backend, apart from begin and hash, which take the device's part. */
struct fx_session *fx_offload_begin(struct fx_offload *device, const struct fx_kernel_task *task,
                                    const uint8_t *done, char error[FX_KERNEL_TEXT]);
enum fx_kernel_step fx_offload_step(struct fx_session *session,
                                    const struct fx_kernel_header *header, unsigned budget_ms,
                                    const atomic_bool *cancel, const struct fx_kernel_sink *sink,
                                    char error[FX_KERNEL_TEXT]);
void fx_offload_stats(const struct fx_session *session, struct fx_kernel_stats *stats);
bool fx_offload_save(struct fx_session *session,
                     bool (*write)(void *ctx, const void *data, size_t n), void *ctx);
bool fx_offload_load(struct fx_session *session, const uint8_t *data, size_t n);
void fx_offload_end(struct fx_session *session);
bool fx_offload_hash(struct fx_offload *device, const uint8_t header[80], const uint8_t target[32],
                     uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                     uint64_t *tried);
bool fx_offload_runs_kind(uint8_t kind);

#endif
