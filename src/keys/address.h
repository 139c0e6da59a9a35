/*
 * Addresses and secret keys as text: base58check (P2PKH, P2SH, WIF) and segwit (BIP173, BIP350),
 * with the prefixes of a network.
 */
#ifndef FX_KEYS_ADDRESS_H
#define FX_KEYS_ADDRESS_H

#include "consensus/params.h"
#include "src/util/buf.h"
#include "src/util/span.h"

#define FX_ADDRESS_MAX 128   /* characters of an address with the zero at its end */
#define FX_ADDRESS_ERROR 160 /* of a text that says what is wrong with one */

/* The address of an output script; false where it has none. */
bool fx_address_encode(const struct fx_params *params, struct fx_span script,
                       char out[FX_ADDRESS_MAX]);
/* Appends the output script that an address names. False: error says why, in Bitcoin Core's words.
 */
bool fx_address_decode(const struct fx_params *params, const char *address, struct fx_buf *script,
                       char error[FX_ADDRESS_ERROR]);

/* A secret key in wallet import format. False where it is not one of this network. */
bool fx_wif_decode(const struct fx_params *params, const char *text, uint8_t secret[32],
                   bool *compressed);

/* The scripts of addresses, appended. */
void fx_script_put_p2pkh(struct fx_buf *script, const uint8_t key_hash[20]);
void fx_script_put_p2sh(struct fx_buf *script, const uint8_t script_hash[20]);
void fx_script_put_witness(struct fx_buf *script, unsigned version, struct fx_span program);

#endif
