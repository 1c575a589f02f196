#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The chat server as its users see it. Usage: chat_test.py PROGRAM"""

import socket
import sys
import unittest

from serving import CONNECTIONS, ServerTest, rest_of, send_unwanted

ServerTest.program = sys.argv.pop(1)


class Client:
    def __init__(self, server, name=None, room=None):
        self.socket = server.connect()
        self.lines = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.wait_for("* your name?")
        if name:
            self.say(name)
            self.wait_for(f"* {name} has come")
        if room:
            self.say(f"/join {room}")
            self.wait_for(f"* you are in {room}")
            self.wait_for(f"* {name} has come")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def hear(self):
        return self.lines.readline().rstrip("\n")

    def wait_for(self, start):
        """Skips the lines before; returns the line."""
        line = self.lines.readline()
        while not line.startswith(start):
            assert line.endswith("\n"), (start, line)
            line = self.lines.readline()
        return line.rstrip("\n")

    def close(self):
        self.lines.close()
        self.socket.close()


class Chat(ServerTest):
    def client(self, *arguments):
        client = Client(self.server, *arguments)
        self.addCleanup(client.close)
        return client

    def test_a_room_hears_what_is_said_in_it(self):
        ann, bob, cid = self.client("ann"), self.client("bob"), self.client("cid", "tea")
        self.assertEqual(ann.wait_for("* bob"), "* bob has come")
        self.assertEqual(ann.wait_for("* cid has left"), "* cid has left")
        ann.say("hello, ünïcode\r")
        for client in (ann, bob):
            self.assertEqual(client.wait_for("ann:"), "ann: hello, ünïcode")
        cid.say("nobody here")
        self.assertEqual(cid.hear(), "cid: nobody here")
        bob.say("/join tea")
        self.assertEqual(cid.hear(), "* bob has come")
        cid.say("hello")
        self.assertEqual(bob.wait_for("cid:"), "cid: hello")
        bob.say("/who")
        self.assertEqual(bob.hear(), "* here: bob cid")
        bob.say("/quit")
        self.assertEqual(bob.lines.read(), "")
        self.assertEqual(cid.wait_for("* bob has left"), "* bob has left")
        ann.say("still in the lobby")
        self.assertEqual(ann.wait_for("ann:"), "ann: still in the lobby")

    def test_names_are_checked(self):
        ann = self.client("ann")
        other = self.client()
        for name in ("", "ann", "a b", "x" * 17, "\x1b[31m", "ü"):
            other.say(name)
            other.wait_for("* your name?")
        other.say("x" * 16)
        ann.wait_for("* " + "x" * 16 + " has come")
        other.say("/quit")
        ann.wait_for("* " + "x" * 16 + " has left")
        self.client("x" * 16)  # it is free again

    def test_commands_are_checked(self):
        ann = self.client("ann", "tea")
        for command in ("/nosuch", "/join", "/join ", "/join a b", "/join " + "x" * 17):
            ann.say(command)
            self.assertEqual(ann.hear(), "* that is no command, or no name of a room")
        ann.say("/join tea")
        ann.say("")
        ann.say("a\x1b[31m\x07b")
        self.assertEqual(ann.hear(), "ann: a[31mb")

    def test_the_line_limit(self):
        ann, bob = self.client("ann"), self.client("bob")
        ann.say("x" * 512)
        self.assertEqual(bob.wait_for("ann:"), "ann: " + "x" * 512)
        ann.say("y" * 513)
        self.assertIn("* that line is too long", rest_of(ann.socket).decode())
        self.assertEqual(bob.hear(), "* ann has left")

    def test_a_slow_client_loses_lines_and_slows_nobody(self):
        slow = self.client("slow", "tea")
        talker = self.client("talker", "tea")
        said = 40_000
        for i in range(said):
            talker.say(f"{i} " + "x" * 300)
            self.assertTrue(talker.hear().startswith(f"talker: {i} "))
        talker.say("end")
        heard = slow.wait_for("* you read too slowly")
        self.assertEqual(heard, "* you read too slowly and have missed lines")
        self.assertEqual(slow.wait_for("talker: end"), "talker: end")

    def test_a_client_that_takes_nothing_is_dropped(self):
        stuck, talker = self.client("stuck", "tea"), self.client("talker", "tea")
        heard = ""
        while heard != "* stuck has left":  # ten seconds after its socket is full
            talker.say("x" * 500)
            heard = talker.hear()
        self.assertTrue(rest_of(stuck.socket))

    def test_garbage_and_half_lines_harm_nobody(self):
        ann = self.client("ann", "tea")
        for seed in range(200):
            with self.server.connect() as client:
                send_unwanted(client, bytes((seed * 7 + i * i * 31) % 256 for i in range(seed * 5)))
                (client.close if seed % 2 else lambda client=client: self.reset(client))()
        for size in range(1, 12):  # named, then gone in the middle of a line
            client = self.server.connect()
            client.sendall(b"gone\n" + b"/join tea\n"[:size])
            self.reset(client)
        with self.server.connect() as client:
            send_unwanted(client, b"\0" * 1_000_000)
            rest_of(client)
        ann.say("here")
        self.assertEqual(ann.wait_for("ann:"), "ann: here")

    def test_a_thousand_clients(self):
        clients = [self.client(f"c{i}", f"room{i % 100}") for i in range(CONNECTIONS)]
        for i in range(100):
            clients[i].say("hello")
        for i, client in enumerate(clients):
            self.assertEqual(client.wait_for(f"c{i % 100}: "), f"c{i % 100}: hello")
        self.server.end()
        for client in clients:
            self.assertTrue(client.lines.read().endswith("* the server ends\n"))

    def test_there_are_a_thousand_rooms_and_no_more(self):
        ann, bob = self.client("ann"), self.client("bob")
        self.assertTrue(ann and bob)
        clients = [self.client(f"c{i}", f"room{i}") for i in range(999)]
        ann.say("/join one-more")
        ann.wait_for("* there are too many rooms")
        clients[7].say("/quit")
        answer = ""
        while answer != "* you are in one-more":  # as soon as room7 is gone
            ann.say("/join one-more")
            answer = ann.wait_for(("* you are in", "* there are"))

    def test_ctrl_c_says_goodbye_and_does_not_wait_for_who_does_not_read(self):
        ann, nameless = self.client("ann", "tea"), self.client()
        stuck = self.client("stuck", "tea")
        for i in range(20_000):
            ann.say(f"{i} " + "x" * 400)
            ann.wait_for(f"ann: {i} ")
        self.server.end()
        self.assertEqual(ann.lines.read(), "* the server ends\n")
        self.assertEqual(rest_of(nameless.socket), b"")
        self.assertTrue(stuck)


if __name__ == "__main__":
    unittest.main()
