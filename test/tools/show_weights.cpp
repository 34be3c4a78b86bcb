// tools_show_weights PATH: one line for each tensor that Weights reads, for oracles to compare:
// name, format, shape, SHA-256 of the bytes, scaling, scales.
#include <exception>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/sha256.h"
#include "model/gguf_cursor.h"
#include "model/weights.h"

int main(int count, char** arguments) {
  using namespace presil;
  try {
    const Weights weights = Weights::open(count == 2 ? arguments[1] : "");
    for (const WeightTensor& t : weights.tensors()) {
      weights.check_finite(t);
      fmt::print("{} {} {} {} {} [{}]\n", t.name, to_string(t.format), fmt::join(t.shape, "x"),
                 sha256(as_text(t.data)), to_string(t.scaling), fmt::join(t.scales, ","));
    }
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
