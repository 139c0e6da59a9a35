/*
 * What the files of the server share: commands and their descriptions, the call that a handler
 * sees, and helpers that read arguments and make results.
 */
#ifndef FX_RPC_RPC_INT_H
#define FX_RPC_RPC_INT_H

#include <jansson.h>

#include "consensus/connect.h"
#include "src/iface/chain.h"
#include "src/iface/wallet.h"
#include "src/rpc/rpc.h"
#include "src/rpc/schema_int.h"

struct evhttp;
struct evhttp_request;
struct event;

/* Codes of Bitcoin Core's RPC. */
enum fx_rpc_code {
    FX_RPC_MISC = -1,
    FX_RPC_TYPE = -3,
    FX_RPC_WALLET = -4,
    FX_RPC_ADDRESS_OR_KEY = -5,
    FX_RPC_PARAMETER = -8,
    FX_RPC_CLIENT_NOT_CONNECTED = -9,
    FX_RPC_WALLET_NOT_FOUND = -18,
    FX_RPC_DATABASE = -20,
    FX_RPC_DESERIALIZATION = -22,
    FX_RPC_NODE_ALREADY_ADDED = -23,
    FX_RPC_NODE_NOT_ADDED = -24,
    FX_RPC_VERIFY = -25,
    FX_RPC_VERIFY_REJECTED = -26,
    FX_RPC_ALREADY_IN_UTXO_SET = -27,
    FX_RPC_NODE_NOT_CONNECTED = -29,
    FX_RPC_INVALID_SUBNET = -30,
    FX_RPC_NODE_CAPACITY_REACHED = -34,
    FX_RPC_INVALID_REQUEST = -32600,
    FX_RPC_METHOD_NOT_FOUND = -32601,
    FX_RPC_INVALID_PARAMS = -32602,
    FX_RPC_INTERNAL = -32603,
    FX_RPC_PARSE = -32700
};

#define FX_RPC_CREATE_ERROR 256

#define FX_RPC_ARGS_MAX 12

struct fx_rpc_call;

enum fx_rpc_flags {
    FX_RPC_REGTEST = 1, /* there only on regtest */
    FX_RPC_HIDDEN = 2   /* not in the list of help */
};

/* One command; see schema_int.h for args and result. */
struct fx_rpc_command {
    const char *name;
    const char *text;    /* what it does; the first sentence goes into lists */
    const char *args;    /* NULL: none */
    const char *result;  /* forms */
    const char *errors;  /* a line each: "-8: why"; NULL: none of its own */
    const char *example; /* arguments as on a command line, a line each; "": no arguments */
    /* The result, owned, or NULL after fx_rpc_fail or fx_rpc_slice. */
    json_t *(*run)(struct fx_rpc_call *call);
    unsigned flags;
};

struct fx_rpc_topic {
    const char *name;                             /* "Blockchain" */
    const struct fx_rpc_command *const *commands; /* ends with NULL */
    enum { FX_RPC_ALWAYS, FX_RPC_WITH_WALLETS, FX_RPC_WITH_JOBS } needs;
};

/* In the order of help. */
extern const struct fx_rpc_topic fx_rpc_topic_blockchain, fx_rpc_topic_control, fx_rpc_topic_market,
    fx_rpc_topic_mempool, fx_rpc_topic_mining, fx_rpc_topic_miner, fx_rpc_topic_network,
    fx_rpc_topic_rawtx, fx_rpc_topic_tasks, fx_rpc_topic_jobs, fx_rpc_topic_wallet,
    fx_rpc_topic_coins, fx_rpc_topic_regtest;

/* A command with its descriptions read. */
struct fx_rpc_entry {
    const struct fx_rpc_command *command;
    const struct fx_rpc_topic *topic;
    struct fx_schema *args, *result;
};

struct fx_rpc_session; /* one HTTP request that carries calls; opaque to handlers */

struct fx_rpc_work; /* of miner.c: work handed out */
struct fx_rpc_scan; /* of descriptors.c */

struct fx_rpc {
    struct fx_rpc_config config;
    struct evhttp *http;
    uint16_t port;
    struct fx_rpc_entry *entries;
    size_t n_entries;
    char **credentials; /* "user:password" */
    size_t n_credentials;
    char **auth; /* "user:salt$hash" */
    size_t n_auth;
    struct fx_rpc_subnet *allow;
    size_t n_allow;
    struct fx_rpc_session *sessions;
    struct fx_rpc_stream *streams;
    struct fx_rpc_delay *delays; /* answers to wrong passwords, held back */
    struct fx_rpc_work *work;
    char *cookie_file, *log_path;
    struct fx_rpc_scan *scan;     /* of scantxoutset, while one is under way; its call owns it */
    size_t last_weight, last_txs; /* of the last template made here; 0: none yet */
    bool cookie_made;
    bool stopping;
    struct event *stop_event;
    /* workdepth: the most that any of the last 2,016 blocks below this tip added */
    struct fx_hash depth_tip;
    struct fx_u256 depth_work;
    bool depth_known;
};

