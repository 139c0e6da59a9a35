#!/usr/bin/python3
"""What an owner of devices asks of fornax-miner: which there are, whether they compute rightly and how fast, several at once,
the status over HTTP, and an end that leaves nothing half done."""
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from framework import check, check_equal, free_port, program, wait_until
from minerkit import Miner, MinerTest


def ran(*args, status):
    """Standard output and standard error of a miner that ends by itself."""
    done = subprocess.run([program('fornax-miner'), *args], capture_output=True, text=True, timeout=250,
                          stdin=subprocess.DEVNULL)
    check_equal(done.returncode, status, 'status of %s (%s%s)' % (args, done.stdout, done.stderr))
    return done.stdout, done.stderr


def signals(process, field):
    """The set of signals that a process catches (SigCgt) or ignores (SigIgn)."""
    with open('/proc/%d/status' % process.pid) as file:
        mask = int(re.search(field + r':\s*([0-9a-f]+)', file.read()).group(1), 16)
    return {number for number in range(1, 65) if mask >> number - 1 & 1}


class TestMinerDevices(MinerTest):
    def run(self):
        self.list_devices()
        self.selftest_and_benchmark()
        self.two_devices_and_status()
        self.finishes()
        self.hangs_up()
        self.interrupted()
        self.no_device()

    def list_devices(self):
        listed, _ = ran('--list-devices', status=0)
        lines = listed.splitlines()
        check(all(re.match(r'(cpu|cuda|opencl):\d+  \S', line) for line in lines), listed)
        check_equal({line.split(':')[0] for line in lines} - {'opencl'}, {'cpu', 'cuda'}, 'kinds')
        self.usable = [line.split(' ')[0] for line in lines if 'not usable' not in line]
        check(all(re.search(r'\(not usable: .+\)', line) for line in lines if line.split(' ')[0] not in self.usable), listed)
        self.step('devices are listed; usable: ' + ' '.join(self.usable))

    def selftest_and_benchmark(self):
        output, _ = ran('--selftest', '--device=' + ','.join(self.usable), status=0)
        check_equal([re.sub(', .+: passed$', '', line) for line in output.splitlines()], self.usable, 'devices that passed')
        output, _ = ran('--benchmark', '--benchmark-seconds=1', '--device=cpu', status=0)
        rate = re.fullmatch(r'cpu:0, .+: ([\d.]+) bricks/s\n', output)
        check(rate and float(rate.group(1)) > 0, output)
        self.step('self-test of %s, and benchmark' % ' '.join(self.usable))

    def status(self, port):
        with urllib.request.urlopen('http://127.0.0.1:%d/status' % port, timeout=60) as answer:
            check_equal(answer.headers['Content-Type'], 'application/json', 'type')
            return json.load(answer)

    def two_devices_and_status(self):
        """Beside the CPU one of each other kind that the machine has."""
        names = [next(name for name in self.usable if name.startswith(kind)) for kind in ('cpu', 'cuda', 'opencl')
                 if any(name.startswith(kind) for name in self.usable)]
        port = free_port()
        job, tasks, a, b = self.offer(300, 4000, 500, 1, task_rows=1, task_cols=1, reward='0.25')
        miner = Miner(self, self.solver, 'two', '--device=' + ','.join(names), '--tasks=%d' % len(tasks),
                      '--api-port=%d' % port).start()
        miner.wait_said('status at http://127.0.0.1:%d/status' % port)
        status = self.status(port)
        check_equal([device['device'] for device in status['devices']], names, 'devices')
        check_equal(status['network'], 'regtest', 'network')
        try:
            urllib.request.urlopen('http://127.0.0.1:%d/' % port, timeout=60)
            check(False, 'there is another page than /status')
        except urllib.error.HTTPError as error:
            check_equal(error.code, 404, 'status of another page')
        miner.wait_said('bricks in')
        wait_until(lambda: self.status(port)['bricks_per_second'] > 0, 'bricks in the status')
        # One more on the same port and one more in the same folder.
        for other, text in ((Miner(self, self.solver, 'port', '--api-port=%d' % port), 'cannot be served'),
                            (Miner(self, self.solver, 'two'), 'another fornax-miner works in')):
            _, message = ran(*other.command[1:], status=1)
            check(text in message and message.count('Error') == 1, message)
        self.settled(tasks)
        check_equal(miner.process.wait(60), 0, 'exit status')
        self.check_result(job, a, b)
        check('tasks: done %d, claimed %d, paid %d' % ((len(tasks),) * 3) in miner.said('status:')[-1],
              miner.said('status:')[-1])
        self.step('%d tasks on %s' % (len(tasks), ' and '.join(names)))

    def finishes(self):
        """SIGUSR1: the task under work is claimed, the others are left."""
        _, tasks, _, _ = self.offer(600, 16000, 600, 10, task_rows=3, task_cols=3, reward='0.25')
        miner = Miner(self, self.solver, 'finishes').start()
        miner.wait_said('operands are here')  # before that it may be put off, and is not under work
        miner.process.send_signal(signal.SIGUSR1)
        check_equal(miner.process.wait(120), 0, 'exit status')
        begun = len(miner.said('operands are here'))
        check(0 < begun <= len(tasks), 'tasks begun: %d of %d' % (begun, len(tasks)))
        check_equal(len(miner.said('claimed by')), begun, 'tasks claimed, of those begun')
        self.step('%d of %d tasks finished and claimed before the end' % (begun, len(tasks)))

    def hangs_up(self):
        """A terminal that closes: the end is as orderly as with SIGTERM, also where the shell says it once more. Under nohup the
        miner goes on."""
        self.offer(600, 16000, 600, 20, task_rows=3, task_cols=3, reward='0.25')
        miner = Miner(self, self.solver, 'hangs-up').start()
        miner.wait_said('operands are here')
        miner.process.send_signal(signal.SIGHUP)
        miner.stop(signal.SIGHUP)
        check(miner.said('stopped'), 'the end is not in order')
        miner.command.insert(0, 'nohup')
        miner.start()
        miner.wait_said('operands are here', 2)
        check(signal.SIGHUP in signals(miner.process, 'SigIgn'), 'SIGHUP is caught under nohup')
        miner.stop()
        self.step('hung up')

    def interrupted(self):
        """Half a benchmark is no number; nor is what was asked for printed where it cannot be written."""
        process = subprocess.Popen([program('fornax-miner'), '--benchmark', '--benchmark-seconds=3600', '--device=cpu'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        wait_until(lambda: signal.SIGINT in signals(process, 'SigCgt'), 'the signal to be caught')
        process.send_signal(signal.SIGINT)
        output, message = process.communicate(timeout=60)
        check_equal((process.returncode, output, message), (1, '', 'Error: interrupted\n'), 'end of the benchmark')
        with open('/dev/full', 'w') as full:
            for action in ('--help', '--version', '--list-devices'):
                done = subprocess.run([program('fornax-miner'), action], stdout=full, stderr=subprocess.PIPE, text=True)
                check_equal(done.returncode, 1, 'status of %s where nothing can be written' % action)
                check('cannot write to standard output' in done.stderr, done.stderr)
        self.step('interrupted, and without room for the output')

    def no_device(self):
        output = Miner(self, self.solver, 'none', '--device=cpu:7')
        said, message = ran(*output.command[1:], status=3)
        check('device cpu:7 is retired' in said and 'no device is left' in message, said + message)
        if not any(name.startswith('cuda') for name in self.usable):
            for action in ((), ('--selftest',), ('--benchmark',)):
                _, message = ran('-regtest', '-datadir=' + self.solver.dir, '--workdir=' + os.path.join(self.dir, 'cuda'),
                                 '--device=cuda', *action, status=3)
                check(message.startswith('Error: no device: cuda: '), message)
        self.step('no device')


if __name__ == '__main__':
    TestMinerDevices().main()
