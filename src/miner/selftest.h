/* Does a device compute what the rules say? A small product and its tickets, under headers that
 * change, and some nonces, against consensus code. */
#ifndef FX_MINER_SELFTEST_H
#define FX_MINER_SELFTEST_H

#include <stdatomic.h>

#include "src/miner/options.h"

/* All that -device asks for, a line each on standard output. Returns the exit status (crew.h). Ends
 * after the device under test, and with an error, where *stop becomes true. */
int fx_miner_selftest(const struct fx_miner_options *options, const atomic_bool *stop);
/* One of them; false: error says what is wrong. */
bool fx_miner_selftest_device(const struct fx_backend *backend, struct fx_device *device,
                              char error[FX_KERNEL_TEXT]);

#endif
