/* What every backend must pass that works through kernels/offload.h: bit by bit against
 * qa/data/brick.json and the rules of consensus, and what the interface promises of a session. */
#ifndef FX_QA_UNIT_KERNELS_SUITE_H
#define FX_QA_UNIT_KERNELS_SUITE_H

#include "kernels/kernel.h"

struct fx_suite {
    const struct fx_backend *backend;
    struct fx_device *device;
};

/* Each fails the test that calls it, or returns. */
void fx_suite_vectors(const struct fx_suite *suite);
void fx_suite_random(const struct fx_suite *suite, unsigned rounds);
void fx_suite_extremes(const struct fx_suite *suite);
/* One tile, as deep as a task may be, with all entries -64: gathered sums grow as far as they can.
 */
void fx_suite_deepest(const struct fx_suite *suite);
void fx_suite_out_of_range(const struct fx_suite *suite);
void fx_suite_header_changes(const struct fx_suite *suite);
/* Tickets that the sink of one header did not take are nothing to the next. */
void fx_suite_left_tickets(const struct fx_suite *suite);
void fx_suite_mining(const struct fx_suite *suite);
/* The product first, then the same bricks once more under a newer header, for tickets alone. */
void fx_suite_mining_after_product(const struct fx_suite *suite);
void fx_suite_done_tiles(const struct fx_suite *suite);
void fx_suite_restart(const struct fx_suite *suite);
void fx_suite_stopping_sink(const struct fx_suite *suite);
void fx_suite_unreadable(const struct fx_suite *suite);
void fx_suite_no_tasks(const struct fx_suite *suite);
/* Cancelled again and again in the middle, under a new header each time: no brick is lost or
 * computed twice. */
void fx_suite_tip_moves(const struct fx_suite *suite);
void fx_suite_cancel(const struct fx_suite *suite);
void fx_suite_nonces(const struct fx_suite *suite);

#endif
