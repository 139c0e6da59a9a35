/* A product of a job as its tasks make it up, whichever transactions they are of. */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/util/mem.h"

static void part_init(struct fx_view_part *part, const struct fx_gemm *gemm)
{
    part->gemm = *gemm;
    part->n_tasks = fx_own_count_tasks(gemm);
    part->tasks = fx_xcalloc(part->n_tasks, sizeof(const struct fx_book_task *));
    part->offered = fx_xcalloc(part->n_tasks, sizeof *part->offered);
}

/* Of two tasks that make the same part of the result: the one whose result is right, else the one
 * that was offered last. */
static void put_task(const struct fx_jobs *jobs, struct fx_view_part *part,
                     const struct fx_book_task *task)
{
    const struct fx_book_task **at = &part->tasks[task->index];

    if (*at == NULL || fx_view_check(jobs, *at) != FX_CHECK_RIGHT) {
        *at = task;
    }
}

static void put_offer(const struct fx_jobs *jobs, const struct fx_own_tx *offer,
                      struct fx_view_part *part)
{
    const struct fx_book_job *job = fx_jobs_find_job(jobs, &offer->txid);
    enum fx_job_tx_status status = fx_own_tx_status(jobs, offer);

    if (status == FX_JOB_TX_DROPPED) {
        return;
    }
    for (uint32_t i = offer->first; i < part->n_tasks && i - offer->first < offer->count; i++) {
        part->offered[i] = (uint8_t)(status == FX_JOB_TX_WAITING ? FX_VIEW_WAITING : FX_VIEW_SENT);
        /* Offered again: what it came to before does not count any more. */
        if (part->tasks[i] != NULL && fx_view_check(jobs, part->tasks[i]) != FX_CHECK_RIGHT) {
            part->tasks[i] = NULL;
        }
    }
    for (size_t i = 0; job != NULL && i < job->n_tasks; i++) {
        if (job->tasks[i]->index < part->n_tasks) {
            put_task(jobs, part, job->tasks[i]);
        }
    }
}

static bool open_own(const struct fx_jobs *jobs, const struct fx_own_job *own, size_t number,
                     struct fx_job_view *view)
{
    const struct fx_own_product *product;

    if (number >= own->n_products) {
        return false;
    }
    product = &own->products[number];
    fx_own_product_get(own, number, &view->product);
    view->n_parts = product->n_parts;
    view->parts = fx_xcalloc(view->n_parts, sizeof *view->parts);
    for (size_t i = 0; i < view->n_parts; i++) {
        part_init(&view->parts[i], &own->parts[product->first_part + i].gemm);
    }
    for (size_t i = 0; i < own->n_offers; i++) {
        uint32_t part = own->offers[i].part - product->first_part;

        if (own->offers[i].part >= product->first_part && part < product->n_parts) {
            put_offer(jobs, &own->offers[i], &view->parts[part]);
        }
    }
    return true;
}

static bool open_other(const struct fx_jobs *jobs, const struct fx_book_job *job, size_t number,
                       struct fx_job_view *view)
{
    if (job == NULL || job->spec.kind != FX_KIND_GEMM || number != 0) {
        return false;
    }
    fx_view_padded_product(&job->gemm, &view->product);
    view->n_parts = 1;
    view->parts = fx_xcalloc(1, sizeof *view->parts);
    part_init(&view->parts[0], &job->gemm);
    for (size_t i = 0; i < job->n_tasks; i++) {
        view->parts[0].offered[job->tasks[i]->index] = FX_VIEW_SENT;
        put_task(jobs, &view->parts[0], job->tasks[i]);
    }
    return true;
}

bool fx_job_view_open(const struct fx_jobs *jobs, const struct fx_hash *id, size_t product,
                      struct fx_job_view *view)
{
    const struct fx_own_job *own = fx_own_find(jobs, id);

    memset(view, 0, sizeof *view);
    return own != NULL ? open_own(jobs, own, product, view)
                       : open_other(jobs, fx_jobs_find_job(jobs, id), product, view);
}

void fx_job_view_close(struct fx_job_view *view)
{
    for (size_t i = 0; i < view->n_parts; i++) {
        free(view->parts[i].tasks);
        free(view->parts[i].offered);
    }
    free(view->parts);
}

void fx_view_padded_product(const struct fx_gemm *gemm, struct fx_job_product *product)
{
    memset(product, 0, sizeof *product);
    product->rows = gemm->m;
    product->columns = gemm->n;
    product->depth = gemm->k;
    product->limbs_a = product->limbs_b = 1;
    product->type = FX_TYPE_INT32;
    product->scale_a = product->scale_b = 1;
    product->n_parts = 1;
}

enum fx_check_status fx_view_check(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    return note != NULL ? note->check : FX_CHECK_NONE;
}

bool fx_view_is_here(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (task == NULL || fx_view_check(jobs, task) != FX_CHECK_RIGHT) {
        return false;
    }
    fx_book_result(task, &key, &shape);
    return fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE;
}

bool fx_jobs_product(struct fx_jobs *jobs, const struct fx_hash *job, size_t number,
                     struct fx_job_product *product)
{
    const struct fx_own_job *own = fx_own_find(jobs, job);
    const struct fx_book_job *other = fx_jobs_find_job(jobs, job);

    if (own != NULL && number < own->n_products) {
        fx_own_product_get(own, number, product);
        return true;
    }
    if (own != NULL || other == NULL || other->spec.kind != FX_KIND_GEMM || number > 0) {
        return false;
    }
    fx_view_padded_product(&other->gemm, product);
    return true;
}
