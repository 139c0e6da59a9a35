#!/usr/bin/python3
"""doc/rpc is what the node's descriptions give; help lists every command with an example."""
import importlib.machinery
import importlib.util
import json
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
            self.pasted(command['name'], text)

    @staticmethod
    def pasted(name, text):
        """The example for curl is one word of a shell, and a request."""
        data, _, url = text.split("--data-binary '")[1].partition("' http://")
        check("'" not in data and url.startswith('127.0.0.1:'), 'curl for ' + name)
        request = json.loads(data)
        check(request['method'] == name and isinstance(request['params'], list), 'curl for ' + name)
        if name == 'getblock':
            check(request['params'] == ['blockhash'], 'arguments of curl for getblock')
        if name == 'help':
            check(request['params'] == ['getblock'], 'arguments of curl for help')


if __name__ == '__main__':
    TestRPCDoc().main()
