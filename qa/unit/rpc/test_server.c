/*
 * Unit tests of the server over a socket: status codes, the JSON-RPC envelope, cookie, pieces of
 * operands, and the stream of a result. Client and server share the thread: the client's socket
 * does not block, and the event loop runs until the answer is there.
 */
#include "src/rpc/rpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"
#include "src/sys/file.h"
#include "src/util/buf.h"

struct fixture {
    struct event_base *base;
    struct fx_rpc *rpc;
    char *cookie_file;
    bool stopped;
};

static void on_stop(void *ctx)
{
    struct fixture *f = ctx;
    f->stopped = true;
}

static void fixture_init(struct fixture *f)
{
    static const char *const bind_to[] = {"127.0.0.1:0"};
    char *error = NULL;
    fx_fakes_reset();
    memset(f, 0, sizeof(*f));
    f->base = event_base_new();
    f->cookie_file = fx_path_join(fx_unit_tmpdir(), ".cookie");
    const struct fx_rpc_config config = {
        .base = f->base,
        .params = fx_params_get(FX_REGTEST),
        .jobs = (struct fx_jobs *)&fx_fakes,
        .blobs = (struct fx_blobs *)&fx_fakes,
        .cookie_file = f->cookie_file,
        .bind = bind_to,
        .n_bind = 1,
        .user = "u",
        .doc_check = true,
        .stop = on_stop,
        .ctx = f,
    };
    f->rpc = fx_rpc_create(&config, &error);
    if (!f->rpc) {
        FX_FAIL("%s", error);
    }
}

static void fixture_clear(struct fixture *f)
{
    fx_rpc_destroy(f->rpc);
    event_base_free(f->base);
    FX_CHECK(!fx_path_exists(f->cookie_file));
    free(f->cookie_file);
}

static int connect_to(const struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(fx_rpc_port(f->rpc))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    FX_CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    FX_CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

static void send_all(const struct fixture *f, int fd, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        } else {
            FX_CHECK(errno == EAGAIN);
        }
        event_base_loop(f->base, EVLOOP_NONBLOCK);
    }
}

/* One exchange on a new connection that the server closes; the answer with its head. */
static void exchange(const struct fixture *f, const char *request, const void *body, size_t n,
                     struct fx_buf *answer)
{
    int fd = connect_to(f);
    answer->len = 0;
    send_all(f, fd, request, strlen(request));
    send_all(f, fd, body, n);
    for (unsigned idle = 0; idle < 4000;) {
        uint8_t part[65536];
        event_base_loop(f->base, EVLOOP_NONBLOCK);
        ssize_t r = recv(fd, part, sizeof(part), 0);
        if (r == 0) {
            close(fd);
            fx_buf_u8(answer, 0);
            answer->len--;
            return;
        }
        if (r > 0) {
            fx_buf_bytes(answer, part, (size_t)r);
            idle = 0;
        } else {
            usleep(500);
            idle++;
        }
    }
    FX_FAIL("no answer to %.60s", request);
}

static char *authorization(const struct fixture *f)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *cookie;
    size_t n;
    char *out;
    struct fx_buf text = FX_BUF_INIT;
    FX_CHECK(fx_file_read(f->cookie_file, 1000, &cookie, &n));
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)cookie[i] << 16 | (i + 1 < n ? (uint32_t)cookie[i + 1] << 8 : 0u) |
                     (i + 2 < n ? cookie[i + 2] : 0u);
        fx_buf_u8(&text, (uint8_t)digits[v >> 18]);
        fx_buf_u8(&text, (uint8_t)digits[(v >> 12) & 63]);
        fx_buf_u8(&text, (uint8_t)(i + 1 < n ? digits[(v >> 6) & 63] : '='));
        fx_buf_u8(&text, (uint8_t)(i + 2 < n ? digits[v & 63] : '='));
    }
    fx_buf_u8(&text, 0);
    free(cookie);
    FX_CHECK(asprintf(&out, "Authorization: Basic %s\r\n", (char *)text.data) > 0);
    fx_buf_clear(&text);
    return out;
}