struct fx_rpc_call {
    struct fx_rpc *rpc;
    struct fx_rpc_session *session;
    const struct fx_rpc_entry *entry;
    json_t *args[FX_RPC_ARGS_MAX]; /* by position; NULL: not given (or null) */
    size_t n_args;                 /* up to the last that was named, also as null */
    const char *wallet;            /* of the URL; NULL: none */
    int64_t started_ms;
    bool failed;
    int code;
    char *message; /* owned */
    /* what is under way in slices */
    int (*step)(struct fx_rpc_call *call, void *ctx);
    void (*step_free)(void *ctx);
    void *step_ctx;
    json_t *result; /* set by a step that is done */
};

/* ---- failing, and going on later ------------------------------------------------------------ */

/* Returns NULL, to be returned. */
json_t *fx_rpc_fail(struct fx_rpc_call *call, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As Bitcoin Core does where the number of arguments is wrong: with the command's help (-1). */
json_t *fx_rpc_fail_help(struct fx_rpc_call *call);
json_t *fx_rpc_fail_wallet(struct fx_rpc_call *call, const struct fx_wallet_error *error);
/* Fails with Bitcoin Core's text for an unreadable database. */
json_t *fx_rpc_fail_read(struct fx_rpc_call *call, const char *what);

#define FX_RPC_STEP_DONE (-1)
#define FX_RPC_SLICE_MS 20
/*
 * Answers later: step runs from the event loop until it returns FX_RPC_STEP_DONE, having set
 * call->result or called fx_rpc_fail. It works for at most about FX_RPC_SLICE_MS and returns the
 * milliseconds to wait before its next turn (0: at once). free_ctx is called in any case, also
 * where the server ends first. Returns NULL, to be returned by the handler.
 */
json_t *fx_rpc_slice(struct fx_rpc_call *call, int (*step)(struct fx_rpc_call *call, void *ctx),
                     void (*free_ctx)(void *ctx), void *ctx);

/* ---- arguments ------------------------------------------------------------------------------ */
/* Each returns false after fx_rpc_fail. Types were checked already. */

bool fx_rpc_arg_hash(struct fx_rpc_call *call, const json_t *value, const char *name,
                     struct fx_hash *hash); /* a block or transaction id */
bool fx_rpc_arg_root(struct fx_rpc_call *call, const json_t *value, const char *name,
                     struct fx_hash *root); /* a root or key: hex in byte order */
bool fx_rpc_arg_amount(struct fx_rpc_call *call, const json_t *value, const char *name,
                       int64_t *amount);
/* A whole number within [min, max]. value NULL: fallback. */
bool fx_rpc_arg_int(struct fx_rpc_call *call, const json_t *value, const char *name, int64_t min,
                    int64_t max, int64_t fallback, int64_t *out);
/* "txid:vout". */
bool fx_rpc_arg_origin(struct fx_rpc_call *call, const json_t *value, struct fx_outpoint *origin);
/* Hex of at most max bytes; *data is the caller's to free. */
bool fx_rpc_arg_hex(struct fx_rpc_call *call, const json_t *value, const char *name, size_t max,
                    uint8_t **data, size_t *n);
/* The script that an address pays to, of a kind that can be spent. */
bool fx_rpc_arg_address(struct fx_rpc_call *call, const json_t *value, struct fx_buf *script);
/* The transaction of a hex string, one reference; NULL: it is none. */
struct fx_tx *fx_rpc_read_tx(const json_t *value);
bool fx_rpc_arg_tx(struct fx_rpc_call *call, const json_t *value, struct fx_tx **tx);
/* true, 1: true; not given: fallback. */
bool fx_rpc_arg_bool(const json_t *value, bool fallback);
const char *fx_rpc_arg_str(const json_t *value, const char *fallback);
/* The wallet that the URL names, or the only one. NULL after fx_rpc_fail. */
struct fx_wallet *fx_rpc_arg_wallet(struct fx_rpc_call *call);
/* The block of an id argument: in the index, else -5 "Block not found". */
const struct fx_index *fx_rpc_arg_block(struct fx_rpc_call *call, const json_t *value);
/* The block's data; one reference. NULL after fx_rpc_fail, in Bitcoin Core's words where it was
 * pruned or never came. */
struct fx_block *fx_rpc_read_block(struct fx_rpc_call *call, const struct fx_index *index);
/* 0 hash, 1 job; false after fx_rpc_fail. */
bool fx_rpc_arg_lane(struct fx_rpc_call *call, const json_t *value, unsigned *lane);

/* ---- results -------------------------------------------------------------------------------- */

void fx_json_set(json_t *object, const char *key, json_t *value); /* takes value over */
json_t *fx_json_amount(int64_t embers);
json_t *fx_json_figure(double value);             /* to 16 digits, as many as Bitcoin Core shows */
json_t *fx_json_id(const struct fx_hash *id);     /* of a block or transaction: reversed */
json_t *fx_json_root(const struct fx_hash *root); /* of a root or key: as it is */
json_t *fx_json_u256(const struct fx_u256 *value);
json_t *fx_json_hex(const void *data, size_t n);
json_t *fx_json_outpoint(const struct fx_outpoint *outpoint); /* "txid:vout" */
json_t *fx_json_bits(uint32_t nbits);
json_t *fx_json_target(uint32_t nbits);
const char *fx_lane_name(unsigned lane);
/* Bitcoin's for the hash lane; bricks over 1,024 for the job lane. */
double fx_difficulty(unsigned lane, uint32_t nbits);
/* As text, compact, amounts with eight places; ends with a zero byte that is not counted. */
void fx_json_write(const json_t *value, struct fx_buf *out);

/* confirmations; -1 where not on the best chain. */
int64_t fx_rpc_confirmations(const struct fx_rpc *rpc, const struct fx_index *index);
/* Protocol section 3; -1 where not on the best chain. */
int64_t fx_rpc_workdepth(struct fx_rpc *rpc, const struct fx_index *index);

/* txjson.c. undo coins (may be NULL): those spent, for fees and prevouts. */
#define FX_RPC_TX_FIELDS                                                                   \
    "txid: hash, hash: hash  # Witness hash\n"                                             \
    "version: int, size: int, vsize: int, weight: int, locktime: int\n"                    \
    "vin: [ { coinbase?: hex, txid?: hash, vout?: int\n"                                   \
    "  scriptSig?: { asm: str, hex: hex }\n"                                               \
    "  txinwitness?: [ hex ]\n"                                                            \
    "  prevout?: { generated: bool, height: int, value: amount\n"                          \
    "    scriptPubKey: " FX_RPC_SCRIPT_FIELDS " }\n"                                       \
    "  taskaction?: str       # What a task spend does, where the output spent is known\n" \
    "  sequence: int } ]\n"                                                                \
    "vout: [ { value: amount, n: int\n"                                                    \
    "  scriptPubKey: " FX_RPC_SCRIPT_FIELDS " } ]\n"                                       \
    "fee?: amount\n"
#define FX_RPC_SCRIPT_FIELDS "{ asm: str, desc: str, hex: hex, address?: str, type: str }"
void fx_rpc_tx_json(const struct fx_rpc *rpc, const struct fx_tx *tx, const struct fx_coin *spent,
                    bool prevouts, json_t *out);
/* scripts.c */
json_t *fx_rpc_script_json(const struct fx_rpc *rpc, struct fx_span script);
/* signatures: those of ECDSA are shown with the name of their hash type. */
json_t *fx_rpc_asm_json(struct fx_span script, bool signatures);

/* ---- the parts of the server ---------------------------------------------------------------- */

/* table.c. False: a description does not parse; error names it. */
bool fx_rpc_table_make(struct fx_rpc *rpc, char error[FX_RPC_CREATE_ERROR]);
void fx_rpc_table_clear(struct fx_rpc *rpc);
const struct fx_rpc_entry *fx_rpc_table_find(const struct fx_rpc *rpc, const char *name);

/* call.c: puts params (array, object or NULL) into call->args, with all checks. */
bool fx_rpc_call_bind(struct fx_rpc_call *call, const json_t *params);
/* help.c */
void fx_rpc_help_command(const struct fx_rpc_entry *entry, uint16_t port, struct fx_buf *out);

/* dispatch.c: takes the request over; answers it, now or later. */
void fx_rpc_serve(struct fx_rpc *rpc, struct evhttp_request *req, const char *wallet);
void fx_rpc_sessions_end(struct fx_rpc *rpc);

/* blobs.c, result.c: requests below /blob/ and /job/. */
void fx_rpc_serve_blob(struct fx_rpc *rpc, struct evhttp_request *req, const char *path,
                       const char *query);
void fx_rpc_serve_job(struct fx_rpc *rpc, struct evhttp_request *req, const char *path,
                      const char *query);
void fx_rpc_streams_end(struct fx_rpc *rpc);
/* An answer that is one JSON object; takes it over. */
void fx_rpc_answer(struct evhttp_request *req, int http, json_t *json);
/* {"error": text}, and "received" where that is not negative. */
void fx_rpc_answer_error(struct evhttp_request *req, int http, const char *text, int64_t received);

/* auth.c */
struct fx_rpc_subnet {
    uint8_t address[16]; /* IPv4 mapped into IPv6 */
    unsigned bits;
};
bool fx_rpc_subnet_parse(const char *text, struct fx_rpc_subnet *subnet);
bool fx_rpc_subnet_has(const struct fx_rpc_subnet *subnet, const char *address);
/* header: of "Authorization:", may be NULL. */
bool fx_rpc_auth_check(const struct fx_rpc *rpc, const char *header);
bool fx_rpc_cookie_make(struct fx_rpc *rpc, char error[FX_RPC_CREATE_ERROR]);

/* miner.c */
void fx_rpc_work_clear(struct fx_rpc *rpc);

#endif
