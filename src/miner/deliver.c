/* From a finished product to its pay. */
#include "src/miner/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/commit.h"
#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"
#include "src/matrix/freivalds.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/random.h"
#include "src/util/amount.h"
#include "src/util/buf.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define NAP_MS 50
#define RETRY_MS 5000 /* after a refusal */
#define RETRY_REGTEST_MS 1000
#define RETRY_DOWN_MS 1000   /* while the node does not answer */
#define POLL_MS 500          /* of a claim, on regtest */
#define POLL_PUBLIC_MS 10000 /* elsewhere */
#define FREIVALDS_ROUNDS 2
#define PIECE_TILES 16  /* 1 MiB an upload request */
#define MISSING_POLLS 3 /* without the claim in chain and mempool, before it is made again */
#define CODE_NO_FUNDS (-6)
#define CODE_NO_RESULT (-8) /* the rest of the claim's parameters are never refused */

struct fx_delivery {
    struct fx_delivery *next;
    struct fx_stored_task stored;
    int64_t due_ms; /* of the next look */
    bool checked, uploaded;
    unsigned attempt; /* of the upload */
    unsigned missing;
    char said[300]; /* the last complaint, so that it is not repeated */
};

struct sources {
    struct fx_operands operands;
    struct fx_pieces tiles;
};

static void complain(struct fx_delivery *d, const char *what, const char *text)
{
    char line[sizeof d->said];

    snprintf(line, sizeof line, "%s: %.200s", what, text);
    if (strcmp(line, d->said) == 0)
        return;
    memcpy(d->said, line, sizeof d->said);
    fx_miner_say("task %s: %s", d->stored.task.origin, line);
}

static unsigned retry_ms(const struct fx_deliver *deliver)
{
    return deliver->options->params->kind == FX_REGTEST ? RETRY_REGTEST_MS : RETRY_MS;
}

static void set_stage(struct fx_deliver *deliver, struct fx_delivery *d, enum fx_stage stage)
{
    pthread_mutex_lock(&deliver->lock);
    d->stored.stage = stage;
    pthread_mutex_unlock(&deliver->lock);
}

static void wait_ms(struct fx_delivery *d, int64_t ms)
{
    d->due_ms = fx_clock_monotonic_ms() + ms;
}

/* ---- the check ------------------------------------------------------------------------------ */

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    struct sources *sources = ctx;

    (void)path; /* a check asks for none */
    return fx_operands_read(&sources->operands, side, panel, segment, 1, out);
}

static bool read_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    struct sources *sources = ctx;

    (void)path;
    return fx_pieces_has(&sources->tiles, tile) &&
           fx_pieces_read(&sources->tiles, tile, 0, out, FX_TILE_BYTES);
}

/* Flips the lowest bit of one entry in the middle: for tests of the other side. */
static void corrupt(const struct fx_deliver *deliver, struct fx_delivery *d)
{
    struct fx_pieces tiles;
    uint64_t at = d->stored.task.shape.tiles / 2;
    uint8_t *tile;

    if (!fx_store_open_tiles(deliver->options->workdir, &d->stored.task, &tiles))
        return;
    tile = fx_xmalloc(FX_TILE_BYTES);
    if (fx_pieces_has(&tiles, at) && fx_pieces_read(&tiles, at, 0, tile, FX_TILE_BYTES)) {
        tile[4 * 1234] ^= 1;
        if (fx_pieces_put(&tiles, at, tile))
            fx_miner_say("task %s: spoiled one entry of the result", d->stored.task.origin);
    }
    free(tile);
    fx_pieces_close(&tiles);
}

/* By all cores. */
static enum fx_freivalds freivalds(const struct fx_task_shape *shape,
                                   const struct fx_source *source, uint32_t *row)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct fx_pool *pool = cores > 1 ? fx_pool_create((unsigned)cores - 1) : NULL;
    enum fx_freivalds found;
    uint8_t key[32];

    fx_random_bytes(key, sizeof key);
    found = fx_freivalds_check(shape, source, FREIVALDS_ROUNDS, key, pool, row);
    fx_secure_zero(key, sizeof key);
    fx_pool_destroy(pool);
    return found;
}

