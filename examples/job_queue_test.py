#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The job queue as its users see it. Usage: job_queue_test.py PROGRAM"""

import http.client
import json
import socket
import sys
import unittest

from serving import CONNECTIONS, ServerTest, rest_of, send_unwanted

ServerTest.program = sys.argv.pop(1)
LONG = 1_000_000_000  # hours of work


class Events:
    """A stream of server-sent events."""

    def __init__(self, server, last=None):
        self.connection = http.client.HTTPConnection(*server.address, timeout=60)
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        self.connection.request("GET", "/events", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        assert self.response.readline() == b": events\n"  # from here on it hears everything
        assert self.response.readline() == b"\n"

    def next(self):
        """(id, state, job); None at the end."""
        fields = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if "id" not in fields:
            return None
        job = json.loads(fields["data"])
        return int(fields["id"]), job["state"], job

    def wait_for(self, job, state):
        event = self.next()
        while (event[1], event[2]["id"]) != (state, job):
            event = self.next()
        return event

    def close(self):
        self.response.close()
        self.connection.close()


class JobQueue(ServerTest):
    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(*self.server.address, timeout=60)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, json.loads(text) if text.startswith("{") else text

    def submit(self, below):
        status, job = self.ask("POST", "/jobs", str(below))
        self.assertEqual((status, job["state"], job["result"]), (201, "queued", None))
        return job["id"]

    def events(self, last=None):
        events = Events(self.server, last)
        self.addCleanup(events.close)
        return events

    def test_a_job_is_queued_runs_and_is_done(self):
        events = self.events()
        self.assertEqual(self.submit(100), 1)
        self.assertEqual([events.next() for _ in range(3)],
                         [(1, "queued", {"id": 1, "state": "queued", "result": None}),
                          (2, "running", {"id": 1, "state": "running", "result": None}),
                          (3, "done", {"id": 1, "state": "done", "result": 25})])
        self.assertEqual(self.ask("GET", "/jobs/1"), (200, {"id": 1, "state": "done", "result": 25}))
        for below, primes in ((1, 0), (2, 0), (3, 1), (10_000, 1229)):
            self.assertEqual(events.wait_for(self.submit(below), "done")[2]["result"], primes)

    def test_a_stream_continues_after_the_last_event(self):
        events = self.events()
        for _ in range(3):
            events.wait_for(self.submit(10), "done")
        replayed = self.events(last=4)
        self.assertEqual([replayed.next()[0] for _ in range(5)], [5, 6, 7, 8, 9])
        everything = self.events(last=0)
        self.assertEqual([everything.next()[0] for _ in range(9)], list(range(1, 10)))
        ahead = self.events(last=10**18)  # of a server before this one: only what is new
        self.submit(10)
        self.assertEqual(ahead.next()[0], 10)

    def test_only_the_newest_events_are_kept(self):
        events = self.events()
        for _ in range(350):
            events.wait_for(self.submit(2), "done")
        self.assertEqual(self.events(last=0).next()[0], 51)

    def test_jobs_are_cancelled(self):
        events = self.events()
        jobs = [self.submit(LONG) for _ in range(3)]
        for job in jobs[:2]:
            events.wait_for(job, "running")  # all workers are busy
        status, job = self.ask("DELETE", f"/jobs/{jobs[2]}")
        self.assertEqual((status, job["state"]), (202, "cancelled"))
        self.assertEqual(self.ask("DELETE", f"/jobs/{jobs[2]}")[0], 409)
        self.assertEqual(self.ask("GET", f"/jobs/{jobs[1]}")[1]["state"], "running")
        self.assertEqual(self.ask("DELETE", f"/jobs/{jobs[0]}")[0], 202)
        events.wait_for(jobs[0], "cancelled")
        done = self.submit(100)  # a worker is free again
        self.assertEqual(events.wait_for(done, "done")[2]["result"], 25)
        self.assertEqual(self.ask("DELETE", f"/jobs/{done}"),
                         (409, {"id": done, "state": "done", "result": 25}))

    def test_the_queue_is_bounded(self):
        events = self.events()
        jobs = [self.submit(LONG) for _ in range(2)]
        for job in jobs:
            events.wait_for(job, "running")
        for _ in range(100):
            self.submit(10)
        self.assertEqual(self.ask("POST", "/jobs", "10"), (503, "the queue is full\n"))
        for job in jobs:
            self.ask("DELETE", f"/jobs/{job}")
        self.assertEqual(events.wait_for(102, "done")[2]["result"], 4)
        self.assertEqual(self.submit(10), 103)

    def test_wrong_requests_are_refused(self):
        for body in ("", "x", "-1", "0", "1.5", "10 ", "1000000001", "9" * 50, "\0"):
            self.assertEqual(self.ask("POST", "/jobs", body)[0], 400, body)
        self.assertIn(self.ask("POST", "/jobs", "9" * 10_000)[0], (400, 413))
        for path in ("/jobs/1", "/jobs/0", "/jobs/x", "/jobs/-1", "/jobs/" + "9" * 40, "/jobs/%00"):
            for method in ("GET", "DELETE"):
                self.assertEqual(self.ask(method, path)[0], 404, path)
        self.assertEqual(self.ask("GET", "/jobs/%zz")[0], 400)
        self.assertEqual(self.ask("PUT", "/jobs/1", "1")[0], 405)
        self.assertEqual(self.submit(10), 1)

    def test_garbage_and_clients_that_go_harm_nobody(self):
        request = b"POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n10"
        for size in range(0, len(request)):
            client = self.server.connect()
            client.sendall(request[:size])
            (self.reset if size % 2 else socket.socket.close)(client)
        for data in (b"\0" * 100_000, b"GET /events\r\n\r\n", b"GET /" + b"x" * 100_000, b"\r\n" * 1000):
            with self.server.connect() as client:
                send_unwanted(client, data, finish=True)
                rest_of(client)
        for _ in range(50):
            client = self.server.connect()
            client.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            client.recv(10)
            self.reset(client)
        self.assertEqual(self.submit(10), 1)

    def test_a_thousand_streams_hear_the_same(self):
        streams = [self.events() for _ in range(CONNECTIONS)]
        self.submit(100)
        for stream in streams:
            self.assertEqual([stream.next()[1] for _ in range(3)], ["queued", "running", "done"])
        self.server.interrupt()
        for stream in streams:
            self.assertIsNone(stream.next())  # a whole response: http.client would throw

    def test_ctrl_c_cancels_what_runs(self):
        events = self.events()
        events.wait_for(self.submit(LONG), "running")
        self.server.end()


if __name__ == "__main__":
    unittest.main()
