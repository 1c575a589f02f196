# SPDX-License-Identifier: Apache-2.0
"""instructions: user-mode instructions per request by callgrind, with wrk's request.

The slope between two loads: start-up does not count.
"""

import re
import tempfile

from macro import report
from macro.servers import Server, defaults


def add_arguments(parser):
    parser.add_argument("--connections", type=int, default=16, help="(16)")
    parser.add_argument("--seconds", default="2,6", help="the two loads (2,6)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    rows = []
    for spec in specs:
        points = [measure(spec, options.connections, int(seconds)) for seconds in options.seconds.split(",")]
        (instructions_0, requests_0), (instructions_1, requests_1) = points
        rows.append({"server": spec.partition("=")[0], "requests": requests_1 - requests_0,
                     "instructions": round((instructions_1 - instructions_0) / (requests_1 - requests_0))})
    report.show(f"user-mode instructions per request, {options.connections} connections", rows)
    report.save(options.build, "instructions", rows, servers=specs)


def measure(spec, connections, seconds):
    report.progress(f"{spec.partition('=')[0]} under callgrind, {seconds} s")
    with tempfile.NamedTemporaryFile("r") as output:
        prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output.name}", "-q"]
        with Server(spec, prefix=prefix) as server:
            requests = report.wrk(server.url(), connections, seconds)["requests"]
        found = re.search(r"^(?:totals|summary): (\d+)", output.read(), re.MULTILINE)
    return int(found[1]), requests
