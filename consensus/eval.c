/* The loop of the interpreter, conditionals and lock times. */
#include "consensus/eval_int.h"

#include "consensus/params.h"

/* Never run, not even in a branch that is off: the first versions of Bitcoin had them. */
static bool is_disabled(uint8_t opcode)
{
    switch (opcode) {
    case FX_OP_CAT:
    case FX_OP_SUBSTR:
    case FX_OP_LEFT:
    case FX_OP_RIGHT:
    case FX_OP_INVERT:
    case FX_OP_AND:
    case FX_OP_OR:
    case FX_OP_XOR:
    case FX_OP_2MUL:
    case FX_OP_2DIV:
    case FX_OP_MUL:
    case FX_OP_DIV:
    case FX_OP_MOD:
    case FX_OP_LSHIFT:
    case FX_OP_RSHIFT:
        return true;
    }
    return false;
}

/* ---- conditionals ------------------------------------------------------------------------ */

static bool is_on(const struct fx_eval *eval)
{
    return eval->off == eval->depth;
}

/* What IF takes is empty or 01: a rule of tapscript, policy for version 0. */
static enum fx_script_error check_condition(const struct fx_eval *eval, struct fx_span condition)
{
    bool minimal = condition.len == 0 || (condition.len == 1 && condition.data[0] == 1);

