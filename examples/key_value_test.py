#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The key-value server as its users see it. Usage: key_value_test.py PROGRAM"""

import socket
import sys
import unittest

from serving import CONNECTIONS, ServerTest, rest_of, send_unwanted

ServerTest.program = sys.argv.pop(1)


def encoded(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Client:
    """Speaks RESP: an error is an Exception, a simple string is bytes, too."""

    def __init__(self, server):
        self.socket = server.connect()
        self.replies = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.replies.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        line = self.replies.readline()
        assert line.endswith(b"\r\n"), line
        kind, text = line[:1], line[1:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(text))]
        if kind == b"$":
            return None if text == b"-1" else self.replies.read(int(text) + 2)[:-2]
        return {b"+": bytes, b"-": Exception, b":": int}[kind](text)

    def __call__(self, *words):
        self.send(encoded(*words))
        return self.reply()


class KeyValue(ServerTest):
    def check(self, *expected):
        """Pairs of a command and its reply."""
        with Client(self.server) as client:
            for command, reply in expected:
                answer = client(*command.split())
                if isinstance(reply, str):
                    self.assertIn(reply, str(answer), command)
                    self.assertIsInstance(answer, Exception, command)
                else:
                    self.assertEqual(answer, reply, command)

    def test_values(self):
        self.check(("PING", b"PONG"), ("ping hi", b"hi"), ("ECHO a", b"a"), ("GET a", None),
                   ("SET a 1", b"OK"), ("GET a", b"1"), ("set a 2 nx", None), ("GET a", b"1"),
                   ("SET b 2 NX", b"OK"),
                   ("EXISTS a b c a", 3), ("MGET a c b", [b"1", None, b"2"]), ("MSET c 3 d 4", b"OK"),
                   ("DBSIZE", 4), ("DEL a c x", 2), ("DBSIZE", 2), ("FLUSHALL", b"OK"), ("DBSIZE", 0))

    def test_numbers(self):
        self.check(("INCR n", 1), ("INCR n", 2), ("SET n -5", b"OK"), ("INCR n", -4), ("SET n x", b"OK"),
                   ("INCR n", "not an integer"), ("SET n 9223372036854775806", b"OK"),
                   ("INCR n", 9223372036854775807), ("INCR n", "out of range"),
                   ("GET n", b"9223372036854775807"), ("SET n 9223372036854775808", b"OK"),
                   ("INCR n", "out of range"))

    def test_keys_expire(self):
        self.check(("TTL a", -2), ("SET a 1", b"OK"), ("TTL a", -1), ("EXPIRE a 0", 1), ("GET a", None),
                   ("EXPIRE a 9", 0), ("SET b 1 PX 1 NX", b"OK"))
        with Client(self.server) as client:
            while client("GET", "b") is not None:
                pass
            self.assertEqual(client("EXISTS", "b"), 0)
            client("SET", "c", 5, "EX", 1000)
            self.assertEqual(client("INCR", "c"), 6)
            self.assertIn(client("TTL", "c"), range(900, 1001))
            client("EXPIRE", "c", 5000)
            self.assertIn(client("TTL", "c"), range(4900, 5001))
            client("SET", "c", 5)
            self.assertEqual(client("TTL", "c"), -1)

    def test_mistakes_of_a_command_are_told_and_the_connection_goes_on(self):
        self.check(("NOSUCH", "unknown command"), ("GET", "number of arguments"),
                   ("GET a b", "number of arguments"),
                   ("MSET a", "number of arguments"), ("SET a 1 EX", "syntax"), ("SET a 1 XX", "syntax"),
                   ("SET a 1 EX 0", "out of range"), ("SET a 1 EX x", "integer"),
                   ("SET a 1 EX 99999999999999999999", "out of range"), ("EXPIRE a x", "integer"),
                   ("GET a", None))

    def test_what_redis_benchmark_and_redis_cli_ask(self):
        self.check(("CONFIG GET save", [b"save", b""]), ("COMMAND DOCS", []), ("COMMAND", []))
        with Client(self.server) as client:
            client.send(b"PING\r\n  set  a   1 \r\n\r\nget a\n")
            self.assertEqual([client.reply() for _ in range(3)], [b"PONG", b"OK", b"1"])

    def test_values_may_be_any_bytes(self):
        with Client(self.server) as client:
            for value in (b"", b"\r\n", bytes(range(256)), b"x" * 1_000_000):
                self.assertEqual(client("SET", "k", value), b"OK")
                self.assertEqual(client("GET", "k"), value)
            self.assertEqual(client("SET", b"\0key\r\n", "v"), b"OK")
            self.assertEqual(client("MGET", b"\0key\r\n", b""), [b"v", None])

    def test_a_pipeline_is_answered_in_order(self):
        with Client(self.server) as client:
            client.send(b"".join(encoded("INCR", "n") for _ in range(10_000)))
            self.assertEqual([client.reply() for _ in range(10_000)], list(range(1, 10_001)))

    def test_a_command_may_come_in_pieces(self):
        with Client(self.server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in encoded("SET", "k", "value") + encoded("GET", "k"):
                client.send(bytes([byte]))
            self.assertEqual([client.reply(), client.reply()], [b"OK", b"value"])
            client.send(encoded("PING") + encoded("GET", "k")[:-3])
            self.assertEqual(client.reply(), b"PONG")  # before the rest of the other command
            client.send(b"k\r\n")
            self.assertEqual(client.reply(), b"value")

    def test_what_is_not_resp_is_refused(self):
        for data in (b"*1\r\nGET\r\n", b"*x\r\n", b"*-5\r\n", b"*2000\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n",
                     b"*1\r\n$99999999999\r\n", b"*1\r\n$1048577\r\n",
                     b"*2\r\n$1000000\r\n" + b"x" * 1_000_000 + b"\r\n$1000000\r\n",
                     b"*1\r\n$3\r\nabcde", b"*1\r\n$" + b"1" * 100, b"x" * 5000):
            with self.server.connect() as client, self.subTest(data=data[:20]):
                send_unwanted(client, encoded("PING") + data)
                answer = rest_of(client)
                self.assertTrue(answer.startswith(b"+PONG\r\n-ERR the connection ends: "), answer)
                self.assertTrue(answer.endswith(b"\r\n"), answer)
        with Client(self.server) as client:
            self.assertEqual(client("PING"), b"PONG")

    def test_garbage_harms_nobody(self):
        for seed in range(100):
            with self.server.connect() as client:
                send_unwanted(client, bytes((seed * 7 + i * i * 31) % 256 for i in range(seed * 11)) + b"\n",
                              finish=True)
                rest_of(client)
        with Client(self.server) as client:
            self.assertEqual(client("PING"), b"PONG")

    def test_a_client_may_go_at_any_byte(self):
        command = encoded("SET", "k", "value")
        for size in range(len(command)):
            for leave in (socket.socket.close, self.reset):
                client = self.server.connect()
                client.sendall(encoded("INCR", "n") + command[:size])
                leave(client)
        with Client(self.server) as client:
            self.assertEqual(client("GET", "k"), None)

    def test_a_client_that_does_not_read_stops_nobody(self):
        with Client(self.server) as lazy, Client(self.server) as client:
            self.assertEqual(client("SET", "big", b"x" * 1_000_000), b"OK")
            lazy.send(encoded("GET", "big") * 100)
            for i in range(100):
                self.assertEqual(client("INCR", "n"), i + 1)
            for _ in range(100):
                self.assertEqual(lazy.reply(), b"x" * 1_000_000)

    def test_a_reply_has_a_limit(self):
        with Client(self.server) as client:
            client("SET", "big", b"x" * 1_000_000)
            client.send(encoded("MGET", *["big"] * 1000))
            self.assertLess(len(client.replies.read()), 20_000_000)  # then the connection ends
        with Client(self.server) as client:
            self.assertEqual(client("PING"), b"PONG")

    def test_a_thousand_connections(self):
        clients = [Client(self.server) for _ in range(CONNECTIONS)]
        for number, client in enumerate(clients):
            client.send(encoded("SET", number, number))
        for number, client in enumerate(clients):
            self.assertEqual(client.reply(), b"OK")
            self.assertEqual(client("GET", number), b"%d" % number)
        self.assertEqual(clients[0]("DBSIZE"), CONNECTIONS)
        self.assertEqual(clients[0]("GET", 999), b"999")
        self.server.end()
        for client in clients:
            self.assertEqual(rest_of(client.socket), b"")
            client.__exit__()

    def test_ctrl_c_ends_it_in_the_middle_of_commands(self):
        with Client(self.server) as client, Client(self.server) as lazy:
            client("SET", "big", b"x" * 1_000_000)
            lazy.send(encoded("GET", "big") * 100)
            client.send(encoded("PING") + b"*2\r\n$3\r\nGE")
            self.assertEqual(client.reply(), b"PONG")
            self.server.end()


if __name__ == "__main__":
    unittest.main()
