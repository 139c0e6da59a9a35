/* A small product for tests of backends: operands in memory, what the rules say of every brick of
 * it, and a sink that keeps what a session gives out. */
#ifndef FX_QA_UNIT_KERNELS_BED_H
#define FX_QA_UNIT_KERNELS_BED_H

#include <stdatomic.h>

#include "kernels/kernel.h"

struct fx_bed {
    uint32_t row0, col0, rows, cols, depth; /* tiles, and bricks a tile */
    int8_t *a, *b;                          /* panel blocks of the rectangle, (panel, l) in order */
    struct fx_kernel_task task;             /* reads this bed: it does not move */
    atomic_ullong reads, blocks_read;
    uint64_t fail_read; /* the number of the read that fails, from 1; 0: none */
    /* What came out. */
    int32_t *tiles;   /* tile after tile */
    unsigned *given;  /* how often each tile was given */
    uint8_t *tickets; /* 32 bytes a brick, at ((row * cols) + col) * depth + l */
    unsigned *times;  /* how often each ticket came */
    uint64_t n_tiles, n_tickets;
    uint64_t stop_after_tiles;   /* the sink ends the step with this tile; 0: never */
    uint64_t stop_after_tickets; /* likewise */
    struct fx_kernel_sink sink;
};

/* Entries are zero. */
void fx_bed_init(struct fx_bed *bed, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                 uint32_t depth);
void fx_bed_clear(struct fx_bed *bed);
/* Forgets what came out. */
void fx_bed_empty(struct fx_bed *bed);
/* Random entries within [low, high]. */
void fx_bed_fill(struct fx_bed *bed, int low, int high);
/* Entries as qa/data/brick.json makes them from labels. */
void fx_bed_fill_labels(struct fx_bed *bed, const char *a_label, const char *b_label);
/* panel counts from 0 within the rectangle. */
int8_t *fx_bed_block(const struct fx_bed *bed, enum fx_side side, uint32_t panel, uint32_t l);

/* The exact tile, by the definition of a product. */
void fx_bed_exact_tile(const struct fx_bed *bed, uint32_t row, uint32_t col, int32_t *out);
/* The ticket of a brick by the rules of consensus; false where an entry is out of range. */
bool fx_bed_exact_ticket(const struct fx_bed *bed, const uint8_t seed[32], uint32_t row,
                         uint32_t col, uint32_t l, uint8_t ticket[32]);

/* Fails the test unless every tile came once and is exact. */
void fx_bed_check_product(const struct fx_bed *bed);
/* Fails the test unless exactly the bricks that meet the target under this seed came, once. */
void fx_bed_check_tickets(const struct fx_bed *bed, const uint8_t seed[32],
                          const uint8_t target[32]);
/* Steps until something other than FX_STEP_MORE comes. */
enum fx_kernel_step fx_bed_run(struct fx_bed *bed, const struct fx_backend *backend,
                               struct fx_session *session, const struct fx_kernel_header *header);

/* A header that any ticket meets, or only one in about 2^bits. */
void fx_bed_header(struct fx_kernel_header *header, unsigned mode, unsigned bits);

#endif
