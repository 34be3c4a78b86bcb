#include "values/numerics.h"

namespace presil {

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
