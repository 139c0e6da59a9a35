#!/usr/bin/python3
"""libfornaxconsensus against a second implementation of the protocol, written here from its text, on random inputs.

Nothing of the node is used: bricks, tickets, roots and lane targets in Python and numpy. The seed is printed.
"""
# timeout: 240
import ctypes
import hashlib
import os
import random
import struct
import sys

import numpy as np

BUILD = os.environ.get('FORNAX_BUILDDIR', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))


def sha256(data):
    return hashlib.sha256(data).digest()


def tagged(tag, data):
    prefix = sha256(tag.encode())
    return sha256(prefix + prefix + data)


# ---- noise, brick, ticket (protocol section 6) ----

def rotl(x, n):
    return ((x << np.uint32(n)) | (x >> np.uint32(32 - n))) if n else x


def chacha20(key, nonce, length):
    """The keystream from counter 0, all blocks at once."""
    count = (length + 63) // 64
    first = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, *struct.unpack('<8I', key), 0, *struct.unpack('<3I', nonce)]
    start = [np.full(count, word, np.uint32) for word in first]
    start[12] = np.arange(count, dtype=np.uint32)
    s = [word.copy() for word in start]

    def quarter(a, b, c, d):
        s[a] = s[a] + s[b]
        s[d] = rotl(s[d] ^ s[a], 16)
        s[c] = s[c] + s[d]
        s[b] = rotl(s[b] ^ s[c], 12)
        s[a] = s[a] + s[b]
        s[d] = rotl(s[d] ^ s[a], 8)
        s[c] = s[c] + s[d]
        s[b] = rotl(s[b] ^ s[c], 7)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    out = np.stack([a + b for a, b in zip(s, start)], axis=1)
    return out.astype('<u4').tobytes()[:length]


def stream(seed, purpose, side, x, length):
    return chacha20(tagged('fornax/noise', seed), struct.pack('<3I', purpose, side, x), length)


def noise_block(seed, side, panel, segment):
    low = (np.frombuffer(stream(seed, 0, side, panel, 32768), np.uint8) & 0x7f).astype(np.int32) - 64
    low = low.reshape(128, 256)
    bytes_ = stream(seed, 1, side, segment, 1024 + 32)
    words = struct.unpack('<256I', bytes_[:1024])
    p = list(range(256))
    for c in range(255, 0, -1):
        d = (words[c] * (c + 1)) >> 32
        p[c], p[d] = p[d], p[c]
    sign = np.array([-1 if bytes_[1024 + (c >> 3)] >> (c & 7) & 1 else 1 for c in range(256)], np.int32)
    return low[:, p] * sign


def fold(d):
    d = d.astype(np.int32).view(np.uint32)
    s = [0] * 32
    for q in range(32):
        for fr in range(8):
            for fc in range(16):
                r, c = 16 * fr + (q >> 2), 8 * fc + 2 * (q & 3)
                x = int(d[r, c]) ^ int(d[r, c + 1]) ^ int(d[r + 8, c]) ^ int(d[r + 8, c + 1])
                n = (7 * fr + 5 * fc) % 32
                s[q] ^= (x << n | x >> (32 - n)) & 0xffffffff

    def turn(x, n):
        return (x << n | x >> (32 - n)) & 0xffffffff

    return [s[w] ^ turn(s[w + 8], 8) ^ turn(s[w + 16], 16) ^ turn(s[w + 24], 24) for w in range(8)]


def ticket(seed, a, b, i, j, l):
    d = (a.astype(np.int32) + noise_block(seed, 0, i, l)) @ (b.astype(np.int32) + noise_block(seed, 1, j, l)).T
    return tagged('fornax/ticket', seed + bytes(32) + struct.pack('<8I', *fold(d)) + struct.pack('<3I', i, j, l))


# ---- commitments (section 7) ----

