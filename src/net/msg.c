/* Reading and writing the payloads of messages. */
#include "src/net/msg_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

void fx_msg_version_write(const struct fx_msg_version *m, struct fx_buf *buf)
{
    static const struct fx_netaddr nobody = {.network = FX_NETWORK_IPV6};

    fx_buf_u32(buf, m->version);
    fx_buf_u64(buf, m->services);
    fx_buf_i64(buf, m->time);
    fx_buf_u64(buf, 0);
    fx_netaddr_write_v1(&m->to, buf);
    fx_buf_u64(buf, m->services);
    fx_netaddr_write_v1(&nobody, buf);
    fx_buf_u64(buf, m->nonce);
    fx_buf_var_bytes(buf, m->user_agent, strlen(m->user_agent));
    fx_buf_u32(buf, (uint32_t)m->start_height);
    fx_buf_u8(buf, m->relay ? 1 : 0);
}

bool fx_msg_version_read(struct fx_reader *r, struct fx_msg_version *m)
{
    struct fx_netaddr from;
    const uint8_t *agent = NULL;
    size_t n = 0;

    memset(m, 0, sizeof *m);
    m->version = fx_read_u32(r);
    m->services = fx_read_u64(r);
    m->time = fx_read_i64(r);
    fx_read_u64(r);
    fx_netaddr_read_v1(r, &m->to);
    fx_read_u64(r);
    fx_netaddr_read_v1(r, &from);
    m->nonce = fx_read_u64(r);
    agent = fx_read_var_bytes(r, FX_USER_AGENT_MAX, &n);
    m->start_height = (int32_t)fx_read_u32(r);
    if (r->bad) {
        return false;
    }
    /* BIP37: the flag may be missing, and then means true. Later versions may add fields. */
    m->relay = r->left == 0 || fx_read_u8(r) != 0;
    for (size_t i = 0; i < n; i++) {
        m->user_agent[i] = agent[i] >= 0x20 && agent[i] < 0x7f ? (char)agent[i] : '?';
    }
    return true;
}

void fx_msg_inv_write(const struct fx_inv *items, size_t n, struct fx_buf *buf)
{
    fx_buf_reserve(buf, 9 + n * FX_INV_SIZE);
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_u32(buf, items[i].type);
        fx_buf_hash(buf, &items[i].hash);
    }
}

bool fx_msg_inv_read(struct fx_reader *r, struct fx_inv **items, size_t *n)
{
    uint64_t count = fx_read_count(r, FX_INV_MAX, FX_INV_SIZE);

    if (r->bad || r->left != count * FX_INV_SIZE) {
        return false;
    }
    *n = (size_t)count;
    *items = fx_xcalloc(*n, sizeof **items);
    for (size_t i = 0; i < *n; i++) {
        (*items)[i].type = fx_read_u32(r);
        (*items)[i].hash = fx_read_hash(r);
    }
    return true;
}

void fx_msg_locator_write(const struct fx_hash *locator, size_t n, const struct fx_hash *stop,
                          struct fx_buf *buf)
{
    fx_buf_u32(buf, FX_PROTOCOL_VERSION);
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_hash(buf, &locator[i]);
    }
    fx_buf_hash(buf, stop);
}

bool fx_msg_locator_read(struct fx_reader *r, struct fx_hash locator[FX_LOCATOR_MAX], size_t *n,
                         struct fx_hash *stop)
{
    fx_read_u32(r);
    *n = (size_t)fx_read_count(r, FX_LOCATOR_MAX, 32);
    if (r->bad) {
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        locator[i] = fx_read_hash(r);
    }
    *stop = fx_read_hash(r);
    return fx_reader_done(r);
}

void fx_msg_headers_write(const struct fx_header *headers, size_t n, struct fx_buf *buf)
{
    fx_buf_reserve(buf, 9 + n * (FX_HEADER_SIZE + 1));
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_header_write(&headers[i], fx_buf_extend(buf, FX_HEADER_SIZE));
        fx_buf_u8(buf, 0);
    }
}

bool fx_msg_headers_read(struct fx_reader *r, struct fx_header **headers, size_t *n)
{
    uint64_t count = fx_read_count(r, FX_HEADERS_MAX, FX_HEADER_SIZE + 1);
    struct fx_header *list = NULL;

    if (r->bad || r->left != count * (FX_HEADER_SIZE + 1)) {
        return false;
    }
    list = fx_xcalloc((size_t)count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        fx_header_read(fx_read_bytes(r, FX_HEADER_SIZE), &list[i]);
        if (fx_read_u8(r) != 0) {
            r->bad = true;
            break;
        }
    }
    if (!fx_reader_done(r)) {
        free(list);
        return false;
    }
    *headers = list;
    *n = (size_t)count;
    return true;
}

void fx_msg_addr_write(const struct fx_msg_addr *items, size_t n, bool v2, struct fx_buf *buf)
{
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_u32(buf, items[i].time);
        if (v2) {
            fx_buf_var(buf, items[i].services);
            fx_netaddr_write_v2(&items[i].addr, buf);
        } else {
            fx_buf_u64(buf, items[i].services);
            fx_netaddr_write_v1(&items[i].addr, buf);
        }
    }
}

