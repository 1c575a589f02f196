#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-format over the C++ sources: tools/format.py checks, tools/format.py --fix rewrites."""

import subprocess
import sys
from pathlib import Path

FOLDERS = ["include", "src", "tools", "tests", "examples", "bench"]


def main(arguments):
    root = Path(__file__).resolve().parent.parent
    files = [path for folder in FOLDERS for path in (root / folder).rglob("*.[ch]pp")]
    if not files:
        print("format: no sources found")
        return 1
    mode = ["-i"] if arguments == ["--fix"] else ["--dry-run", "--Werror"]
    result = subprocess.run(["clang-format", *mode, *sorted(map(str, files))], check=False)
    print(f"format: {len(files)} files, {'clean' if result.returncode == 0 else 'run tools/format.py --fix'}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
