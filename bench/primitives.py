#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weft's channels, selects, mutexes and forks beside Go's and Boost.Fiber's, in the same run.

    apt-get install golang-go libboost-fiber1.81-dev
    cmake --preset release -DWEFT_BUILD_BENCH=ON && cmake --build --preset release
    bench/primitives.py

The programs take turns, so that a slow minute of the machine hits all of them. Each figure is the median of
the rounds, each of which is a median, too. ns for each operation (qsort: ms for each sort). A peer that is
not installed is left out. Writes build/bench/primitives.json. The figures are in docs/perf.md.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from macro import report  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent

# What is compared: name, of weft, of Go (threads and row), of Boost.Fiber, the bar.
ROWS = [
    ("channel round trip, 1 thread", "weft/round_trip/concurrent", "1 round_trip", "boost/round_trip", 120),
    ("channel round trip, 2 threads", "weft/round_trip/parallel2", "2 round_trip", None, 440),
    ("channel round trip, 2 contexts", "weft/round_trip/contexts2", "2 round_trip", None, None),
    ("channel round trip, 2 contexts of 2 threads", "weft/round_trip/parallels2", "2 round_trip", None, None),
    ("round trip, 2 std::threads", "std/round_trip/threads2", None, None, None),
    ("buffered channel, 1 thread", "weft/buffered/concurrent", "1 buffered", "boost/buffered", 25),
    ("buffered channel, 2+2, 2 threads", "weft/two_and_two/parallel2", "2 two_and_two", None, 60),
    ("buffered channel, 2 contexts", "weft/buffered/contexts2", "2 buffered", None, None),
    ("buffered channel, 2 contexts of 2 threads", "weft/buffered/parallels2", "2 buffered", None, None),
    ("buffered queue, 2 std::threads", "std/buffered/threads2", None, None, None),
    ("select over 4, one is ready", "weft/select_ready/concurrent", "1 select_ready", None, None),
    ("select over 4, waits", "weft/select_wait/concurrent", "1 select_wait", None, None),
    ("pair of CAS", "pair of CAS", None, None, None),
    ("mutex", "Mutex", "1 mutex", "boost mutex", None),
    ("mutex, contended, 2 threads", "contended, 2 threads", "2 contended", "boost contended, 2 threads", 28),
    ("fork-join, 1 thread", "fork-join by handle/parallel 1", "1 fork_join", "boost fork-join/1", 300),
    ("fork-join, 2 threads", "fork-join by handle/parallel 2", "2 fork_join", "boost fork-join/2", 200),
    ("fork-join in a group, 1 thread", "fork-join/parallel 1", "1 fork_join", "boost fork-join/1", 300),
    ("fork-join in a group, 2 threads", "fork-join/parallel 2", "2 fork_join", "boost fork-join/2", 200),
    ("spawn and join, 1 thread", "spawn and join/concurrent", "1 spawn_and_join", None, None),
    *((f"qsort, {threads} threads (ms)", f"qsort/{threads}", f"{threads} qsort", f"boost qsort/{threads}",
       None)
      for threads in (1, 2, 4, 8, 16)),
]


def run(*command):
    result = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, timeout=600)
    if result.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {result.returncode}")
    return result.stdout


def channels(programs):
    names = "|".join(row[column] for row in ROWS for column in (1, 3) if row[column] and "/" in row[column])
    output = run(programs / "bench_channel", "--benchmark_format=json", "--benchmark_min_time=0.05",
                 f"--benchmark_filter=^({names})/", "--benchmark_repetitions=1")
    for entry in json.loads(output)["benchmarks"]:
        yield re.sub("/(process_time|real_time)", "", entry["name"]), entry["real_time"]


def locks(programs):
    names = [row[column] for row in ROWS for column in (1, 3) if row[column] and "/" not in row[column]]
    for line in run(programs / "bench_sync", *names).splitlines()[1:]:
        name, median, *_ = re.split(r"\s{2,}", line)
        yield name, float(median)


def forks(programs):
    for line in run(programs / "bench_group").splitlines()[1:]:
        name, *figures = re.split(r"\s{2,}", line)
        for context, figure in zip(("concurrent", "parallel 1", "parallel 2"), figures):
            yield f"{name}/{context}", float(figure)


def sorts(programs):
    for line in run(programs / "bench_qsort").splitlines():
        name, figure, _ = line.split()
        yield name, float(figure)


def boost_forks(programs):
    program = programs / "bench_boost_forks"
    for line in run(program).splitlines() if program.exists() else ():
        name, figure = line.rsplit(maxsplit=1)
        yield name, float(figure)


def build_go(directory):
    if shutil.which("go") is None:
        return None
    program = directory / "peers"
    run("go", "build", "-o", program, ROOT / "bench/micro/peers/peers.go")
    return program


def go_rows(program):
    for threads in sorted({row[2].split()[0] for row in ROWS if row[2]}, key=int):
        names = [row[2].split()[1] for row in ROWS if row[2] and row[2].split()[0] == threads]
        for line in run(program, threads, *names).splitlines():
            name, figure = line.split()
            yield f"{threads} {name}", float(figure) / (1e6 if name == "qsort" else 1)


def measure(options):
    programs = options.build / "bin"
    (options.build / "bench").mkdir(exist_ok=True)
    go = build_go(options.build / "bench")
    figures = {}
    for number in range(options.rounds):
        report.progress(f"round {number + 1} of {options.rounds}")
        for source in (channels, locks, forks, sorts, boost_forks):
            for name, figure in source(programs):
                figures.setdefault(name, []).append(figure)
        for name, figure in go_rows(go) if go else ():
            figures.setdefault(name, []).append(figure)
    return {name: statistics.median(values) for name, values in figures.items()}


def table(figures):
    for name, weft, go, boost, bar in ROWS:
        peers = [figures[peer] for peer in (go, boost) if peer in figures]
        yield {"": name, "weft": figures[weft], "Go": figures.get(go, "-"),
               "Boost.Fiber": figures.get(boost, "-"),
               "x best peer": figures[weft] / min(peers) if peers else "-",
               "bar": bar or "-"}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=ROOT / "build" / "release",
                        help="directory (build/release)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = list(table(measure(options)))
    report.show("ns for each operation", rows)
    report.save(options.build, "primitives", rows)


if __name__ == "__main__":
    main()
