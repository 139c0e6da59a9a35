/* Payloads: each reads what it wrote, and nothing that is cut, longer, or over its bounds. */
#include "src/net/msg_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"

/* Reads a payload and frees what that gave. */
typedef bool reader(struct fx_reader *r);

static bool read_version(struct fx_reader *r)
{
    struct fx_msg_version m;

    return fx_msg_version_read(r, &m);
}

static bool read_inv(struct fx_reader *r)
{
    struct fx_inv *items = NULL;
    size_t n = 0;
    bool ok = fx_msg_inv_read(r, &items, &n);

    if (ok) {
        free(items);
    }
    return ok;
}

static bool read_locator(struct fx_reader *r)
{
    struct fx_hash locator[FX_LOCATOR_MAX];
    struct fx_hash stop;
    size_t n = 0;

    return fx_msg_locator_read(r, locator, &n, &stop);
}

static bool read_headers(struct fx_reader *r)
{
    struct fx_header *headers = NULL;
    size_t n = 0;
    bool ok = fx_msg_headers_read(r, &headers, &n);

    if (ok) {
        free(headers);
    }
    return ok;
}

static bool read_addr_of(struct fx_reader *r, bool v2)
{
    struct fx_msg_addr *items = NULL;
    size_t n = 0;
    bool ok = fx_msg_addr_read(r, v2, &items, &n);

    if (ok) {
        free(items);
    }
    return ok;
}

static bool read_addr(struct fx_reader *r)
{
    return read_addr_of(r, false);
}

static bool read_addrv2(struct fx_reader *r)
{
    return read_addr_of(r, true);
}

static bool read_cert(struct fx_reader *r)
{
    struct fx_msg_cert m;

    return fx_msg_cert_read(r, &m);
}

static bool read_invdata(struct fx_reader *r)
{
    struct fx_msg_invdata m;

    return fx_msg_invdata_read(r, &m);
}

static bool read_chunk_id(struct fx_reader *r)
{
    struct fx_msg_chunk_id m;

    return fx_msg_chunk_id_read(r, &m);
}

static bool read_chunk(struct fx_reader *r)
{
    struct fx_msg_chunk_id m;
    struct fx_span data;
    const uint8_t *path = NULL;
    size_t n = 0;

    return fx_msg_chunk_read(r, &m, &data, &path, &n);
}

static bool parses(reader *read, const uint8_t *data, size_t n)
{
    /* An exact copy, so that a sanitizer sees a read past its end. */
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    struct fx_reader r;
    bool ok;

    FX_CHECK(copy != NULL);
    memcpy(copy, data, n);
    fx_reader_init(&r, copy, n);
    ok = read(&r);
    free(copy);
    return ok;
}

/* The message parses, no beginning of it does, and nothing may follow it. */
static void check_strict(reader *read, struct fx_buf *buf)
{
    size_t step = buf->len > 4096 ? 997 : 1;

    FX_CHECK(parses(read, buf->data, buf->len));
    for (size_t n = 0; n < buf->len; n += step) {
        FX_CHECK(!parses(read, buf->data, n));
    }
    FX_CHECK(!parses(read, buf->data, buf->len - 1));
    fx_buf_u8(buf, 0);
    FX_CHECK(!parses(read, buf->data, buf->len));
    fx_buf_clear(buf);
}

static struct fx_netaddr address(const char *text)
{
    struct fx_netaddr addr;

    FX_CHECK(fx_netaddr_parse(text, 9, &addr));
    return addr;
}

FX_TEST(version)
{
    struct fx_msg_version m;
    struct fx_msg_version got;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;

    memset(&m, 0, sizeof m);
    m.version = 70016;
    m.services = 0x1000009;
    m.time = 1700000000;
    m.to = address("1.2.3.4:5");
    m.nonce = 77;
    memcpy(m.user_agent, "/x:1/", 6);
    m.start_height = -1;
    fx_msg_version_write(&m, &buf);
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_msg_version_read(&r, &got));
    FX_CHECK_INT(got.version, 70016);
    FX_CHECK_INT(got.services, 0x1000009);
    FX_CHECK_INT(got.nonce, 77);
    FX_CHECK_INT(got.start_height, -1);
    FX_CHECK_STR(got.user_agent, "/x:1/");
    FX_CHECK(!got.relay && fx_netaddr_equal(&got.to, &m.to));
    /* Without the relay flag it still parses; one byte less does not. */
    FX_CHECK(parses(read_version, buf.data, buf.len - 1));
    for (size_t n = 0; n + 1 < buf.len; n++) {
        FX_CHECK(!parses(read_version, buf.data, n));
    }
    fx_buf_clear(&buf);
}

