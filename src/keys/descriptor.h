/*
 * Output descriptors (BIP380 to BIP386, with addr(), raw() and rawtr()): a text that says which
 * output scripts somebody may spend, and how. Bitcoin Core's words where one does not parse.
 * Miniscript is not known.
 */
#ifndef FX_KEYS_DESCRIPTOR_H
#define FX_KEYS_DESCRIPTOR_H

#include "consensus/params.h"
#include "src/util/buf.h"
#include "src/util/span.h"

struct fx_descriptor; /* opaque; may hold secrets */

#define FX_DESCRIPTOR_CHECKSUM 8
#define FX_DESCRIPTOR_ERROR 256
#define FX_DESCRIPTOR_TEXT_MAX 262144 /* characters of one from outside */
#define FX_DESCRIPTOR_SCRIPTS_MAX 4   /* combo() is so many scripts */

/* False where the text has characters that no descriptor has. */
bool fx_descriptor_checksum(const char *text, size_t n, char out[FX_DESCRIPTOR_CHECKSUM + 1]);

/* A checksum after '#' must be right, and where need_checksum it must be there. NULL: error says
 * why. */
struct fx_descriptor *fx_descriptor_parse(const struct fx_params *params, const char *text,
                                          bool need_checksum, char error[FX_DESCRIPTOR_ERROR]);
void fx_descriptor_destroy(struct fx_descriptor *descriptor); /* zeroes secrets; NULL: nothing */

bool fx_descriptor_is_range(const struct fx_descriptor *descriptor); /* it has a '*' */
bool fx_descriptor_is_solvable(
    const struct fx_descriptor *descriptor); /* neither addr() nor raw() */
bool fx_descriptor_has_secrets(const struct fx_descriptor *descriptor);
/* combo(): several scripts. */
bool fx_descriptor_is_combo(const struct fx_descriptor *descriptor);

/*
 * The output scripts at this position of the range, in scripts[]; *n of them, the caller clears
 * each. False where a hardened step has no secret key, or a key comes out invalid; nothing is left
 * then.
 */
bool fx_descriptor_scripts(const struct fx_descriptor *descriptor, uint32_t position,
                           struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX], size_t *n);
/* The descriptor with public keys only, checksum and all; the caller's to free. */
char *fx_descriptor_text(const struct fx_descriptor *descriptor);
/* Likewise, of script number `which` at this position alone: each key with its origin. NULL where
 * fx_descriptor_scripts gives false. */
char *fx_descriptor_instance(const struct fx_descriptor *descriptor, uint32_t position,
                             size_t which);

/* What can be told of a script without more, with no checksum: rawtr() of its output key, addr() or
 * raw(). The caller's to free. */
char *fx_descriptor_infer(const struct fx_params *params, struct fx_span script);

#endif
