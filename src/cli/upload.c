/* Operands over HTTP: PUT /blob/operand, piece by piece. */
#include "src/cli/upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define TILE 128
#define PIECE_MAX ((size_t)2 << 20)
#define RETRIES 30 /* of a connection that broke, a second apart */

void fx_upload_name(const struct fx_matrix *m, uint64_t part, char id[65])
{
    struct fx_sha256 ctx;
    uint8_t hash[32], shape[16];
    const size_t panel_bytes = TILE * (size_t)fx_matrix_padded_depth(m, part);
    int8_t *panel = fx_xmalloc(panel_bytes);
    fx_store_u64(shape, m->padded_rows);
    fx_store_u64(shape + 8, fx_matrix_padded_depth(m, part));
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, shape, sizeof(shape));
    for (uint64_t row = 0; row < m->padded_rows; row += TILE) {
        fx_matrix_panel(m, part, row, panel);
        fx_sha256_update(&ctx, panel, panel_bytes);
    }
    free(panel);
    fx_sha256_final(&ctx, hash);
    fx_hex_encode(hash, sizeof(hash), id);
}

/* A line that is written over, on a terminal; else the last one alone. */
static void progress(const struct fx_matrix *m, uint64_t done, uint64_t total, int64_t started_ms)
{
    bool terminal = isatty(STDERR_FILENO);
    int64_t ms = fx_clock_monotonic_ms() - started_ms;
    if (!terminal && done < total) {
        return;
    }
    fprintf(stderr, "%s%s: uploaded %" PRIu64 " of %" PRIu64 " bytes (%.0f%%, %.1f MiB/s)%s",
            terminal ? "\r" : "", m->path, done, total, 100.0 * (double)done / (double)total,
            ms > 0 ? (double)done / 1048.576 / (double)ms : 0.0,
            terminal && done < total ? "  " : "\n");
}

struct upload {
    struct fx_rpc_client *client;
    const struct fx_matrix *m;
    uint64_t part, depth; /* depth: with padding */
    char id[65];
    uint64_t total, received;
    int8_t *panel;     /* the one that `received` lies in */
    uint64_t panel_at; /* its first row; UINT64_MAX: none */
    char *error;
};

static bool fail_reply(struct upload *u, const struct fx_http_reply *reply)
{
    json_error_t where;
    if (reply->status != FX_RPC_OK) {
        snprintf(u->error, FX_MATRIX_ERROR, "%.400s", reply->message ? reply->message : "");
        return false;
    }
    json_t *json = json_loadb((const char *)reply->body.data, reply->body.len, 0, &where);
    const char *text = json_string_value(json_object_get(json, "error"));
    if (reply->http == 507) {
        snprintf(u->error, FX_MATRIX_ERROR,
                 "the node says: %.100s; %.200s is there up to byte %" PRIu64 " of %" PRIu64
                 ", and the same command goes on from there once there is room",
                 text ? text : "no room", u->m->path, u->received, u->total);
    } else if (text) {
        snprintf(u->error, FX_MATRIX_ERROR, "uploading %.200s: %.200s", u->m->path, text);
    } else {
        snprintf(u->error, FX_MATRIX_ERROR, "uploading %.200s: Server returned HTTP error %d",
                 u->m->path, reply->http);
    }
    json_decref(json);
    return false;
}

static bool broken(enum fx_rpc_status status)
{
    return status == FX_RPC_CONNECT || status == FX_RPC_BROKEN || status == FX_RPC_TIMEOUT ||
           status == FX_RPC_WARMUP;
}

/* Sends bytes at u->received (none: asks how far the upload is) and takes over what the node says
 * that it has. The first request is not repeated: a node that is not there is told at once. */
static bool put(struct upload *u, const void *data, size_t n, bool first)
{
    char target[256];
    struct fx_http_reply reply;
    for (unsigned attempt = 0;; attempt++) {
        snprintf(target, sizeof(target),
                 "/blob/operand?upload=%s&rows=%" PRIu64 "&k=%" PRIu64 "&offset=%" PRIu64, u->id,
                 u->m->padded_rows, u->depth, u->received);
        fx_rpc_client_request(u->client, "PUT", target, data, n, NULL, 65536, &reply);
        if (!broken(reply.status) || first || attempt == RETRIES) {
            break;
        }
        fx_http_reply_clear(&reply);
        fx_clock_sleep_ms(1000);
    }
    json_error_t where;
    bool ok = reply.status == FX_RPC_OK && (reply.http == 200 || reply.http == 409);
    json_t *json = ok ? json_loadb((const char *)reply.body.data, reply.body.len, 0, &where) : NULL;
    const json_t *received = json_object_get(json, "received");
    if (json_is_integer(received) && json_integer_value(received) >= 0 &&
        (uint64_t)json_integer_value(received) <= u->total) {
        u->received = (uint64_t)json_integer_value(received);
    } else {
        ok = fail_reply(u, &reply);
    }
    json_decref(json);
    fx_http_reply_clear(&reply);
    return ok;
}

/* The next piece: within one panel. */
static bool put_next(struct upload *u)
{
    uint64_t panel_bytes = TILE * u->depth;
    uint64_t row = u->received / panel_bytes * TILE;
    size_t from = (size_t)(u->received % panel_bytes);
    size_t n = (size_t)panel_bytes - from;
    if (row != u->panel_at) {
        fx_matrix_panel(u->m, u->part, row, u->panel);
        u->panel_at = row;
    }
    return put(u, u->panel + from, n < PIECE_MAX ? n : PIECE_MAX, false);
}

static bool finish(struct upload *u, char root[65])
{
    char target[128];
    struct fx_http_reply reply;
    json_error_t where;
    snprintf(target, sizeof(target), "/blob/operand/finish?upload=%s", u->id);
    fx_rpc_client_request(u->client, "POST", target, NULL, 0, NULL, 65536, &reply);
    json_t *json = reply.status == FX_RPC_OK && reply.http == 200
                       ? json_loadb((const char *)reply.body.data, reply.body.len, 0, &where)
                       : NULL;
    const char *text = json_string_value(json_object_get(json, "root"));
    bool ok = text && strlen(text) == 64;
    if (ok) {
        memcpy(root, text, 65);
    } else {
        fail_reply(u, &reply);
    }
    json_decref(json);
    fx_http_reply_clear(&reply);
    return ok;
}

bool fx_upload_run(struct fx_rpc_client *client, const struct fx_matrix *m, uint64_t part,
                   char root[65], char error[FX_MATRIX_ERROR])
{
    struct upload u = {.client = client, .m = m, .part = part, .panel_at = UINT64_MAX};
    int64_t started = fx_clock_monotonic_ms();
    u.error = error;
    u.depth = fx_matrix_padded_depth(m, part);
    u.total = m->padded_rows * u.depth;
    u.panel = fx_xmalloc(TILE * (size_t)u.depth);
    fx_upload_name(m, part, u.id);
    bool ok = put(&u, NULL, 0, true);
    if (ok && u.received == u.total) {
        fprintf(stderr, "%s: the node has it already\n", m->path);
    } else if (ok && u.received > 0) {
        fprintf(stderr, "%s: going on at byte %" PRIu64 "\n", m->path, u.received);
    }
    while (ok && u.received < u.total) {
        ok = put_next(&u);
        if (ok) {
            progress(m, u.received, u.total, started);
        }
    }
    free(u.panel);
    return ok && finish(&u, root);
}
