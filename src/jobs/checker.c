/*
 * Checks of results by Freivalds (protocol section 8), on threads of their own: a check may take
 * minutes, and would hold up the verification of blocks on the pool of the node.
 *
 * Blobs belong to the main thread. A check that needs a chunk leaves a request and waits; the main
 * thread reads it when its loop comes by. So at most one chunk a check is in memory, and, as a
 * check has one thread here, the loop serves at most that many requests in one go.
 */
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/jobs/jobs_int.h"
#include "src/matrix/freivalds.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

/* A chunk that a check waits for; lives on the check's stack. */
struct request {
    struct request *next;
    const struct fx_blob_key *key;
    uint32_t x, y;
    size_t size;
    uint8_t *data;
    bool answered, found;
};

struct check {
    struct check *next;
    struct fx_checker *checker;
    struct fx_task_shape shape;
    struct fx_blob_key keys[2], result_key;
    unsigned rounds;
    uint8_t secret[32];
    struct fx_check_result result;
};

struct fx_checker {
    struct fx_jobs *jobs;
    struct fx_pool *pool;
    struct event *answers, *finished;
    struct check *running; /* main thread only */
    unsigned n_running;
    int fd; /* readable: there are requests */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct request *requests;
    bool closing;
};

/* ---- on the checker's threads ------------------------------------------------------------ */

static void notify(int fd)
{
    uint64_t one = 1;

    /* A full counter already wakes the reader. */
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static bool read_chunk(struct fx_checker *checker, const struct fx_blob_key *key, uint32_t x,
                       uint32_t y, size_t size, uint8_t *data)
{
    struct request request = {.key = key, .x = x, .y = y, .size = size, .data = data};

    pthread_mutex_lock(&checker->lock);
    if (!checker->closing) {
        request.next = checker->requests;
        checker->requests = &request;
        notify(checker->fd);
        while (!request.answered) {
            pthread_cond_wait(&checker->answered, &checker->lock);
        }
    }
    pthread_mutex_unlock(&checker->lock);
    return request.found;
}

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    struct check *check = ctx;

    (void)path; /* a check asks for none */
    return read_chunk(check->checker, &check->keys[side], panel, segment, FX_BLOCK_BYTES,
                      (uint8_t *)out);
}

static bool read_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    struct check *check = ctx;

    (void)path;
    return read_chunk(check->checker, &check->result_key, tile, 0, FX_TILE_BYTES, out);
}

/* What the entry should be, and what the result has there. */
static bool read_entry(struct check *check)
{
    struct fx_check_result *result = &check->result;
    uint32_t row = result->row, column = result->column;
    int8_t *blocks = fx_xmalloc(2 * FX_BLOCK_BYTES);
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES);
    const int8_t *a = blocks + (size_t)(row % FX_TILE) * FX_DEPTH;
    const int8_t *b = blocks + FX_BLOCK_BYTES + (size_t)(column % FX_TILE) * FX_DEPTH;
    uint32_t number = (row / FX_TILE - check->shape.row0) * check->shape.cols +
                      (column / FX_TILE - check->shape.col0);
    bool fine = read_tile(check, number, tile, NULL);

    result->expected = 0;
    for (uint32_t l = 0; fine && l < check->shape.depth; l++) {
        fine = read_block(check, FX_SIDE_A, row / FX_TILE, l, blocks, NULL) &&
               read_block(check, FX_SIDE_B, column / FX_TILE, l, blocks + FX_BLOCK_BYTES, NULL);
        for (size_t c = 0; fine && c < FX_DEPTH; c++) {
            result->expected += (int32_t)a[c] * (int32_t)b[c];
        }
    }
    if (fine) {
        size_t entry = (size_t)(row % FX_TILE) * FX_TILE + column % FX_TILE;

        result->got = (int32_t)fx_load_u32(tile + 4 * entry);
    }
    free(blocks);
    free(tile);
    return fine;
}

static void work(void *arg)
{
    struct check *check = arg;
    struct fx_source source = {.ctx = check, .read_block = read_block, .read_tile = read_tile};
    struct fx_check_result *result = &check->result;

    switch (fx_freivalds_check(&check->shape, &source, check->rounds, check->secret, NULL,
                               &result->row)) {
    case FX_FREIVALDS_EQUAL:
        result->readable = true;
        result->right = true;
        return;
    case FX_FREIVALDS_DIFFERENT:
        result->readable = true;
        break;
    case FX_FREIVALDS_UNREADABLE:
        return;
    }
    result->located = fx_freivalds_locate(&check->shape, &source, result->row, &result->column) ==
                          FX_FREIVALDS_DIFFERENT &&
                      read_entry(check);
}

/* ---- on the main thread ------------------------------------------------------------------ */

