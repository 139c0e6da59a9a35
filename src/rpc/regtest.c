/*
 * Commands of regtest: the clock, blocks of the job lane, and tasks solved on the node's own CPU,
 * so that every state can be had without a miner.
 */
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/iface/net.h"
#include "src/iface/template.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define MOCK_TIME_MAX INT64_C(9223372036) /* as Bitcoin Core has it: in nanoseconds, 63 bits */
#define WAIT_STEP_MS 50
#define WAIT_SECONDS 60 /* for operands */

static json_t *setmocktime(struct fx_rpc_call *call)
{
    int64_t time;
    time = json_integer_value(call->args[0]);
    if (time < 0 || time > MOCK_TIME_MAX) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Mocktime must be in the range [0, %lld], not %lld.",
                           (long long)MOCK_TIME_MAX, (long long)time);
    }
    fx_clock_set_mock(time);
    fx_net_clock_moved(call->rpc->config.net);
    return json_null();
}

const struct fx_rpc_command fx_rpc_setmocktime = {
    .name = "setmocktime",
    .text = "Sets the node's clock to a time, where it stays.",
    .args = "timestamp: int   # Unix time; 0: the real clock again",
    .result = "null",
    .errors = "-8: timestamp is out of range",
    .example = "1700000000",
    .run = setmocktime,
    .flags = FX_RPC_REGTEST,
};

static json_t *mockscheduler(struct fx_rpc_call *call)
{
    int64_t seconds = json_integer_value(call->args[0]);
    if (seconds <= 0 || seconds > 3600) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "delta_time must be between 1 and 3600 seconds (1 hr)");
    }
    fx_net_hurry(call->rpc->config.net, seconds);
    return json_null();
}

const struct fx_rpc_command fx_rpc_mockscheduler = {
    .name = "mockscheduler",
    .text =
        "Lets what the node does from time to time come that much earlier: it announces its own "
        "transactions again.",
    .args = "delta_time: int   # Seconds, at most 3600",
    .result = "null",
    .errors = "-1: delta_time is out of range",
    .example = "600",
    .run = mockscheduler,
    .flags = FX_RPC_REGTEST | FX_RPC_HIDDEN,
};

/* ---- what both have in common: a task with its operands ---------------------------------------
 */

struct bench {
    struct fx_outpoint origin;
    struct fx_gemm gemm;
    struct fx_task_shape shape;
    struct fx_rpc_operands operands;
    struct fx_rpc_chunk *chunks; /* two */
    char *wallet;                /* name; NULL: the only one */
    int64_t wait_until;          /* monotonic, for the operands */
};

static bool bench_set(struct fx_rpc_call *call, const json_t *origin, struct bench *b)
{
    struct fx_task_info info;
    if (!fx_rpc_arg_task(call, origin, &info)) {
        return false;
    }
    if (info.status != FX_STATUS_OPEN) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Task %s is not open", json_string_value(origin));
        return false;
    }
    if (info.spec.kind != FX_KIND_GEMM || !fx_gemm_read(info.spec.body, &b->gemm)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Task %s is not of kind gemm",
                    json_string_value(origin));
        return false;
    }
    b->origin = info.origin;
    b->shape = info.shape;
    b->chunks = fx_xcalloc(2, sizeof(*b->chunks));
    b->wallet = call->wallet ? fx_xstrdup(call->wallet) : NULL;
    b->wait_until = fx_clock_monotonic_ms() + WAIT_SECONDS * 1000;
    fx_rpc_operands_set(&b->operands, call->rpc->config.blobs, &b->gemm);
    return true;
}

static void bench_clear(struct bench *b)
{
    free(b->chunks);
    free(b->wallet);
}

/* Wallets may be unloaded between two steps: looked up each time. */
static struct fx_wallet *bench_wallet(struct fx_rpc_call *call, const struct bench *b)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_wallet *wallet = fx_wallet_get(call->rpc->config.wallets, b->wallet, &error);
    if (!wallet) {
        fx_rpc_fail_wallet(call, &error);
    }
    return wallet;
}

/* True where the operands are here; else they are on their way, or the call has failed. */
static bool bench_ready(struct fx_rpc_call *call, const struct bench *b)
{
    struct fx_jobs_error error = {0, ""};
    if (fx_rpc_operands_here(&b->operands)) {
        return true;
    }
    if (fx_clock_monotonic_ms() > b->wait_until) {
        fx_rpc_fail(call, FX_RPC_MISC, "The task's operands did not come within %d s",
                    WAIT_SECONDS);
    } else if (!fx_jobs_want_operands(call->rpc->config.jobs, &b->origin, &error)) {
        fx_rpc_fail_jobs(call, &error);
    }
    return false;
}

