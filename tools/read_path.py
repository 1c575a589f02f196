#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many functions and files one read runs through, by gcov at -O0: tools/read_path.py build/coverage.

Builds the library and a small program there, runs a read that finds data and one that waits, and counts
what ran in include/ and src/, each function once. Instances of a template at one place are one function;
what other threads did meanwhile (the monitor looks now and then) may be among it, so the least of several
runs is taken.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from coverage import gcov, is_ours, relative

RUNS = 5
TARGET = "read_path_program"


def functions_run(build):
    """{(path, line)} of each function of ours that ran."""
    found = set()
    for data_file in sorted(build.rglob("*.gcda")):
        for file in gcov(data_file.resolve()):
            path = relative(file["file"])
            if path and is_ours(path):
                found |= {(path, function["start_line"]) for function in file["functions"]
                          if function["execution_count"] > 0}
    return found


def measure(build, kind):
    for data_file in build.rglob("*.gcda"):
        data_file.unlink()
    subprocess.run([build / "bin" / TARGET, kind], check=True)
    return functions_run(build)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--list", action="store_true", help="name them")
    options = parser.parse_args(arguments)
    subprocess.run(["ninja", "-C", options.build, TARGET], check=True, stdout=subprocess.DEVNULL)
    for kind in ("finds", "waits"):
        found = min((measure(options.build, kind) for _ in range(RUNS)), key=len)
        files = {path for path, _ in found}
        print(f"a read that {kind}: {len(found)} functions in {len(files)} files")
        if options.list:
            for path, line in sorted(found):
                print(f"  {path}:{line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
