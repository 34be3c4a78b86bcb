// What is asked of one design point: the options of `presil run`, which other verbs build on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "explore/phase.h"
#include "explore/quality.h"
#include "values/sampling.h"

namespace presil {

/// Where shipped files and fetched weights are.
struct Places {
  std::filesystem::path home;   // chips/, memories/, models/, ...
  std::filesystem::path cache;  // weights, as NAME.gguf
};

enum class Mode { values, cycles, both };
enum class PhaseChoice { prefill, decode, both };

struct RunRequest {
  std::string chip;
  std::string model;
  std::vector<std::string> overrides;  // --set
  Mode mode = Mode::cycles;
  PhaseChoice phase = PhaseChoice::both;
  std::int64_t batch = 1;
  std::int64_t prompt_tokens = 512;
  std::int64_t context = 512;  // tokens in the cache before a decode step
  std::int64_t tensor_parallel = 1;
  std::optional<std::string> prompt;  // text; needs weights
  std::int64_t max_tokens = 16;       // -n
  std::string weights;   // a GGUF file or a checkpoint; "": the model's own, where it has one
  std::string dtype;     // that weights are stored in without a file; "": numerics say
  std::string mapping;   // a mapping/1 file whose mappings are pinned; "": all are searched
  std::string numerics;  // a name or a file; "": the chip's, else ggml or bf16
  LaunchMode launch = LaunchMode::graph;
  SamplingOptions sampling;
  CompareRequest compare;
};

/// Throws InputError for options that no run can have together, or whose value none can have.
void check_request(const RunRequest& request);

}  // namespace presil
