#!/usr/bin/python3
"""The tables of doc/economics.md, computed from the constants of the protocol and one example job.

    doc/examples/economics.py            prints the tables
    doc/examples/economics.py --check    compares them with the page; exit status 1 where they differ
    doc/examples/economics.py --write    puts them into the page

Other jobs: change EXAMPLE. Amounts are embers inside, and FNX in the tables.
"""
import pathlib
import sys

COIN = 100_000_000
DEPOSIT = 2_000_000        # consensus/params.h, FX_DEPOSIT
ASKED_MAX = 8              # challenges of one claim: consensus/task.h, FX_TASK_ASKED_MAX
CHALLENGE_ABOVE = DEPOSIT  # escrow that is worth asking on the chain: src/jobs/jobs.h, FX_CHALLENGE_ABOVE
SAMPLES = 2                # of take: FX_TASK_SAMPLES
LOCK_UNIT = 512            # seconds
EXPIRE_DEPTH = 60          # blocks that the beacon of a claim lies below an expire
BLOCK_SECONDS = 120        # two lanes of 240 s each
FEE_RATE = 1000            # embers for 1,000 vbytes: what nodes relay at least, src/mempool/mempool.h
BLOCK_WEIGHT = 4_000_000
CHALLENGES = 24            # of a block: FX_BLOCK_CHALLENGES_MAX
BACKING = 4096             # origins in a backing list: FX_BACKING_MAX

# consensus/params.c: first subsidy, WINDOW_MIN and ANSWER_WINDOW in units of 512 s
NETWORKS = {'main': (1_000_000_000, 14, 14), 'regtest': (1_000_000_000, 1, 1)}

# A task of 16,384 bricks (16 x 64 tiles, k = 4,096) at the reward that fornax-cli offers by itself, of a product of 64 tasks,
# where a job-lane block takes a million bricks on average.
EXAMPLE = {'rows': 16, 'cols': 64, 'k': 4096, 'm': 16 * 8 * 128, 'n': 64 * 8 * 128, 'reward_brick': 10_000, 'expected': 1_000_000}


def bricks():
    return EXAMPLE['rows'] * EXAMPLE['cols'] * EXAMPLE['k'] // 256


def escrow():
    return bricks() * EXAMPLE['reward_brick']


