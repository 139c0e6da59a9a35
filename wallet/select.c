/* Coin selection: branch and bound for no change, else one coin, else the largest first. */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

#define TRIES 100000

/* Largest first; the outpoint decides between equals, so that the same coins give the same choice.
 */
static int compare_candidates(const void *a, const void *b)
{
    const struct fx_candidate *x = a, *y = b;
    if (x->effective != y->effective) {
        return x->effective > y->effective ? -1 : 1;
    }
    return fx_outpoint_cmp(&x->outpoint, &y->outpoint);
}

/*
 * Depth first over sorted candidates, each taken or left out; cut where the sum is too large, or
 * where all that is left is too little. best is the set with the least excess.
 */
static bool branch_and_bound(const struct fx_candidate *c, size_t n, int64_t target,
                             int64_t no_change, bool *best)
{
    bool *taken = fx_xcalloc(n + 1, sizeof(*taken));
    int64_t sum = 0, left = 0, best_excess = no_change + 1;
    bool found = false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        left += c[i].effective;
    }
    for (unsigned tries = 0; tries < TRIES; tries++) {
        bool back = false;
        if (sum + left < target || sum - target >= best_excess) {
            back = true;
        } else if (sum >= target) {
            best_excess = sum - target;
            memcpy(best, taken, n * sizeof(*best));
            found = true;
            if (best_excess == 0) {
                break;
            }
            back = true;
        } else if (at == n) {
            back = true;
        }
        if (!back) {
            left -= c[at].effective;
            /* An equal coin that was just left out need not be tried again. */
            bool twin = at > 0 && !taken[at - 1] && c[at].effective == c[at - 1].effective;
            taken[at] = !twin;
            if (taken[at]) {
                sum += c[at].effective;
            }
            at++;
            continue;
        }
        while (at > 0 && !taken[at - 1]) {
            left += c[--at].effective;
        }
        if (at == 0) {
            break;
        }
        taken[at - 1] = false; /* leave out the last one that was taken, go on from there */
        sum -= c[at - 1].effective;
    }
    free(taken);
    return found;
}

static void swap(struct fx_candidate *a, struct fx_candidate *b)
{
    struct fx_candidate t = *a;
    *a = *b;
    *b = t;
}

size_t fx_select_coins(struct fx_candidate *candidates, size_t n, int64_t target, int64_t no_change)
{
    if (n == 0) {
        return 0;
    }
    qsort(candidates, n, sizeof(*candidates), compare_candidates);
    while (n > 0 && candidates[n - 1].effective <= 0) {
        n--; /* costs more than it brings */
    }
    bool *best = fx_xcalloc(n + 1, sizeof(*best));
    size_t chosen = 0;
    if (branch_and_bound(candidates, n, target, no_change, best)) {
        for (size_t i = 0; i < n; i++) {
            if (best[i]) {
                swap(&candidates[chosen++], &candidates[i]);
            }
        }
        free(best);
        return chosen;
    }
    free(best);
    /* With change: room for it, so that it is not smaller than what it costs. */
    int64_t with_change = target + no_change;
    for (size_t i = n; i-- > 0;) {
        if (candidates[i].effective >= with_change) {
            swap(&candidates[0], &candidates[i]);
            return 1;
        }
    }
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += candidates[i].effective;
        if (sum >= with_change) {
            return i + 1;
        }
    }
    return sum >= target ? n : 0;
}
