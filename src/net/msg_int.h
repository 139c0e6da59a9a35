/*
 * Payloads of messages as structs: reading bounds every count before it allocates. Readers return
 * false where the payload does not parse or bytes are left over; nothing is then to be freed.
 */
#ifndef FX_NET_MSG_INT_H
#define FX_NET_MSG_INT_H

#include "consensus/block.h"
#include "src/iface/blobs.h"
#include "src/net/limits_int.h"
#include "src/net/netaddr_int.h"

enum fx_inv_type {
    FX_INV_TX = 1,
    FX_INV_BLOCK = 2,
    FX_INV_COMPACT_BLOCK = 4, /* BIP152 */
    FX_INV_WTX = 5,           /* BIP339 */
    FX_INV_WITNESS_TX = 0x40000001,
    FX_INV_WITNESS_BLOCK = 0x40000002
};

#define FX_INV_SIZE 36

struct fx_inv {
    uint32_t type;
    struct fx_hash hash;
};

struct fx_msg_version {
    uint32_t version;
    uint64_t services;
    int64_t time;
    struct fx_netaddr to; /* the receiver as the sender sees it */
    uint64_t nonce;
    char user_agent[FX_USER_AGENT_MAX + 1]; /* unprintable characters replaced */
    int32_t start_height;
    bool relay;
};

void fx_msg_version_write(const struct fx_msg_version *m, struct fx_buf *buf);
bool fx_msg_version_read(struct fx_reader *r, struct fx_msg_version *m);

/* inv, getdata, notfound. *items is the caller's to free. */
void fx_msg_inv_write(const struct fx_inv *items, size_t n, struct fx_buf *buf);
bool fx_msg_inv_read(struct fx_reader *r, struct fx_inv **items, size_t *n);

/* getheaders */
void fx_msg_locator_write(const struct fx_hash *locator, size_t n, const struct fx_hash *stop,
                          struct fx_buf *buf);
bool fx_msg_locator_read(struct fx_reader *r, struct fx_hash locator[FX_LOCATOR_MAX], size_t *n,
                         struct fx_hash *stop);

/* headers. *headers is the caller's to free. */
void fx_msg_headers_write(const struct fx_header *headers, size_t n, struct fx_buf *buf);
bool fx_msg_headers_read(struct fx_reader *r, struct fx_header **headers, size_t *n);

struct fx_msg_addr {
    uint32_t time;
    uint64_t services;
    struct fx_netaddr addr; /* FX_NETWORK_NONE: one that cannot be dialled */
};

/* addr, and addrv2 (BIP155). *items is the caller's to free. */
void fx_msg_addr_write(const struct fx_msg_addr *items, size_t n, bool v2, struct fx_buf *buf);
bool fx_msg_addr_read(struct fx_reader *r, bool v2, struct fx_msg_addr **items, size_t *n);

/* cert (protocol section 9) */
struct fx_msg_cert {
    struct fx_outpoint origin;
    struct fx_hash program;
    uint8_t signature[64];
};

#define FX_CERT_SIZE (FX_OUTPOINT_SIZE + 32 + 64)

void fx_msg_cert_write(const struct fx_msg_cert *m, struct fx_buf *buf);
bool fx_msg_cert_read(struct fx_reader *r, struct fx_msg_cert *m);

/* invdata */
struct fx_msg_invdata {
    struct fx_blob_key key;
    struct fx_netaddr addr;
};

void fx_msg_invdata_write(const struct fx_msg_invdata *m, struct fx_buf *buf);
bool fx_msg_invdata_read(struct fx_reader *r, struct fx_msg_invdata *m);

/* getchunk, nochunk, and the head of chunk */
struct fx_msg_chunk_id {
    uint32_t request;
    struct fx_blob_key key;
    uint32_t x, y;
};

#define FX_CHUNK_ID_MAX 77 /* bytes; an operand's has no solver */

size_t fx_chunk_bytes(enum fx_blob_type type); /* of a chunk's data */
void fx_msg_chunk_id_write(const struct fx_msg_chunk_id *m, struct fx_buf *buf);
bool fx_msg_chunk_id_read(struct fx_reader *r, struct fx_msg_chunk_id *m);
/* data and path are views of the reader's data. */
void fx_msg_chunk_write(const struct fx_msg_chunk_id *m, struct fx_span data, const uint8_t *path,
                        size_t n_path, struct fx_buf *buf);
bool fx_msg_chunk_read(struct fx_reader *r, struct fx_msg_chunk_id *m, struct fx_span *data,
                       const uint8_t **path, size_t *n_path);

#endif
