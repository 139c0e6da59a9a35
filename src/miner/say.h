/* What the miner tells its user. */
#ifndef FX_MINER_SAY_H
#define FX_MINER_SAY_H

/* One line on standard output with the time before it. From any thread. */
void fx_miner_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
