/* A block against the state after its parent. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/crypto/ripemd160.h"
#include "src/util/mem.h"

#define HEIGHT 100
#define SUBSIDY INT64_C(1000000000)
#define TX_MAX 8

/* A block in the making: the coinbase is added last. */
struct plan {
    struct world w;
    struct world_job job;
    struct world_work work;
    bool mined; /* on the job lane */
    struct fx_tx *txs[TX_MAX];
    size_t n_txs;
    int64_t reward; /* what the coinbase takes */
    struct fx_connected out;
    enum fx_verdict why;
};

static struct plan *plan_create(uint32_t height)
{
    struct plan *p = fx_xcalloc(1, sizeof *p);

    world_init(&p->w, height);
    world_job_init(&p->job);
    p->work.job = &p->job;
    p->n_txs = 1;
    return p;
}

static struct fx_block *plan_block(struct plan *p)
{
    struct fx_tx *txs[TX_MAX];
    struct fx_txb b;

    world_coinbase(&b, p->w.height, p->reward);
    if (p->mined) {
        world_work_output(&p->work, &b);
    }
    txs[0] = fx_txb_build(&b);
    fx_txb_clear(&b);
    for (size_t i = 1; i < p->n_txs; i++) {
        txs[i] = fx_tx_ref(p->txs[i]);
    }
    return p->mined ? world_job_block(&p->work, txs, p->n_txs) : world_block(txs, p->n_txs);
}

/* Connects and keeps *out for a look; the block too, which the checks view, is the caller's. */
static enum fx_result plan_connect(struct plan *p, struct fx_block **block)
{
    struct fx_connect_context context = world_context(&p->w);
    enum fx_result result;

    *block = plan_block(p);
    result =
        fx_connect_block(&context, *block, p->w.params->limit_nbits[FX_LANE_JOB], &p->out, &p->why);
    if (result != FX_VALID) {
        FX_CHECK(p->out.checks == NULL && p->out.undo.coins == NULL && p->out.undo.records.n == 0);
    }
    return result;
}

static void plan_expect(struct plan *p, enum fx_result result, enum fx_verdict verdict)
{
    struct fx_block *block;

    FX_CHECK_INT(plan_connect(p, &block), result);
    FX_CHECK_INT(p->why, verdict);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
}

static void plan_destroy(struct plan *p)
{
    for (size_t i = 1; i < p->n_txs; i++) {
        fx_tx_unref(p->txs[i]);
    }
    world_job_clear(&p->job);
    world_clear(&p->w);
    free(p);
}

static struct fx_tx *plan_add(struct plan *p, struct fx_txb *b)
{
    struct fx_tx *tx = fx_txb_build(b);

    FX_CHECK(tx != NULL && p->n_txs < TX_MAX);
    fx_txb_clear(b);
    p->txs[p->n_txs++] = tx;
    return tx;
}

static struct fx_outpoint coin_of_key(struct plan *p, unsigned key, int64_t value)
{
    uint8_t script[34];

    world_p2tr(key, script);
    return world_add_coin(&p->w, value, 10, false, script, sizeof script);
}

/* Spends `value`, a P2TR coin of the key, to another of key `to`; signed. */
static struct fx_tx *pay(struct plan *p, struct fx_outpoint from, unsigned key, int64_t value,
                         unsigned to, int64_t paid)
{
    uint8_t script[34], own[34];
    struct fx_coin spent = {.value = value, .script = own, .script_len = sizeof own};
    struct fx_txb b;

    world_p2tr(key, own);
    world_p2tr(to, script);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &from, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, paid, script, sizeof script);
    world_sign_p2tr(&b, 0, &spent, key);
    return plan_add(p, &b);
}

static struct fx_outpoint output_of(const struct fx_tx *tx, uint32_t index)
{
    struct fx_outpoint o = {.txid = tx->txid, .index = index};

    return o;
}

