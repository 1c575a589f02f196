#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The TCP proxy as its user runs it: tcp_proxy_test.py PROGRAM"""

import os
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
import unittest

from example_process import TIMEOUT, Program, allow_many_descriptors, free_port, wait_until

PROXY = sys.argv.pop(1)
QUICK = ("check_ms=20", "rate=100000")


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.handler(self.request)


class Backend(socketserver.ThreadingTCPServer):
    """A server on a free port, with a thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 2000

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.handler = handler
        self.port = self.server_address[1]
        self.name = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # the tests break connections

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def read_all_then_answer(connection):
    """A half-close is needed: it answers only after the end of the request."""
    size = 0
    while data := connection.recv(65536):
        size += len(data)
    if size:
        connection.sendall(b"%d bytes" % size)


def says(text):
    def handler(connection):
        if connection.recv(100):
            connection.sendall(text)
    return handler


def connect(proxy):
    return socket.create_connection(proxy.address(), timeout=TIMEOUT)


def read_to_end(connection):
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def ask(proxy, text=b"hello"):
    with connect(proxy) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return read_to_end(client)


class TcpProxy(unittest.TestCase):
    def test_half_close_is_carried_over_in_both_directions(self):
        with Backend(read_all_then_answer) as backend, Program(PROXY, "127.0.0.1:0", backend.name) as proxy:
            self.assertEqual(ask(proxy, b"x" * 3_000_000), b"3000000 bytes")
        def answer_first(connection):
            connection.sendall(b"first")
            connection.shutdown(socket.SHUT_WR)
            rest.append(read_to_end(connection))
        rest = []
        with Backend(answer_first) as backend, Program(PROXY, "127.0.0.1:0", backend.name) as proxy:
            with connect(proxy) as client:
                self.assertEqual(read_to_end(client), b"first")
                client.sendall(b"after the end of the other direction")
            wait_until(lambda: b"after the end of the other direction" in rest, "the rest")

    def test_bytes_are_the_same_whatever_they_are(self):
        garbage = os.urandom(5_000_000)
        with Backend(echo) as backend, Program(PROXY, "127.0.0.1:0", backend.name) as proxy:
            with connect(proxy) as client:
                sender = threading.Thread(target=lambda: (client.sendall(garbage),
                                                          client.shutdown(socket.SHUT_WR)))
                sender.start()
                self.assertEqual(read_to_end(client), garbage)
                sender.join()

    def test_a_thousand_connections_at_once_and_none_is_left(self):
        with Backend(echo) as backend, Program(PROXY, "127.0.0.1:0", backend.name, *QUICK) as proxy:
            proxy.address()
            before = proxy.descriptors()
            clients = [connect(proxy) for _ in range(1000)]
            for number, client in enumerate(clients):
                client.sendall(b"number %d" % number)
            for number, client in enumerate(clients):
                text = b"number %d" % number
                self.assertEqual(client.recv(100, socket.MSG_WAITALL if len(text) == 100 else 0), text)
            for client in clients:
                client.close()
            wait_until(lambda: proxy.descriptors() <= before + 3, "all descriptors closed")
            self.assertEqual(ask(proxy), b"hello")

    def test_more_connections_than_the_limit_wait_for_their_turn(self):
        with Backend(echo) as backend, \
                Program(PROXY, "127.0.0.1:0", backend.name, "connections=2", *QUICK) as proxy:
            clients = [connect(proxy) for _ in range(3)]
            for client in clients:
                client.sendall(b"a")
            self.assertEqual([client.recv(1) for client in clients[:2]], [b"a", b"a"])
            clients[2].settimeout(0.2)
            self.assertRaises(TimeoutError, clients[2].recv, 1)
            clients[0].close()
            clients[2].settimeout(TIMEOUT)
            self.assertEqual(clients[2].recv(1), b"a")
            for client in clients[1:]:
                client.close()

    def test_new_connections_have_a_rate(self):
        start = time.monotonic()
        with Backend(echo) as backend, \
                Program(PROXY, "127.0.0.1:0", backend.name, "rate=2", "check_ms=20") as proxy:
            for _ in range(6):
                self.assertEqual(ask(proxy), b"hello")
        self.assertGreaterEqual(time.monotonic() - start, 2.5)  # one at once, two a second

    def test_an_idle_connection_is_reset_and_a_busy_one_is_not(self):
        def idle_is_reset_first():
            """False: the machine let the busy one be idle, too."""
            with connect(proxy) as idle, connect(proxy) as busy:
                idle.settimeout(0.02)
                last = time.monotonic()
                while time.monotonic() - last < 0.7:
                    last = time.monotonic()
                    busy.sendall(b"a")
                    self.assertEqual(busy.recv(1), b"a")
                    try:
                        self.fail(idle.recv(1))
                    except TimeoutError:
                        continue
                    except ConnectionResetError:
                        busy.sendall(b"b")
                        return busy.recv(1) == b"b"
            return False

        with Backend(echo) as backend, \
                Program(PROXY, "127.0.0.1:0", backend.name, "idle_ms=1500") as proxy:
            def without_a_pause():
                try:
                    return idle_is_reset_first()
                except ConnectionResetError:
                    return False
            wait_until(without_a_pause, "the idle connection is reset, and the busy one is not")

    def test_backends_in_turn_and_one_that_dies_and_comes_back(self):
        with Backend(says(b"one")) as one, Backend(says(b"two")) as two:
            with Program(PROXY, "127.0.0.1:0", one.name, two.name, "policy=2", *QUICK) as proxy:
                self.assertEqual([ask(proxy) for _ in range(4)], [b"one", b"two", b"one", b"two"])
                with connect(proxy) as stays:
                    stays.sendall(b"hello")
                    self.assertEqual(stays.recv(3, socket.MSG_WAITALL), b"one")
                    self.assertEqual([ask(proxy) for _ in range(3)], [b"two", b"one", b"two"])
                two.shutdown()
                two.server_close()
                for _ in range(4):
                    self.assertEqual(ask(proxy), b"one")  # also before a health check has noticed
                proxy.wait_for_line(f"connecting to {two.name}: Connection re")  # refused, or reset
                with Backend(says(b"two again"), two.port):
                    proxy.wait_for_line(f"{two.name} is up again")
                    self.assertEqual({ask(proxy), ask(proxy)}, {b"one", b"two again"})

    def test_a_backend_that_is_down_is_not_asked_before_a_health_check_finds_it_up(self):
        port = free_port()
        with Backend(says(b"one")) as one:
            with Program(PROXY, "127.0.0.1:0", one.name, f"127.0.0.1:{port}", "policy=2",
                         "check_ms=1000000") as proxy:
                proxy.wait_for_line(f"connecting to 127.0.0.1:{port}: Connection refused")
                with Backend(says(b"two"), port):
                    self.assertEqual([ask(proxy) for _ in range(4)], [b"one"] * 4)

    def test_the_backend_with_the_fewest_connections_is_chosen(self):
        def named(name):
            def handler(connection):
                connection.sendall(name)
                read_to_end(connection)
            return handler
        with Backend(named(b"1")) as one, Backend(named(b"2")) as two:
            with Program(PROXY, "127.0.0.1:0", one.name, two.name, "check_ms=100000") as proxy:
                clients = [connect(proxy) for _ in range(6)]
                names = [client.recv(1) for client in clients]
                self.assertEqual((names.count(b"1"), names.count(b"2")), (3, 3))
                for client, name in zip(clients, names):
                    if name == b"1":
                        client.shutdown(socket.SHUT_WR)
                        self.assertEqual(client.recv(1), b"")
                def three_for_one():
                    added = [connect(proxy) for _ in range(3)]
                    if [client.recv(1) for client in added] == [b"1"] * 3:
                        clients.extend(added)
                        return True
                    for client in added:  # too early: they have evened out what is measured
                        client.close()
                    time.sleep(0.2)
                    return False
                wait_until(three_for_one, "new connections go to the idle backend")
                for client in clients:
                    client.close()

    def test_without_a_backend_a_client_is_reset_and_the_proxy_lives(self):
        port = free_port()
        with Program(PROXY, "127.0.0.1:0", f"127.0.0.1:{port}", *QUICK) as proxy:
            proxy.wait_for_line("Connection refused")
            with connect(proxy) as client:
                self.assertRaises(ConnectionResetError, client.recv, 1)
            with Backend(echo, port):
                proxy.wait_for_line("up again")
                self.assertEqual(ask(proxy), b"hello")

    def test_a_backend_that_breaks_off_is_passed_on_as_a_reset(self):
        def break_off(connection):
            if connection.recv(100):
                connection.sendall(b"half an ans")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
        with Backend(break_off) as backend, Program(PROXY, "127.0.0.1:0", backend.name, *QUICK) as proxy:
            with connect(proxy) as client:
                client.sendall(b"hello")
                self.assertRaises(ConnectionResetError, read_to_end, client)

    def test_a_client_that_breaks_off_is_passed_on_as_a_reset(self):
        seen = []
        def handler(connection):
            try:
                if connection.recv(100) != b"":
                    seen.append(connection.recv(100))
            except ConnectionResetError:
                seen.append("reset")
        with Backend(handler) as backend, Program(PROXY, "127.0.0.1:0", backend.name, *QUICK) as proxy:
            with connect(proxy) as client:
                client.sendall(b"hello")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wait_until(lambda: seen == ["reset"], f"a reset at the backend: {seen}")

    def test_connections_have_time_to_finish_on_ctrl_c_but_not_for_ever(self):
        release = threading.Event()
        def handler(connection):
            if connection.recv(100):
                connection.sendall(b"begun")
                release.wait(TIMEOUT)
                connection.sendall(b"finished")
        with Backend(handler) as backend:
            proxy = Program(PROXY, "127.0.0.1:0", backend.name, "grace_ms=60000", *QUICK)
            with connect(proxy) as client:
                client.sendall(b"hello")
                self.assertEqual(client.recv(5, socket.MSG_WAITALL), b"begun")
                proxy.process.send_signal(2)
                def refused():
                    try:
                        connect(proxy).close()
                    except ConnectionError:
                        return True
                wait_until(refused, "new connections are refused")
                release.set()
                self.assertEqual(read_to_end(client), b"finished")
                client.close()
                self.assertEqual(proxy.wait(), 0)
        with Backend(echo) as backend:
            proxy = Program(PROXY, "127.0.0.1:0", backend.name, "grace_ms=50", *QUICK)
            with connect(proxy) as client:
                client.sendall(b"a")
                self.assertEqual(client.recv(1), b"a")
                self.assertEqual(proxy.stop(), 0)
                self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_a_wrong_command_line_is_told(self):
        for arguments in ((), ("127.0.0.1:0",), ("127.0.0.1:0", "a:1", "rate=0"), ("127.0.0.1:0", "rate=5"),
                          ("127.0.0.1:0", "a:1", "rate=x"), ("127.0.0.1:0", "a:1", "bogus=1")):
            done = subprocess.run([PROXY, *arguments], capture_output=True, text=True, timeout=TIMEOUT)
            self.assertEqual((done.returncode, done.stderr.split()[0]), (2, "usage:"), arguments)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = subprocess.run([PROXY, address, "a:1"], capture_output=True, text=True, timeout=TIMEOUT)
            self.assertEqual(done.returncode, 1)
            self.assertIn(address, done.stderr)


if __name__ == "__main__":
    allow_many_descriptors()
    unittest.main()
