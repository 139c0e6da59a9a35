/* Headers, blocks and merkle roots. */
#include "consensus/block.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

FX_TEST(headers)
{
    uint8_t raw[FX_HEADER_SIZE], again[FX_HEADER_SIZE];
    struct fx_header h;
    struct fx_hash id, expected;

    for (unsigned i = 0; i < sizeof raw; i++) {
        raw[i] = (uint8_t)(i + 1);
    }
    fx_header_read(raw, &h);
    FX_CHECK_INT(h.version, 0x04030201);
    FX_CHECK_INT(h.prev.b[0], 5);
    FX_CHECK_INT(h.merkle_root.b[0], 37);
    FX_CHECK_INT(h.time, 0x48474645);
    FX_CHECK_INT(h.nbits, 0x4c4b4a49);
    FX_CHECK_INT(h.nonce, 0x504f4e4d);
    fx_header_write(&h, again);
    FX_CHECK_MEM(again, raw, sizeof raw);
    fx_header_id(&h, &id);
    fx_sha256d(raw, sizeof raw, expected.b);
    FX_CHECK(fx_hash_equal(&id, &expected));
}

FX_TEST(lanes_stand_in_the_version)
{
    struct fx_header h = {.version = 0x20000000};

    FX_CHECK_INT(fx_header_lane(&h), 0);
    h.version = 0x20000100;
    FX_CHECK_INT(fx_header_lane(&h), 1);
    h.version = 0x20000f00;
    FX_CHECK_INT(fx_header_lane(&h), 15);
    h.version = -1;
    FX_CHECK_INT(fx_header_lane(&h), 15);
    h.version = 0x2000f0ff;
    FX_CHECK_INT(fx_header_lane(&h), 0);
    FX_CHECK_INT(fx_header_version(FX_LANE_HASH), 0x20000000);
    FX_CHECK_INT(fx_header_version(FX_LANE_JOB), 0x20000100);
}

/* The tree as Bitcoin builds it, told the long way. */
static struct fx_hash slow_root(const struct fx_hash *hashes, size_t n)
{
    struct fx_hash level[64];

    memcpy(level, hashes, n * sizeof *hashes);
    while (n > 1) {
        size_t next = 0;

        for (size_t i = 0; i < n; i += 2) {
            uint8_t pair[64];

            memcpy(pair, level[i].b, 32);
            memcpy(pair + 32, level[i + 1 < n ? i + 1 : i].b, 32);
            fx_sha256d(pair, sizeof pair, level[next++].b);
        }
        n = next;
    }
    return level[0];
}

FX_TEST(merkle_roots_of_every_size)
{
    struct fx_hash hashes[40], root, expected;
    bool mutated;

    fx_unit_rand_fill(hashes, sizeof hashes);
    for (size_t n = 1; n <= 40; n++) {
        fx_merkle_root(hashes, n, &root, &mutated);
        expected = slow_root(hashes, n);
        FX_CHECK(fx_hash_equal(&root, &expected));
        FX_CHECK(!mutated);
    }
    fx_merkle_root(hashes, 0, &root, NULL);
    FX_CHECK(fx_hash_is_zero(&root));
}

FX_TEST(mutated_lists_are_noticed)
{
    struct fx_hash hashes[8], root, honest;
    bool mutated;

    fx_unit_rand_fill(hashes, sizeof hashes);
    /* Three, and the same with the last one twice. */
    fx_merkle_root(hashes, 3, &honest, &mutated);
    FX_CHECK(!mutated);
    hashes[3] = hashes[2];
    fx_merkle_root(hashes, 4, &root, &mutated);
    FX_CHECK(fx_hash_equal(&root, &honest));
    FX_CHECK(mutated);
    /* Six, and the same with the last two again: equal one level up. */
    fx_unit_rand_fill(hashes, sizeof hashes);
    fx_merkle_root(hashes, 6, &honest, &mutated);
    FX_CHECK(!mutated);
    hashes[6] = hashes[4];
    hashes[7] = hashes[5];
    fx_merkle_root(hashes, 8, &root, &mutated);
    FX_CHECK(fx_hash_equal(&root, &honest));
    FX_CHECK(mutated);
}

