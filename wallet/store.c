/*
 * The database of a wallet: one LevelDB folder, keys by a prefix byte.
 *
 *   'v'                       format version u32, network name
 *   's'                       form u8 (0: plain; others are for encrypted ones), birthday i64,
 * words 'k' use u8, index u32 be  created i64, output key 32, label 't' txid 32               form
 * u8, order, time, place, conflict, flags, fee, comment, transaction 'b' locator: count, then
 * height u32 and id of each, newest first
 */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/zero.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define FORMAT_VERSION 1
#define CACHE_BYTES ((size_t)4 << 20)
#define NAME_MAX_LETTERS 64
#define TEXT_MAX 4096 /* of a label or comment */

enum { SEED_PLAIN = 0 };
enum { TX_FORM = 0 };
enum { TX_OWN = 1, TX_ABANDONED = 2 };

char *fx_wallet_path(const struct fx_wallets *set, const char *name)
{
    size_t n = strlen(name);
    if (n == 0) {
        return fx_path_join(set->dir, FX_WALLET_DEFAULT_FOLDER);
    }
    if (n > NAME_MAX_LETTERS || name[0] == '.') {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.' || c == ' ';
        if (!fine) {
            return NULL;
        }
    }
    return fx_path_join(set->dir, name);
}

/* A wallet that could not be written must not go on as if it had been. */
static bool wrote(struct fx_wallet *wallet, bool ok)
{
    if (!ok && !wallet->failed) {
        wallet->failed = true;
        fx_log_info("wallet \"%s\": a write failed; it makes no more keys or transactions",
                    wallet->name);
    }
    return ok && !wallet->failed;
}

static bool put(struct fx_wallet *wallet, const void *key, size_t key_len, struct fx_buf *value,
                bool sync)
{
    bool ok = fx_db_write(wallet->db, key, key_len, value->data, value->len, sync);
    fx_buf_clear(value);
    return wrote(wallet, ok);
}

static void write_text(struct fx_buf *buf, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    fx_buf_var_bytes(buf, text, n < TEXT_MAX ? n : TEXT_MAX);
}

/* On the heap; NULL where it is empty. */
static char *read_text(struct fx_reader *r)
{
    size_t n = 0;
    const uint8_t *text = fx_read_var_bytes(r, TEXT_MAX, &n);
    if (!text || n == 0) {
        return NULL;
    }
    char *out = fx_xmalloc(n + 1);
    memcpy(out, text, n);
    out[n] = 0;
    return out;
}

/* ---- seed -------------------------------------------------------------------------------------*/

bool fx_store_init(struct fx_wallet *wallet, struct fx_wallet_error *error)
{
    struct fx_buf version = FX_BUF_INIT, seed = FX_BUF_INIT;
    fx_buf_u32(&version, FORMAT_VERSION);
    fx_buf_str(&version, wallet->set->params->name);
    fx_buf_u8(&seed, SEED_PLAIN);
    fx_buf_i64(&seed, wallet->birthday);
    fx_buf_str(&seed, wallet->mnemonic);
    struct fx_db_batch *batch = fx_db_batch_create();
    fx_db_batch_put(batch, "v", 1, version.data, version.len);
    fx_db_batch_put(batch, "s", 1, seed.data, seed.len);
    bool ok = fx_db_batch_write(wallet->db, batch, true);
    fx_secure_zero(seed.data, seed.len);
    fx_buf_clear(&version);
    fx_buf_clear(&seed);
    return ok || fx_wallet_fail(error, FX_ERR_WALLET, "The wallet cannot be written");
}

static bool load_seed(struct fx_wallet *wallet, struct fx_wallet_error *error)
{
    uint8_t *value;
    size_t n;
    const char *network = wallet->set->params->name;
    if (fx_db_read(wallet->db, "v", 1, &value, &n) != FX_DB_FOUND) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "This is not a wallet, or it is damaged");
    }
    bool version = n >= 4 && fx_load_u32(value) == FORMAT_VERSION;
    bool same = n == 4 + strlen(network) && memcmp(value + 4, network, n - 4) == 0;
    free(value);
    if (!version || !same) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              version ? "The wallet is one of another network"
                                      : "The wallet needs a newer version of this program");
    }
    if (fx_db_read(wallet->db, "s", 1, &value, &n) != FX_DB_FOUND) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "The wallet has no seed");
    }
    struct fx_reader r;
    fx_reader_init(&r, value, n);
    bool ok = fx_read_u8(&r) == SEED_PLAIN;
    wallet->birthday = fx_read_i64(&r);
    ok = ok && !r.bad && r.left < sizeof(wallet->mnemonic);
    if (ok) {
        memcpy(wallet->mnemonic, r.p, r.left);
        wallet->mnemonic[r.left] = 0;
        ok = fx_bip39_decode(wallet->mnemonic, NULL, &n);
    }
    fx_secure_zero(value, n);
    free(value);
    return ok || fx_wallet_fail(error, FX_ERR_WALLET, "The wallet's seed cannot be read");
}

