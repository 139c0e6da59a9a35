"""Rules of doc/style.md that a regular expression can see."""

import re

from common import C_SUFFIXES, code_only, expect, line_of

LONGEST_FILE = 1000
LONGEST_LINE = 100

BANNED = {
    "strcpy": "bound the copy", "strcat": "use fx_buf", "sprintf": "use snprintf",
    "vsprintf": "use vsnprintf", "gets": "use fgets", "atoi": "check the number",
    "atol": "check the number", "atoll": "check the number", "atof": "check the number",
    "strtok": "walk the string", "scanf": "check the numbers", "sscanf": "check the numbers",
    "alloca": "no stack of unknown size", "rand": "use src/sys", "srand": "use src/sys",
    "random": "use src/sys", "system": "start no shell", "popen": "start no shell",
    "tmpnam": "use mkstemp", "mktemp": "use mkstemp", "typeof": "name the type",
    "__typeof__": "name the type", "setlocale": "everything is in the C locale",
}
ALLOCATION = ("malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup")
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join((*BANNED, *ALLOCATION)))
DEFAULT = re.compile(r"^[ \t]*default[ \t]*:.*$", re.MULTILINE)
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
TYPEDEF_T = re.compile(r"\btypedef\b[^;{]*\b(\w+_t)\s*;|\}\s*(\w+_t)\s*;")


def check_c(tree, path):
    text = tree.text(path)
    code = code_only(text)
    lines = text.splitlines()
    for match in CALL.finditer(code):
        name = match.group(1)
        where = f"{path}:{line_of(code, match.start())}"
        if name in BANNED:
            yield f"{where}: {name} is banned: {BANNED[name]}"
        elif not path.startswith("qa/") and path != "src/util/mem.c":
            yield f"{where}: {name} may fail: use src/util/mem.h"
    for match in DEFAULT.finditer(code):
        number = line_of(code, match.start())
        near = "\n".join(lines[max(0, number - 2):number + 1])
        if path.startswith("consensus/"):
            yield f"{path}:{number}: no default: in consensus, name every case"
        elif "/*" not in near and "//" not in near:
            yield f"{path}:{number}: default: without a comment that says why"
    for match in TYPEDEF_T.finditer(code):
        yield f"{path}:{line_of(code, match.start())}: no typedef ..._t"
    if path.endswith(".c") and not text.startswith(("/*", "//")):
        yield f"{path}:1: does not open with a comment on its role"
    if path.endswith(".h") and not re.match(r"(#ifndef \w+\n#define \w+\n\s*)?(/\*|//)", text):
        yield f"{path}:1: does not open with a comment on what it is for"
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            yield f"{path}:{number}: {len(line)} characters in a line, {LONGEST_LINE} fit"


def check(tree, _builddir):
    problems = []
    for path in tree.files(*C_SUFFIXES):
        problems.extend(check_c(tree, path))
    for path in tree.files(*C_SUFFIXES, ".cu", ".cl", ".py", ".sh", ".am", ".ac", ".include"):
        text = tree.text(path)
        if text.count("\n") > LONGEST_FILE:
            problems.append(f"{path}: {text.count(chr(10))} lines, a second concern may leave it")
        if path == "qa/lint/style.py":
            continue
        for match in LEFT_OVER.finditer(text):
            problems.append(f"{path}:{line_of(text, match.start())}: {match.group()} left")
    return problems


def selftest():
    good = {
        "src/a.c": "/* Role. */\nint a = sizeof \"strcpy(x)\"; /* gets(x) */\nint b(struct s *p)\n"
                   "{ p->gets(1); fx_atoi(2); }\n"
                   "    default: /* other signals are ignored */\n        break;\n",
        "src/a.h": "#ifndef A\n#define A\n\n/* For. */\n#endif\n",
        "src/util/mem.c": "/* Role. */\nvoid *p(void) { return malloc(1); }\n",
        "qa/unit/test_a.c": "/* Role. */\nvoid *q(void) { return malloc(1); }\n",
    }
    bad = [
        ({"src/b.c": "/* R. */\nint x(void) { strcpy(a, b); }\n"}, "strcpy is banned"),
        ({"src/b.c": "/* R. */\nint x(void) { return atoi(b); }\n"}, "atoi is banned"),
        ({"src/b.c": "/* R. */\nint x(void) { return strtok (b); }\n"}, "strtok is banned"),
        ({"src/b.c": "/* R. */\nint x(void) { return malloc(b); }\n"}, "malloc may fail"),
        ({"consensus/b.c": "/* R. */\n/* why */\n    default: /* why */\n"}, "in consensus"),
        ({"src/b.c": "/* R. */\n\n\n    default:\n        break;\n"}, "default: without"),
        ({"src/b.c": "/* R. */\ntypedef int fx_t;\n"}, "no typedef"),
        ({"src/b.c": "int x;\n"}, "does not open with a comment"),
        ({"src/b.h": "#ifndef B\n#define B\nint x;\n#endif\n"}, "does not open with a comment"),
        ({"src/b.c": "/* R. */\n/* " + "TO" + "DO: more */\n"}, "left"),
        ({"qa/b.py": "# FIX" + "ME\n"}, "left"),
        ({"src/b.c": "/* R. */\n" + "x" * 101 + "\n"}, "characters in a line"),
        ({"src/b.c": "/* R. */\n" + "\n" * 1001}, "second concern"),
    ]
    return expect(check, good, bad)
