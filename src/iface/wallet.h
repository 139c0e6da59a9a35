/* The wallets of a node. Implemented by wallet/. Main thread only. */
#ifndef FX_IFACE_WALLET_H
#define FX_IFACE_WALLET_H

#include "consensus/connect.h"

struct fx_wallets; /* all of a node's; opaque */
struct fx_wallet;  /* one; opaque */

#define FX_WALLET_ERROR 256
#define FX_WALLET_KEYS_AHEAD 20 /* watched beyond the last one in use (BIP44), of each use */

/* Codes are those of Bitcoin Core's RPC: the caller passes them on. 0: no error. */
struct fx_wallet_error {
    int code; /* -4 wallet, -5 address, -6 insufficient funds, -8 parameter, -13 locked, -18 not
                 found, -35 loaded, -36 exists */
    char text[FX_WALLET_ERROR];
};

enum fx_key_use { FX_KEY_RECEIVE = 0, FX_KEY_CHANGE = 1, FX_KEY_CLIENT = 2, FX_KEY_SOLVER = 3 };

/* Wallets by name; "" is the default one. mnemonic NULL: a new 12-word seed. */
struct fx_wallet *fx_wallet_create(struct fx_wallets *wallets, const char *name,
                                   const char *mnemonic, struct fx_wallet_error *error);
struct fx_wallet *fx_wallet_load(struct fx_wallets *wallets, const char *name,
                                 struct fx_wallet_error *error);
bool fx_wallet_unload(struct fx_wallets *wallets, const char *name, struct fx_wallet_error *error);
/* name NULL: the only one loaded; error -18 or -19 where there is none, or more than one. */
struct fx_wallet *fx_wallet_get(struct fx_wallets *wallets, const char *name,
                                struct fx_wallet_error *error);
/* Loaded wallets' names; *names is the caller's to free, the strings are not. */
size_t fx_wallet_list(const struct fx_wallets *wallets, const char ***names);
/* Names of all wallets on disk; the caller frees each and the array. */
size_t fx_wallet_list_dir(const struct fx_wallets *wallets, char ***names);
/* Copies its database into a new folder, which may come to stand beside the wallets' as one. */
bool fx_wallet_backup(struct fx_wallet *wallet, const char *path, struct fx_wallet_error *error);
/* Whether a wallet on disk is loaded at the start, where the node is not told which: at first it
 * is. False: no such wallet, or the disk. */
bool fx_wallet_set_startup(struct fx_wallets *wallets, const char *name, bool load);
bool fx_wallet_has_startup(const struct fx_wallets *wallets, const char *name);
const char *fx_wallet_name(const struct fx_wallet *wallet);
/* The seed's words, for backup; view. */
const char *fx_wallet_mnemonic(const struct fx_wallet *wallet);

/* A new key: x-only output key of a P2TR address (BIP86). label may be NULL. */
bool fx_wallet_new_key(struct fx_wallet *wallet, enum fx_key_use use, const char *label,
                       struct fx_hash *output_key, struct fx_wallet_error *error);
/* The wallet's one solver key: miners claim under it so that credit gathers at one place. Made on
 * first use. */
bool fx_wallet_solver_key(struct fx_wallet *wallet, struct fx_hash *output_key,
                          struct fx_wallet_error *error);
bool fx_wallet_owns_key(const struct fx_wallet *wallet, const struct fx_hash *output_key);
bool fx_wallet_owns_script(const struct fx_wallet *wallet, struct fx_span script);
const char *fx_wallet_label(const struct fx_wallet *wallet,
                            struct fx_span script); /* "" where none */
/* BIP340 signature of a hash by the secret of an own output key. */
bool fx_wallet_sign_hash(struct fx_wallet *wallet, const struct fx_hash *output_key,
                         const struct fx_hash *hash, uint8_t signature[64],
                         struct fx_wallet_error *error);

struct fx_wallet_balance {
    int64_t trusted;  /* confirmed, and own unconfirmed change */
    int64_t pending;  /* untrusted, unconfirmed */
    int64_t immature; /* coinbase below maturity */
};
void fx_wallet_balance(const struct fx_wallet *wallet, struct fx_wallet_balance *balance);

struct fx_wallet_coin {
    struct fx_outpoint outpoint;
    int64_t value;
    struct fx_span script; /* view */
    uint32_t height;       /* 0: unconfirmed */
    int32_t confirmations;
    bool coinbase, spendable, safe;
};
/* *coins is the caller's to free. */
size_t fx_wallet_coins(const struct fx_wallet *wallet, struct fx_wallet_coin **coins);

