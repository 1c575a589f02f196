#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a test of each C++ block of a page of the guide.

    tools/guide_snippets.py docs/guide/page.md page.cpp

A block is the body of a fiber, and runs. One that begins with ```cpp compile is only compiled, as the body
of a function; one with ```cpp file, as a file. The tests include guide.hpp, with what the snippets use."""

import re
import sys
from pathlib import Path

RUN = """
TEST(Guide, {name}) {{
  weft::run([] {{
#line {line} "{page}"
{body}
  }});
}}
"""

COMPILE = """
[[maybe_unused]] void {name}_compiles() {{
#line {line} "{page}"
{body}
}}
"""

FILE = """
#line {line} "{page}"
{body}
"""

TEMPLATES = {"": RUN, "compile": COMPILE, "file": FILE}


def blocks(text):
    """Each block: how it is tested, the line it begins on, the heading above it, its text."""
    for match in re.finditer(r"^```cpp ?(\w*)\n(.*?)^```$", text, re.M | re.S):
        before = text[:match.start()]
        heading = re.findall(r"^#+ (.*)$", before, re.M)[-1]
        yield match.group(1), before.count("\n") + 2, heading, match.group(2).rstrip()


def test_name(heading, count):
    words = re.findall(r"[A-Za-z0-9]+", heading)
    return "".join(word.capitalize() for word in words) + (str(count) if count > 1 else "")


def main():
    page, output = Path(sys.argv[1]), Path(sys.argv[2])
    seen = {}
    text = '#include "guide/guide.hpp"\n'
    for kind, line, heading, body in blocks(page.read_text(encoding="utf-8")):
        seen[heading] = seen.get(heading, 0) + 1
        name = test_name(heading, seen[heading])
        text += TEMPLATES[kind].format(name=name, line=line, page=page, body=body)
    output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
