#!/usr/bin/python3
# timeout: 600
"""qa/quickstart, as a newcomer sees it: what it says and writes, and that nothing of it stays behind."""
import os
import shutil
import signal
import subprocess
import sys

import numpy

from framework import SRCDIR, FornaxTest, build_dir, check, check_equal, wait_until

DIGITS = 1797


def processes_in(folder):
    """The command lines that name the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as file:
                line = file.read().replace(b'\0', b' ').decode(errors='replace')
        except OSError:
            continue
        if folder in line:
            found.append(line)
    return found


class TestQuickstart(FornaxTest):
    nodes_count = 0

    def quickstart(self):
        """(process, file that takes its output)."""
        output = os.path.join(self.dir, 'output')
        command = [sys.executable, os.path.join(SRCDIR, 'qa', 'runner', 'quickstart.py'), '--out=' + self.out]
        with open(output, 'wb') as file:
            process = self.process(command, stdout=file, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, FORNAX_BUILDDIR=build_dir()))
        return process, output

    def said(self, output):
        with open(output, errors='replace') as file:
            return file.read()

    def data_folder(self, output):
        """Where its nodes keep their data, once it has said so."""
        text = wait_until(lambda: self.said(output), 'its first line')
        text = wait_until(lambda: 'data in ' in self.said(output) and self.said(output), 'its first node')
        return os.path.dirname(text.partition('data in ')[2].partition('\n')[0])

    def run(self):
        self.out = os.path.join(self.dir, 'similarity.npy')

        self.step('to the end')
        process, output = self.quickstart()
        folder = self.data_folder(output)
        check_equal(process.wait(480), 0, self.said(output))
        text = self.said(output)
        for line in ('1-nearest-neighbour accuracy: 1776 of 1797 right',
                     'numpy says that none of its %d entries are wrong' % DIGITS ** 2,
                     'Blocks since the job was submitted', 'The client paid', 'The miner earned', 'subsidy', 'task pay',
                     'burned', 'All processes are stopped'):
            check(line in text, 'it does not say "%s":\n%s' % (line, text))
        result = numpy.load(self.out)
        check_equal((result.shape, result.dtype), ((DIGITS, DIGITS), numpy.dtype(numpy.int32)))
        check_equal(processes_in(folder), [], 'left behind')
        check(not os.path.exists(folder), 'its data is left behind')

        self.step('interrupted')
        process, output = self.quickstart()
        folder = self.data_folder(output)
        wait_until(lambda: 'the nodes are connected' in self.said(output), 'its nodes')
        process.send_signal(signal.SIGTERM)
        check_equal(process.wait(120), 1, self.said(output))
        text = self.said(output)
        check('FAILED: interrupted\n' in text and 'did not' not in text, text)
        check_equal(processes_in(folder), [], 'left behind')
        shutil.rmtree(folder)  # it keeps the data of a run that failed, and says where


if __name__ == '__main__':
    TestQuickstart().main()
