#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The log forwarder as its user runs it: log_forwarder_test.py PROGRAM"""

import array
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

from example_process import TIMEOUT, Program, free_port, wait_until

FORWARDER = sys.argv.pop(1)


def run(*arguments):
    return subprocess.run([FORWARDER, *arguments], capture_output=True, text=True, timeout=TIMEOUT)


def bytes_that_wait(connection):
    """The bytes that the kernel has acknowledged, and nobody has read."""
    size = array.array("i", [0])
    fcntl.ioctl(connection, termios.FIONREAD, size)
    return size[0]


class Collector:
    """Receives lines on a port, from one connection after the other."""

    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.name = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.received, self.connections = b"", []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            try:
                while data := connection.recv(65536):
                    self.received += data
            except OSError:
                pass

    def lines(self):
        return self.received.split(b"\n")[:-1]

    def wait_for(self, lines):
        wait_until(lambda: self.lines() == lines, f"{lines[:9]}, but {self.received[:200]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.connections:
            connection.close()


class LogForwarder(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.log = os.path.join(self.directory, "a.log")
        self.state = os.path.join(self.directory, "state")

    def append(self, data, path=None):
        with open(path or self.log, "ab") as file:
            file.write(data)

    def forwarder(self, collector, *paths):
        name = collector if isinstance(collector, str) else collector.name
        return Program(FORWARDER, name, self.state, self.log, *paths)

    def saved_offset(self):
        try:
            with open(self.state, encoding="utf-8") as file:
                return int(file.read().split()[1])
        except FileNotFoundError:
            return 0

    def test_lines_come_whole_and_once_also_over_a_restart(self):
        self.append(b"one\ntwo\nhal")
        with Collector() as collector:
            with self.forwarder(collector):
                collector.wait_for([b"one", b"two"])
                self.append(b"f\n\nfour\r\n")
                collector.wait_for([b"one", b"two", b"half", b"", b"four\r"])
            self.assertEqual(self.saved_offset(), os.path.getsize(self.log))
            self.append(b"five\n")
            with self.forwarder(collector):
                collector.wait_for([b"one", b"two", b"half", b"", b"four\r", b"five"])

    def test_a_file_that_is_renamed_is_read_to_its_end_and_the_new_one_follows(self):
        self.append(b"1\n")
        with Collector() as collector, self.forwarder(collector):
            collector.wait_for([b"1"])
            with open(self.log, "ab") as still_open:
                os.rename(self.log, self.log + ".1")
                still_open.write(b"2\nno end")
            self.append(b"3\n")
            collector.wait_for([b"1", b"2", b"no end", b"3"])
            os.remove(self.log)
            self.append(b"4\n")
            collector.wait_for([b"1", b"2", b"no end", b"3", b"4"])

    def test_a_rotation_while_it_did_not_run_loses_nothing(self):
        self.append(b"1\n")
        with Collector() as collector:
            with self.forwarder(collector):
                collector.wait_for([b"1"])
            self.append(b"2\n")
            os.rename(self.log, self.log + ".1")
            self.append(b"3\n")
            with self.forwarder(collector):
                collector.wait_for([b"1", b"2", b"3"])

    def test_a_file_that_is_truncated_is_read_from_its_beginning(self):
        self.append(b"a long line\n")
        with Collector() as collector, self.forwarder(collector):
            collector.wait_for([b"a long line"])
            os.truncate(self.log, 0)
            self.append(b"new\n")
            collector.wait_for([b"a long line", b"new"])

    def test_a_file_that_was_truncated_or_replaced_meanwhile_is_read_from_its_beginning(self):
        self.append(b"a long line\n")
        with Collector() as collector:
            with self.forwarder(collector):
                collector.wait_for([b"a long line"])
            os.truncate(self.log, 0)
            self.append(b"new\n")
            with self.forwarder(collector):
                collector.wait_for([b"a long line", b"new"])
            self.append(b"another file\n", self.log + ".new")
            os.rename(self.log + ".new", self.log)
            with self.forwarder(collector):
                collector.wait_for([b"a long line", b"new", b"another file"])

    def test_several_files_and_one_that_comes_later(self):
        later = os.path.join(self.directory, "later.log")
        self.append(b"1\n")
        with Collector() as collector, self.forwarder(collector, later):
            collector.wait_for([b"1"])
            self.append(b"2\n", later)
            collector.wait_for([b"1", b"2"])

    def test_huge_lines_are_cut_and_garbage_is_passed_on(self):
        garbage = os.urandom(3_000_000).replace(b"\n", b".")
        self.append(garbage + b"\nend\n")
        with Collector() as collector, self.forwarder(collector):
            wait_until(lambda: collector.received.endswith(b"\nend\n"), "the end")
            *pieces, end = collector.lines()
            self.assertEqual((b"".join(pieces), end), (garbage, b"end"))
            self.assertLessEqual(max(map(len, pieces)), 64 * 1024)

    def test_lines_wait_for_a_collector_that_comes_later(self):
        port = free_port()
        self.append(b"1\n")
        with self.forwarder(f"127.0.0.1:{port}") as program:
            self.assertIn("Connection refused", program.wait_for_line(f"connecting to 127.0.0.1:{port}"))
            with Collector(port) as collector:
                collector.wait_for([b"1"])

    def test_it_goes_on_after_each_broken_connection(self):
        lines = [b"line %d" % number for number in range(20_000)]
        with Collector() as collector, self.forwarder(collector):
            for start in range(0, len(lines), 2_000):
                self.append(b"".join(line + b"\n" for line in lines[start:start + 2_000]))
                wait_until(lambda: collector.connections, "a connection")
                connection = collector.connections[-1]
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            wait_until(lambda: lines[-1] in collector.received, "the last line")

    def test_a_collector_that_never_reads_is_waited_for_and_nothing_is_lost(self):
        self.append(b"".join(b"%07d " % number + b"x" * 992 + b"\n" for number in range(30_000)))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            program = self.forwarder("127.0.0.1:%d" % listener.getsockname()[1])
            connection, _ = listener.accept()
            wait_until(lambda: self.saved_offset() > 0, "some lines are acknowledged by the kernel")
            with open(f"/proc/{program.process.pid}/statm", encoding="utf-8") as file:
                resident = int(file.read().split()[1]) * 4096
            if "san/" not in FORWARDER:  # a sanitizer needs memory of its own
                self.assertLess(resident, 25_000_000)  # of 30 MB
            self.assertEqual(program.stop(), 0)
            offset = self.saved_offset()
            self.assertLessEqual(offset, bytes_that_wait(connection))  # only what has come counts as done
            self.assertLess(offset, os.path.getsize(self.log))
            connection.close()
        with Collector() as collector, self.forwarder(collector):
            last = b"0029999 " + b"x" * 992 + b"\n"
            wait_until(lambda: collector.received.endswith(last), "the rest")
            self.assertEqual(int(collector.lines()[0].split()[0]), offset // 1001)
            self.assertEqual(len(collector.lines()), 30_000 - offset // 1001)

    def test_what_a_collector_has_not_acknowledged_goes_to_the_next_one(self):
        self.append(b"".join(b"%07d " % number + b"x" * 992 + b"\n" for number in range(30_000)))
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with self.forwarder(f"127.0.0.1:{port}") as program:
            connection, _ = listener.accept()
            wait_until(lambda: self.saved_offset() > 0, "some lines are acknowledged by the kernel")
            received = bytes_that_wait(connection)
            listener.close()
            connection.close()  # a reset, as bytes are left
            program.wait_for_line("Connection refused")
            with Collector(port) as collector:
                wait_until(lambda: b"0029999 " in collector.received[-1001:], "the last line")
                numbers = [int(line.split()[0]) for line in collector.lines()]
                self.assertEqual(numbers, list(range(numbers[0], 30_000)))
                self.assertLess(numbers[0] * 1001, received + 1_000_000)  # without that: about 4 MB

    def test_a_damaged_state_and_a_wrong_command_line_are_told(self):
        self.append(b"nonsense\n", self.state)
        done = run("127.0.0.1:1", self.state, self.log)
        self.assertEqual((done.returncode, done.stderr), (1, f"log_forwarder: {self.state} is damaged\n"))
        done = run("127.0.0.1:1")
        self.assertEqual((done.returncode, done.stderr.split()[0]), (2, "usage:"))
        done = run("127.0.0.1:1", self.directory, self.log)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.directory, done.stderr)


if __name__ == "__main__":
    unittest.main()