def tree(leaves):
    while len(leaves) & (len(leaves) - 1):
        leaves = leaves + [bytes(32)]
    while len(leaves) > 1:
        leaves = [tagged('fornax/node', leaves[i] + leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return leaves[0]


def operand_root(matrix):
    rows, k = matrix.shape
    return tree([tree([tree([tagged('fornax/leaf', matrix[128 * i + a, 256 * l:256 * l + 256].tobytes()) for a in range(128)])
                       for l in range(k // 256)]) for i in range(rows // 128)])


def result_root(result, solver):
    rows, columns = result.shape
    tiles = []
    for i in range(rows // 128):
        for j in range(columns // 128):
            tile = result[128 * i:128 * i + 128, 128 * j:128 * j + 128]
            tiles.append(tree([tagged('fornax/result', solver + row.astype('<i4').tobytes()) for row in tile]))
    return tree(tiles)


# ---- lane targets (section 3) ----

LIMITS = (0x1d100000, 0x1f400000)


def decode(nbits):
    size, word = nbits >> 24, nbits & 0x7fffff
    return word >> 8 * (3 - size) if size <= 3 else word << 8 * (size - 3)


def encode(target):
    size = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if word & 0x800000:
        word >>= 8
        size += 1
    return size << 24 | word


def required(lane, previous, base, parent):
    limit = decode(LIMITS[lane])
    e = (parent - base - 240) * 65536
    e = -(-e // 86400) if e < 0 else e // 86400
    s = e >> 16
    f = e - 65536 * s
    factor = 65536 + ((195766423245049 * f + 971821376 * f ** 2 + 5127 * f ** 3 + 2 ** 47) >> 48)
    if s >= 256:
        target = limit
    elif s < -256:
        target = 1
    else:
        target = decode(previous) * factor
        target = target << (s - 16) if s >= 16 else target >> (16 - s)
    return encode(max(1, min(limit, target)))


# ---- comparison ----

def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def check_tickets(library, rng):
    for _ in range(12):
        seed = rng.randbytes(32)
        a, b = (np.frombuffer(rng.randbytes(32768), np.uint8).astype(np.int16).reshape(128, 256) % 128 - 64 for _ in 'ab')
        a, b = (np.ascontiguousarray(x.astype(np.int8)) for x in (a, b))
        i, j, l = (rng.choice((0, 1, 2 ** 17 - 1, rng.randrange(2 ** 32))) for _ in 'ijl')
        out = ctypes.create_string_buffer(32)
        assert library.fornaxconsensus_brick_ticket(seed, pointer(a), pointer(b), i, j, l, out) == 1
        assert out.raw == ticket(seed, a, b, i, j, l), ('ticket', seed.hex(), i, j, l)


def check_roots(library, rng):
    u64 = ctypes.c_uint64
    for _ in range(6):
        rows, k = 128 * rng.randrange(1, 7), 256 * rng.randrange(1, 6)
        matrix = np.frombuffer(rng.randbytes(rows * k), np.int8).reshape(rows, k).copy()
        out = ctypes.create_string_buffer(32)
        assert library.fornaxconsensus_operand_root(pointer(matrix), u64(rows), u64(k), out) == 1
        assert out.raw == operand_root(matrix), ('operand root', rows, k)
        columns, solver = 128 * rng.randrange(1, 7), rng.randbytes(32)
        result = np.frombuffer(rng.randbytes(4 * rows * columns), '<i4').reshape(rows, columns).copy()
        assert library.fornaxconsensus_result_root(pointer(result), u64(rows), u64(columns), solver, out) == 1
        assert out.raw == result_root(result, solver), ('result root', rows, columns)


def check_targets(library, rng):
    for _ in range(20000):
        lane = rng.randrange(2)
        previous = encode(max(1, decode(LIMITS[lane]) >> rng.randrange(0, 240)) - rng.randrange(0, 2) or 1)
        base = rng.randrange(2 ** 32)
        span = rng.choice((300, 86400, 10 ** 7, 2 ** 32))
        parent = min(2 ** 32 - 1, max(0, base + rng.randrange(-span, span)))
        out = ctypes.c_uint32(0)
        got = library.fornaxconsensus_required_nbits(lane, previous, ctypes.c_int64(base), ctypes.c_int64(parent),
                                                     ctypes.byref(out))
        wanted = required(lane, previous, base, parent)
        assert got == 1 and out.value == wanted, ('nbits', lane, hex(previous), base, parent, hex(out.value), hex(wanted))


def main():
    path = os.path.join(BUILD, 'consensus', '.libs', 'libfornaxconsensus.so')
    if not os.path.exists(path):
        print('%s is not built' % path)
        return 77
    seed = int(os.environ.get('FORNAX_SEED') or random.SystemRandom().randrange(2 ** 32))
    print('seed %d' % seed)
    rng = random.Random(seed)
    library = ctypes.CDLL(path)
    check_tickets(library, rng)
    check_roots(library, rng)
    check_targets(library, rng)
    return 0


if __name__ == '__main__':
    sys.exit(main())
