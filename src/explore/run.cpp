#include "explore/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "explore/calibrated.h"
#include "explore/pipeline.h"
#include "explore/prepare.h"
#include "explore/steps.h"
#include "explore/what_fits.h"
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

std::optional<TextLength> length_of(const std::optional<TextResult>& text) {
  if (!text) return std::nullopt;
  return TextLength{std::ssize(text->prompt_tokens), std::ssize(text->tokens)};
}

/// One phase on all stages, each of which is timed by itself.
Feasible<PhaseResult> run_stages(const RunResult& r, const PhaseSteps& phase) {
  const std::vector<const Program*> programs = stages_of(r);
  std::vector<std::optional<Feasible<PhaseResult>>> timed(programs.size());
  parallel_each(programs.size(), [&](std::size_t i) {
    timed[i] = run_phase(phase.name, *programs[i], phase.steps, r.chip, cycles_options(r),
                         clocking(r.request));
  });
  std::vector<PhaseResult> stages;
  for (auto& stage : timed) {
    if (!*stage) return tl::unexpected(stage->error());
    stages.push_back(std::move(**stage));
  }
  PhaseResult joined = join_stages(std::move(stages), phase.microbatches, r.chip);
  joined.tokens = phase.tokens;
  return joined;
}

}  // namespace

CyclesOptions cycles_options(const RunResult& r) {
  CyclesOptions options;
  options.launch = r.request.launch.value_or(r.library.software.launch);
  if (r.library.software.has_laws()) options.library = &r.library;
  options.record_transfers = r.request.record_transfers;
  return options;
}

std::int64_t page_tokens(const RunResult& r) {
  return r.request.kv_page > 0 ? r.request.kv_page : r.library.software.kv_page;
}

Clocking clocking(const RunRequest& request) {
  return request.burst ? Clocking::burst : Clocking::sustained;
}

std::vector<const Program*> stages_of(const RunResult& r) {
  std::vector<const Program*> stages = {&r.program};
  for (const Program& p : r.later_stages) stages.push_back(&p);
  return stages;
}

Feasible<RunResult> time_run(RunResult r, const Places& places) {
  const std::vector<PhaseSteps> wanted = steps_of(r.request, length_of(r.text), page_tokens(r));
  std::vector<std::optional<Feasible<PhaseResult>>> phases(wanted.size());
  parallel_each(wanted.size(), [&](std::size_t i) { phases[i] = run_stages(r, wanted[i]); });
  for (auto& phase : phases) {
    if (!*phase) return tl::unexpected(phase->error());
    r.phases.push_back(std::move(**phase));
  }
  const Prices prices = load_prices(places.home);
  r.price = price_chip(r.chip, prices);
  for (const PhaseResult& phase : r.phases) {
    if (phase.name != "decode") continue;
    const TokenRate rate{tokens_per_second(phase), chips_of(r.request), mean_power(phase)};
    r.token_price = usd_per_mtoken(rate, r.chip.chip, r.price, prices);
  }
  return r;
}

std::string fingerprint(const RunResult& r, const Places& places) {
  std::string text;
  for (const Program* stage : stages_of(r)) text += print(*stage);
  for (const PhaseSteps& p : steps_of(r.request, length_of(r.text), page_tokens(r))) {
    text +=
        fmt::format("{} {} in {}, pages of {}", p.name, p.tokens, p.microbatches, page_tokens(r));
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
  text += kernels::print_uncertainty(r.errors.uncertainty());
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
  if (request.mode == Mode::values) return result;
  auto timed = time_run(std::move(*result), places);
  if (timed || request.prompt) return timed;
  Infeasible answer = timed.error();
  if (const std::string fits = what_would_fit(request, places); !fits.empty()) answer.remedy = fits;
  return tl::unexpected(std::move(answer));
}

}  // namespace presil