static bool bench_read(struct fx_rpc_call *call, const struct bench *b, uint32_t i, uint32_t j,
                       uint32_t l)
{
    if (fx_rpc_operands_read(&b->operands, FX_SIDE_A, i, l, &b->chunks[0]) &&
        fx_rpc_operands_read(&b->operands, FX_SIDE_B, j, l, &b->chunks[1])) {
        return true;
    }
    fx_rpc_fail_read(call, "the operands");
    return false;
}

/* ---- generatejobblock -------------------------------------------------------------------------
 */

struct job_block {
    struct bench bench;
    struct fx_buf script;
    uint64_t work; /* template under way; 0: none */
    struct fx_hash seed;
    struct fx_u256 target;
    uint64_t at; /* brick of the rectangle: tile by tile, each through its depth */
    uint64_t tried;
};

static void job_block_free(void *ctx)
{
    struct job_block *g = ctx;
    bench_clear(&g->bench);
    fx_buf_clear(&g->script);
    free(g);
}

static bool job_block_start(struct fx_rpc_call *call, struct job_block *g)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_task_info info;
    struct fx_wallet_error error = {0, ""};
    struct fx_hash solver;
    struct fx_outpoint *backing = NULL;
    uint64_t credit, burns;
    char why[FX_TEMPLATE_ERROR];
    struct fx_wallet *wallet = bench_wallet(call, &g->bench);
    if (!wallet) {
        return false;
    }
    if (!fx_wallet_solver_key(wallet, &solver, &error)) {
        fx_rpc_fail_wallet(call, &error);
        return false;
    }
    if (!fx_jobs_task(rpc->config.jobs, &g->bench.origin, &info) || info.status != FX_STATUS_OPEN) {
        fx_rpc_fail(call, FX_RPC_MISC, "The task was claimed or refunded meanwhile");
        return false;
    }
    size_t n = fx_jobs_backing(rpc->config.jobs, &solver, &backing, &credit, &burns);
    const struct fx_template *t = fx_template_job(
        rpc->config.templates, (struct fx_span){g->script.data, g->script.len}, &info.outpoint,
        info.preimage, &solver, backing, n < FX_BACKING_MAX ? n : FX_BACKING_MAX, why);
    free(backing);
    if (!t) {
        fx_rpc_fail(call, FX_RPC_MISC, "%s", why);
        return false;
    }
    g->work = t->id;
    g->seed = t->header_id;
    g->at = 0;
    (void)fx_nbits_decode(t->header.nbits, &g->target);
    return true;
}

static bool job_block_found(struct fx_rpc_call *call, struct job_block *g, uint32_t i, uint32_t j,
                            uint32_t l)
{
    struct fx_wallet *wallet = bench_wallet(call, &g->bench);
    json_t *answer = wallet ? fx_rpc_submit_brick(call, g->work, wallet, i, j, l) : NULL;
    if (!answer) {
        return true; /* failed */
    }
    g->work = 0;
    const json_t *reason = json_object_get(answer, "reject-reason");
    if (reason && strcmp(json_string_value(reason), "not on the best chain") == 0) {
        json_decref(answer); /* the tip has moved: once more */
        return false;
    }
    if (reason) {
        fx_rpc_fail(call, FX_RPC_INTERNAL, "The block was not accepted: %s",
                    json_string_value(reason));
        json_decref(answer);
        return true;
    }
    call->result = json_object();
    json_object_set(call->result, "hash", json_object_get(answer, "hash"));
    json_decref(answer);
    json_t *brick = json_object();
    fx_json_set(brick, "i", json_integer(i));
    fx_json_set(brick, "j", json_integer(j));
    fx_json_set(brick, "l", json_integer(l));
    fx_json_set(call->result, "brick", brick);
    fx_json_set(call->result, "tried", json_integer((json_int_t)g->tried));
    return true;
}

static int job_block_step(struct fx_rpc_call *call, void *ctx)
{
    struct job_block *g = ctx;
    int64_t end = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    const struct fx_task_shape *shape = &g->bench.shape;
    if (!bench_ready(call, &g->bench)) {
        return WAIT_STEP_MS;
    }
    do {
        if (g->work == 0 && !job_block_start(call, g)) {
            return FX_RPC_STEP_DONE;
        }
        struct fx_hash ticket;
        uint64_t tile = g->at / shape->depth;
        uint32_t l = (uint32_t)(g->at % shape->depth);
        uint32_t i = shape->row0 + (uint32_t)(tile / shape->cols);
        uint32_t j = shape->col0 + (uint32_t)(tile % shape->cols);
        if (!bench_read(call, &g->bench, i, j, l)) {
            return FX_RPC_STEP_DONE;
        }
        if (!fx_brick_ticket(&g->seed, (const int8_t *)g->bench.chunks[0].data,
                             (const int8_t *)g->bench.chunks[1].data, i, j, l, &ticket)) {
            fx_rpc_fail(call, FX_RPC_MISC,
                        "The operands have entries outside [-64, 63]: no block "
                        "can be mined in this task");
            return FX_RPC_STEP_DONE;
        }
        g->tried++;
        struct fx_u256 number = fx_u256_from_hash(&ticket);
        if (fx_u256_cmp(&number, &g->target) <= 0) {
            if (job_block_found(call, g, i, j, l)) {
                return FX_RPC_STEP_DONE;
            }
        } else if (++g->at == shape->bricks) {
            g->work = 0; /* all bricks tried under this header: another one */
        }
    } while (fx_clock_monotonic_ms() < end);
    return 0;
}

