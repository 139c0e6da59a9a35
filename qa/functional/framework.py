"""Functional tests: real fornaxd processes on regtest, driven over RPC.

A test is a file test_NAME.py that subclasses FornaxTest, sets `nodes` and writes run(). It exits 0 when it passed and 77
when it was skipped. Everything it starts lives in one temporary directory and ends with it; the directory is kept, and
named, when the test fails.

Needs only the standard library. The programs are those of FORNAX_BUILDDIR (default: build, or the source tree).
"""
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from decimal import Decimal

SRCDIR = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
TIMEOUT = float(os.environ.get('FORNAX_TEST_TIMEOUT', '60'))
COIN = 100_000_000


def build_dir():
    """Where the programs are."""
    for folder in (os.environ.get('FORNAX_BUILDDIR'), os.path.join(SRCDIR, 'build', 'release'),
                   os.path.join(SRCDIR, 'build'), SRCDIR):
        if folder and os.path.exists(os.path.join(folder, 'src', 'fornaxd')):
            return os.path.abspath(folder)
    raise SystemExit('fornaxd is not built: set FORNAX_BUILDDIR, or run qa/quickstart once')


def program(name):
    return os.path.join(build_dir(), 'src', name)


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


class RPCError(Exception):
    def __init__(self, error):
        super().__init__('%s (%d)' % (error.get('message'), error.get('code')))
        self.code = error.get('code')
        self.message = error.get('message')


class Failure(AssertionError):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(got, wanted, text=''):
    if got != wanted:
        raise Failure('%s: got %r, wanted %r' % (text or 'not equal', got, wanted))


@contextlib.contextmanager
def raises_rpc(code=None, text=None):
    """The block must end in an RPC error with this code, whose message contains this text."""
    try:
        yield
    except RPCError as error:
        if code is not None:
            check_equal(error.code, code, 'code of "%s"' % error.message)
        if text is not None:
            check(text in error.message, 'error "%s" does not say "%s"' % (error.message, text))
        return
    raise Failure('no error, wanted one with code %s and text %s' % (code, text))


def wait_until(condition, text, timeout=None, step=0.05):
    """Polls condition() until it is true; its value."""
    end = time.monotonic() + (timeout or TIMEOUT)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure('waited in vain for: ' + text)
        time.sleep(step)


_claims = {}  # port -> the socket that claims it


def free_port():
    """A port that nobody uses now, and no other test will: not while a node restarts, and not before it starts. Whoever takes a
    port binds UDP's of the same number as long as it runs. Below the range that the system hands out by itself."""
    while True:
        port = 12000 + int.from_bytes(os.urandom(2), 'little') % 18000
        if port in _claims:
            continue
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(('127.0.0.1', port))
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(('127.0.0.1', port))
        except OSError:
            claim.close()
            continue
        _claims[port] = claim
        return port


class RPC:
    """JSON-RPC over one connection that is opened again when it breaks."""

    def __init__(self, port, authorization, path='/', timeout=None):
        self.port, self.authorization, self.path = port, authorization, path
        self.timeout = timeout or TIMEOUT
        self.connection = None
        self.id = 0

    def request(self, method, path, body=None, headers=None):
        """One HTTP request; (status, bytes). A connection that the other side closed while idle is opened again."""
        headers = dict(headers or {})
        headers['Authorization'] = 'Basic ' + base64.b64encode(self.authorization.encode()).decode()
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=self.timeout)
            try:
                self.connection.request(method, path, body, headers)
                response = self.connection.getresponse()
                return response.status, response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if fresh or attempt == 2:
                    raise
            except BaseException:  # an interrupt too: what is left of the answer is not the next one's
                self.close()
                raise

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, name, *args, **named):
        self.id += 1
        params = dict(named, args=list(args)) if named and args else named or list(args)
        body = json.dumps({'jsonrpc': '1.0', 'id': self.id, 'method': name, 'params': params},
                          default=lambda amount: format(amount, 'f'))
        status, data = self.request('POST', self.path, body, {'Content-Type': 'application/json'})
        if status == 401:
            raise PermissionError('the node refused the credentials')
        if not data:
            raise Failure('%s: HTTP %d without a body' % (name, status))
        reply = json.loads(data, parse_float=Decimal)
        if reply.get('error'):
            raise RPCError(reply['error'])
        return reply['result']

    def gettxoutsetinfo(self, *args):
        """Without what depends on how the node came by its state."""
        info = self.call('gettxoutsetinfo', *args)
        check(info.pop('disk_size') >= 0, 'disk_size')
        return info

    def __getattr__(self, name):
        if name.startswith('_'):
            raise AttributeError(name)
        return lambda *args, **named: self.call(name, *args, **named)


