#!/usr/bin/python3
# sanitizer: yes
"""Wrong results: found out by the client and proven wrong on the chain; where it is away, taken unless the samples hit."""
import os
import struct

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobkit import (TILE, WINDOW_UNIT, JobTest, balance, embers, fee_in, http, matrix, padded_product, spender, upload_result,
                    wait_status, wait_task)
from p2p import Peer, id_bytes, tagged_hash

REWARD = 9_000_000


def outpoint_bytes(text):
    txid, index = text.split(':')
    return id_bytes(txid) + struct.pack('<I', int(index))


class TestWrongResult(JobTest):
    coins = 5  # the change of a claim can be spent only once that is mined

    def run(self):
        client, solver = self.nodes
        self.a, self.b = matrix(512, 300, 1), matrix(300, 200, 2)
        self.truth = padded_product(self.a, self.b)
        check_equal(self.truth.shape, (512, 256))
        reply, self.tasks = self.submit_mined(self.a, self.b, task_rows=1, task_cols=2, reward='0.09')
        wait_until(lambda: solver.rpc.prepareoperands(self.tasks[0])['here'], 'the operands')
        self.refused()
        self.found_out(reply['job'])
        self.claim_again()
        self.forged()
        self.taken(reply['job'])
        self.spoiled()

    def claim(self, number, result):
        """Uploads this as the result of a task, and claims it; the claim's id."""
        task = self.solver.rpc.gettask(self.tasks[number])
        key = self.solver.rpc.getsolverkey()
        root = upload_result(self.solver, task, key, result)
        return self.solver.rpc.claimtask(self.tasks[number], root, 'none')['txid']

    def refused(self):
        self.step('what does not even fit is no result')
        solver = self.solver
        task = solver.rpc.gettask(self.tasks[0])
        key = solver.rpc.getsolverkey()
        with raises_rpc(-8, 'not uploaded'):
            solver.rpc.claimtask(self.tasks[0], os.urandom(32).hex())
        root = upload_result(solver, task, os.urandom(32).hex(), self.truth)
        with raises_rpc(-8, "not uploaded under the solver's key"):
            solver.rpc.claimtask(self.tasks[0], root)
        narrow = dict(task, shape=dict(task['shape'], cols=1))
        root = upload_result(solver, narrow, key, self.truth)
        with raises_rpc(-8, 'tiles'):
            solver.rpc.claimtask(self.tasks[0], root)
        for burn in ('0.10', '-1', 'some'):
            with raises_rpc():
                solver.rpc.claimtask(self.tasks[0], upload_result(solver, task, key, self.truth), burn)

    def found_out(self, job):
        self.step('one entry of 32,768 is wrong, in the padding, in a corner; one task is right')
        client, solver = self.nodes
        self.wrong = [self.truth.copy() for _ in range(3)]
        self.wrong[0][77, 130] += 1                         # one entry
        self.wrong[1][TILE, 0] ^= 1 << 30                   # first of its task
        self.wrong[2][2 * TILE:3 * TILE, ::2] -= 1          # every other column: the samples decide
        rich, earned = balance(client), balance(solver)
        claims = [self.claim(number, result) for number, result in enumerate(self.wrong + [self.truth])]
        block = self.mine_txs(client, *claims)
        earned -= sum(fee_in(solver, claim, block) for claim in claims)
        for number in range(3):
            info = wait_task(client, self.tasks[number], lambda t: t['check'] == 'wrong', 'a wrong result to be found out')
            check_equal((info['status'], info['certified'], info['reason']), ('claimed', False, 'wrong-result'))
            if number < 2:
                row, column = ((77, 130), (TILE, 0))[number]
                check_equal(info['note'], 'wrong result: entry (%d, %d) is %d, not %d' % (
                    row, column, self.wrong[number][row, column], self.truth[row, column]))
            check(info['note'].startswith('wrong result: entry ('), info['note'])
        wait_task(client, self.tasks[3], lambda t: t['certified'], 'the right one to be certified')
        with raises_rpc(-4, 'The result of task 0 is wrong'):
            client.rpc.getjobresult(job, 0, 1)

        self.step('proofs go out at once; they open the tasks again, and cost each claim its bond')
        info = client.rpc.gettask(self.tasks[0])
        outputs = [client.rpc.gettask(origin)['outpoint'] for origin in self.tasks]
        wait_until(lambda: len(solver.rpc.getrawmempool()) == 4, 'three proofs and an accept')
        bonds = [embers(client.rpc.gettask(origin)['claim']['bond']) for origin in self.tasks]
        frauds = [spender(solver, output) for output in outputs[:3]]
        accept = spender(solver, outputs[3])
        block = self.mine_txs(client, accept, *frauds)
        check_equal([t['status'] for t in client.rpc.listtasks('all', job)], ['open'] * 3 + ['settled'])
        for number in range(3):
            info = client.rpc.gettask(self.tasks[number])
            check_equal((info['restored'], info['reason'], info['outpoint']), (1, 'wrong-result', frauds[number] + ':0'))
            check('claim' not in info, 'a claim of an open task')
            event, = info['disputes']
            check_equal((event['action'], event['txid'], event['solver']), ('fraud', frauds[number], solver.rpc.getsolverkey()))
        fees = [fee_in(solver, txid, block) for txid in frauds]
        check(all(bond // 2 < fee < bond // 2 + 100_000 for bond, fee in zip(bonds, fees)), 'half of each bond burns')
        check_equal(balance(client), rich + sum(bonds[:3]) - sum(fees), 'balance of the client')
        check_equal(balance(solver), earned - sum(bonds[:3]) + REWARD - fee_in(solver, accept, block), 'balance of the cheat')
        check_equal(sorted(t['origin'] for t in solver.rpc.listtasks('restored')), sorted(self.tasks[:3]))
        counts = client.rpc.getjob(job)
        check_equal((counts['tasks']['certified'], counts['tasks']['wrong'], counts['resulthere']), (1, 3, False))
        check_equal(http(client, 'GET', '/job/%s/result.npy' % job)[0], 409)
        with raises_rpc(-4, 'task 0 is not done'):
            client.rpc.getjobresult(job, 0, 1)
        check((numpy.array(client.rpc.getjobresult(job, 3 * TILE, TILE, 'array')['data']) ==
               self.truth[3 * TILE:, :200]).all(), 'the rows that are right')

    def claim_again(self):
        self.step('the client goes away, and the same results are claimed again')
        self.client.stop()
        claims = [self.claim(number, self.wrong[number]) for number in range(3)]
        self.mine_txs(self.solver, *claims)
        self.mine(1)  # chooses the samples
        with raises_rpc(-4, 'window is open'):
            self.solver.rpc.settletask(self.tasks[0])

    def forged(self):
        self.step('a forged certificate changes nothing and is blamed on its sender, one of no claim is passed over')
        solver = self.solver
        script = solver.rpc.gettxout(*split(solver.rpc.gettask(self.tasks[0])['claim']['outpoint']))['scriptPubKey']['hex']
        program = bytes.fromhex(script)[2:]
        peer = Peer(solver)
        peer.send('cert', os.urandom(36) + program + os.urandom(64))
        peer.send('cert', outpoint_bytes(self.tasks[0]) + os.urandom(32) + os.urandom(64))
        peer.ping()
        check_equal(len(solver.rpc.getpeerinfo()), 1)
        for _ in range(5):
            peer.send('cert', outpoint_bytes(self.tasks[0]) + program + os.urandom(64))
        peer.wait_closed()
        check(not solver.rpc.gettask(self.tasks[0])['certified'], 'a forged certificate is believed')

    def hits(self, number, beacon):
        """Whether a sample of take falls on a wrong entry: protocol section 5."""
        for sample in range(2):
            random = tagged_hash('fornax/sample', id_bytes(beacon) + outpoint_bytes(self.tasks[number]) + bytes([sample]))
            row = int.from_bytes(random[:8], 'little') % TILE + number * TILE
            column = int.from_bytes(random[8:16], 'little') % (2 * TILE)
            if self.wrong[number][row, column] != self.truth[row, column]:
                return True
        return False

    def taken(self, job):
        self.step('after the window: take, unless a sample hits a wrong entry')
        client, solver = self.nodes
        height = solver.rpc.gettask(self.tasks[0])['claim']['height']
        beacon = solver.rpc.getblockhash(height + 1)
        caught = [self.hits(number, beacon) for number in range(3)]
        print('         hit: %s' % caught)
        earned = balance(solver)
        self.pass_median(WINDOW_UNIT + 60)
        wait_until(lambda: len(solver.rpc.getrawmempool()) == caught.count(False), 'the takes that can be')
        takes = solver.rpc.getrawmempool()
        for number in range(3):
            if caught[number]:
                info = wait_task(solver, self.tasks[number], lambda t: 'sample' in t.get('note', ''), 'a note')
                with raises_rpc(None, 'sample'):
                    solver.rpc.settletask(self.tasks[number])
                check_equal(info['status'], 'claimed')
        if takes:
            self.mine_txs(solver, *takes)
        pay = sum(REWARD + embers(solver.rpc.gettask(self.tasks[number])['claim']['bond'])
                  for number in range(3) if not caught[number])
        check(pay - 100_000 * len(takes) <= balance(solver) - earned <= pay, 'pay of the takes')

        self.step('back again, the client proves wrong what could not be taken')
        client.start()
        client.connect(solver)
        self.sync_blocks()
        for number in range(3):
            info = wait_task(client, self.tasks[number], lambda t: t['check'] == 'wrong', 'a wrong result to be found out')
            check_equal((info['certified'], info['reason']), (False, 'wrong-result'))
            if caught[number]:
                fraud = wait_until(lambda: spender(client, info['outpoint']), 'a fraud proof')
                self.mine_txs(client, fraud)
                check_equal(wait_status(client, self.tasks[number], 'open')['restored'], 2)
            else:
                check_equal((info['status'], info['end']['action']), ('settled', 'take'))
        check_equal(client.rpc.getjob(job)['resulthere'], False)

    def spoiled(self):
        self.step('solvetask spoils a result on request')
        client, solver = self.nodes
        self.tasks = self.submit_mined(self.a[:100], self.b, task_rows=1, task_cols=2, reward='0.09')[1]
        wait_until(lambda: solver.rpc.prepareoperands(self.tasks[0])['here'], 'the operands')
        claim = solver.rpc.solvetask(self.tasks[0], {'spoil': True, 'burn': 'none'})['txid']
        self.mine_txs(client, claim)
        info = wait_task(client, self.tasks[0], lambda t: t['check'] == 'wrong', 'a spoiled result to be found out')
        entry = int(self.truth[0, 0])
        check_equal(info['note'], 'wrong result: entry (0, 0) is %d, not %d' % (entry + 1, entry))


def split(outpoint):
    txid, index = outpoint.split(':')
    return txid, int(index)


if __name__ == '__main__':
    TestWrongResult().main()
