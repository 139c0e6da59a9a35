/* The table of job kinds. A kind is one file here and one entry. */
#include "consensus/kinds/kind.h"

const struct fx_kind *const fx_kinds_v1[] = {&fx_kind_gemm, NULL};

const struct fx_kind *fx_kind_find(const struct fx_kind *const *kinds, uint8_t id)
{
    for (; *kinds != NULL; kinds++) {
        if ((*kinds)->id == id) {
            return *kinds;
        }
    }
    return NULL;
}
