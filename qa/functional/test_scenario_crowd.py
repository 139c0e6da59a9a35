#!/usr/bin/python3
"""A hostile client with many claims open challenges them all at once. A block has places for 24 challenges, so every answer has
room in the block after it: none expires that is right, and the flood costs its client alone."""
import copy
import struct

from blocktools import block_on_tip
from framework import check, check_equal, raises_rpc, wait_until
from hostilekit import FEE, Client, HostileTest, Spend, claimed_preimage, task_script
from jobblock import Operand
from jobkit import WINDOW_UNIT, fee_in, matrix, panel, upload_operand, wait_status
from scenariokit import DEPOSIT

TASKS = 27
PLACES = 24
REWARD = 9_000_000


class Crowd(Client):
    """A client with one job of many tasks of a tile each."""

    def submit_all(self):
        """The job, funded and mined; one client a task, all with the same key."""
        side_a, side_b = panel(matrix(128 * TASKS, 256, 1)), panel(matrix(256, 128, 2).T.copy())
        self.sides = Operand(side_a), Operand(side_b)
        for side in (side_a, side_b):
            upload_operand(self.node, side)
        spec = (b'\x01\x01' + self.key.public + struct.pack('<IHH', self.test.now + 86400, 1, 0) +
                struct.pack('<III', 128 * TASKS, 128, 256) + self.sides[0].root + self.sides[1].root + struct.pack('<II', 1, 1))
        announcement = b'fxjs' + bytes(4) + spec
        preimages = [b'\x00' + bytes(36) + spec + struct.pack('<I', index) for index in range(TASKS)]
        spend = Spend([self.test.coin_of(self.key, TASKS * REWARD + FEE)],
                      [(0, b'\x6a\x4c' + bytes([len(announcement)]) + announcement)] +
                      [(REWARD, task_script(preimage)) for preimage in preimages])
        spend.sign_coin(0, self.key)
        txid = self.node.rpc.sendrawtransaction(spend.hex())
        self.test.mine_txs(self.node, txid)
        crowd = []
        for index, preimage in enumerate(preimages):
            one = copy.copy(self)
            one.fresh, one.reward, one.task = preimage, REWARD, '%s:%d' % (txid, index + 1)
            crowd.append(one)
        self.test.known += [one.task for one in crowd]
        return crowd

    def deposits(self, amounts):
        """Coins of these values, of one transaction, mined."""
        script = b'\x51\x20' + self.key.public
        spend = Spend([self.test.coin_of(self.key, sum(amounts) + FEE)], [(amount, script) for amount in amounts])
        spend.sign_coin(0, self.key)
        txid = self.node.rpc.sendrawtransaction(spend.hex())
        self.test.mine_txs(self.node, txid)
        return [('%s:%d' % (txid, index), amount, script) for index, amount in enumerate(amounts)]

    def challenge_together(self, crowd, coin):
        """One transaction that asks all of these for their only tile."""
        claims, outputs, coins = [], [], []
        for one in crowd:
            info = self.node.rpc.gettask(one.task)
            claimed = claimed_preimage(one.fresh, one.task, one.fields(info['claim']))
            value = REWARD + round(info['claim']['bond'] * 10**8)
            claims.append(claimed)
            coins.append((info['outpoint'], value, task_script(claimed)))
            outputs.append((value + DEPOSIT, task_script(b'\x02' + claimed[1:] + bytes(4))))
        spend = Spend(coins + [coin], outputs)
        for at, claimed in enumerate(claims):
            spend.witness[at] = [b'\x05', spend.sign_task(at, 5, self.key), bytes(4), claimed]
        spend.sign_coin(len(claims), self.key)
        return spend


