#!/usr/bin/python3
# timeout: 600
"""Both nodes are killed in every state of a job, and in the middle of each transfer; after a start all goes on by itself."""
import contextlib
import http.client
import signal

import numpy

from framework import Failure, RPCError, check, check_equal, wait_until
from jobkit import (NOBODY, PIECE, WINDOW_UNIT, JobTest, http as request, matrix, operand_query, origins, panel, product, put,
                    read_result, spender, wait_status, wait_task)


class TestJobRestart(JobTest):
    coins = 8

    def setup(self):
        super().setup()
        # The nodes find each other again.
        self.solver.args.append('-addnode=' + self.client.address)
        self.solver.restart()
        self.meet()

    def meet(self):
        wait_until(lambda: self.client.rpc.getpeerinfo() and self.solver.rpc.getpeerinfo(), 'the nodes to meet')

    def restart(self, *nodes):
        """Kills these nodes, all before the first starts again."""
        for node in nodes:
            node.kill()
        for node in nodes:
            node.start()
        self.meet()

    def crash(self, node, points, action):
        """Starts the node so that it kills itself at the first of these points, then at the next, and so on, which it
        comes to by the action or by what it goes on with after its start. At last it starts as usual."""
        node.stop()
        for point in points:
            try:
                node.start(env={'FORNAX_CRASH_AT': point})
                action()
            except (OSError, http.client.HTTPException, Failure, RPCError, AttributeError):
                pass  # it may well die in the middle of an answer
            wait_until(lambda: node.process.poll() is not None, 'node %d to die at %s' % (node.index, point))
            check_equal(node.process.returncode, -signal.SIGKILL, 'how node %d ended' % node.index)
            node.close()
        node.start()

    def run(self):
        # 16 tiles in two tasks; 4 segments deep: 36 chunks of operands, of 32 KiB, and 8 of each result.
        self.a, self.b = matrix(1024, 1024, 1), matrix(1024, 256, 2)
        self.uploads()
        self.submission()
        self.download()
        self.solving()
        self.claims()
        self.settlement()
        self.backing()
        self.take()
        self.refund()

    def resume_upload(self, upload_id, data, query):
        """Goes on with an upload wherever it is."""
        client = self.client
        status, reply = put(client, 'operand', query, 0, b'')
        check_equal(status, 200, 'resumed upload (%s)' % reply)
        at = reply['received']
        while at < len(data):
            status, reply = put(client, 'operand', query, at, data[at:at + PIECE // 8])
            check_equal(status, 200, 'piece of an upload (%s)' % reply)
            at = reply['received']
        status, reply = request(client, 'POST', '/blob/operand/finish?upload=' + upload_id)
        check_equal(status, 200, 'end of an upload (%s)' % reply)
        return reply['root']

    def uploads(self):
        self.step('the client dies in uploads')
        roots = []
        for side, points in ((panel(self.a), ('upload-write:1', 'upload-unit:3', 'upload-finish')),
                             (panel(numpy.ascontiguousarray(self.b.T)), ('upload-write:2', 'upload-root'))):
            upload_id = 'c0ffee%02x' % len(roots)
            data, query = side.tobytes(), operand_query(upload_id, side)
            self.crash(self.client, points, lambda: self.resume_upload(upload_id, data, query))
            roots.append(self.resume_upload(upload_id, data, query))
            info = request(self.client, 'GET', '/blob/operand/' + roots[-1])[1]
            check(info['complete'], 'the upload is no blob')
            first = self.client.rpc.request('GET', '/blob/operand/%s?x=1&y=3' % roots[-1])[1]
            check_equal(first, side[128:256, 768:1024].tobytes(), 'a chunk')
        self.job_args = dict(root_a=roots[0], root_b=roots[1], rows=1024, columns=256, depth=1024,
                             task_rows=4, task_cols=2, reward='0.09')

    def submission(self):
        self.step('the client dies with its job in the pool, and with it mined')
        client, solver = self.nodes
        self.job = client.rpc.submitjob(self.job_args)['job']
        self.sync_mempools()
        self.restart(client, solver)
        wait_until(lambda: self.job in client.rpc.getrawmempool(), 'the job to be in the pool again')
        check_equal(client.rpc.getjob(self.job)['status'], 'pending')
        self.mine_txs(client, self.job)
        self.tasks = origins(client, self.job)
        check_equal(len(self.tasks), 2)
        self.restart(client)
        info = client.rpc.getjob(self.job)
        check_equal((info['status'], info['own'], info['rows']), ('open', True, 1024))

    def download(self):
        self.step('the solver dies fetching operands, the client serving them')
        client, solver = self.nodes
        asked = []

        def ask():
            if not asked:
                solver.rpc.prepareoperands(self.tasks[0])
                asked.append(True)
        # Asked once, it goes on after each start.
        self.crash(solver, ('blob-put-data:1', 'blob-put-tree:7', 'blob-put-data:20'), ask)
        client.kill()
        client.start()
        wait_until(lambda: solver.rpc.gettask(self.tasks[0])['operandshere'], 'the operands')

    def solving(self):
        self.step('the solver dies computing')
        client, solver = self.nodes
        self.crash(solver, ('upload-unit:3', 'upload-finish', 'upload-root'),
                   lambda: solver.rpc.solvetask(self.tasks[0], {'burn': '0.01'}))
        self.meet()
        self.claim = solver.rpc.solvetask(self.tasks[0], {'burn': '0.01'})['txid']
        with contextlib.suppress(RPCError):
            solver.rpc.solvetask(self.tasks[0])

    def claims(self):
        self.step('both die with the claim in the pool, the client dies fetching the result')
        client, solver = self.nodes
        self.sync_mempools()
        self.restart(client, solver)
        self.mine_txs(solver, self.claim, sync=self.nodes)
        self.restart(solver)  # serving the result, or just before or after
        wait_task(client, self.tasks[0], lambda t: t['certified'], 'a certificate')
        wait_until(lambda: spender(solver, self.claim + ':0'), 'the accept')
        client.restart(env={'FORNAX_CRASH_AT': 'blob-put-data:3'})
        self.meet()
        second = solver.rpc.solvetask(self.tasks[1], {'burn': 'none'})['txid']
        self.mine_txs(solver, second, sync=[solver])
        wait_until(lambda: client.process.poll() is not None, 'the client to die at the third tile')
        client.close()
        client.start()
        self.meet()
        self.sync_blocks()
        wait_task(client, self.tasks[1], lambda t: t['certified'], 'a certificate')
        self.second = second

    def settlement(self):
        self.step('both die with the accept in the pool')
        client, solver = self.nodes
        accept = wait_until(lambda: spender(solver, self.second + ':0'), 'the accept')
        self.restart(client, solver)
        wait_until(lambda: accept in solver.rpc.getrawmempool(), 'the accept to be in the pool again')
        self.step('the client dies connecting blocks')
        self.sync_blocks()
        self.crash(client, ('connect-apply', 'connect-done', 'index-write-after', 'flush-batch'), self.mine_and_flush)
        self.meet()
        self.sync_blocks()
        for task in self.tasks:
            wait_status(client, task, 'settled')
        check((read_result(client, self.job) == product(self.a, self.b)).all(), 'the result is not numpy\'s')
        self.restart(client, solver)
        self.agree()
        check((read_result(client, self.job) == product(self.a, self.b)).all(), 'the result after a restart')

    def mine_and_flush(self):
        self.solver.mine(1, NOBODY)
        self.meet()
        wait_until(lambda: self.client.rpc.getbestblockhash() == self.solver.rpc.getbestblockhash(), 'the block')
        self.client.stop()

    def agree(self):
        self.sync_blocks()
        client, solver = self.nodes
        check_equal(client.rpc.gettxoutsetinfo(), solver.rpc.gettxoutsetinfo())
        for task in self.tasks:
            first, second = client.rpc.gettask(task), solver.rpc.gettask(task)
            for name in ('record', 'status', 'claim', 'end', 'blocks', 'backed'):
                check_equal(first.get(name), second.get(name), name)

    def backing(self):
        self.step('what was settled backs a block after a restart')
        client, solver = self.nodes
        check_equal(sorted(solver.rpc.getbacking()['origins']), sorted(self.tasks))
        self.job = client.rpc.submitjob(self.job_args)['job']
        self.mine_txs(client, self.job)
        self.tasks += origins(client, self.job)
        block = solver.rpc.generatejobblock(self.tasks[2])['hash']
        self.restart(solver)
        check_equal(solver.rpc.gettask(self.tasks[2])['blocks'], [block])
        check_equal(solver.rpc.getbacking()['origins'], [])
        self.agree()

    def take(self):
        self.step('the solver is off when its window ends, the client is gone')
        client, solver = self.nodes
        # Off before the claim is known to it: this result it will not check.
        client.stop()
        claim = solver.rpc.solvetask(self.tasks[2], {'burn': 'none'})['txid']
        self.mine_txs(solver, claim, sync=[solver])
        self.pass_median(WINDOW_UNIT + 60, node=solver, sync=[solver])
        solver.kill()
        solver.start()
        take = wait_until(lambda: spender(solver, claim + ':0'), 'the take')
        solver.kill()
        solver.start()
        wait_until(lambda: take in solver.rpc.getrawmempool(), 'the take to be in the pool again')
        self.mine_txs(solver, take, sync=[solver])
        check_equal(wait_status(solver, self.tasks[2], 'settled')['end']['action'], 'take')
        client.start()
        self.meet()
        self.agree()
        wait_task(client, self.tasks[2], lambda t: t['check'] == 'right', 'the check of what was taken')

    def refund(self):
        self.step('the client is off at the deadline, and dies with the refund in the pool')
        client, solver = self.nodes
        client.kill()
        self.advance(86_400)
        self.mine(11, solver, sync=[solver])
        client.start()
        self.meet()
        self.sync_blocks()
        refund = wait_until(lambda: spender(client, self.tasks[3]), 'the refund')
        self.restart(client)
        wait_until(lambda: refund in client.rpc.getrawmempool(), 'the refund to be in the pool again')
        self.mine_txs(client, refund)
        check_equal(wait_status(solver, self.tasks[3], 'refunded')['end']['txid'], refund)
        self.agree()
        check_equal(client.rpc.getjob(self.job)['status'], 'ended')


if __name__ == '__main__':
    TestJobRestart().main()
