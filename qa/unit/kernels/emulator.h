/* Runs device code of kernels/cuda on this machine: groups of threads, each a coroutine, that take
 * turns at barriers. What the code calls is in kernels/cuda/emulate.h. */
#ifndef FX_QA_UNIT_KERNELS_EMULATOR_H
#define FX_QA_UNIT_KERNELS_EMULATOR_H

#include <stdint.h>

/* Runs `groups` groups of `threads` threads, cluster (1 or 2) of them at a time. A group that waits
 * for something that cannot come fails the test. */
void fx_emulate(void (*kernel)(void *args), void *args, uint32_t groups, uint32_t threads,
                uint32_t cluster);

#endif
