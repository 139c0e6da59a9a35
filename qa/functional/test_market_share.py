#!/usr/bin/python3
# timeout: 600
"""Three miners of unequal speed share a job of 64 tasks in proportion to it, with no word to each other: each has a node of its
own, and what it knows of the others is on the chain and in the mempool."""
import time

from framework import check, check_equal, wait_until
from minerkit import Miner, MinerTest

LIMITS = (10, 20, 40)  # bricks a second
# 8 x 8 tasks of 2 x 2 tiles, eight bricks a tile: about half a minute for the three together.
JOB = dict(rows=2048, depth=2048, columns=2048, task_rows=2, task_cols=2, reward='0.02')
TASKS, BRICKS = 64, 32
TOLERANCE = 0.2
JOBS_MOST = 3


def proportion(shares):
    return [sum(shares) * limit / sum(LIMITS) for limit in LIMITS]


def fair(shares):
    return all(abs(share - due) <= TOLERANCE * due for share, due in zip(shares, proportion(shares)))


class TestMarketShare(MinerTest):
    nodes_count = 4  # a client's, and three solvers'

    def setup(self):
        super().setup()
        self.solvers = self.nodes[1:]
        for node in self.solvers:
            node.connect(self.client)

    def fund(self):
        for node in self.nodes:
            node.mine(self.coins)
            self.sync_blocks()
        self.mine(100)

    def run(self):
        keys = [node.rpc.getsolverkey() for node in self.solvers]
        miners = [Miner(self, node, 'limit-%d' % limit, '--limit=%d' % limit).start()
                  for node, limit in zip(self.solvers, LIMITS)]
        for miner in miners:
            miner.wait_said('connected to the node')
        # One job is enough, by itself. The slowest is due 9.1 tasks, and 8 to 10 are fair: where it meets another over
        # some of the last tasks (see doc/testing.md), one more job is played.
        jobs = [self.job(1, keys)]
        while not fair(jobs[-1]) and len(jobs) < JOBS_MOST:
            jobs.append(self.job(len(jobs) + 1, keys))
        for miner in miners:
            miner.stop()
        vain = [line for miner in miners for text in ('taken meanwhile', 'waits in the mempool') for line in miner.said(text)]
        print('%d begun in vain' % len(vain))
        for limit, share, due in zip(LIMITS, jobs[-1], proportion(jobs[-1])):
            print('limit %d: %d tasks, %.1f in proportion, %+.0f %%' % (limit, share, due, 100 * (share / due - 1)))
        check(fair(jobs[-1]), 'tasks %s with limits %s' % (jobs, LIMITS))

    def job(self, number, keys):
        """The tasks of one job that each solver claimed."""
        start = time.monotonic()
        job, tasks, _, _ = self.offer(seed=10 * number, **JOB)
        check_equal(len(tasks), TASKS, 'tasks')
        claims = wait_until(lambda: self.claims(job), 'all tasks to be claimed', 180, step=0.5)
        shares = [claims.count(key) for key in keys]
        check_equal(sum(shares), TASKS, 'tasks claimed by the three')
        print('%d tasks of %d bricks in %.0f s, bricks/s %s: tasks %s'
              % (TASKS, BRICKS, time.monotonic() - start, ':'.join(map(str, LIMITS)), ':'.join(map(str, shares))))
        return shares

    def claims(self, job):
        """The solvers of all tasks, once all are claimed; blocks are mined as the miners find them, and here where none is."""
        self.dig(self.client)
        tasks = self.client.rpc.listtasks('all', job)
        return [task['claim']['solver'] for task in tasks] if all('claim' in task for task in tasks) else None


if __name__ == '__main__':
    TestMarketShare().main()
