/* Task outputs as bytes (protocol section 5): preimages, programs, records, announcements. */
#include "consensus/task.h"

#include <string.h>

#include "src/crypto/taghash.h"
#include "src/util/reader.h"

#define SPEC_VERSION 1
#define WINDOW_LIMIT 32768 /* windows lie below */
#define CHALLENGE_BYTES 4

#define OP_RETURN 0x6a
#define OP_PUSHDATA1 0x4c
#define OP_2 0x52

/* Bytes of a preimage after its index; none for what is no state. */
static size_t state_bytes(enum fx_task_state state)
{
    switch (state) {
    case FX_TASK_FUNDED:
        return 0;
    case FX_TASK_CLAIMED:
        return FX_TASK_CLAIM_FIELDS;
    case FX_TASK_CHALLENGED:
        return FX_TASK_CLAIM_FIELDS + CHALLENGE_BYTES;
    }
    return 0;
}

static void read_spec_head(struct fx_reader *r, struct fx_task_spec *spec)
{
    spec->version = fx_read_u8(r);
    spec->kind = fx_read_u8(r);
    spec->client = fx_read_hash(r);
    spec->deadline = fx_read_u32(r);
    spec->window = fx_read_u16(r);
    spec->exclusive = fx_read_u16(r);
    spec->body.data = NULL;
    spec->body.len = 0;
}

/* All rules of a spec but the body's length, which the body's own check judges. */
static const struct fx_kind *valid_kind(const struct fx_params *params,
                                        const struct fx_task_spec *spec)
{
    const struct fx_kind *kind;

    if (spec->version != SPEC_VERSION) {
        return NULL;
    }
    if (spec->window < params->window_min || spec->window >= WINDOW_LIMIT ||
        spec->exclusive > FX_EXCLUSIVE_MAX || spec->deadline < FX_LOCKTIME_THRESHOLD) {
        return NULL;
    }
    kind = fx_kind_find(params->kinds, spec->kind);
    return kind != NULL && kind->check_body(spec->body) ? kind : NULL;
}

bool fx_task_spec_read(const struct fx_params *params, struct fx_span spec,
                       struct fx_task_spec *out)
{
    struct fx_reader r;

    fx_reader_init(&r, spec.data, spec.len);
    read_spec_head(&r, out);
    if (r.bad) {
        return false;
    }
    out->body.len = r.left;
    out->body.data = fx_read_bytes(&r, r.left);
    return valid_kind(params, out) != NULL;
}

void fx_task_spec_write(const struct fx_task_spec *spec, struct fx_buf *buf)
{
    fx_buf_u8(buf, spec->version);
    fx_buf_u8(buf, spec->kind);
    fx_buf_hash(buf, &spec->client);
    fx_buf_u32(buf, spec->deadline);
    fx_buf_u16(buf, spec->window);
    fx_buf_u16(buf, spec->exclusive);
    fx_buf_bytes(buf, spec->body.data, spec->body.len);
}

static void read_head(struct fx_reader *r, struct fx_task *task)
{
    memset(task, 0, sizeof(*task));
    task->state = fx_read_u8(r);
    task->origin = fx_outpoint_read(r);
    read_spec_head(r, &task->spec);
}

bool fx_task_read_head(struct fx_span preimage, struct fx_task *task)
{
    struct fx_reader r;

    fx_reader_init(&r, preimage.data, preimage.len);
    read_head(&r, task);
    return preimage.len >= FX_TASK_PREIMAGE_MIN;
}

bool fx_task_read(const struct fx_params *params, struct fx_span preimage, struct fx_task *task)
{
    struct fx_reader r;
    size_t claim, tail;

    fx_reader_init(&r, preimage.data, preimage.len);
    read_head(&r, task);
    if (task->state > FX_TASK_CHALLENGED) {
        return false;
    }
    /* A body has no length of its own: it is what lies between head and index. Where there is not
     * enough for these, the reader comes to its end too early. */
    claim = state_bytes((enum fx_task_state)task->state);
    tail = 4 + claim;
    task->spec.body.len = r.left > tail ? r.left - tail : 0;
    task->spec.body.data = fx_read_bytes(&r, task->spec.body.len);
    task->index = fx_read_u32(&r);
    if (claim > 0) {
        task->escrow = fx_read_u64(&r);
        task->bond = fx_read_u64(&r);
        task->burn = fx_read_u64(&r);
        task->solver = fx_read_hash(&r);
        task->result = fx_read_hash(&r);
    }
    if (task->state == FX_TASK_CHALLENGED) {
        task->tile = fx_read_u32(&r);
    }
    if (!fx_reader_done(&r)) {
        return false;
    }
    task->kind = valid_kind(params, &task->spec);
    if (task->kind == NULL || task->index >= task->kind->task_count(task->spec.body)) {
        task->kind = NULL;
        return false;
    }
    task->kind->task_shape(task->spec.body, task->index, &task->shape);
    return true;
}

void fx_task_write(const struct fx_task *task, struct fx_buf *preimage)
{
    fx_buf_u8(preimage, task->state);
    fx_outpoint_write(&task->origin, preimage);
    fx_task_spec_write(&task->spec, preimage);
    fx_buf_u32(preimage, task->index);
    if (task->state != FX_TASK_FUNDED) {
        fx_buf_u64(preimage, task->escrow);
        fx_buf_u64(preimage, task->bond);
        fx_buf_u64(preimage, task->burn);
        fx_buf_hash(preimage, &task->solver);
        fx_buf_hash(preimage, &task->result);
    }
    if (task->state == FX_TASK_CHALLENGED) {
        fx_buf_u32(preimage, task->tile);
    }
}

