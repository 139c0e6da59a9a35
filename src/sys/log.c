/* The log: lines with a time stamp to a file and to the console, from any thread. */
#include "src/sys/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/util/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened; /* false: lines go to stderr */
static bool console;
static FILE *file;
static char *file_path;
static _Atomic unsigned enabled;

static const struct {
    const char *name;
    unsigned mask;
} categories[] = {
    {"net", FX_LOG_NET},
    {"mempool", FX_LOG_MEMPOOL},
    {"rpc", FX_LOG_RPC},
    {"chain", FX_LOG_CHAIN},
    {"jobs", FX_LOG_JOBS},
    {"wallet", FX_LOG_WALLET},
    {"mining", FX_LOG_MINING},
    {"blobs", FX_LOG_BLOBS},
    {"http", FX_LOG_HTTP},
    {"all", ~0u},
    {"1", ~0u},
    {"", ~0u},
};

bool fx_log_open(const char *path, bool to_console)
{
    FILE *f = NULL;

    if (path != NULL) {
        f = fopen(path, "ae");
        if (f == NULL) {
            return false;
        }
    }
    pthread_mutex_lock(&lock);
    if (file != NULL) {
        fclose(file);
    }
    free(file_path);
    file = f;
    file_path = path != NULL ? fx_xstrdup(path) : NULL;
    console = to_console;
    opened = true;
    pthread_mutex_unlock(&lock);
    return true;
}

void fx_log_close(void)
{
    pthread_mutex_lock(&lock);
    if (file != NULL) {
        fclose(file);
    }
    free(file_path);
    file = NULL;
    file_path = NULL;
    console = false;
    opened = false;
    pthread_mutex_unlock(&lock);
}

void fx_log_reopen(void)
{
    pthread_mutex_lock(&lock);
    if (file_path != NULL) {
        FILE *f = fopen(file_path, "ae");

        /* Where the new file cannot be opened the old one goes on. */
        if (f != NULL) {
            if (file != NULL) {
                fclose(file);
            }
            file = f;
        }
    }
    pthread_mutex_unlock(&lock);
}

/* 0: no such category. */
static unsigned category_mask(const char *category)
{
    size_t i;

    for (i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (strcmp(category, categories[i].name) == 0) {
            return categories[i].mask;
        }
    }
    return 0;
}

bool fx_log_enable(const char *category)
{
    unsigned mask = category_mask(category);

    if (strcmp(category, "0") == 0 || strcmp(category, "none") == 0) {
        atomic_store(&enabled, 0);
        return true;
    }
    atomic_fetch_or(&enabled, mask);
    return mask != 0;
}

bool fx_log_disable(const char *category)
{
    unsigned mask = category_mask(category);

    atomic_fetch_and(&enabled, ~mask);
    return mask != 0;
}

bool fx_log_enabled(enum fx_log_category category)
{
    return category == FX_LOG_ALL || (atomic_load(&enabled) & (unsigned)category) != 0;
}

static const char *category_name(enum fx_log_category category)
{
    size_t i;

    for (i = 0; category != FX_LOG_ALL && i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (categories[i].mask == (unsigned)category) {
            return categories[i].name;
        }
    }
    return NULL;
}

static void write_line(FILE *to, const char *stamp, const char *name, const char *text)
{
    const char *p;

    fputs(stamp, to);
    if (name != NULL) {
        fprintf(to, "[%s] ", name);
    }
    /* Peers choose parts of some lines: no control character may fake a line or steer a terminal.
     */
    for (p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == 0x7f) {
            fprintf(to, "\\x%02x", c);
        } else {
            putc(c, to);
        }
    }
    putc('\n', to);
    fflush(to);
}

void fx_log(enum fx_log_category category, const char *format, ...)
{
    char small[1024], stamp[40];
    char *text = small;
    struct timespec now;
    struct tm tm;
    va_list args;
    int n, saved = errno;

    if (!fx_log_enabled(category)) {
        return;
    }
    va_start(args, format);
    n = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (n < 0) {
        errno = saved;
        return;
    }
    if ((size_t)n >= sizeof(small)) {
        text = fx_xmalloc((size_t)n + 1);
        va_start(args, format);
        vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    if (n > 0 && text[strlen(text) - 1] == '\n') {
        text[strlen(text) - 1] = '\0';
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &tm);

    pthread_mutex_lock(&lock);
    if (!opened) {
        write_line(stderr, stamp, category_name(category), text);
    }
    if (file != NULL) {
        write_line(file, stamp, category_name(category), text);
    }
    if (console) {
        write_line(stdout, stamp, category_name(category), text);
    }
    pthread_mutex_unlock(&lock);
    if (text != small) {
        free(text);
    }
    errno = saved;
}