FX_TEST(a_chain_of_spends_in_one_block)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_tx *first = pay(p, coin, 1, 1000, 2, 900);
    struct fx_tx *second = pay(p, output_of(first, 0), 2, 900, 3, 850);
    struct fx_block *block;

    p->reward = SUBSIDY + 150;
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.fees, 150);
    FX_CHECK_INT(p->out.burned, 0);
    FX_CHECK_INT(p->out.subsidy, SUBSIDY);
    FX_CHECK_INT(p->out.undo.n_coins, 2);
    FX_CHECK_INT(p->out.undo.coins[0].value, 1000);
    FX_CHECK_INT(p->out.undo.coins[0].height, 10);
    FX_CHECK_INT(p->out.undo.coins[1].value, 900);
    FX_CHECK_INT(p->out.undo.coins[1].height, HEIGHT);
    FX_CHECK(!p->out.undo.coins[1].coinbase);
    FX_CHECK_INT(p->out.undo.records.n, 0);
    FX_CHECK_INT(p->out.n_checks, 2);
    FX_CHECK(p->out.checks[1].tx == block->txs[2]);
    FX_CHECK(second == block->txs[2]);
    for (size_t i = 0; i < 2; i++) {
        FX_CHECK_INT(fx_script_check_run(&p->out.checks[i]), FX_OK);
    }
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    plan_destroy(p);
}

FX_TEST(a_wrong_signature_is_found_by_the_checks)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_block *block;

    pay(p, coin, 2, 1000, 2, 900); /* signed by another key */
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.n_checks, 1);
    FX_CHECK_INT(fx_script_check_run(&p->out.checks[0]), FX_SCRIPT_VERIFY_SCHNORR_SIG);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    plan_destroy(p);
}

FX_TEST(no_coin_is_spent_twice)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_tx *first = pay(p, coin, 1, 1000, 2, 900);

    pay(p, coin, 1, 1000, 3, 800);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    /* Nor one that the block made. */
    fx_tx_unref(p->txs[2]);
    p->n_txs = 2;
    pay(p, output_of(first, 0), 2, 900, 3, 800);
    plan_expect(p, FX_VALID, FX_OK);
    pay(p, output_of(first, 0), 2, 900, 3, 700);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    plan_destroy(p);
}

FX_TEST(outputs_are_spent_after_they_are_made)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_tx *first = pay(p, coin, 1, 1000, 2, 900);
    struct fx_tx *second = pay(p, output_of(first, 0), 2, 900, 3, 850);

    p->txs[1] = second;
    p->txs[2] = first;
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    plan_destroy(p);
}

FX_TEST(the_blocks_own_coinbase_is_not_mature)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_block *block;
    struct fx_outpoint from;
    struct fx_txb b;

    p->reward = 5;
    block = plan_block(p);
    from = output_of(block->txs[0], 0);
    fx_block_unref(block);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &from, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 1, "\x51", 1);
    plan_add(p, &b);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_PREMATURE_SPEND);
    plan_destroy(p);
}

FX_TEST(unspendable_outputs_are_no_coins)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_tx *first;
    struct fx_txb b;
    struct fx_outpoint from;

    fx_txb_init(&b);
    fx_txb_add_in(&b, &coin, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 500, "\x6a", 1);
    first = plan_add(p, &b);
    plan_expect(p, FX_VALID, FX_OK);
    from = output_of(first, 0);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &from, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 400, "\x51", 1);
    plan_add(p, &b);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    plan_destroy(p);
}

/* BIP30. */
FX_TEST(unspent_outputs_are_not_made_again)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);
    struct fx_tx *tx = pay(p, coin, 1, 1000, 2, 900);
    struct fx_block *block;

    coin_of_key(p, 2, 900);
    p->w.coins[1].outpoint = output_of(tx, 0);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_BIP30);
    p->w.coins[1].outpoint.index = 1; /* none of this transaction's */
    plan_expect(p, FX_VALID, FX_OK);
    /* The coinbase's too. */
    block = plan_block(p);
    p->w.coins[1].outpoint = output_of(block->txs[0], 0);
    fx_block_unref(block);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_BIP30);
    plan_destroy(p);
}

