/* Templates of both lanes and their solutions. */
#include <string.h>

#include "consensus/commit.h"
#include "qa/unit/harness.h"
#include "qa/unit/template/world.h"
#include "src/sys/clock.h"

static const uint8_t pay[34] = {0x51, 0x20, 9, 9, 9};
static const struct fx_span pay_script = {pay, sizeof(pay)};

static const struct fx_template *hash_template(void)
{
    char error[FX_TEMPLATE_ERROR] = "";
    const struct fx_template *t = fx_template_hash(world.templates, pay_script, error);
    FX_CHECK_STR(error, "");
    FX_CHECK(t != NULL);
    return t;
}

static const struct fx_template *job_template(const struct fx_outpoint *backing, size_t n,
                                              const char *expected)
{
    char error[FX_TEMPLATE_ERROR] = "";
    struct fx_span preimage = {world.preimage.data, world.preimage.len};
    const struct fx_template *t = fx_template_job(world.templates, pay_script, &world.task,
                                                  preimage, &world.solver.xonly, backing, n, error);
    FX_CHECK_STR(error, expected);
    FX_CHECK_INT(t != NULL, expected[0] == 0);
    return t;
}

FX_TEST(an_empty_block_pays_the_subsidy)
{
    world_open();
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->lane, FX_LANE_HASH);
    FX_CHECK_INT(t->height, world.tip.height + 1);
    FX_CHECK_INT(t->n_txs, 1);
    FX_CHECK_INT(t->txs[0]->n_out, 1);
    FX_CHECK_INT(t->txs[0]->out[0].value, fx_subsidy_full(world.params, t->height));
    FX_CHECK_MEM(t->txs[0]->out[0].script.data, pay, sizeof(pay));
    FX_CHECK_INT(t->header.time, world.tip.median_time + 1000);
    FX_CHECK_MEM(t->header.prev.b, world.tip.id.b, 32);
    FX_CHECK_INT(fx_header_lane(&t->header), FX_LANE_HASH);
    world_close();
}

FX_TEST(time_is_above_the_median)
{
    world_open();
    fx_clock_set_mock(world.tip.median_time - 50);
    FX_CHECK_INT(hash_template()->header.time, world.tip.median_time + 1);
    world_close();
}

FX_TEST(fees_are_paid_and_burns_are_not)
{
    world_open();
    struct fx_tx *a = world_add_tx(NULL, 1000, 5000, 0, true);
    struct fx_tx *b = world_add_tx(NULL, 1000, 9000, 7000, false);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 3);
    FX_CHECK(t->txs[1] == a && t->txs[2] == b);
    FX_CHECK_INT(t->total_fees, 14000);
    FX_CHECK_INT(t->burned, 7000);
    FX_CHECK_INT(t->fees[1], 9000);
    FX_CHECK_INT(t->txs[0]->out[0].value, fx_subsidy_full(world.params, t->height) + 7000);
    FX_CHECK_INT(t->txs[0]->n_out, 2); /* the witness commitment, which the check has judged */
    world_close();
}

FX_TEST(no_commitment_without_a_witness)
{
    world_open();
    world_add_tx(NULL, 1000, 5000, 0, false);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 2);
    FX_CHECK_INT(t->txs[0]->n_out, 1);
    FX_CHECK(!t->txs[0]->has_witness);
    world_close();
}

FX_TEST(what_does_not_fit_is_left_out_with_its_children)
{
    world_open();
    struct fx_tx *big = world_add_tx(NULL, 2500000, 9000000, 0, true);
    struct fx_tx *too_big = world_add_tx(NULL, 2000000, 5000000, 0, true);
    world_add_tx(too_big, 1000, 900000, 0, true);
    struct fx_tx *small = world_add_tx(NULL, 1000, 1000, 0, true);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 3);
    FX_CHECK(t->txs[1] == big && t->txs[2] == small);
    FX_CHECK(t->weight <= FX_BLOCK_WEIGHT_MAX);
    world_close();
}