    if (minimal) {
        return FX_SCRIPT_ERR_OK;
    }
    if (eval->version == FX_SIG_TAPSCRIPT) {
        return FX_SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
    }
    return eval->version == FX_SIG_WITNESS_V0 && (eval->flags & FX_VERIFY_MINIMALIF) != 0
               ? FX_SCRIPT_ERR_MINIMALIF
               : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error op_if(struct fx_eval *eval, uint8_t opcode)
{
    enum fx_script_error error;
    bool taken;

    if (!is_on(eval)) {
        eval->depth++;
        return FX_SCRIPT_ERR_OK;
    }
    if (eval->stack->n == 0) {
        return FX_SCRIPT_ERR_EMPTY_CONDITIONAL;
    }
    error = check_condition(eval, fx_stack_peek(eval->stack, 0));
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    taken = fx_script_is_true(fx_stack_peek(eval->stack, 0)) == (opcode == FX_OP_IF);
    fx_stack_drop(eval->stack, 1);
    eval->depth++;
    if (taken) {
        eval->off = eval->depth;
    }
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error op_else(struct fx_eval *eval)
{
    if (eval->depth == 0) {
        return FX_SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    }
    if (is_on(eval)) {
        eval->off = eval->depth - 1;
    } else if (eval->off == eval->depth - 1) {
        eval->off = eval->depth;
    }
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error op_endif(struct fx_eval *eval)
{
    if (eval->depth == 0) {
        return FX_SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    }
    eval->depth--;
    if (eval->off > eval->depth) {
        eval->off = eval->depth;
    }
    return FX_SCRIPT_ERR_OK;
}

/* ---- lock times -------------------------------------------------------------------------- */

static bool lock_number(const struct fx_eval *eval, int64_t *value)
{
    bool minimal = (eval->flags & FX_VERIFY_MINIMALDATA) != 0;

    return fx_script_num_read(fx_stack_peek(eval->stack, 0), FX_SCRIPT_NUM_LOCK_SIZE, minimal,
                              value);
}

/* BIP65. The threshold parts heights from times: both sides must be of a kind. */
static bool lock_time_reached(const struct fx_script_context *context, int64_t wanted)
{
    int64_t has = context->tx->lock_time;

    return (has < FX_LOCKTIME_THRESHOLD) == (wanted < FX_LOCKTIME_THRESHOLD) && wanted <= has &&
           context->tx->in[context->in].sequence != FX_SEQUENCE_FINAL;
}

static enum fx_script_error op_checklocktimeverify(const struct fx_eval *eval)
{
    int64_t wanted;

    if ((eval->flags & FX_VERIFY_CHECKLOCKTIMEVERIFY) == 0) {
        return FX_SCRIPT_ERR_OK;
    }
    if (eval->stack->n == 0) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    if (!lock_number(eval, &wanted)) {
        return FX_SCRIPT_ERR_SCRIPTNUM;
    }
    if (wanted < 0) {
        return FX_SCRIPT_ERR_NEGATIVE_LOCKTIME;
    }
    return lock_time_reached(eval->context, wanted) ? FX_SCRIPT_ERR_OK
                                                    : FX_SCRIPT_ERR_UNSATISFIED_LOCKTIME;
}

/* BIP112. */
static bool sequence_reached(const struct fx_script_context *context, uint32_t wanted)
{
    const uint32_t mask = FX_SEQUENCE_LOCK_TIME | FX_SEQUENCE_LOCK_MASK;
    uint32_t has = context->tx->in[context->in].sequence;

    if ((uint32_t)context->tx->version < 2 || (has & FX_SEQUENCE_LOCK_DISABLE) != 0) {
        return false;
    }
    return (has & FX_SEQUENCE_LOCK_TIME) == (wanted & FX_SEQUENCE_LOCK_TIME) &&
           (wanted & mask) <= (has & mask);
}

static enum fx_script_error op_checksequenceverify(const struct fx_eval *eval)
{
    int64_t wanted;

    if ((eval->flags & FX_VERIFY_CHECKSEQUENCEVERIFY) == 0) {
        return FX_SCRIPT_ERR_OK;
    }
    if (eval->stack->n == 0) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    if (!lock_number(eval, &wanted)) {
        return FX_SCRIPT_ERR_SCRIPTNUM;
    }
    if (wanted < 0) {
        return FX_SCRIPT_ERR_NEGATIVE_LOCKTIME;
    }
    if ((wanted & FX_SEQUENCE_LOCK_DISABLE) != 0) {
        return FX_SCRIPT_ERR_OK;
    }
    return sequence_reached(eval->context, (uint32_t)wanted) ? FX_SCRIPT_ERR_OK
                                                             : FX_SCRIPT_ERR_UNSATISFIED_LOCKTIME;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static enum fx_script_error op_nop(const struct fx_eval *eval)
{
    return (eval->flags & FX_VERIFY_DISCOURAGE_UPGRADABLE_NOPS) != 0
               ? FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS
               : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error op_verify(const struct fx_eval *eval)
{
    if (eval->stack->n == 0) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    if (!fx_script_is_true(fx_stack_peek(eval->stack, 0))) {
        return FX_SCRIPT_ERR_VERIFY;
    }
    fx_stack_drop(eval->stack, 1);
    return FX_SCRIPT_ERR_OK;
}

static void op_codeseparator(struct fx_eval *eval, const uint8_t *next)
{
    eval->code_start = next;
    if (eval->tap != NULL) {
        eval->tap->sighash.codesep_pos = eval->position;
    }
}

static enum fx_script_error run_op(struct fx_eval *eval, uint8_t opcode, const uint8_t *next)
{
    switch (opcode) {
    case FX_OP_NOP:
        return FX_SCRIPT_ERR_OK;
    case FX_OP_IF:
    case FX_OP_NOTIF:
        return op_if(eval, opcode);
    case FX_OP_ELSE:
        return op_else(eval);
    case FX_OP_ENDIF:
        return op_endif(eval);
    case FX_OP_VERIFY:
        return op_verify(eval);
    case FX_OP_RETURN:
        return FX_SCRIPT_ERR_OP_RETURN;
    case FX_OP_CODESEPARATOR:
        op_codeseparator(eval, next);
        return FX_SCRIPT_ERR_OK;
    case FX_OP_NOP1:
    case FX_OP_NOP4:
    case FX_OP_NOP5:
    case FX_OP_NOP6:
    case FX_OP_NOP7:
    case FX_OP_NOP8:
    case FX_OP_NOP9:
    case FX_OP_NOP10:
        return op_nop(eval);
    case FX_OP_CHECKLOCKTIMEVERIFY:
        return op_checklocktimeverify(eval);
    case FX_OP_CHECKSEQUENCEVERIFY:
        return op_checksequenceverify(eval);
    }
    /* The others by their places in the table of opcodes. */
    if (opcode <= FX_OP_TUCK || opcode == FX_OP_SIZE || opcode == FX_OP_EQUAL ||
        opcode == FX_OP_EQUALVERIFY) {
        return fx_eval_stack_op(eval, opcode);
    }
    return opcode <= FX_OP_WITHIN ? fx_eval_number_op(eval, opcode)
                                  : fx_eval_crypto_op(eval, opcode);
}

/* Rules that hold for an operation in a branch that is off, too. */
static enum fx_script_error check_op(struct fx_eval *eval, const struct fx_op *op)
{
    if (op->data.len > FX_SCRIPT_ELEMENT_MAX) {
        return FX_SCRIPT_ERR_PUSH_SIZE;
    }
    if (eval->version != FX_SIG_TAPSCRIPT && op->code > FX_OP_16 &&
        ++eval->ops > FX_SCRIPT_OPS_MAX) {
        return FX_SCRIPT_ERR_OP_COUNT;
    }
    if (is_disabled(op->code)) {
        return FX_SCRIPT_ERR_DISABLED_OPCODE;
    }
    if (op->code == FX_OP_CODESEPARATOR && eval->version == FX_SIG_BASE &&
        (eval->flags & FX_VERIFY_CONST_SCRIPTCODE) != 0) {
        return FX_SCRIPT_ERR_OP_CODESEPARATOR;
    }
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error step(struct fx_eval *eval, const struct fx_op *op, const uint8_t *next)
{
    enum fx_script_error error = check_op(eval, op);

    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    if (op->code <= FX_OP_PUSHDATA4) {
        if (is_on(eval)) {
            if ((eval->flags & FX_VERIFY_MINIMALDATA) != 0 && !fx_script_push_is_minimal(op)) {
                return FX_SCRIPT_ERR_MINIMALDATA;
            }
            fx_stack_push_view(eval->stack, op->data);
        }
    } else if (is_on(eval) || (op->code >= FX_OP_IF && op->code <= FX_OP_ENDIF)) {
        error = run_op(eval, op->code, next);
        if (error != FX_SCRIPT_ERR_OK) {
            return error;
        }
    }
    return eval->stack->n + eval->alt.n > FX_SCRIPT_STACK_MAX ? FX_SCRIPT_ERR_STACK_SIZE
                                                              : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error run_all(struct fx_eval *eval)
{
    struct fx_script_walk walk;
    struct fx_op op;

    fx_script_walk_init(&walk, eval->script);
    eval->code_start = walk.at;
    while (fx_script_walk_next(&walk, &op)) {
        enum fx_script_error error = step(eval, &op, walk.at);

        if (error != FX_SCRIPT_ERR_OK) {
            return error;
        }
        eval->position++;
    }
    if (walk.cut) {
        return FX_SCRIPT_ERR_BAD_OPCODE;
    }
    return eval->depth != 0 ? FX_SCRIPT_ERR_UNBALANCED_CONDITIONAL : FX_SCRIPT_ERR_OK;
}

enum fx_script_error fx_eval_run(struct fx_eval *eval, struct fx_span script)
{
    enum fx_script_error error;

    if (eval->version != FX_SIG_TAPSCRIPT && script.len > FX_SCRIPT_SIZE_MAX) {
        return FX_SCRIPT_ERR_SCRIPT_SIZE;
    }
    fx_stack_init(&eval->alt);
    eval->script = script;
    eval->position = 0;
    eval->ops = 0;
    eval->depth = 0;
    eval->off = 0;
    eval->memo.set = false;
    error = run_all(eval);
    fx_stack_clear(&eval->alt);
    return error;
}
