/* Headers that are fetched twice, as they may not be worth storing. */
#include "src/net/presync_int.h"

#include <stdlib.h>

#include "src/util/mem.h"

#define NEAR_TIP 144 /* blocks: what forks from the tip above is stored */

struct fx_presync *fx_presync_create(const struct fx_index *start)
{
    struct fx_presync *presync = fx_xcalloc(1, sizeof *presync);

    fx_stream_init(&presync->stream, start);
    presync->last = start;
    return presync;
}

void fx_presync_destroy(struct fx_presync *presync)
{
    if (presync != NULL) {
        free(presync->marks);
        free(presync);
    }
}

enum fx_verdict fx_presync_weigh(struct fx_presync *presync, const struct fx_params *params,
                                 const struct fx_header *headers, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        enum fx_verdict why = fx_stream_add(&presync->stream, params, &headers[i], now);

        if (why != FX_OK) {
            return why;
        }
    }
    if (presync->n_marks == presync->cap_marks) {
        presync->cap_marks = presync->cap_marks == 0 ? 8 : presync->cap_marks * 2;
        presync->marks =
            fx_xreallocarray(presync->marks, presync->cap_marks, sizeof *presync->marks);
    }
    presync->marks[presync->n_marks++] =
        (struct fx_presync_mark){presync->stream.id, presync->stream.height};
    return FX_OK;
}

void fx_presync_turn(struct fx_presync *presync)
{
    presync->again = true;
}

size_t fx_presync_same(const struct fx_presync *presync, const struct fx_header *headers, size_t n)
{
    const struct fx_presync_mark *mark = &presync->marks[presync->next_mark];
    size_t to_mark = mark->height - presync->last->height;
    struct fx_hash id;

    if (to_mark > n) {
        return 0;
    }
    fx_header_id(&headers[to_mark - 1], &id);
    if (!fx_hash_equal(&id, &mark->id)) {
        return 0;
    }
    return presync->next_mark + 1 == presync->n_marks ? n : to_mark;
}

bool fx_presync_stored(struct fx_presync *presync, const struct fx_index *last)
{
    presync->last = last;
    while (presync->next_mark < presync->n_marks &&
           last->height >= presync->marks[presync->next_mark].height) {
        presync->next_mark++;
    }
    return presync->next_mark < presync->n_marks;
}

/* The work of the tip without its last blocks, as if each weighed what the last one does. */
static struct fx_u256 floor_of(const struct fx_index *tip)
{
    struct fx_u256 floor = tip->work, last = tip->work;

    if (tip->parent != NULL) {
        fx_u256_sub(&tip->work, &tip->parent->work, &last);
    }
    if (fx_u256_mul64(&last, NEAR_TIP, &last) || fx_u256_cmp(&last, &floor) >= 0) {
        return fx_u256_zero;
    }
    fx_u256_sub(&floor, &last, &floor);
    return floor;
}

bool fx_presync_is_enough(const struct fx_chain *chain, const struct fx_stream *stream)
{
    const struct fx_index *tip = fx_chain_tip(chain);
    const struct fx_index *fork = fx_index_fork(stream->start, tip);
    struct fx_u256 floor = floor_of(tip), theirs;

    if (fx_u256_cmp(&stream->hash_work, fx_chain_min_work(chain)) < 0 ||
        fx_u256_cmp(&stream->work, &floor) < 0) {
        return false;
    }
    if (fx_u256_cmp(&floor, &fork->work) <= 0) {
        return true;
    }
    fx_u256_sub(&floor, &fork->work, &floor);
    fx_u256_sub(&stream->hash_work, &fork->hash_work, &theirs);
    return fx_u256_mul64(&theirs, FX_STREAM_SHARE, &theirs) || fx_u256_cmp(&theirs, &floor) >= 0;
}
