#!/usr/bin/python3
"""What a node sends it tells its peers again: at once after a reorganisation, and from time to time; until it is given up."""
from framework import COIN, Failure, check, check_equal, raises_rpc, wait_until
from jobkit import NOBODY, JobTest, balance, fee_in, matrix, submit, wait_status, wait_task
from p2p import Peer, id_bytes, read_var

OWN_SECONDS = 20  # on regtest a node tells its own transactions again so often


class Listener(Peer):
    """Takes note of transactions that it is told of, and asks for none."""

    def wait_told(self, txid, timeout=None):
        """Until the node says that it has the transaction; Failure where it does not in time."""
        while True:
            payload = self.wait('inv', timeout)
            count, at = read_var(payload, 0)
            for i in range(count):
                kind = int.from_bytes(payload[at + 36 * i:at + 36 * i + 4], 'little')
                if kind == 1 and payload[at + 36 * i + 4:at + 36 * i + 36] == id_bytes(txid):
                    return


class TestOwnRelay(JobTest):
    def run(self):
        self.told_again()
        self.over_a_restart()
        self.accept()
        self.given_up()
        self.excluded()

    def told_again(self):
        self.step('a peer is told of a transaction when it is made, and again when its block was taken back')
        node = self.solver
        self.part(node)
        peer = Listener(node)
        txid = node.rpc.sendtoaddress(node.rpc.getnewaddress(), 1)
        peer.wait_told(txid)
        block = node.mine(1)[0]
        check_equal(node.rpc.getrawmempool(), [])
        node.rpc.invalidateblock(block)
        check_equal(node.rpc.getrawmempool(), [txid])
        peer.wait_told(txid)

        self.step('and from time to time')
        for _ in range(2):
            node.rpc.generateblock(node.rpc.getnewaddress(), [])
            self.wait_again(node, peer, txid)
        peer.close()

    def wait_again(self, node, peer, txid):
        """The wallet hands over what waits a moment after the tip moved: to hurry before that is for nothing."""
        def told():
            node.rpc.mockscheduler(OWN_SECONDS + 1)
            try:
                peer.wait_told(txid, 2)
            except Failure:
                return False
            return True
        wait_until(told, 'a transaction to be told again')

    def over_a_restart(self):
        self.step('also where the node was restarted with it in its pool')
        node = self.solver
        txid, = node.rpc.getrawmempool()
        node.restart()
        wait_until(lambda: node.rpc.getrawmempool() == [txid], 'the pool to be back')
        peer = Listener(node)
        peer.wait_told(txid)
        node.rpc.generateblock(node.rpc.getnewaddress(), [])
        self.wait_again(node, peer, txid)
        peer.close()
        node.mine(1)
        check_equal(node.rpc.getrawmempool(), [])
        node.connect(self.client)
        self.sync_blocks()

    def accept(self):
        self.step('an accept whose block was taken back reaches a client that had forgotten it')
        client, solver = self.nodes
        _, (task,) = self.submit_mined(matrix(128, 256, 1), matrix(256, 128, 2), reward='0.09')
        wait_until(lambda: solver.rpc.prepareoperands(task)['here'], 'the operands')
        rich = balance(solver)
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        wait_task(solver, task, lambda t: t['certified'], 'a certificate')
        accept, = wait_until(solver.rpc.getrawmempool, 'the accept')
        wait_until(lambda: client.rpc.getrawmempool() == [accept], 'the accept at the client')
        self.part(solver)
        solver.rpc.generateblock('raw(6a)', [accept])
        check_equal(solver.rpc.gettask(task)['status'], 'settled')
        client.args.append('-persistmempool=0')
        client.restart()
        check_equal(client.rpc.getrawmempool(), [])
        self.mine(2, client, sync=[client])
        solver.connect(client)
        self.sync_blocks()
        check_equal(solver.rpc.gettask(task)['status'], 'claimed')
        fees += fee_in(client, accept, self.mine_txs(client, accept))
        check_equal(wait_status(client, task, 'settled')['end']['txid'], accept)
        check_equal(balance(solver), rich + 9_000_000 - fees, 'balance of the solver')

    def given_up(self):
        self.step('what no pool takes can be given up, and its coins spent otherwise')
        client, solver = self.nodes
        self.part(client)
        rich = balance(client)
        with raises_rpc(-5, 'Invalid or non-wallet'):
            client.rpc.abandontransaction('ab' * 32)
        sent = client.rpc.sendtoaddress(NOBODY, 1)
        job = submit(client, matrix(128, 256, 3), matrix(256, 128, 4), reward='0.09')['job']
        with raises_rpc(-5, 'not eligible'):
            client.rpc.abandontransaction(sent)
        check(balance(client) < rich - COIN - 9_000_000, 'balance after both')
        client.restart(['-minrelaytxfee=0.001'])
        check_equal(client.rpc.getrawmempool(), [])
        client.rpc.abandontransaction(sent)
        client.rpc.abandontransaction(sent)
        done = client.rpc.canceljob(job)
        check_equal((done['abandoned'], done['replaced'], done['remaining'], 'replacement' in done), (1, 0, [], False))
        check_equal((balance(client), client.rpc.getjob(job)['status']), (rich, 'cancelled'))
        client.restart()
        self.mine(1, client, sync=[client])
        check_equal((balance(client), client.rpc.getrawmempool()), (rich, []))

        self.step('one that is mined nevertheless counts')
        client.connect(solver)
        self.sync_blocks()
        again = client.rpc.sendtoaddress(NOBODY, 1)
        raw = client.rpc.getrawtransaction(again)
        client.restart(['-minrelaytxfee=0.001'])
        client.rpc.abandontransaction(again)
        check_equal(balance(client), rich)
        solver.rpc.sendrawtransaction(raw)
        block = solver.mine(1)[0]
        client.connect(solver)
        self.sync_blocks()
        check_equal(balance(client), rich - COIN - fee_in(client, again, block))
        with raises_rpc(-5, 'not eligible'):
            client.rpc.abandontransaction(again)

    def excluded(self):
        self.step('a job whose transaction a block excludes can be cancelled')
        client, solver = self.nodes
        client.restart()
        rich = balance(client)
        rival = client.rpc.sendtoaddress(NOBODY, rich / COIN, '', '', True)
        raw = client.rpc.getrawtransaction(rival)
        client.restart(['-minrelaytxfee=0.001'])
        client.rpc.abandontransaction(rival)
        client.restart()
        job = submit(client, matrix(128, 256, 5), matrix(256, 128, 6), reward='0.09')['job']
        client.rpc.setnetworkactive(False)
        solver.rpc.sendrawtransaction(raw)
        solver.mine(1)
        client.rpc.setnetworkactive(True)
        client.connect(solver)
        self.sync_blocks()
        check_equal((client.rpc.gettransaction(job)['confirmations'], client.rpc.getjob(job)['status']), (-1, 'pending'))
        done = client.rpc.canceljob(job)
        check_equal((done['abandoned'], done['replaced'], client.rpc.getjob(job)['status']), (1, 0, 'cancelled'))


if __name__ == '__main__':
    TestOwnRelay().main()
