/* Runs the unit tests of a binary and counts them. */
#include "qa/unit/harness.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_TESTS 4096
#define MAX_NAME 160
#define MAX_SCRATCH 64

enum outcome {
    OUTCOME_PASSED,
    OUTCOME_FAILED,
    OUTCOME_SKIPPED,
};

struct unit_test {
    char name[MAX_NAME];
    void (*run)(void);
};

static struct unit_test tests[MAX_TESTS];
static size_t test_count;

static struct unit_test *current;
static jmp_buf leave;
static uint64_t seed = 1;
static uint64_t rand_state;
static bool rand_used;

/* Strings and folders that live until the running test ends. */
static char *scratch[MAX_SCRATCH];
static bool scratch_is_folder[MAX_SCRATCH];
static size_t scratch_count;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "harness: %s\n", what);
    exit(2);
}

void fx_unit_add(const char *file, const char *name, void (*run)(void))
{
    const char *base = strrchr(file, '/');
    struct unit_test *test;
    int length;

    base = base != NULL ? base + 1 : file;
    if (strncmp(base, "test_", 5) == 0) {
        base += 5;
    }
    if (test_count == MAX_TESTS) {
        die("too many tests");
    }
    test = &tests[test_count++];
    length =
        snprintf(test->name, sizeof(test->name), "%.*s.%s", (int)strcspn(base, "."), base, name);
    if (length < 0 || (size_t)length >= sizeof(test->name)) {
        die("the name of a test is too long");
    }
    test->run = run;
}

/* ---- checks ---- */

void fx_unit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    printf("FAILED %s\n  %s:%d: ", current->name, file, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    if (rand_used) {
        printf("\n  with --seed %" PRIu64, seed);
    }
    printf("\n");
    longjmp(leave, OUTCOME_FAILED);
}

void fx_unit_skip(const char *why)
{
    printf("skipped %s: %s\n", current->name, why);
    longjmp(leave, OUTCOME_SKIPPED);
}

void fx_unit_check_int(const char *file, int line, const char *what, int64_t actual,
                       int64_t expected)
{
    if (actual != expected) {
        fx_unit_fail(file, line,
                     "%s is %" PRId64 " (0x%" PRIx64 "), expected %" PRId64 " (0x%" PRIx64 ")",
                     what, actual, (uint64_t)actual, expected, (uint64_t)expected);
    }
}

void fx_unit_check_mem(const char *file, int line, const char *what, const void *actual,
                       const void *expected, size_t length)
{
    const uint8_t *a = actual;
    const uint8_t *e = expected;
    size_t at = 0;
    size_t from, i;
    char actual_hex[2 * 32 + 1] = "";
    char expected_hex[2 * 32 + 1] = "";

    while (at < length && a[at] == e[at]) {
        at++;
    }
    if (at == length) {
        return;
    }
    from = at - at % 32;
    for (i = from; i < length && i < from + 32; i++) {
        snprintf(actual_hex + 2 * (i - from), 3, "%02x", a[i]);
        snprintf(expected_hex + 2 * (i - from), 3, "%02x", e[i]);
    }
    fx_unit_fail(file, line,
                 "%s differs at byte %zu of %zu; from byte %zu:\n    is       %s\n    expected %s",
                 what, at, length, from, actual_hex, expected_hex);
}

void fx_unit_check_hex(const char *file, int line, const char *what, const void *actual,
                       const char *hex)
{
    size_t length = strlen(hex) / 2;
    uint8_t *expected = malloc(length + 1);

    if (expected == NULL) {
        die("out of memory");
    }
    fx_unit_unhex(hex, expected, length);
    if (memcmp(actual, expected, length) == 0) {
        free(expected);
        return;
    }
    fx_unit_check_mem(file, line, what, actual, expected, length);
}

