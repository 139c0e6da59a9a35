#!/usr/bin/python3
# timeout: 600
"""A node that is killed at chosen points (SIGKILL inside of writing, connecting, disconnecting, flushing, uploading): what it
had acknowledged is there when it starts again, it goes on by itself, and a node that syncs from it agrees on everything."""
import http.client
import json
import os
import random
import signal

from framework import FornaxTest, Node, Failure, RPCError, check, check_equal, wait_until

# Name of the point, at which time that it is passed, while which of the jobs below is done.
POINTS = (
    ('block-write-before', 3, 'mine'),
    ('block-write-torn', 2, 'mine'),
    ('block-write-after', 3, 'mine'),
    ('index-write-before', 2, 'mine'),
    ('index-write-after', 4, 'mine'),
    ('connect-undo', 2, 'mine'),
    ('undo-write-torn', 3, 'mine'),
    ('connect-apply', 3, 'mine'),
    ('connect-done', 2, 'mine'),
    ('reorg-disconnect', 2, 'reorg'),
    ('disconnect-apply', 4, 'reorg'),
    ('disconnect-done', 3, 'reorg'),
    ('reorg-connect', 2, 'reorg'),
    ('connect-apply', 7, 'reorg'),
    ('flush-files', 2, 'stop'),  # the first time is at the start
    ('flush-batch', 2, 'stop'),
    ('flush-before', 2, 'stop'),
    ('flush-after', 2, 'stop'),
    ('connect-done', 2, 'start'),
    ('undo-write-torn', 1, 'start'),
    ('flush-before', 1, 'start'),
    ('flush-after', 1, 'start'),
    ('connect-done', 20, 'sync'),
    ('block-write-torn', 9, 'sync'),
    ('index-write-after', 31, 'sync'),
    ('upload-write', 3, 'upload'),
    ('upload-unit', 2, 'upload'),
    ('upload-finish', 1, 'upload'),
    ('upload-root', 1, 'upload'),
)
PIECE = 100000
ROWS, K = 512, 512


class Died(Exception):
    pass


