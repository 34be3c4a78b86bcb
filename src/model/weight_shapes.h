// Which tensors a model has, and of which shape: what a file of weights is held against.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/weights.h"

namespace presil {

/// The shape of every tensor of the model by its name (GGUF's), slowest dimension first.
std::map<std::string, std::vector<std::int64_t>> tensor_shapes(const Architecture& a);

/// Throws InputError about `path` for a tensor that is missing, not of the model or of another
/// shape, and for a rope_freqs.weight that cannot divide. `spelled` turns a name into the file's.
void check_tensors(const Architecture& a, std::span<const WeightTensor> tensors,
                   const std::string& path,
                   const std::function<std::string(const std::string&)>& spelled);

}  // namespace presil
