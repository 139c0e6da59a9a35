#!/usr/bin/python3
"""Data that does not come: challenges force it out, or end the claim, and each side pays for its own part."""
from framework import check, check_equal, wait_until
from jobkit import (WINDOW_UNIT, balance, embers, fee_in, matrix, origins, product, read_result, spender, wait_status,
                    wait_task)
from minerkit import Miner
from scenariokit import DEPOSIT, ScenarioTest

REWARD = 90_000_000
PATIENCE = WINDOW_UNIT // 4


class TestScenarioWithhold(ScenarioTest):
    def run(self):
        self.silent()
        self.forced_out()
        self.rejected()
        self.unasked()
        self.refunded()
        self.finish()

    def claim_alone(self, a, b, reward='0.9', **options):
        """A task whose solver claims it and then stands alone: (job, task, bond, balances before)."""
        client, solver, _ = self.nodes
        reply, (task,) = self.submit_mined(a, b, reward=reward, **options)
        self.operands(solver, task)
        rich = self.balances(client, solver)
        self.part(solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        self.carry_tx(solver, client, claim)
        block = self.mine_txs(client, claim, sync=[client, self.nodes[2]])
        self.carry_blocks(client, solver)
        rich[1] -= fee_in(client, claim, block)
        wait_task(client, task, lambda t: t['check'] == 'fetching', 'the wait for a result')
        return reply['job'], task, self.bond(client, task), rich

    @property
    def others(self):
        return [self.client, self.nodes[2]]

    def silent(self):
        self.step('a solver that claims and is gone loses its bond, once it was asked')
        client, solver, _ = self.nodes
        _, task, bond, rich = self.claim_alone(matrix(200, 300, 1), matrix(300, 100, 2), task_rows=2, task_cols=1)
        solver.stop()
        self.advance(PATIENCE - 10)
        self.mine(1)
        check_equal(client.rpc.getrawmempool(), [])
        self.advance(20)
        challenge, fee = self.mine_action(client, task, 'challenge')
        info = client.rpc.gettask(task)
        check_equal((info['status'], info['claim']['asked']), ('challenged', 1))
        check(info['claim']['tile'] in (0, 1), 'tile')
        check_equal(balance(client), rich[0] - DEPOSIT - fee, 'balance with a deposit out')
        client.restart()
        client.connect(self.nodes[2])
        self.pass_median(WINDOW_UNIT + 60)
        if client.rpc.gettask(task)['status'] == 'challenged':
            self.mine_action(client, task, 'expire')
        info = wait_status(client, task, 'open')
        check_equal((info['restored'], info['reason']), (1, 'unanswered'))
        check_equal([event['action'] for event in info['disputes']], ['challenge', 'expire'])
        expire = info['disputes'][1]
        fees = fee + fee_in(client, expire['txid'], client.rpc.getblockhash(expire['height']))
        check_equal(balance(client), rich[0] + bond - fees, 'balance of the client')
        solver.start()
        solver.connect(client)
        self.sync_blocks()
        check_equal(balance(solver), rich[1] - bond, 'balance of the solver')

        self.step('the task that is open again is solved as any other')
        client, solver = client, self.nodes[2]
        rich = self.balances(client, solver)
        self.operands(solver, task)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        wait_status(client, task, 'settled')
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fees], 'balances')

    def ask(self, task, wait=PATIENCE + 10):
        """The client asks for a tile after so many seconds, and the solver's node answers; (fees of both, less the deposit, tile)."""
        client, solver, _ = self.nodes
        self.advance(wait)
        fees = [self.mine_action(client, task, 'challenge', sync=self.others)[1]]
        self.carry_blocks(client, solver)
        tile = client.rpc.gettask(task)['claim']['tile']
        answer = self.pending(solver, task, 'answer')
        self.carry_tx(solver, client, answer)
        fees.append(self.answer_fee(self.mine_action(client, task, 'answer', sync=self.others)[1]))
        self.carry_blocks(client, solver)
        wait_status(client, task, 'claimed')
        return fees, tile

    def forced_out(self):
        self.step('four tiles, four answers: the whole result came over the chain, and the deposits are nobody\'s')
        client, solver, _ = self.nodes
        a, b = matrix(256, 256, 3), matrix(256, 256, 4)
        job, task, _, rich = self.claim_alone(a, b, task_rows=2, task_cols=2)
        tiles = set()
        # Twice just before the window ends: each answer begins a new one.
        for wait in (PATIENCE + 10, WINDOW_UNIT - 40, WINDOW_UNIT - 40, PATIENCE + 10):
            fees, tile = self.ask(task, wait)
            tiles.add(tile)
            rich[0] -= DEPOSIT + fees[0]
            rich[1] -= fees[1]
        check_equal(tiles, {0, 1, 2, 3})
        wait_task(client, task, lambda t: t['certified'], 'a certificate')
        check((read_result(client, job) == product(a, b)).all(), 'the result')
        solver.connect(client)
        fee = self.mine_action(solver, task, 'accept')[1]
        wait_status(client, task, 'settled')
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fee], 'balances')

    def rejected(self):
        self.step('eight right answers and nothing else: the client burns the escrow rather than pay for what it has not')
        client, solver, _ = self.nodes
        a, b = matrix(384, 256, 5), matrix(256, 512, 6)
        job, task, bond, rich = self.claim_alone(a, b, task_rows=3, task_cols=4)
        for number in range(8):
            fees, _ = self.ask(task)
            rich[0] -= DEPOSIT + fees[0]
            rich[1] -= fees[1]
            if number == 2:
                client.restart()
                client.connect(self.nodes[2])
            if number == 5:
                solver.restart()
        self.advance(PATIENCE + 10)
        reject, fee = self.mine_action(client, task, 'reject', sync=self.others)
        self.carry_blocks(client, solver)
        check(REWARD < fee < REWARD + 100_000, 'the escrow burns')
        info = client.rpc.gettask(task)
        check_equal((info['status'], info['reason'], info['end']['action'], info['end']['txid'], len(info['disputes'])),
                    ('rejected', 'undelivered', 'reject', reject, 17))
        check('record' not in info, 'a record of a rejected task')
        # The escrow left the client's balance when the job was funded.
        check_equal(self.balances(client, solver), [rich[0] - (fee - REWARD), rich[1]], 'balances')
        check_equal(bond, 22_500_000)
        solver.connect(client)
        self.sync_blocks()
        check_equal(spender(solver, info['claim']['outpoint']), None)

        self.step('the client\'s node offers the task again, at the same pay, and an honest solver has it')
        third = self.nodes[2]
        rich = self.balances(client, third)
        again, spent = self.offered_again(job, task)
        solver.connect(client)
        self.sync_blocks()
        self.operands(third, again)
        claim = third.rpc.solvetask(again, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(third, again, 'accept')[1]
        wait_status(client, again, 'settled')
        check_equal(self.balances(client, third), [rich[0] - spent, rich[1] + REWARD - fees], 'balances')
        self.delivered(job, a, b)

    def offered_again(self, job, task):
        """The task in its new offer, mined, and what that took of the client. Its node is killed while it waits to send it."""
        client = self.client
        client.kill()
        client.start()
        client.connect(self.nodes[2])

        def confirmed():
            offers = [offer for offer in client.rpc.getjob(job, True)['transactionlist'] if offer['automatic']]
            if offers and offers[-1]['status'] == 'confirmed':
                return offers
            self.mine(1, sync=self.others)
            return None
        offer, = wait_until(confirmed, 'a new offer', step=0.3)
        again, = (origin for origin in origins(client, job) if origin != task)
        self.known.append(again)
        info = client.rpc.gettask(again)
        check_equal((info['status'], embers(info['escrow']), offer['escrow']), ('open', REWARD, info['escrow']))
        return again, REWARD + embers(offer['fee'])

    def delivered(self, job, a, b):
        wait_until(lambda: self.client.rpc.getjob(job)['resulthere'], 'the result')
        check((read_result(self.client, job) == product(a, b)).all(), 'the result')
        check_equal(self.client.rpc.getjob(job)['status'], 'done')

    def unasked(self):
        self.step('a deposit would be more than the escrow: nobody is asked, and who serves nothing has no more than delivery pays')
        client, solver, _ = self.nodes
        a, b = matrix(384, 256, 9), matrix(256, 512, 10)
        _, task, _, rich = self.claim_alone(a, b, reward='0.02', task_rows=3, task_cols=4)
        for seconds in (PATIENCE + 10, WINDOW_UNIT // 2):
            self.advance(seconds)
            self.mine(1, sync=self.others)
            wait_task(client, task, lambda t: 'is not worth asking' in t.get('note', ''), 'the client to let it be')
            check_equal(client.rpc.getrawmempool(), [])
        self.pass_median(WINDOW_UNIT, sync=self.others)
        self.carry_blocks(client, solver)
        self.carry_tx(solver, client, self.pending(solver, task, 'take'))
        _, fee = self.mine_action(client, task, 'take', sync=self.others)
        self.carry_blocks(client, solver)
        info = wait_status(client, task, 'settled')
        check_equal((info['claim']['asked'], info['disputes']), (0, []))
        check_equal(self.balances(client, solver), [rich[0], rich[1] + DEPOSIT - fee], 'balances')
        solver.connect(client)
        self.sync_blocks()

    def refunded(self):
        self.step('a claim that is given up uses up the time of its task, which is refunded, and offered again')
        client, solver, third = self.nodes
        a, b = matrix(256, 256, 7), matrix(256, 128, 8)
        job, task, bond, rich = self.claim_alone(a, b, task_rows=2, task_cols=1, deadline=5 * WINDOW_UNIT)
        self.advance(PATIENCE + 10)
        rich[0] -= self.mine_action(client, task, 'challenge', sync=self.others)[1]
        self.pass_median(5 * WINDOW_UNIT, sync=self.others)

        def refunded():
            if client.rpc.gettask(task)['status'] == 'refunded':
                return client.rpc.gettask(task)
            self.mine(1, sync=self.others)
            return None
        info = wait_until(refunded, 'the refund', step=0.3)
        check_equal((info['restored'], info['reason']), (1, 'unanswered'))
        again, spent = self.offered_again(job, task)
        for end in (info['disputes'][-1], info['end']):
            spent += fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        rich[0] += bond + REWARD - spent
        check_equal(balance(client), rich[0], 'balance of the client')
        solver.connect(client)
        self.sync_blocks()
        check_equal(balance(solver), rich[1] - bond, 'balance of the solver that gave up')

        self.step('fornax-miner solves it')
        earned = balance(third)
        miner = Miner(self, third, 'miner', '--burn=none', '--blocks-per-task=1').start()
        info, = self.settled([again])
        miner.stop()
        self.sync_blocks()
        check_equal((info['claim']['solver'], balance(client)), (third.rpc.getsolverkey(), rich[0]))
        self.delivered(job, a, b)
        earned += REWARD
        for txid, height in ((info['claim']['outpoint'].split(':')[0], info['claim']['height']),
                             (info['end']['txid'], info['end']['height'])):
            earned -= fee_in(client, txid, client.rpc.getblockhash(height))
        for block in info['blocks']:
            earned += sum(embers(out['value']) for out in client.rpc.getblock(block, 2)['tx'][0]['vout'])
        check_equal(balance(third), earned, 'balance of the honest solver')



if __name__ == '__main__':
    TestScenarioWithhold().main()
