# Sourced by tests that ask llama.cpp: readies it, and ends the test as skipped where it cannot be
# had. needs_model does the same for the model.
home=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
cache=${PRESIL_MODEL_CACHE:-${PRESIL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/presil}}
source "$home/tools/launcher/steps.sh"
source "$home/tools/launcher/llama_cpp.sh"

skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}

needs_model() { [[ -e $model_file ]] || skip "no model at $model_file"; }
set_up_llama_cpp || skip 'llama.cpp could not be had from npm'
