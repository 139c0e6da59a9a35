#!/usr/bin/python3
"""Peers that send whatever chance makes of good messages: the node stays up, serves others, keeps its chain, and does not grow."""
import os
import random
import socket
import struct
import time

import p2p
from blocktools import block_on_tip, chain_on
from framework import FornaxTest, Failure, check, check_equal
from jobkit import matrix, submit
from p2p import MSG_BLOCK, MSG_TX, MSG_WITNESS, MSG_WTX, Peer, id_bytes, var

GROWTH_MAX = 256 << 20  # bytes
EDGES = (0, 1, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff)


class LongP2P(FornaxTest):
    nodes_count = 2

    def run(self):
        seed = int(os.environ.get('FORNAX_SEED', '0'))
        end = time.monotonic() + float(os.environ.get('FORNAX_SECONDS', '20'))
        print('seed %d' % seed)
        self.chance = random.Random(seed)
        self.node, self.other = self.nodes
        self.node.mine(120)
        self.sync_blocks()
        submit(self.node, matrix(300, 300, 1), matrix(300, 200, 2), reward='0.03')
        self.node.mine(1)
        self.node.rpc.sendtoaddress(self.node.mining_address(), 1)
        self.sync()
        self.node.rpc.logging(['none'])
        self.good = Peer(self.node)
        self.make_messages()
        before, rounds = self.memory(), 0
        while time.monotonic() < end:
            rounds += 1
            try:
                self.visit()
            except (OSError, Failure):
                pass  # the node hung up: it may
            self.good.ping()
            if rounds % 100 == 0:
                check_equal(self.node.rpc.getblockcount(), self.height)
                check(self.memory() - before < GROWTH_MAX, 'the node grew by %d bytes' % (self.memory() - before))
        self.step('%d visits, %d MiB more' % (rounds, (self.memory() - before) >> 20))
        check_equal(self.node.rpc.getbestblockhash(), self.tip)
        block = block_on_tip(self.node)
        check_equal(self.node.rpc.submitblock(block.write().hex()), None)
        self.sync()
        check_equal(self.node.rpc.gettxoutsetinfo(), self.other.rpc.gettxoutsetinfo())
        check(not any(ord(c) < 32 and c != '\n' for c in self.node.log()), 'control characters in the log')

    def memory(self):
        with open('/proc/%d/status' % self.node.process.pid) as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith('VmRSS'))

    def make_messages(self):
        """Good messages of all kinds, which chance then spoils."""
        rpc = self.node.rpc
        self.tip, self.height = rpc.getbestblockhash(), rpc.getblockcount()
        header = rpc.getblockheader(self.tip)
        branch = chain_on(header['previousblockhash'], self.height, header['time'] + 1, 3)
        job_lane = chain_on(self.tip, self.height + 1, header['time'] + 1, 3, version=0x20000100)
        txid = rpc.getrawmempool()[0]
        tx = bytes.fromhex(rpc.getrawtransaction(txid))
        task = rpc.listtasks('all')[0]
        root = bytes.fromhex(rpc.gettask(task['origin'])['root_a'])
        origin, index = task['origin'].split(':')
        outpoint = id_bytes(origin) + struct.pack('<I', int(index))
        chunk = struct.pack('<IB', 1, 0) + root + struct.pack('<II', 0, 0)
        address = struct.pack('<IQ', header['time'], 9) + bytes(10) + b'\xff\xff' + bytes([127, 0, 0, 1]) + b'\x10\x00'

        def inv(kind, item):
            return var(1) + struct.pack('<I', kind) + id_bytes(item)
        self.messages = [
            ('inv', inv(MSG_BLOCK, self.tip)), ('inv', inv(MSG_WTX, txid)), ('inv', inv(MSG_BLOCK, 'ab' * 32)),
            ('getdata', inv(MSG_BLOCK | MSG_WITNESS, self.tip)), ('getdata', inv(MSG_TX | MSG_WITNESS, txid)),
            ('getdata', inv(MSG_BLOCK, rpc.getblockhash(5))), ('notfound', inv(MSG_TX, txid)),
            ('getheaders', struct.pack('<I', p2p.VERSION) + var(1) + id_bytes(self.tip) + bytes(32)),
            ('headers', var(3) + b''.join(b.header() + b'\0' for b in branch)),
            ('headers', var(3) + b''.join(b.header() + b'\0' for b in job_lane)),
            ('block', bytes.fromhex(rpc.getblock(self.tip, 0))), ('block', branch[0].write()), ('block', job_lane[0].write()),
            ('tx', tx), ('tx', bytes.fromhex(rpc.getrawtransaction(origin))),
            ('ping', bytes(8)), ('pong', bytes(8)), ('feefilter', bytes(8)), ('sendheaders', b''), ('getaddr', b''),
            ('addr', var(2) + address * 2), ('addrv2', var(1) + bytes(4) + b'\x09\x01\x04' + bytes([10, 0, 0, 1]) + b'\x20\x00'),
            ('cert', outpoint + bytes(32) + bytes(64)), ('invdata', b'\0' + root + b'\x01\x04' + bytes([127, 0, 0, 1]) + b'\x10\x00'),
            ('getchunk', chunk), ('nochunk', chunk), ('chunk', chunk + bytes(32768) + var(2) + bytes(64)),
            ('version', self.good.version_payload()), ('verack', b''), ('wtxidrelay', b''), ('sendaddrv2', b''), ('unheardof', b'x' * 9),
        ]

    def spoil(self, data):
        data, chance = bytearray(data), self.chance
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            at = chance.randrange(len(data) + 1)
            what = chance.randrange(7)
            if what == 0 and at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            elif what == 1 and at < len(data):
                data[at] = chance.choice(EDGES)
            elif what == 2:
                del data[at:]
            elif what == 3:
                data[at:at] = chance.randbytes(chance.randrange(1, 40))
            elif what == 4:
                del data[at:at + chance.randrange(1, 40)]
            elif what == 5:  # a count or length, as a number of any size
                data[at:at + 1] = var(chance.choice((0, 0xfc, 0xfd, 0xffff, 0x10000, 2 ** 32 - 1, 2 ** 64 - 1)))
            elif what == 6:
                data[at:at] = data[chance.randrange(len(data) + 1):][:chance.randrange(1, 200)]
        return bytes(data)

    def frame(self, peer, name, payload):
        frame = bytearray(peer.frame(name, payload))
        if self.chance.random() < 0.03:
            frame[self.chance.randrange(24)] ^= 1 << self.chance.randrange(8)
        return bytes(frame)

    def visit(self):
        """One connection: some messages, most of them spoilt, in pieces of any size, then silence, a ping or the end."""
        chance = self.chance
        peer = Peer(self.node, handshake=chance.random() < 0.85)
        try:
            peer.socket.settimeout(10)
            data = b''.join(self.frame(peer, name, self.spoil(payload))
                            for name, payload in chance.choices(self.messages, k=chance.randrange(1, 12)))
            while data:
                size = chance.choice((1, 23, 24, 25, 1000, 10 ** 6))
                peer.raw(data[:size])
                data = data[size:]
                if len(data) > 2000 and size <= 25:  # not byte by byte all the way
                    peer.raw(data)
                    break
            if chance.random() < 0.3:
                peer.send('ping', bytes(8))
                peer.wait('pong', 0.2)
            elif chance.random() < 0.3:
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        finally:
            peer.close()


if __name__ == '__main__':
    LongP2P().main()
