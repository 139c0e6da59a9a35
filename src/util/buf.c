/* Growing byte buffers, the writers of the wire format, and loads and stores of fixed byte order.
 */
#include "src/util/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

#define FIRST_CAPACITY 64

void fx_buf_init(struct fx_buf *buf)
{
    *buf = (struct fx_buf)FX_BUF_INIT;
}

void fx_buf_clear(struct fx_buf *buf)
{
    free(buf->data);
    fx_buf_init(buf);
}

void fx_buf_reserve(struct fx_buf *buf, size_t more)
{
    if (more <= buf->cap - buf->len)
        return;
    /* A sum or a doubling that overflows asks for the impossible, and the allocator says so. */
    const size_t need = more > SIZE_MAX - buf->len ? SIZE_MAX : buf->len + more;
    size_t cap = buf->cap > SIZE_MAX / 2 ? SIZE_MAX : buf->cap * 2;
    if (cap < FIRST_CAPACITY)
        cap = FIRST_CAPACITY;
    if (cap < need)
        cap = need;
    buf->data = fx_xreallocarray(buf->data, cap, 1);
    buf->cap = cap;
}

uint8_t *fx_buf_extend(struct fx_buf *buf, size_t n)
{
    fx_buf_reserve(buf, n > 0 || buf->data ? n : 1);
    uint8_t *p = buf->data + buf->len;
    buf->len += n;
    return p;
}

uint8_t *fx_buf_steal(struct fx_buf *buf, size_t *len)
{
    uint8_t *data = buf->data;
    if (len)
        *len = buf->len;
    fx_buf_init(buf);
    return data;
}

void fx_buf_bytes(struct fx_buf *buf, const void *src, size_t n)
{
    if (n > 0)
        memcpy(fx_buf_extend(buf, n), src, n);
}

void fx_buf_u8(struct fx_buf *buf, uint8_t v)
{
    *fx_buf_extend(buf, 1) = v;
}

void fx_buf_u16(struct fx_buf *buf, uint16_t v)
{
    uint8_t *p = fx_buf_extend(buf, 2);
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void fx_buf_u16be(struct fx_buf *buf, uint16_t v)
{
    uint8_t *p = fx_buf_extend(buf, 2);
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void fx_buf_u32(struct fx_buf *buf, uint32_t v)
{
    fx_store_u32(fx_buf_extend(buf, 4), v);
}

void fx_buf_u32be(struct fx_buf *buf, uint32_t v)
{
    fx_store_u32be(fx_buf_extend(buf, 4), v);
}

void fx_buf_u64(struct fx_buf *buf, uint64_t v)
{
    fx_store_u64(fx_buf_extend(buf, 8), v);
}

void fx_buf_i64(struct fx_buf *buf, int64_t v)
{
    fx_buf_u64(buf, (uint64_t)v);
}

void fx_buf_hash(struct fx_buf *buf, const struct fx_hash *h)
{
    fx_buf_bytes(buf, h->b, sizeof h->b);
}

void fx_buf_var(struct fx_buf *buf, uint64_t v)
{
    if (v < 0xfd) {
        fx_buf_u8(buf, (uint8_t)v);
    } else if (v <= UINT16_MAX) {
        fx_buf_u8(buf, 0xfd);
        fx_buf_u16(buf, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        fx_buf_u8(buf, 0xfe);
        fx_buf_u32(buf, (uint32_t)v);
    } else {
        fx_buf_u8(buf, 0xff);
        fx_buf_u64(buf, v);
    }
}

void fx_buf_var_bytes(struct fx_buf *buf, const void *src, size_t n)
{
    fx_buf_var(buf, n);
    fx_buf_bytes(buf, src, n);
}

void fx_buf_str(struct fx_buf *buf, const char *s)
{
    fx_buf_bytes(buf, s, strlen(s));
}

void fx_buf_printf(struct fx_buf *buf, const char *format, ...)
{
    /* Most texts fit at the first try. The terminating zero does not count as written. */
    fx_buf_reserve(buf, FIRST_CAPACITY);
    for (;;) {
        const size_t room = buf->cap - buf->len;
        va_list args;
        va_start(args, format);
        const int n = vsnprintf((char *)buf->data + buf->len, room, format, args);
        va_end(args);
        if (n < 0)
            return;
        if ((size_t)n < room) {
            buf->len += (size_t)n;
            return;
        }
        fx_buf_reserve(buf, (size_t)n + 1);
    }
}

size_t fx_var_size(uint64_t v)
{
    if (v < 0xfd)
        return 1;
    if (v <= UINT16_MAX)
        return 3;
    return v <= UINT32_MAX ? 5 : 9;
}

uint16_t fx_load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t fx_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t fx_load_u64(const uint8_t *p)
{
    return (uint64_t)fx_load_u32(p) | (uint64_t)fx_load_u32(p + 4) << 32;
}

uint32_t fx_load_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

uint64_t fx_load_u64be(const uint8_t *p)
{
    return (uint64_t)fx_load_u32be(p) << 32 | (uint64_t)fx_load_u32be(p + 4);
}

void fx_store_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

void fx_store_u64(uint8_t *p, uint64_t v)
{
    fx_store_u32(p, (uint32_t)v);
    fx_store_u32(p + 4, (uint32_t)(v >> 32));
}

void fx_store_u32be(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void fx_store_u64be(uint8_t *p, uint64_t v)
{
    fx_store_u32be(p, (uint32_t)(v >> 32));
    fx_store_u32be(p + 4, (uint32_t)v);
}
