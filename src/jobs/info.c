/* What callers see of jobs and tasks. */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

/* What a check says counts more than what a settlement waits for. */
static void set_text(const struct fx_note *note, enum fx_task_status status, char *text)
{
    bool over =
        status == FX_STATUS_SETTLED || status == FX_STATUS_REFUNDED || status == FX_STATUS_REJECTED;

    if (note->text[0] != '\0') {
        memcpy(text, note->text, FX_NOTE_TEXT);
    } else if (!over) {
        memcpy(text, note->end_text, FX_NOTE_TEXT);
    }
}

static enum fx_task_reason reason_of(const struct fx_book_task *task, const struct fx_note *note)
{
    const struct fx_task_event *last;

    if (note != NULL && note->check == FX_CHECK_WRONG) {
        return FX_REASON_WRONG;
    }
    for (uint32_t i = task->state.n_events; i-- > 0;) {
        last = &task->events[i];
        if (last->action == FX_ACTION_FRAUD) {
            return FX_REASON_WRONG;
        }
        if (last->action == FX_ACTION_EXPIRE) {
            return last->challenged ? FX_REASON_UNANSWERED : FX_REASON_ABANDONED;
        }
        if (last->action == FX_ACTION_REJECT) {
            return FX_REASON_UNDELIVERED;
        }
    }
    return FX_REASON_NONE;
}

/* The job that it is of, and where in that. */
static void set_place(const struct fx_jobs *jobs, const struct fx_book_task *task,
                      struct fx_task_info *info)
{
    const struct fx_own_job *own = fx_own_of(jobs, &task->job->id);

    info->job = own != NULL ? own->id : task->job->id;
    for (size_t i = 0; own != NULL && i < own->n_offers; i++) {
        if (fx_hash_equal(&own->offers[i].txid, &task->job->id)) {
            fx_own_place(own, own->offers[i].part, &info->product, &info->part);
            return;
        }
    }
}

void fx_jobs_fill_task(struct fx_jobs *jobs, const struct fx_book_task *task,
                       struct fx_task_info *info)
{
    const struct fx_book_state *state = &task->state;
    const struct fx_note *note = fx_note_find(jobs, task);

    memset(info, 0, sizeof *info);
    info->origin = task->origin;
    set_place(jobs, task, info);
    info->preimage = fx_book_funded_preimage(task);
    info->spec = task->job->spec;
    info->index = task->index;
    info->shape = task->shape;
    info->escrow = state->escrow;
    info->status = state->status;
    info->h0 = state->h0;
    info->outpoint = state->outpoint;
    info->restored = state->restored;
    info->asked = state->asked;
    info->tile = state->tile;
    info->reason = reason_of(task, note);
    info->n_events = state->n_events;
    info->events = task->events;
    info->claim = state->claim;
    info->claim_height = state->claim_height;
    info->solver = state->solver;
    info->result = state->result;
    info->bond = state->bond;
    info->burn = state->burn;
    info->end_txid = state->end_txid;
    info->end_height = state->end_height;
    info->end_action = state->end_action;
    info->backed = state->backed;
    info->operands_here = fx_jobs_has_operands(jobs, task->job);
    info->is_client = fx_jobs_wallet_of(jobs, &task->job->spec.client) != NULL;
    info->is_solver = fx_book_is_claim(task) && fx_jobs_wallet_of(jobs, &state->solver) != NULL;
    if (fx_mempool_spender(jobs->config.mempool, &state->outpoint) != NULL) {
        info->spender = fx_mempool_spender(jobs->config.mempool, &state->outpoint)->txid;
    }
    if (note != NULL) {
        info->check = note->check;
        info->rounds = note->rounds;
        info->certified = note->certified;
        set_text(note, state->status, info->note);
    }
    info->n_blocks = task->n_blocks;
    info->blocks = task->blocks;
}

