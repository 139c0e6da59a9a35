#!/usr/bin/python3
# sanitizer: yes
"""The client is away: the solver takes its pay by samples after the window, and the client's node catches up with it."""
from framework import check, check_equal, raises_rpc, wait_until
from jobkit import WINDOW_UNIT, JobTest, balance, fee_in, matrix, product, read_result, wait_status, wait_task

REWARD = 9_000_000


class TestTaskTake(JobTest):
    def run(self):
        client, solver = self.nodes
        a, b = matrix(200, 500, 1), matrix(500, 200, 2)
        self.step('submit, fetch; then the client goes away')
        earned = balance(solver)
        # One task that the solver needs an entry of any of its tiles for, and one of a single tile.
        reply, (task,) = self.submit_mined(a, b, task_rows=2, task_cols=2, reward='0.09', window=2)
        other = self.submit_mined(b, a, task_rows=1, task_cols=1, reward='0.09')[1][0]
        for origin in (task, other):
            wait_until(lambda: solver.rpc.prepareoperands(origin)['here'], 'the operands')
        client.stop()
        claims = [solver.rpc.solvetask(origin, {'burn': 'none'})['txid'] for origin in (task, other)]
        block = self.mine_txs(solver, *claims)
        fees = sum(fee_in(solver, txid, block) for txid in claims)

        self.step('in the window nothing can be had')
        with raises_rpc(-4, 'window is open'):
            solver.rpc.settletask(task)
        # The other task's window is shorter.
        self.pass_median(WINDOW_UNIT + 60)
        info = wait_task(solver, other, lambda t: t['status'] == 'claimed' and len(solver.rpc.getrawmempool()) == 1,
                         'the first take')
        check_equal(info['certified'], False)
        with raises_rpc(-4, 'waits in the mempool'):
            solver.rpc.settletask(other)
        with raises_rpc(-4, 'window is open'):
            solver.rpc.settletask(task)
        takes = solver.rpc.getrawmempool()
        fees += fee_in(solver, takes[0], self.mine_txs(solver, *takes))
        check_equal(wait_status(solver, other, 'settled')['end']['action'], 'take')

        self.step('after the window the take goes out by itself')
        self.pass_median(WINDOW_UNIT + 60)
        wait_until(lambda: solver.rpc.getrawmempool(), 'the second take')
        (take,) = solver.rpc.getrawmempool()
        block = self.mine_txs(solver, take)
        fees += fee_in(solver, take, block)
        info = wait_status(solver, task, 'settled')
        check_equal((info['end']['action'], info['end']['txid'], info['certified']), ('take', take, False))
        spend = next(tx for tx in solver.rpc.getblock(block, 2)['tx'] if tx['txid'] == take)
        witness = spend['vin'][0]['txinwitness']
        check_equal((witness[0], len(witness), spend['vin'][0]['sequence']), ('03', 5, (1 << 22) + 2))
        # Two rows of 512 bytes with 2 x 7 siblings each and a panel path of one; a leaf with 7 siblings; a tile path of two.
        check_equal([len(item) // 2 for item in witness[2:4]], [2 * (512 + 14 * 32 + 32) + 512 + 7 * 32 + 2 * 32] * 2)
        check_equal(balance(solver), earned + 2 * REWARD - fees, 'balance of the solver')

        self.step('the client comes back, and has its result all the same')
        client.start()
        client.connect(solver)
        self.sync_blocks()
        for origin in (task, other):
            check_equal(client.rpc.gettask(origin)['end']['action'], 'take')
        check_equal(client.rpc.gettxoutsetinfo(), solver.rpc.gettxoutsetinfo())
        info = wait_task(client, task, lambda t: t['check'] == 'right', 'the check of a settled task')
        check((read_result(client, reply['job']) == product(a, b)).all(), 'the result is not numpy\'s')
        check_equal(client.rpc.getjob(reply['job'])['resulthere'], True)


if __name__ == '__main__':
    TestTaskTake().main()
