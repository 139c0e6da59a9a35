/* Which devices -device stands for on this machine, and what --selftest says of them. */
#include "src/miner/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/miner/benchmark.h"
#include "src/miner/crew.h"
#include "src/miner/selftest.h"

/* The names, with commas between them; what is wrong, in <>. */
static void check_chosen(const char *text, const char *expected)
{
    struct fx_miner_options options = {0};
    struct fx_device_choice *list;
    char error[FX_KERNEL_TEXT], names[4096] = "";
    size_t n;

    FX_CHECK(fx_miner_devices_parse(text, &options.wishes, &options.n_wishes, error));
    if (!fx_miner_devices_choose(&options, &list, &n, error))
        snprintf(names, sizeof names, "<%s>", error);
    for (size_t at = 0; at < n; at++) {
        size_t length = strlen(names);

        snprintf(names + length, sizeof names - length, "%s%s", at ? "," : "", list[at].name);
    }
    FX_CHECK_STR(names, expected);
    free(list);
    free(options.wishes);
}

FX_TEST(those_that_are_asked_for)
{
    check_chosen("cpu", "cpu:0");
    check_chosen("cpu:0", "cpu:0");
    check_chosen("cpu,cpu:0,cpu", "cpu:0"); /* each once */
    check_chosen("cpu:1", "cpu:1");         /* opening says that it is not there */
    check_chosen("cuda:3,cpu", "cuda:3,cpu:0");
}

FX_TEST(those_that_are_usable)
{
    struct fx_device_info found[16];
    struct fx_device_choice *list;
    struct fx_miner_options options = {0};
    char error[FX_KERNEL_TEXT];
    size_t n, cuda = fx_backend_cuda.list(found, 16);

    FX_CHECK(fx_miner_devices_parse("all", &options.wishes, &options.n_wishes, error));
    FX_CHECK(fx_miner_devices_choose(&options, &list, &n, error));
    FX_CHECK(n >= 1);
    FX_CHECK_STR(list[0].name, "cpu:0");
    FX_CHECK(list[0].model[0] != 0);
    free(list);
    free(options.wishes);
    if (cuda > 1 || found[0].usable)
        FX_SKIP("this machine has a CUDA device");
    /* The reason is the backend's. */
    FX_CHECK(fx_miner_devices_parse("cuda", &options.wishes, &options.n_wishes, error));
    FX_CHECK(!fx_miner_devices_choose(&options, &list, &n, error));
    FX_CHECK(strncmp(error, "cuda: ", 6) == 0 && strstr(error, found[0].why) != NULL);
    FX_CHECK(list == NULL && n == 0);
    free(options.wishes);
}

static bool wrong_hash(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                       uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                       uint64_t *tried)
{
    bool found = fx_backend_cpu.hash(device, header, target, first, count, cancel, nonce, tried);

    ++*nonce;
    return found;
}

static const struct fx_kernel_sink *real_sink;
static unsigned wrong_bit; /* of which answer; 0: none, 1: tiles, 2: tickets */

static bool wrong_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    int32_t copy[FX_TILE * FX_TILE];

    (void)ctx;
    memcpy(copy, data, sizeof copy);
    copy[FX_TILE * FX_TILE - 1] ^= wrong_bit == 1;
    return real_sink->tile(real_sink->ctx, tile, copy);
}

static bool wrong_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    uint8_t copy[32];

    (void)ctx;
    memcpy(copy, ticket, sizeof copy);
    copy[31] ^= wrong_bit == 2;
    return real_sink->ticket(real_sink->ctx, i, j, l, copy);
}

static enum fx_kernel_step wrong_step(struct fx_session *session,
                                      const struct fx_kernel_header *header, unsigned budget_ms,
                                      const atomic_bool *cancel, const struct fx_kernel_sink *sink,
                                      char error[FX_KERNEL_TEXT])
{
    const struct fx_kernel_sink between = {NULL, wrong_ticket, wrong_tile};

    real_sink = sink;
    return fx_backend_cpu.step(session, header, budget_ms, cancel, &between, error);
}

/* Half a number is none, and half a test has not passed. */
FX_TEST(interrupted)
{
    const atomic_bool stop = true;
    struct fx_miner_options options = {.benchmark_seconds = 3600};
    char error[FX_KERNEL_TEXT];

    FX_CHECK(fx_miner_devices_parse("cpu", &options.wishes, &options.n_wishes, error));
    FX_CHECK_INT(fx_miner_benchmark(&options, &stop), FX_EXIT_ERROR);
    FX_CHECK_INT(fx_miner_selftest(&options, &stop), FX_EXIT_ERROR);
    free(options.wishes);
}

FX_TEST(a_selftest_finds_what_is_wrong)
{
    struct fx_backend broken = fx_backend_cpu;
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device = fx_backend_cpu.open(0, error);

    FX_CHECK(device != NULL);
    FX_CHECK(fx_miner_selftest_device(&fx_backend_cpu, device, error));
    broken.hash = wrong_hash;
    FX_CHECK(!fx_miner_selftest_device(&broken, device, error));
    FX_CHECK_STR(error, "it finds another nonce than the one that wins");
    broken = fx_backend_cpu;
    broken.step = wrong_step;
    wrong_bit = 0;
    FX_CHECK(fx_miner_selftest_device(&broken, device, error));
    wrong_bit = 1;
    FX_CHECK(!fx_miner_selftest_device(&broken, device, error));
    FX_CHECK_STR(error, "a tile of the product is wrong");
    wrong_bit = 2;
    FX_CHECK(!fx_miner_selftest_device(&broken, device, error));
    FX_CHECK_STR(error, "tickets are wrong");
    fx_backend_cpu.close(device);
}
