#!/usr/bin/python3
# sanitizer: yes
"""Several nodes: sync from scratch, branches that meet, links that come and go, what a node hears of when."""
import time

from framework import FornaxTest, check, check_equal, raises_rpc, wait_until


class TestNetwork(FornaxTest):
    nodes_count = 4
    connect_nodes = False

    def peers(self, node):
        return [peer for peer in node.rpc.getpeerinfo() if peer['handshake']]

    def add(self, node, other):
        node.rpc.addnode(other.address, 'add')

    def run(self):
        a, b, c, d = self.nodes
        self.step('branches of different lengths meet')
        for length, node in zip((110, 20, 30, 5), self.nodes):
            node.mine(length)
        for node, other in ((b, a), (c, b), (d, c)):
            self.add(node, other)
        self.sync_blocks()
        check_equal(d.rpc.getblockcount(), 110)
        check_equal(len(self.peers(b)), 2)
        peer = [p for p in self.peers(b) if p['addr'] == a.address][0]
        check_equal(peer['subver'], '/Fornax:0.1.0/')
        check(not peer['inbound'] and 'JOBDATA' in peer['servicesnames'], peer)

        self.step('a transaction and its block cross all links at once')
        txid = a.rpc.sendtoaddress(d.mining_address(), 1)
        wait_until(lambda: txid in d.rpc.getrawmempool(), 'the transaction at the far end', step=0.01)
        d.mine()
        self.sync_blocks()
        check_equal(a.rpc.getrawmempool(), [])

        self.step('an added node that restarts is found again')
        b.restart()
        self.add(b, a)
        wait_until(lambda: len(self.peers(b)) == 2, 'b to have both neighbours again')
        a.mine(3)
        self.sync_blocks()

        self.step('a partition: both sides mine, the longer one wins, the loser\'s transaction comes back')
        self.cut(c, b)
        txid = a.rpc.sendtoaddress(d.mining_address(), 2)
        wait_until(lambda: txid in b.rpc.getrawmempool(), 'the transaction at b')
        b.mine(2)
        c.mine(5)
        self.sync_blocks([a, b])
        self.sync_blocks([c, d])
        check(a.rpc.getbestblockhash() != c.rpc.getbestblockhash(), 'no partition')
        self.add(c, b)
        self.sync_blocks()
        wait_until(lambda: all(txid in node.rpc.getrawmempool() for node in self.nodes),
                   'the transaction of the abandoned branch everywhere')

        self.step('a newcomer that may dial one node only')
        d.stop()
        d.start(extra=('-connect=' + a.address,))
        wait_until(lambda: self.peers(d), 'd to have a peer')
        a.mine()
        self.sync_blocks([a, d])
        check_equal([p['addr'] for p in self.peers(d)], [a.address])

        self.step('disconnecting, and addresses that are none')
        with raises_rpc():
            a.rpc.addnode('not an address', 'onetry')
        check_equal([p['misbehaviour'] for node in self.nodes for p in self.peers(node) if p['misbehaviour']], [])

        self.step('a clock that is off')
        now = int(time.time())
        c.rpc.setmocktime(now + 7200)
        d.restart(extra=('-connect=' + c.address,))
        wait_until(lambda: 'this clock is' in d.log(), 'the warning')
        line = [line for line in d.log().splitlines() if 'this clock is' in line]
        check_equal(len(line), 1)
        check('behind' in line[0] and 'check date and time' in line[0], line[0])
        c.rpc.setmocktime(0)

    def cut(self, node, other):
        """node dialled other, and shall no longer."""
        node.rpc.addnode(other.address, 'remove')
        self.part(node, only=lambda peer: peer['addr'] == other.address)


if __name__ == '__main__':
    TestNetwork().main()
