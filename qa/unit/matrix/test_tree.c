/* Operand trees against the commitments of consensus. */
#include "src/matrix/tree.h"

#include <stdlib.h>

#include "qa/unit/harness.h"
#include "qa/unit/matrix/memory.h"

FX_TEST(roots_and_paths)
{
    struct fx_memory memory;
    struct fx_hash root;
    uint8_t path[2 * FX_TREE_DEPTH_MAX * 32];
    int8_t block[FX_BLOCK_BYTES];

    fx_memory_init(&memory, 384, 128, 768, 1, 1, 0);
    FX_CHECK(fx_commit_operand_matrix(memory.a, 384, 768, &root));
    FX_CHECK_MEM(memory.gemm.root_a.b, root.b, 32);
    FX_CHECK(fx_commit_operand_matrix(memory.b, 128, 768, &root));
    FX_CHECK_MEM(memory.gemm.root_b.b, root.b, 32);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t rows = side == FX_SIDE_A ? 384 : 128;
        const struct fx_hash *of = side == FX_SIDE_A ? &memory.gemm.root_a : &memory.gemm.root_b;

        for (uint32_t i = 0; i < rows / 128; i++) {
            for (uint32_t l = 0; l < 3; l++) {
                FX_CHECK(memory.source.read_block(&memory, (enum fx_side)side, i, l, block, path));
                FX_CHECK(fx_commit_operand_open(block, rows, 768, i, l, path, of));
            }
        }
    }
    fx_memory_clear(&memory);
}
