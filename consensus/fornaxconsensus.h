/*
 * libfornaxconsensus: the rules of Fornax for other programs.
 *
 * Every function is pure: it keeps no state, may be called from any thread, and does not keep the
 * pointers that it is given. Unless said otherwise, pointers must not be NULL and must not overlap,
 * and a function returns 1 on success and 0 on bad arguments; on 0 the outputs are untouched.
 */
#ifndef FORNAXCONSENSUS_H
#define FORNAXCONSENSUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FORNAXCONSENSUS_API_VERSION 3

/* Lanes of fornaxconsensus_required_nbits. */
#define FORNAXCONSENSUS_LANE_HASH 0
#define FORNAXCONSENSUS_LANE_JOB 1

/* Networks, for the calls whose rules differ between them. */
#define FORNAXCONSENSUS_NETWORK_MAIN 0
#define FORNAXCONSENSUS_NETWORK_TEST 1
#define FORNAXCONSENSUS_NETWORK_REGTEST 2

/* The version of this interface, FORNAXCONSENSUS_API_VERSION when the library was built. */
unsigned fornaxconsensus_version(void);

/*
 * The ticket of brick (i, j, l) under a seed (protocol section 6).
 * In:  seed      the 32 bytes of the block id, in header order
 *      a_block   panel block (i, l) of A: 128 x 256 int8, row-major, every entry in [-64, 63]
 *      b_block   panel block (j, l) of B transposed, likewise
 * Out: ticket    32 bytes, a little-endian number that is compared with the target
 * Returns 0 where a pointer is NULL or an entry is out of range.
 */
int fornaxconsensus_brick_ticket(const uint8_t seed[32], const int8_t *a_block,
                                 const int8_t *b_block, uint32_t i, uint32_t j, uint32_t l,
                                 uint8_t ticket[32]);

/*
 * The root of an operand (protocol section 7).
 * In:  panel_matrix  rows x k int8, row-major (A, or B transposed); any int8
 *      rows          a multiple of 128, at least 128, at most 2^24
 *      k             a multiple of 256, at least 256, at most 65,536
 * Out: root
 */
int fornaxconsensus_operand_root(const int8_t *panel_matrix, uint64_t rows, uint64_t k,
                                 uint8_t root[32]);

/*
 * The root of the result of one task, keyed by its solver (protocol section 7).
 * In:  result   rows x columns int32, row-major: the task's rectangle
 *      rows     a multiple of 128, at least 128, at most 2^24; columns likewise
 *      solver   the solver's x-only key
 * Out: root
 */
int fornaxconsensus_result_root(const int32_t *result, uint64_t rows, uint64_t columns,
                                const uint8_t solver[32], uint8_t root[32]);

/*
 * The nBits required of the next block of a lane, with the limits of main (protocol section 3).
 * In:  lane            FORNAXCONSENSUS_LANE_HASH or FORNAXCONSENSUS_LANE_JOB
 *      previous_nbits  of q, the lane's newest block at or below the parent; the lane's
 *                      limit where there is none, and q is genesis then
 *      base_time       the time of q's parent; of genesis itself where q is genesis
 *      parent_time     the time of the new block's parent; less than 2^46 seconds from
 *                      base_time, which is what the rule's int64 can carry
 * Out: nbits
 * Returns 0 for another lane, a previous_nbits that encodes no target or one above the lane's
 * limit, or times further apart.
 */
int fornaxconsensus_required_nbits(unsigned lane, uint32_t previous_nbits, int64_t base_time,
                                   int64_t parent_time, uint32_t *nbits);

/* ---- scripts ----------------------------------------------------------------------------- */

/*
 * Bitcoin's scripts, by calls with the arguments and values of libbitcoinconsensus: a program that
 * was written for that one changes the prefix. Task outputs are judged by other rules: to these
 * calls they are a witness program that anybody may spend.
 */

/* What was wrong with the arguments; nothing of it says whether the script is valid. */
typedef enum fornaxconsensus_error {
    fornaxconsensus_ERR_OK = 0,
    fornaxconsensus_ERR_TX_INDEX,               /* nIn is no input of txTo */
    fornaxconsensus_ERR_TX_SIZE_MISMATCH,       /* txToLen is more than the transaction */
    fornaxconsensus_ERR_TX_DESERIALIZE,         /* txTo is no transaction */
    fornaxconsensus_ERR_AMOUNT_REQUIRED,        /* the flags need a call with the amount */
    fornaxconsensus_ERR_INVALID_FLAGS,          /* a flag that is not one of those below */
    fornaxconsensus_ERR_SPENT_OUTPUTS_REQUIRED, /* the flags need the outputs that txTo spends */
    fornaxconsensus_ERR_SPENT_OUTPUTS_MISMATCH  /* there are not as many as inputs of txTo */
} fornaxconsensus_error;

