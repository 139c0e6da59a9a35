"""qa/quickstart: builds Fornax and runs a paid job, end to end, on three processes of regtest.

A client's node, a miner's node and a miner; the job is the similarity matrix of the 1,797 handwritten
digits that Debian's python3-sklearn ships, from which the digits are then classified by their nearest
neighbour. Nothing leaves this machine: the processes speak over loopback.
"""

import argparse
import csv
import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

import building
from building import BUILD, ROOT, BuildFailed

sys.path.insert(0, str(ROOT / "qa/functional"))

DIGITS = "sklearn/datasets/data/digits.csv.gz"
MATURITY = 100
TASK_TILES = 3       # tasks of 3 x 3 tiles: 25 of them
LIMIT_SECONDS = 480  # for the job itself
QUIET_SECONDS = 2.0  # without a block of the job lane, until a hash-lane block confirms what waits


def say(text=""):
    print(text, flush=True)


def fnx(amount):
    return "%.8f" % amount


def ranges(numbers):
    """0, 1, 2, 5 as "0-2, 5"."""
    runs = []
    for n in sorted(numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in runs)


class Progress:
    """Numbered steps, and the time that has passed."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, text):
        say("[%5.1f s] %s" % (time.monotonic() - self.start, text))

    def seconds(self):
        return time.monotonic() - self.start


def read_digits():
    """The images, 1,797 x 64 with values 0 to 16, and the digit each of them shows."""
    import numpy

    for folder in sys.path + ["/usr/lib/python3/dist-packages"]:
        path = os.path.join(folder, DIGITS)
        if os.path.exists(path):
            with gzip.open(path, "rt") as file:
                rows = numpy.array([[int(float(x)) for x in row] for row in csv.reader(file)])
            return rows[:, :64].astype(numpy.uint8), rows[:, 64]
    raise SystemExit("the digits are missing: apt-get install python3-sklearn")


def accuracy(similarity, labels):
    """Leave-one-out nearest neighbour: d(i,j) = S_ii + S_jj - 2 S_ij, ties to the lower index."""
    import numpy

    wide = similarity.astype(numpy.int64)
    diagonal = wide.diagonal()
    distance = diagonal[:, None] + diagonal[None, :] - 2 * wide
    numpy.fill_diagonal(distance, numpy.iinfo(numpy.int64).max)
    return int((labels[distance.argmin(axis=1)] == labels).sum())


class Demo:
    chain = "regtest"

    def __init__(self, folder, out):
        from framework import Node, program, wait_until

        self.program, self.wait_until = program, wait_until
        self.dir, self.out = folder, out
        self.progress = Progress()
        self.miner = None
        self.client, self.solver = Node(self, 0), Node(self, 1)
        for node, name in ((self.client, "client"), (self.solver, "solver")):
            os.rmdir(node.dir)
            node.dir = os.path.join(folder, name)
            os.mkdir(node.dir)
            node.own_session = True
        self.client.name, self.solver.name = "client's node", "miner's node"

    # ---- processes

    def start(self):
        for node in (self.client, self.solver):
            # So that fornax-cli -regtest -datadir=... finds the node without being told its port.
            with open(os.path.join(node.dir, "fornax.conf"), "w") as file:
                file.write("[regtest]\nport=%d\nrpcport=%d\nbind=127.0.0.1\n"
                           % (node.port, node.rpcport))
            node.start()
            self.progress("%s runs: data in %s" % (node.name, node.dir))
        self.solver.connect(self.client)
        self.progress("the nodes are connected")

    def start_miner(self):
        log = open(os.path.join(self.dir, "miner.log"), "wb")
        self.miner = subprocess.Popen(
            [self.program("fornax-miner"), "-regtest", "--rpcconnect=127.0.0.1",
             "--rpcport=%d" % self.solver.rpcport, "--datadir=" + self.solver.dir, "--device=cpu",
             "--lane=job", "--workdir=" + os.path.join(self.dir, "miner")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        log.close()
        self.progress("the miner runs: log in %s" % os.path.join(self.dir, "miner.log"))

    def miner_tail(self):
        with open(os.path.join(self.dir, "miner.log"), errors="replace") as file:
            return "".join(file.readlines()[-8:])

    def stop(self):
        """Ends what runs. True if all of it ended as asked."""
        clean = True
        if self.miner and self.miner.poll() is None:
            self.miner.terminate()
            try:
                clean = self.miner.wait(20) == 0
            except subprocess.TimeoutExpired:
                self.miner.kill()
                self.miner.wait()
                clean = False
        for node in (self.solver, self.client):
            try:
                node.stop()
            except Exception as error:
                say("%s: %s" % (node.name, error))
                node.kill()
                clean = False
        return clean

    # ---- the story

    def sync(self):
        self.wait_until(lambda: self.client.rpc.getbestblockhash() ==
                        self.solver.rpc.getbestblockhash(), "the nodes to agree")

    def fund(self):
        self.client_address = self.client.mining_address()
        self.solver_address = self.solver.mining_address()
        self.client.mine(10)
        self.sync()
        self.solver.mine(10)
        self.sync()
        self.solver.rpc.generatetoaddress(MATURITY, self.client_address)
        self.sync()
        self.funded_height = self.client.rpc.getblockcount()
        self.worth = self.solver_worth()
        self.progress("both have coins: %s FNX the client, %s FNX the miner (blocks of the hash lane)"
                      % (self.client.rpc.getbalances()["mine"]["trusted"],
                         self.solver.rpc.getbalances()["mine"]["trusted"]))

    def solver_worth(self):
        """All that the miner has, coins that cannot be spent yet included."""
        return sum(self.solver.rpc.getbalances()["mine"].values(), Decimal(0))

    def submit(self, images):
        import numpy

        a, b = os.path.join(self.dir, "digits.npy"), os.path.join(self.dir, "digits-transposed.npy")
        numpy.save(a, images)
        numpy.save(b, images.T)
        command = ["submitjob", "gemm", a, b, "--task-rows=%d" % TASK_TILES,
                   "--task-cols=%d" % TASK_TILES, "--yes"]
        say("\n    fornax-cli -regtest " + " ".join(command))
        status, out, error = self.client.cli(*command, timeout=120)
        say("".join("    %s\n" % line for line in (out + error).splitlines()))
        if status != 0:
            raise SystemExit("the job was not submitted")
        self.job = self.client.rpc.listjobs()[0]["job"]
        self.client.rpc.generatetoaddress(1, self.client_address)
        self.sync()
        self.progress("the job is on the chain: its tasks can be mined in")

    def wait_done(self):
        """Until every task is settled. A hash-lane block comes when the job lane has been quiet."""
        shown, tip, tip_time = None, None, time.monotonic()
        start = time.monotonic()
        while True:
            job = self.client.rpc.getjob(self.job)
            tasks = job["tasks"]
            height = self.client.rpc.getblockcount()
            state = (tasks["open"], tasks["claimed"], tasks["settled"])
            if (state, height) != shown:
                shown = (state, height)
                self.progress("height %d: %d tasks open, %d claimed, %d settled of %d"
                              % (height, *state, tasks["total"]))
            if job["status"] in ("done", "ended") and job["resulthere"]:
                break
            if self.miner.poll() is not None:
                raise SystemExit("the miner ended early:\n" + self.miner_tail())
            if time.monotonic() - start > LIMIT_SECONDS:
                raise SystemExit("the job took too long; the miner says:\n" + self.miner_tail())
            best = self.client.rpc.getbestblockhash()
            if best != tip:
                tip, tip_time = best, time.monotonic()
            elif time.monotonic() - tip_time > QUIET_SECONDS:
                self.client.rpc.generatetoaddress(1, self.client_address)
            time.sleep(0.2)
        self.job_seconds = time.monotonic() - start
        if job["status"] != "done":
            raise SystemExit("a task ended without a result")
        self.sync()
        self.earned = self.solver_worth() - self.worth

    def fetch(self, images, labels):
        import numpy

        status, out, error = self.client.cli("getjobresult", self.job, self.out, timeout=120)
        if status != 0:
            raise SystemExit("the result did not come: " + out + error)
        result = numpy.load(self.out)
        wide = images.astype(numpy.int32)
        wanted = wide @ wide.T
        self.entries = wanted.size
        self.wrong = int((result != wanted).sum()) if result.shape == wanted.shape else -1
        self.right = accuracy(result, labels) if self.wrong == 0 else 0
        self.labels = len(labels)

    # ---- what it came to

    def figures(self):
        """Blocks, and what the miner earned in them, read from the chain as anybody would."""
        rpc = self.client.rpc
        tasks = rpc.listtasks(job=self.job)
        burns = {task["end"]["txid"]: task["claim"]["burn"] for task in tasks if "end" in task}
        blocks = []
        for height in range(self.funded_height + 1, rpc.getblockcount() + 1):
            block = rpc.getblock(rpc.getblockhash(height), 2)
            fees = sum((tx["fee"] for tx in block["tx"][1:]), Decimal(0))
            burned = sum((burns.get(tx["txid"], 0) for tx in block["tx"]), Decimal(0))
            paid = sum((out["value"] for out in block["tx"][0]["vout"]), Decimal(0))
            blocks.append({"height": height, "lane": block["lane"], "fees": fees - burned,
                           "burned": burned, "subsidy": paid - (fees - burned),
                           "work": block.get("work")})
        return tasks, blocks

    def summary(self):
        tasks, blocks = self.figures()
        lanes = {lane: [b for b in blocks if b["lane"] == lane] for lane in ("hash", "job")}
        job = self.client.rpc.getjob(self.job)
        number = {task["origin"]: task["index"] for task in tasks}
        mined = lanes["job"]
        total = {key: sum((b[key] for b in mined), Decimal(0)) for key in ("subsidy", "fees")}
        pay = sum((task["escrow"] for task in tasks), Decimal(0))
        burned = sum((task["claim"]["burn"] for task in tasks), Decimal(0))
        say("\n== Summary ==\n")
        say("The client had the similarity matrix of %d digits computed: %d entries, in %d tasks, %.1f s."
            % (self.labels, self.entries, len(tasks), self.job_seconds))
        say("\nBlocks since the job was submitted: %d of the hash lane, %d of the job lane."
            % (len(lanes["hash"]), len(lanes["job"])))
        say("Each block of the job lane was mined inside a task, by one of its bricks:")
        say("  height  task  brick (i,j,l)        fees FNX     subsidy FNX  for bricks settled before")
        for block in mined:
            work = block["work"]
            brick = "(%d,%d,%d)" % tuple(work["brick"][x] for x in "ijl")
            say("  %6d  %4d  %-14s  %13s  %14s  %d"
                % (block["height"], number.get(work["task"], -1), brick, fnx(block["fees"]),
                   fnx(block["subsidy"]), work.get("credit", 0)))
        say("\nTasks:")
        states = {}
        for task in tasks:
            states.setdefault((task["status"], task.get("end", {}).get("action")), []).append(task["index"])
        for (status, action), indices in states.items():
            say("  %-9s %s%s" % (status, ranges(indices),
                               {"accept": ": the client's node checked the result and certified it",
                                "take": ": after the window, by samples",
                                "refund": ": the escrow returned to the client"}.get(action, "")))
        say("\nThe client paid   %14s FNX" % fnx(job["reward"] + job["fee"]))
        say("    tasks         %14s     locked in %d task outputs" % (fnx(job["reward"]), len(tasks)))
        say("    fee           %14s     of the transaction that announced the job" % fnx(job["fee"]))
        say("The miner earned  %14s FNX" % fnx(self.earned))
        say("    subsidy       %14s     new coins, for useful work already delivered" % fnx(total["subsidy"]))
        say("    fees          %14s     of the transactions in its blocks" % fnx(total["fees"]))
        say("    task pay      %14s     what the client put up" % fnx(pay))
        say("    burned        %14s     given up, for the credit that subsidy needs" % fnx(-burned))
        say("    fees paid     %14s     of its own transactions: claims and settlements"
            % fnx(self.earned - (total["subsidy"] + total["fees"] + pay - burned)))
        say("\nThe result is in %s; numpy says that %s of its %d entries are wrong."
            % (self.out, "none" if self.wrong == 0 else self.wrong, self.entries))
        say("1-nearest-neighbour accuracy: %d of %d right (%.2f %%)"
            % (self.right, self.labels, 100.0 * self.right / self.labels))
        problems = []
        if self.wrong != 0:
            problems.append("the result is not numpy's")
        if self.right != 1776:
            problems.append("1,776 digits should have been classified right")
        if len(tasks) < 4 or not mined:
            problems.append("there should be four tasks and a block of the job lane at least")
        if self.earned > total["subsidy"] + total["fees"] + pay - burned:
            problems.append("the miner's wallet has more than it earned")
        if not any(block["fees"] > 0 for block in mined):
            problems.append("no block of the job lane collected fees")
        return problems

    def run(self):
        self.start()
        self.fund()
        images, labels = read_digits()
        self.submit(images)
        self.start_miner()
        self.wait_done()
        self.fetch(images, labels)
        return self.summary()

    def linger(self):
        say("\nThe three processes go on. To submit a job of your own, in another terminal:\n")
        say("    export PATH=%s:$PATH" % os.path.dirname(self.program("fornax-cli")))
        say("    fornax-cli() { command fornax-cli -datadir=%s \"$@\"; }" % self.client.dir)
        say("    fornax-cli -regtest submitjob gemm A.npy B.npy")
        say("\nCtrl-C ends them.")
        try:
            last = time.monotonic()
            while True:
                time.sleep(0.5)
                if time.monotonic() - last > 5:
                    last = time.monotonic()
                    self.client.rpc.generatetoaddress(1, self.client_address)
        except KeyboardInterrupt:
            say()


def interrupted(number, frame):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="qa/quickstart", description=__doc__,
                                     epilog="FORNAX_BUILDDIR names a folder that is built already.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="FILE.npy", default="digits-similarity.npy",
                        help="where the result is written (default: %(default)s, here)")
    parser.add_argument("--keep", action="store_true",
                        help="leave the processes running until Ctrl-C, for jobs of your own")
    args = parser.parse_args()
    out = os.path.abspath(args.out)
    if not os.path.isdir(os.path.dirname(out)):
        parser.error("no folder %s" % os.path.dirname(out))
    start = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        folder = os.environ.get("FORNAX_BUILDDIR") or building.build("release")
    except BuildFailed as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("interrupted") from None
    os.environ["FORNAX_BUILDDIR"] = str(folder)
    os.makedirs(BUILD / "tmp", exist_ok=True)
    data = tempfile.mkdtemp(prefix="quickstart-", dir=BUILD / "tmp")
    demo = Demo(data, out)
    problems = ["it did not get to the end"]
    try:
        problems = demo.run()
        if args.keep and not problems:
            demo.linger()
    except KeyboardInterrupt:
        problems = ["interrupted"]
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what follows takes a moment, and must not be left out
        if not demo.stop():
            problems.append("a process did not end as it was asked to")
        if problems:
            say("\nFAILED: " + "; ".join(problems) + "\nkept: " + data)
        else:
            shutil.rmtree(data, ignore_errors=True)
    if problems:
        sys.exit(1)
    say("\nAll processes are stopped. Done in %.0f s in all." % (time.monotonic() - start))


if __name__ == "__main__":
    main()
