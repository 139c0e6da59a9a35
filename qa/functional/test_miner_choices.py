#!/usr/bin/python3
"""What fornax-miner is told to choose: the lane, how much it burns, how many blocks it mines in a task; and what it does where
the client's node is away when the work is done: it is paid after the window."""
import jobkit
from framework import COIN, check, check_equal, wait_until
from jobkit import embers
from minerkit import Miner, MinerTest

SMALL = dict(rows=300, depth=2000, columns=200)  # six tasks of one tile and eight bricks each
ONE_TILE = dict(task_rows=1, task_cols=1, reward='0.25')


class TestMinerChoices(MinerTest):
    def run(self):
        self.hash_lane()
        self.auto_lane()
        self.burns()
        self.blocks_per_task()
        self.client_away()

    def lanes_from(self, height):
        """The lanes of the blocks above this height."""
        return [self.client.rpc.getblockheader(self.client.rpc.getblockhash(h))['lane']
                for h in range(height + 1, self.client.rpc.getblockcount() + 1)]

    def job_blocks(self, tasks):
        """getblock of the job-lane blocks that were mined in these tasks, with what the subsidy was, oldest first."""
        self.sync_blocks()
        blocks = [self.solver.rpc.getblock(block, 2)
                  for task in tasks for block in self.solver.rpc.gettask(task)['blocks']]
        burns = {task['end']['txid']: embers(task['claim']['burn'])
                 for task in self.solver.rpc.listtasks('settled')}
        for block in blocks:
            fees = sum(embers(tx['fee']) - burns.get(tx['txid'], 0) for tx in block['tx'][1:])
            block['subsidy'] = sum(embers(out['value']) for out in block['tx'][0]['vout']) - fees
        return sorted(blocks, key=lambda block: block['height'])

    def hash_lane(self):
        """Alone it works with no task on the chain, and touches none that there is."""
        start = self.client.rpc.getblockcount()
        miner = Miner(self, self.solver, 'hash', '--lane=hash').start()
        miner.wait_said('of the hash lane', 2)
        self.check_no_tasks()
        _, tasks, _, _ = self.offer(**SMALL, seed=1, **ONE_TILE)
        miner.wait_said('of the hash lane', len(miner.said('of the hash lane')) + 3)
        miner.stop()
        self.sync_blocks()
        check_equal(set(self.lanes_from(start)), {'hash'}, 'lanes')
        check_equal({self.client.rpc.gettask(task)['status'] for task in tasks}, {'open'}, 'tasks')
        check('blocks: job 0' in miner.said('status:')[-1], miner.said('status:')[-1])
        self.left = tasks
        self.step('--lane=hash: with no task, and beside tasks')

    def check_no_tasks(self):
        check_equal(self.client.rpc.listtasks(), [], 'tasks')

    def auto_lane(self):
        """Does the tasks that there are, then mines in the other lane until there is one more."""
        miner = Miner(self, self.solver, 'auto', '--lane=auto').start()
        self.settled(self.left)
        check(self.job_blocks(self.left), 'no block of the job lane')
        start = self.client.rpc.getblockcount()
        wait_until(lambda: 'hash' in self.lanes_from(start), 'a block of the hash lane')
        job, tasks, a, b = self.offer(**SMALL, seed=5, reward='0.25')
        self.settled(tasks)
        check(self.job_blocks(tasks), 'no block of the job lane in a task that came later')
        self.check_result(job, a, b)
        miner.stop()
        self.sync_blocks()
        self.step('--lane=auto')

    def burns(self):
        """Without a burn no subsidy; with one at most twice what was burned."""
        self.spend_backing()
        for burn, burned in (('none', 0), ('0.125', COIN // 8)):
            miner = Miner(self, self.solver, 'burn-' + burn, '--burn=' + burn).start()
            blocks, credit = [], 0
            for seed in (10, 20):  # what the first six brought backs the blocks of the others
                _, tasks, _, _ = self.offer(**SMALL, seed=seed, **ONE_TILE)
                for task in self.settled(tasks):
                    check_equal(embers(task['claim']['burn']), burned, 'burned with --burn=' + burn)
                    check_equal(task['end']['action'], 'accept', 'settled by')
                blocks += self.job_blocks(tasks)
            miner.stop()
            self.sync_blocks()
            check(len(blocks) > 0, 'no block in twelve tasks')
            for block in blocks:
                work = block['work']
                listed = [self.solver.rpc.gettask(origin)['claim'] for origin in work['backing']]
                check_equal(embers(work['burns']), sum(embers(claim['burn']) for claim in listed), 'burns of a backing list')
                check(block['subsidy'] <= 2 * embers(work['burns']), 'subsidy of %d embers' % block['subsidy'])
                credit += work['credit']
            total = sum(block['subsidy'] for block in blocks)
            if burned:
                check(total > 0 and credit > 0, 'no subsidy for what was burned')
            else:
                check_equal(total, 0, 'subsidy without a burn')
            self.step('--burn=%s: %d blocks, %d embers of subsidy' % (burn, len(blocks), total))

    def spend_backing(self):
        """One block that lists all that earlier tasks brought."""
        _, tasks, _, _ = self.offer(**SMALL, seed=9, reward='0.25')
        wait_until(lambda: self.solver.rpc.prepareoperands(tasks[0])['here'], 'the operands')
        while self.solver.rpc.getbacking()['origins']:
            self.solver.rpc.generatejobblock(tasks[0])
        self.sync_blocks()
        miner = Miner(self, self.solver, 'clean', '--burn=none').start()
        self.settled(tasks)
        miner.stop()
        self.sync_blocks()

    def blocks_per_task(self):
        for limit, least, most in (('2', 2, 2), ('0', 3, 1000)):
            _, tasks, _, _ = self.offer(rows=2000, depth=6000, columns=2000, seed=30, task_rows=16, task_cols=16, reward=1)
            check_equal(len(tasks), 1, 'tasks')
            miner = Miner(self, self.solver, 'limit-' + limit, '--blocks-per-task=' + limit).start()
            blocks = self.settled(tasks)[0]['blocks']
            miner.stop()
            self.sync_blocks()
            check(least <= len(blocks) <= most, '%d blocks with --blocks-per-task=%s' % (len(blocks), limit))
            self.step('--blocks-per-task=%s: %d blocks in one task of 6,144 bricks' % (limit, len(blocks)))

    def client_away(self):
        """No certificate comes: the node proves the samples after the window, and the miner counts its pay."""
        job, tasks, a, b = self.offer(200, 300, 100, seed=40, reward=1)
        wait_until(lambda: self.solver.rpc.prepareoperands(tasks[0])['here'], 'the operands')
        self.client.stop()
        self.client.rpc = None
        miner = Miner(self, self.solver, 'alone').start()
        miner.wait_said('claimed by', len(tasks))

        def status_of_all(status):
            self.dig(self.solver)
            return all(self.solver.rpc.gettask(task)['status'] == status for task in tasks)
        wait_until(lambda: status_of_all('claimed'), 'the claims in a block', step=0.3)
        check_equal(miner.said(': paid '), [], 'pay before the window is over')
        self.pass_median(2 * jobkit.WINDOW_UNIT, node=self.solver)
        wait_until(lambda: status_of_all('settled'), 'the tasks to be taken', step=0.3)
        miner.wait_said(': paid ', len(tasks))
        miner.stop()
        for task in tasks:
            info = self.solver.rpc.gettask(task)
            check_equal((info['end']['action'], info['certified']), ('take', False), 'how a task was settled')
        self.client.start()
        self.client.connect(self.solver)
        self.sync_blocks()
        self.check_result(job, a, b)
        check_equal(self.client.rpc.getjob(job)['status'], 'done', 'status of the job')
        sets = [node.rpc.gettxoutsetinfo() for node in self.nodes]
        check_equal(sets[0], sets[1], 'the state of both nodes')
        self.step('the client was away: taken, and it has its result when it is back')


if __name__ == '__main__':
    TestMinerChoices().main()
