/* Proofs that transactions are in a block: BIP37's partial merkle trees, with the block's header.
 */
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/rpc/topics_int.h"
#include "src/util/mem.h"

#define COINS_TRIED 16    /* outputs; most transactions have few, and one of the first is unspent */
#define TX_WEIGHT_MIN 240 /* of the smallest transaction: 60 bytes */
#define TXS_MAX (FX_BLOCK_WEIGHT_MAX / TX_WEIGHT_MIN)
#define PROOF_MAX (FX_HEADER_SIZE + 9 + 9 + 32 * TXS_MAX + TXS_MAX)

/* A tree over n leaves, as it is written or read, from the root down and left to right. */
struct partial {
    size_t n;
    /* writing */
    const struct fx_hash *ids;
    const bool *wanted;
    struct fx_buf hashes;
    size_t n_hashes;
    uint8_t *bits;
    size_t n_bits;
    /* reading */
    const uint8_t *in_hashes;
    size_t used_hashes, used_bits;
    bool bad;
    json_t *found;
};

static size_t width(const struct partial *p, unsigned height)
{
    return (p->n + ((size_t)1 << height) - 1) >> height;
}

static unsigned tree_height(const struct partial *p)
{
    unsigned height = 0;
    while (width(p, height) > 1) {
        height++;
    }
    return height;
}

static struct fx_hash parent_hash(const struct fx_hash *left, const struct fx_hash *right)
{
    struct fx_hash pair[2] = {*left, *right}, out;
    fx_sha256d(pair, sizeof(pair), out.b);
    return out;
}

/* ---- making ---------------------------------------------------------------------------------- */

static struct fx_hash node_hash(const struct partial *p, unsigned height, size_t at)
{
    if (height == 0) {
        return p->ids[at];
    }
    struct fx_hash left = node_hash(p, height - 1, 2 * at), right = left;
    if (2 * at + 1 < width(p, height - 1)) {
        right = node_hash(p, height - 1, 2 * at + 1);
    }
    return parent_hash(&left, &right);
}

static void put_node(struct partial *p, unsigned height, size_t at)
{
    bool parent_of_wanted = false;
    for (size_t i = at << height; i < (at + 1) << height && i < p->n; i++) {
        parent_of_wanted = parent_of_wanted || p->wanted[i];
    }
    if (p->n_bits % 8 == 0) {
        p->bits = fx_xreallocarray(p->bits, p->n_bits / 8 + 1, 1);
        p->bits[p->n_bits / 8] = 0;
    }
    p->bits[p->n_bits / 8] |= (uint8_t)(parent_of_wanted << p->n_bits % 8);
    p->n_bits++;
    if (height == 0 || !parent_of_wanted) {
        struct fx_hash hash = node_hash(p, height, at);
        fx_buf_hash(&p->hashes, &hash);
        p->n_hashes++;
        return;
    }
    put_node(p, height - 1, 2 * at);
    if (2 * at + 1 < width(p, height - 1)) {
        put_node(p, height - 1, 2 * at + 1);
    }
}

static json_t *proof_json(const struct fx_block *block, const bool *wanted)
{
    struct partial p = {.n = block->n_txs, .wanted = wanted, .hashes = FX_BUF_INIT};
    struct fx_buf out = FX_BUF_INIT;
    struct fx_hash *ids = fx_xcalloc(block->n_txs, sizeof(*ids));
    uint8_t header[FX_HEADER_SIZE];
    for (size_t i = 0; i < block->n_txs; i++) {
        ids[i] = block->txs[i]->txid;
    }
    p.ids = ids;
    put_node(&p, tree_height(&p), 0);
    fx_header_write(&block->header, header);
    fx_buf_bytes(&out, header, sizeof(header));
    fx_buf_u32(&out, (uint32_t)p.n);
    fx_buf_var(&out, p.n_hashes);
    fx_buf_bytes(&out, p.hashes.data, p.hashes.len);
    fx_buf_var_bytes(&out, p.bits, (p.n_bits + 7) / 8);
    json_t *hex = fx_json_hex(out.data, out.len);
    free(ids);
    free(p.bits);
    fx_buf_clear(&p.hashes);
    fx_buf_clear(&out);
    return hex;
}

