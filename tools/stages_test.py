#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./test says and exits with, for stages that pass, fail, run nothing, or never get that far; and how
the set-up of ./run and ./test meets machines on which something is missing."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)"
\ttests="{tests}"
\tfailures="{failures}"
\tdisabled="0"
\tskipped="{skipped}"
\thostname=""
>
</testsuite>
"""


class Checkout(unittest.TestCase):
    """A folder with the scripts alone, in which a test defines its own stages."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "tools").mkdir()
        (self.folder / ".ci").mkdir()
        for name in ("tools/setup.bash", "tools/stages.bash", ".ci/run"):
            shutil.copy(ROOT / name, self.folder / name)

    def bash(self, script):
        command = ["bash", "-u", "-o", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.folder, text=True, check=False, capture_output=True)


class Run(Checkout):
    def test_help_is_answered_before_anything_is_installed_or_built(self):
        shutil.copy(ROOT / "run", self.folder / "run")
        (self.folder / "tools/setup.bash").unlink()
        result = self.bash("./run --help")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertIn("./run serve", result.stdout)
        self.assertFalse((self.folder / "build").exists())


class Stages(Checkout):
    def run_stages(self, **bodies):
        functions = "".join(f"stage_{name}() {{ {body}; }}\n" for name, body in bodies.items())
        stages = "".join(f"run_stage {name}\n" for name in bodies)
        sources = ". tools/setup.bash; . tools/stages.bash; mkdir -p build/log\n"
        return self.bash(sources + functions + stages + "print_summary")

    def results(self, stage, **counts):
        path = self.folder / f"{stage}.xml"
        path.write_text(JUNIT.format(**{"tests": 0, "failures": 0, "skipped": 0, **counts}), encoding="utf-8")
        return f"cp {path} build/log/{stage}.debug.xml"

    def expect(self, result, last_line, code):
        self.assertEqual(last_line, result.stdout.rstrip("\n").split("\n")[-1], result.stdout + result.stderr)
        self.assertEqual(code, result.returncode)

    def test_the_counts_of_all_stages_are_added(self):
        result = self.run_stages(one=self.results("one", tests=3), two=self.results("two", tests=4))
        self.expect(result, "7 passed, 0 failed", 0)

    def test_a_failed_test_fails_the_run(self):
        result = self.run_stages(one=self.results("one", tests=3, failures=1) + "; false")
        self.expect(result, "2 passed, 1 failed", 1)

    def test_a_skipped_test_has_not_passed_and_is_named(self):
        result = self.run_stages(one=self.results("one", tests=3, skipped=1))
        self.expect(result, "2 passed, 0 failed", 0)
        self.assertIn("1 tests did not run", result.stdout)

    def test_a_stage_that_fails_without_a_test_counts_as_one_failure_and_shows_why(self):
        result = self.run_stages(one="echo error: no such thing; false", two=self.results("two", tests=2))
        self.expect(result, "2 passed, 1 failed", 1)
        self.assertIn("no such thing", result.stdout)

    def test_the_tests_of_one_process_count_and_not_the_program(self):
        program = JUNIT.replace("(empty)", "gtest").format(tests=10, failures=2, skipped=1)
        (self.folder / "program.xml").write_text(program, encoding="utf-8")
        result = self.run_stages(one=self.results("one", tests=3, failures=1) +
                                 "; cp program.xml build/log/one.debug.program.xml; false")
        self.expect(result, "9 passed, 2 failed", 1)

    def test_a_run_without_a_test_is_a_failure(self):
        self.expect(self.run_stages(one="true"), "0 passed, 1 failed", 1)

    def test_a_lint_without_a_finding_is_one_that_passed(self):
        self.expect(self.run_stages(lint="true"), "1 passed, 0 failed", 0)

    def test_a_lint_with_a_finding_is_a_failure(self):
        self.expect(self.run_stages(lint="echo a finding; false"), "0 passed, 1 failed", 1)

    def test_results_of_an_earlier_run_do_not_count(self):
        (self.folder / "build/log").mkdir(parents=True)
        (self.folder / "build/log/one.debug.xml").write_text(
            JUNIT.format(tests=9, failures=0, skipped=0), encoding="utf-8")
        self.expect(self.run_stages(one="true"), "0 passed, 1 failed", 1)

    def test_only_the_output_of_failed_tests_is_shown(self):
        (self.folder / "ctest.txt").write_text(
            "    Start 1: a\n1/2 Test #1: a ...   Passed    0.01 sec\n"
            "    Start 2: b\n2/2 Test #2: b ...***Failed    0.01 sec\nthe reason\n\n"
            "50% tests passed, 1 tests failed out of 2\n",
            encoding="utf-8")
        result = self.run_stages(one=self.results("one", tests=2, failures=1) + "; cat ctest.txt; false")
        self.assertIn("the reason", result.stdout)
        self.assertNotIn("Test #1: a", result.stdout)


