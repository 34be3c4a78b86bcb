# Sourced by the tests of scripts: a sandbox that goes away, a few claims, and at the end
# `run_claim "$1"`, which runs one function test_NAME.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sandbox=$(mktemp -d)
trap 'rm -rf "$sandbox"' EXIT

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}
expect_status() { # EXPECTED COMMAND...: output goes to $sandbox/stdout and $sandbox/stderr
  local expected=$1 status=0
  shift
  "$@" >"$sandbox/stdout" 2>"$sandbox/stderr" || status=$?
  [[ $status == "$expected" ]] || {
    cat "$sandbox/stdout" "$sandbox/stderr" >&2
    fail "exit status expected $expected, found $status: $*"
  }
}
expect_in() { # FILE TEXT
  grep -qF -e "$2" "$1" || {
    cat "$1" >&2
    fail "expected in $1: $2"
  }
}
expect_equal() { # EXPECTED FOUND
  [[ $1 == "$2" ]] || fail "expected '$1', found '$2'"
}

# fake NAME: a command of that name, first in PATH, with its script on standard input. Each call
# is noted in $sandbox/calls.
fake() {
  mkdir -p "$sandbox/bin"
  {
    printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\n' "$1" "$sandbox"
    cat
  } >"$sandbox/bin/$1"
  chmod +x "$sandbox/bin/$1"
}
count_calls() { grep -cE "$1" "$sandbox/calls" || true; }

# A repository with the real launcher and the least around it. Its packages are "installed", its
# "compiler" writes a program that prints its arguments.
make_repository() {
  export HOME=$sandbox/home PRESIL_CACHE=$sandbox/cache PATH=$sandbox/bin:$PATH
  unset PRESIL_NO_SETUP CI XDG_CACHE_HOME
  mkdir -p "$HOME" "$sandbox"/repo/{src,app,cmake}
  cd "$sandbox/repo"
  cp -r "$repository"/{presil,tools,requirements.lock,CMakePresets.json} .
  echo 'one-package' >packages.txt
  echo 'test-package' >packages-test.txt
  touch CMakeLists.txt src/one.cpp
  fake dpkg-query <<<'echo "installed one-package"'
  fake cmake <<'SCRIPT'
[[ $1 == --build ]] || exit 0
sleep "${BUILD_SECONDS:-0}"
mkdir -p build/release/app
printf '#!/bin/sh\necho program "$@"\n' >build/release/app/presil
chmod +x build/release/app/presil
SCRIPT
}

run_claim() { # NAME
  declare -F "test_$1" >/dev/null || fail "no claim is named $1"
  "test_$1"
}
