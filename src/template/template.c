/* Making templates, keeping them by id, and turning solutions into blocks. */
#include "src/template/template_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "consensus/commit.h"
#include "consensus/lane.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define COINBASE_WEIGHT_RESERVE 2000 /* header, counts, and a coinbase with every output it has */
#define PAY_SCRIPT_MAX 10000
#define DROPS_MAX 16 /* transactions that a template drops before it does without any */

/* ---- what is kept -----------------------------------------------------------------------------*/

struct fx_templates *fx_templates_create(const struct fx_templates_config *config)
{
    struct fx_templates *templates = fx_xcalloc(1, sizeof(*templates));
    templates->params = config->params;
    templates->chain = config->chain;
    templates->mempool = config->mempool;
    templates->min_fee_rate = config->min_fee_rate;
    templates->version = config->version;
    templates->plain_coinbase = config->plain_coinbase;
    templates->salt = fx_random_u64();
    return templates;
}

void fx_template_destroy(struct fx_template *template)
{
    if (!template) {
        return;
    }
    for (size_t i = 0; i < template->n_txs; i++) {
        fx_tx_unref(template->txs[i]);
    }
    free(template->txs);
    free(template->fees);
    free(template->sigops);
    free(template->preimage);
    free(template->backing);
    free(template);
}

void fx_templates_destroy(struct fx_templates *templates)
{
    if (!templates) {
        return;
    }
    for (size_t i = 0; i < FX_TEMPLATES_KEPT; i++) {
        fx_template_destroy(templates->kept[i]);
    }
    free(templates);
}

static void keep(struct fx_templates *templates, struct fx_template *template)
{
    uint32_t tip = fx_chain_tip(templates->chain)->height;
    for (size_t i = 0; i < FX_TEMPLATES_KEPT; i++) {
        struct fx_template *old = templates->kept[i];
        if (old && tip >= old->height && tip - old->height >= FX_TEMPLATE_DEPTH_MAX) {
            fx_template_destroy(old);
            templates->kept[i] = NULL;
        }
    }
    size_t slot = template->id % FX_TEMPLATES_KEPT;
    fx_template_destroy(templates->kept[slot]);
    templates->kept[slot] = template;
}

const struct fx_template *fx_template_find(struct fx_templates *templates, uint64_t id)
{
    const struct fx_template *template = templates->kept[id % FX_TEMPLATES_KEPT];
    return template && template->id == id ? template : NULL;
}

/* ---- the job lane's part ----------------------------------------------------------------------*/

/* The proof as a solution will have it, with these bytes of brick and signature. */
static void write_proof(const struct fx_template *template, const struct fx_job_brick *brick,
                        const uint8_t signature[64], struct fx_buf *buf)
{
    struct fx_work_proof proof = {.preimage = {template->preimage, template->preimage_len},
                                  .backing = template->backing,
                                  .n_backing = template->n_backing,
                                  .i = brick->i,
                                  .j = brick->j,
                                  .l = brick->l,
                                  .block_a = brick->block_a,
                                  .path_a = brick->path_a,
                                  .block_b = brick->block_b,
                                  .path_b = brick->path_b,
                                  .signature = {signature, 64}};
    fx_work_proof_write(&proof, buf);
}

/* A proof of the right lengths that proves nothing: the template's weight, and a body to test. */
static void write_blank_proof(const struct fx_params *params, const struct fx_template *template,
                              struct fx_buf *buf)
{
    static const uint8_t zeros[FX_BLOCK_BYTES]; /* longer than any path, too */
    struct fx_task task;
    struct fx_gemm gemm;
    struct fx_span preimage = {template->preimage, template->preimage_len};
    if (!fx_task_read(params, preimage, &task) || !fx_gemm_read(task.spec.body, &gemm)) {
        return; /* it was read when the template was begun */
    }
    struct fx_job_brick brick = {
        .i = task.shape.row0,
        .j = task.shape.col0,
        .block_a = {zeros, FX_BLOCK_BYTES},
        .path_a = {zeros, fx_commit_operand_path_depth(gemm.m, gemm.k) * 32},
        .block_b = {zeros, FX_BLOCK_BYTES},
        .path_b = {zeros, fx_commit_operand_path_depth(gemm.n, gemm.k) * 32}};
    write_proof(template, &brick, zeros, buf);
}

