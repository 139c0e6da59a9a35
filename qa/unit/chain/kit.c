/* The kit of the chain's tests. */
#include "qa/unit/chain/kit.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define FEE 1000

void kit_open(struct kit *kit, const char *dir, size_t cache_bytes)
{
    memset(kit, 0, sizeof(*kit));
    kit->params = fx_params_get(FX_REGTEST);
    fx_clock_set_mock((int64_t)kit->params->genesis_time + 10000000);
    kit->fee = FEE;
    fx_test_key(1, &kit->miner);
    fx_test_key(2, &kit->client);
    fx_test_key(3, &kit->solver);
    fx_test_job_init(&kit->job, 128, 128, 256, 1, 1, &kit->client.xonly);
    kit_reopen(kit, dir, cache_bytes);
}

void kit_reopen(struct kit *kit, const char *dir, size_t cache_bytes)
{
    struct fx_chain_config config = {
        .params = kit->params,
        .dir = dir,
        .cache_bytes = cache_bytes,
        .pool = kit->pool,
        .prune = kit->prune,
        .fast_prune = kit->prune != FX_PRUNE_OFF,
    };
    char *error;

    fx_chain_destroy(kit->chain);
    kit->chain = fx_chain_create(&config, &error);
    if (kit->chain == NULL) {
        FX_FAIL("cannot open the chain: %s", error);
    }
}

void kit_close(struct kit *kit)
{
    fx_chain_destroy(kit->chain);
    fx_test_job_clear(&kit->job);
    memset(kit, 0, sizeof(*kit));
    fx_clock_set_mock(0);
}

/* ---- blocks ---- */

static void p2tr(const struct fx_test_key *key, uint8_t script[34])
{
    fx_script_p2tr(key->xonly.b, script);
}

