#!/usr/bin/python3
# sanitizer: yes
"""Compact blocks (BIP152) as a peer sees them: offered, announced, asked for, put together, served; and between nodes."""
import hashlib
import os
import struct

from blocktools import block_on_tip
from framework import COIN, FornaxTest, check, check_equal, wait_until
from p2p import Peer, id_bytes, read_var, var
from spendkit import KEY, P2PKH, P2WPKH, base58check, compressed, hash160, sign

MAGIC = bytes.fromhex('fabfb5da')
MSG_COMPACT, MSG_WITNESS_BLOCK = 4, 2 | 1 << 30
FEE = 10000
MASK = (1 << 64) - 1


def siphash(key, data):
    """SipHash-2-4 of 32 bytes, by its definition."""
    k0, k1 = struct.unpack('<QQ', key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> 64 - n) & MASK

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)
    for word in (*struct.unpack('<QQQQ', data), 32 << 56):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def short_ids(header, nonce, txs):
    key = hashlib.sha256(header + nonce).digest()[:16]
    return [siphash(key, id_bytes(tx.wtxid)).to_bytes(8, 'little')[:6] for tx in txs]


def compact(block, prefilled=(0,), indexes=None):
    """cmpctblock: prefilled by their places; indexes: what is said of them, if something else."""
    nonce = os.urandom(8)
    others = [tx for i, tx in enumerate(block.txs) if i not in prefilled]
    ids = short_ids(block.header(), nonce, others)
    last, places = -1, []
    for place in indexes or prefilled:
        places.append(place - last - 1)
        last = place
    return (block.header() + nonce + var(len(ids)) + b''.join(ids) + var(len(prefilled)) +
            b''.join(var(place) + block.txs[i].write() for place, i in zip(places, prefilled)))


def read_compact(data):
    """Header, nonce, short ids, and what follows them."""
    n, at = read_var(data, 88)
    return data[:80], data[80:88], [data[at + 6 * i:at + 6 * i + 6] for i in range(n)], data[at + 6 * n:]


