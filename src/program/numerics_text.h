// Numerics as words of a program's text: KEY=VALUE, all of them, so that what is read back is what
// was printed.
//
//   numerics fp8-hopper kv_cache=bf16 attention=bf16 stream=bf16 functions=exact ...
//     products weights=fp8_e4m3/block_128 activations=fp8_e4m3/group_128 sum=aligned group=32 ...
//     head weights=bf16 activations=bf16 sum=fp32 ...
#pragma once

#include <string>
#include <string_view>

#include "base/numerics.h"

namespace presil {

/// The lines above, each with its end.
std::string print(const Numerics& numerics);

/// "bf16", or "fp8_e4m3/block_128" with what shares a scale.
std::string print(Format format, Scaling scaling);

/// Puts the value that print wrote for `key` into `numerics`; false when there is no such key or it
/// has no such value.
bool read_field(Numerics& numerics, std::string_view key, std::string_view value);
bool read_field(ProductNumerics& products, std::string_view key, std::string_view value);

/// Reads what print(Format, Scaling) wrote; false when it is not that.
bool read_operand(Operand& operand, std::string_view text);

}  // namespace presil
