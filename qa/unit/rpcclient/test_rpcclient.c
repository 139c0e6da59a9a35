/*
 * Unit tests of src/rpcclient/rpcclient.c against a server of a few lines: calls, errors,
 * reconnection, cookies, streamed bodies.
 */
#include "src/rpcclient/rpcclient.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"

/* Answers requests one after the other with the texts of a script; "" closes the connection before
 * an answer, and a text that starts with '!' is sent without the '!' and the connection closed. */
struct server {
    int listener;
    uint16_t port;
    const char *const *script;
    size_t n;
    char requests[8][4096];
    size_t got;
    pthread_t thread;
};

static bool read_request(int fd, char *out, size_t cap)
{
    size_t n = 0;
    for (;;) {
        ssize_t r = recv(fd, out + n, cap - 1 - n, 0);
        if (r <= 0) {
            return false;
        }
        n += (size_t)r;
        out[n] = 0;
        const char *end = strstr(out, "\r\n\r\n");
        if (!end) {
            continue;
        }
        const char *length = strcasestr(out, "Content-Length:");
        size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
        if (n >= (size_t)(end + 4 - out) + body) {
            return true;
        }
    }
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd = -1;
    for (size_t i = 0; i < s->n;) {
        if (fd < 0) {
            fd = accept(s->listener, NULL, NULL);
        }
        if (!read_request(fd, s->requests[i], sizeof(s->requests[i]))) {
            close(fd);
            fd = -1;
            continue;
        }
        const char *text = s->script[i++];
        s->got = i;
        bool ends = text[0] == 0 || text[0] == '!';
        text += text[0] == '!';
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
        if (ends) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *s, const char *const *script, size_t n)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    memset(s, 0, sizeof(*s));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    FX_CHECK(bind(s->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
    FX_CHECK(listen(s->listener, 8) == 0);
    FX_CHECK(getsockname(s->listener, (struct sockaddr *)&at, &len) == 0);
    s->port = ntohs(at.sin_port);
    s->script = script;
    s->n = n;
    FX_CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void server_stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static struct fx_rpc_client *client_of(const struct server *s)
{
    const struct fx_rpc_client_config config = {
        .port = s->port, .user = "user", .password = "pass", .timeout_ms = 5000};
    return fx_rpc_client_create(&config);
}

#define JSON_OK \
    "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n{\"result\": 7, \"error\":null, \"id\": 1} "

FX_TEST(a_result_and_an_error)
{
    static const char *const script[] = {
        JSON_OK,
        "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1f\r\n{\"result\":null,\"error\":{\"code\":\r\n1a\r\n-8,\"message\":\"no\"},\"id\":1}"
        "\r\n0\r\n\r\n",
    };
    struct server s;
    struct fx_rpc_reply reply;
    server_start(&s, script, 2);
    struct fx_rpc_client *client = client_of(&s);
    json_t *params = json_pack("[s, i]", "a", 2);
    FX_CHECK_INT(fx_rpc_client_call(client, "getit", params, &reply), FX_RPC_OK);
    FX_CHECK_INT(json_integer_value(reply.result), 7);
    fx_rpc_reply_clear(&reply);
    json_decref(params);
    fx_rpc_client_set_wallet(client, "my wallet");
    FX_CHECK_INT(fx_rpc_client_call(client, "getit", NULL, &reply), FX_RPC_ERROR);
    FX_CHECK_INT(reply.code, -8);
    FX_CHECK_INT(reply.http, 500);
    FX_CHECK_STR(reply.message, "no");
    fx_rpc_reply_clear(&reply);
    fx_rpc_client_destroy(client);
    server_stop(&s);
    FX_CHECK(strncmp(s.requests[0], "POST / HTTP/1.1\r\n", 17) == 0);
    FX_CHECK(strstr(s.requests[0], "Authorization: Basic dXNlcjpwYXNz\r\n"));
    FX_CHECK(strstr(s.requests[0], "\"params\":[\"a\",2]"));
    FX_CHECK(strncmp(s.requests[1], "POST /wallet/my%20wallet HTTP", 29) == 0);
}

FX_TEST(not_running_and_wrong_password)
{
    static const char *const script[] = {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"};
    struct server s;
    struct fx_rpc_reply reply;
    server_start(&s, script, 1);
    struct fx_rpc_client *client = client_of(&s);
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_AUTH);
    FX_CHECK_STR(reply.message, "Authorization failed: Incorrect rpcuser or rpcpassword");
    fx_rpc_reply_clear(&reply);
    server_stop(&s);
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_CONNECT);
    FX_CHECK(strstr(reply.message, "Could not connect to the server 127.0.0.1:"));
    fx_rpc_reply_clear(&reply);
    fx_rpc_client_destroy(client);
}

FX_TEST(a_new_cookie_is_read_again)
{
    static const char *const script[] = {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                                         JSON_OK, ""};
    struct server s;
    struct fx_rpc_reply reply;
    char *path = fx_path_join(fx_unit_tmpdir(), ".cookie");
    server_start(&s, script, 2);
    const struct fx_rpc_client_config config = {
        .port = s.port, .cookie_file = path, .timeout_ms = 5000};
    struct fx_rpc_client *client = fx_rpc_client_create(&config);
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_AUTH);
    FX_CHECK(strstr(reply.message, "No authentication cookie"));
    fx_rpc_reply_clear(&reply);
    FX_CHECK(fx_file_write(path, "__cookie__:00ff", 15, 0600));
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_OK);
    fx_rpc_reply_clear(&reply);
    fx_rpc_client_destroy(client);
    server_stop(&s);
    FX_CHECK(strstr(s.requests[1], "Authorization: Basic X19jb29raWVfXzowMGZm\r\n"));
    free(path);
}

