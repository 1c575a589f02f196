#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft serve` beside slow clients. Usage: slow_client_test.py PATH-OF-WEFT headers|body|range|read"""
import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

SLOWHTTPTEST = "/usr/bin/slowhttptest"
MODES = {  # the attack's options, and the path that it asks for
    "headers": (["-H"], "/hello"),
    "body": (["-B", "-t", "POST", "-s", "65536"], "/echo"),
    "range": (["-R", "-t", "HEAD"], "/hello"),
    "read": (["-X", "-t", "GET", "-k", "10", "-n", "1", "-z", "5", "-w", "64", "-y", "128"], "/hello"),
}
ATTACK = ["-c", "200", "-r", "200", "-i", "1", "-l", "5", "-p", "2"]
ATTACK_MIN = 5  # seconds; an attack that ends sooner, its requests being answered, begins again
ATTACK_END = 30  # seconds after which an attack of 5 s is taken for stuck
ANSWER_MAX = 5
PAUSE = 0.1
REQUESTS_MIN = 10
STOP_MAX = 20
START_MAX = 20


class Failure(Exception):
    pass


def expect(holds, message):
    if not holds:
        raise Failure(message)


class Server:
    """A running `weft serve`, whose stderr is read to its end, so that it never waits for us."""

    def __init__(self, weft):
        command = [weft, "serve", "--address", "127.0.0.1:0", "--threads", "1"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port = None
        self.lines = []
        self.settled = threading.Event()  # listening, or ended
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.match(r"weft serve: listening at http://.*:(\d+)$", line.strip())
            if found:
                self.port = int(found.group(1))
                self.settled.set()
        self.settled.set()

    def wait_until_listening(self):
        self.settled.wait(START_MAX)
        expect(self.port is not None, f"the server did not say where it listens within {START_MAX} s")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_MAX)
        except subprocess.TimeoutExpired:
            raise Failure(f"the server has not ended {STOP_MAX} s after SIGTERM") from None
        expect(status == 0, f"the server ended with status {status}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def request(port):
    """A request on a connection of its own: how long its answer took."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_MAX)
    try:
        connection.request("GET", "/hello")
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"a normal request failed: {error!r}") from error
    finally:
        connection.close()
    took = time.monotonic() - began
    expect(response.status == 200 and body == b"Hello world!", f"answered {response.status} {body!r}")
    expect(took <= ANSWER_MAX, f"a normal request took {took:.1f} s")
    return took


def start_attack(mode, port, log):
    options, path = MODES[mode]
    command = [SLOWHTTPTEST, *options, *ATTACK, "-u", f"http://127.0.0.1:{port}{path}"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def request_during(attack, port):
    """Normal requests for as long as the attack runs: how long each took."""
    end = time.monotonic() + ATTACK_END
    took = []
    while attack.poll() is None:
        expect(time.monotonic() < end, f"slowhttptest still runs after {ATTACK_END} s")
        took.append(request(port))
        time.sleep(PAUSE)
    return took


def attack_once(mode, port):
    with tempfile.TemporaryFile() as log:
        attack = start_attack(mode, port, log)
        try:
            took = request_during(attack, port)
        finally:
            if attack.poll() is None:
                attack.kill()
                attack.wait()
        log.seek(0)
        said = log.read().decode(errors="replace")[-2000:]
    expect(attack.returncode == 0, f"slowhttptest ended with status {attack.returncode}:\n{said}")
    return took


def attack_and_request(mode, port):
    end = time.monotonic() + ATTACK_MIN
    took = attack_once(mode, port)
    while time.monotonic() < end:
        took += attack_once(mode, port)
    expect(len(took) >= REQUESTS_MIN, f"there was time for {len(took)} normal requests only")
    return took


def run(weft, mode):
    expect(os.access(SLOWHTTPTEST, os.X_OK), f"{SLOWHTTPTEST} is missing: apt-get install slowhttptest")
    server = Server(weft)
    try:
        server.wait_until_listening()
        took = attack_and_request(mode, server.port)
        server.stop()
    finally:
        server.kill()
        server.reader.join()
        print("".join(server.lines), end="")
    print(f"{mode}: {len(took)} normal requests, the slowest took {max(took) * 1000:.1f} ms")


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in MODES:
        sys.exit(__doc__)
    try:
        run(sys.argv[1], sys.argv[2])
    except Failure as failure:
        sys.exit(f"FAILED: {sys.argv[2]}: {failure}")


if __name__ == "__main__":
    main()
