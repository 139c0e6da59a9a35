#!/usr/bin/python3
# sanitizer: yes
"""Two nodes on the hash lane: mining, relay, sync from scratch, reorganisation, restart."""
from framework import FornaxTest, check, check_equal, raises_rpc, wait_until


class TestBlockchain(FornaxTest):
    nodes_count = 2

    def run(self):
        first, second = self.nodes
        self.step('mine on one, follow on the other')
        first.mine(5)
        self.sync_blocks()
        info = second.rpc.getblockchaininfo()
        check_equal(info['blocks'], 5)
        check_equal(info['chain'], 'regtest')

        self.step('both branches live; the longer one wins')
        self.part(first, second)
        first.mine(2)
        ours = second.mine(4)
        check(first.rpc.getbestblockhash() != second.rpc.getbestblockhash(), 'no two branches')
        second.connect(first)
        self.sync_blocks()
        check_equal(first.rpc.getbestblockhash(), ours[-1])
        check_equal(first.rpc.gettxoutsetinfo(), second.rpc.gettxoutsetinfo())

        self.step('restart at the same tip')
        tip = first.rpc.getbestblockhash()
        first.restart()
        check_equal(first.rpc.getbestblockhash(), tip)
        with raises_rpc(-8, 'out of range'):
            first.rpc.getblockhash(10)


if __name__ == '__main__':
    TestBlockchain().main()
