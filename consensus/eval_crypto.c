/* Operations that hash and those that check signatures. */
#include "consensus/eval_int.h"

#include "src/crypto/ripemd160.h"
#include "src/crypto/sha1.h"
#include "src/crypto/sha256.h"

#define TAPSCRIPT_SIG_WEIGHT 50 /* BIP342: what each signature takes of the budget */
#define TAPSCRIPT_KEY_SIZE 32

/* Returns the length of the hash. */
static size_t make_hash(uint8_t opcode, struct fx_span data, uint8_t hash[32])
{
    switch (opcode) {
    case FX_OP_RIPEMD160:
        fx_ripemd160(data.data, data.len, hash);
        return 20;
    case FX_OP_SHA1:
        fx_sha1(data.data, data.len, hash);
        return 20;
    case FX_OP_HASH160:
        fx_hash160(data.data, data.len, hash);
        return 20;
    case FX_OP_SHA256:
        fx_sha256(data.data, data.len, hash);
        return 32;
    }
    fx_sha256d(data.data, data.len, hash); /* HASH256, by the caller */
    return 32;
}

static enum fx_script_error hash_op(struct fx_eval *eval, uint8_t opcode)
{
    uint8_t hash[32];
    size_t n;

    if (eval->stack->n < 1) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    n = make_hash(opcode, fx_stack_peek(eval->stack, 0), hash);
    fx_stack_drop(eval->stack, 1);
    fx_stack_push_copy(eval->stack, hash, n);
    return FX_SCRIPT_ERR_OK;
}

/* ---- one signature ----------------------------------------------------------------------- */

static struct fx_span script_code(const struct fx_eval *eval)
{
    struct fx_span code = {eval->code_start,
                           (size_t)(eval->script.data + eval->script.len - eval->code_start)};

    return code;
}

/*
 * Before segwit a signature does not sign itself: where the script code pushes it, it is taken out.
 * buf holds the code then, and *code is a view of it.
 */
static enum fx_script_error delete_signature(const struct fx_eval *eval, struct fx_span sig,
                                             struct fx_span *code, struct fx_buf *buf)
{
    struct fx_buf needle = FX_BUF_INIT, left = FX_BUF_INIT;
    size_t found;

    fx_script_push(&needle, sig);
    found = fx_script_delete(*code, (struct fx_span){needle.data, needle.len}, &left);
    fx_buf_clear(&needle);
    if (found == 0) {
        return FX_SCRIPT_ERR_OK;
    }
    fx_buf_clear(buf);
    *buf = left;
    code->data = buf->data;
    code->len = buf->len;
    return (eval->flags & FX_VERIFY_CONST_SCRIPTCODE) != 0 ? FX_SCRIPT_ERR_SIG_FINDANDDELETE
                                                           : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error check_forms(const struct fx_eval *eval, struct fx_span sig,
                                        struct fx_span key)
{
    enum fx_script_error error = fx_sig_check_form(sig, eval->flags);

    return error != FX_SCRIPT_ERR_OK ? error : fx_key_check_form(key, eval->flags, eval->version);
}

static enum fx_script_error check_ecdsa(struct fx_eval *eval, struct fx_span sig,
                                        struct fx_span key, bool *good)
{
    struct fx_sighash_memo fresh = {0}, *memo = &eval->memo;
    struct fx_span code = script_code(eval);
    struct fx_buf buf = FX_BUF_INIT;
    enum fx_script_error error = FX_SCRIPT_ERR_OK;

