"""Each rule of consensus names the unit tests that fail without it, in consensus/rules.txt.

A rule is a place that refuses something: where a verdict other than FX_OK is given, and where a
function that reads or compares bytes says no (READERS). The table has a line for each, in the order of
the source: the function, the verdict, and the tests, SUITE.NAME for FX_TEST(NAME) of
qa/unit/consensus/test_SUITE.c. That they fail without the rule is for qa/long --mutate to show."""

import re

from common import code_only, expect, line_of

TABLE = "consensus/rules.txt"
# Their order in the table; the others of the folder come after them.
FILES = ("tx.c", "block.c", "lane.c", "check.c", "connect.c", "connect_tx.c", "work.c",
         "work_proof.c", "brick.c", "spend.c", "spend_steps.c", "spend_claim.c", "spend_settle.c",
         "spend_dispute.c", "schnorr.c", "task.c", "commit.c", "kinds/gemm.c")
# Functions whose "no" is a rule, and not an answer.
READERS = {
    "tx.c": {"measure", "fx_tx_parse_why"},
    "lane.c": {"fx_nbits_decode", "fx_nbits_met"},
    "check.c": {"fx_tx_is_final", "begins_with_height"},
    "connect.c": {"overlay_coin"},
    "brick.c": {"fx_brick_in_range", "fx_brick_ticket"},
    "schnorr.c": {"fx_schnorr_verify"},
    "work.c": {"brick_opens"},
    "work_proof.c": {"fx_work_proof_read"},
    "task.c": {"valid_kind", "fx_task_spec_read", "fx_task_read"},
    "commit.c": {"fx_commit_operand_open"},
    "kinds/gemm.c": {"fx_gemm_read", "verify_entry", "verify_tile"},
}
ANSWERS = {"FX_ENTRY_NEITHER", "FX_MISSING"}  # of readers, besides false, NULL and what is computed
VERDICT = re.compile(r"X\((FX_[A-Z0-9_]+), \"[^\"]+\"\)")
REFUSAL = re.compile(r"\b(?:FX_[A-Z0-9_]+|(?:(?<=return )(?:false|NULL)|goto bad|bad = true)(?=;)"
                     r"|return(?=\s[^;?]*[^\w\s;?][^;]*;))")
FUNCTION = re.compile(r"^(?:static )?([a-z][\w *]*?) ?\b(\w+)\([^;{}]*\)\n\{.*?^\}", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"^FX_TEST\((\w+)\)", re.MULTILINE)


class Rule:
    """One place that refuses: its word stands at code[start:end] of the file."""

    def __init__(self, path, code, function, word, start):
        self.path, self.function, self.word = path, function, word
        self.start, self.end = start, start + len(word)
        self.line = line_of(code, start)

    @property
    def key(self):
        word = "bad" if "bad" in self.word.split() else self.word
        return self.path.removeprefix("consensus/"), self.function, word


def verdicts(tree):
    return set(VERDICT.findall(tree.text("consensus/verdict.h"))) - {"FX_OK"}


def condition(code, at):
    """(start, end) of the condition of the `if` in whose braces an offset stands, or None."""
    depth = 0
    while depth >= 0:
        at = max(code.rfind("{", 0, at), code.rfind("}", 0, at))
        depth += 1 if code[at] == "}" else -1
    end = code.rfind(")", 0, at)
    if code[end + 1:at].strip():
        return None
    start, depth = end, 1
    while depth > 0:
        start -= 1
        depth += {")": 1, "(": -1}.get(code[start], 0)
    return (start + 1, end) if re.search(r"\bif\s*$", code[:start]) else None


def is_rule(code, word, at, verdict_names, reads):
    """Whether the word at an offset refuses. A verdict that something is compared with does not; a
    reader does so under conditions, or by what it computes for `return`; reads: its type, or ""."""
    if word in verdict_names:
        return not code[:at].rstrip().endswith(("case", "==", "!="))
    if word.startswith("FX_") and word not in ANSWERS:
        return False
    if word == "return":
        return reads == "bool" or (bool(reads) and "?" in code[at:code.index(";", at)])
    return bool(reads) and condition(code, at) is not None


