/* Names and texts of script errors, from the one table of script_error.h. */
#include "consensus/script_error.h"

#include <stddef.h>

#define FX_SCRIPT_ERROR_NAME(name, text) #name,
#define FX_SCRIPT_ERROR_TEXT(name, text) text,
static const char *const names[] = {"OK", FX_SCRIPT_ERRORS(FX_SCRIPT_ERROR_NAME)};
static const char *const texts[] = {"No error", FX_SCRIPT_ERRORS(FX_SCRIPT_ERROR_TEXT)};
#undef FX_SCRIPT_ERROR_NAME
#undef FX_SCRIPT_ERROR_TEXT

const char *fx_script_error_name(enum fx_script_error error)
{
    size_t at =
        (size_t)(error == FX_SCRIPT_ERR_EMPTY_CONDITIONAL ? FX_SCRIPT_ERR_INVALID_STACK_OPERATION
                                                          : error);

    return at < sizeof names / sizeof names[0] ? names[at] : "UNKNOWN_ERROR";
}

const char *fx_script_error_text(enum fx_script_error error)
{
    size_t at = (size_t)error;

    return at < sizeof texts / sizeof texts[0] ? texts[at] : "unknown error";
}
