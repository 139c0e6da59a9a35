/* 32-byte hashes: comparison and text. */
#include "src/util/hash.h"

#include <string.h>

#include "src/util/hex.h"

static struct fx_hash reversed(const struct fx_hash *h)
{
    struct fx_hash r;
    for (unsigned i = 0; i < sizeof r.b; i++)
        r.b[i] = h->b[sizeof r.b - 1 - i];
    return r;
}

bool fx_hash_equal(const struct fx_hash *a, const struct fx_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool fx_hash_is_zero(const struct fx_hash *h)
{
    static const struct fx_hash zero;
    return fx_hash_equal(h, &zero);
}

int fx_hash_cmp(const struct fx_hash *a, const struct fx_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

void fx_hash_to_id(const struct fx_hash *h, char out[FX_HASH_HEX])
{
    const struct fx_hash r = reversed(h);
    fx_hash_to_hex(&r, out);
}

bool fx_hash_from_id(struct fx_hash *h, const char *s)
{
    struct fx_hash r;
    if (!fx_hash_from_hex(&r, s))
        return false;
    *h = reversed(&r);
    return true;
}

void fx_hash_to_hex(const struct fx_hash *h, char out[FX_HASH_HEX])
{
    fx_hex_encode(h->b, sizeof h->b, out);
}

bool fx_hash_from_hex(struct fx_hash *h, const char *s)
{
    struct fx_hash r;
    if (!fx_hex_decode(s, r.b, sizeof r.b))
        return false;
    *h = r;
    return true;
}
