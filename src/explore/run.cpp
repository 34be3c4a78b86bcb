#include "explore/run.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/parallel.h"
#include "compiler/compile.h"
#include "dram/address_map.h"
#include "explore/calibrated.h"
#include "model/registry.h"
#include "model/tokenizer.h"
#include "model/weights.h"
#include "program/text.h"

namespace presil {
namespace {

/// The GGUF that goes with the request, or an empty path when none is wanted.
std::filesystem::path find_weights(const RunRequest& request, const ModelRef& ref,
                                   const Places& places) {
  if (!request.weights.empty()) return request.weights;
  if (!ref.weights.empty()) return ref.weights;
  if (request.mode == Mode::cycles) return {};
  const std::filesystem::path cached = places.cache / (ref.name + ".gguf");
  if (std::filesystem::exists(cached)) return cached;
  throw MissingInput(
      fmt::format("{} has no weights here (looked for {}): give a GGUF file or a safetensors "
                  "checkpoint with --weights, or ask for --mode cycles",
                  ref.name, cached.string()));
}

/// The formats that weights are stored in: not those of accumulators and activations.
Format parse_format(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Choice<Format>& c : format_choices()) {
    if (c.value == Format::tf32 || c.value == Format::q8_1) continue;
    if (c.name == name) return c.value;
    names.push_back(c.name);
  }
  throw InputError(
      fmt::format("--dtype: expected one of {}, found '{}'", fmt::join(names, ", "), name));
}

/// The numerics with weights stored as `--dtype` says, instead of as they say themselves.
Numerics with_stored_weights(Numerics n, const std::string& dtype) {
  const Operand wanted{parse_format(dtype)};
  if (n.products.weights == wanted && n.of_head().weights == wanted) return n;
  n.products.weights.reset();
  if (n.head) n.head->weights.reset();
  if (const auto why = faults(n); !why.empty()) {
    throw InputError(fmt::format("--dtype {}: not with numerics {}: {}: {}", dtype, n.name,
                                 why.front().field, why.front().why));
  }
  if (!n.name.ends_with('*')) n.name += '*';
  return n;
}

/// llama.cpp's arithmetic for the formats that are its own.
std::string usual_numerics(const std::optional<Weights>& weights) {
  return weights && is_block_format(weights->architecture().dtype) ? "ggml" : "bf16";
}

/// Throws InputError that names the file or the setting: dram reads the mapping, and does not know
/// where it stood.
void check_mapping(const ChipFiles& files) {
  const bool own = !files.chip.dram.mapping.empty();
  try {
    dram::AddressMap(own ? files.chip.dram.mapping : files.memory.mapping, files.memory);
  } catch (const InputError& e) {
    std::vector<Diagnostic> errors = e.diagnostics();
    const auto input = std::find_if(
        files.inputs.begin(), files.inputs.end(),
        [&](const InputValue& v) { return v.field == (own ? "dram.mapping" : "mapping"); });
    CHECK(input != files.inputs.end(), "a mapping was read from somewhere");
    for (Diagnostic& d : errors) {
      d.file = input->file;
      d.line = input->line;
      d.column = 1;
    }
    throw InputError(std::move(errors));
  }
}

/// A file of weights is not taken for a model that it does not hold. Vocabularies may differ: those
/// who tune a model add tokens.
void check_same_shape(const ModelRef& ref, const std::filesystem::path& file,
                      const Architecture& found) {
  const Architecture wanted = read_architecture(ref);
  const auto shape = [](const Architecture& a) {
    return fmt::format("{} layers, d_model {}, d_ff {}, heads {}/{} of {}", a.n_layers, a.d_model,
                       a.d_ff, a.n_heads, a.n_kv_heads, a.head_dim);
  };
  if (shape(found) == shape(wanted)) return;
  throw InputError(fmt::format("{}: expected the weights of {} ({}), found {}", file.string(),
                               ref.name, shape(wanted), shape(found)));
}

std::string formats_of(const Weights& weights) {
  std::set<std::string_view> matrices;
  for (const WeightTensor& t : weights.tensors()) {
    if (t.shape.size() > 1) matrices.insert(to_string(t.format));
  }
  return fmt::format("{}", fmt::join(matrices, " + "));
}

/// What each weight of a file is stored as, as the compiler asks for it.
std::function<std::optional<Operand>(std::string_view)> operands_by_name(const Weights& weights) {
  return [&weights](std::string_view name) -> std::optional<Operand> {
    const WeightTensor* t = weights.find(name);
    if (t == nullptr) return std::nullopt;
    return Operand{t->format, t->scaling};
  };
}

}  // namespace