bool fx_msg_addr_read(struct fx_reader *r, bool v2, struct fx_msg_addr **items, size_t *n)
{
    uint64_t count = fx_read_count(r, FX_ADDR_MAX, v2 ? 9 : 30);
    struct fx_msg_addr *list = NULL;

    if (r->bad) {
        return false;
    }
    list = fx_xcalloc((size_t)count, sizeof *list);
    for (size_t i = 0; i < count && !r->bad; i++) {
        list[i].time = fx_read_u32(r);
        list[i].services = v2 ? fx_read_var(r) : fx_read_u64(r);
        if (v2) {
            fx_netaddr_read_v2(r, &list[i].addr);
        } else {
            fx_netaddr_read_v1(r, &list[i].addr);
        }
    }
    if (!fx_reader_done(r)) {
        free(list);
        return false;
    }
    *items = list;
    *n = (size_t)count;
    return true;
}

void fx_msg_cert_write(const struct fx_msg_cert *m, struct fx_buf *buf)
{
    fx_outpoint_write(&m->origin, buf);
    fx_buf_hash(buf, &m->program);
    fx_buf_bytes(buf, m->signature, sizeof m->signature);
}

bool fx_msg_cert_read(struct fx_reader *r, struct fx_msg_cert *m)
{
    m->origin = fx_outpoint_read(r);
    m->program = fx_read_hash(r);
    fx_read_copy(r, m->signature, sizeof m->signature);
    return fx_reader_done(r);
}

/* invdata speaks of a root, whoever's result it is. */
static void write_root(const struct fx_blob_key *key, struct fx_buf *buf)
{
    fx_buf_u8(buf, (uint8_t)key->type);
    fx_buf_hash(buf, &key->root);
}

static void read_root(struct fx_reader *r, struct fx_blob_key *key)
{
    uint8_t type = fx_read_u8(r);

    if (type > FX_BLOB_RESULT) {
        r->bad = true;
    }
    memset(key, 0, sizeof *key);
    key->type = type == FX_BLOB_RESULT ? FX_BLOB_RESULT : FX_BLOB_OPERAND;
    key->root = fx_read_hash(r);
}

void fx_msg_invdata_write(const struct fx_msg_invdata *m, struct fx_buf *buf)
{
    write_root(&m->key, buf);
    fx_netaddr_write_v2(&m->addr, buf);
}

bool fx_msg_invdata_read(struct fx_reader *r, struct fx_msg_invdata *m)
{
    read_root(r, &m->key);
    fx_netaddr_read_v2(r, &m->addr);
    return fx_reader_done(r);
}

size_t fx_chunk_bytes(enum fx_blob_type type)
{
    switch (type) {
    case FX_BLOB_OPERAND:
        return FX_BLOCK_BYTES;
    case FX_BLOB_RESULT:
        return FX_TILE_BYTES;
    }
    return 0;
}

void fx_msg_chunk_id_write(const struct fx_msg_chunk_id *m, struct fx_buf *buf)
{
    fx_buf_u32(buf, m->request);
    write_root(&m->key, buf);
    if (m->key.type == FX_BLOB_RESULT) {
        fx_buf_hash(buf, &m->key.solver);
    }
    fx_buf_u32(buf, m->x);
    fx_buf_u32(buf, m->y);
}

static void read_chunk_id(struct fx_reader *r, struct fx_msg_chunk_id *m)
{
    m->request = fx_read_u32(r);
    read_root(r, &m->key);
    if (m->key.type == FX_BLOB_RESULT) {
        m->key.solver = fx_read_hash(r);
    }
    m->x = fx_read_u32(r);
    m->y = fx_read_u32(r);
}

bool fx_msg_chunk_id_read(struct fx_reader *r, struct fx_msg_chunk_id *m)
{
    read_chunk_id(r, m);
    return fx_reader_done(r);
}

void fx_msg_chunk_write(const struct fx_msg_chunk_id *m, struct fx_span data, const uint8_t *path,
                        size_t n_path, struct fx_buf *buf)
{
    fx_buf_reserve(buf, FX_CHUNK_ID_MAX + data.len + 9 + n_path * 32);
    fx_msg_chunk_id_write(m, buf);
    fx_buf_bytes(buf, data.data, data.len);
    fx_buf_var(buf, n_path);
    fx_buf_bytes(buf, path, n_path * 32);
}

bool fx_msg_chunk_read(struct fx_reader *r, struct fx_msg_chunk_id *m, struct fx_span *data,
                       const uint8_t **path, size_t *n_path)
{
    read_chunk_id(r, m);
    data->len = fx_chunk_bytes(m->key.type);
    data->data = fx_read_bytes(r, data->len);
    *n_path = (size_t)fx_read_count(r, FX_BLOB_PATH_MAX, 32);
    *path = fx_read_bytes(r, *n_path * 32);
    return fx_reader_done(r);
}
