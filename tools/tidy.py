#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mechanical half of weft's style: what can be checked is checked here, the rest is judged in review.

    tools/tidy.py [ROOT]        prints path:line: [rule] what, and exits 1 if there is anything to print

Each rule is a generator over a SourceFile or over the whole tree, listed in RULES or TREE_RULES at the end.
tools/tidy_test.py plants a violation of each and sees it found.
"""

import ast
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tidy_laws import LAW_RULES

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 110

# docs/design/README.md, left to right: a layer includes itself and what stands before it.
LAYERS = ["base", "sys", "fiber", "event_loop", "execution_context", "sync", "blocking", "io", "fs",
          "process", "net", "http"]

# The layer of each public header that is not in a folder of its layer (net/, http/). "all": the umbrella
# headers, which no layer may include.
PUBLIC_HEADER_LAYER = {
    "access": "base",
    "atomic": "base", "buffer": "base", "buffer_source": "base", "deadline": "base", "error": "base",
    "duration_ns": "base", "exchange_deadlines": "base", "failure": "base",
    "outcome": "base", "result": "base", "source_location": "base",
    "fiber_start": "fiber", "spawn_options": "fiber",
    "counters": "event_loop", "event_loop_strategy": "event_loop", "descriptor_handle": "event_loop",
    "peer_end": "event_loop",
    "execution_context": "execution_context", "join_handle": "execution_context", "run": "execution_context",
    "deadlock": "execution_context", "dump": "execution_context", "migration": "execution_context",
    "memory": "execution_context", "monitor": "execution_context",
    "signal": "execution_context", "this_fiber": "execution_context",
    "condition_variable": "sync", "countdown": "sync", "latch": "sync", "lock_owner": "sync", "mutex": "sync",
    "once": "sync", "semaphore": "sync", "shared_mutex": "sync", "wait_group": "sync", "wait_queue": "sync",
    "broadcast_channel": "sync", "broadcast_core": "sync", "shared_value": "sync",
    "watch_channel": "sync", "watch_core": "sync",
    "boot_clock": "sync", "rate": "sync", "rate_limiter": "sync", "ticker": "sync",
    "channel": "sync", "channel_core": "sync", "select": "sync", "select_branch": "sync",
    "signal_set": "sync", "signal_set_core": "sync",
    "all": "sync", "cancel_node_storage": "sync", "cancel_scope": "sync", "cancel_token": "sync",
    "group_core": "sync", "race": "sync", "scoped_value": "sync", "task_group": "sync",
    "with_timeout": "sync",
    "blocking": "blocking", "blocking_call": "blocking", "blocking_pool": "blocking",
    "peer_scope_core": "net", "socket_file": "net",
    "stream_access": "event_loop", "file_source": "event_loop",
    "runtime": "all", "weft": "all",
}

# Where a fiber's exceptions end, and so the only places for a catch (...).
CATCH_ALL_ALLOWED = {"src/fiber/fiber.cpp", "src/fiber/escaped_exception.cpp", "src/sync/group_core.cpp",
                     # what f throws goes on in the caller of blocking(f)
                     "src/blocking/pool_thread.cpp",
                     # a handler's exceptions end with its exchange; what a catch block holds
                     "src/http/server/exchange.cpp", "src/base/current_exception.cpp"}
ATOMICS_ALLOWED = {"src/base/atomic.hpp", "include/weft/detail/atomic.hpp"}
# Enumerations whose values have names of another standard: std::errc, HTTP, system calls.
FOREIGN_ENUMERATORS = {"Errc", "NameErrc", "Method", "Status", "Version", "Call"}
# These name what they forbid.
MARKS_ALLOWED = {"tools/tidy.py", "tools/tidy_test.py"}

SKIPPED_DIRECTORIES = {".git", "build", "__pycache__", ".cache", ".vscode", ".idea"}
CPP = {".cpp", ".hpp", ".c", ".h"}
CODE = CPP | {".S", ".py", ".cmake", ".sh", ".bash"}
CODE_NAMES = {"CMakeLists.txt", "run", "test"}
TEXT = CODE | {".md", ".txt", ".json", ".yml", ".yaml", ".in"}
TEXT_NAMES = CODE_NAMES | {".clang-format", ".clang-tidy", ".editorconfig"}
SPDX = "SPDX-License-Identifier: Apache-2.0"


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.what}"


@dataclass
class SourceFile:
    path: str  # relative to the root, with /
    text: str

    @cached_property
    def lines(self):
        return self.text.split("\n")[:-1] if self.text.endswith("\n") else self.text.split("\n")

    @cached_property
    def suffix(self):
        return Path(self.path).suffix

    @cached_property
    def is_cpp(self):
        return self.suffix in CPP

    @cached_property
    def is_code(self):
        return self.suffix in CODE or Path(self.path).name in CODE_NAMES

    @cached_property
    def is_test(self):
        return self.path.startswith("tests/") or Path(self.path).stem.endswith("_test")

    @cached_property
    def bare(self):
        """The C++ text with comments and literals blanked, every line where it was."""
        return blank_comments_and_literals(self.text)

    def finding(self, line, rule, what):
        return Finding(self.path, line, rule, what)

    def matches(self, pattern, text=None):
        """(line number, match) for each match in the text, by default with comments and literals blanked."""
        text = self.bare if text is None else text
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, match


LITERALS_AND_COMMENTS = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![\w])'(?:\\.|[^'\\\n])+'", re.S)


def blank_comments_and_literals(text):
    def blank(match):
        before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if re.match(r"\s*#\s*include\s*$", before):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return LITERALS_AND_COMMENTS.sub(blank, text)


# --- Layers -------------------------------------------------------------------------------------------------

def public_header_layer(include):
    """The layer of <weft/...>: by its folder, or by the table; None if the table does not know it."""
    parts = [part for part in include.split("/")[1:] if part != "detail"]
    if parts[0] in LAYERS:
        return parts[0]
    return PUBLIC_HEADER_LAYER.get(Path(parts[-1]).stem)


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ["include", "weft"]:
        return public_header_layer("/".join(parts[1:]))
    return None


def includes(file):
    for line, match in file.matches(r'(?m)^[ \t]*#\s*include\s*([<"])([^>"]+)[>"]'):
        yield line, match.group(2), match.group(1) == "<"


def layer_of_include(include):
    if include.startswith("weft/"):
        return public_header_layer(include)
    first = include.split("/")[0]
    return first if "/" in include and first in LAYERS else None


def rule_layers(file):
    layer = layer_of(file.path)
    if not file.is_cpp or layer not in LAYERS:
        return
    for line, include, angled in includes(file):
        target = layer_of_include(include)
        if angled and not include.startswith("weft/"):
            continue  # <sys/stat.h> is the system's
        if include.startswith("weft/") and target is None:
            yield file.finding(line, "layers", f"{include} is not in PUBLIC_HEADER_LAYER (tools/tidy.py)")
        elif target == "all":
            yield file.finding(line, "layers", f"{include} is for users: a layer includes what it needs")
        elif target and LAYERS.index(target) > LAYERS.index(layer):
            yield file.finding(line, "layers", f"{layer} includes {include}, to its right, in {target}")


def rule_http_stands_on_public_headers(file):
    if not file.path.startswith("src/http/") or not file.is_cpp or file.is_test:
        return
    for line, include, _ in includes(file):
        target = layer_of_include(include)
        if not include.startswith("weft/") and target not in (None, "http", "base"):
            yield file.finding(line, "layers", f"http uses public headers only, not {include}")
        if file.path.startswith("src/http/protocol/") and target not in (None, "http", "base"):
            yield file.finding(line, "layers", f"http/protocol has no fibers and no fds: not {include}")


def rule_public_headers_stand_alone(file):
    users = ("include/", "examples/", "tests/stranger/")
    for line, include, angled in includes(file) if file.path.startswith(users) and file.is_cpp else ():
        inside = file.path.startswith("include/")
        system = angled and include.startswith("sys/")  # <sys/wait.h>: ours are included with quotes
        if (include.split("/")[0] in LAYERS and "/" in include and not system) or (
                include.startswith("weft/detail/") and not inside):
            yield file.finding(line, "public", f"{include} is private: a user does not have it")
        if inside and not angled:
            yield file.finding(line, "public", f'write <{include}> in a public header, not "{include}"')


def rule_include_from_the_root(file):
    for line, include, _ in includes(file) if file.is_cpp else ():
        if include.startswith("../") or "/../" in include:
            yield file.finding(line, "include", f"{include}: include from an include root, not relatively")


# --- Sizes --------------------------------------------------------------------------------------------------

def rule_file_size(file):
    if file.is_code and len(file.lines) > FILE_LINES_MAX:
        yield file.finding(1, "file-size", f"{len(file.lines)} lines, at most {FILE_LINES_MAX}")


def rule_columns(file):
    for number, line in enumerate(file.lines if file.is_code else (), 1):
        if len(line) > COLUMNS_MAX:
            yield file.finding(number, "columns", f"{len(line)} columns, at most {COLUMNS_MAX}")


SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|concept)\b")
NOISE = re.compile(r"<[^<>]*>|\b(?:requires|alignas)\s*\((?:[^()]|\([^()]*\))*\)")
DIRECTIVE = re.compile(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*")


def opens_function(head):
    """Whether the text before a { at namespace or class scope is a function's head."""
    for _ in range(4):
        head = NOISE.sub(" ", head)
    name, parenthesis, _ = head.partition("(")
    return bool(parenthesis) and not SCOPE.search(name)


def cpp_functions(text):
    """(first line, last line) of each function at namespace or class scope, with the lambdas in it."""
    text = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    depth, opened, start = 0, None, 0
    for match in re.finditer(r"[{};]", text):
        if match.group() == "{":
            head = text[start:match.start()]
            if opened is None and opens_function(head):
                first = start + len(head) - len(head.lstrip())
                opened = (depth, text.count("\n", 0, first) + 1)
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if opened and opened[0] == depth:
                yield opened[1], text.count("\n", 0, match.start()) + 1
                opened = None
        start = match.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def rule_function_size(file):
    if file.is_cpp:
        functions = cpp_functions(file.bare)
    elif file.suffix == ".py":
        functions = python_functions(file.text)
    else:
        return
    for first, last in functions:
        if last - first + 1 > FUNCTION_LINES_MAX:
            size = last - first + 1
            yield file.finding(first, "function-size", f"{size} lines, at most {FUNCTION_LINES_MAX}")


# --- Text ---------------------------------------------------------------------------------------------------

def rule_licence(file):
    if file.is_code and SPDX not in "\n".join(file.lines[:3]):
        yield file.finding(1, "licence", f"one of the first three lines says {SPDX}")


def rule_whitespace(file):
    for number, line in enumerate(file.lines, 1):
        if "\t" in line and file.suffix != ".in":
            yield file.finding(number, "whitespace", "a tab")
        if line != line.rstrip():
            yield file.finding(number, "whitespace", "trailing blanks")
    if file.text and not file.text.endswith("\n"):
        yield file.finding(len(file.lines), "whitespace", "no newline at the end")


def rule_pragma_once(file):
    if file.suffix == ".hpp" and not re.search(r"(?m)^#pragma once$", file.text):
        yield file.finding(1, "pragma-once", "a header says #pragma once")


def rule_marks(file):
    if file.path in MARKS_ALLOWED:
        return
    for line, match in file.matches(r"\b(TODO|FIXME|XXX)\b", file.text):
        yield file.finding(line, "marks", f"{match.group()}: do it, or write an issue")


def rule_sanitizer_macros(file):
    """Without its header such a macro is 0, and nobody is told."""
    header = "base/sanitizers.hpp"
    if not file.is_cpp or file.path == f"src/{header}" or header in (name for _, name, _ in includes(file)):
        return
    for line, match in file.matches(r"\bWEFT_(?:ASAN|TSAN|NO_SANITIZE|HAS_FEATURE)\b"):
        yield file.finding(line, "sanitizers", f"{match.group()} is of {header}: include it")


ENUM = re.compile(r"\benum\s+(?:class\s+)?(\w+)[^{;()]*\{([^}]*)\}")


def rule_enumerators(file):
    for line, match in file.matches(ENUM) if file.is_cpp else ():
        if match.group(1) in FOREIGN_ENUMERATORS:
            continue
        for name in re.findall(r"(?:^|,)\s*(\w+)", match.group(2)):
            if not re.match(r"k[A-Z0-9]", name):
                yield file.finding(line, "enumerators", f"{name}: an enumerator is named kLikeThis")


# --- What the code may not use ------------------------------------------------------------------------------

def rule_catch_all(file):
    if not file.path.startswith(("src/", "include/")) or not file.is_cpp or file.is_test:
        return
    if file.path in CATCH_ALL_ALLOWED:
        return
    for line, _ in file.matches(r"\bcatch\s*\(\s*\.\.\.\s*\)"):
        yield file.finding(line, "catch-all", "catch (...) outside CATCH_ALL_ALLOWED (tools/tidy.py)")


def rule_atomics(file):
    if not file.path.startswith(("src/", "include/")) or not file.is_cpp or file.path in ATOMICS_ALLOWED:
        return
    for line, match in file.matches(r"std::atomic\w*|\b__(?:atomic|sync)_\w+|#\s*include\s*<atomic>"):
        yield file.finding(line, "atomics", f"{match.group()}: use Atomic<T> of base/atomic.hpp")


def rule_sleep_in_tests(file):
    if not file.is_cpp or not file.is_test:
        return
    sleeps = r"this_thread::sleep_\w+|\b(?:usleep|nanosleep)\s*\(|(?<!\w)::sleep\s*\("
    for line, match in file.matches(sleeps):
        yield file.finding(line, "sleep", f"{match.group()}: synchronize, or use simulated time")


# --- Rules of the whole tree --------------------------------------------------------------------------------

def wired(files, path):
    """Whether the CMakeLists.txt of the file's directory, or of one above, names it (suffix or not)."""
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        lists = files.get("/".join(parts[:depth] + ["CMakeLists.txt"]))
        name = "/".join(parts[depth:])
        names = {name, str(Path(name).with_suffix(""))}
        if lists and names & set(re.split(r"[\s()\"]+", lists.text)):
            return True
    return False


def rule_no_orphans(files):
    for path, file in files.items():
        built = path.startswith(("src/", "tests/", "tools/", "bench/", "examples/"))
        if built and file.suffix in {".cpp", ".c", ".S"} and not wired(files, path):
            yield file.finding(1, "orphan", "in no CMakeLists.txt: nothing builds it")


def anchors(text):
    for heading in re.findall(r"(?m)^#+\s+(.*?)\s*$", text):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def rule_links(files):
    for path, file in files.items():
        if file.suffix != ".md":
            continue
        code = re.compile(r"(?ms)^```.*?^```|`[^`\n]*`")
        prose = code.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), file.text)
        for line, match in file.matches(r"\]\(([^)\s]+)[^)]*\)", prose):
            yield from broken_link(files, file, line, match.group(1))


