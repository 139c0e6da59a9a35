/* GET /job/ID/result.npy: a job's result as a stream, some rows in memory at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "src/rpc/topics_int.h"
#include "src/util/mem.h"
#include "src/util/npy.h"

#define PIECE_BYTES (256u << 10)

struct fx_rpc_stream {
    struct fx_rpc *rpc;
    struct fx_rpc_stream *next;
    struct evhttp_request *req;
    struct fx_hash job;
    size_t number; /* of the product */
    struct fx_job_product product;
    bool partial;
    uint32_t row;
    uint32_t at_once; /* rows */
    int64_t *sums;    /* of as many */
    uint8_t *piece;   /* the same as they are sent */
};

/* ---- entries -----------------------------------------------------------------------------------
 */

const char *fx_rpc_type_name(enum fx_job_type type)
{
    static const char *const names[] = {"int32", "int64", "float64"};
    return names[type];
}

const char *fx_rpc_type_dtype(enum fx_job_type type)
{
    static const char *const dtypes[] = {"<i4", "<i8", "<f8"};
    return dtypes[type];
}

size_t fx_rpc_type_bytes(enum fx_job_type type)
{
    return type == FX_TYPE_INT32 ? 4 : 8;
}

void fx_rpc_entries(const struct fx_job_product *product, const int64_t *sums, size_t n,
                    uint8_t *out)
{
    const double scale = product->scale_a * product->scale_b;
    for (size_t i = 0; i < n; i++) {
        double value = (double)sums[i] / scale;
        uint64_t bits = (uint64_t)sums[i];
        switch (product->type) {
        case FX_TYPE_INT32:
            fx_store_u32(out + 4 * i, (uint32_t)bits);
            break;
        case FX_TYPE_FLOAT64:
            memcpy(&bits, &value, sizeof(bits));
            fx_store_u64(out + 8 * i, bits);
            break;
        case FX_TYPE_INT64:
            fx_store_u64(out + 8 * i, bits);
            break;
        }
    }
}

/* ---- the stream --------------------------------------------------------------------------------
 */

static void stream_free(struct fx_rpc_stream *s)
{
    struct fx_rpc_stream **at = &s->rpc->streams;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    free(s->sums);
    free(s->piece);
    free(s);
}

/* The other side has gone: the request is ours to end. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct fx_rpc_stream *s = arg;
    struct evhttp_request *req = s->req;
    (void)connection;
    stream_free(s);
    if (!evhttp_request_get_connection(req)) {
        evhttp_send_reply_end(req);
    }
}

static void stream_next(struct evhttp_connection *connection, void *arg)
{
    struct fx_rpc_stream *s = arg;
    struct fx_jobs_error error;
    uint32_t left = s->product.rows - s->row, count = left < s->at_once ? left : s->at_once;
    size_t n = (size_t)count * s->product.columns;
    if (count == 0) {
        struct evhttp_request *req = s->req;
        evhttp_connection_set_closecb(connection, NULL, NULL);
        stream_free(s);
        evhttp_send_reply_end(req);
        return;
    }
    if (!fx_jobs_result_rows(s->rpc->config.jobs, &s->job, s->number, s->row, count, s->partial,
                             s->sums, &error)) {
        /* The length was announced: only the end of the connection says that it is not kept. */
        evhttp_connection_set_closecb(connection, NULL, NULL);
        stream_free(s);
        evhttp_connection_free(connection);
        return;
    }
    struct evbuffer *body = evbuffer_new();
    fx_rpc_entries(&s->product, s->sums, n, s->piece);
    evbuffer_add(body, s->piece, n * fx_rpc_type_bytes(s->product.type));
    s->row += count;
    evhttp_send_reply_chunk_with_cb(s->req, body, stream_next, s);
    evbuffer_free(body);
}

struct wanted {
    struct fx_hash job;
    uint64_t number; /* of the product */
    bool partial;
};

