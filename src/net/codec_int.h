/*
 * Message framing, Bitcoin's: magic, command, length, checksum, payload. Pure functions over bytes.
 */
#ifndef FX_NET_CODEC_INT_H
#define FX_NET_CODEC_INT_H

#include <stddef.h>
#include <stdint.h>

#include "src/util/buf.h"

#define FX_FRAME_SIZE 24
#define FX_COMMAND_SIZE 12
#define FX_CHECKSUM_SIZE 4

struct fx_frame {
    char command[FX_COMMAND_SIZE + 1]; /* zero-terminated, printable */
    uint32_t length;                   /* of the payload, at most FX_MESSAGE_MAX */
    uint8_t checksum[FX_CHECKSUM_SIZE];
};

enum fx_codec {
    FX_CODEC_OK = 0,
    FX_CODEC_MAGIC,   /* another network, or not this protocol at all */
    FX_CODEC_COMMAND, /* not printable text padded with zeros */
    FX_CODEC_LENGTH,  /* over FX_MESSAGE_MAX */
    FX_CODEC_CHECKSUM /* the payload is not what was sent */
};

/* One phrase for the log, in Bitcoin Core's words. */
const char *fx_codec_text(enum fx_codec code);
/* Judges the frame's head before anything is allocated for its payload. With FX_CODEC_COMMAND all
 * of *frame is set too, what is printable at the beginning of the command, and a length that may be
 * any. */
enum fx_codec fx_codec_read_frame(const uint8_t bytes[FX_FRAME_SIZE], const uint8_t magic[4],
                                  struct fx_frame *frame);
/* The first bytes of the payload's double SHA-256. */
void fx_codec_checksum(const void *payload, size_t n, uint8_t checksum[FX_CHECKSUM_SIZE]);
/* payload has frame->length bytes. */
enum fx_codec fx_codec_check_payload(const struct fx_frame *frame, const uint8_t *payload);
/* command: at most 12 characters. n is at most FX_MESSAGE_MAX. */
void fx_codec_write_frame(const uint8_t magic[4], const char *command, const void *payload,
                          size_t n, uint8_t out[FX_FRAME_SIZE]);

#endif
