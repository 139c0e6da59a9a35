"""Includes follow the table of doc/architecture.md, start at the root, and form no circle."""

import re

from common import C_SUFFIXES, expect, line_of, without_comments

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]*)"|<([^>]*)>)', re.MULTILINE)
ROW = re.compile(r"^\|\s*`([^`|]+)`\s*\|(.*)\|([^|]*)\|\s*$", re.MULTILINE)
GENERATED = {"src/config.h"}


def read_table(text):
    """{folder: (allowed folders, allowed single files)}; allowed folders is None for anything."""
    rows = {folder: may.strip() for folder, _, may in ROW.findall(text)}
    short = {folder.rsplit("/", 1)[-1]: folder for folder in rows}
    table = {}
    for folder, may in rows.items():
        if may == "anything":
            table[folder] = (None, set())
            continue
        single = set(re.findall(r"`([^`]+\.h)`", may))
        # What "and of FOLDER only `FILE`" names is a file, not its folder.
        words = re.sub(r"and of (\w+) only `[^`]*`(\s*\([^)]*\))?", "", may)
        names = {short[word] for word in re.findall(r"\w+", words) if word in short}
        if may.startswith("everything but"):
            names = set(rows) - names - {"qa"}
        table[folder] = (names | {folder}, single)
    return table


def folder_of(path, table):
    fits = [folder for folder in table if path.startswith(folder + "/")]
    return max(fits, key=len) if fits else None


def find_circle(graph):
    state = {}
    for start in sorted(graph):
        stack = [(start, iter(graph.get(start, ())))]
        if start in state:
            continue
        state[start] = "open"
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = "done"
                stack.pop()
            elif following not in state:
                state[following] = "open"
                stack.append((following, iter(graph.get(following, ()))))
            elif state[following] == "open":
                names = [name for name, _ in stack]
                return names[names.index(following):] + [following]
    return None


def check(tree, _builddir):
    table = read_table(tree.text("doc/architecture.md"))
    if len(table) < 2:
        return ["doc/architecture.md: no include table found"]
    problems = []
    known = set(tree.paths)
    graph = {}
    for path in tree.files(*C_SUFFIXES, ".cu", ".cuh"):
        text = without_comments(tree.text(path))
        folder = folder_of(path, table)
        if folder is None:
            problems.append(f"{path}: its folder is not in the table of doc/architecture.md")
            continue
        allowed, single = table[folder]
        for match in INCLUDE.finditer(text):
            where = f"{path}:{line_of(text, match.start())}"
            name = match.group(1)
            if name is None:
                if match.group(2) in known:
                    problems.append(f'{where}: <{match.group(2)}> is ours, write it with ""')
                continue
            if name in GENERATED:
                continue
            if name not in known:
                problems.append(f'{where}: "{name}" is not a file counted from the root')
                continue
            graph.setdefault(path, []).append(name)
            other = folder_of(name, table)
            if allowed is not None and other not in allowed and name not in single:
                problems.append(f'{where}: {folder} may not include "{name}"')
            if name.endswith("_int.h") and other != folder and allowed is not None:
                problems.append(f'{where}: "{name}" is private to {other}')
            here, there = path.split("/"), name.split("/")
            if (here[0] == there[0] == "kernels" and len(here) > 2 and len(there) > 2
                    and here[1] != there[1]):
                problems.append(f'{where}: a backend may not include another: "{name}"')
    circle = find_circle(graph)
    if circle:
        problems.append("circle of includes: " + " -> ".join(circle))
    return problems


def selftest():
    good = {
        "doc/architecture.md": "\n".join([
            "| folder | holds | may include, besides itself |",
            "|---|---|---|",
            "| `src/util` | x | nothing of ours |",
            "| `src/sys` | x | util |",
            "| `consensus` | x `kinds/` | util, libsecp256k1 |",
            "| `kernels` | x | sys, util, and of consensus only `consensus/brick.h` (layouts) |",
            "| `src/cli` | x | sys, util |",
            "| `src/node` | x | everything but cli, kernels |",
            "| `qa` | x | anything |",
        ]),
        "src/util/a.h": '#include <stdint.h>\n',
        "src/util/a.c": '#include "src/util/a.h"\n/* #include "src/cli/a.h" */\n',
        "src/util/a_int.h": "",
        "src/sys/s.h": '#include "src/util/a.h"\n',
        "consensus/brick.h": "",
        "consensus/tx.h": "",
        "consensus/tx_int.h": "",
        "consensus/kinds/k.c": '#include "consensus/tx_int.h"\n',
        "kernels/cpu/c.c": '#include "consensus/brick.h"\n#include "src/config.h"\n',
        "kernels/cpu/c.h": "",
        "src/cli/a.h": "",
        "src/node/n.c": '#include "consensus/tx.h"\n',
        "qa/unit/q.c": '#include "src/cli/a.h"\n#include "consensus/tx_int.h"\n',
    }
    bad = [
        ({"src/util/b.c": '#include "src/sys/s.h"\n'}, "src/util may not include"),
        ({"consensus/b.c": '#  include "src/sys/s.h"\n'}, "consensus may not include"),
        ({"kernels/b.c": '#include "consensus/tx.h"\n'}, "kernels may not include"),
        ({"kernels/cuda/b.c": '#include "kernels/cpu/c.h"\n'}, "a backend may not"),
        ({"src/node/b.c": '#include "src/cli/a.h"\n'}, "src/node may not include"),
        ({"src/util/b.c": '#include "a.h"\n'}, "not a file counted from the root"),
        ({"src/util/b.c": '#include <src/util/a.h>\n'}, "is ours"),
        ({"src/sys/b.c": '#include "src/util/a_int.h"\n'}, "is private to"),
        ({"src/new/b.c": ""}, "not in the table"),
        ({"src/util/a.h": '#include "src/util/b.h"\n', "src/util/b.h": '#include "src/util/a.h"\n'},
         "circle of includes"),
        ({"doc/architecture.md": "nothing"}, "no include table"),
    ]
    return expect(check, good, bad)