/* Rule 1 of section 6, so that a miner hears the reason before it works. */
static const char *check_task(const struct fx_params *params, const struct fx_view *view,
                              const struct fx_outpoint *outpoint, struct fx_span preimage)
{
    struct fx_task task;
    if (!fx_task_read(params, preimage, &task) || task.state != FX_TASK_FUNDED) {
        return "the preimage is not that of a funded task with a valid spec";
    }
    if (!task.kind->mineable) {
        return "no block can be mined in tasks of this kind";
    }
    struct fx_coin coin;
    enum fx_lookup found = view->coin(view->ctx, outpoint, &coin);
    if (found != FX_FOUND) {
        return found == FX_MISSING ? "the task output is spent or unknown" : "database error";
    }
    struct fx_hash program, expected;
    fx_task_program(preimage, &expected);
    bool same =
        fx_script_is_task(fx_coin_script(&coin), &program) && fx_hash_equal(&program, &expected);
    fx_coin_clear(&coin);
    if (!same) {
        return "the preimage does not match the task output";
    }
    if (fx_outpoint_is_zero(&task.origin)) {
        return NULL;
    }
    struct fx_task_record record;
    found = view->record(view->ctx, &task.origin, &record);
    if (found == FX_LOOKUP_FAILED) {
        return "database error";
    }
    return found == FX_FOUND && record.live && fx_outpoint_equal(&record.outpoint, outpoint)
               ? NULL
               : "the task's record does not name this output";
}

/* ---- putting one together ---------------------------------------------------------------------*/

struct making {
    struct fx_templates *templates;
    struct fx_template *template;
    struct fx_selection selection;
    struct fx_buf proof; /* blank; empty on the hash lane */
    struct fx_span script;
    uint32_t job_nbits;
};

/* Root over the ids of coinbase and selection; witness: over the wtxids, the coinbase's zero. */
static void root_of(const struct fx_tx *coinbase, const struct fx_selection *selection,
                    bool witness, struct fx_hash *root)
{
    struct fx_hash *ids = fx_xcalloc(selection->n + 1, sizeof(*ids));
    if (!witness) {
        ids[0] = coinbase->txid;
    }
    for (size_t i = 0; i < selection->n; i++) {
        ids[i + 1] = witness ? selection->txs[i]->wtxid : selection->txs[i]->txid;
    }
    fx_merkle_root(ids, selection->n + 1, root, NULL);
    free(ids);
}

static struct fx_tx *make_coinbase(const struct making *m)
{
    const struct fx_template *t = m->template;
    bool witness = m->templates->plain_coinbase;
    for (size_t i = 0; i < m->selection.n; i++) {
        witness = witness || m->selection.txs[i]->has_witness;
    }
    struct fx_hash root;
    if (witness) {
        root_of(NULL, &m->selection, true, &root);
    }
    struct fx_coinbase_parts parts = {
        .height = t->height,
        .extra_nonce = t->id,
        .salt = m->templates->salt,
        .plain = m->templates->plain_coinbase,
        .committed = fx_fork_binds(m->templates->params, FX_FORK_SEGWIT, t->height),
        .value = t->subsidy + t->total_fees - t->burned,
        .script = m->script,
        .work = t->lane == FX_LANE_JOB ? &t->work : NULL,
        .witness_root = witness ? &root : NULL};
    return fx_coinbase_make(&parts);
}

/* Fills the template from the first n of the selection. The sums stay in range: the rules let no
 * transaction, and no pool of them, spend more than there is. */
static struct fx_block *assemble(struct making *m, size_t n)
{
    struct fx_template *t = m->template;
    size_t all = m->selection.n;
    m->selection.n = n;
    t->total_fees = t->burned = 0;
    for (size_t i = 0; i < n; i++) {
        t->total_fees += m->selection.fees[i];
        t->burned += m->selection.burned[i];
    }
    for (size_t i = 0; i < t->n_txs; i++) {
        fx_tx_unref(t->txs[i]);
    }
    free(t->txs);
    free(t->fees);
    free(t->sigops);
    t->txs = fx_xcalloc(n + 1, sizeof(*t->txs));
    t->fees = fx_xcalloc(n + 1, sizeof(*t->fees));
    t->sigops = fx_xcalloc(n + 1, sizeof(*t->sigops));
    t->txs[0] = make_coinbase(m);
    for (size_t i = 0; i < n; i++) {
        t->txs[i + 1] = fx_tx_ref(m->selection.txs[i]);
        t->fees[i] = m->selection.fees[i];
        t->sigops[i] = m->selection.sigops[i];
    }
    t->n_txs = n + 1;
    root_of(t->txs[0], &m->selection, false, &t->header.merkle_root);
    fx_header_id(&t->header, &t->header_id);
    m->selection.n = all;
    struct fx_span proof = {m->proof.data, m->proof.len};
    return fx_block_make(m->templates->params, &t->header, proof, t->txs, t->n_txs);
}

static enum fx_result test(struct making *m, size_t n, enum fx_verdict *why)
{
    struct fx_block *block = assemble(m, n);
    *why = FX_BAD_BLK_LENGTH;
    if (!block) {
        return FX_INVALID;
    }
    m->template->weight = block->weight;
    enum fx_result result = fx_chain_test_block(m->templates->chain, block, why);
    fx_block_unref(block);
    return result;
}

