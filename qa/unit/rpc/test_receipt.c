/* Unit tests of src/rpc/receipt.c and receipt_check.c: merkle branches, and receipts that a client
 * signed although something in them is not so. */
#include "src/rpc/receipt_int.h"

#include <stdio.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"
#include "src/rpc/topics_int.h"

FX_TEST(branches_give_the_root)
{
    struct fx_hash leaves[20], branch[FX_RECEIPT_BRANCH_MAX], root, climbed;
    for (size_t i = 0; i < 20; i++) {
        memset(leaves[i].b, (int)(i + 1), 32);
    }
    for (size_t n = 1; n <= 20; n++) {
        fx_merkle_root(leaves, n, &root, NULL);
        for (size_t at = 0; at < n; at++) {
            size_t height = fx_merkle_branch(leaves, n, at, branch);
            fx_merkle_climb(&leaves[at], at, branch, height, &climbed);
            FX_CHECK(fx_hash_equal(&root, &climbed));
        }
    }
}

/* ---- a receipt of one task ---------------------------------------------------------------------
 */

static struct fx_rpc rpc;

/* A client, a task that it certified, and the receipt of it. */
struct made {
    struct fx_test_key client, other;
    struct fx_task task;
    struct fx_buf body, spec;
    json_t *receipt;
};

static json_t *place_json(const struct fx_tx *tx, const struct fx_tx *sibling, bool right)
{
    struct fx_hash ids[2], root;
    struct fx_header header;
    uint8_t raw[FX_HEADER_SIZE];
    json_t *out = json_object(), *branch = json_array();
    memset(&header, 0, sizeof(header));
    ids[right ? 1 : 0] = tx->txid;
    ids[right ? 0 : 1] = sibling->txid;
    fx_merkle_root(ids, 2, &root, NULL);
    header.merkle_root = root;
    fx_header_write(&header, raw);
    json_array_append_new(branch, fx_json_root(&sibling->txid));
    fx_json_set(out, "height", json_integer(5));
    fx_json_set(out, "header", fx_json_hex(raw, sizeof(raw)));
    fx_json_set(out, "position", json_integer(right ? 1 : 0));
    fx_json_set(out, "branch", branch);
    fx_json_set(out, "tx", fx_json_hex(tx->raw.data, tx->raw.len));
    return out;
}

static void set_task(struct made *made)
{
    struct fx_gemm gemm = {.m = 256, .n = 128, .k = 512, .task_rows = 1, .task_cols = 1};
    struct fx_task *task = &made->task;
    fx_gemm_write(&gemm, &made->body);
    task->state = FX_TASK_CLAIMED;
    memset(task->origin.txid.b, 7, 32);
    task->origin.index = 1;
    task->spec.version = 1;
    task->spec.kind = FX_KIND_GEMM;
    task->spec.client = made->client.xonly;
    task->spec.deadline = 1700000000;
    task->spec.window = 1;
    task->spec.body.data = made->body.data;
    task->spec.body.len = made->body.len;
    task->index = 1;
    task->escrow = 5000000;
    task->bond = 2000000;
    task->burn = 1000;
    memset(task->solver.b, 8, 32);
    memset(task->result.b, 9, 32);
    fx_task_spec_write(&task->spec, &made->spec);
}

/* The claimed output of the task; the transaction is the caller's. */
static struct fx_tx *make_claim(const struct made *made, struct fx_hash *program)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_txb b;
    struct fx_outpoint any = {.index = 3};
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    fx_task_write(&made->task, &preimage);
    struct fx_span span = {preimage.data, preimage.len};
    fx_task_program(span, program);
    fx_task_script(program, script);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &any, 0);
    fx_txb_add_out(&b, 7000000, script, sizeof(script));
    struct fx_tx *tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_buf_clear(&preimage);
    return tx;
}