class TestCompact(FornaxTest):
    chain = 'btcregtest'
    nodes_count = 2

    def peer(self, announce=False):
        peer = Peer(self.nodes[0], services=9, magic=MAGIC)
        check_equal(peer.wait('sendcmpct'), struct.pack('<BQ', 0, 2), 'the offer')
        peer.send('sendcmpct', struct.pack('<BQ', announce, 2))
        return peer

    def coin(self):
        """A ripe coinbase, each once."""
        self.used += 1
        return self.nodes[0].rpc.getblock(self.nodes[0].rpc.getblockhash(self.used))['tx'][0], 0, 50 * COIN, P2PKH

    def transactions(self, n):
        return [sign([self.coin()], [(50 * COIN - FEE - i, P2WPKH)]) for i in range(n)]

    def tip_is(self, block):
        check_equal(self.nodes[0].rpc.getbestblockhash(), block.hash, 'tip')

    def state(self):
        """What the node says of the peer that came last."""
        info = self.nodes[0].rpc.getpeerinfo()[-1]
        return info['bip152_hb_to'], info['bip152_hb_from']

    def run(self):
        node, other = self.nodes
        self.used = 0
        node.mine(120, base58check(b'\x6f' + hash160(compressed(KEY))))
        self.sync_blocks()

        self.step('who supplies a block is asked to announce the next as compact')
        peer = self.peer()
        peer.ping()
        check_equal(self.state(), (False, False))
        block = block_on_tip(node)
        peer.send('block', block.write())
        check_equal(peer.wait('sendcmpct'), struct.pack('<BQ', 1, 2))
        self.tip_is(block)
        check_equal(self.state(), (True, False))

        self.step('a block whose transactions are known needs one message, others two more')
        txs = self.transactions(4)
        for tx in txs[:2]:
            node.rpc.sendrawtransaction(tx)
        block = block_on_tip(node, txs[:2])
        peer.send('cmpctblock', compact(block))
        peer.ping()
        self.tip_is(block)
        for tx in txs[2:3]:
            node.rpc.sendrawtransaction(tx)
        block = block_on_tip(node, txs[2:])
        peer.send('cmpctblock', compact(block))
        check_equal(peer.wait('getblocktxn'), id_bytes(block.hash) + b'\1\2')
        peer.send('blocktxn', id_bytes(block.hash) + b'\1' + block.txs[2].write())
        peer.ping()
        self.tip_is(block)

        self.step('a wrong answer leads to the whole block')
        block = block_on_tip(node, self.transactions(2))
        peer.send('cmpctblock', compact(block))
        check_equal(peer.wait('getblocktxn'), id_bytes(block.hash) + b'\2\1\0')
        peer.send('blocktxn', id_bytes(block.hash) + b'\2' + 2 * block.txs[2].write())
        check_equal(peer.wait('getdata'), b'\1' + struct.pack('<I', MSG_WITNESS_BLOCK) + id_bytes(block.hash))
        peer.send('block', block.write())
        peer.ping()
        self.tip_is(block)

        self.step('a header is answered by a request for the compact block')
        block = block_on_tip(node, self.transactions(2))
        peer.send('headers', b'\1' + block.header() + b'\0')
        check_equal(peer.wait('getdata'), b'\1' + struct.pack('<I', MSG_COMPACT) + id_bytes(block.hash))
        peer.send('cmpctblock', compact(block, prefilled=(0, 2)))
        check_equal(peer.wait('getblocktxn'), id_bytes(block.hash) + b'\1\1')
        peer.send('blocktxn', id_bytes(block.hash) + b'\1' + block.txs[1].write())
        peer.ping()
        self.tip_is(block)
        self.sync()

        self.step('blocks are announced so, and served so, to those who want it')
        self.serve(peer, node)

        self.step('what cannot be costs the connection')
        block = block_on_tip(node)
        for name, payload in (('cmpctblock', compact(block, indexes=(1,))),
                              ('getblocktxn', id_bytes(node.rpc.getbestblockhash()) + b'\1' + var(1000))):
            bad = self.peer()
            bad.send(name, payload)
            bad.wait_closed()
        check(node.rpc.getbestblockhash() != block.hash, 'a bad block was taken')

        self.step('between nodes')
        for source in (node, other, node):
            source.rpc.sendrawtransaction(self.transactions(1)[0])
            self.sync_mempools()
            source.mine(1, base58check(b'\x6f' + hash160(compressed(KEY))))
            self.sync()
        wait_until(lambda: any('cmpctblock' in p['bytesrecv_per_msg'] for p in other.rpc.getpeerinfo()), 'compact blocks')

    def serve(self, peer, node):
        for tx in self.transactions(3):
            node.rpc.sendrawtransaction(tx)
        locator = struct.pack('<I', 70016) + b'\1' + id_bytes(node.rpc.getbestblockhash()) + bytes(32)
        peer.send('getheaders', locator)
        peer.send('sendcmpct', struct.pack('<BQ', 1, 2))
        peer.ping()
        check_equal(self.state(), (True, True))
        block = block_on_tip(node, [node.rpc.getrawtransaction(txid) for txid in node.rpc.getrawmempool()])
        check_equal(node.rpc.submitblock(block.write().hex()), None)
        header, nonce, ids, rest = read_compact(peer.wait('cmpctblock'))
        check_equal(header, block.header())
        check_equal(ids, short_ids(header, nonce, block.txs[1:]))
        check_equal(rest, b'\1\0' + block.txs[0].write())
        peer.send('getblocktxn', id_bytes(block.hash) + b'\2\1\1')
        check_equal(peer.wait('blocktxn'), id_bytes(block.hash) + b'\2' + block.txs[1].write() + block.txs[3].write())

        for depth, name in ((5, 'cmpctblock'), (6, 'block')):
            old = node.rpc.getblockhash(node.rpc.getblockcount() - depth)
            peer.send('getdata', b'\1' + struct.pack('<I', MSG_COMPACT) + id_bytes(old))
            check_equal(peer.wait(name)[:80].hex(), node.rpc.getblockheader(old, False))
        for depth, name in ((10, 'blocktxn'), (11, 'block')):
            old = node.rpc.getblockhash(node.rpc.getblockcount() - depth)
            peer.send('getblocktxn', id_bytes(old) + b'\1\0')
            check(peer.wait(name), 'empty answer')


if __name__ == '__main__':
    TestCompact().main()