/* Status of an answer; its body goes to *body (may be NULL), a view. */
static int request(const struct fixture *f, const char *method, const char *target,
                   const void *data, size_t n, struct fx_buf *answer, const char **body)
{
    char *head, *credentials = authorization(f);
    FX_CHECK(asprintf(&head,
                      "%s %s HTTP/1.1\r\nHost: x\r\n%sConnection: close\r\nContent-Length: "
                      "%zu\r\n\r\n",
                      method, target, credentials, n) > 0);
    exchange(f, head, data, n, answer);
    free(head);
    free(credentials);
    FX_CHECK(answer->len > 12);
    const char *end = strstr((const char *)answer->data, "\r\n\r\n");
    FX_CHECK(end);
    if (body) {
        *body = end + 4;
    }
    return (int)strtol((const char *)answer->data + 9, NULL, 10);
}

static void check_call(const struct fixture *f, const char *text, int status, const char *expected)
{
    struct fx_buf answer = FX_BUF_INIT;
    const char *body;
    int got = request(f, "POST", "/", text, strlen(text), &answer, &body);
    if (got != status || strcmp(body, expected) != 0) {
        FX_FAIL("%s: %d %s", text, got, body);
    }
    fx_buf_clear(&answer);
}

FX_TEST(the_envelope)
{
    struct fixture f;
    fixture_init(&f);
    check_call(&f, "{\"method\":\"getblockcount\",\"params\":[],\"id\":\"a\"}", 200,
               "{\"result\":2,\"error\":null,\"id\":\"a\"}\n");
    check_call(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\",\"id\":1}", 200,
               "{\"jsonrpc\":\"2.0\",\"result\":2,\"id\":1}\n");
    check_call(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}", 204, "");
    check_call(&f, "{\"method\":\"nope\",\"id\":1}", 404,
               "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not "
               "found\"},\"id\":1}\n");
    check_call(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"nope\",\"id\":1}", 200,
               "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not "
               "found\"},\"id\":1}\n");
    check_call(&f, "{\"method\":\"getblockhash\",\"params\":[9],\"id\":1}", 500,
               "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Block height out of "
               "range\"},\"id\":1}\n");
    check_call(&f, "{\"id\":1}", 400,
               "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing "
               "method\"},\"id\":1}\n");
    check_call(&f, "{", 500,
               "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse "
               "error\"},\"id\":null}\n");
    check_call(&f, "7", 500,
               "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Top-level object parse "
               "error\"},\"id\":null}\n");
    fixture_clear(&f);
}

FX_TEST(batches)
{
    struct fixture f;
    fixture_init(&f);
    check_call(&f,
               "[{\"method\":\"getblockcount\",\"id\":1},{\"jsonrpc\":\"2.0\",\"method\":"
               "\"getblockcount\"},{\"jsonrpc\":\"2.0\",\"method\":\"nope\",\"id\":2}]",
               200,
               "[{\"result\":2,\"error\":null,\"id\":1},{\"jsonrpc\":\"2.0\",\"error\":{\"code\":"
               "-32601,\"message\":\"Method not found\"},\"id\":2}]\n");
    check_call(&f, "[]", 200, "[]\n");
    check_call(&f, "[{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}]", 204, "");
    fixture_clear(&f);
}

FX_TEST(who_may_call_what)
{
    struct fixture f;
    struct fx_buf answer = FX_BUF_INIT;
    struct stat st;
    fixture_init(&f);
    FX_CHECK(stat(f.cookie_file, &st) == 0);
    FX_CHECK_INT(st.st_mode & 0777, 0600);
    exchange(&f, "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "", 0,
             &answer);
    FX_CHECK(strncmp((const char *)answer.data, "HTTP/1.1 401", 12) == 0);
    FX_CHECK(strstr((const char *)answer.data, "WWW-Authenticate: Basic realm=\"jsonrpc\""));
    exchange(&f,
             "POST / HTTP/1.1\r\nConnection: close\r\nAuthorization: Basic eDp5\r\nContent-Length: "
             "0\r\n\r\n",
             "", 0, &answer);
    FX_CHECK(strncmp((const char *)answer.data, "HTTP/1.1 401", 12) == 0);
    FX_CHECK_INT(request(&f, "GET", "/", "", 0, &answer, NULL), 405);
    FX_CHECK_INT(request(&f, "GET", "/nothing", "", 0, &answer, NULL), 404);
    FX_CHECK_INT(request(&f, "POST", "/wallet/x", "{}", 2, &answer, NULL), 404);
    fx_buf_clear(&answer);
    fixture_clear(&f);
}

