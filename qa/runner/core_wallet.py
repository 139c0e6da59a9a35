#!/usr/bin/python3
"""Runs one of Bitcoin Core's functional tests, whose node has no wallet of Bitcoin Core's, with one that is played here.

    qa/runner/core_wallet.py TEST [ARGUMENT...]

The test itself is unchanged: of its node, the calls that make addresses, list coins and sign are answered from keys of this
process, by means of Bitcoin Core's test framework. All that is then done with the transactions is the node's own.
"""
import os
import re
import runpy
import sys
from decimal import Decimal

TEST = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.dirname(TEST))
from test_framework.address import base58_to_byte  # noqa: E402
from test_framework.key import ECKey  # noqa: E402
from test_framework.messages import COIN, COutPoint, CTransaction, CTxIn, CTxOut, tx_from_hex  # noqa: E402
from test_framework.script_util import (key_to_p2pkh_script, key_to_p2wpkh_script,  # noqa: E402
                                        keys_to_multisig_script, script_to_p2sh_script, script_to_p2wsh_script)
from test_framework.test_framework import BitcoinTestFramework, SkipTest  # noqa: E402
from test_framework.test_node import TestNode  # noqa: E402
from test_framework.wallet_util import generate_keypair  # noqa: E402

FEE = Decimal('0.0001')
MATURITY = 100
TYPES = {'legacy': 'pkh(', 'p2sh-segwit': 'sh(wpkh(', 'bech32': 'wpkh('}
LEAVES = {'pkh(': key_to_p2pkh_script, 'wpkh(': key_to_p2wpkh_script,
          'multi(1,': lambda pubkey: keys_to_multisig_script([pubkey])}


def script_of(kind, pubkey):
    """The script of a descriptor, less its key and brackets, and the scripts that it hides, as a signer is told of them."""
    for wrapper, name, wrap in (('sh(', 'redeemScript', script_to_p2sh_script),
                                ('wsh(', 'witnessScript', script_to_p2wsh_script)):
        if kind.startswith(wrapper):
            inner, hidden = script_of(kind[len(wrapper):], pubkey)
            return wrap(inner), dict(hidden, **{name: inner.hex()})
    return LEAVES[kind](pubkey), {}


class Wallet:
    """What it has is known by the scripts that pay to it, in hex; as an address such a script stands for itself."""

    def __init__(self, node):
        self.keys = {}  # script to secret key, public key, scripts that it hides
        self.add('pkh(', *with_pubkey(node.get_deterministic_priv_key().key))  # what its blocks are mined to
        given = [arg.partition('=')[2] for arg in node.extra_args if arg.startswith('-addresstype=')]
        self.default_type = given[-1] if given else 'bech32'

    def add(self, kind, secret, pubkey):
        script, hidden = script_of(kind, pubkey)
        self.keys[script.hex()] = (secret, pubkey, hidden)
        return script.hex()


def with_pubkey(secret):
    """A secret key and its public key, from the text (WIF) of the secret one."""
    payload, _ = base58_to_byte(secret)
    key = ECKey()
    key.set(payload[:32], True)
    return secret, key.get_pubkey().get_bytes()


def wallet(node):
    if 'played_wallet' not in node.__dict__:
        node.played_wallet = Wallet(node)
    return node.played_wallet


def getnewaddress(node, address_type=None):
    return wallet(node).add(TYPES[address_type or wallet(node).default_type], *generate_keypair(wif=True))


def getaddressinfo(node, address):
    _, pubkey, _ = wallet(node).keys[address]
    return {'scriptPubKey': address, 'pubkey': pubkey.hex()}


def importdescriptors(node, requests):
    for request in requests:
        kind, secret = re.match(r'(.*[(,])(\w+)\)+#', request['desc']).groups()
        wallet(node).add(kind, *with_pubkey(secret))
    return [{'success': True} for _ in requests]


def listunspent(node, query_options=None):
    """Coins in blocks that no transaction of the mempool spends."""
    least = (query_options or {}).get('minimumAmount', 0)
    found = node.scantxoutset('start', ['raw(%s)' % script for script in wallet(node).keys])
    return [dict(coin, spendable=True) for coin in found['unspents']
            if (not coin['coinbase'] or found['height'] - coin['height'] >= MATURITY) and coin['amount'] >= least
            and node.gettxout(coin['txid'], coin['vout'])]


def getbalance(node):
    return sum(coin['amount'] for coin in listunspent(node))


def sendtoaddress(node, address, amount):
    coin = listunspent(node, {'minimumAmount': amount + FEE})[0]
    tx = CTransaction()
    tx.vin = [CTxIn(COutPoint(int(coin['txid'], 16), coin['vout']))]
    tx.vout = [CTxOut(int(value * COIN), bytes.fromhex(script))
               for value, script in ((amount, address), (coin['amount'] - amount - FEE, getnewaddress(node)))]
    return node.sendrawtransaction(sign(node, tx.serialize().hex())['hex'])


def sign(node, text):
    secrets = set()
    spent = []
    for given in tx_from_hex(text).vin:
        outpoint = {'txid': '%064x' % given.prevout.hash, 'vout': given.prevout.n}
        coin = node.gettxout(outpoint['txid'], outpoint['vout'])
        script = coin['scriptPubKey']['hex']
        secret, _, hidden = wallet(node).keys[script]
        secrets.add(secret)
        spent.append(dict(outpoint, scriptPubKey=script, amount=coin['value'], **hidden))
    return node.signrawtransactionwithkey(text, list(secrets), spent)


def gettransaction(node, txid, verbose=False):
    """A transaction of the mempool, or of a block, while its first output is unspent."""
    confirmations = node.gettxout(txid, 0)['confirmations']
    block = [node.getblockhash(node.getblockcount() + 1 - confirmations)] if confirmations else []
    text = node.getrawtransaction(txid, 0, *block)
    return {'hex': text, 'decoded': node.decoderawtransaction(text)} if verbose else {'hex': text}


def skip_without_descriptors(test):
    if not test.options.descriptors:
        raise SkipTest('only a wallet of descriptors is played')


def main():
    BitcoinTestFramework.is_sqlite_compiled = lambda test: True
    BitcoinTestFramework.skip_if_no_wallet = skip_without_descriptors
    for call in (getaddressinfo, getbalance, getnewaddress, gettransaction, importdescriptors, listunspent, sendtoaddress):
        setattr(TestNode, call.__name__, call)
    TestNode.signrawtransactionwithwallet = sign
    sys.argv = sys.argv[1:]
    runpy.run_path(TEST, run_name='__main__')


if __name__ == '__main__':
    main()
