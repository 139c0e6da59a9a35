"""qa/long: runs the randomised and destructive tests again and again with new seeds, which it
prints: unit tests with sanitizers and more rounds, the harnesses qa/functional/long_*.py, and the
fuzz targets where clang is installed. With --mutate: shows of each rule of consensus that a test fails
without it. The last line is "N passed, N failed, N skipped"."""

import argparse
import os
import random
import shutil
import sys
import time

import building
import mutate
from building import BUILD, ROOT, BuildFailed, say
from running import (Count, FAILED, PASSED, SKIPPED, SKIP_STATUS, directives, environment, keep_tmp,
                     run_program, tail)
from test import listed

SLICE = 60  # seconds that a harness or a fuzz target is given at a time
ROUNDS = 20  # factor on the rounds of randomised unit tests


class Work:
    """One thing to repeat: a command made from a seed, and its environment."""

    def __init__(self, name, command, env, limit):
        self.name, self.command, self.env, self.limit = name, command, env, limit


def gather(filters):
    """All there is to repeat, and what is left out with the reason."""
    work, left_out = [], []
    release = building.build("release")
    sanitize = building.build("sanitize", ["all", "unit-tests"])
    env = environment(sanitize, True)
    for binary in listed(sanitize, "unit-tests"):
        work.append(Work(f"long {binary.name}", lambda seed, binary=binary:
                         [binary, "--seed", str(seed)], dict(env, FORNAX_ROUNDS=str(ROUNDS)), 1800))
    tsan = building.build("tsan")
    for path in sorted((ROOT / "qa/functional").glob("test_*.py")):
        if directives(path).get("sanitizer") == "yes":
            work.append(Work(f"long tsan {path.name}", lambda seed, path=path:
                             ["/usr/bin/python3", str(path)], environment(tsan, True), 1800))
    for path in sorted((ROOT / "qa/functional").glob("long_*.py")):
        work.append(Work(f"long {path.name}", lambda seed, path=path:
                         ["/usr/bin/python3", str(path)], environment(release, False), 10 * SLICE))
    if shutil.which("clang"):
        fuzz = building.build("fuzz", ["fuzz"])
        env = environment(fuzz, True)
        for target in listed(fuzz, "fuzz-targets"):
            seeds = ROOT / "qa/fuzz/corpus" / target.name.removeprefix("fuzz_")
            found = BUILD / "corpus" / target.name
            found.mkdir(parents=True, exist_ok=True)
            work.append(Work(f"long {target.name}", lambda seed, t=target, f=found, s=seeds:
                             [t, f"-seed={seed % 2**32 or 1}", f"-max_total_time={SLICE}",
                              f"-artifact_prefix={f}-", "-error_exitcode=1", "-print_final_stats=1", f, s],
                             env, 5 * SLICE))
    else:
        left_out.append(("long fuzz targets", "clang is not installed"))
    return [item for item in work
            if not filters or any(word in item.name for word in filters)], left_out


def repeat(count, item, seed):
    """Runs one thing once; true if it is worth running again."""
    say(f"{item.name} with seed {seed}")
    start = time.monotonic()
    env = dict(item.env, FORNAX_SEED=str(seed), FORNAX_SECONDS=str(SLICE))
    status, log, why = run_program(item.name, item.command(seed), env, item.limit)
    took = time.monotonic() - start
    if status == SKIP_STATUS:
        count.add(item.name, SKIPPED, took, tail(log, 1))
    elif status == 0 and not why:
        count.add(item.name, PASSED, took)
    else:
        kept = log.with_suffix(f".{seed}.log")
        shutil.copyfile(log, kept)
        count.add(f"{item.name} with seed {seed}", FAILED, took,
                  f"exit status {'none in time' if status is None else status}\n{why}\n"
                  f"{tail(log)}\nlog: {kept}")
    keep_tmp(item.name, status != 0)
    return status == 0 and not why


def main():
    parser = argparse.ArgumentParser(prog="qa/long", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long [60]")
    parser.add_argument("--seed", type=int, help="seed of the first round, to run one again")
    parser.add_argument("--mutate", action="store_true",
                        help="take each rule of consensus out: do the tests named for it fail?")
    parser.add_argument("filters", nargs="*", metavar="NAME",
                        help="only what has one of these in its name")
    options = parser.parse_args()
    if options.mutate:
        return mutate.main(options.filters)
    count = Count()
    try:
        work, left_out = gather(options.filters)
    except BuildFailed as error:
        count.add("build", FAILED, why=str(error))
        return count.close()
    for name, why in left_out:
        count.add(name, SKIPPED, why=why)
    end = time.monotonic() + 60 * options.minutes
    seeds = random.Random(int.from_bytes(os.urandom(8), "little"))
    seed = options.seed
    while work and time.monotonic() < end:
        for item in list(work):
            if time.monotonic() >= end:
                break
            if not repeat(count, item, seed if seed is not None else seeds.getrandbits(48)):
                work.remove(item)
        seed = None
    return count.close()


if __name__ == "__main__":
    sys.exit(main())
