/* Reading of arguments and making of results: hashes, amounts, addresses, targets. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/keys/address.h"
#include "src/rpc/rpc_int.h"
#include "src/util/amount.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

json_t *fx_rpc_fail(struct fx_rpc_call *call, int code, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = fx_xstrdup("out of memory");
    }
    if (call->failed) { /* the first cause is the one that tells */
        free(text);
        return NULL;
    }
    call->failed = true;
    call->code = code;
    call->message = text;
    return NULL;
}

json_t *fx_rpc_fail_wallet(struct fx_rpc_call *call, const struct fx_wallet_error *error)
{
    return fx_rpc_fail(call, error->code ? error->code : FX_RPC_WALLET, "%s", error->text);
}

json_t *fx_rpc_fail_read(struct fx_rpc_call *call, const char *what)
{
    return fx_rpc_fail(call, FX_RPC_DATABASE, "Unable to read %s from disk; see debug.log", what);
}

/* ---- arguments ------------------------------------------------------------------------------ */

static const char *hash_text(struct fx_rpc_call *call, const json_t *value, const char *name)
{
    const char *s = json_string_value(value);
    size_t n = s ? strlen(s) : 0;
    if (n != 64) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s must be of length 64 (not %zu, for '%.100s')", name,
                    n, s ? s : "");
        return NULL;
    }
    if (strspn(s, "0123456789abcdefABCDEF") != 64) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s must be hexadecimal string (not '%s')", name, s);
        return NULL;
    }
    return s;
}

bool fx_rpc_arg_hash(struct fx_rpc_call *call, const json_t *value, const char *name,
                     struct fx_hash *hash)
{
    const char *s = hash_text(call, value, name);
    return s && fx_hash_from_id(hash, s);
}

bool fx_rpc_arg_root(struct fx_rpc_call *call, const json_t *value, const char *name,
                     struct fx_hash *root)
{
    const char *s = hash_text(call, value, name);
    return s && fx_hash_from_hex(root, s);
}

bool fx_rpc_arg_amount(struct fx_rpc_call *call, const json_t *value, const char *name,
                       int64_t *amount)
{
    char text[64];
    const char *s = text;
    if (json_is_string(value)) {
        s = json_string_value(value);
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        /* Eight places that read back as the same number: there were no more in the text. */
        double v = json_real_value(value);
        if (!(v >= 0 && v < 1e10)) {
            fx_rpc_fail(call, FX_RPC_TYPE, "Amount out of range (%s)", name);
            return false;
        }
        snprintf(text, sizeof(text), "%.8f", v);
        if (fabs(strtod(text, NULL) - v) > v * 1e-15) {
            fx_rpc_fail(call, FX_RPC_TYPE, "Invalid amount (%s has more than eight places)", name);
            return false;
        }
    } else {
        fx_rpc_fail(call, FX_RPC_TYPE, "Amount is not a number or string");
        return false;
    }
    if (!fx_amount_parse(*s == '-' ? s + 1 : s, amount)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Invalid amount (%s: %.40s)", name, s);
        return false;
    }
    if (*s == '-' || !fx_money_range(call->rpc->config.params, *amount)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Amount out of range (%s)", name);
        return false;
    }
    return true;
}

bool fx_rpc_arg_int(struct fx_rpc_call *call, const json_t *value, const char *name, int64_t min,
                    int64_t max, int64_t fallback, int64_t *out)
{
    *out = fallback;
    if (!value || json_is_null(value)) {
        return true;
    }
    if (!json_is_integer(value)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "JSON value of type %s is not of expected type number (%s)",
                    fx_json_type_name(value), name);
        return false;
    }
    *out = json_integer_value(value);
    if (*out < min || *out > max) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s out of range (%lld to %lld)", name, (long long)min,
                    (long long)max);
        return false;
    }
    return true;
}

bool fx_rpc_arg_origin(struct fx_rpc_call *call, const json_t *value, struct fx_outpoint *origin)
{
    const char *s = json_string_value(value);
    const char *colon = s ? strchr(s, ':') : NULL;
    char txid[FX_HASH_HEX];
    char *end = NULL;
    if (colon && colon - s == 64 && colon[1] >= '0' && colon[1] <= '9') {
        memcpy(txid, s, 64);
        txid[64] = 0;
        unsigned long long index = strtoull(colon + 1, &end, 10);
        if (*end == 0 && index <= UINT32_MAX && fx_hash_from_id(&origin->txid, txid)) {
            origin->index = (uint32_t)index;
            return true;
        }
    }
    fx_rpc_fail(call, FX_RPC_PARAMETER,
                "A task is named by its outpoint, txid:vout (not '%.100s'); see listtasks",
                s ? s : "");
    return false;
}

