# SPDX-License-Identifier: Apache-2.0
"""The rules of tidy.py about the numbers of laws and invariants (docs/design/laws.md): each has one meaning,
what is cited exists, a test names each law, and public text cites none."""

import re

LAWS_PAGE = "docs/design/laws.md"
LAW = re.compile(r"(?m)^### (([A-Z]{1,2})\d{1,2}) ")
# **U1** or **U1 A name.**: what a page of docs/design defines.
INVARIANT = re.compile(r"\*\*(([A-Z]{1,2})\d{1,2})\b")
# Not -O2, %C3, a C5DB8 or c.W1; but the name of a test, L4_AWokenWaiter.
CITATION = re.compile(r"(?<![\w%&/.+:'-])(([A-Z]{1,2})\d{1,2})(?![0-9a-zA-Z%:'-])")
CITING = ("src/", "tests/", "tools/", "bench/", "examples/", "docs/design/", "docs/adr/")
# These name what they look for.
NOT_CITING = {"tools/tidy.py", "tools/tidy_laws.py", "tools/tidy_test.py"}
PUBLIC_TEXT = ("include/", "docs/guide/", "README.md")


def law_definitions(files):
    """(file, line, number, letters) for each law and each page's invariant."""
    for path, file in files.items():
        if path.startswith("docs/design/") and file.suffix == ".md":
            for line, match in file.matches(LAW if path == LAWS_PAGE else INVARIANT, file.text):
                yield file, line, match.group(1), match.group(2)


def rule_numbers_have_one_meaning(files):
    pages = {}
    for file, line, number, letters in law_definitions(files):
        page = pages.setdefault(letters, file.path)
        if page != file.path:
            yield file.finding(line, "laws", f"{number}: the numbers with {letters} are those of {page}")


def rule_cited_laws_exist(files):
    definitions = list(law_definitions(files))
    numbers = {number for _, _, number, _ in definitions}
    prefixes = {letters for _, _, _, letters in definitions}
    for path, file in files.items():
        if path in NOT_CITING or not path.startswith(CITING + PUBLIC_TEXT):
            continue
        for line, match in file.matches(CITATION, file.text):
            number, letters = match.groups()
            if letters in prefixes and path.startswith(PUBLIC_TEXT):
                yield file.finding(line, "laws", f"{number}: public text says it in words")
            elif letters in prefixes and number not in numbers:
                yield file.finding(line, "laws", f"{number} is not in {LAWS_PAGE} or a page of docs/design")


def rule_laws_have_tests(files):
    tests = "\n".join(file.text for file in files.values() if file.is_test and file.is_cpp)
    named = set(re.findall(r"\bTEST(?:_F|_P)?\(\w+,\s*([A-Z]{1,2}\d{1,2})_", tests))
    laws = files.get(LAWS_PAGE)
    for line, match in laws.matches(LAW, laws.text) if laws else ():
        if match.group(1) not in named:
            yield laws.finding(line, "laws", f"no test is named after it: TEST(..., {match.group(1)}_...)")


def rule_design_pages_are_indexed(files):
    index = files.get("docs/design/README.md")
    for path in files if index else ():
        name = path.removeprefix("docs/design/")
        if path.startswith("docs/design/") and path.endswith(".md") and path != index.path:
            if f"]({name})" not in index.text:
                yield index.finding(1, "laws", f"{name} is not in the index")


LAW_RULES = [rule_numbers_have_one_meaning, rule_cited_laws_exist, rule_laws_have_tests,
             rule_design_pages_are_indexed]
