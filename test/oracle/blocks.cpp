// blocks VERB FORMAT: our arithmetic of ggml's blocks for the oracles, from standard input to
// standard output. All floats are raw fp32; blocks of activations are laid out as ggml has them.
//   dequantise FORMAT    stored numbers become floats
//   quantise FORMAT      floats become blocks of activations: q8_0, q8_1 or q8_K
//   dot FORMAT BLOCKS    rows of that many blocks of weights, each followed by as many of
//                        activations, become one float a row
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "values/ggml/block_dot.h"
#include "values/ggml/block_formats.h"
#include "values/ggml/quantised_rows.h"
#include "values/number/rounding.h"

namespace presil {
namespace {

using Bytes = std::vector<std::byte>;

std::size_t elements_of(Format format) {
  return static_cast<std::size_t>(info(format).block_elements);
}
std::size_t bytes_of_block(Format format) {
  return static_cast<std::size_t>(info(format).block_bytes);
}

Bytes read_all() {
  Bytes bytes;
  std::array<std::byte, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + count);
  }
  return bytes;
}

template <class T>
int write_all(const std::vector<T>& items) {
  return std::fwrite(items.data(), sizeof(T), items.size(), stdout) == items.size() ? 0 : 1;
}

template <class T>
void put(T value, Bytes& out) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// The next T at `from`, which moves behind it.
template <class T>
T take(const std::byte*& from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  from += sizeof(T);
  return value;
}

int dequantise_all(Format format) {
  const Bytes bytes = read_all();
  std::vector<float> values(bytes.size() / bytes_of_block(format) * elements_of(format));
  dequantise(format, bytes, values);
  return write_all(values);
}

int quantise_all(Format format) {
  const Bytes bytes = read_all();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  const QuantisedRows rows(format, values, std::ssize(values));
  Bytes out;
  for (std::size_t first = 0; first < values.size(); first += elements_of(format)) {
    const QuantisedRow block = rows.at(0, static_cast<std::int64_t>(first));
    if (format == Format::q8_K) {
      put(*block.scales, out);
    } else {
      put(to_half(*block.scales), out);
      if (format == Format::q8_1) put(to_half(*block.sums), out);
    }
    for (std::size_t i = 0; i < elements_of(format); ++i) put(block.codes[i], out);
    for (std::size_t g = 0; format == Format::q8_K && g < elements_of(format) / kGroup; ++g) {
      put(static_cast<std::int16_t>(block.group_sums[g]), out);
    }
  }
  return write_all(out);
}

float dot_of(Format weights, std::span<const std::byte> row, const std::byte* blocks) {
  const Format format = activation_format(weights);
  std::vector<std::int8_t> codes;
  std::vector<float> scales, sums;
  std::vector<std::int32_t> group_sums;
  for (std::size_t b = 0; b < row.size() / bytes_of_block(weights); ++b) {
    const std::byte* at = blocks + b * bytes_of_block(format);
    scales.push_back(format == Format::q8_K ? take<float>(at) : from_half(take<std::uint16_t>(at)));
    sums.push_back(format == Format::q8_1 ? from_half(take<std::uint16_t>(at)) : 0.0f);
    for (std::size_t i = 0; i < elements_of(format); ++i) {
      if (i % kGroup == 0) group_sums.push_back(0);
      codes.push_back(take<std::int8_t>(at));
      group_sums.back() += codes.back();
    }
  }
  return block_dot(weights, row, {codes.data(), scales.data(), sums.data(), group_sums.data()});
}

int dot_all(Format format, std::size_t blocks) {
  const Bytes bytes = read_all();
  const std::size_t of_weights = blocks * bytes_of_block(format);
  const std::size_t of_row = of_weights + blocks * bytes_of_block(activation_format(format));
  std::vector<float> sums;
  for (std::size_t at = 0; at + of_row <= bytes.size(); at += of_row) {
    const std::span row(&bytes[at], of_weights);
    sums.push_back(dot_of(format, row, row.data() + of_weights));
  }
  return write_all(sums);
}

int run(std::string_view verb, std::string_view name, std::string_view count) {
  std::size_t blocks = 0;
  std::from_chars(count.data(), count.data() + count.size(), blocks);
  for (const Choice<Format>& choice : format_choices()) {
    if (choice.name != name) continue;
    const Format format = choice.value;
    const bool is_weights = is_weight_format(format);
    if (verb == "dequantise" && is_weights) return dequantise_all(format);
    if (!is_block_format(format)) continue;
    if (verb == "quantise" && (format == Format::q8_0 || !is_weights)) return quantise_all(format);
    if (verb == "dot" && is_weights && blocks > 0) return dot_all(format, blocks);
  }
  fmt::print(stderr, "blocks: cannot {} {}\n", verb, name);
  return 2;
}

}  // namespace
}  // namespace presil

int main(int argc, char** argv) {
  return argc < 3 ? 2 : presil::run(argv[1], argv[2], argc > 3 ? argv[3] : "");
}