static void add_commitment(struct fx_txb *b, const struct kit_block *spec)
{
    struct fx_hash ids[KIT_TX_MAX + 1] = {0}, root, commitment;
    uint8_t reserved[32] = {0}, script[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    size_t i;

    for (i = 0; i < spec->n_txs; i++) {
        ids[i + 1] = spec->txs[i]->wtxid;
    }
    fx_merkle_root(ids, spec->n_txs + 1, &root, NULL);
    fx_block_commitment_hash(&root, reserved, &commitment);
    memcpy(script + 6, commitment.b, 32);
    fx_txb_add_out(b, 0, script, sizeof(script));
    fx_txb_push_witness(b, 0, reserved, sizeof(reserved));
}

static void add_work(const struct kit *kit, struct fx_txb *b, const struct kit_block *spec)
{
    struct fx_cb_work cb = {.outpoint = spec->task, .solver = kit->solver.xonly};
    uint8_t script[FX_CB_WORK_SCRIPT_SIZE];

    fx_work_preimage_hash(spec->preimage, &cb.preimage_hash);
    fx_work_backing_hash(spec->backing, spec->n_backing, &cb.backing_hash);
    fx_cb_work_script(&cb, script);
    fx_txb_add_out(b, 0, script, sizeof(script));
}

static struct fx_tx *coinbase(const struct kit *kit, const struct kit_block *spec, bool job)
{
    const struct fx_outpoint null = {.index = UINT32_MAX};
    int64_t value = spec->value;
    uint8_t script[FX_CB_HEIGHT_SIZE + 4], pay[34];
    size_t n = fx_cb_height_script(spec->height, script);
    struct fx_txb b;
    struct fx_tx *tx;

    if (value < 0) {
        value = spec->fees + (job ? 0 : fx_subsidy_full(kit->params, spec->height));
    }
    fx_store_u32(script + n, spec->salt);
    p2tr(&kit->miner, pay);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, script, n + 4);
    fx_txb_add_out(&b, value, pay, sizeof(pay));
    if (job) {
        add_work(kit, &b, spec);
    }
    if (spec->n_txs > 0) {
        add_commitment(&b, spec);
    }
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

/* Grinds the nonce until the regtest target, one chance in two, is met. */
static struct fx_block *solve_hash(const struct kit *kit, struct fx_header *header,
                                   struct fx_tx *const *txs, size_t n)
{
    struct fx_hash id;

    for (;; header->nonce++) {
        fx_header_id(header, &id);
        if ((id.b[31] & 0x80) == 0) {
            return fx_block_make(kit->params, header, (struct fx_span){0}, txs, n);
        }
    }
}

static struct fx_block *solve_job(const struct kit *kit, const struct kit_block *spec,
                                  struct fx_header *header, struct fx_tx *const *txs, size_t n)
{
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    struct fx_work_proof proof = {
        .preimage = spec->preimage,
        .backing = spec->backing,
        .n_backing = spec->n_backing,
        .block_a = {(const uint8_t *)a, sizeof(a)},
        .block_b = {(const uint8_t *)b, sizeof(b)},
    };
    struct fx_buf raw = FX_BUF_INIT;
    struct fx_hash id, hash, ticket;
    struct fx_block *block;
    uint8_t signature[64];

    fx_test_job_block(&kit->job, FX_SIDE_A, 0, 0, a);
    fx_test_job_block(&kit->job, FX_SIDE_B, 0, 0, b);
    do {
        header->nonce++;
        fx_header_id(header, &id);
        FX_CHECK(fx_brick_ticket(&id, a, b, 0, 0, 0, &ticket));
    } while ((ticket.b[31] & 0x80) != 0);
    fx_work_sign_hash(&id, &hash);
    fx_test_sign(&kit->solver, &hash, signature);
    proof.signature = (struct fx_span){signature, sizeof(signature)};
    fx_work_proof_write(&proof, &raw);
    block = fx_block_make(kit->params, header, (struct fx_span){raw.data, raw.len}, txs, n);
    fx_buf_clear(&raw);
    return block;
}

struct fx_block *kit_make(const struct kit *kit, struct kit_block *spec)
{
    const struct fx_index *parent = spec->parent != NULL ? spec->parent : fx_chain_tip(kit->chain);
    bool job = !fx_outpoint_is_zero(&spec->task);
    struct fx_tx *txs[KIT_TX_MAX + 1];
    struct fx_hash ids[KIT_TX_MAX + 1];
    struct fx_header header = {
        .version = fx_header_version(job ? FX_LANE_JOB : FX_LANE_HASH),
        .prev = parent->id,
        .time = parent->header.time + (spec->wait > 0 ? spec->wait : 1),
        .nbits = 0x207fffff,
    };
    struct fx_block *block;
    size_t i;

    spec->height = parent->height + 1;
    txs[0] = coinbase(kit, spec, job);
    ids[0] = txs[0]->txid;
    for (i = 0; i < spec->n_txs; i++) {
        txs[i + 1] = spec->txs[i];
        ids[i + 1] = spec->txs[i]->txid;
    }
    fx_merkle_root(ids, spec->n_txs + 1, &header.merkle_root, NULL);
    block = job ? solve_job(kit, spec, &header, txs, spec->n_txs + 1)
                : solve_hash(kit, &header, txs, spec->n_txs + 1);
    FX_CHECK(block != NULL);
    for (i = 0; i <= spec->n_txs; i++) {
        fx_tx_unref(txs[i]);
    }
    return block;
}

const struct fx_index *kit_accept(struct kit *kit, const struct fx_block *block)
{
    enum fx_verdict why;
    bool fresh;
    enum fx_result result = fx_chain_accept_block(kit->chain, block, &fresh, &why);

    FX_CHECK_STR(fx_verdict_string(why), "");
    FX_CHECK_INT(result, FX_VALID);
    return fx_chain_find(kit->chain, &block->id);
}

const struct fx_index *kit_mine(struct kit *kit, struct kit_block *spec)
{
    struct fx_block *block = kit_make(kit, spec);
    const struct fx_index *index = kit_accept(kit, block);

    FX_CHECK(fx_chain_tip(kit->chain) == index);
    fx_block_unref(block);
    return index;
}

const struct fx_index *kit_mine_empty(struct kit *kit, unsigned n)
{
    for (; n > 0; n--) {
        struct kit_block spec = {.value = -1};

        kit_mine(kit, &spec);
    }
    return fx_chain_tip(kit->chain);
}

/* ---- transactions ---- */

struct kit_coin kit_coinbase(struct kit *kit, uint32_t height)
{
    struct fx_block *block = fx_chain_read_block(kit->chain, fx_chain_at(kit->chain, height));
    struct kit_coin coin;

    FX_CHECK(block != NULL);
    coin = kit_output(block->txs[0], 0, height);
    fx_block_unref(block);
    return coin;
}

struct kit_coin kit_output(const struct fx_tx *tx, uint32_t index, uint32_t height)
{
    return (struct kit_coin){
        .outpoint = {.txid = tx->txid, .index = index},
        .value = tx->out[index].value,
        .height = height,
    };
}

static void add_coin(struct fx_txb *b, const struct kit_coin *coin)
{
    fx_txb_add_in(b, &coin->outpoint, FX_SEQUENCE_FINAL);
}

static struct fx_coin coin_of(const struct kit *kit, const struct kit_coin *coin)
{
    struct fx_txout out = {.value = coin->value};
    struct fx_coin spent;
    uint8_t script[34];

    p2tr(&kit->miner, script);
    out.script = (struct fx_span){script, sizeof(script)};
    fx_coin_set(&spent, &out, coin->height, false);
    return spent;
}

static struct fx_coin task_coin_of(const struct fx_tx *tx, uint32_t height)
{
    struct fx_coin spent;

    fx_coin_set(&spent, &tx->out[0], height, false);
    return spent;
}

/* Signs input `in` as a key path spend of the miner key. */
static void sign(const struct kit *kit, struct fx_txb *b, const struct fx_coin *spent, size_t in)
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    uint8_t signature[64];
    struct fx_hash hash;

    fx_sighash_cache_init(&cache, tx, spent);
    FX_CHECK(fx_sighash_taproot(tx, in, spent, FX_SIGHASH_DEFAULT, NULL, &cache, &hash));
    fx_test_sign(&kit->miner, &hash, signature);
    fx_txb_push_witness(b, in, signature, sizeof(signature));
    fx_tx_unref(tx);
}

