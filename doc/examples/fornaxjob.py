"""What the example jobs share: products by way of fornax-cli, as a user would type it.

FORNAX_CLI names the program (default: fornax-cli); the words of the command line are its options, -regtest say. The node that it
speaks to needs a wallet with coins, and somebody in the network a miner.
"""
import os
import subprocess
import sys
import tempfile

import numpy

OPTIONS = [word for word in sys.argv[1:] if word.startswith('-')]


def cli(*words):
    """Runs a command; its standard output. What it says of a job and its progress goes to standard error."""
    done = subprocess.run([os.environ.get('FORNAX_CLI', 'fornax-cli'), *OPTIONS, *map(str, words)], stdout=subprocess.PIPE,
                          text=True)
    if done.returncode != 0:
        raise SystemExit('fornax-cli %s failed' % words[0])
    return done.stdout.strip()


def multiply(pairs, *options):
    """The products of pairs of matrices, all under one job, computed by whoever takes it."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'list'), 'w') as batch:
            for number, pair in enumerate(pairs):
                names = [os.path.join(folder, '%d%s.npy' % (number, side)) for side in 'ab']
                for name, matrix in zip(names, pair):
                    numpy.save(name, matrix)
                batch.write(' '.join(names) + '\n')
        job = cli('submitjob', 'gemm', '--batch=' + batch.name, '--yes', *options)
        print('Job %s' % job, flush=True)
        print(cli('watchjob', job).splitlines()[-1], flush=True)
        out = os.path.join(folder, 'c')
        cli('getjobresult', job, out + '.npy')
        names = [out + '.npy'] if len(pairs) == 1 else ['%s.%d.npy' % (out, number) for number in range(len(pairs))]
        return [numpy.load(name) for name in names]
