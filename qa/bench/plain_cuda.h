/*
 * The plain int8 product by cuBLASLt, found at run time: what the noised product on a CUDA device
 * is compared with. Both take operands in rows of k bytes, as panels are.
 */
#ifndef FX_QA_BENCH_PLAIN_CUDA_H
#define FX_QA_BENCH_PLAIN_CUDA_H

#include <stdint.h>

#include "kernels/kernel.h"

/*
 * Multiplies m x k by k x n int8 to m x n int32 on device `index`, again and again for about
 * `seconds`. True: *macs is how many multiply-adds a second it made, as the device's clock has it.
 * False: error says why (no driver, no libcublasLt, no memory, a shape that it does not take). m, n
 * and k are multiples of 16.
 */
bool fx_bench_plain_cuda(unsigned index, uint64_t m, uint64_t n, uint64_t k, double seconds,
                         double *macs, char error[FX_KERNEL_TEXT]);

#endif
