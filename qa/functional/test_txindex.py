#!/usr/bin/python3
# sanitizer: yes
"""The transaction index: made in the background from blocks that are there, also by a node that is killed while it makes it;
it follows a reorganisation, and getrawtransaction and gettxoutproof find by it what is spent."""
import http.client
import os
import signal

from framework import COIN, FornaxTest, check, check_equal, raises_rpc, wait_until
from spendkit import KEY, P2PKH, P2TR, base58check, compressed, hash160, sign

FEE = 10000


class TestTxIndex(FornaxTest):
    chain = 'btcregtest'
    node_args = ('-debug=none',)

    def synced(self, node):
        return node.rpc.getindexinfo().get('txindex', {}).get('synced')

    def run(self):
        node, = self.nodes
        address = base58check(b'\x6f' + hash160(compressed(KEY)))
        node.mine(101, address)
        coinbase = node.rpc.getblock(node.rpc.getblockhash(1))['tx'][0]
        first = node.rpc.sendrawtransaction(sign([(coinbase, 0, 50 * COIN, P2PKH)], [(50 * COIN - FEE, P2TR)]))
        made, = node.rpc.generatetodescriptor(1, 'raw(51)')
        second = node.rpc.sendrawtransaction(sign([(first, 0, 50 * COIN - FEE, P2TR)], [(50 * COIN - 2 * FEE, P2PKH)]))
        tip, = node.rpc.generatetodescriptor(1, 'raw(51)')

        self.step('without an index: only with the block')
        check_equal(node.rpc.getindexinfo(), {})
        with raises_rpc(-5, 'Use -txindex or provide a block hash'):
            node.rpc.getrawtransaction(first)
        check_equal(node.rpc.getrawtransaction(first, 1, made)['blockhash'], made)
        with raises_rpc(-5, 'not yet in block'):
            node.rpc.gettxoutproof([first])
        check_equal(node.rpc.verifytxoutproof(node.rpc.gettxoutproof([second])), [second])

        self.step('a node that is killed while it makes the index goes on with it')
        node.stop()
        node.start(['-txindex'], env={'FORNAX_CRASH_AT': 'txindex-write:60'}, wait=False)
        check_equal(node.process.wait(60), -signal.SIGKILL)
        node.close()
        node.start(['-txindex'])
        wait_until(lambda: self.synced(node), 'the index')
        check_equal(node.rpc.getindexinfo('txindex'), {'txindex': {'synced': True, 'best_block_height': 103}})
        check_equal(node.rpc.getindexinfo('other'), {})
        self.found(node, {coinbase: node.rpc.getblockhash(1), first: made, second: tip})
        check_equal(node.rpc.verifytxoutproof(node.rpc.gettxoutproof([first])), [first])

        self.step('it follows the chain, back and forth')
        node.rpc.invalidateblock(made)
        check_equal(node.rpc.getindexinfo()['txindex'], {'synced': True, 'best_block_height': 101})
        for txid in (first, second):  # in the mempool again
            check('blockhash' not in node.rpc.getrawtransaction(txid, 1), 'a block that is not there')
        again, = node.rpc.generatetodescriptor(1, 'raw(52)')
        self.found(node, {first: again, second: again, coinbase: node.rpc.getblockhash(1)})
        node.rpc.reconsiderblock(made)
        self.found(node, {first: made, second: tip})
        with raises_rpc(-5, 'No such mempool or blockchain transaction'):
            node.rpc.getrawtransaction('ab' * 32)

        self.step('killed as it writes, it is where the chain is after the start')
        node.stop()
        node.start(['-txindex'], env={'FORNAX_CRASH_AT': 'txindex-write:3'})
        try:
            node.rpc.generatetodescriptor(5, 'raw(51)')
        except (OSError, http.client.HTTPException):
            pass
        check_equal(node.process.wait(60), -signal.SIGKILL)
        node.close()
        node.start(['-txindex'])
        wait_until(lambda: self.synced(node), 'the index')
        check(node.rpc.getblockcount() >= 105, 'blocks were lost')
        block = node.rpc.getblock(node.rpc.getbestblockhash())
        self.found(node, {first: made, block['tx'][0]: block['hash']})

        self.step('while it is off nothing is added; it catches up')
        node.restart()
        missed, = node.rpc.generatetodescriptor(1, 'raw(51)')
        node.restart(['-txindex'])
        wait_until(lambda: self.synced(node), 'the index')
        self.found(node, {node.rpc.getblock(missed)['tx'][0]: missed})

        self.step('not with -prune; on by itself where there are tasks')
        node.stop()
        node.start(['-txindex', '-prune=550'], wait=False)
        check_equal(node.process.wait(60), 1)
        check('incompatible with -txindex' in node.tail(), node.tail())
        node.close()
        self.chain = 'regtest'
        for args, there in (([], True), (['-txindex=0'], False), (['-prune=550'], False)):
            node.start(args)
            check_equal('txindex' in node.rpc.getindexinfo(), there)
            node.stop()
        check(os.path.isdir(os.path.join(node.netdir, 'txindex')), 'no folder')

    def found(self, node, blocks):
        for txid, block in blocks.items():
            info = node.rpc.getrawtransaction(txid, 2)
            check_equal((info['txid'], info['blockhash'], info['confirmations'] > 0), (txid, block, True))


if __name__ == '__main__':
    TestTxIndex().main()
