"""The runner of qa/test notices what it should: a wrong exit status, a test that hangs, processes
that outlive their test, reports of sanitizers, unit tests that crash."""

import contextlib
import io
import pathlib
import sys
import tempfile

CASES = {
    # name: (expected outcome, the program, what a failure says)
    "good.py": ("passed", "import os; assert os.path.isdir(os.environ['TMPDIR'])", ""),
    "skip.py": ("skipped", "print('why'); raise SystemExit(77)", "why"),
    "fail.py": ("failed", "print('it broke'); raise SystemExit(3)", "it broke"),
    "throw.py": ("failed", "raise ValueError('it broke')", "it broke"),
    "hang.py": ("failed", "# timeout: 1\nimport time; time.sleep(600)", "longer than"),
    "leave.py": ("failed", "import subprocess; subprocess.Popen(['sleep', '600'])", "running"),
    "warning.py": ("passed", "import os\noptions = os.environ['ASAN_OPTIONS'].split(':')\n"
                   "path = options[0].split('=')[1]\nopen(path + '.1', 'w').write('WARNING')\n",
                   ""),
    "report.py": ("failed", "import os\noptions = os.environ['ASAN_OPTIONS'].split(':')\n"
                  "path = options[0].split('=')[1]\nopen(path + '.1', 'w').write('ERROR: overflow')\n",
                  "overflow"),
}
UNITS = {
    "test_good": ("passed", "echo 'passed t.a 0.1 s'; echo '1 passed, 0 failed, 0 skipped'"),
    "test_bad": ("failed", "echo 'FAILED t.a 0.1 s'; echo '0 passed, 1 failed, 0 skipped'; exit 1"),
    "test_crash": ("failed", "echo 'passed t.a 0.1 s'; kill -9 $$"),
    "test_cut": ("failed", "echo 'passed t.a 0.1 s'"),
    "test_status": ("failed", "echo '1 passed, 0 failed, 0 skipped'; exit 4"),
}


def outcomes(sanitized):
    """The outcome and the words of each case, as the runner counts them."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    sys.path.insert(0, str(root / "qa/runner"))
    import running
    found = {}
    with tempfile.TemporaryDirectory(prefix="fornax-lint-") as name:
        folder = pathlib.Path(name)
        env = running.environment(folder, sanitized)

        def one(case, run):
            count = running.Count()
            with contextlib.redirect_stdout(io.StringIO()) as said:
                run(count)
            all_of_it = {outcome for _, outcome, _ in count.outcomes}
            found[case] = ("failed" if "failed" in all_of_it else " ".join(all_of_it),
                           said.getvalue())

        for case, (_, text, _) in CASES.items():
            if case != "good.py" and sanitized != ("ASAN" in text):
                continue
            (folder / case).write_text(text)
            one(case, lambda count, path=folder / case:
                running.run_functional(count, path, "selftest ", env))
        for case, (_, text) in UNITS.items():
            path = folder / case
            path.write_text(f"#!/bin/sh\n[ \"$1\" != --list ] || {{ echo t.a; exit 0; }}\n{text}\n")
            path.chmod(0o755)
            one(case, lambda count, path=path: running.run_unit(count, path, "selftest ", env))
    return found


def compare(found, cases):
    wrong = []
    for case, (outcome, said) in found.items():
        expected, _, *words = cases.get(case) or UNITS[case]
        if outcome != expected:
            wrong.append(f"{case} counts as {outcome}, not {expected}")
        elif words and words[0] not in said:
            wrong.append(f"{case} does not say '{words[0]}'")
    return wrong


def check(_tree, _builddir):
    return compare(outcomes(False), CASES) + compare(outcomes(True), CASES)


def selftest():
    blind = {"fail.py": ("passed", "")}
    silent = {"fail.py": ("failed", "nothing")}
    return [f"misses {found}" for found in (blind, silent) if not compare(found, CASES)]
