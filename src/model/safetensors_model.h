// A model as Hugging Face keeps it: config.json and safetensors, one file or many.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "model/architecture.h"
#include "model/weights.h"

namespace presil {

struct SafetensorsModel {
  std::vector<MappedFile> files;      // of which the tensors are views
  std::vector<WeightTensor> tensors;  // by GGUF's names, checked against the architecture
  Architecture architecture;          // named after the folder
  std::filesystem::path folder;       // of config.json
};

/// Whether `folder` holds model.safetensors or an index of shards.
bool has_safetensors(const std::filesystem::path& folder);

/// Opens `path`: a .safetensors file, a model.safetensors.index.json, or a folder with one of
/// them; config.json lies beside. What it refuses: see Weights::open_safetensors.
SafetensorsModel open_safetensors_model(const std::filesystem::path& path);

}  // namespace presil
