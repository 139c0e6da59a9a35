/*
 * A set of hashes that forgets: at least the newest n are remembered, at most about 2 n; a hash
 * never added is taken for known once in a million. Two bloom filters that swap.
 */
#ifndef FX_NET_ROLLING_INT_H
#define FX_NET_ROLLING_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/hash.h"

struct fx_rolling; /* opaque */

/* n is at least 1,000 (what libbloom wants). */
struct fx_rolling *fx_rolling_create(size_t n);
void fx_rolling_destroy(struct fx_rolling *set); /* NULL: nothing */
void fx_rolling_add(struct fx_rolling *set, const struct fx_hash *hash);
bool fx_rolling_has(const struct fx_rolling *set, const struct fx_hash *hash);
void fx_rolling_clear(struct fx_rolling *set);

#endif
