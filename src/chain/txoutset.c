/* Figures and hashes over all coins and task records. */
#include <stdlib.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/crypto/muhash.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define BOGO_COIN                                                                   \
    50 /* txid, index, height with coinbase, value, and two for the script's length \
        */

/* ---- each coin ------------------------------------------------------------------------------- */

struct fx_coin_walk {
    struct fx_state_walk *stored;
};

struct fx_coin_walk *fx_coin_walk_create(struct fx_chain *chain)
{
    struct fx_coin_walk *walk;

    if (!fx_chain_flush(chain)) {
        return NULL;
    }
    walk = fx_xcalloc(1, sizeof(*walk));
    walk->stored = fx_state_walk_create(chain->state);
    return walk;
}

enum fx_coin_step fx_coin_walk_next(struct fx_coin_walk *walk, struct fx_outpoint *outpoint,
                                    struct fx_coin *coin)
{
    struct fx_span value;
    struct fx_reader r;

    switch (fx_state_walk_next(walk->stored, outpoint, &value)) {
    case FX_STATE_NEXT:
        fx_reader_init(&r, value.data, value.len);
        return fx_coin_read(&r, coin) ? FX_COIN_NEXT : FX_COIN_FAILED;
    case FX_STATE_END:
        return FX_COIN_END;
    case FX_STATE_FAILED:
        break;
    }
    return FX_COIN_FAILED;
}

void fx_coin_walk_destroy(struct fx_coin_walk *walk)
{
    if (walk != NULL) {
        fx_state_walk_destroy(walk->stored);
        free(walk);
    }
}

/* ---- figures --------------------------------------------------------------------------------- */

/* A coin of the transaction under way: its bytes are in the tally's buffer. */
struct tally_coin {
    uint32_t index;
    size_t start, n;
};

struct tally {
    struct fx_txoutset *info;
    enum fx_coins_hash kind;
    struct fx_sha256 hash;
    struct fx_muhash set;
    /* the database has the coins of a transaction in an order of its own */
    struct fx_hash txid;
    struct tally_coin *coins;
    size_t n, cap;
    struct fx_buf bytes;
};

static int by_index(const void *a, const void *b)
{
    const struct tally_coin *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

static void tally_tx(struct tally *tally)
{
    size_t i;

    if (tally->n == 0) {
        return;
    }
    qsort(tally->coins, tally->n, sizeof(*tally->coins), by_index);
    for (i = 0; i < tally->n; i++) {
        const uint8_t *data = tally->bytes.data + tally->coins[i].start;

        if (tally->kind == FX_COINS_HASH_SERIALIZED) {
            fx_sha256_update(&tally->hash, data, tally->coins[i].n);
        } else if (tally->kind == FX_COINS_HASH_MUHASH) {
            fx_muhash_insert(&tally->set, data, tally->coins[i].n);
        }
    }
    tally->info->n_txs++;
    tally->n = 0;
    tally->bytes.len = 0;
}

/* Outpoint, height with the coinbase bit, output. */
static void write_coin(const struct fx_outpoint *at, const struct fx_coin *coin, struct fx_buf *buf)
{
    fx_outpoint_write(at, buf);
    fx_buf_u32(buf, coin->height << 1 | coin->coinbase);
    fx_buf_i64(buf, coin->value);
    fx_buf_var_bytes(buf, coin->script, coin->script_len);
}

static void tally_coin(struct tally *tally, const struct fx_outpoint *at,
                       const struct fx_coin *coin)
{
    size_t start;

    if (!fx_hash_equal(&tally->txid, &at->txid)) {
        tally_tx(tally);
        tally->txid = at->txid;
    }
    if (tally->n == tally->cap) {
        tally->cap = tally->cap ? 2 * tally->cap : 16;
        tally->coins = fx_xreallocarray(tally->coins, tally->cap, sizeof(*tally->coins));
    }
    start = tally->bytes.len;
    write_coin(at, coin, &tally->bytes);
    tally->coins[tally->n++] = (struct tally_coin){at->index, start, tally->bytes.len - start};
    tally->info->n_coins++;
    tally->info->bogosize += BOGO_COIN + coin->script_len;
    /* At most all the money there is. */
    tally->info->total_amount += coin->value;
}

static bool tally_each(struct fx_chain *chain, struct tally *tally)
{
    struct fx_coin_walk *walk = fx_coin_walk_create(chain);
    enum fx_coin_step step = FX_COIN_FAILED;
    struct fx_outpoint at;
    struct fx_coin coin;

    while (walk != NULL && (step = fx_coin_walk_next(walk, &at, &coin)) == FX_COIN_NEXT) {
        tally_coin(tally, &at, &coin);
        fx_coin_clear(&coin);
    }
    fx_coin_walk_destroy(walk);
    return step == FX_COIN_END;
}

static bool count_record(void *ctx, const struct fx_outpoint *at, struct fx_span value)
{
    struct tally *tally = ctx;
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(at, key);
    fx_sha256_update(&tally->hash, key, sizeof(key));
    fx_sha256_update(&tally->hash, value.data, value.len);
    tally->info->n_records++;
    return true;
}

static bool tally_coins(struct fx_chain *chain, struct tally *tally)
{
    struct fx_hash first;

    fx_sha256_init(&tally->hash);
    fx_muhash_init(&tally->set);
    if (!tally_each(chain, tally)) {
        return false;
    }
    tally_tx(tally);
    if (tally->kind == FX_COINS_HASH_SERIALIZED) {
        fx_sha256_final(&tally->hash, first.b);
        fx_sha256(first.b, sizeof(first.b), tally->info->coins_hash.b);
    } else if (tally->kind == FX_COINS_HASH_MUHASH) {
        fx_muhash_final(&tally->set, tally->info->coins_hash.b);
    }
    return true;
}

bool fx_chain_txoutset(struct fx_chain *chain, enum fx_coins_hash kind, struct fx_txoutset *info)
{
    struct tally tally = {.info = info, .kind = kind, .bytes = FX_BUF_INIT};
    bool ok;

    memset(info, 0, sizeof(*info));
    info->height = chain->tip->height;
    info->best = chain->tip->id;
    ok = tally_coins(chain, &tally);
    fx_sha256_init(&tally.hash);
    ok = ok && fx_state_each_record(chain->state, count_record, &tally);
    fx_sha256_final(&tally.hash, info->records_hash.b);
    info->disk_size = fx_state_coins_size(chain->state);
    free(tally.coins);
    fx_buf_clear(&tally.bytes);
    return ok;
}

struct record_walk {
    bool (*visit)(void *ctx, const struct fx_outpoint *origin, const struct fx_task_record *record);
    void *ctx;
    bool damaged;
};

static bool visit_record(void *ctx, const struct fx_outpoint *origin, struct fx_span value)
{
    struct record_walk *walk = ctx;
    struct fx_task_record record;
    struct fx_reader r;

    fx_reader_init(&r, value.data, value.len);
    if (!fx_task_record_read(&r, &record)) {
        walk->damaged = true;
        return false;
    }
    return walk->visit(walk->ctx, origin, &record);
}

bool fx_chain_each_record(struct fx_chain *chain,
                          bool (*visit)(void *ctx, const struct fx_outpoint *origin,
                                        const struct fx_task_record *record),
                          void *ctx)
{
    struct record_walk walk = {.visit = visit, .ctx = ctx};

    return fx_chain_flush(chain) && fx_state_each_record(chain->state, visit_record, &walk) &&
           !walk.damaged;
}
