"""Builds the tree without writing into it, apart from the folder build/.

    build/tree       a copy of the sources, brought up to date by each build
    build/NAME       what ./configure and make leave for one set of options
    build/NAME-tree  a copy of the sources that is changed for it
    build/logs       what they said

The copy is there because a tree in which someone has run ./configure cannot be built elsewhere at
the same time.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
PROGRESS_SECONDS = 10

sys.path.insert(0, str(ROOT / "qa/lint"))
from common import Tree  # noqa: E402

VARIANTS = {
    "release": ["--enable-werror"],
    # Without nvcc, so that the tree is known to build without it.
    "sanitize": ["--enable-asan", "--enable-ubsan", "--with-cuda=no", "CFLAGS=-O1 -g"],
    "tsan": ["--enable-tsan", "--with-cuda=no", "CFLAGS=-O1 -g"],
    # For qa/long --mutate.
    "mutate": ["--enable-asan", "--with-cuda=no", "CFLAGS=-O1 -g"],
    "fuzz": ["--enable-fuzz", "--enable-asan", "--enable-ubsan", "CFLAGS=-O1 -g", "CC=clang"],
}

OPTIONAL = ["/usr/include/dnnl.h", "/usr/local/cuda/bin/nvcc"]
COMPLAINT = re.compile(r"error|warning:|undefined reference|multiple definition|No rule to make")


class BuildFailed(Exception):
    """A step of a build that failed, with the end of its log."""


def processors():
    return len(os.sched_getaffinity(0))


def say(text):
    print(text, flush=True)


def tail(path, lines=30):
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


def complaints(log):
    """The lines that matter, which a parallel make buries under others."""
    lines = [line for line in log.read_text(errors="replace").splitlines()
             if COMPLAINT.search(line)]
    return "\n".join(["complaints:", *lines[:15], ""]) if lines else ""


def write_if_other(path, text):
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def copy_sources(name="tree", changed=None):
    """Makes build/NAME equal to the sources, but for files that are changed: {path: text}. Files that
    are equal keep their times."""
    target = BUILD / name
    paths = [path for path in Tree(ROOT).paths if not path.startswith(("build/", "."))]
    for path in paths:
        if changed and path in changed:
            write_if_other(target / path, changed[path])
            continue
        source, copy = ROOT / path, target / path
        try:
            have, want = copy.stat(), source.stat()
            if have.st_mtime_ns == want.st_mtime_ns and have.st_size == want.st_size:
                continue
        except OSError:
            copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
    listing = BUILD / f"{name}.files"
    if listing.exists():
        for path in set(listing.read_text().splitlines()) - set(paths):
            (target / path).unlink(missing_ok=True)
    listing.write_text("\n".join(paths))
    return target


def step(name, command, folder):
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with open(log, "wb") as out:
        run = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out,
                               stderr=subprocess.STDOUT)
    while True:
        try:
            run.wait(PROGRESS_SECONDS)
            break
        except subprocess.TimeoutExpired:
            files = log.read_text(errors="replace").count("  CC ")
            say(f"  {name}: {files} files compiled" if files else f"  {name} goes on")
        except BaseException:
            run.terminate()
            run.wait()
            raise
    if run.returncode != 0:
        raise BuildFailed(f"{name} failed: {' '.join(map(str, command))}\n{tail(log, 12)}\n"
                          f"{complaints(log)}all of it: {log}")


def build(variant, targets=("all",), changed=None):
    """Builds build/VARIANT and gives its folder; raises BuildFailed. changed: files whose text is
    another one in this variant, which has then a copy of the sources of its own."""
    folder = BUILD / variant
    start = time.monotonic()
    say(f"building {variant} ({', '.join(targets)}) in {folder.relative_to(ROOT)}")
    folder.mkdir(parents=True, exist_ok=True)
    source = copy_sources(f"{variant}-tree", changed) if changed else copy_sources()
    if not (source / "configure").exists():
        step("autogen", [source / "src/build-aux/autogen.sh"], source)
    options = VARIANTS[variant]
    compiler = next((option[3:] for option in options if option.startswith("CC=")), "gcc")
    if shutil.which("ccache"):
        compiler = f"ccache {compiler}"
    command = [str(source / "configure"), "--enable-shared",
               *(option for option in options if not option.startswith("CC=")), f"CC={compiler}"]
    # Optional parts that came or went since, as qa/test installs more than qa/quickstart.
    text = "\n".join(command + [path for path in OPTIONAL if os.path.exists(path)])
    asked = folder / "configure.asked"
    if not asked.exists() or asked.read_text() != text:
        step(f"{variant}-configure", command, folder)
        asked.write_text(text)
    # One after the other: `all` is a make of its own, and two would build the same files at once.
    for target in targets:
        step(f"{variant}-make-{os.path.basename(target)}", ["make", f"-j{processors()}", target], folder)
    say(f"built {variant} in {time.monotonic() - start:.0f} s")
    return folder


def main():
    """building.py [VARIANT]: builds release, or another variant; the last line is its folder."""
    try:
        say(build(*sys.argv[1:2] or ["release"]))
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
