/* An HTTP request that carries one call or a batch, while it is being answered. */
#ifndef FX_RPC_DISPATCH_INT_H
#define FX_RPC_DISPATCH_INT_H

#include "src/rpc/rpc_int.h"

struct fx_rpc_session {
    struct fx_rpc *rpc;
    struct fx_rpc_session *next;
    struct evhttp_request *req;
    json_t *request; /* one, or an array of them */
    json_t *answer;  /* likewise */
    bool batch;
    size_t at; /* the call under way */
    char *wallet;
    struct fx_rpc_call call;
    struct event *timer;
    /* of the call under way, and then of the last one */
    int version; /* of JSON-RPC: 1, 2 */
    bool has_id, failed;
    json_t *id; /* view of request */
    int last_code;
};

#endif
