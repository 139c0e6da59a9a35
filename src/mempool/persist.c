/* mempool.dat: the pool across a restart. */
#include "src/mempool/mempool_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define FILE_VERSION 2
#define FILE_MAX ((size_t)1 << 30)

static void write_deltas(const struct fx_mempool *pool, struct fx_buf *buf)
{
    struct fx_fee_delta *deltas;
    size_t n = fx_mempool_deltas(pool, &deltas);
    fx_buf_u64(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_bytes(buf, deltas[i].txid.b, sizeof(deltas[i].txid.b));
        fx_buf_i64(buf, deltas[i].delta);
    }
    free(deltas);
}

/* Those of prioritisetransaction; before the transactions, which may be taken for them alone. */
static void read_deltas(struct fx_mempool *pool, struct fx_reader *r)
{
    uint64_t n = fx_read_u64(r);
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        struct fx_hash txid;
        const uint8_t *id = fx_read_bytes(r, sizeof(txid.b));
        int64_t delta = fx_read_i64(r);
        if (!r->bad) {
            memcpy(txid.b, id, sizeof(txid.b));
            (void)fx_mempool_prioritise(pool, &txid, delta);
        }
    }
}

/* version u64; count u64, per priority: txid, delta i64; count u64, per transaction: time i64,
 * transaction. */
void fx_pool_save(struct fx_mempool *pool)
{
    if (!pool->path) {
        return;
    }
    struct fx_buf buf = FX_BUF_INIT;
    fx_buf_u64(&buf, FILE_VERSION);
    write_deltas(pool, &buf);
    fx_buf_u64(&buf, pool->count);
    for (const struct fx_pool_entry *e = pool->first; e; e = e->next) {
        fx_buf_i64(&buf, e->time);
        fx_tx_write(e->tx, &buf);
    }
    if (!fx_file_write(pool->path, buf.data, buf.len, 0600)) {
        fx_log_info("mempool: cannot write %s: %s", pool->path, strerror(errno));
    }
    fx_buf_clear(&buf);
}

void fx_pool_load(struct fx_mempool *pool)
{
    uint8_t *data;
    size_t len;
    if (!pool->path || !fx_path_exists(pool->path)) {
        return;
    }
    if (!fx_file_read(pool->path, FILE_MAX, &data, &len)) {
        fx_log_info("mempool: cannot read %s: %s", pool->path, strerror(errno));
        return;
    }
    struct fx_reader r;
    fx_reader_init(&r, data, len);
    uint64_t version = fx_read_u64(&r), count = 0;
    if (version == FILE_VERSION) {
        read_deltas(pool, &r);
        count = fx_read_u64(&r);
    }
    size_t taken = 0;
    int64_t now = fx_clock_now();
    for (uint64_t i = 0; i < count && !r.bad; i++) {
        int64_t time = fx_read_i64(&r);
        struct fx_tx *tx = fx_tx_read(&r);
        if (!tx) {
            break;
        }
        struct fx_accept accept = {.result = FX_INVALID};
        if (time >= now - pool->policy.expiry_seconds) {
            fx_mempool_accept(pool, tx, false, &accept);
        }
        struct fx_pool_entry *entry = fx_pool_find(pool, &tx->txid);
        if (accept.result == FX_VALID && entry) {
            fx_pool_set_time(pool, entry, time < now ? time : now);
            taken++;
        }
        fx_tx_unref(tx);
    }
    if (version != FILE_VERSION || r.bad) {
        fx_log_info("mempool: %s is damaged or of another version; the rest of it is ignored",
                    pool->path);
    }
    fx_log_info("mempool: %zu transactions from %s", taken, pool->path);
    free(data);
}
