"""The consensus archive needs nothing of the machine: no files, clock, threads, locale, randomness
or stdio, no floating point, and no data that changes."""

import pathlib
import re
import shutil
import subprocess
import tempfile

from common import Skip, code_only, expect, line_of

# All of libc that the rules may call: work on memory, and the end of a process that has none left.
ALLOWED = set("""
memchr memcmp memcpy memmove memset __memcpy_chk __memmove_chk __memset_chk
strcmp strlen strncmp strchr __explicit_bzero_chk explicit_bzero
free bsearch qsort abort __assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_
__udivti3 __umodti3 __divti3 __modti3 __popcountdi2
""".split())
PURE_FOLDERS = ("consensus", "src/util", "src/crypto")
FLOAT = re.compile(r"\b(?:float|double|long\s+double|_Float\d+)\b")


def nm(flag, archive):
    run = subprocess.run(["nm", "-A", flag, str(archive)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())
    for line in run.stdout.splitlines():
        words = line.split()
        yield words[0].split(":")[-2], words[-1]


def archive_problems(archive, others):
    """Undefined symbols that are neither allowed nor defined in the pure archives."""
    defined = {name for other in (archive, *others) for _, name in nm("--defined-only", other)}
    problems = []
    for member, name in nm("-u", archive):
        if name in defined or name in ALLOWED or name.startswith("secp256k1_"):
            continue
        problems.append(f"{archive.name}({member}): uses {name}")
    sizes = subprocess.run(["size", "-A", str(archive)], capture_output=True, text=True).stdout
    member = "?"
    for line in sizes.splitlines():
        words = line.split()
        if line.endswith(":") or " (ex " in line:
            member = words[0]
        elif re.match(r"^\.(data|bss|tdata|tbss)(?!\.rel\.ro)", line) and int(words[1]) > 0:
            problems.append(f"{archive.name}({member}): has data that changes ({words[0]})")
    return problems


def check_archive(_tree, builddir):
    if shutil.which("nm") is None:
        raise Skip("nm is not installed (binutils)")
    if builddir is None:
        raise Skip("no build folder given")
    archives = [pathlib.Path(builddir, folder, ".libs", f"libfx_{folder.split('/')[-1]}.a")
                for folder in PURE_FOLDERS]
    for archive in archives:
        if not archive.exists():
            raise Skip(f"{archive} is not built")
    return archive_problems(archives[0], archives[1:])


def check_text(tree, _builddir):
    problems = []
    for path in tree.files(".c", ".h", under="consensus/"):
        text = code_only(tree.text(path))
        for match in FLOAT.finditer(text):
            problems.append(f"{path}:{line_of(text, match.start())}: floating point")
    return problems


def check(tree, builddir):
    return check_text(tree, builddir) + check_archive(tree, builddir)


def selftest():
    wrong = expect(check_text, {"consensus/a.c": "/* a double */ int a;"},
                   [({"consensus/b.c": "double b;"}, "floating point")])
    if shutil.which("nm") is None or shutil.which("gcc") is None:
        return wrong
    pure = "#include <string.h>\nint fx_helper(void);\nint t(char *a) " \
           "{ static const char *const n[] = {\"x\"}; memset(a, 0, 9); " \
           "return fx_helper() + *n[*a]; }\n"
    bad = {
        "fopen": "#include <stdio.h>\nvoid *b(void) { return fopen(\"x\", \"r\"); }\n",
        "clock_gettime": "#include <time.h>\nint b(struct timespec *t) "
                         "{ return clock_gettime(CLOCK_REALTIME, t); }\n",
        "pthread_create": "int pthread_create(void); int b(void) { return pthread_create(); }\n",
        "getrandom": "int getrandom(void); int b(void) { return getrandom(); }\n",
        "fx_log_write": "int fx_log_write(void); int b(void) { return fx_log_write(); }\n",
        "data that changes": "int b(void) { static int n; return ++n; }\n",
    }
    with tempfile.TemporaryDirectory(prefix="fornax-lint-") as name:
        folder = pathlib.Path(name)

        def archive(stem, text):
            source = folder / f"{stem}.c"
            source.write_text(text)
            subprocess.run(["gcc", "-fPIC", "-c", "-o", folder / f"{stem}.o", source], check=True)
            subprocess.run(["ar", "cr", folder / f"{stem}.a", folder / f"{stem}.o"], check=True)
            return folder / f"{stem}.a"

        helper = archive("helper", "int fx_helper(void); int fx_helper(void) { return 1; }\n")
        found = archive_problems(archive("pure", pure), [helper])
        if found:
            wrong.append(f"complains about a pure archive: {found}")
        for number, (word, text) in enumerate(bad.items()):
            found = archive_problems(archive(f"bad{number}", text), [helper])
            if not any(word in problem for problem in found):
                wrong.append(f"misses '{word}'; said {found}")
    return wrong
