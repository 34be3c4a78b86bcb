// verify: are we right, by somebody else's measure?
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "explore/fp32_weights.h"
#include "explore/parts_json.h"
#include "explore/verify_values.h"
#include "report/table.h"

namespace presil::app {
namespace {

std::string name_of(Reference reference) {
  return reference == Reference::numpy ? "numpy" : "llama.cpp";
}

Json prompt_json(const VerifiedPrompt& p, Reference reference) {
  const auto first = std::find(p.equal.begin(), p.equal.end(), false);
  Json json = {
      {"name", p.name},
      {"weights", p.weights},
      {"prompt_tokens", p.prompt_tokens},
      {"prompt_tokens_equal", p.prompt_tokens_equal},
      {"steps", p.equal.size()},
      {"tokens_equal", p.tokens_equal()},
      {"first_difference", first == p.equal.end() ? Json() : Json(first - p.equal.begin())},
      {"max_probability_difference", p.max_probability_difference}};
  if (reference == Reference::numpy) {
    json["logits_error"] = p.logits_error;
  } else {
    json["reference_spread"] = p.reference_spread;
  }
  json["choices_decided"] = p.choices_decided;
  json["choices_equal"] = p.choices_equal;
  return json;
}

Json to_json(const Verification& v) {
  Json prompts = Json::array();
  for (const VerifiedPrompt& p : v.prompts) prompts.push_back(prompt_json(p, v.request.reference));
  Json claims = Json::array();
  for (const Claim& c : v.claims) {
    claims.push_back({{"weights", c.weights},
                      {"claim", c.claim},
                      {"found", c.found},
                      {"limit", c.limit},
                      {"holds", c.holds}});
  }
  return {{"schema", "presil/verify/1"},
          {"what", "values"},
          {"reference", name_of(v.request.reference)},
          {"reference_builds", v.builds},
          {"chip", v.request.chip},
          {"prompts", prompts},
          {"claims", claims},
          {"holds", v.holds()}};
}

void print(const Verification& v) {
  const bool numpy = v.request.reference == Reference::numpy;
  Table table({{"weights"},
               {"prompt"},
               {"steps", Align::right},
               {"equal", Align::right},
               {"decided", Align::right},
               {"equal", Align::right},
               {"largest |dp|", Align::right},
               {numpy ? "error of logits" : "llama.cpp's own", Align::right}});
  for (const VerifiedPrompt& p : v.prompts) {
    const auto equal = std::count(p.equal.begin(), p.equal.end(), true);
    table.add({p.weights, p.name, std::to_string(p.equal.size()), std::to_string(equal),
               std::to_string(p.choices_decided), std::to_string(p.choices_equal),
               fmt::format("{:.2g}", p.max_probability_difference),
               fmt::format("{:.2g}", numpy ? p.logits_error : p.reference_spread)});
  }
  fmt::print("{}\n", table.render(colour()));
  for (const Claim& c : v.claims) {
    fmt::print("{}  {}: {}: {:.3g}, at most {:.3g}\n", c.holds ? "holds" : "FAILS", c.weights,
               c.claim, c.found, c.limit);
  }
}

std::filesystem::path shipped_weights(const Places& places) {
  const std::filesystem::path file = places.cache / "smollm2-135m.gguf";
  if (std::filesystem::exists(file)) return file;
  throw MissingInput(
      fmt::format("no model at {}: ./presil verify values fetches it; or give a GGUF "
                  "file with --weights",
                  file.string()));
}

}  // namespace

int verify_values_verb(const Common& common, VerifyRequest request) {
  if (request.prompts.empty()) {
    request.prompts = common.places.home / "test/data/verify_prompts.json";
  }
  std::optional<Fp32Weights> floats;
  if (request.weights.empty()) {
    request.weights = {shipped_weights(common.places)};
    if (request.reference == Reference::llama_cpp) {
      floats.emplace(request.weights.front(), common.places.cache);
      request.weights.push_back(floats->path());
    }
  }
  const auto verified = verify_values(request, common.places);
  if (!verified) {
    RunRequest run;
    run.chip = request.chip;
    return answer_no(common, run, verified.error());
  }
  if (common.json) {
    print_json(common, to_json(*verified));
  } else {
    print(*verified);
  }
  return verified->holds() ? 0 : 1;
}

}  // namespace presil::app
