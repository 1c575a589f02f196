# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: what they are called, how they are started, and that they end."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS_MAX = 60  # valgrind takes its time
SERVER_CPU, LOAD_CPU = 0, 1

NGINX_CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 19000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; default_type text/plain; location / {{ return 200 "Hello world!"; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def defaults(build, context, threads=1, peers=()):
    """NAME=COMMAND of the bare loop, of weft, and of the peers that are there. The first is the reference."""
    binaries = Path(build) / "bin"
    address = "--address 127.0.0.1:{port}"
    specs = [f"bare={binaries}/bare_epoll {{port}} {threads}",
             f"weft={binaries}/weft serve {address} --threads {threads} --context {context}"]
    found = {"asio": binaries / "asio_hello", "spin": binaries / "bare_epoll",
             "nginx": shutil.which("nginx") or Path("/usr/sbin/nginx")}
    for peer in peers:
        if not Path(found[peer]).exists():
            print(f"peer {peer}: not there, left out", flush=True)
        elif peer == "nginx":
            specs.append(f"nginx={found[peer]} -c {{nginx_config}}")
        elif peer == "spin":
            specs.append(f"spin={found[peer]} {{port}} {threads} --spin")
        else:
            specs.append(f"{peer}={found[peer]} {{port}}")
    return specs


class Server:
    """A server process, from `with` to its end. `prefix`: what runs it, such as valgrind."""

    def __init__(self, spec, cpu=None, prefix=()):
        self.name, _, self.command = spec.partition("=")
        self.cpu = cpu
        self.prefix = list(prefix)
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="weft-bench-")

    def __enter__(self):
        pin = ["taskset", "-c", str(self.cpu)] if self.cpu is not None else []
        self.process = subprocess.Popen(pin + self.prefix + shlex.split(self._command_line()),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    @property
    def pid(self):
        return self.process.pid

    def cpu_ns(self):
        return time.clock_gettime_ns(((~self.pid) << 3) | 2)  # what clock_getcpuclockid(pid) gives

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _command_line(self):
        config = os.path.join(self.folder.name, "nginx.conf")
        Path(config).write_text(NGINX_CONFIG.format(folder=self.folder.name, port=self.port))
        return self.command.format(port=self.port, nginx_config=config)

    def _wait_until_it_answers(self):
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                    return probe
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name}: does not start: {self._command_line()}")
