/* GET /job/ID/result.npy: a job's result as a stream, some rows in memory at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "src/rpc/topics_int.h"
#include "src/util/mem.h"
#include "src/util/npy.h"

#define PIECE_BYTES (256u << 10)

struct fx_rpc_stream {
    struct fx_rpc *rpc;
    struct fx_rpc_stream *next;
    struct evhttp_request *req;
    struct fx_hash job;
    uint32_t row, rows, columns;
    uint32_t at_once; /* rows */
    int32_t *piece;
};

static void stream_free(struct fx_rpc_stream *s)
{
    struct fx_rpc_stream **at = &s->rpc->streams;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
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
    uint32_t count = s->rows - s->row < s->at_once ? s->rows - s->row : s->at_once;
    if (count == 0) {
        struct evhttp_request *req = s->req;
        evhttp_connection_set_closecb(connection, NULL, NULL);
        stream_free(s);
        evhttp_send_reply_end(req);
        return;
    }
    if (!fx_jobs_result_rows(s->rpc->config.jobs, &s->job, s->row, count, s->piece, &error)) {
        /* The length was announced: only the end of the connection says that it is not kept. */
        evhttp_connection_set_closecb(connection, NULL, NULL);
        stream_free(s);
        evhttp_connection_free(connection);
        return;
    }
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, s->piece, (size_t)count * s->columns * sizeof(*s->piece));
    s->row += count;
    evhttp_send_reply_chunk_with_cb(s->req, body, stream_next, s);
    evbuffer_free(body);
}

static void stream_start(struct fx_rpc *rpc, struct evhttp_request *req, const struct fx_hash *job,
                         const struct fx_job_info *info)
{
    uint8_t header[256];
    char length[32];
    size_t n = fx_npy_header(header, "<i4", info->rows, info->columns);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct fx_rpc_stream *s = fx_xcalloc(1, sizeof(*s));
    size_t row_bytes = (size_t)info->columns * sizeof(*s->piece);
    s->rpc = rpc;
    s->req = req;
    s->job = *job;
    s->rows = info->rows;
    s->columns = info->columns;
    s->at_once = row_bytes < PIECE_BYTES ? (uint32_t)(PIECE_BYTES / row_bytes) : 1;
    s->piece = fx_xcalloc(s->at_once, row_bytes);
    s->next = rpc->streams;
    rpc->streams = s;
    snprintf(length, sizeof(length), "%" PRIu64, n + (uint64_t)info->rows * row_bytes);
    evhttp_add_header(headers, "Content-Type", "application/octet-stream");
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, s);
    evhttp_send_reply_start(req, 200, NULL);
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, header, n);
    evhttp_send_reply_chunk_with_cb(req, body, stream_next, s);
    evbuffer_free(body);
}

void fx_rpc_serve_job(struct fx_rpc *rpc, struct evhttp_request *req, const char *path)
{
    char id[FX_HASH_HEX];
    struct fx_hash job;
    struct fx_job_info info;
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
    if (!fx_hash_from_id(&job, id) || !fx_jobs_get(rpc->config.jobs, &job, &info)) {
        fx_rpc_answer_error(req, 404, "No such job", -1);
        return;
    }
    if (!info.result_here) {
        char text[200];
        snprintf(text, sizeof(text),
                 "The result is not here yet: of %zu tasks %zu are settled, %zu claimed, %zu open, "
                 "%zu refunded; results found wrong: %zu",
                 info.n_tasks, info.n_settled, info.n_claimed + info.n_challenged, info.n_open,
                 info.n_refunded, info.n_wrong);
        fx_rpc_answer_error(req, 409, text, -1);
        return;
    }
    stream_start(rpc, req, &job, &info);
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
