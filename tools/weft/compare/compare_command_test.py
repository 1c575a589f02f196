#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft compare` as a process, short: that it works, not what it measures.

Usage: compare_command_test.py PATH-OF-WEFT PATH-OF-A-HANDLER
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
import xml.etree.ElementTree
from pathlib import Path

HANDLER = sys.argv.pop()
WEFT = sys.argv.pop()
SHORT = ("--seconds", "0.2", "--rounds", "1", "--latency-seconds", "0.2", "--connections", "8")
COLUMNS = {"requests_per_second", "requests_per_second_ratio", "cpu_us_per_request", "cpu_ratio", "p50_us",
           "p99_us", "p999_us", "epoll_ctl", "epoll_wait", "read", "write", "futex", "eventfd", "transfers",
           "local_enqueues", "global_enqueues", "steals", "cross_context_wakeups", "useless_edges"}


def weft(*arguments, **more):
    return subprocess.run([WEFT, *arguments], capture_output=True, text=True, timeout=170, check=False,
                          **more)


def compared(*arguments):
    """The JSON of `weft compare`, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        plot = Path(folder) / "plot.svg"
        done = weft("compare", *arguments, *SHORT, "--json", str(path), "--plot", str(plot))
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        xml.etree.ElementTree.parse(plot)
        return json.loads(path.read_text()), done.stdout


@unittest.skipUnless(shutil.which("wrk"), "wrk is not there")
class UnderWrk(unittest.TestCase):
    def test_http_has_every_column_and_no_epoll_ctl_under_lifetime(self):
        report, text = compared("http", "--strategies", "lifetime", "--threads", "1")
        plain, to_eagain = report["results"]
        for row in plain, to_eagain:
            self.assertEqual((row["strategy"], row["threads"]), ("lifetime", 1))
            self.assertIsNone(row["not_available"])
            self.assertLessEqual(COLUMNS, set(row))
            self.assertGreater(row["requests_per_second"], 0)
            self.assertGreater(row["cpu_us_per_request"], 0)
            # One a connection; the last of them may have come between two looks.
            self.assertLess(row["epoll_ctl"], 0.01)
            self.assertEqual(row["transfers"], 0)
        self.assertIn("read to EAGAIN", to_eagain["variant"])
        if plain["read"] is not None:  # strace may be missing, or not be allowed to trace
            # How often another read finds nothing is the machine's business: the next request may be there.
            self.assertLessEqual(plain["read"], to_eagain["read"] + 0.01)
            # A call may send several responses.
            self.assertGreater(plain["write"], 0)
            self.assertLess(plain["write"], 1.2)
        self.assertIn("expected: ", text)
        self.assertIn("seen: ", text)

    def test_churn_goes_on_without_errors(self):
        report, _ = compared("churn", "--strategies", "lifetime", "--no-strace")
        self.assertGreater(report["results"][0]["requests_per_second"], 0)
        self.assertFalse([note for note in report["notes"] if "errors" in note])

    def test_handoff_transfers_a_connection_once_at_most(self):
        report, _ = compared("handoff", "--strategies", "lifetime", "--no-strace")
        row = report["results"][0]
        self.assertLessEqual(row["transfers_per_connection"], 1)
        self.assertGreater(row["transfers_per_connection"], 0)
        # Per request; a connection may have come so late that it is handed over between two looks.
        self.assertLess(row["transfers"], 0.05)
        self.assertEqual(row["cross_context_wakeups"], 0)

    def test_idle_connections_are_open(self):
        report, _ = compared("idle", "--strategies", "lifetime", "--no-strace", "--idle-connections", "50")
        self.assertIn("50 idle connections", report["title"])
        self.assertGreater(report["results"][0]["requests_per_second"], 0)

    def test_a_handler_and_further_options_reach_the_server(self):
        report, _ = compared("http", "--strategies", "lifetime", "--threads", "1", "--no-strace",
                             "--handler", HANDLER, "--path", "/from-the-library")
        self.assertFalse([note for note in report["notes"] if "errors" in note])

    def test_what_a_server_says_when_it_refuses_is_in_its_row(self):
        done = weft("compare", "http", "--strategies", "lifetime", "--threads", "1", *SHORT, "--",
                    "--no-such-option")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not available: ", done.stdout)


class Alone(unittest.TestCase):
    def test_starved_shows_quiet_and_busy(self):
        report, _ = compared("starved", "--strategies", "lifetime")
        quiet, busy = report["results"]
        self.assertEqual((quiet["variant"], busy["variant"]), ("quiet", "busy"))
        self.assertGreater(quiet["events"], 0)
        self.assertGreater(busy["max_us"], 0)

    def test_contention_shows_all_four_ways(self):
        report, _ = compared("contention", "--strategies", "lifetime")
        self.assertEqual(len(report["results"]), 4)
        local, across = report["results"][:2]
        self.assertGreater(across["global_enqueues"], local["global_enqueues"])

    def test_wrong_arguments_are_said(self):
        for arguments in (("nowhere",), ("--strategies", "best"), ("--threads", "0")):
            done = weft("compare", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(arguments[-1], done.stderr + done.stdout)

    def test_a_missing_wrk_is_named_with_its_package(self):
        done = weft("compare", "http", env={**os.environ, "PATH": "/nowhere"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install wrk", done.stderr)

    def test_serve_shows_its_counters_only_when_asked(self):
        served = subprocess.Popen([WEFT, "serve", "--address", "127.0.0.1:0", "--counters-path", "/counters",
                                   "--handler", HANDLER], stderr=subprocess.PIPE, text=True)
        try:
            url = served.stderr.readline().split()[-1]
            self.assertEqual(urllib.request.urlopen(url + "/from-the-library").read(), b"from the library")
            counters = json.load(urllib.request.urlopen(url + "/counters"))
            self.assertGreater(counters["total"]["event_loop"]["polls"], 0)
            self.assertIn("default", [context["name"] for context in counters["contexts"]])
        finally:
            served.terminate()
            served.wait(30)
            served.stderr.close()

    def test_a_handler_without_the_entry_point_is_refused(self):
        done = weft("serve", "--address", "127.0.0.1:0", "--handler", WEFT)
        self.assertEqual(done.returncode, 2)  # the command line is wrong
        self.assertIn("weft serve: ", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
