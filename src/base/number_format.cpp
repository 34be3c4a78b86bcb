#include "base/number_format.h"

#include <array>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/integers.h"

namespace presil {
namespace {

// Block layouts: ggml's ggml-common.h.
constexpr FormatInfo kFormats[] = {
    {Format::fp32, "fp32", 1, 4},         {Format::tf32, "tf32", 1, 4},
    {Format::fp16, "fp16", 1, 2},         {Format::bf16, "bf16", 1, 2},
    {Format::fp8_e4m3, "fp8_e4m3", 1, 1}, {Format::fp8_e5m2, "fp8_e5m2", 1, 1},
    {Format::fp4_e2m1, "fp4_e2m1", 2, 1}, {Format::int8, "int8", 1, 1},
    {Format::int4, "int4", 2, 1},         {Format::q8_0, "q8_0", 32, 34},
    {Format::q8_1, "q8_1", 32, 36},       {Format::q4_0, "q4_0", 32, 18},
    {Format::q4_1, "q4_1", 32, 20},       {Format::q5_0, "q5_0", 32, 22},
    {Format::q5_1, "q5_1", 32, 24},       {Format::q4_K, "q4_K", 256, 144},
    {Format::q5_K, "q5_K", 256, 176},     {Format::q6_K, "q6_K", 256, 210},
    {Format::q8_K, "q8_K", 256, 292},
};

template <std::size_t... I>
constexpr auto make_choices(std::index_sequence<I...>) {
  return std::array{Choice<Format>{kFormats[I].name, kFormats[I].format}...};
}
constexpr auto kChoices = make_choices(std::make_index_sequence<std::size(kFormats)>());

constexpr Choice<Scaling> kScalings[] = {
    {"none", Scaling::none},   {"tensor", Scaling::tensor},       {"channel", Scaling::channel},
    {"token", Scaling::token}, {"group_128", Scaling::group_128}, {"block_128", Scaling::block_128},
    {"mx_32", Scaling::mx_32}, {"nv_16", Scaling::nv_16},
};

constexpr std::int64_t kScaleBytes = 4;  // fp32

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

bool is_block_format(Format format) {
  return info(format).block_elements >= 32;
}

std::span<const Choice<Format>> format_choices() {
  return kChoices;
}

Bytes bytes_of(Format format, std::int64_t elements) {
  const FormatInfo& f = info(format);
  return Bytes(ceil_div(elements, f.block_elements) * f.block_bytes);
}

std::string_view to_string(Scaling scaling) {
  for (const Choice<Scaling>& c : kScalings) {
    if (c.value == scaling) return c.name;
  }
  throw InternalError("a scaling without a row in kScalings");
}

std::span<const Choice<Scaling>> scaling_choices() {
  return kScalings;
}

Bytes stored_bytes(Format format, Scaling scaling, std::int64_t rows, std::int64_t columns) {
  const Bytes elements = bytes_of(format, columns) * rows;
  switch (scaling) {
    case Scaling::none:
      return elements;
    case Scaling::tensor:
      return elements + Bytes(kScaleBytes);
    case Scaling::channel:
    case Scaling::token:
      return elements + Bytes(rows * kScaleBytes);
    case Scaling::group_128:
      return elements + Bytes(rows * ceil_div(columns, 128) * kScaleBytes);
    case Scaling::block_128:
      return elements + Bytes(ceil_div(rows, 128) * ceil_div(columns, 128) * kScaleBytes);
    case Scaling::mx_32:
      return elements + Bytes(rows * ceil_div(columns, 32));
    case Scaling::nv_16:
      return elements + Bytes(rows * ceil_div(columns, 16) + kScaleBytes);
  }
  throw InternalError("a scaling that is none");
}

}  // namespace presil
