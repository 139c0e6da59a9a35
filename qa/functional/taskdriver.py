"""The pipe to qa/model/fx_model, which builds, signs and connects what the symbols of taskrules.py stand for."""
import json
import os
import subprocess

from framework import build_dir
from taskrules import Record


def task_json(task):
    if task.state == 0:
        return [0, task.origin, task.spec, task.index]
    return [task.state, task.origin, task.spec, task.index, task.escrow, task.bond, task.burn, task.solver,
            list(task.result), task.tile or 0]


def item_json(item):
    kind, args = item.kind, item.args
    if kind in ('pre', 'claim'):
        args = task_json(args)
    elif kind in ('proof', 'tile', 'path'):
        args = [task_json(args[0]._replace(state=args[0].state or 1)), *args[1:]]
    elif kind == 'cert':
        args = [args[0], task_json(args[1])]
    elif kind in ('sig', 'u32'):
        args = list(args)
    out = {kind: args}
    if item.flip is not None:
        out['flip'] = item.flip
    if item.cut:
        out['cut'] = item.cut
    if item.pad:
        out['pad'] = item.pad
    return out


def to_json(to):
    if to[0] == 'task':
        return {'task': task_json(to[1])}
    return {to[0]: to[1] if len(to) > 1 else 1}


def tx_json(tx):
    return {'name': tx.name, 'version': tx.version, 'lock': tx.lock,
            'in': [{'out': given.out, 'seq': given.seq, 'w': [item_json(item) for item in given.w]} for given in tx.ins],
            'out': [{'v': out.value, 'to': to_json(out.to)} for out in tx.outs]}


class Driver:
    def __init__(self):
        self.process = subprocess.Popen([os.path.join(build_dir(), 'qa', 'model', 'fx_model')],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sent = set()  # names that the other side knows

    def close(self):
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        if status != 0:
            raise AssertionError('fx_model ended with status %d' % status)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command, separators=(',', ':')).encode() + b'\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError('fx_model is gone: %s' % self.process.wait())
        return json.loads(line)

    @staticmethod
    def record(fields):
        return None if fields is None else Record(*fields)

    def reset(self, rules, funds):
        self.sent = set()
        self.ask(c='reset', base=rules.base, time0=rules.time0, step=rules.step, funds=funds)

    def spec(self, spec):
        self.ask(c='spec', spec=[spec.number, spec.version, spec.kind, spec.client, spec.deadline, spec.window,
                                 spec.exclusive, list(spec.shape)])

    def connect(self, name, time, pay, txs, work):
        listed = []
        for tx in txs:
            listed.append(tx.name if tx.name in self.sent else tx_json(tx))
            self.sent.add(tx.name)
        if work is not None:
            work = {'task': work.task, 'pre': task_json(work.pre), 'solver': work.solver, 'backing': list(work.backing)}
        return self.ask(c='connect', name=name, time=time, pay=pay, txs=listed, work=work)

    def mine(self, count, time, step):
        return self.ask(c='mine', n=count, time=time, step=step)['ids']

    def disconnect(self, count):
        self.ask(c='disconnect', n=count)

    def state(self):
        """(height, median time, {outpoint: (value, height)}, {origin: record})"""
        got = self.ask(c='state')
        return (got['height'], got['median'], {out: (value, height) for out, value, height in got['coins']},
                {origin: self.record(fields) for origin, fields in got['records']})

    def replay(self):
        return self.ask(c='replay')['same']