class TestCrash(FornaxTest):
    nodes_count = 2
    connect_nodes = False
    node_args = ('-debug=none',)

    def ask(self, call, *args):
        """A call to the node that is to die; Died when it did."""
        try:
            return call(*args)
        except (OSError, http.client.HTTPException):
            raise Died from None

    def run(self):
        self.begin(42)
        for name, count, what in POINTS:
            self.step('%s, pass %d, in %s' % (name, count, what))
            self.prepare(what)
            self.node.stop()
            self.node.start(env={'FORNAX_CRASH_AT': '%s:%d' % (name, count)}, wait=what != 'start')
            try:
                getattr(self, what)()
                raise Failure('%s was never passed %d times' % (name, count))
            except Died:
                check_equal(self.node.process.wait(30), -signal.SIGKILL, 'exit status')
            self.node.close()
            self.check_again(what)
        self.last()

    def begin(self, seed):
        self.node, self.other = self.nodes
        self.chance = random.Random(seed)
        self.address = self.node.mining_address()
        self.theirs = self.other.mining_address()
        self.node.mine(105)
        self.other.connect(self.node)
        self.sync_blocks()
        self.blocks = []  # ids that the node said it has
        self.payments = []  # ids that it said it sent
        self.uploads = 0
        matrix = random.Random(7)
        self.matrix = bytes(matrix.randrange(256) for _ in range(ROWS * K))
        self.roots = set()

    def prepare(self, what):
        """Where the other node has to be ahead, it is made so before the node starts with its point."""
        self.part()
        self.before = len(self.blocks)
        if what == 'reorg':
            for _ in range(3):
                self.payments.append(self.node.rpc.sendtoaddress(self.theirs, 0.02))
                self.blocks += self.node.mine(1, self.address)
            self.other.rpc.generatetoaddress(5, self.theirs)
        elif what == 'sync':
            self.other.rpc.generatetoaddress(40, self.theirs)
        elif what == 'start':
            # Killed between two calls, it has to connect these again when it starts.
            self.payments.append(self.node.rpc.sendtoaddress(self.theirs, 0.03))
            self.blocks += self.node.rpc.generatetoaddress(5, self.address)
            self.node.kill()

    # ---- what is done until the node dies; what it acknowledged is noted ----

    def mine(self):
        node = self.node
        for _ in range(30):
            if self.ask(node.rpc.getbalance) > 1:
                self.payments.append(self.ask(node.rpc.sendtoaddress, self.theirs, self.chance.randrange(1, 100) / 1000))
            self.blocks += self.ask(node.rpc.generatetoaddress, 1, self.address)

    def reorg(self):
        self.join()

    sync = reorg

    def join(self):
        """The node fetches what the other has, until it dies of it."""
        try:
            self.node.rpc.addnode(self.other.address, 'onetry')
            wait_until(lambda: self.node.process.poll() is not None or
                       self.node.rpc.getbestblockhash() == self.other.rpc.getbestblockhash(), 'the node to sync')
        except (OSError, http.client.HTTPException):
            pass
        if self.node.process.poll() is None:
            try:
                wait_until(lambda: self.node.process.poll() is not None, 'the node to die', 5)
            except Failure:
                return
        raise Died

    def stop(self):
        self.payments.append(self.ask(self.node.rpc.sendtoaddress, self.theirs, 0.01))
        self.blocks += self.ask(self.node.rpc.generatetoaddress, 4, self.address)
        self.ask(self.node.rpc.stop)
        if self.node.process.wait(30) != 0:
            raise Died

    def start(self):
        wait_until(lambda: self.node.process.poll() is not None, 'the node to die')
        raise Died

    def put(self, offset):
        query = '/blob/operand?upload=%032x&rows=%d&k=%d&offset=%d' % (self.uploads, ROWS, K, offset)
        status, reply = self.ask(self.node.rpc.request, 'PUT', query, self.matrix[offset:offset + PIECE])
        check_equal(status, 200, reply)
        return json.loads(reply)['received']

    def finish(self):
        status, reply = self.ask(self.node.rpc.request, 'POST', '/blob/operand/finish?upload=%032x' % self.uploads)
        check_equal(status, 200, reply)
        self.roots.add(json.loads(reply)['root'])
        check_equal(len(self.roots), 1)

    def upload(self):
        self.uploads += 1
        self.received = 0
        while self.received < len(self.matrix):
            self.received = self.put(self.received)
        self.finish()

    # ---- afterwards ----

    def check_again(self, what):
        node = self.node
        node.start()
        for block in self.blocks:
            check_equal(node.rpc.getblock(block)['hash'], block)
        if what in ('mine', 'stop', 'start') and len(self.blocks) > self.before:
            check(node.rpc.getblockheader(self.blocks[-1])['confirmations'] > 0, 'the newest block is not on the chain')
        for txid in self.payments:
            try:
                check(node.rpc.gettransaction(txid)['confirmations'] >= 0, 'a payment is in conflict')
            except RPCError:
                raise Failure('payment %s is lost' % txid) from None
        pending = {txid for txid in self.payments if node.rpc.gettransaction(txid)['confirmations'] == 0}
        wait_until(lambda: pending <= set(node.rpc.getrawmempool()), 'payments to be in the mempool again')
        if what == 'upload':
            # Asked how far it is, the node names at least what it had acknowledged, and goes on there.
            query = '/blob/operand?upload=%032x&rows=%d&k=%d' % (self.uploads, ROWS, K)
            status, reply = node.rpc.request('PUT', query, b'')
            check_equal(status, 200, reply)
            received = json.loads(reply)['received']
            check(received >= self.received, '%d bytes of %d are left' % (received, self.received))
            while received < len(self.matrix):
                received = self.put(received)
            self.finish()
            # Twice is as good as once.
            self.finish()
            status, data = node.rpc.request('GET', '/blob/operand/%s?x=3&y=1' % list(self.roots)[0])
            check_equal((status, data), (200, b''.join(self.matrix[row * K + 256:row * K + 512] for row in range(384, 512))))
            status, data = node.rpc.request('GET', '/blob/operand/%s' % list(self.roots)[0])
            check_equal(json.loads(data)['complete'], True)
        node.connect(self.other)
        try:
            self.sync_blocks()
        except Failure:
            # Branches of the same length: the next block decides.
            self.other.rpc.generatetoaddress(1, self.theirs)
            self.sync_blocks()
        check_equal(node.rpc.gettxoutsetinfo(), self.other.rpc.gettxoutsetinfo())
        check(not [name for name in os.listdir(os.path.join(node.netdir, 'blobs')) if name.endswith('.new')], 'left behind')

    def last(self):
        self.step('a third node from scratch')
        self.node.mine(1)
        self.sync_blocks()
        for txid in self.payments:
            check(self.node.rpc.gettransaction(txid)['confirmations'] > 0, 'a payment never confirmed')
        third = Node(self, 2, self.node_args)
        self.nodes.append(third)
        third.start()
        third.connect(self.node)
        self.sync_blocks()
        check_equal(third.rpc.gettxoutsetinfo(), self.node.rpc.gettxoutsetinfo())
        balances = self.node.rpc.getbalances()
        self.node.rpc.rescanblockchain()
        check_equal(self.node.rpc.getbalances(), balances)


if __name__ == '__main__':
    TestCrash().main()
