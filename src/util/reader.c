/* The bounded reader of the wire format. */
#include "src/util/reader.h"

#include <string.h>

#include "src/util/buf.h"

void fx_reader_init(struct fx_reader *r, const void *data, size_t len)
{
    static const uint8_t nothing[1];
    r->p = data ? data : nothing;
    r->left = data ? len : 0;
    r->bad = false;
}

const uint8_t *fx_read_bytes(struct fx_reader *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

void fx_read_copy(struct fx_reader *r, void *out, size_t n)
{
    const uint8_t *p = fx_read_bytes(r, n);
    if (n == 0)
        return;
    if (p)
        memcpy(out, p, n);
    else
        memset(out, 0, n);
}

uint8_t fx_read_u8(struct fx_reader *r)
{
    const uint8_t *p = fx_read_bytes(r, 1);
    return p ? *p : 0;
}

uint16_t fx_read_u16(struct fx_reader *r)
{
    const uint8_t *p = fx_read_bytes(r, 2);
    return p ? fx_load_u16(p) : 0;
}

uint16_t fx_read_u16be(struct fx_reader *r)
{
    const uint8_t *p = fx_read_bytes(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t fx_read_u32(struct fx_reader *r)
{
    const uint8_t *p = fx_read_bytes(r, 4);
    return p ? fx_load_u32(p) : 0;
}

uint64_t fx_read_u64(struct fx_reader *r)
{
    const uint8_t *p = fx_read_bytes(r, 8);
    return p ? fx_load_u64(p) : 0;
}

int64_t fx_read_i64(struct fx_reader *r)
{
    const uint64_t v = fx_read_u64(r);
    int64_t i;
    memcpy(&i, &v, sizeof i);
    return i;
}

struct fx_hash fx_read_hash(struct fx_reader *r)
{
    struct fx_hash h;
    fx_read_copy(r, h.b, sizeof h.b);
    return h;
}

uint64_t fx_read_var(struct fx_reader *r)
{
    const uint8_t first = fx_read_u8(r);
    if (first < 0xfd)
        return first;
    uint64_t v, least;
    if (first == 0xfd) {
        v = fx_read_u16(r);
        least = 0xfd;
    } else if (first == 0xfe) {
        v = fx_read_u32(r);
        least = UINT64_C(0x10000);
    } else {
        v = fx_read_u64(r);
        least = UINT64_C(0x100000000);
    }
    if (v < least)
        r->bad = true;
    return r->bad ? 0 : v;
}

uint64_t fx_read_count(struct fx_reader *r, uint64_t max, size_t unit)
{
    const uint64_t count = fx_read_var(r);
    if (count > max || (unit > 0 && count > r->left / unit))
        r->bad = true;
    return r->bad ? 0 : count;
}

const uint8_t *fx_read_var_bytes(struct fx_reader *r, size_t max, size_t *n)
{
    *n = (size_t)fx_read_count(r, max, 1);
    return fx_read_bytes(r, *n);
}

bool fx_reader_done(const struct fx_reader *r)
{
    return !r->bad && r->left == 0;
}
