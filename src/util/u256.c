/* Unsigned 256-bit integers. */
#include "src/util/u256.h"

#include "src/util/buf.h"
#include "src/util/hex.h"

/* A product of two limbs. */
__extension__ typedef unsigned __int128 wide;

const struct fx_u256 fx_u256_zero = {{0, 0, 0, 0}};
const struct fx_u256 fx_u256_one = {{1, 0, 0, 0}};

struct fx_u256 fx_u256_from_u64(uint64_t v)
{
    return (struct fx_u256){{v, 0, 0, 0}};
}

struct fx_u256 fx_u256_from_hash(const struct fx_hash *h)
{
    struct fx_u256 r;
    for (unsigned i = 0; i < 4; i++)
        r.w[i] = fx_load_u64(h->b + 8 * i);
    return r;
}

struct fx_hash fx_u256_to_hash(const struct fx_u256 *a)
{
    struct fx_hash h;
    for (unsigned i = 0; i < 4; i++)
        fx_store_u64(h.b + 8 * i, a->w[i]);
    return h;
}

int fx_u256_cmp(const struct fx_u256 *a, const struct fx_u256 *b)
{
    for (unsigned i = 4; i-- > 0;) {
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    }
    return 0;
}

bool fx_u256_is_zero(const struct fx_u256 *a)
{
    return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0;
}

unsigned fx_u256_bits(const struct fx_u256 *a)
{
    for (unsigned i = 4; i-- > 0;) {
        if (a->w[i] != 0)
            return 64 * i + 64 - (unsigned)__builtin_clzll(a->w[i]);
    }
    return 0;
}

bool fx_u256_add(const struct fx_u256 *a, const struct fx_u256 *b, struct fx_u256 *out)
{
    wide carry = 0;
    for (unsigned i = 0; i < 4; i++) {
        carry += (wide)a->w[i] + b->w[i];
        out->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

bool fx_u256_sub(const struct fx_u256 *a, const struct fx_u256 *b, struct fx_u256 *out)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < 4; i++) {
        const wide difference = (wide)a->w[i] - b->w[i] - borrow;
        out->w[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow != 0;
}

bool fx_u256_mul64(const struct fx_u256 *a, uint64_t m, struct fx_u256 *out)
{
    wide carry = 0;
    for (unsigned i = 0; i < 4; i++) {
        carry += (wide)a->w[i] * m;
        out->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

struct fx_u256 fx_u256_shl(const struct fx_u256 *a, unsigned n)
{
    struct fx_u256 r = fx_u256_zero;
    if (n >= 256)
        return r;
    const unsigned words = n / 64, bits = n % 64;
    for (unsigned i = words; i < 4; i++) {
        r.w[i] = a->w[i - words] << bits;
        if (bits > 0 && i > words)
            r.w[i] |= a->w[i - words - 1] >> (64 - bits);
    }
    return r;
}

struct fx_u256 fx_u256_shr(const struct fx_u256 *a, unsigned n)
{
    struct fx_u256 r = fx_u256_zero;
    if (n >= 256)
        return r;
    const unsigned words = n / 64, bits = n % 64;
    for (unsigned i = 0; i + words < 4; i++) {
        r.w[i] = a->w[i + words] >> bits;
        if (bits > 0 && i + words + 1 < 4)
            r.w[i] |= a->w[i + words + 1] << (64 - bits);
    }
    return r;
}

static void to_digits(const struct fx_u256 *a, uint32_t digits[8])
{
    for (unsigned i = 0; i < 4; i++) {
        digits[2 * i] = (uint32_t)a->w[i];
        digits[2 * i + 1] = (uint32_t)(a->w[i] >> 32);
    }
}

static struct fx_u256 from_digits(const uint32_t digits[8])
{
    struct fx_u256 r;
    for (unsigned i = 0; i < 4; i++)
        r.w[i] = digits[2 * i] | (uint64_t)digits[2 * i + 1] << 32;
    return r;
}

/*
 * One digit of Knuth's algorithm D (The Art of Computer Programming, 4.3.1): u[0..n] holds the
 * running remainder, v[0..n-1] the divisor with its highest bit set. Returns the digit and leaves
 * the new remainder in u.
 */
static uint32_t divide_step(uint32_t *u, const uint32_t *v, unsigned n)
{
    const uint64_t top = (uint64_t)u[n] << 32 | u[n - 1];
    uint64_t guess = top / v[n - 1], rest = top % v[n - 1];
    while (guess > UINT32_MAX || guess * v[n - 2] > (rest << 32 | u[n - 2])) {
        guess--;
        rest += v[n - 1];
        if (rest > UINT32_MAX)
            break;
    }
    uint64_t carry = 0, borrow = 0;
    for (unsigned i = 0; i < n; i++) {
        carry += guess * v[i];
        const uint64_t difference = (uint64_t)u[i] - (uint32_t)carry - borrow;
        u[i] = (uint32_t)difference;
        borrow = difference >> 63;
        carry >>= 32;
    }
    const uint64_t difference = (uint64_t)u[n] - carry - borrow;
    u[n] = (uint32_t)difference;
    if (difference >> 63) {
        /* The guess was one too large: add the divisor back. */
        guess--;
        uint64_t sum = 0;
        for (unsigned i = 0; i < n; i++) {
            sum += (uint64_t)u[i] + v[i];
            u[i] = (uint32_t)sum;
            sum >>= 32;
        }
        u[n] += (uint32_t)sum;
    }
    return (uint32_t)guess;
}

struct fx_u256 fx_u256_div(const struct fx_u256 *a, const struct fx_u256 *d)
{
    if (fx_u256_cmp(a, d) < 0)
        return fx_u256_zero;
    uint32_t u[9] = {0}, v[8], q[8] = {0};
    const unsigned n = (fx_u256_bits(d) + 31) / 32;
    if (n <= 1) {
        uint64_t rest = 0;
        to_digits(a, u);
        for (unsigned i = 8; i-- > 0;) {
            rest = rest << 32 | u[i];
            q[i] = (uint32_t)(rest / d->w[0]);
            rest %= d->w[0];
        }
        return from_digits(q);
    }
    const unsigned shift = 32 * n - fx_u256_bits(d);
    const struct fx_u256 dividend = fx_u256_shl(a, shift), divisor = fx_u256_shl(d, shift);
    to_digits(&dividend, u);
    to_digits(&divisor, v);
    if (shift > 0)
        u[8] = (uint32_t)(a->w[3] >> (64 - shift));
    for (unsigned i = 9 - n; i-- > 0;)
        q[i] = divide_step(u + i, v, n);
    return from_digits(q);
}

struct fx_u256 fx_u256_min(const struct fx_u256 *a, const struct fx_u256 *b)
{
    return fx_u256_cmp(a, b) <= 0 ? *a : *b;
}

struct fx_u256 fx_u256_max(const struct fx_u256 *a, const struct fx_u256 *b)
{
    return fx_u256_cmp(a, b) >= 0 ? *a : *b;
}

void fx_u256_to_hex(const struct fx_u256 *a, char out[FX_HASH_HEX])
{
    uint8_t bytes[32];
    for (unsigned i = 0; i < 4; i++)
        fx_store_u64be(bytes + 8 * i, a->w[3 - i]);
    fx_hex_encode(bytes, sizeof bytes, out);
}

double fx_u256_to_double(const struct fx_u256 *a)
{
    double r = 0;
    for (unsigned i = 4; i-- > 0;)
        r = r * 18446744073709551616.0 + (double)a->w[i];
    return r;
}
