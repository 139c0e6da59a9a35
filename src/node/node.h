/* The node as a whole: makes every module, in order, and ends them in the opposite one. */
#ifndef FX_NODE_NODE_H
#define FX_NODE_NODE_H

#include "src/node/options.h"

struct fx_node; /* opaque */

/* Makes everything up to answering peers and RPC. NULL: *error is one sentence, the caller's to
 * free. */
struct fx_node *fx_node_create(const struct fx_options *options, char **error);
/* Runs until SIGINT, SIGTERM, the stop command, or a failure that the node cannot live with. True
 * for a clean end. */
bool fx_node_run(struct fx_node *node);
void fx_node_destroy(struct fx_node *node); /* NULL: nothing */

#endif
