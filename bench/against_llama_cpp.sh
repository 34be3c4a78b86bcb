#!/usr/bin/env bash
# How fast real tokens come, ours and llama.cpp's, in one run on this machine.
#
#   bench/against_llama_cpp.sh [MODEL.gguf]        (default: SmolLM2-135M)
#
# Prints values_bench's lines, then llama.cpp's decoding of as many tokens in the same context, and
# the ratio. Build first: cmake --build build/release --target values_bench.
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$home/test/reference/ready.sh"
model=${1:-$model_file}
tokens=128

lines=$("$home/build/release/bench/values_bench" "$model" --tokens "$tokens")
printf '%s\n' "$lines"
reference=$(python3 "$home/bench/llama_cpp_speed.py" "$PRESIL_LLAMA_CPP" "$model" "$tokens")
printf '%s\n' "$reference"
python3 - "$lines" "$reference" <<'PYTHON'
import json, sys
ours = [json.loads(line) for line in sys.argv[1].splitlines()]
theirs = json.loads(sys.argv[2])
for line in ours:
    if (line["numerics"], line["phase"]) == ("ggml", "decode"):
        ratio = line["tokens_per_s"] / theirs["tokens_per_s"]
        print(json.dumps({"ggml_over_llama_cpp": round(ratio, 3)}))
PYTHON
