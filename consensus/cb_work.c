/* What the coinbase of a job-lane block commits to (protocol section 6), and the hashes in it. */
#include "consensus/work.h"

#include <string.h>

#include "src/crypto/taghash.h"
#include "src/util/buf.h"
#include "src/util/reader.h"

/* OP_RETURN, OP_PUSHDATA1, 136 bytes, and the first of these. */
static const uint8_t prefix[] = {0x6a, 0x4c, 0x88, 'f', 'x', 'j', 'w'};

void fx_cb_work_script(const struct fx_cb_work *work, uint8_t script[FX_CB_WORK_SCRIPT_SIZE])
{
    uint8_t *at = script;

    memcpy(at, prefix, sizeof(prefix));
    at += sizeof(prefix);
    fx_outpoint_key(&work->outpoint, at);
    at += FX_OUTPOINT_SIZE;
    memcpy(at, work->solver.b, 32);
    memcpy(at + 32, work->preimage_hash.b, 32);
    memcpy(at + 64, work->backing_hash.b, 32);
}

bool fx_cb_work_read(const struct fx_tx *coinbase, struct fx_cb_work *work)
{
    size_t found = 0;

    for (size_t at = 0; at < coinbase->n_out; at++) {
        struct fx_span script = coinbase->out[at].script;
        struct fx_reader r;

        if (script.len != FX_CB_WORK_SCRIPT_SIZE ||
            memcmp(script.data, prefix, sizeof(prefix)) != 0) {
            continue;
        }
        found++;
        fx_reader_init(&r, script.data + sizeof(prefix), script.len - sizeof(prefix));
        work->outpoint = fx_outpoint_read(&r);
        work->solver = fx_read_hash(&r);
        work->preimage_hash = fx_read_hash(&r);
        work->backing_hash = fx_read_hash(&r);
    }
    return found == 1;
}

void fx_work_preimage_hash(struct fx_span preimage, struct fx_hash *hash)
{
    fx_tagged_hash("fornax/preimage", preimage.data, preimage.len, hash->b);
}

void fx_work_backing_hash(const struct fx_outpoint *backing, size_t n, struct fx_hash *hash)
{
    struct fx_buf list = FX_BUF_INIT;

    fx_buf_var(&list, n);
    for (size_t at = 0; at < n; at++) {
        fx_outpoint_write(&backing[at], &list);
    }
    fx_tagged_hash("fornax/backing", list.data, list.len, hash->b);
    fx_buf_clear(&list);
}

void fx_work_sign_hash(const struct fx_hash *block_id, struct fx_hash *hash)
{
    fx_tagged_hash("fornax/work", block_id->b, 32, hash->b);
}
