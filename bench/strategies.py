#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The event loop strategies measured on this machine: every scenario of weft compare, written to
docs/guide/measured.md with a plot each. About 15 minutes; nothing else should run meanwhile.

    bench/strategies.py                    needs build/release/bin/weft, wrk and strace
    bench/strategies.py http handoff       these scenarios only; the others' sections stay"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/guide/measured.md"

# Each section: its name, what it is about, the command's arguments.
SECTIONS = {
    "http": ("The plain server, kept-alive connections", ["http"]),
    "broadcast": ("Under broadcast each edge wakes every loop: a context for each thread",
                  ["http", "--strategies", "rearm-thread,lifetime,broadcast", "--threads", "2,4", "--",
                   "--context", "sharded"]),
    "handoff": ("A connection is accepted in one context and served in another", ["handoff"]),
    "starved": ("Sockets of one context while the threads of another compute", ["starved"]),
    "contention": ("Wake-ups within a context and across two", ["contention"]),
    "churn": ("A connection for each request", ["churn"]),
    "idle": ("10,000 idle connections and 4 active ones", ["idle"]),
    "bounce": ("Lines from several contexts to one socket", ["bounce"]),
}
INTRODUCTION = """# The strategies, measured

`bench/strategies.py` measured the strategies against each other on two virtual CPUs of a shared machine; wrk,
or the program that drives the load, ran on one of them. Each section is the unchanged output of the command
above it. [weft compare](compare.md) explains the columns and the method.
"""


def section(name, weft):
    title, arguments = SECTIONS[name]
    plot = PAGE.parent / "plots" / f"{name}.svg"
    json = ROOT / "build/bench" / f"strategies_{name}.json"
    split = arguments.index("--") if "--" in arguments else len(arguments)
    files = ["--plot", str(plot), "--json", str(json)]
    command = [str(weft), "compare", *arguments[:split], *files, *arguments[split:]]
    print(f"... weft compare {' '.join(arguments)}", flush=True)
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    if result.returncode != 0:
        sys.exit(f"error: weft compare {' '.join(arguments)} ended with {result.returncode}")
    image = f"\n![{title}](plots/{name}.svg)\n" if plot.exists() else ""
    return f"## {title}\n\n`weft compare {' '.join(arguments)}`\n\n```\n{result.stdout.strip()}\n```\n{image}"


def known_sections():
    if not PAGE.exists():
        return {}
    titles = {title: name for name, (title, _) in SECTIONS.items()}
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    headed = ((part.partition("\n")[0], "## " + part) for part in parts)
    return {titles[title]: text for title, text in headed if title in titles}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[], metavar="scenario")
    parser.add_argument("--weft", type=Path, default=ROOT / "build/release/bin/weft")
    options = parser.parse_args()
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    (PAGE.parent / "plots").mkdir(exist_ok=True)
    texts = known_sections()
    for name in options.sections or SECTIONS:
        texts[name] = section(name, options.weft)
        known = [texts[each].rstrip() + "\n" for each in SECTIONS if each in texts]
        PAGE.write_text("\n".join([INTRODUCTION, *known]), encoding="utf-8")


if __name__ == "__main__":
    main()
