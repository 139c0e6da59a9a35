/*
 * The session of a device with a memory of its own. Its parts, each of which calls only those that
 * stand before it here:
 *
 * offload_call.c     calls of the driver, and errors
 * offload_pace.c     how fast the device is, and how much it is given at a time
 * offload_memory.c   how large supertiles are, and their memory
 * offload_collect.c  units that are over
 * offload_slots.c    operands
 * offload_units.c    units: noise, products, tickets, peel
 * offload_give.c     tickets and tiles to the sink
 * offload_save.c     partial sums on disk
 * offload.c          the entries of the backend: begin, step, end
 */
#ifndef FX_KERNELS_OFFLOAD_INT_H
#define FX_KERNELS_OFFLOAD_INT_H

#include "kernels/offload.h"

#define FX_TILE_ENTRIES (FX_TILE * FX_TILE)

#define FX_OFFLOAD_UNIT_NS UINT64_C(20000000)   /* what a unit should take */
#define FX_OFFLOAD_FLIGHT_NS UINT64_C(50000000) /* what all that is under way may take */
#define FX_OFFLOAD_PEEL_BRICKS 4 /* what the peel of a tile costs: two digits a side */
#define FX_OFFLOAD_AHEAD 2       /* units under way at a time */
#define FX_OFFLOAD_COPIES 3      /* of what the host writes for a unit: one more than AHEAD */
#define FX_OFFLOAD_STAGES 8      /* pieces of host memory on their way to the device */
#define FX_OFFLOAD_TILE_BATCH 16
#define FX_OFFLOAD_FOUND_BATCH 4096
#define FX_OFFLOAD_FOUND_WORDS 12
#define FX_OFFLOAD_FOUND_HEAD 4

/* Marks: five a unit, by its parity, then one each of these. */
enum fx_offload_mark {
    FX_MARK_START = 0,
    FX_MARK_NOISED,
    FX_MARK_PRODUCT,
    FX_MARK_TICKETS,
    FX_MARK_END, /* after the peel, where there is one */
    FX_MARK_UNIT = 5,
    FX_MARK_UPLOAD = 10, /* by parity */
    FX_MARK_STAGE = 12,  /* 8 of them */
    FX_MARK_GIVE = 20,   /* by half */
    FX_MARK_OTHER = 22   /* and the next one: whatever is waited for at once */
};

enum fx_list { FX_LIST_PRODUCT, FX_LIST_MINING, FX_LISTS };

/* Panels within the task's rectangle. */
struct fx_rect {
    uint32_t row, col, rows, cols;
};

/* A supertile. */
struct fx_super {
    bool active;
    struct fx_rect rect;
    uint32_t next;   /* the first segment that was not started */
    uint32_t *tiles; /* row << 16 | column within the rectangle, row-major; mining: not used */
    uint32_t n_tiles, cap_tiles;
    uint32_t entries; /* of the list on the device */
    uint32_t given;   /* tiles that went out, of those in `tiles` */
    unsigned sums;    /* which buffer */
    bool fresh;       /* nothing was added to them yet */
    uint64_t last;    /* unit */
};

struct fx_slot {
    bool full;
    uint8_t side;
    uint32_t panel, chunk;
    uint32_t dirty[FX_OFFLOAD_DIRTY_WORDS]; /* a bit a segment */
    uint64_t used;                          /* the last unit that reads it */
};

struct fx_unit {
    bool product, mine, peeled;
    uint32_t bricks;
    uint64_t work;  /* in bricks, as the device has to make them: idle places of a list, the peel */
    uint64_t timed; /* of that, before FX_MARK_TICKETS */
};

struct fx_found {
    uint32_t i, j, l;
    uint8_t ticket[32];
};

struct fx_session {
    struct fx_offload *device;
    const struct fx_offload_driver *driver;
    void *ctx;
    struct fx_kernel_task task;
    uint64_t tiles, left;
    uint8_t *taken; /* one bit a tile: done, or in a supertile */
    uint64_t scan;  /* no tile before this one is free */
    struct fx_kernel_stats stats;
    bool failed;
    char error[FX_KERNEL_TEXT];

    /* Memory; all NULL or 0 until the first step or load. */
    bool prepared;
    uint32_t chunk, chunks; /* segments each, and how many there are */
    uint32_t max_rows, max_cols, max_tiles;
    uint64_t header, perms, plain, table, lrows, limages, images, gathered, limbs, used;
    uint64_t list[FX_LISTS], sums[2], folds, found[2];
    uint32_t *header_host, *table_host, *list_host[FX_LISTS];
    uint8_t *stage_host, *tile_host;
    uint32_t *found_host, *head_host;

    struct fx_slot *slots;
    uint32_t n_slots, hand;
    uint32_t *where[2]; /* slot + 1 of (panel, chunk), a side */
    unsigned stage;
    bool stage_used[FX_OFFLOAD_STAGES];