static struct fx_tx *add_sigops(const struct fx_tx *parent, uint64_t cost)
{
    struct fx_tx *tx = world_add_tx(parent, 1000, 5000, 0, true);
    world.pool[world.n_pool - 1].sigops = cost;
    return tx;
}

FX_TEST(sigops_above_the_limit_wait_with_their_children)
{
    world_open();
    struct fx_tx *most = add_sigops(NULL, FX_BLOCK_SIGOPS_COST_MAX - 1000);
    struct fx_tx *too_many = add_sigops(NULL, 601); /* 400 are for the coinbase */
    world_add_tx(too_many, 1000, 4000, 0, true);
    struct fx_tx *rest = add_sigops(NULL, 600);
    add_sigops(NULL, 1);
    struct fx_tx *other = world_add_tx(NULL, 1000, 3000, 0, true);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 4);
    FX_CHECK(t->txs[1] == most && t->txs[2] == rest && t->txs[3] == other);
    world_close();
}

/* They are cheap to make, and more than one block takes: what else waits is mined all the same. */
FX_TEST(a_crowd_of_sigops_leaves_the_block_to_others)
{
    world_open();
    while (world.n_pool < WORLD_POOL - 1) {
        add_sigops(NULL, FX_BLOCK_SIGOPS_COST_MAX / 5);
    }
    struct fx_tx *other = world_add_tx(NULL, 1000, 3000, 0, true);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 1 + 4 + 1);
    FX_CHECK(t->txs[5] == other);
    FX_CHECK_INT(world.tested, 1);
    world_close();
}

static struct fx_tx *add_challenges(const struct fx_tx *parent, size_t challenges)
{
    struct fx_tx *tx = world_add_tx(parent, 1000, 5000, 0, true);
    world.pool[world.n_pool - 1].challenges = challenges;
    return tx;
}

FX_TEST(challenges_above_the_limit_wait_with_their_children)
{
    world_open();
    struct fx_tx *most = add_challenges(NULL, FX_BLOCK_CHALLENGES_MAX - 4);
    struct fx_tx *too_many = add_challenges(NULL, 5);
    world_add_tx(too_many, 1000, 4000, 0, true);
    struct fx_tx *rest = add_challenges(NULL, 4);
    add_challenges(NULL, 1);
    struct fx_tx *other = world_add_tx(NULL, 1000, 3000, 0, true);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 4);
    FX_CHECK(t->txs[1] == most && t->txs[2] == rest && t->txs[3] == other);
    world_close();
}

/* However many wait, they keep nothing else out of a block that has room. */
FX_TEST(a_crowd_of_challenges_leaves_the_block_to_others)
{
    world_open();
    while (world.n_pool < WORLD_POOL - 1) {
        add_challenges(NULL, 1);
    }
    struct fx_tx *other = world_add_tx(NULL, 1000, 3000, 0, true);
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 1 + FX_BLOCK_CHALLENGES_MAX + 1);
    FX_CHECK(t->txs[t->n_txs - 1] == other);
    world_close();
}

FX_TEST(what_does_not_connect_is_left_out_with_its_children)
{
    world_open();
    struct fx_tx *first = world_add_tx(NULL, 1000, 5000, 0, true);
    struct fx_tx *bad = world_add_tx(first, 1000, 4000, 0, true);
    struct fx_tx *child = world_add_tx(bad, 1000, 3000, 0, true);
    world_add_tx(child, 1000, 2000, 0, true);
    struct fx_tx *last = world_add_tx(NULL, 1000, 1000, 500, true);
    world.poison = bad;
    const struct fx_template *t = hash_template();
    FX_CHECK_INT(t->n_txs, 3);
    FX_CHECK(t->txs[1] == first && t->txs[2] == last);
    FX_CHECK_INT(t->total_fees, 6000);
    FX_CHECK_INT(t->burned, 500);
    world_close();
}

