/* Entry proofs as the rules judge them. */
#include "src/matrix/proof.h"

#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/matrix/memory.h"

static enum fx_entry build_and_verify(struct fx_memory *memory, uint32_t row, uint32_t column)
{
    struct fx_buf proof = FX_BUF_INIT;
    struct fx_hash root;
    struct fx_span span;
    enum fx_entry entry;

    fx_memory_result_root(memory, &root);
    FX_CHECK(fx_entry_proof_build(&memory->gemm, &memory->shape, &memory->solver, &memory->source,
                                  row, column, &proof));
    span.data = proof.data;
    span.len = proof.len;
    FX_CHECK_INT(proof.len, fx_kind_gemm.entry_proof_size(fx_memory_body(memory), &memory->shape));
    entry = fx_kind_gemm.verify_entry(fx_memory_body(memory), &memory->shape, &memory->solver,
                                      &root, row, column, span);
    fx_buf_clear(&proof);
    return entry;
}

FX_TEST(proofs_verify)
{
    for (uint32_t index = 0; index < 4; index++) {
        struct fx_memory memory;

        fx_memory_init(&memory, 384, 640, 768, 2, 3, index);
        for (unsigned round = 0; round < fx_unit_rounds(4); round++) {
            uint32_t r = (uint32_t)fx_unit_rand_below((uint64_t)memory.shape.rows * FX_TILE);
            uint32_t c = (uint32_t)fx_unit_rand_below((uint64_t)memory.shape.cols * FX_TILE);
            int32_t *entry = &memory.result[(size_t)r * memory.shape.cols * FX_TILE + c];
            uint32_t row = memory.shape.row0 * FX_TILE + r;
            uint32_t column = memory.shape.col0 * FX_TILE + c;

            FX_CHECK_INT(build_and_verify(&memory, row, column), FX_ENTRY_EQUAL);
            *entry ^= 1;
            FX_CHECK_INT(build_and_verify(&memory, row, column), FX_ENTRY_DIFFERENT);
            *entry ^= 1;
        }
        fx_memory_clear(&memory);
    }
}

FX_TEST(a_job_of_one_brick)
{
    struct fx_memory memory;

    fx_memory_init(&memory, 128, 128, 256, 1, 1, 0);
    FX_CHECK_INT(build_and_verify(&memory, 0, 127), FX_ENTRY_EQUAL);
    fx_memory_clear(&memory);
}

FX_TEST(appends_or_leaves_alone)
{
    struct fx_memory memory;
    struct fx_buf proof = FX_BUF_INIT;
    unsigned all;

    fx_memory_init(&memory, 256, 384, 512, 1, 2, 1);
    fx_buf_u8(&proof, 9);
    /* Outside: this task has tile row 0 and tile column 2. */
    FX_CHECK(!fx_entry_proof_build(&memory.gemm, &memory.shape, &memory.solver, &memory.source, 128,
                                   300, &proof));
    FX_CHECK(!fx_entry_proof_build(&memory.gemm, &memory.shape, &memory.solver, &memory.source, 0,
                                   255, &proof));
    FX_CHECK(!fx_entry_proof_build(&memory.gemm, &memory.shape, &memory.solver, &memory.source, 0,
                                   384, &proof));
    FX_CHECK_INT(proof.len, 1);
    FX_CHECK(fx_entry_proof_build(&memory.gemm, &memory.shape, &memory.solver, &memory.source, 0,
                                  256, &proof));
    FX_CHECK_INT(proof.data[0], 9);
    FX_CHECK_INT(proof.len,
                 1 + fx_kind_gemm.entry_proof_size(fx_memory_body(&memory), &memory.shape));
    proof.len = 1;
    all = memory.reads;
    for (memory.fail_after = 1; memory.fail_after < all; memory.fail_after++) {
        memory.reads = 0;
        FX_CHECK(!fx_entry_proof_build(&memory.gemm, &memory.shape, &memory.solver, &memory.source,
                                       0, 256, &proof));
        FX_CHECK_INT(proof.len, 1);
    }
    fx_buf_clear(&proof);
    fx_memory_clear(&memory);
}
