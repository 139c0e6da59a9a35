/* JSON-RPC calls and plain requests with credentials, over one connection that is kept. */
#include "src/rpcclient/rpcclient.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/zero.h"
#include "src/rpcclient/http_int.h"
#include "src/sys/file.h"
#include "src/util/base64.h"
#include "src/util/mem.h"

#define JSON_BODY_MAX ((size_t)1 << 30)
#define ERROR_BODY_MAX ((size_t)1 << 20) /* of an answer to a request whose body goes to a sink */
#define COOKIE_MAX 1024
#define RPC_IN_WARMUP (-28)

struct fx_rpc_client {
    char *host, *user, *password, *cookie_file, *wallet;
    uint16_t port;
    unsigned connect_timeout_ms, timeout_ms;
    struct fx_http_conn conn;
    char *authorization; /* header line; NULL: not made yet */
    uint64_t next_id;
};

static char *copy(const char *s)
{
    return s ? fx_xstrdup(s) : NULL;
}

static void secret_free(char *s)
{
    if (s) {
        fx_secure_zero(s, strlen(s));
        free(s);
    }
}

struct fx_rpc_client *fx_rpc_client_create(const struct fx_rpc_client_config *config)
{
    struct fx_rpc_client *client = fx_xcalloc(1, sizeof(*client));
    client->host = fx_xstrdup(config->host ? config->host : "127.0.0.1");
    client->port = config->port;
    client->user = copy(config->user);
    client->password = copy(config->password);
    client->cookie_file = copy(config->cookie_file);
    client->wallet = copy(config->wallet);
    client->connect_timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms : 5000;
    fx_http_conn_init(&client->conn);
    client->conn.cancel = config->cancel;
    fx_rpc_client_set_timeout(client, config->timeout_ms);
    return client;
}

void fx_rpc_client_destroy(struct fx_rpc_client *client)
{
    if (!client) {
        return;
    }
    fx_http_conn_close(&client->conn);
    free(client->host);
    free(client->user);
    secret_free(client->password);
    free(client->cookie_file);
    free(client->wallet);
    secret_free(client->authorization);
    free(client);
}

void fx_rpc_client_set_wallet(struct fx_rpc_client *client, const char *wallet)
{
    free(client->wallet);
    client->wallet = copy(wallet);
}

void fx_rpc_client_set_timeout(struct fx_rpc_client *client, unsigned timeout_ms)
{
    client->timeout_ms = timeout_ms ? timeout_ms : 900000;
    client->conn.timeout_ms = client->timeout_ms;
}

void fx_http_escape(struct fx_buf *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        if (plain) {
            fx_buf_u8(out, *p);
        } else {
            fx_buf_u8(out, '%');
            fx_buf_u8(out, (uint8_t)digits[*p >> 4]);
            fx_buf_u8(out, (uint8_t)digits[*p & 15]);
        }
    }
}

/* False: there is no cookie. */
static bool make_authorization(struct fx_rpc_client *client)
{
    struct fx_buf plain = FX_BUF_INIT;
    struct fx_buf line = FX_BUF_INIT;
    if (client->password) {
        fx_buf_printf(&plain, "%s:%s", client->user ? client->user : "", client->password);
    } else {
        uint8_t *cookie = NULL;
        size_t n = 0;
        if (!client->cookie_file || !fx_file_read(client->cookie_file, COOKIE_MAX, &cookie, &n)) {
            return false;
        }
        while (n > 0 && (cookie[n - 1] == '\n' || cookie[n - 1] == '\r')) {
            n--;
        }
        fx_buf_bytes(&plain, cookie, n);
        fx_secure_zero(cookie, n);
        free(cookie);
    }
    fx_buf_str(&line, "Authorization: Basic ");
    fx_base64_encode(&line, plain.data, plain.len);
    fx_buf_str(&line, "\r\n");
    fx_buf_u8(&line, 0);
    secret_free(client->authorization);
    client->authorization = (char *)fx_buf_steal(&line, NULL);
    if (plain.len > 0) {
        fx_secure_zero(plain.data, plain.len);
    }
    fx_buf_clear(&plain);
    return true;
}

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
    char *out = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&out, format, args);
    va_end(args);
    return n < 0 ? fx_xstrdup("out of memory") : out;
}

/* Where the body of an answer goes. */
struct body_sink {
    const struct fx_http_sink *user; /* for a 200 answer; NULL: into body */
    struct fx_buf *body;
    size_t max;
    uint64_t taken;
};