static void sign_task(struct fx_txb *b, const struct fx_coin *spent, uint8_t action,
                      const struct fx_test_key *key, uint8_t signature[64])
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    struct fx_hash hash;

    fx_sighash_cache_init(&cache, tx, spent);
    fx_sighash_task(tx, 0, spent, action, &cache, &hash);
    fx_test_sign(key, &hash, signature);
    fx_tx_unref(tx);
}

static struct fx_tx *build(struct fx_txb *b)
{
    struct fx_tx *tx = fx_txb_build(b);

    fx_txb_clear(b);
    return tx;
}

struct fx_tx *kit_pay(const struct kit *kit, const struct kit_coin *coin, unsigned outputs,
                      int64_t fee)
{
    struct fx_coin spent = coin_of(kit, coin);
    uint8_t script[34];
    struct fx_txb b;
    unsigned i;

    p2tr(&kit->miner, script);
    fx_txb_init(&b);
    add_coin(&b, coin);
    for (i = 0; i < outputs; i++) {
        fx_txb_add_out(&b, (coin->value - fee) / outputs, script, sizeof(script));
    }
    sign(kit, &b, &spent, 0);
    fx_coin_clear(&spent);
    return build(&b);
}

void kit_preimage(const struct kit *kit, struct fx_buf *preimage)
{
    fx_task_fresh_preimage(&kit->job.spec, 0, preimage);
}

static void task_script(const struct fx_buf *preimage, uint8_t script[FX_TASK_SCRIPT_SIZE])
{
    struct fx_hash program;

    fx_task_program((struct fx_span){preimage->data, preimage->len}, &program);
    fx_task_script(&program, script);
}

struct fx_tx *kit_fund(const struct kit *kit, const struct kit_coin *coin, int64_t escrow)
{
    struct fx_coin spent = coin_of(kit, coin);
    struct fx_buf preimage = FX_BUF_INIT;
    uint8_t script[34];
    struct fx_txb b;

    kit_preimage(kit, &preimage);
    fx_txb_init(&b);
    add_coin(&b, coin);
    task_script(&preimage, script);
    fx_txb_add_out(&b, escrow, script, sizeof(script));
    p2tr(&kit->miner, script);
    fx_txb_add_out(&b, coin->value - escrow - kit->fee, script, sizeof(script));
    sign(kit, &b, &spent, 0);
    fx_buf_clear(&preimage);
    fx_coin_clear(&spent);
    return build(&b);
}

/* The claimed task of a funded output. */
static void claimed_task(const struct kit *kit, const struct fx_tx *fund, int64_t burn,
                         struct fx_task *task)
{
    struct fx_buf preimage = FX_BUF_INIT;
    int32_t *result;

    kit_preimage(kit, &preimage);
    FX_CHECK(fx_task_read(kit->params, (struct fx_span){preimage.data, preimage.len}, task));
    fx_buf_clear(&preimage);
    task->spec.body = kit->job.spec.body;
    task->state = FX_TASK_CLAIMED;
    task->origin = (struct fx_outpoint){.txid = fund->txid};
    task->escrow = (uint64_t)fund->out[0].value;
    task->bond = task->escrow > FX_DEPOSIT ? task->escrow : FX_DEPOSIT;
    task->burn = (uint64_t)burn;
    task->solver = kit->solver.xonly;
    result = fx_test_job_result(&kit->job, &task->shape);
    fx_test_result_root(&task->shape, result, &task->solver, &task->result);
    free(result);
}

