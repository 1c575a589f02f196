#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a test of each C++ block of a page of the guide: the block is the body of a fiber.

    tools/guide_snippets.py docs/guide/page.md page.cpp

The page's tests include a header of their own, guide.hpp, with what the snippets use."""

import re
import sys
from pathlib import Path

TEST = """
TEST(Guide, {name}) {{
  weft::run([] {{
#line {line} "{page}"
{body}
  }});
}}
"""


def blocks(text):
    """Each block: the line it begins on, the heading above it, its text."""
    for match in re.finditer(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
        before = text[:match.start()]
        heading = re.findall(r"^#+ (.*)$", before, re.M)[-1]
        yield before.count("\n") + 2, heading, match.group(1).rstrip()


def test_name(heading, count):
    words = re.findall(r"[A-Za-z0-9]+", heading)
    return "".join(word.capitalize() for word in words) + (str(count) if count > 1 else "")


def main():
    page, output = Path(sys.argv[1]), Path(sys.argv[2])
    seen = {}
    text = '#include "guide/guide.hpp"\n'
    for line, heading, body in blocks(page.read_text(encoding="utf-8")):
        seen[heading] = seen.get(heading, 0) + 1
        text += TEST.format(name=test_name(heading, seen[heading]), line=line, page=page, body=body)
    output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
