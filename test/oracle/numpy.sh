#!/usr/bin/env bash
# numpy.sh PRESIL PROMPTS: logits against a forward pass in float64, of tiny files and of SmolLM2
# where it is; and whether one changed weight changes both alike.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
presil=$1 prompts=$2
export PRESIL_HOME=$here/../..
cache=${PRESIL_MODEL_CACHE:-${PRESIL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/presil}}
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
bash "$here/run.sh" tiny_files.py "$files" || exit

verify() { "$presil" verify values --reference numpy --prompts "$prompts" "$@"; }

arguments=()
for name in f32 untied rope_freqs qwen2 qwen3 q4_1; do
  arguments+=(--weights "$files/$name.gguf")
done
verify --tokens 8 "${arguments[@]}"
bash "$here/run.sh" changed_weight.py "$files/f32.gguf" "$presil" "$prompts"
if [[ -e $cache/smollm2-135m.gguf ]]; then
  verify --tokens 2 --weights "$cache/smollm2-135m.gguf"
fi