bool fx_rpc_arg_hex(struct fx_rpc_call *call, const json_t *value, const char *name, size_t max,
                    uint8_t **data, size_t *n)
{
    const char *s = json_string_value(value);
    if (s && fx_hex_decode_dup(s, max, data, n)) {
        return true;
    }
    if (s && strlen(s) / 2 > max) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s must be of at most %zu bytes", name, max);
    } else {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s must be hexadecimal string (not '%.100s')", name,
                    s ? s : "");
    }
    return false;
}

/* On our own networks only outputs are paid that the wallet could spend; on btcregtest, where
 * others bring their own wallets, all that an address can name. */
static bool may_be_paid(const struct fx_params *params, const struct fx_buf *script)
{
    enum fx_script_type type = fx_script_classify((struct fx_span){script->data, script->len});
    return params->kind == FX_BTCREGTEST || type == FX_SCRIPT_P2WPKH || type == FX_SCRIPT_P2TR;
}

bool fx_rpc_arg_address(struct fx_rpc_call *call, const json_t *value, struct fx_buf *script)
{
    const struct fx_params *params = call->rpc->config.params;
    char error[FX_ADDRESS_ERROR] = "";
    const char *s = json_string_value(value);
    if (!s || !fx_address_decode(params, s, script, error)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid address: %s", error);
        return false;
    }
    if (!may_be_paid(params, script)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                    "Outputs to this address are not supported: they could not be spent; use a "
                    "%s1q or %s1p address of a key",
                    params->bech32_hrp, params->bech32_hrp);
        return false;
    }
    return true;
}

struct fx_tx *fx_rpc_read_tx(const json_t *value)
{
    uint8_t *data = NULL;
    size_t n;
    const char *s = json_string_value(value);
    struct fx_tx *tx = NULL;
    if (s && fx_hex_decode_dup(s, FX_BLOCK_SIZE_MAX, &data, &n)) {
        tx = fx_tx_parse(data, n);
        free(data);
    }
    return tx;
}

bool fx_rpc_arg_tx(struct fx_rpc_call *call, const json_t *value, struct fx_tx **tx)
{
    *tx = fx_rpc_read_tx(value);
    if (!*tx) {
        fx_rpc_fail(call, FX_RPC_DESERIALIZATION,
                    "TX decode failed. Make sure the tx has at least one input.");
    }
    return *tx != NULL;
}

bool fx_rpc_arg_bool(const json_t *value, bool fallback)
{
    if (json_is_boolean(value)) {
        return json_is_true(value);
    }
    return json_is_integer(value) ? json_integer_value(value) != 0 : fallback;
}

const char *fx_rpc_arg_str(const json_t *value, const char *fallback)
{
    return json_is_string(value) ? json_string_value(value) : fallback;
}

struct fx_wallet *fx_rpc_arg_wallet(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_wallet *wallet = fx_wallet_get(call->rpc->config.wallets, call->wallet, &error);
    if (!wallet) {
        fx_rpc_fail_wallet(call, &error);
    }
    return wallet;
}

const struct fx_index *fx_rpc_arg_block(struct fx_rpc_call *call, const json_t *value)
{
    struct fx_hash id;
    if (!fx_rpc_arg_hash(call, value, "blockhash", &id)) {
        return NULL;
    }
    const struct fx_index *index = fx_chain_find(call->rpc->config.chain, &id);
    if (!index) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Block not found");
    }
    return index;
}

bool fx_rpc_arg_lane(struct fx_rpc_call *call, const json_t *value, unsigned *lane)
{
    const char *s = json_string_value(value);
    for (*lane = 0; s && *lane < FX_LANES; (*lane)++) {
        if (strcmp(s, fx_lane_name(*lane)) == 0) {
            if (*lane != FX_LANE_HASH && !call->rpc->config.params->lanes) {
                break;
            }
            return true;
        }
    }
    fx_rpc_fail(call, FX_RPC_PARAMETER, "lane must be hash or job (not '%.40s')", s ? s : "");
    return false;
}

/* ---- results -------------------------------------------------------------------------------- */

void fx_json_set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

json_t *fx_json_amount(int64_t embers)
{
    return json_real((double)embers / (double)FX_COIN);
}

json_t *fx_json_figure(double value)
{
    char text[32];
    snprintf(text, sizeof(text), "%.16g", value);
    return json_real(strtod(text, NULL));
}

json_t *fx_json_id(const struct fx_hash *id)
{
    char text[FX_HASH_HEX];
    fx_hash_to_id(id, text);
    return json_string(text);
}

json_t *fx_json_root(const struct fx_hash *root)
{
    char text[FX_HASH_HEX];
    fx_hash_to_hex(root, text);
    return json_string(text);
}

json_t *fx_json_u256(const struct fx_u256 *value)
{
    char text[FX_HASH_HEX];
    fx_u256_to_hex(value, text);
    return json_string(text);
}

json_t *fx_json_hex(const void *data, size_t n)
{
    char *text = fx_hex_dup(data, n);
    json_t *out = json_string_nocheck(text);
    free(text);
    return out;
}

