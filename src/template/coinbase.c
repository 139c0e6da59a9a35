/* The coinbase of a template: height, extra nonce, pay, what the job lane and the witnesses add. */
#include "src/template/template_int.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define OP_0 0x00
#define OP_RETURN 0x6a
#define EXTRA_NONCE_BYTES 16

/* BIP141: the commitment of a witness root under a reserved value of zeros. */
static void add_commitment(struct fx_txb *b, const struct fx_hash *witness_root, bool reserved)
{
    uint8_t both[64] = {0}, script[38] = {OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed};
    memcpy(both, witness_root->b, 32);
    fx_sha256d(both, sizeof(both), script + 6);
    fx_txb_add_out(b, 0, script, sizeof(script));
    if (reserved) {
        fx_txb_push_witness(b, 0, both + 32, 32);
    }
}

struct fx_tx *fx_coinbase_make(const struct fx_coinbase_parts *parts)
{
    struct fx_txb b;
    fx_txb_init(&b);
    struct fx_outpoint null = {.index = UINT32_MAX};
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    struct fx_buf script = FX_BUF_INIT;
    uint8_t height[FX_CB_HEIGHT_SIZE];
    fx_buf_bytes(&script, height, fx_cb_height_script(parts->height, height));
    if (parts->plain) {
        fx_buf_u8(&script, OP_0);
    } else {
        fx_buf_u8(&script, EXTRA_NONCE_BYTES);
        fx_buf_u64(&script, parts->extra_nonce);
        fx_buf_u64(&script, parts->salt);
    }
    fx_txb_set_script_sig(&b, 0, script.data, script.len);
    fx_buf_clear(&script);

    fx_txb_add_out(&b, parts->value, parts->script.data, parts->script.len);
    if (parts->work) {
        uint8_t work[FX_CB_WORK_SCRIPT_SIZE];
        fx_cb_work_script(parts->work, work);
        fx_txb_add_out(&b, 0, work, sizeof(work));
    }
    if (parts->witness_root) {
        add_commitment(&b, parts->witness_root, parts->committed);
    }
    struct fx_tx *tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}
