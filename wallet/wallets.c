/* The wallets of a node: made, loaded and unloaded by name, and told of events. */
#include "wallet/wallet_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/zero.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define CACHE_BYTES ((size_t)4 << 20)
#define SEED_ENTROPY 16 /* bytes: 12 words */

bool fx_wallet_fail(struct fx_wallet_error *error, int code, const char *format, ...)
{
    va_list args;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

/* ---- events -----------------------------------------------------------------------------------*/

static void block_connected(void *ctx, const struct fx_index *index, const struct fx_block *block,
                            const struct fx_undo *undo)
{
    struct fx_wallets *set = ctx;
    (void)undo;
    for (size_t i = 0; i < set->n; i++) {
        fx_scan_block(set->loaded[i], index, block);
    }
}

static void block_disconnected(void *ctx, const struct fx_index *index,
                               const struct fx_block *block, const struct fx_undo *undo)
{
    struct fx_wallets *set = ctx;
    (void)block;
    (void)undo;
    for (size_t i = 0; i < set->n; i++) {
        fx_scan_disconnect(set->loaded[i], &index->id);
    }
}

static void tip_changed(void *ctx, const struct fx_index *tip)
{
    struct fx_wallets *set = ctx;
    for (size_t i = 0; i < set->n; i++) {
        fx_store_put_best(set->loaded[i], tip);
    }
    set->tip_moved = true;
}

static void tx_added(void *ctx, const struct fx_tx *tx)
{
    struct fx_wallets *set = ctx;
    for (size_t i = 0; i < set->n; i++) {
        fx_scan_tx(set->loaded[i], tx, NULL);
    }
}

static void tx_removed(void *ctx, const struct fx_tx *tx, enum fx_tx_removal reason)
{
    struct fx_wallets *set = ctx;
    (void)reason;
    for (size_t i = 0; i < set->n; i++) {
        struct fx_wallet_tx *wtx = fx_ledger_find(set->loaded[i], &tx->txid);
        if (wtx) {
            wtx->in_mempool = false;
        }
    }
}

struct fx_wallets *fx_wallets_create(const struct fx_wallets_config *config, char **error)
{
    uint8_t seed[32];
    char *dir = fx_path_join(config->dir, "wallets");
    if (!fx_dir_make(dir)) {
        struct fx_buf text = FX_BUF_INIT;
        fx_buf_printf(&text, "cannot make the folder %s: %s", dir, strerror(errno));
        fx_buf_u8(&text, 0);
        *error = (char *)fx_buf_steal(&text, NULL);
        free(dir);
        return NULL;
    }
    struct fx_wallets *set = fx_xcalloc(1, sizeof(*set));
    set->params = config->params;
    set->chain = config->chain;
    set->mempool = config->mempool;
    set->dir = dir;
    set->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    fx_random_bytes(seed, sizeof(seed));
    if (!secp256k1_context_randomize(set->secp, seed)) {
        fx_log_info("wallet: blinding is not available"); /* signatures are right without it */
    }
    fx_secure_zero(seed, sizeof(seed));
    struct fx_chain_events chain_events = {.ctx = set,
                                           .block_connected = block_connected,
                                           .block_disconnected = block_disconnected,
                                           .tip_changed = tip_changed};
    struct fx_mempool_events pool_events = {
        .ctx = set, .tx_added = tx_added, .tx_removed = tx_removed};
    fx_chain_subscribe(set->chain, &chain_events);
    fx_mempool_subscribe(set->mempool, &pool_events);
    return set;
}

void fx_wallets_set_net(struct fx_wallets *wallets, struct fx_net *net)
{
    wallets->net = net;
}

void fx_wallets_tick(struct fx_wallets *wallets)
{
    if (!wallets->tip_moved) {
        return;
    }
    wallets->tip_moved = false;
    for (size_t i = 0; i < wallets->n; i++) {
        fx_wallet_resubmit(wallets->loaded[i]);
    }
}

/* ---- one wallet -------------------------------------------------------------------------------*/

static void destroy_wallet(struct fx_wallet *wallet)
{
    fx_ledger_close(wallet);
    if (wallet->keys) {
        fx_keys_close(wallet);
    }
    if (wallet->db) {
        fx_db_close(wallet->db);
    }
    fx_secure_zero(wallet->mnemonic, sizeof(wallet->mnemonic));
    free(wallet->name);
    free(wallet);
}

void fx_wallets_destroy(struct fx_wallets *wallets)
{
    if (!wallets) {
        return;
    }
    for (size_t i = 0; i < wallets->n; i++) {
        destroy_wallet(wallets->loaded[i]);
    }
    free(wallets->loaded);
    free(wallets->dir);
    secp256k1_context_destroy(wallets->secp);
    free(wallets);
}

static struct fx_wallet *find_loaded(const struct fx_wallets *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->loaded[i]->name, name) == 0) {
            return set->loaded[i];
        }
    }
    return NULL;
}

