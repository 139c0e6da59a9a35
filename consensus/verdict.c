/* The reject strings, from the one table of verdict.h. */
#include "consensus/verdict.h"

#include <stddef.h>

#define FX_VERDICT_TEXT(name, text) text,
static const char *const texts[] = {FX_VERDICTS(FX_VERDICT_TEXT)};
#undef FX_VERDICT_TEXT

const char *fx_verdict_string(enum fx_verdict verdict)
{
    size_t at = (size_t)verdict;

    return at < sizeof texts / sizeof texts[0] ? texts[at] : "";
}
