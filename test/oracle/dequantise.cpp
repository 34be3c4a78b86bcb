// dequantise FORMAT: the stored numbers on standard input as fp32 on standard output. What the
// oracle blocks.py compares with other implementations.

#include <cstddef>
#include <cstdio>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "values/ggml/block_formats.h"

namespace presil {
namespace {

int dequantise_stream(std::string_view name) {
  for (const Choice<Format>& choice : format_choices()) {
    if (choice.name != name || !is_weight_format(choice.value)) continue;
    std::vector<std::byte> bytes;
    for (int c = std::getchar(); c != EOF; c = std::getchar()) {
      bytes.push_back(static_cast<std::byte>(c));
    }
    const FormatInfo& layout = info(choice.value);
    const std::size_t blocks = bytes.size() / static_cast<std::size_t>(layout.block_bytes);
    std::vector<float> values(blocks * static_cast<std::size_t>(layout.block_elements));
    dequantise(choice.value, bytes, values);
    return std::fwrite(values.data(), sizeof(float), values.size(), stdout) == values.size() ? 0
                                                                                             : 1;
  }
  fmt::print(stderr, "dequantise: '{}' is no format of weights\n", name);
  return 2;
}

}  // namespace
}  // namespace presil

int main(int argc, char** argv) {
  return argc == 2 ? presil::dequantise_stream(argv[1]) : 2;
}
