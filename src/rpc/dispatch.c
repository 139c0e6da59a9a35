/* JSON-RPC: the envelope, batches, and calls that go on in slices of the event loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "src/rpc/dispatch_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

/* ---- one call of a session ------------------------------------------------------------------ */

static void call_reset(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_rpc_session *session = call->session;
    const char *wallet = call->wallet;
    if (call->step_free) {
        call->step_free(call->step_ctx);
    }
    free(call->message);
    json_decref(call->result);
    memset(call, 0, sizeof(*call));
    call->rpc = rpc;
    call->session = session;
    call->wallet = wallet;
}

json_t *fx_rpc_slice(struct fx_rpc_call *call, int (*step)(struct fx_rpc_call *call, void *ctx),
                     void (*free_ctx)(void *ctx), void *ctx)
{
    call->step = step;
    call->step_free = free_ctx;
    call->step_ctx = ctx;
    return NULL;
}

/* The envelope around what the call gave. NULL: a notification, which has no answer. */
static json_t *envelope(struct fx_rpc_session *s, json_t *result)
{
    struct fx_rpc_call *call = &s->call;
    json_t *out;
    if (!call->failed && !result) {
        fx_rpc_fail(call, FX_RPC_INTERNAL, "the command gave no result");
    }
    if (!call->failed && call->rpc->config.doc_check && call->entry) {
        char why[160];
        if (!fx_schema_match_forms(call->entry->result, result, why)) {
            fx_rpc_fail(call, FX_RPC_MISC,
                        "Internal bug detected: RPC call \"%s\" returned what its description does "
                        "not have: %s",
                        call->entry->command->name, why);
        }
    }
    s->last_code = call->failed ? call->code : 0;
    s->failed = call->failed;
    if (s->version == 2 && !s->has_id) {
        json_decref(result);
        return NULL;
    }
    out = json_object();
    if (s->version == 2) {
        fx_json_set(out, "jsonrpc", json_string("2.0"));
    }
    if (call->failed) {
        json_t *error = json_object();
        if (s->version != 2) {
            fx_json_set(out, "result", json_null());
        }
        fx_json_set(error, "code", json_integer(call->code));
        json_t *message = json_string(call->message);
        fx_json_set(error, "message", message ? message : json_string("(not UTF-8)"));
        fx_json_set(out, "error", error);
        json_decref(result);
    } else {
        fx_json_set(out, "result", result);
        if (s->version != 2) {
            fx_json_set(out, "error", json_null());
        }
    }
    if (s->has_id) {
        json_object_set(out, "id", s->id);
    }
    return out;
}

/* Reads the request's envelope; false after fx_rpc_fail. */
static bool read_request(struct fx_rpc_session *s, const json_t *request, const json_t **params)
{
    struct fx_rpc_call *call = &s->call;
    s->version = 1;
    s->id = json_null();
    s->has_id = true;
    if (!json_is_object(request)) {
        fx_rpc_fail(call, FX_RPC_INVALID_REQUEST, "Invalid Request object");
        return false;
    }
    s->id = json_object_get(request, "id");
    s->has_id = s->id != NULL;
    const json_t *version = json_object_get(request, "jsonrpc");
    if (version && !json_is_string(version)) {
        fx_rpc_fail(call, FX_RPC_INVALID_REQUEST, "jsonrpc field must be a string");
        return false;
    }
    if (version && strcmp(json_string_value(version), "2.0") == 0) {
        s->version = 2;
    } else if (version && strcmp(json_string_value(version), "1.0") != 0 &&
               strcmp(json_string_value(version), "1.1") != 0) {
        fx_rpc_fail(call, FX_RPC_INVALID_REQUEST, "JSON-RPC version not supported");
        return false;
    }
    const json_t *method = json_object_get(request, "method");
    if (!json_is_string(method)) {
        fx_rpc_fail(call, FX_RPC_INVALID_REQUEST,
                    method ? "Method must be a string" : "Missing method");
        return false;
    }
    *params = json_object_get(request, "params");
    if (*params && !json_is_array(*params) && !json_is_object(*params) && !json_is_null(*params)) {
        fx_rpc_fail(call, FX_RPC_INVALID_REQUEST, "Params must be an array or object");
        return false;
    }
    const char *name = json_string_value(method);
    call->entry = fx_rpc_table_find(call->rpc, name);
    if (!call->entry) {
        fx_rpc_fail(call, FX_RPC_METHOD_NOT_FOUND, "Method not found");
        return false;
    }
    fx_log(FX_LOG_RPC, "ThreadRPCServer method=%s", name); /* as Bitcoin Core words it */
    if ((call->entry->command->flags & FX_RPC_REGTEST) && call->rpc->config.params->retarget) {
        fx_rpc_fail(call, FX_RPC_MISC, "%s is for regression testing (-regtest mode) only", name);
        return false;
    }
    return true;
}

