#!/usr/bin/python3
"""The store of operands and results: its limit, what makes room and what never does, what is given up, rates, several peers."""
import json
import os
import time

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobkit import JobTest, matrix, panel, product, read_result, upload_operand, wait_status, wait_task

DAY = 86400
MATURITY = 100


class TestDataRoom(JobTest):
    nodes_count = 3

    def own_args(self):
        return [['-maxblobs=6'], [], ['-maxblobs=1']]

    def blob(self, node, kind, root):
        """What is there of a blob, or None."""
        status, body = node.rpc.request('GET', '/blob/%s/%s' % (kind, root))
        check(status in (200, 404), 'status')
        return body if status == 200 else None

    def start_upload(self, node, rows, k):
        """Opens an upload without a byte; the HTTP status. What is refused is so for the limit: the disk has room."""
        target = '/blob/operand?upload=%s&rows=%d&k=%d&offset=0' % (os.urandom(16).hex(), rows, k)
        status, reply = node.rpc.request('PUT', target)
        if status == 507:
            check_equal(json.loads(reply)['error'], 'No room under -maxblobs')
        return status

    def uploads(self, node):
        """Those that are not finished."""
        return [name for name in os.listdir(os.path.join(node.netdir, 'blobs', 'uploads')) if not name.endswith('.root')]

    def run(self):
        self.own_stays()
        self.strangers_go()
        self.ended()
        self.two_serve()
        self.rate()

    def own_stays(self):
        self.step('what an open task of ours needs stays, whatever is uploaded')
        client = self.client
        self.a, self.b = matrix(1024, 1024, 1), matrix(1024, 512, 2)
        self.reply, (self.task,) = self.submit_mined(self.a, self.b, task_rows=8, task_cols=4, deadline=self.now + 6 * DAY)
        task = client.rpc.gettask(self.task)
        self.roots = task['root_a'], task['root_b']
        self.advance(DAY + 60)
        check_equal(self.start_upload(client, 128, 40 * 1024), 507, 'status of what does not fit')
        check_equal(self.start_upload(client, 128, 16 * 1024), 200, 'status of what does')
        check_equal(self.start_upload(client, 128, 24 * 1024), 507, 'status of what does not fit beside it')
        for root in self.roots:
            check(self.blob(client, 'operand', root), 'an operand of an open task')
        path = os.path.join(self.dir, 'large.npy')
        numpy.save(path, numpy.zeros((3072, 3072), 'i1'))
        status, _, error = client.cli('submitjob', 'gemm', path, path, '--yes')
        check(status == 1 and 'No room under -maxblobs' in error and 'up to byte 0 of 9437184' in error, error)

        self.step('an upload that does not go on is given up, and its room is free')
        check_equal(len(self.uploads(client)), 1)
        self.advance(DAY + 60)
        self.mine(1)
        wait_until(lambda: self.uploads(client) == [], 'the upload to be removed')
        check_equal(self.start_upload(client, 128, 16 * 1024), 200)
        self.advance(DAY + 60)
        self.mine(1)
        wait_until(lambda: self.uploads(client) == [], 'the upload to be removed')

    def strangers_go(self):
        self.step('a third node cannot hold both operands of a task: it says so, and keeps to its limit')
        third = self.nodes[2]
        wait_until(lambda: third.rpc.listtasks('all'), 'the task')
        with raises_rpc(-4, 'No room'):
            third.rpc.prepareoperands(self.task)
        small, (task,) = self.submit_mined(matrix(128, 1024, 3), matrix(1024, 128, 4))
        wait_until(lambda: third.rpc.prepareoperands(task)['here'], 'small operands')
        info = third.rpc.gettask(task)
        self.advance(1000)  # not in use any more
        root = upload_operand(third, panel(matrix(512, 1536, 5)))
        left = [r for r in (info['root_a'], info['root_b']) if self.blob(third, 'operand', r)]
        check(len(left) < 2, 'nothing made room')
        check(self.blob(third, 'operand', root), 'the upload')

    def ended(self):
        self.step('when a task is over for good its operands go, and its result stays with the client alone')
        client, solver = self.client, self.solver
        wait_until(lambda: solver.rpc.prepareoperands(self.task)['here'], 'the operands')
        claim = solver.rpc.solvetask(self.task, {'burn': 'none'})['txid']
        self.mine_txs(client, claim)
        wait_task(client, self.task, lambda t: t['certified'], 'a certificate')
        wait_until(lambda: client.rpc.getrawmempool(), 'the accept')
        self.mine(1)
        result = wait_status(client, self.task, 'settled')['claim']['result']
        self.mine(MATURITY - 1)
        for root in self.roots:
            check(self.blob(client, 'operand', root), 'an operand of a task that may be undone')
        self.mine(1)
        for node in (client, solver):
            wait_until(lambda: not any(self.blob(node, 'operand', root) for root in self.roots), 'operands to go')
        wait_until(lambda: not self.blob(solver, 'result', result), 'the result to go')
        client.restart()
        client.connect(solver)
        check((read_result(client, self.reply['job']) == product(self.a, self.b)).all(), 'the result')

    def served(self, node):
        return sum(peer['bytessent'] for peer in node.rpc.getpeerinfo())

    def two_serve(self):
        self.step('two that have the data both serve it')
        client, solver, third = self.nodes
        third.stop()
        third.args = [arg for arg in third.args if not arg.startswith('-maxblobs')]
        _, (self.task,) = self.submit_mined(matrix(512, 2048, 6), matrix(2048, 256, 7), task_rows=4, task_cols=2)
        wait_until(lambda: solver.rpc.prepareoperands(self.task)['here'], 'the operands')
        third.start(['-nopassdata'])
        before = [self.served(node) for node in (client, solver)]
        third.connect(client)
        third.connect(solver)
        self.sync_blocks()
        wait_until(lambda: third.rpc.listtasks('all'), 'the task')
        wait_until(lambda: third.rpc.prepareoperands(self.task)['here'], 'the operands')
        for node, sent in zip((client, solver), before):
            check(self.served(node) - sent > 5 * 32768, 'bytes sent by node %d' % node.index)

    def rate(self):
        self.step('with a limit on what is served the data takes its time, and comes')
        client, solver, third = self.nodes
        for node in (client, third):
            node.stop()
        client.start(['-maxdataserve=512'])
        client.connect(solver)
        _, (task,) = self.submit_mined(matrix(512, 2048, 8), matrix(2048, 256, 9), task_rows=4, task_cols=2)
        started = time.monotonic()
        wait_until(lambda: solver.rpc.prepareoperands(task)['here'], 'the operands')
        # 1.5 MiB, of which half a MiB may come at once.
        check(time.monotonic() - started > 1, 'the data came faster than it may')


if __name__ == '__main__':
    TestDataRoom().main()