def rules_of(path, code, verdict_names):
    """The rules of one file, in their order; code is C text without comments and strings."""
    readers = READERS.get(path.removeprefix("consensus/"), set())
    rules = []
    for function in FUNCTION.finditer(code):
        kind, name = function.groups()
        for found in REFUSAL.finditer(code, function.start(), function.end()):
            if is_rule(code, found.group(), found.start(), verdict_names,
                       kind if name in readers else ""):
                rules.append(Rule(path, code, name, found.group(), found.start()))
    return rules


def all_rules(tree):
    names, paths = verdicts(tree), tree.files(".c", under="consensus/")
    first = [f"consensus/{name}" for name in FILES]
    ordered = [path for path in first if path in paths] + [p for p in paths if p not in first]
    return [rule for path in ordered for rule in rules_of(path, code_only(tree.text(path)), names)]


def table(tree):
    """The lines of the table: (its number, (file, function, word), [test]). One that is indented
    further goes on with the tests of that before it."""
    lines, file = [], ""
    for number, line in enumerate(tree.text(TABLE).splitlines(), 1):
        words = line.split()
        if line.startswith("#") or not words:
            continue
        if not line.startswith(" "):
            file = line.rstrip(":")
        elif line.startswith(5 * " ") and lines:
            lines[-1][-1].extend(words)
        else:
            lines.append((number, (file, *words[:2]), words[2:]))
    return lines


def tests(tree):
    return {f"{path.rsplit('test_', 1)[1][:-2]}.{name}"
            for path in tree.files(".c", under="qa/unit/consensus/test_")
            for name in TEST.findall(tree.text(path))}


def check(tree, _builddir):
    wrong, lines, known, rules = [], table(tree), tests(tree), all_rules(tree)
    for number, key, named in lines:
        wrong += [f"{TABLE}:{number}: there is no test {test}" for test in named
                  if test not in known]
        if not named:
            wrong.append(f"{TABLE}:{number}: no test for {key[-1]} of {key[1]}")
    have, want = [key for _, key, _ in lines], [rule.key for rule in rules]
    for rule in rules:
        if want.count(rule.key) > have.count(rule.key):
            wrong.append(f"{rule.path}:{rule.line}: not in {TABLE}: {rule.word} of {rule.function}")
    for key in sorted({key for key in have if have.count(key) > want.count(key)}):
        wrong.append(f"{TABLE}: no rule for the line {' '.join(key)}")
    if not wrong and have != want:
        at = next(i for i, key in enumerate(want) if have[i] != key)
        wrong.append(f"{TABLE}:{lines[at][0]}: not in the order of the rules")
    return wrong


def selftest():
    good = {
        "consensus/verdict.h": 'X(FX_OK, "") X(FX_BAD_A, "bad-a") X(FX_BAD_B, "bad-b")\n',
        "consensus/check.c": "int check(int a)\n{\n    /* FX_BAD_B */\n    if (a == FX_BAD_B) {\n"
                             "        return FX_BAD_A;\n    }\n    return FX_OK;\n}\n",
        "consensus/task.c": "static bool valid_kind(int a)\n{\n    if (a && f(a)) {\n"
                            "        return false;\n    }\n    return false;\n}\n\n"
                            "bool is_odd(int a)\n{\n    if (a) {\n        return false;\n    }\n"
                            "    return true;\n}\n",
        "consensus/rules.txt": "# comment\ncheck.c:\n    check FX_BAD_A check.a check.b\n\n"
                               "task.c:\n    valid_kind false check.b\n        check.a\n",
        "qa/unit/consensus/test_check.c": "FX_TEST(a)\n{\n}\nFX_TEST(b)\n{\n}\n",
    }
    more = good["consensus/check.c"] + "int more(void)\n{\n    return FX_BAD_B;\n}\n"
    text = good["consensus/rules.txt"]
    return expect(check, good, [
        ({"consensus/check.c": more}, "check.c:11: not in consensus/rules.txt: FX_BAD_B of more"),
        ({"consensus/rules.txt": text.replace("    check FX_BAD_A check.a check.b\n", "")},
         "FX_BAD_A of check"),
        ({"consensus/rules.txt": text + "    valid_kind false check.b\n"}, "no rule for the line"),
        ({"consensus/rules.txt": text.replace("check.a", "check.c")}, "there is no test check.c"),
        ({"consensus/rules.txt": text.replace(" check.a check.b", "")}, "no test for FX_BAD_A"),
        ({"consensus/check.c": more, "consensus/rules.txt":
          text.replace("    check FX", "    more FX_BAD_B check.a\n    check FX")}, "not in the order"),
    ])
