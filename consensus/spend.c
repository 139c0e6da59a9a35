/* Spending task outputs (protocol section 5): the witness, and the action that it names. */
#include "consensus/spend.h"

#include <string.h>

#include "consensus/spend_int.h"

/* Items of the witness of an action; 0 for an action that this version has not. */
static size_t witness_items(uint8_t action)
{
    if (action > FX_ACTION_REJECT) {
        return 0;
    }
    switch ((enum fx_task_action)action) {
    case FX_ACTION_REFUND:
    case FX_ACTION_EXPIRE:
    case FX_ACTION_REJECT:
        return 3;
    case FX_ACTION_CLAIM:
    case FX_ACTION_ACCEPT:
    case FX_ACTION_CHALLENGE:
        return 4;
    case FX_ACTION_TAKE:
    case FX_ACTION_FRAUD:
    case FX_ACTION_ANSWER:
        return 5;
    }
    return 0;
}

/* Witness and preimage against the table and the coin; fills action, preimage, program. */
static enum fx_result read_witness(struct fx_spend *s)
{
    const struct fx_span *items = s->txin->witness;
    size_t n = s->txin->n_witness;

    if (s->txin->script_sig.len != 0 || n == 0 || items[0].len != 1) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    if (n != witness_items(items[0].data[0])) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    s->action = (enum fx_task_action)items[0].data[0];
    /* A fraud proof of a claim that is not challenged is nobody's: its signature is empty. */
    if (items[1].len != FX_SIGNATURE_BYTES && (s->action != FX_ACTION_FRAUD || items[1].len != 0)) {
        return fx_spend_refuse(s, FX_BAD_TASK_WITNESS);
    }
    s->preimage = items[n - 1];
    fx_task_program(s->preimage, &s->program);
    if (!fx_spend_pays_to(fx_coin_script(s->coin), &s->program)) {
        return fx_spend_refuse(s, FX_BAD_TASK_PROGRAM);
    }
    return FX_VALID;
}

static enum fx_result dispatch(struct fx_spend *s)
{
    switch (s->action) {
    case FX_ACTION_REFUND:
        return fx_spend_refund(s);
    case FX_ACTION_CLAIM:
        return fx_spend_claim(s);
    case FX_ACTION_ACCEPT:
        return fx_spend_accept(s);
    case FX_ACTION_TAKE:
        return fx_spend_take(s);
    case FX_ACTION_FRAUD:
        return fx_spend_fraud(s);
    case FX_ACTION_CHALLENGE:
        return fx_spend_challenge(s);
    case FX_ACTION_ANSWER:
        return fx_spend_answer(s);
    case FX_ACTION_EXPIRE:
        return fx_spend_expire(s);
    case FX_ACTION_REJECT:
        return fx_spend_reject(s);
    }
    return FX_FAILED; /* not reached: read_witness has refused any other action */
}

enum fx_result fx_connect_spend(const struct fx_spend_context *ctx, size_t in,
                                struct fx_record_delta *delta, struct fx_spend_result *result,
                                enum fx_verdict *why)
{
    struct fx_spend s;
    enum fx_result judged;

    memset(&s, 0, sizeof(s));
    s.ctx = ctx;
    s.in = in;
    s.txin = &ctx->tx->in[in];
    s.coin = &ctx->spent[in];
    s.delta = delta;
    s.why = why;
    *why = FX_OK;

    judged = read_witness(&s);
    if (judged == FX_VALID) {
        judged = dispatch(&s);
    }
    if (judged == FX_VALID && result != NULL) {
        result->action = s.action;
        result->origin = s.origin;
        result->burned = s.burned;
    }
    return judged;
}