def broken_link(files, file, line, link):
    if re.match(r"[a-z]+:", link):
        return
    name, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(file.path), name)) if name else file.path
    if target not in files and not any(path.startswith(target + "/") for path in files):
        yield file.finding(line, "links", f"{link}: there is no {target}")
    elif anchor and target in files and anchor not in anchors(files[target].text):
        yield file.finding(line, "links", f"{link}: {target} has no heading #{anchor}")


RULES = [rule_layers, rule_http_stands_on_public_headers, rule_public_headers_stand_alone,
         rule_include_from_the_root, rule_file_size, rule_columns, rule_function_size, rule_licence,
         rule_whitespace, rule_pragma_once, rule_marks, rule_sanitizer_macros, rule_enumerators,
         rule_catch_all, rule_atomics,
         rule_sleep_in_tests]
TREE_RULES = [rule_no_orphans, rule_links, *LAW_RULES]


def read_tree(root):
    """Every file below root, by its path; of what is no text, nothing but the path. A walk, not git's list: a
    release archive is checked too."""
    files = {}
    for directory, names, leaves in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED_DIRECTORIES)
        for leaf in sorted(leaves):
            path = Path(directory, leaf)
            relative = path.relative_to(root).as_posix()
            is_text = path.suffix in TEXT or leaf in TEXT_NAMES or path.parent.name == ".ci"
            files[relative] = SourceFile(relative, path.read_text(encoding="utf-8") if is_text else "")
    return files


def check(files):
    for file in files.values():
        for rule in RULES:
            yield from rule(file)
    for rule in TREE_RULES:
        yield from rule(files)


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    files = read_tree(root)
    findings = sorted(set(check(files)), key=lambda finding: (finding.path, finding.line, finding.rule))
    for finding in findings:
        print(finding)
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
