/* The text forms of Bitcoin Core's script vectors. */
#include "qa/unit/consensus/script_text.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/flags.h"
#include "consensus/script_num.h"
#include "consensus/script_ops.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

#define LIST(name)              \
    {                           \
#name, FX_VERIFY_##name \
    }
static const struct {
    const char *name;
    uint32_t flag;
} flag_names[SCRIPT_FLAGS] = {
    LIST(P2SH),
    LIST(STRICTENC),
    LIST(DERSIG),
    LIST(LOW_S),
    LIST(NULLDUMMY),
    LIST(SIGPUSHONLY),
    LIST(MINIMALDATA),
    LIST(DISCOURAGE_UPGRADABLE_NOPS),
    LIST(CLEANSTACK),
    LIST(CHECKLOCKTIMEVERIFY),
    LIST(CHECKSEQUENCEVERIFY),
    LIST(WITNESS),
    LIST(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM),
    LIST(MINIMALIF),
    LIST(NULLFAIL),
    LIST(WITNESS_PUBKEYTYPE),
    LIST(CONST_SCRIPTCODE),
    LIST(TAPROOT),
    LIST(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION),
    LIST(DISCOURAGE_OP_SUCCESS),
    LIST(DISCOURAGE_UPGRADABLE_PUBKEYTYPE),
};
#undef LIST

static uint32_t flag_of(const char *name, size_t n)
{
    for (size_t i = 0; i < SCRIPT_FLAGS; i++) {
        if (strlen(flag_names[i].name) == n && memcmp(flag_names[i].name, name, n) == 0) {
            return flag_names[i].flag;
        }
    }
    FX_FAIL("no such flag: %s", name);
}

uint32_t script_text_flags(const char *text)
{
    uint32_t flags = 0;

    if (*text == 0 || strcmp(text, "NONE") == 0) {
        return 0;
    }
    for (;;) {
        size_t n = strcspn(text, ",");

        flags |= flag_of(text, n);
        if (text[n] == 0) {
            return flags;
        }
        text += n + 1;
    }
}

uint32_t script_flags_fill(uint32_t flags)
{
    if ((flags & FX_VERIFY_CLEANSTACK) != 0) {
        flags |= FX_VERIFY_WITNESS;
    }
    if ((flags & FX_VERIFY_WITNESS) != 0) {
        flags |= FX_VERIFY_P2SH;
    }
    return flags;
}

uint32_t script_flags_trim(uint32_t flags)
{
    if ((flags & FX_VERIFY_P2SH) == 0) {
        flags &= ~FX_VERIFY_WITNESS;
    }
    if ((flags & FX_VERIFY_WITNESS) == 0) {
        flags &= ~FX_VERIFY_CLEANSTACK;
    }
    return flags;
}

enum fx_script_error script_text_error(const char *name)
{
    for (int i = FX_SCRIPT_ERR_OK; i <= FX_SCRIPT_ERR_SIG_FINDANDDELETE; i++) {
        if (strcmp(fx_script_error_name((enum fx_script_error)i), name) == 0) {
            return (enum fx_script_error)i;
        }
    }
    FX_FAIL("no such error: %s", name);
}

static bool is_number(const char *word, size_t n)
{
    size_t at = word[0] == '-' ? 1 : 0;

    return n > at && strspn(word + at, "0123456789") >= n - at;
}

static void put_number(int64_t value, struct fx_buf *buf)
{
    uint8_t raw[FX_SCRIPT_NUM_BYTES];

    if (value == -1 || (value >= 1 && value <= 16)) {
        fx_buf_u8(buf, (uint8_t)(FX_OP_1 - 1 + value));
        return;
    }
    fx_script_push(buf, (struct fx_span){raw, fx_script_num_write(value, raw)});
}

/* By the name of an opcode beyond the pushes, with or without OP_. */
static void put_opcode(const char *word, size_t n, struct fx_buf *buf)
{
    if (n > 3 && memcmp(word, "OP_", 3) == 0) {
        word += 3;
        n -= 3;
    }
    for (unsigned opcode = FX_OP_RESERVED; opcode <= FX_OP_CHECKSIGADD; opcode++) {
        const char *name = fx_opcode_name((uint8_t)opcode);

        if (strlen(name) == n + 3 && memcmp(name + 3, word, n) == 0) {
            fx_buf_u8(buf, (uint8_t)opcode);
            return;
        }
    }
    FX_FAIL("no such opcode: %.*s", (int)n, word);
}

static void put_hex(const char *word, size_t n, struct fx_buf *buf)
{
    char *hex = fx_xmemdup(word, n + 1);
    uint8_t *out;

    hex[n] = 0;
    out = fx_buf_extend(buf, n / 2);
    FX_CHECK_INT(fx_unit_unhex(hex, out, n / 2), n / 2);
    free(hex);
}

void script_text_parse(const char *text, struct fx_buf *buf)
{
    while (*text != 0) {
        size_t n = strcspn(text, " \t\n");

        if (n == 0) {
            text++;
            continue;
        }
        if (is_number(text, n)) {
            put_number(strtoll(text, NULL, 10), buf);
        } else if (n > 2 && memcmp(text, "0x", 2) == 0) {
            put_hex(text + 2, n - 2, buf);
        } else if (n >= 2 && text[0] == '\'' && text[n - 1] == '\'') {
            fx_script_push(buf, (struct fx_span){(const uint8_t *)text + 1, n - 2});
        } else {
            put_opcode(text, n, buf);
        }
        text += n;
    }
}
