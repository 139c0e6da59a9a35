/*
 * Scripts as sequences of operations: walking, building pushes, and what can be told of a script
 * without running it.
 */
#ifndef FX_CONSENSUS_SCRIPT_OPS_H
#define FX_CONSENSUS_SCRIPT_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/opcodes.h"
#include "src/util/buf.h"
#include "src/util/span.h"

#define FX_SCRIPT_SIZE_MAX 10000  /* before tapscript */
#define FX_SCRIPT_ELEMENT_MAX 520 /* bytes of one item of the stack */
#define FX_SCRIPT_OPS_MAX 201     /* before tapscript: operations that are no pushes */
#define FX_SCRIPT_STACK_MAX 1000  /* items of both stacks */
#define FX_SCRIPT_MULTISIG_KEYS_MAX 20

/* One operation. data is what a push pushes: a view, empty for any other operation. */
struct fx_op {
    uint8_t code;
    struct fx_span data;
};

/* Where a walk over a script stands. */
struct fx_script_walk {
    const uint8_t *at;
    const uint8_t *end;
    bool cut; /* the last operation wants more bytes than there are */
};

void fx_script_walk_init(struct fx_script_walk *walk, struct fx_span script);
/* The next operation; false at the end and where it is cut: walk->at then stands behind what could
 * be read of its head. */
bool fx_script_walk_next(struct fx_script_walk *walk, struct fx_op *op);

/* Pushes (and RESERVED, which counts as one) to the end, all complete. */
bool fx_script_is_push_only(struct fx_span script);
bool fx_script_is_p2sh(struct fx_span script);
/* Bitcoin's shortest-looking push of these bytes: by length alone, never a number opcode. */
void fx_script_push(struct fx_buf *buf, struct fx_span data);
/* The bytes that fx_script_push takes before the data. */
size_t fx_script_push_head(size_t n, uint8_t head[5]);
/* True where the push is the shortest that there is for its data (BIP62 rule 3). */
bool fx_script_push_is_minimal(const struct fx_op *op);

/*
 * The script without each push of `needle` (a complete push, head and all) that begins where an
 * operation does. Returns how many there were; 0 leaves *out untouched, otherwise what is left was
 * appended to it.
 */
size_t fx_script_delete(struct fx_span script, struct fx_span needle, struct fx_buf *out);

#endif
