#!/usr/bin/python3
"""fornaxd through a symbolic link named bitcoind: bitcoin.conf, -regtest, files and options as those of Bitcoin Core."""
import http.client
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
# The second block of the chain that Bitcoin Core's tests begin with: rpc_getblockfrompeer.py has its id.
SECOND = '36c56c5b5ebbaf90d76b0d1a074dcb32d42abab75b7ec6fa0ffd9b4fbce8f0f7'


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
        node = self.new_node()
        self.one_node(node)
        self.what_stops_it(node)
        self.what_is_refused()

    def new_node(self):
        node = Bitcoind(self, len(self.nodes))
        self.nodes.append(node)
        with open(os.path.join(node.dir, 'bitcoin.conf'), 'w') as file:
            file.write(CONFIG.format(port=node.port, rpcport=node.rpcport))
        return node

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
        node.setmocktime(node.getblockheader(node.getbestblockhash())['time'])
        tip = node.generatetoaddress(2, 'mjTkW3DjgyZck4KbiRusZsqTgaYTxdSz6z')[1]
        check_equal(tip, SECOND, 'the block that Bitcoin Core makes there')
        wait_until(lambda: 'UpdateTip: new best=%s height=2\n' % tip in node.log(), 'a line on the new tip')
        done = subprocess.run([self.cli, '-datadir=' + node.dir, 'getblockcount'], capture_output=True, text=True,
                              timeout=TIMEOUT, stdin=subprocess.DEVNULL)
        check_equal((done.returncode, done.stdout), (0, '2\n'), done.stderr)

    def what_stops_it(self, node):
        self.step('a height to stop at, a clock that goes wrong, witnesses that were never looked at')
        node.setmocktime(0)
        node.restart(['-stopatheight=4'])
        node.generatetodescriptor(1, 'raw(51)')
        try:
            node.generatetodescriptor(1, 'raw(51)')
        except (OSError, http.client.HTTPException):
            pass  # it was gone before it answered
        check_equal(node.process.wait(60), 0)
        node.close()
        node.start()
        time = node.getblockheader(node.getbestblockhash())['time']
        node.stop()
        self.ends(node, 'appears to be from the future', '-mocktime=%d' % (time - 7201))
        node.start(['-mocktime=%d' % (time - 7200)])
        node.stop()
        node = self.new_node()
        node.start(['-testactivationheight=segwit@10'])
        node.generatetodescriptor(8, 'raw(51)')
        template = node.getblocktemplate({'rules': ['segwit']})  # of the last block with the old limits
        check_equal((template['sizelimit'], template['sigoplimit']), (1000000, 20000))
        check('weightlimit' not in template and '!segwit' not in template['rules'], template)
        node.generatetodescriptor(1, 'raw(51)')
        template = node.getblocktemplate({'rules': ['segwit']})
        check_equal((template['sizelimit'], template['sigoplimit'], template['weightlimit']), (4000000, 80000, 4000000))
        check('!segwit' in template['rules'], template)
        node.restart(['-testactivationheight=segwit@10'])  # no earlier than it was
        node.stop()
        self.ends(node, 'Witness data for blocks after height 6 requires validation', '-testactivationheight=segwit@6')
        node.start(['-testactivationheight=segwit@6', '-reindex'])
        wait_until(lambda: 'Reindexing finished' in node.log(), 'the end of -reindex')
        # The blocks from there on commit to witnesses that they do not have.
        check_equal(node.getblockcount(), 5)
        node.restart(['-testactivationheight=segwit@6'])

    def ends(self, node, text, *args):
        """It does not start with these arguments, and says why as Bitcoin Core does, without "Error"."""
        node.start(args, wait=False)
        check_equal(node.process.wait(60), 1)
        check(text in node.tail() and 'Please restart with -reindex' in node.tail(), node.tail())
        check(any(line.startswith(': ') for line in node.tail(3).splitlines()), node.tail())
        node.close()

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
