/* Block and undo files: appending, reading back, rolling over to the next file. */
#include "src/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consensus/params.h"
#include "consensus/script_ops.h"
#include "consensus/tx.h"
#include "src/crypto/sha256.h"
#include "src/sys/crash.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define CHECKSUM 32

/* What the rules allow, the files must hold: else one valid block ends every node. */
#define INPUTS_MAX (FX_BLOCK_WEIGHT_MAX / FX_WITNESS_SCALE / 41)
#define COIN_HEAD_MAX 32            /* height, amount, length of the script */
#define RECORD_CHANGES_MAX 10000000 /* all task records that one block changes or forgets */
_Static_assert(FX_FILES_RECORD_MAX >
                   INPUTS_MAX * (FX_SCRIPT_SIZE_MAX + COIN_HEAD_MAX) + RECORD_CHANGES_MAX,
               "the undo data of any block fits a record");

/* One of the two sequences. */
struct sequence {
    const char *prefix; /* "blk" */
    uint32_t file;
    uint64_t pos;
    int fd; /* of `file`, or -1 */
    bool unsynced;
};

struct fx_files {
    char *dir;
    uint8_t magic[4];
    uint64_t roll;
    struct sequence blocks, undo;
};

static char *path_of(const struct fx_files *files, const struct sequence *seq, uint32_t file)
{
    char name[32];

    snprintf(name, sizeof(name), "%s%05u.dat", seq->prefix, file);
    return fx_path_join(files->dir, name);
}

struct fx_files *fx_files_open(const char *dir, const uint8_t magic[4], uint64_t roll, char **error)
{
    struct fx_files *files;

    if (!fx_dir_make(dir)) {
        struct fx_buf text = FX_BUF_INIT;

        fx_buf_printf(&text, "cannot make the folder %s: %s", dir, strerror(errno));
        fx_buf_u8(&text, 0);
        *error = (char *)fx_buf_steal(&text, NULL);
        return NULL;
    }
    files = fx_xcalloc(1, sizeof(*files));
    files->dir = fx_xstrdup(dir);
    memcpy(files->magic, magic, sizeof(files->magic));
    files->roll = roll;
    files->blocks = (struct sequence){.prefix = "blk", .fd = -1};
    files->undo = (struct sequence){.prefix = "rev", .fd = -1};
    return files;
}

static void close_sequence(struct sequence *seq)
{
    if (seq->fd >= 0) {
        close(seq->fd);
        seq->fd = -1;
    }
}

void fx_files_close(struct fx_files *files)
{
    if (files == NULL) {
        return;
    }
    close_sequence(&files->blocks);
    close_sequence(&files->undo);
    free(files->dir);
    free(files);
}

void fx_files_get_end(const struct fx_files *files, struct fx_files_end *end)
{
    *end = (struct fx_files_end){
        .block_file = files->blocks.file,
        .undo_file = files->undo.file,
        .block_pos = files->blocks.pos,
        .undo_pos = files->undo.pos,
    };
}

void fx_files_set_end(struct fx_files *files, const struct fx_files_end *end)
{
    close_sequence(&files->blocks);
    close_sequence(&files->undo);
    files->blocks.file = end->block_file;
    files->blocks.pos = end->block_pos;
    files->undo.file = end->undo_file;
    files->undo.pos = end->undo_pos;
    /* They may be by a process that died before it synced them. */
    files->blocks.unsynced = end->block_pos > 0;
    files->undo.unsynced = end->undo_pos > 0;
}

