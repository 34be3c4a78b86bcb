#include "compiler/operator_program.h"

#include <fmt/format.h>

#include "chip/dram_shape.h"
#include "compiler/machine.h"
#include "compiler/pinned_mappings.h"
#include "compiler/tiling.h"
#include "compiler/weight_layout.h"

namespace presil {
namespace {

void check_format(const Chip& chip, Format format) {
  if (!chip.core.matrix.macs_per_cycle.contains(format)) {
    throw InputError(fmt::format("{} does not multiply {}", chip.name, to_string(format)));
  }
}

Program empty_program(std::string name, const Numerics& numerics, const Chip& chip,
                      const MemoryPart& part) {
  Program p;
  p.model = std::move(name);
  p.numerics = numerics;
  describe_machine(p, chip, part);
  p.max_context = std::int64_t{1} << 40;
  return p;
}

int add(Program& p, std::string name, Role role, const Operand& operand, Extent rows,
        std::int64_t columns) {
  p.tensors.push_back(
      {std::move(name), role, operand.format, operand.scaling, rows, columns, 0, 0});
  return static_cast<int>(p.tensors.size()) - 1;
}

void set(Kernel& kernel, Axis axis, Extent extent) {
  kernel.extents[static_cast<std::size_t>(axis)] = extent;
}

/// A library chooses its own tiles when it is timed; the program only names the axes.
Mapping of_library(std::vector<Axis> axes) {
  constexpr std::int64_t kTile = 128;
  Mapping mapping;
  for (const Axis axis : axes) {
    const bool one_by_one = axis == Axis::s || axis == Axis::h;
    const bool in_time = axis == Axis::k || axis == Axis::c;
    mapping.loops.push_back({axis, one_by_one ? 1 : kTile, in_time ? Over::time : Over::cores});
  }
  return mapping;
}

bool has_library(const Chip& chip) {
  return chip.core.matrix.issue != Issue::none;
}

}  // namespace

Feasible<Program> operator_program(const GemmOperator& g, const Chip& chip,
                                   const MemoryPart& part) {
  check_format(chip, g.multiply);
  Program p = empty_program("gemm", g.numerics, chip, part);
  const Operand stream{g.numerics.stream, Scaling::none};
  const Operand kept = g.numerics.products.weights.value_or(stream);
  const int in = add(p, "x", Role::activation, stream, {1, Symbol::T}, g.k);
  const int weights = add(p, "blk.*.weight", Role::weight, kept, {g.n, Symbol::one}, g.k);
  const int out = add(p, "out", Role::activation, stream, {1, Symbol::T}, g.n);
  Kernel k;
  k.name = "gemm";
  k.multiply = g.multiply;
  k.inputs = {in};
  k.weights = {weights};
  k.outputs = {out};
  set(k, Axis::m, {1, Symbol::T});
  set(k, Axis::n, {g.n, Symbol::one});
  set(k, Axis::k, {g.k, Symbol::one});
  if (has_library(chip)) {
    k.mappings.push_back(of_library({Axis::n, Axis::m, Axis::k}));
  } else {
    GemmShape shape = shape_of(p, k, g.numerics.products);
    shape.m = g.rows;
    shape.vector = tile_vector(g.numerics.products, kept.format, g.multiply, Finish::store);
    auto mapping = choose_gemm_mapping(shape, chip, peak_bandwidth(part, chip.dram));
    if (!mapping) return tl::unexpected(mapping.error());
    k.mappings.push_back(std::move(*mapping));
  }
  p.blocks.push_back({"operator", 1, {std::move(k)}, 0});
  place_weights(p);
  return p;
}

Feasible<Program> operator_program(const AttentionOperator& a, const Chip& chip,
                                   const MemoryPart& part) {
  check_format(chip, a.multiply);
  Program p = empty_program("attention", a.numerics, chip, part);
  const Operand stream{a.numerics.stream, Scaling::none};
  const Operand& cache = a.numerics.kv_cache;
  const int q = add(p, "q", Role::activation, stream, {1, Symbol::T}, a.heads * a.head_dim);
  const int keys = add(p, "k_cache", Role::cache, cache, {a.kv_heads, Symbol::C}, a.head_dim);
  const int values = add(p, "v_cache", Role::cache, cache, {a.kv_heads, Symbol::C}, a.head_dim);
  const int out = add(p, "attn", Role::activation, stream, {1, Symbol::T}, a.heads * a.head_dim);
  Kernel k;
  k.name = "attention";
  k.op = Op::attention;
  k.window.keys = a.window;
  k.multiply = a.multiply;
  k.inputs = {q, keys, values};
  k.outputs = {out};
  set(k, Axis::s, {1, Symbol::S});
  set(k, Axis::h, {a.kv_heads, Symbol::one});
  set(k, Axis::n, {a.heads, Symbol::one});
  set(k, Axis::q, {1, Symbol::Q});
  set(k, Axis::c, {1, Symbol::C});
  set(k, Axis::d, {a.head_dim, Symbol::one});
  if (has_library(chip)) {
    k.mappings.push_back(of_library({Axis::s, Axis::h, Axis::q, Axis::c}));
  } else {
    const AttentionShape shape{a.kv_heads, a.heads / a.kv_heads, a.head_dim, a.queries, cache};
    auto mapping = choose_attention_mapping(shape, chip);
    if (!mapping) return tl::unexpected(mapping.error());
    k.mappings.push_back(std::move(*mapping));
  }
  p.blocks.push_back({"operator", 1, {std::move(k)}, 0});
  return p;
}

}  // namespace presil