/* The rules to apply. */
enum {
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_NONE = 0,
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_P2SH = 1 << 0,                 /* BIP16 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_DERSIG = 1 << 2,               /* BIP66 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_NULLDUMMY = 1 << 4,            /* BIP147 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9,  /* BIP65 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10, /* BIP112 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_WITNESS = 1 << 11,             /* BIP141 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_TAPROOT = 1 << 17,             /* BIP341, BIP342 */
    fornaxconsensus_SCRIPT_FLAGS_VERIFY_ALL =
        1 << 0 | 1 << 2 | 1 << 4 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 17
};

/* An output that a transaction spends. */
typedef struct fornaxconsensus_UTXO {
    const unsigned char *scriptPubKey; /* may be NULL where the size is 0 */
    unsigned int scriptPubKeySize;
    int64_t value; /* embers */
} fornaxconsensus_UTXO;

/*
 * Whether input nIn of a transaction may spend an output.
 * In:  scriptPubKey   of the output; may be NULL where the length is 0
 *      amount         of the output, embers; signed by witnesses of version 0
 *      txTo           the transaction, serialized (BIP144); all of its txToLen bytes
 *      spentOutputs   all outputs that it spends, in the order of its inputs; NULL where they are
 *                     not known, which flags with TAPROOT do not allow
 *      nIn            counted from 0
 *      flags          fornaxconsensus_SCRIPT_FLAGS_VERIFY_*; WITNESS only with P2SH, TAPROOT only
 *                     with WITNESS
 * Out: err            may be NULL
 * Returns 1 where the script is valid. 0 with ERR_OK: it is not; 0 with another error: the
 * arguments are bad.
 */
int fornaxconsensus_verify_script_with_spent_outputs(
    const unsigned char *scriptPubKey, unsigned int scriptPubKeyLen, int64_t amount,
    const unsigned char *txTo, unsigned int txToLen, const fornaxconsensus_UTXO *spentOutputs,
    unsigned int spentOutputsLen, unsigned int nIn, unsigned int flags, fornaxconsensus_error *err);

/* The same without spent outputs: for flags without TAPROOT. */
int fornaxconsensus_verify_script_with_amount(const unsigned char *scriptPubKey,
                                              unsigned int scriptPubKeyLen, int64_t amount,
                                              const unsigned char *txTo, unsigned int txToLen,
                                              unsigned int nIn, unsigned int flags,
                                              fornaxconsensus_error *err);

/* The same without the amount: for flags without WITNESS and TAPROOT. */
int fornaxconsensus_verify_script(const unsigned char *scriptPubKey, unsigned int scriptPubKeyLen,
                                  const unsigned char *txTo, unsigned int txToLen, unsigned int nIn,
                                  unsigned int flags, fornaxconsensus_error *err);

/* ---- work proofs and task spends --------------------------------------------------------- */

/*
 * Everything of a job-lane block's work proof that needs no look-up (protocol section 6): that its
 * coinbase is under the header's merkle root and commits to preimage and backing list, that the
 * brick lies in the task and opens to the roots of its operands, that its entries are in range, its
 * ticket at or below the target of the header's nBits, and its signature the solver's.
 * Not judged: whether these nBits are the required ones, whether the task and the backing origins
 * are what the chain says, and the rules of the block's transactions.
 * In:  network    FORNAXCONSENSUS_NETWORK_*
 *      block      the whole block, serialized with its work proof, as getblock with verbosity 0
 *                 gives it
 *      block_len  its bytes, nothing after
 * Out: ticket     32 bytes, a little-endian number; written on 1 alone
 *      reject     may be NULL; else set by each call. On 1: "". On 0: the reject string (protocol
 *                 section 10), or NULL for bad arguments: another network, a NULL pointer, or a
 *                 block of the hash lane, which has no proof. The string is the library's: it lives
 *                 for ever and is not freed.
 */