static struct fx_tx *make_settlement(const struct fx_tx *claim, const struct fx_hash *program,
                                     const struct fx_test_key *certifier)
{
    const uint8_t action = FX_ACTION_ACCEPT, nothing[64] = {0};
    struct fx_outpoint from = {.txid = claim->txid, .index = 0};
    struct fx_hash hash;
    uint8_t certificate[64];
    struct fx_txb b;
    fx_task_accept_hash(program, &hash);
    fx_test_sign(certifier, &hash, certificate);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &from, 0);
    fx_txb_add_out(&b, 6000000, nothing, 1);
    fx_txb_push_witness(&b, 0, &action, 1);
    fx_txb_push_witness(&b, 0, nothing, 64);
    fx_txb_push_witness(&b, 0, certificate, 64);
    fx_txb_push_witness(&b, 0, nothing, 10);
    struct fx_tx *tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

static void sign(struct made *made)
{
    struct fx_hash hash;
    uint8_t signature[64];
    fx_receipt_hash(made->receipt, &hash);
    fx_test_sign(&made->client, &hash, signature);
    fx_json_set(made->receipt, "signature", fx_json_hex(signature, sizeof(signature)));
}

static void make(struct made *made, bool certified)
{
    struct fx_hash program;
    memset(made, 0, sizeof(*made));
    fx_test_key(1, &made->client);
    fx_test_key(2, &made->other);
    set_task(made);
    struct fx_tx *claim = make_claim(made, &program);
    struct fx_tx *settlement =
        make_settlement(claim, &program, certified ? &made->client : &made->other);
    json_t *task = json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:s}", "product", 0, "part", 0,
                             "index", 1, "escrow", (json_int_t)5000000, "bond", (json_int_t)2000000,
                             "burn", (json_int_t)1000, "action", "accept");
    fx_json_set(task, "origin", fx_json_outpoint(&made->task.origin));
    fx_json_set(task, "spec", fx_json_hex(made->spec.data, made->spec.len));
    fx_json_set(task, "solver", fx_json_root(&made->task.solver));
    fx_json_set(task, "result", fx_json_root(&made->task.result));
    fx_json_set(task, "claim", place_json(claim, settlement, false));
    fx_json_set(task, "settlement", place_json(settlement, claim, true));
    made->receipt =
        json_pack("{s:i, s:s, s:s, s:i, s:[{s:i, s:i, s:i, s:i, s:i}], s:[o]}", "receipt", 1,
                  "network", "regtest", "job", "x", "total", 2, "products", "rows", 100, "columns",
                  100, "depth", 300, "limbs_a", 2, "limbs_b", 1, "tasks", task);
    fx_json_set(made->receipt, "client", fx_json_root(&made->client.xonly));
    fx_tx_unref(claim);
    fx_tx_unref(settlement);
    sign(made);
}

static void made_clear(struct made *made)
{
    json_decref(made->receipt);
    fx_buf_clear(&made->body);
    fx_buf_clear(&made->spec);
}

/* The verdict: "" where it is valid. Lives until the next call. */
static const char *verdict(const struct made *made)
{
    static char text[200];
    struct fx_rpc_call call = {.rpc = &rpc};
    rpc.config.params = fx_params_get(FX_REGTEST);
    fx_fakes_reset();
    call.args[0] = made->receipt;
    json_t *said = fx_rpc_verifyreceipt.run(&call);
    const char *reason = json_string_value(json_object_get(said, "reason"));
    FX_CHECK_INT(json_is_true(json_object_get(said, "valid")), reason == NULL);
    FX_CHECK(!json_is_true(json_object_get(said, "inchain"))); /* the fakes have no such block */
    snprintf(text, sizeof(text), "%s", reason ? reason : "");
    json_decref(said);
    return text;
}

static json_t *first_task(const struct made *made)
{
    return json_array_get(json_object_get(made->receipt, "tasks"), 0);
}

FX_TEST(a_receipt_that_is_right)
{
    struct made made;
    make(&made, true);
    FX_CHECK_STR(verdict(&made), "");
    made_clear(&made);
}

FX_TEST(a_certificate_of_somebody_else)
{
    struct made made;
    make(&made, false);
    FX_CHECK_STR(verdict(&made), "a certificate is not the client's");
    made_clear(&made);
}

