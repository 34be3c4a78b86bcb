#!/usr/bin/env bash
# run.sh SCRIPT.py [ARGUMENT]...: runs a Python oracle of this folder with the packages of
# requirements.lock, which are kept in the cache. Exit 77, with the reason, where they cannot be had.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${PRESIL_MODEL_CACHE:-${PRESIL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/presil}}

skip() {
  printf 'not compared: %s\n' "$*"
  exit 77
}

version=$(sha256sum "$here/requirements.lock")
home=$cache/oracle-${version:0:12}
mkdir -p "$cache"
exec {lock}>"$cache/oracle.lock"
flock "$lock" # tests run side by side; one of them installs
if [[ ! -e $home/ready ]]; then
  rm -rf "$home"
  python3 -m venv "$home" || skip 'no python3 with venv'
  "$home/bin/python" -m pip --disable-pip-version-check --no-input install --quiet \
    --require-hashes --no-deps --only-binary=:all: -r "$here/requirements.lock" ||
    skip 'PyPI could not be reached'
  touch "$home/ready"
fi
exec {lock}>&-
script=$1
shift
exec "$home/bin/python" "$here/$script" "$@"
