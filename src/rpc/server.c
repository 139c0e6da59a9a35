/* The HTTP server: listening, who may connect, paths and methods, start and end. */
#include "src/rpc/rpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "src/rpc/rpc_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define BODY_MAX (32 * 1024 * 1024) /* Bitcoin Core's MAX_SIZE */
#define HEADERS_MAX 8192
#define IDLE_TIMEOUT 30 /* seconds without a byte, where the caller says nothing else */
#define WRONG_PASSWORD_MS 250

/* An answer to wrong credentials, held back so that guessing is slow. */
struct fx_rpc_delay {
    struct fx_rpc *rpc;
    struct fx_rpc_delay *next;
    struct evhttp_request *req;
    struct event *timer;
};

static void delay_free(struct fx_rpc_delay *d)
{
    struct fx_rpc_delay **at = &d->rpc->delays;
    while (*at != d) {
        at = &(*at)->next;
    }
    *at = d->next;
    event_free(d->timer);
    free(d);
}

static void refuse(struct evhttp_request *req, int http, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
                      "text/plain; charset=utf-8");
    evbuffer_add_printf(body, "%s\n", text);
    evhttp_send_reply(req, http, NULL, body);
    evbuffer_free(body);
}

static void refuse_credentials(struct evhttp_request *req)
{
    evhttp_add_header(evhttp_request_get_output_headers(req), "WWW-Authenticate",
                      "Basic realm=\"jsonrpc\"");
    refuse(req, 401, "Wrong or missing credentials");
}

static void on_delay(evutil_socket_t fd, short what, void *arg)
{
    struct fx_rpc_delay *d = arg;
    struct evhttp_request *req = d->req;
    (void)fd;
    (void)what;
    delay_free(d);
    refuse_credentials(req);
}

static void delay_refusal(struct fx_rpc *rpc, struct evhttp_request *req)
{
    const struct timeval wait = {0, WRONG_PASSWORD_MS * 1000};
    struct fx_rpc_delay *d = fx_xcalloc(1, sizeof(*d));
    d->rpc = rpc;
    d->req = req;
    d->next = rpc->delays;
    rpc->delays = d;
    d->timer = event_new(rpc->config.base, -1, 0, on_delay, d);
    event_add(d->timer, &wait);
}

static bool may_connect(const struct fx_rpc *rpc, const char *address)
{
    for (size_t i = 0; i < rpc->n_allow; i++) {
        if (fx_rpc_subnet_has(&rpc->allow[i], address)) {
            return true;
        }
    }
    return false;
}

static void serve_calls(struct fx_rpc *rpc, struct evhttp_request *req, const char *path)
{
    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
        refuse(req, 405, "JSONRPC server handles only POST requests");
        return;
    }
    if (strcmp(path, "/") == 0) {
        fx_rpc_serve(rpc, req, NULL);
        return;
    }
    char *wallet = evhttp_uridecode(path + strlen("/wallet/"), 0, NULL);
    fx_rpc_serve(rpc, req, wallet ? wallet : "");
    free(wallet);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct fx_rpc *rpc = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
    const char *header = evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    char *address = NULL;
    ev_uint16_t port = 0;
    if (connection) {
        evhttp_connection_get_peer(connection, &address, &port);
    }
    fx_log(FX_LOG_HTTP, "http: request for %.100s from %s:%u", path ? path : "(none)",
           address ? address : "?", (unsigned)port);
    if (!address || !may_connect(rpc, address)) {
        refuse(req, 403, "This address may not connect (see -rpcallowip)");
        return;
    }
    if (!header) {
        refuse_credentials(req);
        return;
    }
    if (!fx_rpc_auth_check(rpc, header)) {
        fx_log_info("rpc: wrong password from %s", address);
        delay_refusal(rpc, req);
        return;
    }
    if (!path || *path == 0 || strcmp(path, "/") == 0) {
        serve_calls(rpc, req, "/");
    } else if (strncmp(path, "/wallet/", 8) == 0 && rpc->config.wallets) {
        serve_calls(rpc, req, path);
    } else if (strncmp(path, "/blob/", 6) == 0 && rpc->config.blobs) {
        fx_rpc_serve_blob(rpc, req, path + 6, query);
    } else if (strncmp(path, "/job/", 5) == 0 && rpc->config.jobs) {
        fx_rpc_serve_job(rpc, req, path + 5, query);
    } else {
        refuse(req, 404, "Not found");
    }
}

