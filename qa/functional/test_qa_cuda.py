#!/usr/bin/python3
"""qa/cuda without a GPU: what it runs, counts and says, in a build whose programs are made up; the table of registers; and
what the true programs say of a machine that has no CUDA device."""
import contextlib
import io
import os
import pathlib
import subprocess
import sys

from framework import SRCDIR, FornaxTest, build_dir, check, check_equal, program

sys.path.insert(0, os.path.join(SRCDIR, 'qa', 'runner'))
import building  # noqa: E402

USABLE = 'cuda:0  Some GPU, 81000 MiB'
OLD = 'cuda:1  Some GPU (not usable: the NVIDIA driver is too old: it is for CUDA 12.4, and 13.0 or newer is needed)'
STEPS = ('selftest', 'benchmark', 'bench_kernels', 'cuda-resources')
PTXAS = """ptxas info    : Compiling entry function 'fx_noise' for 'sm_75'
ptxas info    : Function properties for fx_noise
    {0} bytes stack frame, {0} bytes spill stores, {0} bytes spill loads
ptxas info    : Used 48 registers, used 1 barriers, 12288 bytes smem, 432 bytes cmem[0]
ptxas info    : Compiling entry function 'fx_bricks_wgmma' for 'sm_90a'
ptxas info    : Function properties for fx_bricks_wgmma
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 168 registers, used 3 barriers
"""


class TestQaCuda(FornaxTest):
    nodes_count = 0

    def run(self):
        self.folder = pathlib.Path(self.dir, 'made-up')
        # What the runner writes belongs to this test.
        building.BUILD, building.LOGS = self.folder / 'build', self.folder / 'build/logs'
        building.build = self.built
        import cuda
        cuda.FUNCTIONAL = ()  # they need true programs
        self.cuda = cuda
        self.no_device()
        self.device()
        self.resources()
        self.true_programs()

    def built(self, variant, targets):
        check_equal((variant, sorted(targets)), ('release', ['all', 'bench', 'unit-tests']), 'what is built')
        return self.folder

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def make_up(self, devices, nvcc=True, failing=''):
        """A build whose programs end with status 1 where their step is `failing`, and else say with what they were called."""
        script = '#!/bin/sh\necho "called: $*"\n[ "%s" != "' + failing + '" ]\n'
        listed = 'case "$1" in --list-devices) cat <<END\n' + '\n'.join(['cpu:0  CPU'] + devices) + '\nEND\nexit;; esac\n'
        self.write('src/config.h', '#define HAVE_CUDA 1\n' if nvcc else '/* #undef HAVE_CUDA */\n')
        self.write('src/fornax-miner', '#!/bin/sh\n%secho "called: $*"\n[ "$1" != "--%s" ]\n' % (listed, failing))
        self.write('qa/bench/bench_kernels', script % 'bench_kernels')
        self.write('Makefile', 'cuda-resources:\n\t@echo called: $@; [ $@ != "%s" ]\n' % failing)
        self.write('qa/unit/kernels/test_kernels', '#!/bin/sh\nif [ "$1" = --list ]; then echo cuda.one cpu.two; exit; fi\n'
                   'echo "device $FORNAX_MINER_DEVICE"\necho "%s $2 0.100 s"\necho "%s"\n[ "%s" != unit ]\n'
                   % (('FAILED', '0 passed, 1 failed, 0 skipped', failing) if failing == 'unit' else
                      ('passed', '1 passed, 0 failed, 0 skipped', failing)))

    def ran(self, *args):
        """(exit status, output) of qa/cuda."""
        output, before = io.StringIO(), sys.argv
        sys.argv = ['cuda', *args]
        try:
            with contextlib.redirect_stdout(output):
                return self.cuda.main(), output.getvalue()
        finally:
            sys.argv = before

    def no_device(self):
        self.make_up([USABLE], nvcc=False)
        status, output = self.ran()
        check_equal(status, 77, 'status without nvcc')
        check('nvcc was not found' in output, output)
        self.make_up([OLD])
        status, output = self.ran()
        check_equal(status, 77, 'status without a usable device')
        check(OLD in output and 'no CUDA device that is usable' in output, output)
        self.step('without nvcc or a device it says so, with status 77')

    def device(self):
        self.make_up([USABLE, OLD])
        status, output = self.ran()
        check_equal(status, 0, output)
        check(USABLE in output and OLD in output, output)
        check('5 passed, 0 failed, 0 skipped' in output, output)
        for called in ('--selftest --device=cuda', '--benchmark --device=cuda', '--backend cuda', 'cuda-resources'):
            check('called: ' + called in output, 'no "%s" in %s' % (called, output))
        check('cpu.two' not in output, 'a test that needs no GPU ran: ' + output)
        for failing in ('unit',) + STEPS:
            self.make_up([USABLE], failing=failing)
            status, output = self.ran()
            check_equal(status, 1, 'status where %s fails' % failing)
            check('4 passed, 1 failed, 0 skipped' in output, output)
        self.make_up([USABLE])
        status, output = self.ran('--memcheck')
        there = subprocess.run(['sh', '-c', 'command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer'],
                               capture_output=True).returncode == 0
        check(there or (status == 1 and 'compute-sanitizer is not there' in output), output)
        self.step('with a device each step runs, and each that fails fails it')

    def resources(self):
        def table(spills):
            done = subprocess.run([sys.executable, os.path.join(SRCDIR, 'qa', 'runner', 'ptxas.py')], text=True,
                                  capture_output=True, input=PTXAS.format(spills))
            return done.returncode, done.stdout, done.stderr
        status, out, _ = table(0)
        check_equal((status, out), (0, '| kernel | 7.5 | 9.0a |\n|---|---|---|\n| `fx_bricks_wgmma` | - | 168 / 0 / 0 |\n'
                                       '| `fx_noise` | 48 / 0 / 12288 | - |\n'), 'table')
        status, out, error = table(8)
        check(status == 1 and '48 / 16 / 12288' in out and 'fx_noise on 7.5' in error, out + error)
        self.step('registers, spills and shared memory')

    def true_programs(self):
        listed = subprocess.run([program('fornax-miner'), '--list-devices'], capture_output=True, text=True, check=True).stdout
        bench = os.path.join(build_dir(), 'qa', 'bench', 'bench_kernels')
        if any(line.startswith('cuda:') and 'not usable' not in line for line in listed.splitlines()):
            self.step('this machine has a CUDA device: qa/cuda is the test of it')
        elif os.path.exists(bench):
            done = subprocess.run([bench, '--backend', 'cuda'], capture_output=True, text=True)
            check(done.returncode == 1 and done.stderr.startswith('cuda: ') and not done.stdout, done.stdout + done.stderr)
            self.step('the bench names what is missing')


if __name__ == '__main__':
    TestQaCuda().main()
