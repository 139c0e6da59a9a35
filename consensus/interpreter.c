/* Verifying one input: its script, the coin's, and what these stand for. */
#include "consensus/interpreter.h"

#include <string.h>

#include "consensus/eval_int.h"
#include "consensus/script.h"
#include "consensus/taproot.h"
#include "src/crypto/sha256.h"

#define P2WPKH_SIZE 20
#define P2WPKH_CODE 25
#define PROGRAM_SIZE 32 /* P2WSH and P2TR */
#define TAPSCRIPT_FREE_WEIGHT 50

/* One input while it is verified. */
struct verification {
    const struct fx_script_context *context;
    uint32_t flags;
    const struct fx_span *witness;
    size_t n_witness;
};

static enum fx_script_error run(const struct verification *v, enum fx_sig_version version,
                                struct fx_tapscript *tap, struct fx_stack *stack,
                                struct fx_span script)
{
    struct fx_eval eval;

    eval.context = v->context;
    eval.version = version;
    eval.flags = v->flags;
    eval.stack = stack;
    eval.tap = tap;
    return fx_eval_run(&eval, script);
}

/* ---- scripts of witness programs --------------------------------------------------------- */

/* One OP_SUCCESS makes all of the script succeed, whatever comes behind it. */
static enum fx_script_error find_op_success(const struct verification *v, struct fx_span script,
                                            bool *found)
{
    struct fx_script_walk walk;
    struct fx_op op;

    *found = false;
    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (fx_opcode_is_success(op.code)) {
            *found = true;
            return (v->flags & FX_VERIFY_DISCOURAGE_OP_SUCCESS) != 0
                       ? FX_SCRIPT_ERR_DISCOURAGE_OP_SUCCESS
                       : FX_SCRIPT_ERR_OK;
        }
    }
    return walk.cut ? FX_SCRIPT_ERR_BAD_OPCODE : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error run_on_items(const struct verification *v, enum fx_sig_version version,
                                         struct fx_tapscript *tap, struct fx_span script, size_t n)
{
    struct fx_stack stack;
    enum fx_script_error error;

    fx_stack_init(&stack);
    for (size_t i = 0; i < n; i++) {
        fx_stack_push_view(&stack, v->witness[i]);
    }
    error = run(v, version, tap, &stack, script);
    if (error == FX_SCRIPT_ERR_OK) {
        if (stack.n != 1) {
            error = FX_SCRIPT_ERR_CLEANSTACK;
        } else if (!fx_script_is_true(fx_stack_peek(&stack, 0))) {
            error = FX_SCRIPT_ERR_EVAL_FALSE;
        }
    }
    fx_stack_clear(&stack);
    return error;
}

