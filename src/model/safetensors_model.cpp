#include "model/safetensors_model.h"

#include <bit>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/document.h"
#include "base/error.h"
#include "base/integers.h"
#include "model/gguf_cursor.h"
#include "model/safetensors.h"
#include "model/safetensors_names.h"
#include "model/weight_shapes.h"

namespace presil {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kSingle = "model.safetensors";
constexpr std::size_t kMaxShards = 1024;
constexpr std::int64_t kScaledBlock = 128;  // rows and columns that share one of block_128

/// The index or the only file in `folder`; "" when it has neither.
fs::path find_in_folder(const fs::path& folder) {
  for (const std::string_view name : {kIndex, kSingle}) {
    if (fs::is_regular_file(folder / name)) return folder / name;
  }
  return {};
}

/// The file to begin with.
fs::path find_start(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const fs::path found = find_in_folder(path);
  if (!found.empty()) return found;
  throw MissingInput(
      fmt::format("{}: expected {} or {} in this folder", path.string(), kIndex, kSingle));
}

/// A tensor of the checkpoint, and the file that holds it.
struct Found {
  SafetensorsTensor tensor;
  std::string file;
};
using Checkpoint = std::map<std::string, Found, std::less<>>;

Checkpoint read_single(const fs::path& path, std::vector<MappedFile>& files) {
  files.emplace_back(path);
  Checkpoint checkpoint;
  for (auto& [name, tensor] : read_safetensors(files.back().bytes(), path)) {
    checkpoint.emplace(name, Found{tensor, path.string()});
  }
  return checkpoint;
}

/// The names of tensors by the shard that holds them, as the index says.
std::map<std::string, std::vector<std::string>> read_index(const fs::path& path) {
  const Node root = read_document(path, Syntax::json);
  const Node* map = root.find("weight_map");
  Diagnostics log;
  if (map == nullptr || map->kind != Node::Kind::mapping) {
    log.add(map == nullptr ? root.place : map->place,
            "weight_map: expected an object of tensors and the files that hold them");
    log.throw_if_any();
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [name, shard] : map->members) {
    const bool is_name = shard.kind == Node::Kind::scalar && shard.text.ends_with(".safetensors") &&
                         shard.text.find_first_of("/\\") == std::string::npos;
    if (!is_name) {
      log.add(shard.place, fmt::format("expected the name of a .safetensors file beside the index, "
                                       "found \"{}\"",
                                       name_for_message(shard.text)));
    }
    shards[shard.text].push_back(name.text);
  }
  if (shards.size() > kMaxShards) {
    log.add(map->place,
            fmt::format("expected at most {} files, found {}", kMaxShards, shards.size()));
  }
  log.throw_if_any();
  return shards;
}

Checkpoint read_shards(const fs::path& index, std::vector<MappedFile>& files) {
  Checkpoint checkpoint;
  for (const auto& [shard, names] : read_index(index)) {
    const fs::path path = index.parent_path() / shard;
    if (!fs::is_regular_file(path)) {
      throw MissingInput(fmt::format("{}: no such file; {} of the tensors are in it, says {}",
                                     path.string(), names.size(), index.filename().string()));
    }
    files.emplace_back(path);
    const SafetensorsTable table = read_safetensors(files.back().bytes(), path);
    for (const std::string& name : names) {
      const auto found = table.find(name);
      if (found == table.end()) {
        throw file_error(path.string(),
                         fmt::format("missing tensor '{}', which {} says is here",
                                     name_for_message(name), index.filename().string()));
      }
      checkpoint.emplace(name, Found{found->second, path.string()});
    }
  }
  return checkpoint;
}

float as_float(Format format, const std::byte* bytes) {
  if (format == Format::fp32) return load<float>(bytes);
  return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(bytes)} << 16);  // bf16
}

/// Which elements share a scale, of a matrix of `shape` with scales of shape `scales`.
std::optional<Scaling> scaling_of(const std::vector<std::int64_t>& shape,
                                  const std::vector<std::int64_t>& scales) {
  std::int64_t n = 1;
  for (const std::int64_t d : scales) n *= d;
  const std::vector<std::int64_t> blocks = {ceil_div(shape[0], kScaledBlock),
                                            ceil_div(shape[1], kScaledBlock)};
  if (n == 1) return Scaling::tensor;
  if (n == shape[0] && scales.front() == n) return Scaling::channel;  // (rows) or (rows, 1)
  if (scales == blocks) return Scaling::block_128;
  return std::nullopt;
}

