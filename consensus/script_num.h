/* Numbers of the script language: little-endian, the top bit of the last byte is the sign. */
#ifndef FX_CONSENSUS_SCRIPT_NUM_H
#define FX_CONSENSUS_SCRIPT_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/span.h"

#define FX_SCRIPT_NUM_SIZE 4      /* bytes that arithmetic takes; results may be longer */
#define FX_SCRIPT_NUM_LOCK_SIZE 5 /* bytes that the lock time opcodes take */
#define FX_SCRIPT_NUM_BYTES 9     /* room for any */

/* False where data is longer than max (at most 8), or not the shortest form and `minimal` is on. */
bool fx_script_num_read(struct fx_span data, size_t max, bool minimal, int64_t *value);
/* The shortest form; 0 has no bytes. value: any but INT64_MIN. Returns the length. */
size_t fx_script_num_write(int64_t value, uint8_t out[FX_SCRIPT_NUM_BYTES]);
/* What IF and VERIFY see: false for zeros of any length, with or without the sign. */
bool fx_script_is_true(struct fx_span data);

#endif
