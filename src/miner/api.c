/* The status as JSON over HTTP. */
#include "src/miner/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#define HEADERS_MAX 8192
#define BODY_MAX 0     /* a GET has none */
#define REAL_DIGITS 15 /* all that a double has of a decimal fraction: 0.015, not 0.0149999... */
#define TIMEOUT_S 30
#define TICK_MS 100 /* between two looks whether to stop */

static void answer_status(struct evhttp_request *request, void *ctx)
{
    struct fx_api *api = ctx;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    json_t *json = fx_miner_status_json(api->status);
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS)) : NULL;

    if (body && text && evbuffer_add_printf(body, "%s\n", text) > 0) {
        evhttp_add_header(headers, "Content-Type", "application/json");
        evhttp_add_header(headers, "Cache-Control", "no-store");
        evhttp_send_reply(request, HTTP_OK, "OK", body);
    } else {
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
    }
    free(text);
    json_decref(json);
    if (body)
        evbuffer_free(body);
}

static void answer_other(struct evhttp_request *request, void *ctx)
{
    (void)ctx;
    evhttp_send_error(request, HTTP_NOTFOUND, NULL);
}

static void tick(evutil_socket_t fd, short what, void *ctx)
{
    const struct fx_api *api = ctx;

    (void)fd;
    (void)what;
    if (atomic_load(api->stop))
        event_base_loopbreak(api->base);
}

static void *run(void *arg)
{
    struct fx_api *api = arg;
    const struct timeval every = {0, TICK_MS * 1000};
    struct event *timer = event_new(api->base, -1, EV_PERSIST, tick, api);

    if (timer && event_add(timer, &every) == 0)
        event_base_dispatch(api->base);
    if (timer)
        event_free(timer);
    return NULL;
}

static uint16_t port_of(evutil_socket_t fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;

    memset(&address, 0, sizeof address);
    if (getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void release(struct fx_api *api)
{
    if (api->http)
        evhttp_free(api->http);
    if (api->base)
        event_base_free(api->base);
}

bool fx_api_start(struct fx_api *api, const char *address, char error[FX_KERNEL_TEXT])
{
    struct evhttp_bound_socket *bound = NULL;
    int why;

    api->base = event_base_new();
    api->http = api->base ? evhttp_new(api->base) : NULL;
    if (api->http) {
        evhttp_set_max_headers_size(api->http, HEADERS_MAX);
        evhttp_set_max_body_size(api->http, BODY_MAX);
        evhttp_set_timeout(api->http, TIMEOUT_S);
        evhttp_set_allowed_methods(api->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
        evhttp_set_cb(api->http, "/status", answer_status, api);
        evhttp_set_gencb(api->http, answer_other, api);
        errno = EINVAL;
        bound = evhttp_bind_socket_with_handle(api->http, address, api->port);
    }
    if (!bound) {
        snprintf(error, FX_KERNEL_TEXT, "the status cannot be served on %.60s, port %u: %s",
                 address, api->port, strerror(errno));
        release(api);
        return false;
    }
    api->port = port_of(evhttp_bound_socket_get_fd(bound));
    why = pthread_create(&api->thread, NULL, run, api);
    if (why != 0) {
        snprintf(error, FX_KERNEL_TEXT, "cannot start a thread: %s", strerror(why));
        release(api);
        return false;
    }
    return true;
}

void fx_api_join(struct fx_api *api)
{
    pthread_join(api->thread, NULL);
    release(api);
}
