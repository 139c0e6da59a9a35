/* Blocks and undo data in the files. */
#include <stdlib.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/sys/log.h"

bool fx_chain_store_block(struct fx_chain *chain, struct fx_index *index,
                          const struct fx_block *block, const struct fx_block_place *place)
{
    struct fx_block_place written;
    struct fx_cb_work work;

    if (place == NULL) {
        if (!fx_files_write_block(chain->files, block->raw, &written.file, &written.pos)) {
            fx_chain_set_fatal(chain, "cannot write a block to disk");
            return false;
        }
        place = &written;
    }
    index->file = place->file;
    index->data_pos = place->pos;
    index->size = (uint32_t)block->raw.len;
    index->n_txs = (uint32_t)block->n_txs;
    index->status |= FX_INDEX_HAVE_DATA | FX_INDEX_PROVEN;
    index->status &= ~(uint32_t)FX_INDEX_PRUNED;
    if (!fx_fork_binds(chain->params, FX_FORK_SEGWIT, index->height)) {
        index->status |= FX_INDEX_UNWITNESSED;
    }
    if (index->lane == FX_LANE_JOB && fx_cb_work_read(block->txs[0], &work)) {
        index->solver = work.solver;
    }
    fx_chain_touch(chain, index);
    return true;
}

enum fx_data fx_chain_load_block(const struct fx_chain *chain, const struct fx_index *index,
                                 struct fx_block **block)
{
    enum fx_verdict why;
    uint8_t *data;

    *block = NULL;
    if ((index->status & FX_INDEX_HAVE_DATA) == 0) {
        return FX_DATA_LOST;
    }
    switch (fx_files_read_block(chain->files, index->file, index->data_pos, index->size, &data)) {
    case FX_FILES_OK:
        break;
    case FX_FILES_DAMAGED:
        return FX_DATA_LOST;
    case FX_FILES_FAILED:
        return FX_DATA_FAILED;
    }
    *block = fx_block_parse(chain->params, data, index->size, &why);
    free(data);
    if (*block != NULL && !fx_hash_equal(&(*block)->id, &index->id)) {
        fx_block_unref(*block);
        *block = NULL;
    }
    if (*block == NULL) {
        fx_log_info("the block at height %u in blk%05u.dat is damaged", index->height, index->file);
        return FX_DATA_LOST;
    }
    return FX_DATA_OK;
}

struct fx_block *fx_chain_read_block(struct fx_chain *chain, const struct fx_index *index)
{
    struct fx_block *block;

    fx_chain_load_block(chain, index, &block);
    return block;
}

bool fx_chain_read_undo(struct fx_chain *chain, const struct fx_index *index, struct fx_undo *undo)
{
    struct fx_reader r;
    uint8_t *data;
    bool ok;

    memset(undo, 0, sizeof(*undo));
    if ((index->status & FX_INDEX_HAVE_UNDO) == 0 ||
        fx_files_read_undo(chain->files, &index->id, index->undo_file, index->undo_pos,
                           index->undo_size, &data) != FX_FILES_OK) {
        return false;
    }
    fx_reader_init(&r, data, index->undo_size);
    ok = fx_undo_read(&r, undo);
    if (ok && !fx_reader_done(&r)) {
        fx_undo_clear(undo);
        ok = false;
    }
    free(data);
    return ok;
}

/* A block that is connected again has the same undo data as before, where that is still readable.
 */
static bool stored_already(struct fx_chain *chain, const struct fx_index *index,
                           const struct fx_buf *undo)
{
    uint8_t *data;
    bool same;

    if ((index->status & FX_INDEX_HAVE_UNDO) == 0 || index->undo_size != undo->len ||
        fx_files_read_undo(chain->files, &index->id, index->undo_file, index->undo_pos,
                           index->undo_size, &data) != FX_FILES_OK) {
        return false;
    }
    same = memcmp(data, undo->data, undo->len) == 0;
    free(data);
    return same;
}

bool fx_chain_store_undo(struct fx_chain *chain, struct fx_index *index, const struct fx_undo *undo)
{
    struct fx_buf buf = FX_BUF_INIT;
    uint32_t file;
    uint64_t pos;

    fx_undo_write(undo, &buf);
    if (!stored_already(chain, index, &buf)) {
        if (!fx_files_write_undo(chain->files, &index->id, (struct fx_span){buf.data, buf.len},
                                 &file, &pos)) {
            fx_buf_clear(&buf);
            fx_chain_set_fatal(chain, "cannot write undo data to disk");
            return false;
        }
        index->undo_file = file;
        index->undo_pos = pos;
        index->undo_size = (uint32_t)buf.len;
        index->status |= FX_INDEX_HAVE_UNDO;
    }
    fx_buf_clear(&buf);
    fx_chain_touch(chain, index);
    return true;
}