void fx_unit_check_str(const char *file, int line, const char *what, const char *actual,
                       const char *expected)
{
    if (actual == NULL && expected == NULL) {
        return;
    }
    if (actual == NULL || expected == NULL || strcmp(actual, expected) != 0) {
        fx_unit_fail(file, line, "%s is %s%s%s, expected %s%s%s", what, actual ? "\"" : "",
                     actual ? actual : "null", actual ? "\"" : "", expected ? "\"" : "",
                     expected ? expected : "null", expected ? "\"" : "");
    }
}

/* ---- files ---- */

static char *scratch_add(char *text, bool is_folder)
{
    if (text == NULL) {
        die("out of memory");
    }
    if (scratch_count == MAX_SCRATCH) {
        die("a test uses too many paths");
    }
    scratch[scratch_count] = text;
    scratch_is_folder[scratch_count] = is_folder;
    scratch_count++;
    return text;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static void scratch_clear(void)
{
    while (scratch_count > 0) {
        scratch_count--;
        if (scratch_is_folder[scratch_count] &&
            nftw(scratch[scratch_count], remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
            fprintf(stderr, "harness: cannot remove %s: %s\n", scratch[scratch_count],
                    strerror(errno));
        }
        free(scratch[scratch_count]);
    }
}

static char *join(const char *folder, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        die("out of memory");
    }
    return scratch_add(path, false);
}

static const char *srcdir(void)
{
    const char *dir = getenv("FORNAX_SRCDIR");

    return dir != NULL && *dir != '\0' ? dir : FORNAX_BUILT_FROM;
}

static const char *vector_path(const char *name)
{
    const char *dir = getenv("FORNAX_VECTORS");
    const char *path;

    if (dir == NULL || *dir == '\0') {
        dir = join(srcdir(), "../shared/vectors");
    }
    path = join(dir, name);
    if (access(path, R_OK) != 0) {
        char why[MAX_NAME];

        snprintf(why, sizeof(why), "no vectors %s (set FORNAX_VECTORS)", name);
        fx_unit_skip(why);
    }
    return path;
}

static json_t *load_json(const char *path)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (json == NULL) {
        fx_unit_fail(path, error.line, "%s", error.text);
    }
    return json;
}

const char *fx_unit_srcpath(const char *relative)
{
    return join(srcdir(), relative);
}

json_t *fx_unit_data(const char *name)
{
    return load_json(join(fx_unit_srcpath("qa/data"), name));
}

json_t *fx_unit_vector(const char *name)
{
    return load_json(vector_path(name));
}

uint8_t *fx_unit_vector_bytes(const char *name, size_t *length)
{
    const char *path = vector_path(name);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t size = 0;
    size_t got;

    *length = 0;
    if (file == NULL) {
        fx_unit_fail(path, 0, "%s", strerror(errno));
    }
    do {
        size += 1 << 20;
        bytes = realloc(bytes, size + 1);
        if (bytes == NULL) {
            die("out of memory");
        }
        got = fread(bytes + *length, 1, size - *length, file);
        *length += got;
    } while (*length == size);
    if (ferror(file)) {
        fclose(file);
        free(bytes);
        fx_unit_fail(path, 0, "cannot be read");
    }
    fclose(file);
    bytes[*length] = 0;
    return bytes;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

size_t fx_unit_unhex(const char *hex, void *out, size_t max)
{
    size_t length = strlen(hex);
    size_t i;

    if (length % 2 != 0 || length / 2 > max) {
        fx_unit_fail(__FILE__, __LINE__, "%zu hex digits where up to %zu bytes are wanted", length,
                     max);
    }
    for (i = 0; i < length / 2; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0) {
            fx_unit_fail(__FILE__, __LINE__, "no hex: %s", hex);
        }
        ((uint8_t *)out)[i] = (uint8_t)(high << 4 | low);
    }
    return length / 2;
}

const char *fx_unit_tmpdir(void)
{
    const char *base = getenv("TMPDIR");
    char *path;

    if (asprintf(&path, "%s/fornax-unit-XXXXXX", base != NULL && *base ? base : "/tmp") < 0) {
        die("out of memory");
    }
    if (mkdtemp(path) == NULL) {
        fx_unit_fail(__FILE__, __LINE__, "cannot make %s: %s", path, strerror(errno));
    }
    return scratch_add(path, true);
}

