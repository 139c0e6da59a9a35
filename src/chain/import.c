/* Importing: blocks from files into the chain, in steps. Blocks on their way are read, parsed and
 * checked by other threads while this one connects those before them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/chain/chain_int.h"
#include "src/chain/import_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define REPORT_MS 10000

/* A file to read: one of the chain's own, or of somebody else. */
struct source {
    char *path;
    bool own;
    uint32_t file; /* own: its number */
    uint64_t size;
    int fd; /* -1 while closed */
};

/* A block on its way. */
struct item {
    struct fx_ahead ahead;
    struct fx_found found;
    size_t source;
};

/* A block whose parent has not come, under the parent's id. */
struct held {
    struct held *next;
    struct fx_found found;
    size_t source;
};

struct fx_import {
    struct fx_chain *chain;
    struct source *sources;
    size_t n_sources;
    size_t at; /* the source that is scanned; n_sources: none is left */
    struct fx_scan scan;
    struct item ring[FX_AHEAD_BLOCKS];
    size_t first, n;
    struct fx_map *held; /* id of the parent -> struct held, a list */
    struct held *ready;  /* whose parent has come */
    bool store_only;     /* connect nothing before all files have been read */
    /* for the log */
    uint64_t bytes, total_bytes; /* of files before the one that is scanned, and of all */
    size_t n_blocks, n_bad, n_held;
    int64_t started_ms, reported_ms;
};

/* ---- files ---- */

static void add_source(struct fx_import *import, char *path, uint64_t size)
{
    import->sources =
        fx_xreallocarray(import->sources, import->n_sources + 1, sizeof(*import->sources));
    import->sources[import->n_sources++] = (struct source){.path = path, .size = size, .fd = -1};
    import->total_bytes += size;
}

static void add_own_sources(struct fx_import *import)
{
    const struct fx_files *files = import->chain->files;
    uint64_t size;

    for (uint32_t file = 0; (size = fx_files_block_size(files, file)) > 0; file++) {
        add_source(import, fx_files_block_path(files, file), size);
        import->sources[file].own = true;
        import->sources[file].file = file;
    }
}

static bool open_source(struct source *source)
{
    if (source->fd < 0) {
        source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    }
    if (source->fd < 0) {
        fx_log_info("import: cannot open %s: %s", source->path, strerror(errno));
    }
    return source->fd >= 0;
}

static void close_source(struct source *source)
{
    if (source->fd >= 0) {
        close(source->fd);
        source->fd = -1;
    }
}

static bool add_path(struct fx_import *import, const char *path, char **error)
{
    struct stat st;
    bool there = stat(path, &st) == 0;

    if (!there || !S_ISREG(st.st_mode)) {
        struct fx_buf text = FX_BUF_INIT;

        fx_buf_printf(&text, "cannot read blocks from %s: %s", path,
                      there ? "it is no file" : strerror(errno));
        fx_buf_u8(&text, 0);
        *error = (char *)fx_buf_steal(&text, NULL);
        return false;
    }
    add_source(import, fx_xstrdup(path), (uint64_t)st.st_size);
    return true;
}

/* ---- blocks that wait for their parent ---- */

static void hold(struct fx_import *import, const struct fx_found *found, size_t source)
{
    struct held *held = fx_xmalloc(sizeof(*held));

    *held = (struct held){.found = *found, .source = source};
    held->next = fx_map_get(import->held, found->prev.b);
    fx_map_put(import->held, found->prev.b, held);
    import->n_held++;
}

/* id is in the chain now: its children are next. */
static void release(struct fx_import *import, const struct fx_hash *id)
{
    struct held *list = fx_map_remove(import->held, id->b);

    while (list != NULL) {
        struct held *next = list->next;

        list->next = import->ready;
        import->ready = list;
        list = next;
        import->n_held--;
    }
}

static void free_list(void *list)
{
    struct held *held = list;

    while (held != NULL) {
        struct held *next = held->next;

        free(held);
        held = next;
    }
}

/* ---- blocks on their way ---- */

static struct item *item_at(struct fx_import *import, size_t at)
{
    return &import->ring[(import->first + at) % FX_AHEAD_BLOCKS];
}

static bool is_known(struct fx_import *import, const struct fx_hash *id)
{
    for (size_t i = import->n; i-- > 0;) {
        if (fx_hash_equal(&item_at(import, i)->found.id, id)) {
            return true;
        }
    }
    return fx_chain_entry(import->chain, id) != NULL;
}