/* ---- answering ------------------------------------------------------------------------------ */

static void free_text(const void *data, size_t n, void *arg)
{
    (void)data;
    (void)n;
    free(arg);
}

static void send_json(struct evhttp_request *req, int http, const json_t *json)
{
    struct fx_buf text = FX_BUF_INIT;
    struct evbuffer *body = evbuffer_new();
    if (json) {
        fx_json_write(json, &text);
        fx_buf_u8(&text, '\n');
        size_t n = text.len;
        uint8_t *data = fx_buf_steal(&text, NULL);
        evbuffer_add_reference(body, data, n, free_text, data);
        evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
                          "application/json");
    }
    evhttp_send_reply(req, http, NULL, body);
    evbuffer_free(body);
}

void fx_rpc_answer(struct evhttp_request *req, int http, json_t *json)
{
    send_json(req, http, json);
    json_decref(json);
}

void fx_rpc_answer_error(struct evhttp_request *req, int http, const char *text, int64_t received)
{
    json_t *out = json_object();
    fx_json_set(out, "error", json_string(text));
    if (received >= 0) {
        fx_json_set(out, "received", json_integer(received));
    }
    fx_rpc_answer(req, http, out);
}

static void stop_now(struct fx_rpc *rpc)
{
    if (rpc->stopping) {
        rpc->stopping = false;
        if (rpc->config.stop) {
            rpc->config.stop(rpc->config.ctx);
        }
    }
}

static void on_stop_sent(struct evhttp_request *req, void *arg)
{
    (void)req;
    stop_now(arg);
}

static void on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stop_now(arg);
}

static void session_free(struct fx_rpc_session *s)
{
    struct fx_rpc_session **at = &s->rpc->sessions;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    call_reset(&s->call);
    if (s->timer) {
        event_free(s->timer);
    }
    json_decref(s->request);
    json_decref(s->answer);
    free(s->wallet);
    free(s);
}

static int http_status(const struct fx_rpc_session *s)
{
    if (s->batch || !s->failed || s->version == 2) {
        return s->answer ? 200 : 204;
    }
    if (s->last_code == FX_RPC_INVALID_REQUEST) {
        return 400;
    }
    return s->last_code == FX_RPC_METHOD_NOT_FOUND ? 404 : 500;
}

static void session_answer(struct fx_rpc_session *s)
{
    struct fx_rpc *rpc = s->rpc;
    if (s->batch && json_array_size(s->answer) == 0 &&
        json_array_size(s->request) > 0) { /* notifications alone */
        json_decref(s->answer);
        s->answer = NULL;
    }
    if (rpc->stopping) {
        const struct timeval grace = {1, 0};
        evhttp_request_set_on_complete_cb(s->req, on_stop_sent, rpc);
        evhttp_add_header(evhttp_request_get_output_headers(s->req), "Connection", "close");
        rpc->stop_event = event_new(rpc->config.base, -1, 0, on_stop_timer, rpc);
        event_add(rpc->stop_event, &grace);
    }
    send_json(s->req, http_status(s), s->answer);
    session_free(s);
}

