#!/usr/bin/python3
"""Who does not act loses nothing to who does: clients that refuse, solvers that vanish, races, deadlines."""
from framework import check, check_equal, raises_rpc, wait_until
from jobkit import WINDOW_UNIT, balance, fee_in, matrix, product, read_result, spender, wait_status, wait_task
from scenariokit import ScenarioTest

REWARD = 9_000_000
EXPIRE_DEPTH = 60


class TestScenarioMarket(ScenarioTest):
    coins = 8

    def run(self):
        self.rival = self.nodes[2]
        self.refuses()
        self.vanishes()
        self.race()
        self.deadline()
        self.finish()

    def a_task(self, seed, **options):
        client = self.client
        a, b = matrix(128, 256, seed), matrix(256, 128, seed + 1)
        reply, (task,) = self.submit_mined(a, b, **dict({'reward': '0.09'}, **options))
        for node in self.nodes[1:]:
            self.operands(node, task)
        return reply['job'], task, product(a, b)

    def refuses(self):
        self.step('a client that does not certify keeps its solver waiting for a window, and no longer')
        client, solver, _ = self.nodes
        job, task, truth = self.a_task(1)
        paid, rich = self.balances(client, solver)
        client.rpc.unloadwallet('')
        claim = solver.rpc.solvetask(task, {'burn': '0.01'})['txid']
        fees = fee_in(solver, claim, self.mine_txs(client, claim))
        self.mine(1)
        with raises_rpc(-4, 'window is open'):
            solver.rpc.settletask(task)
        self.pass_median(WINDOW_UNIT + 60)
        if solver.rpc.gettask(task)['status'] == 'claimed':
            self.mine_action(client, task, 'take')
        end = wait_status(client, task, 'settled')['end']
        check_equal(end['action'], 'take')
        fee = fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        check(fee > 1_000_000, 'the burn is in the fee')
        check_equal(balance(solver), rich + REWARD - fees - fee, 'balance of the solver')
        client.rpc.loadwallet('')
        wait_task(client, task, lambda t: t['check'] == 'right', 'a check afterwards')
        check((read_result(client, job) == truth).all(), 'the result')
        check_equal(balance(client), paid, 'balance of the client')

    def vanishes(self):
        self.step('a solver that neither accepts nor takes: two windows and 60 blocks, then its claim expires')
        client, solver, _ = self.nodes
        _, task, _ = self.a_task(3)
        rich = self.balances(client, solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        client.rpc.unloadwallet('')
        rich[1] -= fee_in(client, claim, self.mine_txs(client, claim))
        solver.stop()
        bond = self.bond(client, task)
        self.pass_median(2 * WINDOW_UNIT + 60)
        height = client.rpc.gettask(task)['claim']['height']
        self.mine(height + EXPIRE_DEPTH - 1 - client.rpc.getblockcount())
        client.rpc.loadwallet('')
        # The block after this one is the first that may have it. What it asks for meanwhile is the data.
        check_equal(client.rpc.getblockcount(), height + EXPIRE_DEPTH - 1)
        check(spender(client, client.rpc.gettask(task)['outpoint']) is None, 'a spend before its time')
        self.mine(1)
        expire, fee = self.mine_action(client, task, 'expire')
        info = wait_status(client, task, 'open')
        check_equal((info['restored'], info['reason'], info['disputes'][0]['txid']), (1, 'abandoned', expire))
        check_equal(balance(client), rich[0] + bond - fee, 'balance of the client')
        solver.start()
        self.join()
        check_equal(balance(solver), rich[1] - bond, 'balance of the solver')
        # Back again, it may do better.
        rich = self.balances(client, solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fees], 'balances')

    def race(self):
        self.step('two solvers race: one claim is mined, and the other costs nothing')
        client, solver, rival = self.nodes
        _, task, _ = self.a_task(5)
        rich = self.balances(solver, rival, client)
        self.part(solver)
        late = rival.rpc.solvetask(task, {'burn': 'none'})['txid']
        first = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        wait_until(lambda: late in client.rpc.getrawmempool(), 'the rival\'s claim')
        fees = fee_in(solver, first, self.mine_txs(solver, first, sync=[solver]))
        self.join()
        wait_until(lambda: late not in rival.rpc.getrawmempool(), 'the rival\'s claim to go')
        check_equal(balance(rival), rich[1], 'balance of the rival')
        with raises_rpc():
            rival.rpc.solvetask(task, {'burn': 'none'})
        fees += self.mine_action(client, task, 'accept')[1]
        check_equal(wait_status(rival, task, 'settled')['claim']['solver'], solver.rpc.getsolverkey())
        check_equal(self.balances(solver, rival, client), [rich[0] + REWARD - fees, *rich[1:]], 'balances')

        self.step('what backed one block backs no other')
        check(solver.rpc.getbacking()['origins'], 'nothing to back a block with')
        backing = solver.rpc.getbacking()
        _, open_task, _ = self.a_task(7)
        block = solver.rpc.generatejobblock(open_task)['hash']
        self.sync_blocks()
        for origin in backing['origins']:
            check(client.rpc.gettask(origin)['backed'], 'backed')
        check_equal(solver.rpc.getbacking()['origins'], [])
        reward = client.rpc.getblock(block, 2)['tx'][0]['vout'][0]['value']
        second = solver.rpc.generatejobblock(open_task)['hash']
        self.sync_blocks()
        none = sum(out['value'] for out in client.rpc.getblock(second, 2)['tx'][0]['vout'])
        check_equal(none, 0, 'subsidy of a block without backing')
        check(reward > 0, 'subsidy of a backed block')
        self.left = open_task

    def deadline(self):
        self.step('the deadline passes while a claim is under way: either the refund or the claim, never both')
        client, solver, rival = self.nodes
        _, task, _ = self.a_task(9)
        rich = self.balances(client, solver)
        self.part(solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        self.pass_median(2 * 86400, sync=[client, rival])
        for origin in (task, self.left):
            if client.rpc.gettask(origin)['status'] == 'open':
                self.mine_action(client, origin, 'refund', sync=[client, rival])
            end = wait_status(client, origin, 'refunded')['end']
            rich[0] += REWARD - fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        self.join()
        wait_until(lambda: claim not in solver.rpc.getrawmempool(), 'the claim to go')
        check_equal(self.balances(client, solver), rich, 'balances after a refund')

        _, task, _ = self.a_task(11)
        rich = self.balances(client, solver)
        client.rpc.unloadwallet('')
        self.pass_median(2 * 86400)
        self.part(solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        client.rpc.loadwallet('')
        refund = self.pending(client, task, 'refund')
        fees = fee_in(solver, claim, self.mine_txs(solver, claim, sync=[solver]))
        self.join()
        wait_until(lambda: refund not in client.rpc.getrawmempool(), 'the refund to go')
        with raises_rpc(-4, 'not open'):
            client.rpc.refundtask(task)
        fees += self.mine_action(client, task, 'accept')[1]
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fees], 'balances after a claim')

    def join(self):
        self.solver.connect(self.client)
        self.rival.connect(self.solver)
        self.sync_blocks()


if __name__ == '__main__':
    TestScenarioMarket().main()