static bool has_data(const struct fx_import *import, const struct fx_hash *id)
{
    const struct fx_index *index = fx_chain_entry(import->chain, id);

    return index != NULL && (index->status & FX_INDEX_HAVE_DATA) != 0;
}

static void start(struct fx_import *import, const struct fx_found *found, size_t source)
{
    struct item *item = item_at(import, import->n);

    item->found = *found;
    item->source = source;
    import->n++;
    fx_ahead_start(&item->ahead, import->chain, import->sources[source].fd, found->pos,
                   found->size);
}

/* Begins the first file at or after import->at that can be opened. */
static void begin_source(struct fx_import *import)
{
    for (; import->at < import->n_sources; import->at++) {
        struct source *source = &import->sources[import->at];

        if (open_source(source)) {
            fx_log_info("import: reading %s", source->path);
            fx_scan_init(&import->scan, import->chain->params->magic, source->fd, source->size);
            return;
        }
        import->bytes += source->size;
    }
}

static void end_source(struct fx_import *import)
{
    import->bytes += import->sources[import->at].size;
    import->at++;
    begin_source(import);
}

/* Looks at the next block of the files. False where there is none any more. */
static bool scan_one(struct fx_import *import)
{
    struct fx_found found;

    if (import->at == import->n_sources) {
        return false;
    }
    switch (fx_scan_next(&import->scan, &found)) {
    case FX_SCAN_FOUND:
        break;
    case FX_SCAN_FAILED:
        fx_log_info("import: cannot read %s: %s", import->sources[import->at].path,
                    strerror(errno));
        end_source(import);
        return true;
    case FX_SCAN_END:
        end_source(import);
        return true;
    }
    if (has_data(import, &found.id)) {
        release(import, &found.id);
    } else if (is_known(import, &found.prev)) {
        start(import, &found, import->at);
    } else {
        hold(import, &found, import->at);
    }
    return true;
}

static uint64_t bytes_on_the_way(struct fx_import *import)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < import->n; i++) {
        bytes += item_at(import, i)->found.size;
    }
    return bytes;
}

static bool is_over(int64_t until)
{
    return fx_clock_monotonic_ms() >= until;
}

static void fill(struct fx_import *import, int64_t until)
{
    uint64_t bytes = bytes_on_the_way(import);
    size_t before = import->n;

    while (import->n < FX_AHEAD_BLOCKS && bytes < FX_AHEAD_BYTES && !is_over(until)) {
        struct held *held = import->ready;

        if (held != NULL) {
            import->ready = held->next;
            if (open_source(&import->sources[held->source])) {
                start(import, &held->found, held->source);
            }
            free(held);
        } else if (!scan_one(import)) {
            break;
        }
        if (import->n > before) {
            bytes += item_at(import, import->n - 1)->found.size;
            before = import->n;
        }
    }
}

/* ---- taking ---- */

static void complain(struct fx_import *import, const struct item *item, const char *why)
{
    char id[FX_HASH_HEX];

    fx_hash_to_id(&item->found.id, id);
    fx_log_info("import: block %s in %s: %s", id, import->sources[item->source].path, why);
    import->n_bad++;
}

/* False: fatal. */
static bool accept(struct fx_import *import, struct item *item, int64_t until)
{
    const struct source *source = &import->sources[item->source];
    struct fx_block_place place = {.file = source->file, .pos = item->found.pos};
    struct fx_chain *chain = import->chain;
    const struct fx_block *block = item->ahead.block;
    struct fx_index *entry;
    enum fx_verdict why;
    bool fresh;

    switch (fx_chain_take_block(chain, block, &item->ahead.check, source->own ? &place : NULL,
                                &entry, &fresh, &why)) {
    case FX_VALID:
        break;
    case FX_INVALID:
    case FX_INVALID_COPY:
        complain(import, item, fx_verdict_string(why));
        return true;
    case FX_FAILED:
        return false;
    }
    import->n_blocks += fresh;
    release(import, &item->found.id);
    return import->store_only || fx_chain_activate(chain, entry, block, until);
}

/* A file is open while it is scanned, or has blocks on their way. */
static void close_idle(struct fx_import *import, size_t source)
{
    bool used = source == import->at;

    for (size_t i = 0; i < import->n && !used; i++) {
        used = item_at(import, i)->source == source;
    }
    if (!used) {
        close_source(&import->sources[source]);
    }
}