FX_TEST(a_block_that_never_connects_is_an_error)
{
    char error[FX_TEMPLATE_ERROR];
    world_open();
    world_add_tx(NULL, 1000, 5000, 0, true);
    world.broken = true;
    FX_CHECK(fx_template_hash(world.templates, pay_script, error) == NULL);
    FX_CHECK_STR(error, "template: bad-cb-amount");
    world_close();
}

FX_TEST(templates_are_kept_by_id)
{
    world_open();
    uint64_t first = hash_template()->id;
    FX_CHECK(fx_template_find(world.templates, first) != NULL);
    FX_CHECK(fx_template_find(world.templates, first + 1) == NULL);
    FX_CHECK(fx_template_find(world.templates, 0) == NULL);
    uint64_t second = hash_template()->id;
    FX_CHECK(!fx_hash_equal(&fx_template_find(world.templates, first)->header_id,
                            &fx_template_find(world.templates, second)->header_id));
    for (unsigned i = 0; i < 62; i++) {
        hash_template();
    }
    FX_CHECK(fx_template_find(world.templates, first) != NULL);
    hash_template();
    FX_CHECK(fx_template_find(world.templates, first) == NULL);
    FX_CHECK(fx_template_find(world.templates, second) != NULL);
    world.tip.height += 11;
    hash_template();
    FX_CHECK(fx_template_find(world.templates, second) == NULL);
    world_close();
}

FX_TEST(a_hash_solution_is_the_block)
{
    enum fx_verdict why;
    world_open();
    world_add_tx(NULL, 1000, 5000, 0, true);
    const struct fx_template *t = hash_template();
    struct fx_block *block = fx_template_solve_hash(world.templates, t->id, t->header.time + 7, 42);
    FX_CHECK(block != NULL);
    FX_CHECK_INT(block->header.nonce, 42);
    FX_CHECK_INT(block->header.time, t->header.time + 7);
    FX_CHECK_INT(block->n_txs, 2);
    FX_CHECK_INT(block->weight, t->weight);
    FX_CHECK_INT(fx_check_block(world.params, block, t->height, world.tip.median_time, &why),
                 FX_VALID);
    fx_block_unref(block);
    FX_CHECK(fx_template_solve_hash(world.templates, t->id + 1, 0, 0) == NULL);
    world_close();
}

FX_TEST(a_job_template_without_backing_pays_fees_alone)
{
    world_open();
    world_add_tx(NULL, 1000, 5000, 1000, true);
    const struct fx_template *t = job_template(NULL, 0, "");
    FX_CHECK_INT(t->lane, FX_LANE_JOB);
    FX_CHECK_INT(fx_header_lane(&t->header), FX_LANE_JOB);
    FX_CHECK_INT(t->subsidy, 0);
    FX_CHECK_INT(t->txs[0]->out[0].value, 4000);
    struct fx_cb_work work;
    FX_CHECK(fx_cb_work_read(t->txs[0], &work));
    FX_CHECK(fx_outpoint_equal(&work.outpoint, &world.task));
    FX_CHECK_MEM(work.solver.b, world.solver.xonly.b, 32);
    FX_CHECK(t->weight > 65536); /* with the proof that it will carry */
    world_close();
}

FX_TEST(backing_is_what_the_chain_still_counts)
{
    world_open();
    uint32_t next = world.tip.height + 1;
    struct fx_outpoint origins[7];
    origins[0] = world_add_settled(next - 1, 3, 40);
    origins[1] = world_add_settled(next - FX_RECORD_KEEP, 100, 1000); /* too old */
    origins[2] = world_add_settled(next - FX_RECORD_KEEP + 1, 5, 60); /* just young enough */
    origins[3] = world_add_settled(next - 2, 100, 1000);
    world.records[3].record.backed = true;
    origins[4] = world_add_settled(next - 2, 100, 1000);
    world.records[4].record.solver = world.client.xonly;
    origins[5] = origins[0]; /* named twice */
    memset(&origins[6], 0x55, sizeof(origins[6]));
    const struct fx_template *t = job_template(origins, 7, "");
    FX_CHECK_INT(t->n_backing, 2);
    FX_CHECK_INT(t->credit, 8);
    FX_CHECK_INT(t->burns, 100);
    FX_CHECK_INT(t->subsidy,
                 fx_lane_subsidy(world.params, FX_LANE_JOB, t->height, 0x207fffff, 8, 100));
    FX_CHECK_INT(t->txs[0]->out[0].value, t->subsidy);
    world_close();
}

