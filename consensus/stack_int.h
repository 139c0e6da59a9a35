/*
 * The stack of the interpreter. An item is a view of bytes of a script or a witness, which outlive
 * the run, or holds what an operation computed: no result is longer than a hash.
 */
#ifndef FX_CONSENSUS_STACK_INT_H
#define FX_CONSENSUS_STACK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/span.h"

#define FX_STACK_OWN 32  /* bytes that an item can hold */
#define FX_STACK_ROOM 16 /* items before the heap is asked */

struct fx_stack_item {
    const uint8_t *view; /* NULL: the bytes are in own */
    size_t len;
    uint8_t own[FX_STACK_OWN];
};

/* Not to be copied or moved: items may point into it. */
struct fx_stack {
    struct fx_stack_item *items; /* bottom first */
    size_t n;
    size_t cap;
    struct fx_stack_item room[FX_STACK_ROOM];
};

void fx_stack_init(struct fx_stack *stack);
void fx_stack_clear(struct fx_stack *stack);
/* init, then the same items. */
void fx_stack_copy(struct fx_stack *stack, const struct fx_stack *from);

/* The bytes of an item: valid until the item is gone or the stack grows. */
struct fx_span fx_stack_item_span(const struct fx_stack_item *item);
/* The item `depth` below the top: 0 is the top itself, depth < stack->n. */
struct fx_stack_item *fx_stack_at(const struct fx_stack *stack, size_t depth);
struct fx_span fx_stack_peek(const struct fx_stack *stack, size_t depth);

void fx_stack_push_view(struct fx_stack *stack, struct fx_span data);
void fx_stack_push_copy(struct fx_stack *stack, const void *data, size_t n); /* n <= FX_STACK_OWN */
void fx_stack_push_item(struct fx_stack *stack, const struct fx_stack_item *item);
void fx_stack_push_number(struct fx_stack *stack, int64_t value);
void fx_stack_push_bool(struct fx_stack *stack, bool value);
/* n <= stack->n. */
void fx_stack_drop(struct fx_stack *stack, size_t n);
/* The item at a depth away, those above it one down. */
void fx_stack_remove(struct fx_stack *stack, size_t depth);
/* A copy of the item put in so that it is at the depth. depth <= stack->n. */
void fx_stack_insert(struct fx_stack *stack, size_t depth, const struct fx_stack_item *item);

#endif
