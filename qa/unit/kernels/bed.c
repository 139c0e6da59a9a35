/* Operands in memory, the rules' word on them, and a sink. */
#include "qa/unit/kernels/bed.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define TILE_ENTRIES (FX_TILE * FX_TILE)

int8_t *fx_bed_block(const struct fx_bed *bed, enum fx_side side, uint32_t panel, uint32_t l)
{
    return (side == FX_SIDE_A ? bed->a : bed->b) +
           ((size_t)panel * bed->depth + l) * FX_BLOCK_BYTES;
}

static bool read_blocks(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                        uint32_t count, int8_t *out)
{
    struct fx_bed *bed = ctx;
    uint32_t base = side == FX_SIDE_A ? bed->row0 : bed->col0;

    bed->blocks_read += count;
    if (++bed->reads == bed->fail_read)
        return false;
    memcpy(out, fx_bed_block(bed, side, panel - base, first), (size_t)count * FX_BLOCK_BYTES);
    return true;
}

static bool keep_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    struct fx_bed *bed = ctx;
    size_t at = ((size_t)(i - bed->row0) * bed->cols + (j - bed->col0)) * bed->depth + l;

    memcpy(bed->tickets + at * 32, ticket, 32);
    bed->times[at]++;
    bed->n_tickets++;
    return bed->n_tickets != bed->stop_after_tickets;
}

static bool keep_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    struct fx_bed *bed = ctx;

    memcpy(bed->tiles + tile * TILE_ENTRIES, data, FX_TILE_BYTES);
    bed->given[tile]++;
    bed->n_tiles++;
    return bed->n_tiles != bed->stop_after_tiles;
}

void fx_bed_init(struct fx_bed *bed, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                 uint32_t depth)
{
    size_t tiles = (size_t)rows * cols;

    memset(bed, 0, sizeof *bed);
    bed->row0 = row0;
    bed->col0 = col0;
    bed->rows = rows;
    bed->cols = cols;
    bed->depth = depth;
    bed->a = fx_xcalloc((size_t)rows * depth, FX_BLOCK_BYTES);
    bed->b = fx_xcalloc((size_t)cols * depth, FX_BLOCK_BYTES);
    bed->tiles = fx_xcalloc(tiles, FX_TILE_BYTES);
    bed->given = fx_xcalloc(tiles, sizeof *bed->given);
    bed->tickets = fx_xcalloc(tiles * depth, 32);
    bed->times = fx_xcalloc(tiles * depth, sizeof *bed->times);
    bed->task = (struct fx_kernel_task){.kind = 1,
                                        .row0 = row0,
                                        .col0 = col0,
                                        .rows = rows,
                                        .cols = cols,
                                        .depth = depth,
                                        .operands = {bed, read_blocks}};
    bed->sink = (struct fx_kernel_sink){bed, keep_ticket, keep_tile};
}

void fx_bed_clear(struct fx_bed *bed)
{
    free(bed->a);
    free(bed->b);
    free(bed->tiles);
    free(bed->given);
    free(bed->tickets);
    free(bed->times);
}

void fx_bed_empty(struct fx_bed *bed)
{
    size_t tiles = (size_t)bed->rows * bed->cols;

    memset(bed->tiles, 0, tiles * FX_TILE_BYTES);
    memset(bed->given, 0, tiles * sizeof *bed->given);
    memset(bed->times, 0, tiles * bed->depth * sizeof *bed->times);
    bed->n_tiles = bed->n_tickets = 0;
}

void fx_bed_fill(struct fx_bed *bed, int low, int high)
{
    size_t n_a = (size_t)bed->rows * bed->depth * FX_BLOCK_BYTES;
    size_t n_b = (size_t)bed->cols * bed->depth * FX_BLOCK_BYTES;
    unsigned span = (unsigned)(high - low) + 1;

    fx_unit_rand_fill(bed->a, n_a);
    fx_unit_rand_fill(bed->b, n_b);
    for (size_t at = 0; at < n_a; at++)
        bed->a[at] = (int8_t)(low + (int)((uint8_t)bed->a[at] % span));
    for (size_t at = 0; at < n_b; at++)
        bed->b[at] = (int8_t)(low + (int)((uint8_t)bed->b[at] % span));
}

