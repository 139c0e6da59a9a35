/* What is particular to the CPU backend: how many threads it uses. */
#ifndef FX_KERNELS_CPU_CPU_H
#define FX_KERNELS_CPU_CPU_H

/* For devices opened from now on. 0: one a core (the default). Not for use while another thread
 * opens one. */
void fx_backend_cpu_set_threads(unsigned threads);

#endif
