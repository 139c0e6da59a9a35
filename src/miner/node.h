/*
 * The node that the miner works for: its RPC calls and its store of operands and results, as
 * plain structs. A connection of its own; not for use by two threads at once.
 */
#ifndef FX_MINER_NODE_H
#define FX_MINER_NODE_H

#include <jansson.h>

#include "consensus/kinds/kind.h"
#include "src/miner/options.h"
#include "src/rpcclient/rpcclient.h"
#include "src/util/hash.h"

#define FX_ORIGIN_TEXT 80 /* "txid:vout" and zero */

enum fx_miner_node_status {
    FX_NODE_OK = 0,
    FX_NODE_REFUSED, /* it understood, and said no: code and text are its own */
    FX_NODE_DOWN,    /* not running, starting, or out of reach: worth another try */
    FX_NODE_AUTH,    /* it does not know the cookie or password */
    FX_NODE_ODD      /* an answer that makes no sense */
};

/* Codes: the node knows no such task; it has no such wallet, or several and none was named. */
#define FX_NODE_NO_TASK (-5)
#define FX_NODE_NO_WALLET (-18)
#define FX_NODE_WHICH_WALLET (-19)

struct fx_miner_node {
    struct fx_rpc_client *client; /* owned */
    int code;                     /* after FX_NODE_REFUSED */
    char text[300];               /* after anything but FX_NODE_OK: one sentence */
};

enum fx_miner_task_status {
    FX_MINER_TASK_PENDING = 0,
    FX_MINER_TASK_OPEN,
    FX_MINER_TASK_CLAIMED,
    FX_MINER_TASK_SETTLED,
    FX_MINER_TASK_REFUNDED
};

struct fx_miner_task {
    char origin[FX_ORIGIN_TEXT];
    enum fx_miner_task_status status;
    uint8_t kind;
    struct fx_task_shape shape;
    uint32_t m, n, k; /* entries; of gemm */
    struct fx_hash root_a, root_b;
    int64_t escrow; /* embers */
    bool operands_here;
    bool spent; /* a transaction of the mempool takes it */
    /* claimed and settled */
    struct fx_hash solver, result;
    int64_t burn;
};

struct fx_miner_work {
    int64_t id; /* for submitminerwork */
    unsigned lane;
    uint32_t height;
    struct fx_hash previous;
    uint8_t header[80];
    struct fx_hash seed;   /* its id */
    struct fx_hash target; /* little-endian number */
    double expected;       /* tries a block */
    int64_t subsidy, fees; /* embers */
};

struct fx_miner_chain {
    char name[16];
    uint32_t height;           /* of the tip */
    double expected[FX_LANES]; /* tries that the next block of a lane takes on average */
};

/* Once *stop is true, no call waits for longer than about a second. */
void fx_miner_node_init(struct fx_miner_node *node, const struct fx_miner_options *options,
                        const atomic_bool *stop);
void fx_miner_node_clear(struct fx_miner_node *node);

/* Each fills its results only where FX_NODE_OK is returned. */
enum fx_miner_node_status fx_miner_node_chain(struct fx_miner_node *node,
                                              struct fx_miner_chain *chain);
enum fx_miner_node_status fx_miner_node_tip(struct fx_miner_node *node, struct fx_hash *tip);
/* The node's job book for a device of this speed, in bricks a second: tasks on offer, best first.
 * *tasks is the caller's to free. */
enum fx_miner_node_status fx_miner_node_tasks(struct fx_miner_node *node, double speed,
                                              enum fx_burn_choice burn, int64_t burn_amount,
                                              struct fx_miner_task **tasks, size_t *n);
enum fx_miner_node_status fx_miner_node_task(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_task *task);
/* The solver key of the node's wallet. */
enum fx_miner_node_status fx_miner_node_solver(struct fx_miner_node *node, struct fx_hash *solver);
/* origin NULL: the hash lane. */
enum fx_miner_node_status fx_miner_node_work(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_work *work);
/* accepted false: text says why the block was rejected. */
enum fx_miner_node_status fx_miner_node_submit_hash(struct fx_miner_node *node,
                                                    const struct fx_miner_work *work,
                                                    uint32_t nonce, uint32_t time, bool *accepted);
enum fx_miner_node_status fx_miner_node_submit_brick(struct fx_miner_node *node,
                                                     const struct fx_miner_work *work, uint32_t i,
                                                     uint32_t j, uint32_t l, bool *accepted);
/* Asks the node to fetch a task's operands from its peers where it has not got them. */
enum fx_miner_node_status fx_miner_node_prepare(struct fx_miner_node *node, const char *origin,
                                                bool *here);
enum fx_miner_node_status fx_miner_node_claim(struct fx_miner_node *node, const char *origin,
                                              const struct fx_hash *root, enum fx_burn_choice burn,
                                              int64_t burn_amount, struct fx_hash *txid);
enum fx_miner_node_status fx_miner_node_in_mempool(struct fx_miner_node *node,
                                                   const struct fx_hash *txid, bool *there);

/* Blocks (panel, first) .. (panel, first + count - 1) of an operand; at most
 * FX_MINER_NODE_BLOCKS of them. */
#define FX_MINER_NODE_BLOCKS 64
enum fx_miner_node_status fx_miner_node_blocks(struct fx_miner_node *node,
                                               const struct fx_hash *root, uint32_t panel,
                                               uint32_t first, uint32_t count, int8_t *out);
/* The next bytes of a result, tile after tile, at most 4 MiB. *received: how many the node has;
 * where that is not offset + n, the upload goes on from there. */
enum fx_miner_node_status fx_miner_node_upload(struct fx_miner_node *node, const char *id,
                                               const struct fx_task_shape *shape,
                                               const struct fx_hash *solver, uint64_t offset,
                                               const void *data, size_t n, uint64_t *received);
enum fx_miner_node_status fx_miner_node_upload_finish(struct fx_miner_node *node, const char *id,
                                                      struct fx_hash *root);

#endif
