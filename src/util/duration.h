/* A span of time as people say it. */
#ifndef FX_UTIL_DURATION_H
#define FX_UTIL_DURATION_H

#define FX_DURATION_TEXT 32

/* "90 s", "45 min", "5.5 h", "3.2 days", "12 years": in the largest unit of which there are two.
 * The seconds are finite and not negative. */
void fx_duration_format(double seconds, char text[FX_DURATION_TEXT]);

#endif
