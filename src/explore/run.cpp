#include "explore/run.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/compile.h"
#include "model/registry.h"
#include "model/tokenizer.h"
#include "model/weights.h"

namespace presil {
namespace {

/// The GGUF that goes with the request, or an empty path when none is wanted.
std::filesystem::path find_weights(const RunRequest& request, const ModelRef& ref,
                                   const Places& places) {
  if (!request.weights.empty()) return request.weights;
  if (!ref.weights.empty()) return ref.weights;
  if (request.mode == Mode::cycles && !request.prompt) return {};
  const std::filesystem::path cached = places.cache / (ref.name + ".gguf");
  if (std::filesystem::exists(cached)) return cached;
  throw MissingInput(fmt::format(
      "{} has no weights here (looked for {}): give a GGUF file with --weights, or ask for "
      "--mode cycles",
      ref.name, cached.string()));
}

Format parse_format(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Choice<Format>& c : format_choices()) {
    if (c.name == name) return c.value;
    names.push_back(c.name);
  }
  throw InputError(
      fmt::format("--dtype: expected one of {}, found '{}'", fmt::join(names, ", "), name));
}

std::string formats_of(const Weights& weights) {
  std::set<std::string_view> matrices;
  for (const WeightTensor& t : weights.tensors()) {
    if (t.shape.size() > 1) matrices.insert(to_string(t.format));
  }
  return fmt::format("{}", fmt::join(matrices, " + "));
}

/// The same step again and again, each one token further.
std::vector<Step> decode_steps(std::int64_t batch, std::int64_t context, std::int64_t count) {
  std::vector<Step> steps;
  for (std::int64_t i = 0; i < count; ++i) {
    steps.push_back({std::vector<Sequence>(static_cast<std::size_t>(batch), {1, context + i})});
  }
  return steps;
}

class Runner {
 public:
  Runner(const RunRequest& request, const Places& places,
         const std::function<void(std::string_view)>& on_text)
      : request_(request), places_(places), on_text_(on_text) {}

  Feasible<RunResult> run() {
    result_.request = request_;
    result_.chip = load_chip(request_.chip, request_.overrides, places_.home);
    load_model();
    auto program = compile(result_.model, result_.chip.chip, result_.chip.memory, options());
    if (!program) return tl::unexpected(program.error());
    result_.program = std::move(*program);

    if (request_.mode != Mode::cycles) {
      if (auto done = generate_text(); !done) return tl::unexpected(done.error());
    }
    if (request_.mode != Mode::values) {
      if (auto done = time_phases(); !done) return tl::unexpected(done.error());
      add_price();
    }
    return std::move(result_);
  }

 private:
  void load_model() {
    const ModelRef ref = resolve_model(request_.model, places_.home);
    const std::filesystem::path file = find_weights(request_, ref, places_);
    if (file.empty()) {
      result_.model = read_architecture(ref);
    } else {
      weights_.emplace(Weights::open_gguf(file));
      result_.model = weights_->architecture();
      result_.model.name = ref.name;
      result_.weights_file = file.filename().string();
      result_.weights_bytes = formats_of(*weights_);
    }
    if (weights_ && !request_.dtype.empty()) {
      throw InputError(
          fmt::format("--dtype {}: the weights come from {}, which says their formats itself",
                      request_.dtype, result_.weights_file));
    }
    result_.numerics =
        !request_.numerics.empty() ? request_.numerics : (weights_ ? "ggml" : "bf16");
  }

  CompileOptions options() const {
    CompileOptions o;
    o.tensor_parallel = request_.tensor_parallel;
    o.numerics = result_.numerics;
    o.weights = request_.dtype.empty() ? result_.model.dtype : parse_format(request_.dtype);
    if (weights_) {
      o.format_of = [this](std::string_view name) -> std::optional<Format> {
        const WeightTensor* t = weights_->find(name);
        return t == nullptr ? std::nullopt : std::optional<Format>(t->format);
      };
    }
    return o;
  }

