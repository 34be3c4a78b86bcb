#!/usr/bin/env bash
# run.sh [SECONDS [TARGET]...]: builds the fuzz targets and runs each (or those named) for SECONDS
# (default 20) on its seeds. Nonzero when one finds something; the input is kept and named. Exit 77
# without clang.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-20}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(gguf safetensors tokenizer tokenizer_json trace yaml)

command -v clang++-14 >/dev/null || {
  echo 'not fuzzed: no clang++-14'
  exit 77
}
build=build/fuzz
cmake --preset fuzz >/dev/null
nice cmake --build "$build" --target fuzzers >/dev/null

rm -rf "$build/seeds"
"$build/fuzz_seeds" "$build/seeds"
status=0
for target in "${targets[@]}"; do
  found=$build/corpus/$target # what earlier runs found worth keeping
  log=$build/$target.log
  mkdir -p "$found" "$build/findings" "$build/seeds/$target"
  seeds=("$build/seeds/$target")
  [[ -d fuzz/corpus/$target ]] && seeds+=("fuzz/corpus/$target")
  [[ $target == yaml ]] && seeds+=(chips memories nodes packages models)
  [[ $target == tokenizer ]] && seeds+=(test/data)
  case $target in gguf) longest=65536 ;; tokenizer) longest=512 ;; *) longest=4096 ;; esac
  if "$build/fuzz_$target" -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=512 \
    -max_len="$longest" -print_funcs=0 -artifact_prefix="$build/findings/$target-" \
    "$found" "${seeds[@]}" >"$log" 2>&1; then
    echo "$target: $(tail -n 1 "$log")"
  else
    grep -v -e '^"' -e NEW_FUNC "$log" | tail -n 40
    echo "$target: found an input that is not refused cleanly: see $log"
    status=1
  fi
done
exit "$status"