static bool answer(struct fx_checker *checker, const struct request *request)
{
    uint8_t *data = fx_xmalloc(FX_BLOB_CHUNK_MAX);
    uint8_t path[FX_BLOB_PATH_MAX * 32];
    size_t n = 0, n_path = 0;
    bool found = fx_blobs_get(checker->jobs->config.blobs, request->key, request->x, request->y,
                              data, &n, path, &n_path) &&
                 n == request->size;

    if (found) {
        memcpy(request->data, data, n);
    }
    free(data);
    return found;
}

static void answer_all(struct fx_checker *checker, bool closing)
{
    struct request *request;

    pthread_mutex_lock(&checker->lock);
    checker->closing = closing;
    while ((request = checker->requests) != NULL) {
        checker->requests = request->next;
        /* Its check sleeps until it is answered: the request stays. */
        pthread_mutex_unlock(&checker->lock);
        request->found = !closing && answer(checker, request);
        pthread_mutex_lock(&checker->lock);
        request->answered = true;
    }
    pthread_cond_broadcast(&checker->answered);
    pthread_mutex_unlock(&checker->lock);
}

static void on_requests(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) == (ssize_t)sizeof count) {
        answer_all(arg, false);
    }
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct fx_checker *checker = arg;

    (void)fd;
    (void)what;
    fx_pool_drain(checker->pool);
}

static void done(void *arg)
{
    struct check *check = arg;
    struct fx_checker *checker = check->checker;
    struct check **at = &checker->running;

    while (*at != check) {
        at = &(*at)->next;
    }
    *at = check->next;
    checker->n_running--;
    fx_watcher_checked(checker->jobs, &check->result);
    free(check);
}

bool fx_checker_is_running(const struct fx_checker *checker, const struct fx_hash *program)
{
    for (const struct check *check = checker->running; check != NULL; check = check->next) {
        if (fx_hash_equal(&check->result.program, program)) {
            return true;
        }
    }
    return false;
}

bool fx_checker_start(struct fx_checker *checker, const struct fx_book_task *task)
{
    struct fx_blob_shape shape;
    struct check *check;

    if (checker->n_running >= fx_pool_threads(checker->pool)) {
        return false;
    }
    check = fx_xcalloc(1, sizeof *check);
    check->checker = checker;
    check->shape = task->shape;
    check->rounds = checker->jobs->config.freivalds_rounds;
    if (check->rounds > FX_FREIVALDS_ROUNDS_MAX) {
        check->rounds = FX_FREIVALDS_ROUNDS_MAX;
    }
    fx_book_operand(task->job, FX_SIDE_A, &check->keys[FX_SIDE_A], &shape);
    fx_book_operand(task->job, FX_SIDE_B, &check->keys[FX_SIDE_B], &shape);
    fx_book_result(task, &check->result_key, &shape);
    fx_random_bytes(check->secret, sizeof check->secret);
    check->result.rounds = (uint8_t)check->rounds;
    check->result.origin = task->origin;
    check->result.program = task->state.program;
    check->next = checker->running;
    checker->running = check;
    checker->n_running++;
    fx_pool_submit(checker->pool, work, done, check);
    return true;
}

struct fx_checker *fx_checker_create(struct fx_jobs *jobs)
{
    struct fx_checker *checker = fx_xcalloc(1, sizeof *checker);
    unsigned threads = (fx_pool_threads(jobs->config.pool) + 1) / 2;

    checker->jobs = jobs;
    pthread_mutex_init(&checker->lock, NULL);
    pthread_cond_init(&checker->answered, NULL);
    checker->pool = fx_pool_create(threads > 0 ? threads : 1);
    checker->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (checker->fd >= 0) {
        checker->answers =
            event_new(jobs->config.base, checker->fd, EV_READ | EV_PERSIST, on_requests, checker);
    }
    checker->finished = event_new(jobs->config.base, fx_pool_fd(checker->pool),
                                  EV_READ | EV_PERSIST, on_finished, checker);
    if (checker->answers == NULL || checker->finished == NULL ||
        event_add(checker->answers, NULL) != 0 || event_add(checker->finished, NULL) != 0) {
        fx_checker_destroy(checker);
        return NULL;
    }
    return checker;
}

void fx_checker_destroy(struct fx_checker *checker)
{
    struct check *check;

    if (checker == NULL) {
        return;
    }
    answer_all(checker, true);
    fx_pool_destroy(checker->pool);
    while ((check = checker->running) != NULL) {
        checker->running = check->next;
        free(check);
    }
    if (checker->answers != NULL) {
        event_free(checker->answers);
    }
    if (checker->finished != NULL) {
        event_free(checker->finished);
    }
    if (checker->fd >= 0) {
        close(checker->fd);
    }
    pthread_mutex_destroy(&checker->lock);
    pthread_cond_destroy(&checker->answered);
    free(checker);
}
