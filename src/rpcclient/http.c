/* Blocking HTTP/1.1 over a socket: connecting, sending, and reading answers with timeouts. */
#include "src/rpcclient/http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/sys/clock.h"

#define CANCEL_MS 1000     /* what is left of a wait when it is cancelled */
#define CANCEL_LOOK_MS 100 /* between two looks whether it is */

void fx_http_conn_init(struct fx_http_conn *conn)
{
    conn->fd = -1;
    conn->in_at = conn->in_len = 0;
    conn->timeout_ms = 0;
    conn->cancel = NULL;
    conn->error[0] = 0;
}

void fx_http_conn_close(struct fx_http_conn *conn)
{
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    conn->fd = -1;
    conn->in_at = conn->in_len = 0;
}

/* 1: ready, 0: timeout, -1: error. */
static int wait_for(int fd, short events, unsigned timeout_ms, const atomic_bool *cancel)
{
    int64_t end = fx_clock_monotonic_ms() + timeout_ms;
    bool cancelled = false;
    for (;;) {
        int64_t now = fx_clock_monotonic_ms();
        if (cancel && !cancelled && atomic_load(cancel)) {
            cancelled = true;
            end = end < now + CANCEL_MS ? end : now + CANCEL_MS;
        }
        int64_t left = end < now ? 0 : end - now;
        bool looks = cancel && !cancelled && left > CANCEL_LOOK_MS;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, looks ? CANCEL_LOOK_MS : (int)left);
        if (n > 0) {
            return 1;
        }
        if (n == 0 && !looks) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
    }
}

static int connect_one(const struct addrinfo *to, unsigned timeout_ms, const atomic_bool *cancel)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    int cause = 0;
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        socklen_t n = sizeof(cause);
        if (errno != EINPROGRESS) {
            cause = errno;
        } else if (wait_for(fd, POLLOUT, timeout_ms, cancel) != 1) {
            cause = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &n) != 0) {
            cause = errno;
        }
    }
    if (cause != 0) {
        close(fd);
        errno = cause;
        return -1;
    }
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

bool fx_http_conn_open(struct fx_http_conn *conn, const char *host, uint16_t port,
                       unsigned timeout_ms)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[8];
    fx_http_conn_close(conn);
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0) {
        snprintf(conn->error, sizeof(conn->error), "%.80s: %.60s", host, gai_strerror(failed));
        return false;
    }
    int cause = ENOENT;
    for (const struct addrinfo *a = found; a && conn->fd < 0; a = a->ai_next) {
        conn->fd = connect_one(a, timeout_ms, conn->cancel);
        if (conn->fd < 0) {
            cause = errno;
        }
    }
    freeaddrinfo(found);
    if (conn->fd < 0) {
        snprintf(conn->error, sizeof(conn->error), "%s", strerror(cause));
        return false;
    }
    return true;
}

bool fx_http_conn_usable(const struct fx_http_conn *conn)
{
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    return conn->fd >= 0 && conn->in_at == conn->in_len && poll(&p, 1, 0) == 0;
}

static enum fx_http_result fail(struct fx_http_conn *conn, enum fx_http_result result,
                                const char *what)
{
    snprintf(conn->error, sizeof(conn->error), "%s", what);
    fx_http_conn_close(conn);
    return result;
}

enum fx_http_result fx_http_conn_send(struct fx_http_conn *conn, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n > 0) {
        ssize_t sent = send(conn->fd, p, n, MSG_NOSIGNAL);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            /* An answer may come before all is sent (413): the caller reads it then. */
            int ready = wait_for(conn->fd, POLLOUT, conn->timeout_ms, conn->cancel);
            if (ready == 1) {
                continue;
            }
            return ready == 0 ? fail(conn, FX_HTTP_TIMEOUT, "the node takes no more bytes")
                              : fail(conn, FX_HTTP_UNSENT, strerror(errno));
        }
        snprintf(conn->error, sizeof(conn->error), "%s", strerror(errno));
        return FX_HTTP_UNSENT;
    }
    return FX_HTTP_OK;
}

