#!/usr/bin/env bash
# check_includes finds an arrow that points down, and a heavy header out of its place.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# Two stages: lower knows nothing, upper may include lower.
make_sources() {
  mkdir -p "$sandbox"/{app,src/lower,src/upper}
  cd "$sandbox"
  cat >ARCHITECTURE.md <<'TABLES'
| folder | may include | idea |
|---|---|---|
| `lower` | | first |
| `upper` | `lower` | second |

| header | may be included by |
|---|---|
| `<heavy/...>` | `app/*.cpp` |
| `<json.hpp>` | `*.cpp` |
TABLES
  printf '#include "lower/a.h"\n#include <vector>\n#include <json.hpp>\n' >src/lower/a.cpp
  printf '#include "lower/a.h"\n#include "upper/b.h"\n' >src/upper/b.cpp
  printf '#include "upper/b.h"\n' >src/lower/a_test.cpp  # a test may, to make its input
  printf '#include "upper/b.h"\n#include <heavy/all.hpp>\n' >app/main.cpp
}
check() { "$repository/tools/check_includes" "$sandbox"; }

test_WhatTheTableAllowsPasses() {
  make_sources
  expect_status 0 check
}

test_AnArrowPointingDownIsNamedWithItsLine() {
  make_sources
  printf '#include <vector>\n#include "upper/b.h"\n' >src/lower/a.h
  expect_status 1 check
  expect_in "$sandbox/stdout" 'src/lower/a.h:2: lower may not include "upper/b.h"'
}

test_AFolderWithoutARowIsNamed() {
  make_sources
  mkdir src/stray
  echo '#include <vector>' >src/stray/c.h
  expect_status 1 check
  expect_in "$sandbox/stdout" 'src/stray has no row in ARCHITECTURE.md'
}

test_AHeavyHeaderOutOfItsPlaceIsNamed() {
  make_sources
  echo '#include <heavy/all.hpp>' >src/upper/c.cpp
  echo '#include <json.hpp>' >src/upper/c.h
  expect_status 1 check
  expect_in "$sandbox/stdout" 'src/upper/c.cpp:1: <heavy/all.hpp> belongs in app/*.cpp only'
  expect_in "$sandbox/stdout" 'src/upper/c.h:1: <json.hpp> belongs in *.cpp only'
}

test_WithoutTheTableItSaysSo() {
  make_sources
  rm ARCHITECTURE.md
  expect_status 2 check
}

run_claim "$1"
