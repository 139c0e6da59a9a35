/* The header of a .npy file: what it says is bounded by the file, so that all elements can be
 * read. */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "src/util/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fx_npy npy;
    char error[FX_NPY_ERROR];
    uint64_t count;
    uint64_t i;

    memset(error, 0, sizeof(error));
    if (!fx_npy_parse(&npy, data, length, length, error)) {
        FX_FUZZ_CHECK(error[0] != '\0' && memchr(error, '\0', sizeof(error)) != NULL);
        return 0;
    }
    FX_FUZZ_CHECK(npy.rows > 0 && npy.columns > 0);
    FX_FUZZ_CHECK(npy.rows <= UINT64_MAX / npy.columns / npy.item);
    count = npy.rows * npy.columns;
    FX_FUZZ_CHECK(npy.data_offset <= length && count <= (length - npy.data_offset) / npy.item);
    for (i = 0; i < count; i++) {
        fx_npy_element(&npy, data + npy.data_offset, i);
    }
    return 0;
}