static struct fx_wallet *open_wallet(struct fx_wallets *set, const char *name, const char *path,
                                     struct fx_wallet_error *error)
{
    char *why = NULL;
    struct fx_db *db = fx_db_open(path, CACHE_BYTES, &why);
    if (!db) {
        fx_wallet_fail(error, FX_ERR_WALLET, "Cannot open the wallet: %s", why ? why : "unknown");
        free(why);
        return NULL;
    }
    struct fx_wallet *wallet = fx_xcalloc(1, sizeof(*wallet));
    wallet->set = set;
    wallet->name = fx_xstrdup(name);
    wallet->db = db;
    fx_ledger_open(wallet);
    return wallet;
}

static void enter(struct fx_wallets *set, struct fx_wallet *wallet)
{
    set->loaded = fx_xreallocarray(set->loaded, set->n + 1, sizeof(struct fx_wallet *));
    set->loaded[set->n++] = wallet;
}

static bool make_seed(struct fx_wallet *wallet, const char *mnemonic, struct fx_wallet_error *error)
{
    if (mnemonic) {
        size_t n;
        wallet->birthday = 0; /* anything may have been paid to it already */
        if (!fx_bip39_normalise(mnemonic, wallet->mnemonic) ||
            !fx_bip39_decode(wallet->mnemonic, NULL, &n)) {
            return fx_wallet_fail(error, FX_ERR_PARAMETER,
                                  "The words are not a BIP39 seed in English: one of them is "
                                  "wrong, or the checksum is");
        }
        return true;
    }
    uint8_t entropy[SEED_ENTROPY];
    fx_random_bytes(entropy, sizeof(entropy));
    bool ok = fx_bip39_encode(entropy, sizeof(entropy), wallet->mnemonic);
    fx_secure_zero(entropy, sizeof(entropy));
    wallet->birthday = fx_clock_now();
    return ok || fx_wallet_fail(error, FX_ERR_WALLET, "No seed could be made");
}

/* The path of a wallet, where the name is one. */
static char *path_of(const struct fx_wallets *set, const char *name, struct fx_wallet_error *error)
{
    char *path = fx_wallet_path(set, name);
    if (!path) {
        fx_wallet_fail(error, FX_ERR_WALLET,
                       "Wallet names are of letters, digits, spaces and _ - . (at most 64, the "
                       "first not a dot)");
    }
    return path;
}

struct fx_wallet *fx_wallet_create(struct fx_wallets *wallets, const char *name,
                                   const char *mnemonic, struct fx_wallet_error *error)
{
    char *path = path_of(wallets, name, error);
    if (!path) {
        return NULL;
    }
    struct fx_wallet *wallet = NULL;
    struct fx_wallet checked = {.set = wallets}; /* the words, before anything is on disk */
    if (find_loaded(wallets, name) || fx_path_exists(path)) {
        fx_wallet_fail(error, FX_ERR_WALLET,
                       "Failed to create database path '%s'. Database already exists.", path);
    } else if (make_seed(&checked, mnemonic, error)) {
        wallet = open_wallet(wallets, name, path, error);
    }
    if (wallet) {
        memcpy(wallet->mnemonic, checked.mnemonic, sizeof(wallet->mnemonic));
        wallet->birthday = checked.birthday;
        bool ok = fx_keys_open(wallet, error) && fx_store_init(wallet, error);
        if (ok && !mnemonic) {
            ok = fx_store_put_best(wallet, fx_chain_tip(wallets->chain));
        } else if (ok) {
            ok = fx_scan_catch_up(wallet, error);
        }
        if (!ok) {
            destroy_wallet(wallet);
            wallet = NULL;
        }
    }
    fx_secure_zero(checked.mnemonic, sizeof(checked.mnemonic));
    if (wallet) {
        enter(wallets, wallet);
        fx_log_info("wallet \"%s\": made in %s", name, path);
    }
    free(path);
    return wallet;
}

