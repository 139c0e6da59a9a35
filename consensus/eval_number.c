/* Operations on numbers. */
#include "consensus/eval_int.h"

enum fx_script_error fx_eval_number(const struct fx_eval *eval, size_t depth, int64_t *value)
{
    bool minimal = (eval->flags & FX_VERIFY_MINIMALDATA) != 0;

    return fx_script_num_read(fx_stack_peek(eval->stack, depth), FX_SCRIPT_NUM_SIZE, minimal, value)
               ? FX_SCRIPT_ERR_OK
               : FX_SCRIPT_ERR_SCRIPTNUM;
}

/* No number has more than 32 bits: nothing here overflows. */
static int64_t change(uint8_t opcode, int64_t a)
{
    switch (opcode) {
    case FX_OP_1ADD:
        return a + 1;
    case FX_OP_1SUB:
        return a - 1;
    case FX_OP_NEGATE:
        return -a;
    case FX_OP_ABS:
        return a < 0 ? -a : a;
    case FX_OP_NOT:
        return a == 0;
    }
    return a != 0; /* 0NOTEQUAL, by the caller */
}

static enum fx_script_error unary(struct fx_eval *eval, uint8_t opcode)
{
    enum fx_script_error error;
    int64_t a;

    if (eval->stack->n < 1) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error = fx_eval_number(eval, 0, &a);
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    fx_stack_drop(eval->stack, 1);
    fx_stack_push_number(eval->stack, change(opcode, a));
    return FX_SCRIPT_ERR_OK;
}

static int64_t combine(uint8_t opcode, int64_t a, int64_t b)
{
    switch (opcode) {
    case FX_OP_ADD:
        return a + b;
    case FX_OP_SUB:
        return a - b;
    case FX_OP_BOOLAND:
        return a != 0 && b != 0;
    case FX_OP_BOOLOR:
        return a != 0 || b != 0;
    case FX_OP_NUMEQUAL:
    case FX_OP_NUMEQUALVERIFY:
        return a == b;
    case FX_OP_NUMNOTEQUAL:
        return a != b;
    case FX_OP_LESSTHAN:
        return a < b;
    case FX_OP_GREATERTHAN:
        return a > b;
    case FX_OP_LESSTHANOREQUAL:
        return a <= b;
    case FX_OP_GREATERTHANOREQUAL:
        return a >= b;
    case FX_OP_MIN:
        return a < b ? a : b;
    }
    return a > b ? a : b; /* MAX, by the caller */
}

static enum fx_script_error binary(struct fx_eval *eval, uint8_t opcode)
{
    enum fx_script_error error;
    int64_t a, b, result;

    if (eval->stack->n < 2) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error = fx_eval_number(eval, 1, &a);
    if (error == FX_SCRIPT_ERR_OK) {
        error = fx_eval_number(eval, 0, &b);
    }
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    result = combine(opcode, a, b);
    fx_stack_drop(eval->stack, 2);
    if (opcode == FX_OP_NUMEQUALVERIFY) {
        return result != 0 ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_NUMEQUALVERIFY;
    }
    fx_stack_push_number(eval->stack, result);
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error within(struct fx_eval *eval)
{
    int64_t values[3]; /* x, lowest, one more than the highest */

    if (eval->stack->n < 3) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    for (size_t i = 0; i < 3; i++) {
        enum fx_script_error error = fx_eval_number(eval, 2 - i, &values[i]);

        if (error != FX_SCRIPT_ERR_OK) {
            return error;
        }
    }
    fx_stack_drop(eval->stack, 3);
    fx_stack_push_bool(eval->stack, values[1] <= values[0] && values[0] < values[2]);
    return FX_SCRIPT_ERR_OK;
}

enum fx_script_error fx_eval_number_op(struct fx_eval *eval, uint8_t opcode)
{
    switch (opcode) {
    case FX_OP_1ADD:
    case FX_OP_1SUB:
    case FX_OP_NEGATE:
    case FX_OP_ABS:
    case FX_OP_NOT:
    case FX_OP_0NOTEQUAL:
        return unary(eval, opcode);
    case FX_OP_ADD:
    case FX_OP_SUB:
    case FX_OP_BOOLAND:
    case FX_OP_BOOLOR:
    case FX_OP_NUMEQUAL:
    case FX_OP_NUMEQUALVERIFY:
    case FX_OP_NUMNOTEQUAL:
    case FX_OP_LESSTHAN:
    case FX_OP_GREATERTHAN:
    case FX_OP_LESSTHANOREQUAL:
    case FX_OP_GREATERTHANOREQUAL:
    case FX_OP_MIN:
    case FX_OP_MAX:
        return binary(eval, opcode);
    case FX_OP_WITHIN:
        return within(eval);
    }
    return FX_SCRIPT_ERR_BAD_OPCODE;
}
