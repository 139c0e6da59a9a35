/* Where a network's files are: shared by the daemon and its clients. */
#ifndef FX_SYS_DATADIR_H
#define FX_SYS_DATADIR_H

#include <stdbool.h>
#include <stddef.h>

/* $HOME/.fornax (without HOME: /.fornax); the caller frees. */
char *fx_datadir_default(void);
/* Is the directory that -datadir names there? False: error, of n bytes, says what is wrong. */
bool fx_datadir_check(const char *path, char *error, size_t n);

#endif
