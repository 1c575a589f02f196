# SPDX-License-Identifier: Apache-2.0
# Sourced by ./test: its stages, each a function stage_<name>, and how one is run, counted and reported.

jobs=$(nproc)
export NINJA_STATUS='[%f/%t] '
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
# Without atexit_sleep_ms TSan sleeps a second in each exit with threads about: most of a test's time.
export TSAN_OPTIONS=second_deadlock_stack=1:halt_on_error=1:atexit_sleep_ms=0
export WEFT_STRESS_SECONDS=2

# Labels that make no sense in an instrumented build, or that another stage runs.
only_release='^(package|headers|style|counts|slow_client|examples|model)$'
not_by_default='^(full)$'

# --- The stages ------------------------------------------------------------------------------------------

# In batches and with a process for a program. Its long tests sleep, so more of them run than there are CPUs.
stage_quick() {
  build debug-unity tests_unit && run_tests debug-unity -L '^(unit|style)$' -j $((2 * jobs))
}

stage_release() {
  build release --configure "-DWEFT_BUILD_BENCH=ON -DWEFT_NOT_TO_BE_MEASURED=ON" all &&
    run_tests release -LE '^(full|stress|slow_client)$'
}
# In batches: a third of the time. --full compiles each source alone.
stage_hazards_debug() { build debug-unity tests_hazards && run_tests debug-unity -L '^hazards$'; }
stage_hazards_clang() { build release-clang tests_hazards && run_tests release-clang -L '^hazards$'; }
stage_asan() { build asan all && run_tests asan -LE "$not_by_default|$only_release"; }
stage_tsan() { build tsan all && run_tests tsan -LE "$not_by_default|$only_release"; }
stage_stress() { WEFT_STRESS_SECONDS=5 run_tests release -L '^stress$' -LE "$not_by_default"; }
stage_slow_client() { run_tests release -L '^slow_client$' -LE "$not_by_default"; }

stage_debug() { build debug all && run_tests debug -LE "$not_by_default|$only_release"; }
stage_release_clang() { build release-clang all && run_tests release-clang -LE "$not_by_default"; }
stage_ubsan() { build ubsan all && run_tests ubsan -LE "$not_by_default|$only_release"; }
# Left out of the instrumented builds otherwise, as two libraries of headers make it a sixth of the time.
stage_asan_compare() {
  build asan --configure -DWEFT_BUILD_COMPARE=ON compare_test && run_tests asan -L '^compare$'
}
stage_full() { build release all && run_tests release -L '^full$'; }
# A minute each; transfer_stress shares its time out between the strategies: a minute for each.
stage_long_stress() {
  build release all && build tsan tests_stress || return
  local preset
  for preset in release tsan; do
    WEFT_STRESS_SECONDS=60 run_tests "$preset" -L '^stress$' -E '^transfer_stress' &&
      WEFT_STRESS_SECONDS=600 run_tests "$preset" -L '^stress$' -R '^transfer_stress' || return
  done
}
stage_fuzz() { build fuzz tests_fuzz && WEFT_FUZZ_SECONDS=60 run_tests fuzz -L "^fuzz$"; }
# The sources that ship; what tests do to objects on purpose would be most of the findings. cppcheck is told
# that buffers stay as they are, that sinks are moved from, that this_fiber_required() does not return without
# a fiber, that one branch of ?: moves, or the other, and to leave to two compilers what is theirs to know.
stage_lint() {
  local sources suppressed=(uninitMemberVar uninitDerivedMemberVar returnTempReference passedByValue
    nullPointerRedundantCheck accessMoved syntaxError missingReturn returnStdMoveLocal)
  mapfile -t sources < <(find src -name '*.cpp' ! -name '*_test.cpp')
  cmake --preset debug-clang &&
    run-clang-tidy-14 -quiet -j "$jobs" -p build/debug-clang "$PWD/src/.*(?<!_test)\\.cpp\$" &&
    cppcheck -q -j "$jobs" --std=c++20 --language=c++ --inline-suppr --error-exitcode=1 -Iinclude -Isrc \
      --enable=warning,performance,portability "${suppressed[@]/#/--suppress=}" "${sources[@]}"
}
stage_coverage() {
  build coverage all && run_tests coverage -LE "$not_by_default|$only_release" &&
    python3 tools/coverage.py build/coverage
}

# --- Building and running --------------------------------------------------------------------------------

# build PRESET [--configure "OPTION..."] TARGET...
build() {
  local preset=$1 option=()
  shift
  if [ "$1" = --configure ]; then
    read -ra option <<<"$2"
    shift 2
  fi
  cmake --preset "$preset" -DWEFT_WARNINGS_AS_ERRORS=ON -DWEFT_BUILD_TESTS=ON \
    -DWEFT_BUILD_EXAMPLES=ON "${option[@]}" &&
    ninja -C "build/$preset" "$@"
}

