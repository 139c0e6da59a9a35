/* Drives fx_import from the event loop, in slices between which peers and RPC are served. */
#ifndef FX_NODE_IMPORTER_H
#define FX_NODE_IMPORTER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct fx_chain;
struct fx_importer; /* opaque */

/* files: n paths, copied. From now on the chain is importing. NULL: *error, the caller's to free.
 */
struct fx_importer *fx_importer_create(struct event_base *base, struct fx_chain *chain,
                                       const char *const *files, size_t n, char **error);
/* done is called from the loop, once, when all is imported (ok), or when the chain has failed. */
void fx_importer_start(struct fx_importer *importer, void (*done)(void *ctx, bool ok), void *ctx);
/* What is not imported by then is left for the next start. NULL: nothing. */
void fx_importer_destroy(struct fx_importer *importer);

#endif