/* True where the result may be claimed. */
static bool check(struct fx_deliver *deliver, struct fx_delivery *d)
{
    const char *workdir = deliver->options->workdir;
    const struct fx_miner_task *task = &d->stored.task;
    enum fx_freivalds found = FX_FREIVALDS_UNREADABLE;
    struct sources sources;
    /* Each piece is asked for once, so that threads do not look at the same one. */
    struct fx_source source = {&sources, read_block, read_tile, true};
    int64_t start = fx_clock_monotonic_ms();
    uint32_t row = 0;

    if (fx_operands_open(&sources.operands, workdir, task)) {
        if (fx_store_open_tiles(workdir, task, &sources.tiles)) {
            enum fx_side side;
            uint32_t panel;

            if (!fx_operands_missing(&sources.operands, &side, &panel))
                found = freivalds(&task->shape, &source, &row);
            fx_pieces_close(&sources.tiles);
        }
        fx_operands_close(&sources.operands);
    }
    switch (found) {
    case FX_FREIVALDS_EQUAL:
        fx_miner_say("task %s: result checked in %.1f s", task->origin,
                     (double)(fx_clock_monotonic_ms() - start) / 1000);
        return true;
    case FX_FREIVALDS_DIFFERENT:
        fx_miner_say("task %s: %s computed a wrong result (row %" PRIu32
                     "): it is not claimed, and computed again",
                     task->origin, d->stored.device[0] ? d->stored.device : "one of the devices",
                     row);
        deliver->wrong(deliver->ctx, d->stored.device);
        return false;
    case FX_FREIVALDS_UNREADABLE:
        fx_miner_say("task %s: the result cannot be read back from %s: it is computed again",
                     task->origin, workdir);
        return false;
    }
    return false;
}

/* ---- upload and claim ----------------------------------------------------------------------- */

/* The same for the same result, so that an upload goes on after a restart. */
static void upload_id(const struct fx_deliver *deliver, const struct fx_delivery *d,
                      const struct fx_hash *solver, char id[65])
{
    struct fx_buf text = FX_BUF_INIT;
    uint8_t digest[32];

    fx_buf_printf(&text, "%s %u %d ", d->stored.task.origin, d->attempt,
                  (int)deliver->options->corrupt);
    fx_buf_hash(&text, solver);
    fx_sha256(text.data, text.len, digest);
    fx_hex_encode(digest, 32, id);
    fx_buf_clear(&text);
}

static enum fx_miner_node_status send_tiles(struct fx_deliver *deliver, struct fx_miner_node *node,
                                            struct fx_delivery *d, struct fx_pieces *tiles,
                                            const struct fx_hash *solver, const char *id)
{
    const struct fx_task_shape *shape = &d->stored.task.shape;
    const uint64_t size = shape->tiles * FX_TILE_BYTES;
    enum fx_miner_node_status status;
    uint8_t *data = fx_xmalloc((size_t)PIECE_TILES * FX_TILE_BYTES);
    uint64_t at = 0, before = UINT64_MAX;

    /* Without bytes: asks how many are there. */
    status = fx_miner_node_upload(node, id, shape, solver, 0, NULL, 0, &at);
    while (status == FX_NODE_OK && at < size && !atomic_load(deliver->stop)) {
        size_t n = size - at < (uint64_t)PIECE_TILES * FX_TILE_BYTES
                       ? (size_t)(size - at)
                       : (size_t)PIECE_TILES * FX_TILE_BYTES;

        if (at == before || !fx_fd_read_all(tiles->data, at, data, n)) {
            snprintf(node->text, sizeof node->text,
                     at == before ? "the node takes no more bytes of the result"
                                  : "the result cannot be read back");
            status = FX_NODE_ODD;
            break;
        }
        before = at;
        status = fx_miner_node_upload(node, id, shape, solver, at, data, n, &at);
    }
    free(data);
    return status;
}

/* Gives the result to the node; *root is what it makes of it. */
static enum fx_miner_node_status upload(struct fx_deliver *deliver, struct fx_miner_node *node,
                                        struct fx_delivery *d, const struct fx_hash *solver,
                                        struct fx_hash *root)
{
    enum fx_miner_node_status status;
    struct fx_pieces tiles;
    char id[65];

    upload_id(deliver, d, solver, id);
    status = fx_miner_node_upload_finish(node, id, root); /* it may be all there already */
    if (status != FX_NODE_REFUSED)
        return status;
    if (!fx_store_open_tiles(deliver->options->workdir, &d->stored.task, &tiles)) {
        snprintf(node->text, sizeof node->text, "cannot open the tiles: %s", strerror(errno));
        return FX_NODE_ODD;
    }
    status = send_tiles(deliver, node, d, &tiles, solver, id);
    fx_pieces_close(&tiles);
    if (status == FX_NODE_OK && !atomic_load(deliver->stop))
        status = fx_miner_node_upload_finish(node, id, root);
    return status;
}

