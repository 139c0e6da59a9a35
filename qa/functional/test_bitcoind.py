#!/usr/bin/python3
"""fornaxd through a symbolic link named bitcoind: bitcoin.conf, -regtest, files and options as those of Bitcoin Core."""
import os
import socket
import subprocess

from framework import TIMEOUT, FornaxTest, Node, check, check_equal, free_port, program, wait_until

# What Bitcoin Core's own functional tests give each node that they start.
CONFIG = """regtest=1
[regtest]
port={port}
rpcport={rpcport}
rpcservertimeout=99000
rpcdoccheck=1
fallbackfee=0.0002
server=1
keypool=1
discover=0
dnsseed=0
fixedseeds=0
listenonion=0
peertimeout=999999999
printtoconsole=0
upnp=0
natpmp=0
shrinkdebugfile=0
deprecatedrpc=create_bdb
unsafesqlitesync=1
connect=0
"""
ARGS = ['-logtimemicros', '-debug', '-debugexclude=libevent', '-debugexclude=leveldb', '-debugexclude=rand',
        '-uacomment=testnode0', '-disablewallet', '-logthreadnames', '-logsourcelocations', '-loglevel=trace',
        '-v2transport=0']


class Bitcoind(Node):
    netdir = property(lambda self: os.path.join(self.dir, 'regtest'))

    def command(self, extra=()):
        return [self.test.link, '-datadir=' + self.dir, *ARGS, *self.args, *extra]


class TestBitcoind(FornaxTest):
    nodes_count = 0

    def run(self):
        self.link = os.path.join(self.dir, 'bitcoind')
        self.cli = os.path.join(self.dir, 'bitcoin-cli')
        os.symlink(program('fornaxd'), self.link)
        os.symlink(program('fornax-cli'), self.cli)
        node = Bitcoind(self, 0)
        self.nodes.append(node)
        with open(os.path.join(node.dir, 'bitcoin.conf'), 'w') as file:
            file.write(CONFIG.format(port=node.port, rpcport=node.rpcport))
        self.one_node(node)
        self.what_is_refused()

    def one_node(self, node):
        self.step('a node as a test of Bitcoin Core starts it')
        other = free_port()
        node.start(['-bind=127.0.0.1:%d' % node.port, '-bind=127.0.0.1:%d=onion' % other])
        check_equal(node.getblockchaininfo()['chain'], 'regtest')
        check_equal(node.getblockhash(0), '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206')
        check('(testnode0)' in node.getnetworkinfo()['subversion'], 'no comment in the user agent')
        for name in ('.cookie', 'debug.log', 'bitcoind.pid', 'blocks', 'chainstate'):
            check(os.path.exists(os.path.join(node.netdir, name)), 'no ' + name)
        for port in (node.port, other):
            socket.create_connection(('127.0.0.1', port), timeout=TIMEOUT).close()
        tip, = node.generatetoaddress(1, 'mjTkW3DjgyZck4KbiRusZsqTgaYTxdSz6z')
        wait_until(lambda: 'UpdateTip: new best=%s height=1\n' % tip in node.log(), 'a line on the new tip')
        done = subprocess.run([self.cli, '-datadir=' + node.dir, 'getblockcount'], capture_output=True, text=True,
                              timeout=TIMEOUT, stdin=subprocess.DEVNULL)
        check_equal((done.returncode, done.stdout), (0, '1\n'), done.stderr)

    def refused(self, text, *args):
        done = subprocess.run([self.link, *args], capture_output=True, text=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL)
        check_equal(done.returncode, 1, 'exit status')
        check(text in done.stderr, '"%s" does not say "%s"' % (done.stderr, text))

    def what_is_refused(self):
        self.step('what is refused')
        folder = os.path.join(self.dir, 'empty')
        os.mkdir(folder)
        base = '-datadir=' + folder
        self.refused('-regtest only', base)
        self.refused('-regtest only', base, '-btcregtest')
        self.refused('Invalid parameter -signet', base, '-signet')
        self.refused('Invalid parameter -nonsense', base, '-regtest', '-nonsense')
        self.refused('Invalid non-hex (test)', base, '-regtest', '-minimumchainwork=test')
        self.refused('-assumevalid takes', base, '-regtest', '-assumevalid=0x' + 65 * '0')
        self.refused("Invalid amount for -minrelaytxfee=<amount>: 'x'", base, '-regtest', '-minrelaytxfee=x')
        self.refused("Invalid amount for -blockmintxfee=<amount>: '2'", base, '-regtest', '-blockmintxfee=2')
        self.refused('-datadir must be given', '-regtest')
        self.link = program('fornaxd')
        self.refused('Invalid parameter -fallbackfee=1', base, '-regtest', '-fallbackfee=1')


if __name__ == '__main__':
    TestBitcoind().main()