/* At least one byte more into the buffer, which is empty. */
static enum fx_http_result fill(struct fx_http_conn *conn)
{
    conn->in_at = conn->in_len = 0;
    for (;;) {
        ssize_t n = recv(conn->fd, conn->in, sizeof(conn->in), 0);
        if (n > 0) {
            conn->in_len = (size_t)n;
            return FX_HTTP_OK;
        }
        if (n == 0) {
            return fail(conn, FX_HTTP_CLOSED, "the node closed the connection");
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            return fail(conn, FX_HTTP_CLOSED, strerror(errno));
        }
        int ready = wait_for(conn->fd, POLLIN, conn->timeout_ms, conn->cancel);
        if (ready == 0) {
            return fail(conn, FX_HTTP_TIMEOUT, "no answer in time");
        }
        if (ready < 0) {
            return fail(conn, FX_HTTP_BROKEN, strerror(errno));
        }
    }
}

static bool field_is(const char *line, size_t n, const char *name, const char **value, size_t *len)
{
    size_t m = strlen(name);
    if (n <= m || strncasecmp(line, name, m) != 0 || line[m] != ':') {
        return false;
    }
    const char *v = line + m + 1;
    size_t left = n - m - 1;
    while (left > 0 && (*v == ' ' || *v == '\t')) {
        v++;
        left--;
    }
    while (left > 0 && (v[left - 1] == ' ' || v[left - 1] == '\t')) {
        left--;
    }
    *value = v;
    *len = left;
    return true;
}

static bool decimal(const char *s, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    if (n == 0 || n > 18) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return false;
        }
        v = 10 * v + (uint64_t)(s[i] - '0');
    }
    *out = v;
    return true;
}

static bool head_line(const char *line, size_t n, struct fx_http_head *head)
{
    const char *value;
    size_t len;
    if (field_is(line, n, "Content-Length", &value, &len)) {
        head->has_length = true;
        return decimal(value, len, &head->length);
    }
    if (field_is(line, n, "Transfer-Encoding", &value, &len)) {
        head->chunked = len == 7 && strncasecmp(value, "chunked", 7) == 0;
        return head->chunked;
    }
    if (field_is(line, n, "Connection", &value, &len)) {
        head->close = len == 5 && strncasecmp(value, "close", 5) == 0;
    }
    return true;
}

bool fx_http_head_parse(const char *text, size_t n, struct fx_http_head *head)
{
    uint64_t status;
    memset(head, 0, sizeof(*head));
    if (n < 12 || memcmp(text, "HTTP/1.", 7) != 0 || (text[7] != '0' && text[7] != '1') ||
        text[8] != ' ' || !decimal(text + 9, 3, &status) || status < 100) {
        return false;
    }
    head->status = (int)status;
    head->close = text[7] == '0';
    const char *end = text + n;
    for (const char *at = memchr(text, '\n', n); at && at + 1 < end;) {
        const char *line = at + 1;
        at = memchr(line, '\n', (size_t)(end - line));
        if (!at) {
            return false;
        }
        size_t len = (size_t)(at - line);
        if (len > 0 && line[len - 1] == '\r') {
            len--;
        }
        if (len > 0 && !head_line(line, len, head)) {
            return false;
        }
    }
    return true;
}

static enum fx_http_result read_byte(struct fx_http_conn *conn, uint8_t *byte)
{
    if (conn->in_at == conn->in_len) {
        enum fx_http_result r = fill(conn);
        if (r != FX_HTTP_OK) {
            return r;
        }
    }
    *byte = conn->in[conn->in_at++];
    return FX_HTTP_OK;
}

enum fx_http_result fx_http_conn_read_head(struct fx_http_conn *conn, struct fx_http_head *head)
{
    struct fx_buf text = FX_BUF_INIT;
    enum fx_http_result result;
    for (;;) {
        uint8_t byte = 0;
        result = read_byte(conn, &byte);
        if (result != FX_HTTP_OK) {
            if (text.len > 0 && result == FX_HTTP_CLOSED) {
                result = FX_HTTP_BROKEN;
            }
            break;
        }
        fx_buf_u8(&text, byte);
        size_t n = text.len;
        bool ended = n >= 2 && text.data[n - 1] == '\n' &&
                     (text.data[n - 2] == '\n' ||
                      (n >= 3 && text.data[n - 2] == '\r' && text.data[n - 3] == '\n'));
        if (!ended && n < FX_HTTP_HEAD_MAX) {
            continue;
        }
        if (!ended || !fx_http_head_parse((const char *)text.data, n, head)) {
            result = fail(conn, FX_HTTP_BROKEN, "the answer is not HTTP");
            break;
        }
        if (head->status != 100) { /* 100 Continue: the answer itself follows */
            break;
        }
        text.len = 0;
    }
    fx_buf_clear(&text);
    return result;
}