bool fx_jobs_task(struct fx_jobs *jobs, const struct fx_outpoint *origin, struct fx_task_info *info)
{
    const struct fx_book_task *task = fx_jobs_find(jobs, origin);

    if (task != NULL) {
        fx_jobs_fill_task(jobs, task, info);
    }
    return task != NULL;
}

static int by_id(const void *a, const void *b)
{
    const struct fx_book_job *x = *(struct fx_book_job *const *)a;
    const struct fx_book_job *y = *(struct fx_book_job *const *)b;

    return fx_hash_cmp(&x->id, &y->id);
}

/* The jobs of the mempool that no block has, by id; the caller frees. */
static size_t pending_jobs(const struct fx_jobs *jobs, struct fx_book_job ***list)
{
    size_t n = 0, at = 0;
    void *value;

    *list = fx_xcalloc(fx_map_count(jobs->pending) + 1, sizeof(struct fx_book_job *));
    while (fx_map_next(jobs->pending, &at, NULL, &value)) {
        struct fx_book_job *job = value;

        if (fx_book_find_job(jobs->book, &job->id) == NULL) {
            (*list)[n++] = job;
        }
    }
    qsort(*list, n, sizeof(struct fx_book_job *), by_id);
    return n;
}

/* The transactions of one job that are known: of an own one all, in order; the caller frees. */
static size_t jobs_of(const struct fx_jobs *jobs, const struct fx_hash *id,
                      struct fx_book_job ***list)
{
    const struct fx_own_job *own = fx_own_find(jobs, id);
    struct fx_book_job *one;
    size_t n = 0;

    *list = fx_xcalloc(own != NULL ? own->n_offers : 1, sizeof(struct fx_book_job *));
    for (size_t i = 0; own != NULL && i < own->n_offers; i++) {
        one = fx_jobs_find_job(jobs, &own->offers[i].txid);
        if (one != NULL) {
            (*list)[n++] = one;
        }
    }
    one = own == NULL ? fx_jobs_find_job(jobs, id) : NULL;
    if (one != NULL) {
        (*list)[n++] = one;
    }
    return n;
}

/* ---- lists of tasks ---------------------------------------------------------------------- */

struct page {
    const struct fx_task_filter *filter;
    size_t passed; /* tasks that fit, before the first of the page */
    const struct fx_book_task **tasks;
    size_t n, cap;
};

static bool wants(const struct fx_task_filter *filter, enum fx_task_status status)
{
    return filter->statuses == 0 || (filter->statuses & FX_STATUS_BIT(status)) != 0;
}

static bool is_full(const struct page *page)
{
    return page->filter->count > 0 && page->n == page->filter->count;
}

static void consider(struct page *page, const struct fx_book_task *task)
{
    if (!wants(page->filter, task->state.status) ||
        (page->filter->restored && task->state.restored == 0)) {
        return;
    }
    if (page->passed < page->filter->skip) {
        page->passed++;
        return;
    }
    if (page->n == page->cap) {
        page->cap = page->cap == 0 ? 64 : 2 * page->cap;
        page->tasks = fx_xreallocarray(page->tasks, page->cap, sizeof(struct fx_book_task *));
    }
    page->tasks[page->n++] = task;
}

static void consider_job(struct page *page, const struct fx_book_job *job)
{
    for (size_t i = 0; i < job->n_tasks && !is_full(page); i++) {
        consider(page, job->tasks[i]);
    }
}

/* A job of the book: none of its tasks is looked at where that can be told from their number. */
static void consider_mined(struct page *page, const struct fx_book_job *job)
{
    size_t fit = 0;

    for (size_t status = 0; status <= FX_STATUS_REJECTED; status++) {
        fit += wants(page->filter, (enum fx_task_status)status) ? job->n_status[status] : 0;
    }
    if (fit > 0 && !page->filter->restored && page->passed + fit <= page->filter->skip) {
        page->passed += fit;
    } else if (fit > 0) {
        consider_job(page, job);
    }
}

