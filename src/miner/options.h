/* What fornax-miner was asked to do: its options, from the command line and the configuration
 * file that it shares with the node. */
#ifndef FX_MINER_OPTIONS_H
#define FX_MINER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/params.h"
#include "kernels/kernel.h"

enum fx_lane_choice { FX_CHOOSE_AUTO = 0, FX_CHOOSE_HASH, FX_CHOOSE_JOB };
enum fx_burn_choice { FX_CHOOSE_BURN_AUTO = 0, FX_CHOOSE_BURN_NONE, FX_CHOOSE_BURN_AMOUNT };

/* What -device asks for; fx_miner_devices_choose (devices.h) finds it on this machine. */
enum fx_wish {
    FX_WISH_AUTO = 0, /* all GPUs, or the CPU where there is none */
    FX_WISH_ALL,      /* all but those that are spare */
    FX_WISH_KIND,     /* all of a backend */
    FX_WISH_ONE
};

struct fx_device_wish {
    enum fx_wish wish;
    const struct fx_backend *backend; /* of FX_WISH_KIND and FX_WISH_ONE */
    unsigned index;                   /* of FX_WISH_ONE, within the backend */
};

#define FX_WISHES_MAX 64

/* What to do instead of mining. */
enum fx_miner_action {
    FX_ACTION_MINE = 0,
    FX_ACTION_LIST_DEVICES,
    FX_ACTION_BENCHMARK,
    FX_ACTION_SELFTEST
};

struct fx_miner_options {
    const struct fx_params *params;
    char *host; /* of the node's RPC server */
    uint16_t port;
    char *user, *password; /* password NULL: the cookie is used */
    char *cookie_file;
    char *wallet;                  /* NULL: the node's only one */
    struct fx_device_wish *wishes; /* at least one */
    size_t n_wishes;
    enum fx_miner_action action;
    unsigned benchmark_seconds; /* a device */
    char *api_bind;             /* numeric address */
    uint16_t api_port;          /* 0: no status over HTTP */
    enum fx_lane_choice lane;
    enum fx_burn_choice burn;
    int64_t burn_amount;      /* embers a task */
    unsigned blocks_per_task; /* 0: all */
    unsigned threads;         /* of the CPU backend; 0: one a core */
    unsigned status_seconds;  /* between status lines; 0: none */
    uint64_t limit;           /* bricks a second at most, of a device; 0: none */
    uint64_t tasks;           /* end after so many; 0: never */
    bool corrupt;             /* spoil results, to test the other side */
    char *workdir;            /* of this network */
};

enum fx_options_outcome {
    FX_OPTIONS_RUN = 0,
    FX_OPTIONS_PRINTED, /* help or version: nothing more to do */
    FX_OPTIONS_USAGE    /* wrong; a message went to stderr */
};

/* Values may follow their option after `=` or as the next word. Cleared by the caller where
 * FX_OPTIONS_RUN is returned. */
enum fx_options_outcome fx_miner_options_read(struct fx_miner_options *options, int argc,
                                              char *const *argv);
void fx_miner_options_clear(struct fx_miner_options *options);

/* "auto", "none" or an amount in FNX. */
bool fx_miner_burn_parse(const char *text, enum fx_burn_choice *burn, int64_t *amount);
/* "auto", "all", "cuda", "cuda:0", or several with commas between them, at most FX_WISHES_MAX.
 * *wishes is the caller's to free. False: error says what is wrong. */
bool fx_miner_devices_parse(const char *text, struct fx_device_wish **wishes, size_t *n,
                            char error[FX_KERNEL_TEXT]);

#endif
