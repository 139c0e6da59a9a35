/* The hash lane against double SHA-256 written out. */
#include "kernels/kernel.h"

#include <string.h>

#include "kernels/cpu/cpu.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/buf.h"

static struct fx_device *device_of(unsigned threads)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device;

    fx_backend_cpu_set_threads(threads);
    device = fx_backend_cpu.open(0, error);
    fx_backend_cpu_set_threads(0);
    FX_CHECK(device != NULL);
    return device;
}

static bool wins(const uint8_t header[80], uint32_t nonce, const uint8_t target[32])
{
    uint8_t copy[80], id[32];

    memcpy(copy, header, 76);
    fx_store_u32(copy + 76, nonce);
    fx_sha256d(copy, sizeof copy, id);
    for (int at = 31; at >= 0; at--) {
        if (id[at] != target[at])
            return id[at] < target[at];
    }
    return true;
}

static void target_of(uint8_t target[32], unsigned zero_bits)
{
    memset(target, 0xff, 32);
    for (unsigned bit = 0; bit < zero_bits; bit++)
        target[31 - bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

FX_TEST(finds_the_first_nonce)
{
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct fx_device *device = device_of(threads);

        for (unsigned round = 0; round < fx_unit_rounds(20); round++) {
            uint8_t header[80], target[32];
            uint32_t first = (uint32_t)fx_unit_rand64(), nonce = 0, wanted = first;
            uint64_t count = 1 + fx_unit_rand_below(20000), tried = 0, n = 0;
            atomic_bool cancel = false;
            bool there = false, found;

            fx_unit_rand_fill(header, sizeof header);
            target_of(target, 8 + (unsigned)fx_unit_rand_below(7));
            for (; n < count && !there; n++, wanted++)
                there = wins(header, wanted, target);
            found =
                fx_backend_cpu.hash(device, header, target, first, count, &cancel, &nonce, &tried);
            FX_CHECK_INT(found, there);
            FX_CHECK(tried <= count);
            if (there) {
                FX_CHECK_INT(nonce, wanted - 1);
                FX_CHECK(tried >= n);
            } else {
                FX_CHECK_INT(tried, count);
            }
        }
        fx_backend_cpu.close(device);
    }
}

FX_TEST(bitcoins_genesis)
{
    static const char hex[] =
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
        "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d00000000";
    struct fx_device *device = device_of(2);
    uint8_t header[80], target[32] = {0};
    atomic_bool cancel = false;
    uint32_t nonce = 0;
    uint64_t tried = 0;

    FX_CHECK_INT(fx_unit_unhex(hex, header, sizeof header), sizeof header);
    target[26] = target[27] = 0xff; /* 1d00ffff */
    FX_CHECK(fx_backend_cpu.hash(device, header, target, 2083236893u - 5000, 10000, &cancel, &nonce,
                                 &tried));
    FX_CHECK_INT(nonce, 2083236893u);
    FX_CHECK(
        !fx_backend_cpu.hash(device, header, target, 2083236894u, 5000, &cancel, &nonce, &tried));
    FX_CHECK_INT(tried, 5000);
    fx_backend_cpu.close(device);
}

FX_TEST(nonces_wrap_and_all_can_be_asked_for)
{
    struct fx_device *device = device_of(1);
    uint8_t header[80] = {0}, target[32];
    atomic_bool cancel = false;
    uint32_t nonce = 7;
    uint64_t tried = 0;

    target_of(target, 0);
    FX_CHECK(fx_backend_cpu.hash(device, header, target, UINT32_MAX, UINT64_C(1) << 32, &cancel,
                                 &nonce, &tried));
    FX_CHECK_INT(nonce, UINT32_MAX);
    fx_backend_cpu.close(device);
}

FX_TEST(cancelled_before_it_starts)
{
    struct fx_device *device = device_of(2);
    uint8_t header[80] = {0}, target[32] = {0};
    atomic_bool cancel = true;
    uint32_t nonce;
    uint64_t tried = 1;

    FX_CHECK(!fx_backend_cpu.hash(device, header, target, 0, UINT64_C(1) << 32, &cancel, &nonce,
                                  &tried));
    FX_CHECK_INT(tried, 0);
    fx_backend_cpu.close(device);
}