static void read_page(const struct fx_jobs *jobs, struct page *page)
{
    const struct fx_task_filter *filter = page->filter;
    const struct fx_book_job *job;
    struct fx_book_job **some = NULL;
    size_t n = 0;

    if (filter->job != NULL) {
        n = jobs_of(jobs, filter->job, &some);
    } else {
        for (size_t i = 0; !is_full(page) && (job = fx_book_aged_job(jobs->book, i)) != NULL; i++) {
            consider_mined(page, job);
        }
        if (!is_full(page) && wants(filter, FX_STATUS_PENDING)) {
            n = pending_jobs(jobs, &some);
        }
    }
    for (size_t i = 0; i < n; i++) {
        consider_job(page, some[i]);
    }
    free(some);
}

size_t fx_jobs_tasks(struct fx_jobs *jobs, const struct fx_task_filter *filter,
                     struct fx_task_info **infos)
{
    struct page page = {.filter = filter};

    read_page(jobs, &page);
    *infos = fx_xcalloc(page.n, sizeof **infos);
    for (size_t i = 0; i < page.n; i++) {
        fx_jobs_fill_task(jobs, page.tasks[i], &(*infos)[i]);
    }
    free(page.tasks);
    return page.n;
}

/* ---- jobs -------------------------------------------------------------------------------- */

static void count_task(const struct fx_jobs *jobs, const struct fx_book_task *task,
                       struct fx_job_info *info)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    switch (task->state.status) {
    case FX_STATUS_PENDING:
        info->status = FX_JOB_PENDING;
        break;
    case FX_STATUS_OPEN:
        info->n_open++;
        break;
    case FX_STATUS_CLAIMED:
        info->n_claimed++;
        break;
    case FX_STATUS_SETTLED:
        info->n_settled++;
        break;
    case FX_STATUS_REFUNDED:
        info->n_refunded++;
        break;
    case FX_STATUS_CHALLENGED:
        info->n_challenged++;
        break;
    case FX_STATUS_REJECTED:
        info->n_rejected++;
        break;
    }
    if (note != NULL && note->certified) {
        info->n_certified++;
    }
    if (note != NULL && note->check == FX_CHECK_WRONG) {
        info->n_wrong++;
    }
    for (uint32_t i = 0; i < task->state.n_events; i++) {
        info->n_wrong += task->events[i].action == FX_ACTION_FRAUD ? 1 : 0;
    }
    info->n_here += fx_view_is_here(jobs, task) ? 1 : 0;
}

/* A task that is neither mined nor in the mempool. */
static void count_absent(enum fx_view_offered offered, struct fx_job_info *info, size_t *n_dropped)
{
    switch (offered) {
    case FX_VIEW_NOT_OFFERED:
        (*n_dropped)++;
        break;
    case FX_VIEW_WAITING:
        info->n_waiting++;
        break;
    case FX_VIEW_SENT:
        info->status = FX_JOB_PENDING;
        break;
    }
}

static void count_product(const struct fx_jobs *jobs, const struct fx_job_view *view,
                          struct fx_job_info *info, size_t *n_dropped)
{
    for (size_t p = 0; p < view->n_parts; p++) {
        const struct fx_view_part *part = &view->parts[p];

        for (uint32_t i = 0; i < part->n_tasks; i++) {
            if (part->tasks[i] != NULL) {
                count_task(jobs, part->tasks[i], info);
            } else {
                count_absent((enum fx_view_offered)part->offered[i], info, n_dropped);
            }
        }
        info->n_tasks += part->n_tasks;
    }
}

static void set_status(struct fx_job_info *info, size_t n_dropped)
{
    size_t lost = info->n_refunded + info->n_rejected + n_dropped;

    info->result_here = info->n_here == info->n_tasks;
    if (n_dropped == info->n_tasks) {
        info->status = FX_JOB_CANCELLED;
    } else if (info->status == FX_JOB_OPEN && info->n_waiting == 0 && info->n_open == 0 &&
               info->n_claimed == 0 && info->n_challenged == 0) {
        info->status = lost > 0 ? FX_JOB_ENDED : FX_JOB_DONE;
    }
}

