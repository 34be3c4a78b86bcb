#include "explore/request_json.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {
namespace {

template <class E>
using Names = std::array<std::pair<E, std::string_view>, 3>;

constexpr Names<Mode> kModes = {
    {{Mode::values, "values"}, {Mode::cycles, "cycles"}, {Mode::both, "both"}}};
constexpr Names<PhaseChoice> kPhases = {{{PhaseChoice::prefill, "prefill"},
                                         {PhaseChoice::decode, "decode"},
                                         {PhaseChoice::both, "both"}}};
constexpr Names<LaunchMode> kLaunches = {
    {{LaunchMode::eager, "eager"}, {LaunchMode::stream, "stream"}, {LaunchMode::graph, "graph"}}};

template <class E>
std::string_view name_of(const Names<E>& names, E value) {
  for (const auto& [e, name] : names) {
    if (e == value) return name;
  }
  return "";
}

template <class E>
E value_of(const Names<E>& names, const std::string& name) {
  for (const auto& [e, n] : names) {
    if (n == name) return e;
  }
  throw InputError(fmt::format("a stored request: found '{}', which no version has written", name));
}

/// What differs from the default of a greedy choice and no comparison.
Json choices_json(const RunRequest& q) {
  Json j = Json::object();
  const SamplingOptions none;
  const SamplingOptions& s = q.sampling;
  if (s.temperature != none.temperature) j["temperature"] = s.temperature;
  if (s.top_k != none.top_k) j["top_k"] = s.top_k;
  if (s.top_p != none.top_p) j["top_p"] = s.top_p;
  if (s.min_p != none.min_p) j["min_p"] = s.min_p;
  if (s.repetition_penalty != none.repetition_penalty) {
    j["repetition_penalty"] = s.repetition_penalty;
  }
  if (s.temperature > 0) j["seed"] = s.seed;
  const CompareRequest& c = q.compare;
  if (!c.with.empty()) j["compare"] = c.with;
  if (!c.text.empty()) j["text"] = c.text.filename().string();
  if (c.tokens != 0) j["tokens"] = c.tokens;
  if (c.layers) j["layers"] = true;
  return j;
}

/// What differs from one pipeline stage, one replica, sequences that are alike and the software's
/// pages.
Json split_json(const RunRequest& q) {
  Json j = Json::object();
  if (q.pipeline_parallel != 1) j["pp"] = q.pipeline_parallel;
  if (q.microbatches != 0) j["microbatches"] = q.microbatches;
  if (q.data_parallel != 1) j["dp"] = q.data_parallel;
  if (q.expert_parallel != 1) j["ep"] = q.expert_parallel;
  if (q.expert_imbalance != 1) j["expert_imbalance"] = q.expert_imbalance;
  if (q.sequence_parallel) j["sequence_parallel"] = true;
  if (q.kv_page != 0) j["kv_page"] = q.kv_page;
  if (!q.prompts.empty()) j["prompts"] = q.prompts;
  if (!q.contexts.empty()) j["contexts"] = q.contexts;
  return j;
}

void read_split(const Json& j, RunRequest& q) {
  q.pipeline_parallel = j.value("pp", q.pipeline_parallel);
  q.microbatches = j.value("microbatches", q.microbatches);
  q.data_parallel = j.value("dp", q.data_parallel);
  q.expert_parallel = j.value("ep", q.expert_parallel);
  q.expert_imbalance = j.value("expert_imbalance", q.expert_imbalance);
  q.sequence_parallel = j.value("sequence_parallel", q.sequence_parallel);
  q.kv_page = j.value("kv_page", q.kv_page);
  q.prompts = j.value("prompts", q.prompts);
  q.contexts = j.value("contexts", q.contexts);
}

RunRequest read(const Json& j) {
  RunRequest q;
  q.chip = j.at("chip");
  q.model = j.at("model");
  q.overrides = j.at("set").get<std::vector<std::string>>();
  q.mode = value_of(kModes, j.at("mode"));
  q.phase = value_of(kPhases, j.at("phase"));
  if (j.contains("launch")) q.launch = value_of(kLaunches, j.at("launch"));
  q.batch = j.at("batch");
  q.prompt_tokens = j.at("prompt_tokens");
  q.context = j.at("context");
  q.tensor_parallel = j.at("tp");
  q.network = j.at("network");
  read_split(j, q);
  q.max_tokens = j.at("max_tokens");
  q.weights = j.at("weights");
  q.dtype = j.at("dtype");
  q.numerics = j.at("numerics");
  q.mapping = j.at("mapping");
  q.software = j.at("software");
  q.burst = j.at("burst");
  q.warm_cache = j.at("warm_cache");
  if (j.contains("prompt")) q.prompt = j.at("prompt").get<std::string>();
  SamplingOptions& s = q.sampling;
  s.temperature = j.value("temperature", s.temperature);
  s.top_k = j.value("top_k", s.top_k);
  s.top_p = j.value("top_p", s.top_p);
  s.min_p = j.value("min_p", s.min_p);
  s.repetition_penalty = j.value("repetition_penalty", s.repetition_penalty);
  s.seed = j.value("seed", s.seed);
  return q;
}

}  // namespace

std::string_view to_string(Mode mode) {
  return name_of(kModes, mode);
}
std::string_view to_string(PhaseChoice phase) {
  return name_of(kPhases, phase);
}
Json request_json(const RunRequest& q) {
  Json j = {{"chip", q.chip},
            {"model", q.model},
            {"set", q.overrides},
            {"mode", to_string(q.mode)},
            {"phase", to_string(q.phase)},
            {"batch", q.batch},
            {"prompt_tokens", q.prompt_tokens},
            {"context", q.context},
            {"tp", q.tensor_parallel},
            {"network", q.network},
            {"max_tokens", q.max_tokens},
            {"dtype", q.dtype},
            {"numerics", q.numerics},
            {"mapping", q.mapping},
            {"weights", q.weights},
            {"software", q.software},
            {"burst", q.burst},
            {"warm_cache", q.warm_cache}};
  if (q.launch) j["launch"] = to_string(*q.launch);
  if (q.prompt) j["prompt"] = *q.prompt;
  j.update(split_json(q));
  j.update(choices_json(q));
  return j;
}

RunRequest request_from_json(const Json& json) {
  try {
    return read(json);
  } catch (const Json::exception& e) {
    throw InputError(fmt::format("a stored request cannot be read: {}", e.what()));
  }
}

}  // namespace presil
