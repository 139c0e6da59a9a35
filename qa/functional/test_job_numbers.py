#!/usr/bin/python3
"""Jobs of wide integers, floats, great depth and several products: what fornax-cli makes of the files, and numpy's results from it;
files and lists that are refused; jobs of more transactions than can be sent at once; and taking back what is not confirmed."""
# timeout: 600
import json
import os

import numpy

from framework import check, check_equal, raises_rpc, wait_until
from jobkit import JobTest, balance, embers, origins, wait_task

DEEP = 65536 + 40


class TestJobNumbers(JobTest):
    coins = 14  # a bond each

    def run(self):
        self.node = self.client
        self.chance = numpy.random.default_rng(11)
        self.numbers()
        self.refused()
        self.partial()
        self.waiting()
        self.cancelled()

    # ---- fornax-cli

    def file(self, name, array):
        path = os.path.join(self.dir, name + '.npy')
        numpy.save(path, array)
        return path

    def good(self, *args):
        status, out, error = self.node.cli(*args)
        check_equal(status, 0, ' '.join(map(str, args)) + ': ' + error)
        return out

    def bad(self, text, *args, status=1):
        got, out, error = self.node.cli(*args)
        check_equal((got, out), (status, ''), '%s: %s' % (args, error))
        check(text in error, 'not "%s" but: %s' % (text, error))

    def batch(self, *pairs):
        path = os.path.join(self.dir, 'list')
        with open(path, 'w') as file:
            file.write('# A and B\n\n' + ''.join('%s %s\n' % pair for pair in pairs))
        return '--batch=' + path

    def submit(self, *args):
        """The id of the job, mined."""
        job = self.good('submitjob', 'gemm', *args, '--yes').strip()
        self.mine()
        return job

    def solve(self, *tasks):
        for task in tasks:
            self.node.rpc.solvetask(task, {'burn': 'none'})
        self.mine()
        for task in tasks:
            wait_task(self.node, task, lambda t: t['check'] == 'right', 'a result to be checked')

    def until(self, job, status):
        """Mines what comes until the job is as wanted."""
        def is_so():
            if self.node.rpc.getrawmempool():
                self.mine()
            return self.node.rpc.getjob(job)['status'] == status
        wait_until(is_so, 'the job to be ' + status, step=0.2)

    def result(self, job, *options, product=None, status=0):
        path = os.path.join(self.dir, 'out.npy')
        got, _, error = self.node.cli('getjobresult', job, path, *options)
        check_equal(got, status, error)
        return numpy.load(path if product is None else path[:-3] + '%d.npy' % product)

    # ---- the tests

    def numbers(self):
        self.step('int8, int16, float32, and a depth above 65,536, in one job and alone')
        draw = self.chance.integers
        wide = (draw(-128, 128, (70, 300), 'i1'), draw(-128, 128, (300, 60), 'i1'))
        wider = (draw(-2 ** 15, 2 ** 15, (50, 200), '<i2'), numpy.asfortranarray(draw(-2 ** 15, 2 ** 15, (200, 45)).astype('>i2')))
        real = (self.chance.normal(0, 1, (60, 100)).astype('<f4'), self.chance.normal(0, 3, (100, 70)).astype('<f4'))
        deep = (draw(-64, 64, (3, DEEP), 'i1'), draw(-64, 64, (DEEP, 4), 'i1'))
        pairs = [(self.file('a%d' % i, a), self.file('b%d' % i, b)) for i, (a, b) in enumerate((wide, wider, real, deep))]

        quote = self.good('submitjob', 'gemm', *pairs[1], '--quote')
        for text in ('gemm 50 x 200 x 45, as 9 products: 3 x 3 limbs, 1 part of the depth', 'int64, exact', 'no-lane-work'):
            check(text in quote, quote)
        quote = self.good('submitjob', 'gemm', *pairs[3], '--quote')
        check('as 2 products: 1 x 1 limbs, 2 parts of the depth' in quote and 'int32, exact' in quote and '2 transactions' in quote, quote)
        quote = self.good('submitjob', 'gemm', *pairs[2], '--quote')
        bound = float(quote.split('float64, each entry within ')[1].split()[0])
        coarse = self.good('submitjob', 'gemm', *pairs[2], '--scale=16', '--quote')
        check(float(coarse.split('each entry within ')[1].split()[0]) > 10 * bound, coarse)

        job = self.submit(self.batch(*pairs))
        info = self.node.rpc.getjob(job, True)
        check_equal([p['type'] for p in info['productlist']], ['int32', 'int64', 'float64', 'int32'])
        check_equal([(p['limbs_a'], p['limbs_b'], p['parts']) for p in info['productlist']], [(2, 2, 1), (3, 3, 1), (2, 2, 1), (1, 1, 2)])
        check_equal([t['status'] for t in info['transactionlist']], ['confirmed'] * 5)
        check_equal((info['products'], info['rows'], info['columns'], info['depth']), (4, 70, 60, 300))
        check_equal(embers(info['reward']), sum(embers(t['escrow']) * t['tasks'] for t in info['transactionlist']))
        check_equal([j['job'] for j in self.node.rpc.listjobs()], [job], 'one job, whatever its transactions')
        tasks = self.node.rpc.listtasks('all', job)
        check_equal({t['job'] for t in tasks}, {job})
        self.bad('The result is not here yet', 'getjobresult', job, os.path.join(self.dir, 'no.npy'))
        self.solve(*[t['origin'] for t in tasks])

        check_equal(self.result(job, product=0).dtype.str, '<i4')
        check((self.result(job, product=0) == wide[0].astype(int) @ wide[1].astype(int)).all(), 'int8')
        check_equal(self.result(job, product=1).dtype.str, '<i8')
        check((self.result(job, product=1) == wider[0].astype(int) @ wider[1].astype(int)).all(), 'int16')
        got, right = self.result(job, product=2), real[0].astype(float) @ real[1].astype(float)
        off = numpy.abs(got - right).max()
        check(got.dtype.str == '<f8' and off <= bound, 'float32: off by %g of %g' % (off, bound))
        check(off > bound / 10000, 'the bound, %g, is far from what is off, %g' % (bound, off))
        check((self.result(job, product=3) == deep[0].astype(int) @ deep[1].astype(int)).all(), 'depth')
        check_equal(self.node.rpc.getjob(job)['resulthere'], True)
        part = self.node.rpc.getjobresult(job, 1, 2, 'array', 1)
        check_equal((part['type'], part['data']), ('int64', (wider[0].astype(int) @ wider[1].astype(int))[1:3].tolist()))

        self.step('a job with its tasks one by one, and its end')
        self.until(job, 'done')
        info = self.node.rpc.getjob(job, True)
        check_equal(info['status'], 'done')
        for task in info['tasklist']:
            check_equal((task['status'], task['here'], task['certified'], task['rejections'], task['end']['action']),
                        ('settled', True, True, [], 'accept'))
            check(task['offered']['time'] <= task['claim']['time'] <= task['end']['time'], 'times: %s' % task)
        status, out, error = self.node.cli('watchjob', job)
        check_equal((status, error), (0, ''))
        check('done: ' in out and 'result 100%, result here' in out, out)
        self.bad('The job is done: all of its 10 tasks are settled', 'canceljob', job, status=4)

    def refused(self):
        self.step('matrices and lists that are refused')
        ones = self.file('ones', numpy.ones((4, 4), 'i1'))
        for value, text in ((numpy.nan, 'nan'), (numpy.inf, 'inf'), (-numpy.inf, '-inf')):
            a = numpy.zeros((5, 4), '<f4')
            a[3, 1] = value
            self.bad('entry [3, 1] is %s; entries must be finite' % text, 'submitjob', 'gemm', self.file('x', a), ones, '--yes')
        for dtype in ('<f2', '<c8', '|b1', '<U2'):
            self.bad("dtype, '%s'" % dtype, 'submitjob', 'gemm', self.file('x', numpy.zeros((4, 4), dtype)), ones, '--yes')
        self.bad('entry [0, 0] is 65536; entries must be from -32768 to 65535', 'submitjob', 'gemm',
                 self.file('x', numpy.full((4, 4), 65536)), ones, '--yes')
        real = self.file('real', numpy.full((4, 4), 3.0, '<f4'))
        self.bad('the scale may be at most 346773', 'submitjob', 'gemm', real, ones, '--scale=1e6', '--yes')
        for scale in ('0', '-1', 'x', '1,2,3', 'nan'):
            self.bad('--scale=' + scale, 'submitjob', 'gemm', real, ones, '--scale=' + scale, '--yes')
        self.bad('it names no matrices', 'submitjob', 'gemm', self.batch(), '--yes')
        narrow = self.file('narrow', numpy.ones((3, 4), 'i1'))
        self.bad('line 4: ', 'submitjob', 'gemm', self.batch((narrow, ones), (ones, narrow)), '--yes')
        self.bad('as many as the rows of B', 'submitjob', 'gemm', self.batch((narrow, ones), (ones, narrow)), '--yes')
        self.bad('No such file', 'submitjob', 'gemm', '--batch=' + os.path.join(self.dir, 'none'), '--yes')
        self.bad('--batch=LIST alone', 'submitjob', 'gemm', ones, '--batch=x', '--yes')
        self.bad('is too much', 'submitjob', 'gemm', '--batch=x', ones, '--yes')
        check_equal(len(self.node.rpc.listjobs()), 1)

    def partial(self):
        self.step('the part of a result that is here')
        a = self.chance.integers(-64, 64, (300, 256), 'i1')
        b = self.chance.integers(-64, 64, (256, 100), 'i1')
        job = self.submit(self.file('a', a), self.file('b', b), '--task-rows=1')
        tasks = origins(self.node, job)
        self.solve(tasks[1])
        self.bad('not here yet', 'getjobresult', job, os.path.join(self.dir, 'no.npy'))
        got = self.result(job, '--partial', status=2)
        right = a.astype(int) @ b.astype(int)
        check((got[128:256] == right[128:256]).all() and not got[:128].any() and not got[256:].any(), 'partial result')
        part = self.node.rpc.getjobresult(job, 100, 100, 'array', 0, True)
        check_equal(part['progress'], {'tasks': 3, 'here': 1})
        check_equal(part['missing'], [{'row': 0, 'rows': 128, 'column': 0, 'columns': 100}])
        check_equal(part['data'], got[100:200].tolist())
        self.solve(tasks[0], tasks[2])
        check((self.result(job, '--partial') == right).all(), 'the whole')
        self.until(job, 'done')

    def waiting(self):
        self.step('more transactions than the pool takes in a chain: the node goes on with the rest')
        ones = self.file('ones', numpy.ones((4, 4), 'i1'))
        count = 30
        # One coin, so that each transaction spends the change of the one before.
        free = self.node.rpc.getbalances()['mine']['trusted']
        self.node.rpc.sendtoaddress(self.node.rpc.getnewaddress(), free, '', '', True)
        self.mine()
        coins = sorted(coin['amount'] for coin in self.node.rpc.listunspent())
        check_equal(len(coins), 1)
        status, out, error = self.node.cli('submitjob', 'gemm', self.batch(*[(ones, ones)] * count), '--yes')
        check_equal(status, 0, error)
        job = out.strip()
        check('in 30 tasks' in error and '30 transactions' in error and 'and 22 products more' in error, error)
        info = self.node.rpc.getjob(job)
        check_equal(info['tasks']['total'], count)
        check(info['tasks']['waiting'] > 0, 'nothing waits with coins %s: %s' % (coins, info['tasks']))
        check('too-long-mempool-chain' in info['note'] and 'still to be sent' in error, '%s; %s' % (info['note'], error))
        states = [t['status'] for t in self.node.rpc.getjob(job, True)['transactionlist']]
        check_equal((states.count('pending'), states.count('waiting')), (count - info['tasks']['waiting'], info['tasks']['waiting']))
        self.node.stop()
        self.node.start()
        self.node.connect(self.solver)
        self.mine()
        wait_until(lambda: self.node.rpc.getjob(job)['tasks']['waiting'] == 0, 'the rest to be sent')
        self.mine()
        info = self.node.rpc.getjob(job)
        check_equal((info['tasks']['open'], info['status']), (count, 'open'))
        check('note' not in info, info.get('note'))

        self.step('after confirmation: when each escrow returns')
        before = self.node.rpc.getrawmempool()
        done = self.node.rpc.canceljob(job)
        check_equal((done['replaced'], done['dropped'], len(done['remaining'])), (0, 0, count))
        check_equal({(t['status'], t['returns']) for t in done['remaining']}, {('open', info['deadline'])})
        check_equal(self.node.rpc.getrawmempool(), before)

        self.step('insufficient funds: nothing is sent')
        free = balance(self.node)
        self.bad('Insufficient funds', 'submitjob', 'gemm', self.batch(*[(ones, ones)] * 3), '--reward=100000', '--yes', status=6)
        check_equal((balance(self.node), self.node.rpc.getrawmempool()), (free, []))
        self.pass_median(90000)
        self.until(job, 'ended')
        status, out, _ = self.node.cli('watchjob', job)
        check_equal(status, 2)
        check('30 refunded' in out, out)
        self.bad('The job has ended: of its 30 tasks 0 were settled, 30 refunded and 0 rejected', 'canceljob', job, status=4)

        self.step('offered again, under the same job')
        check_equal(self.node.rpc.reofferjob(job), {'tasks': count})
        check_equal(self.node.rpc.getjob(job)['tasks']['refunded'], 0)
        done = self.node.rpc.canceljob(job)
        check(done['replaced'] + done['dropped'] == count and done['replaced'] > 0, done)
        self.mine()
        check_equal(self.node.rpc.getjob(job)['tasks']['open'], 0)

    def cancelled(self):
        self.step('taken back before it is confirmed: all coins return, less a fee')
        self.mine()
        free = balance(self.node)
        a = self.file('a', self.chance.integers(-64, 64, (46 * 128, 256), 'i1'))
        b = self.file('b', self.chance.integers(-64, 64, (256, 46 * 128), 'i1'))
        status, out, error = self.node.cli('submitjob', 'gemm', a, b, '--task-size=128', '--reward=0.0001', '--yes')
        check_equal(status, 0, error)
        check('in 2116 tasks' in error and '2 transactions' in error, error)
        job = out.strip()
        sent = [t['txid'] for t in self.node.rpc.getjob(job, True)['transactionlist']]
        check_equal(sorted(self.node.rpc.getrawmempool()), sorted(sent))
        for txid in sent:
            check(self.node.rpc.getmempoolentry(txid)['weight'] <= 400000, 'weight')
        done = json.loads(self.good('canceljob', job))
        check_equal((done['replaced'], done['remaining']), (2, []))
        check_equal(self.node.rpc.getrawmempool(), [done['replacement']])
        check_equal(self.node.rpc.getjob(job)['status'], 'cancelled')
        self.bad('The job was cancelled', 'getjobresult', job, os.path.join(self.dir, 'no.npy'))
        status, out, _ = self.node.cli('watchjob', job)
        check_equal((status, out.startswith('cancelled: 2116 tasks')), (3, True))
        self.bad('The job was cancelled already', 'canceljob', job, status=4)
        self.mine()
        check_equal(self.node.rpc.getrawmempool(), [])
        check_equal(balance(self.node), free - embers(done['fee']), 'balance after taking back')
        check_equal((self.node.rpc.getjob(job)['status'], self.node.rpc.listtasks('all', job)), ('cancelled', []))
        self.pages()
        self.bad('is not one of this wallet', 'canceljob', 'ab' * 32, status=4)

    def pages(self):
        self.step('listjobs in pages: the newest, oldest first')
        jobs = self.node.rpc.listjobs()
        check_equal(len(jobs), 4)
        for count, skip, want in ((1000, 0, jobs), (4, 0, jobs), (2, 0, jobs[2:]), (2, 1, jobs[1:3]), (2, 3, jobs[:1]),
                                  (2, 4, []), (2, 5, []), (0, 0, [])):
            check_equal(self.node.rpc.listjobs(False, count, skip), want, 'count %d, skip %d' % (count, skip))
        check_equal(self.node.rpc.listjobs(count=1, skip=2), jobs[1:2])
        check_equal([job['job'] for job in json.loads(self.good('listjobs', 'true', 1, 3))], [jobs[0]['job']])
        for page in ((-1, 0), (1, -1)):
            with raises_rpc(-8, 'out of range'):
                self.node.rpc.listjobs(False, *page)


if __name__ == '__main__':
    TestJobNumbers().main()
