// Bytes as a safetensors file: its table read and walked to the ends of its tensors.
#include <span>

#include "bad_input.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static volatile std::size_t seen;
  presil::fuzz::may_refuse([&] {
    const auto table = presil::read_safetensors(std::as_bytes(std::span(data, size)), "input");
    for (const auto& [name, tensor] : table) {
      if (tensor.data.empty()) continue;
      seen = std::to_integer<std::size_t>(tensor.data.front());
      seen = std::to_integer<std::size_t>(tensor.data.back());
    }
  });
  return 0;
}
