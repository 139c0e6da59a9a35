/* Randomness from getrandom(2). A failure ends the process: there is nothing safe to go on with. */
#ifndef FX_SYS_RANDOM_H
#define FX_SYS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void fx_random_bytes(void *out, size_t n);
uint64_t fx_random_u64(void);
/* Uniform in [0, bound), bound > 0. */
uint64_t fx_random_below(uint64_t bound);

#endif