FX_TEST(fees_are_in_range)
{
    struct plan *p = plan_create(HEIGHT);
    int64_t max = p->w.params->max_money;
    struct fx_outpoint coin = coin_of_key(p, 1, max), second = coin_of_key(p, 1, max);

    pay(p, coin, 1, max, 2, 1);
    pay(p, second, 1, max, 2, max - 1);
    plan_expect(p, FX_VALID, FX_OK);
    fx_tx_unref(p->txs[--p->n_txs]);
    pay(p, second, 1, max, 2, max - 2);
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_ACCUMULATED_FEE_OUTOFRANGE);
    plan_destroy(p);
}

FX_TEST(the_coinbase_takes_subsidy_and_fees_at_most)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);

    pay(p, coin, 1, 1000, 2, 900);
    p->reward = SUBSIDY + 100;
    plan_expect(p, FX_VALID, FX_OK);
    p->reward++;
    plan_expect(p, FX_INVALID, FX_BAD_CB_AMOUNT);
    p->reward = INT64_MAX;
    plan_expect(p, FX_INVALID, FX_BAD_CB_AMOUNT);
    plan_destroy(p);
}

/* On btcregtest a program of version 2 is one that has no meaning yet. */
FX_TEST(without_tasks_anyone_spends_their_outputs)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin;
    struct fx_block *block;
    struct fx_txb b;

    coin = world_add_coin(&p->w, 1000, 10, false, p->job.script, sizeof p->job.script);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &coin, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 1000, p->job.script, sizeof p->job.script);
    plan_add(p, &b);
    FX_CHECK_INT(plan_connect(p, &block), FX_INVALID);
    fx_block_unref(block);

    p->w.params = fx_params_get(FX_BTCREGTEST);
    p->reward = INT64_C(5000000000);
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.subsidy, INT64_C(5000000000));
    FX_CHECK_INT(p->out.undo.records.n, 0);
    FX_CHECK_INT(p->out.n_checks, 1);
    FX_CHECK_INT(fx_script_check_run(&p->out.checks[0]), FX_OK);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    plan_destroy(p);
}

/* The witness counts too: fx_check_block could not see the coin. */
FX_TEST(sigops_of_inputs_are_limited)
{
    uint8_t key[33], full[65], hash[20], wpkh[22];
    uint8_t *sigops = fx_xmalloc(20000);

    memset(sigops, 0xac, 20000);
    world_key_full(2, key, full);
    fx_hash160(key, sizeof key, hash);
    fx_script_p2wpkh(hash, wpkh);
    for (size_t n = 19999; n <= 20000; n++) {
        struct plan *p = plan_create(HEIGHT);
        struct fx_outpoint coin = world_add_coin(&p->w, 10, 10, false, wpkh, sizeof wpkh);
        struct fx_txb b;

        fx_txb_init(&b);
        fx_txb_add_in(&b, &coin, FX_SEQUENCE_FINAL);
        fx_txb_add_out(&b, 1, sigops, n);
        plan_add(p, &b);
        plan_expect(p, n < 20000 ? FX_VALID : FX_INVALID, n < 20000 ? FX_OK : FX_BAD_BLK_SIGOPS);
        plan_destroy(p);
    }
    {
        struct plan *p = plan_create(HEIGHT); /* taproot has no share: exactly the limit */
        struct fx_outpoint coin = coin_of_key(p, 1, 10);
        struct fx_txb b;

        fx_txb_init(&b);
        fx_txb_add_in(&b, &coin, FX_SEQUENCE_FINAL);
        fx_txb_add_out(&b, 1, sigops, 20000);
        plan_add(p, &b);
        plan_expect(p, FX_VALID, FX_OK);
        plan_destroy(p);
    }
    free(sigops);
}

