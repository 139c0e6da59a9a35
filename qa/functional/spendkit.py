"""Coins of every kind of script on Bitcoin's regtest, all of one key, and transactions that spend them, signed in Python."""
import hashlib
import struct

from blocktools import write_tx
from p2p import id_bytes, sha256d, tagged_hash, var

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
SECRET = 0x1234567890abcdef1234567890abcdef
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