FX_TEST(stop_comes_after_the_answer)
{
    struct fixture f;
    fixture_init(&f);
    check_call(&f, "{\"method\":\"stop\",\"id\":1}", 200,
               "{\"result\":\"Fornax stopping\",\"error\":null,\"id\":1}\n");
    for (unsigned i = 0; i < 1000 && !f.stopped; i++) {
        event_base_loop(f.base, EVLOOP_NONBLOCK);
        usleep(2000);
    }
    FX_CHECK(f.stopped);
    fixture_clear(&f);
}

static void check_put(const struct fixture *f, const char *query, size_t n, int status,
                      const char *expected)
{
    struct fx_buf answer = FX_BUF_INIT;
    const char *body;
    char target[256];
    uint8_t *data = calloc(1, n + 1);
    snprintf(target, sizeof(target), "/blob/operand?%s", query);
    int got = request(f, "PUT", target, data, n, &answer, &body);
    if (got != status || !strstr(body, expected)) {
        FX_FAIL("%s: %d %s", query, got, body);
    }
    free(data);
    fx_buf_clear(&answer);
}

FX_TEST(uploads)
{
    struct fixture f;
    struct fx_buf answer = FX_BUF_INIT;
    const char *body;
    fixture_init(&f);
    check_put(&f, "upload=ab&rows=128&k=256", 0, 200, "{\"received\":0}");
    check_put(&f, "upload=ab&rows=128&k=256&offset=0", 30000, 200, "{\"received\":30000}");
    check_put(&f, "upload=ab&rows=128&k=256&offset=0", 30000, 409, "\"received\":30000");
    FX_CHECK_INT(request(&f, "POST", "/blob/operand/finish?upload=ab", "", 0, &answer, &body), 409);
    fx_fakes.full = true;
    check_put(&f, "upload=ab&rows=128&k=256&offset=30000", 10, 507, "No disk space");
    fx_fakes.full = false;
    check_put(&f, "upload=ab&rows=128&k=256&offset=30000", 2768, 200, "{\"received\":32768}");
    FX_CHECK_INT(request(&f, "POST", "/blob/operand/finish?upload=ab", "", 0, &answer, &body), 200);
    FX_CHECK(strstr(body, "{\"root\":\"2222"));
    check_put(&f, "upload=ab&rows=128&k=256", (4u << 20) + 1, 413, "4 MiB");
    check_put(&f, "upload=ab&rows=100&k=256", 0, 400, "shape");
    check_put(&f, "upload=xy&rows=128&k=256", 0, 400, "expected");
    check_put(&f, "upload=ab&rows=128", 0, 400, "expected");
    check_put(&f, "upload=ab&rows=128&k=256&offset=-1", 0, 400, "expected");
    check_put(&f, "upload=ab&rows=128&k=99999999999", 0, 400, "expected");
    FX_CHECK_INT(request(&f, "POST", "/blob/operand/finish", "", 0, &answer, &body), 400);
    FX_CHECK_INT(request(&f, "DELETE", "/blob/operand", "", 0, &answer, &body), 405);
    FX_CHECK_INT(request(&f, "GET", "/blob/other/00", "", 0, &answer, &body), 404);
    fx_buf_clear(&answer);
    fixture_clear(&f);
}

#define ROOT "2222222222222222222222222222222222222222222222222222222222222222"

FX_TEST(chunks)
{
    struct fixture f;
    struct fx_buf answer = FX_BUF_INIT;
    const char *body;
    fixture_init(&f);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/" ROOT, "", 0, &answer, &body), 200);
    FX_CHECK_STR(body, "{\"root\":\"" ROOT
                       "\",\"rows\":256,\"k\":512,\"chunks\":4,\"have\":3,\"complete\":false}\n");
    FX_CHECK_INT(
        request(&f, "GET", "/blob/operand/" ROOT "?x=0&y=1&count=2", "", 0, &answer, &body), 200);
    FX_CHECK_INT(answer.len - (size_t)(body - (const char *)answer.data), 65536);
    FX_CHECK_INT(body[0], 1);
    FX_CHECK_INT(body[32768], 10);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/" ROOT "?x=1&y=1", "", 0, &answer, &body), 404);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/" ROOT "?x=0&y=2", "", 0, &answer, &body), 404);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/" ROOT "?x=a", "", 0, &answer, &body), 400);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/" ROOT "?x=0&count=999", "", 0, &answer, &body),
                 400);
    FX_CHECK_INT(request(&f, "GET", "/blob/operand/00", "", 0, &answer, &body), 404);
    fx_buf_clear(&answer);
    fixture_clear(&f);
}