static bool is_numeric(const char *address)
{
    struct in6_addr any; /* room for both */
    return inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1;
}

/* Splits "address", "address:port", "[address]:port", of a numeric address or localhost. */
static bool split_bind(const char *text, char address[64], uint16_t *port)
{
    const char *start = text, *end = text + strlen(text), *colon = strrchr(text, ':');
    if (*text == '[') {
        start = text + 1;
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        colon = end[1] ? end + 1 : NULL;
    } else if (colon && strchr(text, ':') == colon) {
        end = colon;
    } else {
        colon = NULL; /* an IPv6 address without brackets has no port */
    }
    if (colon) {
        char *rest = NULL;
        unsigned long number = strtoul(colon + 1, &rest, 10);
        if (colon[1] < '0' || colon[1] > '9' || *rest || number > 65535) {
            return false;
        }
        *port = (uint16_t)number;
    }
    size_t n = (size_t)(end - start);
    if (n == 0 || n >= 64) {
        return false;
    }
    memcpy(address, start, n);
    address[n] = 0;
    if (strcmp(address, "localhost") == 0) {
        memcpy(address, "127.0.0.1", sizeof("127.0.0.1"));
    }
    return is_numeric(address);
}

/* Asks for the port, as 0 lets the system choose one. */
static uint16_t bound_port(struct evhttp_bound_socket *bound)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof(at);
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &n) != 0) {
        return 0;
    }
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

static bool listen_at(struct fx_rpc *rpc, const char *text, bool must, char *error)
{
    char address[64];
    uint16_t port = rpc->config.port;
    if (!split_bind(text, address, &port)) {
        snprintf(error, FX_RPC_CREATE_ERROR,
                 "Invalid -rpcbind address: '%.100s' (a numeric one is needed)", text);
        return false;
    }
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(rpc->http, address, port);
    if (!bound) {
        if (must) {
            snprintf(error, FX_RPC_CREATE_ERROR, "Unable to listen for RPC at %.64s port %u: %s.%s",
                     address, (unsigned)port, strerror(errno),
                     errno == EADDRINUSE ? " Is another node running?" : "");
        }
        return !must;
    }
    /* Connections inherit it. With Nagle's algorithm the end of a long answer waits for the 40 ms
     * of the other side's delayed acknowledgement. */
    int one = 1;
    (void)setsockopt(evhttp_bound_socket_get_fd(bound), IPPROTO_TCP, TCP_NODELAY, &one,
                     sizeof(one));
    if (rpc->port == 0) {
        rpc->port = bound_port(bound);
    }
    fx_log(FX_LOG_HTTP, "http: listening at %s port %u", address, (unsigned)bound_port(bound));
    return true;
}

static bool listen_all(struct fx_rpc *rpc, char *error)
{
    if (rpc->config.n_bind == 0) {
        if (!listen_at(rpc, "127.0.0.1", true, error)) {
            return false;
        }
        if (rpc->config.port != 0) {
            (void)listen_at(rpc, "::1", false, error); /* a machine may have no IPv6 */
        }
        return true;
    }
    for (size_t i = 0; i < rpc->config.n_bind; i++) {
        if (!listen_at(rpc, rpc->config.bind[i], true, error)) {
            return false;
        }
    }
    return true;
}

static bool read_allow(struct fx_rpc *rpc, char *error)
{
    rpc->allow = fx_xcalloc(rpc->config.n_allow + 2, sizeof(*rpc->allow));
    (void)fx_rpc_subnet_parse("127.0.0.0/8", &rpc->allow[0]);
    (void)fx_rpc_subnet_parse("::1", &rpc->allow[1]);
    rpc->n_allow = 2;
    for (size_t i = 0; i < rpc->config.n_allow; i++) {
        if (!fx_rpc_subnet_parse(rpc->config.allow[i], &rpc->allow[rpc->n_allow++])) {
            snprintf(error, FX_RPC_CREATE_ERROR,
                     "Invalid -rpcallowip subnet specification: %.80s. Valid are a single IP "
                     "(e.g. 1.2.3.4) or a network (e.g. 1.2.3.4/24).",
                     rpc->config.allow[i]);
            return false;
        }
    }
    return true;
}