FX_TEST(without_lanes_any_version_is_an_ordinary_block)
{
    const struct fx_params *params = fx_params_get(FX_BTCREGTEST);
    const struct fx_span no_work = {NULL, 0};
    struct fx_block *genesis = fx_genesis_block(params), *made, *read;
    struct fx_header header = genesis->header;
    enum fx_verdict why;

    header.version = fx_header_version(FX_LANE_JOB);
    FX_CHECK_INT(fx_lane_of(params, &header), FX_LANE_HASH);
    FX_CHECK_INT(fx_lane_of(fx_params_get(FX_REGTEST), &header), FX_LANE_JOB);
    made = fx_block_make(params, &header, no_work, genesis->txs, 1);
    FX_CHECK(made != NULL && made->work == NULL);
    read = fx_block_parse(params, made->raw.data, made->raw.len, &why);
    FX_CHECK(read != NULL && read->work == NULL);
    FX_CHECK_INT(why, FX_OK);
    FX_CHECK(fx_hash_equal(&read->id, &made->id));
    FX_CHECK(fx_block_parse(fx_params_get(FX_REGTEST), made->raw.data, made->raw.len, &why) ==
             NULL);
    FX_CHECK_INT(why, FX_BAD_WORK_PARSE);
    fx_block_unref(read);
    fx_block_unref(made);
    fx_block_unref(genesis);
}

FX_TEST(a_block_of_bitcoin)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);
    size_t n;
    uint8_t *raw = fx_unit_vector_bytes("block413567.raw", &n);
    enum fx_verdict why;
    struct fx_block *block = fx_block_parse(params, raw, n, &why), *made;
    struct fx_span no_work = {NULL, 0};
    struct fx_hash root;
    bool mutated;
    char id[FX_HASH_HEX];

    FX_CHECK(block != NULL);
    FX_CHECK_INT(why, FX_OK);
    FX_CHECK_INT(block->n_txs, 1557);
    FX_CHECK_INT(block->raw.len, n);
    FX_CHECK_MEM(block->raw.data, raw, n);
    FX_CHECK_INT(block->weight, 4 * n); /* from before segwit */
    fx_hash_to_id(&block->id, id);
    FX_CHECK_STR(id, "0000000000000000025aff8be8a55df8f89c77296db6198f272d6577325d4069");
    fx_block_merkle_root(block, &root, &mutated);
    FX_CHECK(fx_hash_equal(&root, &block->header.merkle_root));
    FX_CHECK(!mutated);
    FX_CHECK_INT(fx_check_block(params, block, 413567, block->header.time, &why), FX_VALID);
    FX_CHECK_INT(fx_check_block(params, block, 413568, block->header.time, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_BAD_CB_HEIGHT);

    made = fx_block_make(params, &block->header, no_work, block->txs, block->n_txs);
    fx_block_unref(block);
    FX_CHECK(made != NULL);
    FX_CHECK_INT(made->raw.len, n);
    FX_CHECK_MEM(made->raw.data, raw, n);
    fx_block_unref(made);
    free(raw);
}

static struct fx_block *simple_block(void)
{
    struct fx_tx *txs[2];
    struct fx_outpoint prevout = {.index = 1};
    struct fx_txb b;

    world_coinbase(&b, 5, 100);
    txs[0] = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, 0);
    fx_txb_push_witness(&b, 0, "witness", 7);
    fx_txb_add_out(&b, 1, "\x51", 1);
    txs[1] = fx_txb_build(&b);
    fx_txb_clear(&b);
    return world_block(txs, 2);
}

