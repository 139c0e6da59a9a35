/* Tests of files, folders and locks. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"

FX_TEST(path_join)
{
    char *p = fx_path_join("/a", "b");

    FX_CHECK_STR(p, "/a/b");
    free(p);
    p = fx_path_join("/a/", "b");
    FX_CHECK_STR(p, "/a/b");
    free(p);
}

FX_TEST(dir_make_with_parents)
{
    const char *dir = fx_unit_tmpdir();
    char *deep = fx_path_join(dir, "a/b/c");
    char *file = fx_path_join(dir, "a/file");
    char *below = fx_path_join(file, "x");
    struct stat st;

    FX_CHECK(fx_dir_make(deep));
    FX_CHECK(fx_dir_make(deep));
    FX_CHECK(stat(deep, &st) == 0 && S_ISDIR(st.st_mode));
    FX_CHECK_INT(st.st_mode & 0777, 0700);
    FX_CHECK(fx_file_write(file, "x", 1, 0600));
    FX_CHECK(!fx_dir_make(file));
    FX_CHECK_INT(errno, ENOTDIR);
    FX_CHECK(!fx_dir_make(below));
    free(below);
    free(file);
    free(deep);
}

FX_TEST(write_replaces_and_read_bounds)
{
    const char *dir = fx_unit_tmpdir();
    char *path = fx_path_join(dir, "f");
    uint8_t *data;
    struct stat st;
    size_t n;

    FX_CHECK(!fx_path_exists(path));
    FX_CHECK(!fx_file_read(path, 100, &data, &n));
    FX_CHECK_INT(errno, ENOENT);
    FX_CHECK(fx_file_write(path, "hello", 5, 0600));
    FX_CHECK(fx_path_exists(path));
    FX_CHECK(fx_path_is_dir(dir) && !fx_path_is_dir(path));
    FX_CHECK(fx_file_read(path, 5, &data, &n));
    FX_CHECK_INT(n, 5);
    FX_CHECK_STR((char *)data, "hello");
    free(data);
    FX_CHECK(!fx_file_read(path, 4, &data, &n));
    FX_CHECK_INT(errno, EFBIG);
    FX_CHECK(fx_file_write(path, "", 0, 0640));
    FX_CHECK(fx_file_read(path, 4, &data, &n));
    FX_CHECK_INT(n, 0);
    free(data);
    FX_CHECK(stat(path, &st) == 0);
    FX_CHECK_INT(st.st_mode & 0777, 0640);
    free(path);
    path = fx_path_join(dir, "f.new");
    FX_CHECK(!fx_path_exists(path));
    free(path);
}

FX_TEST(exact_reads_and_writes)
{
    const char *dir = fx_unit_tmpdir();
    char *path = fx_path_join(dir, "f");
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    char got[6] = {0};

    FX_CHECK(fd >= 0);
    FX_CHECK(fx_fd_write_all(fd, 10, "abcde", 5));
    FX_CHECK(fx_fd_read_all(fd, 10, got, 5));
    FX_CHECK_STR(got, "abcde");
    FX_CHECK(!fx_fd_read_all(fd, 12, got, 5));
    FX_CHECK_INT(errno, 0);
    FX_CHECK(fx_fd_sync(fd));
    FX_CHECK(fx_dir_sync(dir));
    close(fd);
    FX_CHECK(!fx_fd_write_all(fd, 0, "x", 1));
    FX_CHECK_INT(errno, EBADF);
    free(path);
}

FX_TEST(lock_excludes)
{
    const char *dir = fx_unit_tmpdir();
    int fd = fx_dir_lock(dir), again;

    FX_CHECK(fd >= 0);
    FX_CHECK_INT(fx_dir_lock(dir), -1);
    FX_CHECK_INT(errno, EWOULDBLOCK);
    close(fd);
    again = fx_dir_lock(dir);
    FX_CHECK(again >= 0);
    close(again);
}

FX_TEST(disk_free)
{
    FX_CHECK(fx_disk_free(fx_unit_tmpdir()) > 0);
    FX_CHECK(fx_disk_free("/nonexistent") == UINT64_MAX);
}
