/* fornaxd: reads options, runs the node, says how it ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/node/daemon.h"
#include "src/node/node.h"
#include "src/sys/log.h"

int main(int argc, char **argv)
{
    struct fx_options options;
    struct fx_node *node;
    char *error = NULL;
    int daemon = -1;
    bool clean;

    switch (fx_options_read(&options, argc, argv)) {
    case FX_OPTIONS_HELP:
        return EXIT_SUCCESS;
    case FX_OPTIONS_WRONG:
        return EXIT_FAILURE;
    case FX_OPTIONS_RUN:
        break;
    }
    if (options.daemon && (daemon = fx_daemon_start()) < 0) {
        fprintf(stderr, "Error: cannot go to the background: %s\n", strerror(errno));
        fx_options_clear(&options);
        return EXIT_FAILURE;
    }
    node = fx_node_create(&options, &error);
    if (!node) {
        fprintf(stderr, "%s%s\n", error[0] == ':' ? "" : "Error: ", error);
        free(error);
        fx_options_clear(&options);
        return EXIT_FAILURE;
    }
    if (options.daemon)
        fx_daemon_ready(daemon);
    clean = fx_node_run(node);
    fx_node_destroy(node);
    fx_options_clear(&options);
    return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
