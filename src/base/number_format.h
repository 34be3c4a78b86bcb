// Number formats: what an element of a tensor is stored in, and what an engine multiplies.
//
// Names are the field's: fp32, bf16, fp8_e4m3 (OCP), q4_1 (GGUF block formats, ggml's layout).
// Plain formats are blocks of one element.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/fields.h"
#include "base/units.h"

namespace presil {

enum class Format { fp32, tf32, fp16, bf16, fp8_e4m3, fp8_e5m2, int8, q8_0, q8_1, q4_0, q4_1 };

struct FormatInfo {
  Format format;
  std::string_view name;
  int block_elements;  // elements that share a scale
  int block_bytes;
};

const FormatInfo& info(Format format);
std::string_view to_string(Format format);

/// All formats by name, for the readers of files and arguments.
std::span<const Choice<Format>> format_choices();

/// The bytes of `elements` elements in rows that are whole blocks; rounds up to a block.
Bytes bytes_of(Format format, std::int64_t elements);

}  // namespace presil
