#!/usr/bin/python3
# sanitizer: yes
"""Wrong results: found out by the client, never certified, taken only where the samples do not hit what is wrong."""
import os
import struct

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobkit import (TILE, WINDOW_UNIT, JobTest, balance, embers, http, matrix, padded_product, upload_result, wait_status,
                    wait_task)
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
        with raises_rpc(-8, 'another solver'):
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
        claims = [self.claim(number, result) for number, result in enumerate(self.wrong + [self.truth])]
        self.mine_txs(client, *claims)
        for number in range(3):
            info = wait_task(client, self.tasks[number], lambda t: t['check'] == 'wrong', 'a wrong result to be found out')
            check_equal((info['status'], info['certified']), ('claimed', False))
            if number < 2:
                row, column = ((77, 130), (TILE, 0))[number]
                check_equal(info['note'], 'wrong result: entry (%d, %d) is %d, not %d' % (
                    row, column, self.wrong[number][row, column], self.truth[row, column]))
            check(info['note'].startswith('wrong result: entry ('), info['note'])
        wait_task(client, self.tasks[3], lambda t: t['certified'], 'the right one to be certified')
        wait_until(lambda: solver.rpc.getrawmempool(), 'the accept of the right one')
        accept, = solver.rpc.getrawmempool()
        self.mine_txs(client, accept)
        wait_status(client, self.tasks[3], 'settled')
        check_equal([t['status'] for t in client.rpc.listtasks('all', job)], ['claimed'] * 3 + ['settled'])
        counts = client.rpc.getjob(job)
        check_equal((counts['tasks']['certified'], counts['tasks']['wrong'], counts['resulthere']), (1, 3, False))
        check_equal(http(client, 'GET', '/job/%s/result.npy' % job)[0], 409)
        with raises_rpc(-4, 'The result of task 0 is wrong'):
            client.rpc.getjobresult(job, 0, 1)
        check((numpy.array(client.rpc.getjobresult(job, 3 * TILE, TILE, 'array')['data']) ==
               self.truth[3 * TILE:, :200]).all(), 'the rows that are right')
        with raises_rpc(-4, 'window is open'):
            solver.rpc.settletask(self.tasks[0])

    def forged(self):
        self.step('a forged certificate changes nothing and is blamed on its sender, one of no claim is passed over')
        solver = self.solver
        script = solver.rpc.gettxout(*split(solver.rpc.gettask(self.tasks[0])['claim']['outpoint']))['scriptPubKey']['hex']
        program = bytes.fromhex(script)[2:]
        peer = Peer(solver)
        peer.send('cert', os.urandom(36) + program + os.urandom(64))
        peer.send('cert', outpoint_bytes(self.tasks[0]) + os.urandom(32) + os.urandom(64))
        peer.ping()
        check_equal(len(solver.rpc.getpeerinfo()), 2)
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
            self.mine_txs(client, *takes)
        for number in range(3):
            info = wait_status(client, self.tasks[number], 'claimed' if caught[number] else 'settled')
            check_equal((info['check'], info['certified']), ('wrong', False))
            if not caught[number]:
                check_equal(info['end']['action'], 'take')
        pay = sum(REWARD + embers(solver.rpc.gettask(self.tasks[number])['claim']['bond'])
                  for number in range(3) if not caught[number])
        check(pay - 100_000 * len(takes) <= balance(solver) - earned <= pay, 'pay of the takes')
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
