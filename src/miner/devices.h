/* The devices of this machine: which there are, which were asked for, and how fast one is. */
#ifndef FX_MINER_DEVICES_H
#define FX_MINER_DEVICES_H

#include "kernels/kernel.h"
#include "src/miner/options.h"
#include "src/miner/pay.h"

#define FX_DEVICE_NAME 32 /* "cuda:0" and zero */

/* A device that was asked for. */
struct fx_device_choice {
    const struct fx_backend *backend;
    unsigned index;
    char name[FX_DEVICE_NAME];
    char model[FX_KERNEL_TEXT]; /* what its maker calls it; may be empty */
};

/* To standard output, a line each. */
void fx_miner_devices_print(void);
/* Its name and its model, if that is known, to standard output, without an end of line. */
void fx_miner_device_title(const struct fx_device_choice *choice);
/*
 * What the wishes mean on this machine, each device once, in their order. *list is the caller's to
 * free. False: nothing usable is there for one of them, error says why. A device that was asked for
 * by its index is in the list whether it is usable or not: opening it says why it is not.
 */
bool fx_miner_devices_choose(const struct fx_miner_options *options, struct fx_device_choice **list,
                             size_t *n, char error[FX_KERNEL_TEXT]);
/* NULL: error says why. */
struct fx_device *fx_miner_device_open(const struct fx_miner_options *options,
                                       const struct fx_device_choice *choice,
                                       char error[FX_KERNEL_TEXT]);
/* A short trial of both lanes: enough to choose one before there is something better to go by. */
bool fx_miner_device_measure(const struct fx_backend *backend, struct fx_device *device,
                             struct fx_pay_rates *rates, char error[FX_KERNEL_TEXT]);

#endif
