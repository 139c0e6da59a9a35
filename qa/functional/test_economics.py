#!/usr/bin/python3
# timeout: 60
"""doc/economics.md has the figures that doc/examples/economics.py computes, from the constants of the code; and the check fails
where one of them is another."""
import importlib.util
import os
import re
import subprocess
import sys

from framework import SRCDIR, check, check_equal

SCRIPT = os.path.join(SRCDIR, 'doc', 'examples', 'economics.py')


def read(*path):
    with open(os.path.join(SRCDIR, *path)) as file:
        return file.read()


def defined(text, name):
    """The value of a #define: a number, with or without INT64_C, or an enumerator."""
    found = re.search(r'#define %s (?:INT64_C\()?(\d+)' % name, text)
    check(found, '%s is not defined' % name)
    return int(found.group(1))


def networks():
    """First subsidy, WINDOW_MIN and ANSWER_WINDOW by network, from consensus/params.c."""
    out = {}
    for part in re.split(r'\n    (?=\[FX_|\{\n)', read('consensus', 'params.c')):
        values = [re.search(pattern, part) for pattern in (r'\.name = "(\w+)"', r'\.first_subsidy = INT64_C\((\d+)\)',
                                                           r'\.window_min = (\d+)', r'\.answer_window = (\d+)')]
        if all(values):
            out[values[0].group(1)] = tuple(int(v.group(1)) for v in values[1:])
    return out


def load():
    spec = importlib.util.spec_from_file_location('economics', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_constants(economics):
    params, task = read('consensus', 'params.h'), read('consensus', 'task.h')
    check_equal(economics.DEPOSIT, defined(params, 'FX_DEPOSIT'), 'DEPOSIT')
    check_equal(economics.ASKED_MAX, defined(task, 'FX_TASK_ASKED_MAX'), 'challenges of a claim')
    check_equal(economics.SAMPLES, defined(task, 'FX_TASK_SAMPLES'), 'samples')
    check_equal(economics.FEE_RATE, defined(read('src', 'mempool', 'mempool.h'), 'FX_MEMPOOL_MIN_FEE_RATE'), 'fee rate')
    check_equal(economics.BLOCK_WEIGHT, defined(params, 'FX_BLOCK_WEIGHT_MAX'), 'weight of a block')
    check_equal(economics.CHALLENGES, defined(params, 'FX_BLOCK_CHALLENGES_MAX'), 'challenges of a block')
    check_equal(economics.BACKING, defined(params, 'FX_BACKING_MAX'), 'a backing list')
    check_equal(economics.EXAMPLE['reward_brick'], defined(read('src', 'jobs', 'split.c'), 'REWARD_BRICK'), 'reward of a brick')
    above = read('src', 'jobs', 'jobs.h')
    check('#define FX_CHALLENGE_ABOVE FX_DEPOSIT\n' in above, 'what is worth asking')
    check_equal(economics.CHALLENGE_ABOVE, economics.DEPOSIT, 'what is worth asking')
    known = networks()
    for name, values in economics.NETWORKS.items():
        check_equal(values, known[name], 'figures of ' + name)


def check_sums(economics):
    """Coins are conserved: what one side has less, the others have more, or it was burned, or went to miners as fees."""
    for row in economics.cheats().splitlines()[2:]:
        name, client, solver, burned = (cell.strip() for cell in row.strip('|').split('|'))
        fees = -(float(client) + float(solver) + float(burned))
        most = sum(economics.cost(action) for action in economics.FEES) + 8 * (economics.cost('challenge') + economics.cost('answer'))
        third = economics.bond() - economics.bond() // 2 if 'third' in name else 0
        fees -= third / economics.COIN
        check(-1e-9 <= fees <= most / economics.COIN, '%s: %f of fees' % (name, fees))


def main():
    economics = load()
    check_constants(economics)
    check_sums(economics)
    text = economics.PAGE.read_text()
    check_equal(economics.filled(text), text, 'doc/economics.md: run doc/examples/economics.py --write')
    check(economics.filled(text.replace('1.63840000', '1.63840001', 1)) == text, 'a wrong figure is not made right')
    done = subprocess.run([sys.executable, SCRIPT, '--check'], capture_output=True, text=True, check=False)
    check_equal(done.returncode, 0, 'status of --check: ' + done.stderr)


if __name__ == '__main__':
    main()