static bool body_write(void *ctx, const void *data, size_t n)
{
    struct body_sink *sink = ctx;
    sink->taken += n;
    if (sink->user) {
        return sink->user->write(sink->user->ctx, data, n);
    }
    if (n > sink->max - sink->body->len) {
        return false;
    }
    fx_buf_bytes(sink->body, data, n);
    return true;
}

static enum fx_rpc_status done(struct fx_http_reply *reply, enum fx_rpc_status status,
                               char *message)
{
    reply->status = status;
    reply->message = message;
    return status;
}

/* One exchange on the connection as it is. */
static enum fx_http_result exchange(struct fx_rpc_client *client, const struct fx_buf *head,
                                    const void *data, size_t n, const struct fx_http_sink *sink,
                                    size_t max_body, struct fx_http_reply *reply)
{
    struct fx_http_head answer = {0};
    enum fx_http_result sent = fx_http_conn_send(&client->conn, head->data, head->len);
    if (sent == FX_HTTP_OK && n > 0) {
        sent = fx_http_conn_send(&client->conn, data, n);
    }
    if (sent != FX_HTTP_OK && client->conn.fd < 0) {
        return sent;
    }
    /* A request that did not leave as a whole may have been answered all the same (413). */
    enum fx_http_result result = fx_http_conn_read_head(&client->conn, &answer);
    if (result == FX_HTTP_CLOSED && sent == FX_HTTP_UNSENT) {
        return FX_HTTP_UNSENT;
    }
    if (result != FX_HTTP_OK) {
        return result;
    }
    reply->http = answer.status;
    struct body_sink into = {answer.status == 200 ? sink : NULL, &reply->body,
                             sink ? ERROR_BODY_MAX : max_body, 0};
    const struct fx_http_sink body = {body_write, &into};
    result = fx_http_conn_read_body(&client->conn, &answer, &body);
    reply->length = answer.has_length ? answer.length : into.taken;
    if (sent != FX_HTTP_OK) {
        fx_http_conn_close(&client->conn);
    }
    return result;
}

static bool is_post(const char *method)
{
    return strcmp(method, "POST") == 0;
}

enum fx_rpc_status fx_rpc_client_request(struct fx_rpc_client *client, const char *method,
                                         const char *target, const void *data, size_t n,
                                         const struct fx_http_sink *sink, size_t max_body,
                                         struct fx_http_reply *reply)
{
    bool retried = false, cookie_reread = false;
    memset(reply, 0, sizeof(*reply));
    for (;;) {
        bool reused = fx_http_conn_usable(&client->conn);
        if (!reused && !fx_http_conn_open(&client->conn, client->host, client->port,
                                          client->connect_timeout_ms)) {
            return done(reply, FX_RPC_CONNECT,
                        text("Could not connect to the server %s:%u (%s). Make sure the fornaxd "
                             "server is running and that you are connecting to the correct RPC "
                             "port.",
                             client->host, (unsigned)client->port, client->conn.error));
        }
        if (!client->authorization && !make_authorization(client)) {
            return done(reply, FX_RPC_AUTH,
                        client->cookie_file
                            ? text("Could not locate RPC credentials. No authentication cookie "
                                   "could be found at %s, and RPC password is not set.",
                                   client->cookie_file)
                            : text("RPC password is not set."));
        }
        struct fx_buf head = FX_BUF_INIT;
        fx_buf_printf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, target, client->host,
                      client->authorization);
        if (n > 0 || strcmp(method, "GET") != 0) {
            fx_buf_printf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                          is_post(method) ? "application/json" : "application/octet-stream", n);
        }
        fx_buf_str(&head, "\r\n");
        enum fx_http_result result = exchange(client, &head, data, n, sink, max_body, reply);
        fx_secure_zero(head.data, head.len);
        fx_buf_clear(&head);
        /* A kept connection that the node has closed meanwhile: once more on a new one, unless the
         * node may have acted on the request. */
        bool again = result == FX_HTTP_UNSENT || (result == FX_HTTP_CLOSED && !is_post(method));
        if (again && reused && !retried) {
            fx_http_conn_close(&client->conn);
            retried = true;
            continue;
        }
        if (result == FX_HTTP_TIMEOUT) {
            return done(reply, FX_RPC_TIMEOUT,
                        text("The server %s:%u did not answer within %u s.", client->host,
                             (unsigned)client->port, client->timeout_ms / 1000));
        }
        if (result != FX_HTTP_OK) {
            fx_http_conn_close(&client->conn);
            return done(reply, FX_RPC_BROKEN,
                        text("The connection to the server %s:%u broke (%s).", client->host,
                             (unsigned)client->port, client->conn.error));
        }
        if (reply->http != 401) {
            return done(reply, FX_RPC_OK, NULL);
        }
        /* The node makes a new cookie at each start: read it again, once. */
        if (!client->password && !cookie_reread) {
            cookie_reread = true;
            reply->body.len = 0;
            secret_free(client->authorization);
            client->authorization = NULL;
            continue;
        }
        return done(reply, FX_RPC_AUTH,
                    client->password
                        ? text("Authorization failed: Incorrect rpcuser or rpcpassword")
                        : text("Authorization failed: the cookie in %s is not that of the server "
                               "%s:%u",
                               client->cookie_file, client->host, (unsigned)client->port));
    }
}

