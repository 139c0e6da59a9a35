/* Detection of instruction set extensions by CPUID. */
#include "src/crypto/cpu_int.h"

#ifdef FX_CRYPTO_X86

#include <cpuid.h>

#define LEAF1_ECX_SSSE3 (1u << 9)
#define LEAF1_ECX_SSE41 (1u << 19)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_AVX (1u << 28)
#define LEAF7_EBX_AVX2 (1u << 5)
#define LEAF7_EBX_AVX512F (1u << 16)
#define LEAF7_EBX_SHA (1u << 29)
#define XCR0_SSE_AVX 0x6u
#define XCR0_AVX512 0xe6u

static bool cpu_query(unsigned *leaf1_ecx, unsigned *leaf7_ebx)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return false;
    *leaf1_ecx = c;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return false;
    *leaf7_ebx = b;
    return true;
}

bool fx_cpu_has_sha(void)
{
    const unsigned need = LEAF1_ECX_SSSE3 | LEAF1_ECX_SSE41;
    unsigned ecx, ebx;
    return cpu_query(&ecx, &ebx) && (ecx & need) == need && (ebx & LEAF7_EBX_SHA) != 0;
}

/* Has the processor this bit of leaf 7, and does the system save these registers? */
static bool has_wide(unsigned leaf7_ebx, unsigned registers)
{
    const unsigned need = LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX;
    unsigned ecx, ebx;
    if (!cpu_query(&ecx, &ebx) || (ecx & need) != need || (ebx & leaf7_ebx) == 0)
        return false;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & registers) == registers;
}

bool fx_cpu_has_avx2(void)
{
    return has_wide(LEAF7_EBX_AVX2, XCR0_SSE_AVX);
}

bool fx_cpu_has_avx512(void)
{
    return has_wide(LEAF7_EBX_AVX512F, XCR0_AVX512);
}

#else

bool fx_cpu_has_sha(void)
{
    return false;
}

bool fx_cpu_has_avx2(void)
{
    return false;
}

bool fx_cpu_has_avx512(void)
{
    return false;
}

#endif
