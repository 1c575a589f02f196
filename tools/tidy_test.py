#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py finds a planted violation, and lets the honest neighbour of that violation pass."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import tidy

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
MARK = "TO" + "DO"


def rules_found(tree):
    """The (rule, path, line) of every finding in a tree given as {path: text}."""
    files = {path: tidy.SourceFile(path, text) for path, text in tree.items()}
    return {(finding.rule, finding.path, finding.line) for finding in tidy.check(files)}


def header(*lines):
    return LICENCE + "#pragma once\n" + "".join(line + "\n" for line in lines)


def source(*lines):
    return LICENCE + "".join(line + "\n" for line in lines)


class TidyTest(unittest.TestCase):
    def finds(self, rule, path, text, line):
        self.assertIn((rule, path, line), rules_found({path: text}))

    def passes(self, path, text):
        self.assertEqual(set(), {found for found in rules_found({path: text}) if found[0] != "orphan"})


class Layers(TidyTest):
    def test_a_layer_does_not_include_what_stands_to_its_right(self):
        self.finds("layers", "src/fiber/a.hpp", header('#include "event_loop/b.hpp"'), 3)

    def test_a_layer_does_not_include_a_public_header_to_its_right(self):
        self.finds("layers", "src/event_loop/a.cpp", source("#include <weft/net/tcp.hpp>"), 2)
        self.finds("layers", "include/weft/result.hpp", header("#include <weft/run.hpp>"), 3)

    def test_a_unit_test_keeps_the_rule_of_its_layer(self):
        self.finds("layers", "src/sys/a_test.cpp", source('#include "fiber/b.hpp"'), 2)

    def test_no_layer_includes_the_umbrella_header(self):
        self.finds("layers", "src/http/a.cpp", source("#include <weft/weft.hpp>"), 2)

    def test_a_public_header_that_the_table_does_not_know_is_named(self):
        self.finds("layers", "src/http/a.cpp", source("#include <weft/surprise.hpp>"), 2)

    def test_http_uses_public_headers_only(self):
        self.finds("layers", "src/http/a.cpp", source('#include "net/b.hpp"'), 2)

    def test_the_protocol_half_of_http_knows_no_streams(self):
        self.finds("layers", "src/http/protocol/a.cpp", source("#include <weft/net/tcp.hpp>"), 2)

    def test_a_layer_may_include_itself_and_its_left(self):
        self.passes("src/event_loop/a.hpp", header('#include "event_loop/b.hpp"', '#include "base/c.hpp"'))
        self.passes("src/http/a.cpp", source("#include <weft/net/tcp.hpp>", "#include <weft/result.hpp>"))

    def test_an_include_in_a_comment_is_no_include(self):
        self.passes("src/base/a.cpp", source('// #include "http/b.hpp"'))

    def test_a_public_header_includes_no_private_one(self):
        self.finds("public", "include/weft/result.hpp", header('#include "base/panic.hpp"'), 3)

    def test_an_example_includes_no_private_header(self):
        self.finds("public", "examples/echo.cpp", source('#include "base/panic.hpp"'), 2)

    def test_relative_includes_are_found(self):
        self.finds("include", "src/base/a.cpp", source('#include "../sys/fd.hpp"'), 2)


class Sizes(TidyTest):
    def test_a_file_of_501_lines_is_too_long_and_one_of_500_is_not(self):
        self.finds("file-size", "src/base/a.cpp", source(*["int a();"] * 500), 1)
        self.passes("src/base/a.cpp", source(*["int a();"] * 499))

    def test_a_function_of_71_lines_is_too_long_and_one_of_70_is_not(self):
        body = ["  step();"]
        self.finds("function-size", "src/base/a.cpp", source("void f() {", *body * 69, "}"), 2)
        self.passes("src/base/a.cpp", source("void f() {", *body * 68, "}"))

    def test_a_long_function_is_found_in_a_class_in_a_namespace(self):
        text = source("namespace weft {", "class A final : public B {", "  int g() { return 1; }",
                      "  void f() const noexcept {", *["  if (a) { step(); }"] * 70, "  }", "};", "}")
        self.finds("function-size", "src/base/a.cpp", text, 5)

    def test_a_long_template_with_a_constraint_is_found(self):
        text = source("template <class T, class = std::vector<T>>", "void f(T t) requires(sizeof(T) > 1) {",
                      *["  step();"] * 70, "}")
        self.finds("function-size", "src/base/a.cpp", text, 2)

    def test_a_long_test_body_is_found(self):
        text = source("TEST(Suite, sentence) {", *["  step();"] * 70, "}")
        self.finds("function-size", "src/base/a_test.cpp", text, 2)

    def test_long_types_and_namespaces_are_no_functions(self):
        members = ["  int a;"] * 80
        self.passes("src/base/a.cpp", source("struct alignas(64) A {", *members, "};"))
        constrained = ["template <class T> requires(sizeof(T) > (1))", "struct A {"]
        self.passes("src/base/a.cpp", source(*constrained, *members, "};"))
        self.passes("src/base/a.cpp", source("namespace {", *members, "}"))

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = source("void f() {", "  g('{', \"{{\", R\"({{{)\");  // {", "}", *["int a;"] * 80)
        self.passes("src/base/a.cpp", text)

    def test_a_python_function_of_71_lines_is_too_long(self):
        text = "# SPDX-License-Identifier: Apache-2.0\ndef f():\n" + "    step()\n" * 70
        self.finds("function-size", "tools/a.py", text, 2)

    def test_a_line_of_111_columns_is_too_long_and_one_of_110_is_not(self):
        self.finds("columns", "src/base/a.cpp", source("/" * 111), 2)
        self.passes("src/base/a.cpp", source("/" * 110))

    def test_prose_may_have_long_lines(self):
        self.passes("docs/a.md", "word " * 60 + "end\n")


