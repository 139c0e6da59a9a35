#!/usr/bin/python3
"""Receipts: made by the client's node, checked by another one without the data, and every way to alter one."""
import copy
import json
import os

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobblock import Key
from jobkit import JobTest, embers, origins, submit, wait_task
from p2p import tagged_hash


def sign(receipt, key):
    """As if it were a receipt of this key."""
    receipt = dict(receipt, client=key.public.hex())
    text = json.dumps({name: value for name, value in receipt.items() if name != 'signature'}, separators=(',', ':'), sort_keys=True)
    return dict(receipt, signature=key.sign(tagged_hash('fornax/receipt', text.encode())).hex())


class TestJobReceipt(JobTest):
    coins = 6

    def run(self):
        self.make()
        self.check_elsewhere()
        self.altered()
        self.reorganised()

    def make(self):
        self.step('a receipt of a job that is done')
        client, solver = self.client, self.solver
        chance = numpy.random.default_rng(5)
        with raises_rpc(-5):
            client.rpc.getreceipt('ab' * 32)
        self.job = submit(client, chance.integers(-64, 64, (200, 300), 'i1'), chance.integers(-64, 64, (300, 130), 'i1'),
                          task_rows=1, task_cols=1, reward='0.05')['job']
        self.mine_txs(client, self.job)
        with raises_rpc(-1, 'the job has 0'):
            client.rpc.getreceipt(self.job)
        tasks = origins(client, self.job)
        for task in tasks:
            wait_until(lambda task=task: solver.rpc.prepareoperands(task)['here'], 'the operands')
            self.mine_txs(solver, solver.rpc.solvetask(task)['txid'])

        def done():
            if solver.rpc.getrawmempool():
                self.mine(1, solver)
            return client.rpc.getjob(self.job)['status'] == 'done'
        wait_until(done, 'the job to be done', step=0.2)
        with raises_rpc(-4, 'not one of this wallet'):
            solver.rpc.getreceipt(self.job)
        self.receipt = client.rpc.getreceipt(self.job)
        check_equal((self.receipt['job'], self.receipt['network'], self.receipt['total'], len(self.receipt['tasks'])),
                    (self.job, 'regtest', len(tasks), len(tasks)))
        for entry in self.receipt['tasks']:
            task = wait_task(client, entry['origin'], lambda t: t['status'] == 'settled', 'a settled task')
            check_equal((entry['solver'], entry['result'], entry['escrow'], entry['action']),
                        (task['claim']['solver'], task['claim']['result'], embers(task['escrow']), 'accept'))

    def check_elsewhere(self):
        self.step('another node checks it')
        path = os.path.join(self.dir, 'receipt.json')
        status, out, error = self.client.cli('getreceipt', self.job)
        check_equal((status, error), (0, ''))
        with open(path, 'w') as file:
            file.write(out)
        status, out, error = self.solver.cli('verifyreceipt', path)
        check_equal((status, error), (0, ''))
        said = json.loads(out)
        check_equal((said['valid'], said['inchain'], said['job'], said['client'], said['settled'], said['total']),
                    (True, True, self.job, self.receipt['client'], 4, 4))
        check_equal(embers(self.solver.rpc.verifyreceipt(self.receipt)['paid']), 4 * 5_000_000)
        for name, text in (('none', None), ('empty', ''), ('list', '[]'), ('twice', '{"a": 1, "a": 2}')):
            path = os.path.join(self.dir, name)
            if text is not None:
                with open(path, 'w') as file:
                    file.write(text)
            status, out, error = self.solver.cli('verifyreceipt', path)
            check_equal((status, out), (1, ''))
            check(path in error, error)
        check_equal(self.solver.cli('verifyreceipt')[0], 1)

    def verdict(self, receipt):
        said = self.solver.rpc.verifyreceipt(receipt)
        check_equal(said['valid'], False)
        return said['reason']

    def altered(self):
        self.step('a receipt that was altered')
        def change(path, value):
            altered = copy.deepcopy(self.receipt)
            at = altered
            for key in path[:-1]:
                at = at[key]
            if value is None:
                del at[path[-1]]
            else:
                at[path[-1]] = value
            return altered
        for path in (['job'], ['time'], ['total'], ['products', 0, 'rows'], ['products', 0, 'error'], ['tasks', 0, 'solver'],
                     ['tasks', 0, 'claim', 'tx'], ['tasks', 0]):
            altered = change(path, None)
            check_equal(self.verdict(altered), "the signature is not the client's", path)
        check_equal(self.verdict(change(['receipt'], 2)), 'it is no receipt of version 1')
        check_equal(self.verdict(change(['network'], 'main')), 'it is of another network')
        check_equal(self.verdict(change(['signature'], 'zz')), 'client or signature is malformed')
        check_equal(self.verdict({}), 'it is no receipt of version 1')

        # Whoever signs what he likes, under a key of his own.
        key = Key()
        forged = change(['tasks', 0, 'escrow'], 2 ** 62)
        check_equal(self.verdict(sign(forged, key)), 'a task is malformed')
        check_equal(self.verdict(sign(change(['total'], 7), key)), 'a task is of another client')

    def reorganised(self):
        self.step('a node that has another chain')
        last = max(entry['settlement']['height'] for entry in self.receipt['tasks'])
        block = self.solver.rpc.getblockhash(last)
        self.part(self.solver)
        self.solver.rpc.invalidateblock(block)
        said = self.solver.rpc.verifyreceipt(self.receipt)
        check_equal((said['valid'], said['inchain']), (True, False))
        path = os.path.join(self.dir, 'receipt.json')
        check_equal(self.solver.cli('verifyreceipt', path)[0], 1)
        self.solver.rpc.reconsiderblock(block)
        check_equal(self.solver.rpc.verifyreceipt(self.receipt)['inchain'], True)


if __name__ == '__main__':
    TestJobReceipt().main()