/* The file that is written, or will be. One that is gone is missed where it is read. */
static bool sync_last(const struct fx_files *files, const struct sequence *seq)
{
    char *path;
    int fd, error;
    bool ok;

    if (seq->fd >= 0) {
        return fx_fd_sync(seq->fd);
    }
    path = path_of(files, seq, seq->file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ok = fd >= 0 ? fx_fd_sync(fd) : errno == ENOENT;
    error = errno;
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    errno = error;
    return ok;
}

static bool sync_sequence(const struct fx_files *files, struct sequence *seq)
{
    if (!seq->unsynced) {
        return true;
    }
    if (!sync_last(files, seq)) {
        fx_log_info("cannot sync %s%05u.dat in %s: %s", seq->prefix, seq->file, files->dir,
                    strerror(errno));
        return false;
    }
    seq->unsynced = false;
    return true;
}

/* For a record of n bytes. */
static bool open_for_append(const struct fx_files *files, struct sequence *seq, size_t n)
{
    char *path;

    if (seq->pos > 0 && seq->pos + n >= files->roll) {
        /* What is in the file that is left will not be looked at by a later sync. */
        if (!sync_sequence(files, seq)) {
            return false;
        }
        close_sequence(seq);
        seq->file++;
        seq->pos = 0;
    }
    if (seq->fd >= 0) {
        return true;
    }
    path = path_of(files, seq, seq->file);
    seq->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (seq->fd < 0) {
        fx_log_info("cannot open %s: %s", path, strerror(errno));
    }
    free(path);
    return seq->fd >= 0 && fx_dir_sync(files->dir);
}

/* In two parts: the first alone is what a process that dies in the middle of write(2) leaves. */
static bool write_record(const struct fx_files *files, const struct sequence *seq,
                         struct fx_span payload, const uint8_t *checksum)
{
    uint64_t pos = seq->pos + FX_FILES_HEAD;
    size_t half = payload.len / 2;
    uint8_t head[FX_FILES_HEAD];
    bool ok;

    memcpy(head, files->magic, sizeof(files->magic));
    fx_store_u32(head + sizeof(files->magic), (uint32_t)payload.len);
    ok = fx_fd_write_all(seq->fd, seq->pos, head, sizeof(head)) &&
         fx_fd_write_all(seq->fd, pos, payload.data, half);
    fx_crash_point(seq == &files->blocks ? "block-write-torn" : "undo-write-torn");
    return ok && fx_fd_write_all(seq->fd, pos + half, payload.data + half, payload.len - half) &&
           (checksum == NULL || fx_fd_write_all(seq->fd, pos + payload.len, checksum, CHECKSUM));
}

static bool append(struct fx_files *files, struct sequence *seq, struct fx_span payload,
                   const uint8_t *checksum, uint32_t *file, uint64_t *pos)
{
    size_t n = FX_FILES_HEAD + payload.len + (checksum != NULL ? CHECKSUM : 0);

    if (payload.len > FX_FILES_RECORD_MAX || !open_for_append(files, seq, n)) {
        return false;
    }
    if (!write_record(files, seq, payload, checksum)) {
        fx_log_info("cannot write %s%05u.dat in %s: %s", seq->prefix, seq->file, files->dir,
                    strerror(errno));
        return false;
    }
    *file = seq->file;
    *pos = seq->pos + FX_FILES_HEAD;
    seq->pos += n;
    seq->unsynced = true;
    return true;
}

static void undo_checksum(const struct fx_hash *id, struct fx_span undo, uint8_t out[CHECKSUM])
{
    struct fx_sha256 ctx;

    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, id->b, sizeof(id->b));
    fx_sha256_update(&ctx, undo.data, undo.len);
    fx_sha256_final(&ctx, out);
    fx_sha256(out, CHECKSUM, out);
}

bool fx_files_write_block(struct fx_files *files, struct fx_span block, uint32_t *file,
                          uint64_t *pos)
{
    return append(files, &files->blocks, block, NULL, file, pos);
}

bool fx_files_write_undo(struct fx_files *files, const struct fx_hash *id, struct fx_span undo,
                         uint32_t *file, uint64_t *pos)
{
    uint8_t checksum[CHECKSUM];

    undo_checksum(id, undo, checksum);
    return append(files, &files->undo, undo, checksum, file, pos);
}

