"""What tests of fornax-miner share: the process and what it says, offers of work, and their end."""
import os
import signal
import subprocess

import numpy

import jobkit
from framework import TIMEOUT, check, check_equal, program, wait_until

DEVICE = os.environ.get('FORNAX_MINER_DEVICE', 'cpu')  # qa/cuda asks for others


class Miner:
    """A fornax-miner of one node, and all that it says."""

    def __init__(self, test, node, name, *args):
        self.test, self.name = test, name
        self.workdir = os.path.join(test.dir, name)
        self.path = os.path.join(test.dir, name + '.log')
        self.command = [program('fornax-miner'), '-regtest', '-datadir=' + node.dir, '--rpcport=%d' % node.rpcport,
                        '--workdir', self.workdir, '--threads=1', '--status=1',
                        *(default for option, default in (('--lane', '--lane=job'), ('--device', '--device=' + DEVICE))
                          if not any(arg.startswith(option) for arg in args)), *args]
        self.process = None

    def start(self):
        with open(self.path, 'ab') as log:
            self.process = self.test.process(self.command, stdout=log, stderr=subprocess.STDOUT)
        return self

    def said(self, text=''):
        with open(self.path, errors='replace') as file:
            return [line for line in file if text in line]

    def wait_said(self, text, times=1):
        def enough():
            if self.process.poll() is not None:
                check(len(self.said(text)) >= times, 'the miner ended early: ' + ''.join(self.said()[-5:]))
            return len(self.said(text)) >= times
        wait_until(enough, 'the miner to say "%s" %d times' % (text, times))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        check_equal(self.process.wait(TIMEOUT), 0, 'exit status of the miner')


class MinerTest(jobkit.JobTest):
    """A job test whose tasks are for fornax-miner."""

    def offer(self, rows, depth, columns, seed, **options):
        a, b = jobkit.matrix(rows, depth, seed), jobkit.matrix(depth, columns, seed + 1)
        job = jobkit.submit(self.client, a, b, **options)['job']

        def mined():
            if self.client.rpc.gettransaction(job)['confirmations'] > 0:  # a miner at work may have it first
                return True
            self.dig(self.client)
            return False
        wait_until(mined, 'the job in a block')
        self.sync_blocks()
        return job, jobkit.origins(self.client, job), a, b

    def check_result(self, job, a, b):
        wait_until(lambda: self.client.rpc.getjob(job)['resulthere'], 'the result')
        c = jobkit.read_result(self.client, job).astype(numpy.int64)
        # Freivalds once more, apart from all that is tested: the whole product would take numpy a minute.
        x = numpy.random.default_rng().integers(-1000, 1000, (b.shape[1], 4))
        check((c @ x == a.astype(numpy.int64) @ (b.astype(numpy.int64) @ x)).all(), 'the result is wrong')
