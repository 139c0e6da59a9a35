#!/usr/bin/python3
"""The play of test_task_model.py for long: sequences of more actions, for FORNAX_SECONDS, from FORNAX_SEED on.

What fails says its seed and sequence: FORNAX_SEED=... FORNAX_SEQUENCE=... plays that one alone.
"""
import os
import time
from collections import Counter

from framework import FornaxTest
from taskplay import play

SEED = int(os.environ.get('FORNAX_SEED') or int.from_bytes(os.urandom(6), 'little'))
SECONDS = float(os.environ.get('FORNAX_SECONDS', '60'))
ACTIONS_EACH = 400
GROUP = 30  # sequences of one process of fx_model


class LongTaskModelTest(FornaxTest):
    nodes_count = 0

    def run(self):
        only = os.environ.get('FORNAX_SEQUENCE')
        print('seed %d' % SEED, flush=True)
        if only:
            play(SEED, [int(only)], ACTIONS_EACH)
            return
        number, counts, end = 0, Counter(), time.monotonic() + SECONDS
        while time.monotonic() < end:
            counts += play(SEED, range(number, number + GROUP), ACTIONS_EACH)
            number += GROUP
        for key, count in sorted(counts.items()):
            print('%8d  %s: %s' % (count, *key))
        self.step('%d sequences with seed %d' % (number, SEED))


if __name__ == '__main__':
    LongTaskModelTest().main()
