/* The plain int8 product by oneDNN, where the build found it: what the noised product on the CPU is
 * compared with. */
#ifndef FX_QA_BENCH_PLAIN_CPU_H
#define FX_QA_BENCH_PLAIN_CPU_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One product C = A B^T, all row-major, B transposed as panels are: m x k int8, n x k int8, m x n
 * int32. offset: A is taken as unsigned bytes, which are 128 more than what is meant (the form that
 * the instructions of x86 want). False: no oneDNN, or it does not take the shape.
 */
bool fx_bench_plain_cpu(uint64_t m, uint64_t n, uint64_t k, bool offset, const int8_t *a,
                        const int8_t *b, int32_t *c);

#endif