/* The root of our tiles: what is claimed is what was checked. */
static bool own_root(struct fx_deliver *deliver, struct fx_delivery *d,
                     const struct fx_hash *solver, struct fx_hash *root)
{
    const struct fx_task_shape *shape = &d->stored.task.shape;
    struct fx_pieces tiles;
    struct fx_hash *roots;
    uint8_t *tile;
    bool ok = true;

    if (!fx_store_open_tiles(deliver->options->workdir, &d->stored.task, &tiles))
        return false;
    roots = fx_xcalloc((size_t)shape->tiles, sizeof *roots);
    tile = fx_xmalloc(FX_TILE_BYTES);
    for (uint64_t at = 0; ok && at < shape->tiles; at++) {
        ok = fx_pieces_has(&tiles, at) && fx_pieces_read(&tiles, at, 0, tile, FX_TILE_BYTES);
        if (ok)
            fx_commit_result_tile(solver, tile, &roots[at]);
    }
    if (ok)
        fx_commit_root(roots, shape->tiles, root);
    free(tile);
    free(roots);
    fx_pieces_close(&tiles);
    return ok;
}

/* The result at the node, under the key that claims. Where the key is another one than before, the
 * result is checked and uploaded again: FX_NODE_OK with d->uploaded false. */
static enum fx_miner_node_status hand_over(struct fx_deliver *deliver, struct fx_miner_node *node,
                                           struct fx_delivery *d)
{
    struct fx_hash solver, root, ours;
    enum fx_miner_node_status status = fx_miner_node_solver(node, &solver);

    if (status != FX_NODE_OK)
        return status;
    if (d->uploaded) {
        d->checked = d->uploaded = fx_hash_equal(&solver, &d->stored.solver);
        return FX_NODE_OK;
    }
    status = upload(deliver, node, d, &solver, &root);
    if (status != FX_NODE_OK || atomic_load(deliver->stop))
        return status;
    if (!own_root(deliver, d, &solver, &ours) || !fx_hash_equal(&ours, &root)) {
        d->attempt++;
        snprintf(node->text, sizeof node->text,
                 "the node has another result than was sent, sending it again");
        return FX_NODE_ODD;
    }
    d->uploaded = true;
    d->stored.solver = solver;
    d->stored.result = root;
    return FX_NODE_OK;
}

static void set_claimed(struct fx_deliver *deliver, struct fx_delivery *d,
                        const struct fx_hash *claim)
{
    d->stored.claim = *claim;
    atomic_fetch_add(&deliver->status->tasks_claimed, 1);
    set_stage(deliver, d, FX_STAGE_CLAIMED);
    d->missing = 0;
    d->said[0] = 0;
    if (!fx_store_save(deliver->options->workdir, &d->stored))
        complain(d, "its state cannot be written", strerror(errno));
    wait_ms(d, POLL_MS);
}

static bool is_ours(const struct fx_delivery *d, const struct fx_miner_task *now)
{
    return (now->status == FX_MINER_TASK_CLAIMED || now->status == FX_MINER_TASK_SETTLED) &&
           fx_hash_equal(&now->solver, &d->stored.solver) &&
           fx_hash_equal(&now->result, &d->stored.result);
}

/* What became of a task whose claim was refused: another one's, claimed by us before (the answer
 * to that was lost), or still to be had. True: it is over. */
static bool refused(struct fx_deliver *deliver, struct fx_miner_node *node, struct fx_delivery *d)
{
    static const struct fx_hash unknown;
    struct fx_miner_task now;
    char text[sizeof node->text];
    int code = node->code;
    enum fx_miner_node_status status;

    memcpy(text, node->text, sizeof text);
    status = fx_miner_node_task(node, d->stored.task.origin, &now);
    if (status == FX_NODE_REFUSED && node->code == FX_NODE_NO_TASK) {
        fx_miner_say("task %s: the chain does not know it any more", d->stored.task.origin);
        return true;
    }
    if (status == FX_NODE_OK && is_ours(d, &now)) {
        fx_miner_say("task %s: an earlier claim of ours stands", d->stored.task.origin);
        set_claimed(deliver, d, &unknown);
        return false;
    }
    if (status == FX_NODE_OK && now.status != FX_MINER_TASK_OPEN &&
        now.status != FX_MINER_TASK_PENDING) {
        fx_miner_say("task %s: %s", d->stored.task.origin,
                     now.status == FX_MINER_TASK_REFUNDED
                         ? "its client took it back before it was claimed"
                         : "taken meanwhile by another solver");
        return true;
    }
    if (code == CODE_NO_RESULT) {
        complain(d, "the node has lost the result", text);
        d->checked = d->uploaded = false;
        d->attempt++;
    } else if (code == CODE_NO_FUNDS) {
        complain(d, "not enough coins for a claim, trying again", text);
    } else {
        complain(d, "the node did not claim it, trying again", text);
    }
    wait_ms(d, retry_ms(deliver));
    return false;
}

