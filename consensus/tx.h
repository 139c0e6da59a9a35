/*
 * Transactions, in Bitcoin's serialization with BIP144 witnesses.
 *
 * struct fx_tx is immutable: it keeps its own serialized bytes, and every script and witness item
 * is a view of them. It is shared by reference count (not atomic: references are taken and dropped
 * on the main thread only; other threads may read). A transaction that is being made is a struct
 * fx_txb; building it gives an fx_tx.
 */
#ifndef FX_CONSENSUS_TX_H
#define FX_CONSENSUS_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/buf.h"
#include "src/util/hash.h"
#include "src/util/reader.h"
#include "src/util/span.h"

#define FX_SEQUENCE_FINAL UINT32_C(0xffffffff)
#define FX_SEQUENCE_LOCK_DISABLE (UINT32_C(1) << 31)
#define FX_SEQUENCE_LOCK_TIME (UINT32_C(1) << 22)
#define FX_SEQUENCE_LOCK_MASK UINT32_C(0xffff)
#define FX_WITNESS_SCALE 4
#define FX_OUTPOINT_SIZE 36

struct fx_outpoint {
    struct fx_hash txid;
    uint32_t index;
};

struct fx_txin {
    struct fx_outpoint prevout;
    struct fx_span script_sig;
    uint32_t sequence;
    const struct fx_span *witness; /* n_witness items */
    size_t n_witness;
};

struct fx_txout {
    int64_t value; /* embers */
    struct fx_span script;
};

struct fx_tx {
    int32_t version;
    uint32_t lock_time;
    const struct fx_txin *in;
    size_t n_in;
    const struct fx_txout *out;
    size_t n_out;
    bool has_witness;
    struct fx_hash txid, wtxid;
    struct fx_span raw; /* with witness */
    size_t base_size;   /* bytes without witness */
    size_t total_size;  /* raw.len */
    /* private */
    unsigned refs;
    void *arena;
};

/*
 * Reads one transaction; takes a copy of its bytes. NULL where they do not parse (or are longer
 * than a block's weight allows); the reader is bad then. The caller owns one reference.
 */
struct fx_tx *fx_tx_read(struct fx_reader *r);
/* All of the bytes, nothing after. */
struct fx_tx *fx_tx_parse(const void *data, size_t n);
/* *why: Bitcoin Core's words for what is wrong, NULL where bytes are missing or too many. */
struct fx_tx *fx_tx_parse_why(const void *data, size_t n, const char **why);
struct fx_tx *fx_tx_ref(const struct fx_tx *tx);
void fx_tx_unref(const struct fx_tx *tx);                              /* NULL: nothing */
void fx_tx_write(const struct fx_tx *tx, struct fx_buf *buf);          /* with witness */
void fx_tx_write_stripped(const struct fx_tx *tx, struct fx_buf *buf); /* without */
size_t fx_tx_weight(const struct fx_tx *tx);
size_t fx_tx_vsize(const struct fx_tx *tx); /* weight / 4, rounded up */
bool fx_tx_is_coinbase(const struct fx_tx *tx);

bool fx_outpoint_equal(const struct fx_outpoint *a, const struct fx_outpoint *b);
bool fx_outpoint_is_null(const struct fx_outpoint *o); /* as a coinbase input has it */
bool fx_outpoint_is_zero(const struct fx_outpoint *o); /* 36 zero bytes */
int fx_outpoint_cmp(const struct fx_outpoint *a, const struct fx_outpoint *b);
void fx_outpoint_write(const struct fx_outpoint *o, struct fx_buf *buf);
struct fx_outpoint fx_outpoint_read(struct fx_reader *r);
/* The 36 bytes, for keys of maps and databases. */
void fx_outpoint_key(const struct fx_outpoint *o, uint8_t key[FX_OUTPOINT_SIZE]);

/* An output as the chain keeps it. script is owned. */
struct fx_coin {
    int64_t value;
    uint32_t height;
    bool coinbase;
    uint8_t *script;
    size_t script_len;
};

void fx_coin_set(struct fx_coin *coin, const struct fx_txout *out, uint32_t height, bool coinbase);
void fx_coin_copy(struct fx_coin *to, const struct fx_coin *from);
void fx_coin_clear(struct fx_coin *coin);
struct fx_span fx_coin_script(const struct fx_coin *coin);
void fx_coin_write(const struct fx_coin *coin, struct fx_buf *buf);
bool fx_coin_read(struct fx_reader *r,
                  struct fx_coin *coin); /* false (and the reader bad) where it does not parse */

/* A transaction in the making; everything is owned. */
struct fx_txb_in {
    struct fx_outpoint prevout;
    uint32_t sequence;
    struct fx_buf script_sig;
    struct fx_buf *witness; /* n_witness items */
    size_t n_witness;
};

struct fx_txb_out {
    int64_t value;
    struct fx_buf script;
};

struct fx_txb {
    int32_t version;
    uint32_t lock_time;
    struct fx_txb_in *in;
    size_t n_in;
    struct fx_txb_out *out;
    size_t n_out;
};

void fx_txb_init(struct fx_txb *b); /* version 2, lock time 0 */
void fx_txb_clear(struct fx_txb *b);
void fx_txb_from_tx(struct fx_txb *b, const struct fx_tx *tx); /* init, then a copy of tx */
size_t fx_txb_add_in(struct fx_txb *b, const struct fx_outpoint *prevout,
                     uint32_t sequence); /* returns the index */
size_t fx_txb_add_out(struct fx_txb *b, int64_t value, const void *script, size_t n);
void fx_txb_set_script_sig(struct fx_txb *b, size_t in, const void *script, size_t n);
void fx_txb_push_witness(struct fx_txb *b, size_t in, const void *item, size_t n);
void fx_txb_clear_witness(struct fx_txb *b, size_t in);
/* Never NULL for at least one input and one output. The caller owns one reference. */
struct fx_tx *fx_txb_build(const struct fx_txb *b);

#endif
