"""qa/test: builds, and runs lints, unit tests, functional tests, and a part of them with the
address and undefined behaviour sanitizers. The last line is "N passed, N failed, N skipped"."""

import argparse
import subprocess
import sys
import time

import building
from building import ROOT, BuildFailed, say
from running import (Count, FAILED, PASSED, SKIPPED, directives, environment, in_parallel,
                     run_functional, run_program, run_unit, keep_tmp, tail)

STAGES = ("lint", "unit", "functional", "sanitize")
SANITIZERS = {"sanitize": "sanitized ", "tsan": "raced "}  # a variant of the build: before the names of its tests


def heading(text):
    say(f"\n== {text} ({time.strftime('%H:%M:%S')})")


def wanted(name, filters):
    return not filters or any(word in name for word in filters)


def built(count, variant, targets):
    start = time.monotonic()
    try:
        folder = building.build(variant, targets)
    except BuildFailed as error:
        count.add(f"build {variant}", FAILED, time.monotonic() - start, str(error))
        return None
    count.add(f"build {variant}", PASSED, time.monotonic() - start)
    return folder


def listed(folder, what):
    """The programs of a build that the Makefile lists under print-WHAT."""
    make = subprocess.run(["make", "-s", f"print-{what}"], cwd=folder, capture_output=True,
                          text=True, check=True)
    return [folder / name for name in make.stdout.split()]


def lints(count, folder, filters):
    names = subprocess.run([ROOT / "qa/lint/run", "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    for name in names:
        if not wanted(f"lint {name}", filters):
            continue
        start = time.monotonic()
        run = subprocess.run([ROOT / "qa/lint/run", "--builddir", folder, name],
                             capture_output=True, text=True)
        lines = run.stdout.splitlines()[:-1]
        outcome = (SKIPPED if lines and lines[0].startswith("skipped")
                   else PASSED if run.returncode == 0 else FAILED)
        count.add(f"lint {name}", outcome, time.monotonic() - start,
                  "\n".join(lines) + run.stderr)


def units(count, folder, filters, prefix="", sanitized=False):
    env = environment(folder, sanitized)
    in_parallel([lambda binary=binary: run_unit(count, binary, prefix, env, filters)
                 for binary in listed(folder, "unit-tests")])


def functionals(count, folder, filters, prefix="", sanitized=False):
    env = environment(folder, sanitized)
    paths = [path for path in sorted((ROOT / "qa/functional").glob("test_*.py"))
             if wanted(prefix + path.name, filters)
             and (not sanitized or directives(path).get("sanitizer") == "yes")]
    # Those that say how long they may take are the long ones: they start first.
    paths.sort(key=lambda path: -int(directives(path).get("timeout", 0)))
    in_parallel([lambda path=path: run_functional(count, path, prefix, env) for path in paths])


def fuzz_corpora(count, folder, filters, prefix):
    """Each fuzz target reads its corpus once; needs no libFuzzer."""
    env = environment(folder, True)
    for target in listed(folder, "fuzz-targets"):
        name = f"{prefix}{target.name}"
        corpus = ROOT / "qa/fuzz/corpus" / target.name.removeprefix("fuzz_")
        if not wanted(name, filters):
            continue
        start = time.monotonic()
        status, log, why = run_program(name, [target, corpus], env, 300)
        bad = status != 0 or why
        count.add(name, FAILED if bad else PASSED, time.monotonic() - start,
                  f"exit status {status}\n{why}\n{tail(log)}")
        keep_tmp(name, bad)


def sanitized(count, variant, prefix, filters):
    heading("build with sanitizers")
    folder = built(count, variant, ["all", "unit-tests", "fuzz"])
    if folder:
        heading("unit tests, functional tests and fuzz corpora with sanitizers")
        units(count, folder, filters, prefix, True)
        fuzz_corpora(count, folder, filters, prefix)
        functionals(count, folder, filters, prefix, True)


def main():
    parser = argparse.ArgumentParser(prog="qa/test", description=__doc__)
    for stage in STAGES:
        parser.add_argument(f"--{stage}", action="store_true", help=f"only this stage: {stage}")
    parser.add_argument("--tsan", action="store_true",
                        help="only the tests of the stage sanitize, with the thread sanitizer instead")
    parser.add_argument("--no-sanitize", action="store_true",
                        help="leave out the build with sanitizers")
    parser.add_argument("filters", nargs="*", metavar="NAME",
                        help="only the tests whose name has one of these in it")
    options = parser.parse_args()
    chosen = {stage for stage in (*STAGES, "tsan") if getattr(options, stage)} or set(STAGES)
    if options.no_sanitize:
        chosen.discard("sanitize")
    filters = options.filters

    start = time.monotonic()
    count = Count()
    if chosen - set(SANITIZERS):
        heading("build")
        targets = ["all"] + ["unit-tests"] * ("unit" in chosen)
        folder = built(count, "release", targets)
        if "lint" in chosen:
            heading("lints")
            lints(count, folder or building.BUILD / "release", filters)
        if folder and "unit" in chosen:
            heading("unit tests")
            units(count, folder, filters)
        if folder and "functional" in chosen:
            heading("functional tests")
            functionals(count, folder, filters)
    for variant, prefix in SANITIZERS.items():
        if variant in chosen:
            sanitized(count, variant, prefix, filters)
    say(f"\nin {(time.monotonic() - start) / 60:.1f} minutes")
    return count.close()


if __name__ == "__main__":
    sys.exit(main())