/* ---- keys -------------------------------------------------------------------------------------*/

bool fx_store_put_key(struct fx_wallet *wallet, const struct fx_wallet_key *key, bool sync)
{
    uint8_t at[6] = {'k', (uint8_t)key->use};
    fx_store_u32be(at + 2, key->index);
    struct fx_buf value = FX_BUF_INIT;
    fx_buf_i64(&value, key->created);
    fx_buf_hash(&value, &key->output);
    write_text(&value, key->label);
    return put(wallet, at, sizeof(at), &value, sync);
}

static bool load_key(struct fx_wallet *wallet, const uint8_t *at, size_t at_len,
                     const uint8_t *value, size_t n)
{
    struct fx_reader r;
    fx_reader_init(&r, value, n);
    int64_t created = fx_read_i64(&r);
    struct fx_hash output = fx_read_hash(&r);
    char *label = read_text(&r);
    uint32_t index = at_len == 6 ? fx_load_u32be(at + 2) : UINT32_MAX;
    bool ok = !r.bad && at_len == 6 && at[1] < FX_WALLET_USES && index < FX_BIP32_HARDENED - 1000;
    /* Rows come in order of index: one that is far ahead of the last is not one of ours. */
    ok = ok && index < wallet->chains[at[1]].n;
    if (ok) {
        struct fx_wallet_key *key = fx_keys_restore(wallet, (enum fx_key_use)at[1], index);
        ok = fx_hash_equal(&key->output, &output);
        key->created = created;
        key->label = label;
        label = NULL;
    }
    free(label);
    return ok;
}

/* ---- transactions -----------------------------------------------------------------------------*/

static void tx_key(const struct fx_hash *txid, uint8_t key[33])
{
    key[0] = 't';
    memcpy(key + 1, txid->b, 32);
}

bool fx_store_put_tx(struct fx_wallet *wallet, const struct fx_wallet_tx *wtx, bool sync)
{
    uint8_t key[33];
    tx_key(&wtx->tx->txid, key);
    struct fx_buf value = FX_BUF_INIT;
    fx_buf_u8(&value, TX_FORM);
    fx_buf_u64(&value, wtx->order);
    fx_buf_i64(&value, wtx->time);
    fx_buf_u32(&value, wtx->height);
    fx_buf_hash(&value, &wtx->block);
    fx_buf_u32(&value, wtx->conflict_height);
    fx_buf_hash(&value, &wtx->conflict_block);
    fx_buf_u8(&value, (uint8_t)((wtx->own ? TX_OWN : 0) | (wtx->abandoned ? TX_ABANDONED : 0)));
    fx_buf_i64(&value, wtx->fee);
    write_text(&value, wtx->comment);
    fx_tx_write(wtx->tx, &value);
    return put(wallet, key, sizeof(key), &value, sync);
}

bool fx_store_delete_tx(struct fx_wallet *wallet, const struct fx_hash *txid)
{
    uint8_t key[33];
    tx_key(txid, key);
    return wrote(wallet, fx_db_delete(wallet->db, key, sizeof(key), true));
}

