/* Building entry proofs (protocol section 7), for take and, later, fraud. */
#ifndef FX_MATRIX_PROOF_H
#define FX_MATRIX_PROOF_H

#include "consensus/kinds/kind.h"
#include "src/matrix/source.h"
#include "src/util/buf.h"

/*
 * Appends the entry proof of (row, column), absolute and inside the task's rectangle, to proof. The
 * source must give blocks, tiles and their paths. False, with proof as it was, where it cannot, or
 * where the entry lies outside. Whether the proof verifies is not looked at.
 */
bool fx_entry_proof_build(const struct fx_gemm *gemm, const struct fx_task_shape *shape,
                          const struct fx_hash *solver, const struct fx_source *source,
                          uint32_t row, uint32_t column, struct fx_buf *proof);

#endif
