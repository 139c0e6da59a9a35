/*
 * Noise on the device (protocol section 6): panels of L, permutations, noised blocks as images,
 * and the sums G and H that are peeled later. Arguments are those of kernels/offload.h.
 *
 * Noise moves columns about, the same way in all rows of a block: four rows are packed into a word
 * per column, so that one word is moved where four bytes would be.
 */
#ifndef FX_KERNELS_CUDA_NOISE_CUH
#define FX_KERNELS_CUDA_NOISE_CUH

#include "kernels/cuda/device.cuh"

/* A thread a keystream block: 64 columns of a row. */
FX_KERNEL void FX_BOUNDS(FX_THREADS)
    fx_panels(const uint32_t *header, uint8_t *lrows, uint8_t *limages, uint32_t rows,
              uint32_t base, uint32_t row0, uint32_t col0)
{
    uint32_t x = FX_GROUP >> 1, at = (FX_GROUP & 1) * FX_THREADS + FX_THREAD;
    uint32_t side = x >= rows, unit = side ? base + x - rows : x;
    uint32_t row = at >> 2, column = (at & 3) * 64;
    size_t block = (size_t)unit * FX_IMAGE_BYTES;
    uint32_t key[8], words[16];

    FX_UNROLL
    for (int w = 0; w < 8; w++)
        key[w] = header[FX_HEADER_KEY + w];
    fx_noise_words(key, at, FX_PURPOSE_PANEL, side, side ? col0 + x - rows : row0 + x, words);
    FX_UNROLL
    for (int part = 0; part < 4; part++) {
        struct fx_vector entries;

        FX_UNROLL
        for (int w = 0; w < 4; w++)
            entries.w[w] = fx_noise_entries(words[part * 4 + w]);
        fx_store16(lrows + block + row * 256 + column + part * 16, entries);
        fx_store16(limages + block + fx_image_at(row, column + part * 16), entries);
    }
}

/* A warp a permutation. perms: 512 shorts a (side, segment), p[c] | sign << 8, then the inverse
 * likewise. */
FX_KERNEL void FX_BOUNDS(FX_PERM_THREADS)
    fx_perms(const uint32_t *header, uint16_t *perms, uint32_t depth)
{
    FX_SHARED uint32_t words[17 * 16];
    FX_SHARED uint8_t p[256];
    uint32_t lane = FX_THREAD, which = FX_GROUP;

    if (lane < 17) {
        uint32_t key[8], block[16];

        FX_UNROLL
        for (int w = 0; w < 8; w++)
            key[w] = header[FX_HEADER_KEY + w];
        fx_noise_words(key, lane, FX_PURPOSE_PERM, which / depth, which % depth, block);
        FX_UNROLL
        for (int w = 0; w < 16; w++)
            words[lane * 16 + w] = block[w];
    }
    for (uint32_t c = lane; c < 256; c += FX_PERM_THREADS)
        p[c] = (uint8_t)c;
    fx_sync();
    if (lane == 0) {
        for (uint32_t c = 255; c > 0; c--) {
            uint32_t other = fx_mul_high(words[c], c + 1);
            uint8_t kept = p[c];

            p[c] = p[other];
            p[other] = kept;
        }
    }
    fx_sync();
    for (uint32_t c = lane; c < 256; c += FX_PERM_THREADS) {
        uint32_t sign = (words[256 + (c >> 5)] >> (c & 31) & 1) << 8;

        perms[which * 512 + c] = (uint16_t)(p[c] | sign);
        perms[which * 512 + 256 + p[c]] = (uint16_t)(c | sign);
    }
}

/* Four words of four bytes: bytes of row r in rows[r] become bytes of column c in columns[c], and
 * the other way round. */
FX_DEVICE void fx_transpose4(const uint32_t rows[4], uint32_t columns[4])
{
    uint32_t low01 = fx_byte_perm(rows[0], rows[1], 0x5140);
    uint32_t high01 = fx_byte_perm(rows[0], rows[1], 0x7362);
    uint32_t low23 = fx_byte_perm(rows[2], rows[3], 0x5140);
    uint32_t high23 = fx_byte_perm(rows[2], rows[3], 0x7362);

    columns[0] = fx_byte_perm(low01, low23, 0x5410);
    columns[1] = fx_byte_perm(low01, low23, 0x7632);
    columns[2] = fx_byte_perm(high01, high23, 0x5410);
    columns[3] = fx_byte_perm(high01, high23, 0x7632);
}

/* Sums of up to 128 signed terms of 0 .. 255, two in a word: the lower one may borrow from the
 * upper one. */
FX_DEVICE int32_t fx_low_sum(uint32_t sums)
{
    return (int32_t)(int16_t)(sums & 0xffff);
}

FX_DEVICE int32_t fx_high_sum(uint32_t sums)
{
    return (int32_t)(sums - (uint32_t)fx_low_sum(sums)) >> 16;
}

/*
 * Eight groups a panel, 16 rows each. A thread has four rows of four columns: rows 4 set .., with
 * set = thread / 64, and columns 4 quad ..
 *
 * Within a word, an entry x of [-64, 63] is held as x + 64 and noise as y + 64, of 0 .. 128, so
 * that their sum, x + y + 128, stays within its byte. (Blocks with entries out of range give
 * rubbish, which nobody uses.)
 */
