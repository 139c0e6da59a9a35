/* A source over matrices in memory, for tests: random operands, the true result of one task, and
 * look-ups that can be told to fail. */
#ifndef FX_QA_UNIT_MATRIX_MEMORY_H
#define FX_QA_UNIT_MATRIX_MEMORY_H

#include "src/matrix/source.h"
#include "src/matrix/tree.h"

#include "consensus/kinds/kind.h"

struct fx_memory {
    struct fx_source source; /* its ctx is this: it does not move */
    struct fx_gemm gemm;     /* with the true roots */
    struct fx_buf body;
    struct fx_task_shape shape;
    int8_t *a, *b;     /* m x k, n x k, row-major */
    int8_t *blocks[2]; /* the same in panel order */
    struct fx_operand_tree tree[2];
    int32_t *result; /* the rectangle, row-major */
    struct fx_hash solver;
    unsigned reads;      /* of blocks and tiles so far */
    unsigned fail_after; /* reads that succeed before all fail; 0: none fails */
};

/* Entries are any int8 from the harness's randomness; task `index` is the one that is solved. */
void fx_memory_init(struct fx_memory *memory, uint32_t m, uint32_t n, uint32_t k,
                    uint32_t task_rows, uint32_t task_cols, uint32_t index);
void fx_memory_clear(struct fx_memory *memory);
/* After a change of a or b: blocks, trees, roots and body. */
void fx_memory_refresh(struct fx_memory *memory);
/* The result of the operands as they are. */
void fx_memory_solve(struct fx_memory *memory);
/* The root of the result as it is. */
void fx_memory_result_root(const struct fx_memory *memory, struct fx_hash *root);
struct fx_span fx_memory_body(const struct fx_memory *memory);

#endif
