#!/usr/bin/python3
"""Forgers: a claim copied under another key, and a claimed state that was paid to directly."""
import hashlib
import os
import struct

from framework import COIN, check_equal, raises_rpc, wait_until
from jobblock import Key, outpoint
from jobkit import WINDOW_UNIT, balance, fee_in, matrix, wait_status, wait_task
from p2p import tagged_hash, var
from scenariokit import ScenarioTest

REWARD = 9_000_000
BOND = 2_250_000
FEE = 100_000
LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'


def address(version, program):
    """BIP350."""
    def polymod(values):
        out = 1
        for value in values:
            top = out >> 25
            out = (out & 0x1ffffff) << 5 ^ value
            for i, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                out ^= generator if top >> i & 1 else 0
        return out
    bits = int.from_bytes(program, 'big') << 3  # 256 bits are 51 groups of 5 and one more bit
    bits <<= 1
    data = [version] + [bits >> 5 * (51 - i) & 31 for i in range(52)]
    prefix = 'fxrt'
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + data + [0] * 6) ^ 0x2bc830a3
    return prefix + '1' + ''.join(LETTERS[v] for v in data + [check >> 5 * (5 - i) & 31 for i in range(6)])


class Spend:
    """A version 2 transaction over witness outputs; coins: (outpoint, embers, script) of its inputs."""

    def __init__(self, coins, outputs):
        self.coins, self.outputs = coins, outputs
        self.witness = [[] for _ in coins]

    def message(self, number):
        """SigMsg of BIP341, SIGHASH_DEFAULT, without annex."""
        def sha(data):
            return hashlib.sha256(data).digest()
        return (b'\x00' + struct.pack('<ii', 2, 0) + sha(b''.join(outpoint(coin[0]) for coin in self.coins)) +
                sha(b''.join(struct.pack('<q', coin[1]) for coin in self.coins)) +
                sha(b''.join(var(len(coin[2])) + coin[2] for coin in self.coins)) +
                sha(b'\xfd\xff\xff\xff' * len(self.coins)) + sha(self.serialize_outputs()) + b'\x00' +
                struct.pack('<I', number))

    def serialize_outputs(self):
        return b''.join(struct.pack('<q', value) + var(len(script)) + script for value, script in self.outputs)

    def hex(self):
        out = struct.pack('<i', 2) + b'\x00\x01' + var(len(self.coins))
        for coin in self.coins:
            out += outpoint(coin[0]) + var(0) + b'\xfd\xff\xff\xff'
        out += var(len(self.outputs)) + self.serialize_outputs()
        for items in self.witness:
            out += var(len(items)) + b''.join(var(len(item)) + item for item in items)
        return (out + bytes(4)).hex()


def task_script(preimage):
    return b'\x52\x20' + tagged_hash('fornax/p2task', preimage)


def claimed_preimage(fresh, origin, fields):
    return b'\x01' + outpoint(origin) + fresh[37:] + fields


class TestScenarioForge(ScenarioTest):
    def run(self):
        self.copycat()
        self.forged_state()
        self.finish()

    def a_task(self, seed):
        a, b = matrix(256, 256, seed), matrix(256, 128, seed + 1)
        _, (task,) = self.submit_mined(a, b, task_rows=2, task_cols=1, reward='0.09')
        self.operands(self.solver, task)
        return task, bytes.fromhex(self.client.rpc.gettask(task)['preimage'])

    def coin_of(self, key, embers):
        """A mined output that pays to the key, of the third node's money: (outpoint, embers, script)."""
        node, script = self.nodes[2], b'\x51\x20' + key.public
        txid = node.rpc.sendtoaddress(address(1, key.public), '%d.%08d' % divmod(embers, COIN))
        self.mine_txs(self.client, txid)
        vout, = [n for n, out in enumerate(node.rpc.getrawtransaction(txid, True)['vout'])
                 if out['scriptPubKey']['hex'] == script.hex()]
        return '%s:%d' % (txid, vout), embers, script

    def pay_to_task(self, preimage, embers):
        """A mined output with this program, which no wallet would make; its outpoint."""
        key = Key()
        spend = Spend([self.coin_of(key, embers + FEE)], [(embers, task_script(preimage))])
        spend.witness[0] = [key.sign(tagged_hash('TapSighash', b'\x00' + spend.message(0)))]
        txid = self.client.rpc.sendrawtransaction(spend.hex())
        self.mine_txs(self.client, txid)
        return txid + ':0'

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
        signature = key.sign(tagged_hash('fornax/tasksighash', b'\x01\x00' + spend.message(0)))
        spend.witness[0] = [b'\x01', signature, fields, fresh]
        spend.witness[1] = [key.sign(tagged_hash('TapSighash', b'\x00' + spend.message(1)))]
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
        info = client.rpc.gettask(task)
        check_equal((info['status'], info['outpoint'], info['restored']), ('open', task, 0))
        claim = solver.rpc.solvetask(task, {'burn': 'none'})['txid']
        fees = fee_in(client, claim, self.mine_txs(client, claim))
        fees += self.mine_action(client, task, 'accept')[1]
        check_equal(self.balances(client, solver), [rich[0], rich[1] + REWARD - fees], 'balances')


if __name__ == '__main__':
    TestScenarioForge().main()