void fx_task_program(struct fx_span preimage, struct fx_hash *program)
{
    fx_tagged_hash("fornax/p2task", preimage.data, preimage.len, program->b);
}

void fx_task_script(const struct fx_hash *program, uint8_t script[FX_TASK_SCRIPT_SIZE])
{
    script[0] = OP_2;
    script[1] = 32;
    memcpy(script + 2, program->b, 32);
}

bool fx_script_is_task(struct fx_span script, struct fx_hash *program)
{
    if (script.len != FX_TASK_SCRIPT_SIZE || script.data[0] != OP_2 || script.data[1] != 32) {
        return false;
    }
    if (program != NULL) {
        memcpy(program->b, script.data + 2, 32);
    }
    return true;
}

void fx_task_accept_hash(const struct fx_hash *program, struct fx_hash *hash)
{
    fx_tagged_hash("fornax/accept", program->b, 32, hash->b);
}

void fx_task_assign_hash(const struct fx_hash *beacon, const struct fx_outpoint *origin,
                         struct fx_hash *hash)
{
    uint8_t message[32 + FX_OUTPOINT_SIZE];

    memcpy(message, beacon->b, 32);
    fx_outpoint_key(origin, message + 32);
    fx_tagged_hash("fornax/assign", message, sizeof(message), hash->b);
}

void fx_task_sample_hash(const struct fx_hash *beacon, const struct fx_outpoint *origin,
                         uint8_t number, struct fx_hash *hash)
{
    uint8_t message[32 + FX_OUTPOINT_SIZE + 1];

    memcpy(message, beacon->b, 32);
    fx_outpoint_key(origin, message + 32);
    message[32 + FX_OUTPOINT_SIZE] = number;
    fx_tagged_hash("fornax/sample", message, sizeof(message), hash->b);
}

bool fx_task_announcement_read(const struct fx_params *params, const struct fx_tx *tx,
                               uint32_t *first, struct fx_task_spec *spec)
{
    struct fx_span script, bytes;

    if (tx->n_out == 0) {
        return false;
    }
    script = tx->out[0].script;
    if (script.len < 3 + 8 || script.data[0] != OP_RETURN || script.data[1] != OP_PUSHDATA1 ||
        script.data[2] != script.len - 3 || memcmp(script.data + 3, "fxjs", 4) != 0) {
        return false;
    }
    *first = fx_load_u32(script.data + 7);
    bytes.data = script.data + 11;
    bytes.len = script.len - 11;
    return fx_task_spec_read(params, bytes, spec);
}

void fx_task_announcement_write(uint32_t first, const struct fx_task_spec *spec,
                                struct fx_buf *script)
{
    size_t length;

    fx_buf_u8(script, OP_RETURN);
    fx_buf_u8(script, OP_PUSHDATA1);
    length = 4 + 4 + FX_TASK_SPEC_HEAD + spec->body.len; /* 134 for gemm */
    fx_buf_u8(script, (uint8_t)length);
    fx_buf_str(script, "fxjs");
    fx_buf_u32(script, first);
    fx_task_spec_write(spec, script);
}

void fx_task_fresh_preimage(const struct fx_task_spec *spec, uint32_t index,
                            struct fx_buf *preimage)
{
    struct fx_task task;

    memset(&task, 0, sizeof(task));
    task.state = FX_TASK_FUNDED;
    task.spec = *spec;
    task.index = index;
    fx_task_write(&task, preimage);
}

enum { RECORD_LIVE = 1, RECORD_BACKED = 2 };

void fx_task_record_write(const struct fx_task_record *record, struct fx_buf *buf)
{
    fx_buf_u8(buf,
              (uint8_t)((record->live ? RECORD_LIVE : 0) | (record->backed ? RECORD_BACKED : 0)));
    if (record->live) {
        fx_outpoint_write(&record->outpoint, buf);
        fx_buf_u8(buf, record->state);
    }
    fx_buf_u8(buf, record->asked);
    fx_buf_u32(buf, record->h0);
    fx_buf_u32(buf, record->settled);
    fx_buf_hash(buf, &record->client);
    fx_buf_hash(buf, &record->solver);
    fx_buf_u64(buf, record->bricks);
    fx_buf_u64(buf, record->burn);
}

bool fx_task_record_read(struct fx_reader *r, struct fx_task_record *record)
{
    uint8_t flags = fx_read_u8(r);

    memset(record, 0, sizeof(*record));
    record->live = (flags & RECORD_LIVE) != 0;
    record->backed = (flags & RECORD_BACKED) != 0;
    if (record->live) {
        record->outpoint = fx_outpoint_read(r);
        record->state = fx_read_u8(r);
    }
    record->asked = fx_read_u8(r);
    record->h0 = fx_read_u32(r);
    record->settled = fx_read_u32(r);
    record->client = fx_read_hash(r);
    record->solver = fx_read_hash(r);
    record->bricks = fx_read_u64(r);
    record->burn = fx_read_u64(r);
    if ((flags & ~(RECORD_LIVE | RECORD_BACKED)) != 0 || record->state > FX_TASK_CHALLENGED) {
        r->bad = true;
    }
    return !r->bad;
}

bool fx_task_record_equal(const struct fx_task_record *a, const struct fx_task_record *b)
{
    /* Where a record names no outpoint, the fields outpoint and state mean nothing. */
    if (a->live != b->live ||
        (a->live && (!fx_outpoint_equal(&a->outpoint, &b->outpoint) || a->state != b->state))) {
        return false;
    }
    return a->backed == b->backed && a->asked == b->asked && a->h0 == b->h0 &&
           a->settled == b->settled && fx_hash_equal(&a->client, &b->client) &&
           fx_hash_equal(&a->solver, &b->solver) && a->bricks == b->bricks && a->burn == b->burn;
}