FX_TEST(failed_look_ups_condemn_nothing)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);

    pay(p, coin, 1, 1000, 2, 900);
    p->w.coin_fails = true;
    plan_expect(p, FX_FAILED, FX_OK);
    plan_destroy(p);
}

/* ---- tasks ------------------------------------------------------------------------------- */

#define ESCROW 40000000
#define BOND 10000000
#define BURN 600

/* A fresh task output in the state, in state funded. */
static struct fx_outpoint fund(struct plan *p)
{
    return world_add_coin(&p->w, ESCROW, 50, false, p->job.script, sizeof p->job.script);
}

/* Claims a fresh task, with a bond coin of key 1. */
static struct fx_tx *claim(struct plan *p, const struct fx_outpoint *origin,
                           struct fx_buf *claimed_preimage)
{
    struct fx_outpoint bond = coin_of_key(p, 1, BOND + 500);
    uint8_t script[FX_TASK_SCRIPT_SIZE], bond_script[34];
    struct fx_coin spent[2] = {
        {.value = ESCROW, .script = p->job.script, .script_len = sizeof p->job.script},
        {.value = BOND + 500, .script = bond_script, .script_len = sizeof bond_script}};
    struct fx_txb b;

    world_p2tr(1, bond_script);
    world_claimed(&p->job, origin, ESCROW, BOND, BURN, claimed_preimage, script);
    fx_txb_init(&b);
    fx_txb_add_in(&b, origin, FX_SEQUENCE_FINAL);
    fx_txb_add_in(&b, &bond, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, ESCROW + BOND, script, sizeof script);
    world_push_action(&b, 0, spent, FX_ACTION_CLAIM, WORLD_SOLVER);
    fx_txb_push_witness(&b, 0, claimed_preimage->data + claimed_preimage->len - 88, 88);
    fx_txb_push_witness(&b, 0, p->job.preimage.data, p->job.preimage.len);
    world_sign_p2tr(&b, 1, spent, 1);
    return plan_add(p, &b);
}

static struct fx_tx *accept_claim(struct plan *p, const struct fx_tx *claimed,
                                  const struct fx_buf *preimage)
{
    struct fx_outpoint from = output_of(claimed, 0);
    struct fx_coin spent;
    struct fx_txb b;
    struct fx_tx *tx;

    fx_coin_set(&spent, &claimed->out[0], p->w.height, false);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &from, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, ESCROW + BOND - 1000, "\x51", 1);
    world_push_accept(&b, 0, &spent, preimage);
    tx = plan_add(p, &b);
    fx_coin_clear(&spent);
    return tx;
}

FX_TEST(a_task_is_claimed_and_settled_in_one_block)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint origin = fund(p);
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_tx *claimed = claim(p, &origin, &preimage);
    struct fx_block *block;
    const struct fx_record_change *change;

    accept_claim(p, claimed, &preimage);
    /* Fees of 500 and 1000, of which the burn is nobody's. */
    p->reward = SUBSIDY + 1500 - BURN;
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.fees, 1500);
    FX_CHECK_INT(p->out.burned, BURN);
    FX_CHECK_INT(p->out.undo.n_coins, 3);
    FX_CHECK_INT(p->out.n_checks, 1); /* the bond's: tasks have no script check */
    FX_CHECK_INT(p->out.checks[0].in, 1);
    FX_CHECK_INT(fx_script_check_run(&p->out.checks[0]), FX_OK);
    FX_CHECK_INT(p->out.undo.records.n, 1);
    change = &p->out.undo.records.changes[0];
    FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
    FX_CHECK(!change->had && change->has);
    FX_CHECK_INT(change->after.settled, HEIGHT);
    FX_CHECK_INT(change->after.bricks, 1);
    FX_CHECK_INT(change->after.burn, BURN);
    FX_CHECK_INT(change->after.h0, 50);
    fx_connected_clear(&p->out);
    fx_block_unref(block);

    p->reward++;
    plan_expect(p, FX_INVALID, FX_BAD_CB_AMOUNT);
    p->w.record_fails = true;
    plan_expect(p, FX_FAILED, FX_OK);
    fx_buf_clear(&preimage);
    plan_destroy(p);
}

