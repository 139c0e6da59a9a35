/* The node in memory. */
#include "qa/unit/miner/fake.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/matrix/result.h"
#include "src/miner/say.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/u256.h"

#define LINES 4096

struct upload {
    char id[72];
    struct fx_hash solver;
    uint8_t *data;
    size_t n;
};

struct fx_fake fx_fake;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int8_t *owned[2 * FX_FAKE_TASKS];
static struct upload uploads[FX_FAKE_UPLOADS];
static size_t n_uploads;
static char *lines[LINES];
static size_t n_lines;
static struct fx_miner_work given; /* the last work */
static struct fx_hash tip;
static struct fx_hash solver;

void fx_fake_lock(void)
{
    pthread_mutex_lock(&lock);
}

void fx_fake_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static void move_tip(void)
{
    fx_fake.height++;
    fx_store_u32(tip.b, fx_fake.height);
}

void fx_fake_move_tip(void)
{
    fx_fake_lock();
    move_tip();
    fx_fake_unlock();
}

void fx_fake_begin(void)
{
    memset(&fx_fake, 0, sizeof fx_fake);
    snprintf(fx_fake.chain, sizeof fx_fake.chain, "regtest");
    fx_fake.height = 100;
    memset(solver.b, 7, 32);
    move_tip();
    fx_fake.job_bits = fx_fake.hash_bits = 1;
}

static void drop_uploads(void)
{
    for (size_t at = 0; at < n_uploads; at++)
        free(uploads[at].data);
    n_uploads = 0;
}

void fx_fake_end(void)
{
    for (size_t at = 0; at < 2 * FX_FAKE_TASKS; at++) {
        free(owned[at]);
        owned[at] = NULL;
    }
    drop_uploads();
    for (size_t at = 0; at < n_lines; at++)
        free(lines[at]);
    n_lines = 0;
}

