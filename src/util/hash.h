/*
 * A 32-byte hash or key as a value. Hashes of blocks and transactions are kept in header order and
 * shown reversed, as Bitcoin does; roots, keys and tagged hashes are shown as they are.
 */
#ifndef FX_UTIL_HASH_H
#define FX_UTIL_HASH_H

#include <stdbool.h>
#include <stdint.h>

#define FX_HASH_HEX 65 /* 64 digits and the terminating zero */

struct fx_hash {
    uint8_t b[32];
};

bool fx_hash_equal(const struct fx_hash *a, const struct fx_hash *b);
bool fx_hash_is_zero(const struct fx_hash *h);
/* Order of the bytes, first byte first; for sorted containers. */
int fx_hash_cmp(const struct fx_hash *a, const struct fx_hash *b);
/* Block and transaction ids: reversed hex. out holds FX_HASH_HEX chars. */
void fx_hash_to_id(const struct fx_hash *h, char out[FX_HASH_HEX]);
/* True when s is exactly 64 hex digits. */
bool fx_hash_from_id(struct fx_hash *h, const char *s);
/* Roots and keys: hex in byte order. */
void fx_hash_to_hex(const struct fx_hash *h, char out[FX_HASH_HEX]);
bool fx_hash_from_hex(struct fx_hash *h, const char *s);

#endif
