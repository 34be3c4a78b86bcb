// What a chip keeps of each weight in its DRAM: the format and the scales that the numerics give
// it, or what its file stores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/numerics.h"
#include "compiler/compile.h"
#include "model/architecture.h"

namespace presil {

/// What weight `name` of `layer` is kept as: a matrix as the numerics `made` it, all else as it is
/// stored. Throws InputError when options.stored_as does not know it.
Operand kept_as(const Architecture& model, const CompileOptions& options, const std::string& name,
                std::int64_t layer, bool is_matrix, const std::optional<Operand>& made);

/// What the numerics make of the embedding table; nothing: it is kept as it is stored.
std::optional<Operand> embedding_operand(const Architecture& model, const Numerics& numerics);

struct LayerRun {
  std::int64_t first = 0;
  std::int64_t count = 1;
};

/// `count` layers from `first` on, in runs of those that follow each other, are built alike and
/// keep their weights alike.
std::vector<LayerRun> runs_of_like_layers(const Architecture& model, const CompileOptions& options,
                                          std::int64_t first, std::int64_t count);

}  // namespace presil
