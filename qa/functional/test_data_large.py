#!/usr/bin/python3
# timeout: 600
"""A large operand moves from a client to a solver while neither node's memory grows with it; qa/bench/bench_data moves more."""
import os
import time

import numpy

from framework import check, wait_until
from jobkit import PIECE, JobTest, http, matrix, operand_query, panel, put, upload_operand

MIB = 1 << 20
ROWS = 16384
GROWTH = 32  # MiB of memory that a node may take for it


def peak(node):
    """The most memory that the process had until now, in MiB."""
    with open('/proc/%d/status' % node.process.pid) as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith('VmHWM:'))


class TestDataLarge(JobTest):
    size = 128  # MiB

    def run(self):
        k = self.size * MIB // ROWS
        figures = {'size': self.size, 'before': [peak(node) for node in self.nodes]}
        self.step('%d MiB to the client' % self.size)
        figures['upload'] = self.timed(lambda: self.upload_rows(k))
        root_b = upload_operand(self.client, panel(matrix(128, k, 1)))
        reply = self.client.rpc.submitjob({'root_a': self.root, 'root_b': root_b, 'rows': ROWS, 'columns': 128, 'depth': k,
                                           'task_rows': ROWS // 128, 'task_cols': 1})
        self.mine_txs(self.client, reply['job'])
        task, = [task['origin'] for task in self.client.rpc.listtasks('all', reply['job'])]
        self.step('and from there to the solver')
        figures['transfer'] = self.timed(lambda: wait_until(lambda: self.solver.rpc.prepareoperands(task)['here'],
                                                            'the operands', 300 + 3 * self.size, 0.2))
        figures['after'] = [peak(node) for node in self.nodes]
        for name, before, after in zip(('client', 'solver'), figures['before'], figures['after']):
            self.step('memory of the %s: %.0f MiB at most, %.0f MiB before' % (name, after, before))
            check(after - before < GROWTH, 'the memory of the %s grew by %.0f MiB' % (name, after - before))
        self.figures = figures

    @staticmethod
    def timed(what):
        started = time.monotonic()
        what()
        return time.monotonic() - started

    def upload_rows(self, k):
        """A matrix that is never in memory as a whole: its rows are one band of random ones again and again, each turned."""
        upload_id = os.urandom(16).hex()
        query = operand_query(upload_id, numpy.broadcast_to(numpy.int8(0), (ROWS, k)))
        band = matrix(1, PIECE, 2).tobytes()
        for offset in range(0, ROWS * k, PIECE):
            turn = offset // PIECE % PIECE
            status, reply = put(self.client, 'operand', query, offset, band[turn:] + band[:turn])
            check(status == 200, 'status of a piece: %d, %s' % (status, reply))
        status, reply = http(self.client, 'POST', '/blob/operand/finish?upload=%s' % upload_id)
        check(status == 200, 'status of the end of the upload: %d, %s' % (status, reply))
        self.root = reply['root']


if __name__ == '__main__':
    TestDataLarge().main()
