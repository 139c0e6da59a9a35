"""Runs test programs in parallel, each in a session of its own, and keeps count."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from building import BUILD, LOGS, ROOT, say, tail

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SKIP_STATUS = 77


class Count:
    """The outcome and time of each test."""

    def __init__(self):
        self.outcomes = []
        self.lock = threading.Lock()

    def add(self, name, outcome, seconds=0.0, why=""):
        with self.lock:
            self.outcomes.append((name, outcome, seconds))
            line = f"{outcome:8}{name} ({seconds:.1f} s)"
            say(line if outcome == PASSED or not why else f"{line}\n{indent(why)}")

    def number(self, outcome):
        return sum(1 for _, found, _ in self.outcomes if found == outcome)

    def close(self):
        """Prints the end of the report, and gives the exit status."""
        slowest = sorted(self.outcomes, key=lambda item: -item[2])[:10]
        say("\nten slowest tests:")
        for name, _, seconds in slowest:
            say(f"  {seconds:8.2f} s  {name}")
        failed = [name for name, outcome, _ in self.outcomes if outcome == FAILED]
        if failed:
            say("\nfailed:\n" + indent("\n".join(failed)))
        say("")
        say(f"{self.number(PASSED)} passed, {len(failed)} failed, "
            f"{self.number(SKIPPED)} skipped")
        return 1 if failed or self.number(PASSED) == 0 else 0


def indent(text):
    return "\n".join(f"    {line}" for line in text.splitlines())


def living(session):
    """The process ids of a session, zombies left out."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(entry))
    return found


