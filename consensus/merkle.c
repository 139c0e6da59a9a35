/* Merkle roots of a block: of its txids and, for BIP141, of its wtxids. */
#include "consensus/block.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/util/mem.h"

static const uint8_t commitment_head[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};

/* Reduces level[0..n) in place; level has room for one more than n. */
static void reduce(struct fx_hash *level, size_t n, bool *mutated)
{
    while (n > 1) {
        for (size_t i = 0; i + 1 < n; i += 2) {
            if (fx_hash_equal(&level[i], &level[i + 1])) {
                *mutated = true;
            }
        }
        if (n % 2 == 1) {
            level[n] = level[n - 1];
            n++;
        }
        n /= 2;
        fx_sha256d_64(level[0].b, level[0].b, n);
    }
}

void fx_merkle_root(const struct fx_hash *hashes, size_t n, struct fx_hash *root, bool *mutated)
{
    bool twice = false;
    struct fx_hash *level;

    memset(root, 0, sizeof *root);
    if (n > 0) {
        level = (struct fx_hash *)fx_xmalloc((n + 1) * sizeof *level);
        memcpy(level, hashes, n * sizeof *level);
        reduce(level, n, &twice);
        *root = level[0];
        free(level);
    }
    if (mutated != NULL) {
        *mutated = twice;
    }
}

void fx_block_merkle_root(const struct fx_block *block, struct fx_hash *root, bool *mutated)
{
    struct fx_hash *ids = (struct fx_hash *)fx_xcalloc(block->n_txs + 1, sizeof *ids);

    for (size_t i = 0; i < block->n_txs; i++) {
        ids[i] = block->txs[i]->txid;
    }
    fx_merkle_root(ids, block->n_txs, root, mutated);
    free(ids);
}

void fx_block_witness_root(const struct fx_block *block, struct fx_hash *root)
{
    struct fx_hash *ids = (struct fx_hash *)fx_xcalloc(block->n_txs + 1, sizeof *ids);

    /* The coinbase counts as zero: its witness holds the reserved value that the root goes with. */
    for (size_t i = 1; i < block->n_txs; i++) {
        ids[i] = block->txs[i]->wtxid;
    }
    fx_merkle_root(ids, block->n_txs, root, NULL);
    free(ids);
}

int fx_block_commitment_output(const struct fx_tx *coinbase)
{
    for (size_t i = coinbase->n_out; i-- > 0;) {
        struct fx_span script = coinbase->out[i].script;

        if (script.len >= FX_COMMITMENT_SCRIPT_SIZE &&
            memcmp(script.data, commitment_head, sizeof commitment_head) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void fx_block_commitment_hash(const struct fx_hash *witness_root, const uint8_t reserved[32],
                              struct fx_hash *commitment)
{
    uint8_t pair[64];

    memcpy(pair, witness_root->b, 32);
    memcpy(pair + 32, reserved, 32);
    fx_sha256d(pair, sizeof pair, commitment->b);
}

void fx_block_commitment_script(const struct fx_hash *commitment,
                                uint8_t script[FX_COMMITMENT_SCRIPT_SIZE])
{
    memcpy(script, commitment_head, sizeof commitment_head);
    memcpy(script + sizeof commitment_head, commitment->b, 32);
}
