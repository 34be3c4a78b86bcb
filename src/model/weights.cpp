#include "model/weights.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/mapped_file.h"
#include "model/finite.h"
#include "model/gguf.h"
#include "model/safetensors_model.h"
#include "model/vocabulary_gguf.h"
#include "model/weight_shapes.h"

namespace presil {
namespace {

struct GgufFamily {
  std::string_view architecture;  // general.architecture; also the prefix of its keys
  RopeLayout layout;              // llama.cpp, llama_model_rope_type: NORM or NEOX
  bool qkv_bias;
  bool qk_norm;
};

constexpr GgufFamily kFamilies[] = {
    {"llama", RopeLayout::interleaved, false, false},
    {"qwen2", RopeLayout::halves, true, false},
    {"qwen3", RopeLayout::halves, false, true},
};

constexpr std::int64_t kMaxTokens = 1 << 24;
constexpr std::int64_t kNoToken = -1;

const GgufFamily& read_family(const Gguf& file) {
  const auto name = file.text("general.architecture");
  if (!name) throw file.error("missing key 'general.architecture'");
  std::vector<std::string_view> known;
  for (const GgufFamily& f : kFamilies) {
    if (f.architecture == *name) return f;
    known.push_back(f.architecture);
  }
  throw file.error(
      fmt::format("general.architecture: \"{}\" is not supported yet; expected one of "
                  "{}",
                  name_for_message(*name), fmt::join(known, ", ")));
}

/// Reads keys that start with the architecture's name.
class FamilyKeys {
 public:
  FamilyKeys(const Gguf& file, std::string_view prefix) : file_(file), prefix_(prefix) {}

  std::string key(std::string_view name) const { return fmt::format("{}.{}", prefix_, name); }

  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max) const {
    const auto value = file_.integer(key(name), min, max);
    if (!value) throw missing(name);
    return *value;
  }
  std::int64_t integer_or(std::string_view name, std::int64_t fallback, std::int64_t min,
                          std::int64_t max) const {
    return file_.integer(key(name), min, max).value_or(fallback);
  }
  double number(std::string_view name, std::optional<double> fallback, double min,
                double max) const {
    auto value = file_.number(key(name));
    if (!value) value = fallback;
    if (!value) throw missing(name);
    if (!(*value >= min && *value <= max)) {
      throw file_.error(
          fmt::format("{}: expected {:g} to {:g}, found {:g}", key(name), min, max, *value));
    }
    return *value;
  }

 private:
  InputError missing(std::string_view name) const {
    return file_.error(fmt::format("missing key '{}'", key(name)));
  }
  const Gguf& file_;
  std::string_view prefix_;
};

RopeScaling read_scaling(const Gguf& file, const FamilyKeys& keys) {
  RopeScaling scaling;
  const std::string key = keys.key("rope.scaling.type");
  const std::string_view kind = file.text(key).value_or("none");
  if (kind == "linear") {
    scaling.kind = RopeScaling::Kind::linear;
    scaling.factor = keys.number("rope.scaling.factor", std::nullopt, 1, 1e6);
  } else if (kind != "none") {
    throw file.error(fmt::format("{}: \"{}\" is not supported yet; expected none or linear", key,
                                 name_for_message(kind)));
  }
  return scaling;
}

Architecture read_architecture(const Gguf& file, const GgufFamily& family,
                               const Vocabulary& vocabulary) {
  const FamilyKeys keys(file, family.architecture);
  Architecture a;
  a.family = family.architecture;
  a.qkv_bias = family.qkv_bias;
  a.qk_norm = family.qk_norm;
  if (keys.integer_or("expert_count", 0, 0, 1 << 20) > 0) {
    throw file.error(
        fmt::format("{}: a mixture of experts is not supported yet", keys.key("expert_count")));
  }
  a.n_layers = keys.integer("block_count", 1, 1024);
  a.d_model = keys.integer("embedding_length", 1, 1 << 18);
  a.d_ff = keys.integer("feed_forward_length", 1, 1 << 20);
  a.n_heads = keys.integer("attention.head_count", 1, 4096);
  a.n_kv_heads = keys.integer_or("attention.head_count_kv", a.n_heads, 1, a.n_heads);
  a.head_dim = keys.integer_or("attention.key_length", a.d_model / a.n_heads, 2, 1024);
  a.max_context = keys.integer("context_length", 1, 1 << 27);
  a.norm_eps = keys.number("attention.layer_norm_rms_epsilon", std::nullopt, 1e-12, 1e-1);
  a.rope_theta = keys.number("rope.freq_base", 10000, 1, 1e12);
  a.rope_scaling = read_scaling(file, keys);
  a.sliding_window = keys.integer_or("attention.sliding_window", 0, 0, 1 << 27);

  const auto n_tokens = static_cast<std::int64_t>(vocabulary.tokens.size());
  a.vocab_size = n_tokens > 0 ? keys.integer_or("vocab_size", n_tokens, n_tokens, kMaxTokens)
                              : keys.integer("vocab_size", 1, kMaxTokens);
  if (vocabulary.eos != kNoToken) a.eos_tokens.push_back(vocabulary.eos);
  const auto eot = file.integer("tokenizer.ggml.eot_token_id", 0, a.vocab_size - 1);
  if (eot && *eot != vocabulary.eos) a.eos_tokens.push_back(*eot);
  a.bos_token = vocabulary.bos;

  const auto agree = [&](bool holds, std::string_view name, const std::string& message) {
    if (!holds) throw file.error(fmt::format("{}: {}", keys.key(name), message));
  };
  agree(a.n_heads % a.n_kv_heads == 0, "attention.head_count_kv",
        fmt::format("{} does not divide attention.head_count {}", a.n_kv_heads, a.n_heads));
  agree(a.head_dim % 2 == 0, "attention.head_count",
        fmt::format("rotary embedding needs an even head width, found {}", a.head_dim));
  agree(keys.integer_or("attention.value_length", a.head_dim, 1, 1 << 18) == a.head_dim,
        "attention.value_length", fmt::format("expected {}, the width of keys", a.head_dim));
  agree(keys.integer_or("rope.dimension_count", a.head_dim, 1, 1 << 18) == a.head_dim,
        "rope.dimension_count", fmt::format("expected {}, the width of a head", a.head_dim));
  return a;
}

}  // namespace

