#!/usr/bin/python3
# timeout: 300
# sanitizer: yes
"""Task outputs against a second implementation of their rules: random actions and reorganisations, judged by consensus
code (through qa/model/fx_model) and by taskrules.py, which knows only doc/protocol.md. Verdicts, rewards, records and
coins agree, coins are conserved, no task is settled twice, and a fresh replay gives the same state.

FORNAX_SEED is the master seed; FORNAX_SEQUENCE plays one sequence of it alone. No node runs here.
"""
import multiprocessing
import os
from collections import Counter

from framework import FornaxTest, check
from taskplay import play
from taskrules import ACTIONS

SEED = int(os.environ.get('FORNAX_SEED') or 5)
ACTIONS_EACH = 100
SEQUENCES = 100 if os.environ.get('FORNAX_SANITIZED') else 1000
WORKERS = 2
REASONS = ('witness program record spec amount sig bond exclusive pair locktime sequence certificate sample fraud tile '
           'asked answer burn-fee').split()


def work(numbers):
    try:
        return play(SEED, numbers, ACTIONS_EACH), None
    except Exception as error:
        return None, str(error)


class TaskModelTest(FornaxTest):
    nodes_count = 0

    def run(self):
        only = os.environ.get('FORNAX_SEQUENCE')
        numbers = [int(only)] if only else range(SEQUENCES)
        print('seed %d, %d sequences' % (SEED, len(numbers)), flush=True)
        with multiprocessing.Pool(WORKERS) as pool:
            done = pool.map(work, [numbers[at::WORKERS] for at in range(WORKERS)], 1)
        for _, error in done:
            check(error is None, error)
        counts = sum((counts for counts, _ in done), Counter())
        for key, number in sorted(counts.items()):
            print('%8d  %s: %s' % (number, *key))
        self.step('done')
        if not only:
            self.everything_happened(counts, len(numbers))

    def everything_happened(self, counts, sequences):
        """The play is worth nothing where it does not come to all there is."""
        least = sequences // 50
        for action in ACTIONS:
            check(counts['action', action] >= least, '%s happened %d times' % (action, counts['action', action]))
            check(counts['undone', action] >= sequences // 500, '%s was undone %d times' % (action, counts['undone', action]))
        for reason in ['bad-task-' + reason for reason in REASONS] + ['bad-blk-challenges', 'bad-work-task',
                                                                          'bad-work-backing']:
            check(counts['reason', reason] >= least, '%s happened %d times' % (reason, counts['reason', reason]))
        for kind in ('deep', 'shallow'):
            check(counts['reorganisation', kind] >= sequences, '%s reorganisations' % kind)
        check(counts['record', 'forgotten'] >= least, 'records were forgotten')
        check(counts['block', 'of the job lane'] >= sequences, 'blocks of the job lane')


if __name__ == '__main__':
    TaskModelTest().main()
