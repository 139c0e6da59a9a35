/* The device code as compute capability 6.1 has it: bricks by dp4a. */
#define FX_ARCH 610
#define FX_EMULATED fx_emulated_dp4a
#define FX_EMULATED_NAME "dp4a"
#include "qa/unit/kernels/emulated_kernels.h"
