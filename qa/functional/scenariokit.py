"""What the scenarios of cheats share: transactions and blocks carried by hand, and the end of each: all nodes agree."""
import struct

from framework import Node, RPCError, check, check_equal, wait_until
from jobkit import JobTest, balance, embers, fee_in, spender
from p2p import id_bytes, var

DEPOSIT = 2_000_000
# What the chain says of a task; the rest of gettask is the node's own view.
CHAIN_FIELDS = ('status', 'height', 'outpoint', 'restored', 'claim', 'disputes', 'end', 'blocks', 'backed', 'record')


def chain_view(node, tasks):
    """All that the best chain says of these tasks, and the state as a whole."""
    view = {'set': node.rpc.gettxoutsetinfo()}
    for task in tasks:
        info = node.rpc.gettask(task)
        view[task] = {name: info.get(name) for name in CHAIN_FIELDS}
    return view


def serialize(tx, outputs):
    """The transaction of getrawtransaction with these outputs, (embers, script) each, and the same witness."""
    out = struct.pack('<i', tx['version']) + b'\x00\x01' + var(len(tx['vin']))
    for txin in tx['vin']:
        out += id_bytes(txin['txid']) + struct.pack('<I', txin['vout']) + var(0) + struct.pack('<I', txin['sequence'])
    out += var(len(outputs))
    for value, script in outputs:
        out += struct.pack('<q', value) + var(len(script)) + script
    for txin in tx['vin']:
        items = [bytes.fromhex(item) for item in txin['txinwitness']]
        out += var(len(items)) + b''.join(var(len(item)) + item for item in items)
    return (out + struct.pack('<I', tx['locktime'])).hex()


class ScenarioTest(JobTest):
    """Every node has coins for bonds. A node that stands alone (`alone`) hears of blocks and transactions by hand only."""
    nodes_count = 3
    coins = 6

    def fund(self):
        self.known = []  # every task of the test
        for node in self.nodes[2:]:
            node.connect(self.client)  # whoever else leaves
            node.mine(self.coins)
            self.sync_blocks()
        super().fund()
        self.start_height = self.client.rpc.getblockcount()

    def submit_mined(self, a, b, **options):
        reply, tasks = super().submit_mined(a, b, **options)
        self.known += tasks
        return reply, tasks

    def operands(self, node, task):
        wait_until(lambda: node.rpc.prepareoperands(task)['here'], 'the operands')

    def carry_blocks(self, source, target):
        """Blocks of source that target has not."""
        best = source.rpc.getbestblockhash()
        missing = []
        block = best
        while True:
            try:
                target.rpc.getblockheader(block)
                break
            except RPCError:  # not known there
                missing.append(block)
                block = source.rpc.getblockheader(block)['previousblockhash']
        for block in reversed(missing):
            target.rpc.submitblock(source.rpc.getblock(block, 0))
        check_equal(target.rpc.getbestblockhash(), best, 'tip')

    def carry_tx(self, source, target, txid):
        target.rpc.sendrawtransaction(source.rpc.getrawtransaction(txid))

    def pending(self, node, task, action):
        """Waits until a spend with this action of the task's output is in the node's pool; its id."""
        numbers = {'refund': '00', 'claim': '01', 'accept': '02', 'take': '03', 'fraud': '04', 'challenge': '05', 'answer': '06',
                   'expire': '07', 'reject': '08'}

        def found():
            try:
                txid = spender(node, node.rpc.gettask(task).get('outpoint'))
                if txid and node.rpc.getrawtransaction(txid, True)['vin'][0]['txinwitness'][0] == numbers[action]:
                    return txid
            except RPCError:  # replaced between two calls
                pass
            return None
        return wait_until(found, '%s of a task' % action)

    def mine_action(self, node, task, action, sync=None):
        """Mines what does this to the task; (txid, fee with what it burns)."""
        txid = self.pending(node, task, action)
        block = self.mine_txs(node, txid, sync=sync)
        return txid, fee_in(node, txid, block)

    def answer_fee(self, fee):
        """What an answer of this fee cost its solver: the deposit of the challenge is burned, and the rest is its own."""
        check(DEPOSIT < fee < DEPOSIT + 100_000, 'an answer burns the deposit, and pays a fee: %d' % fee)
        return fee - DEPOSIT

    def balances(self, *nodes):
        return [balance(node) for node in nodes]

    def bond(self, node, task):
        return embers(node.rpc.gettask(task)['claim']['bond'])

    def finish(self):
        """All nodes agree; over a reorganisation of all that happened, and with one that joins now."""
        self.sync_blocks(self.running())
        views = [chain_view(node, self.known) for node in self.running()]
        for view in views[1:]:
            check_equal(view, views[0], 'what two nodes say')
        self.step('a reorganisation below all of it, and back')
        node = self.running()[-1]
        self.part(node)
        first = node.rpc.getblockhash(self.start_height + 1)
        node.rpc.invalidateblock(first)
        check_equal(node.rpc.getblockcount(), self.start_height, 'height')
        check_equal([task for task in self.known if any(t['origin'] == task and t['status'] != 'pending'
                                                        for t in node.rpc.listtasks('all', task.split(':')[0]))], [])
        node.rpc.reconsiderblock(first)
        check_equal(chain_view(node, self.known), views[0], 'after the reorganisation')
        self.step('a node that joins now')
        fresh = Node(self, len(self.nodes), ['-mocktime=%d' % self.now])
        self.nodes.append(fresh)
        fresh.start()
        fresh.connect(self.running()[0])
        self.sync_blocks([self.running()[0], fresh])
        wait_until(lambda: len(fresh.rpc.listtasks()) >= len(self.known), 'the book of a new node')
        check_equal(chain_view(fresh, self.known), views[0], 'what a new node says')
        check(len(self.known) > 0, 'no task')