struct Weights::State {
  std::filesystem::path path;
  std::vector<MappedFile> files;
  Architecture architecture;
  Vocabulary vocabulary;
  RopeLayout layout = RopeLayout::interleaved;
  std::vector<WeightTensor> tensors;                                // in the file's order
  std::map<std::string, const WeightTensor*, std::less<>> by_name;  // into tensors
};

Weights::Weights(std::unique_ptr<State> state) : state_(std::move(state)) {
  for (const WeightTensor& t : state_->tensors) state_->by_name[t.name] = &t;
  state_->architecture.dtype = find("blk.0.ffn_gate.weight")->format;
}
Weights::Weights(Weights&&) noexcept = default;
Weights& Weights::operator=(Weights&&) noexcept = default;
Weights::~Weights() = default;

Weights Weights::open_gguf(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->files.emplace_back(path);
  const Gguf file(state->files.front().bytes(), path);
  const GgufFamily& family = read_family(file);
  state->layout = family.layout;
  state->vocabulary = read_vocabulary(file);

  Architecture& a = state->architecture;
  a = read_architecture(file, family, state->vocabulary);
  a.name = path.stem().string();
  a.tied_embeddings = true;  // until the file shows a head of its own
  for (const GgufTensor& t : file.tensors()) {
    if (t.name == "output.weight") a.tied_embeddings = false;
    state->tensors.push_back({std::string(t.name), t.format, t.shape, t.data, Scaling::none, {}});
  }
  check_tensors(a, state->tensors, path.string(), [](const std::string& name) { return name; });
  return Weights(std::move(state));
}

Weights Weights::open_safetensors(const std::filesystem::path& path) {
  SafetensorsModel model = open_safetensors_model(path);
  auto state = std::make_unique<State>();
  state->path = path;
  state->files = std::move(model.files);
  state->architecture = std::move(model.architecture);
  state->layout = RopeLayout::halves;
  state->tensors = std::move(model.tensors);
  return Weights(std::move(state));
}

Weights Weights::open(const std::filesystem::path& path) {
  const std::filesystem::path extension = path.extension();
  const bool is_checkpoint =
      std::filesystem::is_directory(path) || extension == ".safetensors" || extension == ".json";
  return is_checkpoint ? open_safetensors(path) : open_gguf(path);
}

const Architecture& Weights::architecture() const {
  return state_->architecture;
}
const Vocabulary& Weights::vocabulary() const {
  return state_->vocabulary;
}
RopeLayout Weights::rope_layout() const {
  return state_->layout;
}
std::span<const WeightTensor> Weights::tensors() const {
  return state_->tensors;
}

std::vector<double> Weights::rope_frequencies() const {
  std::vector<double> frequencies = presil::rope_frequencies(state_->architecture);
  if (const WeightTensor* divisors = find("rope_freqs.weight")) {
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      frequencies[i] /= load<float>(divisors->data.data() + i * sizeof(float));
    }
  }
  return frequencies;
}

const WeightTensor* Weights::find(std::string_view name) const {
  const auto found = state_->by_name.find(name);
  return found == state_->by_name.end() ? nullptr : found->second;
}

Bytes Weights::file_size() const {
  Bytes size{0};
  for (const MappedFile& file : state_->files) {
    size += Bytes(static_cast<std::int64_t>(file.bytes().size()));
  }
  return size;
}

const std::filesystem::path& Weights::path() const {
  return state_->path;
}

void Weights::check_finite(const WeightTensor& tensor) const {
  if (const auto bad = find_not_finite(tensor)) {
    throw file_error(
        state_->path.string(),
        fmt::format("tensor '{}', row {}, column {}: {} is NaN or infinite", tensor.name, bad->row,
                    bad->column, bad->in_scale ? "the scale of these weights" : "the weight"));
  }
}

}  // namespace presil