/* The transaction at which the block goes wrong: every shorter block is right. */
static size_t find_bad(struct making *m, bool *failed)
{
    size_t right = 0, wrong = m->selection.n; /* lengths */
    enum fx_verdict why;
    while (wrong - right > 1) {
        size_t middle = right + (wrong - right) / 2;
        enum fx_result result = test(m, middle, &why);
        if (result == FX_FAILED) {
            *failed = true;
            return 0;
        }
        if (result == FX_VALID) {
            right = middle;
        } else {
            wrong = middle;
        }
    }
    return wrong - 1;
}

/* Tests, and drops what does not pass until the rest does. */
static bool settle(struct making *m, char error[FX_TEMPLATE_ERROR])
{
    enum fx_verdict why = FX_OK;
    for (unsigned drops = 0;; drops++) {
        enum fx_result result = test(m, m->selection.n, &why);
        if (result == FX_VALID) {
            return true;
        }
        if (result == FX_FAILED || m->selection.n == 0) {
            snprintf(error, FX_TEMPLATE_ERROR, "template: %s",
                     result == FX_FAILED ? "database error" : fx_verdict_string(why));
            return false;
        }
        enum fx_verdict empty_why;
        result = test(m, 0, &empty_why);
        if (result != FX_VALID || drops == DROPS_MAX) {
            while (m->selection.n > 0) {
                fx_selection_drop(&m->selection, 0);
            }
            continue;
        }
        bool failed = false;
        size_t bad = find_bad(m, &failed);
        if (failed) {
            snprintf(error, FX_TEMPLATE_ERROR, "template: database error");
            return false;
        }
        char id[FX_HASH_HEX];
        fx_hash_to_id(&m->selection.txs[bad]->txid, id);
        fx_log_info("template: left out %s: %s", id, fx_verdict_string(why));
        fx_selection_drop(&m->selection, bad);
    }
}

/* Without lanes the version signals for what blocks are asked to signal for (BIP9). */
static int32_t version_of(const struct fx_templates *templates, const struct fx_index *tip,
                          unsigned lane)
{
    uint32_t since, version = (uint32_t)fx_header_version((enum fx_lane)lane);
    if (templates->params->lanes) {
        return (int32_t)version;
    }
    if (templates->version != 0) {
        return templates->version;
    }
    enum fx_signal_state state = fx_index_signal_state(tip, FX_SIGNAL_DUMMY_BIT, &since);
    if (state == FX_SIGNAL_STARTED || state == FX_SIGNAL_LOCKED_IN) {
        version |= UINT32_C(1) << FX_SIGNAL_DUMMY_BIT;
    }
    return (int32_t)version;
}

static struct fx_template *begin(struct fx_templates *templates, unsigned lane, uint32_t *job_nbits)
{
    const struct fx_index *tip = fx_chain_tip(templates->chain);
    uint32_t nbits[FX_LANES];
    fx_chain_targets(templates->chain, tip, nbits);
    const struct fx_header_context place = {.height = tip->height + 1,
                                            .parent_time = tip->header.time,
                                            .parent_median_time = tip->median_time};
    int64_t now = fx_clock_now(), lowest = fx_header_time_min(templates->params, &place);
    struct fx_template *t = fx_xcalloc(1, sizeof(*t));
    t->id = ++templates->last_id;
    t->lane = lane;
    t->height = tip->height + 1;
    t->header.version = version_of(templates, tip, lane);
    t->header.prev = tip->id;
    t->header.time = (uint32_t)(now > lowest ? now : lowest);
    t->header.nbits = nbits[lane];
    *job_nbits = nbits[FX_LANE_JOB];
    return t;
}

static const struct fx_template *finish(struct making *m, char error[FX_TEMPLATE_ERROR])
{
    struct fx_templates *templates = m->templates;
    struct fx_template *t = m->template;
    t->subsidy =
        fx_lane_subsidy(templates->params, t->lane, t->height, m->job_nbits, t->credit, t->burns);
    size_t reserve = COINBASE_WEIGHT_RESERVE + m->script.len * FX_WITNESS_SCALE + m->proof.len;
    bool ok = reserve <= FX_BLOCK_WEIGHT_MAX;
    if (!ok) {
        snprintf(error, FX_TEMPLATE_ERROR, "template: the work proof does not fit into a block");
    } else {
        fx_selection_make(templates->mempool, FX_BLOCK_WEIGHT_MAX - reserve,
                          templates->min_fee_rate, &m->selection);
        ok = settle(m, error);
    }
    fx_selection_clear(&m->selection);
    fx_buf_clear(&m->proof);
    if (!ok) {
        fx_template_destroy(t);
        return NULL;
    }
    keep(templates, t);
    fx_log(FX_LOG_MINING, "template: %llu, lane %u, height %u, %zu transactions, weight %zu",
           (unsigned long long)t->id, t->lane, t->height, t->n_txs, t->weight);
    return t;
}

