/*
 * The miner's work directory: one folder a task, with its state and its finished tiles, and the
 * panels of operands that tasks read. What is in it survives the process, killed or not.
 *
 *   .lock                 held while a miner runs
 *   operands/ROOT         fx_pieces: one a panel of 128 rows
 *   tasks/TXID-VOUT/      state.json, tiles (fx_pieces: one a tile), partial
 */
#ifndef FX_MINER_STORE_H
#define FX_MINER_STORE_H

#include "kernels/kernel.h"
#include "src/miner/devices.h"
#include "src/miner/node.h"
#include "src/miner/pieces.h"

enum fx_stage {
    FX_STAGE_WORK = 0, /* tiles are missing */
    FX_STAGE_DELIVER,  /* all tiles are there */
    FX_STAGE_CLAIMED   /* a claim is on its way or on the chain */
};

struct fx_stored_task {
    struct fx_miner_task task;
    enum fx_stage stage;
    unsigned blocks;             /* mined inside it */
    char device[FX_DEVICE_NAME]; /* that computed its tiles; empty: none yet, or several */
    /* FX_STAGE_CLAIMED: of our claim */
    struct fx_hash solver, result, claim;
};

/* Makes the directory and takes its lock for the life of the process. False: error says why. */
bool fx_store_open(const char *workdir, char error[FX_KERNEL_TEXT]);
/* Below the task's folder; the caller frees. */
char *fx_store_path(const char *workdir, const char *origin, const char *name);
/* Makes the folder where it is missing. False: errno says why. */
bool fx_store_save(const char *workdir, const struct fx_stored_task *stored);
bool fx_store_load(const char *workdir, const char *origin, struct fx_stored_task *stored);
/* All tasks that can be read; *list is the caller's to free. */
size_t fx_store_list(const char *workdir, struct fx_stored_task **list);
void fx_store_remove_tiles(const char *workdir, const char *origin);
void fx_store_remove(const char *workdir, const char *origin);

bool fx_store_open_tiles(const char *workdir, const struct fx_miner_task *task,
                         struct fx_pieces *tiles);

/* Panels of a task's operands, in files that tasks of the same operands share. */
struct fx_operands {
    struct fx_pieces side[2];
    uint32_t first[2], count[2]; /* the panels that the task reads */
    uint32_t depth;
};

bool fx_operands_open(struct fx_operands *operands, const char *workdir,
                      const struct fx_miner_task *task);
void fx_operands_close(struct fx_operands *operands);
/* The next panel that is not there yet; false where all are. */
bool fx_operands_missing(struct fx_operands *operands, enum fx_side *side, uint32_t *panel);
/* In the form of struct fx_kernel_operands; ctx is a struct fx_operands. */
bool fx_operands_read(void *ctx, enum fx_side side, uint32_t panel, uint32_t first, uint32_t count,
                      int8_t *out);
/* Removes files of operands that none of these tasks reads. */
void fx_operands_sweep(const char *workdir, const struct fx_miner_task *const *tasks, size_t n);

#endif
