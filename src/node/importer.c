/* Drives fx_import from the event loop. */
#include "src/node/importer.h"

#include <stdlib.h>

#include <event2/event.h>

#include "src/chain/chain.h"
#include "src/util/mem.h"

#define SLICE_MS 50

struct fx_importer {
    struct fx_import *import;
    struct event *next;
    void (*done)(void *ctx, bool ok);
    void *ctx;
};

static void again(struct fx_importer *importer)
{
    static const struct timeval now;

    /* A timer, even of no time, lets the loop look at its sockets first. */
    event_add(importer->next, &now);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct fx_importer *importer = arg;

    (void)fd;
    (void)what;
    switch (fx_import_step(importer->import, SLICE_MS)) {
    case FX_IMPORT_MORE:
        again(importer);
        break;
    case FX_IMPORT_DONE:
        importer->done(importer->ctx, true);
        break;
    case FX_IMPORT_FAILED:
        importer->done(importer->ctx, false);
        break;
    }
}

struct fx_importer *fx_importer_create(struct event_base *base, struct fx_chain *chain,
                                       const char *const *files, size_t n, char **error)
{
    struct fx_importer *importer = fx_xcalloc(1, sizeof *importer);

    importer->import = fx_import_create(chain, files, n, error);
    importer->next = event_new(base, -1, 0, on_next, importer);
    if (importer->import && importer->next)
        return importer;
    if (importer->import)
        *error = fx_xstrdup("the event loop cannot be set up");
    fx_importer_destroy(importer);
    return NULL;
}

void fx_importer_start(struct fx_importer *importer, void (*done)(void *ctx, bool ok), void *ctx)
{
    importer->done = done;
    importer->ctx = ctx;
    again(importer);
}

void fx_importer_destroy(struct fx_importer *importer)
{
    if (!importer)
        return;
    if (importer->next)
        event_free(importer->next);
    fx_import_destroy(importer->import);
    free(importer);
}
