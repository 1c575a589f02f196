# SPDX-License-Identifier: Apache-2.0
"""memory and idle: what kept-alive connections that say nothing cost, in bytes and in syscalls."""

import resource
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from macro import report
from macro.servers import Server, defaults
from macro.syscalls import wait_until_traced

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"


def add_memory_arguments(parser):
    parser.add_argument("--connections", type=int, default=10_000, help="(10000)")


def add_idle_arguments(parser):
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--settle", type=int, default=5, help="seconds before (5)")
    parser.add_argument("--seconds", type=int, default=10, help="of counting (10)")


def run_memory(options):
    raise_descriptor_limit()
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    rows = [measure_memory(spec, options.connections) for spec in specs]
    report.show(f"bytes per idle kept-alive connection, {options.connections} of them after a request", rows)
    report.save(options.build, "memory", rows, servers=specs)


def measure_memory(spec, count):
    report.progress(f"{spec.partition('=')[0]}: {count} connections")
    with Server(spec) as server:
        # What the first connections take once (buffers of malloc, arenas) is not theirs.
        warm = connect(server, 10)
        before = memory_of(server.pid)
        clients = connect(server, count)
        time.sleep(1)  # buffers on their way back
        after = memory_of(server.pid)
        for client in warm + clients:
            client.close()
    each = {key: round((after[key] - before[key]) / count) for key in before}
    return {"server": server.name, "rss_bytes": each["VmRSS"], "page_table_bytes": each["VmPTE"]}


def run_idle(options):
    raise_descriptor_limit()
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    rows = [measure_idle(spec, options) for spec in specs]
    report.show(f"syscalls of {options.connections} idle connections in {options.seconds} s", rows)
    report.save(options.build, "idle", rows, servers=specs)


def measure_idle(spec, options):
    report.progress(f"{spec.partition('=')[0]}: {options.settle} + {options.seconds} s")
    with Server(spec) as server, tempfile.NamedTemporaryFile("r") as trace:
        strace = start_trace(server, trace.name)
        clients = connect(server, options.connections)
        time.sleep(options.settle)
        start, cpu_ns, sleeps = time.time(), server.cpu_ns(), sleeps_of(server.pid)
        time.sleep(options.seconds)
        end, cpu_ns, sleeps = time.time(), server.cpu_ns() - cpu_ns, sleeps_of(server.pid) - sleeps
        strace.terminate()
        strace.wait()
        for client in clients:
            client.close()
        calls = calls_between(trace.read(), start, end)
    return {"server": server.name, "syscalls": len(calls), "wakeups": sleeps, "cpu_us": cpu_ns / 1e3,
            "which": " ".join(sorted(set(calls))) or "-"}


def start_trace(server, path):
    """Every call with its time. From before the connections: to attach makes calls start anew."""
    strace = subprocess.Popen(["strace", "-f", "-ttt", "-q", "-o", path, "-p", str(server.pid)],
                              stderr=subprocess.DEVNULL)
    wait_until_traced(server.pid)
    return strace


def calls_between(trace, start, end):
    """The names of the calls that were begun, or ended, between two times."""
    calls = []
    for line in trace.splitlines():
        _, stamp, call = line.split(maxsplit=2)
        if start <= float(stamp) < end and not call.startswith(("+++", "---")):
            calls.append(call.removeprefix("<... ").replace("(", " ").split()[0])
    return calls


def connect(server, count):
    """Connections that each had one request answered."""
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", server.port), 10)
        client.sendall(REQUEST)
        answer = b""
        while b"Hello world!" not in answer:
            piece = client.recv(4096)
            if not piece:
                raise SystemExit(f"{server.name}: closed connection {len(clients)}")
            answer += piece
        clients.append(client)
    return clients


def memory_of(pid):
    """Bytes by the names of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return {key: int(fields[key].split()[0]) * 1024 for key in ("VmRSS", "VmPTE")}


def sleeps_of(pid):
    """How often threads of the process went to sleep: each wake-up ends in one."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        total += sum(int(line.split()[1]) for line in status.read_text().splitlines()
                     if line.startswith("voluntary_ctxt_switches"))
    return total


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