int fornaxconsensus_check_work(unsigned network, const uint8_t *block, size_t block_len,
                               uint8_t ticket[32], const char **reject);

/* An output's name. */
typedef struct fornaxconsensus_outpoint {
    uint8_t txid[32]; /* in wire order: the reverse of how RPC writes it */
    uint32_t index;
} fornaxconsensus_outpoint;

/* An output that a transaction spends, with the height of its block. */
typedef struct fornaxconsensus_coin {
    const unsigned char *scriptPubKey; /* may be NULL where the size is 0 */
    size_t scriptPubKeySize;
    int64_t value; /* embers, in [0, MAX_MONEY] */
    uint32_t height;
} fornaxconsensus_coin;

/* What the chain keeps of a task that was claimed (protocol section 5). */
typedef struct fornaxconsensus_record {
    fornaxconsensus_outpoint origin;   /* the task's first output */
    fornaxconsensus_outpoint outpoint; /* where live: the task's output now */
    uint8_t live;                      /* not 0: there is such an output */
    uint8_t state;                     /* where live: 0 funded, 1 claimed, 2 challenged */
    uint8_t backed;                    /* not 0: a job-lane block has used it */
    uint8_t asked;                     /* challenges of the claim so far */
    uint32_t h0;                       /* height of the origin */
    uint32_t settled;                  /* height, 0: not settled */
    uint8_t client[32], solver[32];    /* x-only keys */
    uint64_t bricks;                   /* of the task */
    uint64_t burn;                     /* embers */
} fornaxconsensus_record;

/* A spend of a task output with all that its rules look up; everything is the caller's. */
typedef struct fornaxconsensus_spend {
    unsigned network;                     /* FORNAXCONSENSUS_NETWORK_* */
    uint32_t height;                      /* of the block that the transaction is in */
    const uint8_t *tx;                    /* the transaction, serialized with witnesses */
    size_t tx_len;                        /* its bytes, nothing after */
    const fornaxconsensus_coin *spent;    /* all outputs that it spends, in order of its inputs */
    size_t n_spent;                       /* as many as inputs */
    size_t in;                            /* the input to judge, counted from 0 */
    const fornaxconsensus_record *record; /* of the task's origin after the block before; NULL: none
                                           */
    const uint8_t *beacon; /* 32 bytes, NULL where there is none yet: the id, in header order, of
                              the first hash-lane block above the height of the origin (claim) or of
                              the spent output (take, expire), and below `height`; the other actions
                              do not look at it */
    uint32_t beacon_height;
    const uint8_t *solvers; /* 32 bytes each, in order of height: the solvers of the job-lane blocks
                               at heights in (h0 - 2016, h0]; looked at by a claim while its task is
                               exclusive. May be NULL where there are 0. */
    size_t n_solvers;
} fornaxconsensus_spend;

/* What a valid spend does. */
typedef struct fornaxconsensus_spent {
    unsigned action; /* 0 refund, 1 claim, 2 accept, 3 take, 4 fraud, 5 challenge, 6 answer,
                        7 expire, 8 reject */
    fornaxconsensus_outpoint origin;
    uint64_t burned;               /* embers that the spend burns: they are not part of the fee */
    int has_record;                /* 1: record is the task's record after the spend */
    fornaxconsensus_record record; /* not live and not settled: it is forgotten with the block */
} fornaxconsensus_spent;

/*
 * Whether a transaction may spend a task output (protocol section 5), and what becomes of the
 * task's record. Where several inputs of a block touch one task, the caller hands the record of
 * each call to the next.
 * Not judged: the relative and absolute locks that hold for all transactions (BIP68, BIP113), the
 * fee, and the scripts of the other inputs.
 * In:  spend
 * Out: spent   may be NULL; written on 1 alone
 *      reject  may be NULL; else set by each call, as fornaxconsensus_check_work sets it. NULL
 *              where the arguments are bad: another network, bytes that are no transaction, another
 *              number of outputs than inputs, an `in` beyond them, an amount out of range, a state
 *              above 2 in a live record, a beacon that is not above the height that it must be
 *              above or not below `height`, more than 2016 solvers or than there are heights.
 */
int fornaxconsensus_connect_spend(const fornaxconsensus_spend *spend, fornaxconsensus_spent *spent,
                                  const char **reject);

#ifdef __cplusplus
}
#endif

#endif
