# SPDX-License-Identifier: Apache-2.0
"""What the tests of the example programs share: a running program, and waiting for a state."""

import os
import resource
import signal
import socket
import subprocess
import threading
import time

TIMEOUT = 60  # only a failure takes so long


def allow_many_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_until(condition, what):
    """Returns the first true value of condition()."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"never: {what}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Program:
    """A running example. At the end of the block it is ended as by Ctrl-C, and has to end with status 0."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.output, self.errors = [], []
        self.readers = [threading.Thread(target=lines.extend, args=(pipe,), daemon=True) for lines, pipe in
                        ((self.output, self.process.stdout), (self.errors, self.process.stderr))]
        for reader in self.readers:
            reader.start()

    def wait_for_line(self, text):
        def found():
            return next((line for line in self.output + self.errors if text in line), None)
        return wait_until(found, f"a line with {text!r} in {self.output + self.errors}")

    def address(self):
        host, _, port = self.wait_for_line("listening at").split()[-1].rpartition(":")
        return host, int(port)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        status = self.process.wait(timeout=TIMEOUT)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self.process.kill()
        status = self.stop()
        assert failure or status == 0, (status, self.output, self.errors)