/* The script on the first n items of the witness. */
static enum fx_script_error run_witness_script(const struct verification *v,
                                               enum fx_sig_version version,
                                               struct fx_tapscript *tap, struct fx_span script,
                                               size_t n)
{
    if (version == FX_SIG_TAPSCRIPT) {
        bool success;
        enum fx_script_error error = find_op_success(v, script, &success);

        if (success || error != FX_SCRIPT_ERR_OK) {
            return error;
        }
        if (n > FX_SCRIPT_STACK_MAX) {
            return FX_SCRIPT_ERR_STACK_SIZE;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (v->witness[i].len > FX_SCRIPT_ELEMENT_MAX) {
            return FX_SCRIPT_ERR_PUSH_SIZE;
        }
    }
    return run_on_items(v, version, tap, script, n);
}

/* ---- version 0 (BIP141) ------------------------------------------------------------------ */

static enum fx_script_error verify_p2wsh(const struct verification *v, const uint8_t *program)
{
    struct fx_span script;
    uint8_t hash[32];

    if (v->n_witness == 0) {
        return FX_SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    }
    script = v->witness[v->n_witness - 1];
    fx_sha256(script.data, script.len, hash);
    if (memcmp(hash, program, sizeof hash) != 0) {
        return FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    }
    return run_witness_script(v, FX_SIG_WITNESS_V0, NULL, script, v->n_witness - 1);
}

static enum fx_script_error verify_p2wpkh(const struct verification *v, const uint8_t *program)
{
    uint8_t code[P2WPKH_CODE] = {FX_OP_DUP, FX_OP_HASH160, P2WPKH_SIZE};
    struct fx_span script = {code, sizeof code};

    if (v->n_witness != 2) {
        return FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    }
    memcpy(code + 3, program, P2WPKH_SIZE);
    code[P2WPKH_CODE - 2] = FX_OP_EQUALVERIFY;
    code[P2WPKH_CODE - 1] = FX_OP_CHECKSIG;
    return run_witness_script(v, FX_SIG_WITNESS_V0, NULL, script, v->n_witness);
}

/* ---- taproot (BIP341, BIP342) ------------------------------------------------------------ */

static int64_t witness_size(const struct verification *v)
{
    size_t size = fx_var_size(v->n_witness);

    for (size_t i = 0; i < v->n_witness; i++) {
        size += fx_var_size(v->witness[i].len) + v->witness[i].len;
    }
    return (int64_t)size;
}

/* n: the items of the witness without an annex. */
static enum fx_script_error verify_script_path(const struct verification *v, const uint8_t *program,
                                               struct fx_tapscript *tap, size_t n)
{
    struct fx_span control = v->witness[n - 1], script = v->witness[n - 2];
    uint8_t leaf_version;

    if (!fx_taproot_control_size_ok(control.len)) {
        return FX_SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
    }
    leaf_version = control.data[0] & FX_TAPROOT_LEAF_MASK;
    tap->sighash.has_leaf = true;
    fx_taproot_leaf_hash(leaf_version, script, &tap->sighash.leaf_hash);
    if (!fx_taproot_verify_control(control, program, &tap->sighash.leaf_hash)) {
        return FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    }
    if (leaf_version == FX_TAPROOT_LEAF_TAPSCRIPT) {
        tap->weight_left = witness_size(v) + TAPSCRIPT_FREE_WEIGHT;
        return run_witness_script(v, FX_SIG_TAPSCRIPT, tap, script, n - 2);
    }
    return (v->flags & FX_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) != 0
               ? FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
               : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error verify_taproot(const struct verification *v, const uint8_t *program)
{
    struct fx_tapscript tap = {.weight_left = 0};
    const struct fx_span *annex = NULL;
    size_t n = v->n_witness;

    if (n == 0) {
        return FX_SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    }
    if (n >= 2 && v->witness[n - 1].len > 0 && v->witness[n - 1].data[0] == FX_TAPROOT_ANNEX_TAG) {
        annex = &v->witness[--n];
    }
    fx_sighash_spend_init(&tap.sighash, annex);
    if (n == 1) {
        return fx_sig_verify_schnorr(v->context, v->witness[0], program, &tap.sighash);
    }
    return verify_script_path(v, program, &tap, n);
}

/* ---- witness programs -------------------------------------------------------------------- */

/* Pay-to-anchor: spendable by anybody, and not left for a later rule. */
static bool is_anchor(unsigned version, struct fx_span program)
{
    return version == 1 && program.len == 2 && program.data[0] == 0x4e && program.data[1] == 0x73;
}

static enum fx_script_error verify_program(const struct verification *v, unsigned version,
                                           struct fx_span program, bool wrapped)
{
    if (version == 0) {
        return program.len == PROGRAM_SIZE  ? verify_p2wsh(v, program.data)
               : program.len == P2WPKH_SIZE ? verify_p2wpkh(v, program.data)
                                            : FX_SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
    }
    if (version == 1 && program.len == PROGRAM_SIZE && !wrapped) {
        return (v->flags & FX_VERIFY_TAPROOT) != 0 ? verify_taproot(v, program.data)
                                                   : FX_SCRIPT_ERR_OK;
    }
    if (!wrapped && is_anchor(version, program)) {
        return FX_SCRIPT_ERR_OK;
    }
    return (v->flags & FX_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) != 0
               ? FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
               : FX_SCRIPT_ERR_OK;
}

/* ---- inputs ------------------------------------------------------------------------------ */

static enum fx_script_error ends_true(const struct fx_stack *stack)
{
    return stack->n > 0 && fx_script_is_true(fx_stack_peek(stack, 0)) ? FX_SCRIPT_ERR_OK
                                                                      : FX_SCRIPT_ERR_EVAL_FALSE;
}

/* BIP141: the input's script is the push of the redeem script and nothing else. */
static bool is_only_push(struct fx_span script_sig, struct fx_span redeem)
{
    uint8_t head[5];
    size_t n = fx_script_push_head(redeem.len, head);

    return script_sig.len == n + redeem.len && memcmp(script_sig.data, head, n) == 0 &&
           memcmp(script_sig.data + n, redeem.data, redeem.len) == 0;
}

/* What script_pubkey ran to is on stack; before holds what script_sig left. *had_witness is set
 * where a witness program took the witness, and stack is then what counts for CLEANSTACK. */
static enum fx_script_error verify_p2sh(const struct verification *v, struct fx_span script_sig,
                                        struct fx_stack *before, bool *had_witness)
{
    struct fx_stack_item top;
    struct fx_span redeem, program;
    enum fx_script_error error;
    unsigned version;

    if (!fx_script_is_push_only(script_sig)) {
        return FX_SCRIPT_ERR_SIG_PUSHONLY;
    }
    /* The output's script hashed the top item: there is one. */
    top = *fx_stack_at(before, 0);
    redeem = fx_stack_item_span(&top);
    fx_stack_drop(before, 1);
    error = run(v, FX_SIG_BASE, NULL, before, redeem);
    if (error == FX_SCRIPT_ERR_OK) {
        error = ends_true(before);
    }
    if (error != FX_SCRIPT_ERR_OK || (v->flags & FX_VERIFY_WITNESS) == 0 ||
        !fx_script_is_witness(redeem, &version, &program)) {
        return error;
    }
    *had_witness = true;
    if (!is_only_push(script_sig, redeem)) {
        return FX_SCRIPT_ERR_WITNESS_MALLEATED_P2SH;
    }
    return verify_program(v, version, program, true);
}

static enum fx_script_error verify_native(const struct verification *v, struct fx_span script_sig,
                                          struct fx_span script_pubkey, bool *had_witness)
{
    struct fx_span program;
    unsigned version;

    if ((v->flags & FX_VERIFY_WITNESS) == 0 ||
        !fx_script_is_witness(script_pubkey, &version, &program)) {
        return FX_SCRIPT_ERR_OK;
    }
    *had_witness = true;
    if (script_sig.len != 0) {
        return FX_SCRIPT_ERR_WITNESS_MALLEATED;
    }
    return verify_program(v, version, program, false);
}

/* before: a stack that is initialised, for what script_sig leaves; likewise stack. */
static enum fx_script_error verify(const struct verification *v, struct fx_span script_sig,
                                   struct fx_span script_pubkey, struct fx_stack *stack,
                                   struct fx_stack *before)
{
    bool p2sh = (v->flags & FX_VERIFY_P2SH) != 0 && fx_script_is_p2sh(script_pubkey);
    bool had_witness = false;
    enum fx_script_error error = run(v, FX_SIG_BASE, NULL, stack, script_sig);

    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    if (p2sh) {
        fx_stack_copy(before, stack);
    }
    error = run(v, FX_SIG_BASE, NULL, stack, script_pubkey);
    if (error == FX_SCRIPT_ERR_OK) {
        error = ends_true(stack);
    }
    if (error == FX_SCRIPT_ERR_OK) {
        error = verify_native(v, script_sig, script_pubkey, &had_witness);
    }
    if (error == FX_SCRIPT_ERR_OK && p2sh) {
        error = verify_p2sh(v, script_sig, before, &had_witness);
    }
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    /* A witness program's own stack was looked at where its script ran. */
    if ((v->flags & FX_VERIFY_CLEANSTACK) != 0 && !had_witness && (p2sh ? before : stack)->n != 1) {
        return FX_SCRIPT_ERR_CLEANSTACK;
    }
    return (v->flags & FX_VERIFY_WITNESS) != 0 && !had_witness && v->n_witness > 0
               ? FX_SCRIPT_ERR_WITNESS_UNEXPECTED
               : FX_SCRIPT_ERR_OK;
}

enum fx_script_error fx_script_verify(struct fx_span script_sig, struct fx_span script_pubkey,
                                      const struct fx_span *witness, size_t n_witness,
                                      uint32_t flags, const struct fx_script_context *context)
{
    struct verification v = {context, flags, witness, n_witness};
    struct fx_stack stack, before;
    enum fx_script_error error;

    if ((flags & FX_VERIFY_SIGPUSHONLY) != 0 && !fx_script_is_push_only(script_sig)) {
        return FX_SCRIPT_ERR_SIG_PUSHONLY;
    }
    fx_stack_init(&stack);
    fx_stack_init(&before);
    error = verify(&v, script_sig, script_pubkey, &stack, &before);
    fx_stack_clear(&stack);
    fx_stack_clear(&before);
    return error;
}
