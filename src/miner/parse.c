/* Answers of the node as structs; everything in them is bounded here. */
#include "src/miner/parse.h"

#include <stdio.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/util/amount.h"
#include "src/util/hex.h"

bool fx_miner_get_u32(const json_t *json, const char *name, uint32_t *out)
{
    const json_t *value = json_object_get(json, name);
    json_int_t v = json_integer_value(value);

    if (!json_is_integer(value) || v < 0 || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool fx_miner_get_u64(const json_t *json, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(json, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

bool fx_miner_get_amount(const json_t *json, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(json, name);
    double v = json_number_value(value);

    /* Up to 2^53 embers a double holds every amount, once it is rounded to the nearest. */
    if (!json_is_number(value) || !(v >= 0 && v <= 9e15 / FX_COIN))
        return false;
    *out = (int64_t)(v * FX_COIN + 0.5);
    return true;
}

bool fx_miner_get_root(const json_t *json, const char *name, struct fx_hash *out)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text && fx_hash_from_hex(out, text);
}

bool fx_miner_get_id(const json_t *json, const char *name, struct fx_hash *out)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text && fx_hash_from_id(out, text);
}

static bool get_status(const json_t *json, enum fx_miner_task_status *out)
{
    static const char *const names[] = {"pending", "open", "claimed", "settled", "refunded"};
    const char *text = json_string_value(json_object_get(json, "status"));

    for (size_t at = 0; text && at < sizeof names / sizeof names[0]; at++) {
        if (strcmp(text, names[at]) == 0) {
            *out = (enum fx_miner_task_status)at;
            return true;
        }
    }
    /* To a miner a challenged claim is a claim, and a rejected one ends as a refund does. */
    if (text && (strcmp(text, "challenged") == 0 || strcmp(text, "rejected") == 0)) {
        *out = text[0] == 'c' ? FX_MINER_TASK_CLAIMED : FX_MINER_TASK_REFUNDED;
        return true;
    }
    return false;
}

static bool get_shape(const json_t *json, struct fx_task_shape *shape)
{
    return fx_miner_get_u32(json, "row0", &shape->row0) &&
           fx_miner_get_u32(json, "col0", &shape->col0) &&
           fx_miner_get_u32(json, "rows", &shape->rows) &&
           fx_miner_get_u32(json, "cols", &shape->cols) &&
           fx_miner_get_u32(json, "depth", &shape->depth) &&
           fx_miner_get_u64(json, "tiles", &shape->tiles) &&
           fx_miner_get_u64(json, "bricks", &shape->bricks) && shape->rows > 0 && shape->cols > 0 &&
           shape->depth > 0 && shape->depth <= 256 && shape->tiles <= UINT64_C(1) << 24 &&
           shape->tiles == (uint64_t)shape->rows * shape->cols &&
           shape->bricks == shape->tiles * shape->depth;
}

/* The rectangle lies in the product, so no read of an operand leaves it. */
static bool shape_fits(const struct fx_miner_task *task)
{
    const struct fx_task_shape *shape = &task->shape;

    return task->k / FX_DEPTH == shape->depth &&
           (uint64_t)shape->row0 + shape->rows <= task->m / FX_TILE &&
           (uint64_t)shape->col0 + shape->cols <= task->n / FX_TILE;
}

bool fx_miner_task_parse(const json_t *json, struct fx_miner_task *task)
{
    const char *origin = json_string_value(json_object_get(json, "origin"));
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const json_t *claim = json_object_get(json, "claim");

    memset(task, 0, sizeof *task);
    if (!origin || strlen(origin) >= FX_ORIGIN_TEXT || !kind || !get_status(json, &task->status) ||
        !fx_miner_get_amount(json, "escrow", &task->escrow))
        return false;
    snprintf(task->origin, sizeof task->origin, "%s", origin);
    task->operands_here = json_is_true(json_object_get(json, "operandshere"));
    task->spent = json_object_get(json, "spender") != NULL;
    if (claim && (!fx_miner_get_root(claim, "solver", &task->solver) ||
                  !fx_miner_get_root(claim, "result", &task->result) ||
                  !fx_miner_get_amount(claim, "burn", &task->burn)))
        return false;
    if (strcmp(kind, fx_kind_gemm.name) != 0)
        return true; /* kind 0: nothing that a miner of this version runs */
    task->kind = fx_kind_gemm.id;
    return fx_miner_get_u32(json, "m", &task->m) && fx_miner_get_u32(json, "n", &task->n) &&
           fx_miner_get_u32(json, "k", &task->k) &&
           fx_miner_get_root(json, "root_a", &task->root_a) &&
           fx_miner_get_root(json, "root_b", &task->root_b) &&
           get_shape(json_object_get(json, "shape"), &task->shape) && shape_fits(task);
}

bool fx_miner_work_parse(const json_t *json, struct fx_miner_work *work)
{
    const json_t *id = json_object_get(json, "workid");
    const char *lane = json_string_value(json_object_get(json, "lane"));
    const char *header = json_string_value(json_object_get(json, "header"));
    const json_t *expected = json_object_get(json, "expectedwork");

    memset(work, 0, sizeof *work);
    if (!json_is_integer(id) || !lane || !header || !json_is_number(expected) ||
        !fx_miner_get_u32(json, "height", &work->height) ||
        !fx_miner_get_id(json, "previousblockhash", &work->previous) ||
        !fx_miner_get_id(json, "target", &work->target) ||
        !fx_miner_get_amount(json, "subsidy", &work->subsidy) ||
        !fx_miner_get_amount(json, "fees", &work->fees) || !fx_hex_decode(header, work->header, 80))
        return false;
    work->id = json_integer_value(id);
    work->lane = strcmp(lane, "job") == 0 ? FX_LANE_JOB : FX_LANE_HASH;
    work->expected = json_number_value(expected);
    fx_sha256d(work->header, 80, work->seed.b);
    return true;
}

static bool get_lane(const json_t *json, struct fx_miner_chain *chain)
{
    const char *name = json_string_value(json_object_get(json, "lane"));
    const json_t *expected = json_object_get(json, "expectedwork");

    if (!name || !json_is_number(expected))
        return false;
    chain->expected[strcmp(name, "job") == 0 ? FX_LANE_JOB : FX_LANE_HASH] =
        json_number_value(expected);
    return true;
}

bool fx_miner_chain_parse(const json_t *json, struct fx_miner_chain *chain)
{
    const char *name = json_string_value(json_object_get(json, "chain"));
    const json_t *lane;
    size_t at;
    bool ok;

    memset(chain, 0, sizeof *chain);
    if (name)
        snprintf(chain->name, sizeof chain->name, "%s", name);
    ok = name && fx_miner_get_u32(json, "blocks", &chain->height);
    json_array_foreach(json_object_get(json, "lanes"), at, lane)
    {
        ok = ok && get_lane(lane, chain);
    }
    return ok;
}
