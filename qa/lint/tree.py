"""The top of the tree holds what it should and nothing else; every source file is built and
distributed; links in the documentation lead somewhere."""

import re

from common import expect, problems_in

FOLDERS = {"src", "kernels", "consensus", "wallet", "qa", "doc"}
FILES = {"configure.ac", "Makefile.am", "README.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md"}
BUILT = ("src/", "consensus/", "kernels/", "wallet/", "qa/unit/", "qa/model/", "qa/bench/", "qa/fuzz/")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def distributed(path, listed):
    """A release holds what is listed, whole folders too, and what automake reads."""
    folders = [path.rsplit("/", depth)[0] for depth in range(1, path.count("/"))]
    return path in listed or path.endswith("Makefile.am.include") or any(folder in listed for folder in folders)


def check(tree, _builddir):
    problems = []
    folders = {path.split("/")[0] for path in tree.paths if "/" in path}
    files = {path for path in tree.paths if "/" not in path}
    for name in sorted(folders - FOLDERS | files - FILES):
        if not name.startswith("."):
            problems.append(f"{name}: does not belong at the top of the tree")
    for name in sorted(FOLDERS - folders | FILES - files):
        problems.append(f"{name}: missing at the top of the tree")

    listed = set()
    for path in tree.files("Makefile.am", "Makefile.am.include"):
        rules = re.sub(r"(?m)^\s*#.*$", "", tree.text(path))
        listed.update(word.lstrip("/") for word in re.findall(r"[\w./+-]+", rules))
    for path in tree.files(".c", ".h", ".cu", ".cuh", ".cl"):
        if path.startswith(BUILT) and path not in listed:
            problems.append(f"{path}: in no Makefile.am.include")
    for path in tree.paths:
        if path.startswith("qa/") and not distributed(path, listed):
            problems.append(f"{path}: in no release, as no Makefile.am.include lists it or its folder")

    for path in tree.files(".md"):
        folder = (tree.root / path).parent
        for target in LINK.findall(tree.text(path)):
            if not (folder / target).exists():
                problems.append(f"{path}: the link to {target} leads nowhere")
    return problems


def selftest():
    good = {name: "" for name in FILES}
    good.update({f"{name}/x": "" for name in FOLDERS})
    good.update({
        ".clang-format": "", "src/a.c": "", "Makefile.am": "SOURCES = src/a.c qa/x\n",
        "README.md": "[a](doc/x) [b](https://example.org) [c](#here) [d](doc/x#there)",
    })
    bad = [
        ({"notes.txt": ""}, "notes.txt: does not belong"),
        ({"lib/x": ""}, "lib: does not belong"),
        ({"src/b.c": ""}, "src/b.c: in no Makefile"),
        ({"qa/bench/b": "", "qa/Makefile.am.include": "# qa/bench\n"}, "qa/bench/b: in no release"),
        ({"doc/y.md": "[a](nothing.md)"}, "leads nowhere"),
    ]
    wrong = expect(check, good, bad)
    del good["LICENSE"]
    if "LICENSE: missing at the top of the tree" not in problems_in(check, good):
        wrong.append("misses a missing file")
    return wrong
