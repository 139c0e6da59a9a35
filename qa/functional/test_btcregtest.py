#!/usr/bin/python3
# sanitizer: yes
"""Bitcoin's regtest: its genesis, subsidy and messages; every kind of script in blocks of two nodes; a reorganisation of
100 blocks; what is a rule on our own networks and none on Bitcoin's."""
import hashlib
import os
import socket
import struct
from decimal import Decimal

from blocktools import block_on_tip, write_tx
from framework import COIN, TIMEOUT, FornaxTest, Node, check, check_equal, raises_rpc, wait_until
from p2p import Peer, id_bytes, sha256d, tagged_hash, var

GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'
MAGIC = bytes.fromhex('fabfb5da')
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
SECRET = 0x1234567890abcdef1234567890abcdef
FEE = 10000
SEQUENCE = 0xfffffffe


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if a[1] != b[1]:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point, n):
    sum_ = None
    while n:
        sum_ = add(sum_, point) if n & 1 else sum_
        point = add(point, point)
        n >>= 1
    return sum_


def number(data):
    return int.from_bytes(data, 'big')


def compressed(point):
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, 'big')


def der(n):
    data = n.to_bytes(n.bit_length() // 8 + 1, 'big')
    return b'\x02' + bytes([len(data)]) + data


def sign_ecdsa(digest):
    """DER, low S. The nonce follows from the digest: good enough for coins of a test."""
    k = number(hashlib.sha256(b'nonce' + digest).digest()) % N
    r = multiply(G, k)[0] % N
    s = pow(k, -1, N) * (number(digest) + r * SECRET) % N
    body = der(r) + der(min(s, N - s))
    return b'\x30' + bytes([len(body)]) + body


def sign_schnorr(digest):
    """BIP340."""
    point = multiply(G, SECRET)
    d = SECRET if point[1] % 2 == 0 else N - SECRET
    k = number(tagged_hash('nonce', digest)) % N
    nonce = multiply(G, k)
    k = k if nonce[1] % 2 == 0 else N - k
    r = nonce[0].to_bytes(32, 'big')
    e = number(tagged_hash('BIP0340/challenge', r + point[0].to_bytes(32, 'big') + digest)) % N
    return r + ((k + e * d) % N).to_bytes(32, 'big')


def hash160(data):
    return hashlib.new('ripemd160', hashlib.sha256(data).digest()).digest()


def base58check(data):
    letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    data += sha256d(data)[:4]
    n, text = number(data), ''
    while n:
        n, digit = divmod(n, 58)
        text = letters[digit] + text
    return text


def push(data):
    return bytes([len(data)]) + data


KEY = multiply(G, SECRET)
P2PKH = b'\x76\xa9' + push(hash160(compressed(KEY))) + b'\x88\xac'
REDEEM = push(compressed(KEY)) + b'\xac'
P2SH = b'\xa9' + push(hash160(REDEEM)) + b'\x87'
WITNESS_SCRIPT = b'\x51' + push(compressed(KEY)) + b'\x51\xae'  # 1 of 1
P2WSH = b'\x00' + push(hashlib.sha256(WITNESS_SCRIPT).digest())
P2WPKH = b'\x00' + push(hash160(compressed(KEY)))
LEAF = push(KEY[0].to_bytes(32, 'big')) + b'\xac'
LEAF_HASH = tagged_hash('TapLeaf', b'\xc0' + var(len(LEAF)) + LEAF)
INTERNAL = KEY if KEY[1] % 2 == 0 else (KEY[0], P - KEY[1])
OUTPUT_KEY = add(INTERNAL, multiply(G, number(tagged_hash('TapTweak', INTERNAL[0].to_bytes(32, 'big') + LEAF_HASH))))
P2TR = b'\x51' + push(OUTPUT_KEY[0].to_bytes(32, 'big'))
CONTROL = bytes([0xc0 + (OUTPUT_KEY[1] & 1)]) + INTERNAL[0].to_bytes(32, 'big')
PROGRAM2 = b'\x52' + push(b'\x07' * 32)


def legacy_digest(inputs, outputs, at, script):
    """SIGHASH_ALL before segwit."""
    blank = [(txid, index, script if i == at else b'', sequence)
             for i, (txid, index, _, sequence) in enumerate(inputs)]
    return sha256d(write_tx(blank, outputs) + struct.pack('<I', 1))


def write_outpoint(one):
    return id_bytes(one[0]) + struct.pack('<I', one[1])


def write_outputs(outputs):
    return b''.join(struct.pack('<q', value) + var(len(script)) + script for value, script in outputs)


def v0_digest(inputs, outputs, at, script, value):
    """BIP143, SIGHASH_ALL."""
    return sha256d(struct.pack('<i', 2) + sha256d(b''.join(map(write_outpoint, inputs))) +
                   sha256d(b''.join(struct.pack('<I', one[3]) for one in inputs)) + write_outpoint(inputs[at]) +
                   var(len(script)) + script + struct.pack('<qI', value, inputs[at][3]) +
                   sha256d(write_outputs(outputs)) + struct.pack('<II', 0, 1))


def tapscript_digest(inputs, outputs, at, spent):
    """BIP341 and BIP342, SIGHASH_DEFAULT."""
    def h(data):
        return hashlib.sha256(data).digest()
    return tagged_hash('TapSighash', b'\x00\x00' + struct.pack('<iI', 2, 0) + h(b''.join(map(write_outpoint, inputs))) +
                       h(b''.join(struct.pack('<q', value) for value, _ in spent)) +
                       h(b''.join(var(len(script)) + script for _, script in spent)) +
                       h(b''.join(struct.pack('<I', one[3]) for one in inputs)) + h(write_outputs(outputs)) +
                       b'\x02' + struct.pack('<I', at) + LEAF_HASH + b'\x00' + b'\xff' * 4)


def sign(coins, outputs):
    """A transaction that spends coins (txid, index, value, script) of every kind."""
    inputs = [(txid, index, b'', SEQUENCE) for txid, index, _, _ in coins]
    spent = [(value, script) for _, _, value, script in coins]
    scripts, witness = [], []
    for at, (value, script) in enumerate(spent):
        script_sig, items = b'', []
        if script == P2PKH:
            signature = sign_ecdsa(legacy_digest(inputs, outputs, at, P2PKH)) + b'\x01'
            script_sig = push(signature) + push(compressed(KEY))
        elif script == P2SH:
            script_sig = push(sign_ecdsa(legacy_digest(inputs, outputs, at, REDEEM)) + b'\x01') + push(REDEEM)
        elif script == P2WPKH:
            items = [sign_ecdsa(v0_digest(inputs, outputs, at, P2PKH, value)) + b'\x01', compressed(KEY)]
        elif script == P2WSH:
            items = [b'', sign_ecdsa(v0_digest(inputs, outputs, at, WITNESS_SCRIPT, value)) + b'\x01', WITNESS_SCRIPT]
        elif script == P2TR:
            items = [sign_schnorr(tapscript_digest(inputs, outputs, at, spent)), LEAF, CONTROL]
        scripts.append(script_sig)
        witness.append(items)
    inputs = [(txid, index, script, sequence) for (txid, index, _, sequence), script in zip(inputs, scripts)]
    return write_tx(inputs, outputs, witness if any(witness) else None).hex()


class TestBtcRegtest(FornaxTest):
    chain = 'btcregtest'
    nodes_count = 2

    def coinbase_coin(self, height):
        node = self.nodes[0]
        txid = node.rpc.getblock(node.rpc.getblockhash(height))['tx'][0]
        return txid, 0, 50 * COIN, P2PKH

    def facts(self, node):
        self.step("Bitcoin's numbers")
        info = node.rpc.getblockchaininfo()
        check_equal((info['bestblockhash'], info['bits']), (GENESIS, '207fffff'))
        check_equal(int(info['chainwork'], 16), 2)
        check_equal(node.rpc.getnetworkinfo()['localservices'], '0000000000000009')
        check(node.mining_address().startswith('bcrt1p'), 'address of another network')
        for name in ('submitjob', 'gettask', 'getminerwork'):
            with raises_rpc(-32601):
                node.rpc.call(name)
        with raises_rpc(-8, 'lane'):
            node.rpc.getblocktemplate({'rules': ['segwit'], 'lane': 'job'})

    def wire(self, node):
        self.step('a handshake of BIP324 is closed without an answer, and v1 is spoken after it')
        for _ in range(3):
            with socket.create_connection(('127.0.0.1', node.port), timeout=TIMEOUT) as v2:
                v2.sendall(bytes(64 - 1) + os.urandom(1))
                check_equal(v2.recv(1), b'', 'answer to a handshake of BIP324')
        peer = Peer(node, handshake=False, services=9, magic=MAGIC)
        peer.send('version', peer.version_payload())
        names = []
        while 'verack' not in names:
            names.append(peer.next()[0])
        check_equal(names, ['version', 'wtxidrelay', 'sendaddrv2', 'verack'])
        peer.send('wtxidrelay')
        peer.send('sendaddrv2')
        peer.send('verack')
        peer.send('sendcmpct', struct.pack('<BQ', 0, 2))
        peer.send('feefilter', struct.pack('<q', 1000))
        peer.send('sendheaders')
        peer.ping()
        peer.close()

    def spends(self, first, second):
        self.step('coins of every kind of script are made and spent')
        kinds = [P2PKH, P2SH, P2WPKH, P2WSH, P2TR, PROGRAM2]
        each = (50 * COIN - FEE) // len(kinds)
        funding = first.rpc.sendrawtransaction(sign([self.coinbase_coin(1)], [(each, kind) for kind in kinds]))
        self.sync_mempools()
        second.mine()
        self.sync_blocks()
        coins = [(funding, at, each, kind) for at, kind in enumerate(kinds)]
        out = each * (len(kinds) - 1) - FEE
        good = sign(coins[:-1], [(out, P2TR)])
        for at in range(len(kinds) - 1):
            # The same with one coin's amount or script misjudged is not signed.
            other = list(coins[:-1])
            other[at] = (*other[at][:3], P2TR if at == 0 else P2PKH)
            with raises_rpc(-26):
                first.rpc.sendrawtransaction(sign(other, [(out, P2TR)]))
        spending = second.rpc.sendrawtransaction(good)
        self.sync_mempools()

        self.step('no lane in nVersion, no rule for programs of version 2')
        free = sign([coins[-1]], [(each - FEE, P2TR)])
        with raises_rpc(-26):
            first.rpc.sendrawtransaction(free)
        block = block_on_tip(first, [good, free], value=50 * COIN)
        block.version = 0x20000100
        check_equal(first.rpc.submitblock(block.solve().write().hex()), None)
        self.sync()
        header = second.rpc.getblockheader(block.hash)
        check_equal((header['confirmations'], header['lane'], int(header['chainwork'], 16)),
                    (1, 'hash', 2 * (header['height'] + 1)))
        return spending

    def run(self):
        first, second = self.nodes
        self.facts(first)
        self.wire(first)

        self.step('first subsidies, halved at 150')
        address = base58check(b'\x6f' + hash160(compressed(KEY)))
        first.mine(110, address)
        self.sync_blocks()
        spending = self.spends(first, second)

        self.step('a reorganisation of 100 blocks and more')
        base = first.rpc.getblockcount()
        for peer in first.rpc.getpeerinfo():
            first.rpc.disconnectnode('', peer['id'])
        wait_until(lambda: not second.rpc.getpeerinfo(), 'peers to part')
        lost = first.rpc.sendrawtransaction(sign([self.coinbase_coin(2)], [(50 * COIN - FEE, P2WSH)]))
        first.mine(100, address)
        won = second.mine(101)
        second.connect(first)
        self.sync_blocks()
        check_equal((first.rpc.getblockcount(), first.rpc.getbestblockhash()), (base + 101, won[-1]))
        state = first.rpc.gettxoutsetinfo()
        check_equal(state, second.rpc.gettxoutsetinfo())
        check_equal(first.rpc.getblockcount() > 150, True)
        coinbase = first.rpc.getblock(won[-1], 2)['tx'][0]
        check_equal(coinbase['vout'][0]['value'], Decimal(25))
        wait_until(lambda: lost in first.rpc.getrawmempool(), 'a transaction of the branch that lost')
        check(spending not in first.rpc.getrawmempool(), 'what is mined is in the mempool')

        self.step('a coinbase that takes too much, a time more than two hours ahead')
        template = first.rpc.getblocktemplate({'rules': ['segwit']})
        check_equal(first.rpc.submitblock(block_on_tip(first, value=25 * COIN + 1).write().hex()), 'bad-cb-amount')
        far = block_on_tip(first, value=25 * COIN, time=template['curtime'] + 7300)
        check_equal(first.rpc.submitblock(far.write().hex()), 'time-too-new')
        near = block_on_tip(first, value=25 * COIN, time=template['curtime'] + 7000)
        check_equal(first.rpc.submitblock(near.write().hex()), None)
        self.sync_blocks()

        self.step('a newcomer fetches the whole chain, told where by the section of its file')
        newcomer = Node(self, 2)
        with open(os.path.join(newcomer.dir, 'fornax.conf'), 'w') as file:
            file.write('btcregtest=1\n[regtest]\nconnect=127.0.0.1:1\n[btcregtest]\nconnect=%s\n' % first.address)
        self.nodes.append(newcomer)
        newcomer.start()
        self.sync_blocks()
        check_equal(newcomer.rpc.gettxoutsetinfo(), second.rpc.gettxoutsetinfo())

        self.step('restart')
        tip = first.rpc.getbestblockhash()
        first.restart()
        check_equal(first.rpc.getbestblockhash(), tip)
        status, out, _ = first.cli('getblockcount')
        check_equal((status, int(out)), (0, base + 102))


if __name__ == '__main__':
    TestBtcRegtest().main()
