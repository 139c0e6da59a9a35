/*
 * A growing byte buffer and the writers of the wire format. All integers are little-endian unless
 * the name says otherwise.
 */
#ifndef FX_UTIL_BUF_H
#define FX_UTIL_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "src/util/hash.h"

struct fx_buf {
    uint8_t *data; /* owned; NULL while cap is 0 */
    size_t len;
    size_t cap;
};

#define FX_BUF_INIT \
    {               \
        0, 0, 0     \
    }

void fx_buf_init(struct fx_buf *buf);
void fx_buf_clear(struct fx_buf *buf); /* frees; leaves an empty buffer */
void fx_buf_reserve(struct fx_buf *buf, size_t more);
uint8_t *fx_buf_extend(struct fx_buf *buf,
                       size_t n); /* n new uninitialised bytes; valid until the next write */
uint8_t *fx_buf_steal(struct fx_buf *buf,
                      size_t *len); /* the bytes, now the caller's; the buffer is empty after */

void fx_buf_bytes(struct fx_buf *buf, const void *src, size_t n);
void fx_buf_u8(struct fx_buf *buf, uint8_t v);
void fx_buf_u16(struct fx_buf *buf, uint16_t v);
void fx_buf_u16be(struct fx_buf *buf, uint16_t v);
void fx_buf_u32(struct fx_buf *buf, uint32_t v);
void fx_buf_u32be(struct fx_buf *buf, uint32_t v);
void fx_buf_u64(struct fx_buf *buf, uint64_t v);
void fx_buf_i64(struct fx_buf *buf, int64_t v);
void fx_buf_hash(struct fx_buf *buf, const struct fx_hash *h);
void fx_buf_var(struct fx_buf *buf, uint64_t v); /* Bitcoin's compact size, shortest form */
void fx_buf_var_bytes(struct fx_buf *buf, const void *src,
                      size_t n);                    /* compact size, then the bytes */
void fx_buf_str(struct fx_buf *buf, const char *s); /* the characters, no length, no zero */
void fx_buf_printf(struct fx_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t fx_var_size(uint64_t v); /* bytes of the compact size of v */

/* Plain loads and stores at any alignment. */
uint16_t fx_load_u16(const uint8_t *p);
uint32_t fx_load_u32(const uint8_t *p);
uint64_t fx_load_u64(const uint8_t *p);
uint32_t fx_load_u32be(const uint8_t *p);
uint64_t fx_load_u64be(const uint8_t *p);
void fx_store_u32(uint8_t *p, uint32_t v);
void fx_store_u64(uint8_t *p, uint64_t v);
void fx_store_u32be(uint8_t *p, uint32_t v);
void fx_store_u64be(uint8_t *p, uint64_t v);

#endif
