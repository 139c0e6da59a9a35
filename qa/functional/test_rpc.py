#!/usr/bin/python3
# sanitizer: yes
"""The RPC server: who may call, envelopes and batches, help and arguments of every command, blocks, transactions and templates."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import stat
import threading
import time
from decimal import Decimal

from blocktools import Block, Tx, block_on_tip, chain_on, coinbase, hash_id, merkle_root
from framework import RPC, FornaxTest, check, check_equal, raises_rpc, wait_until
from p2p import id_bytes, var


class TestRPC(FornaxTest):
    nodes_count = 1

    def run(self):
        self.node = self.nodes[0]
        self.rpc = self.node.rpc
        self.cookies()
        self.envelopes()
        self.http()
        self.descriptions()
        self.arguments()
        self.blocks()
        self.transactions()
        self.templates()
        self.headers()
        self.clock()
        self.passwords()

    # ---- who may call ----

    def post(self, body, authorization=None, path='/', method='POST', headers=()):
        """(HTTP status, JSON or text) of a raw request."""
        connection = http.client.HTTPConnection('127.0.0.1', self.node.rpcport, timeout=30)
        fields = dict(headers)
        if authorization is None:
            authorization = self.node.cookie
        if authorization:
            fields['Authorization'] = 'Basic ' + base64.b64encode(authorization.encode()).decode()
        connection.request(method, path, body, fields)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            return response.status, json.loads(data)
        except ValueError:
            return response.status, data.decode()

    def refused(self, authorization):
        started = time.monotonic()
        status, text = self.post('{"method": "uptime"}', authorization)
        check_equal((status, text), (401, 'Wrong or missing credentials\n'), 'with ' + authorization)
        return time.monotonic() - started

    def cookies(self):
        self.step('the cookie, and those without it')
        path = os.path.join(self.node.netdir, '.cookie')
        check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        check(self.node.cookie.startswith('__cookie__:') and len(self.node.cookie) >= 11 + 64, 'cookie')
        self.refused('')
        name, password = self.node.cookie.split(':')
        for wrong in (name + ':', name + ':' + password[:-1], name + ':' + password + '0', ':' + password, 'x', ':',
                      name.upper() + ':' + password):
            check(self.refused(wrong) > 0.2, 'an answer that lets one guess fast')
        wait_until(lambda: 'wrong password from 127.0.0.1' in self.node.log(), 'the log to tell')
        status, _ = self.post('{"method": "uptime"}', '', headers={'Authorization': 'Bearer x'})
        check_equal(status, 401)
        status, _ = self.post('{"method": "uptime"}', '', headers={'Authorization': 'Basic !!!!'})
        check_equal(status, 401)
        check(password not in self.node.log(), 'the password is in the log')
        for path in ('/wallet/', '/blob/operand', '/job/' + 'a' * 64):
            check_equal(self.post('', '', path)[0], 401)

    def envelopes(self):
        self.step('JSON-RPC 1.0, 2.0 and batches')
        def call(body):
            return self.post(body if isinstance(body, str) else json.dumps(body))
        status, reply = call({'method': 'getblockcount', 'params': [], 'id': 'x'})
        check_equal((status, reply), (200, {'result': 0, 'error': None, 'id': 'x'}))
        status, reply = call({'jsonrpc': '2.0', 'method': 'getblockcount', 'id': 7})
        check_equal((status, reply), (200, {'jsonrpc': '2.0', 'result': 0, 'id': 7}))
        check_equal(call({'jsonrpc': '2.0', 'method': 'getblockcount'}), (204, ''))  # a notification
        check_equal(call({'method': 'getblockcount'}), (200, {'result': 0, 'error': None}))  # in 1.0 that has an answer
        status, reply = call({'jsonrpc': '2.0', 'method': 'nonsense', 'id': 1})
        check_equal((status, reply['error']['code'], 'result' in reply), (200, -32601, False))
        status, reply = call({'method': 'nonsense', 'id': 1})
        check_equal((status, reply['error'], reply['result']), (404, {'code': -32601, 'message': 'Method not found'}, None))
        status, reply = call({'method': 'getblockhash', 'params': [-1], 'id': 1})
        check_equal((status, reply['error']['code']), (500, -8))
        for body, code, http_status in (
                ('', -32700, 500), ('{', -32700, 500), ('nonsense', -32700, 500), ('7', -32700, 500), ('"x"', -32700, 500),
                ('{}', -32600, 400), ('{"method": 1}', -32600, 400), ('{"method": "help", "params": 1}', -32600, 400),
                ('{"jsonrpc": "3.0", "method": "help"}', -32600, 400), ('{"jsonrpc": 2, "method": "help"}', -32600, 400),
                ('{"method": "help", "id": "\\ud800"}', -32700, 500), ('{"method": "a\\u0000b"}', -32700, 500),
                ('[' * 5000 + ']' * 5000, -32700, 500), ('{"method": "getblockhash", "params": [1e999]}', -32700, 500),
                ('{"method": "getblockhash", "params": [99999999999999999999]}', -32700, 500)):
            status, reply = call(body)
            check_equal((reply['error']['code'], status), (code, http_status), 'reply to ' + body[:60])
        check_equal(self.post(b'{"method": "help", "params": ["\xff"]}')[1]['error']['code'], -32700)
        status, replies = call([{'method': 'getblockcount', 'id': 1}, {'method': 'nonsense', 'id': 2}, 3, [],
                                {'jsonrpc': '2.0', 'method': 'uptime'}, {'jsonrpc': '2.0', 'method': 'getblockcount', 'id': 4}])
        check_equal(status, 200)
        check_equal([reply.get('id') for reply in replies], [1, 2, None, None, 4])
        check_equal([(reply.get('error') or {}).get('code') for reply in replies], [None, -32601, -32600, -32600, None])
        check_equal(call('[]')[0] in (200, 204), True)
        check_equal(call([{'jsonrpc': '2.0', 'method': 'uptime'}] * 3), (204, ''))
        address = self.node.mining_address()
        status, replies = call([{'method': 'generatetoaddress', 'params': [2, address], 'id': 1},
                                {'method': 'getblockcount', 'id': 2}])
        check_equal([len(replies[0]['result']), replies[1]['result']], [2, 2])

    def http(self):
        self.step('HTTP')
        check_equal(self.post('', method='GET')[0], 405)
        check_equal(self.post('{"method": "uptime"}', method='PUT')[0], 405)
        check_equal(self.post('{"method": "uptime"}', path='/nonsense')[0], 404)
        check_equal(self.post('{"method": "uptime"}', path='/../../etc/passwd')[0], 404)
        with socket.create_connection(('127.0.0.1', self.node.rpcport), timeout=10) as s:
            s.sendall(b'POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n' % (33 << 20))
            check(b' 413 ' in s.recv(1000), 'a body that is too large is not refused')
        check_equal(self.post('{}', headers={'X': 'y' * 9000})[0], 400)
        for raw in (b'nonsense\r\n\r\n', b'POST / HTTP/9.9\r\n\r\n', b'POST /\x00 HTTP/1.1\r\n\r\n', b'\x16\x03\x01\x02\x00',
                    b'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n', b'POST / HTTP/1.1\r\nContent-Length: 9999999999999\r\n\r\n',
                    b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'):
            with socket.create_connection(('127.0.0.1', self.node.rpcport), timeout=10) as s:
                s.sendall(raw)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
        self.step('clients that hang up, and many at once')
        for size in (1, 50, 100, 200):
            request = (b'POST / HTTP/1.1\r\nAuthorization: Basic ' + base64.b64encode(self.node.cookie.encode()) +
                       b'\r\nContent-Length: 100\r\n\r\n{"method": "generatetoaddress", "params": [1, ')[:size]
            with socket.create_connection(('127.0.0.1', self.node.rpcport), timeout=10) as s:
                s.sendall(request)
        body = json.dumps({'method': 'generatetoaddress', 'params': [300, self.node.mining_address()], 'id': 1}).encode()
        with socket.create_connection(('127.0.0.1', self.node.rpcport), timeout=10) as s:
            s.sendall(b'POST / HTTP/1.1\r\nAuthorization: Basic ' + base64.b64encode(self.node.cookie.encode()) +
                      b'\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
        results = []

        def work():
            rpc = RPC(self.node.rpcport, self.node.cookie)
            for _ in range(20):
                results.append(rpc.getblockcount())
                rpc.getblockchaininfo()
            rpc.close()
        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_equal(len(results), 240)
        check(self.rpc.uptime() < 300, 'uptime')
        check_equal([call['method'] for call in self.rpc.getrpcinfo()['active_commands']], ['getrpcinfo'])

    # ---- descriptions ----

    def descriptions(self):
        self.step('help of every command, and its description')
        overview = self.rpc.help()
        self.commands = self.rpc.getrpcschema()
        names = [command['name'] for command in self.commands]
        check_equal(names, sorted(set(names)))
        wanted = set('''getblockchaininfo getblock getblockheader getblockhash getrawtransaction sendrawtransaction
            getmempoolinfo getrawmempool getblocktemplate submitblock generatetoaddress setmocktime addnode getpeerinfo stop help
            uptime gettxoutsetinfo gettask listtasks submitjob getjob listjobs getjobresult generatejobblock solvetask getnewaddress
            getbalances listunspent sendtoaddress listtransactions createwallet loadwallet rescanblockchain'''.split())
        check(wanted <= set(names), 'missing: %s' % (wanted - set(names)))
        for command in self.commands:
            name = command['name']
            text = self.rpc.help(name)
            check(text.startswith(name), text)
            check(command['description'] in ' '.join(text.split()) or command['description'].split('\n')[0][:40] in text,
                  'help %s lacks the description' % name)
            check('Result' in text, 'help %s has no result' % name)
            check('> fornax-cli ' + name in text and '> curl ' in text, 'help %s has no example' % name)
            for argument in command['arguments']:
                check('"%s"' % argument['name'] in text if 'name' in argument else True, 'help %s lacks an argument' % name)
            if not command['hidden']:
                check(any(line.split(' ')[0] == name for line in overview.splitlines()), 'help does not list ' + name)
            check_equal(self.rpc.getrpcschema(name), command)
        check_equal(self.rpc.help('nonsense'), 'help: unknown command: nonsense')
        with raises_rpc(-32601):
            self.rpc.getrpcschema('nonsense')

    def arguments(self):
        self.step('too few, too many, wrong, unknown arguments of every command')
        for command in self.commands:
            name, count = command['name'], len(command['arguments'])
            with raises_rpc(-1, name):
                self.rpc.call(name, *[None] * (count + 1))
            with raises_rpc(-8, 'Unknown named parameter nonsense'):
                self.rpc.call(name, nonsense=1)
            required = [argument for argument in command['arguments'] if not argument.get('optional')]
            if required:
                with raises_rpc(-1, name):
                    self.rpc.call(name)
            if count and name not in ('stop', 'echo', 'echojson'):
                # An object is no argument of these; an array of arrays is none of any.
                with raises_rpc(-3, 'is not of expected type'):
                    self.rpc.call(name, *[[[[]]]] * count)
        with raises_rpc(-3, 'Position 1 (height)'):
            self.rpc.getblockhash('1')
        with raises_rpc(-8, 'specified twice'):
            self.rpc.call('getblockhash', args=[1], height=1)
        check_equal(self.rpc.call('getblockhash', args=[0]), self.rpc.getblockhash(height=0))
        for wrong, code, text in (('', -8, 'must be of length 64 (not 0'), ('ab', -8, 'must be of length 64 (not 2'),
                                  ('g' * 64, -8, 'must be hexadecimal'), ('ab' * 32, -5, 'Block not found')):
            for call in (self.rpc.getblock, self.rpc.getblockheader, self.rpc.invalidateblock, self.rpc.reconsiderblock):
                with raises_rpc(code, text):
                    call(wrong)
        with raises_rpc(-8):
            self.rpc.getblockhash(2 ** 62)

    # ---- blocks and transactions ----

    def blocks(self):
        self.step('blocks and headers')
        rpc = self.rpc
        wait_until(lambda: rpc.getblockcount() >= 302, 'the blocks of the one who hung up')
        height = rpc.getblockcount()
        info = rpc.getblockchaininfo()
        check_equal((info['chain'], info['blocks'], info['headers'], info['bestblockhash'], info['warnings']),
                    ('regtest', height, height, rpc.getbestblockhash(), []))
        network = rpc.getnetworkinfo()
        check_equal((network['warnings'], network['protocolversion'], network['timeoffset'], network['localaddresses']),
                    ([], 70016, 0, []))
        check_equal([(one['name'], one['reachable']) for one in network['networks']],
                    [('ipv4', True), ('ipv6', True), ('onion', False), ('i2p', False), ('cjdns', False)])
        check_equal(rpc.getnettotals()['uploadtarget']['target'], 0)
        check_equal([lane['lane'] for lane in info['lanes']], ['hash', 'job'])
        check_equal([lane.get('height') for lane in info['lanes']], [height, None])
        check_equal([lane['nbits'] for lane in info['lanes']], ['207fffff'] * 2)
        check(all(lane['expectedwork'] >= 2 and lane['difficulty'] > 0 for lane in info['lanes']), 'work of the lanes')
        check_equal(int(info['chainwork'], 16), 2 * (height + 1))
        genesis = rpc.getblock(rpc.getblockhash(0))
        check_equal((genesis['height'], genesis['confirmations'], 'previousblockhash' in genesis), (0, height + 1, False))
        for at in (0, 1, height - 1, height):
            block_id = rpc.getblockhash(at)
            raw = bytes.fromhex(rpc.getblock(block_id, 0))
            check_equal(hash_id(raw[:80]), block_id)
            check_equal(rpc.getblockheader(block_id, False), raw[:80].hex())
            header, block = rpc.getblockheader(block_id), rpc.getblock(block_id)
            check_equal((block['size'], block['hash'], block['height'], block['lane']), (len(raw), block_id, at, 'hash'))
            check_equal({key: block[key] for key in header}, header)
            check_equal(block['merkleroot'], merkle_root([id_bytes(tx) for tx in block['tx']])[::-1].hex())
            check_equal(header.get('nextblockhash'), rpc.getblockhash(at + 1) if at < height else None)
            check_equal(header['confirmations'], height - at + 1)
            full = rpc.getblock(block_id, 2)
            check_equal([tx['txid'] for tx in full['tx']], block['tx'])
            check_equal(raw[80:], var(len(full['tx'])) + b''.join(bytes.fromhex(tx['hex']) for tx in full['tx']))
        check_equal(rpc.getblock(rpc.getblockhash(5), True), rpc.getblock(rpc.getblockhash(5), 1))
        check_equal(rpc.getblock(rpc.getblockhash(5), False), rpc.getblock(rpc.getblockhash(5), 0))
        check_equal(rpc.getblock(rpc.getblockhash(5), 3)['height'], 5)
        check_equal(rpc.getdifficulty(), rpc.getmininginfo()['difficulty'])
        with raises_rpc(-8, 'hash or job'):
            rpc.getdifficulty('both')
        coins = rpc.gettxoutsetinfo()
        check_equal((coins['height'], coins['txouts'], coins['records']), (height, height, 0))
        supply = sum(10 * 10 ** 8 >> at // 150 for at in range(1, height + 1))
        check_equal(coins['total_amount'], Decimal(supply) / 10 ** 8)

    def transactions(self):
        self.step('transactions')
        rpc = self.rpc
        address = rpc.getnewaddress()
        txid = rpc.sendtoaddress(address, 1)
        raw = rpc.getrawtransaction(txid)
        tx = Tx(bytes.fromhex(raw))
        check_equal((tx.txid, tx.write().hex()), (txid, raw))
        decoded = rpc.decoderawtransaction(raw)
        full = rpc.getrawtransaction(txid, True)
        check_equal(full, rpc.getrawtransaction(txid, 1))
        check_equal({key: full[key] for key in decoded}, decoded)
        check_equal((decoded['txid'], decoded['hash'], decoded['size']), (txid, tx.wtxid, len(raw) // 2))
        check_equal(decoded['weight'], 3 * len(tx.write(False)) + len(raw) // 2)
        check_equal(decoded['vsize'], (decoded['weight'] + 3) // 4)
        check_equal([item['txinwitness'] for item in decoded['vin']], [[item.hex() for item in tx.witness[0]]])
        check('confirmations' not in full, 'not in a block yet')
        check_equal(rpc.getrawmempool(), [txid])
        entry = rpc.getmempoolentry(txid)
        check_equal(rpc.getrawmempool(True), {txid: entry})
        check_equal((entry['vsize'], entry['depends']), (decoded['vsize'], []))
        with raises_rpc(-5, 'not in mempool'):
            rpc.getmempoolentry('ab' * 32)
        spent = decoded['vin'][0]
        check_equal(rpc.gettxout(spent['txid'], spent['vout']), None)
        check(rpc.gettxout(spent['txid'], spent['vout'], False)['value'] > 0, 'the coin is in the chain')
        check_equal(rpc.gettxout(txid, 0)['confirmations'], 0)
        check_equal(rpc.gettxout(txid, 9), None)
        check_equal(rpc.sendrawtransaction(raw), txid)

        self.step('transactions that are refused')
        for bad in ('', '00', raw[:-2], raw + '00', 'x'):
            with raises_rpc(-22, 'TX decode failed'):
                rpc.sendrawtransaction(bad)
        # Of all of these but the first the reason is told; none is kept.
        def changed(change):
            other = Tx(bytes.fromhex(raw))
            change(other)
            return other.write().hex()

        def unknown(other):
            other.inputs[0] = ('ab' * 32,) + other.inputs[0][1:]
        with raises_rpc(-25, 'bad-txns-inputs-missingorspent'):
            rpc.sendrawtransaction(changed(unknown))

        def greedy(other):
            other.outputs[0] = (other.outputs[0][0] + 10 ** 11, other.outputs[0][1])
        with raises_rpc(-26):
            rpc.sendrawtransaction(changed(greedy))

        def burning(other):
            other.outputs.append((1, b'\x6a'))
        with raises_rpc(-25, 'maxburnamount'):
            rpc.sendrawtransaction(changed(burning))
        verdict = rpc.testmempoolaccept([changed(greedy)])[0]
        check_equal(verdict['allowed'], False)
        check(verdict['reject-reason'], 'no reason')
        rpc.createwallet('spender')
        spender = self.node.wallet('spender')
        self.node.wallet('').sendtoaddress(spender.getnewaddress(), 2)
        self.node.mine(1, address)
        fresh = spender.sendtoaddress(address, 1)
        text = spender.getrawtransaction(fresh)
        # Without that wallet, and without its file, the mempool starts empty.
        self.node.restart(['-persistmempool=0', '-wallet='])
        self.rpc = rpc = self.node.rpc
        check_equal(rpc.getrawmempool(), [])
        with raises_rpc(-25, 'Fee exceeds maximum'):
            rpc.sendrawtransaction(text, Decimal('0.00000001'))
        check_equal(rpc.sendrawtransaction(text, 0), fresh)
        block = self.node.mine(1, address)[0]
        with raises_rpc(-27, 'already in utxo set'):
            rpc.sendrawtransaction(text)
        placed = rpc.getrawtransaction(txid, 2, rpc.getblock(block)['previousblockhash'])
        check_equal((placed['in_active_chain'], placed['confirmations']), (True, 2))
        with raises_rpc(-5, 'No such transaction found in the provided block'):
            rpc.getrawtransaction(txid, 1, block)
        with raises_rpc(-5, 'Block hash not found'):
            rpc.getrawtransaction(txid, 1, 'ab' * 32)
        with raises_rpc(-5, 'No such mempool or blockchain transaction'):
            rpc.getrawtransaction('ab' * 32)

    def templates(self):
        self.step('a block from a template, made in Python')
        rpc = self.rpc
        rules = {'rules': ['segwit']}
        with raises_rpc(-8, 'segwit'):
            rpc.getblocktemplate({'rules': []})
        with raises_rpc(-8, 'Invalid mode'):
            rpc.getblocktemplate({'rules': ['segwit'], 'mode': 'x'})
        with raises_rpc(-8, 'hash or job'):
            rpc.getblocktemplate({'rules': ['segwit'], 'lane': 'x'})
        txid = rpc.sendtoaddress(rpc.getnewaddress(), 1)
        child = rpc.sendtoaddress(rpc.getnewaddress(), rpc.getbalance(), '', '', True)
        template = rpc.getblocktemplate(rules)
        check_equal((template['height'], template['previousblockhash'], template['lane']),
                    (rpc.getblockcount() + 1, rpc.getbestblockhash(), 'hash'))
        found = {tx['txid']: tx for tx in template['transactions']}
        check_equal(set(found), {txid, child})
        check_equal([tx['txid'] for tx in template['transactions']].index(child), 1)
        check_equal((set(found[child]['depends']), found[txid]['depends']), ({1}, []))
        fees = sum(tx['fee'] for tx in template['transactions'])
        check_equal(template['coinbasevalue'], (10 ** 9 >> template['height'] // 150) + fees)
        block = block_on_tip(self.node, [tx['data'] for tx in template['transactions']])
        check_equal(block.txs[0].outputs[0][0], template['coinbasevalue'])
        check_equal(block.txs[0].outputs[1][1].hex(), template['default_witness_commitment'])

        self.step('proposals and blocks that are refused')
        raw = block.write()

        def propose(data):
            return rpc.getblocktemplate({'mode': 'proposal', 'data': data.hex(), 'rules': ['segwit']})

        def remade(change, solve=True):
            other = block_on_tip(self.node, [tx['data'] for tx in template['transactions']])
            change(other)
            return other.solve() if solve else other
        check_equal(propose(raw), None)
        with raises_rpc(-22, 'Block decode failed'):
            propose(raw[:-1])
        with raises_rpc(-22, 'Block decode failed'):
            rpc.submitblock(raw[:-1].hex())
        with raises_rpc(-22, 'Block decode failed'):
            rpc.submitblock('')
        with raises_rpc(-22, 'Block decode failed'):
            rpc.submitblock('zz')

        def refused(text, change, solve=True):
            bad = remade(change, solve)
            check_equal(propose(bad.write()), text)
            if solve:
                check_equal(rpc.submitblock(bad.write().hex()), text)

        def merkle(b):
            b.merkle = bytes(32)
        refused('bad-txnmrklroot', merkle)

        def value(b):
            b.txs[0].outputs[0] = (b.txs[0].outputs[0][0] + 1, b.txs[0].outputs[0][1])
            b.set_merkle()
        refused('bad-cb-amount', value)

        def commitment(b):
            b.txs[0].outputs.pop()
            b.txs[0].witness = []
            b.set_merkle()
        refused('unexpected-witness', commitment)

        def wrong(b):
            script = b.txs[0].outputs[1][1]
            b.txs[0].outputs[1] = (0, script[:-1] + bytes([script[-1] ^ 1]))
            b.set_merkle()
        refused('bad-witness-merkle-match', wrong)

        def order(b):
            b.txs[1:] = b.txs[:0:-1]
            b.txs = [coinbase(template['height'], 0, witness_root=merkle_root(
                [bytes(32)] + [id_bytes(tx.wtxid) for tx in b.txs[1:]])), *b.txs[1:]]
            b.set_merkle()
        refused('bad-txns-inputs-missingorspent', order)

        def early(b):
            b.time = template['mintime'] - 1
        refused('time-too-old', early)

        def late(b):
            b.time = template['curtime'] + 100000
        refused('time-too-new', late)

        def bits(b):
            b.bits = 0x207ffffe
        refused('bad-diffbits', bits)

        def lane(b):
            b.version |= 3 << 8
        refused('bad-lane', lane)
        check_equal(rpc.submitblock(Block(block.prev, block.time, block.txs).solve(reach=False).write().hex()), 'high-hash')
        check_equal(rpc.submitblock(chain_on('ab' * 32, 3, block.time, 1)[0].write().hex()), 'prev-blk-not-found')
        check_equal(rpc.getrawmempool() and rpc.getbestblockhash(), block.prev)
        check_equal(rpc.submitblock(raw.hex()), None)
        check_equal(rpc.getbestblockhash(), block.hash)
        check_equal(rpc.getrawmempool(), [])
        check_equal(rpc.getblock(block.hash, 0), raw.hex())
        check_equal(rpc.submitblock(raw.hex()), 'duplicate')
        check_equal(propose(raw), 'duplicate')

        self.step('a long poll ends with the tip')
        answer = {}

        def poll():
            waiting = RPC(self.node.rpcport, self.node.cookie)
            answer['template'] = waiting.getblocktemplate({**rules, 'longpollid': rpc_id})
        rpc_id = rpc.getblocktemplate(rules)['longpollid']
        thread = threading.Thread(target=poll)
        thread.start()
        time.sleep(0.5)
        check(thread.is_alive(), 'the poll did not wait')
        check_equal([call['method'] for call in rpc.getrpcinfo()['active_commands']].count('getblocktemplate'), 1)
        tip = self.node.mine(1)[0]
        thread.join(10)
        check_equal(answer['template']['previousblockhash'], tip)
        check_equal(rpc.getblocktemplate({**rules, 'longpollid': rpc_id})['previousblockhash'], tip)

        self.step('the job lane without tasks')
        template = rpc.getblocktemplate({**rules, 'lane': 'job'})
        check_equal((template['lane'], template['tasks'], template['version'] >> 8 & 15), ('job', [], 1))
        with raises_rpc(-5):
            rpc.generatetoaddress(1, 'nobody')
        check_equal(rpc.generatetoaddress(1, self.node.mining_address(), 0), [])

    def headers(self):
        self.step('submitheader')
        rpc = self.rpc
        block = block_on_tip(self.node)
        check_equal(rpc.submitheader(block.header().hex()), None)
        check_equal(rpc.getblockheader(block.hash)['confirmations'], -1)
        with raises_rpc(-1, 'Block not found on disk'):
            rpc.getblock(block.hash)
        for wrong in ('', '00', block.header().hex()[:-2]):
            with raises_rpc(-22):
                rpc.submitheader(wrong)
        block.bits = 0x1d00ffff
        with raises_rpc(-25, 'bad-diffbits'):
            rpc.submitheader(block.header().hex())

    def clock(self):
        self.step('setmocktime')
        rpc = self.rpc
        now = int(time.time())
        rpc.setmocktime(now + 5000)
        check_equal(rpc.getblocktemplate({'rules': ['segwit']})['curtime'], now + 5000)
        check_equal(rpc.getblockheader(self.node.mine(1)[0])['time'], now + 5000)
        for wrong in (-1, 2 ** 34):
            with raises_rpc(-8):
                rpc.setmocktime(wrong)
        rpc.setmocktime(0)
        # The tip is 5,000 seconds ahead now: a block must be above the median of the last eleven only.
        self.node.mine(1)
        check_equal(rpc.logging(['net', 'rpc'])['net'], True)
        with raises_rpc(-8, 'unknown logging category'):
            rpc.logging(['nonsense'])
        check_equal(set(rpc.logging().values()), {True})

    def passwords(self):
        self.step('-rpcuser, -rpcauth, -rpcallowip, -rpcbind')
        node = self.node
        salt, password = '00ff' * 8, 'correct horse'
        hashed = hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()
        node.restart(['-rpcauth=ann:%s$%s' % (salt, hashed)])
        self.rpc = node.rpc
        check_equal(RPC(node.rpcport, 'ann:' + password).getblockcount(), self.rpc.getblockcount())
        for wrong in ('ann:', 'ann:x', 'bob:' + password, 'ann:' + hashed):
            self.refused(wrong)
        node.stop()
        check(not os.path.exists(os.path.join(node.netdir, '.cookie')), 'a cookie is left behind')
        node.start(['-rpcuser=eve', '-rpcpassword=secret:1'], wait=False)
        rpc = RPC(node.rpcport, 'eve:secret:1')

        def answers():
            try:
                return rpc.getblockcount() > 0
            except (OSError, http.client.HTTPException):
                return False
        wait_until(answers, 'the node to answer')
        check(not os.path.exists(os.path.join(node.netdir, '.cookie')), 'a cookie beside a password')
        self.refused('eve:secret')
        node.rpc = rpc
        check('secret' not in node.log(), 'the password is in the log')
        node.stop()
        node.start(['-rpcallowip=127.0.0.2/32', '-rpcbind=127.0.0.1', '-rpcbind=127.0.0.2:%d' % node.rpcport])
        with socket.create_connection(('127.0.0.2', node.rpcport), timeout=5) as s:
            s.sendall(b'GET / HTTP/1.0\r\n\r\n')
            check(b'401' in s.recv(100), 'no answer at the second address')


if __name__ == '__main__':
    TestRPC().main()
