#include "values/rounding.h"

#include "base/error.h"
#include "values/vector_clones.h"

namespace presil {
namespace {

PRESIL_VECTOR_CLONES
void round_all_to_bfloat(float* values, std::size_t count) {
  constexpr std::size_t kLanes = 16;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      values[i + lane] = round_to_bfloat(values[i + lane]);
    }
  }
  for (; i < count; ++i) values[i] = round_to_bfloat(values[i]);
}

}  // namespace

void round_to(Format format, std::span<float> values) {
  if (format == Format::fp16) {
    for (float& v : values) v = round_to_half(v);
  } else if (format == Format::bf16) {
    round_all_to_bfloat(values.data(), values.size());
  } else {
    CHECK(format == Format::fp32, "a float is rounded to a float format");
  }
}

}  // namespace presil
