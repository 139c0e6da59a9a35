#!/usr/bin/python3
# sanitizer: yes
"""Reorganisations across every state of a task: records and job book go back exactly, and what was due is done again."""
import numpy

from framework import Node, RPCError, check, check_equal, wait_until
from jobkit import JobTest, balance, matrix, origins, product, read_result, submit, wait_status, wait_task

# What the chain says of a task; the rest of gettask is the node's own view.
CHAIN_FIELDS = ('status', 'height', 'claim', 'end', 'blocks', 'backed', 'record')
PENDING = 'pending'


def chain_view(node, tasks):
    """All that the best chain says of these tasks, and the state as a whole."""
    view = {'set': node.rpc.gettxoutsetinfo()}
    for task in tasks:
        try:
            info = node.rpc.gettask(task)
        except RPCError:
            continue
        if info['status'] != PENDING:
            view[task] = {name: info.get(name) for name in CHAIN_FIELDS}
    return view


class TestTaskReorg(JobTest):
    nodes_count = 3
    coins = 6

    def fund(self):
        self.rival.mine(3)  # for the bonds of its own claims
        self.sync_blocks()
        super().fund()

    @property
    def rival(self):
        return self.nodes[2]

    def run(self):
        self.pair = [self.client, self.solver]
        self.a, self.b = matrix(512, 256, 1), matrix(256, 128, 2)
        self.known = []  # all tasks so far
        self.part(self.rival)
        steps = self.branch()
        self.step_by_step(steps)
        self.longer_branch(steps)
        self.other_claim()
        self.refund_or_claim()
        self.fresh_node()

    def agree(self, nodes=None):
        """The nodes say the same; what they say."""
        views = [chain_view(node, self.known) for node in nodes or self.nodes]
        for view in views[1:]:
            check_equal(view, views[0])
        return views[0]

    def branch(self):
        """Client and solver alone: one task settled and backed, one settled, one claimed, one open with two blocks in
        it. For each block, its id and what the chain says then."""
        self.step('a branch with a task in every state')
        client, solver = self.pair
        steps = [(client.rpc.getbestblockhash(), None)]

        def note(block):
            self.sync_blocks(self.pair)
            steps.append((block, self.agree(self.pair)))

        def mine_pool():
            note(self.mine_txs(client, *client.rpc.getrawmempool(), sync=self.pair))

        def solve(number, burn):
            txid = solver.rpc.solvetask(self.tasks[number], {'burn': burn})['txid']
            wait_until(lambda: txid in client.rpc.getrawmempool(), 'the claim')
            mine_pool()
            wait_task(solver, self.tasks[number], lambda t: t['certified'], 'a certificate')
            wait_until(lambda: len(client.rpc.getrawmempool()) == 1, 'the accept')
        reply = submit(client, self.a, self.b, task_rows=1, task_cols=1, reward='0.09')
        self.job, self.tasks = reply['job'], origins(client, reply['job'])
        self.known += self.tasks
        steps[0] = steps[0][0], self.agree(self.pair)
        mine_pool()
        wait_until(lambda: solver.rpc.prepareoperands(self.tasks[0])['here'], 'the operands')
        solve(0, '0.01')
        mine_pool()
        note(solver.rpc.generatejobblock(self.tasks[3])['hash'])
        solve(1, '0.02')
        mine_pool()
        note(client.rpc.generatejobblock(self.tasks[3])['hash'])
        solve(2, 'none')
        view = steps[-1][1]
        check_equal([view[task]['status'] for task in self.tasks], ['settled', 'settled', 'claimed', 'open'])
        check_equal([view[task]['backed'] for task in self.tasks], [True, False, False, False])
        check_equal(len(view[self.tasks[3]]['blocks']), 2)
        return steps

    def step_by_step(self, steps):
        self.step('back block by block, %d of them, and forth' % (len(steps) - 1))
        client = self.client
        self.part(client)
        for (block, _), (before, view) in zip(reversed(steps), reversed(steps[:-1])):
            client.rpc.invalidateblock(block)
            check_equal(client.rpc.getbestblockhash(), before)
            check_equal(chain_view(client, self.known), view)
        client.rpc.reconsiderblock(steps[1][0])
        wait_until(lambda: client.rpc.getbestblockhash() == steps[-1][0], 'the branch to be back')
        check_equal(chain_view(client, self.known), steps[-1][1])
        client.rpc.invalidateblock(steps[1][0])
        check_equal(chain_view(client, self.known), steps[0][1])
        client.rpc.reconsiderblock(steps[1][0])
        wait_until(lambda: client.rpc.getbestblockhash() == steps[-1][0], 'the branch to be back')
        check_equal(chain_view(client, self.known), steps[-1][1])
        client.connect(self.solver)

    def longer_branch(self, steps):
        self.step('a longer branch without any of it')
        client, solver = self.pair
        self.mine(len(steps), self.rival, sync=[self.rival])
        self.rival.connect(solver)
        self.sync_blocks()
        view = self.agree()
        check_equal(list(view), ['set'])
        check_equal(client.rpc.gettask(self.tasks[0])['status'], PENDING)
        self.step('all is mined, claimed and settled once more, with nobody asking for it')
        for _ in range(20):
            self.mine(1, solver)  # it has its own first; peers that saw them once hear of them again after a while
            if [client.rpc.gettask(task)['status'] for task in self.tasks[:3]] == ['settled'] * 3:
                break
            wait_until(lambda: solver.rpc.getrawmempool(), 'the next transaction')
        view = self.agree()
        check_equal([view[task]['status'] for task in self.tasks], ['settled'] * 3 + ['open'])
        check_equal(view[self.tasks[3]]['blocks'], [])
        check_equal([view[task]['claim']['burn'] for task in self.tasks[:3]],
                    [steps[-1][1][task]['claim']['burn'] for task in self.tasks[:3]])
        check_equal(sorted(solver.rpc.getbacking()['origins']), sorted(self.tasks[:3]))
        rows = read_result(client, self.job, 384)
        check(numpy.array_equal(rows, product(self.a, self.b)[:384]), 'the result is not numpy\'s')

    def single(self, seed, **options):
        """A job of one task, mined and fetched everywhere; its origin."""
        task, = self.submit_mined(matrix(100, 100, seed), self.b[:100], reward='0.09', **options)[1]
        for node in self.nodes[1:]:
            wait_until(lambda: node.rpc.prepareoperands(task)['here'], 'the operands')
        self.known.append(task)
        return task

    def other_claim(self):
        self.step('settled on one branch, claimed by somebody else on the longer one')
        client, solver = self.pair
        task = self.single(3)
        earned = balance(solver)
        self.part(self.rival)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        self.mine_txs(client, claim, sync=self.pair)
        wait_until(lambda: len(client.rpc.getrawmempool()) == 1, 'the accept')
        self.mine_txs(client, *client.rpc.getrawmempool(), sync=self.pair)
        check_equal(wait_status(solver, task, 'settled')['claim']['outpoint'], claim + ':0')
        check(balance(solver) > earned, 'the solver was paid')
        other = self.rival.rpc.solvetask(task)['txid']
        self.mine_txs(self.rival, other, sync=[self.rival])
        self.mine(2, self.rival, sync=[self.rival])
        self.rival.connect(solver)
        self.sync_blocks()
        check_equal(self.agree()[task]['claim']['outpoint'], other + ':0')
        check_equal(balance(solver), earned, 'balance of the solver whose claim is void')
        wait_task(client, task, lambda t: t['certified'], 'a certificate for the other result')
        self.mine_pool_everywhere()
        view = self.agree()
        check_equal((view[task]['status'], view[task]['end']['action']), ('settled', 'accept'))

    def mine_pool_everywhere(self):
        """The one transaction that is due, wherever it was made."""
        wait_until(lambda: self.client.rpc.getrawmempool(), 'a transaction')
        self.mine_txs(self.client, *self.client.rpc.getrawmempool())

    def refund_or_claim(self):
        self.step('refunded on one branch, claimed on the longer one')
        client, solver = self.pair
        task = self.single(4, deadline=5_000, window=20)
        paid = balance(client)
        self.part(self.rival)
        claim = self.rival.rpc.solvetask(task)['txid']
        self.mine_txs(self.rival, claim, sync=[self.rival])
        self.advance(5_100)
        self.mine(11, client, sync=self.pair)
        self.mine(14, self.rival, sync=[self.rival])
        wait_until(lambda: client.rpc.getrawmempool(), 'the refund')
        self.mine_txs(client, *client.rpc.getrawmempool(), sync=self.pair)
        wait_status(client, task, 'refunded')
        check(balance(client) > paid, 'the client has its coins back')
        self.rival.connect(solver)
        self.rival.connect(client)  # an address is dialled for data once an hour, and was when the rival solved before
        self.sync_blocks()
        check_equal(self.agree()[task]['status'], 'claimed')
        check_equal(balance(client), paid, 'balance of the client whose refund is void')
        self.mine_pool_everywhere()
        check_equal(self.agree()[task]['end']['action'], 'accept')

    def fresh_node(self):
        self.step('a fresh node, and restarted ones, say the same')
        fresh = Node(self, 3, ['-mocktime=%d' % self.now])
        self.nodes.append(fresh)
        fresh.start()
        fresh.connect(self.client)
        self.sync_blocks()
        view = self.agree()
        check_equal(len(view), 1 + len(self.known))
        self.client.restart()
        self.solver.kill()
        self.solver.start()
        check_equal(self.agree(), view)


if __name__ == '__main__':
    TestTaskReorg().main()
