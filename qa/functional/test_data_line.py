#!/usr/bin/python3
"""Six nodes in a line: a solver five hops from a client that nobody can connect to gets operands and delivers its result."""
from framework import check, check_equal, wait_until
from jobkit import JobTest, balance, fee_in, matrix, product, read_result, wait_status, wait_task

NODES = 6
REWARD = 9_000_000


class TestDataLine(JobTest):
    """The client is node 0, the solver node 1, as in any test of jobs; the line is 0 2 3 4 5 1."""
    nodes_count = NODES
    connect_nodes = False
    line = (0, 2, 3, 4, 5, 1)

    def own_args(self):
        return [['-listen=0']] + [[] for _ in range(NODES - 1)]

    def fund(self):
        for a, b in zip(self.line, self.line[1:]):
            self.nodes[a].connect(self.nodes[b])
        super().fund()

    def run(self):
        client, solver = self.client, self.solver
        self.step('a task, known to all')
        a, b = matrix(256, 768, 1), matrix(768, 384, 2)
        reply, tasks = self.submit_mined(a, b, task_rows=2, task_cols=3, reward='0.09')
        task, = tasks
        rich = balance(client), balance(solver)
        check_equal(len(client.rpc.getpeerinfo()), 1, 'peers of the client')

        self.step('the operands come to the solver')
        wait_until(lambda: solver.rpc.prepareoperands(task)['here'], 'the operands')

        self.step('its result comes to the client, which certifies it')
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        wait_task(client, task, lambda t: t['certified'], 'a certificate')
        accept = wait_until(lambda: [tx for tx in client.rpc.getrawmempool()], 'the accept to come to the client')[0]
        fees += fee_in(client, accept, self.mine_txs(client, accept))
        wait_status(client, task, 'settled')
        check((read_result(client, reply['job']) == product(a, b)).all(), 'the result')
        check_equal((balance(client), balance(solver)), (rich[0], rich[1] + REWARD - fees), 'balances')
        check(not any(peer['inbound'] for peer in client.rpc.getpeerinfo()), 'a connection to the client')


if __name__ == '__main__':
    TestDataLine().main()