class Text(TidyTest):
    def test_a_missing_licence_line_is_found(self):
        self.finds("licence", "src/base/a.cpp", "int a;\n", 1)
        self.finds("licence", "tests/CMakeLists.txt", "add()\n", 1)
        self.finds("licence", "run", "#!/usr/bin/env bash\n", 1)

    def test_tabs_and_trailing_blanks_are_found(self):
        self.finds("whitespace", "src/base/a.cpp", source("\tint a;"), 2)
        self.finds("whitespace", "docs/a.md", "word \n", 1)

    def test_a_missing_newline_at_the_end_is_found(self):
        self.finds("whitespace", "docs/a.md", "one\ntwo", 2)

    def test_a_header_without_pragma_once_is_found(self):
        self.finds("pragma-once", "src/base/a.hpp", source("int a();"), 1)

    def test_a_mark_of_unfinished_work_is_found_in_code_and_prose(self):
        self.finds("marks", "src/base/a.cpp", source(f"// {MARK}: later"), 2)
        self.finds("marks", "docs/a.md", f"{MARK} later\n", 1)


    def test_an_enumerator_in_another_style_is_found(self):
        text = header("enum class Mode : int {", "  kOn = 1,  // on", "  off };")
        self.finds("enumerators", "src/base/a.hpp", text, 3)

    def test_enumerators_of_one_style_and_those_of_other_standards_pass(self):
        text = header("enum class Mode { kOn, kOff = 2 };", "enum class Errc { timed_out };",
                      "enum class Seen : bool;", "using enum Mode;")
        self.passes("src/base/a.hpp", text)


class Forbidden(TidyTest):
    def test_catch_all_is_found(self):
        self.finds("catch-all", "src/net/a.cpp", source("void f() try {", "} catch ( ... ) {", "}"), 3)

    def test_catch_all_may_stand_at_the_fibers_entry(self):
        for path in tidy.CATCH_ALL_ALLOWED:
            found = rules_found({path: source("catch (...) {}")})
            self.assertNotIn("catch-all", {rule for rule, _, _ in found})

    def test_std_atomic_is_found_in_every_form(self):
        for text in ("std::atomic<int> a;", "std::atomic_thread_fence(x);", "#include <atomic>",
                     "std::atomic_ref<int> a(b);", "__atomic_load_n(&a, 0);"):
            self.finds("atomics", "src/sync/a.cpp", source(text), 2)

    def test_std_atomic_may_stand_in_its_own_header(self):
        self.passes("src/base/atomic.hpp", header("#include <atomic>", "std::atomic<int> a;"))

    def test_a_sanitizer_macro_without_its_header_is_found(self):
        self.finds("sanitizers", "src/sys/a.cpp", source("#if WEFT_TSAN", "#endif"), 2)
        self.passes("src/sys/a.cpp", source('#include "base/sanitizers.hpp"', "#if WEFT_TSAN", "#endif"))

    def test_a_sleep_in_a_test_is_found(self):
        for text in ("std::this_thread::sleep_for(1s);", "usleep(5);", "::sleep(1);", "nanosleep(&a, &b);"):
            self.finds("sleep", "src/net/a_test.cpp", source(text), 2)
            self.finds("sleep", "tests/stress/a.cpp", source(text), 2)

    def test_a_fiber_may_sleep_in_a_test(self):
        self.passes("src/net/a_test.cpp", source("weft::sleep(1s);"))


