#!/usr/bin/python3
# sanitizer: yes
"""Tasks that nobody claimed go back to the client after the deadline; a claim in time, or first, keeps them."""
from framework import RPCError, check, check_equal, raises_rpc, wait_until
from jobkit import JobTest, balance, embers, fee_in, matrix, spender, wait_status, wait_task

REWARD = 5_000_000


class TestTaskRefund(JobTest):
    def run(self):
        client, solver = self.nodes
        a, b = matrix(256, 256, 1), matrix(256, 256, 2)
        paid = balance(client)
        self.step('four tasks with a deadline')
        reply, tasks = self.submit_mined(a, b, task_rows=1, task_cols=1, reward='0.05', deadline=5_000, window=20)
        paid -= 4 * REWARD + embers(reply['fee'])
        check_equal((len(tasks), reply['deadline'], balance(client)), (4, self.now + 5_000, paid))
        with raises_rpc(-4, 'deadline is not past'):
            client.rpc.refundtask(tasks[0])
        with raises_rpc(-4, 'does not have the key'):
            solver.rpc.refundtask(tasks[0])

        self.step('the clock passes the deadline, the median time does not: nothing happens')
        self.advance(5_100)
        with raises_rpc(-4, 'deadline is not past'):
            client.rpc.refundtask(tasks[0])

        self.step('two tasks are claimed when the deadline passes, the others are refunded by themselves')
        solved = [solver.rpc.solvetask(task, {'burn': 'none'})['txid'] for task in tasks[:2]]
        self.mine_txs(client, *solved)
        self.mine(11, client)
        refunds = [wait_until(lambda: spender(client, task), 'a refund') for task in tasks[2:]]
        with raises_rpc(-4, 'waits in the mempool'):
            client.rpc.refundtask(tasks[2])
        with raises_rpc(-4, 'not open'):
            client.rpc.refundtask(tasks[0])
        block = self.mine_txs(client, *refunds)
        fees = sum(fee_in(client, txid, block) for txid in refunds)
        for task, refund in zip(tasks[2:], refunds):
            info = wait_status(client, task, 'refunded')
            check_equal((info['end']['action'], info['end']['txid']), ('refund', refund))
            check('record' not in info, 'the chain forgets what was refunded')
        check_equal(balance(client), paid + 2 * REWARD - fees, 'balance of the client')

        self.step('claimed tasks settle after their deadline')
        for task in tasks[:2]:
            wait_task(solver, task, lambda t: t['certified'] or t['status'] == 'settled', 'a certificate')
            if solver.rpc.gettask(task)['status'] != 'settled':
                accept = wait_until(lambda: spender(solver, solver.rpc.gettask(task)['claim']['outpoint']), 'the accept')
                self.mine_txs(solver, accept)
            check_equal(wait_status(client, task, 'settled')['end']['action'], 'accept')
        job = client.rpc.getjob(reply['job'])
        check_equal((job['status'], job['tasks']['refunded'], job['tasks']['settled']), ('ended', 2, 2))
        with raises_rpc(None, 'not here yet'):
            client.rpc.getjobresult(reply['job'], 128, 1)
        self.manual(a, b)
        self.race(a, b)

    def manual(self, a, b):
        self.step('a refund by hand, by a wallet that was not loaded when the deadline passed')
        client, solver = self.nodes
        tasks = self.submit_mined(a, b, task_rows=2, task_cols=2, reward='0.05', deadline=5_000, window=20)[1]
        paid = balance(client)
        client.rpc.unloadwallet('')
        self.advance(5_100)
        self.mine(11, solver)
        check_equal(client.rpc.getrawmempool(), [])
        client.rpc.loadwallet('')
        # Within a second the node would do it by itself: where that came first, the call says so.
        try:
            refund = client.rpc.refundtask(tasks[0])['txid']
        except RPCError as error:
            check('waits in the mempool' in error.message, error.message)
            refund, = client.rpc.getrawmempool()
        block = self.mine_txs(client, refund)
        check_equal(wait_status(client, tasks[0], 'refunded')['end']['txid'], refund)
        check_equal(balance(client), paid + REWARD - fee_in(client, refund, block), 'balance of the client')
        with raises_rpc(-4, 'not open'):
            client.rpc.refundtask(tasks[0])
        with raises_rpc(-8, 'not open'):
            solver.rpc.solvetask(tasks[0])

    def race(self, a, b):
        self.step('a claim and a refund race: one of them is mined, both nodes agree')
        client, solver = self.nodes
        tasks = self.submit_mined(a, b, task_rows=1, task_cols=2, reward='0.05', deadline=5_000, window=20)[1]
        wait_until(lambda: solver.rpc.prepareoperands(tasks[0])['here'], 'the operands')
        self.part(client)
        self.advance(5_100)
        self.mine(11, client, sync=[client])
        wait_until(lambda: len(client.rpc.getrawmempool()) == 2, 'two refunds')
        claim = solver.rpc.solvetask(tasks[0], {'burn': 'none'})['txid']
        before = balance(solver)
        # The client's branch, longer, has the refund of one task: the other node's claim of it is void.
        refunds = client.rpc.getrawmempool()
        spends = {client.rpc.getrawtransaction(txid, True)['vin'][0]['vout']: txid for txid in refunds}
        self.mine_txs(client, *refunds, sync=[client])
        client.connect(solver)
        self.sync_blocks()
        wait_until(lambda: claim not in solver.rpc.getrawmempool(), 'the claim to leave the pool')
        check_equal(sorted(spends.values()), sorted(refunds))
        for node in self.nodes:
            for task in tasks:
                wait_status(node, task, 'refunded')
        check(balance(solver) > before, 'the bond is not free again: %d, before %d' % (balance(solver), before))
        with raises_rpc(-4, 'refunded'):
            solver.rpc.claimtask(tasks[0], '00' * 32)

        self.step('and the other way round: the claim is mined first, the refund leaves the pool')
        tasks = self.submit_mined(a, b, task_rows=2, task_cols=2, reward='0.05', deadline=5_000, window=20)[1]
        wait_until(lambda: solver.rpc.prepareoperands(tasks[0])['here'], 'the operands')
        self.part(client)
        self.advance(5_100)
        self.mine(11, client, sync=[client])
        wait_until(lambda: client.rpc.getrawmempool(), 'the refund')
        (refund,) = client.rpc.getrawmempool()
        claim = solver.rpc.solvetask(tasks[0], {'burn': 'none'})['txid']
        self.mine_txs(solver, claim, sync=[solver])
        self.mine(11, solver, sync=[solver])
        client.connect(solver)
        self.sync_blocks()
        wait_until(lambda: refund not in client.rpc.getrawmempool(), 'the refund to leave the pool')
        wait_task(client, tasks[0], lambda t: t['certified'], 'a certificate')
        wait_until(lambda: client.rpc.getrawmempool(), 'the accept')
        self.mine_txs(client, *client.rpc.getrawmempool())
        for node in self.nodes:
            check_equal(wait_status(node, tasks[0], 'settled')['claim']['outpoint'], claim + ':0')
        check_equal(client.rpc.gettxoutsetinfo(), solver.rpc.gettxoutsetinfo())


if __name__ == '__main__':
    TestTaskRefund().main()