/* The ids of the argument; the caller frees. NULL after fx_rpc_fail. */
static struct fx_hash *arg_txids(struct fx_rpc_call *call, const json_t *list, size_t *n)
{
    size_t i;
    json_t *value;
    *n = json_array_size(list);
    if (*n == 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Parameter 'txids' cannot be empty");
        return NULL;
    }
    struct fx_hash *ids = fx_xcalloc(*n, sizeof(*ids));
    json_array_foreach(list, i, value)
    {
        bool twice = false;
        bool ok = fx_rpc_arg_hash(call, value, "txid", &ids[i]);
        for (size_t k = 0; k < i && ok; k++) {
            twice = twice || fx_hash_equal(&ids[k], &ids[i]);
        }
        if (twice) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, duplicated txid: %s",
                        json_string_value(value));
        }
        if (!ok || twice) {
            free(ids);
            return NULL;
        }
    }
    return ids;
}

/* The block that holds a transaction with an unspent output, by the coin's height. */
static const struct fx_index *block_by_coin(struct fx_rpc_call *call, const struct fx_hash *txid)
{
    struct fx_view view;
    fx_chain_view(call->rpc->config.chain, &view);
    for (uint32_t n = 0; n < COINS_TRIED; n++) {
        const struct fx_outpoint o = {*txid, n};
        struct fx_coin coin = {0};
        if (view.coin(view.ctx, &o, &coin) == FX_FOUND) {
            uint32_t height = coin.height;
            fx_coin_clear(&coin);
            return fx_chain_at(call->rpc->config.chain, height);
        }
    }
    return NULL;
}

static const struct fx_index *find_block(struct fx_rpc_call *call, const struct fx_hash *ids,
                                         size_t n)
{
    const struct fx_index *found = NULL;
    if (call->args[1]) {
        return fx_rpc_arg_block(call, call->args[1]);
    }
    for (size_t i = 0; i < n && !found; i++) {
        found = block_by_coin(call, &ids[i]);
    }
    if (!found && !fx_rpc_indexed_block(call, &ids[0], &found)) {
        return NULL;
    }
    if (!found) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Transaction not yet in block");
    }
    return found;
}

static json_t *gettxoutproof(struct fx_rpc_call *call)
{
    size_t n, found = 0;
    struct fx_hash *ids = arg_txids(call, call->args[0], &n);
    const struct fx_index *index = ids ? find_block(call, ids, n) : NULL;
    if (!index) {
        free(ids);
        return NULL;
    }
    struct fx_block *block = fx_chain_read_block(call->rpc->config.chain, index);
    json_t *out = NULL;
    if (!block) {
        fx_rpc_fail(call, FX_RPC_INTERNAL, "Can't read block from disk");
    } else {
        bool *wanted = fx_xcalloc(block->n_txs, sizeof(*wanted));
        for (size_t t = 0; t < block->n_txs; t++) {
            for (size_t i = 0; i < n && !wanted[t]; i++) {
                wanted[t] = fx_hash_equal(&block->txs[t]->txid, &ids[i]);
            }
            found += wanted[t];
        }
        out = found == n ? proof_json(block, wanted)
                         : fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                                       "Not all transactions found in specified or retrieved "
                                       "block");
        free(wanted);
    }
    fx_block_unref(block);
    free(ids);
    return out;
}

const struct fx_rpc_command fx_rpc_gettxoutproof = {
    .name = "gettxoutproof",
    .text = "Proves that transactions are in a block (BIP37). Without blockhash the block is found "
            "while one of them has an unspent output, and after that by -txindex.",
    .args = "txids: [ hash ]\n"
            "blockhash?: hash",
    .result = "hex  # The proof",
    .errors = "-32603: Can't read block from disk\n"
              "-5: they are not in one block, or the block is not found\n"
              "-8: no txids, or one of them twice",
    .example = "'[\"txid\"]'",
    .run = gettxoutproof,
};

/* ---- verifying ------------------------------------------------------------------------------- */

