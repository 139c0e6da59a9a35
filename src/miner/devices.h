/* The devices of this machine, and how fast the chosen one is. */
#ifndef FX_MINER_DEVICES_H
#define FX_MINER_DEVICES_H

#include "kernels/kernel.h"
#include "src/miner/options.h"
#include "src/miner/pay.h"

/* To standard output, a line each. */
void fx_miner_devices_print(void);
/* NULL: error says why. */
struct fx_device *fx_miner_device_open(const struct fx_miner_options *options,
                                       char error[FX_KERNEL_TEXT]);
/* A short trial of both lanes: enough to choose one before there is something better to go by. */
bool fx_miner_device_measure(const struct fx_backend *backend, struct fx_device *device,
                             struct fx_pay_rates *rates, char error[FX_KERNEL_TEXT]);

#endif
