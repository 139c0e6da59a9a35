/*
 * A job kind: how the body of a spec is read, what a task of it measures, and how results are
 * proven. One file a kind (consensus/kinds/NAME.c) and one entry in the table that params carry; of
 * the rules, only the proof of work in a block of the job lane (work_proof.c) knows gemm by name.
 */
#ifndef FX_CONSENSUS_KINDS_KIND_H
#define FX_CONSENSUS_KINDS_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/buf.h"
#include "src/util/hash.h"
#include "src/util/span.h"

#define FX_KIND_GEMM 1
#define FX_GEMM_BODY_SIZE 84 /* m n k, root_a, root_b, task_rows, task_cols */

/* A task's part of the job: a rectangle of the grid of result tiles. All in tiles of 128 entries.
 */
struct fx_task_shape {
    uint32_t row0, col0; /* first tile row and column */
    uint32_t rows, cols; /* tiles */
    uint32_t depth;      /* bricks a tile: k / 256 */
    uint64_t tiles;      /* rows * cols */
    uint64_t bricks;     /* tiles * depth */
};

enum fx_entry {
    FX_ENTRY_NEITHER = 0, /* malformed, outside, or a root is wrong */
    FX_ENTRY_EQUAL,
    FX_ENTRY_DIFFERENT
};

struct fx_kind {
    uint8_t id;
    const char *name; /* "gemm" */
    /* The body is valid (every range of the protocol). */
    bool (*check_body)(struct fx_span body);
    /* Number of tasks that the body cuts the job into, for a valid body. */
    uint64_t (*task_count)(struct fx_span body);
    /* The shape of task `index`, below task_count, of a valid body. */
    void (*task_shape)(struct fx_span body, uint32_t index, struct fx_task_shape *shape);
    /* Take: the entry that a sample hash points at, absolute. */
    void (*sample)(const struct fx_task_shape *shape, const struct fx_hash *hash, uint32_t *row,
                   uint32_t *column);
    /* Take and fraud: judges an entry proof (section 7) against the body's operands and a claim's
     * result root. */
    enum fx_entry (*verify_entry)(struct fx_span body, const struct fx_task_shape *shape,
                                  const struct fx_hash *solver, const struct fx_hash *result,
                                  uint32_t row, uint32_t column, struct fx_span proof);
    /* Exact size in bytes of an entry proof for this shape. */
    size_t (*entry_proof_size)(struct fx_span body, const struct fx_task_shape *shape);
    /* Answer: does this tile (row-major in the rectangle) open under the result root? */
    bool (*verify_tile)(const struct fx_task_shape *shape, const struct fx_hash *solver,
                        const struct fx_hash *result, uint32_t tile, struct fx_span data,
                        struct fx_span path);
    /* May a job-lane block be mined in it (section 6)? */
    bool mineable;
};

extern const struct fx_kind fx_kind_gemm;

/* The kinds of version 1, NULL-terminated: what params of the real networks carry. */
extern const struct fx_kind *const fx_kinds_v1[];

/* NULL when no kind has this id. */
const struct fx_kind *fx_kind_find(const struct fx_kind *const *kinds, uint8_t id);

/* The body of a gemm spec. m, n, k in entries; task_rows, task_cols in tiles. */
struct fx_gemm {
    uint32_t m, n, k;
    struct fx_hash root_a, root_b;
    uint32_t task_rows, task_cols;
};

bool fx_gemm_read(struct fx_span body, struct fx_gemm *gemm); /* length and ranges */
void fx_gemm_write(const struct fx_gemm *gemm, struct fx_buf *body);

#endif
