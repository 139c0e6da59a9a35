/*
 * Places where a test can end the process, as a power cut would, to see that nothing acknowledged
 * is lost. The environment names one: FORNAX_CRASH_AT=NAME or NAME:COUNT, the COUNT-th time (from
 * 1) that the place is passed. Unset, a point costs one getenv: keep it out of inner loops.
 */
#ifndef FX_SYS_CRASH_H
#define FX_SYS_CRASH_H

/* Kills this process with SIGKILL where the environment names this point. Main thread only. */
void fx_crash_point(const char *name);

#endif
