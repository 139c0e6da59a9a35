"""Job-lane blocks in Python, from protocol.md alone: taken apart, put together, signed."""
import os
import struct

from p2p import id_bytes, read_var, sha256d, tagged_hash, var

HEADER = 80
BLOCK_BYTES = 128 * 256
VERSION_JOB = 0x20000100
NBITS = 0x207fffff

# ---- BIP340, slow and plain ----------------------------------------------------------------------
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if p[1] != q[1]:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(point, scalar):
    result = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


class Key:
    def __init__(self):
        self.secret = int.from_bytes(os.urandom(32), 'big') % (N - 1) + 1
        point = multiply(G, self.secret)
        self.secret = self.secret if point[1] % 2 == 0 else N - self.secret
        self.public = point[0].to_bytes(32, 'big')

    def sign(self, message):
        secret = self.secret.to_bytes(32, 'big')
        masked = bytes(a ^ b for a, b in zip(secret, tagged_hash('BIP0340/aux', os.urandom(32))))
        nonce = int.from_bytes(tagged_hash('BIP0340/nonce', masked + self.public + message), 'big') % N
        point = multiply(G, nonce)
        nonce = nonce if point[1] % 2 == 0 else N - nonce
        r = point[0].to_bytes(32, 'big')
        challenge = int.from_bytes(tagged_hash('BIP0340/challenge', r + self.public + message), 'big') % N
        return r + ((nonce + challenge * self.secret) % N).to_bytes(32, 'big')


# ---- commitments (section 7) ---------------------------------------------------------------------
def tree(leaves):
    """All levels, leaves first."""
    size = 1
    while size < len(leaves):
        size *= 2
    levels = [leaves + [bytes(32)] * (size - len(leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([tagged_hash('fornax/node', below[i] + below[i + 1]) for i in range(0, len(below), 2)])
    return levels


def path(levels, index):
    out = []
    for level in levels[:-1]:
        out.append(level[index ^ 1])
        index >>= 1
    return out


class Operand:
    """A panel matrix with its tree."""

    def __init__(self, side):
        rows, k = side.shape
        self.side, self.panels = side, []
        for i in range(rows // 128):
            roots = []
            for segment in range(k // 256):
                block = self.block(i, segment)
                leaves = [tagged_hash('fornax/leaf', block[at:at + 256]) for at in range(0, BLOCK_BYTES, 256)]
                roots.append(tree(leaves)[-1][0])
            self.panels.append(tree(roots))
        self.top = tree([panel[-1][0] for panel in self.panels])
        self.root = self.top[-1][0]

    def block(self, i, segment):
        return self.side[128 * i:128 * i + 128, 256 * segment:256 * segment + 256].tobytes()

    def opening(self, i, segment):
        return self.block(i, segment) + b''.join(path(self.panels[i], segment) + path(self.top, i))


# ---- blocks --------------------------------------------------------------------------------------
def outpoint(text):
    txid, index = text.split(':')
    return id_bytes(txid) + struct.pack('<I', int(index))


def backing_list(origins):
    return var(len(origins)) + b''.join(map(outpoint, origins))


def coinbase(height, outputs):
    push = height.to_bytes((height.bit_length() + 8) // 8, 'little')
    script = bytes([len(push)]) + push + b'\x04' + os.urandom(4)
    return (struct.pack('<I', 2) + b'\x01' + bytes(32) + b'\xff' * 4 + var(len(script)) + script + b'\xff' * 4 +
            var(len(outputs)) + b''.join(struct.pack('<q', value) + var(len(out)) + out for value, out in outputs) +
            bytes(4))


def work_script(origin, solver, preimage, backing):
    return (b'\x6a\x4c\x88fxjw' + outpoint(origin) + solver + tagged_hash('fornax/preimage', preimage) +
            tagged_hash('fornax/backing', backing))


def make_header(tip, root, nonce=0, version=VERSION_JOB):
    """tip: getblockheader of the parent."""
    return (struct.pack('<i', version) + id_bytes(tip['hash']) + root +
            struct.pack('<III', max(tip['mediantime'] + 1, tip['time']), NBITS, nonce))


class JobBlock:
    """A block as its parts, which may be changed and put together again."""
    PARTS = ('header', 'preimage', 'backing', 'i', 'j', 'l', 'a', 'b', 'signature', 'txs')

    def __init__(self, **parts):
        for name in self.PARTS:
            setattr(self, name, parts[name])

    @classmethod
    def parse(cls, raw, path_a, path_b):
        """The lengths of both paths come from the task's shape."""
        length, at = read_var(raw, HEADER)
        parts = {'header': raw[:HEADER], 'preimage': raw[at:at + length]}
        at += length
        count, end = read_var(raw, at)
        end += 36 * count
        parts['backing'] = raw[at:end]
        parts['i'], parts['j'], parts['l'] = struct.unpack_from('<III', raw, end)
        at = end + 12
        for name, hashes in (('a', path_a), ('b', path_b)):
            parts[name] = raw[at:at + BLOCK_BYTES + 32 * hashes]
            at += BLOCK_BYTES + 32 * hashes
        parts['signature'], parts['txs'] = raw[at:at + 64], raw[at + 64:]
        return cls(**parts)

    def raw(self):
        return (self.header + var(len(self.preimage)) + self.preimage + self.backing +
                struct.pack('<III', self.i, self.j, self.l) + self.a + self.b + self.signature + self.txs)

    def id(self):
        return sha256d(self.header)[::-1].hex()

    def changed(self, **parts):
        """A copy with other parts."""
        return JobBlock(**{name: parts.get(name, getattr(self, name)) for name in self.PARTS})

    def sign(self, key):
        self.signature = key.sign(tagged_hash('fornax/work', sha256d(self.header)))
        return self


def made_blocks(tip, key, origin, preimage, sides, brick, lists, outputs, **header):
    """Blocks on this tip (getblockheader) inside the task, alike but for their nonces, so that some ticket of theirs wins:
    half of all do on regtest. sides: both Operands; lists: the backing list as bytes; outputs: of the coinbase."""
    i, j, l = brick
    tx = coinbase(tip['height'] + 1, outputs)
    for nonce in range(64):
        yield JobBlock(header=make_header(tip, sha256d(tx), nonce, **header), preimage=preimage, backing=lists, i=i, j=j, l=l,
                       a=sides[0].opening(i, l), b=sides[1].opening(j, l), signature=bytes(64), txs=b'\1' + tx).sign(key)
