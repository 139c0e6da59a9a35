#!/usr/bin/python3
# timeout: 600
"""Wrong results cost their solver its bond, whoever is there to look: the client, a stranger who watches, the cheat itself."""
import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobkit import WINDOW_UNIT, balance, fee_in, matrix, padded_product, product, read_result, upload_result, wait_status, wait_task
from scenariokit import ScenarioTest, serialize

REWARD = 9_000_000


class TestScenarioFraud(ScenarioTest):
    nodes_count = 4

    def own_args(self):
        return [['-reoffer=0'], [], ['-watch'], []]  # what comes to nothing stays refunded

    def run(self):
        self.cheat, self.watcher, self.honest = self.nodes[1:]
        self.honest.connect(self.cheat)  # all know each other
        self.one_in_millions()
        self.slashes_itself()
        self.garbage()
        self.finish()

    def claim(self, node, task, result):
        root = upload_result(node, node.rpc.gettask(task), node.rpc.getsolverkey(), result)
        return node.rpc.claimtask(task, root, 'none')['txid']

    def one_in_millions(self):
        self.step('one entry of 4,194,304 is wrong; the client is away, and a stranger looks')
        client, cheat, watcher, honest = self.nodes
        a, b = matrix(2048, 256, 1), matrix(256, 2048, 2)
        reply, (task,) = self.submit_mined(a, b, task_rows=16, task_cols=16, reward='0.09')
        self.operands(cheat, task)
        self.operands(honest, task)
        rich = self.balances(cheat, watcher, honest, client)
        client.stop()
        wrong = padded_product(a, b)
        wrong[1234, 1999] ^= 1 << 7
        claim = self.claim(cheat, task, wrong)
        rich[0] -= fee_in(cheat, claim, self.mine_txs(cheat, claim))
        bond = self.bond(cheat, task)
        fraud, fee = self.mine_action(watcher, task, 'fraud')
        spend = watcher.rpc.getrawtransaction(fraud, True)['vin'][0]['txinwitness']
        check_equal((spend[1], spend[2]), ('', (1234).to_bytes(4, 'little').hex() + (1999).to_bytes(4, 'little').hex()))
        check(bond // 2 <= fee < bond // 2 + 10_000, 'half of the bond burns')
        check_equal(self.balances(cheat, watcher), [rich[0] - bond, rich[1] + bond - fee], 'balances')
        info = honest.rpc.gettask(task)
        check_equal((info['status'], info['restored'], info['reason'], info['outpoint']),
                    ('open', 1, 'wrong-result', fraud + ':0'))

        self.step('another solves it, and mines a block inside the task that was restored')
        mined = honest.rpc.generatejobblock(task)
        self.sync_blocks(self.running())
        check_equal(cheat.rpc.gettask(task)['blocks'], [mined['hash']])
        claim = honest.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(honest, claim, self.mine_txs(honest, claim))
        client.start()
        for node in (cheat, honest):
            client.connect(node)
        self.sync_blocks()
        accept, fee = self.mine_action(honest, task, 'accept')
        check_equal(wait_status(client, task, 'settled')['end']['txid'], accept)
        check((read_result(client, reply['job'], 100) == product(a, b)[:100]).all(), 'the result')
        check_equal(self.balances(honest, client), [rich[2] + REWARD - fees - fee, rich[3]], 'honest balances')

    def slashes_itself(self):
        self.step('a cheat that proves itself wrong to save its bond saves no more than half')
        client, cheat, watcher, _ = self.nodes
        watcher.stop()
        a, b = matrix(128, 256, 3), matrix(256, 128, 4)
        _, (task,) = self.submit_mined(a, b, reward='0.09')
        self.operands(cheat, task)
        rich = self.balances(client, cheat)  # before the client's proof, which counts as soon as it waits
        claim = cheat.rpc.solvetask(task, {'burn': 'none', 'spoil': True})['txid']
        rich[1] -= fee_in(client, claim, self.mine_txs(client, claim))
        bond = self.bond(client, task)
        proof = self.pending(cheat, task, 'fraud')
        tx = cheat.rpc.getrawtransaction(proof, True)
        script = bytes.fromhex(cheat.rpc.getaddressinfo(cheat.rpc.getnewaddress())['scriptPubKey'])
        escrow, other = [bytes.fromhex(out['scriptPubKey']['hex']) for out in tx['vout']]
        check(other != script, 'outputs')
        # More than half, and nothing for the next solver: neither is valid.
        with raises_rpc(None, 'bad-task-burn-fee'):
            cheat.rpc.sendrawtransaction(serialize(tx, [(REWARD, escrow), (bond - bond // 2 + 1, script)]))
        with raises_rpc(None, 'bad-task-pair'):
            cheat.rpc.sendrawtransaction(serialize(tx, [(REWARD - 1, escrow), (1000, script)]))
        own = cheat.rpc.sendrawtransaction(serialize(tx, [(REWARD, escrow), (bond - bond // 2 - 50_000, script)]))
        self.mine_txs(client, own)  # it replaces the client's, once it has come
        check_equal(client.rpc.gettask(task)['status'], 'open')
        check_equal(self.balances(client, cheat), [rich[0], rich[1] - bond // 2 - 50_000], 'balances')

    def garbage(self):
        self.step('garbage cannot be taken, and is proven wrong whenever the client comes back')
        client, cheat, watcher, honest = self.nodes
        a, b = matrix(256, 256, 5), matrix(256, 256, 6)
        _, (task,) = self.submit_mined(a, b, task_rows=2, task_cols=2, reward='0.09')
        self.operands(cheat, task)
        money = balance(client)
        client.stop()
        rubbish = numpy.random.default_rng(7).integers(-2**31, 2**31, (256, 256)).astype(numpy.int32)
        claim = self.claim(cheat, task, rubbish)
        self.mine_txs(cheat, claim)
        rich = balance(cheat)
        bond = self.bond(cheat, task)
        self.pass_median(WINDOW_UNIT + 60)
        wait_task(cheat, task, lambda t: 'sample' in t.get('note', ''), 'a take that fails')
        with raises_rpc(None, 'sample'):
            cheat.rpc.settletask(task)
        client.start()
        for node in (cheat, honest):
            client.connect(node)
        self.sync_blocks([client, cheat, honest])
        fee = self.mine_action(client, task, 'fraud')[1]
        check_equal(self.balances(client, cheat), [money + bond - fee, rich], 'balances')
        check_equal(wait_status(cheat, task, 'open')['restored'], 1)

        self.step('at the deadline what was restored is refunded')
        watcher.start()
        watcher.connect(cheat)
        self.sync_blocks()
        money = balance(client)
        open_tasks = [t['origin'] for t in client.rpc.listtasks('restored')]
        check_equal(len(open_tasks), 2)
        self.pass_median(2 * 86400)
        for task in open_tasks:
            if client.rpc.gettask(task)['status'] == 'open':
                self.mine_action(client, task, 'refund')
            end = wait_status(client, task, 'refunded')['end']
            money += REWARD - fee_in(client, end['txid'], client.rpc.getblockhash(end['height']))
        check_equal(balance(client), money, 'balance of the client')
        check_equal(sorted(t['origin'] for t in client.rpc.listtasks('refunded')), sorted(open_tasks))


if __name__ == '__main__':
    TestScenarioFraud().main()
