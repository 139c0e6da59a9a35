#!/usr/bin/python3
"""A node that is killed again and again, at points of its code and at times that chance chooses: see test_crash.py. What it had
acknowledged is there each time, and a node that syncs from it at the end agrees on everything."""
import os
import signal
import threading
import time

from framework import Failure, check_equal
from test_crash import Died, POINTS, TestCrash

WORK = sorted({what for _, _, what in POINTS})


class LongCrash(TestCrash):
    def run(self):
        seed = int(os.environ.get('FORNAX_SEED', '0'))
        end = time.monotonic() + float(os.environ.get('FORNAX_SECONDS', '30'))
        print('seed %d' % seed)
        self.begin(seed)
        while time.monotonic() < end:
            if self.chance.random() < 0.5:
                name, most, what = self.chance.choice(POINTS)
                # Pass 1 of some points is at the start, before the work.
                count = most if what in ('start', 'stop') else self.chance.randrange(1, most + 1)
                self.step('%s, pass %d, in %s' % (name, count, what))
                self.killed(what, point='%s:%d' % (name, count))
            else:
                what = self.chance.choice(WORK)
                seconds = self.chance.uniform(0, 0.5)
                self.step('after %.3f s in %s' % (seconds, what))
                self.killed(what, seconds=seconds)
        self.last()

    def killed(self, what, point=None, seconds=None):
        self.received = 0
        self.prepare(what)
        node = self.node
        node.stop()
        timer = None
        try:
            env = {'FORNAX_CRASH_AT': point} if point else {}
            node.start(env=env, wait=what != 'start')
            if seconds is not None:
                timer = threading.Timer(seconds, node.process.kill)
                timer.start()
            getattr(self, what)()
            node.process.kill()  # the work was done before
        except Died:
            pass
        except Failure:
            if node.process.poll() != -signal.SIGKILL:
                raise
        status = node.process.wait(30)
        if timer:
            timer.cancel()
        # One that was asked to stop may have been quicker.
        if what != 'stop' or status != 0:
            check_equal(status, -signal.SIGKILL, 'exit status')
        node.close()
        self.check_again(what)


if __name__ == '__main__':
    LongCrash().main()
