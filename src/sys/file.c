/* Files and directories: whole-file reads and replacements, exact reads and writes, locks. */
#include "src/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/util/mem.h"

char *fx_path_join(const char *dir, const char *name)
{
    size_t a = strlen(dir), b = strlen(name);
    bool slash = a > 0 && dir[a - 1] != '/';
    char *path = fx_xmalloc(a + slash + b + 1);

    memcpy(path, dir, a);
    if (slash) {
        path[a] = '/';
    }
    memcpy(path + a + slash, name, b + 1);
    return path;
}

bool fx_path_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool fx_path_is_dir(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return true;
}

bool fx_dir_make(const char *path)
{
    char *copy, *p;
    bool ok = true;

    if (fx_path_is_dir(path)) {
        return true;
    }
    copy = fx_xstrdup(path);
    for (p = copy + (copy[0] == '/'); ok && *p != '\0'; p++) {
        if (*p == '/') {
            *p = '\0';
            ok = mkdir(copy, 0700) == 0 || errno == EEXIST || fx_path_is_dir(copy);
            *p = '/';
        }
    }
    free(copy);
    return ok && (mkdir(path, 0700) == 0 || errno == EEXIST) && fx_path_is_dir(path);
}

static void close_keep_errno(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
}

bool fx_file_read(const char *path, size_t max, uint8_t **data, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t cap = 4096, len = 0;
    uint8_t *buf;
    struct stat st;

    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= max) {
        cap = (size_t)st.st_size + 2;
    }
    buf = fx_xmalloc(cap);
    for (;;) {
        ssize_t got;

        if (len + 1 >= cap) {
            cap *= 2;
            buf = fx_xreallocarray(buf, cap, 1);
        }
        got = read(fd, buf + len, cap - len - 1);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got > 0) {
            len += (size_t)got;
        }
        if (got < 0 || len > max) {
            errno = got < 0 ? errno : EFBIG;
            free(buf);
            close_keep_errno(fd);
            return false;
        }
    }
    close(fd);
    buf[len] = 0;
    *data = buf;
    *n = len;
    return true;
}

static bool sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir;
    bool ok;

    if (slash == NULL) {
        return fx_dir_sync(".");
    }
    dir = fx_xmemdup(path, (size_t)(slash - path) + 2);
    dir[slash == path ? 1 : slash - path] = '\0';
    ok = fx_dir_sync(dir);
    free(dir);
    return ok;
}

bool fx_file_write(const char *path, const void *data, size_t n, unsigned mode)
{
    size_t len = strlen(path);
    char *aside = fx_xmalloc(len + 5);
    int fd;
    bool ok;

    memcpy(aside, path, len);
    memcpy(aside + len, ".new", 5);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    ok = fd >= 0;
    if (ok) {
        ok = fchmod(fd, (mode_t)mode) == 0 && fx_fd_write_all(fd, 0, data, n) && fx_fd_sync(fd);
        close_keep_errno(fd);
        ok = ok && rename(aside, path) == 0 && sync_parent(path);
        if (!ok) {
            int saved = errno;

            unlink(aside);
            errno = saved;
        }
    }
    free(aside);
    return ok;
}

bool fx_fd_read_all(int fd, uint64_t offset, void *out, size_t n)
{
    uint8_t *p = out;

    while (n > 0) {
        ssize_t got = pread(fd, p, n, (off_t)offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? 0 : errno;
            return false;
        }
        p += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

bool fx_fd_write_all(int fd, uint64_t offset, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        ssize_t put = pwrite(fd, p, n, (off_t)offset);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            errno = put == 0 ? EIO : errno;
            return false;
        }
        p += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return true;
}

bool fx_fd_sync(int fd)
{
    return fdatasync(fd) == 0;
}

void fx_fd_write_back(int fd, uint64_t offset, uint64_t n, bool wait)
{
    unsigned flags = SYNC_FILE_RANGE_WRITE;

    if (wait) {
        flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    }
    /* Where the file system has no such call, the sync at the end does it all. */
    (void)sync_file_range(fd, (off_t)offset, (off_t)n, flags);
}

bool fx_path_changed(const char *path, int64_t *seconds)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    *seconds = st.st_mtim.tv_sec;
    return true;
}

bool fx_path_set_changed(const char *path, int64_t seconds)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds}};

    return utimensat(AT_FDCWD, path, times, 0) == 0;
}

bool fx_dir_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0) {
        return false;
    }
    /* Some file systems have nothing to sync in a directory and say EINVAL. */
    ok = fsync(fd) == 0 || errno == EINVAL;
    close_keep_errno(fd);
    return ok;
}

uint64_t fx_disk_free(const char *path)
{
    struct statvfs st;

    if (statvfs(path, &st) != 0) {
        return UINT64_MAX;
    }
    return (uint64_t)st.f_bavail * st.f_frsize;
}

int fx_dir_lock(const char *dir)
{
    char *path = fx_path_join(dir, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    free(path);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close_keep_errno(fd);
        return -1;
    }
    return fd;
}
