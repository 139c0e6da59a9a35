"""The Python of the tree parses, and imports the standard library, numpy and files beside it only; the example jobs also
scikit-learn, for its data, and what drives tests of Bitcoin Core their framework."""

import ast
import sys

from common import expect

FOREIGN = {"numpy"}
FOREIGN_OF = {"doc/examples/": {"sklearn"}, "qa/runner/core_wallet.py": {"test_framework"}}  # by the start of the path


def imports(node):
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            for alias in item.names:
                yield item.lineno, alias.name.split(".")[0]
        elif isinstance(item, ast.ImportFrom) and item.level == 0:
            yield item.lineno, item.module.split(".")[0]


def check(tree, _builddir):
    problems = []
    ours = {part.removesuffix(".py") for path in tree.files(".py") for part in path.split("/")}
    scripts = [path for path in tree.paths if "/" in path and "." not in path.split("/")[-1]
               and tree.text(path).startswith("#!") and "python" in tree.text(path).split("\n")[0]]
    for path in tree.files(".py") + scripts:
        try:
            parsed = ast.parse(tree.text(path), path)
        except SyntaxError as error:
            problems.append(f"{path}:{error.lineno}: {error.msg}")
            continue
        known = (sys.stdlib_module_names | FOREIGN | ours).union(
            *(names for start, names in FOREIGN_OF.items() if path.startswith(start)))
        for line, name in imports(parsed):
            if name not in known:
                problems.append(f"{path}:{line}: imports {name}")
    return problems


def selftest():
    good = {"qa/a.py": "import os, numpy\nfrom helper import x\n", "qa/helper.py": "",
            "doc/examples/x.py": "from sklearn.datasets import load_digits\n",
            "qa/runner/core_wallet.py": "import test_framework.key\n",
            "qa/run": "#!/usr/bin/python3\nimport sys\n", "qa/sh": "#!/bin/sh\nif then\n"}
    bad = [
        ({"qa/b.py": "def\n"}, "qa/b.py:1"),
        ({"qa/b.py": "import requests\n"}, "imports requests"),
        ({"qa/b.py": "import sklearn\n"}, "imports sklearn"),
        ({"qa/b": "#!/usr/bin/python3\nfrom yaml import x\n"}, "imports yaml"),
    ]
    return expect(check, good, bad)
