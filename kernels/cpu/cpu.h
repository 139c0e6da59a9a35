/* What is particular to the CPU backend: how many threads it uses, and which instructions. */
#ifndef FX_KERNELS_CPU_CPU_H
#define FX_KERNELS_CPU_CPU_H

#include <stdbool.h>

/* Both are for devices opened from now on, and not for use while another thread opens one. */

/* 0: one a core (the default). */
void fx_backend_cpu_set_threads(unsigned threads);
/* By the name of an engine (kernels/cpu/engine.c), for tests and benches; NULL: the fastest one
 * (the default). False, and nothing changes: there is no such engine, or this processor cannot run
 * it. */
bool fx_backend_cpu_set_engine(const char *name);

#endif
