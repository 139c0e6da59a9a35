/*
 * What it costs to check a job-lane work proof, piece by piece, on one core (protocol section 6,
 * rules 3 to 5): two blocks of operands of k = 65,536 opened, the ticket of their brick, the
 * signature. A test binary whose test prints figures; each piece has to hold.
 *
 *     qa/bench/bench_verify
 */
#include <stdio.h>
#include <stdlib.h>

#include "consensus/brick.h"
#include "consensus/commit.h"
#include "consensus/spend.h"
#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define K 65536
#define SEGMENTS (K / FX_DEPTH)
#define SEGMENT 77 /* the one that is opened */
#define TURNS 300

struct proof {
    int8_t *blocks; /* of one panel; both sides have the same */
    struct fx_hash root, path[SEGMENTS], seed, message;
    struct fx_test_key key;
    uint8_t signature[64];
};

static void prepare(struct proof *proof)
{
    struct fx_hash leaves[SEGMENTS];

    proof->blocks = fx_xmalloc((size_t)SEGMENTS * FX_BLOCK_BYTES);
    for (uint32_t at = 0; at < (uint32_t)SEGMENTS * FX_BLOCK_BYTES; at++)
        proof->blocks[at] = (int8_t)((int)(at * UINT32_C(2654435761) >> 16 & 0x7f) - 64);
    for (size_t l = 0; l < SEGMENTS; l++)
        fx_commit_operand_block(proof->blocks + l * FX_BLOCK_BYTES, &leaves[l]);
    fx_commit_root(leaves, SEGMENTS, &proof->root);
    fx_commit_path(leaves, SEGMENTS, SEGMENT, proof->path);
    fx_test_key(1, &proof->key);
    fx_sha256("seed", 4, proof->seed.b);
    fx_sha256("message", 7, proof->message.b);
    fx_test_sign(&proof->key, &proof->message, proof->signature);
}

static const int8_t *opened(const struct proof *proof)
{
    return proof->blocks + (size_t)SEGMENT * FX_BLOCK_BYTES;
}

static bool open_both(const struct proof *proof)
{
    bool ok = true;

    for (unsigned side = 0; side < 2; side++)
        ok = fx_commit_operand_open(opened(proof), FX_TILE, K, 0, SEGMENT, proof->path[0].b,
                                    &proof->root) &&
             ok;
    return ok;
}

static bool make_ticket(const struct proof *proof)
{
    struct fx_hash ticket;

    return fx_brick_ticket(&proof->seed, opened(proof), opened(proof), 0, 0, SEGMENT, &ticket);
}

static bool check_signature(const struct proof *proof)
{
    return fx_schnorr_verify(&proof->key.xonly, &proof->message, proof->signature);
}

/* Microseconds of the fastest turn. */
static double best_of(const struct proof *proof, bool (*piece)(const struct proof *proof))
{
    int64_t best = INT64_MAX;

    for (unsigned at = 0; at < TURNS; at++) {
        int64_t start = fx_clock_monotonic_ns(), took;

        FX_CHECK(piece(proof));
        took = fx_clock_monotonic_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best / 1e3;
}

FX_TEST(work_proof)
{
    static const struct {
        const char *name;
        bool (*piece)(const struct proof *proof);
    } pieces[] = {{"two blocks opened", open_both},
                  {"noise, product, ticket", make_ticket},
                  {"signature", check_signature}};
    struct proof proof;
    double sum = 0;

    prepare(&proof);
    printf("a work proof, SHA-256 by %s\n", fx_sha256_implementation());
    for (size_t at = 0; at < sizeof pieces / sizeof *pieces; at++) {
        double us = best_of(&proof, pieces[at].piece);

        printf("  %-24s %8.1f us\n", pieces[at].name, us);
        sum += us;
    }
    printf("  %-24s %8.1f us\n", "all", sum);
    free(proof.blocks);
}
