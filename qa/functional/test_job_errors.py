#!/usr/bin/python3
# sanitizer: yes
"""Bad input to the calls on jobs, tasks and blobs: one clear message each, nothing lost, the node still up."""
import resource

import numpy

from framework import COIN, RPCError, check, check_equal, raises_rpc, wait_until
from jobkit import (PIECE, JobTest, balance, embers, http, matrix, operand_query, origins, panel, put, request_of, spender,
                    upload_operand, wait_status, wait_task)

NO_HASH = '00' * 32


class TestJobErrors(JobTest):
    nodes_count = 3  # the third has no coins
    coins = 4

    def run(self):
        self.a, self.b = matrix(128, 256, 1), matrix(256, 128, 2)
        self.good = request_of(self.client, self.a, self.b, reward='0.09')
        before = balance(self.client)
        self.unknown()
        self.malformed()
        self.funds()
        check_equal((balance(self.client), self.client.rpc.getrawmempool(), self.client.rpc.listjobs(True)),
                    (before, [], []), 'what refused calls leave')
        self.states()
        self.rivals()
        self.bonds()
        self.one_coin()
        self.uploads()
        self.disk_full()
        check_equal(self.client.rpc.getblockcount(), self.solver.rpc.getblockcount())

    def unknown(self):
        self.step('unknown jobs and tasks')
        client = self.client
        for call in (client.rpc.getjob, client.rpc.getjobresult):
            with raises_rpc(-5, 'No such job'):
                call(NO_HASH)
            with raises_rpc(-8):
                call('12')
        for name in ('gettask', 'generatejobblock', 'solvetask', 'prepareoperands'):
            with raises_rpc(-5, 'No such task'):
                client.rpc.call(name, NO_HASH + ':0')
        for name in ('settletask', 'refundtask'):
            with raises_rpc(None, 'No such task'):
                client.rpc.call(name, NO_HASH + ':0')
        with raises_rpc(None, 'No such task'):
            client.rpc.claimtask(NO_HASH + ':0', NO_HASH)
        for name in ('gettask', 'generatejobblock', 'solvetask', 'prepareoperands', 'settletask', 'refundtask'):
            for origin in ('', ':1', NO_HASH, NO_HASH + ':', NO_HASH + ':x', NO_HASH + ':-1', NO_HASH + ':4294967296',
                           NO_HASH + ':1:2', 'z' * 64 + ':1'):
                with raises_rpc(-8):
                    client.rpc.call(name, origin)
            with raises_rpc(-3):
                client.rpc.call(name, 7)
            with raises_rpc(-1):
                client.rpc.call(name)
        check_equal(client.rpc.listtasks('all', NO_HASH), [])
        with raises_rpc(-8, 'status must be'):
            client.rpc.listtasks('done')
        check_equal(http(client, 'GET', '/job/%s/result.npy' % NO_HASH)[0], 404)
        check_equal(http(client, 'GET', '/job/12/result.npy')[0], 404)
        check_equal(http(client, 'POST', '/job/%s/result.npy' % NO_HASH)[0], 405)

    def malformed(self):
        self.step('jobs that cannot be')
        client = self.client
        cases = [
            (dict(kind='wasm'), -8, 'wasm'),
            (dict(root_a='12'), -8, 'root_a'),
            (dict(root_b='x' * 64), -8, 'root_b'),
            (dict(rows=0), -8, 'rows'),
            (dict(columns=0), -8, 'columns'),
            (dict(depth=0), -8, 'depth'),
            (dict(depth=65_537), -8, 'depth'),
            (dict(rows=(1 << 24) + 1), -8, 'rows'),
            (dict(rows=-1), -8, 'rows'),
            (dict(task_rows=0), -8, 'task_rows'),
            (dict(window=32_768), -8, 'window'),
            (dict(exclusive=145), -8, 'exclusive'),
            (dict(deadline=self.now - 10), -8, 'deadline'),
            (dict(deadline=4294967296), -8, 'deadline'),
            (dict(reward='0.000001'), -8, 'reward'),
            (dict(reward=0), -8, 'reward must be above 0; without it the node chooses'),
            (dict(fee_rate='0.0'), -8, 'fee_rate must be above 0; without it the node chooses'),
            (dict(reward=-1), None, None),
            (dict(reward='1.123456789'), None, None),
            (dict(reward=100_000_000_000), None, None),
            (dict(rows='128'), -3, None),
            (dict(unheard=1), None, 'unheard'),
            (dict(rows=1 << 24, columns=1 << 24, depth=1, task_rows=1, task_cols=1), -8, 'tasks'),
            (dict(rows=1 << 24, columns=1 << 24, depth=1, task_rows=1 << 17, task_cols=1 << 17), -8, 'tiles'),
        ]
        for change, code, text in cases:
            for name in ('quotejob', 'submitjob'):
                with raises_rpc(code, text):
                    client.rpc.call(name, dict(self.good, **change))
        for name in ('root_a', 'root_b', 'rows', 'columns', 'depth'):
            with raises_rpc(None, name):
                client.rpc.quotejob({key: value for key, value in self.good.items() if key != name})
        with raises_rpc(-8, 'A was not uploaded'):
            client.rpc.submitjob(dict(self.good, root_a=NO_HASH))
        with raises_rpc(-8, 'B was not uploaded'):
            client.rpc.submitjob(dict(self.good, root_b=NO_HASH))
        with raises_rpc(-8, 'A is a panel matrix of 128 x 256, not of 256 x 256'):
            client.rpc.submitjob(dict(self.good, rows=129))
        with raises_rpc(-8, 'A is a panel matrix'):
            client.rpc.submitjob(dict(self.good, depth=257))
        with raises_rpc(-8, 'B is a panel matrix'):
            client.rpc.submitjob(dict(self.good, columns=129))

    def funds(self):
        self.step('not enough coins')
        client, poor = self.client, self.nodes[2]
        with raises_rpc(-6, 'nsufficient funds'):
            client.rpc.submitjob(dict(self.good, reward=1_000))
        poor.rpc.createwallet('')
        for side in (self.a, self.b.T):
            upload_operand(poor, panel(numpy.ascontiguousarray(side)))
        with raises_rpc(-6, 'nsufficient funds'):
            poor.rpc.submitjob(self.good)
        poor.rpc.unloadwallet('')
        with raises_rpc(-18):
            poor.rpc.submitjob(self.good)
        poor.rpc.loadwallet('')

    def states(self):
        self.step('tasks in the wrong state')
        client, solver = self.client, self.solver
        reply = client.rpc.submitjob(self.good)
        task, = origins(client, reply['job'])
        self.sync_mempools()
        for node in (client, solver):
            with raises_rpc(-8, 'not open'):
                node.rpc.solvetask(task)
            with raises_rpc(-8, 'not open'):
                node.rpc.generatejobblock(task)
        with raises_rpc(-4, 'not mined yet'):
            solver.rpc.claimtask(task, NO_HASH)
        with raises_rpc(None, 'o such task'):
            client.rpc.refundtask(task)
        with raises_rpc(-4, 'not here yet'):
            client.rpc.getjobresult(reply['job'])
        check_equal(http(client, 'GET', '/job/%s/result.npy' % reply['job'])[0], 409)
        self.mine_txs(client, reply['job'])
        with raises_rpc(-4, 'not claimed'):
            solver.rpc.settletask(task)
        with raises_rpc(-4, 'deadline is not past'):
            client.rpc.refundtask(task)
        with raises_rpc(-4, 'not here yet'):
            client.rpc.getjobresult(reply['job'])
        self.task = task

    def rivals(self):
        self.step('the task is taken meanwhile')
        client, solver, poor = self.nodes
        wait_until(lambda: solver.rpc.prepareoperands(self.task)['here'], 'the operands')
        mine = client.rpc.solvetask(self.task, {'claim': False})
        theirs = solver.rpc.solvetask(self.task, {'claim': False})
        check(mine['result'] != theirs['result'] and 'txid' not in mine, 'results are keyed by their solver')
        with raises_rpc(-8, 'not uploaded'):
            client.rpc.claimtask(self.task, theirs['result'])
        claim = solver.rpc.claimtask(self.task, theirs['result'], 'none')['txid']
        wait_until(lambda: claim in client.rpc.getrawmempool(), 'the claim')
        free = balance(client)
        with raises_rpc(-4, 'taken meanwhile'):
            client.rpc.claimtask(self.task, mine['result'])
        with raises_rpc(-4, 'taken meanwhile'):
            solver.rpc.claimtask(self.task, theirs['result'])
        self.mine_txs(client, claim)
        with raises_rpc(-4, 'taken meanwhile'):
            client.rpc.claimtask(self.task, mine['result'])
        with raises_rpc(-8, 'not open'):
            client.rpc.solvetask(self.task)
        with raises_rpc(-8, 'not open'):
            client.rpc.generatejobblock(self.task)
        with raises_rpc(-4, 'not open'):
            client.rpc.refundtask(self.task)
        with raises_rpc(-4, 'does not have the key'):
            client.rpc.settletask(self.task)
        check_equal(balance(client), free, 'what refused claims leave')
        accept = wait_until(lambda: spender(solver, claim + ':0'), 'the accept')
        with raises_rpc(-4, 'waits in the mempool'):
            solver.rpc.settletask(self.task)
        self.mine_txs(solver, accept)
        wait_status(client, self.task, 'settled')
        with raises_rpc(-4, 'not claimed'):
            solver.rpc.settletask(self.task)

        self.step('both claim before they hear of each other; one block decides')
        task, = self.submit_mined(self.a, self.b, reward='0.09')[1]
        wait_until(lambda: solver.rpc.prepareoperands(task)['here'], 'the operands')
        check('no-peers' not in [w['code'] for w in client.rpc.quotejob(self.good)['warnings']], 'there are peers')
        self.part(client, solver, poor)
        wait_until(lambda: client.rpc.getconnectioncount() == 0, 'no peers')
        check_equal(client.rpc.quotejob(self.good)['warnings'][0]['code'], 'no-peers')
        earned = [balance(client), balance(solver)]
        claims = [node.rpc.solvetask(task, {'burn': 'none'})['txid'] for node in (client, solver)]
        self.mine_txs(client, claims[0], sync=[client])
        for node in (solver, poor):
            node.connect(client)
        self.sync_blocks()
        wait_until(lambda: claims[1] not in solver.rpc.getrawmempool(), 'the void claim to leave the pool')
        check_equal(balance(solver), earned[1], 'the bond of the void claim')
        accept = wait_until(lambda: spender(client, claims[0] + ':0'), 'the accept')
        self.mine_txs(client, accept)
        check_equal(wait_status(solver, task, 'settled')['claim']['outpoint'], claims[0] + ':0')
        coins = [coin for coin in solver.rpc.listunspent() if embers(coin['amount']) > 2_250_000]
        check(coins, 'no coins are left after a void claim')

    def bonds(self):
        self.step('a solver without coins for the bond; burns out of range')
        poor = self.nodes[2]
        task, = self.submit_mined(self.a, self.b, reward='0.10')[1]
        wait_until(lambda: poor.rpc.prepareoperands(task)['here'], 'the operands')
        with raises_rpc(-6, 'bond, 0.02500000 FNX'):
            poor.rpc.solvetask(task)
        result = poor.rpc.solvetask(task, {'claim': False})['result']
        with raises_rpc(-6, 'bond'):
            poor.rpc.claimtask(task, result)
        for burn in ('0.10000001', '-0.1', 'much', 100):
            with raises_rpc(None):
                poor.rpc.claimtask(task, result, burn)
        check_equal(self.client.rpc.gettask(task)['status'], 'open')
        # One that has the bond, and not what stays for answers to challenges.
        self.mine_txs(self.client, self.client.rpc.sendtoaddress(poor.rpc.getnewaddress(), '0.026'))
        with raises_rpc(-6, 'of which 0.00133'):
            poor.rpc.claimtask(task, result)
        # A coin arrives, and the same result is claimed.
        sent = self.client.rpc.sendtoaddress(poor.rpc.getnewaddress(), '0.03')
        self.mine_txs(self.client, sent)
        claim = poor.rpc.claimtask(task, result, '0.1')['txid']
        self.mine_txs(poor, claim)
        info = wait_task(self.client, task, lambda t: t['certified'], 'a certificate')
        check_equal((embers(info['claim']['burn']), embers(info['claim']['bond'])), (COIN // 10, COIN // 40))
        accept = wait_until(lambda: spender(poor, claim + ':0'), 'the accept')
        self.mine_txs(poor, accept)
        wait_status(self.client, task, 'settled')

    def one_coin(self):
        self.step('a solver of one coin makes several claims in one block')
        poor = self.nodes[2]
        self.mine_txs(self.client, self.client.rpc.sendtoaddress(poor.rpc.getnewaddress(), 1))
        self.mine_txs(poor, poor.rpc.sendtoaddress(poor.rpc.getnewaddress(), poor.rpc.getbalance(), '', '', True))
        check_equal(len(poor.rpc.listunspent()), 1, 'coins')
        a, b = matrix(512, 256, 3), matrix(256, 128, 4)
        tasks = self.submit_mined(a, b, task_rows=1, task_cols=1, reward='0.10')[1]
        check_equal(len(tasks), 4, 'tasks')
        for task in tasks:
            wait_until(lambda: poor.rpc.prepareoperands(task)['here'], 'the operands')
        before = balance(poor)
        claims = [poor.rpc.solvetask(task, {'burn': 'none'})['txid'] for task in tasks]
        after = balance(poor) # in the block, the claims may be paid at once
        block = poor.rpc.getblock(self.mine_txs(poor, *claims), 2)
        check_equal(len(block['tx']), 6, 'the coinbase, four claims, and what cut the coin')
        fees = sum(embers(tx['fee']) for tx in block['tx'][1:])
        check_equal(after, before - 4 * 2_500_000 - fees, 'the balance, less bonds and fees')
        for claim in claims:
            accept = wait_until(lambda: spender(poor, claim + ':0'), 'the accept')
            wait_until(lambda: accept in self.client.rpc.getrawmempool(), 'the accept at the client')
        self.mine(1, poor)
        for task in tasks:
            wait_status(self.client, task, 'settled')

    def uploads(self):
        self.step('uploads and downloads that make no sense')
        client = self.client
        body = bytes(1000)
        cases = [('PUT', '/blob/operand', 400), ('PUT', '/blob/operand?upload=ab&rows=128&k=256&offset=x', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=0&k=256&offset=0', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=128&k=65792&offset=0', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=16777344&k=256&offset=0', 400),
                 ('PUT', '/blob/operand?upload=%s&rows=128&k=256&offset=0' % ('a' * 65), 400),
                 ('PUT', '/blob/operand?upload=../../x&rows=128&k=256&offset=0', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=128&k=256&offset=-1', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=128&k=256&offset=99999999999999999999', 400),
                 ('PUT', '/blob/operand?upload=ab&rows=128&k=256&offset=7', 409),
                 ('PUT', '/blob/result?upload=ac&rows=1&cols=1&offset=0', 400),
                 ('PUT', '/blob/result?upload=ac&rows=1&cols=1&solver=12&offset=0', 400),
                 ('PUT', '/blob/result?upload=ac&rows=65536&cols=65536&solver=%s&offset=0' % NO_HASH, 400),
                 ('PUT', '/blob/other?upload=ab', 404), ('POST', '/blob/operand', 405), ('DELETE', '/blob/operand', None),
                 ('POST', '/blob/operand/finish', 400), ('POST', '/blob/operand/finish?upload=ab', 409),
                 ('GET', '/blob/operand/12', 404), ('GET', '/blob/operand/' + NO_HASH, 404),
                 ('GET', '/blob/operand/%s?x=1&y=0' % NO_HASH, 404), ('GET', '/blob/operand/%s?x=1&y=0' % self.good['root_a'], 404),
                 ('GET', '/blob/operand/%s?x=0&y=1' % self.good['root_a'], 404),
                 ('GET', '/blob/operand/%s?x=z' % self.good['root_a'], 400),
                 ('GET', '/blob/operand/%s?x=0&count=0' % self.good['root_a'], None),
                 ('GET', '/blob/operand/%s?x=0&count=129' % self.good['root_a'], 400),
                 ('GET', '/blob/result/' + self.good['root_a'], 404)]
        for method, where, wanted in cases:
            status, _ = client.rpc.request(method, where, body if method in ('PUT', 'POST') else None)
            check(wanted in (None, status) and status < 500 or status == 501, '%s %s: status %d' % (method, where, status))
        side = panel(self.a)
        check_equal(put(client, 'operand', operand_query('ad', side), 0, side.tobytes() + b'\0')[0], 400, 'a byte too many')
        check_equal(http(client, 'PUT', '/blob/operand?upload=ad&rows=128&k=256&offset=0', b'')[1], {'received': 0})
        # More than the disk has.
        huge = http(client, 'PUT', '/blob/operand?upload=ae&rows=%d&k=65536&offset=0' % (1 << 24), b'x')
        check_equal(huge[0], 507, 'an operand of 2^40 bytes (%s)' % (huge[1],))
        wrong = client.rpc.authorization
        client.rpc.authorization = 'a:b'
        check_equal(client.rpc.request('GET', '/blob/operand/' + self.good['root_a'])[0], 401)
        client.rpc.authorization = wrong
        check_equal(client.rpc.request('GET', '/blob/operand/' + self.good['root_a'])[0], 200)

    def limit(self, node, size):
        """Files of the node can grow up to this: beyond, it finds the disk full."""
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def disk_full(self):
        self.step('the disk is full in an upload and in solving; then there is room again')
        client = self.client
        a, b = matrix(1024, 4096, 7), matrix(4096, 1024, 8)
        side = panel(a)
        data, query = side.tobytes(), operand_query('d15c', side)
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        self.limit(client, 2 << 20)
        received = 0
        for _ in range(8):
            status, reply = put(client, 'operand', query, received, data[received:received + PIECE])
            if status != 200:
                break
            received = reply['received']
        check_equal((status, reply['error']), (507, 'No disk space'), 'an upload onto a full disk')
        check(received <= reply['received'] < 3 << 20, 'received %d, then %d' % (received, reply['received']))
        received = reply['received']
        check_equal(put(client, 'operand', query, received, data[received:received + PIECE])[0], 507)
        check(client.rpc.getblockcount() > 100, 'the node is not up')
        self.limit(client, unlimited)
        check_equal(put(client, 'operand', query, 0, b'')[1], {'received': received}, 'what is there is kept')
        while received < len(data):
            status, reply = put(client, 'operand', query, received, data[received:received + PIECE])
            check_equal(status, 200, 'upload with room again')
            received = reply['received']
        status, reply = http(client, 'POST', '/blob/operand/finish?upload=d15c')
        check_equal((status, reply.get('root')), (200, upload_operand(client, side)), 'root of the upload')

        job = client.rpc.submitjob(request_of(client, a, b, reward='0.09', task_rows=8, task_cols=8))['job']
        self.mine_txs(client, job)
        task, = origins(client, job)
        self.limit(client, 2 << 20)
        with raises_rpc(-1, 'No disk space'):
            client.rpc.solvetask(task, {'claim': False})
        self.limit(client, unlimited)
        claim = client.rpc.solvetask(task, {'burn': 'none'})['txid']
        self.mine_txs(client, claim)
        wait_task(client, task, lambda t: t['certified'], 'a certificate')


if __name__ == '__main__':
    TestJobErrors().main()
