/*
 * The log: one line an event, to debug.log and, on request, to the console. Categories are switched
 * by -debug=NAME; lines without one are always written. Callable from any thread.
 */
#ifndef FX_SYS_LOG_H
#define FX_SYS_LOG_H

#include <stdbool.h>

enum fx_log_category {
    FX_LOG_ALL = 0, /* always */
    FX_LOG_NET = 1 << 0,
    FX_LOG_MEMPOOL = 1 << 1,
    FX_LOG_RPC = 1 << 2,
    FX_LOG_CHAIN = 1 << 3,
    FX_LOG_JOBS = 1 << 4,
    FX_LOG_WALLET = 1 << 5,
    FX_LOG_MINING = 1 << 6,
    FX_LOG_BLOBS = 1 << 7,
    FX_LOG_HTTP = 1 << 8
};

/* path NULL: no file. Returns false where the file cannot be opened (errno says why). Before this,
 * lines go to stderr. */
bool fx_log_open(const char *path, bool to_console);
void fx_log_close(void);
void fx_log_reopen(void); /* after SIGHUP */
/* "net", "all", "1", "0", "none"; false for an unknown name. */
bool fx_log_enable(const char *category);
/* The same with a category that was enabled, or would have been by "all". */
bool fx_log_disable(const char *category);
bool fx_log_enabled(enum fx_log_category category);
/* A newline is added. */
void fx_log(enum fx_log_category category, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define fx_log_info(...) fx_log(FX_LOG_ALL, __VA_ARGS__)

#endif
