/*
 * What the processor can do beyond the baseline that the binary is built for. Functions for more
 * are compiled with target attributes and called only where these say yes, so one binary runs
 * anywhere.
 */
#ifndef FX_CRYPTO_CPU_INT_H
#define FX_CRYPTO_CPU_INT_H

#include <stdbool.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define FX_CRYPTO_X86 1
#endif

/* The SHA extensions, SSSE3 and SSE4.1. */
bool fx_cpu_has_sha(void);
/* AVX2, by the processor and by the system, which must save the wide registers. */
bool fx_cpu_has_avx2(void);
/* AVX-512 Foundation, likewise. */
bool fx_cpu_has_avx512(void);

#endif
