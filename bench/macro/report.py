# SPDX-License-Identifier: Apache-2.0
"""What all measurements share: the table on the screen, the file with its command line, progress, wrk."""

import datetime
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from macro.servers import LOAD_CPU

UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


def progress(text):
    print(f"... {text}", file=sys.stderr, flush=True)


def machine():
    return {"cpus": os.cpu_count(), "kernel": platform.release(), "machine": platform.machine(),
            "load_average": os.getloadavg()[0], "time": datetime.datetime.now().isoformat(timespec="seconds")}


def show(title, rows):
    """Prints rows (dictionaries with the same keys) as a table."""
    print(f"\n{title}")
    cells = [list(rows[0])] + [[_text(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))))


def save(build, name, rows, **more):
    """Writes build/bench/NAME.json: the rows, the command that made them, the machine."""
    folder = Path(build).parent / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    result = {"command": shlex.join(sys.argv), "machine": machine(), **more, "results": rows}
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {path}", flush=True)


def median_and_error(values):
    """The median, and its standard error from the median absolute deviation: outliers do not move either."""
    median = statistics.median(values)
    deviation = statistics.median(abs(value - median) for value in values)
    return median, 1.4826 * 1.2533 * deviation / len(values) ** 0.5


def wrk(url, connections, seconds, cpu=LOAD_CPU, script=None):
    """One run of wrk, with the requests of a script in Lua: requests, requests/s, p50 and p99 in us."""
    command = ["taskset", "-c", str(cpu), "wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s",
               *(["-s", script] if script else []), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"wrk saw errors:\n{text}")
    latency = {name: float(value) * UNITS_US[unit]
               for name, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)\b", text)}
    return {"requests": int(re.search(r"(\d+) requests in", text)[1]),
            "requests_per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            "p50_us": latency["50"], "p99_us": latency["99"]}


def _text(value):
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 100 else (
        f"{value:.0f}" if isinstance(value, float) else str(value))
