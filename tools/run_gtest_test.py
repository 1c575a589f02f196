#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/run_gtest.py over programs that say what GoogleTest would: each test is counted once, whatever
becomes of the process."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

RUNNER = Path(__file__).resolve().parent / "run_gtest.py"

# Of its tests a, b and c it runs those that the filter in the flag file names; a test says what b does.
PROGRAM = """#!/usr/bin/env bash
if [ "$1" = --gtest_list_tests ]; then
  printf 'S.\\n  a\\n  b\\n  c  # GetParam() = 1\\n  DISABLED_d\\n'
  exit
fi
names=$(sed 's/.*=//;s/:/ /g' "${1#*=}") code=0
pass() { echo "[       OK ] $1 (0 ms)"; }
for name in $names; do
  echo "[ RUN      ] $name"
  if [ "$name" = S.b ]; then BODY; else pass "$name"; fi
done
AT_EXIT
exit $code
"""


class Runner(unittest.TestCase):
    def run_program(self, body="pass S.b", at_exit=":"):
        """(exit code, lines of the summary, all of the output, the results file)"""
        with tempfile.TemporaryDirectory() as folder:
            program, results = Path(folder) / "program", Path(folder) / "results" / "program.xml"
            program.write_text(PROGRAM.replace("BODY", body).replace("AT_EXIT", at_exit), encoding="utf-8")
            os.chmod(program, 0o755)
            command = [RUNNER, "--timeout", "1", "--results", results, program]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            xml = results.read_text(encoding="utf-8")
        summary = ran.stdout[ran.stdout.rindex(" passed, ") - 1:].split()
        return ran.returncode, " ".join(summary), ran.stdout, xml

    def expect_failure(self, summary, why, **program):
        code, said, output, xml = self.run_program(**program)
        self.assertEqual((1, summary), (code, said), output)
        self.assertIn(why, output)
        self.assertIn('failures="1"', xml)

    def test_each_test_is_counted_and_none_is_shown(self):
        code, summary, output, xml = self.run_program()
        self.assertEqual((0, "3 passed, 0 skipped, 0 failed"), (code, summary), output)
        self.assertNotIn("S.a", output)
        self.assertIn('tests="3"', xml)

    def test_a_failed_test_is_shown_and_the_others_are_not(self):
        self.expect_failure("2 passed, 0 skipped, 1 failed S.b", "the reason",
                            body="echo the reason; echo '[  FAILED  ] S.b, where GetParam() = 2 (1 ms)'; "
                                 "code=1")

    def test_a_skipped_test_has_not_passed(self):
        code, summary, _, xml = self.run_program('echo "[  SKIPPED ] S.b (0 ms)"')
        self.assertEqual((0, "2 passed, 1 skipped, 0 failed"), (code, summary))
        self.assertIn('skipped="1"', xml)

    def test_after_a_test_that_ends_the_process_the_others_run(self):
        self.expect_failure("2 passed, 0 skipped, 1 failed S.b", "S.b: exit code 66", body="exit 66")

    def test_a_test_that_exits_well_has_failed_too(self):
        self.expect_failure("2 passed, 0 skipped, 1 failed S.b", "S.b: exit code 0", body="exit 0")

    def test_a_test_that_outlives_its_time_is_killed(self):
        self.expect_failure("2 passed, 0 skipped, 1 failed S.b", "took more than 1 s", body="sleep 60")

    def test_what_is_found_when_the_process_ends_is_a_failure(self):
        self.expect_failure("3 passed, 0 skipped, 1 failed (at exit)", "lost 3 bytes",
                            at_exit="echo lost 3 bytes; code=23")

    def test_a_failure_that_no_test_had_is_one(self):
        self.expect_failure("3 passed, 0 skipped, 1 failed (at exit)", "exit code 1", at_exit="code=1")


if __name__ == "__main__":
    unittest.main()