static json_t *generatejobblock(struct fx_rpc_call *call)
{
    struct job_block *g = fx_xcalloc(1, sizeof(*g));
    if (!bench_set(call, call->args[0], &g->bench) ||
        !fx_rpc_payout(call, call->args[1], &g->script)) {
        job_block_free(g);
        return NULL;
    }
    return fx_rpc_slice(call, job_block_step, job_block_free, g);
}

static const struct fx_rpc_command generatejobblock_command = {
    .name = "generatejobblock",
    .text = "Mines a block of the job lane inside an open task, trying bricks on the node's CPU. "
            "The wallet's solver key signs; its settled tasks back the block.",
    .args = "origin: str\n"
            "address?: str   # Where the coinbase pays to; default: the wallet's",
    .result = "{ hash: hash\n"
              "brick: { i: int, j: int, l: int }\n"
              "tried: int }   # Bricks",
    .errors = "-1: the operands are not here\n-5: No such task\n-8: the task is not open",
    .example = "\"txid:1\"",
    .run = generatejobblock,
    .flags = FX_RPC_REGTEST,
};

/* ---- solvetask --------------------------------------------------------------------------------
 */

struct solve {
    struct bench bench;
    enum fx_burn burn;
    int64_t burn_amount;
    bool claim, spoil;
    struct fx_hash solver;
    char upload[FX_UPLOAD_ID];
    bool open;
    uint64_t tile;
    uint32_t l;
    int32_t *sum;     /* the tile under way, 128 x 128 */
    int32_t *product; /* of one brick */
    uint64_t received;
};

static void solve_free(void *ctx)
{
    struct solve *s = ctx;
    bench_clear(&s->bench);
    free(s->sum);
    free(s->product);
    free(s);
}

static bool upload_failed(struct fx_rpc_call *call, enum fx_upload status)
{
    if (status == FX_UPLOAD_OK) {
        return false;
    }
    if (status == FX_UPLOAD_FULL) {
        fx_rpc_fail(call, FX_RPC_MISC, "No disk space for the result");
    } else if (status == FX_UPLOAD_LIMIT) {
        fx_rpc_fail(call, FX_RPC_MISC, "No room for the result under -maxblobs");
    } else {
        fx_rpc_fail_read(call, "or write the result");
    }
    return true;
}

/* Opens the upload; one that was broken off goes on at its next whole tile. */
static bool solve_open(struct fx_rpc_call *call, struct solve *s)
{
    const struct fx_blob_shape shape = {s->bench.shape.rows, s->bench.shape.cols, s->solver};
    if (upload_failed(call, fx_upload_open(call->rpc->config.blobs, s->upload, FX_BLOB_RESULT,
                                           &shape, &s->received))) {
        return false;
    }
    s->tile = s->received / FX_TILE_BYTES;
    s->open = true;
    return true;
}

static bool solve_tile_done(struct fx_rpc_call *call, struct solve *s)
{
    size_t from = (size_t)(s->received % FX_TILE_BYTES);
    uint8_t *bytes = fx_xmalloc(FX_TILE_BYTES);
    if (s->spoil && s->tile == 0) {
        s->sum[0]++;
    }
    for (size_t e = 0; e < FX_TILE * FX_TILE; e++) {
        fx_store_u32(bytes + 4 * e, (uint32_t)s->sum[e]);
    }
    enum fx_upload status =
        fx_upload_write(call->rpc->config.blobs, s->upload, s->received,
                        (struct fx_span){bytes + from, FX_TILE_BYTES - from}, &s->received);
    free(bytes);
    memset(s->sum, 0, FX_TILE_BYTES);
    s->tile++;
    s->l = 0;
    return !upload_failed(call, status);
}

