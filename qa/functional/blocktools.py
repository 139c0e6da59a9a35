"""Transactions and blocks of the hash lane, made in Python, for tests that hand them to a node as a miner or a peer would."""
import os
import struct

from p2p import id_bytes, read_var, sha256d, var

WITNESS_HEAD = bytes.fromhex('6a24aa21a9ed')
ANYONE = bytes.fromhex('5120') + b'\x50' * 32  # pays nobody in particular: a P2TR output


def hash_id(data):
    """The id of a block or transaction, as RPC writes it."""
    return sha256d(data)[::-1].hex()


def script_number(n):
    """BIP34's height: the shortest push of a number."""
    if n == 0:
        return b'\x00'
    if n <= 16:
        return bytes([0x50 + n])
    data = n.to_bytes((n.bit_length() + 8) // 8, 'little')
    return bytes([len(data)]) + data


def write_tx(inputs, outputs, witness=None, version=2, locktime=0):
    """inputs: (txid, index, script, sequence); outputs: (value, script); witness: a list of items an input. The bytes."""
    head = struct.pack('<i', version) + (b'\x00\x01' if witness else b'')
    body = var(len(inputs))
    for txid, index, script, sequence in inputs:
        body += id_bytes(txid) + struct.pack('<I', index) + var(len(script)) + script + struct.pack('<I', sequence)
    body += var(len(outputs))
    for value, script in outputs:
        body += struct.pack('<q', value) + var(len(script)) + script
    tail = b''
    for items in witness or ():
        tail += var(len(items)) + b''.join(var(len(item)) + item for item in items)
    return head + body + tail + struct.pack('<I', locktime)


class Tx:
    """A parsed transaction whose parts may be changed before it is written again."""

    def __init__(self, data):
        data = bytes(data)
        at = 4
        self.version = struct.unpack_from('<i', data)[0]
        has_witness = data[4:6] == b'\x00\x01'
        at += 2 if has_witness else 0
        n, at = read_var(data, at)
        self.inputs = []
        for _ in range(n):
            txid, index = data[at:at + 32][::-1].hex(), struct.unpack_from('<I', data, at + 32)[0]
            size, at = read_var(data, at + 36)
            self.inputs.append((txid, index, data[at:at + size], struct.unpack_from('<I', data, at + size)[0]))
            at += size + 4
        n, at = read_var(data, at)
        self.outputs = []
        for _ in range(n):
            value = struct.unpack_from('<q', data, at)[0]
            size, at = read_var(data, at + 8)
            self.outputs.append((value, data[at:at + size]))
            at += size
        self.witness = []
        for _ in self.inputs if has_witness else ():
            items = []
            n, at = read_var(data, at)
            for _ in range(n):
                size, at = read_var(data, at)
                items.append(data[at:at + size])
                at += size
            self.witness.append(items)
        self.locktime = struct.unpack_from('<I', data, at)[0]
        assert at + 4 == len(data), 'bytes after the transaction'

    def write(self, witness=True):
        return write_tx(self.inputs, self.outputs, self.witness if witness else None, self.version, self.locktime)

    @property
    def txid(self):
        return hash_id(self.write(witness=False))

    @property
    def wtxid(self):
        return hash_id(self.write())


def merkle_root(hashes):
    level = list(hashes)
    while len(level) > 1:
        level += level[-1:] if len(level) % 2 else []
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def coinbase(height, value, script=ANYONE, witness_root=None, extra=b'\x00\x00', outputs=()):
    outputs = [(value, script), *outputs]
    if witness_root is not None:
        outputs.append((0, WITNESS_HEAD + sha256d(witness_root + bytes(32))))
    return Tx(write_tx([('00' * 32, 0xffffffff, script_number(height) + extra, 0xffffffff)], outputs,
                       [[bytes(32)]] if witness_root is not None else None))


def target_of(bits):
    exponent, mantissa = bits >> 24, bits & 0x7fffff
    return mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)


class Block:
    """A block of the hash lane. Change what is to be wrong, then solve()."""

    def __init__(self, prev, time, txs, version=0x20000000, bits=0x207fffff):
        self.version, self.prev, self.time, self.bits, self.nonce = version, prev, time, bits, 0
        self.txs = txs
        self.set_merkle()

    def set_merkle(self):
        self.merkle = merkle_root([id_bytes(tx.txid) for tx in self.txs])

    def header(self):
        return (struct.pack('<i', self.version) + id_bytes(self.prev) + self.merkle +
                struct.pack('<III', self.time, self.bits, self.nonce))

    @property
    def hash(self):
        return hash_id(self.header())

    def solve(self, reach=True):
        """Looks for a nonce that reaches the target, or with reach=False one that does not."""
        target = target_of(self.bits)
        while (int.from_bytes(sha256d(self.header()), 'little') <= target) != reach:
            self.nonce += 1
        return self

    def write(self):
        return self.header() + var(len(self.txs)) + b''.join(tx.write() for tx in self.txs)


def block_on_tip(node, txs=(), script=ANYONE, value=None, time=None):
    """A solved block on the node's tip, from its own template, with these transactions alone. No two are the same."""
    template = node.rpc.getblocktemplate({'rules': ['segwit']})
    txs = [tx if isinstance(tx, Tx) else Tx(bytes.fromhex(tx)) for tx in txs]
    fees = {tx['txid']: tx['fee'] for tx in template['transactions']}
    if value is None:
        value = template['coinbasevalue'] - sum(fees.values()) + sum(fees.get(tx.txid, 0) for tx in txs)
    root = merkle_root([bytes(32)] + [id_bytes(tx.wtxid) for tx in txs])
    first = coinbase(template['height'], value, script, root if any(tx.witness for tx in txs) else None, os.urandom(8))
    return Block(template['previousblockhash'], time or template['curtime'], [first, *txs], template['version'],
                 int(template['bits'], 16)).solve()


def chain_on(prev, height, time, count, script=ANYONE, value=0, extra=b'\x00\x00', version=0x20000000):
    """Empty solved blocks one after the other, the first at this height."""
    blocks = []
    for i in range(count):
        block = Block(prev, time + i, [coinbase(height + i, value, script, extra=extra)], version).solve()
        blocks.append(block)
        prev = block.hash
    return blocks
