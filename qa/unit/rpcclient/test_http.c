/* Unit tests of src/rpcclient/http.c: heads of answers. */
#include "src/rpcclient/http_int.h"

#include <string.h>

#include "qa/unit/harness.h"

static bool parse(const char *text, struct fx_http_head *head)
{
    return fx_http_head_parse(text, strlen(text), head);
}

FX_TEST(good_heads)
{
    struct fx_http_head head;
    FX_CHECK(parse("HTTP/1.1 200 OK\r\ncontent-length:  12 \r\nX: y\r\n\r\n", &head));
    FX_CHECK_INT(head.status, 200);
    FX_CHECK(head.has_length && !head.chunked && !head.close);
    FX_CHECK_INT(head.length, 12);
    FX_CHECK(parse("HTTP/1.0 404 Not Found\r\n\r\n", &head));
    FX_CHECK_INT(head.status, 404);
    FX_CHECK(head.close && !head.has_length);
    FX_CHECK(
        parse("HTTP/1.1 401 U\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", &head));
    FX_CHECK(head.chunked && head.close);
}

FX_TEST(bad_heads)
{
    static const char *const bad[] = {
        "",
        "HTTP/1.1",
        "HTTP/2.0 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fx_http_head head;
        if (parse(bad[i], &head)) {
            FX_FAIL("taken: %s", bad[i]);
        }
    }
}