  Feasible<bool> generate_text() {
    if (!request_.prompt) throw InputError("--mode values and both need a --prompt");
    const Tokenizer tokenizer(weights_->vocabulary());
    TextResult text;
    text.prompt = *request_.prompt;
    text.prompt_tokens = tokenizer.encode(text.prompt, true);
    Session session(result_.program, *weights_);
    StreamDecoder decoder(tokenizer);
    GenerateOptions options;
    options.max_tokens = request_.max_tokens;
    options.stop_tokens = result_.model.eos_tokens;
    const auto emit = [&](const GeneratedToken& token) {
      text.pieces.push_back(decoder.push(token.token));
      if (on_text_) on_text_(text.pieces.back());
    };
    auto tokens = generate(result_.program, session, text.prompt_tokens, options, emit);
    if (!tokens) return tl::unexpected(tokens.error());
    text.tokens = std::move(*tokens);
    if (!text.pieces.empty()) text.pieces.back() += decoder.finish();
    result_.text = std::move(text);
    return true;
  }

  /// With a text: its prompt, then one step for each token after the first. Otherwise a batch of
  /// equal sequences.
  Feasible<bool> time_phases() {
    std::int64_t prompt_tokens = request_.prompt_tokens;
    std::int64_t context = request_.context;
    std::int64_t decodes = 1;
    if (result_.text) {
      prompt_tokens = context = static_cast<std::int64_t>(result_.text->prompt_tokens.size());
      decodes = static_cast<std::int64_t>(result_.text->tokens.size()) - 1;
    }
    if (request_.phase != PhaseChoice::decode) {
      const Step prefill{
          std::vector<Sequence>(static_cast<std::size_t>(request_.batch), {prompt_tokens, 0})};
      if (auto done = add_phase("prefill", {prefill}); !done) return done;
    }
    if (request_.phase != PhaseChoice::prefill && decodes > 0) {
      return add_phase("decode", decode_steps(request_.batch, context, decodes));
    }
    return true;
  }

  Feasible<bool> add_phase(const std::string& name, const std::vector<Step>& steps) {
    auto phase = run_phase(name, result_.program, steps, result_.chip, request_.launch);
    if (!phase) return tl::unexpected(phase.error());
    result_.phases.push_back(std::move(*phase));
    return true;
  }

  void add_price() {
    const Prices prices = load_prices(places_.home);
    result_.price = price_chip(result_.chip, prices);
    for (const PhaseResult& phase : result_.phases) {
      if (phase.name != "decode") continue;
      TokenRate rate;
      rate.tokens_per_s = tokens_per_second(phase);
      rate.chips = request_.tensor_parallel;
      rate.power = mean_power(phase);
      result_.token_price = usd_per_mtoken(rate, result_.chip.chip, result_.price, prices);
    }
  }

  const RunRequest& request_;
  const Places& places_;
  const std::function<void(std::string_view)>& on_text_;
  RunResult result_;
  std::optional<Weights> weights_;
};

void check_request(const RunRequest& r) {
  const auto positive = [](std::int64_t value, std::string_view option) {
    if (value < 1) throw InputError(fmt::format("{}: expected 1 or more, found {}", option, value));
  };
  positive(r.batch, "--batch");
  positive(r.prompt_tokens, "--prompt-tokens");
  positive(r.max_tokens, "-n");
  positive(r.tensor_parallel, "--tp");
  constexpr std::int64_t kLargestBatch = 65536;
  if (r.batch > kLargestBatch) {
    throw InputError(fmt::format("--batch: expected at most {}, found {}", kLargestBatch, r.batch));
  }
  if (r.context < 0) {
    throw InputError(fmt::format("--context: expected 0 or more, found {}", r.context));
  }
  if (r.prompt && r.batch != 1) {
    throw InputError("--prompt runs one sequence; --batch is for runs without text");
  }
}

}  // namespace

Feasible<RunResult> run(const RunRequest& request, const Places& places,
                        const std::function<void(std::string_view)>& on_text) {
  check_request(request);
  return Runner(request, places, on_text).run();
}

}  // namespace presil
