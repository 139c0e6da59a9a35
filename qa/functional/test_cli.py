#!/usr/bin/python3
# sanitizer: yes
"""fornax-cli: what it prints, where, and with which exit status; matrices that are refused before anything is uploaded."""
import json
import os
import socket
import struct
import subprocess
import threading
import time

import numpy

from framework import FornaxTest, check, check_equal, free_port, program, wait_until
from jobkit import origins, wait_task


class TestCli(FornaxTest):
    nodes_count = 1

    def run(self):
        self.node = self.nodes[0]
        self.words()
        self.calls()
        self.errors()
        self.connecting()
        self.files()
        self.matrices()
        self.quotes()
        self.full()
        self.several()
        self.absent()

    def cli(self, *args, stdin=None, plain=False):
        """(exit status, standard output, standard error); plain: without the options that name the node."""
        if not plain:
            return self.node.cli(*args, stdin=stdin)
        done = subprocess.run([program('fornax-cli'), *map(str, args)], capture_output=True, text=True, timeout=30,
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def good(self, *args, stdin=None):
        status, out, error = self.cli(*args, stdin=stdin)
        check_equal((status, error), (0, ''), 'fornax-cli ' + ' '.join(map(str, args)))
        return out

    def bad(self, status, text, *args, stdin=None, plain=False):
        """It fails with this status, says this on standard error, and nothing on standard output."""
        got, out, error = self.cli(*args, stdin=stdin, plain=plain)
        check_equal((got, out), (status, ''), 'fornax-cli %s (%s)' % (' '.join(map(str, args)), error))
        check(text in error, '"%s" does not say "%s"' % (error, text))
        check(error.startswith('error') or error.startswith('Error'), error)
        return error

    def words(self):
        self.step('options and help')
        for option in ('-help', '-?', '-h', '--help'):
            status, out, error = self.cli(option, plain=True)
            check_equal((status, error), (0, ''))
            check('Usage:' in out and '-rpcconnect' in out and 'submitjob gemm' in out, out)
        status, out, error = self.cli('-version', plain=True)
        check(status == 0 and out.startswith('Fornax RPC client version '), out)
        self.bad(1, 'too few parameters', '-regtest', plain=True)
        self.bad(1, 'Invalid parameter -nonsense', '-nonsense', 'help', plain=True)
        self.bad(1, 'does not exist', '-datadir=/nonsense', 'help', plain=True)
        self.bad(1, 'is no directory', '-datadir=/dev/null', 'help', plain=True)
        self.bad(1, 'Can use at most one', '-regtest', '-test', 'help', plain=True)
        self.bad(1, 'main, test, regtest and btcregtest are known', '-chain=moon', 'help', plain=True)
        self.bad(1, 'is not from 1 to 65535', '-rpcport=0', 'help', plain=True)
        self.bad(1, 'Invalid port', '-rpcconnect=localhost:x', 'help', plain=True)
        self.bad(1, 'cannot read the configuration file', '-conf=none.conf', 'help')
        out = self.good('help')
        check('== Blockchain ==' in out and '== fornax-cli ==' in out and 'getblockcount' in out, out)
        for name in ('getblock', 'submitjob', 'getjobresult', 'watchjob', 'sendtoaddress'):
            check(self.good('help', name).startswith(name), 'help ' + name)
        check('unknown command: nonsense' in self.good('help', 'nonsense'), 'help for nothing')

        for asks in ('--help', '-h', '-?'):
            check(self.good('getblock', asks).startswith('getblock "blockhash"'), 'getblock ' + asks)
        # What fornax-cli does by itself it describes by itself, without a node.
        for name in ('submitjob', 'getjobresult', 'watchjob', 'verifyreceipt'):
            status, out, error = self.cli('-regtest', '-datadir=' + self.dir, '-rpcport=1', name, '--help', plain=True)
            check_equal((status, error), (0, ''), name + ' --help')
            check(out.startswith(name + ' '), out)

    def calls(self):
        self.step('calls, and what they print')
        check_equal(self.good('getblockcount'), '0\n')
        check_equal(len(self.good('getbestblockhash')), 65)  # a string without quotes
        made = json.loads(self.good('createwallet', ''))
        check_equal(len(made['mnemonic'].split()), 12)
        address = self.good('getnewaddress').strip()
        ids = json.loads(self.good('generatetoaddress', 101, address))
        check_equal(len(ids), 101)
        check_equal(self.good('getblockhash', 101).strip(), ids[-1])
        block = json.loads(self.good('getblock', ids[0], 2))
        check_equal((block['height'], block['tx'][0]['vout'][0]['scriptPubKey']['address']), (1, address))
        check_equal(self.good('getblock', ids[0], 'false').strip(), self.node.rpc.getblock(ids[0], 0))
        check_equal(self.good('-named', 'getblockhash', 'height=1').strip(), ids[0])
        check_equal(json.loads(self.good('-named', 'getblock', ids[0], 'verbosity=1'))['height'], 1)
        check_equal(self.good('-stdin', 'getblockhash', stdin='1\n').strip(), ids[0])
        check_equal(json.loads(self.good('-stdin', 'getblock', stdin=ids[0] + '\n2')), block)
        check_equal(self.good('setmocktime', 0), '')  # null prints nothing
        check_equal(self.good('getbalance'), '10.00000000\n')
        check_equal(json.loads(self.good('getblocktemplate', '{"rules": ["segwit"]}'))['height'], 102)
        check('10.00000000' in self.good('getbalances'), 'amounts with eight places')
        txid = self.good('sendtoaddress', address, '0.1', 'a comment = with "signs"').strip()
        check_equal(json.loads(self.good('gettransaction', txid))['comment'], 'a comment = with "signs"')
        # A word that looks like a number where text is expected stays text.
        label = self.good('getnewaddress', '123').strip()
        check_equal(json.loads(self.good('getaddressinfo', label))['labels'], ['123'])
        out = self.good('-getinfo')
        for text in ('Chain: regtest', 'Blocks: 101', 'Lane hash', 'Lane job', 'Balance: ', 'Warnings: (none)'):
            check(text in out, out)
        self.bad(1, 'takes no arguments', '-getinfo', 'x')

    def several(self):
        self.step('options that stand for several calls; a password from standard input')
        height = self.node.rpc.getblockcount()
        made = json.loads(self.good('-generate', 2))
        check_equal((self.node.rpc.getblockcount(), len(made['blocks'])), (height + 2, 2))
        check_equal(self.node.rpc.getaddressinfo(made['address'])['ismine'], True)
        check_equal(self.node.rpc.getblockhash(height + 2), made['blocks'][1])
        for words in (('0',), ('1.5',), ('x',), ('1', '0'), ('1', '1x')):
            self.bad(1, 'must be whole numbers above 0', '-generate', *words)
        self.bad(1, 'too many arguments', '-generate', 1, 1, 1)
        self.bad(1, 'only one of', '-generate', '-getinfo')
        with socket.create_connection(('127.0.0.1', self.node.port)):
            wait_until(lambda: self.node.rpc.getconnectioncount() == 1, 'a peer')
            out = self.good('-netinfo')
            check('total' in out and '127.0.0.1' not in out, out)
            out = self.good('-netinfo', 4)
            check([line for line in out.splitlines() if line.startswith('in ') and ' 127.0.0.1:' in line], out)
            check([line.split() for line in out.splitlines() if line.startswith('in ')][-1][-1] == '1', out)
        self.bad(1, 'a level from 0 to 4', '-netinfo', 5)

    def errors(self):
        self.step('errors of the node: exit status and text')
        zero = '00' * 32
        for status, code, text, args in (
                (89, -32601, 'Method not found', ('nonsense',)),
                (89, -32601, 'Method not found', ('nonsense', 'x', '1')),
                (8, -8, 'Block height out of range', ('getblockhash', '102')),
                (8, -8, 'Block height out of range', ('getblockhash', '-1')),
                (5, -5, 'Block not found', ('getblock', zero)),
                (8, -8, 'must be of length 64', ('getblock', 'ab')),
                (1, -1, 'getblock "blockhash"', ('getblock',)),
                (1, -1, 'getblockcount', ('getblockcount', 'x')),
                (6, -6, 'Insufficient funds', ('sendtoaddress', self.node.mining_address(), '20000')),
                (5, -5, '', ('sendtoaddress', 'nobody', '1')),
                (3, -3, '', ('sendtoaddress', self.node.mining_address(), 'much')),
                (22, -22, 'TX decode failed', ('sendrawtransaction', 'abcd')),
                (5, -5, 'No such job', ('getjob', zero)),
                (5, -5, '', ('gettask', zero + ':0')),
                (18, -18, 'does not exist or is not loaded', ('-rpcwallet=none', 'getbalance')),
                (35, -35, 'already loaded', ('loadwallet', ''))):
            if args[0].startswith('-rpcwallet'):
                got = self.bad(status, text, *args)
            else:
                got = self.bad(status, text, '-rpcwallet=', *args) if 'wallet' not in args[0] else self.bad(status, text, *args)
            check(got.startswith('error code: %d\nerror message:\n' % code), got)
        self.bad(1, 'Error parsing JSON', 'getblockhash', 'x')
        self.bad(1, 'Error parsing JSON', 'getblocktemplate', '{')
        self.good('createwallet', 'two')
        check('-rpcwallet=<name>' in self.bad(19, 'Multiple wallets are loaded', 'getbalance'), 'no hint')
        check_equal(self.good('-rpcwallet=two', 'getbalance'), '0.00000000\n')
        self.good('unloadwallet', 'two')

    def connecting(self):
        self.step('credentials')
        node = self.node
        base = ('-regtest', '-rpcport=%d' % node.rpcport)
        empty = os.path.join(self.dir, 'empty')
        os.makedirs(empty)
        self.bad(1, 'No authentication cookie could be found at %s/regtest/.cookie' % empty, *base, '-datadir=' + empty,
                 'uptime', plain=True)
        cookie = os.path.join(self.dir, 'cookie')
        with open(cookie, 'w') as file:
            file.write('__cookie__:' + '0' * 64)
        self.bad(1, 'the cookie in %s is not that of the server' % cookie, *base, '-datadir=' + empty,
                 '-rpccookiefile=' + cookie, 'uptime', plain=True)
        self.bad(1, 'Incorrect rpcuser or rpcpassword', *base, '-datadir=' + empty, '-rpcuser=x', '-rpcpassword=y', 'uptime',
                 plain=True)
        status, out, _ = self.cli(*base, '-datadir=' + empty, '-rpccookiefile=' + os.path.join(node.netdir, '.cookie'),
                                  '-rpcconnect=127.0.0.1', 'getblockcount', plain=True)
        check_equal((status, out), (0, '101\n'))
        with open(os.path.join(node.netdir, '.cookie')) as file:
            user, password = file.read().split(':')
        by_user = (*base, '-datadir=' + empty, '-rpcuser=' + user, '-stdinrpcpass')
        status, out, _ = self.cli(*by_user, 'getblockcount', plain=True, stdin=password + '\n')
        check_equal((status, out), (0, '101\n'))
        status, out, _ = self.cli(*by_user, '-stdin', 'getblockhash', plain=True, stdin=password + '\n0\n')
        check_equal((status, len(out)), (0, 65))
        self.bad(1, 'Incorrect rpcuser or rpcpassword', *by_user, 'uptime', plain=True, stdin='x\n')
        self.bad(1, '-stdinrpcpass specified but failed to read', *by_user, 'uptime', plain=True, stdin='')
        with open(os.path.join(empty, 'fornax.conf'), 'w') as file:
            file.write('regtest=1\n[regtest]\nrpcport=%d\n' % node.rpcport)
        status, out, _ = self.cli('-datadir=' + empty, '-rpccookiefile=' + os.path.join(node.netdir, '.cookie'),
                                  'getblockcount', plain=True)
        check_equal((status, out), (0, '101\n'))

        self.step('servers that are no node')
        def serve(answer, hold=0):
            listener = socket.create_server(('127.0.0.1', 0))

            def run():
                with listener:
                    connection, _ = listener.accept()
                    with connection:
                        data = b''
                        while b'"uptime"' not in data:  # what is not read when this closes could cost the answer
                            data += connection.recv(65536)
                        connection.sendall(answer)
                        time.sleep(hold)
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            return ('-regtest', '-datadir=' + empty, '-rpcuser=x', '-rpcpassword=y',
                    '-rpcport=%d' % listener.getsockname()[1])
        self.bad(1, 'no JSON', *serve(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope'), 'uptime', plain=True)
        self.bad(1, 'HTTP error 418', *serve(b'HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n'), 'uptime', plain=True)
        self.bad(1, '', *serve(b'nonsense\r\n\r\n'), 'uptime', plain=True)
        self.bad(1, '', *serve(b''), 'uptime', plain=True)
        self.bad(1, '', *serve(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"res'), 'uptime', plain=True)
        self.bad(1, 'did not answer within 1 s', *serve(b'', 5), '-rpcclienttimeout=1', 'uptime', plain=True)

    # ---- matrices ----

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def npy(self, descr, fortran='False', shape='(2, 2)', body=b'\x01\x02\x03\x04', header=None, version=b'\x01\x00'):
        if header is None:
            header = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
        header = header.encode().ljust(118) + b'\n'
        size = struct.pack('<H' if version[0] == 1 else '<I', len(header))
        return b'\x93NUMPY' + version + size + header + body

    def matrix(self, name, array):
        path = os.path.join(self.dir, name)
        numpy.save(path, array)
        return path

    def submit(self, a, b, *options, stdin=None):
        return ('submitjob', 'gemm', a, b, *options), stdin

    def refused(self, text, a, b=None, status=1, options=('--yes',)):
        ones = self.matrix('ones.npy', numpy.ones((2, 2), numpy.int8))
        if b is None:
            # Either of the two files is checked.
            self.bad(status, text, 'submitjob', 'gemm', ones, a, *options)
            b = ones
        return self.bad(status, text, 'submitjob', 'gemm', a, b, *options)

    def files(self):
        self.step('.npy files that are refused by name')
        for text, data in (
                ('This is not a .npy file', b'nonsense, and more of it'),
                ('', b''),
                ('truncated inside its header', b'\x93NUMPY\x01\x00'),
                ('truncated inside its header', self.npy("'|i1'")[:60]),
                ('version 9.0 is unknown', self.npy("'|i1'", version=b'\x09\x00')),
                ('truncated', self.npy("'|i1'", body=b'\x01\x02\x03')),
                ("'<f2'", self.npy("'<f2'", body=bytes(8))),
                ("'<c8'", self.npy("'<c8'", body=bytes(32))),
                ('', self.npy("'|b1'")),
                ("'|O'", self.npy("'|O'")),
                ("'<U1'", self.npy("'<U1'", body=bytes(16))),
                ("'<M8[s]'", self.npy("'<M8[s]'", body=bytes(32))),
                ('structured dtype', self.npy("[('a', '|i1'), ('b', '|i1')]", body=bytes(8))),
                ('0-dimensional', self.npy("'|i1'", shape='()', body=b'\x01')),
                ('1-dimensional', self.npy("'|i1'", shape='(4,)')),
                ('3-dimensional', self.npy("'|i1'", shape='(1, 2, 2)')),
                ('is empty', self.npy("'|i1'", shape='(0, 2)', body=b'')),
                ('is empty', self.npy("'|i1'", shape='(2, 0)', body=b'')),
                ('overflows', self.npy("'|i1'", shape='(4294967296, 4294967296)')),
                ('overflows', self.npy("'|i1'", shape='(99999999999999999999999, 2)')),
                ('malformed', self.npy("'|i1'", shape='(2, -2)')),
                ('malformed', self.npy('', header='nonsense')),
                ('malformed', self.npy('', header="{'descr': '|i1', 'shape': (2, 2)}")),
                ('malformed', self.npy("'|i1'", fortran='Maybe')),
                ('at most 64 KiB', self.npy("'|i1'", version=b'\x02\x00', header=' ' * 70000))):
            path = self.write('bad.npy', data)
            check(path in self.refused(text, path), 'the file is not named')
        self.refused('No such file', os.path.join(self.dir, 'none.npy'))
        self.refused('not a regular file', self.dir)
        if os.geteuid() != 0:
            path = self.matrix('secret.npy', numpy.ones((2, 2), numpy.int8))
            os.chmod(path, 0)
            self.refused('Permission denied', path)

    def matrices(self):
        self.step('entries that are refused by index and value')
        for value, dtype in ((65536, '<i4'), (-32769, '>i4'), (-(2 ** 63), '<i8'), (2 ** 63, '>u8'), (10 ** 6, '<u4')):
            for order in 'CF':
                array = numpy.zeros((300, 5), dtype, order=order)
                array[257, 3] = value
                a = self.matrix('a.npy', array)
                self.refused('%s: entry [257, 3] is %s' % (a, value), a, self.matrix('b.npy', numpy.ones((5, 7), 'i1')))
                self.refused('entry [257, 3] is %s' % value, self.matrix('b.npy', numpy.ones((2, 300), 'i1')), a)
        self.step('shapes that do not fit together')
        a = self.matrix('a.npy', numpy.ones((3, 4), 'i1'))
        error = self.refused('', a, self.matrix('b.npy', numpy.ones((5, 3), 'i1')))
        check('4' in error and '5' in error, error)
        wide = self.write('wide.npy', self.npy("'|i1'", shape='(1, 16777217)', body=bytes(2 ** 24 + 1)))
        self.refused('16,777,216', wide, self.matrix('b.npy', numpy.ones((5, 3), 'i1')))
        self.bad(1, 'two files are needed', 'submitjob', 'gemm', a)
        square = self.matrix('square.npy', numpy.ones((2, 2), 'i1'))
        self.refused('--scale is of floats', square, square, options=('--scale=3', '--quote'))
        for words in (('--help',), ('gemm', '--help'), ('gemm', a, '--help', a)):
            out = self.good('submitjob', *words)
            for option in ('--reward', '--task-size', '--deadline', '--window', '--yes'):
                check(option in out, 'submitjob --help without ' + option)
        self.bad(1, 'is too much', 'submitjob', 'gemm', a, a, a)
        self.bad(1, '', 'submitjob', 'convolution', a, a)
        check_equal(self.node.rpc.listjobs(), [])

    def quotes(self):
        self.step('quotes, questions, and what the wallet cannot pay')
        chance = numpy.random.default_rng(3)
        left, right = chance.integers(-64, 64, (300, 1000), 'i1'), chance.integers(-64, 64, (1000, 77), 'i1')
        kinds = [(dtype, order) for dtype in ('i1', '<i2', '>i2', '<i4', '>i8') for order in 'CF']
        quotes = set()
        b = self.matrix('b.npy', right)
        for dtype, order in kinds:
            a = self.matrix('a.npy', numpy.array(left, dtype, order=order))
            out = self.good('submitjob', 'gemm', a, b, '--quote', '--deadline=2000000000')
            quotes.add(out)
        check_equal(len(quotes), 1)
        quote = quotes.pop()
        for text in ('gemm 300 x 1000 x 77, as 1 product\n', 'int32, exact', '12 bricks', 'escrow', 'fee', 'Total:',
                     'Deadline:  2033-05-18 03:33:20 UTC', 'Window:'):
            check(text in quote, quote)
        out = self.good('submitjob', 'gemm', a, b, '--quote', '--task-size=128x128', '--reward=0.05')
        check('3 tasks' in out and 'escrow 0.05000000 FNX' in out, out)
        for option in ('--reward=x', '--task-size=0', '--task-size=1y1', '--deadline=soon', '--deadline=0', '--window=0',
                       '--exclusive=145', '--fee-rate=x', '--nonsense', '--task-rows=0'):
            self.bad(1, option[2:].split('=')[0], 'submitjob', 'gemm', a, b, option, '--yes')
        for option in ('--reward=0', '--reward=0.00', '--fee-rate=0'):
            self.bad(1, option + ': it must be above 0; without the option the node chooses', 'submitjob', 'gemm', a, b, option, '--yes')
        status, out, error = self.cli('submitjob', 'gemm', a, b, '--reward=1000', '--yes')
        check_equal((status, out), (6, ''))
        check('error code: -6\nerror message:\nInsufficient funds' in error, error)
        status, out, error = self.cli('submitjob', 'gemm', a, b)  # nobody answers
        check_equal((status, out), (1, ''))
        check('Not submitted (--yes submits without asking)' in error, error)
        status, out, error = self.cli('submitjob', 'gemm', a, b, stdin='n\n')
        check_equal((status, out), (1, ''))
        check('Submit this job? [y/N]' in error and 'Not submitted' in error and 'gemm 300 x 1000 x 77' in error, error)
        check_equal(self.node.rpc.listjobs(), [])
        check_equal(os.listdir(os.path.join(self.node.netdir, 'blobs', 'uploads')), [])

    def full(self):
        self.step('a job')
        chance = numpy.random.default_rng(4)
        a = self.matrix('a.npy', chance.integers(-64, 64, (130, 300), 'i1'))
        b = self.matrix('b.npy', chance.integers(-64, 64, (300, 20), 'i1'))
        status, out, error = self.cli('submitjob', 'gemm', a, b, '--reward=0.05', stdin='y\n')
        check_equal(status, 0, error)
        job = out.strip()
        check_equal(len(job), 64)
        self.node.mine(1)
        info = json.loads(self.good('getjob', job))
        check_equal((info['rows'], info['columns'], info['depth']), (130, 20, 300))
        check_equal([entry['job'] for entry in json.loads(self.good('listjobs'))], [job])
        result = os.path.join(self.dir, 'result.npy')
        self.bad(1, '', 'getjobresult', job, result)
        check(not os.path.exists(result) and not os.path.exists(result + '.part'), 'a file of a result that is not there')
        self.bad(5, 'No such job', 'getjobresult', 'ab' * 32, result)
        check_equal(self.cli('watchjob')[:2], (1, ''))
        watch = self.watch_over_restart(job)
        for origin in origins(self.node, job):
            self.good('solvetask', origin)
        self.node.mine(1)
        for origin in origins(self.node, job):
            wait_task(self.node, origin, lambda task: task.get('check') == 'right', 'the result to be checked')
        self.good('getjobresult', job, result)
        done = numpy.load(result)
        check_equal((done.shape, done.dtype.str), ((130, 20), '<i4'))
        check((done == numpy.load(a).astype(numpy.int64) @ numpy.load(b).astype(numpy.int64)).all(), 'the product is wrong')
        self.bad(1, 'nonsense', 'getjobresult', job, os.path.join(self.dir, 'nonsense', 'x.npy'))
        check_equal(self.good('getjobresult', job, result), '')

        def done():
            if self.node.rpc.getrawmempool():
                self.node.mine(1)
            return watch.poll() is not None
        wait_until(done, 'watchjob to end with the job', step=0.2)
        check_equal(watch.returncode, 0)
        with open(os.path.join(self.dir, 'watch')) as file:
            out = file.read()
        check(out.startswith('open: 2 tasks, 2 open') and 'done: 2 tasks' in out and out.endswith('result here\n'), out)

    def watch_over_restart(self, job):
        """A watchjob that has waited for the node's restart."""
        self.step('watchjob goes on where the node restarts')
        out, error = (os.path.join(self.dir, name) for name in ('watch', 'watch.error'))

        def says(path, text):
            with open(path) as file:
                return text in file.read()
        with open(out, 'w') as out_file, open(error, 'w') as error_file:
            watch = self.process([program('fornax-cli'), '-regtest', '-datadir=' + self.node.dir,
                                  '-rpcport=%d' % self.node.rpcport, 'watchjob', job], stdout=out_file, stderr=error_file)
        wait_until(lambda: says(out, '2 open'), 'watchjob to have asked')
        self.node.stop()
        wait_until(lambda: says(error, 'Waiting until the node is back (Ctrl-C ends this)'), 'watchjob to miss the node')
        self.node.start()
        wait_until(lambda: says(error, 'The node is back'), 'watchjob to find the node again')
        check_equal(json.loads(self.good('listwallets')), [''])  # what was unloaded before stays so
        check_equal(watch.poll(), None)
        self.bad(5, 'No such job', 'watchjob', 'ab' * 32)
        return watch

    def absent(self):
        self.step('a node that is not running')
        self.node.stop()
        error = self.bad(1, 'Could not connect to the server 127.0.0.1:%d' % self.node.rpcport, 'getblockcount')
        check('Make sure the fornaxd server is running' in error, error)
        self.bad(1, 'Could not connect', '-getinfo')
        self.bad(1, 'Could not connect', 'watchjob', 'ab' * 32)
        started = time.monotonic()
        self.bad(1, 'Could not connect', '-rpcwait', '-rpcwaittimeout=1', 'getblockcount')
        check(0.9 < time.monotonic() - started < 10, 'it waited %.1f s' % (time.monotonic() - started))
        waiting = subprocess.Popen([program('fornax-cli'), '-regtest', '-datadir=' + self.node.dir,
                                    '-rpcport=%d' % self.node.rpcport, '-rpcwait', 'getblockcount'],
                                   stdout=subprocess.PIPE, text=True)
        self.processes.append(waiting)
        time.sleep(0.5)
        check(waiting.poll() is None, 'it did not wait')
        self.node.start()
        out, _ = waiting.communicate(timeout=30)
        check_equal((waiting.returncode, out), (0, '%d\n' % self.node.rpc.getblockcount()))
        check_equal(self.good('stop'), 'Fornax stopping\n')
        check_equal(self.node.process.wait(30), 0)
        self.node.close()
        self.bad(1, 'Could not connect', '-rpcconnect=127.0.0.1:%d' % free_port(), 'uptime')
        self.bad(1, '', '-rpcconnect=host.invalid', 'uptime')


if __name__ == '__main__':
    TestCli().main()
