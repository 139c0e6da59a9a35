#!/usr/bin/python3
# sanitizer: yes
"""Job-lane blocks whose proof was tampered with, and some made from scratch that break the rules of section 6.

What is wrong with a copy alone must not harm the block: the true copy is taken afterwards. What the block itself commits to
condemns it."""

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobblock import BLOCK_BYTES, JobBlock, Key, Operand, backing_list, made_blocks, make_header, outpoint, work_script
from jobkit import JobTest, matrix, origins, panel, request_of, spender, wait_status
from p2p import Peer, id_bytes, sha256d, var

MSG_WITNESS_BLOCK = 2 | 1 << 30


def flip(data, at, mask=1):
    out = bytearray(data)
    out[at] ^= mask
    return bytes(out)


class TestBlockProof(JobTest):
    nodes_count = 2

    def run(self):
        client, solver = self.nodes
        # Three panels and four segments: paths of 2 + 2 hashes. B has one panel: 2.
        self.a, self.b = matrix(300, 1000, 1), matrix(1000, 77, 2)
        self.submit_mined(self.a, self.b, task_rows=1, task_cols=1, reward='0.09')
        self.tasks = origins(client, client.rpc.listjobs()[0]['job'])
        wait_until(lambda: solver.rpc.prepareoperands(self.tasks[0])['here'], 'the operands')
        self.settled = []
        for task in self.tasks[:2]:
            self.mine_txs(client, solver.rpc.solvetask(task, {'burn': '0.01'})['txid'])
            accept = wait_until(lambda: spender(client, solver.rpc.gettask(task)['claim']['outpoint']), 'the accept')
            self.mine_txs(client, accept)
            wait_status(solver, task, 'settled')
            self.settled.append(task)
        self.task = self.tasks[2]
        self.part(client)
        self.altered()
        self.altered_by_peer()
        self.compact()
        self.operand_a, self.operand_b = Operand(panel(self.a)), Operand(panel(numpy.ascontiguousarray(self.b.T)))
        check_equal(self.operand_a.root.hex(), client.rpc.gettask(self.task)['root_a'], 'root of A')
        check_equal(self.operand_b.root.hex(), client.rpc.gettask(self.task)['root_b'], 'root of B')
        self.made()
        self.out_of_range()

    def submit(self, node, block):
        """What submitblock says: None, or the reason; of a block that does not parse, the error."""
        with_tip = node.rpc.getbestblockhash()
        try:
            reply = node.rpc.submitblock((block if isinstance(block, bytes) else block.raw()).hex())
        except Exception as error:
            reply = str(error)
        if reply is not None:
            check_equal(node.rpc.getbestblockhash(), with_tip, 'tip after a block that was refused (%s)' % reply)
        return reply

    def mined(self, node):
        """A block in the open task by the node's wallet, taken apart."""
        block = JobBlock.parse(bytes.fromhex(node.rpc.getblock(node.rpc.generatejobblock(self.task)['hash'], 0)), 4, 2)
        check_equal(block.id(), node.rpc.getbestblockhash())
        return block

    def altered(self):
        self.step('a backed block, altered in one place')
        client, solver = self.nodes
        block = self.mined(solver)
        check_equal(block.backing, backing_list(solver.rpc.getblock(block.id())['work']['backing']))
        check_equal(len(block.backing), 1 + 2 * 36)
        check_equal(len(block.raw()), 80 + 1 + len(block.preimage) + 73 + 12 + 2 * BLOCK_BYTES + 6 * 32 + 64 + len(block.txs))
        kind = 1 + 36 + 1  # of the preimage
        cases = []
        for at in (1, 36, kind + 2, kind + 33, kind + 34, kind + 60, kind + 100):
            cases.append(('preimage byte %d' % at, block.changed(preimage=flip(block.preimage, at)), 'bad-work-preimage'))
        cases.append(('index', block.changed(preimage=flip(block.preimage, len(block.preimage) - 4, 2)), 'bad-work-preimage'))
        cases.append(('kind', block.changed(preimage=flip(block.preimage, kind, 2)), 'bad-work-parse'))
        cases.append(('version', block.changed(preimage=flip(block.preimage, kind - 1, 2)), 'bad-work-parse'))
        cases.append(('state', block.changed(preimage=flip(block.preimage, 0)), 'bad-work-'))
        cases.append(('empty preimage', block.changed(preimage=b''), 'bad-work-parse'))
        for at in (1, 36, 37, 72):
            cases.append(('list byte %d' % at, block.changed(backing=flip(block.backing, at)), 'bad-work-preimage'))
        both = [outpoint(task) for task in self.settled]
        for name, origin_list in (('empty', []), ('short', both[:1]), ('doubled', both + both), ('swapped', None)):
            text = (b'\2' + block.backing[37:] + block.backing[1:37] if origin_list is None
                    else var(len(origin_list)) + b''.join(origin_list))
            cases.append(('%s list' % name, block.changed(backing=text), 'bad-work-preimage'))
        other = [(block.i + 1) % 3, (block.l + 1) % 4]
        cases += [('row', block.changed(i=other[0]), 'bad-work-open'), ('column', block.changed(j=1), 'bad-work-open'),
                  ('segment', block.changed(l=other[1]), 'bad-work-open'), ('huge row', block.changed(i=0xffffffff), 'bad-work-open'),
                  ('segment past the end', block.changed(l=4), 'bad-work-open')]
        for name in 'ab':
            part = getattr(block, name)
            for at in (0, BLOCK_BYTES // 2, BLOCK_BYTES - 1, BLOCK_BYTES, len(part) - 1):
                cases.append(('byte %d of %s' % (at, name), block.changed(**{name: flip(part, at)}), 'bad-work-open'))
            cases.append(('range of ' + name, block.changed(**{name: flip(part, 5, 0x80)}), 'bad-work-open'))
        for at in (0, 31, 32, 63):
            cases.append(('signature byte %d' % at, block.changed(signature=flip(block.signature, at)), 'bad-work-sig'))
        cases.append(('no signature', block.changed(signature=bytes(64)), 'bad-work-sig'))
        marker = block.txs.index(b'fxjw')
        for at in (marker, marker + 4, len(block.txs) - 1):
            cases.append(('transaction byte %d' % at, block.changed(txs=flip(block.txs, at)), 'bad-txnmrklroot'))
        raw = block.raw()
        cases += [('one byte less', raw[:-1], 'decode failed'), ('one byte more', raw + b'\0', 'decode failed'),
                  ('cut in the proof', raw[:20_000], 'decode failed'), ('header alone', raw[:80], 'decode failed'),
                  ('no proof', block.header + block.txs, 'decode failed'),
                  ('a byte too few in a path', block.changed(a=block.a[:-1]), None)]
        for name, copy, wanted in cases:
            reply = self.submit(client, copy)
            check(reply is not None and (wanted is None or wanted in reply), '%s: %s instead of %s' % (name, reply, wanted))
        check(all(tip['status'] != 'invalid' for tip in client.rpc.getchaintips()), 'a copy condemned its block')
        check_equal(self.submit(client, block), None, 'the true copy')
        check_equal(client.rpc.getbestblockhash(), block.id())
        check_equal(self.submit(client, block), 'duplicate')
        check_equal(self.submit(client, block.changed(signature=bytes(64))), 'duplicate')
        check_equal(client.rpc.gettxoutsetinfo(), solver.rpc.gettxoutsetinfo())
        print('         %d copies refused' % len(cases))

    def altered_by_peer(self):
        self.step('a peer sends bad copies, another the true one')
        client, solver = self.nodes
        bad_copies = (('signature', lambda block: block.changed(signature=flip(block.signature, 40))),
                      ('entry', lambda block: block.changed(a=flip(block.a, 1234))),
                      ('list', lambda block: block.changed(backing=backing_list(self.settled))))
        for name, alter in bad_copies:
            block = self.mined(solver)
            liar, honest = Peer(client), Peer(client)
            liar.send('headers', b'\1' + block.header + b'\0')
            self.serve(liar, block, alter(block).raw())
            liar.wait_closed()  # its own header rested on the proof
            check(block.id() != client.rpc.getbestblockhash(), 'a bad copy was taken')
            honest.send('headers', b'\1' + block.header + b'\0')
            self.serve(honest, block, block.raw())
            wait_until(lambda: client.rpc.getbestblockhash() == block.id(), 'the true copy to be taken (%s)' % name)
            honest.close()

    @staticmethod
    def serve(peer, block, raw):
        """Answers the node's getdata of this block."""
        while True:
            request = peer.wait('getdata')
            if id_bytes(block.id()) in request:
                break
        peer.send('block', raw)

    def compact(self):
        self.step('a compact block has the proof after its header')
        client, solver = self.nodes
        block = self.mined(solver)
        check_equal(block.txs[0], 1, 'transactions')
        proof = block.raw()[80:-len(block.txs)]

        def message(copy, nonce=bytes(8)):
            return copy.header + copy.raw()[80:-len(copy.txs)] + nonce + b'\0\1\0' + copy.txs[1:]
        liar, honest = Peer(client), Peer(client)
        check_equal(liar.wait('sendcmpct'), b'\0' + (3).to_bytes(8, 'little'))
        liar.send('cmpctblock', message(block.changed(signature=flip(block.signature, 40))))
        self.serve(liar, block, block.changed(signature=flip(block.signature, 40)).raw())
        liar.wait_closed()
        honest.send('cmpctblock', message(block))
        wait_until(lambda: client.rpc.getbestblockhash() == block.id(), 'the compact block to be taken')
        honest.send('getdata', b'\1' + (4).to_bytes(4, 'little') + id_bytes(block.id()))
        reply = honest.wait('cmpctblock')
        nonce = reply[80 + len(proof):][:8]
        check_equal(reply, message(block, nonce))
        honest.close()

    # ---- blocks made here ----------------------------------------------------------------------

    def make(self, key=None, backing=(), value=0, origin=None, preimage=None, outputs=None, brick=(2, 0, 1), **header):
        """A block on the client's tip in the open task. Tries headers until the node finds no fault with the ticket:
        half of all tickets win on regtest. Its last answer is the second result."""
        client = self.client
        tip = client.rpc.getblockheader(client.rpc.getbestblockhash())
        key = key or self.key
        origin = origin or self.task
        preimage = preimage or bytes.fromhex(client.rpc.gettask(self.task)['preimage'])
        lists = backing if isinstance(backing, bytes) else backing_list(backing)
        script = work_script(origin, key.public, preimage, lists)
        outs = [(value, b'\x51\x20' + key.public), (0, script)] if outputs is None else outputs(script)
        for block in made_blocks(tip, key, origin, preimage, (self.operand_a, self.operand_b), brick, lists, outs, **header):
            reply = self.submit(client, block)
            if reply != 'high-ticket':
                return block, reply
            self.tickets += 1
        raise AssertionError('64 tickets in a row above the target')

    def made(self):
        self.step('blocks from scratch')
        client, solver = self.nodes
        self.key, self.tickets = Key(), 0
        block, reply = self.make()
        check_equal(reply, None, 'a block without backing')
        work = client.rpc.getblock(block.id())['work']
        check_equal((work['task'], work['solver'], work['brick']), (self.task, self.key.public.hex(), {'i': 2, 'j': 0, 'l': 1}))

        self.step('blocks that condemn themselves')
        nothing = '%064x:1' % 7
        other = client.rpc.gettask(self.settled[0])
        pay = b'\x51\x20' + self.key.public
        heavy = (0, b'\x6a' + bytes(1_000_000))
        cases = [
            ('a subsidy without credit', dict(value=1), 'bad-cb-amount'),
            ('a task that is not', dict(origin=nothing), 'bad-work-task'),
            ('a task that is settled', dict(origin=self.settled[0], preimage=bytes.fromhex(other['preimage']), brick=(0, 0, 0)),
             'bad-work-task'),
            ('another task\'s preimage', dict(preimage=bytes.fromhex(other['preimage']), brick=(0, 0, 0)), 'bad-work-task'),
            ('the output of no task', dict(origin=client.rpc.gettask(self.task)['job'] + ':0'), 'bad-work-task'),
            ('backing of somebody else', dict(backing=[self.settled[0]]), 'bad-work-backing'),
            ('backing that is not', dict(backing=[nothing]), 'bad-work-backing'),
            ('backing that is open', dict(backing=[self.task]), 'bad-work-backing'),
            ('backing twice', dict(backing=[nothing, nothing]), 'bad-work-backing'),
            ('a list of 4,097', dict(backing=['%064x:0' % n for n in range(1, 4098)]), 'bad-work-backing'),
            ('no commitment', dict(outputs=lambda script: [(0, pay)]), 'bad-cb-work'),
            ('two commitments', dict(outputs=lambda script: [(0, script), (0, script)]), 'bad-cb-work'),
            ('a commitment of another length', dict(outputs=lambda script: [(0, script + b'\0')]), 'bad-cb-work'),
            ('too heavy', dict(outputs=lambda script: [(0, script), heavy]), 'bad-blk-'),
        ]
        for name, how, wanted in cases:
            block, reply = self.make(**how)
            check(reply is not None and wanted in reply, '%s: %s instead of %s' % (name, reply, wanted))
            check(self.submit(client, block) is not None, '%s: taken at the second attempt' % name)

        tip = client.rpc.getblockheader(client.rpc.getbestblockhash())
        check_equal(self.submit(client, make_header(tip, block.header[36:68], version=0x20000200) + block.txs), 'bad-lane')

        self.step('bad copies of a block from scratch')
        block, reply = self.make(value=0, key=Key(), brick=(2, 0, 3))
        check_equal(reply, None)
        check(self.tickets > 0, 'no ticket was above the target')
        # A brick of another task of the same job: opens, but lies outside the rectangle.
        block, reply = self.make(brick=(1, 0, 1))
        check_equal(reply, 'bad-work-open')
        block, reply = self.make()
        check_equal(reply, None)

    def out_of_range(self):
        self.step('operands with entries that no block can be mined with')
        client, solver = self.nodes
        client.connect(solver)
        self.sync_blocks()
        a, b = matrix(128, 256, 5), matrix(256, 128, 6)
        a[3, 200] = 64
        reply = client.rpc.submitjob(request_of(client, a, b, reward='0.09'))
        self.mine_txs(client, reply['job'])
        self.task, = origins(client, reply['job'])
        with raises_rpc(-1, '[-64, 63]'):
            client.rpc.generatejobblock(self.task)
        self.operand_a, self.operand_b = Operand(panel(a)), Operand(panel(numpy.ascontiguousarray(b.T)))
        block, reply = self.make(brick=(0, 0, 0))
        check_equal(reply, 'bad-work-range')
        # It can be solved all the same: the rule is for blocks alone.
        wait_until(lambda: solver.rpc.prepareoperands(self.task)['here'], 'the operands')
        self.mine_txs(client, solver.rpc.solvetask(self.task)['txid'])
        accept = wait_until(lambda: spender(client, solver.rpc.gettask(self.task)['claim']['outpoint']), 'the accept')
        self.mine_txs(client, accept)
        check_equal(wait_status(client, self.task, 'settled')['check'], 'right')


if __name__ == '__main__':
    TestBlockProof().main()
