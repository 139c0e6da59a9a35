"""Reads what `nvcc -Xptxas -v` says on standard input, and prints registers, spilled bytes and static
shared memory of each kernel for each target, as a table of Markdown: make cuda-resources. Status 1
where a kernel spills."""

import re
import sys

ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\w+)'")
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def read(lines):
    """{kernel: {target: [registers, spills, shared]}}, and the targets in their order."""
    table, targets, now = {}, [], None
    for line in lines:
        if found := ENTRY.search(line):
            kernel, target = found.groups()
            if target not in targets:
                targets.append(target)
            now = table.setdefault(kernel, {}).setdefault(target, [0, 0, 0])
        elif now is not None and (found := SPILLS.search(line)):
            now[1] = int(found.group(1)) + int(found.group(2))
        elif now is not None and (found := USED.search(line)):
            now[0] = int(found.group(1))
            shared = SHARED.search(line)
            now[2] = int(shared.group(1)) if shared else 0
    return table, targets


def name(target):
    digits = re.match(r"\d+", target).group()
    return f"{digits[:-1]}.{digits[-1]}{target[len(digits):]}"


def main():
    table, targets = read(sys.stdin)
    if not table:
        sys.exit("ptxas said nothing of kernels")
    print("| kernel | " + " | ".join(name(target) for target in targets) + " |")
    print("|---" * (len(targets) + 1) + "|")
    for kernel in sorted(table):
        cells = ["{} / {} / {}".format(*table[kernel][target]) if target in table[kernel] else "-"
                 for target in targets]
        print(f"| `{kernel}` | " + " | ".join(cells) + " |")
    spilled = [f"{kernel} on {name(target)}" for kernel in sorted(table) for target in targets
               if table[kernel].get(target, (0, 0))[1]]
    if spilled:
        sys.exit("registers are spilled: " + ", ".join(spilled))


if __name__ == "__main__":
    main()