static void solve_finish(struct fx_rpc_call *call, struct solve *s, const struct fx_hash *root)
{
    struct fx_jobs_error error = {0, ""};
    struct fx_hash txid;
    json_t *out = json_object();
    fx_json_set(out, "result", fx_json_root(root));
    fx_json_set(out, "bricks", json_integer((json_int_t)s->bench.shape.bricks));
    if (s->claim) {
        struct fx_wallet *wallet = bench_wallet(call, &s->bench);
        if (!wallet || !fx_jobs_claim(call->rpc->config.jobs, wallet, &s->bench.origin, root,
                                      s->burn, s->burn_amount, &txid, &error)) {
            if (wallet) {
                fx_rpc_fail_jobs(call, &error);
            }
            json_decref(out);
            return;
        }
        fx_json_set(out, "txid", fx_json_id(&txid));
    }
    call->result = out;
}

static int solve_step(struct fx_rpc_call *call, void *ctx)
{
    struct solve *s = ctx;
    int64_t end = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    const struct fx_task_shape *shape = &s->bench.shape;
    struct fx_hash root;
    if (!bench_ready(call, &s->bench)) {
        return WAIT_STEP_MS;
    }
    if (!s->open && !solve_open(call, s)) {
        return FX_RPC_STEP_DONE;
    }
    while (s->tile < shape->tiles) {
        uint32_t i = shape->row0 + (uint32_t)(s->tile / shape->cols);
        uint32_t j = shape->col0 + (uint32_t)(s->tile % shape->cols);
        if (!bench_read(call, &s->bench, i, j, s->l)) {
            return FX_RPC_STEP_DONE;
        }
        fx_brick_product((const int8_t *)s->bench.chunks[0].data,
                         (const int8_t *)s->bench.chunks[1].data, s->product);
        for (size_t e = 0; e < FX_TILE * FX_TILE; e++) {
            s->sum[e] += s->product[e];
        }
        if (++s->l == shape->depth && !solve_tile_done(call, s)) {
            return FX_RPC_STEP_DONE;
        }
        if (fx_clock_monotonic_ms() >= end) {
            return 0;
        }
    }
    if (!upload_failed(call, fx_upload_finish(call->rpc->config.blobs, s->upload, &root))) {
        solve_finish(call, s, &root);
    }
    return FX_RPC_STEP_DONE;
}

/* The same task, solver and content always have the same upload. */
static void upload_name(const struct solve *s, char out[FX_UPLOAD_ID])
{
    struct fx_sha256 ctx;
    uint8_t key[FX_OUTPOINT_SIZE], hash[32];
    const uint8_t spoil = s->spoil;
    fx_outpoint_key(&s->bench.origin, key);
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, key, sizeof(key));
    fx_sha256_update(&ctx, s->solver.b, 32);
    fx_sha256_update(&ctx, &spoil, 1);
    fx_sha256_final(&ctx, hash);
    fx_hex_encode(hash, sizeof(hash), out);
}

static json_t *solvetask(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    const json_t *options = call->args[1];
    struct solve *s = fx_xcalloc(1, sizeof(*s));
    s->claim = fx_rpc_arg_bool(json_object_get(options, "claim"), true);
    s->spoil = fx_rpc_arg_bool(json_object_get(options, "spoil"), false);
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet || !bench_set(call, call->args[0], &s->bench) ||
        !fx_rpc_arg_burn(call, json_object_get(options, "burn"), &s->burn, &s->burn_amount)) {
        solve_free(s);
        return NULL;
    }
    if (!fx_wallet_solver_key(wallet, &s->solver, &error)) {
        solve_free(s);
        return fx_rpc_fail_wallet(call, &error);
    }
    s->sum = fx_xcalloc(FX_TILE * FX_TILE, sizeof(*s->sum));
    s->product = fx_xcalloc(FX_TILE * FX_TILE, sizeof(*s->product));
    upload_name(s, s->upload);
    return fx_rpc_slice(call, solve_step, solve_free, s);
}

static const struct fx_rpc_command solvetask_command = {
    .name = "solvetask",
    .text = "Computes a task's product on the node's CPU under the wallet's solver key, puts it "
            "into the store, and claims the task.",
    .args = "origin: str\n"
            "options?: {\n"
            "burn?: str|amount = auto   # auto, none or an amount\n"
            "claim?: bool = true        # false: compute and store only\n"
            "spoil?: bool = false }     # Make one entry wrong, to see it found out",
    .result = "{ result: hash    # Root\n"
              "bricks: int\n"
              "txid?: hash }     # Of the claim",
    .errors = "-1: the operands are not here\n-5: No such task\n-6: Insufficient funds for the "
              "bond\n-8: the task is not open",
    .example = "\"txid:1\"\n\"txid:1\" '{\"burn\":\"none\"}'",
    .run = solvetask,
    .flags = FX_RPC_REGTEST,
};

static const struct fx_rpc_command *const commands[] = {&generatejobblock_command,
                                                        &solvetask_command, NULL};

const struct fx_rpc_topic fx_rpc_topic_regtest = {"Regtest", commands, FX_RPC_WITH_JOBS};
