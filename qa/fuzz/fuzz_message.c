/*
 * Network messages: what parses is written as the same bytes. The first byte of the input says
 * which payload follows; 0 is the frame itself.
 */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "src/net/codec_int.h"
#include "src/net/msg_int.h"

static void check_same(struct fx_buf *buf, const uint8_t *data, size_t length)
{
    FX_FUZZ_CHECK(buf->len == length && memcmp(buf->data, data, length) == 0);
    fx_buf_clear(buf);
}

static void frame(const uint8_t *data, size_t length)
{
    struct fx_frame head;
    uint8_t again[FX_FRAME_SIZE];

    if (length < FX_FRAME_SIZE || fx_codec_read_frame(data, data, &head) != FX_CODEC_OK) {
        return;
    }
    FX_FUZZ_CHECK(head.length <= FX_MESSAGE_MAX && strlen(head.command) <= FX_COMMAND_SIZE);
    if (length - FX_FRAME_SIZE >= head.length &&
        fx_codec_check_payload(&head, data + FX_FRAME_SIZE) == FX_CODEC_OK) {
        fx_codec_write_frame(data, head.command, data + FX_FRAME_SIZE, head.length, again);
        FX_FUZZ_CHECK(memcmp(again, data, FX_FRAME_SIZE) == 0);
    }
}

static void version(struct fx_reader *r)
{
    struct fx_msg_version m;
    struct fx_buf buf = FX_BUF_INIT;

    if (fx_msg_version_read(r, &m)) {
        struct fx_msg_version again;

        fx_msg_version_write(&m, &buf);
        fx_reader_init(r, buf.data, buf.len);
        FX_FUZZ_CHECK(fx_msg_version_read(r, &again));
        FX_FUZZ_CHECK(strcmp(m.user_agent, again.user_agent) == 0 && m.nonce == again.nonce);
        fx_buf_clear(&buf);
    }
}

static void inv(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_inv *items = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n = 0;

    if (fx_msg_inv_read(r, &items, &n)) {
        fx_msg_inv_write(items, n, &buf);
        check_same(&buf, data, length);
        free(items);
    }
}

static void locator(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_hash hashes[FX_LOCATOR_MAX];
    struct fx_hash stop;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n = 0;

    if (fx_msg_locator_read(r, hashes, &n, &stop)) {
        fx_msg_locator_write(hashes, n, &stop, &buf);
        /* The version before it is ours, not the peer's. */
        FX_FUZZ_CHECK(buf.len == length && memcmp(buf.data + 4, data + 4, length - 4) == 0);
        fx_buf_clear(&buf);
    }
}

static void headers(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_header *list = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n = 0;

    if (fx_msg_headers_read(r, &list, &n)) {
        fx_msg_headers_write(list, n, &buf);
        check_same(&buf, data, length);
        free(list);
    }
}

static void addr(struct fx_reader *r, bool v2, const uint8_t *data, size_t length)
{
    struct fx_msg_addr *items = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n = 0;
    bool all = true;

    if (fx_msg_addr_read(r, v2, &items, &n)) {
        for (size_t i = 0; i < n; i++) {
            all = all && items[i].addr.network == FX_NETWORK_IPV4;
        }
        if (all) {
            fx_msg_addr_write(items, n, v2, &buf);
            check_same(&buf, data, length);
        }
        free(items);
    }
}

static void cert(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_msg_cert m;
    struct fx_buf buf = FX_BUF_INIT;

    if (fx_msg_cert_read(r, &m)) {
        fx_msg_cert_write(&m, &buf);
        check_same(&buf, data, length);
    }
}

static void invdata(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_msg_invdata m;
    struct fx_buf buf = FX_BUF_INIT;

    if (fx_msg_invdata_read(r, &m) && m.addr.network != FX_NETWORK_NONE) {
        fx_msg_invdata_write(&m, &buf);
        check_same(&buf, data, length);
    }
}

static void chunk_id(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_msg_chunk_id m;
    struct fx_buf buf = FX_BUF_INIT;

    if (fx_msg_chunk_id_read(r, &m)) {
        fx_msg_chunk_id_write(&m, &buf);
        check_same(&buf, data, length);
    }
}

static void chunk(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_msg_chunk_id m;
    struct fx_span bytes;
    struct fx_buf buf = FX_BUF_INIT;
    const uint8_t *path = NULL;
    size_t n_path = 0;

    if (fx_msg_chunk_read(r, &m, &bytes, &path, &n_path)) {
        fx_msg_chunk_write(&m, bytes, path, n_path, &buf);
        check_same(&buf, data, length);
    }
}

static void text(const uint8_t *data, size_t length)
{
    char in[128];
    char out[FX_NET_ADDRESS];
    struct fx_netaddr a, b;

    length = length < sizeof in - 1 ? length : sizeof in - 1;
    memcpy(in, data, length);
    in[length] = '\0';
    if (fx_netaddr_parse(in, 7, &a)) {
        fx_netaddr_format(&a, out);
        FX_FUZZ_CHECK(fx_netaddr_parse(out, 8, &b) && fx_netaddr_equal(&a, &b));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fx_reader r;

    if (length == 0) {
        return 0;
    }
    fx_reader_init(&r, data + 1, length - 1);
    switch (data[0] % 11) {
    case 0:
        frame(data + 1, length - 1);
        break;
    case 1:
        version(&r);
        break;
    case 2:
        inv(&r, data + 1, length - 1);
        break;
    case 3:
        locator(&r, data + 1, length - 1);
        break;
    case 4:
        headers(&r, data + 1, length - 1);
        break;
    case 5:
        addr(&r, data[0] >= 128, data + 1, length - 1);
        break;
    case 6:
        cert(&r, data + 1, length - 1);
        break;
    case 7:
        invdata(&r, data + 1, length - 1);
        break;
    case 8:
        chunk_id(&r, data + 1, length - 1);
        break;
    case 9:
        chunk(&r, data + 1, length - 1);
        break;
    case 10:
        text(data + 1, length - 1);
        break;
    }
    return 0;
}
