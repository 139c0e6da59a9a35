#!/usr/bin/python3
"""Watchers and solvers that are killed in the middle of a dispute go on with it; fornax-miner works on what was restored."""
from framework import check, check_equal, wait_until
from jobkit import WINDOW_UNIT, fee_in, matrix, product, read_result, wait_status, wait_task
from minerkit import Miner
from scenariokit import DEPOSIT, ScenarioTest

REWARD = 90_000_000
PATIENCE = WINDOW_UNIT // 4


class TestScenarioRestart(ScenarioTest):
    """Node 2 watches the claims of others."""

    def own_args(self):
        return [[], [], ['-watch']]

    def run(self):
        self.wrong_result()
        self.stranger()
        self.withheld()
        self.finish()

    def kill(self, node, *peers):
        node.kill()
        node.start()
        for peer in peers:
            node.connect(peer)
        self.sync_blocks([node, *peers])

    def pending_after_kill(self, node, task, action, *peers):
        """What waits in the node's pool is lost with it, and made again; its id."""
        self.pending(node, task, action)
        self.kill(node, *peers)
        return self.pending(node, task, action)

    def mine_pending(self, node, task, action, sync=None):
        """The fee of what does this to the task, mined. It may be replaced while we look."""
        return self.mine_action(node, task, action, sync)[1]

    def wrong_result(self):
        self.step('a client killed while it looks at a wrong result, and with the proof in its pool')
        client, cheat, watcher = self.nodes
        watcher.stop()
        a, b = matrix(512, 1024, 1), matrix(1024, 512, 2)
        job, (task,) = self.submit_mined(a, b, task_rows=4, task_cols=4, reward='0.9')
        self.operands(cheat, task)
        rich = self.balances(client, cheat)
        claim = cheat.rpc.solvetask(task, {'burn': 'none', 'spoil': True})['txid']
        rich[1] -= fee_in(client, claim, self.mine_txs(client, claim))
        bond = self.bond(client, task)
        self.kill(client, cheat)
        self.pending_after_kill(client, task, 'fraud', cheat)
        fee = self.mine_pending(client, task, 'fraud')
        check_equal(wait_status(client, task, 'open')['restored'], 1)
        check_equal(self.balances(client, cheat), [rich[0] + bond - fee, rich[1] - bond], 'balances')

        self.step('fornax-miner solves what was restored, and mines inside it')
        watcher.start()
        watcher.connect(client)
        watcher.connect(cheat)
        self.sync_blocks()
        miner = Miner(self, watcher, 'miner', '--burn=none', '--blocks-per-task=1').start()
        info, = self.settled([task])
        miner.stop()
        self.sync_blocks()
        check_equal((info['claim']['solver'], info['restored']), (watcher.rpc.getsolverkey(), 1))
        wait_until(lambda: client.rpc.getjob(job['job'])['resulthere'], 'the result')
        check((read_result(client, job['job']) == product(a, b)).all(), 'the result')

    def stranger(self):
        self.step('a stranger that watches, killed while it fetches and with its proof in the pool')
        client, cheat, watcher = self.nodes
        _, (task,) = self.submit_mined(matrix(512, 1024, 3), matrix(1024, 512, 4), task_rows=4, task_cols=4, reward='0.9')
        self.operands(cheat, task)
        self.operands(watcher, task)
        rich = self.balances(cheat, watcher, client)
        client.stop()
        claim = cheat.rpc.solvetask(task, {'burn': 'none', 'spoil': True})['txid']
        rich[0] -= fee_in(cheat, claim, self.mine_txs(cheat, claim))
        bond = self.bond(cheat, task)
        self.kill(watcher, cheat)
        self.pending_after_kill(watcher, task, 'fraud', cheat)
        fee = self.mine_pending(watcher, task, 'fraud')
        check_equal(self.balances(cheat, watcher), [rich[0] - bond, rich[1] + bond - fee], 'balances')
        client.start()
        client.connect(cheat)
        client.connect(watcher)
        self.sync_blocks()
        check_equal(self.balances(client), rich[2:], 'balance of the client')

    def withheld(self):
        self.step('client and solver killed with challenge, answer and expiry in their pools')
        client, solver, third = self.nodes
        _, (task,) = self.submit_mined(matrix(256, 256, 5), matrix(256, 256, 6), task_rows=2, task_cols=2, reward='0.9')
        self.operands(solver, task)
        rich = self.balances(client, solver)
        self.part(solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        self.carry_tx(solver, client, claim)
        rich[1] -= fee_in(client, claim, self.mine_txs(client, claim, sync=[client, third]))
        self.carry_blocks(client, solver)
        bond = self.bond(client, task)
        wait_task(client, task, lambda t: t['check'] == 'fetching', 'the wait for a result')

        self.advance(PATIENCE + 10)
        self.pending_after_kill(client, task, 'challenge', third)
        rich[0] -= self.mine_pending(client, task, 'challenge', sync=[client, third]) + DEPOSIT
        self.carry_blocks(client, solver)
        answer = self.pending_after_kill(solver, task, 'answer')
        self.carry_tx(solver, client, answer)
        rich[1] -= self.answer_fee(self.mine_pending(client, task, 'answer', sync=[client, third]))
        wait_status(client, task, 'claimed')

        self.kill(client, third)  # it has one tile of four, and asks for another one
        wait_task(client, task, lambda t: t['check'] == 'fetching', 'the wait for a result')
        self.advance(PATIENCE + 10)
        rich[0] -= self.mine_pending(client, task, 'challenge', sync=[client, third]) + DEPOSIT
        # The solver does not hear of it.
        self.pass_median(WINDOW_UNIT + 60, sync=[client, third])
        if client.rpc.gettask(task)['status'] == 'challenged':
            self.pending_after_kill(client, task, 'expire', third)
            self.mine_pending(client, task, 'expire', sync=[client, third])
        end = wait_status(client, task, 'open')['disputes'][-1]
        check_equal(end['action'], 'expire')
        fee = fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        solver.connect(client)
        self.sync_blocks()
        check_equal(self.balances(client, solver), [rich[0] + DEPOSIT + bond - fee, rich[1] - bond], 'balances')


if __name__ == '__main__':
    TestScenarioRestart().main()