/* Head, payload and tail in one read. The file is opened anew, so that any thread may read. */
static enum fx_files_read read_record(const struct fx_files *files, const struct sequence *seq,
                                      uint32_t file, uint64_t pos, size_t n, uint8_t *out)
{
    char *path = path_of(files, seq, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum fx_files_read result = FX_FILES_OK;

    if (fd < 0) {
        result = errno == ENOENT ? FX_FILES_DAMAGED : FX_FILES_FAILED;
        fx_log_info("cannot open %s: %s", path, strerror(errno));
    } else if (!fx_fd_read_all(fd, pos, out, n)) {
        result = errno == 0 ? FX_FILES_DAMAGED : FX_FILES_FAILED;
        fx_log_info("cannot read %s at %llu: %s", path, (unsigned long long)pos,
                    errno == 0 ? "it ends before" : strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return result;
}

static enum fx_files_read read_payload(const struct fx_files *files, const struct sequence *seq,
                                       uint32_t file, uint64_t pos, uint32_t size, size_t tail,
                                       uint8_t **data)
{
    size_t n = FX_FILES_HEAD + (size_t)size + tail;
    enum fx_files_read result;
    uint8_t *record;

    if (pos < FX_FILES_HEAD || size > FX_FILES_RECORD_MAX) {
        return FX_FILES_DAMAGED;
    }
    record = fx_xmalloc(n);
    result = read_record(files, seq, file, pos - FX_FILES_HEAD, n, record);
    if (result == FX_FILES_OK && (memcmp(record, files->magic, sizeof(files->magic)) != 0 ||
                                  fx_load_u32(record + 4) != size)) {
        result = FX_FILES_DAMAGED;
    }
    if (result != FX_FILES_OK) {
        free(record);
        return result;
    }
    memmove(record, record + FX_FILES_HEAD, n - FX_FILES_HEAD);
    *data = record;
    return FX_FILES_OK;
}

enum fx_files_read fx_files_read_block(const struct fx_files *files, uint32_t file, uint64_t pos,
                                       uint32_t size, uint8_t **data)
{
    return read_payload(files, &files->blocks, file, pos, size, 0, data);
}

enum fx_files_read fx_files_read_undo(const struct fx_files *files, const struct fx_hash *id,
                                      uint32_t file, uint64_t pos, uint32_t size, uint8_t **data)
{
    enum fx_files_read result = read_payload(files, &files->undo, file, pos, size, CHECKSUM, data);
    uint8_t checksum[CHECKSUM];

    if (result != FX_FILES_OK) {
        return result;
    }
    undo_checksum(id, (struct fx_span){*data, size}, checksum);
    if (memcmp(checksum, *data + size, CHECKSUM) != 0) {
        free(*data);
        return FX_FILES_DAMAGED;
    }
    return FX_FILES_OK;
}

char *fx_files_block_path(const struct fx_files *files, uint32_t file)
{
    return path_of(files, &files->blocks, file);
}

static uint64_t size_of(const struct fx_files *files, const struct sequence *seq, uint32_t file)
{
    char *path = path_of(files, seq, file);
    struct stat st;
    uint64_t size = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;

    free(path);
    return size;
}

uint64_t fx_files_block_size(const struct fx_files *files, uint32_t file)
{
    return size_of(files, &files->blocks, file);
}

uint64_t fx_files_undo_size(const struct fx_files *files, uint32_t file)
{
    return size_of(files, &files->undo, file);
}

static bool remove_file(const struct fx_files *files, const struct sequence *seq, uint32_t file)
{
    char *path = path_of(files, seq, file);
    bool ok = unlink(path) == 0 || errno == ENOENT;

    if (!ok) {
        fx_log_info("cannot remove %s: %s", path, strerror(errno));
    }
    free(path);
    return ok;
}

bool fx_files_remove_block(const struct fx_files *files, uint32_t file)
{
    return remove_file(files, &files->blocks, file);
}

bool fx_files_remove_undo(const struct fx_files *files, uint32_t file)
{
    return remove_file(files, &files->undo, file);
}

/* The number of a file of the sequence; -1: it is none. */
static long number_of(const struct sequence *seq, const char *name)
{
    size_t prefix = strlen(seq->prefix);
    char *end;
    long number;

    if (strncmp(name, seq->prefix, prefix) != 0 || name[prefix] < '0' || name[prefix] > '9') {
        return -1;
    }
    errno = 0;
    number = strtol(name + prefix, &end, 10);
    return errno == 0 && number <= UINT32_MAX && strcmp(end, ".dat") == 0 ? number : -1;
}

/* All files from this number on. */
static bool remove_from(const struct fx_files *files, const struct sequence *seq, uint32_t first)
{
    DIR *dir = opendir(files->dir);
    struct dirent *entry;
    bool ok = dir != NULL;

    while (ok && (entry = readdir(dir)) != NULL) {
        long number = number_of(seq, entry->d_name);

        ok = number < (long)first || remove_file(files, seq, (uint32_t)number);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return ok;
}

bool fx_files_start_over(struct fx_files *files)
{
    struct fx_files_end end = {0};
    uint32_t n = 0;

    while (fx_files_block_size(files, n) > 0) {
        n++;
    }
    if (!remove_from(files, &files->blocks, n) || !remove_from(files, &files->undo, 0)) {
        return false;
    }
    end.block_file = n > 0 ? n - 1 : 0;
    end.block_pos = fx_files_block_size(files, end.block_file);
    fx_files_set_end(files, &end);
    return true;
}

bool fx_files_sync(struct fx_files *files)
{
    return sync_sequence(files, &files->blocks) && sync_sequence(files, &files->undo);
}
