/*
 * A fuzz target is a file fuzz_NAME.c that defines this one function: it takes any bytes, and
 * returns 0. What it must not do is crash, read outside its bounds, leak, or break a property that
 * it checks with FX_FUZZ_CHECK. Its corpus is the folder qa/fuzz/corpus/NAME.
 */
#ifndef FORNAX_QA_FUZZ_FUZZ_H
#define FORNAX_QA_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define FX_FUZZ_CHECK(cond) \
    do {                    \
        if (!(cond)) {      \
            abort();        \
        }                   \
    } while (0)

#endif
