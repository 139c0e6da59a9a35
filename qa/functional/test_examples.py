#!/usr/bin/python3
# timeout: 180
"""The programs in doc/examples, built and run as their first lines say, on blocks that fornax-cli hands out."""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy

from framework import SRCDIR, Skip, check, check_equal
from jobblock import JobBlock
from jobkit import JobTest, matrix, origins
from test_libfornaxconsensus import brick_ticket, library_path, operand_root, result_root

EXAMPLES = os.path.join(SRCDIR, 'doc', 'examples')


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def expected_rest():
    """What both programs print after the verdict, from the second implementation."""
    at = numpy.arange(128 * 256)
    a = (at % 128 - 64).astype(numpy.int8).reshape(128, 256)
    b = (at % 101 - 50).astype(numpy.int8).reshape(128, 256)
    product = a.astype(numpy.int32) @ b.astype(numpy.int32).T
    return ['brick ' + brick_ticket(bytes(32), a, b, 0, 0, 0)[::-1].hex(), 'root-a ' + operand_root(a).hex(),
            'root-b ' + operand_root(b).hex(), 'root-c ' + result_root(product, bytes(32)).hex(),
            'script with 2 valid', 'script with 3 invalid']


class ExamplesTest(JobTest):
    nodes_count = 2

    def run(self):
        self.library = library_path()
        self.rest = expected_rest()
        with tempfile.TemporaryDirectory(prefix='fornax-examples-') as folder:
            self.programs = {'verify_block.c': [self.build(folder), 'regtest'],
                             'verify_block.py': [sys.executable, os.path.join(EXAMPLES, 'verify_block.py'), 'regtest',
                                                 self.library]}
            self.blocks()

    def build(self, folder):
        """Compiles the C program against the library of this build through its .pc file."""
        self.step('the example in C')
        compiler = shutil.which('gcc') or shutil.which('cc')
        if compiler is None or shutil.which('pkg-config') is None:
            raise Skip('no C compiler or no pkg-config')
        include = os.path.join(SRCDIR, 'consensus')
        libs = os.path.dirname(self.library)
        name = 'libfornaxconsensus.pc'
        text = ''
        with open(os.path.join(os.path.dirname(libs), name)) as file:
            for line in file:
                text += {'libdir': 'libdir=%s\n' % libs, 'includedir': 'includedir=%s\n' % include}.get(line.split('=')[0], line)
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'libfornaxconsensus'], check=True, capture_output=True, text=True,
                               env=dict(os.environ, PKG_CONFIG_PATH=folder)).stdout.split()
        program = os.path.join(folder, 'verify_block')
        subprocess.run([compiler, '-std=c11', '-Wall', '-Wextra', '-Werror', '-o', program,
                        os.path.join(EXAMPLES, 'verify_block.c'), *flags], check=True)
        return program

    def says(self, text, status, lines, network='regtest'):
        """Both programs answer this input so; lines None: nothing but an error."""
        for name, command in self.programs.items():
            command = [network if word == 'regtest' else word for word in command]
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60,
                                  env=dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(self.library)))
            check_equal(done.returncode, status, '%s: exit status (%s)' % (name, done.stderr))
            if lines is None:
                check(done.stdout == '' and done.stderr != '', name + ' prints an error alone')
            else:
                check_equal(done.stdout.splitlines(), lines + self.rest, name)
                check_equal(done.stderr, '', name)

    def fetch(self, block_id):
        status, out, error = self.nodes[0].cli('getblock', block_id, 0)
        check_equal((status, error), (0, ''), 'fornax-cli getblock')
        return out

    def blocks(self):
        client = self.nodes[0]
        self.submit_mined(matrix(256, 512, 1), matrix(512, 128, 2), reward='0.09')
        task = origins(client, client.rpc.listjobs()[0]['job'])[0]
        block_id = client.rpc.generatejobblock(task)
        block_id = block_id if isinstance(block_id, str) else block_id['hash']

        self.step('a block of the job lane, as it is and altered')
        text = self.fetch(block_id)
        work = client.rpc.getblock(block_id)['work']
        self.says(text, 0, ['work valid', 'ticket ' + work['ticket']])
        raw = bytes.fromhex(text)
        block = JobBlock.parse(raw, 2, 1)
        check_equal(block.raw(), raw, 'the parts of the block')
        for altered, reason in ((block.changed(signature=flip(block.signature, 40)).raw(), 'bad-work-sig'),
                                (block.changed(a=flip(block.a, 1234)).raw(), 'bad-work-open'),
                                (block.changed(txs=flip(block.txs, len(block.txs) - 1)).raw(), 'bad-txnmrklroot'),
                                (raw[:-1], 'block-decode-failed'), (raw + b'\0', 'block-decode-failed'), (b'', 'block-decode-failed')):
            self.says(altered.hex() + '\n', 1, ['work ' + reason])

        self.step('what is no such block')
        self.says(self.fetch(client.rpc.getblockhash(0)), 2, None)
        self.says('no hex\n', 2, None)
        self.says(text, 2, None, network='othernet')


if __name__ == '__main__':
    ExamplesTest().main()
