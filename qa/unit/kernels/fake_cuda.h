/* A driver API whose devices are emulated ones (emulator.h): 0 has compute capability 6.1, 1: 7.5,
 * 2: 8.0, 3: 9.0. All of the CUDA backend runs on it but NVIDIA's library. */
#ifndef FX_QA_UNIT_KERNELS_FAKE_CUDA_H
#define FX_QA_UNIT_KERNELS_FAKE_CUDA_H

#include "kernels/kernel.h"

#define FX_FAKE_DEVICES 4

enum fx_fake_device { FX_FAKE_DP4A, FX_FAKE_MMA8, FX_FAKE_MMA16, FX_FAKE_WGMMA };

/* What the machine is like. */
struct fx_fake_cuda {
    int version;    /* of the driver: 13010 for 13.1 */
    int devices;    /* how many there are */
    int init_error; /* what cuInit gives */
    int fail_after; /* the launch that fails, counted from 1, with all that comes after; 0: none */
    int newest;     /* compute capability of the last device; 0: 90 */
    int release;    /* of the toolkit that built the program; 0: built without one */
    size_t memory;  /* of each device: no more can be allocated */
    size_t others;  /* of that, taken by somebody else after the device said what is free */
    /* What work takes by a device's clock, which has nothing to do with that of the machine that
     * runs the test. */
    int64_t brick_ns;  /* 0: as usual */
    int64_t nonces_ns; /* a thousand nonces */
    bool idle;         /* kernels take their time, and do nothing */
};

extern const struct fx_fake_cuda fx_fake_cuda_usual;

/* From now on the CUDA backend sees this machine; NULL: the real one. */
void fx_fake_cuda_use(const struct fx_fake_cuda *fake);
/* Most bytes of device memory that were allocated at a time since then. */
size_t fx_fake_cuda_most(void);
/* The most, in the device's time, that it had to do at a time since the last call of this. */
int64_t fx_fake_cuda_flight_ns(void);
/* From now on a brick takes this long. */
void fx_fake_cuda_brick_ns(int64_t ns);

#endif