FX_TEST(every_truncation_is_refused)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_block *block = simple_block(), *again;
    enum fx_verdict why = FX_OK;
    uint8_t *longer;

    for (size_t n = 0; n < block->raw.len; n++) {
        uint8_t *exact = fx_xmemdup(block->raw.data, n);

        FX_CHECK(fx_block_parse(params, exact, n, &why) == NULL);
        FX_CHECK_INT(why, FX_BLOCK_DECODE);
        free(exact);
    }
    again = fx_block_parse(params, block->raw.data, block->raw.len, &why);
    FX_CHECK(again != NULL);
    FX_CHECK_INT(why, FX_OK);
    FX_CHECK(fx_hash_equal(&again->id, &block->id));
    fx_block_unref(again);
    longer = fx_xcalloc(1, block->raw.len + 1);
    memcpy(longer, block->raw.data, block->raw.len);
    FX_CHECK(fx_block_parse(params, longer, block->raw.len + 1, &why) == NULL);
    FX_CHECK_INT(why, FX_BLOCK_DECODE);
    free(longer);
    fx_block_unref(block);
}

FX_TEST(weight_is_that_of_bitcoin)
{
    struct fx_block *block = simple_block();
    size_t expected = 4 * (80 + 1);

    expected += fx_tx_weight(block->txs[0]) + fx_tx_weight(block->txs[1]);
    FX_CHECK_INT(block->weight, expected);
    FX_CHECK(block->raw.len * 4 > block->weight);
    fx_block_unref(block);
}

FX_TEST(references_share_one_block)
{
    struct fx_block *block = simple_block();
    struct fx_block *other = fx_block_ref(block);
    struct fx_tx *tx = fx_tx_ref(block->txs[0]);

    FX_CHECK(other == block);
    fx_block_unref(block);
    FX_CHECK_INT(other->n_txs, 2);
    fx_block_unref(other);
    FX_CHECK_INT(tx->out[0].value, 100); /* outlives the block */
    fx_tx_unref(tx);
    fx_block_unref(NULL);
}

/* A transaction with an output script of so many bytes. */
static struct fx_tx *large_tx(size_t script_size)
{
    uint8_t *script = fx_xcalloc(1, script_size);
    struct fx_outpoint prevout = {.index = 1};
    struct fx_txb b;
    struct fx_tx *tx;

    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, 0);
    fx_txb_add_out(&b, 1, script, script_size);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    free(script);
    return tx;
}

FX_TEST(an_oversized_message_is_not_parsed)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    const size_t half = FX_PARSE_MAX / 2;
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH)};

    /* Two transactions that fill all bytes that there are, and one too many. */
    for (size_t over = 0; over <= 1; over++) {
        struct fx_tx *first = large_tx(half), *second;
        size_t beside_script = first->raw.len - half;
        struct fx_buf raw = FX_BUF_INIT;
        struct fx_block *block;
        enum fx_verdict why;

        fx_header_write(&header, fx_buf_extend(&raw, FX_HEADER_SIZE));
        fx_buf_var(&raw, 2);
        fx_tx_write(first, &raw);
        second = large_tx(FX_PARSE_MAX - raw.len - beside_script + over);
        fx_tx_write(second, &raw);
        FX_CHECK_INT(raw.len, FX_PARSE_MAX + over);
        block = fx_block_parse(params, raw.data, raw.len, &why);
        FX_CHECK_INT(block != NULL, over == 0);
        FX_CHECK_INT(why, over == 0 ? FX_OK : FX_BLOCK_DECODE);
        fx_block_unref(block);
        fx_buf_clear(&raw);
        fx_tx_unref(first);
        fx_tx_unref(second);
    }
}

static struct fx_block *job_block(void)
{
    struct world_job *job = fx_xcalloc(1, sizeof *job);
    struct world_work work = {.job = job};
    struct fx_block *block;
    struct fx_txb b;
    struct fx_tx *tx;

    world_job_init(job);
    world_coinbase(&b, 5, 0);
    world_work_output(&work, &b);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    block = world_job_block(&work, &tx, 1);
    world_job_clear(job);
    free(job);
    return block;
}

