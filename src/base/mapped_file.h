// A file as memory: mapped read-only, unmapped when its owner goes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace presil {

class MappedFile {
 public:
  /// Maps the whole of `path`. Throws MissingInput when it is not a regular file or cannot be read.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// The file's bytes; they live as long as this object, and moving it does not move them.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace presil