#define JOB "1111111111111111111111111111111111111111111111111111111111111111"

FX_TEST(a_result_streams)
{
    struct fixture f;
    struct fx_buf answer = FX_BUF_INIT;
    const char *body;
    fixture_init(&f);
    /* Without wallets there are no job calls, but the stream is there. */
    fx_fakes.rows = 3000;
    fx_fakes.columns = 301;
    FX_CHECK_INT(request(&f, "GET", "/job/" JOB "/result.npy", "", 0, &answer, &body), 409);
    FX_CHECK(strstr(body, "of 4 tasks 3 are settled"));
    fx_fakes.result_here = true;
    FX_CHECK_INT(request(&f, "GET", "/job/" JOB "/result.npy", "", 0, &answer, &body), 200);
    size_t n = answer.len - (size_t)(body - (const char *)answer.data);
    FX_CHECK_INT(n, 128 + 3000 * 301 * 4);
    FX_CHECK_MEM(body, "\x93NUMPY", 6);
    FX_CHECK(memmem(body, 128, "(3000, 301)", 11) && memmem(body, 128, "<i4", 3));
    FX_CHECK_INT(fx_load_u32((const uint8_t *)body + n - 4), 3000 * 301 - 1);
    FX_CHECK_INT(fx_load_u32((const uint8_t *)body + 128 + 4 * 301), 301);
    FX_CHECK_INT(request(&f, "GET", "/job/" ROOT "/result.npy", "", 0, &answer, &body), 404);
    FX_CHECK_INT(request(&f, "GET", "/job/" JOB "/other", "", 0, &answer, &body), 404);
    FX_CHECK_INT(request(&f, "POST", "/job/" JOB "/result.npy", "", 0, &answer, &body), 405);
    fx_buf_clear(&answer);
    fixture_clear(&f);
}

FX_TEST(a_reader_that_goes_away_ends_the_stream)
{
    struct fixture f;
    char *head, *credentials;
    fixture_init(&f);
    fx_fakes.rows = 100000;
    fx_fakes.columns = 1000;
    fx_fakes.result_here = true;
    credentials = authorization(&f);
    FX_CHECK(asprintf(&head, "GET /job/" JOB "/result.npy HTTP/1.1\r\n%s\r\n", credentials) > 0);
    for (unsigned wait = 0; wait < 2; wait++) { /* once it stays open: the end of the server */
        int fd = connect_to(&f);
        send_all(&f, fd, head, strlen(head));
        for (unsigned i = 0; i < 200; i++) {
            event_base_loop(f.base, EVLOOP_NONBLOCK);
            usleep(200);
        }
        FX_CHECK(fx_fakes.rows_read > 0);
        FX_CHECK(fx_fakes.rows_read < 50000); /* what nobody takes is not read */
        if (wait == 0) {
            close(fd);
            for (unsigned i = 0; i < 500 && f.rpc->streams; i++) {
                event_base_loop(f.base, EVLOOP_NONBLOCK);
                usleep(1000);
            }
            FX_CHECK(!f.rpc->streams);
        } else {
            fixture_clear(&f);
            close(fd);
        }
    }
    free(head);
    free(credentials);
}

FX_TEST(a_port_in_use_leaves_the_other_cookie)
{
    struct fixture f;
    char bind_text[32], *error = NULL;
    const char *bind_to[] = {bind_text};
    fixture_init(&f);
    snprintf(bind_text, sizeof(bind_text), "127.0.0.1:%u", (unsigned)fx_rpc_port(f.rpc));
    const struct fx_rpc_config config = {
        .base = f.base,
        .params = fx_params_get(FX_REGTEST),
        .cookie_file = f.cookie_file,
        .bind = bind_to,
        .n_bind = 1,
    };
    FX_CHECK(!fx_rpc_create(&config, &error));
    FX_CHECK(strstr(error, "Unable to listen for RPC at 127.0.0.1 port"));
    free(error);
    FX_CHECK(fx_path_exists(f.cookie_file));
    fixture_clear(&f);
}
