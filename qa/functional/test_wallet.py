#!/usr/bin/python3
# sanitizer: yes
"""The wallet against a chain: balances, payments and their fees, coin selection, history, restarts, rescans, restores."""
import contextlib
import os
from decimal import Decimal

from blocktools import Tx
from framework import COIN, FornaxTest, RPCError, check, check_equal, raises_rpc, wait_until

SUBSIDY = Decimal(10)


def embers(amount):
    return int(Decimal(amount) * COIN)


class TestWallet(FornaxTest):
    nodes_count = 2

    def run(self):
        self.first, self.second = self.nodes
        self.making()
        self.mining()
        self.paying()
        self.choosing()
        self.limits()
        self.restarting()
        self.reorganising()
        self.restoring()
        self.several()
        self.unloaded()
        self.copies()
        self.texts()

    def fee_of(self, txid, node=None):
        """Size and fee of a transaction, from what it spends and makes; in vbytes and embers."""
        rpc = (node or self.first).wallet()
        tx = rpc.getrawtransaction(txid, 1)
        spent = (Tx(bytes.fromhex(rpc.gettransaction(i['txid'])['hex'])).outputs[i['vout']][0] for i in tx['vin'])
        return tx['vsize'], sum(spent) - sum(embers(out['value']) for out in tx['vout'])

    def making(self):
        self.step('making wallets')
        rpc = self.first.rpc
        check_equal(rpc.listwallets(), [])
        for call in (rpc.getnewaddress, rpc.getbalances, rpc.listunspent, rpc.listtransactions, rpc.getwalletinfo):
            with raises_rpc(-18, 'No wallet is loaded'):
                call()
        made = rpc.createwallet('')
        check_equal(made['name'], '')
        self.words = made['mnemonic']
        check_equal(len(self.words.split()), 12)
        with raises_rpc(-4, 'already exists'):
            rpc.createwallet('')
        for name in ('../x', '.x', 'a/b', 'x' * 65):
            with raises_rpc(-4, 'Wallet names are of'):
                rpc.createwallet(name)
        with raises_rpc(-8, 'The words are not a BIP39 seed'):
            rpc.createwallet('bad', mnemonic='zoo ' * 11 + 'zoo')
        with raises_rpc(-8, 'The words are not a BIP39 seed'):
            rpc.createwallet('bad', mnemonic='fornax ' * 11 + 'fornax')
        check_equal(rpc.listwallets(), [''])
        check_equal([wallet['name'] for wallet in rpc.listwalletdir()['wallets']], [''])
        address = rpc.getnewaddress('rent')
        check(address.startswith('fxrt1p'), address)
        info = rpc.getaddressinfo(address)
        check_equal((info['ismine'], info['labels'], info['witness_version']), (True, ['rent'], 1))
        check(rpc.getnewaddress() != address, 'an address twice')
        with raises_rpc(-5, ''):
            rpc.getaddressinfo('fxrt1pnonsense')
        check_equal(rpc.validateaddress(address)['isvalid'], True)
        check_equal(rpc.validateaddress(address[:-1] + ('q' if address[-1] != 'q' else 'p'))['isvalid'], False)
        with raises_rpc(-6, 'Insufficient funds'):
            rpc.sendtoaddress(address, 1)
        self.second.rpc.createwallet('')

    def mining(self):
        self.step('coins mature after 100 blocks')
        rpc = self.first.rpc
        self.first.mine(1)
        check_equal(rpc.getbalances()['mine'], {'trusted': 0, 'untrusted_pending': 0, 'immature': SUBSIDY})
        check_equal(rpc.listunspent(0), [])
        with raises_rpc(-6, 'Insufficient funds'):
            rpc.sendtoaddress(rpc.getnewaddress(), 1)
        line = rpc.listtransactions()[0]
        check_equal((line['category'], line['amount'], line['confirmations'], line['blockheight']),
                    ('immature', SUBSIDY, 1, 1))
        self.first.mine(99)
        check_equal(rpc.getbalances()['mine']['trusted'], 0)
        self.first.mine(1)
        check_equal(rpc.getbalances()['mine'], {'trusted': SUBSIDY, 'untrusted_pending': 0, 'immature': 100 * SUBSIDY})
        coins = rpc.listunspent()
        check_equal([(coin['amount'], coin['confirmations'], coin['spendable']) for coin in coins], [(SUBSIDY, 101, True)])
        check_equal(rpc.listtransactions('*', 1000)[0]['category'], 'generate')
        self.first.mine(9)
        self.sync_blocks()

    def paying(self):
        self.step('a payment from one node to the other')
        rpc, theirs = self.first.rpc, self.second.rpc
        to = theirs.getnewaddress('from first')
        before = rpc.getbalance()
        txid = rpc.sendtoaddress(to, Decimal('12.34567891'), 'for bread')
        self.sync_mempools()
        size, fee = self.fee_of(txid)
        check(size <= fee <= 2 * size, 'fee %d for %d vbytes' % (fee, size))
        check_equal(rpc.getmempoolinfo()['size'], 1)
        check_equal(embers(rpc.getmempoolinfo()['total_fee']), fee)
        check_equal(embers(rpc.getbalance()), embers(before) - embers('12.34567891') - fee)
        line = rpc.gettransaction(txid)
        check_equal((line['amount'], embers(line['fee']), line['confirmations'], line['comment']),
                    (Decimal('-12.34567891'), -fee, 0, 'for bread'))
        wait_until(lambda: theirs.getbalances()['mine']['untrusted_pending'] == Decimal('12.34567891'), 'pending coins')
        check_equal(theirs.getbalances()['mine']['trusted'], 0)
        with raises_rpc(-6, 'Insufficient funds'):  # not confirmed, and another's
            theirs.sendtoaddress(to, 1)
        check_equal(theirs.listunspent(), [])
        coin = theirs.listunspent(0)[0]
        check_equal((coin['safe'], coin['label'], coin['address']), (False, 'from first', to))
        check_equal(theirs.listunspent(0, 9, [rpc.getnewaddress()]), [])
        self.first.mine(1)
        self.sync()
        check_equal(theirs.getbalance(), Decimal('12.34567891'))
        line = theirs.listtransactions('from first')[0]
        check_equal((line['category'], line['amount'], line['confirmations'], line['txid'], line['label']),
                    ('receive', Decimal('12.34567891'), 1, txid, 'from first'))
        check('fee' not in line, 'the receiver paid no fee')
        coinbase = rpc.getblock(rpc.getbestblockhash(), 2)['tx'][0]
        check_equal(embers(coinbase['vout'][0]['value']), embers(SUBSIDY) + fee)
        check_equal(rpc.getmempoolinfo()['size'], 0)

        self.step('a chain of unconfirmed payments, to oneself as well')
        for _ in range(3):
            last = rpc.sendtoaddress(rpc.getnewaddress(), Decimal('0.5'))
        check_equal(len(rpc.getrawmempool()), 3)
        check_equal(sum(line['category'] == 'receive' and line['txid'] == last for line in rpc.listtransactions()), 1)
        self.sync_mempools()
        self.second.mine(1)
        self.sync()
        check_equal(rpc.getrawmempool(), [])
        check_equal(rpc.gettransaction(last)['confirmations'], 1)

        self.step('the fee comes out of the amount')
        before = theirs.getbalance()
        txid = theirs.sendtoaddress(rpc.getnewaddress(), before, '', '', True)
        size, fee = self.fee_of(txid, self.second)
        check_equal(theirs.getbalance(), 0)
        check_equal(embers(theirs.getrawtransaction(txid, 1)['vout'][0]['value']), embers(before) - fee)
        with raises_rpc(-6, 'Insufficient funds'):
            theirs.sendtoaddress(rpc.getnewaddress(), Decimal('0.00001'))
        self.sync_mempools()
        self.first.mine(1)
        self.sync()

        self.step('a fee rate of one\'s own')
        txid = rpc.sendtoaddress(to, 1, '', '', False, None, None, None, None, 50)
        size, fee = self.fee_of(txid)
        check(50 * size <= fee <= 50 * (size + 45), 'fee %d for %d vbytes' % (fee, size))
        size, fee = self.fee_of(rpc.sendtoaddress(address=to, amount=1, fee_rate=Decimal('2.125')))
        check(2.125 * size <= fee <= 2.125 * (size + 46), 'fee %d for %d vbytes' % (fee, size))
        rpc.sendtoaddress(address=to, amount=1, conf_target=2, estimate_mode='economical')
        for code, wrong in ((-3, {'fee_rate': 0}), (-3, {'fee_rate': Decimal('1.0001')}), (-3, {'fee_rate': -1}),
                            (-8, {'fee_rate': 5, 'conf_target': 6}), (-8, {'conf_target': 0}),
                            (-8, {'estimate_mode': 'best'}), (-8, {'replaceable': False})):
            with raises_rpc(code):
                rpc.sendtoaddress(address=to, amount=1, **wrong)
        self.sync_mempools()
        self.first.mine(1)
        self.sync()

    def choosing(self):
        self.step('coin selection')
        theirs = self.second.wallet('picky')
        self.second.rpc.createwallet('picky')
        values = [Decimal(n) / 100 for n in (10, 20, 40, 80, 160)]
        for value in values:
            self.first.rpc.sendtoaddress(theirs.getnewaddress(), value)
        self.first.mine(1)
        self.sync()
        check_equal(sorted(coin['amount'] for coin in theirs.listunspent()), values)
        to = self.first.rpc.getnewaddress()

        def spends(amount, subtract=False):
            tx = theirs.gettransaction(theirs.sendtoaddress(to, amount, '', '', subtract), True, True)['decoded']
            return len(tx['vin']), len(tx['vout'])
        check_equal(spends(Decimal('0.60'), True), (2, 1))  # 20 and 40 exactly: no change
        check_equal(spends(Decimal('0.07')), (1, 2))
        check_equal(spends(Decimal('2.30')), (2, 2))  # 160 and 80, the largest first
        left = theirs.getbalance()
        with raises_rpc(-6, 'Insufficient funds'):
            theirs.sendtoaddress(to, left)
        check_equal(theirs.getbalance(), left)
        check_equal(spends(left, True)[1], 1)
        check_equal(theirs.getbalance(), 0)
        self.sync_mempools()
        self.first.mine(1)
        self.sync()
        check_equal(theirs.listunspent(0), [])
        self.second.rpc.unloadwallet('picky')

    def limits(self):
        self.step('amounts and addresses that are refused')
        rpc = self.first.rpc
        to = rpc.getnewaddress()
        for amount, code in ((0, -3), (-1, -3), ('0.000000001', -3), ('x', -3), (42048001, -3), ('1e9', -3)):
            with raises_rpc(code):
                rpc.sendtoaddress(to, amount)
        with raises_rpc(-6, 'Insufficient funds'):
            rpc.sendtoaddress(to, 1000000)
        for address in ('', 'x', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', to[:-1], to.upper() + 'A'):
            with raises_rpc(-5):
                rpc.sendtoaddress(address, 1)
        with raises_rpc(-4, 'dust'):
            rpc.sendtoaddress(to, Decimal('0.00000001'))
        check_equal(rpc.getrawmempool(), [])

    def snapshot(self, node):
        rpc = node.rpc
        lines = [{key: line[key] for key in line if key not in ('time', 'timereceived')}
                 for line in rpc.listtransactions('*', 100000)]
        coins = sorted((coin['txid'], coin['vout'], coin['amount'], coin['confirmations']) for coin in rpc.listunspent(0))
        return rpc.getbalances(), coins, sorted(lines, key=lambda line: (line['txid'], line['vout'], line['category']))

    def restarting(self):
        self.step('a restart keeps everything')
        node = self.first
        txid = node.rpc.sendtoaddress(self.second.rpc.getnewaddress(), 2, 'kept')
        before = self.snapshot(node)
        address = node.rpc.getnewaddress('kept too')
        node.restart()
        check_equal(self.snapshot(node), before)
        check_equal(node.rpc.getrawmempool(), [txid])
        check_equal(node.rpc.getaddressinfo(address)['labels'], ['kept too'])
        check(node.rpc.getnewaddress() != address, 'an address twice')

        self.step('an own transaction comes back without the mempool\'s file, and after SIGKILL')
        node.kill()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(node.netdir, 'mempool.dat'))
        node.start()
        check_equal(self.snapshot(node), before)
        wait_until(lambda: node.rpc.getrawmempool() == [txid], 'the transaction to be offered again')
        self.second.connect(node)
        self.sync_mempools()
        self.second.mine(1)
        self.sync()
        check_equal(node.rpc.gettransaction(txid)['confirmations'], 1)

        self.step('a wallet that was not loaded catches up')
        self.first.rpc.unloadwallet('')
        with raises_rpc(-18, 'No wallet is loaded'):
            self.first.rpc.getbalance()
        with raises_rpc(-18):
            self.first.rpc.unloadwallet('')
        self.second.mine(3)
        self.sync_blocks()
        check_equal(self.first.rpc.loadwallet(''), {'name': ''})
        with raises_rpc(-35, 'already loaded'):
            self.first.rpc.loadwallet('')
        with raises_rpc(-18, 'does not exist'):
            self.first.rpc.loadwallet('none such')
        check_equal(self.first.rpc.gettransaction(txid)['confirmations'], 4)

    def reorganising(self):
        self.step('a payment whose block is disconnected is unconfirmed again')
        rpc, theirs = self.first.rpc, self.second.rpc
        self.part()
        to = theirs.getnewaddress()
        txid = rpc.sendtoaddress(to, 3)
        self.first.mine(1)
        mined = rpc.getblock(rpc.getbestblockhash())['tx'][0]
        check_equal(rpc.gettransaction(txid)['confirmations'], 1)
        self.second.mine(2)
        self.second.connect(self.first)
        self.sync_blocks()
        check_equal(rpc.gettransaction(txid)['confirmations'], 0)
        check_equal(rpc.getrawmempool(), [txid])
        check_equal(rpc.gettransaction(mined)['details'][0]['category'], 'orphan')
        check(rpc.getbalances()['mine']['immature'] > 0, 'no immature coins')
        self.sync_mempools()
        wait_until(lambda: theirs.getbalances()['mine']['untrusted_pending'] == 3, 'pending coins')
        self.second.mine(1)
        self.sync()
        check_equal(rpc.gettransaction(txid)['confirmations'], 1)

        self.step('of two payments of the same coins one loses')
        # The same words on both nodes: each spends the one coin without knowing of the other.
        a, b = self.first.wallet('twin'), self.second.wallet('twin')
        words = rpc.createwallet('twin')['mnemonic']
        theirs.createwallet('twin', mnemonic=words)
        self.first.wallet().sendtoaddress(a.getnewaddress(), 5)
        self.first.mine(1)
        self.sync()
        check_equal((a.getbalance(), b.getbalance()), (5, 5))
        self.part()
        loser = a.sendtoaddress(to, 1)
        winner = b.sendtoaddress(to, 2)
        check(loser != winner, 'the same transaction')
        self.first.mine(1)
        check_equal(a.gettransaction(loser)['confirmations'], 1)
        self.second.mine(2)
        self.second.connect(self.first)
        self.sync_blocks()
        check_equal(a.gettransaction(loser)['confirmations'], -1)
        check_equal(a.gettransaction(loser)['walletconflicts'], [winner])
        check_equal(a.gettransaction(winner)['confirmations'], 2)
        check_equal(rpc.getrawmempool(), [])
        check_equal(a.getbalance(), b.getbalance())
        check(a.getbalance() > Decimal('2.99'), 'the coins are not as the winner left them')
        for node in self.nodes:
            node.rpc.unloadwallet('twin')

    def restoring(self):
        self.step('the words alone bring a wallet back, on another node')
        rpc, theirs = self.first.rpc, self.second.rpc
        wanted = self.snapshot(self.first)
        made = theirs.createwallet('copy', mnemonic='  ' + self.words.upper().replace(' ', '\t') + ' ')
        check_equal(made, {'name': 'copy'})
        copy = self.second.wallet('copy')
        check_equal(copy.getbalances(), wanted[0])
        check_equal(sorted((c['txid'], c['vout'], c['amount'], c['confirmations']) for c in copy.listunspent(0)), wanted[1])
        txid = copy.sendtoaddress(copy.getnewaddress(), 1)
        self.sync_mempools()
        check_equal(rpc.gettransaction(txid)['confirmations'], 0)
        self.second.mine(1)
        self.sync()
        check_equal(copy.getbalances(), rpc.getbalances())

        self.step('rescans')
        height = copy.rescanblockchain()
        check_equal(height, {'start_height': 0, 'stop_height': rpc.getblockcount()})
        check_equal(copy.getbalances(), rpc.getbalances())
        check_equal(copy.rescanblockchain(5, 7), {'start_height': 5, 'stop_height': 7})
        for bad in ((-1,), (rpc.getblockcount() + 1,), (7, 5), (0, rpc.getblockcount() + 1)):
            with raises_rpc(-8):
                copy.rescanblockchain(*bad)
        theirs.unloadwallet('copy')

    def several(self):
        self.step('several wallets on one node')
        rpc = self.first.rpc
        rpc.createwallet('a b')
        check_equal(rpc.listwallets(), ['', 'a b'])
        with raises_rpc(-19, 'Multiple wallets are loaded'):
            rpc.getbalance()
        check_equal(self.first.wallet('a%20b').getbalance(), 0)
        with raises_rpc(-18, 'does not exist or is not loaded'):
            self.first.wallet('c').getbalance()
        self.first.wallet().sendtoaddress(self.first.wallet('a%20b').getnewaddress(), 4)
        check_equal(self.first.wallet('a%20b').getbalances()['mine']['untrusted_pending'], 4)
        self.first.restart(['-wallet=a b'])
        check_equal(self.first.rpc.listwallets(), ['a b'])
        self.first.restart(['-disablewallet'])
        try:
            self.first.rpc.getbalance()
            check(False, 'a wallet call without wallets')
        except RPCError as error:
            check_equal(error.code, -32601)
        self.first.restart()
        check_equal(sorted(self.first.rpc.listwallets()), ['', 'a b'])  # twin was unloaded before

    def unloaded(self):
        self.step('what is unloaded is not loaded at the next start')
        node = self.first
        node.rpc.loadwallet('twin')
        node.rpc.unloadwallet('a b')
        node.rpc.unloadwallet('twin', True)
        node.restart()
        check_equal(sorted(node.rpc.listwallets()), ['', 'twin'])
        node.rpc.loadwallet('a b')
        node.rpc.unloadwallet('twin')
        node.rpc.loadwallet('twin', False)
        node.restart()
        check_equal(sorted(node.rpc.listwallets()), ['', 'a b'])
        node.restart(['-wallet=twin'])
        check_equal(node.rpc.listwallets(), ['twin'])
        node.restart()

    def copies(self):
        self.step('a copy of a wallet is a wallet')
        node = self.first
        wallets = os.path.join(node.dir, 'regtest', 'wallets')
        node.wallet().backupwallet(os.path.join(wallets, 'copy'))
        node.rpc.loadwallet('copy')
        for call in ('getbalances', 'getsolverkey'):
            check_equal(node.wallet('copy').call(call), node.wallet().call(call))
        check_equal(node.wallet('copy').listtransactions('*', 9), node.wallet().listtransactions('*', 9))
        for path in (os.path.join(wallets, 'copy'), os.path.join(wallets, 'no', 'folder')):
            with raises_rpc(-4, 'Wallet backup failed'):
                node.wallet().backupwallet(path)
        node.rpc.unloadwallet('copy')

    def texts(self):
        self.step('texts signed by an address of the wallet; what is told of a payment')
        rpc = self.first.wallet()
        address = rpc.getnewaddress()
        signature = rpc.signmessage(address, 'a text')
        check_equal(self.second.rpc.verifymessage(address, signature, 'a text'), True)
        check_equal(self.second.rpc.verifymessage(address, signature, 'another'), False)
        check_equal(self.second.rpc.verifymessage(rpc.getnewaddress(), signature, 'a text'), False)
        check_equal(self.second.rpc.verifymessage(address, 'AAAA', 'a text'), False)
        with raises_rpc(-4, 'Private key not available'):
            rpc.signmessage(self.second.wallet('').getnewaddress(), 'a text')
        with raises_rpc(-5, 'Invalid address'):
            rpc.signmessage('nonsense', 'a text')
        info = rpc.getwalletinfo()
        check_equal((info['private_keys_enabled'], info['blank'], info['keypoolsize']), (True, False, 20))
        txid = rpc.sendtoaddress(address, Decimal('0.25'))
        line = rpc.gettransaction(txid)
        check_equal((line['trusted'], line['bip125-replaceable'], line['walletconflicts'], line['details'][0]['abandoned']),
                    (True, 'yes', [], False))
        check_equal(line['wtxid'], self.first.rpc.getrawtransaction(txid, True)['hash'])
        self.first.mine(1)
        line = rpc.gettransaction(txid)
        check_equal((line['bip125-replaceable'], 'trusted' in line), ('no', False))
        check_equal(line['blocktime'], self.first.rpc.getblockheader(line['blockhash'])['time'])
        check_equal(rpc.listtransactions('*', 1000)[0]['generated'], True)


if __name__ == '__main__':
    TestWallet().main()
