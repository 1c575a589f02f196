#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example and checks what it does: run_example.py NAME PROGRAM. Used by ctest."""

import http.client
import re
import signal
import socket
import subprocess
import sys

CONTEXTS_OUTPUT = {"sum of squares: 21325334000", "counted: 200", "the sleeper says: cancelled",
                   "the logger has a thread of its own"}


class Server:
    """A server example on a free port, ended as by Ctrl-C: gracefully."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        host, _, port = line.split()[-1].rpartition(":")
        return host, int(port)

    def __exit__(self, failure, *_):
        if failure:
            self.process.kill()
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        assert failure or status == 0, status


def check_echo_server(program):
    with Server(program) as address, socket.create_connection(address, timeout=30) as client:
        for text in (b"hello", b"again"):
            client.sendall(text)
            assert client.recv(100) == text


def ask(address, method, path, body=None):
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request(method, path, body)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def check_hello_http(program):
    with Server(program) as address:
        assert ask(address, "GET", "/hello/world") == (200, "Hello world!")
        assert ask(address, "GET", "/count") == (200, "1\n2\n3\n")
        assert ask(address, "POST", "/measure", b"x" * 100_000) == (200, "100000 bytes")
        assert ask(address, "GET", "/nowhere")[0] == 404


def check_contexts(program):
    result = subprocess.run([program], stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert set(result.stdout.splitlines()) == CONTEXTS_OUTPUT, result.stdout


def check_deadlock(program):
    result = subprocess.run([program], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode == 1, result.returncode
    assert "3 fibers are deadlocked" in result.stderr, result.stderr
    for name in ("monthly saving", "refund"):
        wait = f'"{name}" .* suspended in context "default"\nweft:   waits for mutex 0x'
        assert re.search(wait, result.stderr), result.stderr
    assert re.search(r"transfer.* at .*deadlock\.cpp:\d+\n", result.stderr), result.stderr
    assert "fiber_entry" not in result.stderr, result.stderr  # nor other frames of the library's own


def main(name, program):
    checks = {"contexts": check_contexts, "deadlock": check_deadlock, "echo_server": check_echo_server,
              "hello_http": check_hello_http}
    checks[name](program)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
