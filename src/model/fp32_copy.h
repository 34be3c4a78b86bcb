// The same model with every weight in fp32: what two implementations must agree on to the last
// digits, whatever they do with quantised formats.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "model/weights.h"

namespace presil {

/// Puts the numbers of one row of a tensor into `out`: (columns). A vector is row 0.
using RowToFloats =
    std::function<void(const WeightTensor&, std::int64_t row, std::span<float> out)>;

/// Writes `weights`, of a GGUF file, to `path` as a GGUF file in F32, with all keys of the source;
/// one row at a time, so memory stays small. Throws InputError when the source is no GGUF file or
/// `path` cannot be written.
void write_fp32_copy(const Weights& weights, const std::filesystem::path& path,
                     const RowToFloats& to_floats);

}  // namespace presil
