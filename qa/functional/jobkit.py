"""What tests of jobs share: operands over HTTP, submitting, following tasks, mock time, sums in embers."""
import base64
import json
import os

import numpy

from framework import COIN, FornaxTest, check, check_equal, wait_until

TILE, DEPTH = 128, 256
TILE_BYTES = TILE * TILE * 4
PIECE = 1 << 20
WINDOW_UNIT = 512  # seconds
# Enriches neither side: the P2TR address of secp256k1's generator.
NOBODY = 'fxrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq3r900u'


def embers(amount):
    """An amount of a reply as a whole number of embers."""
    value = amount * COIN
    check_equal(value, int(value), 'fraction of an ember')
    return int(value)


def matrix(rows, columns, seed):
    """Entries over the whole range that a job-lane block can be mined in."""
    return numpy.random.default_rng(seed).integers(-64, 64, (rows, columns), dtype=numpy.int8)


def panel(side):
    """A panel matrix: rows padded to tiles, columns to segments."""
    rows, columns = side.shape
    out = numpy.zeros((-(-rows // TILE) * TILE, -(-columns // DEPTH) * DEPTH), numpy.int8)
    out[:rows, :columns] = side
    return out


def product(a, b):
    return a.astype(numpy.int32) @ b.astype(numpy.int32)


def http(node, method, path, body=None):
    """A request to the node; (status, JSON or bytes)."""
    status, data = node.rpc.request(method, path, body)
    try:
        return status, json.loads(data)
    except ValueError:
        return status, data


def put(node, kind, query, offset, body):
    return http(node, 'PUT', '/blob/%s?%s&offset=%d' % (kind, query, offset), body)


def operand_query(upload, side):
    return 'upload=%s&rows=%d&k=%d' % (upload, *side.shape)


def upload(node, kind, query, upload_id, data):
    """A whole upload; the root."""
    for offset in range(0, len(data), PIECE):
        status, reply = put(node, kind, query, offset, data[offset:offset + PIECE])
        check_equal(status, 200, 'status of a piece (%s)' % reply)
    status, reply = http(node, 'POST', '/blob/%s/finish?upload=%s' % (kind, upload_id))
    check_equal(status, 200, 'status of the end of an upload (%s)' % reply)
    return reply['root']


def upload_operand(node, side):
    """Uploads a panel matrix; its root."""
    upload_id = os.urandom(16).hex()
    return upload(node, 'operand', operand_query(upload_id, side), upload_id, side.tobytes())


def tiles(result):
    """A padded result as an upload has it: tile after tile, row-major."""
    rows, columns = result.shape
    return result.astype('<i4').reshape(rows // TILE, TILE, columns // TILE, TILE).swapaxes(1, 2).tobytes()


def upload_result(node, task, solver, result):
    """Uploads the result of one task; its root. result: of the whole padded matrix."""
    shape = task['shape']
    top, left = shape['row0'] * TILE, shape['col0'] * TILE
    part = result[top:top + shape['rows'] * TILE, left:left + shape['cols'] * TILE]
    upload_id = os.urandom(16).hex()
    query = 'upload=%s&rows=%d&cols=%d&solver=%s' % (upload_id, shape['rows'], shape['cols'], solver)
    return upload(node, 'result', query, upload_id, tiles(part))


def padded_product(a, b):
    return product(panel(a), panel(numpy.ascontiguousarray(b.T)).T)


def request_of(node, a, b, **options):
    """Uploads both operands; what submitjob and quotejob take."""
    return dict(options, root_a=upload_operand(node, panel(a)),
                root_b=upload_operand(node, panel(numpy.ascontiguousarray(b.T))),
                rows=a.shape[0], columns=b.shape[1], depth=a.shape[1])


def submit(node, a, b, **options):
    """Submits a job; the reply of submitjob."""
    return node.rpc.submitjob(request_of(node, a, b, **options))


def origins(node, job):
    return [task['origin'] for task in node.rpc.listtasks('all', job)]


def wait_task(node, origin, condition, text, timeout=None):
    """Waits until the task is as wanted; the task."""
    last = {}

    def fits():
        last.clear()
        last.update(node.rpc.gettask(origin))
        return condition(last)
    try:
        wait_until(fits, text, timeout)
    except Exception:
        print('task on node %d: %s' % (node.index, {k: v for k, v in last.items() if k != 'preimage'}))
        raise
    return dict(last)


def wait_status(node, origin, status, timeout=None):
    return wait_task(node, origin, lambda task: task['status'] == status, 'a task to be ' + status, timeout)


def read_result(node, job, rows=None):
    """The whole result, or its first rows, by getjobresult, some at a time."""
    info = node.rpc.getjob(job)
    rows, columns = rows or info['rows'], info['columns']
    parts = []
    for row in range(0, rows, 100):
        part = node.rpc.getjobresult(job, row, min(100, rows - row))
        parts.append(numpy.frombuffer(base64.b64decode(part['data']), '<i4'))
    return numpy.concatenate(parts).reshape(rows, columns)


def balance(node, wallet=''):
    """All that the wallet has, in embers: confirmed or not, ripe or not."""
    mine = node.wallet(wallet).getbalances()['mine']
    return sum(embers(mine[part]) for part in ('trusted', 'untrusted_pending', 'immature'))


def fee_in(node, txid, block):
    """The fee of a transaction of a block, in embers, what it burns included."""
    for tx in node.rpc.getblock(block, 2)['tx']:
        if tx['txid'] == txid:
            return embers(tx['fee'])
    raise AssertionError('%s is not in block %s' % (txid, block))


def spender(node, outpoint):
    """The transaction of the node's pool that spends this outpoint with its first input; None."""
    for txid in node.rpc.getrawmempool():
        first = node.rpc.getrawtransaction(txid, True)['vin'][0]
        if outpoint == '%s:%d' % (first['txid'], first['vout']):
            return txid
    return None


class JobTest(FornaxTest):
    """Nodes 0 (the client's) and 1 (a solver's), both with coins, under a clock of the test's own."""
    nodes_count = 2
    start_time = 1_700_000_000
    coins = 3  # ripe coinbases for each of the first two nodes

    @property
    def client(self):
        return self.nodes[0]

    @property
    def solver(self):
        return self.nodes[1]

    def setup(self):
        self.now = self.start_time
        self.node_args = [list(args) + ['-mocktime=%d' % self.now] for args in self.own_args()]
        super().setup()
        self.fund()

    def own_args(self):
        """Further arguments, a list a node."""
        return [[] for _ in range(self.nodes_count)]

    def fund(self):
        for node in self.nodes[:2]:
            node.mine(self.coins)
            self.sync_blocks()
        self.mine(100)

    def mine(self, blocks=1, node=None, sync=None):
        """Hash-lane blocks that pay nobody here; the nodes of sync (default: all that run) follow."""
        node = node or self.running()[0]
        ids = node.mine(blocks, NOBODY)
        self.sync_blocks(sync or self.running())
        return ids

    def running(self):
        return [node for node in self.nodes if node.rpc]

    @staticmethod
    def tied(nodes):
        """Whether these stand at different tips of equal work: a block of a test and one of a miner, found at the same moment.
        One more block decides."""
        tips = [node.rpc.getblockheader(node.rpc.getbestblockhash()) for node in nodes]
        return len({tip['hash'] for tip in tips}) > 1 and len({tip['chainwork'] for tip in tips}) == 1

    def dig(self, node):
        """A block of what waits, and one to decide, where no miner may be left to find it."""
        if node.rpc.getmempoolinfo()['size'] > 0 or self.tied(self.running()):
            node.mine(1, NOBODY)

    def settled(self, tasks, node=None):
        """Mines on the client's side until all are settled, on all nodes; the tasks."""
        node = node or self.client

        def done():
            now = [node.rpc.gettask(origin) for origin in tasks]
            if all(task['status'] == 'settled' for task in now) and not self.tied(self.running()):
                return now
            self.dig(node)
            return None
        return wait_until(done, 'tasks to settle', step=0.3)

    def advance(self, seconds):
        """Moves all clocks, and gives the nodes the option to start with it."""
        self.now += seconds
        for node in self.nodes:
            node.args = [arg for arg in node.args if not arg.startswith('-mocktime=')]
            node.args.append('-mocktime=%d' % self.now)
            if node.rpc:
                node.rpc.setmocktime(self.now)

    def pass_median(self, seconds, **how):
        """Moves the clocks, and the median time with them."""
        self.advance(seconds)
        return self.mine(11, **how)

    def mine_txs(self, node, *txids, sync=None):
        """Mines one block, which must have these transactions; its id. They may be yet to arrive."""
        wait_until(lambda: set(txids) <= set(node.rpc.getrawmempool()), 'transactions to mine')
        block = self.mine(1, node, sync)[0]
        check(set(txids) <= set(node.rpc.getblock(block)['tx']), 'a transaction was not mined')
        return block

    def submit_mined(self, a, b, **options):
        """A job of the client, mined; (reply of submitjob, origins of its tasks)."""
        reply = submit(self.client, a, b, **options)
        self.mine_txs(self.client, reply['job'])
        return reply, origins(self.client, reply['job'])
