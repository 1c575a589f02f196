# SPDX-License-Identifier: Apache-2.0
"""What the tests of the example servers share: a server on a free port, and clients that misbehave."""

import resource
import signal
import socket
import struct
import subprocess
import unittest

CONNECTIONS = 1000


class Server:
    """A server example, ended as by Ctrl-C: gracefully."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        host, _, port = self.process.stdout.readline().split()[-1].rpartition(":")
        self.address = host, int(port)
        self.interrupted = False

    def connect(self):
        return socket.create_connection(self.address, timeout=60)

    def interrupt(self):
        """Once: a second signal would kill it."""
        if not self.interrupted:
            self.process.send_signal(signal.SIGINT)
        self.interrupted = True

    def end(self):
        """Ends it gracefully; returns what it has written to standard error."""
        self.interrupt()
        errors = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, (self.process.returncode, errors)
        return errors


class ServerTest(unittest.TestCase):
    """Each test has a server of its own, which has to end with status 0."""

    program = ""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < 2 * CONNECTIONS + 200:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS + 200), hard))
        self.server = Server(self.program)

    def tearDown(self):
        if not self.server.process.stdout.closed:
            self.server.end()

    def reset(self, client):
        """Closes the connection so that the server's next call on it fails."""
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def rest_of(client):
    """All bytes until the end of the connection, in whatever way it ends."""
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def send_unwanted(client, data, finish=False):
    """Sends what the server may refuse before the end; `finish`: and then ends sending."""
    try:
        client.sendall(data)
        if finish:
            client.shutdown(socket.SHUT_WR)
    except OSError:  # reset, or not connected any more
        pass
