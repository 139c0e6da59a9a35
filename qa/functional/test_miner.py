#!/usr/bin/python3
"""fornax-miner against real nodes: from an offer to pay, killed and started again, with a node that restarts, without
coins, beaten to a task, with wrong credentials, and with a wrong result."""
import json
import os
import re
import signal
import subprocess

import jobkit
from framework import TIMEOUT, build_dir, check, check_equal, program, wait_until
from minerkit import Miner, MinerTest

BIG = dict(rows=1000, depth=20000, columns=900)  # some thousand bricks: seconds of work for one thread
WIDE = dict(rows=1000, depth=4000, columns=6000)  # as many, in so many tiles that some are finished long before others


def begin(*args):
    return subprocess.Popen([program('fornax-miner'), *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL)


def end(process):
    """(exit status, standard error) of a miner that cannot go on."""
    message = process.communicate(timeout=60)[1]
    return process.returncode, message


def refused(*args):
    return end(begin(*args))


class TestMiner(MinerTest):
    nodes_count = 3  # a client's, and two solvers'

    def run(self):
        build_dir()
        self.other = self.nodes[2]
        for node in self.nodes[:2]:
            node.connect(self.other)
        cookie = os.path.join(self.dir, 'cookie')
        with open(cookie, 'w') as file:
            file.write('__cookie__:wrong')
        # It waits some seconds for a node that restarts and writes another one.
        wrong = begin('-regtest', '-datadir=' + self.solver.dir, '--rpcport=%d' % self.solver.rpcport, '--device=cpu',
                      '--rpccookiefile=' + cookie, '--workdir=' + os.path.join(self.dir, 'wrong'))
        self.words()
        self.from_offer_to_pay()
        status, message = end(wrong)
        check_equal(status, 1, 'status with a wrong cookie')
        check(message.count('Error') == 1, 'message for a wrong cookie: ' + message)
        self.killed_in_the_middle()
        self.node_restarts()
        self.no_coins()
        self.beaten_to_it()
        self.wrong_result()

    def words(self):
        """What it says on its command line, and one message for what cannot work."""
        done = subprocess.run([program('fornax-miner'), '--list-devices'], capture_output=True, text=True, timeout=TIMEOUT)
        check_equal(done.returncode, 0, 'status of --list-devices')
        check(done.stdout.startswith('cpu:0'), 'devices: ' + done.stdout)
        for args, text in ((('--lane=x',), 'auto, hash or job'), (('--device', 'gpu'), 'no device "gpu"'),
                           (('--burn=x',), 'auto, none or an amount'), (('word',), 'unknown word'),
                           (('--corrupt',), 'regtest only'), (('--rpcuser=a',), 'go together'),
                           (('--api-port=1', '--api-bind=localhost'), 'a numeric address')):
            status, message = refused(*args)
            check_equal(status, 2, 'status for %s' % (args,))
            check(text in message and message.count('\n') == 1, 'message for %s: %s' % (args, message))
        work = os.path.join(self.dir, 'words')
        node = ['-datadir=' + self.solver.dir, '--rpcport=%d' % self.solver.rpcport, '--workdir=' + work, '--device=cpu']
        status, message = refused('-regtest', *node, '--rpcuser=a', '--rpcpassword=b')
        check_equal(status, 1, 'status with a wrong password')
        check(message.count('Error') == 1, 'message for a wrong password: ' + message)
        status, message = refused('-test', *node, '--rpccookiefile=' + os.path.join(self.solver.netdir, '.cookie'))
        check_equal(status, 1, 'status on the wrong network')
        check('of the network regtest, not test' in message, 'message for the wrong network: ' + message)
        status, message = refused('-regtest', *node, '--rpcwallet=nobody')
        check_equal(status, 1, 'status with a wallet that the node has not got')
        check('wallet "nobody"' in message and message.count('\n') == 1, 'message for a wrong wallet: ' + message)
        self.step('options, credentials and network are checked')

    def from_offer_to_pay(self):
        job, tasks, a, b = self.offer(300, 500, 200, 1, task_rows=1, task_cols=1, reward=1)
        check_equal(len(tasks), 6, 'tasks')
        miner = Miner(self, self.solver, 'first', '--tasks=6').start()
        done = self.settled(tasks)
        check_equal(miner.process.wait(TIMEOUT), 0, 'status of a miner that was paid for its tasks')
        self.check_result(job, a, b)
        for task in done:
            check_equal(task['claim']['solver'], self.solver.rpc.getbacking()['solver'], 'solver')
            check_equal(task['end']['action'], 'accept', 'settled by')
            check(len(task['blocks']) <= 1, 'more than one block in a task on regtest')
        blocks = sum(len(task['blocks']) for task in done)
        check(blocks > 0, 'no block was mined inside a task')
        status = miner.said('status:')[-1]
        # Some may have lost a race against the client's blocks.
        check(int(re.search(r'blocks: job (\d+)', status).group(1)) >= blocks, 'blocks in ' + status)
        check('done 6, claimed 6, paid 6' in status, status)
        paid = sum(task['escrow'] - task['claim']['burn'] for task in done)
        check('paid %s FNX' % paid in status, '%s is not in %s' % (paid, status))
        self.step('six tasks paid, %d blocks mined inside them' % blocks)

    def killed_in_the_middle(self):
        job, tasks, a, b = self.offer(seed=10, task_rows=8, task_cols=48, reward=1, **WIDE)
        miner = Miner(self, self.solver, 'killed').start()
        folder = os.path.join(miner.workdir, 'tasks', tasks[0].replace(':', '-'))
        sums = os.path.join(folder, 'tiles.sums')

        def tiles():
            return os.path.getsize(sums) // 32 if os.path.exists(sums) else 0

        def at_work():
            """Not all tiles are there yet: a fast machine may be quicker than this test."""
            state = os.path.join(folder, 'state.json')
            if not os.path.exists(state):
                return False
            with open(state) as file:
                return json.load(file)['stage'] == 'work'
        finished, kills = 0, 0
        for _ in range(3):
            before = finished
            wait_until(lambda more=before: tiles() > more or more and not at_work(), 'more tiles', step=0.01)
            miner.kill()
            if not at_work():
                break
            finished = tiles()
            kills += 1
            miner.start()
            miner.wait_said('goes on with', kills)
        check(kills > 0, 'the miner was done before it was killed')
        counts = [int(re.search(r'goes on with (\d+)', line).group(1)) for line in miner.said('goes on with')]
        check(counts == sorted(counts) and counts[0] > 0, 'tiles were lost: %s' % counts)
        # A damaged tile is computed again.
        miner.stop(signal.SIGINT)
        path = os.path.join(folder, 'tiles')
        if os.path.exists(path) and at_work():
            with open(path, 'r+b') as file:
                file.seek(1000)
                byte = file.read(1)
                file.seek(1000)
                file.write(bytes([byte[0] ^ 1]))
        miner.start()
        self.settled(tasks)
        check(len(miner.said('of the job lane, brick')) <= 1, 'more than one block in the task, over all restarts')
        check_equal(miner.said('wrong result'), [], 'results that the check refused: damage shows before')
        self.check_result(job, a, b)
        miner.stop()
        self.step('killed %d times, stopped, and a tile damaged: went on at %s tiles' % (kills, counts))

    def node_restarts(self):
        job, tasks, a, b = self.offer(seed=20, task_rows=8, task_cols=8, reward=1, **BIG)
        miner = Miner(self, self.solver, 'restarts').start()
        miner.wait_said('bricks in')
        self.solver.restart()
        self.solver.connect(self.client)
        self.solver.connect(self.other)
        self.settled(tasks)
        self.check_result(job, a, b)
        # At last without a node, and with one that has come back.
        self.solver.stop()
        miner.wait_said('does not answer')
        self.solver.start()
        self.solver.connect(self.client)
        self.solver.connect(self.other)
        miner.wait_said('answers again')
        miner.stop()
        self.step('its node restarted under it')

    def no_coins(self):
        job, tasks, a, b = self.offer(200, 300, 100, 30, reward=1)
        self.other.rpc.createwallet('')
        miner = Miner(self, self.other, 'poor').start()
        miner.wait_said('not enough coins for a claim')
        self.client.rpc.sendtoaddress(self.other.rpc.getnewaddress(), 5)
        self.settled(tasks)
        said = len(miner.said('not enough coins for a claim'))
        check(said <= len(tasks), 'it complained %d times about coins for %d tasks' % (said, len(tasks)))
        self.check_result(job, a, b)
        miner.stop()
        self.step('without coins it waits, and claims once it has some')

    def beaten_to_it(self):
        """Two miners work on one task; one is paid, the other says why it is not."""
        job, tasks, a, b = self.offer(200, 300, 100, 40, reward=1)
        miners = [Miner(self, node, 'race%d' % node.index).start() for node in (self.solver, self.other)]
        done = self.settled(tasks)
        self.check_result(job, a, b)
        wait_until(lambda: sum(len(m.said(': paid ')) for m in miners) == len(done), 'one to be paid')
        for miner in miners:
            if not miner.said(': paid '):
                wait_until(lambda m=miner: m.said('another solver') or not m.said('bricks in'),
                           'the other one to give up')
            miner.stop()
        self.step('two miners, one paid')

    def wrong_result(self):
        """The client's node proves it on the chain; the solver is not paid, and its bond is gone."""
        _, tasks, _, _ = self.offer(200, 300, 100, 50, reward=1)
        miner = Miner(self, self.solver, 'wrong', '--corrupt').start()
        miner.wait_said('claimed by')

        def proven():
            self.dig(self.client)
            return [task for task in map(self.client.rpc.gettask, tasks)
                    if any(dispute['action'] == 'fraud' for dispute in task['disputes'])]
        wrong = wait_until(proven, 'the client to prove the result wrong', step=0.3)
        check(not any(task['certified'] for task in wrong), 'a wrong result was certified')
        check(not miner.said(': paid '), 'a wrong result was paid')
        miner.stop()
        self.step('a wrong result is proven wrong and not paid')


if __name__ == '__main__':
    TestMiner().main()
