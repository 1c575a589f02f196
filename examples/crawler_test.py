#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The crawler as its user runs it: crawler_test.py PROGRAM"""

import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

from example_process import TIMEOUT, Program, free_port, wait_until

CRAWLER = sys.argv.pop(1)


class Site(http.server.ThreadingHTTPServer):
    """Serves a dictionary of pages: HTML text, a status, or a function of the handler."""

    daemon_threads = True

    def __init__(self, pages):
        super().__init__(("127.0.0.1", 0), Pages)
        self.pages, self.asked, self.active, self.active_max = pages, [], 0, 0
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server
        with site.lock:
            site.asked.append(self.path)
            site.active += 1
            site.active_max = max(site.active_max, site.active)
        time.sleep(0.002)  # so that requests meet each other
        with site.lock:
            site.active -= 1
        page = site.pages.get(self.path, 404)
        if callable(page):
            page(self)
        elif isinstance(page, int):
            self.send_error(page)
        else:
            self.html(page.encode())

    def html(self, body, *headers):
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Raw:
    """Answers each connection with the same bytes, or not at all."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/" % self.listener.getsockname()[1]
        self.answer, self.connections = answer, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                if self.answer is not None:
                    connection.recv(65536)
                    connection.sendall(self.answer)
                    connection.close()
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def crawl(*arguments):
    return subprocess.run([CRAWLER, *arguments], capture_output=True, text=True, timeout=TIMEOUT)


def broken(done):
    lines = [line for line in done.stdout.splitlines() if line.startswith("broken: ")]
    return [tuple(line[len("broken: "):].split(" -> ")) for line in lines]


class Crawler(unittest.TestCase):
    def test_every_page_is_asked_for_once_and_no_link_is_broken(self):
        pages = {"/": '<a href="/a/b.html">x</a> <a href=\'c?x=1#there\'>y</a> <img src="/picture">',
                 "/a/b.html": '<a href="../">up</a><a href="./d">d</a><a href="//elsewhere.invalid/">no</a>',
                 "/c?x=1": '<a href="?x=1">same</a><a href="mailto:a@b">m</a><a href="#top">t</a>',
                 "/picture": lambda handler: (handler.send_response(200), handler.end_headers(),
                                              handler.wfile.write(b'<a href="/not-html">')),
                 "/a/d": '<a href="http://example.invalid/">outside</a>'}
        with Site(pages) as site:
            done = crawl(site.url)
            self.assertEqual((done.returncode, done.stderr, broken(done)), (0, "", []))
            self.assertEqual(sorted(site.asked), sorted(pages))
            self.assertIn("5 pages, 0 broken", done.stdout)
            self.assertRegex(done.stdout, rf"200 +\d+ bytes {re.escape(site.url)}/a/d\n")

    def test_broken_links_are_printed_with_the_pages_that_have_them(self):
        with Site({"/": '<a href="/gone"><a href="/b">', "/b": '<a href="/gone">'}) as site:
            done = crawl(site.url + "/")
            self.assertEqual(done.returncode, 1)
            self.assertEqual(broken(done), [(site.url + "/", site.url + "/gone: status 404"),
                                            (site.url + "/b", site.url + "/gone: status 404")])
            self.assertEqual(site.asked.count("/gone"), 1)  # that is final

    def test_redirects_are_followed_once(self):
        def to(target):
            return lambda handler: (handler.send_response(302), handler.send_header("Location", target),
                                    handler.end_headers())
        with Site({"/": to("/a"), "/a": to("/b?q=1"), "/b?q=1": to("/a")}) as site:
            self.assertEqual(crawl(site.url).returncode, 0)
            self.assertEqual(site.asked, ["/", "/a", "/b?q=1"])

    def test_failures_are_tried_again(self):
        count = []
        def third_time(handler):
            count.append(1)
            handler.html(b"well") if len(count) == 3 else handler.send_error(503)
        with Site({"/": third_time}) as site:
            self.assertEqual(crawl(site.url, "retries=2").returncode, 0)
            self.assertEqual(len(count), 3)
        with Site({"/": 500}) as site:
            self.assertEqual(crawl(site.url, "retries=1").returncode, 1)
            self.assertEqual(len(site.asked), 2)

    def test_no_more_pages_at_once_than_asked_for(self):
        pages = {f"/{number}": "page" for number in range(300)}
        with Site({"/": "".join(f'<a href="{path}">' for path in pages), **pages}) as site:
            done = crawl(site.url, "parallel=3")
            self.assertEqual((done.returncode, len(site.asked)), (0, 301))
            self.assertLessEqual(site.active_max, 3)
        with Site({"/": "".join(f'<a href="{path}">' for path in pages), **pages}) as site:
            self.assertIn("100 pages, 0 broken", crawl(site.url, "pages_max=100").stdout)

    def test_several_servers_and_links_between_them(self):
        with Site({"/": "one"}) as one, Site({"/": f'<a href="{one.url}/missing">'}) as two:
            done = crawl(one.url, two.url)
            self.assertEqual(broken(done), [(two.url + "/", one.url + "/missing: status 404")])

    def test_a_server_that_is_not_there(self):
        url = f"http://127.0.0.1:{free_port()}/"
        done = crawl(url, "retries=0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stdout)

    def test_a_server_that_never_answers(self):
        with Raw(None) as server:
            done = crawl(server.url, "timeout_ms=100", "retries=1")
            self.assertEqual((done.returncode, len(server.connections)), (1, 2))
            self.assertIn("broken: the command line -> " + server.url, done.stdout)

    def test_hostile_answers_are_broken_links_and_no_more(self):
        html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        for answer in (b"", b"\0" * 5000, os.urandom(5000), b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n",
                       b"GARBAGE! 200 OK\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, b"HTTP/1.1 200 OK\r\nX",
                       html + b"Content-Length: 100\r\n\r\nshort", html + b"Content-Length: -1\r\n\r\n",
                       html + b"Content-Length: 99999999999999999999999\r\n\r\n",
                       html + b"\r\n" + b"x" * 3_000_000):
            with Raw(answer) as server:
                done = crawl(server.url, "retries=0", "timeout_ms=20000")
                self.assertEqual((done.returncode, len(broken(done)), done.stderr), (1, 1, ""), answer[:60])

    def test_hostile_pages_are_read_and_their_links_cannot_write_requests(self):
        pages = ('<a href="', '=', '="', '<a href="/a\r\nX: y">', 'href="' + "/" * 5000 + '"',
                 '<a href="%s">' % ("../" * 600), '<a href="http://">', '<a href="http://:80:80/">',
                 "<a href='//'>", '<a href="\0">', "href=" * 1000)
        for page in pages:
            with Site({"/": page}) as site:
                done = crawl(site.url, "retries=0")
                self.assertEqual(done.stderr, "", page[:60])
                self.assertEqual(set(site.asked), {"/"}, page[:60])

    def test_ctrl_c_prints_what_is_known(self):
        release = threading.Event()
        with Site({"/": '<a href="/slow">', "/slow": lambda handler: release.wait(TIMEOUT)}) as site:
            with Program(CRAWLER, site.url) as program:
                wait_until(lambda: "/slow" in site.asked, "the slow page is asked for")
            release.set()
        self.assertIn("2 pages, 0 broken\n", program.output)

    def test_a_wrong_command_line_is_told(self):
        for arguments in ((), ("parallel=1",), ("ftp://a/",), ("http://a/", "parallel"),
                          ("http://a/", "parallel=x"), ("http://a/", "bogus=1")):
            done = crawl(*arguments)
            self.assertEqual((done.returncode, done.stderr.split()[0]), (2, "usage:"), arguments)


if __name__ == "__main__":
    unittest.main()
