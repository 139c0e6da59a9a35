#!/usr/bin/python3
# timeout: 600
"""A Bitcoin node as peer, where BITCOIND names one (Bitcoin Core, or a fork of it): each syncs a chain from the other; coins
of every kind of script; reorganisations of 100 blocks both ways; blocks up to the limit of weight."""
import os

from blocktools import Block, Tx, block_on_tip, coinbase, merkle_root
from framework import COIN, Failure, FornaxTest, Node, Skip, check, check_equal, wait_until
from p2p import id_bytes
from spendkit import KEY, P2PKH, P2SH, P2TR, P2WPKH, P2WSH, base58check, compressed, hash160, sign

FEE = 10000
WEIGHT_MAX = 4000000
ADDRESS = base58check(b'\x6f' + hash160(compressed(KEY)))


class BitcoinNode(Node):
    """The other node. It prefers the encrypted transport of BIP324, which ours does not speak."""
    netdir = property(lambda self: os.path.join(self.dir, 'regtest'))

    def command(self, extra=()):
        return [os.environ['BITCOIND'], '-regtest', '-datadir=' + self.dir, '-port=%d' % self.port,
                '-rpcport=%d' % self.rpcport, '-bind=127.0.0.1', '-listen=1', '-dnsseed=0', '-fixedseeds=0',
                '-discover=0', '-listenonion=0', '-v2transport=1', '-debug=net', '-par=1', '-dbcache=50', *self.args,
                *extra]


