#!/usr/bin/python3
# sanitizer: yes
"""Data between nodes: chunks that are wrong, missing, late or too many, announcements, a fetch that goes on after SIGKILL; each
chunk is checked against its root, and what a peer sends is never believed."""
import struct
import time

from framework import Node, check, check_equal, wait_until
from jobblock import Operand, path
from jobkit import JobTest, matrix, origins, panel, submit
from p2p import NODE_NETWORK, NODE_WITNESS, Peer, var

OPERAND = 0


class Side(Operand):
    """A panel matrix, its root and the path of each block, in Python alone."""

    def __init__(self, side):
        super().__init__(side)
        self.places = [(i, l) for i in range(side.shape[0] // 128) for l in range(side.shape[1] // 256)]

    def path(self, i, l):
        return path(self.panels[i], l) + path(self.top, i)

    def chunk(self, head, block=None, hashes=None):
        """What answers the request with this head."""
        i, l = struct.unpack('<II', head[37:45])
        hashes = self.path(i, l) if hashes is None else hashes
        return head + (block or self.block(i, l)) + var(len(hashes)) + b''.join(hashes)


class TestP2PData(JobTest):
    def own_args(self):
        # The client's node is dialled by nobody: what the other gets comes from the peers of this test.
        return [['-listen=0'], []]

    connect_nodes = False

    def fund(self):
        self.client.connect(self.solver)
        super().fund()

    def lines(self, text):
        return [line for line in self.solver.log().splitlines() if text in line]

    def ask(self, peer, count):
        """The next requests for chunks of the operands; their heads."""
        return [peer.wait('getchunk') for _ in range(count)]

    def score(self, peer):
        name = '127.0.0.1:%d' % peer.socket.getsockname()[1]
        return [info['misbehaviour'] for info in self.solver.rpc.getpeerinfo() if info['addr'] == name]

    def have(self):
        info = self.solver.rpc.prepareoperands(self.task)
        return info['a']['have'] + info['b']['have']

    def operand(self, head):
        return self.operands[head[5:37]]

    def run(self):
        client, node = self.client, self.solver
        a, b = matrix(600, 1100, 1), matrix(1100, 200, 2)
        sides = [Side(panel(a)), Side(panel(b.T.copy()))]
        self.operands = {side.root: side for side in sides}
        job = submit(client, a, b)['job']
        self.sync_mempools()
        self.mine()
        self.task = origins(client, job)[0]
        wait_until(lambda: origins(node, job), 'the task at the other node')
        task = node.rpc.gettask(self.task)
        check_equal({task['root_a'], task['root_b']}, {side.root.hex() for side in sides}, 'roots made in Python')
        self.part(client, node)
        self.total = sum(len(side.places) for side in sides)
        self.wrong()
        self.absent()
        self.right()
        self.served()
        self.announced()

    def wrong(self):
        self.step('chunks that do not open under their root')
        node = self.solver
        peer = Peer(node)
        check_equal(node.rpc.prepareoperands(self.task)['here'], False)
        heads = self.ask(peer, 16)  # so many at a time
        check_equal(len({head[4:] for head in heads}), 16)
        operand = self.operand(heads[0])
        i, l = struct.unpack('<II', heads[0][37:45])
        block = operand.block(i, l)
        peer.send('chunk', operand.chunk(heads[0], block[:100] + bytes([block[100] ^ 1]) + block[101:]))
        peer.ping()
        check_equal(self.score(peer), [50])
        check_equal(len(self.lines('a chunk that does not open under its root')), 1)
        operand = self.operand(heads[1])
        i, l = struct.unpack('<II', heads[1][37:45])
        hashes = operand.path(i, l)
        peer.send('chunk', operand.chunk(heads[1], hashes=[hashes[0][:-1] + bytes([hashes[0][-1] ^ 1])] + hashes[1:]))
        peer.wait_closed()
        wait_until(lambda: len(self.lines('a chunk that does not open under its root')) == 2, 'a line for each')
        check_equal(self.have(), 0)
        for change in ('short', 'long', 'block of another place'):
            peer = Peer(node)
            head = self.ask(peer, 1)[0]
            operand = self.operand(head)
            i, l = struct.unpack('<II', head[37:45])
            hashes = operand.path(i, l)
            if change == 'short':
                data = operand.chunk(head, hashes=hashes[:-1])
            elif change == 'long':
                data = operand.chunk(head, hashes=hashes + [bytes(32)])
            else:
                other = (i, l ^ 1)
                data = operand.chunk(head, operand.block(*other), operand.path(*other))
            peer.send('chunk', data)
            peer.ping()
            check_equal(self.score(peer), [50], change)
            peer.close()
        check_equal(self.have(), 0)

    def absent(self):
        self.step('peers that have nothing, or are silent, are passed over')
        node = self.solver
        silent, empty = Peer(node), Peer(node)
        before = len(self.lines('Misbehaving'))
        for head in self.ask(empty, 8):
            empty.send('nochunk', head)
        empty.ping()
        head = self.ask(silent, 1)[0]
        silent.send('nochunk', head[:4] + head[4:5] + bytes(32) + head[37:])  # of a root that was not asked for
        silent.ping()
        check_equal(self.score(silent), [10])
        check_equal(self.score(empty), [0])
        check_equal(len(self.lines('Misbehaving')), before + 1)
        # A peer without the bit is never asked.
        plain = Peer(node, services=NODE_NETWORK | NODE_WITNESS)
        plain.ping()
        plain.send('getchunk', head)
        plain.send('invdata', b'\0' + head[5:37] + b'\x01\x04' + bytes([127, 0, 0, 1]) + struct.pack('>H', 9))
        plain.ping()
        check_equal(self.score(plain), [0])
        for peer in (silent, empty, plain):
            peer.close()
        wait_until(lambda: not node.rpc.getpeerinfo(), 'the peers to go')

    def right(self):
        self.step('right chunks, and one of them twice; SIGKILL in the middle')
        node = self.solver
        peer = Peer(node)
        heads = self.ask(peer, 10)
        for head in heads:
            peer.send('chunk', self.operand(head).chunk(head))
        peer.send('chunk', self.operand(heads[0]).chunk(heads[0]))
        peer.ping()
        check_equal(self.score(peer), [10])
        check_equal(len(self.lines('a chunk that was not asked for')), 1)
        check_equal(self.have(), 10)
        peer.close()
        node.kill()
        node.start()
        check_equal(self.have(), 10)
        peer = Peer(node)
        seen, told = {head[5:] for head in heads}, set()
        while len(told) < 2:  # what is complete and named by a task is announced
            name, payload = peer.next()
            if name == 'ping':
                peer.send('pong', payload)
            if name == 'invdata':
                told.add(payload[1:33])
            if name == 'getchunk':
                check(payload[5:] not in seen, 'a chunk is asked for that is here')
                seen.add(payload[5:])
                peer.send('chunk', self.operand(payload).chunk(payload))
        check_equal(len(seen), self.total)
        check(node.rpc.prepareoperands(self.task)['here'], 'not complete')
        check_equal(told, set(self.operands))
        check_equal(self.score(peer), [0])
        peer.close()

    def served(self):
        self.step('and they are served')
        node = self.solver
        peer = Peer(node)
        for root, side in self.operands.items():
            for number, (i, l) in enumerate(side.places):
                head = struct.pack('<IB', number, OPERAND) + root + struct.pack('<II', i, l)
                peer.send('getchunk', head)
                check_equal(peer.wait('chunk'), side.chunk(head), 'chunk (%d, %d)' % (i, l))
        root, side = next(iter(self.operands.items()))
        for kind, name, x, y in ((0, root, 99, 0), (0, root, 0, 99), (0, root, 2 ** 32 - 1, 2 ** 32 - 1), (1, root, 0, 0),
                                 (0, bytes(32), 0, 0)):
            solver = bytes(32) if kind == 1 else b''
            head = struct.pack('<IB', 1, kind) + name + solver + struct.pack('<II', x, y)
            peer.send('getchunk', head)
            check_equal(peer.wait('nochunk'), head)
        check_equal(self.score(peer), [0])
        peer.close()

    def announced(self):
        self.step('announcements are relayed once, and for roots that tasks name')
        node = self.solver
        root = next(iter(self.operands))
        teller, listener, plain = Peer(node), Peer(node), Peer(node, services=NODE_NETWORK | NODE_WITNESS)
        for peer in (teller, listener, plain):
            peer.ping()

        def invdata(name, port, address=b'\x01' + var(4) + bytes([127, 0, 0, 1])):
            return b'\0' + name + address + struct.pack('>H', port)

        def heard(peer):
            """What the peer was told until now, but the node's own."""
            nonce = struct.pack('<d', time.time())
            peer.send('ping', nonce)
            out = []
            while True:
                name, payload = peer.next()
                if name == 'pong' and payload == nonce:
                    return [item for item in out if item[-2:] != struct.pack('>H', node.port)]
                if name == 'invdata':
                    out.append(payload)
        heard(listener)
        teller.send('invdata', invdata(root, 1111))
        teller.send('invdata', invdata(root, 1111))
        teller.send('invdata', invdata(b'\x77' * 32, 1111))  # nobody knows it
        teller.send('invdata', invdata(root, 0))  # no address
        teller.send('invdata', invdata(root, 5, b'\x09' + var(3) + b'abc'))  # of a network that is not known
        teller.ping()
        check_equal(heard(listener), [invdata(root, 1111)])
        check_equal(heard(teller), [])
        check_equal(heard(plain), [])
        listener.send('invdata', invdata(root, 1111))
        listener.ping()
        check_equal(heard(teller), [])
        for peer in (teller, listener, plain):
            check_equal(self.score(peer), [0])
            peer.close()

        self.step('a third node fetches from an address that it was told')
        third = Node(self, 2, ['-mocktime=%d' % self.now])
        self.nodes.append(third)
        third.start()
        third.connect(node)
        self.sync_blocks([node, third])
        wait_until(lambda: third.rpc.listtasks('all'), 'the task')
        self.part(third)
        guide = Peer(third)
        for name in self.operands:
            guide.send('invdata', invdata(name, node.port))
        guide.ping()
        third.rpc.prepareoperands(self.task)
        for _ in range(16):
            head = guide.wait('getchunk')
            guide.send('nochunk', head)
        guide.close()
        wait_until(lambda: third.rpc.prepareoperands(self.task)['here'], 'the operands')


if __name__ == '__main__':
    TestP2PData().main()
