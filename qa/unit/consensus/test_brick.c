/* Bricks against qa/data/brick.json, every list of it, and properties of noise. */
#include "consensus/brick.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/u256.h"

static json_int_t number(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_integer(value));
    return json_integer_value(value);
}

static const char *text(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_string(value));
    return json_string_value(value);
}

static struct fx_hash hash_of(json_t *entry, const char *name)
{
    struct fx_hash hash;

    FX_CHECK(fx_hash_from_hex(&hash, text(entry, name)));
    return hash;
}

static void check_list(json_t *list, const int8_t *actual)
{
    size_t at;
    json_t *value;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, value)
    {
        FX_CHECK_INT(actual[at], json_integer_value(value));
    }
}

static void check_sha256(const void *data, size_t n, const char *hex)
{
    uint8_t digest[32];

    FX_CHECK_INT(strlen(hex), 64);
    fx_sha256(data, n, digest);
    FX_CHECK_HEX(digest, hex);
}

FX_TEST(noise_panels)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "noise");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        struct fx_hash seed = hash_of(entry, "seed");
        uint8_t key[32];
        int8_t panel[FX_BLOCK_BYTES];

        fx_noise_key(&seed, key);
        fx_noise_panel(key, (enum fx_side)number(entry, "side"), (uint32_t)number(entry, "panel"),
                       panel);
        check_list(json_object_get(entry, "first_row"), panel);
        check_sha256(panel, sizeof(panel), text(entry, "sha256"));
    }
    json_decref(data);
}

FX_TEST(noise_permutations)
{
    json_t *data = fx_unit_data("brick.json"), *entry, *value;
    json_t *list = json_object_get(data, "permutation");
    size_t at, c;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        struct fx_hash seed = hash_of(entry, "seed");
        uint8_t key[32], p[FX_DEPTH];
        int8_t sign[FX_DEPTH];

        fx_noise_key(&seed, key);
        fx_noise_perm(key, (enum fx_side)number(entry, "side"), (uint32_t)number(entry, "segment"),
                      p, sign);
        FX_CHECK_INT(json_array_size(json_object_get(entry, "p")), FX_DEPTH);
        FX_CHECK_INT(json_array_size(json_object_get(entry, "sign")), FX_DEPTH);
        json_array_foreach(json_object_get(entry, "p"), c, value)
        {
            FX_CHECK_INT(p[c], json_integer_value(value));
        }
        check_list(json_object_get(entry, "sign"), sign);
    }
    json_decref(data);
}

static void to_le32(const int32_t *from, size_t n, uint8_t *bytes)
{
    for (size_t at = 0; at < n; at++) {
        fx_store_u32(bytes + 4 * at, (uint32_t)from[at]);
    }
}

static void noised(const uint8_t key[32], enum fx_side side, uint32_t panel, uint32_t segment,
                   const int8_t *block, int8_t *out)
{
    int8_t noise[FX_BLOCK_BYTES], sign[FX_DEPTH];
    uint8_t p[FX_DEPTH];

    fx_noise_panel(key, side, panel, noise);
    fx_noise_perm(key, side, segment, p, sign);
    fx_noise_apply(block, noise, p, sign, out);
}

FX_TEST(bricks)
{
    json_t *data = fx_unit_data("brick.json"), *entry, *value;
    json_t *list = json_object_get(data, "brick");
    size_t at, w;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        struct fx_hash seed = hash_of(entry, "seed"), ticket;
        uint32_t i = (uint32_t)number(entry, "i"), j = (uint32_t)number(entry, "j");
        uint32_t l = (uint32_t)number(entry, "l"), words[8];
        int8_t *a = fx_test_operand(text(entry, "a_label"), FX_TILE, FX_DEPTH);
        int8_t *b = fx_test_operand(text(entry, "b_label"), FX_TILE, FX_DEPTH);
        int8_t noised_a[FX_BLOCK_BYTES], noised_b[FX_BLOCK_BYTES];
        int32_t d[FX_TILE * FX_TILE];
        uint8_t key[32], bytes[sizeof(d)];

        fx_noise_key(&seed, key);
        noised(key, FX_SIDE_A, i, l, a, noised_a);
        noised(key, FX_SIDE_B, j, l, b, noised_b);
        fx_brick_product(noised_a, noised_b, d);
        to_le32(d, FX_TILE * FX_TILE, bytes);
        check_sha256(bytes, sizeof(bytes), text(entry, "d_sha256_le32"));
        fx_brick_fold(d, words);
        FX_CHECK_INT(json_array_size(json_object_get(entry, "fold")), 8);
        json_array_foreach(json_object_get(entry, "fold"), w, value)
        {
            FX_CHECK_INT(words[w], json_integer_value(value));
        }
        fx_brick_ticket_hash(&seed, words, i, j, l, &ticket);
        FX_CHECK_HEX(ticket.b, text(entry, "ticket"));
        memset(&ticket, 0, sizeof(ticket));
        FX_CHECK(fx_brick_ticket(&seed, a, b, i, j, l, &ticket));
        FX_CHECK_HEX(ticket.b, text(entry, "ticket"));
        free(a);
        free(b);
    }
    json_decref(data);
}