/* ---- random numbers: splitmix64, seeded for each test by its name ---- */

uint64_t fx_unit_rand64(void)
{
    uint64_t z;

    rand_used = true;
    z = (rand_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t fx_unit_rand_below(uint64_t limit)
{
    FX_CHECK(limit > 0);
    return fx_unit_rand64() % limit;
}

void fx_unit_rand_fill(void *out, size_t length)
{
    uint8_t *bytes = out;
    size_t i;

    for (i = 0; i < length; i++) {
        bytes[i] = (uint8_t)fx_unit_rand64();
    }
}

unsigned fx_unit_rounds(unsigned n)
{
    const char *text = getenv("FORNAX_ROUNDS");
    unsigned long factor = text != NULL ? strtoul(text, NULL, 10) : 1;

    if (factor < 1 || factor > 1000000) {
        factor = 1;
    }
    return n > UINT32_MAX / factor ? UINT32_MAX : n * (unsigned)factor;
}

static void rand_start(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    rand_state = hash ^ (seed * UINT64_C(0x9e3779b97f4a7c15));
    rand_used = false;
}

/* ---- running ---- */

static void crashed(int number)
{
    static const char text[] = "CRASHED in ";
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);

    if (current != NULL) {
        ignored += write(STDOUT_FILENO, current->name, strlen(current->name));
    }
    ignored += write(STDOUT_FILENO, "\n", 1);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

static enum outcome run_test(struct unit_test *test)
{
    int jumped;

    current = test;
    rand_start(test->name);
    jumped = setjmp(leave);
    if (jumped == 0) {
        test->run();
    }
    scratch_clear();
    current = NULL;
    return (enum outcome)jumped;
}

static bool wanted(const char *name, char **filters, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strstr(name, filters[i]) != NULL) {
            return true;
        }
    }
    return count == 0;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"passed", "FAILED", "skipped"};
    unsigned counts[3] = {0, 0, 0};
    const char *seed_text = getenv("FORNAX_SEED");
    bool list = false;
    bool times = false;
    int arg;
    size_t i;

    for (arg = 1; arg < argc && argv[arg][0] == '-'; arg++) {
        if (strcmp(argv[arg], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[arg], "--times") == 0) {
            times = true;
        } else if (strcmp(argv[arg], "--seed") == 0 && arg + 1 < argc) {
            seed_text = argv[++arg];
        } else {
            fprintf(stderr, "usage: %s [--list] [--times] [--seed N] [NAME...]\n", argv[0]);
            return 2;
        }
    }
    if (seed_text != NULL && *seed_text != '\0') {
        seed = strtoull(seed_text, NULL, 10);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGABRT, crashed);
#ifndef __SANITIZE_ADDRESS__ /* which reports these itself */
    signal(SIGSEGV, crashed);
    signal(SIGBUS, crashed);
    signal(SIGFPE, crashed);
#endif
    for (i = 0; i < test_count; i++) {
        double start = now();
        enum outcome outcome;

        if (!wanted(tests[i].name, argv + arg, argc - arg)) {
            continue;
        }
        if (list) {
            printf("%s\n", tests[i].name);
            counts[OUTCOME_PASSED]++;
            continue;
        }
        outcome = run_test(&tests[i]);
        counts[outcome]++;
        if (times) {
            printf("%s %s %.3f s\n", words[outcome], tests[i].name, now() - start);
        }
    }
    if (list) {
        return 0;
    }
    printf("%u passed, %u failed, %u skipped\n", counts[OUTCOME_PASSED], counts[OUTCOME_FAILED],
           counts[OUTCOME_SKIPPED]);
    if (counts[0] + counts[1] + counts[2] == 0) {
        fprintf(stderr, "%s: no such test\n", argv[0]);
        return 1;
    }
    return counts[OUTCOME_FAILED] > 0 ? 1 : 0;
}
