/* Scripts as sequences of operations. */
#include "consensus/script_ops.h"

#include <string.h>

void fx_script_walk_init(struct fx_script_walk *walk, struct fx_span script)
{
    static const uint8_t nothing[1];

    walk->at = script.data != NULL ? script.data : nothing;
    walk->end = walk->at + script.len;
    walk->cut = false;
}

/* The length of a push with a head of its own: `size` bytes of it, little-endian. */
static bool read_length(struct fx_script_walk *walk, size_t size, size_t *n)
{
    if ((size_t)(walk->end - walk->at) < size) {
        return false;
    }
    *n = 0;
    for (size_t i = 0; i < size; i++) {
        *n |= (size_t)walk->at[i] << 8 * i;
    }
    walk->at += size;
    return true;
}

bool fx_script_walk_next(struct fx_script_walk *walk, struct fx_op *op)
{
    size_t n = 0;

    if (walk->at == walk->end) {
        return false;
    }
    walk->cut = true;
    op->code = *walk->at++;
    if (op->code < FX_OP_PUSHDATA1) {
        n = op->code;
    } else if (op->code <= FX_OP_PUSHDATA4 &&
               !read_length(walk, (size_t)1 << (op->code - FX_OP_PUSHDATA1), &n)) {
        return false;
    }
    if ((size_t)(walk->end - walk->at) < n) {
        return false;
    }
    walk->cut = false;
    op->data.data = walk->at;
    op->data.len = n;
    walk->at += n;
    return true;
}

bool fx_script_is_push_only(struct fx_span script)
{
    struct fx_script_walk walk;
    struct fx_op op;

    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code > FX_OP_16) {
            return false;
        }
    }
    return !walk.cut;
}

bool fx_script_is_p2sh(struct fx_span script)
{
    return script.len == 23 && script.data[0] == FX_OP_HASH160 && script.data[1] == 20 &&
           script.data[22] == FX_OP_EQUAL;
}

size_t fx_script_push_head(size_t n, uint8_t head[5])
{
    if (n < FX_OP_PUSHDATA1) {
        head[0] = (uint8_t)n;
        return 1;
    }
    if (n <= UINT8_MAX) {
        head[0] = FX_OP_PUSHDATA1;
        head[1] = (uint8_t)n;
        return 2;
    }
    if (n <= UINT16_MAX) {
        head[0] = FX_OP_PUSHDATA2;
        head[1] = (uint8_t)n;
        head[2] = (uint8_t)(n >> 8);
        return 3;
    }
    head[0] = FX_OP_PUSHDATA4;
    fx_store_u32(head + 1, (uint32_t)n);
    return 5;
}

void fx_script_push(struct fx_buf *buf, struct fx_span data)
{
    uint8_t head[5];

    fx_buf_bytes(buf, head, fx_script_push_head(data.len, head));
    fx_buf_bytes(buf, data.data, data.len);
}

bool fx_script_push_is_minimal(const struct fx_op *op)
{
    size_t n = op->data.len;
    uint8_t head[5];

    if (n == 1 && ((op->data.data[0] >= 1 && op->data.data[0] <= 16) || op->data.data[0] == 0x81)) {
        return false; /* there is an opcode for the number */
    }
    fx_script_push_head(n, head);
    return op->code == head[0];
}

size_t fx_script_delete(struct fx_span script, struct fx_span needle, struct fx_buf *out)
{
    struct fx_script_walk walk;
    struct fx_op op;
    const uint8_t *kept; /* what begins here is not appended yet */
    size_t found = 0;

    if (needle.len == 0 || script.len < needle.len) {
        return 0;
    }
    fx_script_walk_init(&walk, script);
    kept = walk.at;
    do {
        const uint8_t *here = walk.at;

        while ((size_t)(walk.end - walk.at) >= needle.len &&
               memcmp(walk.at, needle.data, needle.len) == 0) {
            walk.at += needle.len;
            found++;
        }
        if (walk.at != here) {
            fx_buf_bytes(out, kept, (size_t)(here - kept));
            kept = walk.at;
        }
    } while (fx_script_walk_next(&walk, &op));
    if (found > 0) {
        fx_buf_bytes(out, kept, (size_t)(walk.end - kept));
    }
    return found;
}

#define FX_OPCODE_NAME(name, value, text) \
    case name:                            \
        return text;

const char *fx_opcode_name(uint8_t opcode)
{
    switch (opcode) {
        FX_OPCODES(FX_OPCODE_NAME)
    }
    return "OP_UNKNOWN";
}

#undef FX_OPCODE_NAME

bool fx_opcode_is_success(uint8_t opcode)
{
    return opcode == 0x50 || opcode == 0x62 || (opcode >= 0x7e && opcode <= 0x81) ||
           (opcode >= 0x83 && opcode <= 0x86) || (opcode >= 0x89 && opcode <= 0x8a) ||
           (opcode >= 0x8d && opcode <= 0x8e) || (opcode >= 0x95 && opcode <= 0x99) ||
           (opcode >= 0xbb && opcode <= 0xfe);
}
