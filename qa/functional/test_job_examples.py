#!/usr/bin/python3
"""The example jobs of doc/examples, each as it stands, against two nodes and fornax-miner."""
# timeout: 600
import os
import subprocess
import sys
import time

from framework import SRCDIR, check, check_equal, program
from minerkit import Miner, MinerTest

EXAMPLES = os.path.join(SRCDIR, 'doc', 'examples')
GENOTYPES = '/usr/share/doc/bio-eagle/examples/EUR_test.vcf.gz'


class TestJobExamples(MinerTest):
    def run(self):
        self.miner = Miner(self, self.solver, 'miner', '--burn=none').start()
        self.example('digits_network', 'Entries that differ from numpy: 0 of 58978', 'Digits classified right: ')
        check(os.path.exists(GENOTYPES), 'no %s: its package is bio-eagle-examples' % GENOTYPES)
        self.example('relationship', 'Persons: 379, sites that vary: 2000', 'Entries that differ from numpy: 0 of 143641')
        self.example('fourier', 'Spectra: 1797, of 64 frequencies each', 'Largest difference from numpy: ')
        self.miner.stop()
        jobs = self.client.rpc.listjobs()
        check_equal([job['status'] for job in jobs], ['done'] * 4)

    def example(self, name, *expected):
        self.step(name)
        env = dict(os.environ, FORNAX_CLI=program('fornax-cli'), PYTHONDONTWRITEBYTECODE='1')
        process = subprocess.Popen([sys.executable, os.path.join(EXAMPLES, name + '.py'), '-regtest', '-datadir=' + self.client.dir,
                                    '-rpcport=%d' % self.client.rpcport],
                                   env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.processes.append(process)
        try:
            while process.poll() is None:
                self.dig(self.client)
                time.sleep(0.3)
        finally:
            out = process.communicate()[0]
        check_equal(process.returncode, 0, '%s:\n%s' % (name, out))
        for text in expected:
            check(text in out, '%s does not say "%s":\n%s' % (name, text, out))
        print(out, flush=True)


if __name__ == '__main__':
    TestJobExamples().main()
