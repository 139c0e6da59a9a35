/* The node in the background: -daemon. */
#ifndef FX_NODE_DAEMON_H
#define FX_NODE_DAEMON_H

/* Goes on in a process of its own, apart from the terminal, and returns there. The one that was
 * started waits for fx_daemon_ready and exits with 0, or with 1 where the node ends before; errors
 * of the start reach its standard error. To be called before any thread is. -1: errno says why. */
int fx_daemon_start(void);
/* The node is up; closes the descriptor that fx_daemon_start returned, and leaves the terminal. */
void fx_daemon_ready(int fd);

#endif