class Tree(unittest.TestCase):
    LISTS = f"# {tidy.SPDX}\nweft_add_layer(base SOURCES a.cpp sub/b.cpp TESTS a_test.cpp)\n"

    def orphans(self, tree):
        return {path for rule, path, _ in rules_found(tree) if rule == "orphan"}

    def test_a_source_in_no_cmake_list_is_an_orphan(self):
        tree = {"src/base/CMakeLists.txt": self.LISTS, "src/base/forgotten_test.cpp": source("int a;")}
        self.assertEqual({"src/base/forgotten_test.cpp"}, self.orphans(tree))

    def test_a_name_that_only_ends_like_a_listed_one_is_an_orphan(self):
        tree = {"src/base/CMakeLists.txt": self.LISTS, "src/base/b.cpp": source("int a;")}
        self.assertEqual({"src/base/b.cpp"}, self.orphans(tree))

    def test_listed_sources_are_no_orphans_also_in_a_subdirectory(self):
        tree = {"src/base/CMakeLists.txt": self.LISTS, "src/base/a.cpp": source("int a;"),
                "src/base/sub/b.cpp": source("int a;"), "src/base/a_test.cpp": source("int a;")}
        self.assertEqual(set(), self.orphans(tree))

    def links(self, tree):
        return {found[1:] for found in rules_found(tree) if found[0] == "links"}

    def test_a_link_to_a_file_or_heading_that_is_not_there_is_found(self):
        tree = {"docs/a.md": "# One\n[gone](b.md)\n[gone](#two)\n[there](#one) [up](../README.md)\n",
                "README.md": "[docs](docs/a.md#one) [dir](docs) [web](https://example.org)\n"}
        self.assertEqual({("docs/a.md", 2), ("docs/a.md", 3)}, self.links(tree))

    def test_what_looks_like_a_link_in_code_is_none(self):
        self.assertEqual(set(), self.links({"docs/a.md": "```cpp\nf([](int a) {});\n```\n`[](x)`\n"}))


class Laws(unittest.TestCase):
    LAWS = "# Laws\n\n### L1 One\ntext\n\n### L2 Two\ntext\n"
    TESTS = source("TEST_F(Laws, L1_Holds) {}", "TEST(Other, L2_Holds) {}")

    def laws(self, tree):
        whole = {"docs/design/laws.md": self.LAWS, "tests/laws_test.cpp": self.TESTS, **tree}
        return {found[1:] for found in rules_found(whole) if found[0] == "laws"}

    def test_what_is_defined_once_and_tested_passes(self):
        page = {"docs/design/page.md": "- **U1** Users. See L2.\n", "src/base/a.hpp": header("// L1, U1")}
        self.assertEqual(set(), self.laws(page))

    def test_a_cited_number_that_is_nowhere_is_found(self):
        self.assertEqual({("src/base/a.hpp", 3)}, self.laws({"src/base/a.hpp": header("// (L3)")}))

    def test_a_test_may_be_named_after_an_invariant_that_is_there(self):
        test = source("TEST(Page, U1_Holds) {}", "TEST(Page, U2_Holds) {}")
        self.assertEqual({("tests/u_test.cpp", 3)},
                         self.laws({"docs/design/page.md": "**U1** Users.\n", "tests/u_test.cpp": test}))

    def test_letters_that_two_pages_use_are_found(self):
        self.assertEqual({("docs/design/two.md", 1)},
                         self.laws({"docs/design/one.md": "**U1** Users.\n",
                                    "docs/design/two.md": "**U2** Other users.\n"}))

    def test_a_law_without_a_test_is_found(self):
        test = source("TEST_P(Laws, L1_Holds) {}  // L2")
        self.assertEqual({("docs/design/laws.md", 6)}, self.laws({"tests/laws_test.cpp": test}))

    def test_a_number_in_public_text_is_found(self):
        self.assertEqual({("include/weft/base.hpp", 3), ("docs/guide/a.md", 1), ("README.md", 2)},
                         self.laws({"include/weft/base.hpp": header("// (L1)"), "docs/guide/a.md": "By L1.\n",
                                    "README.md": "# weft\nL2\n"}))

    def test_a_page_that_the_index_does_not_name_is_found(self):
        tree = {"docs/design/README.md": "[laws](laws.md)\n", "docs/design/page.md": "# Page\n"}
        self.assertEqual({("docs/design/README.md", 1)}, self.laws(tree))

    def test_what_only_looks_like_a_number_passes(self):
        text = source("// g++ -L2, %L3, 0xL4, 2001:L5, L6a, L78x, http://L9/ 'L9'")
        self.assertEqual(set(), self.laws({"src/base/a.hpp": text.replace("\n", "\n#pragma once\n", 1)}))


class Command(unittest.TestCase):
    def run_on(self, tree):
        with tempfile.TemporaryDirectory() as directory:
            for path, text in tree.items():
                Path(directory, path).parent.mkdir(parents=True, exist_ok=True)
                Path(directory, path).write_text(text, encoding="utf-8")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                return tidy.main([directory]), output.getvalue()

    def test_a_clean_tree_exits_0(self):
        self.assertEqual(0, self.run_on({"README.md": "# weft\n"})[0])

    def test_a_finding_exits_1_and_says_where(self):
        code, output = self.run_on({"src/base/a.hpp": LICENCE})
        self.assertEqual(1, code)
        self.assertIn("src/base/a.hpp:1: [pragma-once]", output)

    def test_what_was_built_is_not_checked(self):
        self.assertEqual(0, self.run_on({"README.md": "# weft\n", "build/a.hpp": "int a;\t"})[0])

    def test_a_link_may_lead_to_what_is_no_text(self):
        self.assertEqual(0, self.run_on({"README.md": "[licence](LICENSE)\n", "LICENSE": "free \n"})[0])

    def test_an_empty_tree_is_no_success(self):
        self.assertEqual(1, self.run_on({})[0])


if __name__ == "__main__":
    unittest.main()
