"""qa/long --mutate: takes each rule of consensus out in turn, and expects that one of the tests that
consensus/rules.txt names for it fails. The last line is "N passed, N failed, N skipped"; a rule that
nothing misses is a survivor, and fails.

A rule that refuses under a condition is taken out by each alternative of the condition: of
`a || b && (c || d)` by a, by c and by d; where a function gives `a && b` for yes, by a and by b. All
are taken out in one build of a copy of the sources, each behind a number that the environment names,
so that consensus is built once.

A run that was cut short goes on where it was: build/mutate.state has the digest of the sources and
what was noticed with these."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import building
from building import BUILD, ROOT, BuildFailed, say
from running import Count, FAILED, PASSED, in_parallel, indent

sys.path.insert(0, str(ROOT / "qa/lint"))
import rules  # noqa: E402
from common import Tree, code_only  # noqa: E402

BINARY = "qa/unit/consensus/test_consensus"
LIMIT = 300  # seconds; a test that runs on for ever has failed too
NONE = -1  # no rule is taken out
SWITCH = """
#include <stdlib.h>

bool fx_rule_holds(int number)
{
    static int out = -2;

    if (out == -2) {
        out = getenv("FORNAX_MUTANT") != NULL ? atoi(getenv("FORNAX_MUTANT")) : -1;
    }
    return number != out;
}
"""
DECLARATION = "extern _Bool fx_rule_holds(int number); "


class State:
    """The mutants that tests have noticed since the sources last changed, kept in a file."""

    PATH = BUILD / "mutate.state"
    SOURCES = ("consensus/", "src/crypto/", "src/util/", "qa/unit/", "qa/data/", "qa/lint/rules.py",
               "qa/runner/mutate.py")

    def __init__(self, tree):
        digest = hashlib.sha256()
        for path in tree.paths:
            if path.startswith(self.SOURCES):
                digest.update(f"{path}\n{tree.text(path)}\n".encode())
        self.digest, self.noticed, self.lock = digest.hexdigest(), set(), threading.Lock()
        try:
            kept = json.loads(self.PATH.read_text())
        except (OSError, ValueError):
            return
        if kept.get("sources") == self.digest:
            self.noticed = set(kept["noticed"])

    def add(self, number):
        with self.lock:
            self.noticed.add(number)
            written = self.PATH.with_suffix(".new")
            written.write_text(json.dumps({"sources": self.digest, "noticed": sorted(self.noticed)}))
            written.replace(self.PATH)


class Mutant:
    """What is put before and after a span of the code so that one rule depends on a number."""

    def __init__(self, rule, tests, number, span, before, after):
        self.rule, self.tests, self.number = rule, tests, number
        self.start, self.end = span
        self.before = before.replace("HOLDS", f"fx_rule_holds({number})")
        self.after = after.replace("HOLDS", f"fx_rule_holds({number})")


def split_at(code, start, end, mark):
    """The spans between the marks of an expression that stand in no brackets."""
    spans, depth, first = [], 0, start
    for at in range(start, end):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(code[at], 0)
        if depth == 0 and code.startswith(mark, at):
            spans.append((first, at))
            first = at + len(mark)
    return [*spans, (first, end)]


def alternatives(code, start, end):
    """The spans of an expression that make it true by themselves, or with what they stand beside."""
    found = []
    for first, last in split_at(code, start, end, "||"):
        inner = [span for part in split_at(code, first, last, "&&")
                 for bracketed in [re.fullmatch(r"\s*\((.*)\)\s*", code[slice(*part)], re.DOTALL)]
                 if bracketed
                 for span in alternatives(code, part[0] + bracketed.start(1),
                                          part[0] + bracketed.end(1))]
        found += inner if len(inner) > 1 else [(first, last)]
    return found


def spans_of(code, rule):
    """[(span, before, after)]: the ways in which a rule is taken out."""
    if rule.word == "return":
        end = re.compile("[?;]").search(code, rule.end).start()
        return [(span, "((", ") || !HOLDS)") for span in split_at(code, rule.end, end, "&&")]
    condition = rules.condition(code, rule.start)
    statement = max(code.rfind(mark, 0, rule.start) for mark in ";{}:") + 1
    question = re.match(r"(\s*return\b)([^?:]*)\?\s*$", code[statement:rule.start])
    if question:
        condition = (statement + question.start(2), statement + question.end(2))
    if condition and (question or code[slice(*condition)].strip()):
        # What an alternative does besides being true stays done.
        return [(span, "((", ") && HOLDS)") for span in alternatives(code, *condition)]
    call = re.search(r"\b\w*refuse\w*\([^()]*$", code[statement:rule.start])
    if call:
        return [((statement + call.start(), code.index(")", rule.end) + 1),
                 "(HOLDS ? ", " : FX_VALID)")]
    return [((rule.start, rule.end), "(HOLDS ? ", " : FX_OK)")]


def mutants_of(code, wanted, first=0):
    """All mutants of the rules of one file; wanted: [(rule, its tests)]."""
    ways = [(rule, tests, way) for rule, tests in wanted for way in spans_of(code, rule)]
    return [Mutant(rule, tests, number, *way) for number, (rule, tests, way) in enumerate(ways, first)]


def rewritten(text, mutants):
    for offset, piece in sorted([(m.start, m.before) for m in mutants] +
                                [(m.end, m.after) for m in mutants], reverse=True):
        text = text[:offset] + piece + text[offset:]
    return DECLARATION + text


def prepare(tree):
    """All mutants, and the files that hold them: {path: text}."""
    named = rules.table(tree)
    wanted = list(zip(rules.all_rules(tree), [tests for _, _, tests in named]))
    mutants, files = [], {}
    for path in sorted({rule.path for rule, _ in wanted}):
        text = tree.text(path)
        here = mutants_of(code_only(text), [pair for pair in wanted if pair[0].path == path],
                          len(mutants))
        files[path] = rewritten(text, here)
        mutants += here
    files["consensus/verdict.c"] = tree.text("consensus/verdict.c") + SWITCH
    return mutants, files


def failing(binary, number, names, limit=LIMIT):
    """The tests that fail without a rule, of those whose name begins so. A crash is one as well."""
    env = dict(os.environ, FORNAX_MUTANT=str(number), FORNAX_SRCDIR=str(ROOT),
               ASAN_OPTIONS="detect_leaks=0")
    env.setdefault("FORNAX_VECTORS", str(ROOT.parent / "shared/vectors"))
    try:
        done = subprocess.run([binary, *names], env=env, capture_output=True, text=True,
                              errors="replace", timeout=limit)
    except subprocess.TimeoutExpired:
        return ["(runs on for ever)"]
    found = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return found if found or done.returncode == 0 else ["(crashes)"]


def title(mutant, code):
    rule = mutant.rule
    what = " ".join(code[mutant.start:mutant.end].split())
    return f"{rule.path}:{rule.line} {rule.function} {rule.word}: {what}"


def show(count, state, binary, mutant, name):
    if mutant.number in state.noticed:
        count.add(f"{name} (of a run before)", PASSED)
        return
    start = time.monotonic()
    caught = failing(binary, mutant.number, mutant.tests)
    if caught:
        state.add(mutant.number)
        count.add(name, PASSED, time.monotonic() - start)
        return
    others = failing(binary, mutant.number, [], 10 * LIMIT)
    count.add(name, FAILED, time.monotonic() - start,
              f"{' '.join(mutant.tests)} passes without it; " +
              (f"these fail: {' '.join(others)}" if others else "all tests do: it survives"))


def harness_fails(binary, mutants, tests):
    """Why the harness cannot be trusted, or None."""
    broken = failing(binary, NONE, tests)
    if broken:
        return f"with all rules in place these fail: {' '.join(broken)}"
    first, foreign = mutants[0], mutants[-1].tests
    if failing(binary, first.number, foreign):
        return f"{' '.join(foreign)} fails without a rule that it does not test"
    return None


def main(filters):
    count = Count()
    tree = Tree(ROOT)
    wrong = rules.check(tree, None)
    if wrong:
        count.add("consensus/rules.txt", FAILED, why="\n".join(wrong))
        return count.close()
    mutants, files = prepare(tree)
    code = {path: code_only(tree.text(path)) for path in files}
    try:
        binary = building.build("mutate", [BINARY], files) / BINARY
    except BuildFailed as error:
        count.add("build", FAILED, why=str(error))
        return count.close()
    wrong = harness_fails(binary, mutants, sorted({test for m in mutants for test in m.tests}))
    if wrong:
        count.add("the harness", FAILED, why=wrong)
        return count.close()
    names = {m.number: title(m, code[m.rule.path]) for m in mutants}
    wanted = [m for m in mutants
              if not filters or any(word in names[m.number] for word in filters)]
    say(f"{len(wanted)} ways to take out {len({id(m.rule) for m in wanted})} rules")
    state = State(tree)
    in_parallel([lambda m=m: show(count, state, binary, m, names[m.number]) for m in wanted])
    return count.close()