/// Gives `weight` the scales that lie beside it in `from`.
void add_scales(WeightTensor& weight, const std::string& name, const Found& from) {
  const auto refuse = [&](const std::string& message) {
    throw file_error(from.file, fmt::format("tensor '{}': {}", name, message));
  };
  const SafetensorsTensor& t = from.tensor;
  const bool is_fp8 = weight.format == Format::fp8_e4m3 || weight.format == Format::fp8_e5m2;
  if (!is_fp8 || weight.shape.size() != 2) refuse("scales of a tensor that is not an F8 matrix");
  const auto format = weight_format(t.dtype);
  if (format != Format::fp32 && format != Format::bf16) {
    refuse(fmt::format("expected scales in F32 or BF16, found {}", t.dtype));
  }
  const auto scaling = scaling_of(weight.shape, t.shape);
  if (!scaling) {
    refuse(
        fmt::format("expected one scale, one for each of {} rows, or ({}, {}) for blocks of "
                    "128 x 128, found the shape ({})",
                    weight.shape[0], ceil_div(weight.shape[0], kScaledBlock),
                    ceil_div(weight.shape[1], kScaledBlock), fmt::join(t.shape, ", ")));
  }
  if (!weight.scales.empty()) refuse("a second set of scales of the same tensor");
  weight.scaling = *scaling;
  const auto each = static_cast<std::size_t>(info(*format).block_bytes);
  for (std::size_t at = 0; at < t.data.size(); at += each) {
    weight.scales.push_back(as_float(*format, t.data.data() + at));
  }
}

/// The tensors of the model, by GGUF's names; what is ignored is left out.
std::vector<WeightTensor> to_weights(const Checkpoint& checkpoint, const Architecture& a) {
  std::map<std::string, WeightTensor, std::less<>> weights;  // by the checkpoint's names
  for (const auto& [name, found] : checkpoint) {
    // A tied head may have been saved all the same; Hugging Face does not read it either.
    if (is_ignored(name) || (a.tied_embeddings && name == "lm_head.weight")) continue;
    if (scaled_tensor(name)) continue;
    const std::optional<Format> format = weight_format(found.tensor.dtype);
    if (!format) {
      throw file_error(found.file,
                       fmt::format("tensor '{}': dtype {} is not supported yet; "
                                   "supported are {}",
                                   name_for_message(name), found.tensor.dtype, supported_dtypes()));
    }
    const auto known = gguf_name(name);
    if (!known) {
      throw file_error(found.file,
                       fmt::format("tensor '{}': not part of a {} model, or not supported yet",
                                   name_for_message(name), a.family));
    }
    weights[name] = {*known, *format, found.tensor.shape, found.tensor.data, Scaling::none, {}};
  }
  for (const auto& [name, found] : checkpoint) {
    const auto of = scaled_tensor(name);
    if (!of) continue;
    const auto weight = weights.find(*of);
    if (weight == weights.end()) {
      throw file_error(found.file, fmt::format("tensor '{}': scales without the tensor '{}'",
                                               name_for_message(name), name_for_message(*of)));
    }
    add_scales(weight->second, name, found);
  }
  std::vector<WeightTensor> list;
  for (auto& [name, weight] : weights) list.push_back(std::move(weight));
  return list;
}

}  // namespace

bool has_safetensors(const fs::path& folder) {
  return !find_in_folder(folder).empty();
}

SafetensorsModel open_safetensors_model(const fs::path& path) {
  const fs::path start = find_start(path.lexically_normal());
  SafetensorsModel model;
  model.folder = start.parent_path();
  const fs::path config = model.folder / "config.json";
  if (!fs::is_regular_file(config)) {
    throw MissingInput(fmt::format("{}: no such file; it says what the tensors of {} are for",
                                   config.string(), start.filename().string()));
  }
  model.architecture = read_config(read_document(config, Syntax::json),
                                   fs::absolute(start).parent_path().filename().string());
  if (const std::string what = only_timed(model.architecture); !what.empty()) {
    throw InputError(
        fmt::format("{}: the weights of {} are not read yet; its config.json alone can be timed",
                    config.string(), what));
  }
  const bool is_index = start.extension() == ".json";
  const Checkpoint checkpoint =
      is_index ? read_shards(start, model.files) : read_single(start, model.files);
  model.tensors = to_weights(checkpoint, model.architecture);
  check_tensors(model.architecture, model.tensors, start.string(), checkpoint_name);
  return model;
}

}  // namespace presil
