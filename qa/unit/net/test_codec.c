/* Framing. */
#include "src/net/codec_int.h"

#include <string.h>

#include "qa/unit/harness.h"
#include "src/net/limits_int.h"

static const uint8_t magic[4] = {0xf0, 0x12, 0xab, 0xcd};

FX_TEST(round_trip)
{
    static const char *const commands[] = {"version", "a", "twelve_chars"};
    uint8_t payload[300];
    uint8_t head[FX_FRAME_SIZE];
    struct fx_frame frame;

    fx_unit_rand_fill(payload, sizeof payload);
    for (size_t i = 0; i < 3; i++) {
        fx_codec_write_frame(magic, commands[i], payload, sizeof payload, head);
        FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_OK);
        FX_CHECK_STR(frame.command, commands[i]);
        FX_CHECK_INT(frame.length, sizeof payload);
        FX_CHECK_INT(fx_codec_check_payload(&frame, payload), FX_CODEC_OK);
        payload[7] ^= 1;
        FX_CHECK_INT(fx_codec_check_payload(&frame, payload), FX_CODEC_CHECKSUM);
        payload[7] ^= 1;
    }
}

FX_TEST(verack_as_bitcoin_has_it)
{
    static const uint8_t main_magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    uint8_t head[FX_FRAME_SIZE];

    fx_codec_write_frame(main_magic, "verack", NULL, 0, head);
    FX_CHECK_HEX(head, "f9beb4d976657261636b000000000000000000005df6e0e2");
}

FX_TEST(refuses_bad_heads)
{
    uint8_t head[FX_FRAME_SIZE];
    struct fx_frame frame;

    fx_codec_write_frame(magic, "ping", "12345678", 8, head);
    head[0] ^= 1;
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_MAGIC);
    head[0] ^= 1;
    head[4 + 11] = 'x';
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_COMMAND);
    head[4 + 11] = 0;
    head[4] = 0x07;
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_COMMAND);
    memset(head + 4, 0, 12);
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_COMMAND);
    memcpy(head + 4, "ping", 4);
    fx_store_u32(head + 16, FX_MESSAGE_MAX);
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_OK);
    fx_store_u32(head + 16, FX_MESSAGE_MAX + 1);
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_LENGTH);
    fx_store_u32(head + 16, UINT32_MAX);
    FX_CHECK_INT(fx_codec_read_frame(head, magic, &frame), FX_CODEC_LENGTH);
}

FX_TEST(every_code_has_a_text)
{
    for (int code = FX_CODEC_OK; code <= FX_CODEC_CHECKSUM; code++) {
        FX_CHECK(strcmp(fx_codec_text((enum fx_codec)code), "unknown") != 0);
    }
}
