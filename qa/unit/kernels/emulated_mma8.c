/* The device code as compute capability 7.5 has it: bricks by mma.m8n8k16. */
#define FX_ARCH 750
#define FX_EMULATED fx_emulated_mma8
#define FX_EMULATED_NAME "mma8"
#include "qa/unit/kernels/emulated_kernels.h"