struct fx_tx *kit_claim(const struct kit *kit, const struct fx_tx *fund, uint32_t h0,
                        const struct kit_coin *bond, int64_t burn)
{
    struct fx_coin spent[2] = {task_coin_of(fund, h0), coin_of(kit, bond)};
    struct fx_buf funded = FX_BUF_INIT, claimed = FX_BUF_INIT, fields = FX_BUF_INIT;
    uint8_t script[34], signature[64], action = FX_ACTION_CLAIM;
    struct fx_outpoint origin = {.txid = fund->txid};
    struct fx_task task;
    struct fx_txb b;

    claimed_task(kit, fund, burn, &task);
    kit_preimage(kit, &funded);
    fx_task_write(&task, &claimed);
    fx_buf_u64(&fields, task.escrow);
    fx_buf_u64(&fields, task.bond);
    fx_buf_u64(&fields, task.burn);
    fx_buf_hash(&fields, &task.solver);
    fx_buf_hash(&fields, &task.result);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &origin, FX_SEQUENCE_FINAL);
    add_coin(&b, bond);
    task_script(&claimed, script);
    fx_txb_add_out(&b, (int64_t)(task.escrow + task.bond), script, sizeof(script));
    p2tr(&kit->miner, script);
    fx_txb_add_out(&b, bond->value - (int64_t)task.bond - kit->fee, script, sizeof(script));
    sign_task(&b, spent, action, &kit->solver, signature);
    sign(kit, &b, spent, 1);
    fx_txb_push_witness(&b, 0, &action, 1);
    fx_txb_push_witness(&b, 0, signature, sizeof(signature));
    fx_txb_push_witness(&b, 0, fields.data, fields.len);
    fx_txb_push_witness(&b, 0, funded.data, funded.len);
    fx_buf_clear(&fields);
    fx_buf_clear(&funded);
    fx_buf_clear(&claimed);
    fx_coin_clear(&spent[0]);
    fx_coin_clear(&spent[1]);
    return build(&b);
}

struct fx_tx *kit_accept_claim(const struct kit *kit, const struct fx_tx *fund,
                               const struct fx_tx *claim, uint32_t claim_height, int64_t burn)
{
    struct fx_coin spent = task_coin_of(claim, claim_height);
    uint8_t script[34], signature[64], certificate[64], action = FX_ACTION_ACCEPT;
    struct fx_outpoint outpoint = {.txid = claim->txid};
    struct fx_buf claimed = FX_BUF_INIT;
    struct fx_hash program, hash;
    struct fx_task task;
    struct fx_txb b;

    claimed_task(kit, fund, burn, &task);
    fx_task_write(&task, &claimed);
    fx_task_program((struct fx_span){claimed.data, claimed.len}, &program);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&kit->client, &hash, certificate);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    p2tr(&kit->miner, script);
    fx_txb_add_out(&b, claim->out[0].value - burn - kit->fee, script, sizeof(script));
    sign_task(&b, &spent, action, &kit->solver, signature);
    fx_txb_push_witness(&b, 0, &action, 1);
    fx_txb_push_witness(&b, 0, signature, sizeof(signature));
    fx_txb_push_witness(&b, 0, certificate, sizeof(certificate));
    fx_txb_push_witness(&b, 0, claimed.data, claimed.len);
    fx_buf_clear(&claimed);
    fx_coin_clear(&spent);
    return build(&b);
}

/* ---- comparing ---- */

struct fx_txoutset kit_set(struct kit *kit)
{
    struct fx_txoutset set;

    FX_CHECK(fx_chain_txoutset(kit->chain, FX_COINS_HASH_SERIALIZED, &set));
    return set;
}

void kit_check_same_set(const struct fx_txoutset *a, const struct fx_txoutset *b)
{
    FX_CHECK_INT(a->height, b->height);
    FX_CHECK_MEM(a->best.b, b->best.b, 32);
    FX_CHECK_INT(a->n_coins, b->n_coins);
    FX_CHECK_INT(a->n_records, b->n_records);
    FX_CHECK_INT(a->total_amount, b->total_amount);
    FX_CHECK_MEM(a->coins_hash.b, b->coins_hash.b, 32);
    FX_CHECK_MEM(a->records_hash.b, b->records_hash.b, 32);
}
