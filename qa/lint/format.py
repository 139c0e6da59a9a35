"""C files are formatted as .clang-format says, by clang-format 14."""

import shutil
import subprocess

from common import C_SUFFIXES, Skip, expect

RELEASE = "14"


def find_tool():
    for name in (f"clang-format-{RELEASE}", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if f"version {RELEASE}." in version:
            return path
    raise Skip(f"clang-format {RELEASE} is not installed")


def check(tree, _builddir):
    tool = find_tool()
    files = tree.files(*C_SUFFIXES)
    if not files:
        return []
    run = subprocess.run([tool, "--dry-run", "--style=file", *files], cwd=tree.root,
                         capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in run.stderr.splitlines()
                  if "[-Wclang-format-violations]" in line})
    problems = [f"{path}: run {tool.split('/')[-1]} -i on it" for path in bad]
    if run.returncode != 0:
        problems.append(run.stderr.strip()[-300:])
    return problems


def selftest():
    try:
        find_tool()
    except Skip:
        return []
    style = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
    return expect(check, {".clang-format": style, "a.c": "int a;\n"},
                  [({"b.c": "int  b ;\n"}, "b.c: run")])