static void stream_start(struct fx_rpc *rpc, struct evhttp_request *req,
                         const struct wanted *wanted, const struct fx_job_product *product)
{
    uint8_t header[256];
    char length[32];
    size_t n =
        fx_npy_header(header, fx_rpc_type_dtype(product->type), product->rows, product->columns);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct fx_rpc_stream *s = fx_xcalloc(1, sizeof(*s));
    size_t row_bytes = product->columns * fx_rpc_type_bytes(product->type);
    s->rpc = rpc;
    s->req = req;
    s->job = wanted->job;
    s->number = (size_t)wanted->number;
    s->partial = wanted->partial;
    s->product = *product;
    s->at_once = row_bytes < PIECE_BYTES ? (uint32_t)(PIECE_BYTES / row_bytes) : 1;
    s->sums = fx_xcalloc((size_t)s->at_once * product->columns, sizeof(*s->sums));
    s->piece = fx_xcalloc(s->at_once, row_bytes);
    s->next = rpc->streams;
    rpc->streams = s;
    snprintf(length, sizeof(length), "%" PRIu64, n + (uint64_t)product->rows * row_bytes);
    evhttp_add_header(headers, "Content-Type", "application/octet-stream");
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, s);
    evhttp_send_reply_start(req, 200, NULL);
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, header, n);
    evhttp_send_reply_chunk_with_cb(req, body, stream_next, s);
    evbuffer_free(body);
}

static void answer_missing(struct evhttp_request *req, const struct fx_job_info *info)
{
    char text[200];
    if (info->status == FX_JOB_CANCELLED) {
        fx_rpc_answer_error(req, 409, "The job was cancelled: it has no result", -1);
        return;
    }
    if (info->status == FX_JOB_PENDING) {
        fx_rpc_answer_error(req, 409, "The result is not here yet: the job waits for a block", -1);
        return;
    }
    snprintf(text, sizeof(text),
             "The result is not here yet: of %zu tasks %zu are settled, %zu claimed, %zu open, "
             "%zu refunded; results found wrong: %zu",
             info->n_tasks, info->n_settled, info->n_claimed + info->n_challenged,
             info->n_open + info->n_waiting, info->n_refunded, info->n_wrong);
    fx_rpc_answer_error(req, 409, text, -1);
}

/* product=N and partial=1; false: answered. */
static bool read_query(struct evhttp_request *req, const char *text, struct wanted *wanted)
{
    struct evkeyvalq query;
    char *end = NULL;
    TAILQ_INIT(&query);
    if (text && evhttp_parse_query_str(text, &query) != 0) {
        fx_rpc_answer_error(req, 400, "The query does not parse", -1);
        return false;
    }
    const char *number = evhttp_find_header(&query, "product");
    const char *partial = evhttp_find_header(&query, "partial");
    wanted->number = number ? strtoull(number, &end, 10) : 0;
    bool fine = !number || (*number >= '0' && *number <= '9' && *end == 0);
    wanted->partial = partial && strcmp(partial, "1") == 0;
    evhttp_clear_headers(&query);
    if (!fine) {
        fx_rpc_answer_error(req, 400, "product is a number", -1);
    }
    return fine;
}

void fx_rpc_serve_job(struct fx_rpc *rpc, struct evhttp_request *req, const char *path,
                      const char *query)
{
    char id[FX_HASH_HEX];
    struct wanted wanted = {.number = 0};
    struct fx_job_info info;
    struct fx_job_product product;
    struct fx_job_rect *missing = NULL;
    if (strlen(path) < 64 || strcmp(path + 64, "/result.npy") != 0) {
        fx_rpc_answer_error(req, 404, "/job/ID/result.npy is known", -1);
        return;
    }
    if (evhttp_request_get_command(req) != EVHTTP_REQ_GET) {
        fx_rpc_answer_error(req, 405, "GET is known", -1);
        return;
    }
    memcpy(id, path, 64);
    id[64] = 0;
    if (!fx_hash_from_id(&wanted.job, id) || !fx_jobs_get(rpc->config.jobs, &wanted.job, &info)) {
        fx_rpc_answer_error(req, 404, "No such job", -1);
        return;
    }
    if (!read_query(req, query, &wanted)) {
        return;
    }
    if (!fx_jobs_product(rpc->config.jobs, &wanted.job, (size_t)wanted.number, &product)) {
        fx_rpc_answer_error(req, 404, "The job has no such product", -1);
        return;
    }
    size_t n = fx_jobs_missing(rpc->config.jobs, &wanted.job, (size_t)wanted.number, &missing);
    free(missing);
    if (n > 0 && !wanted.partial) {
        answer_missing(req, &info);
        return;
    }
    stream_start(rpc, req, &wanted, &product);
}

void fx_rpc_streams_end(struct fx_rpc *rpc)
{
    while (rpc->streams) {
        struct evhttp_connection *connection = evhttp_request_get_connection(rpc->streams->req);
        if (connection) {
            evhttp_connection_set_closecb(connection, NULL, NULL);
        }
        stream_free(rpc->streams);
    }
}
