#include "kernels/attention_law.h"

namespace presil::kernels {
namespace {

std::string type_name(Format format) {
  switch (format) {
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
      return "fp8";
    case Format::int8:
      return "int8";
    default:
      return "bf16";
  }
}

}  // namespace

std::string attention_type(Format multiply, Format cache) {
  const std::string type = type_name(multiply), of_cache = type_name(cache);
  return of_cache == type ? type : type + "/" + of_cache;
}

Situation attention_situation(std::string_view engine, std::string_view generation,
                              const AttentionCall& call, bool decode) {
  return {
      std::string(engine), attention_type(call.multiply, call.cache), std::string(generation),
      decode ? decode_kernel(engine, generation, call) : prefill_kernel(engine, generation, call)};
}

}  // namespace presil::kernels
