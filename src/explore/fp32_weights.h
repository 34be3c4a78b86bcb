// A copy of a GGUF file with all its weights in F32, on disk for as long as this object lives.
#pragma once

#include <filesystem>

namespace presil {

class Fp32Weights {
 public:
  /// Writes the copy into a new folder in `folder`. Throws InputError or MissingInput for `file`,
  /// InputError when there is no room to write.
  Fp32Weights(const std::filesystem::path& file, const std::filesystem::path& folder);
  ~Fp32Weights();
  Fp32Weights(const Fp32Weights&) = delete;
  Fp32Weights& operator=(const Fp32Weights&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace presil