FX_KERNEL void FX_BOUNDS(FX_THREADS)
    fx_noise(const uint8_t *FX_RESTRICT plain, const uint32_t *FX_RESTRICT table,
             const uint16_t *FX_RESTRICT perms, const uint8_t *FX_RESTRICT lrows,
             uint8_t *FX_RESTRICT images, int32_t *FX_RESTRICT gathered, uint32_t rows,
             uint32_t base, uint32_t chunk, uint32_t first, uint32_t depth, uint32_t from_s,
             uint32_t to_s, uint32_t flags)
{
    FX_SHARED uint32_t noise[4][512]; /* rows of a set at a column; + 256: with the other sign */
    FX_SHARED uint32_t source[4][256];
    uint32_t x = FX_GROUP >> 3, set = FX_THREAD >> 6, quad = FX_THREAD & 63;
    uint32_t side = x >= rows, unit = side ? base + x - rows : x;
    uint32_t row = (FX_GROUP & 7) * 16 + set * 4;
    const uint16_t *own = perms + ((size_t)side * depth + first) * 512 + quad * 4;
    const uint16_t *other = perms + ((size_t)(1 - side) * depth + first) * 512 + 256 + quad * 4;
    const uint8_t *block = plain + (size_t)table[unit] * chunk * FX_IMAGE_BYTES;
    uint8_t *image = images + (size_t)unit * chunk * FX_IMAGE_BYTES;
    uint32_t even[4] = {0, 0, 0, 0}, odd[4] = {0, 0, 0, 0};
    int32_t signs[4] = {0, 0, 0, 0};
    uint32_t by_row[4], by_column[4];

    FX_UNROLL
    for (int r = 0; r < 4; r++)
        by_row[r] = *(const uint32_t *)(const void *)(lrows + (size_t)unit * FX_IMAGE_BYTES +
                                                      (row + r) * 256 + quad * 4);
    fx_transpose4(by_row, by_column);
    FX_UNROLL
    for (int c = 0; c < 4; c++) {
        uint32_t biased = (by_column[c] & 0x7f7f7f7f) ^ 0x40404040; /* y + 64 */

        noise[set][quad * 4 + c] = biased;
        noise[set][256 + quad * 4 + c] = 0x80808080 - biased; /* -y + 64 */
    }
    for (uint32_t s = from_s; s < to_s; s++) {
        fx_sync();
        FX_UNROLL
        for (int r = 0; r < 4; r++)
            by_row[r] = *(const uint32_t *)(const void *)(block + (size_t)s * FX_IMAGE_BYTES +
                                                          (row + r) * 256 + quad * 4);
        if (flags & FX_NOISED) {
            fx_transpose4(by_row, by_column);
            FX_UNROLL
            for (int c = 0; c < 4; c++) {
                uint32_t from = own[s * 512 + c];
                uint32_t have = (by_column[c] & 0x7f7f7f7f) ^ 0x40404040;
                uint32_t sum = have + noise[set][from];

                source[set][quad * 4 + c] = side ? sum : have;
                by_column[c] = sum ^ 0x80808080;
            }
            fx_transpose4(by_column, by_row);
        }
        FX_UNROLL
        for (int r = 0; r < 4; r++)
            *(uint32_t *)(void *)(image + (size_t)s * FX_IMAGE_BYTES +
                                  fx_image_at(row + r, quad * 4)) = by_row[r];
        fx_sync();
        if (flags & FX_GATHERED) {
            FX_UNROLL
            for (int c = 0; c < 4; c++) {
                uint32_t from = other[s * 512 + c];
                uint32_t four = source[set][from & 255];
                int32_t sign = from >> 8 ? -1 : 1;

                even[c] += (four & 0x00ff00ff) * (uint32_t)sign;
                odd[c] += (four >> 8 & 0x00ff00ff) * (uint32_t)sign;
                signs[c] += sign;
            }
        }
    }
    if (flags & FX_GATHERED) {
        int32_t *to = gathered + ((size_t)unit * 128 + row) * 256 + quad * 4;

        FX_UNROLL
        for (int c = 0; c < 4; c++) {
            int32_t bias = signs[c] * (side ? 128 : 64);

            to[c] += fx_low_sum(even[c]) - bias;
            to[256 + c] += fx_low_sum(odd[c]) - bias;
            to[512 + c] += fx_high_sum(even[c]) - bias;
            to[768 + c] += fx_high_sum(odd[c]) - bias;
        }
    }
}

/* 32 groups a panel; a thread has four entries. */
FX_KERNEL void FX_BOUNDS(FX_THREADS)
    fx_limbs(const int32_t *gathered, uint8_t *limbs, uint32_t *used, uint32_t rows, uint32_t base)
{
    uint32_t x = FX_GROUP >> 5, at = (FX_GROUP & 31) * FX_THREADS + FX_THREAD;
    uint32_t unit = x >= rows ? base + x - rows : x, row = at >> 6, column = (at & 63) * 4;
    const int32_t *from = gathered + (size_t)unit * FX_IMAGE_BYTES + at * 4;
    uint32_t any = 0;

    FX_UNROLL
    for (int t = 0; t < 3; t++) {
        uint32_t packed = 0;

        FX_UNROLL
        for (int c = 0; c < 4; c++)
            packed |= ((uint32_t)fx_limb(from[c], t) & 255) << 8 * c;
        *(uint32_t *)(void *)(limbs + ((size_t)unit * 3 + t) * FX_IMAGE_BYTES +
                              fx_image_at(row, column)) = packed;
        any |= (uint32_t)(packed != 0) << t;
    }
    if (any)
        fx_atomic_or(&used[unit], any);
}

#endif
