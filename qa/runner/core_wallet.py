#!/usr/bin/python3
"""Runs one of Bitcoin Core's functional tests, whose node has no wallet of Bitcoin Core's, with one that is played here.

    qa/runner/core_wallet.py TEST [ARGUMENT...]

The test itself is unchanged: of its node, the calls that make addresses, list coins and sign are answered from keys of this
process, by means of Bitcoin Core's test framework. All that is then done with the transactions is the node's own.
"""
import os
import runpy
import sys
from decimal import Decimal

TEST = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.dirname(TEST))
from test_framework.address import base58_to_byte  # noqa: E402
from test_framework.key import ECKey  # noqa: E402
from test_framework.messages import CTxInWitness, tx_from_hex  # noqa: E402
from test_framework.script import (CScript, LegacySignatureHash, SegwitV0SignatureHash, SIGHASH_ALL,  # noqa: E402
                                   hash160)
from test_framework.script_util import (key_to_p2pkh_script, key_to_p2sh_p2wpkh_script,  # noqa: E402
                                        key_to_p2wpkh_script, keyhash_to_p2pkh_script)
from test_framework.test_framework import BitcoinTestFramework  # noqa: E402
from test_framework.test_node import TestNode  # noqa: E402

COIN = 100000000
MATURITY = 100
SCRIPTS = {'legacy': key_to_p2pkh_script, 'p2sh-segwit': key_to_p2sh_p2wpkh_script, 'bech32': key_to_p2wpkh_script}


class Wallet:
    """Keys by the scripts that pay to them; an address is a script in hex."""

    def __init__(self, node):
        self.keys = {}
        payload, _ = base58_to_byte(node.get_deterministic_priv_key().key)
        self.add(payload[:32], 'legacy')  # what its blocks are mined to

    def add(self, secret, kind):
        key = ECKey()
        if secret:
            key.set(secret, True)
        else:
            key.generate()
        script = SCRIPTS[kind](key.get_pubkey().get_bytes()).hex()
        self.keys[script] = (key, kind)
        return script

    def sign(self, tx, at, script, value):
        key, kind = self.keys[script]
        pubkey = key.get_pubkey().get_bytes()
        if kind == 'legacy':
            digest, error = LegacySignatureHash(CScript(bytes.fromhex(script)), tx, at, SIGHASH_ALL)
            assert error is None
            tx.vin[at].scriptSig = CScript([key.sign_ecdsa(digest) + bytes([SIGHASH_ALL]), pubkey])
            return
        code = keyhash_to_p2pkh_script(hash160(pubkey))
        digest = SegwitV0SignatureHash(code, tx, at, SIGHASH_ALL, value)
        tx.wit.vtxinwit[at].scriptWitness.stack = [key.sign_ecdsa(digest) + bytes([SIGHASH_ALL]), pubkey]
        if kind == 'p2sh-segwit':
            tx.vin[at].scriptSig = CScript([bytes(key_to_p2wpkh_script(pubkey))])


def wallet(node):
    if 'played_wallet' not in node.__dict__:
        node.played_wallet = Wallet(node)
    return node.played_wallet


def listunspent(node):
    found = node.scantxoutset('start', ['raw(%s)' % script for script in wallet(node).keys])
    return [coin for coin in found['unspents']
            if not coin['coinbase'] or found['height'] - coin['height'] >= MATURITY]


def getaddressinfo(node, address):
    key, _ = wallet(node).keys[address]
    return {'scriptPubKey': address, 'pubkey': key.get_pubkey().get_bytes().hex()}


def sign(node, text):
    tx = tx_from_hex(text)
    tx.wit.vtxinwit = [CTxInWitness() for _ in tx.vin]
    for at, given in enumerate(tx.vin):
        coin = node.gettxout('%064x' % given.prevout.hash, given.prevout.n)
        wallet(node).sign(tx, at, coin['scriptPubKey']['hex'], int(Decimal(coin['value']) * COIN))
    return {'hex': tx.serialize().hex(), 'complete': True}


def main():
    BitcoinTestFramework.skip_if_no_wallet = lambda self: None
    TestNode.getnewaddress = lambda self, address_type='bech32': wallet(self).add(None, address_type)
    TestNode.getaddressinfo = getaddressinfo
    TestNode.listunspent = listunspent
    TestNode.signrawtransactionwithwallet = sign
    sys.argv = sys.argv[1:]
    runpy.run_path(TEST, run_name='__main__')


if __name__ == '__main__':
    main()