FX_TEST(a_task_that_is_not_open_is_refused)
{
    char error[FX_TEMPLATE_ERROR];
    world_open();
    struct fx_span preimage = {world.preimage.data, world.preimage.len};
    world.task_spent = true;
    job_template(NULL, 0, "template: the task output is spent or unknown");
    world.task_spent = false;
    struct fx_buf other = FX_BUF_INIT;
    world.job.spec.deadline++;
    fx_task_fresh_preimage(&world.job.spec, 0, &other);
    FX_CHECK(fx_template_job(world.templates, pay_script, &world.task,
                             (struct fx_span){other.data, other.len}, &world.solver.xonly, NULL, 0,
                             error) == NULL);
    FX_CHECK_STR(error, "template: the preimage does not match the task output");
    fx_buf_clear(&other);
    preimage.len--;
    FX_CHECK(fx_template_job(world.templates, pay_script, &world.task, preimage,
                             &world.solver.xonly, NULL, 0, error) == NULL);
    FX_CHECK_STR(error, "template: the preimage is not that of a funded task with a valid spec");
    world_close();
}

FX_TEST(a_job_solution_passes_the_rules)
{
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    uint8_t path[2][FX_TREE_DEPTH_MAX * 32], signature[64];
    enum fx_verdict why = FX_OK;
    world_open();
    struct fx_outpoint origin = world_add_settled(world.tip.height, 3, 40);
    world_add_tx(NULL, 1000, 5000, 1000, true);
    fx_test_job_block(&world.job, FX_SIDE_A, 0, 0, a);
    fx_test_job_block(&world.job, FX_SIDE_B, 0, 0, b);
    struct fx_job_brick brick = {
        .block_a = {(const uint8_t *)a, sizeof(a)},
        .block_b = {(const uint8_t *)b, sizeof(b)},
        .path_a = {path[0], fx_test_job_path(&world.job, FX_SIDE_A, 0, 0, path[0]) * 32},
        .path_b = {path[1], fx_test_job_path(&world.job, FX_SIDE_B, 0, 0, path[1]) * 32}};
    const struct fx_template *t;
    struct fx_hash ticket, hash;
    do { /* one brick a template, one chance in two a brick */
        t = job_template(&origin, 1, "");
        FX_CHECK(fx_brick_ticket(&t->header_id, a, b, 0, 0, 0, &ticket));
    } while (ticket.b[31] & 0x80);
    fx_work_sign_hash(&t->header_id, &hash);
    fx_test_sign(&world.solver, &hash, signature);
    struct fx_block *block = fx_template_solve_job(world.templates, t->id, &brick, signature);
    FX_CHECK(block != NULL);
    enum fx_result result =
        fx_check_block(world.params, block, t->height, world.tip.median_time, &why);
    FX_CHECK_STR(fx_verdict_string(why), "");
    FX_CHECK_INT(result, FX_VALID);
    FX_CHECK_INT(block->weight, t->weight);
    FX_CHECK(fx_hash_equal(&block->id, &t->header_id));
    fx_block_unref(block);

    signature[9] ^= 1;
    block = fx_template_solve_job(world.templates, t->id, &brick, signature);
    FX_CHECK_INT(fx_check_block(world.params, block, t->height, world.tip.median_time, &why),
                 FX_INVALID_COPY);
    FX_CHECK_STR(fx_verdict_string(why), "bad-work-sig");
    fx_block_unref(block);
    brick.path_a.len = 3; /* a length that the shape does not give is no proof */
    FX_CHECK(fx_template_solve_job(world.templates, t->id, &brick, signature) == NULL);
    world_close();
}