class Node:
    """One fornaxd with a data directory of its own."""
    own_session = False  # apart from the terminal's Ctrl-C; qa/test finds what a test started by its session

    def __init__(self, test, index, args=()):
        self.test, self.index = test, index
        self.dir = os.path.join(test.dir, 'node%d' % index)
        os.makedirs(self.dir, exist_ok=True)
        self.args = list(args)
        self.port, self.rpcport = free_port(), free_port()
        self.process = None
        self.rpc = None

    @property
    def netdir(self):
        return os.path.join(self.dir, self.test.chain)

    @property
    def address(self):
        return '127.0.0.1:%d' % self.port

    def command(self, extra=()):
        return [program('fornaxd'), '-' + self.test.chain, '-datadir=' + self.dir, '-port=%d' % self.port,
                '-rpcport=%d' % self.rpcport, *([] if '-listen=0' in self.args else ['-bind=127.0.0.1']), '-rpcdoccheck',
                '-debug=all', '-printtoconsole=0', *self.args, *extra]

    def start(self, extra=(), env=None, wait=True):
        check(self.process is None or self.process.poll() is not None, 'node %d runs already' % self.index)
        self.out = open(os.path.join(self.dir, 'output'), 'ab')
        self.process = subprocess.Popen(self.command(extra), stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=subprocess.STDOUT, env=dict(os.environ, **(env or {})),
                                        start_new_session=self.own_session)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        cookie = os.path.join(self.netdir, '.cookie')

        def ready():
            if self.process.poll() is not None:
                raise Failure('node %d ended with %s at start: %s' % (self.index, self.process.returncode, self.tail()))
            try:
                with open(cookie) as file:
                    text = file.read()
                rpc = RPC(self.rpcport, text)
                rpc.getblockcount()
            except (OSError, PermissionError, http.client.HTTPException):
                return False
            except RPCError as error:
                if error.code == -28:
                    return False
                raise
            self.rpc = rpc
            self.cookie = text
            return True
        wait_until(ready, 'node %d to answer' % self.index)

    def tail(self, lines=12):
        with open(os.path.join(self.dir, 'output'), 'rb') as file:
            return b'\n'.join(file.read().splitlines()[-lines:]).decode(errors='replace')

    def log(self):
        try:
            with open(os.path.join(self.netdir, 'debug.log'), errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def stop(self):
        """A clean stop; the exit status must be 0."""
        if self.process is None:
            return
        if self.process.poll() is None:
            with contextlib.suppress(Exception):
                self.rpc.stop()
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise Failure('node %d did not stop' % self.index) from None
        self.close()
        check_equal(status, 0, 'exit status of node %d (%s)' % (self.index, self.tail()))

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def close(self):
        if self.rpc:
            self.rpc.close()
        self.process = self.rpc = None
        self.out.close()

    def restart(self, extra=(), env=None):
        self.stop()
        return self.start(extra, env)

    def wallet(self, name=''):
        """An RPC to one wallet."""
        return RPC(self.rpcport, self.cookie, '/wallet/' + name)

    def cli(self, *args, stdin=None, timeout=None):
        """fornax-cli against this node: (exit status, standard output, standard error)."""
        done = subprocess.run([program('fornax-cli'), '-' + self.test.chain, '-datadir=' + self.dir,
                               '-rpcport=%d' % self.rpcport, *map(str, args)],
                              input=stdin, capture_output=True, text=True, timeout=timeout or TIMEOUT,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def connect(self, other):
        """Dials the other node. When this returns, both have finished the handshake."""
        def connected():
            ours = [p for p in self.rpc.getpeerinfo() if p['addr'] == other.address]
            if not ours:  # also where a connection that had broken was still in the way when the node was asked
                self.rpc.addnode(other.address, 'onetry')
            names = {p['addrbind'] for p in ours if p['handshake']}
            return any(p['handshake'] and p['addr'] in names for p in other.rpc.getpeerinfo())
        wait_until(connected, 'node %d to connect to node %d' % (self.index, other.index))

    def mine(self, blocks=1, address=None):
        """Hash-lane blocks; their ids."""
        return self.rpc.generatetoaddress(blocks, address or self.mining_address())

    def mining_address(self):
        if not getattr(self, '_mining_address', None):
            if '' not in self.rpc.listwallets():
                self.rpc.createwallet('')
            self._mining_address = self.rpc.getnewaddress()
        return self._mining_address

    def __getattr__(self, name):
        if name.startswith('_') or self.__dict__.get('rpc') is None:
            raise AttributeError(name)
        return getattr(self.rpc, name)


class FornaxTest:
    nodes_count = 1
    chain = 'regtest'    # or btcregtest
    node_args = ()       # for all, or a list of lists: one a node
    connect_nodes = True  # each to the one before

    def run(self):
        raise NotImplementedError

    def setup(self):
        for index in range(self.nodes_count):
            args = self.node_args
            if args and isinstance(args[0], (list, tuple)):
                args = args[index]
            self.nodes.append(Node(self, index, args))
        for node in self.nodes:
            node.start()
        if self.connect_nodes:
            for before, node in zip(self.nodes, self.nodes[1:]):
                node.connect(before)

    def sync_blocks(self, nodes=None, timeout=None):
        nodes = nodes or self.nodes
        wait_until(lambda: len({node.rpc.getbestblockhash() for node in nodes}) == 1, 'nodes at one tip', timeout)

    def sync_mempools(self, nodes=None):
        nodes = nodes or self.nodes
        wait_until(lambda: len({tuple(sorted(node.rpc.getrawmempool())) for node in nodes}) == 1,
                   'nodes with one mempool')

    def sync(self, nodes=None):
        self.sync_blocks(nodes)
        self.sync_mempools(nodes)

    def part(self, *nodes, only=lambda peer: True):
        """Ends the connections of these nodes, or of all; those that `only` names, by its entry of getpeerinfo."""
        nodes = nodes or self.nodes
        for node in nodes:
            for peer in filter(only, node.rpc.getpeerinfo()):
                try:
                    node.rpc.disconnectnode('', peer['id'])
                except RPCError as error:
                    check_equal(error.code, -29, str(error))  # the other side was quicker
        wait_until(lambda: not any(only(peer) for node in nodes for peer in node.rpc.getpeerinfo()), 'the nodes to part')

    def process(self, command, **kw):
        """A further process, killed at the end at the latest."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **kw)
        self.processes.append(process)
        return process

    def step(self, text):
        print('%6.1f s  %s' % (time.monotonic() - self.started, text), flush=True)

    def main(self):
        self.started = time.monotonic()
        self.dir = tempfile.mkdtemp(prefix='fornax-' + type(self).__name__ + '-')
        self.nodes, self.processes = [], []
        status = 1
        try:
            self.setup()
            self.run()
            for node in self.nodes:
                node.stop()
            status = 0
        except Skip as why:
            print('skipped: %s' % why)
            status = 77
        except BaseException:
            for node in self.nodes:
                print('---- end of the log of node %d' % node.index)
                print('\n'.join(node.log().splitlines()[-30:]))
            print('----', flush=True)
            traceback.print_exc()  # last, where a reader of a shortened log finds it
        finally:
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            for node in self.nodes:
                if node.process:
                    node.kill()
            if status == 1:
                print('kept: ' + self.dir)
            else:
                shutil.rmtree(self.dir, ignore_errors=True)
        sys.exit(status)
