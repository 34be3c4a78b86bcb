#!/usr/bin/env bash
# find_package.sh BUILD: installs the built library for a stranger's program, examples/core_model,
# which finds it, is built and gives what can be worked out by hand.
source "$(dirname "${BASH_SOURCE[0]}")/../launcher/harness.sh"

build=$1
prefix=$sandbox/prefix
program=$sandbox/build/core_model

value_of() { # NAME: the number behind NAME in the last output
  awk -v name="$1" 'index($0, name) == 1 { sub(name, ""); print $1 }' "$sandbox/stdout"
}

cmake --install "$build" --prefix "$prefix" >"$sandbox/install.log"
mv "$prefix" "$sandbox/moved" # a package may be unpacked anywhere
prefix=$sandbox/moved
[[ ! -e $prefix/include/presil && -e $prefix/include/presilicon/memory.h ]] || fail "one header"

cmake -G Ninja -S "$repository/examples/core_model" -B "$sandbox/build" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_BUILD_TYPE=Release >"$sandbox/configure.log" || fail "$(cat "$sandbox/configure.log")"
cmake --build "$sandbox/build" >"$sandbox/build.log" 2>&1 || fail "$(cat "$sandbox/build.log")"

# A chain of dependent loads of one line, one at a time, at 1 GHz. The memory's ticks are 312.5 ps.
# The first load finds its bank shut and takes 117 ticks (src/embed/memory_system_test.cpp), 36.6
# ns, so 37 cycles. The others hit: a RD one or two ticks later (on an edge), 4 CK to the second
# atom's, 20 CK of tCL, 2 CK of data: 53 or 54 ticks, 16.6 or 16.9 ns, so 17 cycles. The last
# retires in the cycle after: 37 + 999 x 17 + 1.
echo "0 0x0" >"$sandbox/chase.trace"
expect_status 0 "$program" "$sandbox/chase.trace" --loads 1000 --window 1 --period 1000 \
  --set dram.refresh=off
expect_equal 17021 "$(value_of cycles)"
expect_equal 0.0588 "$(value_of IPC)"

# Loads of a sequential stream, as many as the queues take: the DRAM is what limits them.
seq 0 64 4194240 | sed 's/^/0 /' >"$sandbox/stream.trace"
expect_status 0 "$program" "$sandbox/stream.trace" --loads 65536 --window 512
share=$(awk '/^bandwidth/ { print $4 }' "$sandbox/stdout")
awk -v share="$share" 'BEGIN { exit !(share > 80 && share < 100) }' ||
  fail "expected a stream at 80 to 100 % of the peak, found $share"

# The sample, loads and stores and bubbles between them, on a part in a file of the user's.
expect_status 0 "$program" "$repository/examples/core_model/sample.trace" --loads 6000 \
  --memory "$repository/memories/lpddr5x-8533.yaml"
expect_equal 26000 "$(value_of instructions)" # 18 bubbles, 6 loads, 2 stores: 26 a round of 6 loads

# What is wrong is said.
expect_status 1 "$program" "$sandbox/chase.trace" --memory hbm9
expect_in "$sandbox/stderr" "no memory part is called 'hbm9'"
echo "0 zero" >"$sandbox/bad.trace"
expect_status 1 "$program" "$sandbox/bad.trace"
expect_in "$sandbox/stderr" "bad.trace:1: expected BUBBLES LOAD [STORE], found '0 zero'"