def end_session(session, grace):
    """Ends what a test left running; gives how many processes outlived the grace."""
    deadline = time.monotonic() + grace
    while living(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = living(session)
    for number in left:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return len(left)


def environment(builddir, sanitized):
    env = dict(os.environ)
    env.setdefault("FORNAX_VECTORS", str(ROOT.parent / "shared/vectors"))
    env.update(FORNAX_SRCDIR=str(ROOT), FORNAX_BUILDDIR=str(builddir),
               PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", LC_ALL="C.UTF-8")
    if sanitized:
        env["FORNAX_SANITIZED"] = "1"
        env["FORNAX_TEST_TIMEOUT"] = "180"  # of one wait in qa/functional/framework.py
    return env


def run_program(name, command, env, timeout):
    """Runs a command; gives (exit status or None if it ran too long, log, why it fails anyhow).

    Its TMPDIR is its own, and is removed unless the test fails. Reports of sanitizers, of whichever
    process below it, are collected beside the log and fail the test."""
    label = re.sub(r"[^\w.-]+", "_", name)
    folder = BUILD / "tmp" / label
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{label}.log"
    for old in LOGS.glob(f"{label}.report.*"):
        old.unlink()
    env = dict(env, TMPDIR=str(folder))
    if "FORNAX_SANITIZED" in env:
        report = LOGS / f"{label}.report"
        # An allocation that is too large fails as it does without sanitizers, with a warning.
        # gcc's run time goes astray in thread-local memory of libraries loaded late, as OpenCL's.
        env["ASAN_OPTIONS"] = (f"log_path={report}:detect_leaks=1:exitcode=99:"
                               "allocator_may_return_null=1:intercept_tls_get_addr=0")
        env["UBSAN_OPTIONS"] = f"log_path={report}:print_stacktrace=1:halt_on_error=1"
        env["TSAN_OPTIONS"] = (f"log_path={report}:exitcode=99:second_deadlock_stack=1:"
                               f"suppressions={ROOT / 'qa/runner/races.supp'}")
        env["LSAN_OPTIONS"] = f"suppressions={ROOT / 'qa/runner/leaks.supp'}:print_suppressions=0"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        except BaseException:
            end_session(process.pid, 0)
            raise
        left = end_session(process.pid, 0 if status is None else 5)
        process.wait()
    why = [f"left {left} processes running"] if left and status is not None else []
    for report in sorted(LOGS.glob(f"{label}.report.*")):
        text = report.read_text(errors="replace")
        if re.search("ERROR:|WARNING: ThreadSanitizer|runtime error:|SUMMARY:", text):
            why.append(f"{report.name}:\n{text[:4000]}")
    return status, log, "\n".join(why)


def keep_tmp(name, keep):
    folder = BUILD / "tmp" / re.sub(r"[^\w.-]+", "_", name)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


def in_parallel(jobs, width=2):
    """Runs functions; an exception of one is raised after the others are done."""
    with concurrent.futures.ThreadPoolExecutor(width) as pool:
        futures = [pool.submit(job) for job in jobs]
    for future in futures:
        future.result()


# ---- unit tests -----------------------------------------------------------------------------------

UNIT_LINE = re.compile(r"^(passed|FAILED|skipped) (\S+) ([0-9.]+) s$")
UNIT_END = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def run_unit(count, binary, prefix, env, filters=(), timeout=600):
    """Runs one unit test binary, and counts each test in it."""
    short = f"{prefix}{binary.name}"
    names = [name for name in subprocess.run(
        [binary, "--list"], env=env, capture_output=True, text=True).stdout.split()
        if not filters or any(word in f"{short}/{name}" for word in filters)]
    if not names:
        if not filters:
            count.add(short, FAILED, why="it has no tests")
        return
    start = time.monotonic()
    status, log, why = run_program(short, [binary, "--times", *(names if filters else [])], env,
                                   timeout)
    took = time.monotonic() - start
    lines = log.read_text(errors="replace").splitlines()
    failed = 0
    said = []
    tests = {PASSED: 0, FAILED: 0, SKIPPED: 0}
    for line in lines:
        match = UNIT_LINE.match(line)
        if match is None:
            said.append(line)
            continue
        outcome = match.group(1).lower()
        tests[outcome] += 1
        name = f"{short}/{match.group(2)}"
        if outcome == PASSED:
            with count.lock:
                count.outcomes.append((name, PASSED, float(match.group(3))))
        else:
            failed += outcome == FAILED
            count.add(name, outcome, float(match.group(3)), "\n".join(said[-12:]))
        said = []
    ended = bool(lines) and UNIT_END.match(lines[-1])
    if status is None:
        why = f"ran longer than {timeout} s\n{tail(log)}"
    elif why or not ended or (status != 0 and failed == 0):
        why = f"exit status {status}\n{why}\n{tail(log)}"
    if why:
        count.add(short, FAILED, took, why)
    keep_tmp(short, bool(why or failed))
    say(f"{short}: {tests[PASSED]} passed, {tests[FAILED]} failed, {tests[SKIPPED]} skipped "
        f"({took:.1f} s)")


# ---- functional tests -------------------------------------------------------------------------------

DEFAULT_TIMEOUT = 300


def directives(path):
    """The lines "# word: value" near the top of a functional test."""
    head = path.read_text(errors="replace").splitlines()[:30]
    return dict(match.groups() for match in map(re.compile(r"^# (\w+): (\S+)$").match, head)
                if match)


def run_functional(count, path, prefix, env):
    name = f"{prefix}{path.name}"
    timeout = int(directives(path).get("timeout", DEFAULT_TIMEOUT))
    if "FORNAX_SANITIZED" in env:
        timeout *= 3
    start = time.monotonic()
    status, log, why = run_program(name, ["/usr/bin/python3", str(path)], env, timeout)
    took = time.monotonic() - start
    if status is None:
        why = f"ran longer than {timeout} s\n{tail(log)}"
    elif status not in (0, SKIP_STATUS):
        why = f"exit status {status}\n{why}\n{tail(log)}"
    elif why:
        why = f"{why}\n{tail(log)}"
    if why:
        count.add(name, FAILED, took, f"{why}\nlog: {log}")
    elif status == SKIP_STATUS:
        count.add(name, SKIPPED, took, tail(log, 1))
    else:
        count.add(name, PASSED, took)
    keep_tmp(name, bool(why))
