# SPDX-License-Identifier: Apache-2.0
"""wrk: requests/s, latency and CPU per request, in interleaved rounds, as ratios to the first server."""

import contextlib
import statistics

from macro import report
from macro.servers import SERVER_CPU, Server, defaults

RATIO = {"requests_per_second": "rps_ratio", "p50_us": "p50_ratio", "p99_us": "p99_ratio",
         "cpu_us": "cpu_ratio"}


def add_arguments(parser):
    parser.add_argument("--connections", default="1,64,256", help="counts, with commas (1,64,256)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all servers and counts (5)")
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk (2)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    counts = [int(count) for count in options.connections.split(",")]
    runs = measure(options, specs, counts)
    rows = [row_of(count, name, runs[count]) for count in counts for name in runs[count]]
    report.show("wrk -t1, medians of the rounds", rows)
    report.save(options.build, "wrk", rows, servers=specs)


def measure(options, specs, counts):
    """runs[connections][server name]: one result for each round."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(spec, SERVER_CPU)) for spec in specs]
        runs = {count: {server.name: [] for server in servers} for count in counts}
        for round_ in range(options.rounds):
            report.progress(f"round {round_ + 1} of {options.rounds}")
            for count in counts:
                for server in servers:
                    runs[count][server.name].append(measure_once(server, count, options.seconds))
    return runs


def measure_once(server, connections, seconds):
    start = server.cpu_ns()
    result = report.wrk(server.url(), connections, seconds)
    return {**result, "cpu_us": (server.cpu_ns() - start) / 1e3 / result["requests"]}


def row_of(count, name, runs):
    reference = next(iter(runs.values()))
    row = {"server": name, "connections": count}
    for column in RATIO:
        ratios = [mine[column] / theirs[column] for mine, theirs in zip(runs[name], reference)]
        row[column] = round(statistics.median(run[column] for run in runs[name]), 2)
        row[RATIO[column]] = round(statistics.median(ratios), 3)
    return row
