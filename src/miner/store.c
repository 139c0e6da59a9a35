/* State of tasks on disk, and the panels that they read. */
#include "src/miner/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/miner/parse.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

#define STATE_MAX 65536
#define STORED_MAX 100000

static const char *const stage_names[] = {"work", "deliver", "claimed"};

bool fx_store_open(const char *workdir, char error[FX_KERNEL_TEXT])
{
    static const char *const folders[] = {"tasks", "operands"};
    bool ok = fx_dir_make(workdir);

    for (size_t at = 0; ok && at < 2; at++) {
        char *path = fx_path_join(workdir, folders[at]);

        ok = fx_dir_make(path);
        free(path);
    }
    if (!ok) {
        snprintf(error, FX_KERNEL_TEXT, "cannot make the work directory %.80s: %s", workdir,
                 strerror(errno));
        return false;
    }
    if (fx_dir_lock(workdir) >= 0)
        return true;
    if (errno == EWOULDBLOCK)
        snprintf(error, FX_KERNEL_TEXT,
                 "another fornax-miner works in %.80s: give this one its own -workdir", workdir);
    else
        snprintf(error, FX_KERNEL_TEXT, "cannot lock %.80s: %s", workdir, strerror(errno));
    return false;
}

static char *task_dir(const char *workdir, const char *origin)
{
    char name[FX_ORIGIN_TEXT + 8];
    char *colon;

    snprintf(name, sizeof name, "tasks/%s", origin);
    colon = strchr(name, ':');
    if (colon)
        *colon = '-';
    return fx_path_join(workdir, name);
}

char *fx_store_path(const char *workdir, const char *origin, const char *name)
{
    char *dir = task_dir(workdir, origin), *path = fx_path_join(dir, name);

    free(dir);
    return path;
}

static json_t *root_json(const struct fx_hash *root)
{
    char hex[FX_HASH_HEX];

    fx_hash_to_hex(root, hex);
    return json_string(hex);
}

/* The task as the node writes one, so that one reader does for both. */
static json_t *state_json(const struct fx_stored_task *stored)
{
    const struct fx_miner_task *task = &stored->task;
    const struct fx_task_shape *shape = &task->shape;
    json_t *inner = json_pack(
        "{s:s,s:s,s:s,s:f,s:I,s:I,s:I,s:o,s:o,s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I}}", "origin",
        task->origin, "kind", fx_kind_gemm.name, "status", "open", "escrow",
        (double)task->escrow / 1e8, "m", (json_int_t)task->m, "n", (json_int_t)task->n, "k",
        (json_int_t)task->k, "root_a", root_json(&task->root_a), "root_b", root_json(&task->root_b),
        "shape", "row0", (json_int_t)shape->row0, "col0", (json_int_t)shape->col0, "rows",
        (json_int_t)shape->rows, "cols", (json_int_t)shape->cols, "depth", (json_int_t)shape->depth,
        "tiles", (json_int_t)shape->tiles, "bricks", (json_int_t)shape->bricks);

    return json_pack("{s:i,s:s,s:i,s:s,s:o,s:o,s:o,s:o}", "version", 1, "stage",
                     stage_names[stored->stage], "blocks", (int)stored->blocks, "device",
                     stored->device, "task", inner, "solver", root_json(&stored->solver), "result",
                     root_json(&stored->result), "claim", root_json(&stored->claim));
}

static bool state_read(const json_t *json, struct fx_stored_task *stored)
{
    const char *stage = json_string_value(json_object_get(json, "stage"));
    const char *solver = json_string_value(json_object_get(json, "solver"));
    const char *result = json_string_value(json_object_get(json, "result"));
    const char *claim = json_string_value(json_object_get(json, "claim"));
    const char *device = json_string_value(json_object_get(json, "device"));
    json_int_t blocks = json_integer_value(json_object_get(json, "blocks"));

    memset(stored, 0, sizeof *stored);
    if (json_integer_value(json_object_get(json, "version")) != 1 || !stage || !solver || !result ||
        !claim || !device || strlen(device) >= sizeof stored->device || blocks < 0 ||
        blocks > 1000000)
        return false;
    memcpy(stored->device, device, strlen(device));
    for (unsigned at = 0; at < 3; at++) {
        if (strcmp(stage, stage_names[at]) == 0) {
            stored->stage = (enum fx_stage)at;
            stored->blocks = (unsigned)blocks;
            return fx_hash_from_hex(&stored->solver, solver) &&
                   fx_hash_from_hex(&stored->result, result) &&
                   fx_hash_from_hex(&stored->claim, claim) &&
                   fx_miner_task_parse(json_object_get(json, "task"), &stored->task) &&
                   stored->task.kind == fx_kind_gemm.id;
        }
    }
    return false;
}

bool fx_store_save(const char *workdir, const struct fx_stored_task *stored)
{
    char *dir = task_dir(workdir, stored->task.origin);
    char *path = fx_path_join(dir, "state.json");
    json_t *json = state_json(stored);
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    bool ok = text && fx_dir_make(dir) && fx_file_write(path, text, strlen(text), 0600);
    int why = errno;

    if (!ok)
        rmdir(dir); /* where it is empty */
    json_decref(json);
    free(text);
    free(path);
    free(dir);
    errno = why;
    return ok;
}

