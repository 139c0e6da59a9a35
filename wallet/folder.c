/* What is done with a wallet's folder beside its database: a copy of it, and whether it is loaded
 * at the start. */
#include "wallet/wallet_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sys/file.h"
#include "src/sys/log.h"

#define COPY_CACHE ((size_t)1 << 20)
#define COPY_BATCH ((size_t)1 << 20) /* bytes */
#define NOT_LOADED "unloaded"        /* file of a wallet that is not loaded at the start */

/* ---- copies -----------------------------------------------------------------------------------*/

static bool copy_entries(struct fx_db *from, struct fx_db *to)
{
    struct fx_db_iter *it = fx_db_iter_create(from, "", 0);
    struct fx_db_batch *batch = fx_db_batch_create();
    const uint8_t *key, *value;
    size_t key_len, n;
    bool ok = true;
    while (ok && fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        fx_db_batch_put(batch, key, key_len, value, n);
        if (fx_db_batch_bytes(batch) >= COPY_BATCH) {
            ok = fx_db_batch_write(to, batch, false);
            batch = fx_db_batch_create();
        }
    }
    ok = fx_db_batch_write(to, batch, true) && ok && !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    return ok;
}

bool fx_wallet_backup(struct fx_wallet *wallet, const char *path, struct fx_wallet_error *error)
{
    char *why = NULL;
    if (mkdir(path, 0700) != 0) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              "Error: Wallet backup failed! The folder %.100s cannot be made: %s",
                              path, strerror(errno));
    }
    struct fx_db *copy = fx_db_open(path, COPY_CACHE, &why);
    bool ok = copy && copy_entries(wallet->db, copy);
    fx_db_close(copy);
    if (!ok) {
        fx_wallet_fail(error, FX_ERR_WALLET, "Error: Wallet backup failed! %.150s",
                       why ? why : "The copy cannot be written");
    }
    free(why);
    return ok;
}

/* ---- at the start -----------------------------------------------------------------------------*/

static char *mark_path(const struct fx_wallets *set, const char *name)
{
    char *folder = fx_wallet_path(set, name);
    char *path = folder ? fx_path_join(folder, NOT_LOADED) : NULL;
    free(folder);
    return path;
}

bool fx_wallet_set_startup(struct fx_wallets *wallets, const char *name, bool load)
{
    char *path = mark_path(wallets, name);
    bool ok =
        path && (load ? unlink(path) == 0 || errno == ENOENT : fx_file_write(path, "", 0, 0600));
    if (!ok) {
        fx_log_info("wallet \"%s\": whether it is loaded at the start cannot be written", name);
    }
    free(path);
    return ok;
}

bool fx_wallet_has_startup(const struct fx_wallets *wallets, const char *name)
{
    char *path = mark_path(wallets, name);
    bool load = path && !fx_path_exists(path);
    free(path);
    return load;
}