/* The output that a challenge of tile 0 pays to. */
static void add_challenged(struct fx_txb *b, const struct fx_buf *claimed)
{
    struct fx_buf preimage = FX_BUF_INIT;
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_hash program;

    fx_buf_bytes(&preimage, claimed->data, claimed->len);
    preimage.data[0] = FX_TASK_CHALLENGED;
    fx_buf_u32(&preimage, 0);
    fx_task_program((struct fx_span){preimage.data, preimage.len}, &program);
    fx_task_script(&program, script);
    fx_txb_add_out(b, ESCROW + BOND + FX_DEPOSIT, script, sizeof script);
    fx_buf_clear(&preimage);
}

/* A transaction that challenges `n` claims of the job's task, which are in the state. */
static void challenge_claims(struct plan *p, size_t n, uint8_t number)
{
    struct fx_buf claimed[FX_BLOCK_CHALLENGES_MAX + 1] = {FX_BUF_INIT};
    uint8_t scripts[FX_BLOCK_CHALLENGES_MAX + 1][FX_TASK_SCRIPT_SIZE], money[34];
    struct fx_coin spent[FX_BLOCK_CHALLENGES_MAX + 2] = {{0}};
    int64_t deposits = (int64_t)n * FX_DEPOSIT;
    struct fx_txb b;

    fx_txb_init(&b);
    for (size_t i = 0; i < n; i++) {
        struct fx_outpoint origin = {.txid.b = {number, 3}, .index = (uint32_t)i};
        struct fx_task_record record = {
            .live = true, .state = FX_TASK_CLAIMED, .h0 = 50, .client = p->job.spec.client};

        world_claimed(&p->job, &origin, ESCROW, BOND, BURN, &claimed[i], scripts[i]);
        record.outpoint =
            world_add_coin(&p->w, ESCROW + BOND, 60, false, scripts[i], FX_TASK_SCRIPT_SIZE);
        world_key(WORLD_SOLVER, &record.solver);
        world_add_record(&p->w, &origin, &record);
        spent[i].value = ESCROW + BOND;
        spent[i].script = scripts[i];
        spent[i].script_len = FX_TASK_SCRIPT_SIZE;
        fx_txb_add_in(&b, &record.outpoint, FX_SEQUENCE_FINAL);
        add_challenged(&b, &claimed[i]);
    }
    world_p2tr(1, money);
    spent[n].value = deposits;
    spent[n].script = money;
    spent[n].script_len = sizeof money;
    struct fx_outpoint paying = coin_of_key(p, 1, deposits);
    fx_txb_add_in(&b, &paying, FX_SEQUENCE_FINAL);
    for (size_t i = 0; i < n; i++) {
        world_push_action(&b, i, spent, FX_ACTION_CHALLENGE, WORLD_CLIENT);
        fx_txb_push_witness(&b, i, "\0\0\0\0", 4);
        fx_txb_push_witness(&b, i, claimed[i].data, claimed[i].len);
        fx_buf_clear(&claimed[i]);
    }
    world_sign_p2tr(&b, n, spent, 1);
    plan_add(p, &b);
}

