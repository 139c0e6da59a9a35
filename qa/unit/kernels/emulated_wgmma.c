/* The device code as compute capability 9.0 has it: bricks by wgmma. */
#define FX_ARCH 900
#define FX_EMULATED fx_emulated_wgmma
#define FX_EMULATED_NAME "wgmma"
#include "qa/unit/kernels/emulated_kernels.h"