const struct fx_template *fx_template_hash(struct fx_templates *templates, struct fx_span script,
                                           char error[FX_TEMPLATE_ERROR])
{
    if (script.len > PAY_SCRIPT_MAX) {
        snprintf(error, FX_TEMPLATE_ERROR, "template: the script is too long");
        return NULL;
    }
    struct making m = {.templates = templates, .script = script};
    m.template = begin(templates, FX_LANE_HASH, &m.job_nbits);
    return finish(&m, error);
}

const struct fx_template *fx_template_given(struct fx_templates *templates, struct fx_span script,
                                            struct fx_tx *const *txs, size_t n,
                                            char error[FX_TEMPLATE_ERROR])
{
    enum fx_verdict why = FX_OK;
    struct making m = {.templates = templates, .script = script};
    struct fx_template *t = m.template = begin(templates, FX_LANE_HASH, &m.job_nbits);
    t->subsidy = fx_lane_subsidy(templates->params, t->lane, t->height, m.job_nbits, 0, 0);
    m.selection.txs = fx_xcalloc(n + 1, sizeof(*m.selection.txs));
    m.selection.fees = fx_xcalloc(n + 1, sizeof(*m.selection.fees));
    m.selection.burned = fx_xcalloc(n + 1, sizeof(*m.selection.burned));
    m.selection.sigops = fx_xcalloc(n + 1, sizeof(*m.selection.sigops));
    for (size_t i = 0; i < n; i++) {
        m.selection.txs[m.selection.n++] = fx_tx_ref(txs[i]);
    }
    enum fx_result result = test(&m, n, &why);
    fx_selection_clear(&m.selection);
    if (result != FX_VALID) {
        snprintf(error, FX_TEMPLATE_ERROR, "%s",
                 result == FX_FAILED ? "database error" : fx_verdict_string(why));
        fx_template_destroy(t);
        return NULL;
    }
    keep(templates, t);
    return t;
}

const struct fx_template *fx_template_job(struct fx_templates *templates, struct fx_span script,
                                          const struct fx_outpoint *outpoint,
                                          struct fx_span preimage, const struct fx_hash *solver,
                                          const struct fx_outpoint *backing, size_t n_backing,
                                          char error[FX_TEMPLATE_ERROR])
{
    struct fx_view view;
    fx_chain_view(templates->chain, &view);
    const char *reason = script.len > PAY_SCRIPT_MAX
                             ? "the script is too long"
                             : check_task(templates->params, &view, outpoint, preimage);
    if (reason) {
        snprintf(error, FX_TEMPLATE_ERROR, "template: %s", reason);
        return NULL;
    }
    struct making m = {.templates = templates, .script = script};
    struct fx_template *t = m.template = begin(templates, FX_LANE_JOB, &m.job_nbits);
    if (!fx_backing_choose(&view, t->height, solver, backing, n_backing, &t->backing, &t->n_backing,
                           &t->credit, &t->burns)) {
        snprintf(error, FX_TEMPLATE_ERROR, "template: database error");
        fx_template_destroy(t);
        return NULL;
    }
    t->preimage = fx_xmemdup(preimage.data, preimage.len);
    t->preimage_len = preimage.len;
    t->work = (struct fx_cb_work){.outpoint = *outpoint, .solver = *solver};
    fx_work_preimage_hash(preimage, &t->work.preimage_hash);
    fx_work_backing_hash(t->backing, t->n_backing, &t->work.backing_hash);
    write_blank_proof(templates->params, t, &m.proof);
    return finish(&m, error);
}

/* ---- solutions --------------------------------------------------------------------------------*/

struct fx_block *fx_template_solve_hash(struct fx_templates *templates, uint64_t id, uint32_t time,
                                        uint32_t nonce)
{
    const struct fx_template *t = fx_template_find(templates, id);
    if (!t || t->lane != FX_LANE_HASH) {
        return NULL;
    }
    struct fx_header header = t->header;
    header.time = time;
    header.nonce = nonce;
    struct fx_span none = {0};
    return fx_block_make(templates->params, &header, none, t->txs, t->n_txs);
}

struct fx_block *fx_template_solve_job(struct fx_templates *templates, uint64_t id,
                                       const struct fx_job_brick *brick,
                                       const uint8_t signature[64])
{
    const struct fx_template *t = fx_template_find(templates, id);
    if (!t || t->lane != FX_LANE_JOB) {
        return NULL;
    }
    struct fx_buf proof = FX_BUF_INIT;
    write_proof(t, brick, signature, &proof);
    struct fx_span span = {proof.data, proof.len};
    struct fx_block *block = fx_block_make(templates->params, &t->header, span, t->txs, t->n_txs);
    fx_buf_clear(&proof);
    return block;
}