struct fx_wallet *fx_wallet_load(struct fx_wallets *wallets, const char *name,
                                 struct fx_wallet_error *error)
{
    char *path = path_of(wallets, name, error);
    if (!path) {
        return NULL;
    }
    struct fx_wallet *wallet = NULL;
    if (find_loaded(wallets, name)) {
        fx_wallet_fail(error, FX_ERR_LOADED, "Wallet \"%s\" is already loaded.", name);
    } else if (!fx_path_exists(path)) {
        fx_wallet_fail(error, FX_ERR_NOT_FOUND,
                       "Wallet file verification failed. Failed to load database path '%s'. Path "
                       "does not exist.",
                       path);
    } else {
        wallet = open_wallet(wallets, name, path, error);
    }
    if (wallet && (!fx_store_load(wallet, error) || !fx_scan_catch_up(wallet, error))) {
        destroy_wallet(wallet);
        wallet = NULL;
    }
    free(path);
    if (wallet) {
        enter(wallets, wallet);
        fx_wallet_resubmit(wallet);
        fx_log_info("wallet \"%s\": loaded, %zu transactions", name, wallet->n_txs);
    }
    return wallet;
}

bool fx_wallet_unload(struct fx_wallets *wallets, const char *name, struct fx_wallet_error *error)
{
    for (size_t i = 0; i < wallets->n; i++) {
        if (strcmp(wallets->loaded[i]->name, name) == 0) {
            destroy_wallet(wallets->loaded[i]);
            memmove(&wallets->loaded[i], &wallets->loaded[i + 1],
                    (wallets->n - i - 1) * sizeof(struct fx_wallet *));
            wallets->n--;
            return true;
        }
    }
    return fx_wallet_fail(error, FX_ERR_NOT_FOUND,
                          "Requested wallet does not exist or is not loaded");
}

struct fx_wallet *fx_wallet_get(struct fx_wallets *wallets, const char *name,
                                struct fx_wallet_error *error)
{
    struct fx_wallet *wallet = NULL;
    if (name) {
        wallet = find_loaded(wallets, name);
        if (!wallet) {
            fx_wallet_fail(error, FX_ERR_NOT_FOUND,
                           "Requested wallet does not exist or is not loaded");
        }
        return wallet;
    }
    if (wallets->n == 1) {
        return wallets->loaded[0];
    }
    if (wallets->n == 0) {
        fx_wallet_fail(error, FX_ERR_NOT_FOUND,
                       "No wallet is loaded. Load a wallet using loadwallet or create a new one "
                       "with createwallet. (Note: A default wallet is no longer automatically "
                       "created)");
    } else {
        fx_wallet_fail(error, FX_ERR_NOT_SPECIFIED,
                       "Multiple wallets are loaded. Please select which wallet to use by "
                       "requesting the RPC through the /wallet/<walletname> URI path.");
    }
    return NULL;
}

size_t fx_wallet_list(const struct fx_wallets *wallets, const char ***names)
{
    *names = fx_xcalloc(wallets->n + 1, sizeof(**names));
    for (size_t i = 0; i < wallets->n; i++) {
        (*names)[i] = wallets->loaded[i]->name;
    }
    return wallets->n;
}

size_t fx_wallet_list_dir(const struct fx_wallets *wallets, char ***names)
{
    size_t n = 0;
    *names = NULL;
    DIR *dir = opendir(wallets->dir);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        const char *name = strcmp(e->d_name, FX_WALLET_DEFAULT_FOLDER) == 0 ? "" : e->d_name;
        char *path = fx_wallet_path(wallets, name);
        char *current = path ? fx_path_join(path, "CURRENT") : NULL; /* a LevelDB folder has it */
        if (current && fx_path_exists(current)) {
            *names = fx_xreallocarray(*names, n + 1, sizeof(**names));
            (*names)[n++] = fx_xstrdup(name);
        }
        free(current);
        free(path);
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

const char *fx_wallet_name(const struct fx_wallet *wallet)
{
    return wallet->name;
}

const char *fx_wallet_mnemonic(const struct fx_wallet *wallet)
{
    return wallet->mnemonic;
}
