/*
 * A blocking HTTP/1.1 and JSON-RPC client of a node, for fornax-cli and fornax-miner. One
 * connection, kept open and made again where the node has closed it. Not for use by two threads at
 * once; a program with threads makes one client a thread.
 */
#ifndef FX_RPCCLIENT_RPCCLIENT_H
#define FX_RPCCLIENT_RPCCLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "src/util/buf.h"

struct fx_rpc_client; /* opaque */

/* All strings are copied. */
struct fx_rpc_client_config {
    const char *host; /* name or numeric address; NULL: 127.0.0.1 */
    uint16_t port;
    const char *user, *password; /* password NULL: the cookie is used */
    const char *cookie_file;     /* read at each connection; NULL where there is a password */
    const char *wallet;          /* calls go to /wallet/NAME; NULL: to / */
    unsigned connect_timeout_ms; /* 0: 5,000 */
    unsigned timeout_ms;         /* without a byte moving; 0: 900,000 */
    /* Once it is true, nothing is waited for longer than a second. NULL: none. It must outlive the
     * client. */
    const atomic_bool *cancel;
};

enum fx_rpc_status {
    FX_RPC_OK = 0,
    FX_RPC_ERROR,   /* the node answered with an error: code and message are its own */
    FX_RPC_CONNECT, /* no connection: the node is not running, or another host or port is meant */
    FX_RPC_AUTH,    /* 401, or there is no cookie to show */
    FX_RPC_REFUSED, /* 403 or another HTTP status that is not JSON-RPC's */
    FX_RPC_WARMUP,  /* the node is starting (its code -28), or busy (503) */
    FX_RPC_TIMEOUT,
    FX_RPC_BROKEN /* the connection ended in the middle, or the answer is not HTTP or JSON */
};

struct fx_rpc_reply {
    enum fx_rpc_status status;
    int http;       /* HTTP status; 0: none came */
    json_t *result; /* FX_RPC_OK: owned; never NULL then (JSON null is json_null()) */
    int code;       /* FX_RPC_ERROR, FX_RPC_WARMUP: JSON-RPC error code */
    char *message;  /* where status is not FX_RPC_OK: one sentence; owned */
};

struct fx_rpc_client *fx_rpc_client_create(const struct fx_rpc_client_config *config);
void fx_rpc_client_destroy(struct fx_rpc_client *client); /* NULL: nothing */
/* Another wallet for the calls that follow; NULL: none. */
void fx_rpc_client_set_wallet(struct fx_rpc_client *client, const char *wallet);
void fx_rpc_client_set_timeout(struct fx_rpc_client *client, unsigned timeout_ms); /* 0: default */

/*
 * One call. params: an array, or an object (named arguments), or NULL for none; borrowed. The
 * reply is initialised by it and cleared by the caller. Returns reply->status.
 */
enum fx_rpc_status fx_rpc_client_call(struct fx_rpc_client *client, const char *method,
                                      json_t *params, struct fx_rpc_reply *reply);
void fx_rpc_reply_clear(struct fx_rpc_reply *reply);

/* An answer to a plain HTTP request. */
struct fx_http_reply {
    enum fx_rpc_status status; /* FX_RPC_OK: any HTTP status came, except 401 */
    int http;
    uint64_t length;    /* Content-Length, or the bytes that came */
    struct fx_buf body; /* where there is no sink, or the HTTP status is not 200 */
    char *message;      /* where status is not FX_RPC_OK; owned */
};

/* Takes the next bytes of a body; false ends the request (status FX_RPC_BROKEN). */
struct fx_http_sink {
    bool (*write)(void *ctx, const void *data, size_t n);
    void *ctx;
};

/*
 * method: "GET", "PUT" or "POST". target: path and query, with what needs it escaped (see
 * fx_http_escape). The body of a 200 answer goes to sink, or where that is NULL into reply->body
 * (at most max_body bytes, else FX_RPC_BROKEN). The reply is initialised by it and cleared by the
 * caller.
 */
enum fx_rpc_status fx_rpc_client_request(struct fx_rpc_client *client, const char *method,
                                         const char *target, const void *data, size_t n,
                                         const struct fx_http_sink *sink, size_t max_body,
                                         struct fx_http_reply *reply);
void fx_http_reply_clear(struct fx_http_reply *reply);

/* Percent-escapes all but letters, digits and "-._~" onto the end of out. */
void fx_http_escape(struct fx_buf *out, const char *text);

#endif