    struct fx_super front, back; /* in work, and finished but not given out */
    struct fx_super mining;
    uint64_t n_lists[FX_LISTS]; /* lists written so far */
    bool mining_done;
    uint8_t mined_seed[32];
    bool mined;

    /* Whose noise is in lrows and limages, and whether G and H hold sums of the front under it. */
    bool noise_valid, gathering;
    struct fx_rect noise_rect;
    uint8_t noise_seed[32];
    bool perms_valid;
    uint8_t perms_seed[32];

    uint64_t started, completed; /* units; they are counted from 1 */
    struct fx_unit units[2];     /* by parity */

    struct fx_found *found_list; /* tickets to give out */
    size_t n_found, cap_found;
    uint8_t found_seed[32]; /* of the step that left them */

    unsigned give_pending; /* tiles asked for, in two halves */
    unsigned give_half;

    /* The step that runs. */
    const struct fx_kernel_header *now;
    const struct fx_kernel_sink *sink;
    const atomic_bool *cancel;
    int64_t deadline_ns;
    bool stop; /* the sink wants no more */
};

/* offload_call.c: whatever can fail gives false and leaves the reason in session->error. */
bool fx_offload_fail(struct fx_session *session, const char *why);
/* driver calls: fx_offload_ok(session, driver->write(..)). */
bool fx_offload_ok(struct fx_session *session, bool ok);
bool fx_offload_run(struct fx_session *session, enum fx_offload_kernel kernel, uint64_t groups,
                    const struct fx_offload_arg *args, unsigned n_args);
/* Everything on a queue has happened. */
bool fx_offload_finish(struct fx_session *session, enum fx_offload_queue queue);
/* Nothing is under way any more, whatever happened. */
void fx_offload_settle(struct fx_session *session);

/* offload_pace.c */
/* The first word on the device's speed. */
bool fx_offload_measure(struct fx_session *session);
/* This much work took so long. */
void fx_offload_learn(struct fx_session *session, uint64_t work, uint64_t ns);
/* Bricks that the device makes in this time. */
uint64_t fx_offload_work(const struct fx_session *session, uint64_t ns);
/* How many of `left` segments the next unit takes. */
uint32_t fx_offload_segments(const struct fx_session *session, uint64_t each, uint32_t left);
/* May a unit of this much work be started now? */
bool fx_offload_room(const struct fx_session *session, uint64_t work);

/* offload_memory.c */
/* Room for supertiles, at least as large as this one; memory is taken once. */
bool fx_offload_prepare(struct fx_session *session, const struct fx_rect *least);
void fx_offload_free(struct fx_session *session);
/* Entries that a list may have. */
uint32_t fx_offload_list_most(const struct fx_session *session);
/* Bytes of the table of a unit. */
uint64_t fx_offload_table_bytes(const struct fx_session *session);
/* How large a supertile may be, by the device's speed and the memory. */
void fx_offload_shape(const struct fx_session *session, uint32_t *rows, uint32_t *cols);

/* offload_collect.c */
/* Waits for the oldest unit, and takes over what it found. */
bool fx_offload_collect(struct fx_session *session);
bool fx_offload_drain(struct fx_session *session);

/* offload_slots.c */
/* Slots of one chunk of a rectangle into the table of the next unit: out is as `table` of
 * kernels/offload.h. Where the step is cancelled meanwhile, what was read stays, but out is not
 * whole. */
bool fx_offload_operands(struct fx_session *session, const struct fx_rect *rect, uint32_t chunk,
                         uint32_t *out);

/* offload_units.c */
/* Starts the next unit of a supertile, unless the step is cancelled; product: into its sums. */
bool fx_offload_start(struct fx_session *session, struct fx_super *super, bool product, bool mine);
bool fx_offload_peel(struct fx_session *session);
bool fx_offload_list(struct fx_session *session, struct fx_super *super, enum fx_list list);

/* offload_give.c */
/* Hands tickets to the sink; what it does not take stays. */
void fx_offload_give_tickets(struct fx_session *session);
/* Some tiles of the finished supertile. */
bool fx_offload_give_tiles(struct fx_session *session);

static inline bool fx_bit(const uint8_t *bits, uint64_t at)
{
    return bits[at >> 3] >> (at & 7) & 1;
}

static inline void fx_set_bit(uint8_t *bits, uint64_t at)
{
    bits[at >> 3] |= (uint8_t)(1 << (at & 7));
}

static inline struct fx_offload_arg fx_word(uint32_t value)
{
    return (struct fx_offload_arg){false, value};
}

static inline struct fx_offload_arg fx_buffer(uint64_t buffer)
{
    return (struct fx_offload_arg){true, buffer};
}

#endif
