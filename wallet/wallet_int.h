/* The state of a wallet and the calls between the files of this folder. */
#ifndef FX_WALLET_WALLET_INT_H
#define FX_WALLET_WALLET_INT_H

#include "src/keys/bip32.h"
#include "src/sys/db.h"
#include "src/util/map.h"
#include "src/util/u256.h"
#include "wallet/bip39.h"
#include "wallet/wallets.h"

#define FX_WALLET_GAP FX_WALLET_KEYS_AHEAD
#define FX_WALLET_USES 4 /* enum fx_key_use */
#define FX_WALLET_LOCATOR 32
#define FX_WALLET_DEFAULT_FOLDER ".default" /* of the wallet named "" */

/* Codes of struct fx_wallet_error, as Bitcoin Core's RPC has them. */
#define FX_ERR_WALLET (-4)
#define FX_ERR_ADDRESS (-5)
#define FX_ERR_FUNDS (-6)
#define FX_ERR_PARAMETER (-8)
#define FX_ERR_NOT_FOUND (-18)
#define FX_ERR_NOT_SPECIFIED (-19)
#define FX_ERR_LOADED (-35)
#define FX_ERR_EXISTS (-36)

struct fx_wallet_key {
    enum fx_key_use use;
    uint32_t index;
    struct fx_hash output; /* x-only output key */
    bool issued;           /* handed out, or seen in use; else only watched */
    int64_t created;
    char *label; /* owned; NULL: none */
};

/* The keys of one use, m/86'/coin'/0'/use, by index. */
struct fx_key_chain {
    struct fx_bip32 node; /* secret */
    struct fx_wallet_key **keys;
    uint32_t n, issued;
};

struct fx_wallet_tx {
    struct fx_tx *tx; /* one reference */
    uint64_t order;   /* of arrival */
    int64_t time;
    uint32_t height; /* 0: unconfirmed */
    struct fx_hash block;
    uint32_t conflict_height; /* of the block that spent its inputs otherwise; 0: none */
    struct fx_hash conflict_block;
    bool own;       /* made by this wallet: submitted again until it confirms */
    bool abandoned; /* it cannot confirm: its inputs are free again */
    int64_t fee;    /* embers; -1: unknown */
    char *comment;  /* owned; NULL: none */
    /* not stored */
    bool in_mempool;
    unsigned refusals; /* tips in a row at which the rules refused it */
};

/* The wallet's transactions that spend one outpoint. */
struct fx_spenders {
    struct fx_wallet_tx **at;
    size_t n;
};

/* An output that pays to an own key. */
struct fx_own_output {
    struct fx_wallet_tx *wtx;
    uint32_t vout;
};

struct fx_locator_entry {
    uint32_t height;
    struct fx_hash id;
};

struct fx_wallet {
    struct fx_wallets *set;
    char *name;
    struct fx_db *db;
    int64_t birthday;
    char mnemonic[FX_BIP39_TEXT_MAX]; /* secret */
    struct fx_key_chain chains[FX_WALLET_USES];
    struct fx_map *keys;     /* output key -> fx_wallet_key, owned by its chain */
    struct fx_map *txs;      /* txid -> fx_wallet_tx */
    struct fx_map *spenders; /* outpoint -> fx_spenders, owned: of all inputs of txs */
    struct fx_map *reserved; /* outpoint -> the wallet: coins promised to a transaction */
    struct fx_wallet_tx **in_order;
    size_t n_txs, cap_txs;
    struct fx_own_output *outputs;
    size_t n_outputs, cap_outputs;
    uint64_t last_order;
    uint32_t height; /* of the tip that it has seen */
    struct fx_hash best;
    bool failed; /* a write failed: it takes no more changes */
};

struct fx_wallets {
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_net *net;
    char *dir;
    secp256k1_context *secp;
    struct fx_wallet **loaded;
    size_t n;
    bool tip_moved; /* since the last tick */
    /* the most work that any of the last blocks added, for this tip (protocol section 3, Depth) */
    const struct fx_index *work_tip;
    struct fx_u256 work_most;
};

