"""What the lints share: which files there are, and C text without its comments and strings."""

import os
import pathlib
import re
import subprocess
import tempfile

C_SUFFIXES = (".c", ".h")
# What builds leave in a tree that git does not know.
NOT_SOURCE = {".git", ".deps", ".libs", "__pycache__", "autom4te.cache"}
# What a release has besides the sources: made by autogen.sh or make, which make it again.
MADE = re.compile(r"(configure|aclocal\.m4|Makefile\.in|src/config\.h\.in"
                  r"|kernels/opencl/source\.c|kernels/cuda/image\.c"
                  r"|src/build-aux/(?!autogen\.sh$|m4/fx\.m4$).*)$")


class Skip(Exception):
    """A lint that cannot run here, with the reason."""


class Tree:
    """The files of a source tree, as paths relative to its root."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.paths = self._from_git() or self._from_disk()

    def _from_git(self):
        if not (self.root / ".git").exists():
            return None
        run = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(self.root), "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"], capture_output=True)
        if run.returncode != 0:
            return None
        names = run.stdout.decode().split("\0")
        return sorted({name for name in names if name and (self.root / name).is_file()})

    def _from_disk(self):
        paths = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NOT_SOURCE
                          and not (folder == str(self.root) and name.startswith("build"))]
            for name in files:
                paths.append(os.path.relpath(os.path.join(folder, name), self.root))
        return sorted(path for path in paths if not MADE.match(path))

    def files(self, *suffixes, under=""):
        return [path for path in self.paths
                if path.endswith(suffixes) and path.startswith(under)]

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")


C_TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE)


def blank(match):
    """Spaces for all but the ends of lines, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    return C_TOKEN.sub(lambda m: blank(m) if m.group().startswith("/") else m.group(), text)


def code_only(text):
    """C text without comments, strings and character constants."""
    return C_TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def problems_in(check, files, builddir=None):
    """Runs a check on a made-up tree: {path: text}."""
    with tempfile.TemporaryDirectory(prefix="fornax-lint-") as root:
        for path, text in files.items():
            target = pathlib.Path(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return check(Tree(root), builddir)


def expect(check, good, bad):
    """The heart of each self-test: the good tree is silent, and each bad one, a pair of a tree laid
    over the good one and a word of the complaint, is complained about. Gives what went wrong."""
    wrong = []
    found = problems_in(check, good)
    if found:
        wrong.append(f"complains about a good tree: {found[0]}")
    for files, word in bad:
        found = problems_in(check, {**good, **files})
        if not any(word in problem for problem in found):
            wrong.append(f"misses '{word}' in {sorted(files)}; said {found}")
    return wrong
