#!/usr/bin/python3
# sanitizer: yes
"""Bitcoin's regtest: its genesis, subsidy and messages; every kind of script in blocks of two nodes; a reorganisation of
100 blocks; what is a rule on our own networks and none on Bitcoin's."""
import os
import socket
import struct
from decimal import Decimal

from blocktools import block_on_tip, coinbase
from framework import COIN, TIMEOUT, FornaxTest, Node, check, check_equal, raises_rpc, wait_until
from p2p import MSG_BLOCK, Peer, id_bytes, var
from spendkit import KEY, P2PKH, P2SH, P2TR, P2WPKH, P2WSH, PROGRAM2, base58check, compressed, hash160, sign

GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'
MAGIC = bytes.fromhex('fabfb5da')
FEE = 10000


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
        check_equal((info['bestblockhash'], node.rpc.getblockheader(GENESIS)['bits']), (GENESIS, '207fffff'))
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

        self.step('what is not offered costs the connection; blocks are listed for older nodes')
        for name in ('mempool', 'filterclear'):
            peer = Peer(node, services=9, magic=MAGIC)
            peer.send(name)
            peer.wait_closed()
        tip, = node.mine(1)
        peer = Peer(node, services=9, magic=MAGIC)
        peer.send('getblocks', struct.pack('<i', 70016) + var(1) + id_bytes(GENESIS) + bytes(32))
        check_equal(peer.wait('inv'), var(1) + struct.pack('<I', MSG_BLOCK) + id_bytes(tip))
        peer.close()
        node.rpc.invalidateblock(tip)

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

    def signalling(self, node):
        self.step('BIP9: templates signal for testdummy until it is active; -blockversion')
        rules = {'rules': ['segwit']}
        template = node.rpc.getblocktemplate(rules)
        check_equal((template['version'], template['vbavailable']), (0x30000000, {'testdummy': 28}))
        forks = node.rpc.getdeploymentinfo()['deployments']
        check_equal((forks['taproot']['type'], forks['taproot']['active']), ('bip9', True))
        height = node.rpc.getblockcount()
        bip9 = forks['testdummy']['bip9']
        check_equal((forks['testdummy']['active'], bip9['status'], bip9['since'], bip9['bit']), (False, 'started', 144, 28))
        check_equal(bip9['statistics']['elapsed'], height - 143)
        check_equal((bip9['signalling'], bip9['statistics']['count']), ('#' * (height - 143), height - 143))
        made = node.rpc.generatetodescriptor(3 * 144 - height, 'raw(51)')
        states = [node.rpc.getdeploymentinfo(made[at - height - 1])['deployments']['testdummy']['bip9']['status']
                  for at in (287, 288, 431, 432)]
        check_equal(states, ['started', 'locked_in', 'locked_in', 'active'])
        check_equal(node.rpc.getdeploymentinfo()['deployments']['testdummy']['height'], 432)
        template = node.rpc.getblocktemplate(rules)
        check_equal((template['version'], template['vbavailable']), (0x20000000, {}))
        node.restart(['-blockversion=1337'])
        check_equal(node.rpc.getblocktemplate(rules)['version'], 1337)

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
        self.part(first, second)
        lost = first.rpc.sendrawtransaction(sign([self.coinbase_coin(2)], [(50 * COIN - FEE, P2WSH)]))
        first.mine(100, address)
        won = second.mine(101)
        second.connect(first)
        self.sync_blocks()
        check_equal((first.rpc.getblockcount(), first.rpc.getbestblockhash()), (base + 101, won[-1]))
        state = first.rpc.gettxoutsetinfo()
        check_equal(state, second.rpc.gettxoutsetinfo())
        check_equal(first.rpc.getblockcount() > 150, True)
        first_tx = first.rpc.getblock(won[-1], 2)['tx'][0]
        check_equal(first_tx['vout'][0]['value'], Decimal(25))
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

        self.step('a coinbase that commits to witnesses and has none gets it; a copy of 5 MB is judged')
        block = block_on_tip(first, value=25 * COIN)
        block.txs = [coinbase(first.rpc.getblockcount() + 1, 25 * COIN, witness_root=bytes(32))]
        block.set_merkle()
        block.solve()
        block.txs[0].witness = [[bytes(5000000)]]
        check_equal(first.rpc.submitblock(block.write().hex()), 'bad-witness-nonce-size')
        block.txs[0].witness = []
        check_equal(first.rpc.submitblock(block.write().hex()), None)
        stored, = first.rpc.getblock(first.rpc.getbestblockhash(), 2)['tx']
        check_equal((stored['txid'], stored['vin'][0]['txinwitness']), (block.txs[0].txid, ['00' * 32]))
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
        check_equal((status, int(out)), (0, base + 103))

        self.signalling(first)

        self.step('initial download lasts until the chain has the work that is asked for')
        work = int(first.rpc.getblockchaininfo()['chainwork'], 16)
        first.restart(['-minimumchainwork=0x%x' % (work + 2)])
        check_equal(first.rpc.getblockchaininfo()['initialblockdownload'], True)
        first.rpc.generatetodescriptor(1, 'raw(51)')
        check_equal(first.rpc.getblockchaininfo()['initialblockdownload'], False)


if __name__ == '__main__':
    TestBtcRegtest().main()
