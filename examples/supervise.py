#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps a listening socket and runs a server with it, which it replaces on SIGHUP; no connection is lost:

    supervise.py 0.0.0.0:8080 weft serve --listen-fds

The command gets the socket as descriptor 3, with LISTEN_FDS and LISTEN_PID. SIGHUP starts the command anew;
if it still runs a second later the one before is sent SIGTERM, and drains. SIGTERM or SIGINT end all. Under
systemd with socket activation the socket is systemd's.
"""
import os
import signal
import socket
import subprocess
import sys

PASSED = 3
SIGNALS = {signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def open_socket(address):
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return  # systemd has opened it
    host, _, port = address.rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=4096).detach()
    if listener != PASSED:
        os.dup2(listener, PASSED)
        os.close(listener)


def start(command):
    # The shell becomes the command, so $$ is its process.
    shell = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *command]
    return subprocess.Popen(shell, pass_fds=[PASSED], preexec_fn=unblock)


def unblock():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def replace(server, command):
    """The one that serves from now on."""
    successor = start(command)
    try:
        successor.wait(timeout=1)
    except subprocess.TimeoutExpired:
        server.terminate()
        return successor
    print(f"supervise: the new server ended with {successor.returncode}; the old one stays", file=sys.stderr)
    return server


def main():
    address, *command = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    open_socket(address)
    server = start(command)
    draining = []
    while True:
        number = signal.sigwait(SIGNALS)
        draining = [old for old in draining if old.poll() is None]
        if number == signal.SIGHUP:
            old, server = server, replace(server, command)
            draining += [old] if server is not old else []
        elif number == signal.SIGCHLD:
            if server.poll() is not None:
                return server.returncode  # whoever started this starts it again
        else:
            server.terminate()
            os.close(PASSED)
            return max(process.wait() for process in [server, *draining])


if __name__ == "__main__":
    sys.exit(main())
