#include "explore/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "explore/calibrated.h"
#include "explore/prepare.h"
#include "kernels/laws.h"
#include "model/tokenizer.h"
#include "model/weights.h"
#include "program/text.h"

namespace presil {
namespace {

Feasible<TextResult> generate_text(const RunResult& r, const Weights& weights, const Places& places,
                                   const std::function<void(std::string_view)>& on_text) {
  const Tokenizer tokenizer = tokenizer_of(weights);
  TextResult text;
  text.prompt = *r.request.prompt;
  text.prompt_tokens = tokenizer.encode_prompt(text.prompt, true);
  const Calibration calibration = calibration_for(r.program, weights, places.home);
  Session session(r.program, weights, {.calibration = &calibration});
  StreamDecoder decoder(tokenizer);
  Sampler sampler(r.request.sampling);
  GenerateOptions options;
  options.sampler = &sampler;
  options.max_tokens = r.request.max_tokens;
  options.stop_tokens = r.model.eos_tokens;
  const auto emit = [&](const GeneratedToken& token) {
    const auto& stops = options.stop_tokens;
    const bool stop = std::find(stops.begin(), stops.end(), token.token) != stops.end();
    text.pieces.push_back(stop ? std::string() : decoder.next(token.token));
    if (on_text) on_text(text.pieces.back());
  };
  auto tokens = generate(r.program, session, text.prompt_tokens, options, emit);
  if (!tokens) return tl::unexpected(tokens.error());
  text.tokens = std::move(*tokens);
  if (!text.pieces.empty()) text.pieces.back() += decoder.finish();
  return text;
}

/// What the result's numerics make of a text, against those it is to be compared with. The
/// reference is the same model compiled for the same chip; as an arithmetic, it need not fit it.
Feasible<Quality> compare_run(const RunResult& r, std::optional<Weights>& weights,
                              const Places& places) {
  const CompareRequest& wanted = r.request.compare;
  RunRequest request = r.request;
  request.numerics = wanted.with;
  std::erase_if(request.overrides,
                [](const std::string& set) { return set.starts_with("numerics."); });
  auto reference = prepare(request, places, weights);
  if (!reference) return tl::unexpected(reference.error());
  reference->program.dram_capacity = kAnyCapacity;
  std::vector<int> tokens;
  if (!wanted.text.empty()) {
    tokens = read_tokens(tokenizer_of(*weights), wanted.text, wanted.tokens, r.program.max_context);
  } else {
    tokens = r.text->prompt_tokens;
    for (const GeneratedToken& t : r.text->tokens) tokens.push_back(t.token);
    tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(r.program.max_context)));
  }
  return compare_on(r.program, reference->program, *weights, tokens, wanted.layers, places.home);
}

struct PhaseSteps {
  std::string name;
  std::vector<Step> steps;
};

/// With a text: its prompt, then one step for each token after the first. Otherwise a batch of
/// equal sequences.
std::vector<PhaseSteps> steps_of(const RunResult& r) {
  const RunRequest& q = r.request;
  std::int64_t prompt_tokens = q.prompt_tokens;
  std::int64_t context = q.context;
  std::int64_t decodes = 1;
  if (r.text) {
    prompt_tokens = context = static_cast<std::int64_t>(r.text->prompt_tokens.size());
    decodes = static_cast<std::int64_t>(r.text->tokens.size()) - 1;
  }
  const auto batch = static_cast<std::size_t>(q.batch);
  std::vector<PhaseSteps> phases;
  if (q.phase != PhaseChoice::decode) {
    phases.push_back({"prefill", {Step{std::vector<Sequence>(batch, {prompt_tokens, 0})}}});
  }
  if (q.phase != PhaseChoice::prefill && decodes > 0) {
    PhaseSteps decode{"decode", {}};
    for (std::int64_t i = 0; i < decodes; ++i) {
      decode.steps.push_back({std::vector<Sequence>(batch, {1, context + i})});
    }
    phases.push_back(std::move(decode));
  }
  return phases;
}

}  // namespace

CyclesOptions cycles_options(const RunResult& r) {
  CyclesOptions options;
  options.launch = r.request.launch.value_or(r.library.software.launch);
  if (r.library.software.has_laws()) options.library = &r.library;
  options.record_transfers = r.request.record_transfers;
  return options;
}

Clocking clocking(const RunRequest& request) {
  return request.burst ? Clocking::burst : Clocking::sustained;
}

Feasible<RunResult> time_run(RunResult r, const Places& places) {
  const std::vector<PhaseSteps> wanted = steps_of(r);
  std::vector<std::optional<Feasible<PhaseResult>>> phases(wanted.size());
  parallel_each(wanted.size(), [&](std::size_t i) {
    phases[i] = run_phase(wanted[i].name, r.program, wanted[i].steps, r.chip, cycles_options(r),
                          clocking(r.request));
  });
  for (auto& phase : phases) {
    if (!*phase) return tl::unexpected(phase->error());
    r.phases.push_back(std::move(**phase));
  }
  const Prices prices = load_prices(places.home);
  r.price = price_chip(r.chip, prices);
  for (const PhaseResult& phase : r.phases) {
    if (phase.name != "decode") continue;
    const TokenRate rate{tokens_per_second(phase), r.request.tensor_parallel, mean_power(phase)};
    r.token_price = usd_per_mtoken(rate, r.chip.chip, r.price, prices);
  }
  return r;
}

std::string fingerprint(const RunResult& r, const Places& places) {
  std::string text = print(r.program);
  for (const PhaseSteps& p : steps_of(r)) {
    text += p.name;
    for (const Step& step : p.steps) {
      for (const Sequence& s : step.sequences)
        text += fmt::format(" {}+{}", s.context, s.new_tokens);
    }
  }
  const kernels::Software& software = r.library.software;
  text += fmt::format("\nlaunch {} burst {} warm {} software {} {} {} {}\n",
                      static_cast<int>(r.request.launch.value_or(software.launch)), r.request.burst,
                      r.request.warm_cache, software.engine, software.collectives,
                      software.fuses_rope, software.fuses_swiglu);
  if (software.has_laws())
    text += kernels::print_constants(r.library.constants, kernels::all_laws());
  for (const InputValue& v : r.chip.inputs) text += fmt::format("{} {}\n", v.field, v.text);
  return text + read_text(load_prices(places.home).file, std::size_t{1} << 20);
}

Feasible<RunResult> run(const RunRequest& request, const Places& places,
                        const std::function<void(std::string_view)>& on_text) {
  check_request(request);
  std::optional<Weights> weights;
  auto result = prepare(request, places, weights);
  if (!result) return result;
  if (request.mode != Mode::cycles) {
    if (request.prompt) {
      auto text = generate_text(*result, *weights, places, on_text);
      if (!text) return tl::unexpected(text.error());
      result->text = std::move(*text);
    }
    if (!request.compare.with.empty()) {
      auto quality = compare_run(*result, weights, places);
      if (!quality) return tl::unexpected(quality.error());
      result->quality = std::move(*quality);
    }
  }
  return request.mode == Mode::values ? std::move(result) : time_run(std::move(*result), places);
}

}  // namespace presil
