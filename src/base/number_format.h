// Number formats: what an element of a tensor is stored in, and what an engine multiplies.
//
// Names are the field's: fp32, bf16, fp8_e4m3 (OCP), q4_1 and q4_K (GGUF block formats, ggml's
// layout). Plain formats are single elements; of four-bit ones two share a byte.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/fields.h"
#include "base/units.h"

namespace presil {

enum class Format {
  fp32,
  tf32,
  fp16,
  bf16,
  fp8_e4m3,
  fp8_e5m2,
  fp4_e2m1,
  int8,
  int4,
  // ggml's block formats: the scale lies in the block.
  q8_0,
  q8_1,  // of activations only
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q4_K,
  q5_K,
  q6_K,
  q8_K,  // of activations only
};

struct FormatInfo {
  Format format;
  std::string_view name;
  int block_elements;  // that are stored together
  int block_bytes;
};

const FormatInfo& info(Format format);
std::string_view to_string(Format format);

/// Whether blocks of the format hold their own scale (ggml's formats).
bool is_block_format(Format format);

/// All formats by name, for the readers of files and arguments.
std::span<const Choice<Format>> format_choices();

/// The bytes of `elements` elements in rows that are whole blocks; rounds up to a block.
Bytes bytes_of(Format format, std::int64_t elements);

/// Which elements of a plain format share a scale factor that is stored beside them. k is the axis
/// along which products are added: the columns of a weight, the features of an activation.
enum class Scaling {
  none,       // no scale: the elements are the numbers
  tensor,     // one fp32 scale for all
  channel,    // of weights: one fp32 scale for each row (output channel)
  token,      // of activations and caches: one fp32 scale for each row
  group_128,  // one fp32 scale for 128 elements along k of one row; the last group may be short
  block_128,  // of weights: one fp32 scale for 128 x 128 elements
  mx_32,      // OCP MX: one E8M0 scale for 32 elements along k
  nv_16,      // NVFP4: one E4M3 scale for 16 elements along k, and one fp32 scale for all
};

std::string_view to_string(Scaling scaling);
std::span<const Choice<Scaling>> scaling_choices();

/// The bytes of a (rows, columns) tensor with its scales.
Bytes stored_bytes(Format format, Scaling scaling, std::int64_t rows, std::int64_t columns);

}  // namespace presil
