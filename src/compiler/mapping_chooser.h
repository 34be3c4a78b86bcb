// What the kernels of one program are multiplied in, and how each is cut for steps of every size.
//
// A mapping is searched for in buckets of rows; a step takes the first that covers it. Blocks of
// layers ask for the same products again, so what was found is kept.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/numerics.h"
#include "chip/chip.h"
#include "compiler/tiling.h"
#include "program/program.h"

namespace presil {

class MappingChooser {
 public:
  /// For `chip`, whose DRAM moves `dram` bytes a second.
  MappingChooser(const Chip& chip, BytesPerSecond dram) : chip_(chip), dram_(dram) {}

  /// Gives a product its mappings and the format it is multiplied in. `shape` has all but that
  /// format and the rows. Throws InputError when the chip multiplies no suitable format.
  void map_gemm(Kernel& kernel, GemmShape shape, const ProductNumerics& numerics);

  /// The same for attention, whose operands are in `format`; `shape` has all but the queries.
  void map_attention(Kernel& kernel, AttentionShape shape, Format format);

  /// Why the last kernel that got no mapping got none.
  const std::optional<Infeasible>& infeasible() const { return infeasible_; }

 private:
  Format multiplied_in(const std::vector<Format>& wanted, std::string_view kernel) const;
  void add_gemm_mapping(Kernel& kernel, GemmShape shape, std::int64_t m, std::int64_t max_m);

  const Chip& chip_;
  BytesPerSecond dram_;
  std::map<GemmShape, Feasible<Mapping>> chosen_;
  std::optional<Infeasible> infeasible_;
};

}  // namespace presil
