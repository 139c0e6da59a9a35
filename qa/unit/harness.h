/*
 * The unit test harness. A test is
 *
 *     FX_TEST(append_grows)
 *     {
 *         FX_CHECK_INT(fx_thing_length(&thing), 3);
 *     }
 *
 * in a file test_FILE.c, and registers itself under the name FILE.append_grows. The first failing
 * check ends its test (by longjmp) and is printed with file and line; the other tests still run.
 * main() is in the harness. It takes
 *
 *     --list          print the names and end
 *     --times         print each test with the seconds it took
 *     --seed N        seed of the random helpers (also env FORNAX_SEED; 1 if not given)
 *     NAME...         run only the tests whose name contains one of these
 *
 * and ends with the line "N passed, N failed, N skipped"; the exit status is 1 if one failed or
 * none was found. The environment: FORNAX_SRCDIR (root of the source tree, known from the build
 * if unset), FORNAX_VECTORS (folder of foreign test vectors, SRCDIR/../shared/vectors if unset),
 * FORNAX_ROUNDS (factor on fx_unit_rounds, 1 if unset).
 *
 * Nothing here is thread-safe: checks belong in the thread that runs the test.
 */
#ifndef FORNAX_QA_UNIT_HARNESS_H
#define FORNAX_QA_UNIT_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define FX_TEST(name)                                                 \
    static void name(void);                                           \
    __attribute__((constructor)) static void fx_unit_add_##name(void) \
    {                                                                 \
        fx_unit_add(__FILE__, #name, name);                           \
    }                                                                 \
    static void name(void)

/* The test fails unless cond holds. */
#define FX_CHECK(cond)                                     \
    do {                                                   \
        if (!(cond)) {                                     \
            fx_unit_fail(__FILE__, __LINE__, "%s", #cond); \
        }                                                  \
    } while (0)

/* Any two integers, compared as 64-bit values; enums and bools too. */
#define FX_CHECK_INT(actual, expected) \
    fx_unit_check_int(__FILE__, __LINE__, #actual, (int64_t)(actual), (int64_t)(expected))

/* n bytes of memory. */
#define FX_CHECK_MEM(actual, expected, n) \
    fx_unit_check_mem(__FILE__, __LINE__, #actual, (actual), (expected), (n))

/* Memory against a hex string, as long as the string says. */
#define FX_CHECK_HEX(actual, hex) fx_unit_check_hex(__FILE__, __LINE__, #actual, (actual), (hex))

/* Two NUL-terminated strings; null equals null only. */
#define FX_CHECK_STR(actual, expected) \
    fx_unit_check_str(__FILE__, __LINE__, #actual, (actual), (expected))

/* Ends the test as failed, with a message in the manner of printf. */
#define FX_FAIL(...) fx_unit_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Ends the test as skipped; why is printed. */
#define FX_SKIP(why) fx_unit_skip(why)

/* A JSON file of qa/data. The caller owns the reference; a file that is absent or wrong fails the
 * test. */
json_t *fx_unit_data(const char *name);

/* A JSON file of the foreign vectors. The caller owns the reference; an absent file skips the
 * test, a wrong one fails it. */
json_t *fx_unit_vector(const char *name);

/* The raw bytes of a file of the foreign vectors, with a NUL after them that *length does not
 * count. The caller frees the result; an absent file skips the test. */
uint8_t *fx_unit_vector_bytes(const char *name, size_t *length);

/* The path of a file, relative to the root of the source tree. Lives until the test ends. */
const char *fx_unit_srcpath(const char *relative);

/* Decodes hex into out and gives the number of bytes; a string that is no hex, or gives more than
 * max bytes, fails the test. */
size_t fx_unit_unhex(const char *hex, void *out, size_t max);

/* A fresh empty folder, removed with all in it when the test ends. Lives until then. */
const char *fx_unit_tmpdir(void);

/* Random numbers, the same ones for the same seed and test. The seed is printed at a failure. */
uint64_t fx_unit_rand64(void);
uint64_t fx_unit_rand_below(uint64_t limit); /* 0..limit-1, limit > 0 */
void fx_unit_rand_fill(void *out, size_t length);

/* How often a randomised test repeats: n, times FORNAX_ROUNDS. */
unsigned fx_unit_rounds(unsigned n);

/* Behind the macros. */
void fx_unit_add(const char *file, const char *name, void (*run)(void));
_Noreturn void fx_unit_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void fx_unit_skip(const char *why);
void fx_unit_check_int(const char *file, int line, const char *what, int64_t actual,
                       int64_t expected);
void fx_unit_check_mem(const char *file, int line, const char *what, const void *actual,
                       const void *expected, size_t length);
void fx_unit_check_hex(const char *file, int line, const char *what, const void *actual,
                       const char *hex);
void fx_unit_check_str(const char *file, int line, const char *what, const char *actual,
                       const char *expected);

#endif
