/* The hash map against a model that searches a plain array. */
#include "src/util/map.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

#define MODEL_KEYS 600

static int values[MODEL_KEYS]; /* their addresses are the values */

static void make_key(uint8_t *key, size_t len, unsigned number)
{
    for (size_t i = 0; i < len; i++)
        key[i] = (uint8_t)(number >> (8 * (i % 2)));
}

/* Every key of the model is found, no other is, and iteration meets each once. */
static void check_equal(const struct fx_map *map, void *const model[MODEL_KEYS], size_t len)
{
    uint8_t key[64];
    size_t count = 0, met = 0, at = 0;
    bool seen[MODEL_KEYS] = {false};
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        make_key(key, len, i);
        FX_CHECK(fx_map_get(map, key) == model[i]);
        count += model[i] != NULL;
    }
    FX_CHECK_INT(fx_map_count(map), count);
    const void *k;
    void *value;
    while (fx_map_next(map, &at, &k, &value)) {
        const uint8_t *b = k;
        const unsigned number = b[0] | (unsigned)b[1] << 8;
        FX_CHECK(number < MODEL_KEYS);
        FX_CHECK(model[number] == value);
        FX_CHECK(!seen[number]);
        seen[number] = true;
        met++;
    }
    FX_CHECK_INT(met, count);
}

static void run_against_model(size_t len, unsigned keys, unsigned rounds)
{
    void *model[MODEL_KEYS] = {NULL};
    struct fx_map *map = fx_map_create(len, fx_unit_rand64(), fx_unit_rand64());
    for (unsigned round = 0; round < rounds; round++) {
        const unsigned i = (unsigned)fx_unit_rand_below(keys);
        uint8_t key[64];
        make_key(key, len, i);
        /* Phases of growing and of shrinking. */
        const bool put = fx_unit_rand_below(10) < (round / 1000 % 2 ? 3u : 7u);
        if (put) {
            void *value = &values[fx_unit_rand_below(MODEL_KEYS)];
            FX_CHECK(fx_map_put(map, key, value) == model[i]);
            model[i] = value;
        } else {
            FX_CHECK(fx_map_remove(map, key) == model[i]);
            model[i] = NULL;
        }
        if (round % 97 == 0)
            check_equal(map, model, len);
        if (round % 4999 == 4998) {
            fx_map_clear(map, NULL);
            memset(model, 0, sizeof model);
        }
    }
    check_equal(map, model, len);
    fx_map_destroy(map, NULL);
}

FX_TEST(random_operations)
{
    run_against_model(32, MODEL_KEYS, fx_unit_rounds(20000));
}

FX_TEST(random_operations_on_few_keys)
{
    /* The table stays small and full of marks. */
    run_against_model(36, 12, fx_unit_rounds(20000));
}

FX_TEST(random_operations_by_key_length)
{
    for (size_t len = 2; len <= 64; len++)
        run_against_model(len, MODEL_KEYS, fx_unit_rounds(300));
}

FX_TEST(one_byte_keys)
{
    struct fx_map *map = fx_map_create(1, 1, 2);
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t key = (uint8_t)i;
        FX_CHECK(!fx_map_put(map, &key, &values[i]));
    }
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t key = (uint8_t)i;
        FX_CHECK(fx_map_get(map, &key) == &values[i]);
    }
    FX_CHECK_INT(fx_map_count(map), 256);
    fx_map_destroy(map, NULL);
}

FX_TEST(empty)
{
    struct fx_map *map = fx_map_create(4, 1, 2);
    size_t at = 0;
    FX_CHECK_INT(fx_map_count(map), 0);
    FX_CHECK(!fx_map_get(map, "abcd"));
    FX_CHECK(!fx_map_remove(map, "abcd"));
    FX_CHECK(!fx_map_next(map, &at, NULL, NULL));
    fx_map_clear(map, free);
    fx_map_destroy(map, free);
    fx_map_destroy(NULL, free);
}

FX_TEST(removal_during_iteration)
{
    for (unsigned keep = 1; keep <= 5; keep++) {
        struct fx_map *map = fx_map_create(4, keep, 9);
        uint8_t key[4];
        for (unsigned i = 0; i < MODEL_KEYS; i++) {
            make_key(key, 4, i);
            fx_map_put(map, key, &values[i]);
        }
        unsigned met = 0, left = 0;
        size_t at = 0;
        const void *k;
        void *value;
        while (fx_map_next(map, &at, &k, &value)) {
            memcpy(key, k, 4);
            if (met++ % 5 >= keep)
                FX_CHECK(fx_map_remove(map, key) == value);
            else
                left++;
        }
        FX_CHECK_INT(met, MODEL_KEYS);
        FX_CHECK_INT(fx_map_count(map), left);
        met = 0;
        for (at = 0; fx_map_next(map, &at, NULL, &value); met++) {
            make_key(key, 4, (unsigned)((int *)value - values));
            FX_CHECK(fx_map_get(map, key) == value);
        }
        FX_CHECK_INT(met, left);
        fx_map_destroy(map, NULL);
    }
}

static unsigned freed;

static void free_counting(void *value)
{
    freed++;
    free(value);
}

FX_TEST(values_are_handed_to_free)
{
    struct fx_map *map = fx_map_create(8, 3, 4);
    freed = 0;
    for (uint64_t i = 0; i < 1000; i++)
        fx_map_put(map, &i, malloc(8));
    for (uint64_t i = 0; i < 1000; i += 2)
        free(fx_map_remove(map, &i));
    fx_map_clear(map, free_counting);
    FX_CHECK_INT(freed, 500);
    FX_CHECK_INT(fx_map_count(map), 0);
    for (uint64_t i = 0; i < 10; i++)
        fx_map_put(map, &i, malloc(8));
    fx_map_destroy(map, free_counting);
    FX_CHECK_INT(freed, 510);
}

FX_TEST(many_entries)
{
    const uint64_t n = 100000;
    struct fx_map *map = fx_map_create(8, 5, 6);
    for (uint64_t i = 0; i < n; i++)
        FX_CHECK(!fx_map_put(map, &i, &values[i % MODEL_KEYS]));
    for (uint64_t i = 0; i < 2 * n; i++)
        FX_CHECK(fx_map_get(map, &i) == (i < n ? &values[i % MODEL_KEYS] : NULL));
    fx_map_destroy(map, NULL);
}
