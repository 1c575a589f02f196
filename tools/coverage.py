#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Line coverage of a build of the preset coverage: tools/coverage.py build/coverage [--min P].

Reads what gcov says of every .gcda below the build, of include/ and src/ without the tests. A line counts as
covered if any translation unit ran it. With --min, less than P percent in all is a failure.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def gcov(data_file):
    """The files that gcov's JSON for one .gcda is about."""
    command = ["gcov", "--json-format", "--stdout", str(data_file)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for document in filter(None, output.split("\n")):
        yield from json.loads(document)["files"]


def is_ours(path):
    return path.parts[0] in ("include", "src") and not path.stem.endswith("_test")


def relative(name):
    path = Path(name).resolve()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else None


def collect(build):
    """{path: {line: times run}} over all translation units."""
    lines = defaultdict(lambda: defaultdict(int))
    for data_file in sorted(build.rglob("*.gcda")):
        for file in gcov(data_file.resolve()):
            path = relative(file["file"])
            if path and is_ours(path):
                for line in file["lines"]:
                    lines[path][line["line_number"]] += line["count"]
    return lines


def percent(covered, total):
    return 100.0 * covered / total if total else 100.0


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--min", type=float, default=0.0)
    options = parser.parse_args(arguments)
    covered_all = total_all = 0
    for path, lines in sorted(collect(options.build).items()):
        covered = sum(count > 0 for count in lines.values())
        covered_all, total_all = covered_all + covered, total_all + len(lines)
        missed = [str(line) for line, count in sorted(lines.items()) if count == 0][:12]
        print(f"{percent(covered, len(lines)):6.1f} %  {path}", *(["missed:"] + missed if missed else []))
    if not total_all:
        print(f"coverage: no .gcda below {options.build}: run its tests first")
        return 1
    print(f"coverage: {percent(covered_all, total_all):.1f} % of {total_all} lines")
    return 1 if percent(covered_all, total_all) < options.min else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
