# SPDX-License-Identifier: Apache-2.0
"""instructions: user-mode instructions per request by callgrind, with wrk's request or others.

The slope between two loads: start-up does not count.
"""

import re
import tempfile

from macro import report, requests
from macro.servers import LOAD_CPU, Server, defaults


def add_arguments(parser):
    parser.add_argument("--connections", type=int, default=16, help="(16)")
    parser.add_argument("--seconds", default="2,6", help="the two loads (2,6)")
    parser.add_argument("--share-cpu", action="store_true",
                        help="the server shares the CPU of the load: each poll finds all that can be there, "
                             "and the count is steady beside other work")
    parser.add_argument("--requests", default="hello",
                        help=f"kinds, with commas, of {', '.join(requests.SCRIPTS)} (hello)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)
    rows = [row_of(spec, kind, options) for kind in options.requests.split(",") for spec in specs]
    report.show(f"user-mode instructions per request, {options.connections} connections", rows)
    report.save(options.build, "instructions", rows, servers=specs)


def row_of(spec, kind, options):
    with requests.script(kind) as script:
        cpu = LOAD_CPU if options.share_cpu else None
        points = [measure(spec, options.connections, int(seconds), cpu, script)
                  for seconds in options.seconds.split(",")]
    (instructions_0, requests_0), (instructions_1, requests_1) = points
    return {"server": spec.partition("=")[0], "request": kind, "requests": requests_1 - requests_0,
            "instructions": round((instructions_1 - instructions_0) / (requests_1 - requests_0))}


def measure(spec, connections, seconds, cpu, script):
    report.progress(f"{spec.partition('=')[0]} under callgrind, {seconds} s")
    with tempfile.NamedTemporaryFile("r") as output:
        prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output.name}", "-q"]
        with Server(spec, cpu, prefix) as server:
            served = report.wrk(server.url(), connections, seconds, script=script)["requests"]
        found = re.search(r"^(?:totals|summary): (\d+)", output.read(), re.MULTILINE)
    return int(found[1]), served