static bool read_credentials(struct fx_rpc *rpc, char *error)
{
    const struct fx_rpc_config *config = &rpc->config;
    rpc->auth = fx_xcalloc(config->n_auth + 1, sizeof(*rpc->auth));
    for (size_t i = 0; i < config->n_auth; i++) {
        const char *colon = strchr(config->auth[i], ':');
        if (!colon || !strchr(colon, '$')) {
            snprintf(error, FX_RPC_CREATE_ERROR, "Invalid -rpcauth argument: user:salt$hash");
            return false;
        }
        rpc->auth[rpc->n_auth++] = fx_xstrdup(config->auth[i]);
    }
    if (!config->password || !*config->password) {
        return fx_rpc_cookie_make(rpc, error);
    }
    char *text = NULL;
    if (asprintf(&text, "%s:%s", config->user ? config->user : "", config->password) < 0) {
        snprintf(error, FX_RPC_CREATE_ERROR, "out of memory");
        return false;
    }
    rpc->credentials = fx_xcalloc(1, sizeof(*rpc->credentials));
    rpc->credentials[rpc->n_credentials++] = text;
    return true;
}

struct fx_rpc *fx_rpc_create(const struct fx_rpc_config *config, char **error)
{
    char why[FX_RPC_CREATE_ERROR] = "";
    struct fx_rpc *rpc = fx_xcalloc(1, sizeof(*rpc));
    rpc->config = *config;
    rpc->cookie_file = fx_xstrdup(config->cookie_file ? config->cookie_file : ".cookie");
    rpc->log_path = fx_xstrdup(config->log_path ? config->log_path : "");
    if (!rpc->config.port) {
        rpc->config.port = config->params->rpc_port;
    }
    rpc->http = evhttp_new(config->base);
    evhttp_set_max_body_size(rpc->http, BODY_MAX);
    evhttp_set_max_headers_size(rpc->http, HEADERS_MAX);
    evhttp_set_timeout(rpc->http,
                       rpc->config.idle_seconds > 0 ? rpc->config.idle_seconds : IDLE_TIMEOUT);
    evhttp_set_allowed_methods(rpc->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                              EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
    evhttp_set_gencb(rpc->http, on_request, rpc);
    /* The cookie comes last: a node that cannot listen must not replace that of one that runs. */
    if (!fx_rpc_table_make(rpc, why) || !read_allow(rpc, why) || !listen_all(rpc, why) ||
        !read_credentials(rpc, why)) {
        *error = fx_xstrdup(why);
        fx_rpc_destroy(rpc);
        return NULL;
    }
    rpc->config.bind = rpc->config.allow = rpc->config.auth = NULL;
    rpc->config.n_bind = rpc->config.n_allow = rpc->config.n_auth = 0;
    rpc->config.user = rpc->config.password = rpc->config.cookie_file = NULL;
    return rpc;
}

void fx_rpc_destroy(struct fx_rpc *rpc)
{
    if (!rpc) {
        return;
    }
    fx_rpc_sessions_end(rpc);
    fx_rpc_streams_end(rpc);
    while (rpc->delays) {
        if (!evhttp_request_get_connection(rpc->delays->req)) {
            evhttp_request_free(rpc->delays->req);
        }
        delay_free(rpc->delays);
    }
    evhttp_free(rpc->http);
    if (rpc->stop_event) {
        event_free(rpc->stop_event);
    }
    if (rpc->cookie_made) {
        (void)unlink(rpc->cookie_file);
    }
    fx_rpc_work_clear(rpc);
    fx_rpc_table_clear(rpc);
    for (size_t i = 0; i < rpc->n_credentials; i++) {
        free(rpc->credentials[i]);
    }
    for (size_t i = 0; i < rpc->n_auth; i++) {
        free(rpc->auth[i]);
    }
    free(rpc->credentials);
    free(rpc->auth);
    free(rpc->allow);
    free(rpc->cookie_file);
    free(rpc->log_path);
    free(rpc);
}

uint16_t fx_rpc_port(const struct fx_rpc *rpc)
{
    return rpc->port;
}
