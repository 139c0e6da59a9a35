#!/usr/bin/python3
# sanitizer: yes
"""A paid job of awkward shape on two nodes, from the upload to the last ember; a third node agrees on all of it."""
import numpy

from framework import COIN, Node, check, check_equal, raises_rpc, wait_until
from jobkit import (JobTest, balance, embers, fee_in, http, matrix, operand_query, origins, panel, product, put, read_result,
                    upload_operand, wait_status, wait_task)

REWARD = 3_000_000
BURN = 700_000
FIRST_SUBSIDY = 10 * COIN
HALVING = 150


class TestJob(JobTest):
    coins = 5  # the solver does not come to its last one, which would be cut for a fee

    def run(self):
        self.a, self.b = matrix(300, 1000, 1), matrix(1000, 77, 2)
        self.paid = balance(self.client)
        self.earned = balance(self.solver)
        self.upload()
        self.submit()
        self.fetch()
        self.solve()
        self.settle()
        self.result()
        self.without_backing()
        self.with_backing()
        self.third_node()

    def upload(self):
        self.step('upload in pieces; wrong offsets, shapes and sizes; a restart in the middle')
        client = self.client
        side = panel(self.a)
        data, query = side.tobytes(), operand_query('ab12', side)
        check_equal(side.shape, (384, 1024))
        check_equal(put(client, 'operand', query, 0, data[:100_000]), (200, {'received': 100_000}))
        status, reply = put(client, 'operand', query, 50_000, data[50_000:60_000])
        check_equal((status, reply['received']), (409, 100_000))
        status, reply = put(client, 'operand', query, 100_001, data[100_001:])
        check_equal((status, reply['received']), (409, 100_000))
        check_equal(http(client, 'POST', '/blob/operand/finish?upload=ab12')[0], 409)
        client.kill()
        client.start()
        client.connect(self.solver)
        status, reply = put(client, 'operand', query, 0, b'')
        check_equal((status, reply), (200, {'received': 100_000}), 'how far the upload was')
        check_equal(put(client, 'operand', operand_query('ab12', side[:128]), 100_000, b'x')[0], 400, 'another shape')
        check_equal(put(client, 'operand', 'upload=ab13&rows=300&k=1000', 0, b'x')[0], 400, 'no panel matrix')
        check_equal(put(client, 'operand', 'upload=xyz&rows=128&k=256', 0, b'x')[0], 400, 'not an id')
        check_equal(put(client, 'operand', 'upload=ab14&rows=128', 0, b'x')[0], 400, 'no shape')
        big = bytes((4 << 20) + 1)
        check_equal(put(client, 'operand', 'upload=ab15&rows=8192&k=1024', 0, big)[0], 413, 'piece over 4 MiB')
        status, reply = put(client, 'operand', 'upload=ab16&rows=128&k=256', 0, bytes(32_769))
        check(status in (400, 409), 'a byte too many is taken: %s %s' % (status, reply))
        check_equal(http(client, 'POST', '/blob/operand/finish?upload=dead')[0], 404, 'end of an unknown upload')
        check_equal(put(client, 'operand', query, 100_000, data[100_000:]), (200, {'received': len(data)}))
        status, reply = http(client, 'POST', '/blob/operand/finish?upload=ab12')
        check_equal(status, 200)
        self.root_a = reply['root']
        check_equal(http(client, 'POST', '/blob/operand/finish?upload=ab12'), (200, {'root': self.root_a}), 'finished twice')
        check_equal(upload_operand(client, side), self.root_a, 'the same upload again')
        self.root_b = upload_operand(client, panel(numpy.ascontiguousarray(self.b.T)))
        info = http(client, 'GET', '/blob/operand/' + self.root_a)[1]
        check_equal((info['rows'], info['k'], info['chunks'], info['complete']), (384, 1024, 12, True))
        chunk = client.rpc.request('GET', '/blob/operand/%s?x=1&y=2' % self.root_a)[1]
        check_equal(chunk, side[128:256, 512:768].tobytes(), 'a chunk')

    def submit(self):
        self.step('quote and submit')
        client = self.client
        wanted = dict(root_a=self.root_a, root_b=self.root_b, rows=300, columns=77, depth=1000,
                      task_rows=1, task_cols=1, reward='0.03', deadline=20_000)
        quote = client.rpc.quotejob(wanted)
        check_equal((quote['m'], quote['n'], quote['k'], quote['tasks'], quote['bricks']), (384, 128, 1024, 3, 12))
        check_equal((embers(quote['escrow']), quote['deadline'], quote['window']), (REWARD, self.now + 20_000, 1))
        check_equal(balance(client), self.paid, 'balance after a quote')
        reply = client.rpc.submitjob(wanted)
        self.job = reply['job']
        self.fee = embers(reply['fee'])
        check_equal(embers(reply['total']), 3 * REWARD + self.fee)
        check(abs(embers(quote['fee']) - self.fee) <= self.fee // 2, 'quoted fee %s, paid %s' % (quote['fee'], reply['fee']))
        job = client.rpc.getjob(self.job)
        check_equal((job['status'], job['own'], job['resulthere']), ('pending', True, False))
        self.sync_mempools()
        check_equal(self.solver.rpc.listtasks('pending')[0]['job'], self.job, 'the job in the mempool of the solver')
        block = self.mine_txs(client, self.job)
        check_equal(fee_in(client, self.job, block), self.fee)
        check_equal(client.rpc.getjob(self.job)['status'], 'open')
        check_equal(self.solver.rpc.listjobs(), [])
        theirs = self.solver.rpc.listjobs(True)
        check_equal([(j['job'], j['own']) for j in theirs], [(self.job, False)])
        self.tasks = origins(client, self.job)
        check_equal(len(self.tasks), 3)
        self.paid -= 3 * REWARD + self.fee
        check_equal(balance(client), self.paid, 'balance of the client')

    def fetch(self):
        self.step('the solver fetches the operands from the client')
        solver = self.solver
        check(not solver.rpc.gettask(self.tasks[0])['operandshere'], 'operands before they were asked for')
        check_equal(solver.rpc.prepareoperands(self.tasks[0])['here'], False)
        wait_until(lambda: solver.rpc.prepareoperands(self.tasks[0])['here'], 'the operands')
        info = solver.rpc.prepareoperands(self.tasks[0])
        check_equal((info['a']['root'], info['a']['have'], info['b']['have']), (self.root_a, 12, 4))
        check_equal(solver.rpc.request('GET', '/blob/operand/%s?x=0&y=0&count=12' % self.root_a)[1],
                    self.client.rpc.request('GET', '/blob/operand/%s?x=0&y=0&count=12' % self.root_a)[1])

    def solve(self):
        self.step('solve and claim')
        solver = self.solver
        solved = [solver.rpc.solvetask(self.tasks[0], {'burn': '0.007'}), solver.rpc.solvetask(self.tasks[1], {'burn': 'none'}),
                  solver.rpc.solvetask(self.tasks[2])]
        check_equal([s['bricks'] for s in solved], [4, 4, 4])
        with raises_rpc(None, 'taken meanwhile'):
            solver.rpc.claimtask(self.tasks[0], solved[0]['result'])
        claims = [s['txid'] for s in solved]
        self.sync_mempools()
        block = self.mine_txs(self.client, *claims)
        self.fees = sum(fee_in(solver, txid, block) for txid in claims)
        key = solver.rpc.getsolverkey()
        self.burns = [BURN, 0]
        for task, s in zip(self.tasks, solved):
            info = solver.rpc.gettask(task)
            check(info['status'] in ('claimed', 'settled'), info['status'])
            check_equal(info['claim']['result'], s['result'])
            check_equal(info['claim']['solver'], key)
            check_equal(info['claim']['outpoint'], s['txid'] + ':0')
            check(4 * embers(info['claim']['bond']) >= REWARD and embers(info['claim']['bond']) >= 2_000_000, 'bond')
        check_equal([embers(solver.rpc.gettask(task)['claim']['burn']) for task in self.tasks[:2]], self.burns)
        self.burns.append(embers(solver.rpc.gettask(self.tasks[2])['claim']['burn']))
        check(0 < self.burns[2] <= REWARD // 2, 'burn that auto chose')

    def settle(self):
        self.step('the client checks and certifies, the solver accepts by itself')
        for task in self.tasks:
            info = wait_task(self.client, task, lambda t: t['certified'], 'a certificate')
            check_equal((info['check'], info['isclient'], info['issolver']), ('right', True, False))
            check_equal((info['rounds'], info['errorbound']), (2, '2^-122'))
            info = wait_task(self.solver, task, lambda t: t['certified'], 'the certificate at the solver')
            check_equal((info['isclient'], info['issolver']), (False, True))
        wait_until(lambda: len(self.client.rpc.getrawmempool()) == 3, 'three accepts')
        accepts = self.client.rpc.getrawmempool()
        block = self.mine_txs(self.client, *accepts)
        for node in self.nodes:
            for task in self.tasks:
                info = wait_status(node, task, 'settled')
                check_equal((info['end']['action'], info['end']['txid'] in accepts, info['end']['height']),
                            ('accept', True, node.rpc.getblockcount()))
                check_equal((info['record']['live'], info['record']['settled']), (False, node.rpc.getblockcount()))
        fees = [fee_in(self.client, txid, block) for txid in accepts]
        # What a transaction burns is a part of its fee.
        self.earned += 3 * REWARD - self.fees - sum(fees)
        check(sum(fees) > sum(self.burns), 'accepts pay what they burn and a fee')
        check_equal(balance(self.solver), self.earned, 'balance of the solver')
        check_equal(balance(self.client), self.paid, 'balance of the client')
        coinbase = self.client.rpc.getblock(block, 2)['tx'][0]
        subsidy = FIRST_SUBSIDY >> self.client.rpc.getblockcount() // HALVING
        check_equal(sum(embers(out['value']) for out in coinbase['vout']), subsidy + sum(fees) - sum(self.burns),
                    'what the coinbase pays where accepts burn')

    def result(self):
        self.step('the result')
        client = self.client
        wanted = product(self.a, self.b)
        got = read_result(client, self.job)
        check(got.dtype == numpy.int32 and numpy.array_equal(got, wanted), 'the result is not numpy\'s')
        check_equal(client.rpc.getjobresult(self.job, 299, 1, 'array')['data'], wanted[299:].tolist())
        status, data = client.rpc.request('GET', '/job/%s/result.npy' % self.job)
        check_equal(status, 200)
        check(data[:6] == b'\x93NUMPY' and data.endswith(wanted.tobytes()), 'result.npy')
        job = client.rpc.getjob(self.job)
        check_equal((job['status'], job['tasks']['settled'], job['resulthere']), ('done', 3, True))
        for row, count in ((300, 1), (0, 301), (-1, 1), (0, 0)):
            with raises_rpc(-8):
                client.rpc.getjobresult(self.job, row, count)
        backing = self.solver.rpc.getbacking()
        check_equal((sorted(backing['origins']), backing['credit'], embers(backing['burns'])),
                    (sorted(self.tasks), 12, sum(self.burns)))

    def job_block(self, node, task):
        """A job-lane block inside the task, mined by the node's wallet; (getblock, what its coinbase pays)."""
        height = node.rpc.getblockcount()
        mined = node.rpc.generatejobblock(task)
        self.sync_blocks()
        block = self.client.rpc.getblock(mined['hash'], 2)
        work = block['work']
        check_equal((block['height'], block['lane'], block['version'] >> 8 & 15), (height + 1, 'job', 1))
        check_equal((work['task'], work['outpoint'], work['brick']), (task, task, mined['brick']))
        check(int(work['ticket'], 16) <= int(block['target'], 16), 'ticket above the target')
        check(mined['hash'] in node.rpc.gettask(task)['blocks'], 'the task does not list the block')
        info = node.rpc.gettask(task)
        shape = info['shape']
        check(shape['row0'] <= work['brick']['i'] < shape['row0'] + shape['rows'], 'brick outside the task')
        return block, sum(embers(out['value']) for out in block['tx'][0]['vout'])

    def without_backing(self):
        self.step('a job-lane block by somebody with no credit has its fees and no subsidy')
        client = self.client
        self.second, self.open = self.submit_mined(self.a, self.b, task_rows=2, task_cols=1)
        block, value = self.job_block(client, self.open[0])
        check_equal((block['work']['backing'], block['work']['credit'], value), ([], 0, 0))
        txid = client.rpc.sendtoaddress(client.rpc.getnewaddress(), 1)
        self.sync_mempools()
        block, value = self.job_block(client, self.open[0])
        check(txid in [tx['txid'] for tx in block['tx']], 'the transaction was not mined')
        check_equal(value, fee_in(client, txid, block['hash']), 'fees of a block without backing')

    def with_backing(self):
        self.step('a job-lane block of the solver is backed by its settled tasks')
        solver = self.solver
        wait_until(lambda: solver.rpc.prepareoperands(self.open[0])['here'], 'the operands')
        block, value = self.job_block(solver, self.open[0])
        work = block['work']
        check_equal((sorted(work['backing']), work['credit'], embers(work['burns'])), (sorted(self.tasks), 12, sum(self.burns)))
        check_equal(work['solver'], solver.rpc.gettask(self.tasks[0])['claim']['solver'])
        # On regtest a block takes two bricks on average, so that twelve are worth the whole subsidy.
        check_equal(value, min(FIRST_SUBSIDY >> block['height'] // HALVING, 2 * sum(self.burns)), 'subsidy')
        check_equal([solver.rpc.gettask(task)['record']['backed'] for task in self.tasks], [True] * 3)
        check_equal(solver.rpc.getbacking()['origins'], [])
        block, value = self.job_block(solver, self.open[0])
        check_equal((block['work']['backing'], value), ([], 0), 'backing used twice')

    def third_node(self):
        self.step('a third node syncs from scratch and agrees')
        third = Node(self, 2, ['-mocktime=%d' % self.now])
        self.nodes.append(third)
        third.start()
        third.connect(self.solver)
        self.sync_blocks()
        sets = [node.rpc.gettxoutsetinfo() for node in self.nodes]
        check_equal(sets[2], sets[0])
        check_equal(sets[1], sets[0])
        for task in self.tasks + self.open:
            infos = [node.rpc.gettask(task) for node in self.nodes]
            for name in ('record', 'status', 'claim', 'end', 'blocks', 'backed', 'preimage', 'shape'):
                check_equal([info.get(name) for info in infos[1:]], [infos[0].get(name)] * 2, name)


if __name__ == '__main__':
    TestJob().main()