/* True: the task is over. */
static bool claim(struct fx_deliver *deliver, struct fx_miner_node *node, struct fx_delivery *d)
{
    const struct fx_miner_options *options = deliver->options;
    const char *origin = d->stored.task.origin;
    int64_t escrow = d->stored.task.escrow;
    char id[FX_HASH_HEX];
    struct fx_hash txid;
    enum fx_miner_node_status status =
        fx_miner_node_claim(node, origin, &d->stored.result, options->burn,
                            options->burn_amount < escrow ? options->burn_amount : escrow, &txid);

    if (status == FX_NODE_REFUSED)
        return refused(deliver, node, d);
    if (status == FX_NODE_OK) {
        fx_hash_to_id(&txid, id);
        fx_miner_say("task %s: claimed by %s", origin, id);
        set_claimed(deliver, d, &txid);
        return false;
    }
    if (status != FX_NODE_DOWN)
        complain(d, "the claim failed", node->text);
    wait_ms(d, RETRY_DOWN_MS);
    return false;
}

/* True: the task is over. */
static bool deliver_step(struct fx_deliver *deliver, struct fx_miner_node *node,
                         struct fx_delivery *d)
{
    enum fx_miner_node_status status;

    if (!d->checked && deliver->options->corrupt)
        corrupt(deliver, d);
    else if (!d->checked && !check(deliver, d))
        return true;
    d->checked = true;
    status = hand_over(deliver, node, d);
    if (atomic_load(deliver->stop))
        return false;
    if (status != FX_NODE_OK) {
        if (status != FX_NODE_DOWN)
            complain(d, "the result was not uploaded", node->text);
        wait_ms(d, status == FX_NODE_DOWN ? RETRY_DOWN_MS : retry_ms(deliver));
        return false;
    }
    return d->uploaded && claim(deliver, node, d);
}

/* ---- from claim to pay ---------------------------------------------------------------------- */

static void paid(struct fx_deliver *deliver, const struct fx_miner_task *now)
{
    int64_t pay = now->escrow - now->burn;
    char got[FX_AMOUNT_TEXT], burned[FX_AMOUNT_TEXT];

    fx_amount_format(pay, got);
    fx_amount_format(now->burn, burned);
    atomic_fetch_add(&deliver->status->paid, pay);
    atomic_fetch_add(&deliver->status->tasks_paid, 1);
    fx_miner_say("task %s: paid %s FNX (burned %s FNX for credit)", now->origin, got, burned);
}

/* The claim is neither in the chain nor in the mempool: a reorganisation or a restart lost it. */
static void look_for_claim(struct fx_deliver *deliver, struct fx_miner_node *node,
                           struct fx_delivery *d)
{
    bool there = true;

    if (fx_miner_node_in_mempool(node, &d->stored.claim, &there) != FX_NODE_OK || there) {
        d->missing = 0;
        return;
    }
    if (++d->missing < MISSING_POLLS)
        return;
    set_stage(deliver, d, FX_STAGE_DELIVER);
    d->checked = d->uploaded = true; /* what was claimed once is in the node's store */
    fx_miner_say("task %s: its claim is gone, claiming it again", d->stored.task.origin);
}

/* True: the task is over. */
static bool claimed_step(struct fx_deliver *deliver, struct fx_miner_node *node,
                         struct fx_delivery *d)
{
    const struct fx_miner_options *options = deliver->options;
    const char *origin = d->stored.task.origin;
    struct fx_miner_task now;
    enum fx_miner_node_status status = fx_miner_node_task(node, origin, &now);

