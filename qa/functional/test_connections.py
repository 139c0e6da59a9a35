#!/usr/bin/python3
# sanitizer: yes
"""Connections by hand: kinds of them, nodes that are kept, the network switched off, blocks from a certain peer, pings,
and a node that takes blocks only."""
import os
import struct

from framework import FornaxTest, check, check_equal, raises_rpc, wait_until
from p2p import MSG_TX, Peer


class TestConnections(FornaxTest):
    nodes_count = 2
    connect_nodes = False
    node_args = [[], ['-blocksonly']]

    def types(self, node):
        return sorted(peer['connection_type'] for peer in node.rpc.getpeerinfo() if peer['handshake'])

    def kinds(self, first, second):
        self.step('kinds of connections, as many as there are places')
        for kind in ('block-relay-only', 'addr-fetch', 'outbound-full-relay'):
            check_equal(first.rpc.addconnection(second.address, kind), {'address': second.address, 'connection_type': kind})
            wait_until(lambda: self.types(first) == [kind], 'a connection of kind ' + kind)
            wait_until(lambda: self.types(second) == ['inbound'], 'its other end')
            peer, = second.rpc.getpeerinfo()
            check_equal(peer['relaytxes'], kind != 'block-relay-only')
            first.rpc.disconnectnode('', first.rpc.getpeerinfo()[0]['id'])
            wait_until(lambda: not first.rpc.getpeerinfo() and not second.rpc.getpeerinfo(), 'the end of it')
        first.rpc.addconnection(second.address, 'feeler')
        wait_until(lambda: 'feeler connection completed' in first.log(), 'the end of a feeler')
        wait_until(lambda: not second.rpc.getpeerinfo(), 'its other end')
        with raises_rpc(-8):
            first.rpc.addconnection(second.address, 'carrier pigeon')
        with raises_rpc(-8, 'BIP324'):
            first.rpc.addconnection(second.address, 'feeler', True)
        with raises_rpc(-34):
            first.rpc.addconnection('nowhere', 'feeler')

    def kept(self, first, second):
        self.step('nodes that are kept connected')
        check_equal(first.rpc.getaddednodeinfo(), [])
        first.rpc.addnode(second.address, 'add')
        with raises_rpc(-23, 'already added'):
            first.rpc.addnode(second.address, 'add')
        wait_until(lambda: first.rpc.getaddednodeinfo(second.address)[0]['connected'], 'the added node')
        check_equal(first.rpc.getaddednodeinfo(), [{'addednode': second.address, 'connected': True, 'addresses': [
            {'address': second.address, 'connected': 'outbound'}]}])
        with raises_rpc(-24):
            first.rpc.getaddednodeinfo('192.0.2.1')

        self.step('nodes that are kept connected, by name')
        named = '0x7F.1:%d' % second.port  # no address to the node, and found without /etc/hosts or DNS
        first.rpc.addnode(second.address, 'remove')
        second.rpc.disconnectnode(second.rpc.getpeerinfo()[0]['addr'])
        wait_until(lambda: not first.rpc.getpeerinfo(), 'the end of the connection')
        first.rpc.addnode('a..b', 'add')
        first.rpc.addnode(named, 'add')
        with raises_rpc(-23, 'already added'):
            first.rpc.addnode(named.lower(), 'add')
        wait_until(lambda: first.rpc.getaddednodeinfo(named)[0]['connected'], 'the node of that name')
        check_equal(self.types(first), ['manual'])
        wait_until(lambda: 'cannot find a..b' in first.log(), 'a word on the name that nobody has')
        second.rpc.disconnectnode(second.rpc.getpeerinfo()[0]['addr'])
        wait_until(lambda: not second.rpc.getpeerinfo(), 'the end of the connection')
        wait_until(lambda: first.rpc.getaddednodeinfo(named)[0]['connected'], 'the node of that name again')
        for name in ('a..b', named):
            first.rpc.addnode(name, 'remove')
        check_equal(first.rpc.getaddednodeinfo(), [])
        second.rpc.disconnectnode(second.rpc.getpeerinfo()[0]['addr'])
        wait_until(lambda: not first.rpc.getpeerinfo(), 'the end of the connection')
        first.rpc.addnode(named, 'onetry')
        check_equal(first.rpc.getaddednodeinfo(), [])
        wait_until(lambda: self.types(first) == ['manual'], 'a connection that is tried once')
        wait_until(second.rpc.getpeerinfo, 'its other end')
        second.rpc.disconnectnode(second.rpc.getpeerinfo()[0]['addr'])
        wait_until(lambda: not first.rpc.getpeerinfo(), 'the end of the connection')
        first.rpc.addnode(second.address, 'add')
        wait_until(lambda: self.types(first) == ['manual'], 'the added node')

        self.step('the network is switched off and on')
        check_equal(first.rpc.setnetworkactive(False), False)
        wait_until(lambda: not first.rpc.getpeerinfo() and not second.rpc.getpeerinfo(), 'the end of all connections')
        check_equal(first.rpc.getnetworkinfo()['networkactive'], False)
        Peer(first, handshake=False).wait_closed()
        check_equal(first.rpc.getpeerinfo(), [])
        check_equal(first.rpc.setnetworkactive(True), True)
        wait_until(lambda: self.types(first) == ['manual'], 'the added node to be found again')
        first.rpc.addnode(second.address, 'remove')

        self.step('pings and messages at will')
        check_equal(first.rpc.ping(), None)
        wait_until(lambda: all(p.get('pingtime', -1) >= 0 and 'pingwait' not in p for p in first.rpc.getpeerinfo()), 'pongs')
        first.rpc.sendmsgtopeer(first.rpc.getpeerinfo()[0]['id'], 'nonsense', 'ff00')
        wait_until(lambda: 'received: nonsense (2 bytes)' in second.log(), 'the message')
        with raises_rpc(-1):
            first.rpc.sendmsgtopeer(77, 'nonsense', '')

    def blocks(self, first, second):
        self.step('a block of a branch that lost, from who has it')
        first.mine(3)
        self.sync_blocks()
        second.rpc.setnetworkactive(False)
        wait_until(lambda: not first.rpc.getpeerinfo(), 'the nodes to part')
        stale = first.mine(1)[0]
        second.rpc.setnetworkactive(True)
        header = first.rpc.getblockheader(stale, False)
        second.mine(2)
        second.rpc.submitheader(header)
        first.connect(second)
        self.sync_blocks()
        peer = second.rpc.getpeerinfo()[0]['id']
        with raises_rpc(-1, 'Block header missing'):
            second.rpc.getblockfrompeer('00' * 32, peer)
        with raises_rpc(-1, 'Peer does not exist'):
            second.rpc.getblockfrompeer(stale, peer + 1)
        check_equal(second.rpc.getblockfrompeer(stale, peer), {})
        wait_until(lambda: [tip['status'] for tip in second.rpc.getchaintips() if tip['hash'] == stale] == ['valid-headers'],
                   'the block')
        with raises_rpc(-1, 'already downloaded'):
            second.rpc.getblockfrompeer(stale, peer)

    def blocks_only(self, node):
        self.step('a node that takes blocks only')
        check_equal((node.rpc.getnetworkinfo()['localrelay'], self.nodes[0].rpc.getnetworkinfo()['localrelay']), (False, True))
        inv = b'\1' + struct.pack('<I', MSG_TX) + os.urandom(32)
        for name, payload in (('inv', inv), ('tx', b'\0')):
            peer = Peer(node)
            peer.send(name, payload)
            peer.wait_closed()
        node.restart(extra=('-whitelist=relay@127.0.0.1',))
        peer = Peer(node)
        peer.send('inv', inv)
        check(inv[5:] in peer.wait('getdata'), 'another transaction than was announced is asked for')
        peer.close()

    def banned(self, node):
        return [ban['address'] for ban in node.rpc.listbanned()]

    def bans(self, first, second):
        self.step('hosts and subnets that are banned')
        first.rpc.addnode(second.address, 'onetry')
        wait_until(lambda: self.types(second) == ['inbound'], 'a connection')
        second.rpc.setban('127.0.0.0/8', 'add')
        wait_until(lambda: not second.rpc.getpeerinfo(), 'its end')
        check_equal(self.banned(second), ['127.0.0.0/8'])
        with raises_rpc(-23):
            second.rpc.setban('127.0.0.1', 'add')
        with raises_rpc(-30):
            second.rpc.setban('127.0.0.1/33', 'add')
        with raises_rpc(-30):
            second.rpc.setban('127.0.0.1', 'remove')
        with raises_rpc(-8):
            second.rpc.setban('192.0.2.1', 'add', 123, True)
        with raises_rpc(-8):
            second.rpc.setban('192.0.2.1', 'pardon')
        second.rpc.setban('192.0.2.77/24', 'add', 1000)
        ban = second.rpc.listbanned()[1]
        check_equal((ban['address'], ban['ban_duration']), ('192.0.2.0/24', 1000))
        second.rpc.setban('2001:db8::1', 'add', 1 << 33, True)
        self.step('they outlast a restart')
        second.restart()
        check_equal(self.banned(second), ['127.0.0.0/8', '192.0.2.0/24', '2001:db8::1/128'])
        first.rpc.addnode(second.address, 'onetry')
        wait_until(lambda: 'dropped (banned)' in second.log(), 'a connection that is refused')
        check_equal(second.rpc.getpeerinfo(), [])
        self.step('and end')
        second.rpc.setban('127.0.0.0/8', 'remove')
        first.rpc.addnode(second.address, 'onetry')
        wait_until(lambda: self.types(second) == ['inbound'], 'a connection')
        second.rpc.clearbanned()
        check_equal(self.banned(second), [])
        first.rpc.disconnectnode('', first.rpc.getpeerinfo()[0]['id'])
        wait_until(lambda: not first.rpc.getpeerinfo() and not second.rpc.getpeerinfo(), 'no connection')

    def run(self):
        first, second = self.nodes
        self.bans(first, second)
        self.kinds(first, second)
        self.kept(first, second)
        self.blocks(first, second)
        self.blocks_only(second)


if __name__ == '__main__':
    TestConnections().main()
