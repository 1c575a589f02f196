# SPDX-License-Identifier: Apache-2.0
"""syscalls: counts per kept-alive request by strace -c, and epoll_wait's ratio to the first server."""

import subprocess
import tempfile
import time

from macro import report
from macro.servers import Server, defaults

READS = {"read", "recvfrom", "recvmsg", "readv"}
WRITES = {"write", "sendto", "sendmsg", "writev", "io_uring_enter"}  # the last: several responses
WAITS = {"epoll_wait", "epoll_pwait", "epoll_pwait2"}


def add_arguments(parser):
    parser.add_argument("--connections", type=int, default=64, help="(64)")
    parser.add_argument("--seconds", type=int, default=4, help="of each of the two loads (4)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    rows = []
    for spec in specs:
        report.progress(spec.partition("=")[0])
        rows.append(measure(spec, options))
    for row in rows:
        row["wait_ratio"] = round(row["epoll_wait"] / rows[0]["epoll_wait"], 2)
    report.show(f"syscalls per request, {options.connections} connections", rows)
    report.save(options.build, "syscalls", rows, servers=specs)


def measure(spec, options):
    with Server(spec) as server:
        report.wrk(server.url(), options.connections, 1)  # what happens once has happened
        counts, requests = traced(server, lambda: load(server, options))
    per_request = {name: count / requests for name, count in counts.items()}

    def total(names):
        return round(sum(per_request.get(name, 0) for name in names), 4)

    known = READS | WRITES | WAITS | {"epoll_ctl"}
    once = {"accept4", "accept", "close", "setsockopt", "getsockopt", "getsockname", "restart_syscall"}
    others = {name: value for name, value in per_request.items() if name not in known | once}
    # A connection costs an epoll_ctl, and one to delete it: what is beyond that is the requests'.
    control = max(0, counts.get("epoll_ctl", 0) - 2 * options.connections) / requests
    return {"server": server.name, "requests": requests, "read": total(READS), "write": total(WRITES),
            "epoll_wait": total(WAITS), "epoll_ctl": round(control, 4), "futex": total({"futex"}),
            "others": round(sum(others.values()), 4), "most": max(others, key=others.get) if others else "-",
            "others_a_second": round(sum(counts[name] for name in others) / options.seconds)}


def load(server, options):
    return report.wrk(server.url(), options.connections, options.seconds)["requests"]


def traced(server, work):
    """{syscall: count} of all threads of the server during work(), and what work() returned."""
    with tempfile.NamedTemporaryFile("r") as output:
        strace = subprocess.Popen(["strace", "-f", "-c", "-q", "-o", output.name, "-p", str(server.pid)],
                                  stderr=subprocess.DEVNULL)
        wait_until_traced(server.pid)
        result = work()
        strace.terminate()
        strace.wait()
        return parse(output.read()), result


def wait_until_traced(pid):
    while "TracerPid:\t0\n" in open(f"/proc/{pid}/status", encoding="ascii").read():
        time.sleep(0.05)
    time.sleep(0.3)  # its other threads


def parse(table):
    counts = {}
    for line in table.splitlines():
        cells = line.split()
        if len(cells) >= 5 and cells[3].isdigit() and cells[-1] != "total":
            counts[cells[-1]] = int(cells[3])
    return counts
