/* Files and directories. Functions return false with errno set, unless they say otherwise. */
#ifndef FX_SYS_FILE_H
#define FX_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dir/name on the heap; the caller frees. */
char *fx_path_join(const char *dir, const char *name);
bool fx_path_exists(const char *path);
bool fx_path_is_dir(const char *path); /* false: errno says why not */
bool fx_dir_make(const char *path);    /* with parents, mode 0700; true where it is there already */
/* The whole file, at most max bytes; *data is the caller's to free and has a zero after its n
 * bytes. */
bool fx_file_read(const char *path, size_t max, uint8_t **data, size_t *n);
/* Replaces the file as a whole: written aside, synced, renamed. */
bool fx_file_write(const char *path, const void *data, size_t n, unsigned mode);
bool fx_fd_read_all(int fd, uint64_t offset, void *out,
                    size_t n); /* false with errno 0 at end of file */
bool fx_fd_write_all(int fd, uint64_t offset, const void *data, size_t n); /* pwrite, all of it */
bool fx_fd_sync(int fd);
/* Starts to write these bytes of the file to the disk; wait: returns when they are there. A hint
 * that keeps what a later fx_fd_sync has to wait for small. */
void fx_fd_write_back(int fd, uint64_t offset, uint64_t n, bool wait);
bool fx_dir_sync(const char *path);
/* When the file was last changed, in unix time, and saying so; false: no such file. */
bool fx_path_changed(const char *path, int64_t *seconds);
bool fx_path_set_changed(const char *path, int64_t seconds);
/* Bytes free for an ordinary user on the file system of path; UINT64_MAX where unknown. */
uint64_t fx_disk_free(const char *path);
/* Takes DIR/.lock; the descriptor, held until the process ends or closes it, or -1 (errno
 * EWOULDBLOCK: another has it). */
int fx_dir_lock(const char *dir);

#endif
