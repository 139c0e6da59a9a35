/*
 * One number for each device: bricks a second, noised, with tickets and the exact product peeled,
 * of a task that is the same on every machine: 16,384 x 16,384 x 4,096, operands from one byte
 * pattern, results copied to the host.
 */
#ifndef FX_MINER_BENCHMARK_H
#define FX_MINER_BENCHMARK_H

#include <stdatomic.h>

#include "src/miner/options.h"

/* One device after the other, to standard output. Returns the exit status (crew.h); a message says
 * why it is not 0. Ends early, and with an error, where *stop becomes true: a number that was
 * measured for less than the whole time is not printed. */
int fx_miner_benchmark(const struct fx_miner_options *options, const atomic_bool *stop);

#endif
