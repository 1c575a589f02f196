#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weft_gdb.py on a process that stands at a breakpoint, on one that idles and is attached to, and on the core
files made of them.

    gdb_test.py GDB SCRIPT PROGRAM
"""

import re
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GDB = SCRIPT = PROGRAM = ""

# What each fiber of fibers.cpp does: state, context, the function of its own that it stands in.
WAITING = {
    "sleeper": ("suspended", "workers", "sleep_long"),
    "receiver": ("suspended", "workers", "receive_order"),
    "joiner": ("suspended", "workers", "join_sleeper"),
    "-": ("suspended", "workers", "receive_order"),
    "writer": ("suspended", "workers", "lock_ledger"),
    "acceptor": ("suspended", "workers", "accept_client"),
}
BUSY = WAITING | {
    "main": (r"running on thread \d+", "default", "all_wait"),
    "queued": ("runnable", "default", "not started, spawned at fibers.cpp:"),
}
IDLE = WAITING | {"main": ("suspended", "default", "wait_for_end_of_input")}


def gdb(program, *commands):
    arguments = [argument for command in commands for argument in ("-ex", command)]
    process = subprocess.Popen([GDB, "-nx", "-batch", "-ex", f"source {SCRIPT}", "-ex", "set width 0",
                                *arguments, *program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        return process.communicate(timeout=100)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its program, too, which has the same pipe
        raise


class Looks:
    """What is asked of gdb; a subclass says of what, and which fibers are there. One gdb for all tests: a
    start takes a second."""

    fibers = BUSY
    thread_stands_in = "all_wait"

    @classmethod
    def look(cls, program, *commands):
        cls.output = gdb(program, *commands, "echo <list>\\n", "info fibers", "echo <all>\\n",
                         "fiber apply all bt", "echo <short>\\n", "fiber 2 bt 2", "echo <locals>\\n",
                         "fiber 2 info locals", "echo <threads>\\n", "bt 10", "kill")
        cls.list = cls.between("list", "all")
        cls.all = cls.between("all", "short")

    @classmethod
    def between(cls, first, last):
        return cls.output.partition(f"<{first}>\n")[2].partition(f"<{last}>\n")[0]

    def started(self):
        return [name for name in self.fibers if name not in ("queued", "-")]

    def backtrace(self, name):
        return re.search(rf"(?m)^Fiber \d+ \({name}\).*\n((?:.+\n)*)", self.all + "\n").group(1)

    def test_every_fiber_is_listed_with_its_state_its_context_and_its_own_innermost_function(self):
        rows = self.list.splitlines()
        self.assertEqual(len(rows), 1 + len(self.fibers), self.output)
        for name, (state, context, function) in self.fibers.items():
            self.assertRegex(self.list, rf"(?m)^\d+ +{name} +{state} +{context} +{re.escape(function)}")

    def test_the_list_says_in_what_source_line_and_in_what_call_a_fiber_waits(self):
        self.assertRegex(self.list, r"sleep_long \(\) at fibers\.cpp:\d+, in weft::sleep")

    def test_a_backtrace_goes_from_the_switch_over_the_users_functions_to_the_fibers_entry(self):
        for name in self.started():
            backtrace = self.backtrace(name)
            self.assertRegex(backtrace, r"\A#0 ", self.output)
            self.assertRegex(backtrace, rf"(?s)\b{self.fibers[name][2]}\b.*weft_context_start[^\n]*\n\Z")
            self.assertNotRegex(backtrace, "corrupt stack|previous frame|Backtrace stopped")

    def test_frames_of_the_thread_are_not_among_those_of_a_parked_fiber(self):
        for name in self.started():
            if self.fibers[name][0] == "suspended":
                self.assertNotRegex(self.backtrace(name), "all_wait|poll_and_block|[eE]poll::wait")
                self.assertRegex(self.backtrace(name), r"\A#0 .*switch_context")

    def test_a_backtrace_of_two_frames_has_two(self):
        numbers = re.findall(r"(?m)^#(-?\d+)", self.between("short", "locals"))
        self.assertEqual(numbers, ["0", "1"], self.output)

    def test_a_command_sees_the_locals_of_the_users_own_function(self):
        self.assertIn("dreams = 4711", self.between("locals", "threads"), self.output)

    def test_afterwards_the_thread_has_its_own_frames_again(self):
        frames = self.output.partition("<threads>\n")[2]
        self.assertRegex(frames, r"\A#0 ")
        self.assertRegex(frames, self.thread_stands_in)


class OfAProcess(Looks, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.look([PROGRAM], "break all_wait", "run")


class OfACoreFile(Looks, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            core = Path(directory, "core")
            cls.made = gdb([PROGRAM], "break all_wait", "run", f"fiber core {core}", "kill")
            cls.look([PROGRAM, str(core)])

    def test_the_core_file_is_made_of_a_live_process(self):
        self.assertIn("Saved the core file", self.made)


class IdleProcess:
    """The program while all of its fibers wait, and nobody stands at a breakpoint."""

    def __enter__(self):
        self.process = subprocess.Popen([PROGRAM, "idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.process.stdout.readline()
        self.wait_until_asleep()
        return self

    def wait_until_asleep(self):
        tasks = Path(f"/proc/{self.process.pid}/task")
        while any(self.state(task) == "R" for task in tasks.iterdir()):
            pass

    @staticmethod
    def state(task):
        return Path(task, "stat").read_text().rpartition(")")[2].split()[0]

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class OfAnIdleProcess(Looks, unittest.TestCase):
    fibers = IDLE
    thread_stands_in = "poll_and_block|[eE]poll|park|syscall"

    @classmethod
    def setUpClass(cls):
        with IdleProcess() as idle:
            cls.look(["-p", str(idle.process.pid)])


class OfACoreFileOfAnIdleProcess(Looks, unittest.TestCase):
    fibers = IDLE
    thread_stands_in = OfAnIdleProcess.thread_stands_in

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory, IdleProcess() as idle:
            core = Path(directory, "core")
            gdb(["-p", str(idle.process.pid)], f"fiber core {core}", "detach")
            cls.look([PROGRAM, str(core)])


class Errors(unittest.TestCase):
    def test_a_fiber_that_is_not_there_is_an_error(self):
        output = gdb([PROGRAM], "break all_wait", "run", "fiber 4711 bt")
        self.assertIn("there is no fiber 4711", output)

    def test_a_program_without_weft_is_an_error(self):
        self.assertIn("there is no weft in this program", gdb([], "info fibers"))

    def test_a_program_that_does_not_run_yet_is_an_error(self):
        self.assertIn("there is neither a process nor a core file", gdb([PROGRAM], "info fibers"))


if __name__ == "__main__":
    GDB, SCRIPT, PROGRAM = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1], verbosity=2)
