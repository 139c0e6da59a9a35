/* Names of hosts to addresses, without waiting for them. */
#include "src/sys/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

/* Of the one who asks and of the thread; the last of the two frees it. */
struct fx_resolve {
    pthread_mutex_t lock; /* of all below */
    unsigned owners;
    bool done;
    int why; /* EAI_... */
    struct sockaddr_storage list[FX_HOST_ADDRESSES];
    size_t n;
    char host[FX_HOST_MAX + 1]; /* does not change */
};

bool fx_host_is_name(const char *host)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789-_.";
    size_t n = strlen(host);
    size_t at = 0;

    while (at < n && (strchr(letters, host[at]) || strchr(others, host[at]))) {
        at++;
    }
    return at == n && n <= FX_HOST_MAX && strpbrk(host, letters);
}

static void leave(struct fx_resolve *lookup)
{
    bool last;

    pthread_mutex_lock(&lookup->lock);
    last = --lookup->owners == 0;
    pthread_mutex_unlock(&lookup->lock);
    if (last) {
        pthread_mutex_destroy(&lookup->lock);
        free(lookup);
    }
}

static void *run(void *arg)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct fx_resolve *lookup = arg;
    struct addrinfo *found = NULL;
    int why = getaddrinfo(lookup->host, NULL, &hints, &found);

    pthread_mutex_lock(&lookup->lock);
    lookup->why = why;
    for (const struct addrinfo *a = why == 0 ? found : NULL; a; a = a->ai_next) {
        if (lookup->n < FX_HOST_ADDRESSES && a->ai_addrlen <= sizeof lookup->list[0]) {
            memcpy(&lookup->list[lookup->n++], a->ai_addr, a->ai_addrlen);
        }
    }
    lookup->done = true;
    pthread_mutex_unlock(&lookup->lock);
    if (why == 0) {
        freeaddrinfo(found);
    }
    leave(lookup);
    return NULL;
}

struct fx_resolve *fx_resolve_start(const char *host)
{
    struct fx_resolve *lookup = fx_xcalloc(1, sizeof *lookup);
    pthread_t thread;

    memcpy(lookup->host, host, strnlen(host, FX_HOST_MAX));
    lookup->owners = 2;
    pthread_mutex_init(&lookup->lock, NULL);
    if (pthread_create(&thread, NULL, run, lookup) != 0) {
        lookup->owners = 1;
        leave(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

bool fx_resolve_done(struct fx_resolve *lookup, struct sockaddr_storage list[FX_HOST_ADDRESSES],
                     size_t *n, const char **error)
{
    bool done;

    pthread_mutex_lock(&lookup->lock);
    done = lookup->done;
    *n = lookup->n;
    *error = lookup->why != 0 ? gai_strerror(lookup->why) : "no address";
    memcpy(list, lookup->list, lookup->n * sizeof *list);
    pthread_mutex_unlock(&lookup->lock);
    return done;
}

void fx_resolve_drop(struct fx_resolve *lookup)
{
    if (lookup) {
        leave(lookup);
    }
}
