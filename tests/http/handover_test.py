#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft serve` is replaced by another one under load, and no request fails: bare clients, nginx and HAProxy
in front. What is asserted is the number of failures; how fast the clients are does not matter.
Usage: handover_test.py PATH-OF-WEFT PATH-OF-HANDOVER_LOAD"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

WEFT, LOAD = sys.argv[1:3]
del sys.argv[1:3]
SUPERVISE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/supervise.py")
FRESH_PER_SECOND, KEPT = 500, 64
HANDOVERS = 3
SETTLE_SECONDS = 0.5  # of load between two steps: more of it finds more, and none is needed to pass
ENOUGH_REQUESTS = 1000  # that the load has really asked

NGINX = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log warn;
events {{ worker_connections 2000; }}
http {{
  access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  upstream weft {{ server 127.0.0.1:{upstream}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port}; keepalive_requests 1000000;
    location / {{ proxy_pass http://weft; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 20s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{port}
  default_backend weft
backend weft
  retry-on conn-failure empty-response
  http-request disable-l7-retry if METH_POST
  server one 127.0.0.1:{upstream}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Handover(unittest.TestCase):
    def setUp(self):
        self.processes = []
        self.directory = tempfile.mkdtemp()

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.directory)

    def run_program(self, arguments, **options):
        process = subprocess.Popen(arguments, **options)
        self.processes.append(process)
        return process

    def serve(self, options, listener=None):
        """Returns when it serves."""
        if listener is None:
            command, passed = f'exec "{WEFT}" serve {options}', ()
        else:
            passed = (listener.fileno(),)
            command = f'exec 3<&{passed[0]}; LISTEN_PID=$$ LISTEN_FDS=1 exec "{WEFT}" serve {options}'
        process = self.run_program(["bash", "-c", command], stderr=subprocess.PIPE, text=True,
                                   pass_fds=passed)
        self.assertRegex(process.stderr.readline(), "listening at")
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())

    def wait_until_it_listens(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        self.fail("the proxy does not listen")

    def proxy(self, name, configuration, arguments, upstream):
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if path is None:
            self.skipTest(f"{name} is not installed")
        port = free_port()
        file = os.path.join(self.directory, "proxy.conf")
        with open(file, "w") as out:
            out.write(configuration.format(directory=self.directory, port=port, upstream=upstream))
        self.run_program([path, *arguments, file], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.wait_until_it_listens(port)
        return port

    def front(self, name, upstream):
        if name == "nginx":
            return self.proxy("nginx", NGINX, ["-e", "stderr", "-c"], upstream)
        if name == "haproxy":
            return self.proxy("haproxy", HAPROXY, ["-db", "-f"], upstream)
        return upstream

    def load(self, port):
        return self.run_program([LOAD, f"127.0.0.1:{port}", str(FRESH_PER_SECOND), str(KEPT)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def assert_no_failures(self, load):
        report = load.communicate(timeout=120)[0]
        requests, failures = map(int, re.match(r"(\d+) requests, (\d+) failures", report).groups())
        self.assertEqual(failures, 0, report)
        self.assertGreater(requests, ENOUGH_REQUESTS, report)

    def hand_over(self, start_server, front, upstream):
        server = start_server()
        port = self.front(front, upstream)
        load = self.load(port)
        for _ in range(HANDOVERS):
            time.sleep(SETTLE_SECONDS)
            successor = start_server()
            time.sleep(SETTLE_SECONDS)
            self.stop(server)
            server = successor
        time.sleep(SETTLE_SECONDS)
        self.assert_no_failures(load)
        self.stop(server)

    def test_a_supervisor_replaces_the_server_on_sighup(self):
        port = free_port()
        supervisor = self.run_program([sys.executable, SUPERVISE, f"127.0.0.1:{port}", WEFT, "serve",
                                       "--listen-fds"], stderr=subprocess.PIPE, text=True)
        self.assertRegex(supervisor.stderr.readline(), "listening at")
        load = self.load(port)
        for _ in range(HANDOVERS):
            supervisor.send_signal(signal.SIGHUP)
            for said in ("listening at", "draining", "served"):
                self.assertIn(said, supervisor.stderr.readline())
        self.assert_no_failures(load)
        self.stop(supervisor)

    def with_the_same_socket(self, front):
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
            self.hand_over(lambda: self.serve("--listen-fds", listener), front, listener.getsockname()[1])

    def with_a_shared_port(self, front):
        # Reserves the port, and takes no connection, as it does not listen.
        with socket.socket() as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            self.hand_over(lambda: self.serve(f"--reuse-port --address 127.0.0.1:{port}"), front, port)

    def test_the_same_socket_and_bare_clients(self):
        self.with_the_same_socket("nothing")

    def test_the_same_socket_behind_nginx(self):
        self.with_the_same_socket("nginx")

    def test_the_same_socket_behind_haproxy(self):
        self.with_the_same_socket("haproxy")

    def test_a_shared_port_and_bare_clients(self):
        self.with_a_shared_port("nothing")

    def test_a_shared_port_behind_nginx(self):
        self.with_a_shared_port("nginx")

    def test_a_shared_port_behind_haproxy(self):
        self.with_a_shared_port("haproxy")


if __name__ == "__main__":
    unittest.main()
