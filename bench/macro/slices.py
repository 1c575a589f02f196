# SPDX-License-Identifier: Apache-2.0
"""slices: CPU per request of whole server processes, as ratios to the first, in interleaved slices.

Each slice is compared with the mean of the two slices of the reference around it, so drift cancels; slices in
which the host stalled are left out. A second copy of the reference shows the error of the method. Servers run
on cpu 0, the load on cpu 1. The standard error is about 1 % after a minute on a machine with nothing else to
do. load_busy is the part of its core that the load used: near 1, no server could have got more requests.
"""

import collections
import contextlib
import statistics
import subprocess
from pathlib import Path

from macro import report
from macro.servers import LOAD_CPU, SERVER_CPU, Server, defaults

FIELDS = "requests cpu_ns wall_ns p50_ns p99_ns gap_ns load_cpu_ns".split()


def add_arguments(parser):
    parser.add_argument("--connections", default="64,4", help="counts, with commas (64,4)")
    parser.add_argument("--seconds", type=int, default=60, help="for each count (60)")
    parser.add_argument("--slice-ms", type=int, default=50, help="length of a slice (50)")
    parser.add_argument("--load", choices=["lean", "wrk"], default="lean",
                        help="wrk: as wrk does it, two epoll_ctl a request; slower (lean)")
    parser.add_argument("--stall-ms", type=float, default=2.5, help="a longer pause spoils a slice (2.5)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    specs = specs + ["again=" + specs[0].partition("=")[2]]
    rows = []
    for connections in map(int, options.connections.split(",")):
        report.progress(f"{connections} connections, {options.seconds} s")
        slices = load(options, specs, connections)
        found, note = summarize(slices, options.stall_ms)
        report.show(f"{connections} connections, {options.load} load: {note}", found)
        rows += [{"connections": connections, **row} for row in found]
    report.save(options.build, "slices", rows, servers=specs)


def load(options, specs, connections):
    program = Path(options.build) / "bin" / "slice_load"
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(spec, SERVER_CPU)) for spec in specs]
        arguments = [f"{server.name}:{server.pid}:{server.port}" for server in servers]
        command = ["taskset", "-c", str(LOAD_CPU), program, str(connections), str(options.slice_ms),
                   str(options.seconds), options.load, *arguments]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [parse(line) for line in output.stdout.splitlines()]


def parse(line):
    name, *numbers = line.split()
    values = dict(zip(FIELDS, map(int, numbers)))
    return {"name": name, "gap_ms": values["gap_ns"] / 1e6,
            "cpu": values["cpu_ns"] / 1e3 / values["requests"],
            "rps": values["requests"] * 1e9 / values["wall_ns"], "p50": values["p50_ns"] / 1e3,
            "p99": values["p99_ns"] / 1e3, "load": values["load_cpu_ns"] / values["wall_ns"]}


def summarize(slices, stall_ms):
    """A row for each server, and what to know of the run."""
    gap = statistics.median(slice_["gap_ms"] for slice_ in slices)
    limit = gap * 1.5 if gap > stall_ms else stall_ms
    good = [slice_["gap_ms"] <= limit for slice_ in slices]
    reference = slices[0]["name"]
    ratios, plain = collections.defaultdict(list), collections.defaultdict(list)
    for i, slice_ in enumerate(slices):
        if good[i]:
            plain[slice_["name"]].append(slice_)
        if slice_["name"] != reference and all(good[i - 1:i + 2]):
            row = ratio(slice_, (slices[i - 1], slices[i + 1]))
            ratios[slice_["name"]].append(row)
    note = f"{len(slices)} slices, {good.count(False)} left out (a pause over {limit:.1f} ms)"
    if limit > stall_ms:
        note += f"; the machine was BUSY: most slices had pauses over {stall_ms} ms"
    return [row_of(name, ratios[name], plain[name]) for name in plain], note


def ratio(slice_, around):
    return {key: slice_[key] * 2 / (around[0][key] + around[1][key]) for key in ("cpu", "rps", "p50", "p99")}


def row_of(name, ratios, plain):
    def middle(rows, key):
        return statistics.median(row[key] for row in rows) if rows else 1.0

    cpu, error = report.median_and_error([ratio["cpu"] for ratio in ratios]) if ratios else (1.0, 0.0)
    return {"server": name, "slices": len(ratios) or len(plain), "cpu_ratio": round(cpu, 3),
            "standard_error": round(error, 3), "rps_ratio": round(middle(ratios, "rps"), 3),
            "p50_ratio": round(middle(ratios, "p50"), 3), "p99_ratio": round(middle(ratios, "p99"), 3),
            "cpu_us": round(middle(plain, "cpu"), 2), "rps": round(middle(plain, "rps")),
            "p50_us": round(middle(plain, "p50"), 1), "p99_us": round(middle(plain, "p99"), 1),
            "load_busy": round(middle(plain, "load"), 2)}
