/*
 * A task on the CPU. Its tiles are worked on in rectangles, *groups*; all tiles of a group go
 * forward together, a *chunk* of segments at a time, so that a block is noised once for a whole
 * row or column of tiles, and G and H are gathered once. The work on a chunk is a sequence of
 * *stages*; within one, all threads take items until none is left, or the step is cancelled.
 * Between stages, the thread that called the step decides what comes next, or ends the step when
 * its time is up: a stage takes some milliseconds.
 *
 * With noise, the sum of a tile's bricks is (protocol section 6)
 *     sum_l D = A B^T + G LB^T + LA H^T,
 *     G[:, p_1,l] += A_l * sign_1,l     H[:, p_0,l] += B'_l * sign_0,l
 * so the exact tile is what remains after G and H are peeled off. LA and LB belong to one seed:
 * when the header changes in the middle of a group, what has gathered is peeled, and gathering
 * starts anew.
 */
#ifndef FX_KERNELS_CPU_SESSION_INT_H
#define FX_KERNELS_CPU_SESSION_INT_H

#include <pthread.h>

#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/items.h"

#define FX_CPU_GROUP_TILES 1024 /* at most */

enum fx_cpu_stage {
    FX_CPU_REST,   /* no group */
    FX_CPU_PERMS,  /* permutations of the whole task: an item is a side and segment */
    FX_CPU_PANELS, /* L: an item is a unit */
    FX_CPU_NOISE,  /* operands are read, noised and packed, G and H gathered: a unit */
    FX_CPU_BRICKS, /* a tile, over the chunk */
    FX_CPU_DIGITS, /* G and H packed for the peel: a unit */
    FX_CPU_PEEL,   /* a tile */
    FX_CPU_GIVE    /* the tiles are finished: the step hands them out */
};

/* A rectangle of tiles. Its *units* are the panels that it touches: rows of A, then columns of B
 * (panels of its transpose). */
struct fx_cpu_group {
    uint32_t row, col, rows, cols; /* in tiles, within the task */
    size_t units;
    uint32_t *wanted; /* tiles by their numbers in the rectangle, row-major; in the order of work */
    size_t n_wanted, given;
    uint32_t next; /* the first segment of the chunk */
    enum fx_cpu_stage stage;
    struct fx_cpu_items items; /* of the stage */
    /* The chunk. */
    unsigned segments;
    bool noised, summed;
    bool undone; /* out of range: what was gathered of this chunk is taken back */
    bool again;  /* likewise: the product goes without noise, and mining comes after it */
    struct fx_cpu_perm perms[2][FX_CPU_CHUNK]; /* where noised; by side */
    struct fx_cpu_plan plans[2];               /* of the same */
    /* Noise. */
    struct fx_cpu_seed seed;
    bool has_panels;     /* of this rectangle, under seed */
    bool gathered;       /* G and H hold something, under seed */
    atomic_bool remains; /* after DIGITS: more than digits hold */
    /* Memory, all of it in one piece, for as many units and tiles. */
    struct fx_cpu_memory memory;
    size_t cap_units, cap_tiles;
    uint8_t *packed;             /* a unit and segment */
    uint8_t *packed_panels;      /* L: a unit */
    struct fx_cpu_panel *panels; /* a unit */
    int32_t *wide;               /* G or H: a unit; for the product only; once gathered */
    uint32_t *sums;              /* a tile of the rectangle, modulo 2^32; for the product only */
    bool has_sums;               /* they hold the segments before the chunk */
    uint8_t *dirty;              /* a unit and segment: an entry is out of range */
};

struct fx_cpu_found {
    uint32_t i, j, l;
    uint8_t ticket[32];
};

struct fx_session {
    struct fx_device *device;
    struct fx_kernel_task task;
    uint64_t tiles;
    uint8_t *taken; /* one bit a tile: done, or in the group of the product */
    uint64_t left;
    uint32_t group_rows, group_cols; /* the grid of groups */
    uint64_t next_group;             /* of the product */
    struct fx_cpu_group product, mining;
    uint64_t next_mined;     /* group, under the seed of mining */
    bool mined;              /* mining has a seed */
    struct fx_cpu_seed seed; /* of the last step that mined */
    bool seeded, has_perms;
    struct fx_cpu_memory perms_memory;
    struct fx_cpu_perm *perms; /* side, then segment */
    pthread_mutex_t finding;
    atomic_bool unreadable;
    struct fx_cpu_found *found;
    size_t n_found, cap_found;
    atomic_ullong bricks, tickets, read_ns, noise_ns, product_ns, hash_ns, peel_ns;
    uint64_t given;
    /* The step that runs. */
    const struct fx_kernel_header *header;
    const atomic_bool *cancel;
};

/* A group at rest, without memory. */
void fx_cpu_group_init(struct fx_session *session, struct fx_cpu_group *group);
/* Memory for the rectangle, which becomes the group's, with all its tiles wanted. */
void fx_cpu_group_place(struct fx_session *session, struct fx_cpu_group *group, uint32_t row,
                        uint32_t col, uint32_t rows, uint32_t cols);
void fx_cpu_group_clear(struct fx_session *session, struct fx_cpu_group *group);
/* The number of a wanted tile within the task. */
uint64_t fx_cpu_group_tile(const struct fx_session *session, const struct fx_cpu_group *group,
                           size_t wanted);
uint32_t *fx_cpu_group_sum(const struct fx_cpu_group *group, size_t wanted);
/* All threads on the items of the group's stage. True when all are done; false when the step was
 * cancelled before. */
bool fx_cpu_group_run(struct fx_session *session, struct fx_cpu_group *group);

/* Places the group on its next rectangle. False: there is none. */
bool fx_cpu_next_group(struct fx_session *session, struct fx_cpu_group *group);
/* At the beginning of a step, whose header may be another one than that of the step before. What
 * has gone into sums or G and H stays; blocks that were only being noised are noised again. */
void fx_cpu_take_header(struct fx_session *session, struct fx_cpu_group *group);
/* What comes after a stage that is complete. False: the group has nothing more, and is at rest. */
bool fx_cpu_advance(struct fx_session *session, struct fx_cpu_group *group);
/* For save: brings all tiles of the product's group to the same segment and peels them. False: an
 * operand that this takes could not be read. */
bool fx_cpu_settle(struct fx_session *session);
/* For load: the product's group, as it is, goes on at segment `next`. */
void fx_cpu_resume(struct fx_session *session, uint32_t next);

static inline bool fx_cpu_bit(const uint8_t *bits, uint64_t at)
{
    return bits[at >> 3] >> (at & 7) & 1;
}

static inline void fx_cpu_set_bit(uint8_t *bits, uint64_t at)
{
    bits[at >> 3] |= (uint8_t)(1 << (at & 7));
}

#endif
