#!/usr/bin/python3
# sanitizer: yes
"""Old blocks are pruned by hand and by size, on Bitcoin's regtest and on ours: what may go, what is said of it, what peers
get; a node that is killed in the middle of it loses nothing else; and -reindex fetches the whole chain again."""
import http.client
import os
import signal

from framework import Failure, FornaxTest, Node, check, check_equal, raises_rpc, wait_until
from p2p import MSG_BLOCK, MSG_WITNESS, Peer, id_bytes, var

KEEP = 288
NETWORK, LIMITED = 1, 1 << 10
PRUNED = 'Block not available (pruned data)'
ANYONE = 'raw(51)'


def files(node, kind='blk'):
    return sorted(name for name in os.listdir(os.path.join(node.netdir, 'blocks')) if name.startswith(kind))


def mine(node, blocks):
    """In calls that do not take long on a slow machine."""
    while blocks > 0:
        node.rpc.generatetodescriptor(min(blocks, 200), ANYONE)
        blocks -= 200


class TestPruning(FornaxTest):
    nodes_count = 0

    def refusals(self, node):
        self.step('options that do not go together')
        node.stop()
        for options, text in ((['-prune=-1'], 'negative'), (['-prune=549'], 'minimum of 550 MiB'),
                              (['-prune=550', '-reindex-chainstate'], 'incompatible with -reindex-chainstate')):
            node.start(options, wait=False)
            check_equal(node.process.wait(60), 1)
            check(text in node.tail(), node.tail())
            node.close()
        node.start()
        with raises_rpc(-1, 'not in prune mode'):
            node.rpc.pruneblockchain(1)
        info = node.rpc.getblockchaininfo()
        check_equal([key for key in info if 'prun' in key], ['pruned'])

    def too_short(self, node):
        self.step('a chain that is too short is not pruned')
        node.restart(['-prune=1'])
        with raises_rpc(-1, 'too short'):
            node.rpc.pruneblockchain(10)
        mine(node, 120)
        check_equal(node.rpc.pruneblockchain(100), -1)
        with raises_rpc(-8, 'Negative'):
            node.rpc.pruneblockchain(-1)
        with raises_rpc(-8, 'shorter than'):
            node.rpc.pruneblockchain(121)

    def by_hand(self, node):
        self.step('by hand: whole files, and nothing of the last %d blocks' % KEEP)
        mine(node, 880)
        tip, height = node.rpc.getbestblockhash(), node.rpc.getblockcount()
        coins, before = node.rpc.gettxoutsetinfo(), files(node)
        info = node.rpc.getblockchaininfo()
        check_equal((info['pruned'], info['pruneheight'], info['automatic_pruning']), (True, 0, False))
        size = info['size_on_disk']
        # What was asked for is a height that the first file does not reach, and then one far above what may go.
        check_equal(node.rpc.pruneblockchain(5), -1)
        check_equal(files(node), before)
        last = node.rpc.pruneblockchain(height)
        check(0 < last <= height - KEEP, 'pruned up to %d of %d' % (last, height))
        info = node.rpc.getblockchaininfo()
        check_equal(info['pruneheight'], last + 1)
        check(info['size_on_disk'] < size, 'the files are as large as before')
        check(files(node) == before[-len(files(node)):] and files(node) != before, 'files: %s' % files(node))
        check_equal((node.rpc.getbestblockhash(), node.rpc.gettxoutsetinfo()), (tip, coins))
        self.words(node, last)
        return last

    def words(self, node, last):
        self.step('what is said of blocks that are gone')
        gone, here = node.rpc.getblockhash(last), node.rpc.getblockhash(last + 1)
        txid = node.rpc.getblock(here)['tx'][0]
        for call in (lambda: node.rpc.getblock(gone), lambda: node.rpc.getblock(gone, 0),
                     lambda: node.rpc.getblockstats(last)):
            with raises_rpc(-1, PRUNED):
                call()
        with raises_rpc(-1, 'Block not available'):
            node.rpc.getrawtransaction(txid, 1, gone)
        with raises_rpc(-32603, "Can't read block from disk"):
            node.rpc.gettxoutproof([txid], gone)
        with raises_rpc(-1, 'pruned data'):
            node.rpc.invalidateblock(gone)
        check_equal(node.rpc.getblockheader(gone)['height'], last)
        check_equal(node.rpc.verifychain(4, 0), True)
        node.rpc.createwallet('')
        with raises_rpc(-1, "Can't rescan beyond pruned data"):
            node.rpc.rescanblockchain()
        check_equal(node.rpc.rescanblockchain(last + 1)['start_height'], last + 1)

    def deep_reorganisation(self, node):
        self.step('a reorganisation of %d blocks, there and back' % KEEP)
        tip, height = node.rpc.getbestblockhash(), node.rpc.getblockcount()
        coins = node.rpc.gettxoutsetinfo()
        base = node.rpc.getblockhash(height - KEEP + 1)
        node.rpc.invalidateblock(base)
        check_equal(node.rpc.getblockcount(), height - KEEP)
        node.rpc.reconsiderblock(base)
        check_equal((node.rpc.getbestblockhash(), node.rpc.gettxoutsetinfo()), (tip, coins))

    def after_restart(self, node, last):
        self.step('it stays so over a restart, and there is no way back but -reindex')
        tip, coins = node.rpc.getbestblockhash(), node.rpc.gettxoutsetinfo()
        node.stop()
        node.start(wait=False)
        check_equal(node.process.wait(60), 1)
        check('-reindex' in node.tail(), node.tail())
        node.close()
        node.start(['-prune=1'])
        check_equal((node.rpc.getbestblockhash(), node.rpc.gettxoutsetinfo()), (tip, coins))
        check_equal(node.rpc.getblockchaininfo()['pruneheight'], last + 1)
        with raises_rpc(-1, PRUNED):
            node.rpc.getblock(node.rpc.getblockhash(1))

    def peers(self, node):
        self.step('a peer is served the last %d blocks, and is disconnected for older ones' % KEEP)
        services = int(node.rpc.getnetworkinfo()['localservices'], 16)
        check_equal(services & (NETWORK | LIMITED), LIMITED)
        height = node.rpc.getblockcount()
        peer = self.peer(node)
        peer.send('getdata', var(1) + (MSG_WITNESS | MSG_BLOCK).to_bytes(4, 'little')
                  + id_bytes(node.rpc.getblockhash(height - KEEP)))
        peer.wait('block')
        peer.send('getdata', var(1) + (MSG_WITNESS | MSG_BLOCK).to_bytes(4, 'little')
                  + id_bytes(node.rpc.getblockhash(height - KEEP - 3)))
        peer.wait_closed()

    def killed(self, full):
        """A node that follows `full` is killed at each point of pruning."""
        victim = self.node('-prune=1')
        victim.connect(full)
        self.sync_blocks([full, victim])
        for point in ('prune-before-index', 'prune-after-index', 'prune-done'):
            self.step('killed at %s' % point)
            mine(full, 400)
            self.sync_blocks([full, victim])
            tip, coins = full.rpc.getbestblockhash(), full.rpc.gettxoutsetinfo()
            victim.stop()
            victim.start(env={'FORNAX_CRASH_AT': point})
            try:
                victim.rpc.pruneblockchain(victim.rpc.getblockcount())
                raise Failure('%s was not passed' % point)
            except (OSError, http.client.HTTPException):
                check_equal(victim.process.wait(60), -signal.SIGKILL)
            victim.close()
            victim.start()
            check_equal((victim.rpc.getbestblockhash(), victim.rpc.gettxoutsetinfo()), (tip, coins))
            last = victim.rpc.getblockchaininfo()['pruneheight'] - 1
            # Every block above it is here, each with its undo data; no file is left that has only older ones.
            for height in range(last + 1, victim.rpc.getblockcount() + 1, 7):
                victim.rpc.getblockstats(height)
            check_equal(victim.rpc.verifychain(3, 0), True)
            again = victim.rpc.pruneblockchain(victim.rpc.getblockcount())
            check(again >= last, 'blocks came back')
            check_equal(victim.rpc.getblockchaininfo()['pruneheight'], again + 1)
            victim.connect(full)
        check(files(victim)[0] != 'blk00000.dat', 'nothing was removed: %s' % files(victim))
        return victim

    def fetched(self, full, pruned):
        self.step('a pruned block can be fetched from a peer, and is pruned again with its new file')
        block = full.rpc.getblockhash(2)
        peer, = [peer['id'] for peer in pruned.rpc.getpeerinfo()]
        with raises_rpc(-1, PRUNED):
            pruned.rpc.getblock(block)
        check_equal(pruned.rpc.getblockfrompeer(block, peer), {})

        def is_here():
            try:
                return pruned.rpc.getblock(block)['height'] == 2
            except Exception:
                return False
        wait_until(is_here, 'the block of the peer')
        with raises_rpc(-1, 'already downloaded'):
            pruned.rpc.getblockfrompeer(block, peer)
        last = pruned.rpc.getblockchaininfo()['pruneheight'] - 1
        mine(full, 800)
        self.sync_blocks([full, pruned])
        check(pruned.rpc.pruneblockchain(pruned.rpc.getblockcount()) > last, 'nothing more was pruned')
        with raises_rpc(-1, PRUNED):
            pruned.rpc.getblock(block)

    def no_way_back(self, pruned):
        self.step('a branch of more work that forks below what was pruned ends it with a word on what to do')
        other = self.node()
        mine(other, pruned.rpc.getblockcount() + 10)
        pruned.connect(other)
        check_equal(pruned.process.wait(120), 1)
        check('was pruned' in pruned.log() and 'start again with -reindex' in pruned.log(), pruned.tail())
        pruned.close()
        other.stop()

    def again(self, full, pruned):
        self.step('-reindex begins at genesis and fetches all from a peer')
        tip = full.rpc.getbestblockhash()
        pruned.args.remove('-prune=1')
        pruned.restart(['-reindex'])
        pruned.connect(full)
        self.sync_blocks([full, pruned])
        check_equal((pruned.rpc.getbestblockhash(), files(pruned)[0]), (tip, 'blk00000.dat'))
        for height in range(0, pruned.rpc.getblockcount(), 50):
            pruned.rpc.getblock(pruned.rpc.getblockhash(height))

    def peer(self, node):
        magic = None if self.chain == 'regtest' else bytes.fromhex('fabfb5da')
        return Peer(node, services=9, magic=magic)

    def node(self, *args):
        node = Node(self, self.made, ['-fastprune', '-debug=none', '-debug=net', *args])
        self.made += 1
        self.nodes.append(node)
        return node.start()

    def on(self, chain):
        self.step(chain)
        self.chain = chain
        node = self.node()
        self.refusals(node)
        self.too_short(node)
        last = self.by_hand(node)
        self.deep_reorganisation(node)
        self.after_restart(node, last)
        self.peers(node)
        node.stop()
        full = self.node()
        mine(full, 600)
        pruned = self.killed(full)
        self.fetched(full, pruned)
        if chain == 'regtest':
            self.no_way_back(pruned)
        self.again(full, pruned)
        full.stop()
        pruned.stop()

    def run(self):
        self.made = 0
        for chain in ('btcregtest', 'regtest'):
            self.on(chain)


if __name__ == '__main__':
    TestPruning().main()
