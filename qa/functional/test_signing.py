#!/usr/bin/python3
# sanitizer: yes
"""Signing with keys that a call brings: every kind of script, each hash type, signatures of several parties in one
transaction, and texts."""
from decimal import Decimal

from framework import FornaxTest, check, check_equal, raises_rpc

WIFS = ('cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N', 'cVKpPfVKSJxKqVpE9awvXNWuLHCa5j5tiE7K6zbUSptFpTEtiFrA')
OLD_WIF = '92e6XLo5jVAVwrQKPNTs93oQco8f8sDNBcpv73Dsrs397fQtFQn'  # of an uncompressed key
ADDRESS = 'mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB'  # P2PKH of the first
SIGNED = 'INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0='
UNKNOWN = '77' * 32
HASH_TYPES = [kind + more for kind in ('ALL', 'NONE', 'SINGLE') for more in ('', '|ANYONECANPAY')]
FEE = Decimal('0.0001')


class TestSigning(FornaxTest):
    chain = 'btcregtest'
    nodes_count = 1

    def run(self):
        self.rpc = self.nodes[0].rpc
        self.keys = [self.rpc.getdescriptorinfo('pkh(%s)' % wif)['descriptor'][4:-10] for wif in WIFS]
        self.fund()
        self.kinds()
        self.hash_types()
        self.several_parties()
        self.unknown_outputs()
        self.refusals()
        self.messages()

    def fund(self):
        """One coinbase for each script that is spent."""
        one, two = self.keys
        multi = 'multi(2,%s,%s)' % (one, two)
        self.single = {name % one: None for name in ('pk(%s)', 'pkh(%s)', 'wpkh(%s)', 'sh(wpkh(%s))', 'sh(pkh(%s))',
                                                     'wsh(pkh(%s))', 'sh(wsh(pk(%s)))', 'tr(%s)', 'rawtr(%s)')}
        self.multi = {name % multi: None for name in ('%s', 'sh(%s)', 'wsh(%s)', 'sh(wsh(%s))')}
        self.typed = {name % one: [] for name in ('pkh(%s)', 'wpkh(%s)', 'tr(%s)')}
        for scripts in (self.single, self.multi):
            for descriptor in scripts:
                scripts[descriptor] = self.mine(descriptor)
        for descriptor, coins in self.typed.items():
            coins += [self.mine(descriptor) for _ in HASH_TYPES]
        self.rpc.generatetodescriptor(100, 'raw(51)')

    def mine(self, descriptor):
        """The output of a coinbase, as `prevtxs` has it."""
        block = self.rpc.generatetodescriptor(1, descriptor)[0]
        tx = self.rpc.getblock(block, 2)['tx'][0]
        return {'txid': tx['txid'], 'vout': 0, 'scriptPubKey': tx['vout'][0]['scriptPubKey']['hex'],
                'amount': tx['vout'][0]['value']}

    def inner(self, descriptor):
        """The scripts inside of P2SH and P2WSH, for `prevtxs`."""
        given, name = {}, descriptor
        while name.startswith(('sh(', 'wsh(')):
            witness = name.startswith('wsh(')
            name = name[name.index('(') + 1:-1]
            given['witnessScript' if witness else 'redeemScript'] = self.script(name)
        return given

    def script(self, descriptor):
        """Of a descriptor without an address as well."""
        block = self.rpc.generateblock(self.rpc.getdescriptorinfo(descriptor)['descriptor'], [], False)
        raw = bytes.fromhex(block['hex'])
        coinbase = self.rpc.decoderawtransaction(raw[81:].hex())
        return coinbase['vout'][0]['scriptPubKey']['hex']

    def spending(self, coin):
        return self.rpc.createrawtransaction([coin], {ADDRESS: coin['amount'] - FEE})

    def accepted(self, raw):
        result = self.rpc.testmempoolaccept([raw])[0]
        check(result['allowed'], result.get('reject-reason'))

    def kinds(self):
        self.step('every kind of script')
        for descriptor, coin in self.single.items():
            given = dict(coin, **self.inner(descriptor))
            raw = self.spending(coin)
            unsigned = self.rpc.signrawtransactionwithkey(raw, [WIFS[1]], [given])
            check_equal((unsigned['complete'], len(unsigned['errors'])), (False, 1))
            check_equal(unsigned['errors'][0]['txid'], coin['txid'])
            signed = self.rpc.signrawtransactionwithkey(raw, [WIFS[1], WIFS[0]], [given])
            check_equal(signed, {'hex': signed['hex'], 'complete': True})
            # What is complete stays as it is, without keys and without what the chain knows.
            check_equal(self.rpc.signrawtransactionwithkey(signed['hex'], []), signed)
            self.accepted(signed['hex'])

    def hash_types(self):
        self.step('hash types')
        for descriptor, coins in self.typed.items():
            for kind, coin in zip(HASH_TYPES, coins):
                signed = self.rpc.signrawtransactionwithkey(self.spending(coin), [WIFS[0]], None, kind)
                check(signed['complete'], (descriptor, kind))
                self.accepted(signed['hex'])
        coin = self.typed[next(iter(self.typed))][0]
        bare = self.rpc.createrawtransaction([coin], {})
        check_equal(self.rpc.signrawtransactionwithkey(bare, [WIFS[0]], None, 'SINGLE')['complete'], False)

    def several_parties(self):
        self.step('several parties')
        for descriptor, coin in self.multi.items():
            given = [dict(coin, **self.inner(descriptor))]
            raw = self.spending(coin)
            parts = [self.rpc.signrawtransactionwithkey(raw, [wif], given) for wif in WIFS]
            check_equal([part['complete'] for part in parts], [False, False])
            check('more signatures' in parts[0]['errors'][0]['error'] or 'stack' in parts[0]['errors'][0]['error'],
                  parts[0]['errors'])
            one_by_one = self.rpc.signrawtransactionwithkey(parts[1]['hex'], [WIFS[0]], given)
            check(one_by_one['complete'], descriptor)
            for order in (parts, parts[::-1]):
                combined = self.rpc.combinerawtransaction([part['hex'] for part in order])
                check_equal(combined, one_by_one['hex'], descriptor)
            check_equal(self.rpc.combinerawtransaction([raw, one_by_one['hex'], parts[0]['hex']]), one_by_one['hex'])
            check_equal(self.rpc.combinerawtransaction([parts[0]['hex'], raw]), parts[0]['hex'])
            self.accepted(one_by_one['hex'])
        with raises_rpc(-22, 'TX decode failed for tx 1'):
            self.rpc.combinerawtransaction([raw, raw + '00'])
        with raises_rpc(-22, 'Missing transactions'):
            self.rpc.combinerawtransaction([])
        with raises_rpc(-25, 'Input not found or already spent'):
            self.rpc.combinerawtransaction([self.spending(dict(coin, txid=UNKNOWN))])

    def unknown_outputs(self):
        self.step('outputs that only the caller knows')
        coin = {'txid': UNKNOWN, 'vout': 1, 'amount': Decimal(1)}
        for descriptor, known in self.single.items():
            given = dict(coin, scriptPubKey=known['scriptPubKey'], **self.inner(descriptor))
            raw = self.spending(coin)
            signed = self.rpc.signrawtransactionwithkey(raw, [WIFS[0]], [given])
            check(signed['complete'], descriptor)
            check_equal(self.rpc.signrawtransactionwithkey(raw, [WIFS[0]])['errors'][0]['error'],
                        'Input not found or already spent')
            del given['amount']
            if self.rpc.decoderawtransaction(signed['hex'])['vin'][0].get('txinwitness'):
                with raises_rpc(-3, 'Missing amount'):
                    self.rpc.signrawtransactionwithkey(raw, [WIFS[0]], [given])
            else:
                check_equal(self.rpc.signrawtransactionwithkey(raw, [WIFS[0]], [given]), signed)

    def refusals(self):
        self.step('refusals')
        coin = self.single['sh(pkh(%s))' % self.keys[0]]
        inner = self.inner('sh(pkh(%s))' % self.keys[0])['redeemScript']
        raw, sign = self.spending(coin), self.rpc.signrawtransactionwithkey
        for code, text, args in (
                (-5, 'Invalid private key', (raw, ['123'])),
                (-8, "'all' is not a valid sighash parameter.", (raw, [], [], 'all')),
                (-22, 'TX decode failed', (raw + '00', [])),
                (-22, 'expected object', (raw, [], ['a'])),
                (-3, 'Missing vout', (raw, [], [{'txid': UNKNOWN}])),
                (-3, 'not of expected type string', (raw, [], [{'txid': 1}])),
                (-22, 'vout cannot be negative', (raw, [], [dict(coin, vout=-1)])),
                (-22, 'scriptPubKey mismatch', (raw, [], [dict(coin, scriptPubKey='51')])),
                (-8, 'Missing redeemScript/witnessScript', (raw, [], [coin])),
                (-8, 'does not match scriptPubKey', (raw, [], [dict(coin, redeemScript='6a')])),
                (-8, 'does not correspond to witnessScript', (raw, [], [dict(coin, redeemScript='6a', witnessScript=inner)]))):
            with raises_rpc(code, text):
                sign(*args)
        witness = self.single['wpkh(%s)' % self.keys[0]]
        check(not sign(self.spending(witness), [OLD_WIF])['complete'], 'a key of another output')

    def messages(self):
        self.step('texts')
        rpc, text = self.rpc, 'This is just a test message'
        check_equal(rpc.signmessagewithprivkey(WIFS[0], text), SIGNED)
        check_equal(rpc.verifymessage(ADDRESS, SIGNED, text), True)
        check_equal(rpc.verifymessage(ADDRESS, SIGNED, text + '.'), False)
        check_equal(rpc.verifymessage(ADDRESS, SIGNED[4:], text), False)
        check_equal(rpc.verifymessage(ADDRESS, 'AAAA' + SIGNED[4:], text), False)
        old = rpc.deriveaddresses(rpc.getdescriptorinfo('pkh(%s)' % OLD_WIF)['descriptor'])[0]
        check_equal(rpc.verifymessage(old, rpc.signmessagewithprivkey(OLD_WIF, text), text), True)
        check_equal(rpc.verifymessage(ADDRESS, rpc.signmessagewithprivkey(OLD_WIF, text), text), False)
        segwit = rpc.deriveaddresses(rpc.getdescriptorinfo('wpkh(%s)' % WIFS[0])['descriptor'])[0]
        with raises_rpc(-3, 'Address does not refer to key'):
            rpc.verifymessage(segwit, SIGNED, text)
        with raises_rpc(-3, 'Malformed base64 encoding'):
            rpc.verifymessage(ADDRESS, 'invalid_sig', text)
        with raises_rpc(-5, 'Invalid address'):
            rpc.verifymessage('invalid', SIGNED, text)
        with raises_rpc(-5, 'Invalid private key'):
            rpc.signmessagewithprivkey('invalid', text)


if __name__ == '__main__':
    TestSigning().main()
