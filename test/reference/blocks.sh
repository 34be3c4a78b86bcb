#!/usr/bin/env bash
# blocks.sh BLOCKS: our blocks (the tool BLOCKS) against those of ggml's own libraries, which come
# with llama.cpp; 77 where it or the Python packages cannot be had.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/ready.sh"
export PYTHONPATH=$here
exec bash "$here/../oracle/run.sh" ggml_blocks.py "$PRESIL_LLAMA_CPP" "$1"
