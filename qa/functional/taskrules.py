"""The rules of task outputs, from the text of doc/protocol.md (sections 3 to 6) alone, over transactions that are
symbols: a preimage is a tuple, its program is the tuple itself, a proof is what it is a proof of.

A spend that breaks rules breaks a set of them: the judge gives all their reject strings, since the text does not say
which comes first. It stops where a rule cannot be asked any more (an output that no record names has no solver).
"""
import hashlib
import struct
from collections import namedtuple

COIN = 100_000_000
MAX_MONEY = 42_048_000 * COIN
DEPOSIT = 2_000_000
CHALLENGES_MAX = 24  # in a block
RECORD_KEEP = 20_160
EXCLUSIVE_LOOKBACK = 2016
LOCKTIME_THRESHOLD = 500_000_000
FINAL = 0xffffffff
LOCK_DISABLE, LOCK_TIME, LOCK_MASK = 1 << 31, 1 << 22, 0xffff
UNIT = 512
MATURITY = 100
# regtest
WINDOW_MIN, ANSWER_WINDOW = 1, 1
FIRST_SUBSIDY, HALVING = 10 * COIN, 150
JOB_TARGET = 0x7fffff << 8 * (0x20 - 3)

HASH, JOB = 0, 1
FUNDED, CLAIMED, CHALLENGED = 0, 1, 2
REFUND, CLAIM, ACCEPT, TAKE, FRAUD, CHALLENGE, ANSWER, EXPIRE, REJECT = range(9)
ACTIONS = ('refund', 'claim', 'accept', 'take', 'fraud', 'challenge', 'answer', 'expire', 'reject')
STATES = {REFUND: {FUNDED}, CLAIM: {FUNDED}, ACCEPT: {CLAIMED}, TAKE: {CLAIMED}, FRAUD: {CLAIMED, CHALLENGED},
          CHALLENGE: {CLAIMED}, ANSWER: {CHALLENGED}, EXPIRE: {CLAIMED, CHALLENGED}, REJECT: {CLAIMED}}
# bytes of the items between action and preimage; None: it depends on the task, and a rule of its own judges it
SIZES = {REFUND: (64,), CLAIM: (64, 88), ACCEPT: (64, 64), TAKE: (64, None, None), FRAUD: (64, 8, None),
         CHALLENGE: (64, 4), ANSWER: (64, None, None), EXPIRE: (64,), REJECT: (64,)}

# Which entries of a result are wrong, by row and column within the task.
RIGHT, ONE, HALF, ALL, GARBAGE = range(5)
ONE_WRONG = (5, 77)


def is_wrong(variation, row, column):
    return {RIGHT: False, ONE: (row, column) == ONE_WRONG, HALF: (row + column) % 2 == 0, ALL: True}[variation]


def tagged(tag, data):
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


def depth(leaves):
    return (leaves - 1).bit_length()


# ---- symbols ------------------------------------------------------------------------------------------------------

# result: (variation, the solver that it is keyed by); what a state has not is None
Task = namedtuple('Task', 'state origin spec index escrow bond burn solver result tile', defaults=(None,) * 6)
Coin = namedtuple('Coin', 'value height to coinbase', defaults=(False,))  # to: ('any',), ('key', n), ('task', Task)
Record = namedtuple('Record', 'outpoint state backed asked h0 settled client solver bricks burn')
Item = namedtuple('Item', 'kind args flip cut pad', defaults=(None, 0, 0))
In = namedtuple('In', 'out seq w')
Out = namedtuple('Out', 'value to')
Tx = namedtuple('Tx', 'name version lock ins outs')
Work = namedtuple('Work', 'task pre solver backing')
Block = namedtuple('Block', 'id lane time median solver')