    if (eval->version == FX_SIG_BASE) {
        error = delete_signature(eval, sig, &code, &buf);
        if (buf.data != NULL) {
            memo = &fresh;
        }
    }
    if (error == FX_SCRIPT_ERR_OK) {
        error = check_forms(eval, sig, key);
    }
    if (error == FX_SCRIPT_ERR_OK) {
        *good = fx_sig_verify_ecdsa(eval->context, sig, key, code, eval->version, memo);
        if (!*good && sig.len > 0 && (eval->flags & FX_VERIFY_NULLFAIL) != 0) {
            error = FX_SCRIPT_ERR_NULLFAIL;
        }
    }
    fx_buf_clear(&buf);
    return error;
}

/* BIP342. */
static enum fx_script_error check_schnorr(struct fx_eval *eval, struct fx_span sig,
                                          struct fx_span key, bool *good)
{
    *good = sig.len > 0;
    if (*good) {
        eval->tap->weight_left -= TAPSCRIPT_SIG_WEIGHT;
        if (eval->tap->weight_left < 0) {
            return FX_SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT;
        }
    }
    if (key.len == 0) {
        return FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY;
    }
    if (key.len != TAPSCRIPT_KEY_SIZE) {
        return (eval->flags & FX_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE) != 0
                   ? FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE
                   : FX_SCRIPT_ERR_OK;
    }
    return *good ? fx_sig_verify_schnorr(eval->context, sig, key.data, &eval->tap->sighash)
                 : FX_SCRIPT_ERR_OK;
}

static enum fx_script_error check_signature(struct fx_eval *eval, struct fx_span sig,
                                            struct fx_span key, bool *good)
{
    return eval->version == FX_SIG_TAPSCRIPT ? check_schnorr(eval, sig, key, good)
                                             : check_ecdsa(eval, sig, key, good);
}

static enum fx_script_error op_checksig(struct fx_eval *eval, uint8_t opcode)
{
    enum fx_script_error error;
    bool good;

    if (eval->stack->n < 2) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error =
        check_signature(eval, fx_stack_peek(eval->stack, 1), fx_stack_peek(eval->stack, 0), &good);
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    fx_stack_drop(eval->stack, 2);
    if (opcode == FX_OP_CHECKSIG) {
        fx_stack_push_bool(eval->stack, good);
        return FX_SCRIPT_ERR_OK;
    }
    return good ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_CHECKSIGVERIFY;
}

static enum fx_script_error op_checksigadd(struct fx_eval *eval)
{
    enum fx_script_error error;
    int64_t n;
    bool good;

    if (eval->version != FX_SIG_TAPSCRIPT) {
        return FX_SCRIPT_ERR_BAD_OPCODE;
    }
    if (eval->stack->n < 3) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error = fx_eval_number(eval, 1, &n);
    if (error == FX_SCRIPT_ERR_OK) {
        error = check_signature(eval, fx_stack_peek(eval->stack, 2), fx_stack_peek(eval->stack, 0),
                                &good);
    }
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    fx_stack_drop(eval->stack, 3);
    fx_stack_push_number(eval->stack, n + good);
    return FX_SCRIPT_ERR_OK;
}

/* ---- multisig ---------------------------------------------------------------------------- */

/* Where the parts of a multisig lie, as depths of the stack. */
struct multisig {
    size_t n_keys, n_sigs;
    size_t keys, sigs; /* of the first one tried, which is the topmost */
    size_t dummy;      /* Bitcoin's first version took one item too many, and all since do */
};

static enum fx_script_error read_multisig(struct fx_eval *eval, struct multisig *m)
{
    enum fx_script_error error;
    int64_t n;

    if (eval->stack->n < 1) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error = fx_eval_number(eval, 0, &n);
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    if (n < 0 || n > FX_SCRIPT_MULTISIG_KEYS_MAX) {
        return FX_SCRIPT_ERR_PUBKEY_COUNT;
    }
    m->n_keys = (size_t)n;
    m->keys = 1;
    eval->ops += (unsigned)n;
    if (eval->ops > FX_SCRIPT_OPS_MAX) {
        return FX_SCRIPT_ERR_OP_COUNT;
    }
    if (eval->stack->n < m->keys + m->n_keys + 1) {
        return FX_SCRIPT_ERR_INVALID_STACK_OPERATION;
    }
    error = fx_eval_number(eval, m->keys + m->n_keys, &n);
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    if (n < 0 || (uint64_t)n > m->n_keys) {
        return FX_SCRIPT_ERR_SIG_COUNT;
    }
    m->n_sigs = (size_t)n;
    m->sigs = m->keys + m->n_keys + 1;
    m->dummy = m->sigs + m->n_sigs;
    return eval->stack->n <= m->dummy ? FX_SCRIPT_ERR_INVALID_STACK_OPERATION : FX_SCRIPT_ERR_OK;
}

/* Signatures in the order of their keys; a key that fits none is passed over. */
static enum fx_script_error try_keys(struct fx_eval *eval, const struct multisig *m,
                                     struct fx_span code, struct fx_sighash_memo *memo, bool *good)
{
    size_t key_at = m->keys, sig_at = m->sigs;
    size_t keys_left = m->n_keys, sigs_left = m->n_sigs;