static struct fx_wallet_tx *read_tx(const uint8_t *value, size_t n)
{
    struct fx_reader r;
    fx_reader_init(&r, value, n);
    struct fx_wallet_tx *wtx = fx_xcalloc(1, sizeof(*wtx));
    bool form = fx_read_u8(&r) == TX_FORM;
    wtx->order = fx_read_u64(&r);
    wtx->time = fx_read_i64(&r);
    wtx->height = fx_read_u32(&r);
    wtx->block = fx_read_hash(&r);
    wtx->conflict_height = fx_read_u32(&r);
    wtx->conflict_block = fx_read_hash(&r);
    uint8_t flags = fx_read_u8(&r);
    wtx->own = flags & TX_OWN;
    wtx->abandoned = flags & TX_ABANDONED;
    wtx->fee = fx_read_i64(&r);
    wtx->comment = read_text(&r);
    wtx->tx = form && !r.bad ? fx_tx_read(&r) : NULL;
    if (!wtx->tx || !fx_reader_done(&r)) {
        fx_tx_unref(wtx->tx);
        free(wtx->comment);
        free(wtx);
        return NULL;
    }
    return wtx;
}

static int compare_order(const void *a, const void *b)
{
    const struct fx_wallet_tx *x = *(struct fx_wallet_tx *const *)a;
    const struct fx_wallet_tx *y = *(struct fx_wallet_tx *const *)b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool load_txs(struct fx_wallet *wallet)
{
    struct fx_wallet_tx **all = NULL;
    size_t count = 0, key_len, n;
    const uint8_t *key, *value;
    bool ok = true;
    struct fx_db_iter *it = fx_db_iter_create(wallet->db, "t", 1);
    while (ok && fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        struct fx_wallet_tx *wtx = read_tx(value, n);
        ok = wtx != NULL;
        if (ok) {
            all = fx_xreallocarray(all, count + 1, sizeof(struct fx_wallet_tx *));
            all[count++] = wtx;
        }
    }
    ok = ok && !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    if (count > 0) {
        qsort(all, count, sizeof(struct fx_wallet_tx *), compare_order);
    }
    for (size_t i = 0; i < count; i++) {
        fx_ledger_add(wallet, all[i]);
    }
    free(all);
    return ok;
}

bool fx_store_load(struct fx_wallet *wallet, struct fx_wallet_error *error)
{
    const uint8_t *key, *value;
    size_t key_len, n;
    if (!load_seed(wallet, error) || !fx_keys_open(wallet, error)) {
        return false;
    }
    bool ok = true;
    struct fx_db_iter *it = fx_db_iter_create(wallet->db, "k", 1);
    while (ok && fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        ok = load_key(wallet, key, key_len, value, n);
    }
    ok = ok && !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    ok = ok && load_txs(wallet);
    return ok || fx_wallet_fail(error, FX_ERR_WALLET, "The wallet is damaged");
}

/* ---- where it stands --------------------------------------------------------------------------*/

bool fx_store_put_best(struct fx_wallet *wallet, const struct fx_index *tip)
{
    struct fx_locator_entry entries[FX_WALLET_LOCATOR];
    size_t n = 0;
    uint32_t step = 1;
    for (const struct fx_index *at = tip; at && n < FX_WALLET_LOCATOR;) {
        entries[n++] = (struct fx_locator_entry){at->height, at->id};
        if (at->height == 0) {
            break;
        }
        if (n > 8) {
            step *= 2; /* near blocks one by one, then ever farther apart */
        }
        at = fx_index_ancestor(at, at->height > step ? at->height - step : 0);
    }
    struct fx_buf value = FX_BUF_INIT;
    fx_buf_var(&value, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_u32(&value, entries[i].height);
        fx_buf_hash(&value, &entries[i].id);
    }
    wallet->height = tip->height;
    wallet->best = tip->id;
    return put(wallet, "b", 1, &value, false);
}

const struct fx_index *fx_store_fork(struct fx_wallet *wallet)
{
    uint8_t *value;
    size_t n;
    struct fx_chain *chain = wallet->set->chain;
    const struct fx_index *fork = fx_chain_genesis(chain);
    if (fx_db_read(wallet->db, "b", 1, &value, &n) != FX_DB_FOUND) {
        return fork;
    }
    struct fx_reader r;
    fx_reader_init(&r, value, n);
    uint64_t count = fx_read_count(&r, FX_WALLET_LOCATOR, 36);
    for (uint64_t i = 0; i < count; i++) {
        (void)fx_read_u32(&r);
        struct fx_hash id = fx_read_hash(&r);
        const struct fx_index *index = r.bad ? NULL : fx_chain_find(chain, &id);
        if (index) {
            fork = fx_index_fork(index, fx_chain_tip(chain));
            break;
        }
    }
    free(value);
    return fork;
}