static void check_product(json_t *entry)
{
    struct fx_hash seed = hash_of(entry, "seed"), zero = {{0}};
    uint32_t m = (uint32_t)number(entry, "m"), n = (uint32_t)number(entry, "n");
    uint32_t k = (uint32_t)number(entry, "k");
    struct fx_test_job job;
    struct fx_task_shape whole;
    struct fx_buf tickets = FX_BUF_INIT;
    struct fx_u256 lowest = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    uint32_t lowest_at[3] = {0, 0, 0};
    uint8_t *bytes = fx_xmalloc(4 * (size_t)m * n);
    int32_t *c;
    json_t *at_list = json_object_get(entry, "lowest_ticket_at");

    fx_test_job_init(&job, m, n, k, m / FX_TILE, n / FX_TILE, &zero);
    free(job.a);
    free(job.b);
    job.a = fx_test_operand(text(entry, "a_label"), m, k);
    job.b = fx_test_operand(text(entry, "b_transposed_label"), n, k);
    fx_kind_gemm.task_shape(job.spec.body, 0, &whole);
    c = fx_test_job_result(&job, &whole);
    to_le32(c, (size_t)m * n, bytes);
    check_sha256(bytes, 4 * (size_t)m * n, text(entry, "c_sha256_le32"));

    for (uint32_t i = 0; i < m / FX_TILE; i++) {
        for (uint32_t j = 0; j < n / FX_TILE; j++) {
            for (uint32_t l = 0; l < k / FX_DEPTH; l++) {
                int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
                struct fx_hash ticket;
                struct fx_u256 value;

                fx_test_job_block(&job, FX_SIDE_A, i, l, a);
                fx_test_job_block(&job, FX_SIDE_B, j, l, b);
                FX_CHECK(fx_brick_ticket(&seed, a, b, i, j, l, &ticket));
                fx_buf_hash(&tickets, &ticket);
                value = fx_u256_from_hash(&ticket);
                if (fx_u256_cmp(&value, &lowest) < 0) {
                    lowest = value;
                    lowest_at[0] = i;
                    lowest_at[1] = j;
                    lowest_at[2] = l;
                }
            }
        }
    }
    check_sha256(tickets.data, tickets.len, text(entry, "tickets_sha256_row_major_ijl"));
    for (size_t at = 0; at < 3; at++) {
        FX_CHECK_INT(lowest_at[at], json_integer_value(json_array_get(at_list, at)));
    }
    fx_buf_clear(&tickets);
    free(c);
    free(bytes);
    fx_test_job_clear(&job);
}

FX_TEST(products)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "product");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        check_product(entry);
    }
    json_decref(data);
}

FX_TEST(product_of_extreme_blocks)
{
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    int32_t d[FX_TILE * FX_TILE];

    memset(a, -128, sizeof(a));
    memset(b, -128, sizeof(b));
    fx_brick_product(a, b, d);
    for (size_t at = 0; at < FX_TILE * FX_TILE; at++) {
        FX_CHECK_INT(d[at], 128 * 128 * 256);
    }
    memset(b, 127, sizeof(b));
    fx_brick_product(a, b, d);
    FX_CHECK_INT(d[FX_TILE * FX_TILE - 1], -128 * 127 * 256);
}

FX_TEST(product_is_a_times_b_transposed)
{
    int8_t a[FX_BLOCK_BYTES] = {0}, b[FX_BLOCK_BYTES] = {0};
    int32_t d[FX_TILE * FX_TILE];

    a[3 * FX_DEPTH + 200] = 5;
    b[70 * FX_DEPTH + 200] = -7;
    fx_brick_product(a, b, d);
    for (size_t at = 0; at < FX_TILE * FX_TILE; at++) {
        FX_CHECK_INT(d[at], at == 3 * FX_TILE + 70 ? -35 : 0);
    }
}

FX_TEST(range)
{
    int8_t block[FX_BLOCK_BYTES], other[FX_BLOCK_BYTES] = {0};
    struct fx_hash seed = {{1}}, ticket;

    memset(block, FX_ENTRY_MIN, sizeof(block));
    FX_CHECK(fx_brick_in_range(block));
    memset(block, FX_ENTRY_MAX, sizeof(block));
    FX_CHECK(fx_brick_in_range(block));
    FX_CHECK(fx_brick_ticket(&seed, block, other, 0, 0, 0, &ticket));
    for (int value = -128; value < 128; value++) {
        block[FX_BLOCK_BYTES - 1] = (int8_t)value;
        FX_CHECK_INT(fx_brick_in_range(block), value >= FX_ENTRY_MIN && value <= FX_ENTRY_MAX);
    }
    block[FX_BLOCK_BYTES - 1] = 64;
    FX_CHECK(!fx_brick_ticket(&seed, block, other, 0, 0, 0, &ticket));
    FX_CHECK(!fx_brick_ticket(&seed, other, block, 0, 0, 0, &ticket));
}

