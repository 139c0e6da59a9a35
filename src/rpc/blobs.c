/*
 * Operands and results over HTTP, with the same credentials as calls:
 *
 *     PUT  /blob/operand?upload=ID&rows=R&k=K&offset=N          body: the next bytes, at most 4 MiB
 *     POST /blob/operand/finish?upload=ID                       {"root": hex}
 *     PUT  /blob/result?upload=ID&rows=R&cols=C&solver=KEY&offset=N    R, C in tiles
 *     POST /blob/result/finish?upload=ID
 *     GET  /blob/operand/ROOT                                   what is here of it
 *     GET  /blob/operand/ROOT?x=I&y=L[&count=N]                 bytes of N chunks from (I, L) on
 *     GET  /blob/result/ROOT?x=TILE[&count=N][&solver=KEY]    the same root under another key is
 *                                                             another result
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "src/iface/blobs.h"
#include "src/rpc/rpc_int.h"
#include "src/util/mem.h"

#define PIECE_MAX (4u << 20)

struct blob_request {
    struct fx_rpc *rpc;
    struct evhttp_request *req;
    enum fx_blob_type type;
    struct evkeyvalq query;
};

/* A whole number of the query; false where it is missing (unless there is a fallback) or wrong. */
static bool query_number(struct blob_request *b, const char *name, uint64_t max, int64_t fallback,
                         uint64_t *out)
{
    const char *s = evhttp_find_header(&b->query, name);
    char *end = NULL;
    if (!s && fallback >= 0) {
        *out = (uint64_t)fallback;
        return true;
    }
    if (!s || *s < '0' || *s > '9' || strlen(s) > 18) {
        return false;
    }
    *out = strtoull(s, &end, 10);
    return *end == 0 && *out <= max;
}

static const char *query_upload(struct blob_request *b)
{
    const char *id = evhttp_find_header(&b->query, "upload");
    size_t n = id ? strlen(id) : 0;
    if (n == 0 || n >= FX_UPLOAD_ID || strspn(id, "0123456789abcdefABCDEF") != n) {
        return NULL;
    }
    return id;
}

static bool query_shape(struct blob_request *b, struct fx_blob_shape *shape)
{
    uint64_t rows, cols;
    memset(shape, 0, sizeof(*shape));
    bool operand = b->type == FX_BLOB_OPERAND;
    if (!query_number(b, "rows", UINT32_MAX, -1, &rows) ||
        !query_number(b, operand ? "k" : "cols", UINT32_MAX, -1, &cols)) {
        return false;
    }
    shape->rows = (uint32_t)rows;
    shape->cols = (uint32_t)cols;
    if (operand) {
        return true;
    }
    const char *solver = evhttp_find_header(&b->query, "solver");
    return solver && fx_hash_from_hex(&shape->solver, solver);
}

static void answer_upload(struct evhttp_request *req, enum fx_upload status, uint64_t received)
{
    json_t *out;
    switch (status) {
    case FX_UPLOAD_OK:
        out = json_object();
        fx_json_set(out, "received", json_integer((json_int_t)received));
        fx_rpc_answer(req, 200, out);
        return;
    case FX_UPLOAD_OFFSET:
        fx_rpc_answer_error(req, 409, "The upload goes on at another offset", (int64_t)received);
        return;
    case FX_UPLOAD_SHAPE:
        fx_rpc_answer_error(
            req, 400, "Not a shape of this type, or the upload id is known with another shape", -1);
        return;
    case FX_UPLOAD_FULL:
        fx_rpc_answer_error(req, 507, "No disk space", (int64_t)received);
        return;
    case FX_UPLOAD_LIMIT:
        fx_rpc_answer_error(req, 507, "No room under -maxblobs", (int64_t)received);
        return;
    case FX_UPLOAD_FAILED:
        fx_rpc_answer_error(req, 500, "The node could not write to its disk; see debug.log", -1);
        return;
    }
}