bool fx_store_load(const char *workdir, const char *origin, struct fx_stored_task *stored)
{
    char *path = fx_store_path(workdir, origin, "state.json");
    uint8_t *text = NULL;
    size_t n;
    json_t *json = NULL;
    bool ok;

    if (fx_file_read(path, STATE_MAX, &text, &n))
        json = json_loadb((const char *)text, n, 0, NULL);
    ok = json && state_read(json, stored) && strcmp(stored->task.origin, origin) == 0;
    json_decref(json);
    free(text);
    free(path);
    return ok;
}

size_t fx_store_list(const char *workdir, struct fx_stored_task **list)
{
    char *path = fx_path_join(workdir, "tasks");
    DIR *dir = opendir(path);
    struct dirent *entry;
    size_t n = 0;

    *list = NULL;
    while (dir && n < STORED_MAX && (entry = readdir(dir)) != NULL) {
        char origin[FX_ORIGIN_TEXT];
        char *dash;

        if (strlen(entry->d_name) >= sizeof origin)
            continue;
        snprintf(origin, sizeof origin, "%.79s", entry->d_name);
        dash = strchr(origin, '-');
        if (!dash)
            continue;
        *dash = ':';
        *list = fx_xreallocarray(*list, n + 1, sizeof **list);
        if (fx_store_load(workdir, origin, &(*list)[n]))
            n++;
    }
    if (dir)
        closedir(dir);
    free(path);
    return n;
}

void fx_store_remove_tiles(const char *workdir, const char *origin)
{
    char *tiles = fx_store_path(workdir, origin, "tiles");
    char *partial = fx_store_path(workdir, origin, "partial");

    fx_pieces_remove(tiles);
    unlink(partial);
    free(tiles);
    free(partial);
}

void fx_store_remove(const char *workdir, const char *origin)
{
    char *dir = task_dir(workdir, origin);
    char *state = fx_path_join(dir, "state.json");

    fx_store_remove_tiles(workdir, origin);
    unlink(state);
    rmdir(dir);
    free(state);
    free(dir);
}

bool fx_store_open_tiles(const char *workdir, const struct fx_miner_task *task,
                         struct fx_pieces *tiles)
{
    char *path = fx_store_path(workdir, task->origin, "tiles");
    bool ok = fx_pieces_open(tiles, path, task->shape.tiles, FX_TILE_BYTES);
    int why = errno;

    free(path);
    errno = why;
    return ok;
}

/* ---- operands ------------------------------------------------------------------------------- */

static bool open_side(struct fx_operands *operands, enum fx_side side, const char *workdir,
                      const struct fx_hash *root, uint64_t panels)
{
    char name[FX_HASH_HEX + 16], hex[FX_HASH_HEX];
    char *path;
    bool ok;
    int why;

    fx_hash_to_hex(root, hex);
    snprintf(name, sizeof name, "operands/%s", hex);
    path = fx_path_join(workdir, name);
    ok = fx_pieces_open(&operands->side[side], path, panels,
                        (size_t)operands->depth * FX_BLOCK_BYTES);
    why = errno;
    free(path);
    errno = why;
    return ok;
}

bool fx_operands_open(struct fx_operands *operands, const char *workdir,
                      const struct fx_miner_task *task)
{
    int why;

    memset(operands, 0, sizeof *operands);
    operands->depth = task->shape.depth;
    operands->first[FX_SIDE_A] = task->shape.row0;
    operands->count[FX_SIDE_A] = task->shape.rows;
    operands->first[FX_SIDE_B] = task->shape.col0;
    operands->count[FX_SIDE_B] = task->shape.cols;
    if (!open_side(operands, FX_SIDE_A, workdir, &task->root_a, task->m / FX_TILE))
        return false;
    if (open_side(operands, FX_SIDE_B, workdir, &task->root_b, task->n / FX_TILE))
        return true;
    why = errno;
    fx_pieces_close(&operands->side[FX_SIDE_A]);
    errno = why;
    return false;
}

void fx_operands_close(struct fx_operands *operands)
{
    fx_pieces_close(&operands->side[FX_SIDE_A]);
    fx_pieces_close(&operands->side[FX_SIDE_B]);
}

bool fx_operands_missing(struct fx_operands *operands, enum fx_side *side, uint32_t *panel)
{
    for (int s = FX_SIDE_A; s <= FX_SIDE_B; s++) {
        for (uint32_t at = 0; at < operands->count[s]; at++) {
            if (!fx_pieces_has(&operands->side[s], (uint64_t)operands->first[s] + at)) {
                *side = (enum fx_side)s;
                *panel = operands->first[s] + at;
                return true;
            }
        }
    }
    return false;
}

bool fx_operands_read(void *ctx, enum fx_side side, uint32_t panel, uint32_t first, uint32_t count,
                      int8_t *out)
{
    const struct fx_operands *operands = ctx;

    return fx_pieces_read(&operands->side[side], panel, (size_t)first * FX_BLOCK_BYTES, out,
                          (size_t)count * FX_BLOCK_BYTES);
}

static bool is_read(const char *name, const struct fx_miner_task *const *tasks, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        char a[FX_HASH_HEX], b[FX_HASH_HEX];

        fx_hash_to_hex(&tasks[at]->root_a, a);
        fx_hash_to_hex(&tasks[at]->root_b, b);
        if (strncmp(name, a, 64) == 0 || strncmp(name, b, 64) == 0)
            return true;
    }
    return false;
}

void fx_operands_sweep(const char *workdir, const struct fx_miner_task *const *tasks, size_t n)
{
    char *folder = fx_path_join(workdir, "operands");
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *path;

        if (strlen(entry->d_name) < 64 || is_read(entry->d_name, tasks, n))
            continue;
        path = fx_path_join(folder, entry->d_name);
        unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    free(folder);
}
