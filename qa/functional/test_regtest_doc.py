#!/usr/bin/python3
"""Runs doc/regtest.md: types what the page types, and compares the answers with what it promises. test_jobs_doc.py does the same
with doc/jobs.md."""
import os
import re
import signal
import subprocess
import time

from framework import SRCDIR, FornaxTest, Failure, build_dir, check, free_port

END = '-- end of the answer --'
LONGEST = 120  # seconds for one command


def read_page(path):
    """The page's commands in order: (line number, command, lines of the answer that it promises)."""
    commands = []
    with open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip('\n')
            if not line.startswith('    '):
                continue
            line = line[4:]
            if line.startswith('$ '):
                commands.append((number, line[2:], []))
            elif line.startswith('> ') and commands and not commands[-1][2]:
                commands[-1] = (commands[-1][0], commands[-1][1] + '\n' + line[2:], [])
            elif commands:
                commands[-1][2].append(line)
    return commands


def pattern(lines):
    """What an answer must look like. '...' stands for anything within a line, as a line of its own for any lines."""
    parts = []
    for line in lines:
        if line == '...':
            parts.append(r'(?:.*\n)*')
        else:
            parts.append('.*'.join(re.escape(part) for part in line.split('...')) + r'\n')
    return ''.join(parts)


class TestRegtestDoc(FornaxTest):
    nodes_count = 0
    page, least = 'doc/regtest.md', 50

    def run(self):
        self.matching()
        home = os.path.join(self.dir, 'home')
        os.makedirs(os.path.join(home, '.fornax'))
        # The page uses the usual ports; here others may be in use.
        with open(os.path.join(home, '.fornax', 'fornax.conf'), 'w') as file:
            file.write('[regtest]\nport=%d\nrpcport=%d\nbind=127.0.0.1\nrpcdoccheck=1\n' % (free_port(), free_port()))
        path = os.path.join(build_dir(), 'src') + ':' + os.environ['PATH']
        self.shell = subprocess.Popen(['bash', '--norc'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, cwd=home, text=True, start_new_session=True,
                                      env=dict(os.environ, HOME=home, PATH=path))
        commands = read_page(os.path.join(SRCDIR, self.page))
        check(len(commands) > self.least, 'the page has hardly any commands')
        try:
            for number, command, promised in commands:
                self.command(number, command, promised)
            self.shell.stdin.close()
            check(self.shell.wait(60) == 0, 'the shell ended with %s' % self.shell.returncode)
        finally:
            # The shell and whatever it started, where the page did not come to its end.
            try:
                os.killpg(self.shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.shell.wait()
        print('         %d commands' % len(commands))

    def command(self, number, command, promised):
        begun = time.monotonic()
        self.shell.stdin.write('%s\necho "%s"\n' % (command, END))
        self.shell.stdin.flush()
        answer = self.answer(number, command)
        wanted = pattern(promised)
        if not re.fullmatch(wanted, answer):
            raise Failure('%s:%d: $ %s\n--- answer\n%s--- promised\n%s\n' %
                          (self.page, number, command, answer, '\n'.join(promised)))
        if time.monotonic() - begun > 5:
            self.step('line %d took %.1f s: %s' % (number, time.monotonic() - begun, command))

    def answer(self, number, command):
        """What the shell says up to the mark."""
        alarm = signal.signal(signal.SIGALRM, self.too_long)
        signal.alarm(LONGEST)
        lines = []
        try:
            for line in self.shell.stdout:
                if line.rstrip('\n').endswith(END):
                    rest = line.rstrip('\n')[:-len(END)]
                    return ''.join(lines) + (rest + '\n' if rest else '')
                lines.append(line)
        except TimeoutError:
            raise Failure('%s:%d: $ %s\ndoes not end; so far it says:\n%s' %
                          (self.page, number, command, ''.join(lines))) from None
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, alarm)
        raise Failure('%s:%d: $ %s\nended the shell: %s' % (self.page, number, command, ''.join(lines)))

    @staticmethod
    def too_long(_signal, _frame):
        raise TimeoutError

    def matching(self):
        """That the comparison can fail."""
        for lines, answer, same in ((['a ... c', '...', 'd'], 'a b c\nx\ny\nd\n', True), ([], '', True),
                                    (['a ... c'], 'a b d\n', False), (['a'], 'a\nb\n', False), ([], 'x\n', False),
                                    (['a', 'b'], 'a\n', False)):
            check(bool(re.fullmatch(pattern(lines), answer)) == same, 'comparison of %r and %r' % (lines, answer))


if __name__ == '__main__':
    TestRegtestDoc().main()
