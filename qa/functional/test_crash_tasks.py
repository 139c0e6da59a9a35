#!/usr/bin/python3
# timeout: 600
"""A node that is killed while tasks are claimed, certified and settled, and while branches with them come and go: it goes on by
itself until every task is settled and every result is here, and other nodes agree on all records."""
import http.client
import signal

import numpy

from framework import Failure, FornaxTest, Node, RPCError, check, check_equal, wait_until
from jobkit import matrix, origins, product, read_result, submit

# Name of the point, at which time that it is passed, while which of the jobs below is done.
POINTS = (
    ('upload-unit', 1, 'solve'),
    ('upload-root', 2, 'solve'),
    ('block-write-torn', 1, 'solve'),
    ('connect-undo', 1, 'solve'),
    ('connect-apply', 2, 'solve'),
    ('connect-apply', 4, 'solve'),
    ('connect-done', 1, 'solve'),
    ('index-write-after', 2, 'solve'),
    ('undo-write-torn', 2, 'solve'),
    ('connect-done', 2, 'solve'),
    ('disconnect-apply', 1, 'reorg'),
    ('disconnect-done', 1, 'reorg'),
    ('disconnect-apply', 5, 'reorg'),
    ('reorg-connect', 1, 'reorg'),
    ('connect-done', 3, 'reorg'),
    ('flush-batch', 2, 'stop'),
    ('flush-after', 2, 'stop'),
    ('connect-apply', 3, 'start'),
)


class Died(Exception):
    pass


class TestCrashTasks(FornaxTest):
    nodes_count = 2
    node_args = ('-debug=none',)

    def ask(self, call, *args):
        """A call to the node that is to die; Died when it did."""
        try:
            return call(*args)
        except (OSError, http.client.HTTPException):
            raise Died from None

    def run(self):
        self.node, self.other = self.nodes
        self.address = self.node.mining_address()
        self.theirs = self.other.mining_address()
        self.node.mine(110)
        self.other.mine(1)
        self.sync_blocks()
        self.jobs = {}
        for seed, (name, count, what) in enumerate(POINTS):
            self.step('%s, pass %d, in %s' % (name, count, what))
            self.part()
            a, b = matrix(200, 300, 2 * seed), matrix(300, 100, 2 * seed + 1)
            self.job = submit(self.node, a, b, reward='0.03')['job']
            self.jobs[self.job] = product(a, b)
            self.node.mine(1)
            wait_until(lambda: len(self.open()) == 2, 'two tasks')
            self.prepare(what)
            self.node.stop()
            self.node.start(env={'FORNAX_CRASH_AT': '%s:%d' % (name, count)}, wait=what != 'start')
            try:
                getattr(self, what)()
                raise Failure('%s was never passed %d times' % (name, count))
            except Died:
                check_equal(self.node.process.wait(30), -signal.SIGKILL, 'exit status')
            self.node.close()
            self.node.start()
            self.go_on()
        self.last()

    def tasks(self):
        return self.node.rpc.listtasks('all', self.job)

    def open(self):
        return [task['origin'] for task in self.tasks() if task['status'] == 'open']

    def accepts(self):
        """Waits until the client's node has certified all results and the solver's part of it has sent the accepts."""
        wait_until(lambda: all(task['status'] == 'settled' or task['certified'] for task in self.ask(self.tasks)) and
                   len(self.ask(self.node.rpc.getrawmempool)) >= 2, 'certificates and accepts')

    def solve(self):
        for origin in self.ask(self.open):
            self.ask(self.node.rpc.solvetask, origin)
        self.ask(self.node.rpc.generatetoaddress, 1, self.address)
        self.accepts()
        self.ask(self.node.rpc.generatetoaddress, 1, self.address)

    def prepare(self, what):
        if what in ('reorg', 'stop', 'start'):
            self.solve()
        if what == 'reorg':
            self.other.rpc.generatetoaddress(6, self.theirs)
        if what == 'start':
            self.node.kill()

    def stop(self):
        self.ask(self.node.rpc.stop)
        if self.node.process.wait(30) != 0:
            raise Died

    def start(self):
        wait_until(lambda: self.node.process.poll() is not None, 'the node to die')
        raise Died

    def reorg(self):
        try:
            self.node.rpc.addnode(self.other.address, 'onetry')
        except (OSError, http.client.HTTPException):
            pass
        self.start()

    def go_on(self):
        """Everything is driven to its end; nobody does what the node has to do by itself."""
        node = self.node
        node.connect(self.other)
        for _ in range(12):
            node.rpc.generatetoaddress(1, self.address)
            self.sync_blocks()
            states = {task['origin']: task['status'] for task in self.tasks()}
            if set(states.values()) == {'settled'} and len(states) == 2:
                break
            for origin, status in states.items():
                if status == 'open':
                    try:
                        node.rpc.solvetask(origin)
                    except RPCError as error:  # claimed meanwhile, by the claim of before
                        check('taken' in error.message or 'open' in error.message or 'claim' in error.message, error.message)
            wait_until(lambda: node.rpc.getrawmempool(), 'something to be mined')
        check_equal(set(states.values()), {'settled'}, 'states of the tasks')
        check_equal(node.rpc.gettxoutsetinfo(), self.other.rpc.gettxoutsetinfo())
        result = read_result(node, self.job)
        check(numpy.array_equal(result, self.jobs[self.job]), 'the result is wrong')

    def last(self):
        self.step('a third node from scratch')
        third = Node(self, 2, self.node_args)
        self.nodes.append(third)
        third.start()
        third.connect(self.node)
        self.sync_blocks()
        check_equal(third.rpc.gettxoutsetinfo(), self.node.rpc.gettxoutsetinfo())
        for job in self.jobs:
            for origin in origins(self.node, job):
                ours, theirs = self.node.rpc.gettask(origin), third.rpc.gettask(origin)
                for key in ('status', 'height', 'escrow', 'record', 'claim', 'end'):
                    check_equal(theirs.get(key), ours.get(key), '%s of %s' % (key, origin))
        balances = self.node.rpc.getbalances()
        self.node.rpc.rescanblockchain()
        check_equal(self.node.rpc.getbalances(), balances)


if __name__ == '__main__':
    TestCrashTasks().main()
