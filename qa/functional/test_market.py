#!/usr/bin/python3
"""The market as RPC shows it: the order of the job book, why a task is not offered, exclusive slots and solvers that do not use
theirs, and sums over blocks."""
import jobkit
from framework import check, check_equal, raises_rpc, wait_until
from jobkit import JobTest, embers

ONE = dict(task_rows=1, task_cols=1)


class TestMarket(JobTest):
    def run(self):
        self.client_key = self.client.rpc.getsolverkey()
        self.solver_key = self.solver.rpc.getsolverkey()
        self.empty()
        self.order()
        self.not_offered()
        self.exclusive()
        self.missed_slots()
        self.sums()

    def job(self, seed, rows=128, **options):
        """A job of as many tasks as tiles, mined; their origins, in order."""
        a, b = jobkit.matrix(rows, 256, seed), jobkit.matrix(256, 128, seed + 1)
        _, tasks = self.submit_mined(a, b, **ONE, **options)
        self.sync_blocks()
        return tasks

    def book(self, node=None, **options):
        return (node or self.solver).rpc.getjobbook(options)

    def offer(self, origin, node=None, **options):
        """What the book says of this task."""
        return next(t for t in self.book(node, all=True, **options)['tasks'] if t['origin'] == origin)['offer']

    def empty(self):
        book = self.book()
        check_equal((book['total'], book['tasks'], book['solvers']), (0, [], []), 'an empty book')
        check_equal(book['solver'], self.solver_key, 'for whom it is')
        info = self.client.rpc.getmarketinfo()
        check_equal((info['open']['tasks'], info['offered']['tasks'], info['joblane']['blocks']), (0, 0, 0))
        check('useful' not in info['joblane'] and 'open' not in info['prices'], 'figures of nothing')
        with raises_rpc(-8, 'out of range'):
            self.client.rpc.getmarketinfo(0)
        with raises_rpc(-8, 'speed'):
            self.book(speed=-1)
        with raises_rpc(-8):
            self.book(solver='00')

    def order(self):
        self.cheap = self.job(1, rows=256, reward='0.01')
        self.dear = self.job(3, reward='0.03')[0]
        tasks = self.book(burn='none')['tasks']
        check_equal(tasks[0]['origin'], self.dear, 'the best paid')
        check_equal(sorted(t['origin'] for t in tasks[1:]), sorted(self.cheap), 'the others')
        check_equal([embers(t['offer']['pay']) for t in tasks], [3_000_000_000, 1_000_000_000, 1_000_000_000], 'pay')
        check_equal(self.book(count=1, skip=2, burn='none')['tasks'], tasks[2:], 'one of three')
        check_equal(self.book(count=1)['total'], 3, 'all of them')
        check('solvers' not in self.book(solvers=False), 'solvers that were not asked for')
        # Operands at hand count, where the pay is about the same: it was 20 % more than it seems.
        near = self.job(5, reward='0.0305')[0]
        wait_until(lambda: self.solver.rpc.prepareoperands(self.dear)['here'], 'the operands')
        tasks = self.book(burn='none')['tasks']
        check_equal([t['origin'] for t in tasks[:2]], [self.dear, near], 'operands first')
        self.near = near

    def not_offered(self):
        check_equal(self.offer(self.dear, speed=0.00001)['why'], 'too-late', 'a brick in more than a day')
        check_equal(self.book(speed=0.00001)['total'], 0, 'offers to the slow')
        # A block that is mined in a task shows who is at work.
        self.client.rpc.generatejobblock(self.dear)
        self.sync_blocks()
        offer = self.offer(self.dear, speed=1)
        check_equal((offer['why'], offer['worker']['solver'], offer['worker']['overdue']), ('worked-on', self.client_key, False))
        check('why' not in self.offer(self.dear, self.client, speed=1), 'barred from its own task')
        self.advance(100)
        offer = self.offer(self.dear, speed=1)
        check('why' not in offer and offer['worker']['overdue'], 'a straggler keeps its task: %s' % offer)
        # So does a claim that waits in the mempool.
        self.solver.rpc.solvetask(self.dear)
        check_equal(self.offer(self.dear)['why'], 'claimed', 'a claim that waits')
        task = self.solver.rpc.gettask(self.dear)
        check(task['spender'] in self.solver.rpc.getrawmempool(), 'the spender of a task')
        self.mine_txs(self.solver, task['spender'])
        check(self.solver.rpc.gettask(self.dear).get('spender') != task['spender'], 'a spender that was mined')
        jobkit.wait_task(self.client, self.dear, lambda t: t['certified'], 'the certificate')

    def exclusive(self):
        """For the one of the two that is drawn."""
        self.solver.rpc.generatejobblock(self.near)
        self.sync_blocks()
        task = self.job(7, exclusive=4)[0]
        height = self.client.rpc.gettask(task)['height']
        offer = self.offer(task)
        check_equal((offer['why'], offer['exclusive']), ('exclusive', {'for': 'waits', 'until': height + 4}), 'no beacon yet')
        self.mine()
        seen = {node: self.offer(task, node) for node in self.nodes}
        drawn = seen[self.client]['exclusive'].get('solver')
        check(drawn in (self.client_key, self.solver_key), 'who is drawn')
        for node, key in ((self.client, self.client_key), (self.solver, self.solver_key)):
            own = key == drawn
            check_equal(seen[node]['exclusive'], {'for': 'own' if own else 'other', 'solver': drawn, 'until': height + 4})
            check_equal(seen[node].get('why'), None if own else 'exclusive', 'offered')
        node = self.client if drawn == self.client_key else self.solver
        check_equal(self.book(node)['tasks'][0]['origin'], task, 'an own slot goes before all else')
        self.mine(3)
        check('exclusive' not in self.offer(task), 'the slot is over')
        drawn_info = next(s for s in self.book()['solvers'] if s['solver'] == drawn)
        check_equal((drawn_info['slots'], drawn_info['missed'], drawn_info['available']), (1, 1, True), 'one slot missed')

    def missed_slots(self):
        """Whoever misses three in a row is not available, until it claims in a slot again."""
        self.job(20, rows=12 * 128, exclusive=2)
        self.mine(2)
        solvers = {s['solver']: s for s in self.book()['solvers']}
        both = [solvers[self.client_key], solvers[self.solver_key]]
        # Of twelve tasks each was drawn for three with all but certainty; whoever was not is no part of this.
        gone = [s for s in both if s['slots'] == 3]
        check(gone and all(s['missed'] == 3 and not s['available'] for s in gone), 'solvers: %s' % both)
        request = jobkit.request_of(self.client, jobkit.matrix(128, 256, 50), jobkit.matrix(256, 128, 51), exclusive=6)
        quote = self.client.rpc.quotejob(request)
        check_equal(quote['exclusivity']['draws'], sum(s['blocks'] for s in both), 'draws')
        check_equal(quote['exclusivity']['unavailable'], sum(s['blocks'] for s in gone), 'draws in vain')
        check('waits 6 blocks for nobody' in quote['warning'], quote['warning'])
        if len(gone) == 2:
            check_equal(quote['exclusivity']['proposed'], 0, 'what is proposed where nobody comes')
        check('warning' not in self.client.rpc.quotejob({**request, 'exclusive': 0}), 'a warning of what is not asked for')
        # Back: it claims in its slot.
        tasks = self.job(60, rows=6 * 128, exclusive=6)
        self.mine()
        own = [t for t in tasks if self.offer(t)['exclusive']['for'] == 'own']
        if own:  # not with 2^-6
            claim = self.solver.rpc.solvetask(own[0])['txid']
            self.mine_txs(self.client, claim)
            self.mine(6)
            info = next(s for s in self.book()['solvers'] if s['solver'] == self.solver_key)
            check(info['claims'] >= 2, 'claims')
            check(info['missed'] < 3 or len(own) > 3, 'available again: %s' % info)

    def sums(self):
        infos = [node.rpc.getmarketinfo() for node in self.nodes]
        check_equal(infos[0], infos[1], 'both nodes')
        info = infos[0]
        tasks = self.client.rpc.listtasks()
        check_equal(info['offered']['tasks'], len(tasks), 'offered')
        check_equal(info['offered']['bricks'], sum(t['shape']['bricks'] for t in tasks), 'bricks')
        check_equal(embers(info['offered']['escrow']), sum(embers(t['escrow']) for t in tasks), 'escrows')
        open_tasks = [t for t in tasks if t['status'] == 'open']
        check_equal(info['open']['tasks'], len(open_tasks), 'open')
        check_equal(info['claimed']['tasks'], len([t for t in tasks if 'claim' in t]), 'claimed')
        settled = [t for t in tasks if t['status'] == 'settled']
        check_equal(info['settled']['tasks'], len(settled), 'settled')
        check_equal(embers(info['burned']), sum(embers(t['claim']['burn']) for t in settled), 'burned')
        check_equal(embers(info['paid']), sum(embers(t['escrow']) - embers(t['claim']['burn']) for t in settled), 'paid')
        check_equal(info['joblane']['blocks'], 2, 'blocks of the job lane')
        check_equal(embers(info['prices']['openleast']),
                    min(embers(t['escrow']) * 1000 // t['shape']['bricks'] for t in open_tasks), 'the least price')
        self.client.restart()
        check_equal(self.client.rpc.getmarketinfo(), info, 'after a restart')
        self.client.connect(self.solver)
        last = self.client.rpc.getmarketinfo(1)
        check_equal((last['first'], last['last']), (info['last'], info['last']), 'a window of one block')


if __name__ == '__main__':
    TestMarket().main()