FX_TEST(a_job_lane_block_carries_its_proof)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_block *block = job_block(), *again;
    enum fx_verdict why;

    FX_CHECK(block->work != NULL);
    FX_CHECK_INT(block->weight, 4 * (80 + 1) + fx_tx_weight(block->txs[0]) + block->work->size);
    FX_CHECK_INT(block->raw.len, 80 + 1 + block->txs[0]->total_size + block->work->size);
    again = fx_block_parse(params, block->raw.data, block->raw.len, &why);
    FX_CHECK(again != NULL);
    FX_CHECK(again->work != NULL);
    FX_CHECK_INT(again->weight, block->weight);
    FX_CHECK(fx_hash_equal(&again->id, &block->id));
    fx_block_unref(again);
    fx_block_unref(block);
}

FX_TEST(a_proof_that_does_not_parse_has_its_own_verdict)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_block *block = job_block(), *made;
    uint8_t *raw = fx_xmemdup(block->raw.data, block->raw.len);
    struct fx_span proof = {raw + 80, block->work->size + 1};
    enum fx_verdict why;

    raw[80 + 1] = 9; /* a state that no task has */
    FX_CHECK(fx_block_parse(params, raw, block->raw.len, &why) == NULL);
    FX_CHECK_INT(why, FX_BAD_WORK_PARSE);
    memcpy(raw, block->raw.data, block->raw.len);
    FX_CHECK(fx_block_parse(params, raw, 80 + 20, &why) == NULL);
    FX_CHECK_INT(why, FX_BAD_WORK_PARSE);
    FX_CHECK(fx_block_parse(params, raw, block->raw.len - 1, &why) == NULL);
    FX_CHECK_INT(why, FX_BLOCK_DECODE);
    FX_CHECK(fx_block_parse(params, raw, 79, &why) == NULL);
    FX_CHECK_INT(why, FX_BLOCK_DECODE);

    /* A proof is all of its bytes; the hash lane has none. */
    FX_CHECK(fx_block_make(params, &block->header, proof, block->txs, 1) == NULL);
    proof.len--;
    made = fx_block_make(params, &block->header, proof, block->txs, 1);
    FX_CHECK(made != NULL);
    fx_block_unref(made);
    proof.len = 0;
    FX_CHECK(fx_block_make(params, &block->header, proof, block->txs, 1) == NULL);
    {
        struct fx_header hash_lane = block->header;

        hash_lane.version = fx_header_version(FX_LANE_HASH);
        proof.len = block->work->size;
        FX_CHECK(fx_block_make(params, &hash_lane, proof, block->txs, 1) == NULL);
    }
    free(raw);
    fx_block_unref(block);
}

FX_TEST(the_last_commitment_counts)
{
    uint8_t script[FX_COMMITMENT_SCRIPT_SIZE + 2] = {0};
    struct fx_hash commitment = {{1}};
    struct fx_txb b;
    struct fx_tx *tx;

    fx_block_commitment_script(&commitment, script);
    world_coinbase(&b, 1, 0);
    tx = fx_txb_build(&b);
    FX_CHECK_INT(fx_block_commitment_output(tx), -1);
    fx_tx_unref(tx);
    fx_txb_add_out(&b, 0, script, FX_COMMITMENT_SCRIPT_SIZE);
    fx_txb_add_out(&b, 0, script, FX_COMMITMENT_SCRIPT_SIZE + 2); /* longer: counts too */
    fx_txb_add_out(&b, 0, script, FX_COMMITMENT_SCRIPT_SIZE - 1); /* shorter: does not */
    tx = fx_txb_build(&b);
    FX_CHECK_INT(fx_block_commitment_output(tx), 2);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
}

FX_TEST(the_witness_root_counts_the_coinbase_as_zero)
{
    struct fx_block *block = simple_block();
    struct fx_hash ids[2] = {{{0}}}, root, expected;

    ids[1] = block->txs[1]->wtxid;
    fx_merkle_root(ids, 2, &expected, NULL);
    fx_block_witness_root(block, &root);
    FX_CHECK(fx_hash_equal(&root, &expected));
    fx_block_unref(block);
}
