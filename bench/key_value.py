#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/key_value.cpp beside redis-server, under redis-benchmark, by turns.

    apt install redis-server redis-tools    # Debian starts the service: stop it
    cmake --preset release && ninja -C build/release example_key_value
    bench/key_value.py                          # --help

Both servers run all the time, pinned to one CPU; the load is pinned to another one. The figure is the CPU
time of the server for each request, so it does not depend on what the load can do. A ratio above 1 means that
weft needs less. Each round measures both, in turns; the table has the medians of the rounds.
"""

import argparse
import re
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Server:
    def __init__(self, name, command, port, cpu):
        self.name, self.port = name, port
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=subprocess.DEVNULL)
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise SystemExit(f"{name} does not listen at port {port}")

    def cpu_ns(self):
        """What all threads have used."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def measure(server, test, pipeline, options):
    """(microseconds of the server's CPU for a request, requests per second)"""
    requests = options.requests * pipeline
    before = server.cpu_ns()
    command = ["taskset", "-c", options.load_cpu, "redis-benchmark", "-q", "-p", server.port, "-t", test,
               "-n", requests, "-P", pipeline, "-c", options.clients, "-d", options.size]
    command += ["-r", options.keys] if options.keys else []
    load = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True)
    used = server.cpu_ns() - before
    rate = float(re.findall(r"([\d.]+) requests per second", load.stdout)[-1])
    return used / requests / 1000, rate


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/example_key_value"))
    parser.add_argument("--tests", default="set,get,incr,mset")
    parser.add_argument("--pipelines", default="1,16")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=50_000, help="times the pipeline")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--size", type=int, default=3, help="of a value, in bytes")
    parser.add_argument("--keys", type=int, default=0, help="random ones of so many; 0: one key (0)")
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    options = parser.parse_args()
    ports = free_port(), free_port()
    redis = ["redis-server", "--port", str(ports[0]), "--save", "", "--appendonly", "no"]
    servers = [Server("redis", redis, ports[0], options.server_cpu),
               Server("weft", [options.program, f"127.0.0.1:{ports[1]}"], ports[1], options.server_cpu)]
    try:
        print("pipeline  test  redis us   weft us  ratio  requests/s: redis, weft")
        for pipeline in map(int, options.pipelines.split(",")):
            for test in options.tests.split(","):
                rounds = []
                for number in range(options.rounds):
                    order = servers if number % 2 else servers[::-1]
                    taken = {server.name: measure(server, test, pipeline, options) for server in order}
                    rounds.append((taken["redis"], taken["weft"]))
                redis_us, weft_us = (statistics.median(taken[i][0] for taken in rounds) for i in range(2))
                ratio = statistics.median(redis[0] / weft[0] for redis, weft in rounds)
                rates = [statistics.median(taken[i][1] for taken in rounds) for i in range(2)]
                figures = f"{redis_us:9.3f} {weft_us:9.3f} {ratio:6.2f}  {rates[0]:.0f}, {rates[1]:.0f}"
                print(f"{pipeline:8} {test:>5} {figures}", flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