static void add_escrows(const struct fx_book_job *job, struct fx_job_info *info)
{
    for (size_t i = 0; i < job->n_tasks; i++) {
        /* The rules bound every amount of a transaction and their sum. */
        fx_amount_add(info->reward, job->tasks[i]->state.escrow, &info->reward);
    }
}

static void fill_own(const struct fx_jobs *jobs, const struct fx_own_job *own,
                     struct fx_job_info *info)
{
    info->gemm = own->parts[0].gemm;
    info->spec.version = 1;
    info->spec.kind = FX_KIND_GEMM;
    info->spec.client = own->client;
    info->spec.deadline = own->offers[0].deadline;
    info->spec.window = own->window;
    info->spec.exclusive = own->exclusive;
    info->n_products = own->n_products;
    info->submitted = own->submitted;
    memcpy(info->note, own->text, sizeof info->note);
    for (size_t i = 0; i < own->n_offers; i++) {
        const struct fx_own_tx *offer = &own->offers[i];

        if (fx_own_tx_status(jobs, offer) == FX_JOB_TX_DROPPED) {
            continue;
        }
        /* Below all money: checked when it was quoted. */
        info->reward += own->parts[offer->part].escrow * (int64_t)offer->count;
        info->fee += offer->fee;
    }
}

static void fill_other(const struct fx_book_job *job, struct fx_job_info *info)
{
    info->spec = job->spec;
    info->gemm = job->gemm;
    info->n_products = 1;
    add_escrows(job, info);
}

/* The tasks of an announcement that has only some of its matrix, or is of another kind. */
static void count_other(const struct fx_jobs *jobs, const struct fx_book_job *job,
                        struct fx_job_info *info)
{
    for (size_t i = 0; i < job->n_tasks; i++) {
        count_task(jobs, job->tasks[i], info);
    }
    info->n_tasks = job->n_tasks;
}

/* By its name; false: there is none. */
static bool fill_job(struct fx_jobs *jobs, const struct fx_hash *id, struct fx_job_info *info)
{
    const struct fx_own_job *own = fx_own_find(jobs, id);
    const struct fx_book_job *job = fx_jobs_find_job(jobs, id);
    struct fx_job_view view;
    size_t n_dropped = 0;

    memset(info, 0, sizeof *info);
    if (own == NULL && job == NULL) {
        return false;
    }
    info->id = *id;
    info->status = FX_JOB_OPEN;
    info->height = job != NULL ? job->tasks[0]->state.h0 : 0;
    if (own != NULL) {
        fill_own(jobs, own, info);
        for (size_t i = 0; fx_job_view_open(jobs, id, i, &view); i++) {
            count_product(jobs, &view, info, &n_dropped);
            fx_job_view_close(&view);
        }
    } else {
        fill_other(job, info);
        count_other(jobs, job, info);
    }
    fx_jobs_product(jobs, id, 0, &info->product);
    info->own = fx_jobs_wallet_of(jobs, &info->spec.client) != NULL;
    set_status(info, n_dropped);
    if (own == NULL &&
        (job->spec.kind != FX_KIND_GEMM || job->n_tasks != job->kind->task_count(job->spec.body))) {
        info->result_here = false;
    }
    return true;
}

bool fx_jobs_get(struct fx_jobs *jobs, const struct fx_hash *job, struct fx_job_info *info)
{
    return fill_job(jobs, job, info);
}

/* A job of a list, as far as its place there needs. */
struct listed {
    struct fx_hash id;
    uint32_t height; /* of its first transaction; 0: not confirmed */
};

struct list {
    struct listed *jobs;
    size_t n;
};

