"""Random play of clients, solvers and reorganisations against the model of taskrules.py.

Each sequence makes transactions of which about half break a rule, has the rules and the model judge blocks of them, and
compares verdicts, rewards, records and coins. All chance comes from the sequence's seed.
"""
import random
from collections import Counter

from framework import Failure, check, check_equal
from taskdriver import Driver
from taskrules import (ACCEPT, ACTIONS, ALL, ANSWER, CHALLENGE, CHALLENGED, CHALLENGES_MAX, CLAIM, CLAIMED, DEPOSIT, EXPIRE,
                       FINAL, FRAUD, FUNDED, GARBAGE, HALF, HASH, JOB, LOCK_DISABLE, LOCK_TIME, LOCKTIME_THRESHOLD, MATURITY, MAX_MONEY,
                       ONE, ONE_WRONG, RECORD_KEEP, REFUND, REJECT, RIGHT, STATES, TAKE, ANSWER_WINDOW, In, Item, Out,
                       Rules, Spec, Task, Tx, Work, is_wrong)

CLIENTS, SOLVERS, OUTSIDER = (0, 1), (2, 3, 4), 5
SHAPES = ((128, 128, 256, 1, 1), (256, 128, 256, 2, 1), (256, 256, 512, 2, 2), (384, 256, 256, 2, 1),
          (128, 256, 256, 1, 1))
BASE, TIME0, STEP = 300, 1_700_000_000, 240
FUNDS = [10 ** 13] * 4
CROWDS = 0.001  # how often, among the moves

# What may be wrong with a spend besides its moment; the moves ask for each by name.
TWISTS = ('signer', 'signed_as', 'sig_flip', 'sig_cut', 'sig_pad', 'no_item', 'one_more', 'pre_other', 'pre_flip',
          'action', 'action_pad', 'paid_less', 'paid_more', 'paid_other', 'paid_elsewhere', 'paid_plain', 'seq_less',
          'seq_disable', 'seq_blocks', 'seq_final', 'version', 'lock_less', 'item_size', 'item_flip', 'fee_less',
          'overspent', 'other_state')
OWN_TWISTS = {
    REFUND: ('lock_less', 'seq_final'),
    CLAIM: ('bond_less', 'bond_small', 'burn_more', 'escrow_other', 'amount_huge', 'copied'),
    ACCEPT: ('cert_solver', 'cert_other', 'item_flip', 'fee_less'),
    TAKE: ('swapped', 'other_entry', 'item_flip', 'seq_less', 'fee_less'),
    FRAUD: ('other_entry', 'outside', 'item_flip', 'fee_less'),
    CHALLENGE: ('tile_outside',),
    ANSWER: ('other_tile', 'other_result', 'item_flip'),
    EXPIRE: ('seq_less', 'fee_less'),
    REJECT: ('paid_less', 'paid_other', 'fee_less'),
}


class Spend:
    """A task input in the making, with the output that has its index."""

    def __init__(self, out, coin, action):
        self.out, self.coin, self.action = out, coin, action
        self.seq, self.lock, self.burned = FINAL - 1, 0, 0
        self.w, self.paid = [], None
        self.twists = ()