def bond():
    """max(DEPOSIT, a quarter of the escrow, rounded up): section 5 and src/jobs/split.c."""
    return max(DEPOSIT, -(-escrow() // 4))


def subsidy_of_credit():
    return NETWORKS['main'][0] * bricks() // EXAMPLE['expected']


def burn():
    """auto: half of the subsidy that the credit can gain (section 4), at most the escrow."""
    return min(subsidy_of_credit() // 2, escrow())


def depth(leaves):
    """Levels of a tree that is padded to a power of two."""
    return max(leaves - 1, 0).bit_length()


def entry_proof():
    """Bytes (section 7): a row of each operand with the siblings of its leaves and panel, and an entry's leaf with its path."""
    operand = [EXAMPLE['k'] + EXAMPLE['k'] // 256 * 7 * 32 + 32 * depth(side // 128) for side in (EXAMPLE['m'], EXAMPLE['n'])]
    return sum(operand) + 512 + 7 * 32 + 32 * depth(EXAMPLE['rows'] * EXAMPLE['cols'])


# Virtual bytes: two inputs and two outputs with signatures (about 250), and the witness at a quarter.
def fee(witness):
    return -(-(250 + -(-witness // 4)) * FEE_RATE // 1000)


FEES = {'claim': fee(88), 'accept': fee(128), 'take': lambda: fee(2 * entry_proof()), 'fraud': lambda: fee(entry_proof()),
        'challenge': fee(68), 'answer': lambda: fee(65536 + 32 * depth(EXAMPLE['rows'] * EXAMPLE['cols'])), 'expire': fee(64),
        'reject': fee(64), 'refund': fee(64)}


def cost(action):
    value = FEES[action]
    return value() if callable(value) else value


def fnx(amount):
    return '%.8f' % (amount / COIN)


def change(amount):
    return '%+.8f' % (amount / COIN) if amount else '0'


def table(head, rows):
    return '\n'.join(['| %s |' % ' | '.join(head), '|' + '---|' * len(head)] + ['| %s |' % ' | '.join(map(str, row)) for row in rows])


def example():
    return table(['of the example task', ''], [
        ['bricks', '{:,}'.format(bricks())], ['escrow', fnx(escrow())], ['bond, max(DEPOSIT, escrow / 4)', fnx(bond())],
        ['subsidy that its credit can gain, S * bricks / E', fnx(subsidy_of_credit())],
        ['burn, half of that', fnx(burn())], ['pay of the solver, escrow - burn', fnx(escrow() - burn())],
        ['and the subsidy later, at most', fnx(min(subsidy_of_credit(), 2 * burn()))],
        ['DEPOSIT', fnx(DEPOSIT)], ['entry proof', '{:,} bytes'.format(entry_proof())]])


def fees():
    return table(['action', 'fee at the least rate'], [[action, fnx(cost(action))] for action in FEES])


def cheats():
    """What each side has more or less than before, where the honest outcome is in the first row. Work is not counted."""
    e, b, u, claim = escrow(), bond(), burn(), cost('claim')
    answers, deposits = ASKED_MAX * cost('answer'), ASKED_MAX * DEPOSIT
    asked = deposits + ASKED_MAX * cost('challenge')
    rows = [
        ['none: certified', -e, e - u - claim - cost('accept'), u],
        ['client refuses to certify: solver takes after the window', -e, e - u - claim - cost('take'), u],
        ['solver returns one wrong entry, client proves it', b - b // 2 - cost('fraud'), -b - claim, b // 2],
        ['the same, a third node proves it', 0, -b - claim, b // 2],
        ['solver slashes itself to save its bond', 0, -(b // 2) - claim - cost('fraud'), b // 2],
        ['solver answers no challenge, or copied a claim', b - b // 2 - cost('challenge') - cost('expire'), -b - claim, b // 2],
        ['solver vanishes after its claim', b - b // 2 - cost('expire'), -b - claim, b // 2],
        ['client withholds operands: nobody claims, refund', -cost('refund'), 0, 0],
        ['solver serves nothing, where the escrow is not worth asking (see below): take', -e, e - u - claim - cost('take'), u],
        ['solver answers eight challenges and serves nothing else: reject', -e - asked - cost('reject'), -answers - claim, e + deposits],
        ['client challenges eight times, then certifies', -e - asked, e - u - answers - claim - cost('accept'), u + deposits],
        ['spite: client has the result and rejects after eight right answers', -e - asked - cost('reject'), -answers - claim, e + deposits],
    ]
    return table(['cheat', 'client', 'solver', 'burned'], [[name, change(c), change(s), fnx(d)] for name, c, s, d in rows])


def spite():
    """What it costs a client to take the pay from a solver that did the work, by the size of the task."""
    rows = []
    for n in (100, 1_000, 16_384, 100_000, 1_000_000):
        e = max(n * EXAMPLE['reward_brick'], 1_000_000)
        u = min(NETWORKS['main'][0] * n // EXAMPLE['expected'] // 2, e)
        costs = e + ASKED_MAX * (DEPOSIT + cost('challenge')) + cost('reject')
        # Without the reject it would have had its pay, and without the challenges no answers to pay for.
        harm = e - u + ASKED_MAX * cost('answer')
        rows.append(['{:,}'.format(n), fnx(e), fnx(costs), change(-harm), '%.2f' % (costs / harm)])
    return table(['bricks of the task', 'escrow', 'cost to the client', 'what the solver has less', 'cost over harm'], rows)


def withheld():
    """A solver with the right result that does not serve it; against one that does and burns nothing, which is the least that a
    settled task is worth, and a client whose result comes."""
    rows = []
    for n in (100, 200, 201, 1_600, 16_384, 1_000_000):
        e = max(n * EXAMPLE['reward_brick'], 1_000_000)
        asked = e > CHALLENGE_ABOVE
        # Nothing else than answers comes: rejected, or taken where nobody asks.
        never = -ASKED_MAX * cost('answer') - (e - cost('accept')) if asked else cost('accept') - cost('take')
        lost = e + (ASKED_MAX * (DEPOSIT + cost('challenge')) + cost('reject') if asked else 0)
        once = [change(-cost('answer')), change(-DEPOSIT - cost('challenge'))] if asked else ['-', '-']
        rows.append(['{:,}'.format(n), fnx(e), 'yes' if asked else 'no', change(never), change(-lost)] + once)
    return table(['bricks of the task', 'escrow', 'asked', 'solver, if it never serves', 'client', 'solver, if it serves once it is asked', 'client'], rows)


def rates():
    """One challenge and its answer, by the fee rate in embers a vbyte."""
    rows = []
    for rate in (1, 10, 50, 100, 200):
        asks, answers = DEPOSIT + rate * cost('challenge'), rate * cost('answer')
        rows.append([rate, fnx(asks), fnx(answers), '%.1f' % (asks / answers), fnx(ASKED_MAX * answers)])
    return table(['embers a vbyte', 'asking costs the client', 'the answer costs the solver', 'cost over harm', 'eight answers'], rows)


def answer_weight(tiles):
    """Of an answer that spends the task and one coin, and has change; one weight unit a byte of witness (protocol section 5)."""
    base = 4 + 1 + 2 * 41 + 1 + 2 * 43 + 4
    preimage = 1 + 36 + 42 + 84 + 4 + 88 + 4
    return 4 * base + 2 + (1 + 2 + 65) + (5 + 65536) + (3 + 32 * depth(tiles)) + (3 + preimage) + (1 + 65)


def proof_weight():
    """Of the longest work proof (section 6): a full backing list, and paths of the largest operands."""
    path = 32 * (depth(65536 // 256) + depth(2 ** 24 // 128))
    return 3 + (1 + 36 + 42 + 84 + 4 + 88 + 4) + 3 + 36 * BACKING + 12 + 2 * (32768 + path) + 64


def window_blocks(network='main'):
    return NETWORKS[network][2] * LOCK_UNIT // BLOCK_SECONDS


def answers():
    """What the answers to the challenges of a block take of the next one; the header and the coinbase are 2,000 of each."""
    answer, rows = answer_weight(2 ** 24), []
    for name, room in (('hash', BLOCK_WEIGHT - 2000), ('job, with the longest work proof', BLOCK_WEIGHT - 2000 - proof_weight())):
        rows.append([name, '{:,}'.format(room), '{:,}'.format(answer), room // answer, CHALLENGES, '%.0f %%' % (100 * CHALLENGES * answer / room)])
    return table(['lane', 'weight for transactions', 'of the longest answer', 'answers that fit', 'challenges of a block', 'their answers take'], rows)


def crowds():
    """A client that challenges as much as blocks allow, and then pays for all the room of the answer window, so that nothing is
    answered: solvers bid up to bond and pay for each answer's room."""
    blocks, rows = window_blocks(), []
    for e, b, u in ((1_000_000, DEPOSIT, 0), (escrow(), bond(), burn())):
        gain = CHALLENGES * blocks * (b - b // 2)
        pays = blocks * (BLOCK_WEIGHT // answer_weight(2 ** 24)) * (b + e - u)
        rows.append([fnx(e), fnx(b), '{:,}'.format(CHALLENGES * blocks), fnx(gain), fnx(pays), '%.1f' % (pays / gain)])
    return table(['escrow', 'bond', 'challenges of a window', 'half of their bonds', 'the room of the window', 'cost over gain'], rows)


def places():
    """Somebody who fills the places for challenges in every block of a window, by claims of its own: the cheapest end of each is
    that it expires, which burns half of the least bond."""
    places_, rows = CHALLENGES * window_blocks(), []
    each = DEPOSIT - DEPOSIT // 2 + cost('claim') + cost('expire')
    for bid in (cost('challenge'), 100_000, 1_000_000, escrow()):
        rows.append([fnx(bid), '{:,}'.format(places_), fnx(each), fnx(places_ * (each + bid)), '{:,.0f}'.format(places_ * (each + bid) / escrow())])
    return table(['bid of the one that is kept out', 'places of a window', 'lost a place, beside the bid', 'cost', 'in escrows of the example'], rows)


def samples():
    """A take of a result of which a part is wrong, where no node with the data looks."""
    e, b, u = escrow(), bond(), burn()
    rows = []
    for wrong in (1, 10, 25, 50, 100):
        passes = (1 - wrong / 100) ** SAMPLES
        rows.append(['%d %%' % wrong, '%.4f' % passes, change(round(passes * (e - u) - (1 - passes) * b))])
    return table(['entries wrong', 'both samples are right', 'value to the solver, if none of them looks'], rows)


def waits():
    rows = []
    for name, (_, window, answer) in NETWORKS.items():
        window, answer = window * LOCK_UNIT, answer * LOCK_UNIT
        rows.append([name, '%.1f h' % (window / 3600), '%.1f h' % ((1 + ASKED_MAX) * window / 3600),
                     '%.1f h' % (answer / 3600), '%.1f h' % (max(2 * window, EXPIRE_DEPTH * BLOCK_SECONDS) / 3600)])
    return table(['', 'take without a certificate', 'the same, challenged eight times just before its end',
                  'a challenge without an answer', 'a claim that is neither accepted nor taken'], rows)


def invented():
    """Somebody who pays itself for jobs of no use, to have the subsidy of the job lane; the escrow goes round."""
    subsidy, expected = NETWORKS['main'][0], EXAMPLE['expected']
    rows = []
    for share in (0, 25, 50, 100):
        burned = subsidy * share // 100 // 2
        gets = min(subsidy, 2 * burned)
        rows.append(['{:,}'.format(expected * share // 100), fnx(burned), fnx(gets), change(gets - burned)])
    return table(['bricks of credit for a block', 'burned', 'subsidy', 'gain, before the work'], rows)


TABLES = {'example': example, 'fees': fees, 'cheats': cheats, 'spite': spite, 'withheld': withheld, 'rates': rates, 'answers': answers, 'crowds': crowds, 'places': places,
          'samples': samples, 'waits': waits, 'invented': invented}
PAGE = pathlib.Path(__file__).resolve().parent.parent / 'economics.md'


def filled(text):
    """The page with the tables of now between their marks."""
    for name, make in TABLES.items():
        start, end = '<!-- table %s -->\n' % name, '<!-- end -->'
        before, rest = text.split(start)
        text = before + start + make() + '\n' + end + rest.split(end, 1)[1]
    return text


def main():
    if sys.argv[1:] == ['--check']:
        return 0 if PAGE.read_text() == filled(PAGE.read_text()) else 'doc/economics.md does not have these tables: --write'
    if sys.argv[1:] == ['--write']:
        PAGE.write_text(filled(PAGE.read_text()))
    elif sys.argv[1:]:
        return __doc__
    else:
        print('\n\n'.join('%s\n\n%s' % (name, make()) for name, make in TABLES.items()))
    return 0


if __name__ == '__main__':
    sys.exit(main())
