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

Situation attention_situation(std::string_view engine, std::string_view generation,
                              const AttentionCall& call, bool decode) {
  std::string type = type_name(call.multiply);
  const std::string cache = type_name(call.cache);
  if (cache != type) type += "/" + cache;
  return {
      std::string(engine), type, std::string(generation),
      decode ? decode_kernel(engine, generation, call) : prefill_kernel(engine, generation, call)};
}

}  // namespace presil::kernels