class Spec(namedtuple('Spec', 'number version kind client deadline window exclusive shape')):
    """shape: (m, n, k, task_rows, task_cols)"""

    def valid(self):
        m, n, k, rows, cols = self.shape
        if self.version != 1 or self.kind != 1 or not WINDOW_MIN <= self.window < 32768 or self.exclusive > 144:
            return False
        if self.deadline < LOCKTIME_THRESHOLD or not all(s % 128 == 0 and 128 <= s <= 1 << 24 for s in (m, n)):
            return False
        if k % 256 or not 256 <= k <= 65536 or rows < 1 or cols < 1:
            return False
        return min(rows, m // 128) * min(cols, n // 128) <= 1 << 24

    def tasks(self):
        m, n, _, rows, cols = self.shape
        return -(-(m // 128) // rows) * -(-(n // 128) // cols)

    def rectangle(self, index):
        """(first tile row, first tile column, tile rows, tile columns)"""
        m, n, _, rows, cols = self.shape
        across = -(-(n // 128) // cols)
        row, col = index // across * rows, index % across * cols
        return row, col, min(rows, m // 128 - row), min(cols, n // 128 - col)

    def tiles(self, index):
        return self.rectangle(index)[2] * self.rectangle(index)[3]

    def bricks(self, index):
        return self.tiles(index) * self.shape[2] // 256

    def proof_size(self, index):
        m, n, k, _, _ = self.shape
        operands = sum(k + k // 256 * 7 * 32 + depth(side // 128) * 32 for side in (m, n))
        return operands + 512 + 7 * 32 + depth(self.tiles(index)) * 32


def program(to):
    """Of an output: the preimage it pays to, or None."""
    return to[1] if to[0] == 'task' else None


class State:
    """Coins and records, with what one block changes of them."""

    def __init__(self, coins, records):
        self.coins, self.records, self.touched = coins, records, set()

    def copy(self):
        return State(dict(self.coins), dict(self.records))

    def set(self, origin, record):
        self.records[origin] = record
        self.touched.add(origin)


class Verdict(namedtuple('Verdict', 'reasons fees burned subsidy credit burns state')):
    """Of a block: no reasons where it is valid."""


# ---- the rules ----------------------------------------------------------------------------------------------------

class Rules:
    """A chain over a base of empty hash-lane blocks."""

    def __init__(self, base, time0, step, funds):
        self.base, self.time0, self.step = base, time0, step
        self.specs, self.txids = {}, {}
        coins = {'f:%d' % at: Coin(value, 1, ('any',)) for at, value in enumerate(funds)}
        self.blocks, self.states = [], [State(coins, {})]

    @property
    def state(self):
        return self.states[-1]

    @property
    def height(self):
        return self.base + len(self.blocks)

    def time(self, height):
        return self.blocks[height - self.base - 1].time if height > self.base else self.time0 + height * self.step

    def median(self, height):
        """Median time of the block at this height and the ten before it."""
        if height > self.base and self.blocks[height - self.base - 1].median is not None:
            return self.blocks[height - self.base - 1].median
        return sorted(self.time(at) for at in range(max(0, height - 10), height + 1))[min(height + 1, 11) // 2]

    def beacon(self, above):
        """(height, id) of the first hash-lane block above; every block of the base is one, but no test may ask for its
        id: None then."""
        for height in range(above + 1, self.height + 1):
            if height <= self.base:
                return height, None
            if self.blocks[height - self.base - 1].lane == HASH:
                return height, self.blocks[height - self.base - 1].id
        return None

    def outpoint_bytes(self, outpoint):
        name, index = outpoint.split(':')
        return bytes.fromhex(self.txids[name]) + struct.pack('<I', int(index))

    # -- one spend

    def size(self, item):
        """Bytes of a witness item."""
        kind, args = item.kind, item.args
        if kind in ('a',):
            size = 1
        elif kind in ('sig', 'cert'):
            size = 64
        elif kind == 'claim':
            size = 88
        elif kind == 'u32':
            size = 4 * len(args)
        elif kind == 'hex':
            size = len(args) // 2
        elif kind == 'proof':
            size = self.specs[args[0].spec].proof_size(args[0].index)
        elif kind == 'tile':
            size = 65536
        elif kind == 'path':
            size = 32 * depth(self.specs[args[0].spec].tiles(args[0].index))
        else:
            size = 87 + 88  # a preimage: nobody asks
        return max(0, size - item.cut) + item.pad

    def intact(self, item):
        return not item.cut and not item.pad and (item.flip is None or self.size(item) == 0)

    def signed(self, item, key, action):
        return item.kind == 'sig' and self.intact(item) and item.args == (key, action)

    def same_result(self, ours, theirs):
        """Two preimages speak of the same entries: what is proven with one's data holds for the other."""
        return (self.specs[ours.spec].shape == self.specs[theirs.spec].shape and ours.index == theirs.index
                and ours.result[0] == theirs.result[0])

    def entry(self, task, row, column, item):
        """An entry proof: 'equal', 'different', or None where it is neither."""
        first_row, first_col, rows, cols = self.specs[task.spec].rectangle(task.index)
        row_in, column_in = row - 128 * first_row, column - 128 * first_col
        if not (0 <= row_in < 128 * rows and 0 <= column_in < 128 * cols):
            return None
        if item.kind != 'proof' or not self.intact(item) or item.args[1:] != (row, column):
            return None
        shown, (variation, keyed) = item.args[0], task.result
        if not self.same_result(task, shown) or shown.result[1] != keyed or keyed != task.solver or variation == GARBAGE:
            return None
        return 'different' if is_wrong(variation, row_in, column_in) else 'equal'

    def samples(self, task, beacon_id):
        first_row, first_col, rows, cols = self.specs[task.spec].rectangle(task.index)
        for number in (0, 1):
            digest = tagged('fornax/sample', beacon_id + self.outpoint_bytes(task.origin) + bytes([number]))
            row, column = struct.unpack('<QQ', digest[:16])
            yield 128 * first_row + row % (128 * rows), 128 * first_col + column % (128 * cols)

    def assignee(self, origin, h0, beacon_id):
        """The solver who may claim while the task is exclusive; None: anyone."""
        solvers = [self.blocks[height - self.base - 1].solver
                   for height in range(max(self.base + 1, h0 - EXCLUSIVE_LOOKBACK + 1), h0 + 1)
                   if self.blocks[height - self.base - 1].lane == JOB]
        if not solvers:
            return None
        digest = tagged('fornax/assign', beacon_id + self.outpoint_bytes(origin))
        return solvers[struct.unpack('<Q', digest[:8])[0] % len(solvers)]

    def judge_spend(self, tx, at, coin, state):
        """(reasons, origin, record after it, burned) of the task input `at`."""
        item, pre, height = tx.ins[at], program(coin.to), self.height + 1
        w = item.w
        if not w or w[0].kind != 'a' or not self.intact(w[0]):
            return {'bad-task-witness'}, None, None, 0
        action = w[0].args
        if action not in SIZES or len(w) != 2 + len(SIZES[action]):
            return {'bad-task-witness'}, None, None, 0
        reasons = set()
        for given, size in zip(w[1:-1], SIZES[action]):
            empty = action == FRAUD and given is w[1] and self.size(given) == 0
            if size is not None and self.size(given) != size and not empty:
                reasons.add('bad-task-witness')
        if w[-1].kind != 'pre' or not self.intact(w[-1]) or w[-1].args != pre:
            reasons.add('bad-task-program')
        if reasons:
            return reasons, None, None, 0
        if pre.state not in STATES[action]:
            return {'bad-task-witness'}, None, None, 0
        spec = self.specs[pre.spec]
        if action != REFUND and not (spec.valid() and pre.index < spec.tasks()):
            return {'bad-task-spec'}, None, None, 0

        fresh = pre.state == FUNDED and pre.origin is None
        if pre.state != FUNDED and not (0 <= min(pre.escrow, pre.bond, pre.burn) and
                                        max(pre.escrow + pre.bond, pre.burn) <= MAX_MONEY):
            reasons.add('bad-task-amount')
        origin = item.out if fresh else pre.origin
        record = Record(None, 0, False, 0, coin.height, 0, -1, -1, 0, 0) if fresh else state.records.get(origin)
        if not fresh and (record is None or record.outpoint != item.out):
            reasons.add('bad-task-record')
        if reasons:
            return reasons, None, None, 0

        def sequence(units):
            if tx.version < 2 or item.seq & LOCK_DISABLE or not item.seq & LOCK_TIME or item.seq & LOCK_MASK < units:
                reasons.add('bad-task-sequence')

        def signature(key):
            if not self.signed(w[1], key, action):
                reasons.add('bad-task-sig')

        def pair(to, value):
            if at >= len(tx.outs) or tx.outs[at].to != to or tx.outs[at].value < value:
                reasons.add('bad-task-pair')

        def require(condition, reason):
            if not condition:
                reasons.add(reason)

        here = '%s:%d' % (tx.name, at)
        burned = 0
        if action == REFUND:
            require(tx.lock >= LOCKTIME_THRESHOLD and tx.lock >= spec.deadline, 'bad-task-locktime')
            require(item.seq != FINAL, 'bad-task-sequence')
            signature(spec.client)
            return reasons, None if fresh else origin, record._replace(outpoint=None, state=0), 0
        if action == CLAIM:
            fields = w[2].args
            require(height > record.h0, 'bad-task-locktime')
            require(fields.escrow == coin.value and fields.burn <= fields.escrow, 'bad-task-amount')
            require(max(fields.escrow + fields.bond, fields.burn) <= MAX_MONEY, 'bad-task-amount')
            require(4 * fields.bond >= fields.escrow and fields.bond >= DEPOSIT, 'bad-task-bond')
            claimed = pre._replace(state=CLAIMED, origin=origin, escrow=fields.escrow, bond=fields.bond,
                                   burn=fields.burn, solver=fields.solver, result=fields.result)
            pair(('task', claimed), fields.escrow + fields.bond)
            signature(fields.solver)
            if spec.exclusive and height <= record.h0 + spec.exclusive:
                beacon = self.beacon(record.h0)
                require(beacon is not None, 'bad-task-exclusive')
                if beacon is not None:
                    require(self.assignee(origin, record.h0, beacon[1]) in (None, fields.solver), 'bad-task-exclusive')
            after = record._replace(outpoint=here, state=CLAIMED, client=spec.client, solver=fields.solver,
                                    bricks=spec.bricks(pre.index), burn=fields.burn, asked=0)
            return reasons, origin, after, 0

        settled = record._replace(outpoint=None, state=0, settled=height)
        funded = Task(FUNDED, origin, pre.spec, pre.index)
        restored = record._replace(outpoint=here, state=FUNDED)
        if action == ACCEPT:
            signature(pre.solver)
            cert = w[2]
            require(cert.kind == 'cert' and self.intact(cert) and cert.args == (spec.client, pre),
                    'bad-task-certificate')
            after, burned = settled, pre.burn
        elif action == TAKE:
            sequence(spec.window)
            signature(pre.solver)
            beacon = self.beacon(coin.height)
            require(beacon is not None, 'bad-task-sample')
            if beacon is not None:
                for (row, column), proof in zip(self.samples(pre, beacon[1]), w[2:4]):
                    require(self.entry(pre, row, column, proof) == 'equal', 'bad-task-sample')
            after, burned = settled, pre.burn
        elif action == FRAUD:
            if pre.state == CLAIMED:
                require(self.size(w[1]) == 0, 'bad-task-witness')
            elif self.size(w[1]) == 0:
                require(False, 'bad-task-witness')
            else:
                signature(spec.client)
            require(self.entry(pre, *w[2].args, w[3]) == 'different', 'bad-task-fraud')
            pair(('task', funded), pre.escrow)
            after, burned = restored, pre.bond // 2
        elif action == CHALLENGE:
            tile, = w[2].args
            require(tile < spec.tiles(pre.index), 'bad-task-tile')
            require(record.asked < 8, 'bad-task-asked')
            pair(('task', pre._replace(state=CHALLENGED, tile=tile)), coin.value + DEPOSIT)
            signature(spec.client)
            after = record._replace(outpoint=here, state=CHALLENGED, asked=record.asked + 1)
        elif action == ANSWER:
            pair(('task', pre._replace(state=CLAIMED, tile=None)), pre.escrow + pre.bond)
            signature(pre.solver)
            require(self.answers(pre, w[2], w[3]), 'bad-task-answer')
            after, burned = record._replace(outpoint=here, state=CLAIMED), DEPOSIT
        elif action == EXPIRE:
            if pre.state == CHALLENGED:
                sequence(ANSWER_WINDOW)
            else:
                sequence(2 * spec.window)
                beacon = self.beacon(coin.height)
                require(beacon is not None and beacon[0] <= height - 60, 'bad-task-locktime')
            pair(('task', funded), pre.escrow)
            signature(spec.client)
            after, burned = restored, pre.bond // 2
        else:
            require(record.asked == 8, 'bad-task-asked')
            pair(('key', pre.solver), pre.bond)
            signature(spec.client)
            after, burned = record._replace(outpoint=None, state=0), pre.escrow
        return reasons, origin, after, burned

    def answers(self, pre, data, path):
        variation, keyed = pre.result
        if keyed != pre.solver or variation == GARBAGE or pre.tile >= self.specs[pre.spec].tiles(pre.index):
            return False
        if data.kind != 'tile' or not self.intact(data) or data.args[1] != pre.tile:
            return False
        if not self.same_result(pre, data.args[0]):
            return False
        if self.specs[pre.spec].tiles(pre.index) == 1:
            return self.size(path) == 0
        return (path.kind == 'path' and self.intact(path) and path.args[1] == pre.tile
                and self.same_result(pre, path.args[0]) and path.args[0].result[1] == keyed)

    # -- transactions and blocks

    def judge_tx(self, tx, state):
        """(reasons, fee, burned); changes the state."""
        height, median = self.height + 1, self.median(self.height)
        spent = [state.coins.get(given.out) for given in tx.ins]
        reasons = set()
        if None in spent:
            return {'bad-txns-inputs-missingorspent'}, 0, 0
        if any(coin.coinbase and height < coin.height + MATURITY for coin in spent):
            reasons.add('bad-txns-premature-spend-of-coinbase')
        fee = sum(coin.value for coin in spent) - sum(out.value for out in tx.outs)
        if fee < 0:
            reasons.add('bad-txns-in-belowout')
        for given, coin in zip(tx.ins, spent):
            if tx.version < 2 or given.seq & LOCK_DISABLE:
                continue
            if given.seq & LOCK_TIME:
                since = median if coin.height >= height else self.median(max(coin.height - 1, 0))
                if since + (given.seq & LOCK_MASK) * UNIT > median:
                    reasons.add('bad-txns-nonfinal')
            elif coin.height + (given.seq & LOCK_MASK) > height:
                reasons.add('bad-txns-nonfinal')
        burned = 0
        for at, coin in enumerate(spent):
            if program(coin.to) is None:
                continue
            broken, origin, record, burns = self.judge_spend(tx, at, coin, state)
            if broken:
                return reasons | broken, 0, 0
            if origin is not None:
                state.set(origin, record)
            burned += burns
        if fee < burned:
            reasons.add('bad-task-burn-fee')
        if not reasons:
            for given in tx.ins:
                del state.coins[given.out]
            for at, out in enumerate(tx.outs):
                if out.to[0] != 'note':
                    state.coins['%s:%d' % (tx.name, at)] = Coin(out.value, height, out.to)
        return reasons, fee, burned

    def judge_work(self, work, state):
        """(reasons, credit, burns); sets `backed` in the state."""
        height, coin = self.height + 1, state.coins.get(work.task)
        if coin is None or program(coin.to) != work.pre or work.pre.state != FUNDED:
            return {'bad-work-task'}, 0, 0
        if work.pre.origin is not None:
            record = state.records.get(work.pre.origin)
            if record is None or record.outpoint != work.task:
                return {'bad-work-task'}, 0, 0
        records = [state.records.get(origin) for origin in work.backing]
        if len(set(work.backing)) != len(work.backing) or any(
                record is None or not record.settled or record.settled <= height - RECORD_KEEP or record.backed
                or record.solver != work.solver for record in records):
            return {'bad-work-backing'}, 0, 0
        for origin, record in zip(work.backing, records):
            state.set(origin, record._replace(backed=True))
        return set(), sum(record.bricks for record in records), sum(record.burn for record in records)

    def subsidy(self, work, credit, burns):
        shift = (self.height + 1) // HALVING
        full = FIRST_SUBSIDY >> shift if shift < 64 else 0
        if work is None:
            return full
        expected = (1 << 256) // (JOB_TARGET + 1)
        return min(full * min(credit, expected) // expected, 2 * burns)

    def final(self, tx):
        limit = self.height + 1 if tx.lock < LOCKTIME_THRESHOLD else self.median(self.height)
        return tx.lock < limit or all(given.seq == FINAL for given in tx.ins)

    def judge_block(self, txs, work, pay=None):
        """pay None: as much as the coinbase may take, where there is no other reason against the block."""
        state = self.state.copy()
        reasons, credit, burns = self.judge_work(work, state) if work else (set(), 0, 0)
        if not all(self.final(tx) for tx in txs):
            return Verdict({'bad-txns-nonfinal'}, 0, 0, 0, 0, 0, None)  # asked before anything else is
        fees = burned = challenges = 0
        for tx in txs:
            if reasons:
                break
            reasons, fee, burning = self.judge_tx(tx, state)
            fees, burned = fees + fee, burned + burning
            challenges += sum(bool(given.w) and given.w[0].args == CHALLENGE for given in tx.ins)
            if not reasons and challenges > CHALLENGES_MAX:
                reasons = {'bad-blk-challenges'}
        subsidy = self.subsidy(work, credit, burns)
        if not reasons and pay is not None and pay > subsidy + fees - burned:
            reasons = {'bad-cb-amount'}
        if not reasons:
            for origin in self.forgotten(state):
                del state.records[origin]
                state.touched.add(origin)
        return Verdict(reasons, fees, burned, subsidy, credit, burns, state)

    def forgotten(self, state):
        old = self.height + 1 - RECORD_KEEP
        return [origin for origin, record in state.records.items()
                if record.outpoint is None and record.settled <= max(old, 0)]

    def connect(self, verdict, name, block_id, lane, time, solver, pay):
        self.blocks.append(Block(block_id, lane, time, None, solver))
        height = self.height
        self.blocks[-1] = Block(block_id, lane, time, self.median(height), solver)
        if pay > 0:
            verdict.state.coins['%s:0' % name] = Coin(pay, height, ('any',), True)
        self.states.append(verdict.state)

    def connect_empty(self, ids, time, step):
        for number, block_id in enumerate(ids):
            state, forgotten = self.state, self.forgotten(self.state)
            if forgotten:
                state = state.copy()
                for origin in forgotten:
                    del state.records[origin]
            self.connect(Verdict(set(), 0, 0, 0, 0, 0, state), '', block_id, HASH, time + number * step, None, 0)

    def disconnect(self, count):
        del self.blocks[len(self.blocks) - count:], self.states[len(self.states) - count:]
