#!/usr/bin/env bash
# The launcher sets up once, builds when something changed, and then stays out of the way.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

test_TheProgramGetsTheArgumentsAndItsStatusComesBack() {
  make_repository
  expect_status 0 ./presil run "a chip.yaml" --json
  expect_equal 'program run a chip.yaml --json' "$(<"$sandbox/stdout")"

  printf '#!/bin/sh\nexit 4\n' >build/release/app/presil
  expect_status 4 ./presil run
}

test_TheProgramIsToldWhereTheRepositoryAndTheModelAre() {
  make_repository
  expect_status 0 ./presil show
  printf '#!/bin/sh\necho "$PRESIL_HOME $PRESIL_MODEL_CACHE"\n' >build/release/app/presil
  cd "$HOME"
  expect_status 0 "$sandbox/repo/presil" show
  expect_equal "$sandbox/repo $sandbox/cache" "$(<"$sandbox/stdout")"
}

test_TheSecondCallOnlyRunsTheProgram() {
  make_repository
  expect_status 0 ./presil show
  rm "$sandbox/calls"
  expect_status 0 ./presil show
  [[ ! -e $sandbox/calls ]] || fail "called: $(<"$sandbox/calls")"
  [[ ! -s $sandbox/stderr ]] || fail "said: $(<"$sandbox/stderr")"
}

test_AChangedSourceIsBuiltAgain() {
  make_repository
  expect_status 0 ./presil show
  echo 'int added;' >>src/one.cpp
  expect_status 0 ./presil show
  expect_equal 2 "$(count_calls 'cmake --build')"
}

test_ARemovedProgramIsBuiltAgain() {
  make_repository
  expect_status 0 ./presil show
  rm -r build
  expect_status 0 ./presil show
  expect_equal 'program show' "$(<"$sandbox/stdout")"
}

test_AFailedBuildShowsItsOutputAndIsTriedAgain() {
  make_repository
  fake cmake <<<'[[ $1 != --build ]] || { echo "one.cpp:1: error: no such thing"; exit 1; }'
  expect_status 5 ./presil show
  expect_in "$sandbox/stderr" 'one.cpp:1: error: no such thing'
  expect_status 5 ./presil show
  expect_equal 2 "$(count_calls 'cmake --build')"
}

test_MissingPackagesWithoutRootNameTheLineToRun() {
  make_repository
  printf 'one-package\nabsent-b # why\n\nabsent-a\n' >packages.txt
  fake id <<<'echo 1000'
  fake sudo <<<'exit 1'
  fake apt-get <<<'exit 1'
  expect_status 3 ./presil show
  expect_in "$sandbox/stderr" 'sudo apt-get install --no-install-recommends absent-a absent-b'
  expect_equal 0 "$(count_calls '^apt-get')"
}

test_MissingPackagesAreInstalledByRootOnce() {
  make_repository
  printf 'one-package\nabsent\n' >packages.txt
  fake id <<<'echo 0'
  fake apt-get <<<''
  expect_status 0 ./presil show
  expect_equal 1 "$(count_calls 'apt-get .*--no-install-recommends install --no-download absent$')"
  expect_status 0 ./presil show
  expect_equal 1 "$(count_calls 'apt-get .* update')"
}

test_NoSetupInstallsAndFetchesNothing() {
  make_repository
  echo 'absent' >packages.txt
  fake apt-get <<<'exit 1'
  export PRESIL_NO_SETUP=1
  expect_status 0 ./presil demo
  expect_equal 'program demo' "$(<"$sandbox/stdout")"
  expect_equal 0 "$(count_calls '^(apt-get|dpkg-query)')"
  [[ ! -e $PRESIL_CACHE ]] || fail "made a cache"
}

test_TwoCallsAtOnceBuildOnce() {
  make_repository
  export BUILD_SECONDS=0.5
  ./presil one >"$sandbox/one" 2>&1 &
  expect_status 0 ./presil two
  wait $!
  expect_equal 1 "$(count_calls '^cmake --build')"
  expect_in "$sandbox/one" 'program one'
  expect_in "$sandbox/stdout" 'program two'
}

test_AnInterruptEndsWith130AndStampsNothing() {
  make_repository
  export BUILD_SECONDS=20
  expect_status 130 timeout --preserve-status -s INT 0.5 env --default-signal=INT ./presil show
  [[ ! -e .presil/program ]] || fail "an unfinished build was stamped"
}

run_claim "$1"
