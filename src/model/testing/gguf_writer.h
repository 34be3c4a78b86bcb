// For tests: writes GGUF files, good ones and, with a little help, bad ones.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/number_format.h"
#include "base/testing/scratch.h"
#include "model/gguf.h"

namespace presil::testing {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A float as FP16, rounded to nearest even; for values that FP16 can hold.
inline std::uint16_t to_fp16(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  const float magnitude = std::bit_cast<float>(bits);
  if (magnitude < 0x1p-14f) {  // subnormal: a multiple of 2^-24
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint32_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return static_cast<std::uint16_t>(sign | ((bits >> 13) - (112 << 10)));
}

/// One block of 32 in ggml's layout, by ggml's quantize_row_*_ref.
inline std::string encode_block(Format format, std::span<const float> x) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float widest = -*low > *high ? *low : *high;  // the value farthest from zero
  float scale = 0;
  float minimum = 0;
  if (format == Format::q8_0) scale = std::fabs(widest) / 127;
  if (format == Format::q4_0) scale = widest / -8;
  if (format == Format::q4_1) scale = (*high - *low) / 15;
  std::string block = raw(to_fp16(scale));
  if (format == Format::q4_1) block += raw(to_fp16(minimum = *low));

  const float inverse = scale == 0 ? 0 : 1 / scale;
  const auto nibble = [&](float v) {
    const float shifted =
        format == Format::q4_0 ? v * inverse + 8.5f : (v - minimum) * inverse + .5f;
    return std::clamp(static_cast<int>(shifted), 0, 15);
  };
  if (format == Format::q8_0) {
    for (const float v : x) block += static_cast<char>(std::lround(v * inverse));
    return block;
  }
  for (std::size_t j = 0; j < 16; ++j) {
    block += static_cast<char>(nibble(x[j]) | nibble(x[j + 16]) << 4);
  }
  return block;
}

/// `x` in `format`: fp32, fp16, bf16 (cut, not rounded), q8_0, q4_0 or q4_1.
inline std::string encode(Format format, std::span<const float> x) {
  std::string bytes;
  for (std::size_t i = 0; i < x.size();) {
    if (format == Format::fp32) {
      bytes += raw(x[i++]);
    } else if (format == Format::fp16) {
      bytes += raw(to_fp16(x[i++]));
    } else if (format == Format::bf16) {
      bytes += raw(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x[i++]) >> 16));
    } else {
      bytes += encode_block(format, x.subspan(i, 32));
      i += 32;
    }
  }
  return bytes;
}

class GgufWriter {
 public:
  GgufWriter& key(std::string_view name, GgufType type, const std::string& value) {
    keys_ += text(name) + raw(static_cast<std::uint32_t>(type)) + value;
    ++n_keys_;
    return *this;
  }
  GgufWriter& u32(std::string_view name, std::uint32_t v) {
    return key(name, GgufType::u32, raw(v));
  }
  GgufWriter& u64(std::string_view name, std::uint64_t v) {
    return key(name, GgufType::u64, raw(v));
  }
  GgufWriter& f32(std::string_view name, float v) { return key(name, GgufType::f32, raw(v)); }
  GgufWriter& flag(std::string_view name, bool v) { return key(name, GgufType::boolean, raw(v)); }
  GgufWriter& string(std::string_view name, std::string_view v) {
    return key(name, GgufType::string, text(v));
  }
  GgufWriter& strings(std::string_view name, const std::vector<std::string>& values) {
    std::string items = array_head(GgufType::string, values.size());
    for (const std::string& v : values) items += text(v);
    return key(name, GgufType::array, items);
  }
  GgufWriter& integers(std::string_view name, const std::vector<std::int32_t>& values) {
    std::string items = array_head(GgufType::i32, values.size());
    for (const std::int32_t v : values) items += raw(v);
    return key(name, GgufType::array, items);
  }

  /// `shape` slowest first, as in WeightTensor.
  GgufWriter& tensor(std::string_view name, Format format, std::vector<std::int64_t> shape,
                     const std::string& data) {
    const auto formats = ggml_formats();
    const auto known = std::find_if(formats.begin(), formats.end(),
                                    [&](const GgmlFormat& f) { return f.format == format; });
    data_.resize((data_.size() + 31) / 32 * 32);
    return entry(name, known->id, std::move(shape), data_.size(), data);
  }
  /// A tensor whose type and offset are taken as given.
  GgufWriter& entry(std::string_view name, std::uint32_t type, std::vector<std::int64_t> shape,
                    std::uint64_t offset, const std::string& data) {
    table_ += text(name) + raw(static_cast<std::uint32_t>(shape.size()));
    std::reverse(shape.begin(), shape.end());
    for (const std::int64_t d : shape) table_ += raw(d);
    table_ += raw(type) + raw(offset);
    data_ += data;
    ++n_tensors_;
    return *this;
  }

  /// The file, its data section starting at a multiple of `alignment`.
  std::string bytes(std::size_t alignment = 32) const {
    std::string file = "GGUF" + raw(std::uint32_t{3}) + raw(n_tensors_) + raw(n_keys_);
    file += keys_ + table_;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + data_;
  }

  static std::string text(std::string_view s) {
    return raw(static_cast<std::uint64_t>(s.size())) + std::string(s);
  }
  static std::string array_head(GgufType element, std::uint64_t count) {
    return raw(static_cast<std::uint32_t>(element)) + raw(count);
  }

 private:
  std::uint64_t n_keys_ = 0;
  std::uint64_t n_tensors_ = 0;
  std::string keys_;
  std::string table_;
  std::string data_;
};

/// Writes `bytes` to a file of the test's own folder.
inline std::filesystem::path write_file(const std::string& name, const std::string& bytes) {
  const auto path = scratch_folder() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace presil::testing
