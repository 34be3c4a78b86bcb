// For tests: GGUF files in memory, good ones and, with a little help, bad ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"
#include "model/gguf_writer.h"
#include "model/testing/encode.h"

namespace presil::testing {

class GgufWriter : public GgufHead {
 public:
  /// `shape` slowest first, as in WeightTensor.
  GgufWriter& tensor(std::string_view name, Format format, const std::vector<std::int64_t>& shape,
                     const std::string& data) {
    const auto formats = ggml_formats();
    const auto known = std::find_if(formats.begin(), formats.end(),
                                    [&](const GgmlFormat& f) { return f.format == format; });
    data_.resize((data_.size() + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment);
    return entry(name, known->id, shape, data_.size(), data);
  }
  /// A tensor whose type and offset are taken as given.
  GgufWriter& entry(std::string_view name, std::uint32_t type,
                    const std::vector<std::int64_t>& shape, std::uint64_t offset,
                    const std::string& data) {
    GgufHead::tensor(name, type, shape, offset);
    data_ += data;
    return *this;
  }

  /// The file, its data section starting at a multiple of `alignment`.
  std::string bytes(std::size_t alignment = kGgufAlignment) const {
    return GgufHead::bytes(alignment) + data_;
  }

 private:
  std::string data_;
};

/// Writes `bytes` to a file of the test's own folder; `name` may begin with folders.
inline std::filesystem::path write_file(const std::string& name, const std::string& bytes) {
  const auto path = scratch_folder() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace presil::testing
