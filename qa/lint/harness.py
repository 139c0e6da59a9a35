"""The unit test harness notices what it should: failing checks of each kind, crashes, an empty
run."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

from common import Skip, Tree

TESTS = """\
/* Tests of which all but one fail. */
#include "qa/unit/harness.h"

#include <stdlib.h>

FX_TEST(good)
{
    uint64_t first = fx_unit_rand64();

    FX_CHECK(fx_unit_rand64() != first);
    FX_CHECK_INT(3, 3);
    FX_CHECK_MEM("abc", "abd", 2);
    FX_CHECK_HEX("abc", "6162");
    FX_CHECK_STR(NULL, NULL);
}
FX_TEST(cond) { FX_CHECK(1 > 2); }
FX_TEST(number) { FX_CHECK_INT(3, 4); }
FX_TEST(memory) { FX_CHECK_MEM("abc", "abd", 3); }
FX_TEST(hex) { FX_CHECK_HEX("abc", "616200"); }
FX_TEST(text) { FX_CHECK_STR("a", NULL); }
FX_TEST(nodata) { json_decref(fx_unit_data("there is none.json")); }
FX_TEST(novector) { json_decref(fx_unit_vector("there is none.json")); }
FX_TEST(crash)
{
    if (getenv("CRASH") != NULL) {
        abort();
    }
}
"""
FAILING = ("cond", "number", "memory", "hex", "text", "nodata")
END = "2 passed, 6 failed, 1 skipped"


def problems_of(harness, header, root):
    if shutil.which("gcc") is None:
        raise Skip("gcc is not installed")
    wrong = []
    with tempfile.TemporaryDirectory(prefix="fornax-lint-") as name:
        folder = pathlib.Path(name)
        (folder / "qa/unit").mkdir(parents=True)
        (folder / "qa/unit/harness.c").write_text(harness)
        (folder / "qa/unit/harness.h").write_text(header)
        (folder / "test_t.c").write_text(TESTS)
        binary = folder / "test_t"
        jansson = shlex.split(subprocess.run(["pkg-config", "--cflags", "--libs", "jansson"],
                                             capture_output=True, text=True).stdout)
        made = subprocess.run(
            ["gcc", "-D_GNU_SOURCE", f'-DFORNAX_BUILT_FROM="{root}"', f"-I{folder}", "-o", binary,
             folder / "test_t.c", folder / "qa/unit/harness.c", *jansson],
            capture_output=True, text=True)
        if made.returncode != 0:
            return [f"does not compile: {made.stderr[:300]}"]

        def run(*arguments, **more):
            env = {key: value for key, value in os.environ.items() if key != "FORNAX_SRCDIR"}
            return subprocess.run([binary, *arguments], env=dict(env, **more), capture_output=True,
                                  text=True)

        everything = run()
        lines = everything.stdout.splitlines()
        if everything.returncode != 1 or not lines or lines[-1] != END:
            wrong.append(f"ends with status {everything.returncode}, '{lines[-1:]}', not '{END}'")
        for test in FAILING:
            if f"FAILED t.{test}" not in lines:
                wrong.append(f"does not notice the failing test {test}")
        if run("t.good").returncode != 0:
            wrong.append("a good test fails")
        if run("t.nothing").returncode != 1:
            wrong.append("a run of no test passes")
        crash = run("t.crash", CRASH="1")
        if crash.returncode >= 0 or "CRASHED in t.crash" not in crash.stdout:
            wrong.append("does not name the test that crashed")
    return wrong


def sources(tree):
    return tree.text("qa/unit/harness.c"), tree.text("qa/unit/harness.h")


def check(tree, _builddir):
    return problems_of(*sources(tree), tree.root)


def selftest():
    tree = Tree(pathlib.Path(__file__).resolve().parent.parent.parent)
    harness, header = sources(tree)
    blind = harness.replace("longjmp(leave, OUTCOME_FAILED)", "longjmp(leave, OUTCOME_SKIPPED)")
    try:
        return [] if problems_of(blind, header, tree.root) else ["misses a harness that is blind"]
    except Skip:
        return []
