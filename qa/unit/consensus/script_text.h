/* The text forms of Bitcoin Core's script vectors: scripts, flags, error names. */
#ifndef FORNAX_QA_UNIT_CONSENSUS_SCRIPT_TEXT_H
#define FORNAX_QA_UNIT_CONSENSUS_SCRIPT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "consensus/script_error.h"
#include "src/util/buf.h"

/* "DUP HASH160 0x14 0x...  'text' -5 CHECKSIG": appended to buf. What is no script fails the test.
 */
void script_text_parse(const char *text, struct fx_buf *buf);
/* "P2SH,WITNESS", "NONE" or "". */
uint32_t script_text_flags(const char *text);
enum fx_script_error script_text_error(const char *name);

/* Every flag that there is. */
#define SCRIPT_FLAGS 21
#define SCRIPT_FLAGS_ALL ((UINT32_C(1) << SCRIPT_FLAGS) - 1)
/* Flags that need others get them, or go where these are missing. */
uint32_t script_flags_fill(uint32_t flags);
uint32_t script_flags_trim(uint32_t flags);

#endif
