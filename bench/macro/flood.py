# SPDX-License-Identifier: Apache-2.0
"""flood: the latency of a polite client beside clients that send legal bodies of one-byte chunks, endlessly.

What is asked: a bound in time, not in counts, on how long one connection keeps a thread. A process floods, so
that this one's clock is not disturbed by it."""

import multiprocessing
import socket
import threading
import time

from macro import report
from macro.servers import Server, defaults

POLITE = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
FLOOD = (b"POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n")


def add_arguments(parser):
    parser.add_argument("--flooders", type=lambda text: [int(part) for part in text.split(",")],
                        default=[0, 1, 2, 4], help="how many, in turn (0,1,2,4)")
    parser.add_argument("--seconds", type=float, default=4, help="of polite requests each (4)")


def run(options):
    specs = options.servers or defaults(options.build, options.context, options.threads, options.peers)[1:]
    rows = [measure(spec, flooders, options.seconds) for spec in specs for flooders in options.flooders]
    report.show("latency of a polite GET beside clients that flood with one-byte chunks", rows)
    report.save(options.build, "flood", rows, servers=specs)


def measure(spec, flooders, seconds):
    report.progress(f"{spec.partition('=')[0]}: {flooders} flooders")
    with Server(spec) as server:
        processes = [multiprocessing.Process(target=flood, args=(server.port,), daemon=True)
                     for _ in range(flooders)]
        for process in processes:
            process.start()
        time.sleep(0.5)
        taken_ms = sorted(polite(server.port, seconds))
        if not all(process.is_alive() for process in processes):
            raise SystemExit(f"{server.name}: a flooding client was cut off")
        for process in processes:
            process.kill()
            process.join()
    return {"server": server.name, "flooders": flooders, "requests": len(taken_ms),
            "p50_ms": round(taken_ms[len(taken_ms) // 2], 2),
            "p99_ms": round(taken_ms[int(len(taken_ms) * 0.99)], 2), "max_ms": round(taken_ms[-1], 2)}


def flood(port):
    connection = socket.create_connection(("127.0.0.1", port))

    def discard_answers():
        while connection.recv(1 << 20):
            pass

    threading.Thread(target=discard_answers, daemon=True).start()
    while True:
        connection.sendall(FLOOD)


def polite(port, seconds):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(30)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        connection.sendall(POLITE)
        if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
            raise SystemExit("the polite client was refused")
        yield (time.monotonic() - begin) * 1e3
        time.sleep(0.003)
