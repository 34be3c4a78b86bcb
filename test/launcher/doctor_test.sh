#!/usr/bin/env bash
# The doctor says what is present, missing or wrong, and changes nothing.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

state_of() { # NAME
  python3 -c 'import json, sys
checks = json.load(open(sys.argv[1]))["checks"]
print([c["state"] for c in checks if c["name"] == sys.argv[2]][0])' "$sandbox/stdout" "$1"
}

test_ItsJsonParsesAndNamesItsSchema() {
  make_repository
  echo 'one-package with"quote\backslash' >packages.txt
  expect_status 1 ./presil doctor --json
  expect_equal 'presil/doctor/1 False' "$(python3 -c 'import json, sys
report = json.load(sys.stdin)
print(report["schema"], report["ok"])' <"$sandbox/stdout")"
  expect_equal missing "$(state_of packages)"
}

test_AModelWithAnotherHashIsWrong() {
  make_repository
  mkdir -p "$PRESIL_CACHE"
  echo 'no model' >"$PRESIL_CACHE/smollm2-135m.gguf"
  expect_status 1 ./presil --json doctor
  expect_equal wrong "$(state_of model)"
}

test_ABuildOlderThanItsSourcesIsWrong() {
  make_repository
  expect_status 1 ./presil doctor --json
  expect_equal missing "$(state_of build)"
  ./presil show >/dev/null 2>&1
  expect_status 1 ./presil doctor --json
  expect_equal ok "$(state_of build)"
  echo 'int added;' >>src/one.cpp
  expect_status 1 ./presil doctor --json
  expect_equal wrong "$(state_of build)"
}

test_ItChangesNothing() {
  make_repository
  local before
  before=$(find . | sort)
  expect_status 1 ./presil doctor
  expect_in "$sandbox/stdout" 'run ./presil demo'
  expect_equal "$before" "$(find . | sort)"
  [[ ! -e $PRESIL_CACHE ]] || fail "made a cache"
}

test_AnUnknownArgumentIsRefused() {
  make_repository
  expect_status 2 ./presil doctor --jsno
  expect_in "$sandbox/stderr" "unexpected argument '--jsno'"
}

run_claim "$1"
