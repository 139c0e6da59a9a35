/* A job and its tasks by themselves: from an announcement, as preimages, as names of blobs. */
#include "src/jobs/book_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

static struct fx_span span_of(const struct fx_buf *buf)
{
    struct fx_span span = {buf->data, buf->len};

    return span;
}

static void task_destroy(struct fx_book_task *task)
{
    fx_buf_clear(&task->preimage);
    fx_buf_clear(&task->again);
    free(task->events);
    free(task->blocks);
    free(task);
}

void fx_book_job_destroy(struct fx_book_job *job)
{
    if (job == NULL) {
        return;
    }
    for (size_t i = 0; i < job->n_tasks; i++) {
        task_destroy(job->tasks[i]);
    }
    free(job->tasks);
    fx_buf_clear(&job->bytes);
    free(job);
}

struct fx_book_job *fx_book_job_create(const struct fx_params *params, const struct fx_hash *id,
                                       uint32_t first, struct fx_span spec)
{
    struct fx_book_job *job = fx_xcalloc(1, sizeof *job);

    job->id = *id;
    job->first = first;
    fx_buf_bytes(&job->bytes, spec.data, spec.len);
    if (!fx_task_spec_read(params, span_of(&job->bytes), &job->spec)) {
        fx_book_job_destroy(job);
        return NULL;
    }
    job->kind = fx_kind_find(params->kinds, job->spec.kind);
    if (job->spec.kind == FX_KIND_GEMM) {
        fx_gemm_read(job->spec.body, &job->gemm);
    }
    return job;
}

struct fx_book_task *fx_book_task_create(struct fx_book_job *job, uint32_t vout)
{
    uint64_t index = (uint64_t)job->first + vout - 1;
    struct fx_book_task *task;

    if (vout == 0 || index > UINT32_MAX || index >= job->kind->task_count(job->spec.body)) {
        return NULL;
    }
    task = fx_xcalloc(1, sizeof *task);
    task->job = job;
    task->origin.txid = job->id;
    task->origin.index = vout;
    task->index = (uint32_t)index;
    job->kind->task_shape(job->spec.body, task->index, &task->shape);
    fx_task_fresh_preimage(&job->spec, task->index, &task->preimage);
    task->state.outpoint = task->origin;
    return task;
}

void fx_book_job_add(struct fx_book_job *job, struct fx_book_task *task)
{
    if ((job->n_tasks & (job->n_tasks - 1)) == 0) {
        size_t cap = job->n_tasks == 0 ? 1 : 2 * job->n_tasks;

        job->tasks = fx_xreallocarray(job->tasks, cap, sizeof(struct fx_book_task *));
    }
    job->tasks[job->n_tasks++] = task;
}

struct fx_book_job *fx_book_job_read(const struct fx_params *params, const struct fx_tx *tx)
{
    struct fx_book_job *job;
    struct fx_task_spec spec;
    struct fx_buf bytes = FX_BUF_INIT;
    uint32_t first;

    if (!fx_task_announcement_read(params, tx, &first, &spec)) {
        return NULL;
    }
    fx_task_spec_write(&spec, &bytes);
    job = fx_book_job_create(params, &tx->txid, first, span_of(&bytes));
    fx_buf_clear(&bytes);
    for (size_t vout = 1; job != NULL && vout < tx->n_out; vout++) {
        struct fx_book_task *task;
        struct fx_hash program, paid;

        if (!fx_script_is_task(tx->out[vout].script, &paid)) {
            break;
        }
        task = fx_book_task_create(job, (uint32_t)vout);
        if (task == NULL) {
            break;
        }
        fx_task_program(span_of(&task->preimage), &program);
        if (!fx_hash_equal(&program, &paid)) {
            task_destroy(task);
            break;
        }
        task->state.escrow = task->state.value = tx->out[vout].value;
        fx_book_job_add(job, task);
    }
    if (job != NULL && job->n_tasks == 0) {
        fx_book_job_destroy(job);
        return NULL;
    }
    return job;
}

/* Preimages differ in their state, their origin and what the state adds. */
static void write_preimage(const struct fx_params *params, const struct fx_book_task *task,
                           enum fx_task_state state, uint32_t tile, struct fx_buf *preimage)
{
    struct fx_task to;

    fx_task_read(params, span_of(&task->preimage), &to);
    to.state = (uint8_t)state;
    to.origin = task->origin;
    to.escrow = (uint64_t)task->state.escrow;
    to.bond = (uint64_t)task->state.bond;
    to.burn = (uint64_t)task->state.burn;
    to.solver = task->state.solver;
    to.result = task->state.result;
    to.tile = tile;
    fx_task_write(&to, preimage);
}

void fx_book_claimed_preimage(const struct fx_params *params, const struct fx_book_task *task,
                              struct fx_buf *preimage)
{
    write_preimage(params, task, FX_TASK_CLAIMED, 0, preimage);
}

void fx_book_challenged_preimage(const struct fx_params *params, const struct fx_book_task *task,
                                 uint32_t tile, struct fx_buf *preimage)
{
    write_preimage(params, task, FX_TASK_CHALLENGED, tile, preimage);
}

void fx_book_restored_preimage(const struct fx_params *params, const struct fx_book_task *task,
                               struct fx_buf *preimage)
{
    write_preimage(params, task, FX_TASK_FUNDED, 0, preimage);
}

struct fx_span fx_book_funded_preimage(const struct fx_book_task *task)
{
    return span_of(task->state.restored > 0 ? &task->again : &task->preimage);
}

bool fx_book_is_claim(const struct fx_book_task *task)
{
    switch (task->state.status) {
    case FX_STATUS_CLAIMED:
    case FX_STATUS_CHALLENGED:
    case FX_STATUS_SETTLED:
    case FX_STATUS_REJECTED:
        return true;
    case FX_STATUS_PENDING:
    case FX_STATUS_OPEN:
    case FX_STATUS_REFUNDED:
        return false;
    }
    return false;
}

void fx_book_operand(const struct fx_book_job *job, unsigned side, struct fx_blob_key *key,
                     struct fx_blob_shape *shape)
{
    memset(key, 0, sizeof *key);
    memset(shape, 0, sizeof *shape);
    key->type = FX_BLOB_OPERAND;
    key->root = side == FX_SIDE_A ? job->gemm.root_a : job->gemm.root_b;
    shape->rows = side == FX_SIDE_A ? job->gemm.m : job->gemm.n;
    shape->cols = job->gemm.k;
}

void fx_book_result(const struct fx_book_task *task, struct fx_blob_key *key,
                    struct fx_blob_shape *shape)
{
    memset(key, 0, sizeof *key);
    memset(shape, 0, sizeof *shape);
    key->type = FX_BLOB_RESULT;
    key->root = task->state.result;
    key->solver = task->state.solver;
    shape->rows = task->shape.rows;
    shape->cols = task->shape.cols;
    shape->solver = task->state.solver;
}
