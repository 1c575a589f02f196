#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every operation while system calls fail. Usage: inject_test.py PATH-OF-EVERY_OPERATION [CASE...]

Each case lets strace fail some calls of one kind. The program must end by itself, each operation by a value
or by an error that has a text, and nothing may be left open. A case is "call:error:which": recvfrom:EINTR:3.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys

PROGRAM = sys.argv[1]
ONLY = sys.argv[2:]
TIMEOUT_S = 120
SKIPPED = 77

# Which calls: N is the N-th one, N+M every M-th from the N-th on, N.. all from the N-th on.
EINTR = ["accept4", "connect", "epoll_wait", "epoll_pwait2", "fcntl", "flock", "fsync",
         "io_uring_enter", "openat", "poll", "pread64", "preadv2", "pwrite64", "read", "readv",
         "recvfrom", "recvmmsg", "recvmsg", "sendfile", "sendmmsg", "sendmsg", "sendto", "splice",
         "waitid", "write", "writev"]
EAGAIN = ["accept4", "io_uring_enter", "recvfrom", "recvmsg", "sendto", "splice"]
NO_MEMORY = ["accept4", "bind", "connect", "epoll_ctl", "getdents64", "io_uring_enter", "io_uring_setup",
             "listen", "mkdir", "mkdirat", "openat", "recvmsg", "rename", "renameat2", "sendfile",
             "sendmsg", "setsockopt", "socket", "socketpair", "splice", "statx", "timerfd_settime",
             "unlink", "unlinkat"]
NO_FILES = ["accept4", "epoll_create1", "eventfd2", "fcntl", "openat", "pipe2", "pidfd_open", "socket",
            "socketpair", "timerfd_create"]
# Not write: it also wakes event loops, by eventfds, which are never full.
NO_SPACE = ["epoll_ctl", "fsync", "ftruncate", "mkdir", "mkdirat", "openat", "pwrite64", "writev"]
BROKEN = ["fsync", "getdents64", "pread64", "preadv2", "read", "sendfile", "statx", "unlink", "unlinkat"]
# The program's loader makes the first of these, and would end.
LATER = {"openat": 12, "pread64": 4, "read": 12}


def which_of(call):
    first = LATER.get(call, 1)
    return f"{first}", f"{first + 1}+2"


def cases():
    yield from (f"{call}:EINTR:{which}" for call in EINTR for which in which_of(call))
    yield from (f"{call}:EAGAIN:{which}" for call in EAGAIN for which in ("2", "5+40"))
    for calls, error in ((NO_MEMORY, "ENOMEM"), (NO_FILES, "EMFILE"), (NO_SPACE, "ENOSPC"), (BROKEN, "EIO")):
        yield from (f"{call}:{error}:{which}" for call in calls for which in which_of(call))


def run(case):
    """The complaint about it, or nothing."""
    call, error, which = case.split(":")
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace=?{call}",
               "-e", f"inject=?{call}:error={error}:when={which}", PROGRAM]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as hung:
        return f"{case}: hangs\n{(hung.stdout or b'').decode()}"
    if done.returncode in (0, 3):
        return ""
    return f"{case}: exit status {done.returncode}\n{done.stdout}{done.stderr}"


def strace_works():
    probe = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=getpid:error=EPERM", "true"]
    return shutil.which("strace") is not None and subprocess.run(probe, check=False).returncode == 0


def main():
    if not strace_works():
        print("strace cannot trace here")
        return SKIPPED
    plain = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if plain.returncode != 0 or any(not line.endswith(": ok") for line in plain.stdout.splitlines()):
        print(f"without a fault: exit status {plain.returncode}\n{plain.stdout}{plain.stderr}")
        return 1
    wanted = ONLY or list(cases())
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        complaints = [complaint for complaint in pool.map(run, wanted) if complaint]
    print("\n".join(complaints))
    print(f"{len(wanted)} cases, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
