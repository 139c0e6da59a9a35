/* A chain, uploads and a job that exist only for the tests of the server. */
#ifndef FX_QA_UNIT_RPC_FAKES_H
#define FX_QA_UNIT_RPC_FAKES_H

#include "src/iface/jobs.h"
#include "src/rpc/rpc_int.h"

#define FX_FAKE_BLOCKS 3

struct fx_fakes {
    struct fx_index blocks[FX_FAKE_BLOCKS]; /* of regtest, from genesis on */
    /* uploads */
    uint64_t received, total;
    bool full;
    /* the one job, id 0x11..: entries are row * columns + column */
    bool result_here;
    uint32_t rows, columns;
    uint32_t rows_read;
    /* coins that are left to walk, each of 5 embers, to the script OP_1 */
    uint64_t coins;
    bool coins_fail; /* at their end */
};

extern struct fx_fakes fx_fakes;

void fx_fakes_reset(void);
/* A server without a socket, for calls made directly; the caller destroys with fx_fake_rpc_clear.
 */
void fx_fake_rpc_init(struct fx_rpc *rpc);
void fx_fake_rpc_clear(struct fx_rpc *rpc);

#endif
