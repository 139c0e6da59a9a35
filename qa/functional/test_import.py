#!/usr/bin/python3
# timeout: 600
# sanitizer: yes
"""Blocks from files: -loadblock, in any order and with rubbish between; -reindex and -reindex-chainstate, also where the index
is lost; killed on the way and gone on with; -assumevalid. Coins, records, wallet and mempool are as before."""
import os
import random
import shutil
import signal
import struct
from decimal import Decimal

from blocktools import Block, Tx, chain_on, coinbase, merkle_root, write_tx
from framework import COIN, FornaxTest, Node, check, check_equal, wait_until
from p2p import id_bytes

BTC_MAGIC = bytes.fromhex('fabfb5da')


def record(magic, block):
    return magic + struct.pack('<I', len(block)) + block


class TestImport(FornaxTest):
    nodes_count = 1
    made = 0  # nodes besides the first

    def run(self):
        first = self.nodes[0]
        self.make(first)
        self.load(first)
        self.load_killed()
        self.reindex(first)
        self.reindex_killed(first)
        self.interrupted(first)
        self.assume_valid()

    def make(self, node):
        self.step('a chain with payments')
        node.mine(105)
        for _ in range(12):
            for _ in range(4):
                node.rpc.sendtoaddress(node.rpc.getnewaddress(), Decimal('0.01'))
            node.mine(1)
        self.waiting = node.rpc.sendtoaddress(node.rpc.getnewaddress(), Decimal('0.02'))
        self.state, self.balances = node.rpc.gettxoutsetinfo(), node.rpc.getbalances()
        self.blocks = [bytes.fromhex(node.rpc.getblock(node.rpc.getblockhash(height), 0))
                       for height in range(1, node.rpc.getblockcount() + 1)]
        with open(os.path.join(node.netdir, 'blocks', 'blk00000.dat'), 'rb') as file:
            self.magic = file.read(4)

    def other(self):
        """A node that has nothing; not started."""
        self.made += 1
        node = Node(self, self.made)
        self.nodes.append(node)
        return node

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def check_same(self, node):
        wait_until(lambda: node.rpc.getblockcount() == len(self.blocks), 'all blocks')
        check_equal(node.rpc.gettxoutsetinfo(), self.state)

    def run_to_end(self, node, *args):
        node.start(args, wait=False)
        check_equal(node.process.wait(120), 0, 'exit status')
        node.close()

    def load(self, first):
        self.step('-loadblock of a block file, and a stop after it')
        own = os.path.join(first.netdir, 'blocks', 'blk00000.dat')
        node = self.other()
        self.run_to_end(node, '-loadblock=' + own, '-stopafterblockimport')
        node.start()
        self.check_same(node)
        node.stop()

        self.step('blocks upside down, twice, in two files, between rubbish, cut at the end')
        upside_down = [record(self.magic, block) for block in self.blocks]
        random.Random(5).shuffle(upside_down)
        rubbish = [b'', b'\0' * 100000, self.magic, self.magic + b'\xff' * 9, os.urandom(70000)]
        half = len(upside_down) // 2
        pieces = [part for i, data in enumerate(upside_down) for part in (rubbish[i % len(rubbish)], data)]
        one = self.write('one.dat', b''.join(pieces[half:]) + pieces[1][:200])
        two = self.write('two.dat', b''.join(pieces[:half]) + b''.join(upside_down[:9]))
        bad = bytearray(self.blocks[50])
        bad[-5] ^= 1  # of the coinbase: the merkle root is wrong
        bad = self.write('bad.dat', record(self.magic, bytes(bad)) + record(self.magic, b'\x51' * 200))
        node = self.other()
        node.start(['-loadblock=' + name for name in (bad, one, two)])
        self.check_same(node)
        node.stop()
        self.step('all over again: there is nothing new')
        node.start(['-loadblock=' + two, '-par=1'])
        self.check_same(node)
        node.stop()
        self.step('a file that is not there, and a folder')
        for path, why in ((one + 'x', 'No such file or directory'), (self.dir, 'it is no file')):
            node.start(['-loadblock=' + path], wait=False)
            check_equal(node.process.wait(60), 1, 'exit status')
            check('cannot read blocks from %s: %s' % (path, why) in node.tail(), node.tail())
            node.close()

    def load_killed(self):
        path = self.write('all.dat', b''.join(record(self.magic, block) for block in self.blocks))
        for point in ('block-write-torn:60', 'connect-apply:70', 'connect-done:40', 'undo-write-torn:90'):
            self.step('killed while it imports: ' + point)
            node = self.other()
            node.start(['-loadblock=' + path], env={'FORNAX_CRASH_AT': point}, wait=False)
            check_equal(node.process.wait(60), -signal.SIGKILL, 'exit status')
            node.close()
            node.start()
            node.stop()
            node.start(['-loadblock=' + path, '-dbcache=4'])
            self.check_same(node)
            node.stop()
            shutil.rmtree(node.dir)
            self.nodes.remove(node)

    def check_first(self, node):
        """All that the first node had, it has again."""
        self.check_same(node)
        wait_until(lambda: self.waiting in node.rpc.getrawmempool(), 'the mempool')
        check_equal(node.rpc.getbalances(), self.balances)
        tip = node.rpc.getbestblockhash()
        node.rpc.invalidateblock(node.rpc.getblockhash(100))  # undo data is there again
        node.rpc.reconsiderblock(self.hash_at_100)
        check_equal(node.rpc.getbestblockhash(), tip)
        check_equal(node.rpc.gettxoutsetinfo(), self.state)

    def reindex(self, node):
        self.hash_at_100 = node.rpc.getblockhash(100)
        for option in ('-reindex', '-reindex-chainstate'):
            self.step(option)
            node.stop()
            node.start([option])
            self.check_first(node)
        size = os.path.getsize(os.path.join(node.netdir, 'blocks', 'blk00000.dat'))
        self.step('the index is lost')
        node.stop()
        shutil.rmtree(os.path.join(node.netdir, 'blocks', 'index'))
        node.start(wait=False)
        check_equal(node.process.wait(60), 1, 'exit status')
        check('-reindex makes it anew' in node.tail(), node.tail())
        node.close()
        self.run_to_end(node, '-reindex', '-stopafterblockimport')
        node.start()
        self.check_first(node)
        self.step('the index is damaged')
        node.stop()
        index = os.path.join(node.netdir, 'blocks', 'index')
        with open(os.path.join(index, 'CURRENT'), 'w') as file:
            file.write('rubbish')
        node.start(wait=False)
        check_equal(node.process.wait(60), 1, 'exit status')
        check('-reindex makes it anew' in node.tail(), node.tail())
        node.close()
        node.start(['-reindex'])
        self.check_first(node)
        check_equal(os.path.getsize(os.path.join(node.netdir, 'blocks', 'blk00000.dat')), size, 'size of the block file')

    def reindex_killed(self, node):
        for point in ('connect-apply:30', 'connect-done:80', 'flush-before:2', 'flush-after:2'):
            self.step('killed while it reindexes: ' + point)
            node.stop()
            node.start(['-reindex'], env={'FORNAX_CRASH_AT': point}, wait=False)
            check_equal(node.process.wait(60), -signal.SIGKILL, 'exit status')
            node.close()
            node.start()  # goes on by itself
            self.check_first(node)

    def interrupted(self, node):
        self.step('SIGTERM while it reindexes')
        node.stop()
        before = node.log().count('import: reading')
        node.start(['-reindex'], wait=False)
        wait_until(lambda: node.log().count('import: reading') > before, 'the import to begin')
        node.process.send_signal(signal.SIGTERM)
        check_equal(node.process.wait(60), 0, 'exit status')
        node.close()
        node.start()
        self.check_first(node)

    def assume_valid(self):
        self.step('-assumevalid: a signature that is wrong, two weeks deep')
        self.chain = 'btcregtest'
        genesis = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'
        blocks = chain_on(genesis, 1, 1296688602 + 600, 101, script=bytes.fromhex('5120') + b'\x02' * 32, value=50 * COIN)
        spend = Tx(write_tx([(blocks[0].txs[0].txid, 0, b'', 0xffffffff)], [(50 * COIN, b'\x51')], [[b'\x01' * 64]]))
        root = merkle_root([bytes(32), id_bytes(spend.wtxid)])
        wrong = Block(blocks[-1].hash, blocks[-1].time + 1, [coinbase(102, 0, witness_root=root), spend]).solve()
        for depth, height in ((2016, 101), (2017, 102 + 2017)):
            above = chain_on(wrong.hash, 103, wrong.time + 1, depth)
            path = self.write('wrong.dat', b''.join(record(BTC_MAGIC, block.write())
                                                    for block in [*blocks, wrong, *above]))
            for assumed, wanted in ((wrong.hash, height), (blocks[-1].hash, 101), ('0', 101)):
                self.assume(path, assumed, wanted)
        # Two for each block, the genesis block included: the last file's chain has just so much.
        work = 2 * (1 + height)
        self.assume(path, wrong.hash, height, f'-minimumchainwork={work:x}')
        self.assume(path, wrong.hash, 101, f'-minimumchainwork={work + 1:x}')

    def assume(self, path, assumed, wanted, *options):
        node = self.other()
        self.run_to_end(node, '-loadblock=' + path, '-stopafterblockimport', '-assumevalid=' + assumed, *options)
        node.start(['-noconnect'])
        check_equal(node.rpc.getblockcount(), wanted, f'height with -assumevalid={assumed} {options}')
        node.stop()
        self.nodes.remove(node)


if __name__ == '__main__':
    TestImport().main()
