#!/usr/bin/python3
# sanitizer: yes
"""What Bitcoin nodes count on in a peer beyond the rules of blocks: pings and handshakes timed by a clock that tests move,
messages that are passed over and those that end a connection, what a node that is dialled must offer."""
import os
import socket
import struct
import subprocess
import time

from blocktools import block_on_tip, chain_on
from framework import TIMEOUT, FornaxTest, Node, check, check_equal, wait_until
from p2p import MSG_BLOCK, MSG_TX, MSG_WITNESS, NODE_NETWORK, NODE_WITNESS, Peer, id_bytes, var

MAGIC = bytes.fromhex('fabfb5da')
NODE_LIMITED = 1 << 10
DAY = 86400


class TestBitcoinPeers(FornaxTest):
    chain = 'btcregtest'
    # Handshakes by a clock that stands still until it is moved; no address that it hears of is dialled.
    node_args = ('-peertimeout=1', '-connect=0')

    def peer(self, handshake=True):
        return Peer(self.node, handshake=handshake, services=NODE_NETWORK | NODE_WITNESS, magic=MAGIC)

    def logged(self, text):
        wait_until(lambda: text in self.node.log(), 'the log to have: ' + text)

    def forward(self, seconds):
        self.now += seconds
        self.node.rpc.setmocktime(self.now)

    def gone(self):
        wait_until(lambda: not self.node.rpc.getpeerinfo(), 'the peers to go')

    def pings(self):
        self.step('pings')
        peer = self.peer()
        nonce = peer.wait('ping')
        self.forward(3)
        info, = self.node.rpc.getpeerinfo()
        check_equal((info['pingwait'], 'pingtime' in info), (3, False))
        peer.send('pong', os.urandom(8))
        self.logged('Nonce mismatch')
        self.forward(26)
        peer.send('pong', nonce)
        peer.ping()
        info, = self.node.rpc.getpeerinfo()
        check_equal((info['pingtime'], info['minping'], 'pingwait' in info), (29, 29, False))
        peer.send('pong', nonce)
        self.logged('Unsolicited pong without ping, 0 expected')
        for text, payload in (('Nonce zero', bytes(8)), ('Short payload', b'')):
            self.forward(121)
            peer.wait('ping')
            peer.send('pong', payload)
            self.logged(text)
            peer.ping()
            check('pingwait' not in self.node.rpc.getpeerinfo()[0], 'a pong with ' + text + ' does not end the waiting')
        self.forward(121)
        peer.wait('ping')
        self.forward(1201)
        peer.wait_closed()
        self.logged('ping timeout: 1201.000000s')

    def handshakes(self):
        self.step('handshakes that are not finished')
        self.gone()
        early, silent, halfway = (self.peer(handshake=False) for _ in range(3))
        early.send('ping', bytes(8))
        self.logged('non-version message before version handshake. Message "ping" from peer=')
        halfway.send('version', halfway.version_payload())
        halfway.wait('verack')
        halfway.send('ping', bytes(8))
        self.logged('Unsupported message "ping" prior to verack from peer=')
        wait_until(lambda: len(self.node.rpc.getpeerinfo()) == 3, 'all three')
        self.forward(1)
        check_equal(len(self.node.rpc.getpeerinfo()), 3)
        self.forward(1)
        for peer in (early, silent, halfway):
            peer.wait_closed()
        for text in ('socket no message in first 1 seconds, 1 0 peer=', 'socket no message in first 1 seconds, 0 0 peer=',
                     'version handshake timeout peer='):
            self.logged(text)

    def messages(self):
        self.step('messages that are passed over')
        peer = self.peer()
        frame = peer.frame('badmsg', b'd')
        peer.raw(frame[:7] + b'\0' + frame[8:])
        self.logged('Header error: Invalid message type (bad, 1 bytes)')
        peer.send('unheardof', bytes(100_000))
        peer.send('addrv2', b'')
        self.logged("ProcessMessages(addrv2, 0 bytes): Exception 'end of data'")
        head = struct.pack('<I', int(time.time())) + var(1)
        peer.send('addrv2', var(1) + head + b'\1' + var(513) + bytes(513) + bytes(2))
        self.logged('Address too long: 513 > 512')
        peer.send('addrv2', var(2) + head + b'\x99' + var(2) + bytes(2) + bytes(2) +
                  head + b'\1' + var(4) + bytes([9] * 4) + struct.pack('>H', 8333))
        self.logged('9.9.9.9:8333')
        self.logged('Added 1 addresses (of 2)')
        peer.ping()
        frame = bytearray(peer.frame('badmsg', b'dd'))
        frame[20:24] = b'\xff' * 4
        peer.raw(bytes(frame))
        self.logged('Header error: Wrong checksum (badmsg, 2 bytes), expected ')
        peer.ping()

        self.step('messages that end a connection')
        bad = {
            'Header error: Wrong MessageStart ffffffff received': lambda p: p.raw(b'\xff' * 24),
            'Header error: Size too large (badmsg, 4000001 bytes)': lambda p: p.raw(
                MAGIC + b'badmsg'.ljust(12, b'\0') + struct.pack('<I', 4_000_001) + bytes(4)),
            'inv message size = 50001': lambda p: p.send('inv', var(50001) + (struct.pack('<I', MSG_TX) + bytes(32)) * 50001),
            'getdata message size = 50001': lambda p: p.send('getdata', var(50001)),
            'headers message size = 2001': lambda p: p.send('headers', var(2001)),
            'addr message size = 1001': lambda p: p.send('addr', var(1001)),
        }
        block = block_on_tip(self.node)
        block.prev = '12' * 32
        bad['AcceptBlock FAILED (prev-blk-not-found)'] = lambda p: p.send('block', block.solve().write())
        mutated = block_on_tip(self.node).solve()
        mutated.txs[0].outputs[0] = (1, b'')
        bad['Block mutated: bad-txnmrklroot, hashMerkleRoot mismatch'] = lambda p: p.send('block', mutated.write())
        for text, send in bad.items():
            peer = self.peer()
            send(peer)
            peer.wait_closed()
            self.logged(text)

    def dialled(self, services, kind='outbound-full-relay'):
        """A node that this one dials, and that offers these services."""
        with socket.create_server(('127.0.0.1', 0)) as server:
            self.node.rpc.addconnection('127.0.0.1:%d' % server.getsockname()[1], kind)
            peer = Peer(self.node, handshake=False, services=services, magic=MAGIC, accepted=server.accept()[0])
        peer.wait('version')
        peer.send('version', peer.version_payload())
        return peer

    def services(self):
        self.step('what a node that is dialled must offer')
        full, limited = NODE_NETWORK | NODE_WITNESS, NODE_LIMITED | NODE_WITNESS
        self.node.rpc.setmocktime(self.now - 2 * DAY)
        self.node.mine(1)
        self.node.rpc.setmocktime(self.now)
        for kind in ('outbound-full-relay', 'block-relay-only', 'addr-fetch'):
            for services in (0, NODE_NETWORK, NODE_WITNESS, limited):
                self.dialled(services, kind).wait_closed()
                self.logged('does not offer the expected services (%08x offered, %08x expected)' % (services, full))
        self.node.mine(1)
        for services in (full, limited):
            peer = self.dialled(services)
            peer.wait('verack')
            peer.send('verack')
            peer.ping()
            peer.close()

    def announced(self):
        self.step('blocks that a peer without all blocks tells of')
        node = self.node
        peer = Peer(node, services=NODE_WITNESS, magic=MAGIC)
        tip = node.rpc.getbestblockhash()
        blocks = chain_on(tip, node.rpc.getblockcount() + 1, node.rpc.getblockheader(tip)['time'] + 1, 18)

        def headers(some):
            peer.send('headers', var(len(some)) + b''.join(block.header() + b'\0' for block in some))

        def asked(some):
            data = peer.wait('getdata')
            check_equal(data, var(len(some)) + b''.join(
                struct.pack('<I', MSG_BLOCK | MSG_WITNESS) + id_bytes(block.hash) for block in some))

        headers(blocks[:2])
        asked(blocks[:2])
        headers(blocks[2:])
        asked(blocks[2:16])
        for block in blocks:
            peer.send('block', block.write())
        peer.ping()
        check_equal(node.rpc.getbestblockhash(), blocks[-1].hash)

        self.step('headers that connect to nothing, again and again')
        later = chain_on(blocks[-1].hash, node.rpc.getblockcount() + 1, blocks[-1].time + 1, 60)
        for block in later[1:]:
            headers([block])
            locator = peer.wait('getheaders')
            check_equal(locator[5:37], id_bytes(blocks[-1].hash))
        headers(later[:1])
        asked(later[:1])
        peer.close()

    def listening(self):
        self.step('an address to listen on, and no listening')
        for bind, option in ((['-bind=127.0.0.1'], []), ([], ['-whitebind=noban@127.0.0.1:%d' % self.node.port])):
            other = Node(self, 1, ['-listen=0'])
            done = subprocess.run(other.command([*bind, *option]), capture_output=True, text=True, timeout=TIMEOUT)
            check_equal(done.returncode, 1)
            check('Cannot set -bind or -whitebind together with -listen=0' in done.stderr, done.stderr)

    def run(self):
        self.node, = self.nodes
        self.now = int(time.time())
        self.node.rpc.setmocktime(self.now)
        self.pings()
        self.handshakes()
        self.messages()
        self.services()
        self.announced()
        self.listening()


if __name__ == '__main__':
    TestBitcoinPeers().main()
