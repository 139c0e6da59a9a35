#!/usr/bin/python3
# sanitizer: yes
"""Deep reorganisations with transactions: mempool, wallets and coins as if only the last branch had ever been; a node that
syncs from scratch agrees."""
import random

from blocktools import block_on_tip, chain_on
from framework import Node, FornaxTest, check, check_equal, raises_rpc, wait_until


class TestReorg(FornaxTest):
    nodes_count = 2

    def states(self):
        """The coins of every node, which must agree."""
        sets = [node.rpc.gettxoutsetinfo() for node in self.nodes]
        for other in sets[1:]:
            check_equal(other, sets[0], 'coins')
        return sets[0]

    def fresh(self, index):
        """A node without anything syncs from the first and agrees; then it goes."""
        node = Node(self, index)
        self.nodes.append(node)
        node.start()
        node.connect(self.nodes[0])
        self.sync_blocks([self.nodes[0], node])
        self.states()
        node.stop()
        self.nodes.pop()

    def run(self):
        first, second = self.nodes
        chance = random.Random(20260301)
        first.mine(120)
        self.sync_blocks()
        for _ in range(10):
            first.rpc.sendtoaddress(second.mining_address(), 5)
        self.sync_mempools()
        second.mine(1)
        self.sync()

        self.step('both branches spend; the longer one wins, whoever had the other')
        for depth in (1, 6, 30):
            self.part()
            sent = []
            for node, other in ((first, second), (second, first)):
                for _ in range(depth):
                    if chance.random() < 0.5:
                        sent.append((node, node.rpc.sendtoaddress(other.mining_address(), chance.randrange(1, 300) / 1000)))
                    node.mine(1)
            loser, winner = (first, second) if chance.random() < 0.5 else (second, first)
            winner.mine(1)
            tip = winner.rpc.getbestblockhash()
            second.connect(first)
            self.sync_blocks()
            check_equal(first.rpc.getbestblockhash(), tip)
            self.states()
            # What the losing branch had is in the mempool again, or on the winning branch.
            wait_until(lambda: all(
                txid in loser.rpc.getrawmempool() or node.rpc.gettransaction(txid)['confirmations'] > 0
                for node, txid in sent), 'all that was sent to live on')
            check_equal([tip['status'] for tip in loser.rpc.getchaintips() if tip['branchlen'] == depth], ['valid-fork'])
            self.sync_mempools()
            winner.mine(1)
            self.sync()
            for node, txid in sent:
                check(node.rpc.gettransaction(txid)['confirmations'] > 0, 'a payment is lost')
            self.states()
        check_equal(first.rpc.getrawmempool(), [])
        self.fresh(2)

        self.step('there and back: the coins are those of before')
        before = self.states()
        height = first.rpc.getblockcount()
        branch = first.rpc.getblockhash(height - 40)
        tip = first.rpc.getbestblockhash()
        first.rpc.invalidateblock(branch)
        check_equal(first.rpc.getblockcount(), height - 41)
        check_equal([entry['status'] for entry in first.rpc.getchaintips() if entry['hash'] == tip], ['invalid'])
        with raises_rpc(-8, 'out of range'):
            first.rpc.getblockhash(height - 40)
        first.rpc.reconsiderblock(branch)
        check_equal(first.rpc.getbestblockhash(), tip)
        check_equal(first.rpc.gettxoutsetinfo(), before)

        self.step('and over a restart')
        first.rpc.invalidateblock(branch)
        below = first.rpc.gettxoutsetinfo()
        first.restart()
        check_equal(first.rpc.getblockcount(), height - 41)
        check_equal(first.rpc.gettxoutsetinfo(), below)
        first.rpc.reconsiderblock(branch)
        check_equal(first.rpc.gettxoutsetinfo(), before)

        self.step('an invalid block far up a branch: the branch is taken as far as it is good')
        self.part()
        tip = first.rpc.getblockheader(first.rpc.getbestblockhash())
        mined = first.mine(1)[0]
        bad = block_on_tip(second)
        good = chain_on(tip['hash'], tip['height'] + 1, bad.time, 2)
        value = 10 ** 10  # above any subsidy
        bad = chain_on(good[-1].hash, tip['height'] + 3, bad.time + 5, 1, value=value)[0]
        on_top = chain_on(bad.hash, tip['height'] + 4, bad.time + 1, 2)
        # Children first: nothing is connected before the first of the branch is there.
        for block in [*on_top[::-1], bad, good[1]]:
            with raises_rpc(-25, 'Must submit previous header'):
                first.rpc.submitheader(block.header().hex())
        for block in [*good, bad, *on_top]:
            check_equal(first.rpc.submitheader(block.header().hex()), None)
        for block in [*on_top[::-1], bad, good[1]]:
            check_equal(first.rpc.submitblock(block.write().hex()), 'inconclusive')
        check_equal(first.rpc.getbestblockhash(), mined)
        first.rpc.submitblock(good[0].write().hex())
        check_equal(first.rpc.getbestblockhash(), good[1].hash)
        statuses = {entry['hash']: entry['status'] for entry in first.rpc.getchaintips()}
        check_equal(statuses[on_top[-1].hash], 'invalid')
        check_equal(statuses[mined], 'valid-fork')
        check_equal(first.rpc.submitblock(bad.write().hex()), 'duplicate-invalid')
        second.connect(first)
        self.sync_blocks()
        self.states()

        self.step('between equals the first seen stays, over a restart too')
        self.part()
        mine, theirs = first.mine(1)[0], second.mine(1)[0]
        second.connect(first)
        wait_until(lambda: all(len([tip for tip in node.rpc.getchaintips() if tip['height'] == node.rpc.getblockcount()]) > 1
                               for node in self.nodes), 'each to know of both')
        check_equal((first.rpc.getbestblockhash(), second.rpc.getbestblockhash()), (mine, theirs))
        first.restart()
        check_equal(first.rpc.getbestblockhash(), mine)
        second.connect(first)
        second.mine(1)
        self.sync_blocks()
        check_equal(first.rpc.getblock(first.rpc.getbestblockhash())['previousblockhash'], theirs)
        self.states()
        self.fresh(3)


if __name__ == '__main__':
    TestReorg().main()
