/* The connection of a client and the HTTP/1.1 messages on it. */
#ifndef FX_RPCCLIENT_HTTP_INT_H
#define FX_RPCCLIENT_HTTP_INT_H

#include "src/rpcclient/rpcclient.h"

#define FX_HTTP_HEAD_MAX 65536 /* bytes of status line and headers */

enum fx_http_result {
    FX_HTTP_OK = 0,
    FX_HTTP_CLOSED, /* the other side closed before the first byte of an answer */
    FX_HTTP_UNSENT, /* the same, and the request had not left as a whole */
    FX_HTTP_TIMEOUT,
    FX_HTTP_BROKEN
};

struct fx_http_conn {
    int fd; /* -1: not connected */
    uint8_t in[16384];
    size_t in_at, in_len;
    unsigned timeout_ms;
    const atomic_bool *cancel; /* rpcclient.h; NULL: none */
    char error[160];           /* after anything but FX_HTTP_OK */
};

void fx_http_conn_init(struct fx_http_conn *conn);
void fx_http_conn_close(struct fx_http_conn *conn);
/* False: error says why. */
bool fx_http_conn_open(struct fx_http_conn *conn, const char *host, uint16_t port,
                       unsigned timeout_ms);
/* Open, and the other side has neither closed nor sent anything unasked. */
bool fx_http_conn_usable(const struct fx_http_conn *conn);
enum fx_http_result fx_http_conn_send(struct fx_http_conn *conn, const void *data, size_t n);

/* What the head of an answer says. */
struct fx_http_head {
    int status;
    bool chunked, close, has_length;
    uint64_t length;
};

/* Parses "HTTP/1.1 200 OK\r\n...\r\n" up to and with the empty line. */
bool fx_http_head_parse(const char *text, size_t n, struct fx_http_head *head);
enum fx_http_result fx_http_conn_read_head(struct fx_http_conn *conn, struct fx_http_head *head);
/* Hands the whole body to sink. */
enum fx_http_result fx_http_conn_read_body(struct fx_http_conn *conn,
                                           const struct fx_http_head *head,
                                           const struct fx_http_sink *sink);

#endif
