# `presil test [CTEST OPTION]...`: the tests of the release build, without options those labelled
# `slow` left out, then the unit tests again under the address and undefined-behaviour sanitizers.
# Ends with "N passed, N failed".
# Sourced by presil after steps.sh.

passed=0 failed=0 skipped=0

run_tests() {
  local -a options=()
  local argument verb_seen=
  for argument in "$@"; do
    if [[ -z $verb_seen && $argument == test ]]; then verb_seen=1; else options+=("$argument"); fi
  done

  set_up packages test_packages model charts
  take_lock
  local -a which=("${options[@]}")
  ((${#which[@]})) || which=(-LE slow)
  test_build release all "${which[@]}"
  test_build asan unit_tests -L unit "${options[@]}"

  ((passed + failed)) || say "no test has that name"
  local line="$passed passed, $failed failed"
  ((skipped == 0)) || line+=", $skipped skipped"
  printf '%s\n' "$line"
  ((failed == 0 && passed > 0))
}

# test_build PRESET TARGET CTEST_OPTION...: builds TARGET, runs what the options choose, counts.
test_build() {
  local preset=$1 target=$2
  shift 2
  if ! build "$preset" "$target"; then
    failed=$((failed + 1))
    return
  fi
  local log=$home/.presil/test-$preset.log results=$home/.presil/test-$preset.xml
  rm -f "$results"
  say "testing $preset"
  if ctest --test-dir "$home/build/$preset" -j "$(nproc)" --timeout 600 --output-on-failure \
    --no-tests=ignore --output-junit "$results" "$@" 2>&1 </dev/null |
    tee "$log" | progress "testing $preset"; then
    count_results "$results" "$log" 0
  else
    grep -vE '^ *Start +[0-9]+:| Passed +[0-9.]+ sec' "$log" >&2 || true
    count_results "$results" "$log" 1
  fi
}

# Adds up what ctest says: its results hold every case, its closing lines the failures (a test
# whose program was not built is a failure there, and only "not run" in the results).
count_results() { # RESULTS LOG FAILURES-IF-IT-NAMES-NONE
  local total=0 good=0 bad
  if [[ -e $1 ]]; then
    total=$(grep -c '<testcase ' "$1") || true
    good=$(grep -c '<testcase .* status="run"' "$1") || true
  fi
  bad=$(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of .*/\1/p' "$2" | tail -n 1)
  bad=${bad:-$3}
  passed=$((passed + good))
  failed=$((failed + bad))
  ((good + bad >= total)) || skipped=$((skipped + total - good - bad))
}
