"""A peer in a few lines: Bitcoin's message framing over a socket, for tests that speak to a node as a peer would."""
import hashlib
import os
import socket
import struct
import time

from framework import TIMEOUT, Failure

MAGIC = None  # of regtest; read from the node's own table below
VERSION = 70016
NODE_NETWORK, NODE_WITNESS, NODE_JOBDATA = 1, 1 << 3, 1 << 24
MSG_TX, MSG_BLOCK, MSG_WTX = 1, 2, 5
MSG_WITNESS = 1 << 30


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def tagged_hash(tag, data):
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


def var(n):
    if n < 0xfd:
        return bytes([n])
    if n <= 0xffff:
        return b'\xfd' + struct.pack('<H', n)
    if n <= 0xffffffff:
        return b'\xfe' + struct.pack('<I', n)
    return b'\xff' + struct.pack('<Q', n)


def read_var(data, at):
    first = data[at]
    if first < 0xfd:
        return first, at + 1
    size = {0xfd: 2, 0xfe: 4, 0xff: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], 'little'), at + 1 + size


def id_bytes(text):
    """A block or transaction id as it stands in messages."""
    return bytes.fromhex(text)[::-1]


class Peer:
    def __init__(self, node, handshake=True, services=NODE_NETWORK | NODE_WITNESS | NODE_JOBDATA, magic=None,
                 accepted=None):
        """accepted: the socket of a connection that the node made; else one is made to it."""
        self.magic = magic or regtest_magic()
        self.socket = accepted or socket.create_connection(('127.0.0.1', node.port), timeout=TIMEOUT)
        self.received = b''
        self.kept = []  # messages that came before somebody waited for them
        self.services = services
        if handshake:
            self.handshake()

    def frame(self, command, payload=b''):
        return (self.magic + command.encode().ljust(12, b'\0') + struct.pack('<I', len(payload)) +
                sha256d(payload)[:4] + payload)

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, command, payload=b''):
        self.raw(self.frame(command, payload))

    def version_payload(self, version=VERSION, now=None):
        address = struct.pack('<Q', 0) + bytes(16) + struct.pack('>H', 0)
        return (struct.pack('<iQq', version, self.services, int(now or time.time())) + address + address +
                os.urandom(8) + var(6) + b'/test/' + struct.pack('<i?', 0, True))

    def handshake(self):
        self.send('version', self.version_payload())
        self.wait('version')
        self.send('verack')
        self.wait('verack')
        self.settle()

    def settle(self):
        """Returns when the node has handled everything that was sent before, and keeps what it says until then."""
        nonce, said = os.urandom(8), []
        self.send('ping', nonce)
        while ('pong', nonce) not in said:
            message = self.next()
            if message is None:
                raise Failure('the node hung up')
            said.append(message)
        self.kept = said[:-1]

    def next(self, timeout=None):
        """The next message, (command, payload), or None when the node hung up."""
        if self.kept:
            return self.kept.pop(0)
        end = time.monotonic() + (timeout or TIMEOUT)
        while True:
            if len(self.received) >= 24:
                length = struct.unpack('<I', self.received[16:20])[0]
                if len(self.received) >= 24 + length:
                    command = self.received[4:16].rstrip(b'\0').decode()
                    payload = self.received[24:24 + length]
                    self.received = self.received[24 + length:]
                    return command, payload
            left = end - time.monotonic()
            if left <= 0:
                raise Failure('no message from the node in time')
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 16)
            except socket.timeout:
                continue
            except ConnectionError:
                return None
            if not data:
                return None
            self.received += data

    def wait(self, command, timeout=None):
        """The payload of the next message of this name; others are passed over, pings answered."""
        end = time.monotonic() + (timeout or TIMEOUT)
        while True:
            message = self.next(max(end - time.monotonic(), 0.001))
            if message is None:
                raise Failure('the node hung up while a %s was waited for' % command)
            name, payload = message
            if name == command:
                return payload
            if name == 'ping':
                self.send('pong', payload)

    def wait_closed(self, timeout=None):
        end = time.monotonic() + (timeout or TIMEOUT)
        while self.next(max(end - time.monotonic(), 0.001)) is not None:
            pass
        self.close()

    def ping(self):
        """Returns when the node has handled everything that was sent before."""
        nonce = os.urandom(8)
        self.send('ping', nonce)
        while self.wait('pong') != nonce:
            pass

    def close(self):
        self.socket.close()


def regtest_magic():
    """The magic of regtest, from the table in consensus/params.c."""
    global MAGIC
    if MAGIC is None:
        import re
        from framework import SRCDIR
        with open(os.path.join(SRCDIR, 'consensus', 'params.c')) as file:
            text = file.read()
        table = text[text.index('"regtest"'):]
        match = re.search(r'\.magic\s*=\s*\{([^}]*)\}', table)
        MAGIC = bytes(int(x, 0) for x in match.group(1).split(','))
    return MAGIC
