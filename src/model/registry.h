// Finding a model by what the user calls it: a shipped name, a config.json, a GGUF file, or a
// Hugging Face checkpoint.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"

namespace presil {

/// Where a model is described. Exactly one of the two paths is set; weights describe themselves.
struct ModelRef {
  std::string name;
  std::filesystem::path config;   // config.json
  std::filesystem::path weights;  // as Weights::open takes it
};

/// The names of `home`/models/*.json, sorted.
std::vector<std::string> shipped_models(const std::filesystem::path& home);

/// `model` is a shipped name (in any case), a path to a .json, .gguf or .safetensors file, or a
/// folder with a config.json. The weights of a folder are its safetensors, if it has any. Throws
/// MissingInput, with the nearest shipped name, when it is none of these.
ModelRef resolve_model(std::string_view model, const std::filesystem::path& home);

/// Reads what `ref` points to. Throws InputError or MissingInput.
Architecture read_architecture(const ModelRef& ref);

}  // namespace presil
