#!/usr/bin/python3
"""Forgers: a claim copied under another key, and a claimed state that was paid to directly."""
import os
import struct

from framework import check_equal, raises_rpc, wait_until
from hostilekit import FEE, HostileTest, Spend, claimed_preimage, task_script
from jobblock import Key, outpoint
from jobkit import WINDOW_UNIT, balance, embers, fee_in, matrix, wait_status, wait_task

REWARD = 90_000_000
BOND = 22_500_000


class TestScenarioForge(HostileTest):
    def run(self):
        self.copycat()
        self.forged_state()
        self.finish()

    def a_task(self, seed):
        a, b = matrix(256, 256, seed), matrix(256, 128, seed + 1)
        _, (task,) = self.submit_mined(a, b, task_rows=2, task_cols=1, reward='0.9')
        self.operands(self.solver, task)
        return task, bytes.fromhex(self.client.rpc.gettask(task)['preimage'])

    def copycat(self):
        self.step('a claim with the result of another, under a key of its own, replaces the honest one')
        client, solver, _ = self.nodes
        task, fresh = self.a_task(1)
        key = Key()
        coin = self.coin_of(key, BOND + FEE)
        rich = self.balances(client, solver)
        honest = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        wait_until(lambda: honest in client.rpc.getrawmempool(), 'the honest claim')
        result = bytes.fromhex(client.rpc.getrawtransaction(honest, True)['vin'][0]['txinwitness'][2])[-32:]
        fields = struct.pack('<QQQ', REWARD, BOND, 0) + key.public + result
        spend = Spend([(task, REWARD, task_script(fresh)), coin],
                      [(REWARD + BOND, task_script(claimed_preimage(fresh, task, fields)))])
        spend.witness[0] = [b'\x01', spend.sign_task(0, 1, key), fields, fresh]
        spend.sign_coin(1, key)
        copy = client.rpc.sendrawtransaction(spend.hex())
        self.mine_txs(client, copy)
        check_equal(client.rpc.gettask(task)['claim']['solver'], key.public.hex())
        wait_until(lambda: not solver.rpc.getrawmempool(), 'the honest claim to go')
        check_equal(balance(solver), rich[1], 'what the honest solver lost')

        self.step('it has no data that opens under its key: asked for, it cannot answer')
        wait_task(client, task, lambda t: t['check'] == 'fetching', 'the wait for a result')
        self.advance(WINDOW_UNIT // 4 + 10)
        fees = self.mine_action(client, task, 'challenge')[1]
        self.pass_median(WINDOW_UNIT + 60)
        if client.rpc.gettask(task)['status'] == 'challenged':
            self.mine_action(client, task, 'expire')
        info = wait_status(client, task, 'open')
        check_equal(info['reason'], 'unanswered')
        expire = info['disputes'][-1]
        fees += fee_in(client, expire['txid'], client.rpc.getblockhash(expire['height']))
        check_equal(balance(client), rich[0] + BOND - fees, 'balance of the client')
        check_equal(self.lost(key), BOND + FEE, 'what the copycat lost')

        self.step('and the honest solver is paid after all')
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        wait_status(client, task, 'settled')
        check_equal(balance(solver), rich[1] + REWARD - fees, 'balance of the solver')

    def forged_state(self):
        self.step('who pays to a claimed state directly can do nothing with it: no record names it')
        client, solver, _ = self.nodes
        task, fresh = self.a_task(3)
        rich = self.balances(client, solver)
        key = Key()
        fields = struct.pack('<QQQ', REWARD, BOND, 0) + key.public + os.urandom(32)
        for origin in (task, '%064x:0' % 5):
            preimage = claimed_preimage(fresh, origin, fields)
            forged = self.pay_to_task(preimage, REWARD + BOND)
            spend = Spend([(forged, REWARD + BOND, task_script(preimage))], [(REWARD, b'\x51\x20' + key.public)])
            for action, items in ((2, [bytes(64), bytes(64)]), (3, [bytes(64), b'', b'']), (4, [b'', bytes(8), b'']),
                                  (5, [bytes(64), bytes(4)]), (7, [bytes(64)]), (8, [bytes(64)])):
                spend.witness[0] = [bytes([action]), *items, preimage]
                with raises_rpc(None, 'bad-task-record'):
                    client.rpc.sendrawtransaction(spend.hex())
            txid, vout = forged.split(':')
            check_equal(embers(client.rpc.gettxout(txid, int(vout))['value']), REWARD + BOND, 'what the forger locked up for ever')
        info = client.rpc.gettask(task)
        check_equal((info['status'], info['outpoint'], info['restored']), ('open', task, 0))
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fees], 'balances')


if __name__ == '__main__':
    TestScenarioForge().main()