static int by_height(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    uint32_t hx = x->height - 1, hy = y->height - 1; /* pending ones, of height 0, come last */

    if (hx != hy) {
        return hx < hy ? -1 : 1;
    }
    return fx_hash_cmp(&x->id, &y->id);
}

/* own: where a loaded wallet has the client's key. */
static void list_job(const struct fx_jobs *jobs, const struct fx_hash *id,
                     const struct fx_hash *client, bool own, struct list *list)
{
    const struct fx_book_job *job;

    if (!own || fx_jobs_wallet_of(jobs, client) != NULL) {
        job = fx_book_find_job(jobs->book, id);
        list->jobs[list->n].id = *id;
        list->jobs[list->n++].height = job != NULL ? job->tasks[0]->state.h0 : 0;
    }
}

/* One that is not known as an own job, which its transactions belong to. */
static void list_other(const struct fx_jobs *jobs, const struct fx_book_job *job, bool own,
                       struct list *list)
{
    if (fx_own_of(jobs, &job->id) == NULL) {
        list_job(jobs, &job->id, &job->spec.client, own, list);
    }
}

static void list_all(const struct fx_jobs *jobs, bool own, struct list *list)
{
    struct fx_book_job **pending;
    const struct fx_book_job *job;
    size_t n_pending = pending_jobs(jobs, &pending), at = 0;
    const void *key;
    void *value;

    list->n = 0;
    list->jobs =
        fx_xcalloc(fx_book_count_jobs(jobs->book) + n_pending + fx_map_count(jobs->own) + 1,
                   sizeof *list->jobs);
    while (fx_map_next(jobs->own, &at, &key, &value)) {
        list_job(jobs, key, &((const struct fx_own_job *)value)->client, own, list);
    }
    for (size_t i = 0; (job = fx_book_aged_job(jobs->book, i)) != NULL; i++) {
        list_other(jobs, job, own, list);
    }
    for (size_t i = 0; i < n_pending; i++) {
        list_other(jobs, pending[i], own, list);
    }
    free(pending);
    qsort(list->jobs, list->n, sizeof *list->jobs, by_height);
}

size_t fx_jobs_list(struct fx_jobs *jobs, bool own, size_t count, size_t skip,
                    struct fx_job_info **infos)
{
    struct list list;
    size_t end, first, n = 0;

    list_all(jobs, own, &list);
    end = list.n > skip ? list.n - skip : 0;
    first = end > count ? end - count : 0;
    *infos = fx_xcalloc(end - first + 1, sizeof **infos);
    for (size_t i = first; i < end; i++) {
        n += fill_job(jobs, &list.jobs[i].id, &(*infos)[n]) ? 1 : 0;
    }
    free(list.jobs);
    return n;
}

size_t fx_jobs_txs(struct fx_jobs *jobs, const struct fx_hash *job, struct fx_job_tx **offers)
{
    const struct fx_own_job *own = fx_own_find(jobs, job);
    size_t n = own != NULL ? own->n_offers : 0;

    *offers = fx_xcalloc(n + 1, sizeof **offers);
    for (size_t i = 0; i < n; i++) {
        const struct fx_own_tx *from = &own->offers[i];
        const struct fx_book_job *mined = fx_book_find_job(jobs->book, &from->txid);
        struct fx_job_tx *to = &(*offers)[i];

        to->txid = from->txid;
        to->status = fx_own_tx_status(jobs, from);
        fx_own_place(own, from->part, &to->product, &to->part);
        to->first = from->first;
        to->count = from->count;
        to->escrow = own->parts[from->part].escrow;
        to->fee = from->fee;
        to->deadline = from->deadline;
        to->automatic = from->automatic;
        to->height = mined != NULL ? mined->tasks[0]->state.h0 : 0;
    }
    return n;
}

size_t fx_jobs_names_root(struct fx_jobs *jobs, const struct fx_blob_key *key,
                          struct fx_blob_shape *shapes, size_t max)
{
    return fx_book_names_root(jobs->book, key, shapes, max);
}