/* What a client may sign, and the chain does not say. */
FX_TEST(fields_that_the_claim_does_not_have)
{
    static const struct {
        const char *field;
        const char *text; /* NULL: the number */
        int number;
        const char *reason;
    } cases[] = {
        {"escrow", NULL, 5000001, "no claim of what a task says was settled"},
        {"bond", NULL, 2000001, "no claim of what a task says was settled"},
        {"burn", NULL, 0, "no claim of what a task says was settled"},
        {"index", NULL, 0, "no claim of what a task says was settled"},
        {"solver", "0909090909090909090909090909090909090909090909090909090909090909", 0,
         "no claim of what a task says was settled"},
        {"result", "0808080808080808080808080808080808080808080808080808080808080808", 0,
         "no claim of what a task says was settled"},
        {"origin", "0707070707070707070707070707070707070707070707070707070707070707:2", 0,
         "no claim of what a task says was settled"},
        {"origin", "07:1", 0, "a task is malformed"},
        {"burn", NULL, -1, "a task is malformed"},
        {"spec", "01", 0, "a task's spec is not valid"},
        {"spec", "zz", 0, "a task is malformed"},
        {"part", NULL, 1, "a task is of no product"},
        {"product", NULL, 1, "a task is of no product"},
        {"product", NULL, -1, "a task is of no product"},
        {"action", "take", 0, "a settlement is not by the action that is named"},
        {"action", "refund", 0, "a task's action does not settle it"},
        {"claim", "x", 0, "a transaction or its place is malformed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made made;
        make(&made, true);
        fx_json_set(first_task(&made), cases[i].field,
                    cases[i].text ? json_string(cases[i].text) : json_integer(cases[i].number));
        FX_CHECK_STR(verdict(&made), "the signature is not the client's");
        sign(&made);
        if (strcmp(verdict(&made), cases[i].reason) != 0) {
            FX_FAIL("%s: %s", cases[i].field, verdict(&made));
        }
        made_clear(&made);
    }
}

FX_TEST(places_that_are_not_so)
{
    static const struct {
        const char *field;
        int number;
        const char *reason;
    } cases[] = {
        {"position", 1, "a transaction is not in the block that is named"},
        {"position", 2, "a transaction or its place is malformed"},
        {"position", -1, "a transaction or its place is malformed"},
        {"branch", 0, "a transaction or its place is malformed"},
        {"header", 0, "a transaction or its place is malformed"},
        {"tx", 0, "a transaction does not parse"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made made;
        make(&made, true);
        fx_json_set(json_object_get(first_task(&made), "claim"), cases[i].field,
                    json_integer(cases[i].number));
        sign(&made);
        if (strcmp(verdict(&made), cases[i].reason) != 0) {
            FX_FAIL("%s: %s", cases[i].field, verdict(&made));
        }
        made_clear(&made);
    }
}

FX_TEST(another_transaction_in_the_place)
{
    struct made made;
    make(&made, true);
    json_t *task = first_task(&made);
    json_t *claim = json_incref(json_object_get(task, "claim"));
    fx_json_set(task, "settlement", claim);
    sign(&made);
    FX_CHECK_STR(verdict(&made), "no claim of what a task says was settled");
    made_clear(&made);
}

FX_TEST(the_whole_of_it)
{
    struct made made;
    make(&made, true);
    json_array_append(json_object_get(made.receipt, "tasks"), first_task(&made));
    sign(&made);
    FX_CHECK_STR(verdict(&made), "a task stands there twice");
    fx_json_set(made.receipt, "tasks", json_array());
    sign(&made);
    FX_CHECK_STR(verdict(&made), "it has no tasks, or too many");
    made_clear(&made);
    make(&made, true);
    json_object_set_new(json_array_get(json_object_get(made.receipt, "products"), 0), "rows",
                        json_integer(200));
    sign(&made);
    FX_CHECK_STR(verdict(&made), "a task's spec is not of its product's shape");
    /* A client that signs another one's task. */
    made_clear(&made);
    make(&made, true);
    fx_json_set(made.receipt, "client", fx_json_root(&made.other.xonly));
    struct fx_test_key client = made.client;
    made.client = made.other;
    sign(&made);
    made.client = client;
    FX_CHECK_STR(verdict(&made), "a task is of another client");
    made_clear(&made);
}
