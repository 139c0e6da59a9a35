/* Command lines and configuration files of fornax-miner. */
#include "src/miner/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static enum fx_options_outcome read_words(struct fx_miner_options *options,
                                          const char *const *words)
{
    char *argv[40];
    int argc = 0, kept = dup(2), quiet;
    enum fx_options_outcome outcome;
    FILE *null = fopen("/dev/null", "w");

    argv[argc++] = fx_xstrdup("fornax-miner");
    for (; words[argc - 1] && argc < (int)(sizeof argv / sizeof argv[0]); argc++)
        argv[argc] = fx_xstrdup(words[argc - 1]);
    fflush(stderr);
    quiet = null ? fileno(null) : 2;
    dup2(quiet, 2);
    outcome = fx_miner_options_read(options, argc, argv);
    dup2(kept, 2);
    close(kept);
    if (null)
        fclose(null);
    for (int at = 0; at < argc; at++)
        free(argv[at]);
    return outcome;
}

#define READ(options, ...) read_words(options, (const char *const[]){__VA_ARGS__, NULL})

FX_TEST(defaults)
{
    struct fx_miner_options options;

    FX_CHECK_INT(READ(&options, "-datadir=/"), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.params->kind, FX_MAIN);
    FX_CHECK_STR(options.host, "127.0.0.1");
    FX_CHECK_INT(options.port, options.params->rpc_port);
    FX_CHECK(options.password == NULL && options.wallet == NULL);
    FX_CHECK_STR(options.cookie_file, "/.cookie");
    FX_CHECK_STR(options.workdir, "/miner");
    FX_CHECK_INT(options.n_wishes, 1);
    FX_CHECK_INT(options.wishes[0].wish, FX_WISH_AUTO);
    FX_CHECK_INT(options.action, FX_ACTION_MINE);
    FX_CHECK_INT(options.api_port, 0);
    FX_CHECK_STR(options.api_bind, "127.0.0.1");
    FX_CHECK_INT(options.lane, FX_CHOOSE_AUTO);
    FX_CHECK_INT(options.burn, FX_CHOOSE_BURN_AUTO);
    FX_CHECK_INT(options.blocks_per_task, 0);
    FX_CHECK_INT(options.status_seconds, 10);
    FX_CHECK_INT(options.tasks, 0);
    FX_CHECK(!options.corrupt);
    fx_miner_options_clear(&options);
}

FX_TEST(all_of_them_in_both_forms)
{
    struct fx_miner_options options;

    FX_CHECK_INT(READ(&options, "-regtest", "--datadir", "/tmp", "--rpcconnect", "host",
                      "-rpcport=7", "--rpcuser=u", "--rpcpassword", "p", "--rpcwallet", "w",
                      "--device", "cpu:0", "--lane", "job", "--burn", "0.5", "--threads=3",
                      "--tasks", "4", "-status", "0", "--api-port", "8080", "--api-bind=::1"),
                 FX_OPTIONS_RUN);
    FX_CHECK_INT(options.params->kind, FX_REGTEST);
    FX_CHECK_STR(options.host, "host");
    FX_CHECK_INT(options.port, 7);
    FX_CHECK_STR(options.user, "u");
    FX_CHECK_STR(options.password, "p");
    FX_CHECK(options.cookie_file == NULL);
    FX_CHECK_STR(options.wallet, "w");
    FX_CHECK_INT(options.lane, FX_CHOOSE_JOB);
    FX_CHECK_INT(options.burn, FX_CHOOSE_BURN_AMOUNT);
    FX_CHECK_INT(options.burn_amount, 50000000);
    FX_CHECK_INT(options.threads, 3);
    FX_CHECK_INT(options.tasks, 4);
    FX_CHECK_INT(options.status_seconds, 0);
    FX_CHECK_INT(options.api_port, 8080);
    FX_CHECK_STR(options.api_bind, "::1");
    FX_CHECK_INT(options.n_wishes, 1);
    FX_CHECK_INT(options.wishes[0].wish, FX_WISH_ONE);
    FX_CHECK_INT(options.blocks_per_task, 1); /* of regtest */
    fx_miner_options_clear(&options);
}

FX_TEST(a_network_without_tasks_is_refused)
{
    struct fx_miner_options options;

    FX_CHECK_INT(READ(&options, "-datadir=/", "-btcregtest"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/", "-chain=btcregtest"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/", "-chain=regtest"), FX_OPTIONS_RUN);
    fx_miner_options_clear(&options);
}