static bool take_first(struct fx_import *import, int64_t until)
{
    struct item *item = item_at(import, 0);
    size_t source = item->source;
    bool ok = true;

    fx_ahead_finish(&item->ahead);
    switch (item->ahead.data) {
    case FX_DATA_OK:
        ok = accept(import, item, until);
        break;
    case FX_DATA_LOST:
        complain(import, item, "it does not parse");
        break;
    case FX_DATA_FAILED:
        complain(import, item, "it cannot be read");
        break;
    }
    fx_ahead_end(&item->ahead);
    import->first = (import->first + 1) % FX_AHEAD_BLOCKS;
    import->n--;
    close_idle(import, source);
    return ok;
}

/* ---- steps ---- */

static void report(struct fx_import *import, bool last)
{
    const struct fx_chain *chain = import->chain;
    int64_t now = fx_clock_monotonic_ms();
    uint64_t done = import->bytes + (import->at < import->n_sources ? import->scan.pos : 0);

    if (!last && now - import->reported_ms < REPORT_MS) {
        return;
    }
    import->reported_ms = now;
    fx_log_info("import: %.1f %% of %.1f MB, %zu blocks new, %zu refused, %zu without a parent; "
                "height %u, %u blocks to connect, %.1f s",
                import->total_bytes > 0 ? 100.0 * (double)done / (double)import->total_bytes : 100,
                (double)import->total_bytes / 1e6, import->n_blocks, import->n_bad, import->n_held,
                chain->tip->height, fx_chain_backlog(chain),
                (double)(now - import->started_ms) / 1000);
}

static enum fx_import_step failed(struct fx_import *import)
{
    fx_chain_set_fatal(import->chain, "the import cannot go on");
    return FX_IMPORT_FAILED;
}

/* All files have been read. */
static enum fx_import_step finish(struct fx_import *import)
{
    struct fx_chain *chain = import->chain;

    report(import, true);
    if (!fx_chain_flush(chain) ||
        (chain->partial && !fx_index_db_set_partial(chain->index_db, false))) {
        return failed(import);
    }
    if (chain->partial) {
        fx_log_info("Reindexing finished"); /* in Bitcoin Core's words */
    }
    chain->partial = false;
    chain->importing = false;
    return FX_IMPORT_DONE;
}

enum fx_import_step fx_import_step(struct fx_import *import, unsigned ms)
{
    struct fx_chain *chain = import->chain;
    int64_t until = fx_clock_monotonic_ms() + ms;

    do {
        if (chain->fatal != NULL) {
            return failed(import);
        }
        report(import, false);
        fill(import, until);
        if (!import->store_only && fx_chain_is_behind(chain)) {
            if (!fx_chain_activate(chain, NULL, NULL, until)) {
                return failed(import);
            }
        } else if (import->n > 0) {
            if (!take_first(import, until)) {
                return failed(import);
            }
        } else if (import->at == import->n_sources && import->ready == NULL) {
            if (!import->store_only) {
                return finish(import);
            }
            import->store_only = false;
        }
    } while (!is_over(until));
    return FX_IMPORT_MORE;
}

/* ---- begin and end ---- */

struct fx_import *fx_import_create(struct fx_chain *chain, const char *const *paths, size_t n,
                                   char **error)
{
    struct fx_import *import = fx_xcalloc(1, sizeof(*import));
    bool ok = true;

    import->chain = chain;
    import->held = fx_map_create(32, fx_random_u64(), fx_random_u64());
    import->started_ms = import->reported_ms = fx_clock_monotonic_ms();
    if (chain->partial) {
        add_own_sources(import);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = add_path(import, paths[i], error);
    }
    if (!ok) {
        fx_import_destroy(import);
        return NULL;
    }
    chain->importing = true;
    /* Which blocks have it above them is known only once its header is. */
    import->store_only = !fx_hash_is_zero(&chain->assume_valid) &&
                         fx_chain_entry(chain, &chain->assume_valid) == NULL;
    begin_source(import);
    return import;
}

void fx_import_destroy(struct fx_import *import)
{
    if (import == NULL) {
        return;
    }
    for (size_t i = 0; i < import->n; i++) {
        fx_ahead_end(&item_at(import, i)->ahead);
    }
    for (size_t i = 0; i < import->n_sources; i++) {
        close_source(&import->sources[i]);
        free(import->sources[i].path);
    }
    free(import->sources);
    fx_map_destroy(import->held, free_list);
    free_list(import->ready);
    import->chain->importing = false;
    free(import);
}
