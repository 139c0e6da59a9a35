/* Transactions that spend the world's coins and tasks. */
#include "qa/unit/consensus/world.h"

#include <string.h>

#include "consensus/sighash.h"
#include "qa/unit/harness.h"

void world_sign_p2tr(struct fx_txb *b, size_t in, const struct fx_coin *spent, unsigned key)
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    uint8_t signature[64];

    fx_sighash_cache_init(&cache, tx, spent);
    FX_CHECK(fx_sighash_taproot(tx, in, spent, 0, NULL, &cache, &hash));
    world_sign(key, &hash, signature);
    fx_txb_push_witness(b, in, signature, sizeof signature);
    fx_tx_unref(tx);
}

void world_push_action(struct fx_txb *b, size_t in, const struct fx_coin *spent,
                       enum fx_task_action action, unsigned key)
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    uint8_t signature[64], byte = (uint8_t)action;

    fx_sighash_cache_init(&cache, tx, spent);
    fx_sighash_task(tx, in, spent, byte, &cache, &hash);
    world_sign(key, &hash, signature);
    fx_txb_push_witness(b, in, &byte, 1);
    fx_txb_push_witness(b, in, signature, sizeof signature);
    fx_tx_unref(tx);
}

void world_claimed(const struct world_job *job, const struct fx_outpoint *origin, uint64_t escrow,
                   uint64_t bond, uint64_t burn, struct fx_buf *preimage,
                   uint8_t script[FX_TASK_SCRIPT_SIZE])
{
    struct fx_task task = {.state = FX_TASK_CLAIMED, .origin = *origin, .spec = job->spec};
    struct fx_hash program;
    struct fx_span span;

    task.escrow = escrow;
    task.bond = bond;
    task.burn = burn;
    world_key(WORLD_SOLVER, &task.solver);
    task.result.b[0] = 9;
    fx_task_write(&task, preimage);
    span.data = preimage->data;
    span.len = preimage->len;
    fx_task_program(span, &program);
    fx_task_script(&program, script);
}

void world_push_accept(struct fx_txb *b, size_t in, const struct fx_coin *spent,
                       const struct fx_buf *preimage)
{
    struct fx_span span = {preimage->data, preimage->len};
    uint8_t certificate[64];
    struct fx_hash program, hash;

    fx_task_program(span, &program);
    fx_task_accept_hash(&program, &hash);
    world_sign(WORLD_CLIENT, &hash, certificate);
    world_push_action(b, in, spent, FX_ACTION_ACCEPT, WORLD_SOLVER);
    fx_txb_push_witness(b, in, certificate, sizeof certificate);
    fx_txb_push_witness(b, in, preimage->data, preimage->len);
}
