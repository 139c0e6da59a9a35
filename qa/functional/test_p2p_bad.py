#!/usr/bin/python3
# sanitizer: yes
"""What broken and hostile peers send: one clear line in the log each, the peer scored or dropped, the node up and serving."""
import os
import socket
import struct

import p2p
from blocktools import Block, Tx, block_on_tip, chain_on, coinbase, write_tx
from framework import FornaxTest, check, check_equal, wait_until
from p2p import MSG_BLOCK, MSG_TX, MSG_WITNESS, Peer, id_bytes, sha256d, var

CHUNK_ID_MAX = 77  # of a result, which names its solver
CHUNK_ID = struct.pack('<I', 7) + b'\x00' + b'\x11' * 32 + struct.pack('<II', 0, 0)
INVDATA = b'\x00' + b'\x22' * 32 + b'\x01' + var(4) + bytes([127, 0, 0, 1]) + struct.pack('>H', 9)


class TestP2PBad(FornaxTest):
    nodes_count = 1
    node_args = ('-acceptnonstdtxn',)

    def lines(self, text):
        return [line for line in self.node.log().splitlines() if text in line]

    def score(self, peer):
        """The node's score of this peer, which it knows by the port of our end."""
        name = '127.0.0.1:%d' % peer.socket.getsockname()[1]
        return [info['misbehaviour'] for info in self.node.rpc.getpeerinfo() if info['addr'] == name]

    def bad(self, text, send, score=None, handshake=True, peer=None):
        """send(peer) must give one new line that blames the peer and has this text. score None: the peer is dropped."""
        before = len(self.lines('Misbehaving'))
        peer = peer or Peer(self.node, handshake=handshake)
        try:
            send(peer)
        except ConnectionError:  # the node hangs up at the head of a message, while the rest of it is still being sent
            check(score is None, 'the node hung up over: ' + text)
        if score is None:
            peer.wait_closed()
        elif handshake:
            peer.ping()
            check_equal(self.score(peer), [score], 'score after "%s"' % text)
        else:
            wait_until(lambda: self.score(peer) == [score], 'a score of %d' % score)
        wait_until(lambda: len(self.lines('Misbehaving')) > before, 'the log to blame a peer for: ' + text)
        new = self.lines('Misbehaving')[before:]
        check_equal(len(new), 1, 'lines for "%s": %s' % (text, new))
        check(text in new[0], 'the log has "%s", wanted "%s"' % (new[0], text))
        check(('is disconnected' in new[0]) == (score is None), new[0])
        self.serves()
        return peer

    def quiet(self, send, logged=None):
        """send(peer) is no reason for blame; the log may say why nothing came of it."""
        before = len(self.lines('Misbehaving'))
        peer = Peer(self.node)
        send(peer)
        peer.ping()
        check_equal(self.lines('Misbehaving')[before:], [], 'blame')
        if logged:
            wait_until(lambda: self.lines(logged), 'the log to have: ' + logged)
        self.serves()
        return peer

    def serves(self):
        """The peer that did nothing wrong is still there and served."""
        self.good.ping()

    def run(self):
        self.node = self.nodes[0]
        self.node.mine(110)
        self.good = Peer(self.node)
        self.frames()
        self.handshakes()
        self.malformed()
        self.headers()
        self.blocks()
        self.transactions()
        self.chunks()
        self.step('a whole chain is still served')
        self.good.send('getheaders', struct.pack('<I', p2p.VERSION) + var(1) +
                       id_bytes(self.node.rpc.getblockhash(0)) + bytes(32))
        check_equal(self.good.wait('headers')[0], self.node.rpc.getblockcount())
        check_equal(self.score(self.good), [0])

    def frames(self):
        self.step('frames')
        self.bad('Wrong MessageStart', lambda p: p.raw(b'\xfa\xbf\xb5\xda' + p.frame('version', p.version_payload())[4:]),
                 handshake=False)
        self.bad('Wrong MessageStart', lambda p: p.raw(b'GET / HTTP/1.1\r\nHost: node\r\n\r\n'), handshake=False)
        self.bad('Wrong MessageStart', lambda p: p.raw(b'\0' * 24))
        self.bad('Size too large (block, 4294967295 bytes',
                 lambda p: p.raw(p.magic + b'block'.ljust(12, b'\0') + b'\xff' * 4 + bytes(4)))
        self.bad('Size too large (ping, 9 bytes', lambda p: p.send('ping', bytes(9)))
        self.bad('Size too large (unheardof, 65537 bytes',
                 lambda p: p.raw(p.magic + b'unheardof'.ljust(12, b'\0') + struct.pack('<I', 65537) + bytes(4)))
        self.bad('Invalid message type', lambda p: p.raw(p.magic + b'pi\x01g'.ljust(12, b'\0') + bytes(4) + bytes(4)))
        self.bad('Invalid message type', lambda p: p.raw(p.magic + b'ping\0more\0\0\0' + bytes(4) + bytes(4)))

        def checksum(p):
            frame = bytearray(p.frame('ping', bytes(8)))
            frame[20] ^= 1
            p.raw(bytes(frame))
        peer = self.bad('Wrong checksum (ping, 8 bytes), expected ', checksum, 50)
        self.bad('Wrong checksum (ping, 8 bytes), expected ', checksum, peer=peer)

        self.step('a connection that ends inside a message, and silence')
        for size in (1, 23, 24, 60):
            peer = Peer(self.node)
            name = '127.0.0.1:%d' % peer.socket.getsockname()[1]
            peer.raw(peer.frame('inv', var(1) + bytes(36))[:size])
            peer.socket.shutdown(socket.SHUT_WR)
            peer.wait_closed()
            wait_until(lambda: not any(info['addr'] == name for info in self.node.rpc.getpeerinfo()), 'the peer to go')
            check_equal(len(self.lines('%s disconnected: it closed the connection' % name)), 1)
        check(self.lines('it closed the connection inside a message'), 'no word of a message cut short')
        for _ in range(3):
            socket.create_connection(('127.0.0.1', self.node.port)).close()
        peer = Peer(self.node, handshake=False)
        peer.raw(peer.frame('version', peer.version_payload())[:30])
        self.serves()
        peer.close()
        self.quiet(lambda p: p.send('unheardof', b'x' * 65536), 'ignored: unheardof')
        # The name of a command may not forge lines of the log.
        self.quiet(lambda p: p.send('%s%n%x', b''), 'ignored: %s%n%x')

    def handshakes(self):
        self.step('handshakes')
        self.bad('non-version message before version handshake', lambda p: p.send('ping', bytes(8)), 20, handshake=False)
        self.bad('non-version message before version handshake', lambda p: p.send('verack'), 20, handshake=False)

        def five(p):
            for _ in range(5):
                p.send('inv', var(0))
        before = len(self.lines('Misbehaving'))
        peer = Peer(self.node, handshake=False)
        five(peer)
        peer.wait_closed()
        wait_until(lambda: len(self.lines('Misbehaving')) == before + 5, 'five lines')

        self.bad('redundant version message from peer=', lambda p: p.send('version', p.version_payload()), 10)
        self.bad('wtxidrelay after verack', lambda p: p.send('wtxidrelay'), 10)
        self.bad('sendaddrv2 after verack', lambda p: p.send('sendaddrv2'), 10)
        for size in (0, 3, 4, 45, 79, 84):
            self.bad('malformed version message of %d bytes' % size,
                     lambda p, size=size: p.send('version', p.version_payload()[:size]), handshake=False)
        self.bad('Size too large (version', lambda p: p.send('version', bytes(1025)), handshake=False)

        def agent(p, text):
            payload = p.version_payload()
            p.send('version', payload[:80] + var(len(text)) + text + payload[-5:])
        self.bad('malformed version message', lambda p: agent(p, b'a' * 257), handshake=False)
        peer = Peer(self.node, handshake=False)
        agent(peer, b'a\nb\x1b[31m\xffc')
        peer.wait('version')
        peer.send('verack')
        peer.wait('verack')
        peer.ping()
        check('a?b?[31m?c' in [info['subver'] for info in self.node.rpc.getpeerinfo()], 'the user agent was not cleaned')
        peer.close()

        peer = Peer(self.node, handshake=False)
        peer.send('version', peer.version_payload(version=60001))
        peer.wait_closed()
        wait_until(lambda: self.lines('using obsolete version 60001; disconnecting'), 'the reason in the log')

        self.step('a node that connects to itself')
        self.node.rpc.addnode(self.node.address, 'onetry')
        wait_until(lambda: self.lines('connected to self, disconnecting'), 'the reason in the log')
        wait_until(lambda: all(info['inbound'] for info in self.node.rpc.getpeerinfo()), 'its other end to go')

    def malformed(self):
        self.step('payloads that do not parse')
        tip = id_bytes(self.node.rpc.getbestblockhash())
        header = chain_on(self.node.rpc.getbestblockhash(), 111, self.node.rpc.getblockheader(
            self.node.rpc.getbestblockhash())['time'] + 1, 1)[0].header()
        address = struct.pack('<IQ', 0, 1) + bytes(16) + bytes(2)
        good = {
            'inv': var(1) + struct.pack('<I', MSG_TX) + b'\x33' * 32,
            'getdata': var(1) + struct.pack('<I', MSG_TX) + b'\x33' * 32,
            'notfound': var(1) + struct.pack('<I', MSG_TX) + b'\x33' * 32,
            'headers': var(1) + header + b'\0',
            'getheaders': struct.pack('<I', p2p.VERSION) + var(1) + tip + bytes(32),
            'ping': bytes(8),
            'pong': bytes(8),
            'feefilter': bytes(8),
            'addr': var(1) + address,
            'addrv2': var(1) + struct.pack('<I', 0) + b'\x01' + b'\x01' + var(4) + bytes(4) + bytes(2),
            'cert': b'\x44' * (36 + 32 + 64),
            'invdata': INVDATA,
            'getchunk': CHUNK_ID,
            'nochunk': CHUNK_ID,
            'chunk': CHUNK_ID + bytes(32768) + var(3) + bytes(96),
        }
        for name, payload in good.items():
            for bad in (payload[:-1], payload[:len(payload) // 2], b''):
                self.bad('malformed %s message of %d bytes' % (name, len(bad)),
                         lambda p, name=name, bad=bad: p.send(name, bad))
        for name in ('inv', 'getdata', 'headers', 'addr', 'notfound', 'getheaders'):
            self.bad('malformed %s message' % name, lambda p, name=name: p.send(name, good[name] + b'\0'))
        longest = {'getchunk': CHUNK_ID_MAX, 'nochunk': CHUNK_ID_MAX}
        for name in ('cert', 'getchunk', 'nochunk', 'feefilter', 'verack', 'getaddr', 'sendheaders'):
            self.bad('Size too large (%s' % name,
                     lambda p, name=name: p.send(name, good.get(name, b'').ljust(longest.get(name, 0), b'\0') + b'\0'))
        self.bad('malformed chunk', lambda p: p.send('chunk', good['chunk'] + b'\0'))
        self.bad('malformed invdata', lambda p: p.send('invdata', INVDATA + b'\0'))
        self.bad('malformed chunk', lambda p: p.send('chunk', b'\0' * 4 + b'\x02' + good['chunk'][5:]))
        self.bad('malformed getchunk', lambda p: p.send('getchunk', b'\0' * 4 + b'\x02' + CHUNK_ID[5:]))
        self.bad('malformed invdata', lambda p: p.send('invdata', b'\x02' + INVDATA[1:]))
        self.bad('malformed chunk', lambda p: p.send('chunk', CHUNK_ID + bytes(32768) + var(0xffffffffffff)))

        self.step('counts')
        self.bad('malformed inv', lambda p: p.send('inv', b'\xfd\x01\x00' + good['inv'][1:]))  # not the shortest form
        self.bad('inv message size = 18446744073709551615', lambda p: p.send('inv', b'\xff' + b'\xff' * 8))
        self.bad('headers message size = 2001', lambda p: p.send('headers', var(2001)))
        self.bad('malformed getheaders', lambda p: p.send('getheaders', struct.pack('<I', 0) + var(102) + bytes(33 * 32)))
        self.bad('Size too large (inv', lambda p: p.send('inv', var(50001) + bytes(50001 * 36)))
        self.bad('malformed headers', lambda p: p.send('headers', var(1) + header + b'\x01'))  # a header has no transactions
        self.bad('malformed addr', lambda p: p.send('addr', var(1000) + bytes(5)))

        self.step('questions about nothing')
        peer = self.quiet(lambda p: p.send('getdata', var(3) + struct.pack('<I', MSG_TX) + b'\x55' * 32 +
                                           struct.pack('<I', MSG_BLOCK | MSG_WITNESS) + b'\x56' * 32 +
                                           struct.pack('<I', 99) + b'\x57' * 32))
        peer.close()
        peer = Peer(self.node)
        peer.send('getdata', var(2) + struct.pack('<I', MSG_BLOCK) + b'\x56' * 32 + struct.pack('<I', 99) + b'\x57' * 32)
        check_equal(peer.wait('notfound')[0], 2)
        peer.send('getchunk', CHUNK_ID)
        check_equal(peer.wait('nochunk'), CHUNK_ID)
        peer.send('cert', good['cert'])
        peer.send('invdata', INVDATA)
        peer.send('getheaders', struct.pack('<I', p2p.VERSION) + var(1) + b'\x58' * 32 + bytes(32))
        check_equal(peer.wait('headers')[0], self.node.rpc.getblockcount())
        check_equal(self.score(peer), [0])
        peer.close()

    def headers(self):
        self.step('headers')
        node = self.node
        tip = node.rpc.getblockheader(node.rpc.getbestblockhash())

        def send(*blocks):
            return lambda p: p.send('headers', var(len(blocks)) + b''.join(b.header() + b'\0' for b in blocks))

        def header(reach=True, prev=None, time=None, **fields):
            block = Block(prev or tip['hash'], time or tip['time'] + 1, [coinbase(tip['height'] + 1, 0)], **fields)
            return block.solve(reach)
        self.bad(', high-hash', send(header(reach=False)))
        self.bad(', bad-diffbits', send(header(bits=0x207ffffe)))
        self.bad(', bad-lane', send(header(version=0x20000000 | 2 << 8)))
        self.bad(', time-too-old', send(header(time=tip['mediantime'])))
        future = header(time=tip['time'] + 86400)
        self.quiet(send(future), future.hash + ' from peer')
        check(self.lines('seconds ahead of this clock'), 'no word of the clock')
        first, second = chain_on(tip['hash'], tip['height'] + 1, tip['time'] + 1, 2)
        self.bad('non-continuous headers sequence', send(second, first))

        def unknown(p):
            stranger = header(prev='ab' * 32)
            for _ in range(11):
                send(stranger)(p)
        self.bad('headers that connect to nothing known', unknown, 20)
        check_equal(node.rpc.getbestblockhash(), tip['hash'])
        check_equal(node.rpc.getblockchaininfo()['headers'], tip['height'])

    def blocks(self):
        self.step('blocks')
        node = self.node

        def give(block):
            return lambda p: p.send('block', block.write() if isinstance(block, Block) else block)
        fine = block_on_tip(node)
        self.bad('malformed block', give(b''))
        self.bad('malformed block', give(fine.write()[:79]))
        self.bad('malformed block', give(fine.write()[:-1]))
        self.bad('malformed block', give(fine.write() + b'\0'))
        self.bad('malformed block', give(fine.header() + b'\xff' * 9))

        block = block_on_tip(node)
        block.txs[0].outputs[0] = (1, block.txs[0].outputs[0][1])
        self.bad('bad copy of block %s: Block mutated: bad-txnmrklroot, hashMerkleRoot mismatch' % block.hash, give(block), 50)
        block.txs = []
        self.bad('bad-txnmrklroot', give(block.header() + b'\0'), 50)

        def spoiled(change):
            block = block_on_tip(node)
            change(block)
            block.set_merkle()
            return block.solve()
        def value(b):
            b.txs[0].outputs[0] = (b.txs[0].outputs[0][0] + 1, b.txs[0].outputs[0][1])
        block = spoiled(value)
        self.bad('invalid block %s, bad-cb-amount' % block.hash, give(block))
        self.bad('duplicate-invalid', give(block))
        def height(b):
            b.txs = [coinbase(5, 0, extra=b'\x00' * 8)]
        block = spoiled(height)
        self.bad('invalid block %s, bad-cb-height' % block.hash, give(block))
        def missing(b):
            b.txs[0] = Tx(write_tx([('11' * 32, 0, b'', 0)], [(1, b'\x51')]))
        block = spoiled(missing)
        self.bad('invalid block %s, bad-cb-missing' % block.hash, give(block))
        def spend(b):
            b.txs.append(Tx(write_tx([('11' * 32, 0, b'', 0)], [(1, b'\x51')])))
        block = spoiled(spend)
        self.bad('invalid block %s, bad-txns-inputs-missingorspent' % block.hash, give(block))
        job = block_on_tip(node)
        job.version |= 1 << 8
        self.bad(job.hash + ': bad-work-parse', lambda p: p.send('block', job.header() + b'\x00'), 50)

        self.step('a chain of headers whose blocks are bad, and none of it stays')
        tip = node.rpc.getbestblockhash()
        bad = spoiled(value)
        after = chain_on(bad.hash, node.rpc.getblockcount() + 2, bad.time + 1, 3)
        peer = Peer(node)
        peer.send('headers', var(4) + b''.join(b.header() + b'\0' for b in [bad, *after]))
        asked = peer.wait('getdata')
        check_equal(asked[5:37], id_bytes(bad.hash))
        self.bad('invalid block %s, bad-cb-amount' % bad.hash, give(bad), peer=peer)
        self.bad('duplicate-invalid', lambda p: p.send('headers', var(1) + bad.header() + b'\0'))
        child = chain_on(after[-1].hash, node.rpc.getblockcount() + 5, bad.time + 9, 1)
        self.bad('bad-prevblk', lambda p: p.send('headers', var(1) + child[0].header() + b'\0'))
        check_equal(node.rpc.getbestblockhash(), tip)

        self.step('a good block whose parent is unknown is no offence')
        self.quiet(give(chain_on('cd' * 32, 5, bad.time, 1)[0]))
        peer = self.quiet(give(fine))
        check_equal(node.rpc.getbestblockhash(), fine.hash)
        peer.send('block', fine.write())
        peer.ping()
        check_equal(self.score(peer), [0])

    def transactions(self):
        self.step('transactions')
        node = self.node
        address = node.rpc.getnewaddress()
        txid = node.rpc.sendtoaddress(address, 1)
        good = bytes.fromhex(node.rpc.getrawtransaction(txid))

        def changed(change):
            tx = Tx(good)
            change(tx)
            return tx.write()

        def give(data):
            return lambda p: p.send('tx', data)
        self.bad('malformed tx message of 0 bytes', give(b''))
        self.bad('malformed tx', give(good[:-1]))
        self.bad('malformed tx', give(good + b'\0'))
        self.bad('malformed tx', give(good[:4] + b'\x00\x02' + good[6:]))

        def signature(tx):
            sig = tx.witness[0][0]
            tx.witness[0][0] = sig[:10] + bytes([sig[10] ^ 1]) + sig[11:]
        # Without its wallet and its file the mempool starts empty: the coins are free again.
        node.restart(extra=['-persistmempool=0', '-disablewallet'])
        check_equal(node.rpc.getrawmempool(), [])
        self.good = Peer(node)
        self.bad('mandatory-script-verify-flag-failed', give(changed(signature)))

        def more(tx):
            tx.outputs[0] = (tx.outputs[0][0] + 10 ** 12, tx.outputs[0][1])
        self.bad('bad-txns-in-belowout', give(changed(more)))

        def negative(tx):
            tx.outputs[0] = (-1, tx.outputs[0][1])
        self.bad('bad-txns-vout-negative', give(changed(negative)))

        def huge(tx):
            tx.outputs[0] = (2 ** 62, tx.outputs[0][1])
        self.bad('bad-txns-vout-toolarge', give(changed(huge)))

        def twice(tx):
            tx.inputs.append(tx.inputs[0])
            tx.witness.append(tx.witness[0])
        self.bad('bad-txns-inputs-duplicate', give(changed(twice)))

        self.step('transactions that are no offence')
        self.quiet(give(write_tx([('99' * 32, 0, b'', 0)], [(1000, b'\x51')])))
        first = Tx(bytes.fromhex(node.rpc.getblock(node.rpc.getblockhash(node.rpc.getblockcount()), 2)['tx'][0]['hex']))
        early = write_tx([(first.txid, 0, b'', 0)], [(1000, b'\x51' + bytes(32))], [[bytes(64)]])
        self.quiet(give(early), 'was not accepted: bad-txns-premature-spend-of-coinbase')

    def chunks(self):
        self.step('chunks nobody asked for')
        chunk = CHUNK_ID + bytes(32768) + var(3) + bytes(96)
        peer = self.bad('a chunk that was not asked for', lambda p: p.send('chunk', chunk), 10)
        self.bad('an answer to a request that was not made', lambda p: p.send('nochunk', CHUNK_ID), 20, peer=peer)
        result = struct.pack('<I', 7) + b'\x01' + CHUNK_ID[5:37] + b'\x22' * 32 + CHUNK_ID[37:] + bytes(65536) + var(0)
        self.bad('a chunk that was not asked for', lambda p: p.send('chunk', result), 30, peer=peer)
        before = len(self.lines('Misbehaving'))
        for _ in range(7):
            peer.send('chunk', chunk)
        peer.wait_closed()
        wait_until(lambda: len(self.lines('Misbehaving')) == before + 7, 'seven lines')
        self.serves()

        self.step('noise')
        for size in (1, 100, 5000):
            noise = Peer(self.node, handshake=False)
            noise.raw(os.urandom(size))
            noise.close()
        for name in ('tx', 'block', 'headers', 'inv', 'addrv2', 'chunk', 'invdata', 'getheaders'):
            noise = Peer(self.node)
            noise.send(name, sha256d(name.encode()) * 2)
            noise.wait_closed()
        self.serves()


if __name__ == '__main__':
    TestP2PBad().main()