FX_TEST(a_call_is_not_repeated_where_it_may_have_run)
{
    static const char *const script[] = {JSON_OK, ""};
    struct server s;
    struct fx_rpc_reply reply;
    server_start(&s, script, 2);
    struct fx_rpc_client *client = client_of(&s);
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_OK);
    fx_rpc_reply_clear(&reply);
    FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_BROKEN);
    fx_rpc_reply_clear(&reply);
    fx_rpc_client_destroy(client);
    server_stop(&s);
}

FX_TEST(a_closed_connection_is_made_again)
{
    static const char *const script[] = {"!" JSON_OK, JSON_OK};
    struct server s;
    struct fx_rpc_reply reply;
    server_start(&s, script, 2);
    struct fx_rpc_client *client = client_of(&s);
    for (int i = 0; i < 2; i++) {
        FX_CHECK_INT(fx_rpc_client_call(client, "a", NULL, &reply), FX_RPC_OK);
        fx_rpc_reply_clear(&reply);
        usleep(20000);
    }
    fx_rpc_client_destroy(client);
    server_stop(&s);
}

static bool collect(void *ctx, const void *data, size_t n)
{
    fx_buf_bytes(ctx, data, n);
    return true;
}

FX_TEST(bodies_stream_and_bad_answers_are_named)
{
    static const char *const script[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}",
        "!HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "!220 mail.example ESMTP\r\n\r\n",
    };
    struct server s;
    struct fx_http_reply reply;
    struct fx_buf got = FX_BUF_INIT;
    const struct fx_http_sink sink = {collect, &got};
    server_start(&s, script, 4);
    struct fx_rpc_client *client = client_of(&s);
    FX_CHECK_INT(fx_rpc_client_request(client, "GET", "/x", NULL, 0, &sink, 0, &reply), FX_RPC_OK);
    FX_CHECK_INT(got.len, 5);
    FX_CHECK_MEM(got.data, "hello", 5);
    fx_http_reply_clear(&reply);
    FX_CHECK_INT(fx_rpc_client_request(client, "PUT", "/x?a=1", "abc", 3, &sink, 0, &reply),
                 FX_RPC_OK);
    FX_CHECK_INT(reply.http, 409);
    FX_CHECK_INT(reply.body.len, 2);
    fx_http_reply_clear(&reply);
    FX_CHECK_INT(fx_rpc_client_request(client, "GET", "/x", NULL, 0, NULL, 100, &reply),
                 FX_RPC_BROKEN);
    fx_http_reply_clear(&reply);
    FX_CHECK_INT(fx_rpc_client_request(client, "GET", "/x", NULL, 0, NULL, 100, &reply),
                 FX_RPC_BROKEN);
    FX_CHECK(strstr(reply.message, "the answer is not HTTP"));
    fx_http_reply_clear(&reply);
    fx_rpc_client_destroy(client);
    server_stop(&s);
    fx_buf_clear(&got);
    FX_CHECK(strstr(s.requests[1], "\r\nContent-Length: 3\r\n\r\nabc"));
}

static void *cancel_soon(void *arg)
{
    usleep(300000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

/* Of a server that takes connections and says nothing: fifteen minutes are not waited for. */
FX_TEST(a_wait_is_cancelled)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    atomic_bool cancel = false;
    pthread_t thread;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FX_CHECK(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0);
    FX_CHECK(listen(listener, 8) == 0);
    FX_CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
    const struct fx_rpc_client_config config = {
        .port = ntohs(at.sin_port), .user = "user", .password = "pass", .cancel = &cancel};
    struct fx_rpc_client *client = fx_rpc_client_create(&config);
    FX_CHECK(pthread_create(&thread, NULL, cancel_soon, &cancel) == 0);
    for (int i = 0; i < 2; i++) { /* while it waits, and before */
        struct fx_rpc_reply reply;
        FX_CHECK_INT(fx_rpc_client_call(client, "uptime", NULL, &reply), FX_RPC_TIMEOUT);
        FX_CHECK(atomic_load(&cancel));
        fx_rpc_reply_clear(&reply);
    }
    pthread_join(thread, NULL);
    fx_rpc_client_destroy(client);
    close(listener);
}

FX_TEST(escapes)
{
    struct fx_buf out = FX_BUF_INIT;
    fx_http_escape(&out, "a b/c%\xc3\xa9~");
    fx_buf_u8(&out, 0);
    FX_CHECK_STR((const char *)out.data, "a%20b%2Fc%25%C3%A9~");
    fx_buf_clear(&out);
}
