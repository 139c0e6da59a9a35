"""Parties that no program of ours would be: clients, solvers and miners whose transactions and blocks are made here by hand."""
import hashlib
import struct

from framework import COIN, check_equal
from jobblock import Key, Operand, backing_list, made_blocks, outpoint, work_script
from jobkit import panel, upload_operand
from p2p import tagged_hash, var
from scenariokit import DEPOSIT, ScenarioTest

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

    def sign_coin(self, number, key):
        self.witness[number] = [key.sign(tagged_hash('TapSighash', b'\x00' + self.message(number)))]

    def sign_task(self, number, action, key):
        return key.sign(tagged_hash('fornax/tasksighash', bytes([action, 0]) + self.message(number)))

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


def embers_text(embers):
    return '%d.%08d' % divmod(embers, COIN)


class Client:
    """A client whose key no node has: it does only what the test has it do. Its operands may lie on any node, or on none."""

    def __init__(self, test, node):
        self.test, self.node, self.key = test, node, Key()

    def submit(self, a, b, reward, serve=True):
        """A job of one task, funded and mined; its origin. serve: its operands are on its node."""
        side_a, side_b = panel(a), panel(b.T.copy())
        self.sides = Operand(side_a), Operand(side_b)
        roots = [side.root for side in self.sides]
        if serve:
            check_equal([upload_operand(self.node, side) for side in (side_a, side_b)], [root.hex() for root in roots])
        tiles = side_a.shape[0] // 128, side_b.shape[0] // 128
        spec = (b'\x01\x01' + self.key.public + struct.pack('<IHH', self.test.now + 86400, 1, 0) +
                struct.pack('<III', side_a.shape[0], side_b.shape[0], side_a.shape[1]) + roots[0] + roots[1] +
                struct.pack('<II', *tiles))
        announcement = b'fxjs' + bytes(4) + spec
        self.fresh = b'\x00' + bytes(36) + spec + bytes(4)
        self.reward = reward
        spend = Spend([self.test.coin_of(self.key, reward + FEE)],
                      [(0, b'\x6a\x4c' + bytes([len(announcement)]) + announcement), (reward, task_script(self.fresh))])
        spend.sign_coin(0, self.key)
        txid = self.node.rpc.sendrawtransaction(spend.hex())
        self.test.mine_txs(self.node, txid)
        self.task = txid + ':1'
        self.test.known.append(self.task)
        return self.task

    def fields(self, claim):
        """The 88 bytes of a claim, from what gettask says of it."""
        return (struct.pack('<QQQ', self.reward, int(claim['bond'] * COIN), int(claim['burn'] * COIN)) +
                bytes.fromhex(claim['solver']) + bytes.fromhex(claim['result']))

    def deposit(self, fee=FEE):
        """A coin for a challenge and its fee, mined."""
        return self.test.coin_of(self.key, DEPOSIT + fee)

    def challenge(self, tile, coin):
        """Asks for a tile with this deposit; the transaction, not sent."""
        info = self.node.rpc.gettask(self.task)
        claimed = claimed_preimage(self.fresh, self.task, self.fields(info['claim']))
        value = self.reward + int(info['claim']['bond'] * COIN)
        challenged = b'\x02' + claimed[1:] + struct.pack('<I', tile)
        spend = Spend([(info['outpoint'], value, task_script(claimed)), coin],
                      [(value + DEPOSIT, task_script(challenged))])
        spend.witness[0] = [b'\x05', spend.sign_task(0, 5, self.key), struct.pack('<I', tile), claimed]
        spend.sign_coin(1, self.key)
        return spend

    def claim(self, key, result, bond, burn):
        """Claims the task under another key of the test's; the outpoint of the claim, mined."""
        fields = struct.pack('<QQQ', self.reward, bond, burn) + key.public + result
        claimed = claimed_preimage(self.fresh, self.task, fields)
        spend = Spend([(self.task, self.reward, task_script(self.fresh)), self.test.coin_of(key, bond + FEE)],
                      [(self.reward + bond, task_script(claimed))])
        spend.witness[0] = [b'\x01', spend.sign_task(0, 1, key), fields, self.fresh]
        spend.sign_coin(1, key)
        self.test.mine_txs(self.node, self.node.rpc.sendrawtransaction(spend.hex()))
        return self.node.rpc.gettask(self.task)['claim']['outpoint']

    def accept(self, key, fee=FEE):
        """Certifies what this key claimed, and settles for it; mined."""
        claim = self.node.rpc.gettask(self.task)['claim']
        claimed = claimed_preimage(self.fresh, self.task, self.fields(claim))
        value = self.reward + int(claim['bond'] * COIN)
        spend = Spend([(claim['outpoint'], value, task_script(claimed))],
                      [(value - int(claim['burn'] * COIN) - fee, b'\x51\x20' + key.public)])
        spend.witness[0] = [b'\x02', spend.sign_task(0, 2, key), self.certificate(claim), claimed]
        self.test.mine_txs(self.node, self.node.rpc.sendrawtransaction(spend.hex()))

    def block(self, node, key, origins, value):
        """Submits a block inside the task that these origins back, whose coinbase pays so much to the key. (id, what the node
        says of it: None where it is taken)."""
        tip = node.rpc.getblockheader(node.rpc.getbestblockhash())
        lists = backing_list(origins)
        outputs = [(value, b'\x51\x20' + key.public), (0, work_script(self.task, key.public, self.fresh, lists))]
        for block in made_blocks(tip, key, self.task, self.fresh, self.sides, (0, 0, 0), lists, outputs):
            reply = node.rpc.submitblock(block.raw().hex())
            if reply != 'high-ticket':
                return block.id(), reply
        raise AssertionError('64 tickets in a row above the target')

    def certificate(self, claim):
        claimed = claimed_preimage(self.fresh, self.task, self.fields(claim))
        return self.key.sign(tagged_hash('fornax/accept', tagged_hash('fornax/p2task', claimed)))


class HostileTest(ScenarioTest):
    def fund(self):
        self.given = {}  # embers by key that no node has
        super().fund()

    def lost(self, key):
        """What the party of this key has less than it was given, on the chain."""
        script = 'raw(5120%s)' % key.public.hex()
        return self.given[key.public] - round(self.client.rpc.scantxoutset('start', [script])['total_amount'] * COIN)

    def coin_of(self, key, embers):
        """A mined output that pays to the key, of the third node's money: (outpoint, embers, script)."""
        node, script = self.nodes[2], b'\x51\x20' + key.public
        self.given[key.public] = self.given.get(key.public, 0) + embers
        txid = node.rpc.sendtoaddress(address(1, key.public), embers_text(embers))
        self.mine_txs(self.client, txid)
        vout, = [n for n, out in enumerate(node.rpc.getrawtransaction(txid, True)['vout'])
                 if out['scriptPubKey']['hex'] == script.hex()]
        return '%s:%d' % (txid, vout), embers, script

    def pay_to_task(self, preimage, embers):
        """A mined output with this program, which no wallet would make; its outpoint."""
        key = Key()
        spend = Spend([self.coin_of(key, embers + FEE)], [(embers, task_script(preimage))])
        spend.sign_coin(0, key)
        txid = self.client.rpc.sendrawtransaction(spend.hex())
        self.mine_txs(self.client, txid)
        return txid + ':0'
