/* Where a network's files are: shared by the daemon and its clients. */
#ifndef FX_SYS_DATADIR_H
#define FX_SYS_DATADIR_H

/* $HOME/.fornax (without HOME: /.fornax); the caller frees. */
char *fx_datadir_default(void);

#endif