/* Sets the error; returns false. */
bool fx_wallet_fail(struct fx_wallet_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- store.c: the database of a wallet ------------------------------------------------------- */

/* The folder of a wallet name; the caller frees. NULL: not a name. */
char *fx_wallet_path(const struct fx_wallets *set, const char *name);
/* A new database with its seed, on disk when this returns. */
bool fx_store_init(struct fx_wallet *wallet, struct fx_wallet_error *error);
/* Seed, keys, transactions and locator into an empty wallet. */
bool fx_store_load(struct fx_wallet *wallet, struct fx_wallet_error *error);
bool fx_store_put_key(struct fx_wallet *wallet, const struct fx_wallet_key *key, bool sync);
bool fx_store_put_tx(struct fx_wallet *wallet, const struct fx_wallet_tx *wtx, bool sync);
bool fx_store_delete_tx(struct fx_wallet *wallet, const struct fx_hash *txid);
/* The tip that the wallet has seen, with older blocks of its chain. */
bool fx_store_put_best(struct fx_wallet *wallet, const struct fx_index *tip);
/* The newest block of the best chain that the wallet has seen. */
const struct fx_index *fx_store_fork(struct fx_wallet *wallet);

/* ---- keys.c ---------------------------------------------------------------------------------- */

/* Derives the chains from wallet->mnemonic and fills the gap of each. */
bool fx_keys_open(struct fx_wallet *wallet, struct fx_wallet_error *error);
void fx_keys_close(struct fx_wallet *wallet);
/* Output key of a secret with no script path (BIP86); secret may be NULL, else its tweaked one. */
bool fx_keys_taproot(const secp256k1_context *secp, const uint8_t internal[32], uint8_t secret[32],
                     struct fx_hash *output);
/* Marks keys up to this index as issued, as the store has them. */
struct fx_wallet_key *fx_keys_restore(struct fx_wallet *wallet, enum fx_key_use use,
                                      uint32_t index);
struct fx_wallet_key *fx_keys_find(const struct fx_wallet *wallet, const struct fx_hash *output);
struct fx_wallet_key *fx_keys_of_script(const struct fx_wallet *wallet, struct fx_span script);
/* A watched key was seen on the chain: it and those before it count as issued. */
void fx_keys_touch(struct fx_wallet *wallet, struct fx_wallet_key *key);
/* The tweaked secret of a key; the caller zeroes it. The one way to a secret, so that a locked
 * wallet has one place to refuse. */
bool fx_keys_secret(struct fx_wallet *wallet, const struct fx_wallet_key *key, uint8_t secret[32],
                    struct fx_wallet_error *error);

/* ---- ledger.c: transactions of the wallet ---------------------------------------------------- */

void fx_ledger_open(struct fx_wallet *wallet);
void fx_ledger_close(struct fx_wallet *wallet);
struct fx_wallet_tx *fx_ledger_find(const struct fx_wallet *wallet, const struct fx_hash *txid);
/* Adds it without writing; wtx is the ledger's from now on. */
void fx_ledger_add(struct fx_wallet *wallet, struct fx_wallet_tx *wtx);
/* Takes out and frees one that was never confirmed. */
void fx_ledger_remove(struct fx_wallet *wallet, struct fx_wallet_tx *wtx);
/* Does the output pay to an own key, and the wallet know it? value may be NULL. */
bool fx_ledger_own_output(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint,
                          int64_t *value);
bool fx_ledger_is_spent(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint);
/* Unconfirmed, and neither conflicted nor abandoned. */
bool fx_ledger_is_pending(const struct fx_wallet_tx *wtx);
/* Sums of own inputs; true in *all where every input is own. */
int64_t fx_ledger_debit(const struct fx_wallet *wallet, const struct fx_tx *tx, bool *all);
/* A block spends this transaction's inputs otherwise; what descends from it is conflicted too. */
void fx_ledger_mark_conflict(struct fx_wallet *wallet, struct fx_wallet_tx *wtx, uint32_t height,
                             const struct fx_hash *block);

/* It is given up, and what descends from it. */
void fx_ledger_mark_abandoned(struct fx_wallet *wallet, struct fx_wallet_tx *wtx);

/* ---- scan.c: what chain and pool show -------------------------------------------------------- */

/* index NULL: unconfirmed. */
void fx_scan_tx(struct fx_wallet *wallet, const struct fx_tx *tx, const struct fx_index *index);
void fx_scan_block(struct fx_wallet *wallet, const struct fx_index *index,
                   const struct fx_block *block);
void fx_scan_disconnect(struct fx_wallet *wallet, const struct fx_hash *block);
/* From what the wallet saw last to the tip, and the pool. */
bool fx_scan_catch_up(struct fx_wallet *wallet, struct fx_wallet_error *error);

/* ---- coins.c --------------------------------------------------------------------------------- */

/* Confirmations; 0: unconfirmed; -1: conflicted. */
int32_t fx_wallet_confirmations(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx);
/* The same as work counts it, where that is less (protocol section 3, Depth). */
int32_t fx_wallet_depth(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx);
bool fx_wallet_is_immature(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx);
/* Confirmed, or in the pool and made from trusted coins of its own alone. */
bool fx_wallet_is_trusted(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx);
bool fx_wallet_is_reserved(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint);
void fx_wallet_reserve(struct fx_wallet *wallet, const struct fx_outpoint *outpoint);

/* ---- select.c -------------------------------------------------------------------------------- */

struct fx_candidate {
    struct fx_outpoint outpoint;
    int64_t value;
    int64_t effective; /* less the fee of its input */
};

/*
 * Chooses candidates whose effective values reach target: first a set that needs no change (an
 * excess of at most no_change), else the smallest coin that does alone, else the largest first. The
 * chosen ones are moved to the front. Returns their number; 0: not enough.
 */
size_t fx_select_coins(struct fx_candidate *candidates, size_t n, int64_t target,
                       int64_t no_change);

/* ---- send.c ---------------------------------------------------------------------------------- */

/* Submits own pending transactions, oldest first. Those that are in the pool already are relayed:
 * after a restart, or a block that was taken back, the network layer does not know them as own. */
void fx_wallet_resubmit(struct fx_wallet *wallet);

#endif