class Setup(Checkout):
    PRESENT, MISSING = "present=bash", "absent=/nowhere/absent.h"

    def ensure(self, *packages, user=0, apt="echo apt-get \"$@\" >>calls", path="$PATH"):
        """ensure_packages as this user, with an apt-get that does as told (None: there is none)."""
        apt_get = f"apt-get() {{ {apt}; }}; export -f apt-get; env() {{ shift; \"$@\"; }}\n" if apt else ""
        return self.bash(f"{apt_get}id() {{ echo {user}; }}; . tools/setup.bash; PATH={path}\n"
                         f"ensure_packages {' '.join(packages)}")

    def bare_path(self):
        """A PATH without apt-get and sudo."""
        (self.folder / "bin").mkdir()
        for name in ("mkdir", "tail"):
            (self.folder / "bin" / name).symlink_to(shutil.which(name))
        return str(self.folder / "bin")

    def test_nothing_is_installed_when_nothing_is_missing(self):
        result = self.ensure(self.PRESENT)
        self.assertEqual((0, ""), (result.returncode, result.stdout))
        self.assertFalse((self.folder / "calls").exists())

    def test_what_is_missing_is_named_and_installed(self):
        result = self.ensure(self.PRESENT, self.MISSING)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn("Installing 1 Debian packages with apt-get: absent", result.stdout)
        log = (self.folder / "calls").read_text(encoding="utf-8").split("\n")
        self.assertEqual("apt-get -q update", log[0])
        self.assertTrue(log[1].endswith("--no-install-recommends absent"), log[1])

    def test_without_root_and_sudo_it_says_what_to_run(self):
        result = self.ensure(self.MISSING, user=1000, path=self.bare_path())
        self.assertEqual(1, result.returncode)
        self.assertIn("Run as root: apt-get install absent", result.stderr)

    def test_without_apt_get_it_names_the_packages(self):
        result = self.ensure(self.MISSING, apt=None, path=self.bare_path())
        self.assertEqual(1, result.returncode)
        self.assertIn("missing: absent", result.stderr)

    def test_a_failing_mirror_is_shown_with_what_apt_said(self):
        result = self.ensure(self.MISSING, apt="echo Could not resolve; return 100")
        self.assertEqual(1, result.returncode)
        self.assertIn("Could not resolve", result.stderr)
        self.assertIn("Is there a network", result.stderr)


class ContinuousIntegration(Checkout):
    def run_ci(self, test):
        (self.folder / "test").write_text("#!/usr/bin/env bash\n" + test, encoding="utf-8")
        (self.folder / "test").chmod(0o755)
        return self.bash(".ci/run")

    def test_its_last_line_is_that_of_test(self):
        result = self.run_ci("echo '5 passed, 0 failed'")
        self.assertEqual((0, "5 passed, 0 failed\n"), (result.returncode, result.stdout))

    def test_its_exit_code_is_that_of_test(self):
        self.assertEqual(1, self.run_ci("echo '5 passed, 1 failed'; exit 1").returncode)

    def test_a_test_that_ends_before_its_summary_is_one_failure(self):
        result = self.run_ci("echo 'error: no network' >&2; exit 1")
        self.assertEqual((1, "0 passed, 1 failed"), (result.returncode, result.stdout.split("\n")[-2]))


if __name__ == "__main__":
    unittest.main()
