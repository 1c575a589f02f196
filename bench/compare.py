#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weft's HTTP server beside a bare epoll loop and its peers, in the same run.

    cmake --preset release -DWEFT_BUILD_BENCH=ON && cmake --build --preset release
    bench/compare.py slices            each measurement has its --help

Servers are NAME=COMMAND with {port} in it, the first is the reference; by default the bare loop and weft.
Each measurement prints a table and writes build/bench/MEASUREMENT.json with its command line. The figures are
in docs/perf.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from macro import flood, idle, instructions, slices, syscalls, wrk  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MEASUREMENTS = {
    "slices": (slices.add_arguments, slices.run, "CPU per request, requests/s, latency; to one percent"),
    "wrk": (wrk.add_arguments, wrk.run, "the same under wrk, in rounds"),
    "syscalls": (syscalls.add_arguments, syscalls.run, "counts per request, by strace"),
    "instructions": (instructions.add_arguments, instructions.run, "per request, by callgrind"),
    "memory": (idle.add_memory_arguments, idle.run_memory, "bytes per idle connection"),
    "idle": (idle.add_idle_arguments, idle.run_idle, "syscalls of a process with idle connections"),
    "flood": (flood.add_arguments, flood.run, "latency of a polite client beside ones that flood"),
}


def add_common(parser):
    parser.add_argument("servers", nargs="*", metavar="NAME=COMMAND", help="what is measured")
    parser.add_argument("--build", default=str(ROOT / "build" / "release"), help="directory (build/release)")
    parser.add_argument("--context", default="parallel", help="of weft serve (parallel)")
    parser.add_argument("--threads", type=int, default=1, help="of bare and weft (1)")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=[],
                        help="asio,nginx,spin (the bare loop, spinning): those of them that are there")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="MEASUREMENT")
    for name, (add_arguments, run, text) in MEASUREMENTS.items():
        command = commands.add_parser(name, help=text, description=text)
        add_arguments(command)
        add_common(command)
        command.set_defaults(run=run)
    options = parser.parse_args()
    options.build = str(Path(options.build).resolve())
    options.run(options)


if __name__ == "__main__":
    main()
