/* One spend of a task output while it is judged, and the steps that several actions share
 * (spend_steps.c). The actions themselves stand in one file a concern: spend_claim.c,
 * spend_settle.c, spend_dispute.c. */
#ifndef FX_CONSENSUS_SPEND_INT_H
#define FX_CONSENSUS_SPEND_INT_H

#include "consensus/spend.h"

#define FX_SIGNATURE_BYTES 64

struct fx_spend {
    const struct fx_spend_context *ctx;
    size_t in;
    const struct fx_txin *txin;
    const struct fx_coin *coin;
    enum fx_task_action action;
    struct fx_span preimage;
    struct fx_hash program;
    struct fx_task task; /* refund: the head alone */
    struct fx_outpoint origin;
    struct fx_task_record record; /* as it stands; made here for a fresh task */
    bool fresh;
    struct fx_record_delta *delta;
    uint64_t burned;
    enum fx_verdict *why;
};

/* Sets the verdict and returns FX_INVALID. */
enum fx_result fx_spend_refuse(struct fx_spend *s, enum fx_verdict verdict);
/* The output script is that of this program. */
bool fx_spend_pays_to(struct fx_span script, const struct fx_hash *program);
/* Reads the preimage (refund: its head), which must be in state `from`, and finds its record. */
enum fx_result fx_spend_read(struct fx_spend *s, enum fx_task_state from);
/* The same where `from` or `other` will do. */
enum fx_result fx_spend_read_either(struct fx_spend *s, enum fx_task_state from,
                                    enum fx_task_state other);
/* Each amount of these claimed fields and escrow + bond lie in [0, MAX_MONEY]. */
enum fx_result fx_spend_check_amounts(struct fx_spend *s, const struct fx_task *task);
/* The second witness item is this key's signature. */
enum fx_result fx_spend_check_signature(struct fx_spend *s, const struct fx_hash *key);
/* The output with this input's index; NULL where there is none. */
const struct fx_txout *fx_spend_pair(const struct fx_spend *s);
/* "-> X >= value": the output with this input's index pays to the program of X at least this. */
enum fx_result fx_spend_check_pair(struct fx_spend *s, const struct fx_task *to, int64_t value);
/* "lock u": BIP68 itself is enforced with all other relative locks of the transaction. */
enum fx_result fx_spend_check_lock(struct fx_spend *s, uint32_t units);
/* The record names the paired output, which is in this state; the caller sets the rest. */
void fx_spend_move(struct fx_spend *s, enum fx_task_state to);
/* The record names no output any more. */
void fx_spend_close(struct fx_spend *s);
/* Writes the record into delta. */
enum fx_result fx_spend_set_record(struct fx_spend *s);

/* One function an action. */
enum fx_result fx_spend_refund(struct fx_spend *s);
enum fx_result fx_spend_claim(struct fx_spend *s);
enum fx_result fx_spend_accept(struct fx_spend *s);
enum fx_result fx_spend_take(struct fx_spend *s);
enum fx_result fx_spend_fraud(struct fx_spend *s);
enum fx_result fx_spend_challenge(struct fx_spend *s);
enum fx_result fx_spend_answer(struct fx_spend *s);
enum fx_result fx_spend_expire(struct fx_spend *s);
enum fx_result fx_spend_reject(struct fx_spend *s);

#endif