/* ---- going through the calls ---------------------------------------------------------------- */

static void on_step(evutil_socket_t fd, short what, void *arg);

static void step_later(struct fx_rpc_session *s, int ms)
{
    const struct timeval wait = {ms / 1000, (ms % 1000) * 1000};
    if (!s->timer) {
        s->timer = event_new(s->rpc->config.base, -1, 0, on_step, s);
    }
    event_add(s->timer, &wait);
}

static void keep(struct fx_rpc_session *s, json_t *result)
{
    json_t *answer = envelope(s, result);
    call_reset(&s->call);
    if (!s->batch) {
        s->answer = answer;
    } else if (answer) {
        json_array_append_new(s->answer, answer);
    }
    s->at++;
}

/* Runs calls until one goes on later or all are done. */
static void session_run(struct fx_rpc_session *s)
{
    size_t n = s->batch ? json_array_size(s->request) : 1;
    while (s->at < n) {
        const json_t *request = s->batch ? json_array_get(s->request, s->at) : s->request;
        const json_t *params = NULL;
        json_t *result = NULL;
        if (read_request(s, request, &params) && fx_rpc_call_bind(&s->call, params)) {
            s->call.started_ms = fx_clock_monotonic_ms();
            result = s->call.entry->command->run(&s->call);
            if (s->call.step && !s->call.failed) {
                step_later(s, 0);
                return;
            }
        }
        keep(s, result);
    }
    session_answer(s);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
    struct fx_rpc_session *s = arg;
    (void)fd;
    (void)what;
    int wait = s->call.step(&s->call, s->call.step_ctx);
    if (wait >= 0 && !s->call.failed) {
        step_later(s, wait);
        return;
    }
    json_t *result = s->call.result;
    s->call.result = NULL;
    keep(s, result);
    session_run(s);
}

static void answer_parse_error(struct evhttp_request *req, const char *text)
{
    json_t *out = json_object(), *error = json_object();
    fx_json_set(error, "code", json_integer(FX_RPC_PARSE));
    fx_json_set(error, "message", json_string(text));
    fx_json_set(out, "result", json_null());
    fx_json_set(out, "error", error);
    fx_json_set(out, "id", json_null());
    fx_rpc_answer(req, 500, out);
}

void fx_rpc_serve(struct fx_rpc *rpc, struct evhttp_request *req, const char *wallet)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t n = evbuffer_get_length(in);
    const char *text = n ? (const char *)evbuffer_pullup(in, -1) : "";
    json_error_t where;
    json_t *request = json_loadb(text, n, JSON_DECODE_ANY, &where);
    if (!request) {
        answer_parse_error(req, "Parse error");
        return;
    }
    if (!json_is_object(request) && !json_is_array(request)) {
        json_decref(request);
        answer_parse_error(req, "Top-level object parse error");
        return;
    }
    struct fx_rpc_session *s = fx_xcalloc(1, sizeof(*s));
    s->rpc = rpc;
    s->req = req;
    s->request = request;
    s->batch = json_is_array(request);
    s->answer = s->batch ? json_array() : NULL;
    s->wallet = wallet ? fx_xstrdup(wallet) : NULL;
    s->call.rpc = rpc;
    s->call.session = s;
    s->call.wallet = s->wallet;
    s->next = rpc->sessions;
    rpc->sessions = s;
    session_run(s);
}

void fx_rpc_sessions_end(struct fx_rpc *rpc)
{
    while (rpc->sessions) {
        struct fx_rpc_session *s = rpc->sessions;
        /* A request whose connection has ended is ours; the others go with their connection. */
        if (!evhttp_request_get_connection(s->req)) {
            evhttp_request_free(s->req);
        }
        session_free(s);
    }
}
