#!/usr/bin/python3
# sanitizer: yes
"""fornaxd as a program: options, configuration, locks, signals, logs, clocks, full disks: one clear message each, nothing lost."""
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import time

import numpy

from blocktools import block_on_tip
from framework import TIMEOUT, FornaxTest, Node, check, check_equal, free_port, program, wait_until
from p2p import MSG_BLOCK, Peer, id_bytes, var

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class TestNode(FornaxTest):
    nodes_count = 2

    def run(self):
        self.node = self.nodes[0]
        self.options()
        self.configuration()
        self.background()
        self.locks()
        self.signals()
        self.logs()
        self.damage()
        self.clocks()
        self.full_upload()
        self.full_blocks()

    def fornaxd(self, *args, console=('-printtoconsole=0',), timeout=TIMEOUT):
        """A run that is expected to end by itself: (exit status, standard output, standard error)."""
        done = subprocess.run([program('fornaxd'), *console, *args], capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def refused(self, text, *args):
        """fornaxd does not start, and says this in one line."""
        status, out, error = self.fornaxd(*args)
        check_equal((status, out), (1, ''), 'of fornaxd %s (%s)' % (' '.join(args), error))
        check(error.startswith('Error: ') and error.count('\n') == 1, 'not one line: ' + error)
        check(text in error, '"%s" does not say "%s"' % (error, text))

    def scratch(self, name, config=None):
        folder = os.path.join(self.dir, name)
        os.makedirs(folder)
        if config is not None:
            with open(os.path.join(folder, 'fornax.conf'), 'w') as file:
                file.write(config)
        return folder

    def options(self):
        self.step('options')
        for option in ('-help', '--help', '-?', '-h'):
            status, out, error = self.fornaxd(option)
            check_equal((status, error), (0, ''))
            for name in ('-datadir', '-regtest', '-conf', '-rpcport', '-printtoconsole', '-debug', '-connect', '-pid'):
                check(name in out, 'help without ' + name)
        status, out, error = self.fornaxd('-version')
        check(status == 0 and out.startswith('Fornax daemon version '), out)
        empty = self.scratch('options')
        base = ('-datadir=' + empty,)
        self.refused('Invalid parameter -nonsense', *base, '-nonsense')
        self.refused('Invalid parameter', *base, '--regtestt')
        self.refused('unknown word "regtest"', *base, 'regtest')
        self.refused("Invalid value for -rpcport: 'x' is not a whole number", *base, '-regtest', '-rpcport=x')
        self.refused('Invalid value for -rpcport: 65536 is not from 1 to 65535', *base, '-regtest', '-rpcport=65536')
        self.refused('Invalid value for -listen', *base, '-regtest', '-listen=maybe')
        self.refused('-datadir needs a value', '-datadir')
        self.refused('"%s/none" does not exist' % empty, '-datadir=%s/none' % empty)
        self.refused('"/dev/null" is no directory', '-datadir=/dev/null')
        self.refused('-server=0: the RPC server is always there', *base, '-server=0')
        self.refused('main, test, regtest and btcregtest are known', *base, '-chain=moon')
        self.refused('', *base, '-regtest', '-test')
        self.refused('Can use at most one', *base, '-regtest', '-testnet')
        self.refused('-mocktime is for regtest only', *base, '-mocktime=5')
        self.refused('-acceptnonstdtxn is not for main', *base, '-acceptnonstdtxn')
        self.refused('-rpcuser and -rpcpassword go together', *base, '-regtest', '-rpcuser=x')
        for amount in ('', 'x', '-1', '0.000000001', '42048000.00000001', '99999999999999999999'):
            self.refused("Invalid amount for -challengeabove=<amount>: '%s'" % amount, *base, '-regtest', '-challengeabove=' + amount)
        check_equal(os.listdir(empty), [])  # nothing was made before all was right
        port = '-rpcport=%d' % free_port()
        base += ('-regtest', port, '-port=%d' % free_port())
        self.refused('unknown log category "nonsense"', *base, '-debug=nonsense')
        self.refused("Cannot resolve -bind address: 'nonsense'", *base, '-bind=nonsense')
        for option in ('-connect=no host', '-addnode=', '-addnode=1.2.3', '-addnode=localhost:0'):
            self.refused(option + ' is no address or name of a host', *base, option)
        for address in ('', 'nonsense', '127.0.0.1.', '[::1', '127.0.0.1:x'):
            self.refused("Invalid -rpcbind address: '%s'" % address, *base, '-rpcbind=' + address)
        self.refused('Invalid -rpcallowip subnet', *base, '-rpcallowip=1.2.3.4/33')
        self.refused('Invalid -rpcauth argument', *base, '-rpcauth=me')
        self.refused("Path does not exist", *base, '-wallet=nonsense')
        self.refused('Cannot listen on 127.0.0.1:%d' % self.node.port, '-datadir=' + empty, '-regtest', port,
                     '-bind=127.0.0.1', '-port=%d' % self.node.port)
        self.refused('Unable to listen for RPC at 127.0.0.1 port %d' % self.node.rpcport, '-datadir=' + empty, '-regtest',
                     '-rpcport=%d' % self.node.rpcport, '-port=%d' % free_port(), '-bind=127.0.0.1')
        check(not os.path.exists(os.path.join(empty, 'regtest', '.cookie')), 'a cookie of a node that never ran')
        check(not os.path.exists(os.path.join(empty, 'regtest', 'fornaxd.pid')), 'a pid file of a node that never ran')
        self.node.rpc.getblockcount()

    def configuration(self):
        self.step('the configuration file')
        for text, config in (
                ('fornax.conf: line 2: there is no option nonsense', 'regtest=1\nnonsense=1\n'),
                ('line 1: conf is allowed on the command line only', 'conf=x\n'),
                ('line 1: a section is written [name]', '[regtest\n'),
                ('line 2: [regtst] is no network', 'regtest=1\n[regtst]\nport=1\n'),
                ('line 3', '# a comment\n\nregtest\n'),
                ("Invalid value for -port: 'x' is not a whole number", 'regtest=1\n[regtest]\nport=x\n')):
            folder = self.scratch('conf%d' % abs(hash(text)), config)
            self.refused(text, '-datadir=' + folder)
        folder = self.scratch('conf')
        self.refused('cannot read the configuration file %s/other.conf: No such file' % folder, '-datadir=' + folder,
                     '-conf=other.conf')
        os.makedirs(os.path.join(folder, 'fornax.conf'))
        self.refused('cannot read the configuration file', '-datadir=' + folder)
        folder = self.scratch('included', 'regtest=1\nincludeconf=more.conf\n')
        self.refused('cannot read the configuration file %s/more.conf: No such file' % folder, '-datadir=' + folder)
        self.refused('-includeconf cannot be used from commandline; -includeconf=x', '-datadir=' + folder, '-includeconf=x')
        self.write(folder, 'more.conf', 'includeconf=again.conf\n')
        self.refused('includeconf=again.conf: an included file includes no others', '-datadir=' + folder)
        self.write(folder, 'more.conf', 'nonsense=1\n')
        self.refused('more.conf: line 1: there is no option nonsense', '-datadir=' + folder)
        # A file that works, with one that it includes: options of the section of the network, the command line above both.
        folder = self.scratch('good', 'regtest=1\nincludeconf=more.conf\nuacomment=low\nuacomment=high\n')
        self.write(folder, 'more.conf', 'regtest=0\nuacomment=more\n[regtest]\nport=%d\nrpcport=%d\nbind=127.0.0.1\n'
                   '[test]\nport=1\n' % (free_port(), free_port()))
        node = Node(self, 8)
        node.dir, node.args = folder, ['-uacomment=best', '-noconnect']
        self.nodes.append(node)
        node.start()
        check(node.rpc.getnetworkinfo()['port'] in (0, node.port), 'the command line does not count')
        check('low; high; more' in node.rpc.getnetworkinfo()['subversion'], node.rpc.getnetworkinfo()['subversion'])
        node.stop()
        self.nodes.pop()

    @staticmethod
    def write(folder, name, text):
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)

    def background(self):
        self.step('the console, and the background')
        def base_in(name):
            return ('-regtest', '-datadir=' + self.scratch(name), '-rpcport=%d' % free_port(), '-port=%d' % free_port(),
                    '-bind=127.0.0.1')
        status, out, error = self.fornaxd(*base_in('foreground'), '-stopafterblockimport', console=())
        check_equal((status, error), (0, ''))
        check(' Started: height 0\n' in out and out.endswith(' Stopped\n'), out)
        for option in ('-daemon', '-daemonwait'):
            base = base_in(option)
            netdir = os.path.join(self.dir, option, 'regtest')
            check_equal(self.fornaxd(*base, option, console=()), (0, '', ''))
            pid_file = os.path.join(netdir, 'fornaxd.pid')
            with open(pid_file) as file:
                pid = int(file.read())
            try:
                check_equal(os.getsid(pid), pid)
                status, out, error = self.fornaxd(*base, option, console=())
                check_equal((status, out), (1, ''))
                check('Cannot obtain a lock' in error and error.count('\n') == 1, error)
                done = subprocess.run([program('fornax-cli'), *base[:3], 'stop'], capture_output=True, text=True, timeout=TIMEOUT)
                check_equal((done.returncode, done.stdout), (0, 'Fornax stopping\n'))
                wait_until(lambda: not os.path.exists(pid_file), 'the end of the node')
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                raise
            with open(os.path.join(netdir, 'debug.log')) as file:
                wait_until(lambda: file.read().endswith(' Stopped\n'), 'the last line of the log')

    def locks(self):
        self.step('a second start on the same data directory')
        node = self.node
        status, out, error = self.fornaxd('-regtest', '-datadir=' + node.dir, '-rpcport=%d' % free_port(),
                                          '-port=%d' % free_port())
        check_equal((status, out), (1, ''))
        check_equal(error, 'Error: Cannot obtain a lock on data directory %s. Fornax is probably already running.\n' %
                    node.netdir)
        check_equal(node.rpc.getblockcount(), 0)
        check(os.path.exists(os.path.join(node.netdir, '.cookie')), 'the cookie of the one that runs')
        check(os.path.exists(os.path.join(node.netdir, 'fornaxd.pid')), 'the pid file of the one that runs')
        if os.geteuid() != 0:
            folder = self.scratch('readonly')
            os.chmod(folder, 0o500)
            self.refused('Permission denied', '-datadir=' + folder, '-regtest')
        folder = self.scratch('file')
        with open(os.path.join(folder, 'regtest'), 'w'):
            pass
        self.refused('cannot make the data directory %s/regtest' % folder, '-datadir=' + folder, '-regtest')

    def signals(self):
        self.step('signals')
        node = self.node
        mined = node.mine(3)[-1]
        path = os.path.join(node.netdir, 'fornaxd.pid')
        with open(path) as file:
            check_equal(file.read(), '%d\n' % node.process.pid)
        check_equal(stat.S_IMODE(os.stat(node.netdir).st_mode), 0o700)
        for number in (signal.SIGTERM, signal.SIGINT):
            node.process.send_signal(number)
            check_equal(node.process.wait(TIMEOUT), 0, 'exit status')
            node.close()
            check(not os.path.exists(path) and not os.path.exists(os.path.join(node.netdir, '.cookie')),
                  'left behind: the pid file or the cookie')
            last = node.log().splitlines()
            check(last[-1].endswith(' Stopped'), last[-1])
            check(any('Signal %d: stopping' % number in line for line in last[-20:]), 'the signal in the log')
            node.start()
            check_equal(node.rpc.getbestblockhash(), mined)
        # In the middle of a long call, with connections open.
        Peer(node)
        connection = node.rpc
        import threading
        caught = []

        def generate():
            try:
                for _ in range(100):
                    node.wallet().generatetoaddress(20, node.mining_address())
            except Exception as error:  # the connection ends with the node
                caught.append(error)
        thread = threading.Thread(target=generate)
        thread.start()
        wait_until(lambda: connection.getblockcount() > 20, 'some blocks')
        node.process.send_signal(signal.SIGTERM)
        check_equal(node.process.wait(TIMEOUT), 0, 'exit status')
        thread.join(20)
        check_equal(len(caught), 1)
        node.close()
        node.start(['-pid=other.pid'])
        check(node.rpc.getblockcount() > 20, 'blocks are lost')
        check(os.path.exists(os.path.join(node.netdir, 'other.pid')), '-pid')
        # SIGPIPE and SIGUSR1 need not be survived alike, but a closed connection must be.
        node.process.send_signal(signal.SIGPIPE)
        check(node.rpc.uptime() < 60, 'uptime')
        # stop answers before it stops.
        check_equal(node.rpc.stop(), 'Fornax stopping')
        check_equal(node.process.wait(TIMEOUT), 0)
        node.close()
        node.start()

    def logs(self):
        self.step('the log: rotation, categories, console')
        node = self.node
        path = os.path.join(node.netdir, 'debug.log')
        os.rename(path, path + '.1')
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(path), 'a new log')
        node.rpc.uptime()
        wait_until(lambda: 'method=uptime' in node.log(), 'lines in the new log')
        os.rename(path, path + '.2')
        os.makedirs(path)  # it cannot be opened: the old one goes on
        node.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        node.rpc.getconnectioncount()
        with open(path + '.2') as file:
            check('method=getconnectioncount' in file.read(), 'the old log does not go on')
        os.rmdir(path)
        node.restart(['-debug=none'])
        check_equal(set(node.rpc.logging().values()), {False})
        quiet = node.log()
        check('[rpc]' not in quiet and '[net]' not in quiet, 'categories that are off are logged')
        check_equal(node.rpc.logging(['net'])['net'], True)
        node.restart(['-debug=none', '-debug=rpc', '-printtoconsole'])
        check_equal({name for name, on in node.rpc.logging().items() if on}, {'rpc'})
        node.rpc.getnettotals()
        with open(os.path.join(node.dir, 'output')) as file:
            console = file.read()
        for line in (' Fornax ', ' Started: height ', '[rpc] ThreadRPCServer method=getnettotals'):
            check(line in console and line in node.log(), 'not in both: ' + line)
        # A reply names no secret, and control characters of strangers do not reach the log.
        peer = Peer(node)
        peer.send('x\x7fy'[:1], b'')
        peer.ping()
        check(not any(ord(c) < 32 and c != '\n' for c in node.log()), 'control characters in the log')
        node.restart()

    def damage(self):
        self.step('files that are damaged')
        node = self.node
        tip, coins = node.rpc.getbestblockhash(), node.rpc.gettxoutsetinfo()
        node.stop()
        for name in ('mempool.dat', 'peers.dat'):
            with open(os.path.join(node.netdir, name), 'wb') as file:
                file.write(b'\xff' * 50)
        node.start()
        check_equal(node.rpc.getbestblockhash(), tip)
        check('is damaged' in node.log() or 'cannot be read' in node.log(), 'no word of mempool.dat')
        node.stop()
        # The newest bytes of the block file are gone: the block is fetched again.
        path = os.path.join(node.netdir, 'blocks', 'blk00000.dat')
        shutil.copy(path, path + '.good')
        with open(path, 'r+b') as file:
            file.truncate(os.path.getsize(path) - 5)
        node.start()
        check_equal(node.rpc.getbestblockhash(), tip)  # the coins are those after it
        check_equal(node.rpc.gettxoutsetinfo(), coins)
        node.stop()
        os.replace(path + '.good', path)
        # Without its database the node refuses rather than to begin anew in silence.
        moved = os.path.join(node.netdir, 'blocks', 'index')
        os.rename(moved, moved + '.moved')
        status, _, error = self.fornaxd(*node.command()[1:])
        check_equal(status, 1)
        check('there are block files, but no block index: -reindex makes it anew' in error, error)
        shutil.rmtree(moved)
        os.rename(moved + '.moved', moved)
        node.start()
        check_equal(node.rpc.gettxoutsetinfo(), coins)

    def clocks(self):
        self.step('clocks')
        first, second = self.nodes
        self.part()
        second.connect(first)
        self.sync_blocks()
        now = int(time.time())
        first.rpc.setmocktime(now + 3600)
        self.part(second)
        second.connect(first)

        def lines(node, text):
            return [line for line in node.log().splitlines() if text in line]
        wait_until(lambda: all(lines(node, 'warning: this clock is') for node in self.nodes), 'the warnings')
        check_equal(len(lines(second, 'warning: this clock is')), 1)
        check('seconds behind the median of 1 peers: check date and time' in lines(second, 'this clock is')[0], 'the warning')
        check('seconds ahead of the median' in lines(first, 'this clock is')[0], 'the warning of the other')
        check(3000 <= second.rpc.getpeerinfo()[0]['timeoffset'] <= 3600, 'timeoffset')
        before = second.rpc.getbestblockhash()
        ahead = first.mine(1)[0]
        wait_until(lambda: lines(second, 'header %s from peer' % ahead), 'the refusal')
        check('is not taken: its time is 3' in lines(second, 'header ' + ahead)[0], lines(second, 'header ' + ahead)[0])
        check_equal(second.rpc.getbestblockhash(), before)
        check_equal(second.rpc.getpeerinfo()[0]['misbehaviour'], 0)
        check_equal(second.rpc.submitblock(first.rpc.getblock(ahead, 0)), 'time-too-new')
        # Ten minutes are allowed, and no second more.
        limit = first.rpc.getblockheader(ahead)['time'] - 600
        second.rpc.setmocktime(limit - 1)
        check_equal(second.rpc.submitblock(first.rpc.getblock(ahead, 0)), 'time-too-new')
        second.rpc.setmocktime(limit)
        check_equal(second.rpc.submitblock(first.rpc.getblock(ahead, 0)), None)
        for node in self.nodes:
            node.rpc.setmocktime(0)
        first.mine(1)
        self.sync_blocks()
        self.step('-mocktime')
        first.restart(['-mocktime=%d' % (now + 7200)])
        check_equal(first.rpc.getblocktemplate({'rules': ['segwit']})['curtime'], now + 7200)
        first.restart()

    # ---- full disks ----

    def put(self, node, upload, data, rows, k, offset):
        status, reply = node.rpc.request('PUT', '/blob/operand?upload=%s&rows=%d&k=%d&offset=%d' % (upload, rows, k, offset),
                                         data)
        return status, json.loads(reply)

    def full_upload(self):
        self.step('a disk that fills up during an upload')
        node = self.node
        node.restart(['-debug=none'])
        rows, k = 1280, 4096
        matrix = numpy.random.default_rng(1).integers(-64, 64, (rows, k), dtype=numpy.int8).tobytes()
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (3 << 20, resource.RLIM_INFINITY))
        upload, sent, piece, errors = 'ab' * 16, 0, 1 << 20, []
        while sent < len(matrix):
            status, reply = self.put(node, upload, matrix[sent:sent + piece], rows, k, sent)
            if status != 200:
                check_equal((status, reply['error']), (507, 'No disk space'))
                check(sent <= reply['received'] < sent + piece, 'received')
                sent = reply['received']
                errors.append(sent)
                if len(errors) == 2:
                    check_equal(errors[0], errors[1])  # as full as before, nothing taken and nothing lost
                    # The node is up, and mines.
                    node.mine(2)
                    check_equal(node.rpc.getblockchaininfo()['warnings'], [])
                    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
                continue
            sent = reply['received']
        check_equal((len(errors), sent), (2, len(matrix)))
        check('upload' in node.log() and 'File too large' in node.log(), 'no word in the log')
        status, reply = node.rpc.request('POST', '/blob/operand/finish?upload=' + upload)
        check_equal(status, 200, reply)
        root = json.loads(reply)['root']
        status, reply = node.rpc.request('GET', '/blob/operand/' + root)
        info = json.loads(reply)
        check_equal((info['rows'], info['k'], info['complete']), (rows, k, True))
        panel = matrix[:128 * k]
        status, data = node.rpc.request('GET', '/blob/operand/%s?x=0&y=1' % root)
        rowmajor = numpy.frombuffer(panel, numpy.int8).reshape(128, k)
        check_equal(data, rowmajor[:, 256:512].tobytes())
        # The same bytes without an interruption have the same root.
        sent = 0
        while sent < len(matrix):
            status, reply = self.put(node, 'cd' * 16, matrix[sent:sent + (4 << 20)], rows, k, sent)
            sent = reply['received']
        status, reply = node.rpc.request('POST', '/blob/operand/finish?upload=' + 'cd' * 16)
        check_equal(json.loads(reply)['root'], root)
        self.bad_uploads(node)

    def bad_uploads(self, node):
        self.step('uploads that are wrong')
        def put(query, data=b'x', method='PUT', path='/blob/operand'):
            status, reply = node.rpc.request(method, path + query, data)
            return status, json.loads(reply).get('error')
        check_equal(put('')[0], 400)
        check_equal(put('?upload=zz&rows=128&k=256'), (400, 'upload (hex), rows, k and offset are expected'))
        check_equal(put('?upload=ab&rows=x&k=256')[0], 400)
        for rows, k in ((0, 256), (128, 0), (100, 256), (128, 100), (128, 65792), ((1 << 24) + 128, 256)):
            check_equal(put('?upload=ab&rows=%d&k=%d' % (rows, k))[0], 400, '%d x %d' % (rows, k))
        check_equal(put('?upload=ab&rows=128&k=256&offset=1'), (409, 'The upload goes on at another offset'))
        check_equal(put('?upload=ab&rows=256&k=256')[0], 400)  # another shape than before
        check_equal(put('?upload=ab&rows=128&k=256', bytes(128 * 256 + 1))[0], 400)
        check_equal(put('?upload=ab&rows=128&k=256', bytes((4 << 20) + 1)), (413, 'A piece has at most 4 MiB'))
        check_equal(put('?upload=ab', method='POST', path='/blob/operand/finish'), (409, 'Bytes are missing'))
        check_equal(put('?upload=ef', method='POST', path='/blob/operand/finish')[0], 404)
        check_equal(put('', method='GET', path='/blob/operand/' + 'ab' * 32, data=None), (404, 'Not here'))
        check_equal(put('', method='GET', path='/blob/operand/zz', data=None)[0], 404)
        check_equal(put('', method='GET', path='/blob/nonsense/zz', data=None)[0], 404)
        check_equal(put('', method='DELETE', path='/blob/operand/' + 'ab' * 32, data=None)[0], 405)
        self.step('an upload that no disk could hold')
        status, error = put('?upload=bb&rows=16777216&k=65536', b'')
        check_equal((status, error), (507, 'No disk space'))
        check(node.rpc.uptime() >= 0, 'the node is up')

    def full_blocks(self):
        self.step('a disk that fills up while blocks are written')
        node, other = self.nodes
        node.mine(200)
        other.connect(node)
        self.sync_blocks()
        self.part(other)
        # The limit is one on every file: the log must be well below the size of the block files.
        node.stop()
        os.remove(os.path.join(node.netdir, 'debug.log'))
        node.start(['-debug=none'])
        address = node.mining_address()
        folder = os.path.join(node.netdir, 'blocks')
        sizes = [os.path.getsize(os.path.join(folder, name)) for name in ('blk00000.dat', 'rev00000.dat')]
        for extra in (10, 700, 3000):
            resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (max(sizes) + extra, resource.RLIM_INFINITY))
            acknowledged = []
            try:
                for _ in range(1000):
                    acknowledged += node.rpc.generatetoaddress(1, address)
                check(False, 'the limit was never met')
            except Exception as error:
                reason = str(error)
            check('from disk' in reason or 'write' in reason, 'the reason: ' + reason)
            check_equal(node.process.wait(TIMEOUT), 1, 'exit status')
            check('Error: cannot write' in node.tail(), node.tail())
            check(any('stopping' in line and 'Error: cannot write' in line for line in node.log().splitlines()[-20:]),
                  'the log: ' + '\n'.join(node.log().splitlines()[-5:]))
            node.close()
            node.start(['-debug=none'])
            check(not acknowledged or node.rpc.getblockheader(acknowledged[-1])['confirmations'] > 0, 'a block is lost')
            sizes = [os.path.getsize(os.path.join(folder, name)) for name in ('blk00000.dat', 'rev00000.dat')]
        mined = block_on_tip(node)
        check_equal(node.rpc.submitblock(mined.write().hex()), None)
        other.connect(node)
        self.sync_blocks()
        check_equal(node.rpc.gettxoutsetinfo(), other.rpc.gettxoutsetinfo())
        peer = Peer(node)
        peer.send('getdata', var(1) + MSG_BLOCK.to_bytes(4, 'little') + id_bytes(mined.hash))
        check_equal(peer.wait('block')[:80], mined.header())


if __name__ == '__main__':
    TestNode().main()
