#include "explore/weights_id.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"

namespace presil {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kPart = 1 << 20;
constexpr std::uint64_t kParts = 64;
constexpr std::uint64_t kWhole = 256 * kPart;

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add_parts(Sha256& digest, const fs::path& path) {
  const std::uint64_t size = fs::file_size(path);
  digest.update(std::to_string(size) + "\n");
  std::ifstream file(path, std::ios::binary);
  std::string part(std::min(kPart, size), '\0');
  const std::uint64_t last = size - part.size();
  for (std::uint64_t i = 0; i < kParts; ++i) {
    file.seekg(static_cast<std::streamoff>(last / (kParts - 1) * i));
    if (i == kParts - 1) file.seekg(static_cast<std::streamoff>(last));
    if (!file.read(part.data(), static_cast<std::streamsize>(part.size()))) {
      throw MissingInput(path.string() + ": cannot be read");
    }
    digest.update(part);
  }
}

}  // namespace

WeightsId identify_weights(const fs::path& path) {
  const std::vector<fs::path> files = files_of(path);
  std::error_code error;
  if (files.size() == 1 && (fs::file_size(files.front(), error) <= kWhole || error)) {
    return {sha256_of_file(files.front())};
  }
  Sha256 digest;
  for (const fs::path& file : files) add_parts(digest, file);
  return {digest.finish(), true};
}

}  // namespace presil
