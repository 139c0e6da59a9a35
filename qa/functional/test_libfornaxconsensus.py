#!/usr/bin/python3
"""libfornaxconsensus against a second implementation of sections 3, 6 and 7 of doc/protocol.md, written from that text.

Inputs are drawn from a fixed seed (or FORNAX_SEED), and are those of qa/data besides. No node runs here.
"""
# timeout: 120
import ctypes
import hashlib
import json
import os
import re
import struct
import threading

import numpy as np

from framework import SRCDIR, FornaxTest, Skip, check, check_equal

SEED = int(os.environ.get('FORNAX_SEED') or 20260131)
TILE, DEPTH = 128, 256
GUARD = 16  # bytes on both sides of an output, which no call may touch


# ---- hashes and trees (section 7) ---------------------------------------------------------------------------------

def tagged(tag, data):
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


def node(x, y):
    return tagged('fornax/node', x + y)


def tree(leaves):
    level = list(leaves)
    while len(level) & (len(level) - 1):
        level.append(bytes(32))
    while len(level) > 1:
        level = [node(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def operand_root(panels):
    rows, k = panels.shape
    return tree(tree(tree(tagged('fornax/leaf', panels[row, column:column + DEPTH].tobytes())
                          for row in range(panel, panel + TILE))
                     for column in range(0, k, DEPTH))
                for panel in range(0, rows, TILE))


def result_root(result, solver):
    rows, columns = result.shape
    return tree(tree(tagged('fornax/result', solver + result[row, left:left + TILE].astype('<i4').tobytes())
                     for row in range(top, top + TILE))
                for top in range(0, rows, TILE) for left in range(0, columns, TILE))


# ---- bricks (section 6) -------------------------------------------------------------------------------------------

def chacha20(key, nonce, length):
    """RFC 8439 keystream, counter from 0; one column of the state a block."""
    blocks = -(-length // 64)
    first = np.empty((16, blocks), np.uint32)
    first[:4] = np.array(struct.unpack('<4I', b'expand 32-byte k'), np.uint32)[:, None]
    first[4:12] = np.frombuffer(key, '<u4')[:, None]
    first[12] = np.arange(blocks)
    first[13:] = np.frombuffer(nonce, '<u4')[:, None]
    s = first.copy()

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] += s[y]
            s[z] ^= s[x]
            s[z] = s[z] << np.uint32(turn) | s[z] >> np.uint32(32 - turn)

    for _ in range(10):
        for at in range(4):
            quarter(at, 4 + at, 8 + at, 12 + at)
        for at in range(4):
            quarter(at, 4 + (at + 1) % 4, 8 + (at + 2) % 4, 12 + (at + 3) % 4)
    return (s + first).T.astype('<u4').tobytes()[:length]


def keystream(seed, purpose, side, x, length):
    return chacha20(tagged('fornax/noise', seed), struct.pack('<3I', purpose, side, x), length)


def noise_panel(seed, side, panel):
    stream = np.frombuffer(keystream(seed, 0, side, panel, TILE * DEPTH), np.uint8)
    return (stream & 0x7f).astype(np.int64).reshape(TILE, DEPTH) - 64


def permutation(seed, side, segment):
    stream = keystream(seed, 1, side, segment, 4 * DEPTH + DEPTH // 8)
    w, signs = struct.unpack('<256I', stream[:1024]), stream[1024:]
    p = list(range(DEPTH))
    for c in range(DEPTH - 1, 0, -1):
        other = w[c] * (c + 1) >> 32
        p[c], p[other] = p[other], p[c]
    return p, [-1 if signs[c >> 3] >> (c & 7) & 1 else 1 for c in range(DEPTH)]


def noised(seed, side, panel, segment, block):
    p, sign = permutation(seed, side, segment)
    sums = block.astype(np.int64) + np.array(sign) * noise_panel(seed, side, panel)[:, p]
    check(sums.min() >= -128 and sums.max() <= 127, 'a noised entry leaves int8')
    return sums


def rotl32(x, n):
    return (x << n | x >> (32 - n)) & 0xffffffff


def fold(d):
    words = (d & 0xffffffff).tolist()
    s = [0] * 32
    for q in range(32):
        for fr in range(8):
            for fc in range(16):
                r, c = 16 * fr + (q >> 2), 8 * fc + 2 * (q & 3)
                s[q] ^= rotl32(words[r][c] ^ words[r][c + 1] ^ words[r + 8][c] ^ words[r + 8][c + 1],
                               (7 * fr + 5 * fc) % 32)
    return [s[w] ^ rotl32(s[w + 8], 8) ^ rotl32(s[w + 16], 16) ^ rotl32(s[w + 24], 24) for w in range(8)]


def brick_product(seed, a, b, i, j, l):
    return noised(seed, 0, i, l, a) @ noised(seed, 1, j, l, b).T


def brick_ticket(seed, a, b, i, j, l):
    words = fold(brick_product(seed, a, b, i, j, l))
    return tagged('fornax/ticket', seed + bytes(32) + struct.pack('<8I', *words) + struct.pack('<3I', i, j, l))


# ---- lanes (section 3) --------------------------------------------------------------------------------------------

LIMITS = (0x1d100000, 0x1f400000)


def decode(nbits):
    """SetCompact; None for what encodes no target."""
    size, word = nbits >> 24, nbits & 0x7fffff
    target = word << 8 * (size - 3) if size > 3 else word >> 8 * (3 - size)
    return None if target == 0 or nbits & 0x800000 or target >= 1 << 256 else target


def encode(target):
    """GetCompact."""
    size = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if word & 0x800000:
        word, size = word >> 8, size + 1
    return word | size << 24


def required_nbits(lane, previous, base, parent):
    limit = decode(LIMITS[lane])
    scaled = (parent - base - 240) * 65536
    e = abs(scaled) // 86400 * (1 if scaled >= 0 else -1)
    s = e // 65536
    f = e - 65536 * s
    bracket = 195766423245049 * f + 971821376 * f ** 2 + 5127 * f ** 3 + 2 ** 47
    check(bracket < 1 << 64, 'the bracket fits uint64')
    factor = 65536 + (bracket >> 48)
    if s >= 256:
        target = limit
    elif s < -256:
        target = 1
    else:
        target = decode(previous) * factor << s - 16 if s >= 16 else decode(previous) * factor >> 16 - s
    return encode(max(1, min(target, limit)))


# ---- the library --------------------------------------------------------------------------------------------------

def library_path():
    for folder in (os.environ.get('FORNAX_BUILDDIR'), os.path.join(SRCDIR, 'build', 'release'),
                   os.path.join(SRCDIR, 'build'), SRCDIR):
        path = os.path.join(folder or '', 'consensus', '.libs', 'libfornaxconsensus.so')
        if folder and os.path.exists(path):
            return path
    raise Skip('libfornaxconsensus.so is not built: configure with --enable-shared, and set FORNAX_BUILDDIR')


class Out:
    """An output of a call, between guards."""

    def __init__(self, size):
        self.size = size
        self.before = bytes((7 * at + 0x5a) & 0xff for at in range(size + 2 * GUARD))
        self.raw = ctypes.create_string_buffer(self.before, len(self.before))

    @property
    def pointer(self):
        return ctypes.byref(self.raw, GUARD)

    def untouched(self):
        return self.raw.raw == self.before

    def value(self):
        raw = self.raw.raw
        check(raw[:GUARD] == self.before[:GUARD] and raw[-GUARD:] == self.before[-GUARD:],
              'a call wrote beside its output')
        return raw[GUARD:-GUARD]


def address(array):
    return None if array is None else ctypes.c_void_p(array.ctypes.data)


class Library:
    def __init__(self):
        self.path = library_path()
        lib = ctypes.CDLL(self.path)
        pointer, u32, u64, i64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64
        self.version = lib.fornaxconsensus_version
        self.version.argtypes, self.version.restype = [], ctypes.c_uint
        self.ticket = lib.fornaxconsensus_brick_ticket
        self.ticket.argtypes = [ctypes.c_char_p, pointer, pointer, u32, u32, u32, pointer]
        self.operand = lib.fornaxconsensus_operand_root
        self.operand.argtypes = [pointer, u64, u64, pointer]
        self.result = lib.fornaxconsensus_result_root
        self.result.argtypes = [pointer, u64, u64, ctypes.c_char_p, pointer]
        self.nbits = lib.fornaxconsensus_required_nbits
        self.nbits.argtypes = [ctypes.c_uint, u32, i64, i64, pointer]
        for call in (self.ticket, self.operand, self.result, self.nbits):
            call.restype = ctypes.c_int

    def brick_ticket(self, seed, a, b, i, j, l):
        out = Out(32)
        check_equal(self.ticket(seed, address(a), address(b), i, j, l, out.pointer), 1, 'brick_ticket')
        return out.value()

    def operand_root(self, panels):
        out = Out(32)
        check_equal(self.operand(address(panels), *panels.shape, out.pointer), 1, 'operand_root %s' % (panels.shape,))
        return out.value()

    def result_root(self, result, solver):
        out = Out(32)
        check_equal(self.result(address(result), *result.shape, solver, out.pointer), 1,
                    'result_root %s' % (result.shape,))
        return out.value()

    def required_nbits(self, lane, previous, base, parent):
        out = Out(4)
        check_equal(self.nbits(lane, previous, base, parent, out.pointer), 1,
                    'required_nbits(%d, %08x, %d, %d)' % (lane, previous, base, parent))
        return struct.unpack('=I', out.value())[0]

    def refuses(self, call, *args, size=32):
        """The call returns 0 and leaves its output as it was."""
        out = Out(size)
        check_equal(call(*args, out.pointer), 0, 'bad arguments to ' + call.__name__)
        check(out.untouched(), call.__name__ + ' returned 0 and wrote its output')


# ---- the test -----------------------------------------------------------------------------------------------------

def labelled(label, rows, k):
    """The operands of qa/data/brick.json, by its own words."""
    size = rows * k
    stream = b''.join(hashlib.sha256(label.encode() + struct.pack('<I', at)).digest() for at in range(-(-size // 32)))
    return (np.frombuffer(stream[:size], np.uint8) & 0x7f).astype(np.int8).reshape(rows, k) - np.int8(64)


def data(name):
    with open(os.path.join(SRCDIR, 'qa', 'data', name)) as file:
        return json.load(file)


class LibfornaxconsensusTest(FornaxTest):
    nodes_count = 0

    def run(self):
        self.lib = Library()
        self.random = np.random.default_rng(SEED)
        print('library %s, seed %d' % (self.lib.path, SEED))
        for part in (self.version, self.noise_of_the_vectors, self.bricks_of_the_vectors, self.products_of_the_vectors,
                     self.bricks, self.bricks_on_threads, self.bad_bricks, self.operands_of_the_vectors, self.operands,
                     self.bad_operands, self.results_of_the_vectors, self.results, self.bad_results,
                     self.lanes_of_the_vectors, self.lanes, self.lanes_at_their_ends, self.bad_lanes):
            self.step('%s: %s' % (part.__name__.replace('_', ' '), part()))

    def draw(self, below):
        """A whole number in [0, below), of any size."""
        bits = below.bit_length() + 64
        return int.from_bytes(self.random.bytes(-(-bits // 8)), 'little') % below

    def version(self):
        with open(os.path.join(SRCDIR, 'consensus', 'fornaxconsensus.h')) as file:
            wanted = re.search(r'#define FORNAXCONSENSUS_API_VERSION (\d+)', file.read()).group(1)
        check_equal(self.lib.version(), int(wanted), 'version')
        return wanted

    # -- bricks

    def noise_of_the_vectors(self):
        vectors = data('brick.json')
        for vector in vectors['noise']:
            panel = noise_panel(bytes.fromhex(vector['seed']), vector['side'], vector['panel'])
            check_equal(panel[0, :len(vector['first_row'])].tolist(), vector['first_row'], 'noise')
            check_equal(hashlib.sha256(panel.astype(np.int8).tobytes()).hexdigest(), vector['sha256'], 'noise')
        for vector in vectors['permutation']:
            got = permutation(bytes.fromhex(vector['seed']), vector['side'], vector['segment'])
            check(got == (vector['p'], vector['sign']), 'permutation of side %(side)d, segment %(segment)d' % vector)
        return len(vectors['noise']) + len(vectors['permutation'])

    def bricks_of_the_vectors(self):
        vectors = data('brick.json')['brick']
        for vector in vectors:
            seed, place = bytes.fromhex(vector['seed']), (vector['i'], vector['j'], vector['l'])
            a, b = labelled(vector['a_label'], TILE, DEPTH), labelled(vector['b_label'], TILE, DEPTH)
            d = brick_product(seed, a, b, *place)
            check_equal(hashlib.sha256(d.astype('<i4').tobytes()).hexdigest(), vector['d_sha256_le32'], 'product')
            check_equal(fold(d), vector['fold'], 'fold')
            check_equal(brick_ticket(seed, a, b, *place).hex(), vector['ticket'], 'ticket')
            check_equal(self.lib.brick_ticket(seed, a, b, *place).hex(), vector['ticket'], 'ticket of the library')
        return len(vectors)

    def products_of_the_vectors(self):
        vectors = data('brick.json')['product']
        for vector in vectors:
            m, n, k, seed = vector['m'], vector['n'], vector['k'], bytes.fromhex(vector['seed'])
            a, b = labelled(vector['a_label'], m, k), labelled(vector['b_transposed_label'], n, k)
            c = a.astype(np.int64) @ b.astype(np.int64).T
            check_equal(hashlib.sha256(c.astype('<i4').tobytes()).hexdigest(), vector['c_sha256_le32'], 'product')
            tickets = {}
            for i in range(m // TILE):
                for j in range(n // TILE):
                    for l in range(k // DEPTH):
                        blocks = [np.ascontiguousarray(x[TILE * at:TILE * (at + 1), DEPTH * l:DEPTH * (l + 1)])
                                  for x, at in ((a, i), (b, j))]
                        tickets[i, j, l] = self.lib.brick_ticket(seed, *blocks, i, j, l)
            check_equal(hashlib.sha256(b''.join(tickets.values())).hexdigest(),
                        vector['tickets_sha256_row_major_ijl'], 'tickets')
            lowest = min(tickets, key=lambda at: int.from_bytes(tickets[at], 'little'))
            check_equal(list(lowest), vector['lowest_ticket_at'], 'lowest ticket')
        return len(vectors)

    def block(self):
        """A panel block of one of several characters, every entry in [-64, 63]."""
        shape, way = (TILE, DEPTH), self.draw(7)
        if way == 0:
            return np.full(shape, self.random.choice([-64, -1, 0, 1, 63]), np.int8)
        if way == 1:
            return self.random.choice(np.array([-64, 63], np.int8), shape)
        if way == 2:  # nearly empty
            block = np.zeros(shape, np.int8)
            block[self.draw(TILE), self.draw(DEPTH)] = self.random.choice([-64, 63])
            return block
        if way == 3:  # rows alike
            return np.tile(self.random.integers(-64, 64, DEPTH, np.int8), (TILE, 1))
        return self.random.integers(-64, 64, shape, np.int8)

    def place(self):
        """(i, j, l): any u32, with the ends of the range more often."""
        return tuple(int(self.random.choice([0, 1, 255, 131071, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, self.draw(2 ** 32),
                                             self.draw(2 ** 17), self.draw(256)])) for _ in range(3))

    def bricks(self):
        seeds = [bytes(32), b'\xff' * 32, bytes(31) + b'\x01']
        count = 400
        for number in range(count):
            seed = seeds[number] if number < len(seeds) else self.random.bytes(32)
            a, b, place = self.block(), self.block(), self.place()
            check_equal(self.lib.brick_ticket(seed, a, b, *place).hex(), brick_ticket(seed, a, b, *place).hex(),
                        'ticket %d at %s under %s' % (number, place, seed.hex()))
        return count

    def bricks_on_threads(self):
        cases = [(self.random.bytes(32), self.block(), self.block(), *self.place()) for _ in range(8)]
        wanted = [brick_ticket(*case) for case in cases]
        got = {}

        def work(thread):
            got[thread] = [self.lib.brick_ticket(*case) for _ in range(5) for case in cases]
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for thread in range(4):
            check_equal(got.get(thread), wanted * 5, 'tickets on thread %d' % thread)
        return len(threads)

    def bad_bricks(self):
        lib, seed, a, b = self.lib, self.random.bytes(32), self.block(), self.block()
        lib.refuses(lib.ticket, None, address(a), address(b), 0, 0, 0)
        lib.refuses(lib.ticket, seed, None, address(b), 0, 0, 0)
        lib.refuses(lib.ticket, seed, address(a), None, 0, 0, 0)
        check_equal(lib.ticket(seed, address(a), address(b), 0, 0, 0, None), 0, 'no output')
        places = [(0, 0), (TILE - 1, DEPTH - 1)] + [(self.draw(TILE), self.draw(DEPTH)) for _ in range(30)]
        for row, column in places:
            for entry in (64, 65, 127, -65, -66, -128):
                for side in range(2):
                    blocks = [a.copy(), b.copy()]
                    blocks[side][row, column] = entry
                    lib.refuses(lib.ticket, seed, *map(address, blocks), 0, 0, 0)
        check_equal(lib.brick_ticket(seed, a, b, 5, 6, 7), brick_ticket(seed, a, b, 5, 6, 7), 'ticket after refusals')
        return len(places)

    # -- commitments

    def operands_of_the_vectors(self):
        vectors = data('brick.json')['operand_root']
        for vector in vectors:
            panels = labelled(vector['label'], vector['rows'], vector['k'])
            check_equal(operand_root(panels).hex(), vector['root'], 'operand root')
            check_equal(self.lib.operand_root(panels).hex(), vector['root'], 'operand root of the library')
        return len(vectors)

    def operands(self):
        shapes = [(1, 1), (1, 256), (1, 255), (2, 129), (65, 1), (33, 3), (16, 16), (9, 17)]
        shapes += [(1 + self.draw(12), 1 + self.draw(12)) for _ in range(30)]
        for rows, k in shapes:
            panels = self.random.integers(-128, 128, (TILE * rows, DEPTH * k), np.int8)
            check_equal(self.lib.operand_root(panels).hex(), operand_root(panels).hex(),
                        'root of %d x %d panel blocks' % (rows, k))
        for entry in (-128, 0, 127):
            panels = np.full((TILE * 3, DEPTH * 3), entry, np.int8)
            check_equal(self.lib.operand_root(panels).hex(), operand_root(panels).hex(), 'root of equal entries')
        return len(shapes) + 3

    def bad_operands(self):
        lib, panels = self.lib, np.zeros((TILE, DEPTH), np.int8)
        shapes = [(0, 256), (128, 0), (0, 0), (1, 256), (127, 256), (129, 256), (128, 1), (128, 128), (128, 255),
                  (128, 257), (128, 384), (300, 1000), (1000, 77), (64, 512), (128, 65536 + 256), (2 ** 24 + 128, 256),
                  (2 ** 32, 256), (128, 2 ** 32), (2 ** 63, 256), (2 ** 64 - 128, 256), (128, 2 ** 64 - 256),
                  (2 ** 57, 2 ** 8), (2 ** 64 - 1, 2 ** 64 - 1)]
        for rows, k in shapes:
            lib.refuses(lib.operand, address(panels), rows, k)
        lib.refuses(lib.operand, None, 128, 256)
        check_equal(lib.operand(address(panels), 128, 256, None), 0, 'no output')
        return len(shapes)

    def results_of_the_vectors(self):
        vectors = data('brick.json')['result_root']
        for vector in vectors:
            a = labelled(vector['a_label'], vector['m'], vector['k']).astype(np.int32)
            b = labelled(vector['b_transposed_label'], vector['n'], vector['k']).astype(np.int32)
            result, solver = np.ascontiguousarray(a @ b.T), bytes.fromhex(vector['solver'])
            check_equal(result_root(result, solver).hex(), vector['root'], 'result root')
            check_equal(self.lib.result_root(result, solver).hex(), vector['root'], 'result root of the library')
        return len(vectors)

    def results(self):
        ends = np.iinfo(np.int32)
        shapes = [(1, 1), (1, 2), (3, 1), (1, 33), (17, 2), (5, 3), (16, 16), (7, 9)]
        shapes += [(1 + self.draw(9), 1 + self.draw(9)) for _ in range(20)]
        for number, (rows, columns) in enumerate(shapes):
            shape = (TILE * rows, TILE * columns)
            if number % 3 == 0:
                result = self.random.choice(np.array([ends.min, -1, 0, 1, ends.max], np.int32), shape)
            else:
                result = self.random.integers(ends.min, ends.max, shape, np.int32, endpoint=True)
            solver = (bytes(32), b'\xff' * 32, self.random.bytes(32))[min(number, 2)]
            check_equal(self.lib.result_root(result, solver).hex(), result_root(result, solver).hex(),
                        'root of %d x %d tiles' % (rows, columns))
        return len(shapes)

    def bad_results(self):
        lib, result, solver = self.lib, np.zeros((TILE, TILE), np.int32), self.random.bytes(32)
        sides = (0, 1, 77, 127, 129, 192, 300, 1000, 2 ** 24 + 128, 2 ** 32, 2 ** 63, 2 ** 64 - 128, 2 ** 64 - 1)
        for side in sides:
            lib.refuses(lib.result, address(result), side, TILE, solver)
            lib.refuses(lib.result, address(result), TILE, side, solver)
            lib.refuses(lib.result, address(result), side, side, solver)
        lib.refuses(lib.result, None, TILE, TILE, solver)
        lib.refuses(lib.result, address(result), TILE, TILE, None)
        check_equal(lib.result(address(result), TILE, TILE, solver, None), 0, 'no output')
        return len(sides)

    # -- lanes

    def compare_lane(self, lane, previous, base, parent):
        got, wanted = self.lib.required_nbits(lane, previous, base, parent), required_nbits(lane, previous, base, parent)
        if got != wanted:
            check_equal('%08x' % got, '%08x' % wanted, 'lane %d, previous %08x, base %d, parent %d'
                        % (lane, previous, base, parent))
        return got

    def lanes_of_the_vectors(self):
        vectors = data('lanes.json')['required']
        for vector in vectors:
            got = self.compare_lane(('hash', 'job').index(vector['lane']), int(vector['previous_nbits'], 16),
                                    vector['base_time'], vector['parent_time'])
            check_equal('%08x' % got, vector['nbits'], 'required nbits')
        return len(vectors)

    def previous(self, lane):
        """An nBits of this lane, also in forms that GetCompact would not write."""
        limit = decode(LIMITS[lane])
        way = self.draw(8)
        if way == 0:
            return LIMITS[lane]
        if way == 1:
            return int(self.random.choice([0x01010000, 0x01030000, 0x02000100, 0x03000001, 0x04000001, 0x1c00ffff]))
        if way == 2:  # small words
            while True:
                nbits = self.draw(0x20) << 24 | self.draw(0x100)
                if decode(nbits) is not None and decode(nbits) <= limit:
                    return nbits
        return encode(1 + self.draw(min(limit, 1 << 1 + self.draw(limit.bit_length()))))

    def gap(self):
        way = self.draw(6)
        if way == 0:  # about whole half-lives
            return 240 + 86400 * (self.draw(560) - 280) + self.draw(5) - 2
        if way == 1:
            return self.draw(2000) - 1000
        if way == 2:
            return self.draw(2 ** 33) - 2 ** 32
        if way == 3:
            return self.draw(60 * 86400) - 30 * 86400
        return self.draw(600 * 86400) - 300 * 86400

    def lanes(self):
        count = clamped = 0
        while count < 40000:
            lane = count % 2
            base = self.draw(2 ** 32) if self.draw(3) else 1790000000
            parent = base + self.gap()
            if not 0 <= parent < 2 ** 32:
                continue
            clamped += self.compare_lane(lane, self.previous(lane), base, parent) in (LIMITS[lane], 0x01010000)
            count += 1
        check(count // 20 < clamped < count * 9 // 10, '%d of %d at an end of the scale' % (clamped, count))
        return '%d, of which %d clamped' % (count, clamped)

    def lanes_at_their_ends(self):
        count = 0
        for lane in range(2):
            for previous in (LIMITS[lane], 0x01010000, 0x02008000, 0x03000001, 0x0300ffff, 0x0401e240, 0x1b0404cb):
                for halves in (-300, -257, -256, -255, -17, -16, -1, 0, 1, 15, 16, 17, 222, 224, 255, 256, 257, 300):
                    for off in (-2, -1, 0, 1, 2, 43200):
                        base = 2 ** 31
                        self.compare_lane(lane, previous, base, base + 240 + 86400 * halves + off)
                        count += 1
                ends = [(0, 0), (0, 2 ** 32 - 1), (2 ** 32 - 1, 0), (2 ** 32 - 1, 2 ** 32 - 1)]
                for base in (0, -1, -2 ** 32, 2 ** 32, 2 ** 46, 2 ** 46 - 2 ** 63, 2 ** 63 - 2 ** 46):
                    ends += [(base, base + gap) for gap in (1 - 2 ** 46, -2 ** 40, -1, 240, 2 ** 40, 2 ** 46 - 1)]
                for base, parent in ends:
                    self.compare_lane(lane, previous, base, parent)
                    count += 1
        return count

    def bad_lanes(self):
        lib, now = self.lib, 1790000000
        bad = [(lane, 0x1d00ffff, now, now) for lane in (2, 3, 15, 2 ** 31, 2 ** 32 - 1)]
        for lane in range(2):
            no_target = [0, 0x01000000, 0x1d000000, 0x1d800000, 0x1dffffff, 0x01800001, 0x01003456, 0x02000056,
                         0xff123456, 0x23000001, 0x22000100, 0x21010000]
            above = [LIMITS[lane] + 1, LIMITS[lane] + 0x01000000, 0x207fffff]
            bad += [(lane, nbits, now, now) for nbits in no_target + above]
            # times whose difference the rule's int64 cannot carry
            bad += [(lane, LIMITS[lane], base, parent) for base, parent in (
                (now, now + 2 ** 46), (now, now - 2 ** 46), (0, 2 ** 46), (2 ** 46, 0), (-2 ** 63, 0), (0, -2 ** 63),
                (-1, 2 ** 63 - 1), (2 ** 63 - 1, -1), (-2 ** 63, 2 ** 63 - 1), (2 ** 63 - 1, -2 ** 63))]
            check_equal(lib.nbits(lane, LIMITS[lane], now, now, None), 0, 'no output')
        for case in bad:
            lib.refuses(lib.nbits, *case, size=4)
        return len(bad)


if __name__ == '__main__':
    LibfornaxconsensusTest().main()