    wait_ms(d, options->params->kind == FX_REGTEST ? POLL_MS : POLL_PUBLIC_MS);
    if (status == FX_NODE_REFUSED && node->code == FX_NODE_NO_TASK) {
        fx_miner_say("task %s: the chain does not know it any more", origin);
        return true;
    }
    if (status != FX_NODE_OK)
        return false;
    switch (now.status) {
    case FX_MINER_TASK_PENDING:
    case FX_MINER_TASK_OPEN:
        look_for_claim(deliver, node, d);
        return false;
    case FX_MINER_TASK_CLAIMED:
        d->missing = 0;
        if (is_ours(d, &now)) {
            /* From here on the node's store serves it. */
            fx_store_remove_tiles(options->workdir, origin);
            return false;
        }
        fx_miner_say("task %s: taken meanwhile by another solver", origin);
        return true;
    case FX_MINER_TASK_SETTLED:
        if (is_ours(d, &now))
            paid(deliver, &now);
        else
            fx_miner_say("task %s: settled by another solver", origin);
        return true;
    case FX_MINER_TASK_REFUNDED:
        fx_miner_say("task %s: its client took it back", origin);
        return true;
    }
    return false;
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* The first that is due; it stays in the list, and only the thread takes it out. */
static struct fx_delivery *due(struct fx_deliver *deliver)
{
    int64_t now = fx_clock_monotonic_ms();
    struct fx_delivery *d;

    pthread_mutex_lock(&deliver->lock);
    for (d = deliver->list; d && d->due_ms > now; d = d->next)
        continue;
    pthread_mutex_unlock(&deliver->lock);
    return d;
}

static void drop(struct fx_deliver *deliver, struct fx_delivery *d)
{
    struct fx_delivery **at = &deliver->list;

    pthread_mutex_lock(&deliver->lock);
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    pthread_mutex_unlock(&deliver->lock);
    free(d);
}

static void *run(void *arg)
{
    struct fx_deliver *deliver = arg;
    struct fx_miner_node node;

    fx_miner_node_init(&node, deliver->options, deliver->stop);
    while (!atomic_load(deliver->stop)) {
        struct fx_delivery *d = due(deliver);
        bool over = false;

        if (!d) {
            fx_clock_sleep_ms(NAP_MS);
            continue;
        }
        switch (d->stored.stage) {
        case FX_STAGE_WORK:
            over = true;
            break;
        case FX_STAGE_DELIVER:
            over = deliver_step(deliver, &node, d);
            break;
        case FX_STAGE_CLAIMED:
            over = claimed_step(deliver, &node, d);
            break;
        }
        if (over) {
            fx_store_remove(deliver->options->workdir, d->stored.task.origin);
            drop(deliver, d);
        }
    }
    fx_miner_node_clear(&node);
    return NULL;
}

void fx_deliver_start(struct fx_deliver *deliver)
{
    int why;

    deliver->list = NULL;
    pthread_mutex_init(&deliver->lock, NULL);
    why = pthread_create(&deliver->thread, NULL, run, deliver);
    if (why != 0) {
        fprintf(stderr, "Error: cannot start a thread: %s\n", strerror(why));
        exit(1);
    }
}

void fx_deliver_join(struct fx_deliver *deliver)
{
    pthread_join(deliver->thread, NULL);
    while (deliver->list)
        drop(deliver, deliver->list);
    pthread_mutex_destroy(&deliver->lock);
}

void fx_deliver_add(struct fx_deliver *deliver, const struct fx_stored_task *stored)
{
    struct fx_delivery *d = fx_xcalloc(1, sizeof *d), **at;

    d->stored = *stored;
    pthread_mutex_lock(&deliver->lock);
    for (at = &deliver->list; *at; at = &(*at)->next)
        continue;
    *at = d;
    pthread_mutex_unlock(&deliver->lock);
}

bool fx_deliver_has(struct fx_deliver *deliver, const char *origin)
{
    const struct fx_delivery *d;

    pthread_mutex_lock(&deliver->lock);
    for (d = deliver->list; d && strcmp(d->stored.task.origin, origin) != 0; d = d->next)
        continue;
    pthread_mutex_unlock(&deliver->lock);
    return d != NULL;
}

size_t fx_deliver_count(struct fx_deliver *deliver)
{
    size_t n = 0;

    pthread_mutex_lock(&deliver->lock);
    for (const struct fx_delivery *d = deliver->list; d; d = d->next)
        n++;
    pthread_mutex_unlock(&deliver->lock);
    return n;
}

size_t fx_deliver_unclaimed(struct fx_deliver *deliver)
{
    size_t n = 0;

    pthread_mutex_lock(&deliver->lock);
    for (const struct fx_delivery *d = deliver->list; d; d = d->next)
        n += d->stored.stage != FX_STAGE_CLAIMED;
    pthread_mutex_unlock(&deliver->lock);
    return n;
}

void fx_deliver_each(struct fx_deliver *deliver,
                     void (*visit)(void *ctx, const struct fx_miner_task *task), void *ctx)
{
    pthread_mutex_lock(&deliver->lock);
    for (const struct fx_delivery *d = deliver->list; d; d = d->next)
        visit(ctx, &d->stored.task);
    pthread_mutex_unlock(&deliver->lock);
}
