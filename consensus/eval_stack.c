/* Operations that move items: constants, stack, alternative stack, comparison of bytes. */
#include "consensus/eval_int.h"

#include <string.h>

/* How many items an operation needs; those that need none, or look for themselves, are not named.
 */
static size_t needs(uint8_t opcode)
{
    switch (opcode) {
    case FX_OP_TOALTSTACK:
    case FX_OP_IFDUP:
    case FX_OP_DROP:
    case FX_OP_DUP:
    case FX_OP_SIZE:
        return 1;
    case FX_OP_2DROP:
    case FX_OP_2DUP:
    case FX_OP_NIP:
    case FX_OP_OVER:
    case FX_OP_PICK:
    case FX_OP_ROLL:
    case FX_OP_SWAP:
    case FX_OP_TUCK:
    case FX_OP_EQUAL:
    case FX_OP_EQUALVERIFY:
        return 2;
    case FX_OP_3DUP:
    case FX_OP_ROT:
        return 3;
    case FX_OP_2OVER:
    case FX_OP_2SWAP:
        return 4;
    case FX_OP_2ROT:
        return 6;
    }
    return 0;
}

/* Copies of `n` items, the first of which lies at a depth. */
static void duplicate(struct fx_stack *stack, size_t depth, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fx_stack_push_item(stack, fx_stack_at(stack, depth));
    }
}

/* `n` items moved to the top, the first of which lies at a depth. */
static void lift(struct fx_stack *stack, size_t depth, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct fx_stack_item item = *fx_stack_at(stack, depth);

        fx_stack_remove(stack, depth);
        fx_stack_push_item(stack, &item);
    }
}

static enum fx_script_error from_altstack(struct fx_eval *eval)
{
    if (eval->alt.n == 0) {
        return FX_SCRIPT_ERR_INVALID_ALTSTACK_OPERATION;
    }
    fx_stack_push_item(eval->stack, fx_stack_at(&eval->alt, 0));
    fx_stack_drop(&eval->alt, 1);
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error pick_or_roll(struct fx_eval *eval, uint8_t opcode)
{
    enum fx_script_error error;
    int64_t depth;

    error = fx_eval_number(eval, 0, &depth);
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    fx_stack_drop(eval->stack, 1);
    if (depth < 0 || (uint64_t)depth >= eval->stack->n) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    if (opcode == FX_OP_PICK) {
        duplicate(eval->stack, (size_t)depth, 1);
    } else {
        lift(eval->stack, (size_t)depth, 1);
    }
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error compare(struct fx_eval *eval, uint8_t opcode)
{
    struct fx_span a = fx_stack_peek(eval->stack, 1);
    struct fx_span b = fx_stack_peek(eval->stack, 0);
    bool equal = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;

    fx_stack_drop(eval->stack, 2);
    if (opcode == FX_OP_EQUAL) {
        fx_stack_push_bool(eval->stack, equal);
        return FX_SCRIPT_ERR_OK;
    }
    return equal ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_EQUALVERIFY;
}

static void if_dup(struct fx_stack *stack)
{
    if (fx_script_is_true(fx_stack_peek(stack, 0))) {
        duplicate(stack, 0, 1);
    }
}

static enum fx_script_error move(struct fx_eval *eval, uint8_t opcode)
{
    struct fx_stack *stack = eval->stack;

    switch (opcode) {
    case FX_OP_TOALTSTACK:
        fx_stack_push_item(&eval->alt, fx_stack_at(stack, 0));
        fx_stack_drop(stack, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_FROMALTSTACK:
        return from_altstack(eval);
    case FX_OP_2DROP:
        fx_stack_drop(stack, 2);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_2DUP:
        duplicate(stack, 1, 2);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_3DUP:
        duplicate(stack, 2, 3);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_2OVER:
        duplicate(stack, 3, 2);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_2ROT:
        lift(stack, 5, 2);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_2SWAP:
        lift(stack, 3, 2);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_IFDUP:
        if_dup(stack);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_DEPTH:
        fx_stack_push_number(stack, (int64_t)stack->n);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_DROP:
        fx_stack_drop(stack, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_DUP:
        duplicate(stack, 0, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_NIP:
        fx_stack_remove(stack, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_OVER:
        duplicate(stack, 1, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_PICK:
    case FX_OP_ROLL:
        return pick_or_roll(eval, opcode);
    case FX_OP_ROT:
        lift(stack, 2, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_SWAP:
        lift(stack, 1, 1);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_TUCK:
        fx_stack_insert(stack, 2, fx_stack_at(stack, 0));
        return FX_SCRIPT_ERR_OK;
    case FX_OP_SIZE:
        fx_stack_push_number(stack, (int64_t)fx_stack_peek(stack, 0).len);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_EQUAL:
    case FX_OP_EQUALVERIFY:
        return compare(eval, opcode);
    }
    return FX_SCRIPT_ERR_BAD_OPCODE;
}

enum fx_script_error fx_eval_stack_op(struct fx_eval *eval, uint8_t opcode)
{
    if (opcode == FX_OP_1NEGATE || (opcode >= FX_OP_1 && opcode <= FX_OP_16)) {
        fx_stack_push_number(eval->stack, (int64_t)opcode - (FX_OP_1 - 1));
        return FX_SCRIPT_ERR_OK;
    }
    if (eval->stack->n < needs(opcode)) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    return move(eval, opcode);
}
