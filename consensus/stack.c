/* The stack of the interpreter. */
#include "consensus/stack_int.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script_num.h"
#include "src/util/mem.h"

void fx_stack_init(struct fx_stack *stack)
{
    stack->items = stack->room;
    stack->n = 0;
    stack->cap = FX_STACK_ROOM;
}

void fx_stack_clear(struct fx_stack *stack)
{
    if (stack->items != stack->room) {
        free(stack->items);
    }
    fx_stack_init(stack);
}

static void reserve(struct fx_stack *stack, size_t more)
{
    size_t cap = stack->cap;

    if (cap - stack->n >= more) {
        return;
    }
    while (cap - stack->n < more) {
        cap *= 2;
    }
    if (stack->items == stack->room) {
        stack->items = (struct fx_stack_item *)fx_xreallocarray(NULL, cap, sizeof *stack->items);
        memcpy(stack->items, stack->room, stack->n * sizeof *stack->items);
    } else {
        stack->items =
            (struct fx_stack_item *)fx_xreallocarray(stack->items, cap, sizeof *stack->items);
    }
    stack->cap = cap;
}

void fx_stack_copy(struct fx_stack *stack, const struct fx_stack *from)
{
    fx_stack_init(stack);
    reserve(stack, from->n);
    memcpy(stack->items, from->items, from->n * sizeof *from->items);
    stack->n = from->n;
}

struct fx_span fx_stack_item_span(const struct fx_stack_item *item)
{
    struct fx_span span = {item->view != NULL ? item->view : item->own, item->len};

    return span;
}

struct fx_stack_item *fx_stack_at(const struct fx_stack *stack, size_t depth)
{
    return &stack->items[stack->n - 1 - depth];
}

struct fx_span fx_stack_peek(const struct fx_stack *stack, size_t depth)
{
    return fx_stack_item_span(fx_stack_at(stack, depth));
}

void fx_stack_push_view(struct fx_stack *stack, struct fx_span data)
{
    struct fx_stack_item *item;

    reserve(stack, 1);
    item = &stack->items[stack->n++];
    item->view = data.data;
    item->len = data.len;
}

void fx_stack_push_copy(struct fx_stack *stack, const void *data, size_t n)
{
    struct fx_stack_item *item;

    reserve(stack, 1);
    item = &stack->items[stack->n++];
    item->view = NULL;
    item->len = n;
    if (n > 0) {
        memcpy(item->own, data, n);
    }
}

void fx_stack_push_item(struct fx_stack *stack, const struct fx_stack_item *item)
{
    struct fx_stack_item copy = *item; /* it may lie in the array that moves */

    reserve(stack, 1);
    stack->items[stack->n++] = copy;
}

void fx_stack_push_number(struct fx_stack *stack, int64_t value)
{
    uint8_t raw[FX_SCRIPT_NUM_BYTES];

    fx_stack_push_copy(stack, raw, fx_script_num_write(value, raw));
}

void fx_stack_push_bool(struct fx_stack *stack, bool value)
{
    fx_stack_push_copy(stack, "\x01", value ? 1 : 0);
}

void fx_stack_drop(struct fx_stack *stack, size_t n)
{
    stack->n -= n;
}

void fx_stack_remove(struct fx_stack *stack, size_t depth)
{
    struct fx_stack_item *item = fx_stack_at(stack, depth);

    memmove(item, item + 1, depth * sizeof *item);
    stack->n--;
}

void fx_stack_insert(struct fx_stack *stack, size_t depth, const struct fx_stack_item *item)
{
    struct fx_stack_item copy = *item;
    struct fx_stack_item *place;

    reserve(stack, 1);
    place = stack->items + (stack->n - depth);
    memmove(place + 1, place, depth * sizeof *place);
    *place = copy;
    stack->n++;
}