# run_tests PRESET CTEST-ARGUMENT...: the results also go to JUnit files, from which they are counted: one of
# ctest, and one for each program whose tests ran in one process (tools/run_gtest.py). With WEFT_TEST_TRIES=2
# what fails may try once more; the summary names those that did: each is a defect.
run_tests() {
  local preset=$1
  shift
  local junit=$PWD/build/log/$stage.$preset.xml status=0 results
  rm -rf "build/$preset/results" "build/log/$stage.$preset".*.xml
  ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error \
    --repeat "until-pass:${WEFT_TEST_TRIES:-1}" --output-junit "$junit" "$@" ||
    status=$?
  for results in "build/$preset/results"/*.xml; do
    [ -f "$results" ] && cp "$results" "build/log/$stage.$preset.${results##*/}"
  done
  return "$status"
}

# --- Counting and reporting ------------------------------------------------------------------------------

passed_total=0 failed_total=0 summary=()

run_stage() {
  local stage=$1 log=build/log/$1.log began=$SECONDS passed=0 failed=0 junit
  printf '\n==> %s\n' "$stage"
  rm -f "build/log/$stage".*.xml
  "stage_${stage//-/_}" 2>&1 | progress "$log"
  local status=${PIPESTATUS[0]}
  note_second_tries "$log"
  for junit in "build/log/$stage".*.xml; do
    [ -f "$junit" ] && count "$junit"
  done
  # What failed without being a test (a build, a configuration, a stage in which nothing ran) counts as one.
  [ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
  [ "$status" -eq 0 ] && [ "$stage" = lint ] && passed=1 # it runs no tests: that it found nothing is one
  [ "$failed" -gt 0 ] && show_failures "$log"
  passed_total=$((passed_total + passed)) failed_total=$((failed_total + failed))
  local verdict=ok
  [ "$failed" -gt 0 ] && verdict=FAILED
  local row
  row=$(printf '%-16s %-7s %6d passed %4d failed %5d s' \
    "$stage" "$verdict" "$passed" "$failed" $((SECONDS - began)))
  summary+=("$row")
  printf '  %s\n' "$row"
}

# What passed only when it was tried again, from a stage's log: a line says that it failed, and it is not
# among the failed.
note_second_tries() {
  local name
  while read -r name; do
    awk '/The following tests FAILED:/ { failed = 1 } failed' "$1" | grep -qF -- "$name" ||
      summary+=("$(printf '  passed only at the second try: %s' "$name")")
  done < <(grep -vE '\*\*\*(Skipped|Not Run)' "$1" |
    sed -n 's|^ *[0-9]*/[0-9]* *Test *#[0-9]*: \([^ ]*\) .*\*\*\*.*|\1|p' | sort -u)
}

# count JUNIT: adds to passed and failed. A test that did not run, or was disabled, has not passed. A program
# whose tests ran in one process (suite "gtest") is a test to ctest, too, and has been counted as that.
count() {
  local head total failures not_run
  head=$(grep -A8 -m1 '<testsuite ' "$1" | tr '\n' ' ')
  total=$(attribute tests "$head") failures=$(attribute failures "$head")
  not_run=$(($(attribute disabled "$head") + $(attribute skipped "$head")))
  [[ $head == *' name="gtest"'* ]] && total=$((total - 1)) failures=$((failures > 0 ? failures - 1 : 0))
  passed=$((passed + total - failures - not_run)) failed=$((failed + failures))
  [ "$not_run" -eq 0 ] || echo "  $not_run tests did not run (skipped or disabled): see $1"
}

attribute() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" <<<"$2"; }

# The output of each failed test; without one, the end of the log, where a failed build says why.
show_failures() {
  local output
  output=$(awk '/^ *(Start +[0-9]+:|[0-9]+\/[0-9]+ +Test +#)/ { show = /\*\*\*/ }
    /tests passed,/ { show = 1 } show' "$1")
  [ -n "$output" ] || output=$(grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$1" | tail -n 60)
  printf '%s\n' "$output" | head -n 300
  echo "  (all of it: $1)"
}

print_summary() {
  printf '\n%s\n' "Summary (logs in build/log)"
  printf '  %s\n' "${summary[@]}"
  printf '  %d s in all\n' "$SECONDS"
  [ $((passed_total + failed_total)) -gt 0 ] || failed_total=1
  printf '%d passed, %d failed\n' "$passed_total" "$failed_total"
  [ "$failed_total" -eq 0 ] && [ "$passed_total" -gt 0 ]
}
