/* Running one script on a stack. The loop and the conditionals are in eval.c; the other files hold
 * the operations by kind. */
#ifndef FX_CONSENSUS_EVAL_INT_H
#define FX_CONSENSUS_EVAL_INT_H

#include "consensus/script_num.h"
#include "consensus/script_ops.h"
#include "consensus/sigcheck_int.h"
#include "consensus/stack_int.h"

/* What tapscript carries through its run. */
struct fx_tapscript {
    struct fx_sighash_spend sighash;
    int64_t weight_left; /* BIP342: what the witness pays for signatures */
};

struct fx_eval {
    const struct fx_script_context *context;
    enum fx_sig_version version;
    uint32_t flags;
    struct fx_stack *stack;
    struct fx_tapscript *tap; /* tapscript; NULL otherwise */

    /* private to the run */
    struct fx_stack alt;
    struct fx_span script;
    const uint8_t *code_start; /* behind the last CODESEPARATOR that was run */
    uint32_t position;         /* of the operation, counted from 0 */
    unsigned ops;              /* that are no pushes, with the keys of multisigs */
    size_t depth;              /* of conditionals */
    size_t off;                /* the outermost one that is off; == depth: all are on */
    struct fx_sighash_memo memo;
};

/* Runs the script on eval->stack. context, version, flags, stack and tap are set. */
enum fx_script_error fx_eval_run(struct fx_eval *eval, struct fx_span script);

/* One operation each; BAD_OPCODE for an opcode that is not theirs. */
enum fx_script_error fx_eval_stack_op(struct fx_eval *eval, uint8_t opcode);
enum fx_script_error fx_eval_number_op(struct fx_eval *eval, uint8_t opcode);
enum fx_script_error fx_eval_crypto_op(struct fx_eval *eval, uint8_t opcode);

/* The number at a depth of the stack, which is that deep. */
enum fx_script_error fx_eval_number(const struct fx_eval *eval, size_t depth, int64_t *value);

#endif
