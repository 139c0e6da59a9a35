/* The device code as compute capability 8.0 has it: bricks by mma.m16n8k32. */
#define FX_ARCH 800
#define FX_EMULATED fx_emulated_mma16
#define FX_EMULATED_NAME "mma16"
#include "qa/unit/kernels/emulated_kernels.h"