class Play:
    def __init__(self, driver, seed, counts):
        self.rng = random.Random(seed)
        self.driver, self.counts = driver, counts
        self.rules = Rules(BASE, TIME0, STEP, FUNDS)
        self.mined = []    # the transactions of each block
        self.settled = []  # the origins that each block settled, by the other side's word
        self.ledger = []   # what each block added to all coins
        self.names = 0
        driver.reset(self.rules, FUNDS)
        rng = self.rng
        self.weights = {action: rng.expovariate(1) + 0.05 for action in range(9)}
        self.reorganises = rng.choice((0.02, 0.06, 0.15))
        self.waits = rng.choice((0.05, 0.15, 0.3))
        self.most_open = 12
        if rng.random() < 0.3:
            # One that asks and asks, of one that answers and answers.
            self.weights.update({CHALLENGE: 12, ANSWER: 12, REJECT: 12, ACCEPT: 0.3, TAKE: 0.3, FRAUD: 0.3, EXPIRE: 0.3,
                                 REFUND: 0.1})
            self.reorganises, self.most_open = 0.02, 2
        self.make_specs()

    def name(self, head='t'):
        self.names += 1
        return '%s%d' % (head, self.names)

    def make_specs(self):
        rng = self.rng
        for number in range(6):
            deadline = TIME0 + BASE * STEP + rng.choice((2000, 20_000, 80_000, 400_000)) + number
            spec = Spec(number, 1, 1, rng.choice(CLIENTS), deadline, rng.choice((1, 1, 2, 3)),
                        rng.choice((0, 0, 0, 1, 5, 40)), rng.choice(SHAPES))
            if number == 5:
                spec = spec._replace(**rng.choice(({'version': 2}, {'kind': 2}, {'window': 0}, {'window': 32768},
                                                   {'exclusive': 145}, {'deadline': LOCKTIME_THRESHOLD - 1},
                                                   {'deadline': 7}, {'shape': (128, 128, 300, 1, 1)},
                                                   {'shape': (128, 128, 256, 0, 1)}, {'shape': (192, 128, 256, 1, 1)})))
            self.rules.specs[number] = spec
            self.driver.spec(spec)

    # -- parts of spends

    def rectangle(self, task):
        row, col, rows, cols = self.rules.specs[task.spec].rectangle(task.index)
        return 128 * row, 128 * col, 128 * rows, 128 * cols

    def any_entry(self, task):
        row, col, rows, cols = self.rectangle(task)
        return row + self.rng.randrange(rows), col + self.rng.randrange(cols)

    def wrong_entry(self, task):
        """One that the result has wrong, where it has any."""
        row, col, rows, cols = self.rectangle(task)
        if task.result[0] == ONE:
            return row + ONE_WRONG[0], col + ONE_WRONG[1]
        place = self.any_entry(task)
        while task.result[0] == HALF and not is_wrong(HALF, place[0] - row, place[1] - col):
            place = self.any_entry(task)
        return place

    def other(self, numbers, but):
        return self.rng.choice([number for number in numbers if number != but])

    def signature(self, spend, key):
        action = spend.action
        if 'signer' in spend.twists:
            key = self.other((*CLIENTS, *SOLVERS, OUTSIDER), key)
        if 'signed_as' in spend.twists:
            action = self.other(range(9), action)
        return Item('sig', (key, action))

    def finish(self, spend, pre, signer, *items, empty=False):
        signature = Item('hex', '') if empty else self.signature(spend, signer)
        spend.w = [Item('a', spend.action), signature, *items, Item('pre', pre)]

    # -- one function an action: a spend that is right, but for its twists

    def refund(self, spend, pre, spec):
        spend.lock = max(spec.deadline, LOCKTIME_THRESHOLD)
        spend.paid = [spend.coin.value, ('key', spec.client)]
        self.finish(spend, pre, spec.client)

    def claim(self, spend, pre, spec):
        rng, value = self.rng, spend.coin.value
        origin = spend.out if pre.origin is None else pre.origin
        solver = rng.choice(SOLVERS)
        record = self.state.records.get(origin)
        h0 = record.h0 if record else spend.coin.height
        beacon = self.rules.beacon(h0)
        if spec.exclusive and beacon and origin.split(':')[0] in self.rules.txids and rng.random() < 0.7:
            assigned = self.rules.assignee(origin, h0, beacon[1])
            solver = solver if assigned is None else assigned
        least = max(-(-value // 4), DEPOSIT)
        escrow, bond, burn = value, least + rng.choice((0, 0, 1, 12345)), rng.choice((0, 1, value // 3, value))
        if 'bond_less' in spend.twists:
            bond = least - 1
        if 'bond_small' in spend.twists:
            bond = rng.randrange(least)
        if 'burn_more' in spend.twists:
            burn = value + 1
        if 'escrow_other' in spend.twists:
            escrow = max(0, value + rng.choice((-1, 1)))
            burn = min(burn, escrow)
        keyed = self.other(SOLVERS, solver) if 'copied' in spend.twists else solver
        result = (rng.choice((RIGHT, RIGHT, RIGHT, ONE, HALF, ALL, GARBAGE)), keyed)
        paid = escrow + bond
        if 'amount_huge' in spend.twists:
            bond = MAX_MONEY - escrow + 1
        claimed = pre._replace(state=CLAIMED, origin=origin, escrow=escrow, bond=bond, burn=burn, solver=solver,
                               result=result)
        spend.paid = [paid, ('task', claimed)]
        self.finish(spend, pre, solver, Item('claim', claimed))

    def accept(self, spend, pre, spec):
        signer, about = spec.client, spend.coin.to[1]
        if 'cert_solver' in spend.twists:
            signer = pre.solver
        if 'cert_other' in spend.twists:
            about = pre._replace(result=(pre.result[0], self.other(SOLVERS, pre.result[1])))
        spend.burned = pre.burn
        spend.paid = [spend.coin.value, ('key', pre.solver)]
        self.finish(spend, spend.coin.to[1], pre.solver, Item('cert', (signer, about)))

    def take(self, spend, pre, spec):
        rng = self.rng
        spend.seq = LOCK_TIME | spec.window + rng.choice((0, 0, 1))
        beacon = self.rules.beacon(spend.coin.height)
        if beacon and pre.origin and pre.origin.split(':')[0] in self.rules.txids:
            places = list(self.rules.samples(pre, beacon[1]))
        else:
            places = [self.any_entry(pre), self.any_entry(pre)]
        if 'swapped' in spend.twists:
            places.reverse()
        if 'other_entry' in spend.twists:
            places[rng.randrange(2)] = self.any_entry(pre)
        spend.burned = pre.burn
        spend.paid = [spend.coin.value, ('key', pre.solver)]
        self.finish(spend, spend.coin.to[1], pre.solver, *(Item('proof', (pre, *place)) for place in places))

    def fraud(self, spend, pre, spec):
        row, column = self.wrong_entry(pre)
        proof = Item('proof', (pre, row, column))
        if 'other_entry' in spend.twists:
            row, column = self.any_entry(pre)
            if self.rng.random() < 0.5:
                proof = Item('proof', (pre, row, column))
        if 'outside' in spend.twists:
            row += 128 * self.rng.choice((3, 1 << 20, -1)) % (1 << 25)
        self.restore(spend, pre, spec, Item('u32', (row, column)), proof, empty=spend.coin.to[1].state == CLAIMED)

    def restore(self, spend, pre, spec, *items, empty=False):
        spend.burned = pre.bond // 2
        spend.paid = [pre.escrow, ('task', Task(FUNDED, pre.origin, pre.spec, pre.index))]
        self.finish(spend, spend.coin.to[1], spec.client, *items, empty=empty)

    def challenge(self, spend, pre, spec):
        tiles = self.rules.specs[pre.spec].tiles(pre.index)
        tile = self.rng.randrange(tiles)
        if 'tile_outside' in spend.twists:
            tile = tiles + self.rng.choice((0, 1, 1 << 31))
        spend.paid = [spend.coin.value + DEPOSIT + self.rng.choice((0, 0, 7)),
                      ('task', pre._replace(state=CHALLENGED, tile=tile))]
        self.finish(spend, spend.coin.to[1], spec.client, Item('u32', (tile,)))

    def answer(self, spend, pre, spec):
        tile, of = pre.tile, pre
        if 'other_tile' in spend.twists:
            tile = (tile + 1) % spec.tiles(pre.index)
        if 'other_result' in spend.twists:
            of = pre._replace(result=(self.other(range(4), pre.result[0]), pre.result[1]))
        spend.burned = DEPOSIT
        spend.paid = [pre.escrow + pre.bond + self.rng.choice((0, 0, DEPOSIT)),
                      ('task', pre._replace(state=CLAIMED, tile=None))]
        self.finish(spend, spend.coin.to[1], pre.solver, Item('tile', (of, tile)), Item('path', (of, tile)))

    def expire(self, spend, pre, spec):
        units = ANSWER_WINDOW if spend.coin.to[1].state == CHALLENGED else 2 * spec.window
        spend.seq = LOCK_TIME | units + self.rng.choice((0, 0, 1))
        self.restore(spend, pre, spec)

    def reject(self, spend, pre, spec):
        spend.burned = pre.escrow
        spend.paid = [pre.bond, ('key', pre.solver)]
        self.finish(spend, spend.coin.to[1], spec.client)

    def spend(self, out, coin, action, twists):
        """None where the action cannot even be put together."""
        pre, spend = coin.to[1], Spend(out, coin, action)
        spec = self.rules.specs[pre.spec]
        spend.twists = twists
        full = pre
        if action != REFUND and (not spec.valid() or pre.index >= spec.tasks()):
            if action != CLAIM:
                return None
        if action not in (REFUND, CLAIM):
            # Of a state that has not all the fields that the action speaks of, or of a tile that is none.
            full = Task(pre.state, pre.origin or out, pre.spec, pre.index, pre.escrow or 0, pre.bond or 0, pre.burn or 0,
                        SOLVERS[0] if pre.solver is None else pre.solver, pre.result or (RIGHT, SOLVERS[0]), pre.tile)
            if action == ANSWER and full.tile is None:
                full = full._replace(tile=0)
        getattr(self, ACTIONS[action])(spend, full, spec)
        for twist in twists:
            self.twist(spend, twist)
        return spend

    def twist(self, spend, twist):
        """What can be changed of a finished spend."""
        rng, w, paid = self.rng, spend.w, spend.paid
        if twist == 'sig_flip':
            w[1] = w[1]._replace(flip=rng.randrange(64))
        elif twist == 'sig_cut':
            w[1] = w[1]._replace(cut=rng.choice((1, 64)))
        elif twist == 'sig_pad':
            w[1] = w[1]._replace(pad=rng.choice((1, 64)))
        elif twist == 'no_item':
            del w[rng.randrange(len(w))]
        elif twist == 'one_more':
            w.insert(len(w) - 1, Item('hex', ''))
        elif twist == 'pre_other':
            pre = w[-1].args
            w[-1] = Item('pre', pre._replace(index=pre.index + 1))
        elif twist == 'pre_flip':
            w[-1] = w[-1]._replace(flip=rng.randrange(1000))
        elif twist == 'action':
            w[0] = Item('a', self.other(range(12), spend.action))
        elif twist == 'action_pad':
            w[0] = w[0]._replace(pad=1)
        elif twist == 'paid_less':
            paid[0] = max(0, paid[0] - 1)
        elif twist == 'paid_more':
            paid[0] += 1
        elif twist == 'paid_plain':
            paid[1] = ('any',)
        elif twist == 'paid_other':
            paid[1] = self.other_output(paid[1])
        elif twist == 'seq_less':
            spend.seq -= 1
        elif twist == 'seq_disable':
            spend.seq |= LOCK_DISABLE
        elif twist == 'seq_blocks':
            spend.seq &= ~LOCK_TIME & ~LOCK_DISABLE
        elif twist == 'seq_final':
            spend.seq = FINAL
        elif twist == 'lock_less':
            spend.lock -= 1 if spend.lock else 0
        elif twist in ('item_size', 'item_flip') and len(w) > 3:
            at = rng.randrange(2, len(w) - 1)
            if twist == 'item_size':
                w[at] = w[at]._replace(**rng.choice(({'cut': 1}, {'pad': 1}, {'cut': 1 << 20})))
            elif w[at].kind not in ('claim', 'u32'):
                w[at] = w[at]._replace(flip=rng.randrange(1 << 20))

    def other_output(self, to):
        rng = self.rng
        if to[0] != 'task':
            return ('key', self.other((*CLIENTS, *SOLVERS, OUTSIDER), to[1] if to[0] == 'key' else None))
        task = to[1]
        changes = [{'index': task.index + 1}, {'origin': None}, {'origin': 'f:0'},
                   {'spec': self.other(range(6), task.spec)}]
        if task.state != FUNDED:
            changes += [{'escrow': task.escrow + 1}, {'bond': task.bond + 1}, {'burn': task.burn + 1},
                        {'solver': self.other(SOLVERS, task.solver)},
                        {'result': (self.other(range(5), task.result[0]), task.result[1])}]
        if task.state == CHALLENGED:
            changes += [{'tile': task.tile + 1}, {'state': CLAIMED, 'tile': None}]
        elif task.state == CLAIMED:
            changes.append({'state': CHALLENGED, 'tile': 0})
        return ('task', task._replace(**rng.choice(changes)))

    # -- transactions

    def wallet(self, least):
        """A coin that anyone may spend, worth at least this much."""
        height = self.rules.height + 1
        young = self.rng.random() < 0.02
        coins = [out for out, coin in self.state.coins.items() if coin.to[0] == 'any' and coin.value >= least
                 and (young or not coin.coinbase or coin.height + MATURITY <= height)]
        return self.rng.choice(coins) if coins else None

    def assemble(self, spends, twists, outs=()):
        """The spends in order, then a coin that pays for what is missing; outputs by index, then the rest."""
        rng, coins = self.rng, self.state.coins
        outs = [Out(*spend.paid) for spend in spends] + list(outs)
        burned = sum(spend.burned for spend in spends)
        fee = rng.choice((0, 1, 700))
        missing = sum(out.value for out in outs) + burned + fee - sum(spend.coin.value for spend in spends)
        paying = self.wallet(max(missing, 1))
        if paying is None:
            return None
        change = coins[paying].value - missing
        if 'fee_less' in twists:
            change += fee + 1
        if 'overspent' in twists:
            change += fee + burned + 1
        if 'paid_elsewhere' in twists:
            outs.insert(0, Out(1, ('any',)))
            change = max(0, change - 1)
        ins = [In(spend.out, spend.seq, tuple(spend.w)) for spend in spends] + [In(paying, FINAL - 1, ())]
        name = self.name()
        outs += [Out(change, ('any',)), Out(0, ('note', name))]
        return Tx(name, 1 if 'version' in twists else 2, max([0] + [spend.lock for spend in spends]), tuple(ins),
                  tuple(outs))

    def fund(self):
        """Some tasks, fresh ones and such as pass themselves off for claimed or restored."""
        rng, outs = self.rng, []
        for _ in range(rng.choice((1, 2, 3))):
            number = rng.choice((0, 0, 1, 2, 3, 4, 5))
            spec = self.rules.specs[number]
            index = rng.randrange(spec.tasks()) if spec.valid() and rng.random() < 0.97 else 9
            task, value = Task(FUNDED, None, number, index), rng.choice((0, 1, 7_000_001, 8_000_003, 10 ** 9))
            if rng.random() < 0.08:
                origins = sorted(self.state.records) or ['f:0']
                task = task._replace(origin=rng.choice(origins))
                if rng.random() < 0.6 and index < 9:
                    solver = rng.choice(SOLVERS)
                    bond = rng.choice((value, DEPOSIT, MAX_MONEY))
                    task = task._replace(state=CLAIMED, escrow=value, bond=bond, burn=0, solver=solver,
                                         result=(RIGHT, solver))
                    value += DEPOSIT
            outs.append(Out(value, ('task', task)))
        return self.assemble((), (), outs)

    def one_spend(self, taken):
        """A random spend of a random task output of the state, or None."""
        rng = self.rng
        tasks = [out for out, coin in self.state.coins.items() if coin.to[0] == 'task' and out not in taken]
        if not tasks:
            return None
        out = rng.choice(tasks)
        if self.hopeless(out) and rng.random() < 0.8:
            return None
        coin = self.state.coins[out]
        pre = coin.to[1]
        fitting = [action for action in range(9) if pre.state in STATES[action]]
        record = self.state.records.get(pre.origin)
        weights = [self.weights[action] for action in fitting]
        if REJECT in fitting and (record is None or record.asked < 8):
            weights[fitting.index(REJECT)] *= 0.1
        if REFUND in fitting and self.rules.median(self.rules.height) < self.rules.specs[pre.spec].deadline:
            weights[fitting.index(REFUND)] *= 0.05
        action = rng.choices(fitting, weights)[0]
        twists = ()
        if rng.random() < 0.42:
            twists = (rng.choice(TWISTS if rng.random() < 0.6 else OWN_TWISTS[action]),)
            if 'other_state' in twists:
                action = rng.choice([other for other in range(9) if other not in fitting])
        return self.spend(out, coin, action, twists)

    def hopeless(self, out):
        """An output that only a refund spends, or nothing at all."""
        pre = self.state.coins[out].to[1]
        spec = self.rules.specs[pre.spec]
        forged = pre.origin is not None and getattr(self.state.records.get(pre.origin), 'outpoint', None) != out
        return forged or not spec.valid() or pre.index >= spec.tasks()

    def draft(self):
        rng = self.rng
        open_tasks = sum(coin.to[0] == 'task' and not self.hopeless(out) for out, coin in self.state.coins.items())
        if rng.random() < (0.6 if open_tasks < min(3, self.most_open) else 0.08 if open_tasks < self.most_open else 0):
            return self.fund()
        spends = []
        for _ in range(rng.choice((1, 1, 1, 1, 1, 2))):
            spend = self.one_spend([spend.out for spend in spends])
            if spend is not None:
                spends.append(spend)
        if not spends:
            return self.fund() if open_tasks < self.most_open else None
        return self.assemble(spends, [twist for spend in spends for twist in spend.twists])

    def work(self):
        """The work of a job-lane block on the tip, or None."""
        rng, state = self.rng, self.rules.state
        tasks = [(out, coin.to[1]) for out, coin in state.coins.items() if coin.to[0] == 'task'
                 and self.rules.specs[coin.to[1].spec].valid()
                 and coin.to[1].index < self.rules.specs[coin.to[1].spec].tasks()]
        if rng.random() < 0.9:
            tasks = [(out, pre) for out, pre in tasks if pre.state == FUNDED]
        if not tasks:
            return None
        out, pre = rng.choice(tasks)
        if rng.random() < 0.03:
            out = rng.choice(sorted(state.coins))
        solver = rng.choice(SOLVERS)
        settled = [origin for origin, record in state.records.items() if record.settled]
        mine = [origin for origin in settled if state.records[origin].solver == solver
                and not state.records[origin].backed]
        backing = rng.sample(mine, rng.randrange(len(mine) + 1))
        if rng.random() < 0.1:
            backing += rng.choices(sorted(state.records) + mine, k=1) if state.records else []
        return Work(out, pre, solver, tuple(backing))

    # -- blocks

    def connect(self, txs, work, pay=None, time=None):
        """Has both sides judge a block on the tip; true where it is the tip now."""
        rng, rules = self.rng, self.rules
        verdict = rules.judge_block(txs, work)
        most = verdict.subsidy + verdict.fees - verdict.burned
        if pay is None:
            pay = rng.choice((most, most, most, most // 2, 0, most + 1)) if rng.random() < 0.5 else most
        if not verdict.reasons and pay > most:
            verdict = rules.judge_block(txs, work, pay)
        time = rules.time(rules.height) + rng.choice((1, 100, 240, 240, 700, 1500))
        name = self.name('b')
        got = self.driver.connect(name, time, pay, txs, work)
        rules.txids.update(got['txids'])
        if verdict.reasons:
            check(got['why'] in verdict.reasons, 'refused for %r, wanted one of %s: %s, %s'
                  % (got['why'], sorted(verdict.reasons), txs, work))
            self.counts['reason', got['why']] += 1
            return False
        check_equal(got['why'], '', 'a valid block is refused: %s, %s' % (txs, work))
        self.compare_block(got, verdict)
        self.settle(got)
        rules.connect(verdict, name, got['id'] and bytes.fromhex(got['id']), JOB if work else HASH, time,
                      work.solver if work else None, pay)
        self.mined.append(txs)
        self.ledger.append(pay - verdict.fees)
        self.count_actions('action', txs)
        self.counts['block', 'of the job lane' if work else 'of the hash lane'] += 1
        return True

    def compare_block(self, got, verdict):
        for part in ('fees', 'burned', 'subsidy', 'credit', 'burns'):
            check_equal(got[part], getattr(verdict, part), part)
        self.counts['record', 'forgotten'] += sum(fields is None for _, fields in got['records'])
        told = {origin: self.driver.record(fields) for origin, fields in got['records']}
        changed = {origin for origin in verdict.state.touched
                   if verdict.state.records.get(origin) != self.rules.state.records.get(origin)}
        check(changed <= set(told), 'records changed: %s, told of: %s' % (changed, set(told)))
        for origin, record in told.items():
            check_equal(record, verdict.state.records.get(origin), 'record of ' + origin)

    def settle(self, got):
        """No origin is settled twice in a chain: by what the other side says alone."""
        height = self.rules.height + 1
        now = {origin for origin, fields in got['records'] if fields is not None
               and self.driver.record(fields).settled == height}
        for before in self.settled:
            check(not now & before, 'settled twice: %s' % (now & before))
        self.settled.append(now)

    def compare_state(self):
        rules = self.rules
        height, median, coins, records = self.driver.state()
        check_equal(height, rules.height, 'height')
        check_equal(median, rules.median(rules.height), 'median time')
        check_equal(records, rules.state.records, 'records')
        check_equal(coins, {out: (coin.value, coin.height) for out, coin in rules.state.coins.items()}, 'coins')
        check_equal(sum(value for value, _ in coins.values()), sum(FUNDS) + sum(self.ledger), 'all coins together')

    def block(self):
        """Some transactions, of which the last may be broken, in a block; gives how many there were."""
        rng = self.rng
        self.state = self.rules.state.copy()
        txs, broken, count = [], None, rng.choice((1, 1, 2, 3))
        for _ in range(count):
            tx = self.draft()
            if tx is None:
                break
            before = self.state.copy()
            if not self.rules.final(tx) or self.rules.judge_tx(tx, self.state)[0]:
                self.state, broken = before, tx
                break
            txs.append(tx)
        work = self.work() if rng.random() < 0.2 else None
        if broken is not None:
            check(not self.connect(txs + [broken], work), 'a broken transaction is in a block')
            if rng.random() < 0.1:
                self.compare_state()
        if txs or broken is None:
            self.connect(txs, work)
        return max(1, len(txs) + (broken is not None))

    def in_turn(self, spends, parts):
        """Transactions of these spends, so many of them, each after those before it; None where coins do not suffice."""
        self.state, txs = self.rules.state.copy(), []
        for part in range(parts):
            tx = self.assemble(spends[part::parts], ())
            if tx is None or self.rules.judge_tx(tx, self.state)[0]:
                return None
            txs.append(tx)
        return txs

    def crowd(self):
        """One claim more than a block takes challenges of is challenged at once; gives how many actions that was."""
        rng, rules = self.rng, self.rules
        free = [number for number, spec in rules.specs.items() if spec.valid() and not spec.exclusive]
        if not free:
            return 0
        spec = rules.specs[rng.choice(free)]
        self.state = rules.state.copy()
        fund = self.assemble((), (), [Out(8_000_003, ('task', Task(FUNDED, None, spec.number, rng.randrange(spec.tasks()))))
                                      for _ in range(CHALLENGES_MAX + 1)])
        if fund is None or not self.connect([fund], None, pay=0):
            return 0
        outs = ['%s:%d' % (fund.name, at) for at in range(CHALLENGES_MAX + 1)]
        for action in (CLAIM, CHALLENGE):
            self.state = rules.state.copy()
            spends = [self.spend(out, self.state.coins[out], action, ()) for out in outs]
            if action == CHALLENGE:
                txs = self.in_turn(spends, rng.choice((1, 2, 3)))
                check(txs is None or not self.connect(txs, None, pay=0), 'a block with a challenge too many is taken')
                del spends[rng.randrange(len(spends))]
            txs = self.in_turn(spends, 1)
            if txs is None:
                return CHALLENGES_MAX
            check(self.connect(txs, None, pay=0), 'a crowd is refused')
            outs = ['%s:%d' % (txs[0].name, at) for at in range(len(outs))]
        self.counts['block', 'of a crowd'] += 1
        return 3 * CHALLENGES_MAX

    def mine(self, count=None):
        rng, rules = self.rng, self.rules
        count = count or rng.choice((1, 2, 6, 12, 61))
        time, step = rules.time(rules.height) + 1, rng.choice((20, 240, 900))
        ids = self.driver.mine(count, time, step)
        rules.connect_empty([bytes.fromhex(block_id) for block_id in ids], time, step)
        for _ in ids:
            self.mined.append([])
            self.settled.append(set())
            self.ledger.append(0)

    def count_actions(self, what, txs):
        for tx in txs:
            for given in tx.ins:
                if given.w:
                    self.counts[what, ACTIONS[given.w[0].args]] += 1

    def reorganise(self):
        """Takes blocks away, and mines what was in them in another order of blocks, as far as it is still valid."""
        rng, rules = self.rng, self.rules
        count = min(len(rules.blocks), rng.choice((1, 1, 2, 3, 5, 8, 20, 1000)))
        if count == 0 or count > 2000:
            return
        orphans = [tx for txs in self.mined[-count:] for tx in txs]
        self.count_actions('undone', orphans)
        self.driver.disconnect(count)
        rules.disconnect(count)
        for history in (self.mined, self.settled, self.ledger):
            del history[len(history) - count:]
        self.counts['reorganisation', 'deep' if count > 8 else 'shallow'] += 1
        self.compare_state()
        group = []
        self.state = rules.state.copy()
        for tx in orphans:
            if rng.random() < 0.15:
                continue
            before = self.state.copy()
            if not rules.final(tx) or rules.judge_tx(tx, self.state)[0]:
                self.state = before
                if rng.random() < 0.3:
                    check(not self.connect(group + [tx], None), 'a transaction that is broken now is in a block')
                continue
            group.append(tx)
            if rng.random() < 0.5:
                self.connect(group, self.work() if rng.random() < 0.1 else None)
                group, self.state = [], rules.state.copy()
        if group:
            self.connect(group, None)

    def run(self, actions, old_age=False):
        """A sequence of this many actions; with old_age, settled records are forgotten somewhere in it."""
        rng, steps = self.rng, 0
        ages = rng.randrange(actions) if old_age else None
        while steps < actions:
            chance = rng.random()
            if ages is not None and steps >= ages:
                self.mine(RECORD_KEEP - rng.randrange(60))
                ages = None
            elif chance < self.reorganises:
                self.reorganise()
            elif chance < self.reorganises + self.waits:
                self.mine()
            elif chance > 1 - CROWDS:
                steps += self.crowd()
            else:
                steps += self.block()
        self.compare_state()
        check(self.driver.replay(), 'a fresh replay gives another state')
        self.counts['sequence', 'played'] += 1
        self.counts['sequence', 'actions'] += steps


def play(master, numbers, actions):
    """Plays the sequences of these numbers under a master seed; gives the counts. What fails says which it was."""
    driver, counts = Driver(), Counter()
    try:
        for number in numbers:
            try:
                Play(driver, '%d:%d' % (master, number), counts).run(actions, old_age=number % 150 == 149)
            except Exception as error:
                raise Failure('seed %d, sequence %d: %s' % (master, number, error)) from error
        driver.close()
    except BaseException:
        driver.kill()
        raise
    return counts
