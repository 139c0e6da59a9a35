/* Numbers of the script language. */
#include "consensus/script_num.h"

#define SIGN 0x80

static bool is_minimal(struct fx_span data)
{
    uint8_t last;

    if (data.len == 0) {
        return true;
    }
    last = data.data[data.len - 1];
    if ((last & ~SIGN) != 0) {
        return true;
    }
    /* A last byte that holds the sign alone is there for the top bit of the byte before it. */
    return data.len > 1 && (data.data[data.len - 2] & SIGN) != 0;
}

bool fx_script_num_read(struct fx_span data, size_t max, bool minimal, int64_t *value)
{
    uint64_t size = 0;
    bool negative;

    if (data.len > max || (minimal && !is_minimal(data))) {
        return false;
    }
    *value = 0;
    if (data.len == 0) {
        return true;
    }
    negative = (data.data[data.len - 1] & SIGN) != 0;
    for (size_t i = 0; i < data.len; i++) {
        size |= (uint64_t)data.data[i] << 8 * i;
    }
    if (negative) {
        size &= ~((uint64_t)SIGN << 8 * (data.len - 1));
    }
    *value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

size_t fx_script_num_write(int64_t value, uint8_t out[FX_SCRIPT_NUM_BYTES])
{
    uint64_t left = (uint64_t)(value < 0 ? -value : value);
    size_t n = 0;

    for (; left > 0; left >>= 8) {
        out[n++] = (uint8_t)left;
    }
    if (n == 0) {
        return 0;
    }
    if ((out[n - 1] & SIGN) != 0) {
        out[n++] = 0;
    }
    if (value < 0) {
        out[n - 1] |= SIGN;
    }
    return n;
}

bool fx_script_is_true(struct fx_span data)
{
    for (size_t i = 0; i < data.len; i++) {
        if (data.data[i] != 0) {
            return i + 1 < data.len || data.data[i] != SIGN;
        }
    }
    return false;
}
