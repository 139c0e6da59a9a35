/* fornax-miner: mines blocks inside tasks, or in the hash lane, for the node that it is connected
 * to. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/miner/benchmark.h"
#include "src/miner/crew.h"
#include "src/miner/selftest.h"

static atomic_bool stop, finish;

/* The first signal ends the work in order, the second at once. */
static void on_signal(int number)
{
    (void)number;
    if (atomic_exchange(&stop, true))
        _exit(FX_EXIT_ERROR);
}

/* A terminal that closes may say so twice, by itself and by its shell. */
static void on_hangup(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static void on_finish(int number)
{
    (void)number;
    atomic_store(&finish, true);
}

/* As nohup does. */
static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_hangup;
    if (!is_ignored(SIGHUP))
        sigaction(SIGHUP, &action, NULL);
    action.sa_handler = on_finish;
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static int mine(const struct fx_miner_options *options)
{
    char error[FX_KERNEL_TEXT];

    if (fx_store_open(options->workdir, error))
        return fx_crew_run(options, &stop, &finish);
    fprintf(stderr, "Error: %s\n", error);
    return FX_EXIT_ERROR;
}

/* What was asked for has to arrive; the lines of a miner at work need not. */
static int printed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "Error: cannot write to standard output: %s\n", strerror(errno));
    return status == FX_EXIT_OK ? FX_EXIT_ERROR : status;
}

int main(int argc, char **argv)
{
    struct fx_miner_options options;
    int status = FX_EXIT_OK;

    catch_signals();
    switch (fx_miner_options_read(&options, argc, argv)) {
    case FX_OPTIONS_USAGE:
        return FX_EXIT_USAGE;
    case FX_OPTIONS_PRINTED:
        return printed(FX_EXIT_OK);
    case FX_OPTIONS_RUN:
        break;
    }
    switch (options.action) {
    case FX_ACTION_MINE:
        status = mine(&options);
        break;
    case FX_ACTION_LIST_DEVICES:
        fx_miner_devices_print();
        status = printed(FX_EXIT_OK);
        break;
    case FX_ACTION_BENCHMARK:
        status = printed(fx_miner_benchmark(&options, &stop));
        break;
    case FX_ACTION_SELFTEST:
        status = printed(fx_miner_selftest(&options, &stop));
        break;
    }
    fx_miner_options_clear(&options);
    return status;
}