class TestCorePeer(FornaxTest):
    chain = 'btcregtest'
    nodes_count = 1

    def setup(self):
        if not os.environ.get('BITCOIND'):
            raise Skip('BITCOIND does not name a Bitcoin node')
        super().setup()
        self.ours = self.nodes[0]
        self.theirs = self.new(BitcoinNode)

    def new(self, kind):
        node = kind(self, len(self.nodes))
        self.nodes.append(node)
        return node.start()

    def meet(self, dialler, other):
        """A connection, with both handshakes done."""
        dialler.rpc.addnode(other.address, 'onetry')
        wait_until(lambda: all(any(peer['version'] for peer in node.rpc.getpeerinfo()) for node in (dialler, other)),
                   'a connection to %s' % other.address)

    def same_state(self):
        def state(node):
            info = node.rpc.gettxoutsetinfo()
            return info['height'], info['bestblock'], info['txouts'], info['total_amount']
        check_equal(state(self.ours), state(self.theirs), 'coins after the tip')

    def coin(self, height):
        """The coinbase of a block that paid to our key."""
        block = self.ours.rpc.getblock(self.ours.rpc.getblockhash(height), 2)
        return block['tx'][0]['txid'], 0, int(block['tx'][0]['vout'][0]['value'] * COIN), P2PKH

    def first_sync(self):
        self.step('their node dials ours by BIP324, then as ours speaks, and syncs the chain')
        self.ours.mine(110, ADDRESS)
        self.meet(self.theirs, self.ours)
        self.sync_blocks()
        check_equal([peer['transport_protocol_type'] for peer in self.theirs.rpc.getpeerinfo()], ['v1'])
        check('no v1 transport' in self.ours.log(), 'BIP324 was not tried')
        self.same_state()
        self.step('ours dials theirs, and syncs what it mines')
        self.part(self.ours, self.theirs)
        self.theirs.rpc.generatetoaddress(10, ADDRESS)
        self.meet(self.ours, self.theirs)
        self.sync_blocks()

    def spends(self):
        self.step('coins of every kind of script, made on one side and spent on the other')
        kinds = [P2PKH, P2SH, P2WPKH, P2WSH, P2TR]
        for at, (first, second) in enumerate(((self.ours, self.theirs), (self.theirs, self.ours))):
            txid, index, value, script = self.coin(1 + at)
            each = (value - FEE) // len(kinds)
            funding = first.rpc.sendrawtransaction(sign([(txid, index, value, script)], [(each, kind) for kind in kinds]))
            wait_until(lambda: funding in second.rpc.getrawmempool(), 'the transaction on the other side')
            second.rpc.generatetoaddress(1, ADDRESS)
            self.sync_blocks()
            coins = [(funding, i, each, kind) for i, kind in enumerate(kinds)]
            spending = second.rpc.sendrawtransaction(sign(coins, [(each * len(kinds) - FEE, P2TR)]))
            wait_until(lambda: spending in first.rpc.getrawmempool(), 'the transaction on the other side')
            first.rpc.generatetoaddress(1, ADDRESS)
            self.sync_blocks()
            check(not second.rpc.getrawmempool(), 'what is mined is in the mempool')
        self.same_state()

    def reorganise(self):
        for loser, winner in ((self.ours, self.theirs), (self.theirs, self.ours)):
            self.step('a reorganisation of 100 blocks of %s' % ('ours' if loser is self.ours else 'theirs'))
            self.part(self.ours, self.theirs)
            loser.rpc.generatetoaddress(100, ADDRESS)
            tip = winner.rpc.generatetoaddress(101, ADDRESS)[-1]
            self.meet(winner, loser)
            self.sync_blocks()
            check_equal(loser.rpc.getbestblockhash(), tip)
            self.same_state()

    def heavy_block(self, extra):
        """A block that lacks less than a byte to the limit of weight and `extra` beyond it, with a witness in it."""
        txid, index, value, script = self.coin(3)
        small = block_on_tip(self.ours, value=0)

        def build(size, turn):
            # Signatures have different lengths: each turn has others.
            paid = value - FEE - turn
            outputs = [(paid, P2WPKH), (0, b'\x6a' + bytes(size))]
            tx = Tx(bytes.fromhex(sign([(txid, index, value, script)], outputs)))
            spend = Tx(bytes.fromhex(sign([(tx.txid, 0, paid, P2WPKH)], [(paid - FEE, P2TR)])))
            root = self.witness_root([tx, spend])
            height = self.ours.rpc.getblockcount() + 1
            block = Block(small.prev, small.time, [coinbase(height, 0, witness_root=root), tx, spend])
            total = len(block.write())
            stripped = 80 + 1 + sum(len(one.write(witness=False)) for one in block.txs)
            return block, 3 * stripped + total
        size, least = 900000, WEIGHT_MAX - 3 + extra
        for turn in range(100):
            block, weight = build(size, turn)
            if least <= weight < least + 4:
                return block.solve()
            # Bytes outside of witnesses weigh 4.
            size += (least + 3 - weight) // 4
        raise Failure('no block of weight %d' % least)

    @staticmethod
    def witness_root(txs):
        hashes = [bytes(32)] + [id_bytes(tx.wtxid) for tx in txs]
        return merkle_root(hashes)

    def weights(self):
        self.step('a block of the limit of weight, and one above it')
        over = self.heavy_block(4)
        for node in (self.ours, self.theirs):
            check(node.rpc.submitblock(over.write().hex()) in ('bad-blk-weight', 'bad-blk-length'),
                  'a block above the limit of weight is taken')
        full = self.heavy_block(0)
        check_equal(self.ours.rpc.submitblock(full.write().hex()), None)
        self.sync_blocks()
        check_equal(self.theirs.rpc.getbestblockhash(), full.hash)
        self.same_state()

    def newcomers(self):
        self.step('newcomers of both kinds fetch the whole chain from the other kind')
        for kind, source in ((BitcoinNode, self.ours), (Node, self.theirs)):
            node = self.new(kind)
            self.meet(node, source)
            self.sync_blocks([node, source])
            node.stop()
            self.nodes.remove(node)

    def run(self):
        self.first_sync()
        self.spends()
        self.reorganise()
        self.weights()
        self.newcomers()


if __name__ == '__main__':
    TestCorePeer().main()