static void put_piece(struct blob_request *b)
{
    struct fx_blobs *blobs = b->rpc->config.blobs;
    struct evbuffer *in = evhttp_request_get_input_buffer(b->req);
    size_t n = evbuffer_get_length(in);
    const char *id = query_upload(b);
    struct fx_blob_shape shape;
    uint64_t offset, received = 0;
    if (n > PIECE_MAX) {
        fx_rpc_answer_error(b->req, 413, "A piece has at most 4 MiB", -1);
        return;
    }
    if (!id || !query_shape(b, &shape) || !query_number(b, "offset", INT64_MAX, 0, &offset)) {
        fx_rpc_answer_error(b->req, 400,
                            b->type == FX_BLOB_OPERAND
                                ? "upload (hex), rows, k and offset are expected"
                                : "upload (hex), rows, cols, solver and offset are expected",
                            -1);
        return;
    }
    enum fx_upload status = fx_upload_open(blobs, id, b->type, &shape, &received);
    if (status == FX_UPLOAD_OK && n > 0) { /* without a body it asks how far the upload is */
        const uint8_t *data = evbuffer_pullup(in, -1);
        status = offset == received
                     ? fx_upload_write(blobs, id, offset, (struct fx_span){data, n}, &received)
                     : FX_UPLOAD_OFFSET;
    }
    answer_upload(b->req, status, received);
}

static void post_finish(struct blob_request *b)
{
    const char *id = query_upload(b);
    struct fx_hash root;
    if (!id) {
        fx_rpc_answer_error(b->req, 400, "upload (hex) is expected", -1);
        return;
    }
    enum fx_upload status = fx_upload_finish(b->rpc->config.blobs, id, &root);
    if (status == FX_UPLOAD_OK) {
        json_t *out = json_object();
        fx_json_set(out, "root", fx_json_root(&root));
        fx_rpc_answer(b->req, 200, out);
    } else if (status == FX_UPLOAD_OFFSET) {
        fx_rpc_answer_error(b->req, 409, "Bytes are missing", -1);
    } else if (status == FX_UPLOAD_SHAPE) {
        fx_rpc_answer_error(b->req, 404, "No such upload", -1);
    } else {
        answer_upload(b->req, status, 0);
    }
}

static void get_info(struct blob_request *b, const struct fx_blob_key *key)
{
    struct fx_blob_shape shape = {0};
    uint64_t chunks = 0, have = 0;
    if (!fx_blobs_info(b->rpc->config.blobs, key, &shape, &chunks, &have)) {
        fx_rpc_answer_error(b->req, 404, "Not here", -1);
        return;
    }
    json_t *out = json_object();
    fx_json_set(out, "root", fx_json_root(&key->root));
    fx_json_set(out, "rows", json_integer(shape.rows));
    if (key->type == FX_BLOB_OPERAND) {
        fx_json_set(out, "k", json_integer(shape.cols));
    } else {
        fx_json_set(out, "cols", json_integer(shape.cols));
        fx_json_set(out, "solver", fx_json_root(&shape.solver));
    }
    fx_json_set(out, "chunks", json_integer((json_int_t)chunks));
    fx_json_set(out, "have", json_integer((json_int_t)have));
    fx_json_set(out, "complete", json_boolean(have == chunks));
    fx_rpc_answer(b->req, 200, out);
}

