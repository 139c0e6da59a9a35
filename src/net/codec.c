/* Message framing: the 24 bytes before each payload. */
#include "src/net/codec_int.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/net/limits_int.h"

const char *fx_codec_text(enum fx_codec code)
{
    switch (code) {
    case FX_CODEC_OK:
        return "fine";
    case FX_CODEC_MAGIC:
        return "Wrong MessageStart";
    case FX_CODEC_COMMAND:
        return "Invalid message type";
    case FX_CODEC_LENGTH:
        return "Size too large";
    case FX_CODEC_CHECKSUM:
        return "Wrong checksum";
    }
    return "unknown";
}

enum fx_codec fx_codec_read_frame(const uint8_t bytes[FX_FRAME_SIZE], const uint8_t magic[4],
                                  struct fx_frame *frame)
{
    size_t n = 0;

    memset(frame, 0, sizeof *frame);
    if (memcmp(bytes, magic, 4) != 0) {
        return FX_CODEC_MAGIC;
    }
    frame->length = fx_load_u32(bytes + 16);
    memcpy(frame->checksum, bytes + 20, FX_CHECKSUM_SIZE);
    while (n < FX_COMMAND_SIZE && bytes[4 + n] >= 0x20 && bytes[4 + n] <= 0x7e) {
        frame->command[n] = (char)bytes[4 + n];
        n++;
    }
    if (n == 0) {
        return FX_CODEC_COMMAND;
    }
    for (size_t i = n; i < FX_COMMAND_SIZE; i++) {
        if (bytes[4 + i] != 0) {
            return FX_CODEC_COMMAND;
        }
    }
    return frame->length <= FX_MESSAGE_MAX ? FX_CODEC_OK : FX_CODEC_LENGTH;
}

void fx_codec_checksum(const void *payload, size_t n, uint8_t checksum[FX_CHECKSUM_SIZE])
{
    uint8_t hash[32];

    fx_sha256d(payload, n, hash);
    memcpy(checksum, hash, FX_CHECKSUM_SIZE);
}

enum fx_codec fx_codec_check_payload(const struct fx_frame *frame, const uint8_t *payload)
{
    uint8_t is[FX_CHECKSUM_SIZE];

    fx_codec_checksum(payload, frame->length, is);
    return memcmp(is, frame->checksum, sizeof is) == 0 ? FX_CODEC_OK : FX_CODEC_CHECKSUM;
}

void fx_codec_write_frame(const uint8_t magic[4], const char *command, const void *payload,
                          size_t n, uint8_t out[FX_FRAME_SIZE])
{
    size_t length = strnlen(command, FX_COMMAND_SIZE);

    memset(out, 0, FX_FRAME_SIZE);
    memcpy(out, magic, 4);
    memcpy(out + 4, command, length);
    fx_store_u32(out + 16, (uint32_t)n);
    fx_codec_checksum(payload, n, out + 20);
}
