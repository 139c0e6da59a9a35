#!/usr/bin/python3
"""Each option that a program's help lists stands in its man page."""
import os
import re
import subprocess

from framework import SRCDIR, check, check_equal, program

PAGES = (('fornaxd', '-help'), ('fornax-cli', '-help'), ('fornax-miner', '--help'))
WRITTEN_OUT = {'fornax-cli'}  # the page has the most used ones, and says where the others are


def helped(name, option):
    done = subprocess.run([program(name), option], capture_output=True, text=True, timeout=60)
    check_equal(done.returncode, 0, name + ' ' + option)
    return set(re.findall(r'^\s+--?([a-z][a-z-]*)', done.stdout, re.M))


def written(name):
    with open(os.path.join(SRCDIR, 'doc', 'man', name + '.1')) as file:
        text = file.read()
    return set(re.findall(r'(?:\\-){1,2}([a-z](?:[a-z]|\\-)*)', text))


def main():
    for name, option in PAGES:
        options, page = helped(name, option), {word.replace('\\-', '-') for word in written(name)}
        check(len(options) > 10, 'the help of %s lists %s' % (name, options))
        if name not in WRITTEN_OUT:
            check_equal(sorted(options - page), [], 'options that the man page of %s lacks' % name)
    print('%d pages' % len(PAGES))


if __name__ == '__main__':
    main()
