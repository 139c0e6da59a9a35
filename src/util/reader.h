/*
 * A bounded reader over bytes that somebody else owns. A read past the end, or a compact size that
 * is not in its shortest form, sets `bad` and yields zero; once bad, every read yields zero. So a
 * parser reads a whole structure and looks at `bad` at the places where a value steers an
 * allocation or a loop, and at the end.
 */
#ifndef FX_UTIL_READER_H
#define FX_UTIL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/hash.h"

struct fx_reader {
    const uint8_t *p;
    size_t left;
    bool bad;
};

void fx_reader_init(struct fx_reader *r, const void *data, size_t len);
const uint8_t *fx_read_bytes(struct fx_reader *r,
                             size_t n); /* a view into the data, or NULL (and bad) */
void fx_read_copy(struct fx_reader *r, void *out, size_t n); /* zeroes out where bad */
uint8_t fx_read_u8(struct fx_reader *r);
uint16_t fx_read_u16(struct fx_reader *r);
uint16_t fx_read_u16be(struct fx_reader *r);
uint32_t fx_read_u32(struct fx_reader *r);
uint64_t fx_read_u64(struct fx_reader *r);
int64_t fx_read_i64(struct fx_reader *r);
struct fx_hash fx_read_hash(struct fx_reader *r);
uint64_t fx_read_var(struct fx_reader *r);
/* A compact size that counts things of at least `unit` bytes each, at most `max`: more than the
 * data left could hold is bad. */
uint64_t fx_read_count(struct fx_reader *r, uint64_t max, size_t unit);
/* compact size n <= max, then n bytes: a view, length in *n. */
const uint8_t *fx_read_var_bytes(struct fx_reader *r, size_t max, size_t *n);
bool fx_reader_done(const struct fx_reader *r); /* nothing left, and not bad */

#endif
