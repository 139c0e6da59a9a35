"""qa/cuda: builds with nvcc, and on every CUDA device of this machine runs the unit tests that need
one, the miner's self-test and its tests against real nodes; then the benches, and how many registers
the kernels take. With --memcheck the unit tests run under compute-sanitizer as well. The last line
is "N passed, N failed, N skipped"; without a device or without nvcc it says so, with status 77."""

import argparse
import subprocess
import sys
import time

import building
from building import ROOT, BuildFailed, say, tail
from running import (Count, FAILED, PASSED, SKIP_STATUS, environment, keep_tmp, run_functional,
                     run_program, run_unit)

FUNCTIONAL = ("test_miner.py", "test_miner_choices.py", "test_miner_devices.py")
LIMIT = 1800
UNITS = "cuda."  # of test_kernels: those of qa/unit/kernels/test_cuda.c


def devices(folder):
    """[name of each usable CUDA device], and the lines about those that are not."""
    lines = subprocess.run([folder / "src/fornax-miner", "--list-devices"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    lines = [line for line in lines if line.startswith("cuda:")]
    return [line for line in lines if "not usable" not in line], \
           [line for line in lines if "not usable" in line]


def has_nvcc(folder):
    return "#define HAVE_CUDA 1" in (folder / "src/config.h").read_text()


def shown(count, name, command, env):
    """Runs a program and shows what it says."""
    start = time.monotonic()
    status, log, why = run_program(name, command, env, LIMIT)
    say(tail(log, 200))
    count.add(name, PASSED if status == 0 and not why else FAILED, time.monotonic() - start,
              f"exit status {status}\n{why}")
    keep_tmp(name, status != 0)


def memcheck(count, folder, env):
    tool = subprocess.run(["sh", "-c", "command -v compute-sanitizer || "
                           "ls /usr/local/cuda/bin/compute-sanitizer"], capture_output=True, text=True)
    if tool.returncode != 0:
        count.add("memcheck", FAILED, why="compute-sanitizer is not there")
        return
    for kind in ("memcheck", "racecheck"):
        shown(count, kind, [tool.stdout.split()[0], "--tool", kind, "--error-exitcode", "1",
                            folder / "qa/unit/kernels/test_kernels", "cuda.vectors", "cuda.random"], env)


def main():
    parser = argparse.ArgumentParser(prog="qa/cuda", description=__doc__)
    parser.add_argument("--memcheck", action="store_true",
                        help="run the unit tests under compute-sanitizer as well")
    options = parser.parse_args()
    try:
        folder = building.build("release", ["all", "unit-tests", "bench"])
    except BuildFailed as error:
        say(str(error))
        return 1
    if not has_nvcc(folder):
        say("qa/cuda: nvcc was not found (PATH, CUDA_HOME, /usr/local/cuda): there is nothing to run")
        return SKIP_STATUS
    usable, others = devices(folder)
    for line in others:
        say(line)
    if not usable:
        say("qa/cuda: this machine has no CUDA device that is usable; qa/test runs the tests that need none")
        return SKIP_STATUS
    for line in usable:
        say(line)
    count = Count()
    env = dict(environment(folder, False), FORNAX_MINER_DEVICE="cuda")
    kernels = folder / "qa/unit/kernels/test_kernels"
    run_unit(count, kernels, "", env, [UNITS], LIMIT)
    if options.memcheck:
        memcheck(count, folder, env)
    miner = folder / "src/fornax-miner"
    shown(count, "selftest", [miner, "--selftest", "--device=cuda"], env)
    for name in FUNCTIONAL:
        run_functional(count, ROOT / "qa/functional" / name, "cuda ", env)
    shown(count, "benchmark", [miner, "--benchmark", "--device=cuda"], env)
    shown(count, "bench_kernels", [folder / "qa/bench/bench_kernels", "--backend", "cuda"], env)
    shown(count, "cuda-resources", ["make", "-s", "-C", folder, "cuda-resources"], env)
    return count.close()


if __name__ == "__main__":
    sys.exit(main())