FX_TEST(version_user_agent)
{
    struct fx_msg_version m;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;

    memset(&m, 0, sizeof m);
    memset(m.user_agent, 'a', FX_USER_AGENT_MAX);
    m.user_agent[3] = '\n';
    fx_msg_version_write(&m, &buf);
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_msg_version_read(&r, &m));
    FX_CHECK_INT(m.user_agent[3], '?');
    FX_CHECK_INT(strlen(m.user_agent), FX_USER_AGENT_MAX);
    fx_buf_clear(&buf);
    /* One character more is refused. */
    for (size_t i = 0; i < 80; i++) {
        fx_buf_u8(&buf, 0);
    }
    fx_buf_var(&buf, FX_USER_AGENT_MAX + 1);
    for (size_t i = 0; i < FX_USER_AGENT_MAX + 6; i++) {
        fx_buf_u8(&buf, 'a');
    }
    FX_CHECK(!parses(read_version, buf.data, buf.len));
    fx_buf_clear(&buf);
}

FX_TEST(inv)
{
    struct fx_inv items[3] = {{FX_INV_WTX, fake_hash(1)},
                              {FX_INV_WITNESS_BLOCK, fake_hash(2)},
                              {0xffffffff, fake_hash(3)}};
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_inv_write(items, 3, &buf);
    FX_CHECK_INT(buf.len, 1 + 3 * 36);
    check_strict(read_inv, &buf);
    fx_buf_var(&buf, FX_INV_MAX + 1);
    fx_buf_reserve(&buf, (FX_INV_MAX + 1) * FX_INV_SIZE);
    memset(fx_buf_extend(&buf, (FX_INV_MAX + 1) * FX_INV_SIZE), 0, (FX_INV_MAX + 1) * FX_INV_SIZE);
    FX_CHECK(!parses(read_inv, buf.data, buf.len));
    fx_buf_clear(&buf);
    /* A count that nothing backs allocates nothing. */
    fx_buf_var(&buf, UINT64_MAX);
    FX_CHECK(!parses(read_inv, buf.data, buf.len));
    fx_buf_clear(&buf);
}

FX_TEST(locator)
{
    struct fx_hash hashes[FX_LOCATOR_MAX + 1];
    struct fx_buf buf = FX_BUF_INIT;

    for (uint32_t i = 0; i <= FX_LOCATOR_MAX; i++) {
        hashes[i] = fake_hash(i);
    }
    fx_msg_locator_write(hashes, 2, &hashes[9], &buf);
    check_strict(read_locator, &buf);
    fx_msg_locator_write(hashes, FX_LOCATOR_MAX + 1, &hashes[9], &buf);
    FX_CHECK(!parses(read_locator, buf.data, buf.len));
    fx_buf_clear(&buf);
}

FX_TEST(headers)
{
    struct fx_header list[2];
    struct fx_hash zero;
    struct fx_buf buf = FX_BUF_INIT;

    memset(&zero, 0, sizeof zero);
    list[0] = fake_header(&zero, FX_LANE_HASH, 1);
    list[1] = fake_header(&zero, FX_LANE_JOB, 2);
    fx_msg_headers_write(list, 2, &buf);
    FX_CHECK_INT(buf.len, 1 + 2 * 81);
    buf.data[81] = 1; /* a header with transactions */
    FX_CHECK(!parses(read_headers, buf.data, buf.len));
    buf.data[81] = 0;
    check_strict(read_headers, &buf);
    fx_buf_var(&buf, FX_HEADERS_MAX + 1);
    memset(fx_buf_extend(&buf, (FX_HEADERS_MAX + 1) * 81), 0, (FX_HEADERS_MAX + 1) * 81);
    FX_CHECK(!parses(read_headers, buf.data, buf.len));
    fx_buf_clear(&buf);
}