/* An input that the wallet does not own but that the transaction spends (a task output). */
struct fx_fund_input {
    size_t in;             /* its index in the transaction */
    int64_t value;         /* embers */
    size_t witness_weight; /* weight that its witness will have */
};
/*
 * Adds own inputs after those present, and change as the last output where it is worth one, so that
 * the fee is at least fee_rate (embers per 1,000 vbytes; 0: estimated) times the vsize plus
 * `burned`. fee_max: the embers that the fee may come to beside `burned`; 0: a tenth of a coin.
 * min_conf: of the coins used. The coins used are reserved until committed or released.
 */
bool fx_wallet_fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
                    size_t n_others, int64_t fee_rate, int64_t burned, int64_t fee_max,
                    unsigned min_conf, int64_t *fee, struct fx_wallet_error *error);
/*
 * Signs every input that pays to an own key. spent: the coins of all inputs, in order. Inputs of
 * others are left as they are.
 */
bool fx_wallet_sign(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_coin *spent,
                    struct fx_wallet_error *error);
/* The coins of all inputs, from own coins, the mempool and the chain: n_in of them; the caller
 * clears each and frees. */
bool fx_wallet_spent_coins(struct fx_wallet *wallet, const struct fx_txb *tx,
                           struct fx_coin **spent, struct fx_wallet_error *error);
/* Records the transaction durably, submits it to the mempool, and relays it. False: it is not
 * recorded, reservations end. */
bool fx_wallet_commit(struct fx_wallet *wallet, const struct fx_tx *tx, const char *comment,
                      struct fx_wallet_error *error);
/* Gives up a transaction, and those of the wallet that spend it, that is neither in a block nor in
 * the mempool: their inputs are free again. Where it comes up nevertheless, it counts. */
bool fx_wallet_abandon(struct fx_wallet *wallet, const struct fx_hash *txid,
                       struct fx_wallet_error *error);
/* The same for one that may not be known at all, or that a block excludes: should that block be
 * taken back, it is not sent again. */
bool fx_wallet_give_up(struct fx_wallet *wallet, const struct fx_hash *txid,
                       struct fx_wallet_error *error);
void fx_wallet_release(struct fx_wallet *wallet,
                       const struct fx_txb *tx); /* gives back the reserved coins */
/* Pays amount to script. *txid is set. subtract_fee: from the amount. */
bool fx_wallet_send(struct fx_wallet *wallet, struct fx_span script, int64_t amount,
                    int64_t fee_rate, bool subtract_fee, const char *comment, struct fx_hash *txid,
                    struct fx_wallet_error *error);

/* Where one confirmed coin alone can pay this amount and a fee, cuts it into several that each can,
 * and that can be spent at once. Where there are more, or it is too small: nothing. */
bool fx_wallet_split(struct fx_wallet *wallet, int64_t amount, struct fx_wallet_error *error);

/* One line of listtransactions. */
struct fx_wallet_entry {
    struct fx_hash txid;
    const char *category;  /* "send", "receive", "generate", "immature", "orphan", "task" */
    int64_t amount;        /* embers; negative for sends */
    int64_t fee;           /* negative, for sends; else 0 */
    struct fx_span script; /* view */
    uint32_t vout;
    int32_t confirmations; /* -1: conflicted */
    struct fx_hash block;  /* zero where unconfirmed */
    uint32_t height;
    int64_t time;
    const char *comment;
    bool abandoned;
    bool trusted; /* where unconfirmed: its change counts */
    const struct fx_tx *tx;
};
/* Oldest first; *entries is the caller's to free; views until the next change. */
size_t fx_wallet_history(const struct fx_wallet *wallet, struct fx_wallet_entry **entries);

/* The wallet's transactions that spend an input of this one, too; *ids is the caller's to free. */
size_t fx_wallet_conflicts(const struct fx_wallet *wallet, const struct fx_tx *tx,
                           struct fx_hash **ids);

/* Rescans from start to stop (inclusive; UINT32_MAX: the tip). */
bool fx_wallet_rescan(struct fx_wallet *wallet, uint32_t start, uint32_t stop,
                      struct fx_wallet_error *error);
/* The tip that the wallet has seen. */
uint32_t fx_wallet_height(const struct fx_wallet *wallet);
int64_t fx_wallet_birthday(const struct fx_wallet *wallet);
size_t fx_wallet_tx_count(const struct fx_wallet *wallet);

#endif