Feasible<RunResult> prepare(const RunRequest& request, const Places& places,
                            std::optional<Weights>& weights) {
  RunResult r;
  r.request = request;
  const ModelRef ref = resolve_model(request.model, places.home);
  const std::filesystem::path file = find_weights(request, ref, places);
  if (!file.empty() && !weights) weights.emplace(Weights::open(file));
  r.chip = load_chip(request.chip, request.overrides, places.home,
                     {.instead = request.numerics, .otherwise = usual_numerics(weights)});
  check_mapping(r.chip);
  r.numerics = r.chip.numerics;
  CompileOptions options;
  if (weights) {
    r.model = weights->architecture();
    if (file != ref.weights) check_same_shape(ref, file, r.model);
    r.model.name = ref.name;
    r.weights_file = file.filename().string();
    r.weights_id = identify_weights(file);
    r.weight_formats = formats_of(*weights);
    options.stored_as = operands_by_name(*weights);
    if (!request.dtype.empty()) {
      throw InputError(fmt::format("--dtype {}: the weights come from {}, which is {}",
                                   request.dtype, r.weights_file, r.weight_formats));
    }
  } else {
    r.model = read_architecture(ref);
    options.weights = r.model.dtype;
    if (!request.dtype.empty()) {
      options.weights = parse_format(request.dtype);
      r.numerics = with_stored_weights(r.numerics, request.dtype);
    }
  }
  options.tensor_parallel = request.tensor_parallel;
  options.numerics = r.numerics;
  auto program = compile(r.model, r.chip.chip, r.chip.memory, options);
  if (!program) return tl::unexpected(program.error());
  r.program = std::move(*program);
  return r;
}

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
  const CompareRequest& c = r.compare;
  if (c.with.empty() && (!c.text.empty() || c.layers || c.tokens != 0)) {
    throw InputError("--text, --tokens and --layers are for --compare: say with which numerics");
  }
  if (!c.with.empty() && r.mode == Mode::cycles) {
    throw InputError("--compare needs values: give --mode values, or a --prompt");
  }
  if (c.tokens < 0)
    throw InputError(fmt::format("--tokens: expected 0 or more, found {}", c.tokens));
  if (c.text.empty() && c.tokens != 0)
    throw InputError("--tokens cuts a --text, and there is none");
  check_sampling(r.sampling);
  if (!r.prompt && r.sampling != SamplingOptions{.seed = r.sampling.seed}) {
    throw InputError("--temperature and its filters are for a --prompt");
  }
  const bool reads_text = !c.text.empty() && r.mode == Mode::values;
  if (r.mode != Mode::cycles && !r.prompt && !reads_text) {
    throw InputError(
        "--mode values and --mode both need a --prompt (values alone: or --compare and --text)");
  }
  if (r.mode == Mode::cycles && r.prompt) {
    throw InputError(
        "--mode cycles reads no --prompt: give --prompt-tokens and --context, or another --mode");
  }
  if (r.prompt && r.prompt->empty()) throw InputError("--prompt: expected a text, found none");
  if (r.prompt && r.batch != 1) {
    throw InputError("--prompt runs one sequence; --batch is for runs without text");
  }
}

}  // namespace

Feasible<RunResult> prepare(const RunRequest& request, const Places& places) {
  check_request(request);
  std::optional<Weights> weights;
  return prepare(request, places, weights);
}

Feasible<RunResult> time_run(RunResult r, const Places& places) {
  const std::vector<PhaseSteps> wanted = steps_of(r);
  std::vector<std::optional<Feasible<PhaseResult>>> phases(wanted.size());
  parallel_each(wanted.size(), [&](std::size_t i) {
    phases[i] = run_phase(wanted[i].name, r.program, wanted[i].steps, r.chip, r.request.launch);
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
  text += fmt::format("\nlaunch {}\n", static_cast<int>(r.request.launch));
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
