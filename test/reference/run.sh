#!/usr/bin/env bash
# Derives the reference tokens anew with llama.cpp from npm and compares them with the stored ones.
#
#   test/reference/run.sh            compare; exit 77 and say why where it cannot be done
#   test/reference/run.sh --update   store what llama.cpp says now
#
# The model is looked for in $PRESIL_MODEL_CACHE; llama.cpp is installed beside it, once.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/ready.sh"
needs_model
stored=$here/smollm2_greedy.json

cp "$here"/*.mjs "$llama_cpp" # node finds packages from where the script lies
live=$(mktemp)
trap 'rm -f "$live"' EXIT
cd "$llama_cpp"
with_node node llama_cpp.mjs "$model_file" "$here/../data/prompts.json" >"$live"
if [[ ${1:-} == --update ]]; then
  cp "$live" "$stored"
else
  with_node node compare.mjs "$stored" "$live"
fi
