#!/usr/bin/python3
# sanitizer: yes
"""Syncing: from scratch over several peers, past peers that lie or stall, announcements, and connections by hand."""
import os
import struct
import time

import p2p
from blocktools import Tx, block_on_tip, chain_on
from framework import FornaxTest, Node, check, check_equal, raises_rpc, wait_until
from p2p import MSG_BLOCK, MSG_WITNESS, Peer, id_bytes, read_var, var

SANITIZED = bool(os.environ.get('FORNAX_SANITIZED'))
LENGTH = 600 if SANITIZED else 2100  # one headers message has 2,000
JOB = 0x20000000 | 1 << 8


def headers(*blocks):
    return var(len(blocks)) + b''.join(block.header() + b'\0' for block in blocks)


def read_headers(payload):
    n, at = read_var(payload, 0)
    return [payload[at + 81 * i:at + 81 * i + 80] for i in range(n)]


class TestSync(FornaxTest):
    nodes_count = 2

    made = 2

    def new_node(self, *args, connect=()):
        node = Node(self, self.made, args)
        self.made += 1
        self.nodes.append(node)
        node.start()
        for other in connect:
            node.connect(other)
        return node

    def end_node(self):
        self.nodes.pop().stop()

    def run(self):
        self.first, self.second = self.nodes
        self.scratch()
        self.announcements()
        self.serving()
        self.liars()
        self.unproven()
        self.by_hand()
        self.options()

    def scratch(self):
        self.step('a node without anything syncs from two')
        self.first.mine(LENGTH)
        self.sync_blocks()
        for tries in range(3):  # a busy machine may have one peer done before it comes to the other
            if tries > 0:
                self.end_node()
            third = self.new_node()
            check_equal(third.rpc.getblockchaininfo()['verificationprogress'], 0)  # it knows of nothing yet
            for node in self.nodes[:2]:
                third.rpc.addnode(node.address, 'onetry')
            self.sync_blocks()
            served = {peer['addr']: peer['bytesrecv'] for peer in third.rpc.getpeerinfo()}
            if len(served) == 2 and min(served.values()) > 50 * LENGTH:
                break
        check_equal(third.rpc.getblockcount(), LENGTH)
        check_equal(third.rpc.gettxoutsetinfo(), self.first.rpc.gettxoutsetinfo())
        check_equal(third.rpc.getblockchaininfo()['initialblockdownload'], False)
        check_equal(third.rpc.getblockchaininfo()['verificationprogress'], 1)
        check(all(served.get(node.address, 0) > 50 * LENGTH for node in self.nodes[:2]), 'one peer served all: %s' % served)
        wait_until(lambda: [peer['synced_headers'] for peer in third.rpc.getpeerinfo()] == [LENGTH] * 2,
                   'both to be known to have all of it')
        check_equal([peer['inflight'] for peer in third.rpc.getpeerinfo()], [[]] * 2)

        self.step('and goes on after a stop in the middle')
        third.stop()
        self.first.mine(50)
        third.start()
        third.connect(self.second)
        self.sync_blocks()
        self.end_node()

    def announcements(self):
        self.step('new tips are told by inv, and by headers where these are asked for')
        first = self.first
        by_inv, by_headers = Peer(first), Peer(first)
        by_headers.send('sendheaders')
        by_headers.ping()
        by_inv.ping()
        mined = first.mine(1)[0]
        check_equal(by_inv.wait('inv'), var(1) + struct.pack('<I', MSG_BLOCK) + id_bytes(mined))
        # Nobody knows what the peer has, as it announced nothing: it gets an inv the first time.
        check_equal(by_headers.wait('inv')[-32:], id_bytes(mined))
        by_headers.send('getheaders', struct.pack('<I', p2p.VERSION) + var(1) + id_bytes(mined) + bytes(32))
        check_equal(read_headers(by_headers.wait('headers')), [])
        mined = first.mine(2)
        got = []
        while len(got) < 2:  # in one message or two
            got += read_headers(by_headers.wait('headers'))
        check_equal([p2p.sha256d(header)[::-1].hex() for header in got], mined)
        by_headers.close()
        by_inv.close()

        self.step('a block that a peer announces is asked for, taken and relayed')
        block = block_on_tip(first)
        giver, other = Peer(first), Peer(first)
        giver.send('inv', var(1) + struct.pack('<I', MSG_BLOCK) + id_bytes(block.hash))
        giver.wait('getheaders')
        giver.send('headers', headers(block))
        wanted = giver.wait('getdata')
        check_equal(wanted, var(1) + struct.pack('<I', MSG_BLOCK | MSG_WITNESS) + id_bytes(block.hash))
        giver.send('block', block.write())
        check_equal(other.wait('inv')[-32:], id_bytes(block.hash))
        check_equal(first.rpc.getbestblockhash(), block.hash)
        self.sync_blocks()
        giver.close()
        other.close()

    def serving(self):
        self.step('questions of peers')
        first = self.first
        txid = first.rpc.sendtoaddress(first.rpc.getnewaddress(), 1)
        block_id = first.mine(1)[0]
        height = first.rpc.getblockcount()
        peer = Peer(first)

        def ask(kind, item):
            peer.send('getdata', var(1) + struct.pack('<I', kind) + id_bytes(item))
            return peer.wait('block')
        raw = bytes.fromhex(first.rpc.getblock(block_id, 0))
        check_equal(ask(MSG_BLOCK | MSG_WITNESS, block_id), raw)
        stripped = ask(MSG_BLOCK, block_id)
        check_equal(len(stripped), first.rpc.getblock(block_id)['strippedsize'])
        check_equal(stripped[81:], b''.join(Tx(bytes.fromhex(first.rpc.getrawtransaction(item, 0, block_id))).write(False)
                                            for item in first.rpc.getblock(block_id)['tx']))
        check_equal(first.rpc.getblock(block_id)['tx'][1], txid)
        old = first.rpc.getblockhash(3)
        check_equal(ask(MSG_BLOCK | MSG_WITNESS, old), bytes.fromhex(first.rpc.getblock(old, 0)))

        def locate(stop, *ids):
            peer.send('getheaders', struct.pack('<I', p2p.VERSION) + var(len(ids)) + b''.join(map(id_bytes, ids)) +
                      id_bytes(stop))
            return [p2p.sha256d(header)[::-1].hex() for header in read_headers(peer.wait('headers'))]
        chain = [first.rpc.getblockhash(h) for h in range(height + 1)]
        nothing = '00' * 32
        check_equal(locate(nothing, chain[0]), chain[1:2001])
        check_equal(locate(nothing, chain[height - 2]), chain[height - 1:])
        check_equal(locate(chain[9], chain[5]), chain[6:10])
        check_equal(locate(nothing, 'ab' * 32, chain[7], chain[3]), chain[8:2008])
        check_equal(locate(chain[4]), chain[4:5])
        peer.send('getheaders', struct.pack('<I', p2p.VERSION) + var(0) + id_bytes('cd' * 32))
        peer.settle()
        check('headers' not in [name for name, _ in peer.kept], 'headers of a block that is not here')
        peer.close()

    def liars(self):
        self.step('a longer branch of which only the headers come: the node stays and serves')
        first = self.first
        tip = first.rpc.getblockheader(first.rpc.getbestblockhash())
        fork = first.rpc.getblockheader(first.rpc.getblockhash(tip['height'] - 5))
        branch = chain_on(fork['hash'], fork['height'] + 1, tip['time'] + 1, 40)
        liar = Peer(first)
        liar.send('headers', headers(*branch))
        asked = liar.wait('getdata')
        n, _ = read_var(asked, 0)
        check_equal(n, 16)  # so many at a time
        liar.send('notfound', asked)
        liar.ping()
        check_equal(first.rpc.getbestblockhash(), tip['hash'])
        states = {entry['hash']: entry['status'] for entry in first.rpc.getchaintips()}
        check_equal(states[branch[-1].hash], 'headers-only')
        check_equal(first.rpc.getblockchaininfo()['headers'], fork['height'] + 40)
        first.mine(1)
        self.sync_blocks()

        self.step('out of order, blocks of that branch wait for each other')
        peer = Peer(first)
        for block in branch[:0:-1]:
            peer.send('block', block.write())
        peer.ping()
        check(first.rpc.getbestblockhash() not in [block.hash for block in branch], 'a branch with a gap')
        peer.send('block', branch[0].write())
        peer.ping()
        check_equal(first.rpc.getbestblockhash(), branch[-1].hash)
        self.sync_blocks()
        liar.close()
        peer.close()

        self.step('a peer that stalls is passed over for one that serves')
        third = self.new_node()
        staller = Peer(third)
        chain = [bytes.fromhex(first.rpc.getblockheader(first.rpc.getblockhash(h), False))
                 for h in range(1, min(first.rpc.getblockcount(), 2000) + 1)]
        staller.send('headers', var(len(chain)) + b''.join(header + b'\0' for header in chain))
        check_equal(read_var(staller.wait('getdata'), 0)[0], 16)
        third.connect(first)
        started = time.monotonic()
        self.sync_blocks([first, third], timeout=60)
        check(time.monotonic() - started < (60 if SANITIZED else 15), 'it waited for the stalling peer')
        staller.close()
        self.end_node()

    def unproven(self):
        self.step('job-lane headers without blocks are stored up to a bound')
        first = self.first
        tip = first.rpc.getblockheader(first.rpc.getbestblockhash())
        made = chain_on(tip['hash'], tip['height'] + 1, tip['time'] + 1, 3000, version=JOB)
        peer = Peer(first)
        for start in range(0, 3000, 1000):
            peer.send('headers', headers(*made[start:start + 1000]))
        peer.ping()
        known = first.rpc.getblockchaininfo()['headers'] - tip['height']
        check(0 < known <= 2016, '%d headers that prove nothing are kept' % known)
        check_equal(first.rpc.getbestblockhash(), tip['hash'])
        self.step('and a peer that comes again does not begin anew')
        again = Peer(first)
        other = chain_on(tip['hash'], tip['height'] + 1, tip['time'] + 2, 2000, version=JOB)
        again.send('headers', headers(*other))
        again.ping()
        check(sum(entry['branchlen'] for entry in first.rpc.getchaintips() if entry['status'] == 'headers-only') <=
              2016 + 40, 'the bound is by connection')
        peer.close()
        again.close()
        mined = self.second.mine(1)[0]
        self.sync_blocks()
        check_equal(first.rpc.getbestblockhash(), mined)
        # Stored headers outweigh the chain, yet a new node goes for what has blocks.
        third = self.new_node(connect=[first])
        self.sync_blocks([first, third])
        self.end_node()

    def by_hand(self):
        self.step('addnode, disconnectnode')
        first, second = self.first, self.second

        def peers(node):
            return [peer['addr'] for peer in node.rpc.getpeerinfo() if not peer['inbound']]
        for peer in second.rpc.getpeerinfo():
            second.rpc.disconnectnode(peer['addr'])
        wait_until(lambda: not second.rpc.getpeerinfo() and not first.rpc.getpeerinfo(), 'no connections')
        with raises_rpc(-29, 'Node not found in connected nodes'):
            second.rpc.disconnectnode(first.address)
        with raises_rpc(-29, 'Node not found in connected nodes'):
            second.rpc.disconnectnode('', 999)
        for args in ((), ('',), (first.address, 1)):
            with raises_rpc(-32602, 'Only one of address and nodeid'):
                second.rpc.disconnectnode(*args)
        with raises_rpc(-24, 'has not been added'):
            second.rpc.addnode(first.address, 'remove')
        with raises_rpc(-8, 'add, remove or onetry'):
            second.rpc.addnode(first.address, 'again')
        for address in ('', 'no host', '1.2.3', 'localhost:0', '127.0.0.1:0', '127.0.0.1:65536', '[::1', '127.0.0.1:x'):
            with raises_rpc(-8, 'node must be an address or the name of a host'):
                second.rpc.addnode(address, 'onetry')
        second.rpc.addnode('127.0.0.1:1', 'onetry')  # nobody is there: no error, and no peer
        wait_until(lambda: not second.rpc.getpeerinfo(), 'the attempt to end')

        second.rpc.addnode(first.address, 'add')
        with raises_rpc(-23, 'already added'):
            second.rpc.addnode(first.address, 'add')
        wait_until(lambda: peers(second) == [first.address], 'the connection')
        wait_until(lambda: second.rpc.getpeerinfo()[0]['handshake'], 'the handshake')
        info = second.rpc.getpeerinfo()[0]
        check_equal((info['inbound'], info['servicesnames'], info['misbehaviour']),
                    (False, ['NETWORK', 'WITNESS', 'JOBDATA'], 0))
        check(info['subver'].startswith('/Fornax:'), info['subver'])
        wait_until(lambda: [peer['inbound'] for peer in first.rpc.getpeerinfo()] == [True], 'the other side of it')
        self.step('an added node is dialled again')
        first.restart()
        wait_until(lambda: peers(second) == [first.address], 'the connection to come back')
        second.rpc.disconnectnode('', second.rpc.getpeerinfo()[0]['id'])
        wait_until(lambda: peers(second) == [first.address], 'the connection to come back')
        second.rpc.addnode(first.address, 'remove')
        self.part(second)
        time.sleep(1.5)
        check_equal(second.rpc.getpeerinfo(), [])
        check_equal(second.rpc.getconnectioncount(), 0)

    def options(self):
        self.step('options')
        first = self.first
        third = self.new_node('-connect=' + first.address, '-connect=' + self.second.address, '-uacomment=third',
                              '-nobind')
        wait_until(lambda: sum(peer['handshake'] for peer in third.rpc.getpeerinfo()) == 2, 'both connections')
        check_equal(third.rpc.getnetworkinfo()['port'], 0)  # with -connect and no -bind it does not listen
        check(any('third' in peer['subver'] for peer in first.rpc.getpeerinfo()), 'the comment in the user agent')
        self.sync_blocks([first, third])
        third.stop()
        third.args = ['-addnode=' + first.address, '-maxconnections=4']
        third.start()
        wait_until(lambda: third.rpc.getpeerinfo() and third.rpc.getpeerinfo()[0]['handshake'], 'the added node')
        self.step('only so many connections')
        many = []
        for _ in range(8):
            many.append(Peer(third, handshake=False))
            time.sleep(0.02)
        wait_until(lambda: len(third.rpc.getpeerinfo()) <= 4, 'the surplus to go')
        check_equal(sum(not peer['inbound'] for peer in third.rpc.getpeerinfo()), 1)
        for peer in many:
            peer.close()
        totals = third.rpc.getnettotals()
        check(totals['totalbytesrecv'] > 0 and totals['totalbytessent'] > 0, 'nothing was counted')


if __name__ == '__main__':
    TestSync().main()
