#!/usr/bin/python3
"""Hostile clients and miners, made by hand: operands that never come, a flood of challenges, one task behind two blocks."""
import os

from framework import COIN, check, check_equal, raises_rpc, wait_until
from hostilekit import FEE, Client, HostileTest
from jobblock import Key
from jobkit import WINDOW_UNIT, fee_in, matrix, wait_status, wait_task
from scenariokit import DEPOSIT

REWARD = 9_000_000
BOND = 2_250_000
CHALLENGES = 8


class TestScenarioHostile(HostileTest):
    coins = 12

    def run(self):
        self.no_operands()
        self.flood()
        self.backs_twice()
        self.finish()

    def settle(self, task, rich):
        """The solver solves a task of the honest client and is paid; its balance must be what it was, and the pay."""
        client, solver = self.client, self.solver
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        wait_status(client, task, 'settled')
        check_equal(self.balances(solver), [rich + REWARD - fees], 'balance of the solver')

    def no_operands(self):
        self.step('operands that nobody has keep a solver from nothing, and cost it nothing')
        client, solver, _ = self.nodes
        rich, = self.balances(solver)
        hostile = Client(self, client)
        bad = hostile.submit(matrix(128, 256, 1), matrix(256, 128, 2), 5 * REWARD, serve=False)
        _, (good,) = self.submit_mined(matrix(128, 256, 3), matrix(256, 128, 4), reward='0.09')
        check_equal(solver.rpc.prepareoperands(bad)['here'], False)
        self.operands(solver, good)
        self.settle(good, rich)
        solver.kill()  # what it waits for is waited for again
        solver.start()
        solver.connect(client)
        self.sync_blocks()
        check_equal((solver.rpc.prepareoperands(bad)['here'], solver.rpc.gettask(bad)['status']), (False, 'open'))
        # Its escrow is locked up until the deadline.
        check_equal(self.lost(hostile.key), 5 * REWARD + FEE, 'what the client put up')

    def challenge(self, hostile, tile, coin=None):
        """The hostile client asks for a tile; the solver's node answers from its store. The fee of the answer."""
        client = self.client
        txid = client.rpc.sendrawtransaction(hostile.challenge(tile, coin or hostile.deposit()).hex())
        self.mine_txs(client, txid)
        fee = self.answer_fee(self.mine_action(client, hostile.task, 'answer')[1])
        wait_status(client, hostile.task, 'claimed')
        return fee

    def flood(self):
        self.step('a client that asks again and again, just before the window ends and over the take, pays for each')
        client, solver, _ = self.nodes
        hostile, second = Client(self, client), Client(self, client)
        for one, seed in ((hostile, 5), (second, 7)):
            one.submit(matrix(256, 256, seed), matrix(256, 256, seed + 1), REWARD)
            self.operands(solver, one.task)
        rich, = self.balances(solver)
        fees = 0
        for one in (hostile, second):
            claim = solver.rpc.solvetask(one.task, {'burn': 'none'})['txid']
            fees += fee_in(client, claim, self.mine_txs(client, claim))
        # All at once, both claims in turn.
        for number in range(3):
            for one in (hostile, second):
                fees += self.challenge(one, number)
        # The window began again with each answer: just before it ends.
        for number in range(3, CHALLENGES - 1):
            self.pass_median(WINDOW_UNIT - 60)
            fees += self.challenge(hostile, number % 4)
        # The window is over, and the take waits in the mempool: the challenge pays more, and replaces it.
        coin = hostile.deposit(4 * FEE)
        self.part(solver)
        self.pass_median(WINDOW_UNIT + 60, sync=[client, self.nodes[2]])
        solver.connect(client)
        self.sync_blocks()
        self.pending(client, hostile.task, 'take')
        fees += self.challenge(hostile, 0, coin)
        info = client.rpc.gettask(hostile.task)
        check_equal((info['claim']['asked'], len(info['disputes'])), (CHALLENGES, 2 * CHALLENGES))
        self.step('no ninth one is taken, and the solver takes its pay without a certificate')
        with raises_rpc(None, 'bad-task-asked'):
            client.rpc.sendrawtransaction(hostile.challenge(1, hostile.deposit()).hex())
        self.pass_median(WINDOW_UNIT + 60)
        for one in (hostile, second):
            if client.rpc.gettask(one.task)['status'] == 'claimed':
                self.mine_action(client, one.task, 'take')
            end = wait_status(client, one.task, 'settled')['end']
            check_equal(end['action'], 'take')
            fees += fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        check_equal(self.balances(solver), [rich + 2 * REWARD - fees], 'balance of the solver')
        # The eighth paid three fees more; the coin of the ninth is still there.
        check_equal(self.lost(hostile.key), REWARD + FEE + CHALLENGES * (DEPOSIT + FEE) + 3 * FEE, 'what the flood cost')
        check_equal(self.lost(second.key), REWARD + FEE + 3 * (DEPOSIT + FEE), 'what the three cost')

    def backs_twice(self):
        self.step('a miner that is its own client: what it burned is worth twice as much, once')
        client, solver, third = self.nodes
        key, burn = Key(), 1_000_000
        job, lane = Client(self, client), Client(self, client)
        job.submit(matrix(128, 256, 9), matrix(256, 128, 10), REWARD)
        lane.submit(matrix(128, 256, 11), matrix(256, 128, 12), REWARD)
        # Nobody but the client looks at the result, and the client is the miner.
        job.claim(key, os.urandom(32), BOND, burn)
        job.accept(key)
        check_equal(client.rpc.gettask(job.task)['backed'], False)
        parent = client.rpc.getbestblockhash()
        value = 2 * burn
        check_equal(lane.block(client, key, [job.task], value + 1)[1], 'bad-cb-amount')
        first, reply = lane.block(client, key, [job.task], value)
        check_equal(reply, None)
        check_equal(client.rpc.gettask(job.task)['backed'], True)
        self.step('the second block is refused, on this branch, and stands on another in place of the first')
        check_equal(lane.block(client, key, [job.task], value)[1], 'bad-work-backing')
        check_equal(lane.block(client, key, [job.task], 0)[1], 'bad-work-backing')
        self.sync_blocks()
        self.part(third)
        third.rpc.invalidateblock(first)
        check_equal((third.rpc.getbestblockhash(), third.rpc.gettask(job.task)['backed']), (parent, False))
        rival, reply = lane.block(third, key, [job.task], value)
        check_equal(reply, None)
        self.mine(1, third, sync=[third])
        third.connect(client)
        self.sync_blocks([client, third])
        check(rival in client.rpc.gettask(lane.task)['blocks'], 'the rival')
        check(first not in client.rpc.gettask(lane.task)['blocks'], 'the first')
        check_equal(lane.block(client, key, [job.task], value)[1], 'bad-work-backing')
        third.rpc.reconsiderblock(first)
        self.sync_blocks()
        paid = [out['value'] for block in client.rpc.gettask(lane.task)['blocks']
                for out in client.rpc.getblock(block, 2)['tx'][0]['vout'] if out['scriptPubKey']['hex'].endswith(key.public.hex())]
        check_equal([int(amount * COIN) for amount in paid], [value], 'subsidies of one task')
        # Miner and client are one: job, claim and accept cost a fee each, and the burn returns twice over, once.
        check_equal(self.lost(key) + self.lost(job.key), 3 * FEE + burn - value, 'what the miner has less')


if __name__ == '__main__':
    TestScenarioHostile().main()