void fx_miner_say(const char *format, ...)
{
    char text[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fx_fake_lock();
    if (n_lines < LINES)
        lines[n_lines++] = fx_xstrdup(text);
    fx_fake_unlock();
}

unsigned fx_fake_said(const char *text)
{
    unsigned n = 0;

    fx_fake_lock();
    for (size_t at = 0; at < n_lines; at++)
        n += strstr(lines[at], text) != NULL;
    fx_fake_unlock();
    return n;
}

void fx_fake_print(void)
{
    fx_fake_lock();
    for (size_t at = 0; at < n_lines; at++)
        fprintf(stderr, "  %s\n", lines[at]);
    fx_fake_unlock();
}

static int8_t *random_operand(size_t slot, size_t n)
{
    owned[slot] = fx_xmalloc(n);
    fx_unit_rand_fill(owned[slot], n);
    for (size_t at = 0; at < n; at++)
        owned[slot][at] = (int8_t)(((uint8_t)owned[slot][at] & 0x7f) - 64);
    return owned[slot];
}

size_t fx_fake_add(uint32_t rows, uint32_t cols, uint32_t depth, int64_t escrow)
{
    size_t at = fx_fake.n_tasks++;
    struct fx_fake_task *t = &fx_fake.tasks[at];

    memset(t, 0, sizeof *t);
    snprintf(t->task.origin, sizeof t->task.origin, "%064zx:1", at + 1);
    t->task.status = FX_MINER_TASK_OPEN;
    t->task.kind = 1;
    t->task.m = rows * FX_TILE;
    t->task.n = cols * FX_TILE;
    t->task.k = depth * FX_DEPTH;
    t->task.escrow = escrow;
    t->task.shape = (struct fx_task_shape){.rows = rows,
                                           .cols = cols,
                                           .depth = depth,
                                           .tiles = (uint64_t)rows * cols,
                                           .bricks = (uint64_t)rows * cols * depth};
    t->a = random_operand(2 * at, (size_t)t->task.m * t->task.k);
    t->b = random_operand(2 * at + 1, (size_t)t->task.n * t->task.k);
    FX_CHECK(fx_commit_operand_matrix(t->a, t->task.m, t->task.k, &t->task.root_a));
    FX_CHECK(fx_commit_operand_matrix(t->b, t->task.n, t->task.k, &t->task.root_b));
    return at;
}

void fx_fake_take(size_t task)
{
    fx_fake_lock();
    fx_fake.tasks[task].task.status = FX_MINER_TASK_CLAIMED;
    memset(fx_fake.tasks[task].task.solver.b, 9, 32);
    move_tip();
    fx_fake_unlock();
}

void fx_fake_undo_claim(size_t task, bool with_result)
{
    fx_fake_lock();
    fx_fake.tasks[task].task.status = FX_MINER_TASK_OPEN;
    fx_fake.tasks[task].claimed_here = false;
    if (with_result)
        drop_uploads();
    move_tip();
    fx_fake_unlock();
}

void fx_fake_change_key(void)
{
    fx_fake_lock();
    solver.b[0]++;
    fx_fake_unlock();
}

static struct fx_fake_task *find(const char *origin)
{
    for (size_t at = 0; at < fx_fake.n_tasks; at++) {
        if (strcmp(fx_fake.tasks[at].task.origin, origin) == 0)
            return &fx_fake.tasks[at];
    }
    return NULL;
}

/* ---- the functions of node.h ---------------------------------------------------------------- */

void fx_miner_node_init(struct fx_miner_node *node, const struct fx_miner_options *options,
                        const atomic_bool *stop)
{
    (void)options;
    (void)stop;
    memset(node, 0, sizeof *node);
}

void fx_miner_node_clear(struct fx_miner_node *node)
{
    (void)node;
}

static enum fx_miner_node_status say(struct fx_miner_node *node, enum fx_miner_node_status status,
                                     int code, const char *text)
{
    node->code = code;
    snprintf(node->text, sizeof node->text, "%s", text);
    return status;
}

/* Each call begins with this, and ends with the lock given back. */
static enum fx_miner_node_status enter(struct fx_miner_node *node)
{
    fx_fake_lock();
    fx_fake.calls++;
    if (fx_fake.down)
        return say(node, FX_NODE_DOWN, 0, "connection refused");
    if (fx_fake.refuses_password)
        return say(node, FX_NODE_AUTH, 0, "wrong password");
    return FX_NODE_OK;
}

static enum fx_miner_node_status leave(enum fx_miner_node_status status)
{
    fx_fake_unlock();
    return status;
}

#define ENTER(node)                                       \
    do {                                                  \
        enum fx_miner_node_status entered_ = enter(node); \
        if (entered_ != FX_NODE_OK)                       \
            return leave(entered_);                       \
    } while (0)

enum fx_miner_node_status fx_miner_node_chain(struct fx_miner_node *node,
                                              struct fx_miner_chain *chain)
{
    ENTER(node);
    memset(chain, 0, sizeof *chain);
    memcpy(chain->name, fx_fake.chain, sizeof chain->name);
    chain->height = fx_fake.height;
    chain->expected[0] = (double)(UINT64_C(1) << fx_fake.hash_bits);
    chain->expected[1] = (double)(UINT64_C(1) << fx_fake.job_bits);
    return leave(FX_NODE_OK);
}

enum fx_miner_node_status fx_miner_node_tip(struct fx_miner_node *node, struct fx_hash *out)
{
    ENTER(node);
    *out = tip;
    return leave(FX_NODE_OK);
}

enum fx_miner_node_status fx_miner_node_tasks(struct fx_miner_node *node, double speed,
                                              enum fx_burn_choice burn, int64_t burn_amount,
                                              struct fx_miner_task **tasks, size_t *n)
{
    ENTER(node);
    (void)burn;
    (void)burn_amount;
    fx_fake.speed = speed;
    *n = 0;
    *tasks = fx_xcalloc(FX_FAKE_TASKS, sizeof **tasks);
    for (size_t at = 0; at < fx_fake.n_tasks; at++) {
        if (fx_fake.tasks[at].task.status == FX_MINER_TASK_OPEN && !fx_fake.tasks[at].task.spent)
            (*tasks)[(*n)++] = fx_fake.tasks[at].task;
    }
    return leave(FX_NODE_OK);
}

/* Time goes on when somebody looks. */
static void age(struct fx_fake_task *t)
{
    if (!t->claimed_here)
        return;
    if (t->task.status == FX_MINER_TASK_OPEN) {
        if (fx_fake.lose_claims > 0) {
            fx_fake.lose_claims--;
            t->claimed_here = false;
            return;
        }
        t->task.status = FX_MINER_TASK_CLAIMED;
    } else if (t->task.status == FX_MINER_TASK_CLAIMED && !fx_fake.no_settle && t->right) {
        if (fx_fake.slow_settle > 0)
            fx_fake.slow_settle--;
        else
            t->task.status = FX_MINER_TASK_SETTLED;
    }
}

enum fx_miner_node_status fx_miner_node_task(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_task *task)
{
    struct fx_fake_task *t;

    ENTER(node);
    t = find(origin);
    if (!t)
        return leave(say(node, FX_NODE_REFUSED, -5, "No such task"));
    age(t);
    *task = t->task;
    return leave(FX_NODE_OK);
}

enum fx_miner_node_status fx_miner_node_solver(struct fx_miner_node *node, struct fx_hash *out)
{
    ENTER(node);
    if (fx_fake.wallet_error)
        return leave(say(node, FX_NODE_REFUSED, fx_fake.wallet_error, "no such wallet"));
    *out = solver;
    return leave(FX_NODE_OK);
}

static void target_of(struct fx_hash *target, unsigned bits)
{
    memset(target->b, 0xff, 32);
    for (unsigned bit = 0; bit < bits; bit++)
        target->b[31 - bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

enum fx_miner_node_status fx_miner_node_work(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_work *work)
{
    const struct fx_fake_task *t = NULL;

    ENTER(node);
    if (origin) {
        t = find(origin);
        if (!t || t->task.status != FX_MINER_TASK_OPEN)
            return leave(say(node, FX_NODE_REFUSED, -8, "the task is not open"));
    }
    memset(work, 0, sizeof *work);
    work->id = ++fx_fake.works;
    work->lane = t ? FX_LANE_JOB : FX_LANE_HASH;
    work->height = fx_fake.height + 1;
    work->previous = tip;
    fx_store_u32(work->header, work->lane << 8);
    memcpy(work->header + 4, tip.b, 32);
    fx_store_u32(work->header + 36, fx_fake.works);
    fx_sha256d(work->header, 80, work->seed.b);
    target_of(&work->target, t ? fx_fake.job_bits : fx_fake.hash_bits);
    work->expected = (double)(UINT64_C(1) << (t ? fx_fake.job_bits : fx_fake.hash_bits));
    work->subsidy = 1000000000;
    given = *work;
    return leave(FX_NODE_OK);
}

static bool meets(const struct fx_hash *hash, const struct fx_hash *target)
{
    struct fx_u256 value = fx_u256_from_hash(hash), limit = fx_u256_from_hash(target);

    return fx_u256_cmp(&value, &limit) <= 0;
}

static enum fx_miner_node_status judge(struct fx_miner_node *node, const struct fx_miner_work *work,
                                       bool wins, bool *accepted)
{
    *accepted = false;
    if (!wins) {
        fx_fake.bad_blocks++;
        return say(node, FX_NODE_OK, 0, "high-hash");
    }
    if (!fx_hash_equal(&work->previous, &tip)) {
        fx_fake.stale_blocks++;
        return say(node, FX_NODE_OK, 0, "stale");
    }
    *accepted = true;
    move_tip();
    return FX_NODE_OK;
}

enum fx_miner_node_status fx_miner_node_submit_hash(struct fx_miner_node *node,
                                                    const struct fx_miner_work *work,
                                                    uint32_t nonce, uint32_t time, bool *accepted)
{
    enum fx_miner_node_status status;
    struct fx_hash id;
    uint8_t header[80];

    ENTER(node);
    memcpy(header, work->header, 80);
    fx_store_u32(header + 68, time);
    fx_store_u32(header + 76, nonce);
    fx_sha256d(header, 80, id.b);
    status = judge(node, work, meets(&id, &work->target), accepted);
    fx_fake.hash_blocks += *accepted;
    return leave(status);
}

static void block_of(const int8_t *matrix, uint32_t k, uint32_t panel, uint32_t segment,
                     int8_t *out)
{
    for (size_t row = 0; row < FX_TILE; row++)
        memcpy(out + row * FX_DEPTH,
               matrix + ((size_t)panel * FX_TILE + row) * k + (size_t)segment * FX_DEPTH, FX_DEPTH);
}

enum fx_miner_node_status fx_miner_node_submit_brick(struct fx_miner_node *node,
                                                     const struct fx_miner_work *work, uint32_t i,
                                                     uint32_t j, uint32_t l, bool *accepted)
{
    int8_t *a = fx_xmalloc(FX_BLOCK_BYTES), *b = fx_xmalloc(FX_BLOCK_BYTES);
    enum fx_miner_node_status status = enter(node);
    struct fx_hash ticket;
    bool wins = false;

    /* Which task it was for is not said: one of them must win. */
    for (size_t at = 0; at < fx_fake.n_tasks && status == FX_NODE_OK; at++) {
        struct fx_fake_task *t = &fx_fake.tasks[at];

        if (i >= t->task.shape.rows || j >= t->task.shape.cols || l >= t->task.shape.depth)
            continue;
        block_of(t->a, t->task.k, i, l, a);
        block_of(t->b, t->task.k, j, l, b);
        if (fx_brick_ticket(&work->seed, a, b, i, j, l, &ticket) && meets(&ticket, &work->target)) {
            wins = true;
            t->blocks++;
            break;
        }
    }
    if (status == FX_NODE_OK) {
        status = judge(node, work, wins, accepted);
        fx_fake.job_blocks += *accepted;
    }
    free(a);
    free(b);
    return leave(status);
}

enum fx_miner_node_status fx_miner_node_prepare(struct fx_miner_node *node, const char *origin,
                                                bool *here)
{
    ENTER(node);
    if (!find(origin))
        return leave(say(node, FX_NODE_REFUSED, -5, "No such task"));
    *here = fx_fake.not_here == 0;
    fx_fake.not_here -= fx_fake.not_here > 0;
    return leave(FX_NODE_OK);
}

static bool is_product(const struct fx_fake_task *t, const uint8_t *data, size_t n)
{
    const struct fx_task_shape *shape = &t->task.shape;
    /* Of large products every 97th entry. */
    size_t step = n / 4 * t->task.k > (size_t)1 << 29 ? 97 : 1;

    if (n != shape->tiles * FX_TILE_BYTES)
        return false;
    for (size_t at = 0; at < n / 4; at += step) {
        size_t tile = at / (FX_TILE * FX_TILE), inside = at % (FX_TILE * FX_TILE);
        const int8_t *a = t->a + (tile / shape->cols * FX_TILE + inside / FX_TILE) * t->task.k;
        const int8_t *b = t->b + (tile % shape->cols * FX_TILE + inside % FX_TILE) * t->task.k;
        int32_t sum = 0;

        for (size_t c = 0; c < t->task.k; c++)
            sum += a[c] * b[c];
        if (fx_load_u32(data + 4 * at) != (uint32_t)sum)
            return false;
    }
    return true;
}

static void root_of(const struct upload *upload, struct fx_hash *root)
{
    size_t tiles = upload->n / FX_TILE_BYTES;
    struct fx_hash *roots = fx_xcalloc(tiles + 1, sizeof *roots);

    for (size_t at = 0; at < tiles; at++)
        fx_commit_result_tile(&upload->solver, upload->data + at * FX_TILE_BYTES, &roots[at]);
    fx_commit_root(roots, tiles ? tiles : 1, root);
    free(roots);
}

enum fx_miner_node_status fx_miner_node_claim(struct fx_miner_node *node, const char *origin,
                                              const struct fx_hash *root, enum fx_burn_choice burn,
                                              int64_t burn_amount, struct fx_hash *txid)
{
    struct fx_fake_task *t;

    ENTER(node);
    t = find(origin);
    if (!t || t->task.status != FX_MINER_TASK_OPEN)
        return leave(say(node, FX_NODE_REFUSED, -4, "the task is not open"));
    if (t->claimed_here)
        return leave(say(node, FX_NODE_REFUSED, -4, "a claim waits in the mempool"));
    if (burn == FX_CHOOSE_BURN_AMOUNT && burn_amount > t->task.escrow)
        return leave(say(node, FX_NODE_REFUSED, -8, "burns more than the escrow"));
    if (fx_fake.no_funds > 0) {
        fx_fake.no_funds--;
        return leave(say(node, FX_NODE_REFUSED, -6, "Insufficient funds"));
    }
    for (size_t at = 0; at < n_uploads; at++) {
        struct fx_hash known;

        root_of(&uploads[at], &known);
        if (!fx_hash_equal(&known, root) || !fx_hash_equal(&uploads[at].solver, &solver))
            continue;
        t->claimed_here = true;
        t->right = is_product(t, uploads[at].data, uploads[at].n);
        t->claims++;
        t->task.solver = solver;
        t->task.result = *root;
        t->task.burn = burn == FX_CHOOSE_BURN_AMOUNT ? burn_amount
                       : burn == FX_CHOOSE_BURN_AUTO ? t->task.escrow / 2
                                                     : 0;
        memset(txid->b, (int)t->claims, 32);
        t->claim = *txid;
        if (fx_fake.lose_answers == 0)
            return leave(FX_NODE_OK);
        fx_fake.lose_answers--;
        return leave(say(node, FX_NODE_DOWN, 0, "connection reset"));
    }
    return leave(say(node, FX_NODE_REFUSED, -8, "no such result"));
}

enum fx_miner_node_status fx_miner_node_in_mempool(struct fx_miner_node *node,
                                                   const struct fx_hash *txid, bool *there)
{
    ENTER(node);
    *there = false;
    for (size_t at = 0; at < fx_fake.n_tasks; at++)
        *there = *there ||
                 (fx_fake.tasks[at].claimed_here && fx_hash_equal(&fx_fake.tasks[at].claim, txid));
    return leave(FX_NODE_OK);
}

enum fx_miner_node_status fx_miner_node_blocks(struct fx_miner_node *node,
                                               const struct fx_hash *root, uint32_t panel,
                                               uint32_t first, uint32_t count, int8_t *out)
{
    ENTER(node);
    for (size_t at = 0; at < fx_fake.n_tasks; at++) {
        const struct fx_fake_task *t = &fx_fake.tasks[at];
        bool is_a = fx_hash_equal(root, &t->task.root_a);

        if (!is_a && !fx_hash_equal(root, &t->task.root_b))
            continue;
        for (uint32_t l = 0; l < count; l++)
            block_of(is_a ? t->a : t->b, t->task.k, panel, first + l,
                     out + (size_t)l * FX_BLOCK_BYTES);
        return leave(FX_NODE_OK);
    }
    return leave(say(node, FX_NODE_REFUSED, 404, "Not here"));
}

static struct upload *find_upload(const char *id)
{
    for (size_t at = 0; at < n_uploads; at++) {
        if (strcmp(uploads[at].id, id) == 0)
            return &uploads[at];
    }
    return NULL;
}

enum fx_miner_node_status fx_miner_node_upload(struct fx_miner_node *node, const char *id,
                                               const struct fx_task_shape *shape,
                                               const struct fx_hash *key, uint64_t offset,
                                               const void *data, size_t n, uint64_t *received)
{
    struct upload *upload;

    ENTER(node);
    upload = find_upload(id);
    if (!upload && n_uploads < FX_FAKE_UPLOADS) {
        upload = &uploads[n_uploads++];
        memset(upload, 0, sizeof *upload);
        snprintf(upload->id, sizeof upload->id, "%s", id);
        upload->solver = *key;
        upload->data = fx_xcalloc((size_t)shape->tiles, FX_TILE_BYTES);
    }
    if (upload && offset == upload->n && offset + n <= shape->tiles * FX_TILE_BYTES && n > 0) {
        memcpy(upload->data + offset, data, n);
        upload->n += n;
    }
    *received = upload ? upload->n : 0;
    return leave(FX_NODE_OK);
}

enum fx_miner_node_status fx_miner_node_upload_finish(struct fx_miner_node *node, const char *id,
                                                      struct fx_hash *root)
{
    const struct upload *upload;

    ENTER(node);
    upload = find_upload(id);
    if (!upload)
        return leave(say(node, FX_NODE_REFUSED, 404, "No such upload"));
    root_of(upload, root);
    return leave(FX_NODE_OK);
}
