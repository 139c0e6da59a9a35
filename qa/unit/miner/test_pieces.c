/* Pieces of files, and what damages them. */
#include "src/miner/pieces.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"

#define SIZE 1000

static char *path_of(void)
{
    return fx_path_join(fx_unit_tmpdir(), "pieces");
}

FX_TEST(pieces_survive_and_damage_shows)
{
    struct fx_pieces pieces;
    uint8_t data[SIZE], back[SIZE];
    char *path = path_of();
    int fd;

    fx_unit_rand_fill(data, SIZE);
    FX_CHECK(fx_pieces_open(&pieces, path, 5, SIZE));
    for (unsigned at = 0; at < 5; at++)
        FX_CHECK(!fx_pieces_has(&pieces, at));
    FX_CHECK(fx_pieces_put(&pieces, 3, data));
    FX_CHECK(fx_pieces_put(&pieces, 1, data));
    FX_CHECK(fx_pieces_has(&pieces, 3) && fx_pieces_has(&pieces, 1) && !fx_pieces_has(&pieces, 2));
    FX_CHECK(!fx_pieces_has(&pieces, 5));
    FX_CHECK(fx_pieces_read(&pieces, 3, 10, back, 20));
    FX_CHECK_MEM(back, data + 10, 20);
    FX_CHECK(!fx_pieces_read(&pieces, 3, 990, back, 11));
    FX_CHECK(!fx_pieces_read(&pieces, 5, 0, back, 1));
    fx_pieces_close(&pieces);

    /* One bit of a piece, and a sum that was not written. */
    fd = open(path, O_RDWR);
    FX_CHECK(fd >= 0);
    data[500] ^= 4;
    FX_CHECK(pwrite(fd, data + 500, 1, 3 * SIZE + 500) == 1);
    data[500] ^= 4;
    FX_CHECK(pwrite(fd, data, SIZE, 4 * SIZE) == SIZE);
    close(fd);
    FX_CHECK(fx_pieces_open(&pieces, path, 5, SIZE));
    FX_CHECK(fx_pieces_has(&pieces, 1));
    FX_CHECK(!fx_pieces_has(&pieces, 3));
    FX_CHECK(!fx_pieces_has(&pieces, 4));
    FX_CHECK(!fx_pieces_has(&pieces, 0)); /* zeros where nothing was written are no piece */
    FX_CHECK(fx_pieces_put(&pieces, 3, data) && fx_pieces_has(&pieces, 3));
    fx_pieces_close(&pieces);

    FX_CHECK_INT(truncate(path, 3 * SIZE + 999), 0);
    FX_CHECK(fx_pieces_open(&pieces, path, 5, SIZE));
    FX_CHECK(!fx_pieces_has(&pieces, 3) && fx_pieces_has(&pieces, 1));
    fx_pieces_close(&pieces);
    fx_pieces_remove(path);
    FX_CHECK(!fx_path_exists(path));
    free(path);
}

FX_TEST(a_folder_that_is_not_there)
{
    struct fx_pieces pieces;

    FX_CHECK(!fx_pieces_open(&pieces, "/nonexistent/pieces", 5, SIZE));
}

FX_TEST(a_full_disk)
{
    struct fx_pieces pieces;
    uint8_t data[SIZE] = {1};
    char *path = path_of(), *sums = fx_path_join(fx_unit_tmpdir(), "pieces.sums");

    FX_CHECK_INT(symlink("/dev/full", path), 0);
    FX_CHECK(fx_pieces_open(&pieces, path, 5, SIZE));
    FX_CHECK(!fx_pieces_put(&pieces, 0, data));
    FX_CHECK(!fx_pieces_has(&pieces, 0));
    fx_pieces_close(&pieces);
    free(path);
    free(sums);
}
