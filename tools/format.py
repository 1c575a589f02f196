#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-format over the C++ sources: tools/format.py checks, tools/format.py --fix rewrites."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["include", "src", "tools", "tests", "examples", "bench"]


def sources():
    return sorted(str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]pp"))


def check(files):
    command = ["clang-format", "--dry-run", "--Werror", *files]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    places = Counter(re.findall(r"(?m)^(.+?):\d+:\d+: error: code should be clang-formatted", result.stderr))
    for path, count in places.items():
        print(f"{Path(path).relative_to(ROOT)}: {count} places")
    if not places:
        sys.stderr.write(result.stderr)
    print(f"format: {len(files)} files, {'clean' if result.returncode == 0 else 'run tools/format.py --fix'}")
    return result.returncode


def main(arguments):
    files = sources()
    if not files:
        print("format: no sources found")
        return 1
    if arguments == ["--fix"]:
        return subprocess.run(["clang-format", "-i", *files], check=False).returncode
    return check(files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