/* Row-major bytes of SHA256(label || counter), laid into panel blocks. */
static void fill_label(struct fx_bed *bed, enum fx_side side, uint32_t panels, const char *label)
{
    size_t columns = (size_t)bed->depth * FX_DEPTH, n = panels * FX_TILE * columns;
    struct fx_buf text = FX_BUF_INIT;
    uint8_t digest[32];

    for (size_t at = 0; at < n; at++) {
        size_t row = at / columns, column = at % columns;
        int8_t *block =
            fx_bed_block(bed, side, (uint32_t)(row / FX_TILE), (uint32_t)(column / FX_DEPTH));

        if (at % 32 == 0) {
            text.len = 0;
            fx_buf_str(&text, label);
            fx_buf_u32(&text, (uint32_t)(at / 32));
            fx_sha256(text.data, text.len, digest);
        }
        block[row % FX_TILE * FX_DEPTH + column % FX_DEPTH] =
            (int8_t)((digest[at % 32] & 0x7f) - 64);
    }
    fx_buf_clear(&text);
}

void fx_bed_fill_labels(struct fx_bed *bed, const char *a_label, const char *b_label)
{
    fill_label(bed, FX_SIDE_A, bed->rows, a_label);
    fill_label(bed, FX_SIDE_B, bed->cols, b_label);
}

void fx_bed_exact_tile(const struct fx_bed *bed, uint32_t row, uint32_t col, int32_t *out)
{
    memset(out, 0, FX_TILE_BYTES);
    for (uint32_t l = 0; l < bed->depth; l++) {
        const int8_t *a = fx_bed_block(bed, FX_SIDE_A, row, l);
        const int8_t *b = fx_bed_block(bed, FX_SIDE_B, col, l);

        for (size_t r = 0; r < FX_TILE; r++) {
            for (size_t s = 0; s < FX_TILE; s++) {
                int32_t sum = 0;

                for (size_t c = 0; c < FX_DEPTH; c++)
                    sum += a[r * FX_DEPTH + c] * b[s * FX_DEPTH + c];
                out[r * FX_TILE + s] += sum;
            }
        }
    }
}

bool fx_bed_exact_ticket(const struct fx_bed *bed, const uint8_t seed[32], uint32_t row,
                         uint32_t col, uint32_t l, uint8_t ticket[32])
{
    struct fx_hash id, out;
    bool ok;

    memcpy(id.b, seed, 32);
    ok = fx_brick_ticket(&id, fx_bed_block(bed, FX_SIDE_A, row, l),
                         fx_bed_block(bed, FX_SIDE_B, col, l), bed->row0 + row, bed->col0 + col, l,
                         &out);
    memcpy(ticket, out.b, 32);
    return ok;
}

void fx_bed_check_product(const struct fx_bed *bed)
{
    int32_t *exact = fx_xmalloc(FX_TILE_BYTES);
    uint64_t wrong = 0;

    for (uint32_t row = 0; row < bed->rows; row++) {
        for (uint32_t col = 0; col < bed->cols; col++) {
            size_t tile = (size_t)row * bed->cols + col;

            fx_bed_exact_tile(bed, row, col, exact);
            if (bed->given[tile] != 1 ||
                memcmp(exact, bed->tiles + tile * TILE_ENTRIES, FX_TILE_BYTES) != 0)
                wrong++;
        }
    }
    free(exact);
    FX_CHECK_INT(wrong, 0);
}

static bool meets(const uint8_t ticket[32], const uint8_t target[32])
{
    for (int at = 31; at >= 0; at--) {
        if (ticket[at] != target[at])
            return ticket[at] < target[at];
    }
    return true;
}

void fx_bed_check_tickets(const struct fx_bed *bed, const uint8_t seed[32],
                          const uint8_t target[32])
{
    size_t bricks = (size_t)bed->rows * bed->cols * bed->depth;

    for (size_t at = 0; at < bricks; at++) {
        uint32_t row = (uint32_t)(at / bed->depth / bed->cols);
        uint32_t col = (uint32_t)(at / bed->depth % bed->cols);
        uint8_t ticket[32];
        bool won = fx_bed_exact_ticket(bed, seed, row, col, (uint32_t)(at % bed->depth), ticket) &&
                   meets(ticket, target);

        FX_CHECK_INT(bed->times[at], won ? 1 : 0);
        if (won)
            FX_CHECK_MEM(bed->tickets + at * 32, ticket, 32);
    }
}

enum fx_kernel_step fx_bed_run(struct fx_bed *bed, const struct fx_backend *backend,
                               struct fx_session *session, const struct fx_kernel_header *header)
{
    char error[FX_KERNEL_TEXT];
    atomic_bool cancel = false;
    enum fx_kernel_step step;

    do {
        step = backend->step(session, header, 1000, &cancel, &bed->sink, error);
    } while (step == FX_STEP_MORE);
    return step;
}

void fx_bed_header(struct fx_kernel_header *header, unsigned mode, unsigned bits)
{
    memset(header, 0, sizeof *header);
    fx_unit_rand_fill(header->seed, sizeof header->seed);
    memset(header->target, 0xff, sizeof header->target);
    for (unsigned bit = 0; bit < bits; bit++)
        header->target[31 - bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    header->mode = mode;
}