class TestScenarioCrowd(HostileTest):
    coins = 8

    def run(self):
        crowd = self.claimed()
        self.too_many_in_one(crowd)
        self.asked_at_once(crowd)
        self.taken(crowd)
        self.finish()

    def claimed(self):
        self.step('%d claims of one client by one solver' % TASKS)
        client, solver, third = self.nodes
        # A coin a claim, so that all are in one block.
        self.mine_txs(client, *[third.rpc.sendtoaddress(solver.rpc.getnewaddress(), '0.2') for _ in range(TASKS)])
        self.hostile = Crowd(self, client)
        crowd = self.hostile.submit_all()
        self.operands(solver, crowd[0].task)
        self.rich, = self.balances(solver)
        claims = [solver.rpc.solvetask(one.task, {'burn': 'none'})['txid'] for one in crowd]
        block = self.mine_txs(client, *claims)
        self.fees = sum(fee_in(client, claim, block) for claim in claims)
        # The first few pay less than the others: these will wait.
        self.paid = [FEE // 2 if at < TASKS - PLACES else FEE for at in range(TASKS)]
        self.coins_of = self.hostile.deposits([DEPOSIT + fee for fee in self.paid])
        return crowd

    def too_many_in_one(self, crowd):
        self.step('a transaction that no block can take is refused; so is a block with one challenge too many')
        client = self.client
        coin, = self.hostile.deposits([(PLACES + 1) * DEPOSIT + FEE])
        together = self.hostile.challenge_together(crowd[:PLACES + 1], coin).hex()
        with raises_rpc(-26, 'bad-blk-challenges'):
            client.rpc.sendrawtransaction(together)
        check_equal(client.rpc.testmempoolaccept([together])[0]['reject-reason'], 'bad-blk-challenges')
        check_equal(client.rpc.submitblock(block_on_tip(client, [together], value=0).write().hex()), 'bad-blk-challenges')
        single = [one.challenge(0, coin) for one, coin in zip(crowd, self.coins_of)]
        block = block_on_tip(client, [spend.hex() for spend in single[:PLACES + 1]], value=0)
        check_equal(client.rpc.submitblock(block.write().hex()), 'bad-blk-challenges')
        with raises_rpc(None, 'bad-blk-challenges'):
            client.rpc.generateblock(client.mining_address(), [spend.hex() for spend in single[1:PLACES + 2]])
        self.single = single

    def answered(self, crowd):
        """The next block, which must have the answers of all of these."""
        client = self.client
        answers = [self.pending(client, one.task, 'answer') for one in crowd]
        block = self.mine_txs(client, *answers)
        self.fees += sum(self.answer_fee(fee_in(client, answer, block)) for answer in answers)
        return client.rpc.getblock(block)

    def asked_at_once(self, crowd):
        self.step('the best fees have the places, the others wait; the answers to a block are in the next one')
        client, solver, _ = self.nodes
        sent = [client.rpc.sendrawtransaction(spend.hex()) for spend in self.single]
        wait_until(lambda: set(sent) <= set(solver.rpc.getrawmempool()), 'the challenges at the solver')
        first = client.rpc.getblock(self.mine(1)[0])['tx']
        check_equal(set(first[1:]), set(sent[TASKS - PLACES:]))
        check_equal(set(client.rpc.getrawmempool()) & set(sent), set(sent[:TASKS - PLACES]))
        late, early = crowd[:TASKS - PLACES], crowd[TASKS - PLACES:]
        second = self.answered(early)
        check(set(sent[:TASKS - PLACES]) < set(second['tx']), 'those that waited are asked')
        check(second['weight'] < 2_000_000, 'the answers take less than half of a block: %d' % second['weight'])
        self.answered(late)
        check_equal({client.rpc.gettask(one.task)['status'] for one in crowd}, {'claimed'})

    def taken(self, crowd):
        self.step('the solver takes its whole pay, and the client has paid for each question')
        client, solver, _ = self.nodes
        self.pass_median(WINDOW_UNIT + 60)
        ends = self.settled([one.task for one in crowd])
        check_equal({task['end']['action'] for task in ends}, {'take'})
        self.fees += sum(fee_in(client, task['end']['txid'], client.rpc.getblockhash(task['end']['height'])) for task in ends)
        check_equal(self.balances(solver), [self.rich + TASKS * REWARD - self.fees], 'balance of the solver')
        # Three transactions that made coins paid a fee each; the deposit of the transaction that nobody took is still there.
        check_equal(self.lost(self.hostile.key), TASKS * (REWARD + DEPOSIT) + sum(self.paid) + 3 * FEE, 'what the flood cost')


if __name__ == '__main__':
    TestScenarioCrowd().main()
