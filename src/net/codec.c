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
        return "wrong magic bytes: it is on another network, or speaks another protocol";
    case FX_CODEC_COMMAND:
        return "command is not text";
    case FX_CODEC_LENGTH:
        return "message is longer than the protocol allows";
    case FX_CODEC_CHECKSUM:
        return "wrong checksum";
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
    memcpy(frame->command, bytes + 4, FX_COMMAND_SIZE);
    n = strlen(frame->command);
    if (n == 0) {
        return FX_CODEC_COMMAND;
    }
    for (size_t i = 0; i < FX_COMMAND_SIZE; i++) {
        uint8_t c = bytes[4 + i];

        if (i < n ? (c < 0x20 || c > 0x7e) : c != 0) {
            return FX_CODEC_COMMAND;
        }
    }
    frame->length = fx_load_u32(bytes + 16);
    memcpy(frame->checksum, bytes + 20, 4);
    return frame->length <= FX_MESSAGE_MAX ? FX_CODEC_OK : FX_CODEC_LENGTH;
}

enum fx_codec fx_codec_check_payload(const struct fx_frame *frame, const uint8_t *payload)
{
    uint8_t hash[32];

    fx_sha256d(payload, frame->length, hash);
    return memcmp(hash, frame->checksum, 4) == 0 ? FX_CODEC_OK : FX_CODEC_CHECKSUM;
}

void fx_codec_write_frame(const uint8_t magic[4], const char *command, const void *payload,
                          size_t n, uint8_t out[FX_FRAME_SIZE])
{
    uint8_t hash[32];
    size_t length = strnlen(command, FX_COMMAND_SIZE);

    memset(out, 0, FX_FRAME_SIZE);
    memcpy(out, magic, 4);
    memcpy(out + 4, command, length);
    fx_store_u32(out + 16, (uint32_t)n);
    fx_sha256d(payload, n, hash);
    memcpy(out + 20, hash, 4);
}
