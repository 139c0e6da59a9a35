/* fornax-miner: mines blocks inside tasks, or in the hash lane, for the node that it is connected
 * to. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/miner/devices.h"
#include "src/miner/miner.h"

static atomic_bool stop, cancel;

/* The first signal ends the work in order, the second at once. */
static void on_signal(int number)
{
    (void)number;
    if (atomic_exchange(&stop, true))
        _exit(1);
    atomic_store(&cancel, true);
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int main(int argc, char **argv)
{
    struct fx_miner_options options;
    char error[FX_KERNEL_TEXT];
    int status = 1;

    catch_signals();
    switch (fx_miner_options_read(&options, argc, argv)) {
    case FX_OPTIONS_USAGE:
        return 2;
    case FX_OPTIONS_PRINTED:
        return 0;
    case FX_OPTIONS_RUN:
        break;
    }
    if (options.list_devices) {
        fx_miner_devices_print();
        fx_miner_options_clear(&options);
        return 0;
    }
    if (fx_store_open(options.workdir, error))
        status = fx_miner_run(&options, &stop, &cancel);
    else
        fprintf(stderr, "Error: %s\n", error);
    fx_miner_options_clear(&options);
    return status;
}
