#!/usr/bin/python3
"""A block whose undo data is far longer than any block: it spends thousands of outputs with scripts as long as scripts may
be. No node may choke on what the rules allow."""
import os
import struct

from blocktools import Block, Tx, block_on_tip, chain_on, coinbase, write_tx
from framework import FornaxTest, check, check_equal, wait_until

LONGEST = 10000  # bytes of a script that can be spent
OUTPUTS = 98     # of such scripts that fit a block
BLOCKS = 70      # that make them
# Pushes alone, the last of them true: 19 of 520 bytes, and what is left.
SCRIPT = (b'\x4d\x08\x02' + b'\x01' * 520) * 19 + b'\x3e' + b'\x01' * 62
assert len(SCRIPT) == LONGEST and BLOCKS * OUTPUTS * LONGEST > 64 << 20


class BlockUndo(FornaxTest):
    def load(self, node):
        """A chain from a file; the outputs that it made, which have matured."""
        genesis = node.rpc.getblockheader(node.rpc.getblockhash(0))
        prev, time, blocks, made = genesis['hash'], genesis['time'] + 1, [], []
        for i in range(BLOCKS):
            first = coinbase(1 + i, 0, outputs=[(0, SCRIPT)] * OUTPUTS)
            txid = first.txid
            made += [(txid, 1 + index) for index in range(OUTPUTS)]
            blocks.append(Block(prev, time + i, [first]).solve())
            prev = blocks[-1].hash
        blocks += chain_on(prev, 1 + BLOCKS, time + BLOCKS, 100)
        with open(os.path.join(node.netdir, 'blocks', 'blk00000.dat'), 'rb') as file:
            magic = file.read(4)
        path = os.path.join(self.dir, 'blocks.dat')
        with open(path, 'wb') as file:
            for block in blocks:
                data = block.write()
                file.write(magic + struct.pack('<I', len(data)) + data)
        node.restart(['-loadblock=' + path])
        wait_until(lambda: node.rpc.getblockcount() == len(blocks), 'the blocks of the file')
        return made

    def run(self):
        node = self.nodes[0]
        self.step('outputs of the longest scripts')
        made = self.load(node)

        self.step('all of them spent by one block')
        before = node.rpc.gettxoutsetinfo('muhash')['muhash']
        tx = Tx(write_tx([(txid, index, b'', 0xffffffff) for txid, index in made], [(0, b'\x51')]))
        block = block_on_tip(node, [tx])
        check_equal(node.rpc.submitblock(block.write().hex()), None)
        check_equal(node.rpc.getbestblockhash(), block.hash)

        self.step('and undone, after a restart')
        node.restart()
        check_equal(node.rpc.getbestblockhash(), block.hash)
        check(node.rpc.verifychain(4, 1), 'the undo data is that of the block')
        node.rpc.invalidateblock(block.hash)
        check_equal(node.rpc.gettxoutsetinfo('muhash')['muhash'], before)
        node.rpc.reconsiderblock(block.hash)
        check_equal(node.rpc.getbestblockhash(), block.hash)


if __name__ == '__main__':
    BlockUndo().main()