/* Of one transaction, and of several together (protocol section 5). */
FX_TEST(challenges_of_a_block_are_limited)
{
    static const struct {
        size_t first, second;
        enum fx_verdict verdict;
    } cases[] = {{FX_BLOCK_CHALLENGES_MAX, 0, FX_OK},
                 {FX_BLOCK_CHALLENGES_MAX + 1, 0, FX_BAD_BLK_CHALLENGES},
                 {FX_BLOCK_CHALLENGES_MAX - 1, 1, FX_OK},
                 {FX_BLOCK_CHALLENGES_MAX - 1, 2, FX_BAD_BLK_CHALLENGES}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan *p = plan_create(HEIGHT);

        challenge_claims(p, cases[i].first, 1);
        if (cases[i].second > 0) {
            challenge_claims(p, cases[i].second, 2);
        }
        plan_expect(p, cases[i].verdict == FX_OK ? FX_VALID : FX_INVALID, cases[i].verdict);
        plan_destroy(p);
    }
}

/* The longest answer with one coin for its fee and change, and the longest work proof. */
FX_TEST(all_answers_to_a_block_fit_into_half_of_the_next)
{
    const size_t tiles = (size_t)1 << 24, side = (size_t)1 << 24, depth = 65536;
    size_t preimage = 1 + 36 + 42 + 84 + 4 + 88 + 4;
    size_t base = 4 + 1 + 2 * 41 + 1 + 2 * 43 + 4;
    size_t task = 1 + 2 + 65 + 5 + FX_TILE_BYTES + 3 + 32 * fx_commit_depth(tiles) + 3 + preimage;
    size_t answer = base * FX_WITNESS_SCALE + 2 + task + 1 + 65;
    size_t path = 32 * fx_commit_operand_path_depth((uint32_t)side, (uint32_t)depth);
    size_t proof = 3 + preimage + 3 + 36 * FX_BACKING_MAX + 12 + 2 * (FX_BLOCK_BYTES + path) + 64;
    size_t room = FX_BLOCK_WEIGHT_MAX - proof - 2000; /* header and coinbase */

    FX_CHECK_INT(answer, 67422);
    FX_CHECK(2 * FX_BLOCK_CHALLENGES_MAX * answer <= room);
}

FX_TEST(tasks_apply_in_the_order_of_the_block)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint origin = fund(p);
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_tx *claimed = claim(p, &origin, &preimage);
    struct fx_tx *accepted = accept_claim(p, claimed, &preimage);

    p->txs[1] = accepted;
    p->txs[2] = claimed;
    plan_expect(p, FX_INVALID, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    fx_buf_clear(&preimage);
    plan_destroy(p);
}

FX_TEST(a_task_is_not_claimed_in_the_block_that_funds_it)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, ESCROW + 300), origin;
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_coin spent = {.value = ESCROW + 300};
    uint8_t own[34];
    struct fx_txb b;

    world_p2tr(1, own);
    spent.script = own;
    spent.script_len = sizeof own;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &coin, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, ESCROW, p->job.script, sizeof p->job.script);
    world_sign_p2tr(&b, 0, &spent, 1);
    origin = output_of(plan_add(p, &b), 0);
    plan_expect(p, FX_VALID, FX_OK);
    claim(p, &origin, &preimage);
    plan_expect(p, FX_INVALID, FX_BAD_TASK_LOCKTIME);
    fx_buf_clear(&preimage);
    plan_destroy(p);
}

/* ---- records that are forgotten ---------------------------------------------------------- */

static struct fx_outpoint settled_task(struct plan *p, uint32_t n, uint32_t height)
{
    struct fx_outpoint origin = {.index = n};
    struct fx_task_record record = {.settled = height, .bricks = 1, .burn = BURN};

    origin.txid.b[3] = 0xaa;
    world_key(WORLD_SOLVER, &record.solver);
    world_add_record(&p->w, &origin, &record);
    return origin;
}

