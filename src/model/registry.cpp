#include "model/registry.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/document.h"
#include "base/error.h"
#include "model/safetensors_model.h"
#include "model/weights.h"

namespace presil {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string unknown_model(std::string_view model, const std::vector<std::string>& shipped) {
  const std::string near = nearest(lower_case(model), shipped);
  const std::string hint = near.empty()
                               ? fmt::format("; shipped models: {}", fmt::join(shipped, ", "))
                               : fmt::format("; did you mean '{}'?", near);
  return fmt::format("{}: no such model, file or folder{}", model, hint);
}

}  // namespace

std::vector<std::string> shipped_models(const fs::path& home) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home / "models", error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

ModelRef resolve_model(std::string_view model, const fs::path& home) {
  const std::vector<std::string> shipped = shipped_models(home);
  const std::string name = lower_case(model);
  if (std::binary_search(shipped.begin(), shipped.end(), name)) {
    return {name, home / "models" / (name + ".json"), {}};
  }

  std::error_code error;
  const fs::path path = fs::path(model).lexically_normal();
  if (fs::is_directory(path, error)) {
    const fs::path config = path / "config.json";
    if (!fs::is_regular_file(config, error)) {
      throw MissingInput(fmt::format("{}: a folder without a config.json", model));
    }
    const std::string folder = fs::canonical(path).filename().string();
    if (has_safetensors(path)) return {folder, {}, path};
    return {folder, config, {}};
  }
  if (!fs::is_regular_file(path, error)) throw MissingInput(unknown_model(model, shipped));

  const fs::path kind = path.extension();
  const bool is_index = path.filename() == "model.safetensors.index.json";
  const bool is_checkpoint = kind == ".safetensors" || is_index;
  const bool is_in_folder = is_checkpoint || path.filename() == "config.json";
  const std::string stem =
      (is_in_folder ? fs::absolute(path).parent_path().filename() : path.stem()).string();
  if (kind == ".gguf" || is_checkpoint) return {stem, {}, path};
  if (kind == ".json") return {stem, path, {}};
  throw InputError(fmt::format("{}: expected a .json, .gguf or .safetensors file", model));
}

Architecture read_architecture(const ModelRef& ref) {
  if (!ref.weights.empty()) return Weights::open(ref.weights).architecture();
  return read_config(read_document(ref.config, Syntax::json), ref.name);
}

}  // namespace presil
