/* The reject strings, from the tables of verdict.h and script_error.h. */
#include "consensus/verdict.h"

#include <stddef.h>

#define FX_VERDICT_TEXT(name, text) text,
#define FX_VERDICT_SCRIPT_TEXT(name, text) FX_SCRIPT_VERIFY_TEXT " (" text ")",
static const char *const texts[] = {FX_VERDICTS(FX_VERDICT_TEXT)
                                        FX_SCRIPT_ERRORS(FX_VERDICT_SCRIPT_TEXT)};
#undef FX_VERDICT_TEXT
#undef FX_VERDICT_SCRIPT_TEXT

/* Script errors count from OK, so the first of them is 1. */
#define SCRIPT_BASE ((size_t)FX_SCRIPT_VERIFY_UNKNOWN_ERROR - FX_SCRIPT_ERR_UNKNOWN_ERROR)

const char *fx_verdict_string(enum fx_verdict verdict)
{
    size_t at = (size_t)verdict;

    return at < sizeof texts / sizeof texts[0] ? texts[at] : "";
}

enum fx_verdict fx_verdict_of_script(enum fx_script_error error)
{
    return error == FX_SCRIPT_ERR_OK ? FX_OK : (enum fx_verdict)(SCRIPT_BASE + (size_t)error);
}

bool fx_verdict_is_script(enum fx_verdict verdict)
{
    return (size_t)verdict > SCRIPT_BASE;
}