static struct fx_hash take_node(struct partial *p, unsigned height, size_t at)
{
    struct fx_hash hash = {{0}};
    if (p->used_bits >= p->n_bits) {
        p->bad = true;
        return hash;
    }
    bool parent_of_wanted = p->bits[p->used_bits / 8] >> (p->used_bits % 8) & 1;
    p->used_bits++;
    if (height == 0 || !parent_of_wanted) {
        if (p->used_hashes >= p->n_hashes) {
            p->bad = true;
            return hash;
        }
        memcpy(hash.b, p->in_hashes + 32 * p->used_hashes++, 32);
        if (height == 0 && parent_of_wanted) {
            json_array_append_new(p->found, fx_json_id(&hash));
        }
        return hash;
    }
    struct fx_hash left = take_node(p, height - 1, 2 * at), right = left;
    if (2 * at + 1 < width(p, height - 1) && !p->bad) {
        right = take_node(p, height - 1, 2 * at + 1);
        /* The same on both sides would stand for another tree (CVE-2012-2459). */
        p->bad = p->bad || fx_hash_equal(&left, &right);
    }
    return parent_hash(&left, &right);
}

/* Reads what follows the header. False where it is no tree. */
static bool read_tree(struct fx_reader *r, struct partial *p)
{
    p->n = fx_read_u32(r);
    p->n_hashes = (size_t)fx_read_count(r, TXS_MAX, 32);
    p->in_hashes = fx_read_bytes(r, 32 * p->n_hashes);
    size_t n_bytes;
    const uint8_t *bits = fx_read_var_bytes(r, TXS_MAX, &n_bytes);
    if (r->bad || p->n == 0 || p->n > TXS_MAX || p->n_hashes > p->n) {
        return false;
    }
    p->bits = fx_xmemdup(bits, n_bytes);
    p->n_bits = 8 * n_bytes;
    return p->n_bits >= p->n_hashes;
}

/* All was used, but what fills the last byte. */
static bool all_used(const struct partial *p)
{
    return !p->bad && (p->used_bits + 7) / 8 == (p->n_bits + 7) / 8 &&
           p->used_hashes == p->n_hashes;
}

static json_t *check_proof(struct fx_rpc_call *call, struct fx_reader *r)
{
    struct partial p = {.found = json_array()};
    struct fx_header header;
    struct fx_hash id, root;
    const uint8_t *raw = fx_read_bytes(r, FX_HEADER_SIZE);
    if (!raw) {
        json_decref(p.found);
        return fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Proof decode failed");
    }
    fx_header_read(raw, &header);
    fx_header_id(&header, &id);
    bool holds = read_tree(r, &p);
    if (holds) {
        root = take_node(&p, tree_height(&p), 0);
        holds = all_used(&p) && fx_hash_equal(&root, &header.merkle_root);
    }
    free(p.bits);
    if (!holds) {
        json_array_clear(p.found);
        return p.found;
    }
    const struct fx_index *index = fx_chain_find(call->rpc->config.chain, &id);
    if (!index || !fx_chain_contains(call->rpc->config.chain, index) || index->n_txs == 0) {
        json_decref(p.found);
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Block not found in chain");
    }
    if (index->n_txs != p.n) {
        json_array_clear(p.found); /* another number of leaves is another tree */
    }
    return p.found;
}

static json_t *verifytxoutproof(struct fx_rpc_call *call)
{
    uint8_t *data;
    size_t n;
    struct fx_reader r;
    if (!fx_rpc_arg_hex(call, call->args[0], "proof", PROOF_MAX, &data, &n)) {
        return NULL;
    }
    fx_reader_init(&r, data, n);
    json_t *out = check_proof(call, &r);
    free(data);
    return out;
}

const struct fx_rpc_command fx_rpc_verifytxoutproof = {
    .name = "verifytxoutproof",
    .text =
        "Returns the transactions that a proof of gettxoutproof proves to be in the chain; none "
        "where it proves nothing.",
    .args = "proof: hex",
    .result = "[ hash ]",
    .errors = "-5: Block not found in chain\n-22: Proof decode failed",
    .example = "\"proof\"",
    .run = verifytxoutproof,
};
