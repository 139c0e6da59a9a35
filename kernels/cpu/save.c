/* Partial sums of the CPU backend, kept over a restart: the group of the product, peeled. */
#include "kernels/cpu/session_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/buf.h"
#include "src/util/reader.h"

/* magic, rectangle (row, column, rows, columns), next segment; then for each tile that is not
 * finished its number in the task and its sums. */
#define MAGIC UINT32_C(0x67707866) /* "fxpg" */
#define TILE_RECORD (8 + (size_t)FX_TILE_BYTES)

bool fx_cpu_save(struct fx_session *session, bool (*write)(void *ctx, const void *data, size_t n),
                 void *ctx)
{
    const struct fx_cpu_group *group = &session->product;
    struct fx_buf out = FX_BUF_INIT;
    bool ok;

    if (!fx_cpu_settle(session))
        return false;
    if (group->stage == FX_CPU_REST || group->next == 0)
        return true;
    fx_buf_u32(&out, MAGIC);
    fx_buf_u32(&out, group->row);
    fx_buf_u32(&out, group->col);
    fx_buf_u32(&out, group->rows);
    fx_buf_u32(&out, group->cols);
    fx_buf_u32(&out, group->next);
    ok = write(ctx, out.data, out.len);
    for (size_t at = group->given; at < group->n_wanted && ok; at++) {
        const uint32_t *sum = fx_cpu_group_sum(group, at);

        out.len = 0;
        fx_buf_u64(&out, fx_cpu_group_tile(session, group, at));
        for (size_t entry = 0; entry < FX_TILE_ENTRIES; entry++)
            fx_buf_u32(&out, sum[entry]);
        ok = write(ctx, out.data, out.len);
    }
    fx_buf_clear(&out);
    return ok;
}

/* Puts the tile among the wanted ones of the group; NULL where it does not belong there. */
static uint32_t *take_tile(struct fx_session *session, struct fx_cpu_group *group, uint64_t tile)
{
    const uint64_t row = tile / session->task.cols, col = tile % session->task.cols;

    if (tile >= session->tiles || fx_cpu_bit(session->taken, tile) || row < group->row ||
        row - group->row >= group->rows || col < group->col || col - group->col >= group->cols)
        return NULL;
    fx_cpu_set_bit(session->taken, tile);
    group->wanted[group->n_wanted++] =
        (uint32_t)((row - group->row) * group->cols + (col - group->col));
    return fx_cpu_group_sum(group, group->n_wanted - 1);
}

static bool fits(const struct fx_session *session, uint32_t row, uint32_t col, uint32_t rows,
                 uint32_t cols, uint32_t next)
{
    const struct fx_kernel_task *task = &session->task;

    return rows > 0 && cols > 0 && row < task->rows && rows <= task->rows - row &&
           col < task->cols && cols <= task->cols - col &&
           (uint64_t)rows * cols <= FX_CPU_GROUP_TILES && next > 0 && next <= task->depth;
}

bool fx_cpu_load(struct fx_session *session, const uint8_t *data, size_t n)
{
    struct fx_cpu_group *group = &session->product;
    struct fx_reader r;
    uint32_t magic, row, col, rows, cols, next;

    fx_reader_init(&r, data, n);
    magic = fx_read_u32(&r);
    row = fx_read_u32(&r);
    col = fx_read_u32(&r);
    rows = fx_read_u32(&r);
    cols = fx_read_u32(&r);
    next = fx_read_u32(&r);
    if (r.bad || magic != MAGIC || group->stage != FX_CPU_REST ||
        !fits(session, row, col, rows, cols, next) || r.left == 0 || r.left % TILE_RECORD != 0)
        return false;
    fx_cpu_group_place(session, group, row, col, rows, cols);
    group->n_wanted = 0;
    while (r.left > 0) {
        uint32_t *sum = take_tile(session, group, fx_read_u64(&r));
        const uint8_t *sums = fx_read_bytes(&r, FX_TILE_BYTES);

        if (!sum || !sums)
            return false;
        for (size_t entry = 0; entry < FX_TILE_ENTRIES; entry++)
            sum[entry] = fx_load_u32(sums + 4 * entry);
    }
    fx_cpu_resume(session, next);
    return true;
}