void fx_http_reply_clear(struct fx_http_reply *reply)
{
    fx_buf_clear(&reply->body);
    free(reply->message);
    memset(reply, 0, sizeof(*reply));
}

static enum fx_rpc_status finish(struct fx_rpc_reply *reply, enum fx_rpc_status status,
                                 char *message)
{
    reply->status = status;
    reply->message = message;
    return status;
}

/* Reads the JSON-RPC envelope. Takes nothing over. */
static enum fx_rpc_status envelope(json_t *json, struct fx_rpc_reply *reply)
{
    json_t *error = json_object_get(json, "error");
    if (json_is_object(error)) {
        const char *message = json_string_value(json_object_get(error, "message"));
        reply->code = (int)json_integer_value(json_object_get(error, "code"));
        return finish(reply, reply->code == RPC_IN_WARMUP ? FX_RPC_WARMUP : FX_RPC_ERROR,
                      fx_xstrdup(message ? message : "unknown error"));
    }
    json_t *result = json_object_get(json, "result");
    if (!result) {
        return finish(reply, FX_RPC_BROKEN, text("The server sent an answer without a result."));
    }
    reply->result = json_incref(result);
    return finish(reply, FX_RPC_OK, NULL);
}

enum fx_rpc_status fx_rpc_client_call(struct fx_rpc_client *client, const char *method,
                                      json_t *params, struct fx_rpc_reply *reply)
{
    struct fx_buf target = FX_BUF_INIT;
    struct fx_http_reply http;
    json_t *request = json_object();
    memset(reply, 0, sizeof(*reply));
    fx_buf_str(&target, client->wallet ? "/wallet/" : "/");
    if (client->wallet) {
        fx_http_escape(&target, client->wallet);
    }
    fx_buf_u8(&target, 0);
    json_object_set_new(request, "jsonrpc", json_string("1.0"));
    json_object_set_new(request, "id", json_integer((json_int_t)++client->next_id));
    json_object_set_new(request, "method", json_string(method));
    if (params) {
        json_object_set(request, "params", params);
    } else {
        json_object_set_new(request, "params", json_array());
    }
    char *body = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!body) {
        fx_buf_clear(&target);
        return finish(reply, FX_RPC_ERROR, text("The arguments are not valid UTF-8 text."));
    }
    enum fx_rpc_status status = fx_rpc_client_request(
        client, "POST", (const char *)target.data, body, strlen(body), NULL, JSON_BODY_MAX, &http);
    fx_secure_zero(body, strlen(body)); /* may hold a passphrase */
    free(body);
    fx_buf_clear(&target);
    reply->http = http.http;
    if (status != FX_RPC_OK) {
        char *message = http.message;
        http.message = NULL;
        fx_http_reply_clear(&http);
        return finish(reply, status, message);
    }
    json_error_t where;
    json_t *json = json_loadb((const char *)http.body.data, http.body.len, 0, &where);
    if (json_is_object(json)) {
        status = envelope(json, reply);
    } else if (http.http == 503) {
        status = finish(reply, FX_RPC_WARMUP, text("The server is too busy (503)."));
    } else if (http.http == 403) {
        status = finish(reply, FX_RPC_REFUSED, text("The server refuses this address (403)."));
    } else if (http.http != 200) {
        status = finish(reply, FX_RPC_REFUSED, text("Server returned HTTP error %d", http.http));
    } else {
        status = finish(reply, FX_RPC_BROKEN, text("The server sent no JSON."));
    }
    json_decref(json);
    fx_http_reply_clear(&http);
    return status;
}

void fx_rpc_reply_clear(struct fx_rpc_reply *reply)
{
    json_decref(reply->result);
    free(reply->message);
    memset(reply, 0, sizeof(*reply));
}