json_t *fx_json_outpoint(const struct fx_outpoint *outpoint)
{
    char txid[FX_HASH_HEX];
    fx_hash_to_id(&outpoint->txid, txid);
    return json_sprintf("%s:%u", txid, outpoint->index);
}

json_t *fx_json_bits(uint32_t nbits)
{
    return json_sprintf("%08x", nbits);
}

json_t *fx_json_target(uint32_t nbits)
{
    struct fx_u256 target = fx_u256_zero;
    (void)fx_nbits_decode(nbits, &target);
    return fx_json_u256(&target);
}

const char *fx_lane_name(unsigned lane)
{
    return lane == FX_LANE_JOB ? "job" : "hash";
}

double fx_difficulty(unsigned lane, uint32_t nbits)
{
    struct fx_u256 target;
    if (!fx_nbits_decode(nbits, &target)) {
        return 0;
    }
    if (lane == FX_LANE_JOB) {
        struct fx_u256 bricks = fx_work_expected(&target);
        return fx_u256_to_double(&bricks) / 1024;
    }
    /* Bitcoin's: the target 0xffff * 2^208 is difficulty 1. */
    return ldexp(65535.0, 208) / fx_u256_to_double(&target);
}

static void write_text(const char *s, struct fx_buf *out)
{
    static const char digits[] = "0123456789abcdef";
    fx_buf_u8(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        size_t plain = strcspn(s, "\"\\");
        size_t safe = 0;
        while (safe < plain && (unsigned char)s[safe] >= 0x20) {
            safe++;
        }
        if (safe > 0) {
            fx_buf_bytes(out, s, safe);
            s += safe - 1;
            continue;
        }
        fx_buf_u8(out, '\\');
        if (c == '"' || c == '\\') {
            fx_buf_u8(out, c);
        } else if (c == '\n') {
            fx_buf_u8(out, 'n');
        } else {
            fx_buf_str(out, "u00");
            fx_buf_u8(out, (uint8_t)digits[c >> 4]);
            fx_buf_u8(out, (uint8_t)digits[c & 15]);
        }
    }
    fx_buf_u8(out, '"');
}

static void write_value(const json_t *value, struct fx_buf *out)
{
    char number[FX_NUMBER_TEXT];
    const char *key;
    json_t *inner;
    size_t i;
    bool first = true;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        fx_buf_u8(out, '{');
        json_object_foreach((json_t *)value, key, inner)
        {
            if (!first) {
                fx_buf_u8(out, ',');
            }
            first = false;
            write_text(key, out);
            fx_buf_u8(out, ':');
            write_value(inner, out);
        }
        fx_buf_u8(out, '}');
        return;
    case JSON_ARRAY:
        fx_buf_u8(out, '[');
        json_array_foreach(value, i, inner)
        {
            if (i > 0) {
                fx_buf_u8(out, ',');
            }
            write_value(inner, out);
        }
        fx_buf_u8(out, ']');
        return;
    case JSON_STRING:
        write_text(json_string_value(value), out);
        return;
    case JSON_INTEGER:
        fx_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        fx_number_format(json_real_value(value), number);
        fx_buf_str(out, number);
        return;
    case JSON_TRUE:
        fx_buf_str(out, "true");
        return;
    case JSON_FALSE:
        fx_buf_str(out, "false");
        return;
    case JSON_NULL:
        fx_buf_str(out, "null");
        return;
    }
}

void fx_json_write(const json_t *value, struct fx_buf *out)
{
    write_value(value, out);
    fx_buf_u8(out, 0);
    out->len--;
}

int64_t fx_rpc_confirmations(const struct fx_rpc *rpc, const struct fx_index *index)
{
    if (!fx_chain_contains(rpc->config.chain, index)) {
        return -1;
    }
    return (int64_t)fx_chain_tip(rpc->config.chain)->height - index->height + 1;
}

int64_t fx_rpc_workdepth(struct fx_rpc *rpc, const struct fx_index *index)
{
    const struct fx_index *tip = fx_chain_tip(rpc->config.chain);
    if (!fx_chain_contains(rpc->config.chain, index)) {
        return -1;
    }
    if (!rpc->depth_known || !fx_hash_equal(&rpc->depth_tip, &tip->id)) {
        const struct fx_index *at = tip;
        rpc->depth_work = fx_u256_zero;
        for (unsigned i = 0; i < 2016 && at; i++, at = at->parent) {
            struct fx_u256 added = at->work;
            if (at->parent) {
                (void)fx_u256_sub(&at->work, &at->parent->work, &added);
            }
            rpc->depth_work = fx_u256_max(&rpc->depth_work, &added);
        }
        rpc->depth_tip = tip->id;
        rpc->depth_known = true;
    }
    struct fx_u256 above;
    (void)fx_u256_sub(&tip->work, &index->work, &above);
    if (fx_u256_is_zero(&rpc->depth_work)) {
        return 1;
    }
    above = fx_u256_div(&above, &rpc->depth_work);
    return 1 + (int64_t)(above.w[0] & INT64_MAX);
}
