/* Calls of the driver, and the reason why a session failed. */
#include <stdio.h>

#include "kernels/offload_int.h"

bool fx_offload_fail(struct fx_session *session, const char *why)
{
    if (!session->failed)
        snprintf(session->error, sizeof session->error, "%s", why);
    session->failed = true;
    return false;
}

bool fx_offload_ok(struct fx_session *session, bool ok)
{
    return ok || fx_offload_fail(session, session->driver->error(session->ctx));
}

bool fx_offload_run(struct fx_session *session, enum fx_offload_kernel kernel, uint64_t groups,
                    const struct fx_offload_arg *args, unsigned n_args)
{
    return groups == 0 ||
           fx_offload_ok(session, session->driver->launch(session->ctx, kernel, (uint32_t)groups,
                                                          args, n_args));
}

bool fx_offload_finish(struct fx_session *session, enum fx_offload_queue queue)
{
    return fx_offload_ok(session, session->driver->mark(session->ctx, queue, FX_MARK_OTHER)) &&
           fx_offload_ok(session, session->driver->wait(session->ctx, FX_MARK_OTHER));
}

/* Also of a session that failed: memory that a copy still reads or writes may not go. */
void fx_offload_settle(struct fx_session *session)
{
    const struct fx_offload_driver *driver = session->driver;

    for (unsigned queue = 0; queue < FX_OFFLOAD_QUEUES; queue++) {
        if (driver->mark(session->ctx, queue, FX_MARK_OTHER))
            driver->wait(session->ctx, FX_MARK_OTHER);
    }
}
