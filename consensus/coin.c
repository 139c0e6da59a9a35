/* Coins: outputs as the chain keeps them, and their compact serialization. */
#include "consensus/tx.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/params.h"
#include "src/util/mem.h"

/* How a script is stored: the three common witness programs by their program alone, any other with
 * its length plus SCRIPT_RAW. */
enum { SCRIPT_P2WPKH = 0, SCRIPT_P2TR = 1, SCRIPT_TASK = 2, SCRIPT_RAW = 3 };

static const struct {
    uint8_t head[2]; /* of the script: the version and the push */
} programs[SCRIPT_RAW] = {{{0x00, 20}}, {{0x51, 32}}, {{0x52, 32}}};

void fx_coin_set(struct fx_coin *coin, const struct fx_txout *out, uint32_t height, bool coinbase)
{
    coin->value = out->value;
    coin->height = height;
    coin->coinbase = coinbase;
    coin->script = (uint8_t *)fx_xmemdup(out->script.data, out->script.len);
    coin->script_len = out->script.len;
}

void fx_coin_copy(struct fx_coin *to, const struct fx_coin *from)
{
    *to = *from;
    to->script = (uint8_t *)fx_xmemdup(from->script, from->script_len);
}

void fx_coin_clear(struct fx_coin *coin)
{
    free(coin->script);
    memset(coin, 0, sizeof *coin);
}

struct fx_span fx_coin_script(const struct fx_coin *coin)
{
    struct fx_span span = {coin->script, coin->script_len};

    return span;
}

/* Bitcoin Core's amount compression: trailing decimal zeros become an exponent. */
static uint64_t compress_amount(uint64_t n)
{
    uint64_t e = 0, d;

    if (n == 0) {
        return 0;
    }
    while (n % 10 == 0 && e < 9) {
        n /= 10;
        e++;
    }
    if (e == 9) {
        return 1 + (n - 1) * 10 + 9;
    }
    d = n % 10;
    n /= 10;
    return 1 + (n * 9 + d - 1) * 10 + e;
}

/* False where the amount is not below 2^63. */
static bool decompress_amount(uint64_t x, int64_t *amount)
{
    uint64_t n, e;

    if (x == 0) {
        *amount = 0;
        return true;
    }
    x--;
    e = x % 10;
    x /= 10;
    if (e < 9) {
        uint64_t d = x % 9 + 1;

        n = x / 9 * 10 + d;
    } else {
        n = x + 1;
    }
    for (; e > 0; e--) {
        if (n > INT64_MAX / 10) {
            return false;
        }
        n *= 10;
    }
    if (n > INT64_MAX) {
        return false;
    }
    *amount = (int64_t)n;
    return true;
}

void fx_coin_write(const struct fx_coin *coin, struct fx_buf *buf)
{
    fx_buf_var(buf, (uint64_t)coin->height << 1 | (coin->coinbase ? 1 : 0));
    fx_buf_var(buf, compress_amount((uint64_t)coin->value));
    for (unsigned i = 0; i < SCRIPT_RAW; i++) {
        const uint8_t *head = programs[i].head;

        if (coin->script_len == 2u + head[1] && memcmp(coin->script, head, 2) == 0) {
            fx_buf_var(buf, i);
            fx_buf_bytes(buf, coin->script + 2, head[1]);
            return;
        }
    }
    fx_buf_var(buf, SCRIPT_RAW + (uint64_t)coin->script_len);
    fx_buf_bytes(buf, coin->script, coin->script_len);
}

static bool read_script(struct fx_reader *r, struct fx_coin *coin)
{
    uint64_t code = fx_read_var(r);
    size_t head_len = code < SCRIPT_RAW ? 2 : 0;
    size_t body_len;
    const uint8_t *body;

    if (code < SCRIPT_RAW) {
        body_len = programs[code].head[1];
    } else if (code - SCRIPT_RAW <= FX_BLOCK_WEIGHT_MAX) {
        body_len = (size_t)(code - SCRIPT_RAW);
    } else {
        r->bad = true;
        return false;
    }
    body = fx_read_bytes(r, body_len);
    if (r->bad) {
        return false;
    }
    coin->script_len = head_len + body_len;
    coin->script = (uint8_t *)fx_xmalloc(coin->script_len);
    if (head_len > 0) {
        memcpy(coin->script, programs[code].head, head_len);
    }
    if (body_len > 0) {
        memcpy(coin->script + head_len, body, body_len);
    }
    return true;
}

bool fx_coin_read(struct fx_reader *r, struct fx_coin *coin)
{
    uint64_t code = fx_read_var(r);
    uint64_t amount = fx_read_var(r);

    memset(coin, 0, sizeof *coin);
    if (r->bad || code >> 1 > UINT32_MAX || !decompress_amount(amount, &coin->value)) {
        r->bad = true;
        return false;
    }
    coin->height = (uint32_t)(code >> 1);
    coin->coinbase = (code & 1) != 0;
    return read_script(r, coin);
}