FX_TEST(noise_of_random_seeds)
{
    for (unsigned round = 0; round < fx_unit_rounds(20); round++) {
        struct fx_hash seed;
        uint8_t key[32], p[FX_DEPTH];
        int8_t sign[FX_DEPTH];
        bool seen[FX_DEPTH] = {false};

        fx_unit_rand_fill(&seed, sizeof(seed));
        fx_noise_key(&seed, key);
        fx_noise_perm(key, FX_SIDE_B, round, p, sign);
        for (size_t c = 0; c < FX_DEPTH; c++) {
            FX_CHECK(!seen[p[c]]);
            seen[p[c]] = true;
            FX_CHECK(sign[c] == 1 || sign[c] == -1);
        }
    }
}

/* The identity by which a miner gets the product out of the noised one (protocol section 6). */
FX_TEST(noise_peels_off)
{
    enum { SEGMENTS = 2 };
    struct fx_hash seed = {{7}};
    uint8_t key[32];
    int8_t la[FX_BLOCK_BYTES], lb[FX_BLOCK_BYTES];
    int8_t *a = fx_test_operand("peel A", FX_TILE, SEGMENTS * FX_DEPTH);
    int8_t *b = fx_test_operand("peel B", FX_TILE, SEGMENTS * FX_DEPTH);
    int32_t *sum = fx_xcalloc(FX_TILE * FX_TILE, sizeof(*sum));
    int32_t *g = fx_xcalloc(FX_TILE * FX_DEPTH, sizeof(*g));
    int32_t *h = fx_xcalloc(FX_TILE * FX_DEPTH, sizeof(*h));

    fx_noise_key(&seed, key);
    fx_noise_panel(key, FX_SIDE_A, 0, la);
    fx_noise_panel(key, FX_SIDE_B, 0, lb);
    for (uint32_t l = 0; l < SEGMENTS; l++) {
        int8_t block_a[FX_BLOCK_BYTES], block_b[FX_BLOCK_BYTES];
        int8_t noised_a[FX_BLOCK_BYTES], noised_b[FX_BLOCK_BYTES];
        int8_t sign_a[FX_DEPTH], sign_b[FX_DEPTH];
        uint8_t p_a[FX_DEPTH], p_b[FX_DEPTH];
        int32_t d[FX_TILE * FX_TILE];

        for (size_t r = 0; r < FX_TILE; r++) {
            memcpy(block_a + r * FX_DEPTH, a + (r * SEGMENTS + l) * FX_DEPTH, FX_DEPTH);
            memcpy(block_b + r * FX_DEPTH, b + (r * SEGMENTS + l) * FX_DEPTH, FX_DEPTH);
        }
        noised(key, FX_SIDE_A, 0, l, block_a, noised_a);
        noised(key, FX_SIDE_B, 0, l, block_b, noised_b);
        fx_brick_product(noised_a, noised_b, d);
        for (size_t at = 0; at < FX_TILE * FX_TILE; at++) {
            sum[at] += d[at];
        }
        fx_noise_perm(key, FX_SIDE_A, l, p_a, sign_a);
        fx_noise_perm(key, FX_SIDE_B, l, p_b, sign_b);
        for (size_t r = 0; r < FX_TILE; r++) {
            for (size_t c = 0; c < FX_DEPTH; c++) {
                g[r * FX_DEPTH + p_b[c]] += block_a[r * FX_DEPTH + c] * sign_b[c];
                h[r * FX_DEPTH + p_a[c]] += noised_b[r * FX_DEPTH + c] * sign_a[c];
            }
        }
    }
    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_TILE; c++) {
            int32_t plain = 0;

            for (size_t at = 0; at < SEGMENTS * FX_DEPTH; at++) {
                plain += a[r * SEGMENTS * FX_DEPTH + at] * b[c * SEGMENTS * FX_DEPTH + at];
            }
            for (size_t at = 0; at < FX_DEPTH; at++) {
                sum[r * FX_TILE + c] -= g[r * FX_DEPTH + at] * lb[c * FX_DEPTH + at] +
                                        la[r * FX_DEPTH + at] * h[c * FX_DEPTH + at];
            }
            FX_CHECK_INT(sum[r * FX_TILE + c], plain);
        }
    }
    free(a);
    free(b);
    free(sum);
    free(g);
    free(h);
}