static void get_chunks(struct blob_request *b, const struct fx_blob_key *key)
{
    struct fx_blobs *blobs = b->rpc->config.blobs;
    struct fx_blob_shape shape = {0};
    uint64_t chunks, have, x, y, count;
    bool operand = key->type == FX_BLOB_OPERAND;
    const size_t size = operand ? FX_BLOCK_BYTES : FX_TILE_BYTES;
    if (!query_number(b, "x", UINT32_MAX, -1, &x) || !query_number(b, "y", UINT32_MAX, 0, &y) ||
        !query_number(b, "count", PIECE_MAX / size, 1, &count)) {
        fx_rpc_answer_error(b->req, 400, "x, y and count (4 MiB at most) are expected", -1);
        return;
    }
    if (!fx_blobs_info(blobs, key, &shape, &chunks, &have)) {
        fx_rpc_answer_error(b->req, 404, "Not here", -1);
        return;
    }
    const uint64_t width = operand ? shape.cols / FX_DEPTH : 1;
    uint8_t *path = fx_xmalloc(FX_BLOB_PATH_MAX * 32);
    uint8_t *data = fx_xmalloc(FX_BLOB_CHUNK_MAX);
    struct evbuffer *body = evbuffer_new();
    bool ok = y < width;
    for (uint64_t c = 0; ok && c < count; c++) {
        uint64_t at = y + c;
        size_t n = 0, n_path = 0;
        ok = fx_blobs_get(blobs, key, (uint32_t)(x + at / width), (uint32_t)(at % width), data, &n,
                          path, &n_path);
        if (ok) {
            evbuffer_add(body, data, n);
        }
    }
    free(path);
    free(data);
    if (ok) {
        evhttp_add_header(evhttp_request_get_output_headers(b->req), "Content-Type",
                          "application/octet-stream");
        evhttp_send_reply(b->req, 200, NULL, body);
    } else {
        fx_rpc_answer_error(b->req, 404, "Not here", -1);
    }
    evbuffer_free(body);
}

/* Completes a result's key by the solver of one that is here. */
static bool same_root(void *ctx, const struct fx_blob_key *found)
{
    struct fx_blob_key *key = ctx;
    if (found->type != key->type || !fx_hash_equal(&found->root, &key->root)) {
        return true;
    }
    *key = *found;
    return false;
}

static void get_blob(struct blob_request *b, const char *root)
{
    struct fx_blob_key key = {.type = b->type};
    const char *solver = evhttp_find_header(&b->query, "solver");
    if (!fx_hash_from_hex(&key.root, root)) {
        fx_rpc_answer_error(b->req, 404, "A root has 64 hex digits", -1);
        return;
    }
    if (b->type == FX_BLOB_RESULT && !solver) {
        (void)fx_blobs_each(b->rpc->config.blobs, same_root, &key);
    } else if (b->type == FX_BLOB_RESULT && !fx_hash_from_hex(&key.solver, solver)) {
        fx_rpc_answer_error(b->req, 404, "A solver's key has 64 hex digits", -1);
        return;
    }
    if (evhttp_find_header(&b->query, "x")) {
        get_chunks(b, &key);
    } else {
        get_info(b, &key);
    }
}

void fx_rpc_serve_blob(struct fx_rpc *rpc, struct evhttp_request *req, const char *path,
                       const char *query)
{
    struct blob_request b = {.rpc = rpc, .req = req};
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    size_t n = strcspn(path, "/");
    const char *rest = path[n] ? path + n + 1 : "";
    bool operand = n == 7 && memcmp(path, "operand", 7) == 0;
    if (!operand && !(n == 6 && memcmp(path, "result", 6) == 0)) {
        fx_rpc_answer_error(req, 404, "/blob/operand and /blob/result are known", -1);
        return;
    }
    b.type = operand ? FX_BLOB_OPERAND : FX_BLOB_RESULT;
    TAILQ_INIT(&b.query);
    if (query && evhttp_parse_query_str(query, &b.query) != 0) {
        fx_rpc_answer_error(req, 400, "The query does not parse", -1);
        return;
    }
    if (method == EVHTTP_REQ_PUT && *rest == 0) {
        put_piece(&b);
    } else if (method == EVHTTP_REQ_POST && strcmp(rest, "finish") == 0) {
        post_finish(&b);
    } else if (method == EVHTTP_REQ_GET && *rest) {
        get_blob(&b, rest);
    } else {
        fx_rpc_answer_error(req, 405, "PUT, POST .../finish and GET .../ROOT are known", -1);
    }
    evhttp_clear_headers(&b.query);
}