FX_TEST(addr)
{
    struct fx_msg_addr items[2] = {{1700000000, 9, address("8.8.8.8:1")},
                                   {1700000001, 1, address("[2a00::1]:2")}};
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_addr_write(items, 2, false, &buf);
    FX_CHECK_INT(buf.len, 1 + 2 * 30);
    check_strict(read_addr, &buf);
    fx_msg_addr_write(items, 2, true, &buf);
    check_strict(read_addrv2, &buf);
}

FX_TEST(addrv2_of_other_networks)
{
    struct fx_msg_addr *items = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    size_t n = 0;

    /* An onion address (32 bytes), and an IPv4 of the wrong length. */
    fx_buf_u8(&buf, 1);
    fx_buf_u32(&buf, 5);
    fx_buf_var(&buf, 1);
    fx_buf_u8(&buf, 4);
    fx_buf_var(&buf, 32);
    memset(fx_buf_extend(&buf, 32), 1, 32);
    fx_buf_u16be(&buf, 80);
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_msg_addr_read(&r, true, &items, &n));
    FX_CHECK_INT(n, 1);
    FX_CHECK_INT(items[0].addr.network, FX_NETWORK_NONE);
    free(items);
    buf.data[6] = FX_NETWORK_IPV4;
    FX_CHECK(!parses(read_addrv2, buf.data, buf.len));
    fx_buf_clear(&buf);
}

FX_TEST(cert)
{
    struct fake_cert c = fake_cert(3);
    struct fx_msg_cert m = {.origin = c.origin, .program = c.program};
    struct fx_buf buf = FX_BUF_INIT;

    memcpy(m.signature, c.signature, 64);
    fx_msg_cert_write(&m, &buf);
    FX_CHECK_INT(buf.len, 132);
    FX_CHECK_MEM(buf.data, c.origin.txid.b, 32);
    FX_CHECK_MEM(buf.data + 36, c.program.b, 32);
    FX_CHECK_MEM(buf.data + 68, c.signature, 64);
    check_strict(read_cert, &buf);
}

FX_TEST(invdata)
{
    struct fx_msg_invdata m;
    struct fx_buf buf = FX_BUF_INIT;

    memset(&m, 0, sizeof m);
    m.key.type = FX_BLOB_RESULT;
    m.key.root = fake_hash(1);
    m.addr = address("1.2.3.4:258");
    fx_msg_invdata_write(&m, &buf);
    FX_CHECK_INT(buf.len, 1 + 32 + 1 + 1 + 4 + 2);
    FX_CHECK_INT(buf.data[0], 1);
    FX_CHECK_HEX(buf.data + 33, "0104010203040102");
    buf.data[0] = 2;
    FX_CHECK(!parses(read_invdata, buf.data, buf.len));
    buf.data[0] = 0;
    check_strict(read_invdata, &buf);
}

FX_TEST(chunk)
{
    static uint8_t data[FX_BLOB_CHUNK_MAX];
    uint8_t path[(FX_BLOB_PATH_MAX + 1) * 32];
    struct fx_msg_chunk_id m = {.request = 7, .x = 3, .y = 5};
    struct fx_buf buf = FX_BUF_INIT;

    memset(path, 9, sizeof path);
    m.key.root = fake_hash(4);
    fx_msg_chunk_id_write(&m, &buf);
    FX_CHECK_INT(buf.len, 45);
    check_strict(read_chunk_id, &buf);
    for (int type = FX_BLOB_OPERAND; type <= FX_BLOB_RESULT; type++) {
        size_t n = type == FX_BLOB_OPERAND ? 32768 : 65536;
        size_t head = type == FX_BLOB_OPERAND ? 45 : 77;

        m.key.type = (enum fx_blob_type)type;
        fx_msg_chunk_write(&m, (struct fx_span){data, n}, path, 11, &buf);
        FX_CHECK_INT(buf.len, head + n + 1 + 11 * 32);
        check_strict(read_chunk, &buf);
        fx_msg_chunk_write(&m, (struct fx_span){data, n}, path, FX_BLOB_PATH_MAX + 1, &buf);
        FX_CHECK(!parses(read_chunk, buf.data, buf.len));
        fx_buf_clear(&buf);
    }
}
