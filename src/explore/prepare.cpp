#include "explore/prepare.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/compile.h"
#include "compiler/pinned_mappings.h"
#include "cycles/dram_stream.h"
#include "dram/address_map.h"
#include "model/registry.h"

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
                  "checkpoint with --weights, or ask for "
                  "--mode cycles",
                  ref.name, cached.string()));
}

/// Throws InputError for a model that can only be timed.
void check_has_values(const ModelRef& ref) {
  if (ref.config.empty()) return;  // of a file of weights its reader says so
  const std::string what = only_timed(read_architecture(ref));
  if (what.empty()) return;
  throw InputError(
      fmt::format("{}: the values of {} are not there yet: give --mode cycles", ref.name, what));
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

/// The serving engine of the request, else the one that chips like this are usually run with, and
/// the constants of its kernels.
kernels::Library library_for(const RunRequest& request, const ChipFiles& files,
                             const Places& places) {
  const bool has_kernels = files.chip.core.matrix.issue != Issue::none;
  kernels::Library library;
  library.software = kernels::load_software(!request.software.empty() ? request.software
                                            : has_kernels             ? "trtllm"
                                                                      : "ideal",
                                            places.home);
  if (!library.software.has_laws()) return library;
  if (!has_kernels) {
    throw InputError(fmt::format(
        "--software {}: its kernels are known for GPUs only, and {} has core.matrix.issue none; "
        "--software ideal times the program's own kernels",
        library.software.name, files.chip.name));
  }
  library.machine =
      kernels::machine_of(files, stream_bandwidth(files.memory, files.chip.dram).count() / 1e9);
  library.constants = kernels::read_constants(places.home / "software" / "constants.yaml");
  if (request.warm_cache) library.residency = kernels::Residency::cycling;
  return library;
}

}  // namespace

Feasible<RunResult> prepare(const RunRequest& request, const Places& places,
                            std::optional<Weights>& weights) {
  // --dtype w4a16: a set of numerics says what weights are stored in, and more.
  const std::vector<std::string> sets = names_in(places.home / "numerics");
  const auto formats = format_choices();
  const bool is_format = std::any_of(formats.begin(), formats.end(),
                                     [&](const auto& f) { return f.name == request.dtype; });
  if (request.numerics.empty() && !is_format &&
      std::find(sets.begin(), sets.end(), request.dtype) != sets.end()) {
    RunRequest by_name = request;
    by_name.numerics = std::exchange(by_name.dtype, "");
    return prepare(by_name, places, weights);
  }
  RunResult r;
  r.request = request;
  const ModelRef ref = resolve_model(request.model, places.home);
  if (request.mode != Mode::cycles) check_has_values(ref);
  const std::filesystem::path file = find_weights(request, ref, places);
  if (!file.empty() && !weights) weights.emplace(Weights::open(file));
  std::vector<std::string> overrides = request.overrides;
  if (!request.network.empty()) overrides.push_back("network=" + request.network);
  r.chip = load_chip(request.chip, overrides, places.home,
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
  options.pipeline_parallel = request.pipeline_parallel;
  options.data_parallel = request.data_parallel;
  options.expert_parallel = request.expert_parallel;
  options.expert_imbalance = request.expert_imbalance;
  options.sequence_parallel = request.sequence_parallel;
  options.samples = request.sampling.temperature > 0;
  options.numerics = r.numerics;
  if (!request.mapping.empty()) {
    options.mappings = read_mapping_file(read_document(request.mapping, Syntax::yaml, places.home));
  }
  for (; options.stage < request.pipeline_parallel; ++options.stage) {
    auto program = compile(r.model, r.chip.chip, r.chip.memory, options);
    if (!program) return tl::unexpected(program.error());
    (options.stage == 0 ? r.program : r.later_stages.emplace_back()) = std::move(*program);
  }
  std::vector<const Program*> stages = {&r.program};
  for (const Program& later : r.later_stages) stages.push_back(&later);
  check_kernels_named(options.mappings, stages);
  r.library = library_for(request, r.chip, places);
  r.errors = ErrorModel(kernels::read_uncertainty(places.home / "software" / "uncertainty.yaml"),
                        r.chip, r.library);
  return r;
}

Feasible<RunResult> prepare(const RunRequest& request, const Places& places) {
  check_request(request);
  std::optional<Weights> weights;
  return prepare(request, places, weights);
}

}  // namespace presil