FX_TEST(old_settlements_are_forgotten)
{
    struct plan *p = plan_create(FX_RECORD_KEEP + 70);
    struct fx_outpoint old = settled_task(p, 1, 70);
    struct fx_block *block;
    const struct fx_record_change *change;

    settled_task(p, 2, 71);
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.undo.records.n, 1);
    change = &p->out.undo.records.changes[0];
    FX_CHECK(fx_outpoint_equal(&change->origin, &old));
    FX_CHECK(change->had && !change->has);
    FX_CHECK_INT(change->before.settled, 70);
    FX_CHECK_INT(change->before.burn, BURN);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    p->w.settled_fails = true;
    plan_expect(p, FX_FAILED, FX_OK);
    p->w.settled_fails = false;
    p->w.record_fails = true;
    plan_expect(p, FX_FAILED, FX_OK);
    plan_destroy(p);

    p = plan_create(FX_RECORD_KEEP); /* too early for any */
    p->w.settled_fails = true;
    plan_expect(p, FX_VALID, FX_OK);
    plan_destroy(p);
}

FX_TEST(refunded_tasks_are_forgotten)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_task task = {.state = FX_TASK_FUNDED, .spec = p->job.spec};
    struct fx_task_record record = {.live = true, .h0 = 20};
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_block *block;
    struct fx_hash program;
    struct fx_span span;
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_outpoint outpoint;
    struct fx_txb b;

    /* Funded again, as fraud or expiry leave it: the record names the outpoint. */
    task.origin.index = 5;
    fx_task_write(&task, &preimage);
    span.data = preimage.data;
    span.len = preimage.len;
    fx_task_program(span, &program);
    fx_task_script(&program, script);
    outpoint = world_add_coin(&p->w, ESCROW, 50, false, script, sizeof script);
    record.outpoint = outpoint;
    world_add_record(&p->w, &task.origin, &record);

    fx_txb_init(&b);
    b.lock_time = p->job.spec.deadline;
    fx_txb_add_in(&b, &outpoint, 0);
    fx_txb_add_out(&b, ESCROW, "\x51", 1);
    world_push_action(&b, 0, &p->w.coins[0].coin, FX_ACTION_REFUND, WORLD_CLIENT);
    fx_txb_push_witness(&b, 0, preimage.data, preimage.len);
    plan_add(p, &b);
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.undo.records.n, 1);
    FX_CHECK(p->out.undo.records.changes[0].had && !p->out.undo.records.changes[0].has);
    FX_CHECK(fx_task_record_equal(&p->out.undo.records.changes[0].before, &record));
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    fx_buf_clear(&preimage);
    plan_destroy(p);
}

/* ---- job lane ---------------------------------------------------------------------------- */

FX_TEST(a_job_lane_block_without_credit_earns_its_fees)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint coin = coin_of_key(p, 1, 1000);

    p->mined = true;
    p->work.outpoint = fund(p);
    pay(p, coin, 1, 1000, 2, 900);
    p->reward = 100;
    plan_expect(p, FX_VALID, FX_OK);
    p->reward++;
    plan_expect(p, FX_INVALID, FX_BAD_CB_AMOUNT);
    plan_destroy(p);
}

FX_TEST(settled_work_backs_a_subsidy)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint backing[2] = {settled_task(p, 1, 90), settled_task(p, 2, 91)};
    struct fx_block *block;

    p->mined = true;
    p->work.outpoint = fund(p);
    p->work.backing = backing;
    p->work.n_backing = 2;
    /* Regtest: E is 2 and the credit 2, so twice the burns is less than the full subsidy. */
    p->reward = 4 * BURN;
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    FX_CHECK_INT(p->out.credit, 2);
    FX_CHECK_INT(p->out.burns, 2 * BURN);
    FX_CHECK_INT(p->out.subsidy, 4 * BURN);
    FX_CHECK_INT(p->out.undo.records.n, 2);
    FX_CHECK(p->out.undo.records.changes[0].after.backed);
    FX_CHECK(!p->out.undo.records.changes[0].before.backed);
    FX_CHECK_INT(p->out.undo.records.changes[0].after.settled, 90);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    p->reward++;
    plan_expect(p, FX_INVALID, FX_BAD_CB_AMOUNT);
    /* Backed once already. */
    p->reward = 0;
    p->w.records[1].record.backed = true;
    plan_expect(p, FX_INVALID, FX_BAD_WORK_BACKING);
    p->w.record_fails = true;
    plan_expect(p, FX_FAILED, FX_OK);
    plan_destroy(p);
}

