#!/usr/bin/env bash
# tiny.sh PRESIL PROMPTS: values of tiny files, one for each stored format and kind of model, against
# llama.cpp. The files are PyPI gguf's.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
bash "$here/../oracle/run.sh" tiny_files.py "$files" || exit
arguments=()
for file in "$files"/*.gguf; do arguments+=(--weights "$file"); done
bash "$here/verify.sh" "$1" --prompts "$2" --tokens 64 "${arguments[@]}"
