#!/usr/bin/python3
"""doc/rpc is what the node's descriptions give; help lists every command with an example."""
import importlib.machinery
import importlib.util
import os

from framework import SRCDIR, FornaxTest, check


def load_generator():
    """doc/rpc/generate, which has no .py."""
    path = os.path.join(SRCDIR, 'doc', 'rpc', 'generate')
    loader = importlib.machinery.SourceFileLoader('generate', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('generate', loader))
    loader.exec_module(module)
    return module


class TestRPCDoc(FornaxTest):
    def run(self):
        rpc = self.nodes[0].rpc
        commands = rpc.getrpcschema()
        wrong = load_generator().differences(commands)
        check(not wrong, 'doc/rpc/generate was not run after a change: %s' % wrong)
        overview = rpc.help()
        for command in commands:
            text = rpc.help(command['name'])
            check(text.startswith(command['synopsis'] + '\n'), 'help of ' + command['name'])
            check((command['synopsis'] in overview) != command['hidden'],
                  command['name'] + (' is in the list' if command['hidden'] else ' is in no list'))
            check('> fornax-cli %s' % command['name'] in text, command['name'] + ' has no example')


if __name__ == '__main__':
    TestRPCDoc().main()
