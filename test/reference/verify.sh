#!/usr/bin/env bash
# verify.sh PRESIL [OPTION]...: `presil verify values` against llama.cpp; 77 where it cannot be had.
# `--weights shipped` is SmolLM2 in the cache.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/ready.sh"
presil=$1
shift
[[ " $* " != *' shipped '* ]] || needs_model
set -- "${@/#shipped/$model_file}"
export PRESIL_HOME=$home PRESIL_MODEL_CACHE=$cache
exec "$presil" verify values --reference llama.cpp "$@"
