#include "base/number_format.h"

#include "base/error.h"
#include "base/integers.h"

namespace presil {
namespace {

// Block layouts: ggml's ggml-common.h; the others are single elements.
constexpr FormatInfo kFormats[] = {
    {Format::fp32, "fp32", 1, 4},         {Format::tf32, "tf32", 1, 4},
    {Format::fp16, "fp16", 1, 2},         {Format::bf16, "bf16", 1, 2},
    {Format::fp8_e4m3, "fp8_e4m3", 1, 1}, {Format::fp8_e5m2, "fp8_e5m2", 1, 1},
    {Format::int8, "int8", 1, 1},         {Format::q8_0, "q8_0", 32, 34},
    {Format::q8_1, "q8_1", 32, 36},       {Format::q4_0, "q4_0", 32, 18},
    {Format::q4_1, "q4_1", 32, 20},
};

constexpr Choice<Format> kChoices[] = {
    {"fp32", Format::fp32}, {"tf32", Format::tf32},         {"fp16", Format::fp16},
    {"bf16", Format::bf16}, {"fp8_e4m3", Format::fp8_e4m3}, {"fp8_e5m2", Format::fp8_e5m2},
    {"int8", Format::int8}, {"q8_0", Format::q8_0},         {"q8_1", Format::q8_1},
    {"q4_0", Format::q4_0}, {"q4_1", Format::q4_1},
};

}  // namespace

const FormatInfo& info(Format format) {
  for (const FormatInfo& f : kFormats) {
    if (f.format == format) return f;
  }
  throw InternalError("a format without a row in kFormats");
}

std::string_view to_string(Format format) {
  return info(format).name;
}

std::span<const Choice<Format>> format_choices() {
  return kChoices;
}

Bytes bytes_of(Format format, std::int64_t elements) {
  const FormatInfo& f = info(format);
  return Bytes(ceil_div(elements, f.block_elements) * f.block_bytes);
}

}  // namespace presil
