#!/usr/bin/python3
# sanitizer: yes
"""What Bitcoin Core's users know of its RPC: descriptors and the coins they find, blocks made by hand, packages, priorities,
branches, proofs, and figures over blocks and coins."""
import hashlib
import struct
import threading
from decimal import Decimal

from blocktools import Tx, write_tx
from framework import COIN, FornaxTest, check, check_equal, raises_rpc, wait_until
from p2p import sha256d, var

TRUE = b'\x51'
COIN_SCRIPT = b'\x00\x20' + hashlib.sha256(TRUE).digest()  # P2WSH of what anybody can spend
KEY = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
TPUB = 'tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B'
FEE = 10000


def spend(coins, values, locktime=0):
    """coins: (txid, index); values: embers. Hex of a transaction from and to COIN_SCRIPT."""
    inputs = [(txid, index, b'', 0xfffffffd) for txid, index in coins]
    return write_tx(inputs, [(value, COIN_SCRIPT) for value in values], [[TRUE]] * len(coins), locktime=locktime).hex()


def txid_of(raw):
    return Tx(bytes.fromhex(raw)).txid


class TestRpcBitcoin(FornaxTest):
    chain = 'btcregtest'
    nodes_count = 2

    def run(self):
        self.rpc, self.other = self.nodes[0].rpc, self.nodes[1].rpc
        self.descriptors()
        self.coins()
        self.handmade()
        self.scripts()
        self.multisig()
        self.mempool()
        self.packages()
        self.priorities()
        self.proofs()
        self.figures()
        self.small_calls()
        self.waiting()
        self.branches()

    def coin(self):
        """A coinbase that is 100 deep."""
        self.used = getattr(self, 'used', 0) + 1
        return self.rpc.getblock(self.rpc.getblockhash(self.used))['tx'][0], 0

    def descriptors(self):
        self.step('descriptors')
        rpc = self.rpc
        info = rpc.getdescriptorinfo('wpkh(%s/1/*)' % TPUB)
        check_equal((info['isrange'], info['issolvable'], info['hasprivatekeys']), (True, True, False))
        check_equal(info['descriptor'], 'wpkh(%s/1/*)#%s' % (TPUB, info['checksum']))
        first = rpc.deriveaddresses(info['descriptor'], [0, 2])
        check_equal((len(set(first)), rpc.deriveaddresses(info['descriptor'], 2)), (3, first))
        with raises_rpc(-8, 'Range must be specified'):
            rpc.deriveaddresses(info['descriptor'])
        with raises_rpc(-5, 'Missing checksum'):
            rpc.deriveaddresses('wpkh(%s)' % KEY)
        with raises_rpc(-5, 'not a valid descriptor function'):
            rpc.getdescriptorinfo('')
        self.script_descriptor = rpc.getdescriptorinfo('raw(%s)' % COIN_SCRIPT.hex())['descriptor']
        made = rpc.generatetodescriptor(110, self.script_descriptor)
        check_equal((len(made), rpc.getblockcount()), (110, 110))
        with raises_rpc(-8, 'Ranged descriptor not accepted'):
            rpc.generatetodescriptor(1, info['descriptor'])
        self.sync_blocks()

    def coins(self):
        self.step('coins: scantxoutset and gettxoutsetinfo')
        rpc = self.rpc
        scan = rpc.scantxoutset('start', [self.script_descriptor, {'desc': 'wpkh(%s/1/*)' % TPUB, 'range': [3, 5]}])
        check_equal((scan['success'], scan['height'], scan['txouts'], len(scan['unspents'])), (True, 110, 110, 110))
        check_equal(scan['total_amount'], 110 * 50)
        one = min(scan['unspents'], key=lambda coin: coin['height'])
        check_equal((one['height'], one['coinbase'], one['confirmations'], one['blockhash']),
                    (1, True, 110, rpc.getblockhash(1)))
        check_equal(rpc.getdescriptorinfo(one['desc'])['descriptor'], one['desc'])
        check_equal((rpc.scantxoutset('status'), rpc.scantxoutset('abort')), (None, False))
        with raises_rpc(-8, "Invalid action 'begin'"):
            rpc.scantxoutset('begin', [])
        info = rpc.gettxoutsetinfo()
        hasher = hashlib.sha256()
        for coin in sorted(scan['unspents'], key=lambda coin: bytes.fromhex(coin['txid'])[::-1]):
            hasher.update(bytes.fromhex(coin['txid'])[::-1] + struct.pack('<II', coin['vout'], 2 * coin['height'] + 1) +
                          struct.pack('<q', 50 * COIN) + var(len(COIN_SCRIPT)) + COIN_SCRIPT)
        check_equal(info['hash_serialized_3'], hashlib.sha256(hasher.digest()).digest()[::-1].hex())
        check_equal((info['transactions'], info['txouts'], info['bogosize']), (110, 110, 110 * (50 + len(COIN_SCRIPT))))
        check_equal(rpc.gettxoutsetinfo('muhash')['muhash'], self.other.gettxoutsetinfo('muhash')['muhash'])
        check('muhash' not in info and 'hash_serialized_3' not in rpc.gettxoutsetinfo('none'), 'a hash nobody asked for')
        with raises_rpc(-8, "'foo' is not a valid hash_type"):
            rpc.gettxoutsetinfo('foo')

    def handmade(self):
        self.step('a block of chosen transactions')
        rpc = self.rpc
        raw = spend([self.coin()], [50 * COIN - FEE])
        child = spend([(txid_of(raw), 0)], [50 * COIN - 2 * FEE])
        with raises_rpc(-25, 'TestBlockValidity failed: bad-txns-inputs-missingorspent'):
            rpc.generateblock(self.script_descriptor, [child, raw])
        made = rpc.generateblock(self.script_descriptor, [raw, child], False)
        check_equal((rpc.getblockcount(), rpc.submitblock(made['hex'])), (110, None))
        check_equal(rpc.getblock(made['hash'])['tx'][1:], [txid_of(raw), txid_of(child)])
        pooled = rpc.sendrawtransaction(spend([self.coin()], [50 * COIN - FEE]))
        made = rpc.generateblock('addr(%s)' % rpc.decodescript(COIN_SCRIPT.hex())['address'], [pooled])
        check_equal((rpc.getbestblockhash(), rpc.getblock(made['hash'])['tx'][1], rpc.getrawmempool()),
                    (made['hash'], pooled, []))
        with raises_rpc(-5, 'not in mempool'):
            rpc.generateblock(self.script_descriptor, [pooled])
        with raises_rpc(-5, 'Invalid address or descriptor'):
            rpc.generateblock('1234', [])

    def scripts(self):
        self.step('scripts and transactions as text')
        rpc = self.rpc
        multisig = bytes([0x51, 33]) + bytes.fromhex(KEY) + bytes([0x51, 0xae])
        decoded = rpc.decodescript(multisig.hex())
        check_equal((decoded['type'], decoded['asm']), ('multisig', '1 %s 1 OP_CHECKMULTISIG' % KEY))
        check(decoded['desc'].startswith('multi(1,%s)#' % KEY), decoded['desc'])
        check(decoded['segwit']['desc'].startswith('wsh(multi(1,%s))#' % KEY), decoded['segwit'])
        check_equal(decoded['segwit']['hex'], '0020' + hashlib.sha256(multisig).hexdigest())
        check_equal(rpc.decodescript('21' + KEY + 'ac')['segwit']['type'], 'witness_v0_keyhash')
        check_equal(rpc.decodescript('51024e73')['type'], 'anchor')
        with raises_rpc(-8, 'must be hexadecimal string'):
            rpc.decodescript('xyz')
        coin, address = self.coin(), rpc.decodescript(COIN_SCRIPT.hex())['address']
        made = Tx(bytes.fromhex(rpc.createrawtransaction([{'txid': coin[0], 'vout': coin[1]}],
                                                         [{address: 1.5}, {'data': 'c0ffee'}], 7)))
        check_equal((made.inputs[0][3], made.locktime), (0xfffffffd, 7))
        check_equal(made.outputs, [(3 * COIN // 2, COIN_SCRIPT), (0, bytes.fromhex('6a03c0ffee'))])
        for wrong, code in (([{'txid': coin[0]}], -8), ([{'txid': coin[0], 'vout': -1}], -8), ([{'vout': 0}], -3),
                            ([{'txid': coin[0], 'vout': 0, 'sequence': -1}], -8)):
            with raises_rpc(code):
                rpc.createrawtransaction(wrong, {})
        with raises_rpc(-5, 'Invalid Bitcoin address: foo'):
            rpc.createrawtransaction([], {'foo': 1})
        with raises_rpc(-8, 'duplicated address'):
            rpc.createrawtransaction([], [{address: 1}, {address: 2}])
        self.used -= 1

    def multisig(self):
        self.step('multisig')
        rpc = self.rpc
        one = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
        two = '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'
        long = '04' + one[2:] + '483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8'
        script = '5121' + one + '21' + two + '52ae'
        for kind, form in (('legacy', 'sh(%s)'), ('p2sh-segwit', 'sh(wsh(%s))'), ('bech32', 'wsh(%s)')):
            made = rpc.createmultisig(1, [one, two], kind)
            check_equal(made['redeemScript'], script)
            check_equal(made['descriptor'].split('#')[0], form % ('multi(1,%s,%s)' % (one, two)))
            check_equal(rpc.deriveaddresses(made['descriptor']), [made['address']])
        check_equal(rpc.createmultisig(1, [one, long], 'bech32')['descriptor'].split('(')[0], 'sh')
        check('warnings' in rpc.createmultisig(1, [one, long], 'bech32'), 'no warning')
        check_equal(rpc.createmultisig(17, [one] * 17, 'bech32')['redeemScript'][:4], '0111')
        for args, code, text in (((0, [one]), -8, 'at least one key'), ((3, [one, two]), -8, 'not enough keys'),
                                 ((1, [one] * 21), -8, '> 20'), ((1, [one] * 16), -8, 'exceeds size limit: 547 > 520'),
                                 ((1, ['02' + 'ff' * 32]), -5, 'Invalid public key'),
                                 ((1, [one], 'bech32m'), -5, 'bech32m'), ((1, [one], 'foo'), -5, 'Unknown address type')):
            with raises_rpc(code, text):
                rpc.createmultisig(*args)

    def small_calls(self):
        self.step('fees, logging')
        rpc = self.rpc
        check_equal(rpc.estimatesmartfee(6, 'CONSERVATIVE'), {'feerate': Decimal('0.00001000'), 'blocks': 6})
        for args, text in (((0,), 'Invalid conf_target'), ((1009,), 'Invalid conf_target'), ((1, 'x'), 'estimate_mode')):
            with raises_rpc(-8, text):
                rpc.estimatesmartfee(*args)
        check_equal(rpc.logging(['mining'], [])['mining'], True)
        check_equal(rpc.logging(['mining'], ['mining'])['mining'], False)
        with raises_rpc(-8, 'unknown logging category'):
            rpc.logging([], ['nothing'])

    def mempool(self):
        self.step('families of the mempool')
        rpc = self.rpc
        sequence = rpc.getrawmempool(False, True)['mempool_sequence']
        ids, coin = [], self.coin()
        for depth in range(4):
            ids.append(rpc.sendrawtransaction(spend([coin], [50 * COIN - (depth + 1) * FEE])))
            coin = (ids[-1], 0)
        check_equal(rpc.getrawmempool(False, True), {'txids': rpc.getrawmempool(), 'mempool_sequence': sequence + 4})
        check_equal(set(rpc.getmempoolancestors(ids[3])), set(ids[:3]))
        check_equal(set(rpc.getmempooldescendants(ids[0])), set(ids[1:]))
        check_equal(rpc.getmempoolancestors(ids[1], True), {ids[0]: rpc.getmempoolentry(ids[0])})
        with raises_rpc(-5, 'Transaction not in mempool'):
            rpc.getmempoolancestors('00' * 32)
        rpc.generatetodescriptor(1, self.script_descriptor)
        check_equal(rpc.getrawmempool(False, True), {'txids': [], 'mempool_sequence': sequence + 4})

    def packages(self):
        self.step('packages')
        rpc = self.rpc
        free = spend([self.coin()], [50 * COIN])
        child = spend([(txid_of(free), 0)], [50 * COIN - FEE])
        check_equal(rpc.testmempoolaccept([free])[0]['reject-reason'], 'min relay fee not met')
        verdicts = rpc.testmempoolaccept([child, free])
        check_equal([verdict['package-error'] for verdict in verdicts], ['package-not-sorted'] * 2)
        verdicts = rpc.testmempoolaccept([free, child])
        check_equal((verdicts[0]['allowed'], 'allowed' in verdicts[1]), (False, False))
        done = rpc.submitpackage([free, child])
        check_equal((done['package_msg'], done['replaced-transactions']), ('success', []))
        results = {result['txid']: result for result in done['tx-results'].values()}
        check_equal(set(results), {txid_of(free), txid_of(child)})
        fees = results[txid_of(free)]['fees']
        check_equal((fees['base'], set(fees['effective-includes'])), (0, set(done['tx-results'])))
        sizes = sum(result['vsize'] for result in results.values())
        check_equal(fees['effective-feerate'], Decimal(FEE * 1000 // sizes) / COIN)
        check_equal(set(rpc.getrawmempool()), set(results))
        again = rpc.submitpackage([free, child])
        check_equal((again['package_msg'], rpc.getmempoolinfo()['size']), ('success', 2))

        mean = spend([self.coin()], [50 * COIN])
        poor = spend([(txid_of(mean), 0)], [50 * COIN - 10])
        failed = rpc.submitpackage([mean, poor])
        check_equal((failed['package_msg'], rpc.getmempoolinfo()['size']), ('transaction failed', 2))
        check(all('error' in result for result in failed['tx-results'].values()), failed)
        paying = spend([(txid_of(free), 0)], [50 * COIN - 3 * FEE])
        more = spend([(txid_of(paying), 0)], [50 * COIN - 4 * FEE])
        replaced = rpc.submitpackage([paying, more])
        check_equal((replaced['package_msg'], replaced['replaced-transactions']), ('success', [txid_of(child)]))
        with raises_rpc(-8, 'between 2 and 25'):
            rpc.submitpackage([free])
        for call in (rpc.submitpackage, rpc.testmempoolaccept):
            with raises_rpc(-22, 'TX decode failed'):
                call([free, 'ab'])
        rival = spend([self.coin()], [50 * COIN - FEE])
        other = spend([(txid_of(paying), 0), (txid_of(rival), 0)], [100 * COIN - 9 * FEE])
        check_equal(rpc.submitpackage([rival, other])['package_msg'], 'package-not-child-with-unconfirmed-parents')
        twice = spend([(txid_of(mean), 0), (txid_of(rival), 0)], [100 * COIN - 9 * FEE])
        check_equal(rpc.submitpackage([mean, mean, twice]),
                    {'package_msg': 'package-contains-duplicates', 'tx-results': {}, 'replaced-transactions': []})
        dear = rpc.submitpackage([mean, spend([(txid_of(mean), 0)], [49 * COIN])], 0.001)
        check_equal({result['error'] for result in dear['tx-results'].values()},
                    {'min relay fee not met', 'max feerate exceeded'})
        with raises_rpc(-25, 'package topology disallowed'):
            rpc.submitpackage([free, mean])
        self.chains()
        # A chain that fits by itself, tested and left out, then sent.
        coin, chain = self.coin(), []
        for depth in range(5):
            chain.append(spend([coin], [50 * COIN - (depth + 1) * FEE]))
            coin = (txid_of(chain[-1]), 0)
        before = rpc.getrawmempool(False, True)
        verdicts = rpc.testmempoolaccept(chain)
        check_equal([verdict['allowed'] for verdict in verdicts], [True] * 5)
        check_equal(verdicts[0]['fees']['base'], Decimal(FEE) / COIN)
        check_equal(rpc.getrawmempool(False, True), before)
        rpc.generatetodescriptor(1, self.script_descriptor)

    def chains(self):
        """Limits of chains are named as Bitcoin Core does it; in a package nobody may come once more."""
        rpc = self.rpc
        wide = spend([self.coin()], [10 * COIN] * 4 + [10 * COIN - FEE])
        rpc.sendrawtransaction(wide)
        coin, deep = (txid_of(wide), 0), []
        for depth in range(1, 26):
            deep.append(spend([coin], [10 * COIN - depth * FEE]))
            coin = (txid_of(deep[-1]), 0)
        verdicts = rpc.testmempoolaccept(deep)
        check_equal({verdict['package-error'] for verdict in verdicts},
                    {'package-mempool-limits, possibly too many unconfirmed ancestors [limit: 25]'})
        for tx in deep[:24]:
            rpc.sendrawtransaction(tx)
        with raises_rpc(-26, 'too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]'):
            rpc.sendrawtransaction(deep[24])
        once = spend([(txid_of(wide), 1)], [10 * COIN - FEE])
        after = spend([(txid_of(once), 0)], [10 * COIN - 2 * FEE])
        check_equal(rpc.testmempoolaccept([once, after])[0]['reject-reason'], 'too-long-mempool-chain')
        results = rpc.submitpackage([once, after])['tx-results']
        check('too-long-mempool-chain, too many descendants for tx %s [limit: 25]' % txid_of(wide) in
              {result['error'] for result in results.values()}, results)
        rpc.sendrawtransaction(once)
        again = spend([(txid_of(wide), 2)], [10 * COIN - FEE])
        with raises_rpc(-26, 'too many descendants for tx %s' % txid_of(wide)):
            rpc.sendrawtransaction(again)
        rpc.generatetodescriptor(1, self.script_descriptor)

    def priorities(self):
        self.step('priorities')
        rpc = self.rpc
        raw = spend([self.coin()], [50 * COIN])
        with raises_rpc(-26, 'min relay fee not met'):
            rpc.sendrawtransaction(raw)
        check_equal(rpc.prioritisetransaction(txid_of(raw), 0, FEE), True)
        rpc.sendrawtransaction(raw)
        entry = rpc.getmempoolentry(txid_of(raw))
        check_equal((entry['fees']['base'], entry['fees']['modified']), (0, Decimal(FEE) / COIN))
        check_equal(rpc.getprioritisedtransactions(),
                    {txid_of(raw): {'fee_delta': FEE, 'in_mempool': True, 'modified_fee': FEE}})
        child = rpc.sendrawtransaction(spend([(txid_of(raw), 0)], [50 * COIN - FEE]))
        rpc.prioritisetransaction(txid=txid_of(raw), fee_delta=FEE)
        check_equal(rpc.getmempoolentry(child)['fees']['ancestor'], Decimal(3 * FEE) / COIN)
        with raises_rpc(-8, 'dummy argument'):
            rpc.prioritisetransaction(txid_of(raw), 1, FEE)
        template = rpc.getblocktemplate({'rules': ['segwit']})
        check_equal([(tx['txid'], tx['fee'], tx['sigops']) for tx in template['transactions']],
                    [(txid_of(raw), 0, 0), (child, FEE, 0)])
        rpc.prioritisetransaction(txid_of(raw), 0, -3 * FEE)
        check_equal(rpc.getblocktemplate({'rules': ['segwit']})['transactions'], [])  # below -blockmintxfee
        rpc.prioritisetransaction(txid_of(raw), 0, 3 * FEE)
        with raises_rpc(-1, 'prioritisetransaction "txid"'):
            rpc.prioritisetransaction(txid_of(raw))
        rpc.generatetodescriptor(1, self.script_descriptor)
        check_equal(rpc.getprioritisedtransactions(), {})
        self.block_txids = [txid_of(raw), child]

    def proofs(self):
        self.step('proofs of transactions')
        rpc, (first, second) = self.rpc, self.block_txids
        tip = rpc.getbestblockhash()
        proof = rpc.gettxoutproof([second])
        check_equal(rpc.verifytxoutproof(proof), [second])
        check_equal(rpc.verifytxoutproof(rpc.gettxoutproof([second, first], tip)), [first, second])
        with raises_rpc(-5, 'Transaction not yet in block'):
            rpc.gettxoutproof([first])
        with raises_rpc(-5, 'Not all transactions found'):
            rpc.gettxoutproof([second, '11' * 32], tip)
        with raises_rpc(-8, 'cannot be empty'):
            rpc.gettxoutproof([])
        with raises_rpc(-8, 'duplicated txid'):
            rpc.gettxoutproof([second, second])
        raw = bytes.fromhex(proof)
        check_equal(rpc.verifytxoutproof((raw[:84] + var(1) + raw[36:68] + b'\x01\x01').hex()), [])
        root = raw[:80] + struct.pack('<I', 1) + var(1) + raw[36:68] + b'\x01\x01'
        check_equal(rpc.verifytxoutproof(root.hex()), [])  # the root passed off as a transaction
        check_equal(rpc.verifytxoutproof(raw[:-1].hex()), [])

    def figures(self):
        self.step('figures over blocks')
        rpc = self.rpc
        tip, height = rpc.getbestblockhash(), rpc.getblockcount()
        stats = rpc.getblockstats(tip)
        check_equal((stats['height'], stats['txs'], stats['ins'], stats['outs']), (height, 3, 2, 4))
        check_equal((stats['totalfee'], stats['minfee'], stats['maxfee'], stats['medianfee']), (FEE, 0, FEE, FEE // 2))
        check_equal(stats['utxo_increase'], 2)
        check_equal(rpc.getblockstats(height, ['txs', 'totalfee']), {'txs': 3, 'totalfee': FEE})
        with raises_rpc(-8, 'after current tip'):
            rpc.getblockstats(height + 1)
        with raises_rpc(-8, "Invalid selected statistic 'foo'"):
            rpc.getblockstats(height, ['foo'])
        check_equal(rpc.getblockstats(0, ['utxo_increase', 'utxo_increase_actual']),
                    {'utxo_increase': 1, 'utxo_increase_actual': 0})
        chain = rpc.getchaintxstats(2)
        check_equal((chain['window_block_count'], chain['window_final_block_hash']), (2, tip))
        total = sum(rpc.getblock(rpc.getblockhash(at))['nTx'] for at in range(height + 1))
        check_equal(chain['txcount'], total)
        with raises_rpc(-8, 'Invalid block count'):
            rpc.getchaintxstats(height)
        forks = rpc.getdeploymentinfo()['deployments']
        check_equal([name for name, fork in forks.items() if not fork['active']], ['testdummy'])
        check('taproot' in forks, forks)
        for level in range(5):
            check_equal(rpc.verifychain(level, 0), True)
        check_equal(rpc.getnetworkhashps(1, 0), 0)
        with raises_rpc(-8, 'Invalid nblocks'):
            rpc.getnetworkhashps(0)

    def waiting(self):
        self.step('waiting for blocks')
        rpc, results = self.rpc, []
        tip, height = rpc.getbestblockhash(), rpc.getblockcount()
        check_equal(rpc.waitforblock(tip), {'hash': tip, 'height': height})
        check_equal(rpc.waitforblockheight(height + 5, 50), {'hash': tip, 'height': height})
        with raises_rpc(-1, 'Negative timeout'):
            rpc.waitfornewblock(-1)
        waiter = threading.Thread(target=lambda: results.append(self.nodes[0].wallet().waitforblockheight(height + 1)))
        waiter.start()
        wait_until(lambda: any(call['method'] == 'waitforblockheight' for call in rpc.getrpcinfo()['active_commands']),
                   'the call that waits')
        made = rpc.generatetodescriptor(1, self.script_descriptor)[0]
        waiter.join()
        check_equal(results, [{'hash': made, 'height': height + 1}])

    def branches(self):
        self.step('a branch that is precious')
        rpc, other = self.rpc, self.other
        self.sync_blocks()
        self.part()
        ours = rpc.generatetodescriptor(2, self.script_descriptor)
        theirs = other.generatetodescriptor(2, self.script_descriptor)
        for block_id in theirs:
            check_equal(rpc.submitblock(other.getblock(block_id, 0)), 'inconclusive')
        check_equal(rpc.getbestblockhash(), ours[1])
        rpc.preciousblock(theirs[1])
        check_equal(rpc.getbestblockhash(), theirs[1])
        rpc.preciousblock(ours[0])  # less work than the tip: no choice to be made
        check_equal(rpc.getbestblockhash(), theirs[1])
        rpc.preciousblock(ours[1])
        check_equal(rpc.getbestblockhash(), ours[1])
        rpc.preciousblock(theirs[1])
        tips = {tip['hash']: (tip['status'], tip['branchlen']) for tip in rpc.getchaintips()}
        check_equal(tips, {theirs[1]: ('active', 0), ours[1]: ('valid-fork', 2)})
        with raises_rpc(-5, 'Block not found'):
            rpc.preciousblock('00' * 32)
        check_equal(sha256d(bytes.fromhex(rpc.getblockheader(theirs[1], False)))[::-1].hex(), theirs[1])


if __name__ == '__main__':
    TestRpcBitcoin().main()