FX_TEST(the_file_that_the_node_reads)
{
    static const char text[] =
        "rpcuser=me\n[regtest]\nrpcport=1234\nrpcpassword=secret\nlane=hash\n";
    static const char including[] = "includeconf=more.conf\n";
    struct fx_miner_options options;
    const char *dir = fx_unit_tmpdir();
    char *path = fx_path_join(dir, "fornax.conf"), *expected;
    char option[4096];

    FX_CHECK(fx_file_write(path, text, strlen(text), 0600));
    snprintf(option, sizeof option, "-datadir=%s", dir);
    /* The miner's own options are for the command line: in a shared file they are refused. */
    FX_CHECK_INT(READ(&options, "-regtest", option), FX_OPTIONS_USAGE);
    FX_CHECK(fx_file_write(path, text, strlen(text) - strlen("lane=hash\n"), 0600));
    FX_CHECK_INT(READ(&options, "-regtest", option), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.port, 1234);
    FX_CHECK_STR(options.user, "me");
    FX_CHECK_STR(options.password, "secret");
    expected = fx_path_join(dir, "regtest/miner");
    FX_CHECK_STR(options.workdir, expected);
    fx_miner_options_clear(&options);
    FX_CHECK_INT(READ(&options, "-regtest", option, "-conf=other"), FX_OPTIONS_USAGE);
    /* And those that it includes. */
    free(path);
    path = fx_path_join(dir, "more.conf");
    FX_CHECK(fx_file_write(path, text, strlen(text) - strlen("lane=hash\n"), 0600));
    free(path);
    path = fx_path_join(dir, "fornax.conf");
    FX_CHECK(fx_file_write(path, including, strlen(including), 0600));
    FX_CHECK_INT(READ(&options, "-regtest", option), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.port, 1234);
    FX_CHECK_STR(options.password, "secret");
    fx_miner_options_clear(&options);
    free(expected);
    free(path);
}

FX_TEST(wrong_ones)
{
    struct fx_miner_options options;

    FX_CHECK_INT(READ(&options, "--nothing"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/nonexistent"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "word"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/", "--api-port=1", "--api-bind=localhost"),
                 FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/", "--api-port=1", "--api-bind="), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-datadir=/", "--api-bind=::1"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--lane"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--lane", "both"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--burn", "-1"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--burn", "much"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--device", "abacus"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--device", "cpu,abacus"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--benchmark", "--selftest"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--benchmark-seconds", "0"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--api-port", "65536"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--threads", "x"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--rpcport", "0"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--rpcuser", "u"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-chain=mars"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "-regtest", "-test"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--corrupt"), FX_OPTIONS_USAGE);
    FX_CHECK_INT(READ(&options, "--corrupt", "-regtest"), FX_OPTIONS_RUN);
    FX_CHECK(options.corrupt);
    fx_miner_options_clear(&options);
}

FX_TEST(what_to_do_instead_of_mining)
{
    struct fx_miner_options options;

    FX_CHECK_INT(READ(&options, "--list-devices"), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.action, FX_ACTION_LIST_DEVICES);
    fx_miner_options_clear(&options);
    FX_CHECK_INT(READ(&options, "--benchmark", "--benchmark-seconds=3"), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.action, FX_ACTION_BENCHMARK);
    FX_CHECK_INT(options.benchmark_seconds, 3);
    fx_miner_options_clear(&options);
    FX_CHECK_INT(READ(&options, "--selftest"), FX_OPTIONS_RUN);
    FX_CHECK_INT(options.action, FX_ACTION_SELFTEST);
    fx_miner_options_clear(&options);
}

FX_TEST(lists_of_devices)
{
    static const char *const wrong[] = {
        "",   ",",   "cpu,",  ",cpu",  "cpu:",   "cpu:-1", "cpu:1x", "cpu:99999999999",
        ":0", "CPU", "cpu 0", "all:0", "auto:1", "cpu:0:0"};
    char error[FX_KERNEL_TEXT], many[5 * (FX_WISHES_MAX + 1)] = "cpu";
    struct fx_device_wish *wishes;
    size_t n;

    FX_CHECK(fx_miner_devices_parse("cpu:12,all,cuda,auto", &wishes, &n, error));
    FX_CHECK_INT(n, 4);
    FX_CHECK_INT(wishes[0].wish, FX_WISH_ONE);
    FX_CHECK(wishes[0].backend == &fx_backend_cpu);
    FX_CHECK_INT(wishes[0].index, 12);
    FX_CHECK_INT(wishes[1].wish, FX_WISH_ALL);
    FX_CHECK_INT(wishes[2].wish, FX_WISH_KIND);
    FX_CHECK(wishes[2].backend == &fx_backend_cuda);
    FX_CHECK_INT(wishes[3].wish, FX_WISH_AUTO);
    free(wishes);
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        error[0] = 0;
        FX_CHECK(!fx_miner_devices_parse(wrong[at], &wishes, &n, error));
        FX_CHECK(strstr(error, "--list-devices") != NULL);
    }
    for (size_t at = 1; at < FX_WISHES_MAX; at++)
        memcpy(many + strlen(many), ",cpu", sizeof ",cpu");
    FX_CHECK(fx_miner_devices_parse(many, &wishes, &n, error));
    FX_CHECK_INT(n, FX_WISHES_MAX);
    free(wishes);
    memcpy(many + strlen(many), ",cpu", sizeof ",cpu");
    FX_CHECK(!fx_miner_devices_parse(many, &wishes, &n, error));
}
