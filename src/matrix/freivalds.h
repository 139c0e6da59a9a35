/*
 * Freivalds' check of a whole result (protocol section 8): C x = A (B x) over F_p, p = 2^61 - 1,
 * with x random. A wrong C passes with probability at most 2^-61 a round.
 *
 * Everything streams: each operand block of the task and each tile is read once, for all rounds.
 * The memory is bounded by rounds * (k * 8 bytes + 384 KiB) and, a thread, 64 KiB + rounds * 16
 * KiB, whatever the size of the task. Safe to run on any thread, as far as the source is.
 */
#ifndef FX_MATRIX_FREIVALDS_H
#define FX_MATRIX_FREIVALDS_H

#include "consensus/kinds/kind.h"
#include "src/matrix/source.h"
#include "src/sys/pool.h"

#define FX_FREIVALDS_ROUNDS_MAX 8

enum fx_freivalds {
    FX_FREIVALDS_EQUAL = 0,
    FX_FREIVALDS_DIFFERENT,
    FX_FREIVALDS_UNREADABLE /* the source gave up: nothing was found out */
};

/*
 * Checks one task's rectangle. rounds: 1 to FX_FREIVALDS_ROUNDS_MAX. key: 32 bytes that nobody else
 * knows, from the system's randomness; x is drawn from it. pool: shares the work with this thread,
 * may be NULL, and runs no other loop meanwhile; any of its threads asks the source, one at a time
 * unless that is shared. FX_FREIVALDS_DIFFERENT sets *row to the first row that differs, absolute,
 * in entries (where the source gives up, of those looked at).
 */
enum fx_freivalds fx_freivalds_check(const struct fx_task_shape *shape,
                                     const struct fx_source *source, unsigned rounds,
                                     const uint8_t key[32], struct fx_pool *pool, uint32_t *row);
/*
 * Recomputes a row and finds the first column whose entry differs: *column, absolute.
 * FX_FREIVALDS_EQUAL where none does.
 */
enum fx_freivalds fx_freivalds_locate(const struct fx_task_shape *shape,
                                      const struct fx_source *source, uint32_t row,
                                      uint32_t *column);

#endif
