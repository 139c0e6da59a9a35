/*
 * What the rules say of a block, a transaction or a spend: a verdict is a value with a reject
 * string. Bitcoin's own names are kept where the rule is Bitcoin's; ours are those of protocol
 * section 10.
 *
 * A verdict is never used for an I/O failure: functions that look things up return enum fx_result,
 * and FX_FAILED there says that nothing was found out about the object.
 */
#ifndef FX_CONSENSUS_VERDICT_H
#define FX_CONSENSUS_VERDICT_H

#include <stdbool.h>

#include "consensus/script_error.h"

/* name, reject string. FX_OK is the only one that is not a refusal. */
#define FX_VERDICTS(X)                                                               \
    X(FX_OK, "")                                                                     \
    /* parsing */                                                                    \
    X(FX_TX_DECODE, "tx-decode-failed")                                              \
    X(FX_BLOCK_DECODE, "block-decode-failed")                                        \
    /* headers */                                                                    \
    X(FX_BAD_LANE, "bad-lane")                                                       \
    X(FX_BAD_DIFFBITS, "bad-diffbits")                                               \
    X(FX_HIGH_HASH, "high-hash")                                                     \
    X(FX_TIME_TOO_OLD, "time-too-old")                                               \
    X(FX_TIME_TIMEWARP, "time-timewarp-attack")                                      \
    X(FX_TIME_TOO_NEW, "time-too-new")                                               \
    X(FX_BAD_VERSION, "bad-version")                                                 \
    X(FX_BAD_PREVBLK, "bad-prevblk")                                                 \
    X(FX_PREV_BLK_NOT_FOUND, "prev-blk-not-found")                                   \
    X(FX_DUPLICATE_INVALID, "duplicate-invalid")                                     \
    X(FX_DUPLICATE, "duplicate")                                                     \
    /* blocks */                                                                     \
    X(FX_BAD_TXNMRKLROOT, "bad-txnmrklroot")                                         \
    X(FX_BAD_TXNS_DUPLICATE, "bad-txns-duplicate")                                   \
    X(FX_BAD_BLK_LENGTH, "bad-blk-length")                                           \
    X(FX_BAD_BLK_WEIGHT, "bad-blk-weight")                                           \
    X(FX_BAD_BLK_SIGOPS, "bad-blk-sigops")                                           \
    X(FX_BAD_BLK_CHALLENGES, "bad-blk-challenges")                                   \
    X(FX_BAD_CB_MISSING, "bad-cb-missing")                                           \
    X(FX_BAD_CB_MULTIPLE, "bad-cb-multiple")                                         \
    X(FX_BAD_CB_HEIGHT, "bad-cb-height")                                             \
    X(FX_BAD_CB_LENGTH, "bad-cb-length")                                             \
    X(FX_BAD_CB_AMOUNT, "bad-cb-amount")                                             \
    X(FX_BAD_CB_WORK, "bad-cb-work")                                                 \
    X(FX_BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size")                           \
    X(FX_BAD_WITNESS_MERKLE_MATCH, "bad-witness-merkle-match")                       \
    X(FX_UNEXPECTED_WITNESS, "unexpected-witness")                                   \
    X(FX_BAD_TXNS_NONFINAL, "bad-txns-nonfinal")                                     \
    X(FX_BAD_TXNS_BIP30, "bad-txns-BIP30")                                           \
    /* transactions */                                                               \
    X(FX_BAD_TXNS_VIN_EMPTY, "bad-txns-vin-empty")                                   \
    X(FX_BAD_TXNS_VOUT_EMPTY, "bad-txns-vout-empty")                                 \
    X(FX_BAD_TXNS_OVERSIZE, "bad-txns-oversize")                                     \
    X(FX_BAD_TXNS_VOUT_NEGATIVE, "bad-txns-vout-negative")                           \
    X(FX_BAD_TXNS_VOUT_TOOLARGE, "bad-txns-vout-toolarge")                           \
    X(FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE, "bad-txns-txouttotal-toolarge")               \
    X(FX_BAD_TXNS_INPUTS_DUPLICATE, "bad-txns-inputs-duplicate")                     \
    X(FX_BAD_TXNS_PREVOUT_NULL, "bad-txns-prevout-null")                             \
    X(FX_BAD_TXNS_INPUTS_MISSINGORSPENT, "bad-txns-inputs-missingorspent")           \
    X(FX_BAD_TXNS_PREMATURE_SPEND, "bad-txns-premature-spend-of-coinbase")           \
    X(FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE, "bad-txns-inputvalues-outofrange")         \
    X(FX_BAD_TXNS_IN_BELOWOUT, "bad-txns-in-belowout")                               \
    X(FX_BAD_TXNS_FEE_OUTOFRANGE, "bad-txns-fee-outofrange")                         \
    X(FX_BAD_TXNS_ACCUMULATED_FEE_OUTOFRANGE, "bad-txns-accumulated-fee-outofrange") \
    X(FX_BAD_TXNS_NONFINAL_SEQUENCE, "non-BIP68-final")                              \
    /* work proof */                                                                 \
    X(FX_BAD_WORK_PARSE, "bad-work-parse")                                           \
    X(FX_BAD_WORK_PREIMAGE, "bad-work-preimage")                                     \
    X(FX_BAD_WORK_TASK, "bad-work-task")                                             \
    X(FX_BAD_WORK_BACKING, "bad-work-backing")                                       \
    X(FX_BAD_WORK_OPEN, "bad-work-open")                                             \
    X(FX_BAD_WORK_RANGE, "bad-work-range")                                           \
    X(FX_BAD_WORK_SIG, "bad-work-sig")                                               \
    X(FX_HIGH_TICKET, "high-ticket")                                                 \
    /* task spends */                                                                \
    X(FX_BAD_TASK_WITNESS, "bad-task-witness")                                       \
    X(FX_BAD_TASK_PROGRAM, "bad-task-program")                                       \
    X(FX_BAD_TASK_RECORD, "bad-task-record")                                         \
    X(FX_BAD_TASK_SPEC, "bad-task-spec")                                             \
    X(FX_BAD_TASK_AMOUNT, "bad-task-amount")                                         \
    X(FX_BAD_TASK_SIG, "bad-task-sig")                                               \
    X(FX_BAD_TASK_BOND, "bad-task-bond")                                             \
    X(FX_BAD_TASK_EXCLUSIVE, "bad-task-exclusive")                                   \
    X(FX_BAD_TASK_PAIR, "bad-task-pair")                                             \
    X(FX_BAD_TASK_LOCKTIME, "bad-task-locktime")                                     \
    X(FX_BAD_TASK_SEQUENCE, "bad-task-sequence")                                     \
    X(FX_BAD_TASK_CERTIFICATE, "bad-task-certificate")                               \
    X(FX_BAD_TASK_SAMPLE, "bad-task-sample")                                         \
    X(FX_BAD_TASK_FRAUD, "bad-task-fraud")                                           \
    X(FX_BAD_TASK_TILE, "bad-task-tile")                                             \
    X(FX_BAD_TASK_ASKED, "bad-task-asked")                                           \
    X(FX_BAD_TASK_ANSWER, "bad-task-answer")                                         \
    X(FX_BAD_TASK_BURN_FEE, "bad-task-burn-fee")

/* What the reject string of a script that fails begins with; the error's text follows in brackets.
 */
#define FX_SCRIPT_VERIFY_TEXT "mandatory-script-verify-flag-failed"

#define FX_VERDICT_ENUM(name, text) name,
#define FX_VERDICT_SCRIPT_ENUM(name, text) FX_SCRIPT_VERIFY_##name,
enum fx_verdict {
    FX_VERDICTS(FX_VERDICT_ENUM)
    /* scripts: one an error, in their order */
    FX_SCRIPT_ERRORS(FX_VERDICT_SCRIPT_ENUM)
};
#undef FX_VERDICT_ENUM
#undef FX_VERDICT_SCRIPT_ENUM

/* The reject string; "" for FX_OK. Never NULL. */
const char *fx_verdict_string(enum fx_verdict verdict);
/* FX_OK, or FX_SCRIPT_VERIFY_*. */
enum fx_verdict fx_verdict_of_script(enum fx_script_error error);
/* One of FX_SCRIPT_VERIFY_*. */
bool fx_verdict_is_script(enum fx_verdict verdict);

enum fx_result {
    FX_VALID = 0,
    FX_INVALID,      /* the object breaks a rule, whatever bytes came with it: condemn its id */
    FX_INVALID_COPY, /* these bytes are not a valid copy; another copy with the same id may be
                        (protocol section 6) */
    FX_FAILED        /* I/O or resources: nothing is known of the object */
};

/* What a look-up through consensus/view.h can answer. */
enum fx_lookup { FX_FOUND = 0, FX_MISSING, FX_LOOKUP_FAILED };

#endif