    while (sigs_left > 0 && sigs_left <= keys_left) {
        struct fx_span sig = fx_stack_peek(eval->stack, sig_at);
        struct fx_span key = fx_stack_peek(eval->stack, key_at);
        enum fx_script_error error = check_forms(eval, sig, key);

        if (error != FX_SCRIPT_ERR_OK) {
            return error;
        }
        if (fx_sig_verify_ecdsa(eval->context, sig, key, code, eval->version, memo)) {
            sig_at++;
            sigs_left--;
        }
        key_at++;
        keys_left--;
    }
    *good = sigs_left == 0;
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error check_multisig(struct fx_eval *eval, const struct multisig *m,
                                           bool *good)
{
    struct fx_sighash_memo fresh = {0};
    struct fx_span code = script_code(eval);
    struct fx_buf buf = FX_BUF_INIT;
    enum fx_script_error error = FX_SCRIPT_ERR_OK;

    for (size_t i = 0; i < m->n_sigs && eval->version == FX_SIG_BASE && error == FX_SCRIPT_ERR_OK;
         i++) {
        error = delete_signature(eval, fx_stack_peek(eval->stack, m->sigs + i), &code, &buf);
    }
    if (error == FX_SCRIPT_ERR_OK) {
        error = try_keys(eval, m, code, buf.data != NULL ? &fresh : &eval->memo, good);
    }
    fx_buf_clear(&buf);
    return error;
}

static enum fx_script_error check_null_fail(const struct fx_eval *eval, const struct multisig *m)
{
    for (size_t i = 0; i < m->n_sigs; i++) {
        if (fx_stack_peek(eval->stack, m->sigs + i).len > 0) {
            return FX_SCRIPT_ERR_NULLFAIL;
        }
    }
    return FX_SCRIPT_ERR_OK;
}

static enum fx_script_error op_checkmultisig(struct fx_eval *eval, uint8_t opcode)
{
    struct multisig m;
    enum fx_script_error error;
    bool good = false;

    if (eval->version == FX_SIG_TAPSCRIPT) {
        return FX_SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG;
    }
    error = read_multisig(eval, &m);
    if (error == FX_SCRIPT_ERR_OK) {
        error = check_multisig(eval, &m, &good);
    }
    if (error == FX_SCRIPT_ERR_OK && !good && (eval->flags & FX_VERIFY_NULLFAIL) != 0) {
        error = check_null_fail(eval, &m);
    }
    if (error != FX_SCRIPT_ERR_OK) {
        return error;
    }
    if ((eval->flags & FX_VERIFY_NULLDUMMY) != 0 && fx_stack_peek(eval->stack, m.dummy).len > 0) {
        return FX_SCRIPT_ERR_SIG_NULLDUMMY;
    }
    fx_stack_drop(eval->stack, m.dummy + 1);
    if (opcode == FX_OP_CHECKMULTISIG) {
        fx_stack_push_bool(eval->stack, good);
        return FX_SCRIPT_ERR_OK;
    }
    return good ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_CHECKMULTISIGVERIFY;
}

enum fx_script_error fx_eval_crypto_op(struct fx_eval *eval, uint8_t opcode)
{
    switch (opcode) {
    case FX_OP_RIPEMD160:
    case FX_OP_SHA1:
    case FX_OP_SHA256:
    case FX_OP_HASH160:
    case FX_OP_HASH256:
        return hash_op(eval, opcode);
    case FX_OP_CHECKSIG:
    case FX_OP_CHECKSIGVERIFY:
        return op_checksig(eval, opcode);
    case FX_OP_CHECKSIGADD:
        return op_checksigadd(eval);
    case FX_OP_CHECKMULTISIG:
    case FX_OP_CHECKMULTISIGVERIFY:
        return op_checkmultisig(eval, opcode);
    }
    return FX_SCRIPT_ERR_BAD_OPCODE;
}
