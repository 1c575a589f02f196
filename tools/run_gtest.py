#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a GoogleTest program one after the other in one process, as ctest would each in its own.

    tools/run_gtest.py [--timeout SECONDS] [--results FILE] PROGRAM

For instrumented builds, in which starting a process costs more than most tests. A test that ends the process
or outlives its time has failed, and those after it run in another process. FILE gets the numbers, in the form
of ctest's JUnit output, from which ./test counts.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

BEGINS = re.compile(r"\[ RUN      \] (\S+)$")
ENDS = re.compile(r"\[(       OK|  FAILED |  SKIPPED) \] ([^\s,]+).*\(\d+ ms\)$")
AT_EXIT = "(at exit)"


@dataclass
class Results:
    state: dict = field(default_factory=dict)  # of each test that has begun: OK, FAILED, SKIPPED
    output: list = field(default_factory=list)  # of the test that runs

    def names(self, state):
        return [name for name, its in self.state.items() if its == state]

    def fail(self, name, why):
        self.state[name] = "FAILED"
        print("".join(self.output), f"[  FAILED  ] {name}: {why}", sep="", flush=True)


def tests_of(program):
    """The names, as --gtest_filter takes them."""
    listed = subprocess.run([program, "--gtest_list_tests"], stdout=subprocess.PIPE, text=True, check=True)
    suite, names = "", []
    for line in listed.stdout.split("\n"):
        name = line.split("#")[0].rstrip()
        if name.endswith(".") and not name.startswith(" "):
            suite = name
        elif name.startswith("  "):
            names.append(suite + name.strip())
    return [name for name in names if not re.search(r"(^|[./])DISABLED_", name)]


class Process:
    """The program with some of its tests. It is killed when one of them takes too long."""

    def __init__(self, program, names, timeout):
        self.timeout, self.timed_out = timeout, False
        # A file, as a command line has not the room for all the names.
        self.flags = tempfile.NamedTemporaryFile("w", suffix=".flags")
        self.flags.write("--gtest_filter=" + ":".join(names) + "\n")
        self.flags.flush()
        self.popen = subprocess.Popen([program, "--gtest_flagfile=" + self.flags.name], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                                      start_new_session=True)
        self.alarm = None

    def restart_clock(self):
        self.stop_clock()
        self.alarm = threading.Timer(self.timeout, self.kill)
        self.alarm.start()

    def stop_clock(self):
        if self.alarm:
            self.alarm.cancel()

    def kill(self):
        self.timed_out = True
        os.killpg(self.popen.pid, signal.SIGKILL)

    def end(self):
        """How it ended, in words."""
        code = self.popen.wait()
        self.stop_clock()
        self.flags.close()
        if self.timed_out:
            return f"took more than {self.timeout:g} s"
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def run_process(program, names, timeout, results):
    """Runs the tests until one of them ends the process; that one has failed then."""
    process, running = Process(program, names, timeout), None
    results.output = []
    process.restart_clock()
    for line in process.popen.stdout:
        results.output.append(line)
        if begins := BEGINS.search(line.rstrip("\n")):
            running, results.output = begins[1], [line]
            process.restart_clock()
        elif (ends := ENDS.search(line.rstrip("\n"))) and ends[2] == running:
            results.state[running] = ends[1].strip()
            if results.state[running] != "OK":
                print("".join(results.output), end="", flush=True)
            running, results.output = None, []
            process.restart_clock()
    how = process.end()
    if running:
        results.fail(running, how)
    elif how != "exit code 0" and (process.timed_out or process.popen.returncode != 1 or
                                   not any(results.state.get(name) == "FAILED" for name in names)):
        results.fail(AT_EXIT, how)  # a leak, for example


def run_all(program, timeout):
    results = Results()
    left = tests_of(program)
    while left and AT_EXIT not in results.state:
        run_process(program, left, timeout, results)
        still = [name for name in left if name not in results.state]
        if len(still) == len(left):
            results.fail(still[0], "it did not begin")
        left = [name for name in still if name not in results.state]
    for name in left:
        results.fail(name, "it did not run")
    return results


def write(path, results):
    counts = {"tests": len(results.state), "failures": len(results.names("FAILED")), "disabled": 0,
              "skipped": len(results.names("SKIPPED"))}
    attributes = "".join(f'\n\t{name}="{count}"' for name, count in counts.items())
    failures = "".join(f"\t<testcase name={quoteattr(name)} status=\"fail\"/>\n"
                       for name in results.names("FAILED"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<testsuite name="gtest"{attributes}\n>\n{failures}</testsuite>\n', encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--timeout", type=float, default=120, help="of each test")
    parser.add_argument("--results", type=Path)
    parser.add_argument("program")
    arguments = parser.parse_args()
    results = run_all(arguments.program, arguments.timeout)
    if arguments.results and results.state:
        write(arguments.results, results)
    failed = results.names("FAILED")
    skipped = len(results.names("SKIPPED"))
    print(f"{len(results.names('OK'))} passed, {skipped} skipped, {len(failed)} failed", *failed, sep="\n  ")
    return 1 if failed or not results.state else 0


if __name__ == "__main__":
    sys.exit(main())