/* Rules 1 and 2 look at the state after the parent. */
FX_TEST(the_task_of_the_proof_is_that_of_the_parent)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint origin = fund(p);
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_tx *claimed;

    p->mined = true;
    p->work.outpoint = origin;
    claimed = claim(p, &origin, &preimage);
    accept_claim(p, claimed, &preimage);
    plan_expect(p, FX_VALID, FX_OK); /* it may be spent in the block */
    /* What the block itself settles cannot back it. */
    p->work.backing = &origin;
    p->work.n_backing = 1;
    plan_expect(p, FX_INVALID, FX_BAD_WORK_BACKING);
    p->work.n_backing = 0;
    /* An output that the block makes is no task yet. */
    p->work.outpoint = output_of(claimed, 0);
    plan_expect(p, FX_INVALID, FX_BAD_WORK_TASK);
    fx_buf_clear(&preimage);
    plan_destroy(p);
}

/* ---- undo -------------------------------------------------------------------------------- */

FX_TEST(undo_data_is_read_as_it_was_written)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_outpoint backing = settled_task(p, 1, 90), origin = fund(p);
    struct fx_buf preimage = FX_BUF_INIT, raw = FX_BUF_INIT, again = FX_BUF_INIT;
    struct fx_block *block;
    struct fx_reader r;
    struct fx_undo undo;

    p->mined = true;
    p->work.outpoint = origin;
    p->work.backing = &backing;
    p->work.n_backing = 1;
    claim(p, &origin, &preimage);
    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    fx_undo_write(&p->out.undo, &raw);
    for (size_t n = 0; n < raw.len; n++) {
        uint8_t *exact = fx_xmemdup(raw.data, n);

        fx_reader_init(&r, exact, n);
        FX_CHECK(!fx_undo_read(&r, &undo));
        free(exact);
    }
    fx_reader_init(&r, raw.data, raw.len);
    FX_CHECK(fx_undo_read(&r, &undo));
    FX_CHECK(fx_reader_done(&r));
    FX_CHECK_INT(undo.n_coins, 2);
    FX_CHECK_INT(undo.coins[1].value, BOND + 500);
    FX_CHECK_INT(undo.records.n, 2);
    FX_CHECK(undo.records.changes[0].had && !undo.records.changes[1].had);
    FX_CHECK(fx_task_record_equal(&undo.records.changes[0].before, &p->w.records[0].record));
    fx_undo_write(&undo, &again);
    FX_CHECK_INT(again.len, raw.len);
    FX_CHECK_MEM(again.data, raw.data, raw.len);
    fx_undo_clear(&undo);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    fx_buf_clear(&preimage);
    fx_buf_clear(&raw);
    fx_buf_clear(&again);
    plan_destroy(p);
}

FX_TEST(undo_data_of_a_block_without_spends)
{
    struct plan *p = plan_create(HEIGHT);
    struct fx_buf raw = FX_BUF_INIT;
    struct fx_block *block;
    struct fx_reader r;
    struct fx_undo undo;

    FX_CHECK_INT(plan_connect(p, &block), FX_VALID);
    fx_undo_write(&p->out.undo, &raw);
    FX_CHECK_INT(raw.len, 2);
    fx_reader_init(&r, raw.data, raw.len);
    FX_CHECK(fx_undo_read(&r, &undo));
    fx_undo_clear(&undo);
    fx_buf_clear(&raw);
    fx_connected_clear(&p->out);
    fx_block_unref(block);
    plan_destroy(p);
}
