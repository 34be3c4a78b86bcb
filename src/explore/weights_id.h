// By what the weights of a run are known, in less time than reading all of them takes.
#pragma once

#include <filesystem>
#include <string>

namespace presil {

struct WeightsId {
  std::string sha256;    // 64 hex digits
  bool sampled = false;  // of parts of the contents, not of all
};

/// Of a file, or of a folder's .safetensors files in the order of their names. A file up to 256 MiB
/// alone: the SHA-256 of its contents. Else that of each file's size and 64 parts of a mebibyte,
/// spread evenly from its first byte to its last. Throws MissingInput when one cannot be read.
WeightsId identify_weights(const std::filesystem::path& path);

}  // namespace presil