static enum fx_http_result cut(enum fx_http_result result)
{
    return result == FX_HTTP_CLOSED ? FX_HTTP_BROKEN : result;
}

static enum fx_http_result read_length(struct fx_http_conn *conn, uint64_t left,
                                       const struct fx_http_sink *sink)
{
    while (left > 0) {
        if (conn->in_at == conn->in_len) {
            enum fx_http_result r = fill(conn);
            if (r != FX_HTTP_OK) {
                return cut(r);
            }
        }
        size_t n = conn->in_len - conn->in_at;
        if (n > left) {
            n = (size_t)left;
        }
        if (!sink->write(sink->ctx, conn->in + conn->in_at, n)) {
            return fail(conn, FX_HTTP_BROKEN, "the answer was not taken");
        }
        conn->in_at += n;
        left -= n;
    }
    return FX_HTTP_OK;
}

/* A line without its end; lines here are short. */
static enum fx_http_result read_line(struct fx_http_conn *conn, char line[128])
{
    size_t n = 0;
    for (;;) {
        uint8_t byte = 0;
        enum fx_http_result r = read_byte(conn, &byte);
        if (r != FX_HTTP_OK) {
            return cut(r);
        }
        if (byte == '\n') {
            line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = 0;
            return FX_HTTP_OK;
        }
        if (n == 127) {
            return fail(conn, FX_HTTP_BROKEN, "the answer is not HTTP");
        }
        line[n++] = (char)byte;
    }
}

static bool chunk_size(const char *line, uint64_t *size)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; line[n] && line[n] != ';' && line[n] != ' '; n++) {
        char c = line[n];
        unsigned digit;
        if (c >= '0' && c <= '9') {
            digit = (unsigned)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (unsigned)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (unsigned)(c - 'A') + 10;
        } else {
            return false;
        }
        if (n >= 15) {
            return false;
        }
        v = 16 * v + digit;
    }
    *size = v;
    return n > 0;
}

static enum fx_http_result read_chunks(struct fx_http_conn *conn, const struct fx_http_sink *sink)
{
    char line[128];
    for (;;) {
        uint64_t size;
        enum fx_http_result r = read_line(conn, line);
        if (r != FX_HTTP_OK) {
            return r;
        }
        if (!chunk_size(line, &size)) {
            return fail(conn, FX_HTTP_BROKEN, "the answer is not HTTP");
        }
        if (size == 0) {
            break;
        }
        r = read_length(conn, size, sink);
        if (r == FX_HTTP_OK) {
            r = read_line(conn, line);
        }
        if (r != FX_HTTP_OK) {
            return r;
        }
        if (line[0] != 0) {
            return fail(conn, FX_HTTP_BROKEN, "the answer is not HTTP");
        }
    }
    do { /* trailers */
        enum fx_http_result r = read_line(conn, line);
        if (r != FX_HTTP_OK) {
            return r;
        }
    } while (line[0] != 0);
    return FX_HTTP_OK;
}

enum fx_http_result fx_http_conn_read_body(struct fx_http_conn *conn,
                                           const struct fx_http_head *head,
                                           const struct fx_http_sink *sink)
{
    enum fx_http_result result = FX_HTTP_OK;
    bool closes = head->close;
    if (head->status == 204 || head->status == 304) {
        result = FX_HTTP_OK;
    } else if (head->chunked) {
        result = read_chunks(conn, sink);
    } else if (head->has_length) {
        result = read_length(conn, head->length, sink);
    } else {
        /* The body ends with the connection. */
        closes = true;
        while (result == FX_HTTP_OK) {
            size_t n = conn->in_len - conn->in_at;
            if (n > 0 && !sink->write(sink->ctx, conn->in + conn->in_at, n)) {
                return fail(conn, FX_HTTP_BROKEN, "the answer was not taken");
            }
            result = fill(conn);
        }
        result = result == FX_HTTP_CLOSED ? FX_HTTP_OK : result;
    }
    if (closes) {
        fx_http_conn_close(conn);
    }
    return result;
}
