#include "values/numerics.h"

#include <fmt/format.h>

#include "base/error.h"

namespace presil {

std::string_view to_string(Numerics numerics) {
  switch (numerics) {
    case Numerics::fp32:
      return "fp32";
    case Numerics::bf16:
      return "bf16";
    case Numerics::ggml:
      return "ggml";
  }
  return "";
}

Numerics parse_numerics(std::string_view name) {
  for (const Numerics n : {Numerics::fp32, Numerics::bf16, Numerics::ggml}) {
    if (to_string(n) == name) return n;
  }
  throw InputError(fmt::format("numerics: expected fp32, bf16 or ggml, found '{}'", name));
}

Format activation_format(Numerics numerics, Format weights) {
  if (numerics == Numerics::fp32) return Format::fp32;
  if (numerics == Numerics::bf16) return Format::bf16;
  switch (weights) {
    case Format::q4_1:
      return Format::q8_1;
    case Format::q4_0:
    case Format::q8_0:
      return Format::q8_0;
    case Format::fp16:
    case Format::bf16:
      return weights;
    default:
      return Format::fp32;
  }
}

Format attention_format(Numerics numerics) {
  return numerics == Numerics::bf16 ? Format::bf16 : Format::fp32;
}

}  // namespace presil
