#include "compiler/program_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "chip/dram_shape.h"
#include "compiler/kept_weights.h"
#include "compiler/machine.h"
#include "compiler/pinned_mappings.h"
#include "compiler/weight_layout.h"

namespace presil {

void set_extent(Kernel& kernel, Axis axis, Extent extent) {
  kernel.extents[static_cast<std::size_t>(axis)] = extent;
}

ProgramBuilder::ProgramBuilder(const Architecture& model, const Chip& chip, const MemoryPart& part,
                               const CompileOptions& options)
    : model_(model),
      chip_(chip),
      options_(options),
      share_(share_of(model, chip, options)),
      mappings_(chip, peak_bandwidth(part, chip.dram)) {
  program_.model = model.name;
  describe_machine(program_, chip, part);
  program_.numerics = options.numerics;
  program_.tensor_parallel = options.tensor_parallel;
  program_.split = {options.data_parallel, options.expert_parallel, options.pipeline_parallel,
                    options.stage,         share_.first_layer,      options.sequence_parallel};
  program_.max_context = model.max_context;
}

int ProgramBuilder::add_tensor(Tensor tensor) {
  program_.tensors.push_back(std::move(tensor));
  return static_cast<int>(program_.tensors.size()) - 1;
}

int ProgramBuilder::activation(std::string_view name, Extent rows, std::int64_t columns) {
  return activation(name, rows, columns, options_.numerics.stream);
}

int ProgramBuilder::activation(std::string_view name, Extent rows, std::int64_t columns,
                               Format format) {
  const std::vector<Tensor>& all = program_.tensors;
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const Tensor& t) { return t.name == name; });
  if (known != all.end()) return static_cast<int>(known - all.begin());
  return add_tensor(
      {std::string(name), Role::activation, format, Scaling::none, rows, columns, 0, 0});
}

int ProgramBuilder::cache(std::string_view name, std::int64_t heads, std::int64_t columns) {
  const Operand& kept = options_.numerics.kv_cache;
  const int t = activation(name, {heads, Symbol::C}, columns, kept.format);
  program_.tensors[static_cast<std::size_t>(t)].role = Role::cache;
  program_.tensors[static_cast<std::size_t>(t)].scaling = kept.scaling;
  return t;
}

int ProgramBuilder::weight(const std::string& name, std::int64_t rows, std::int64_t columns,
                           const std::optional<Operand>& made, std::int64_t layer) {
  const Operand kept = kept_as(model_, options_, name, layer, rows > 1, made);
  if (columns % info(kept.format).block_elements != 0) {
    throw InputError(fmt::format("{}: rows of {} elements are not whole {} blocks", name, columns,
                                 to_string(kept.format)));
  }
  return add_tensor(
      {name, Role::weight, kept.format, kept.scaling, {rows, Symbol::one}, columns, 0, 0});
}

Extent ProgramBuilder::residual_rows() const {
  return {1, Symbol::T, options_.sequence_parallel ? chips() : 1};
}

int ProgramBuilder::residual() {
  return activation("x", residual_rows(), model_.d_model);
}

int ProgramBuilder::partial() {
  return activation("partial", {1, Symbol::T}, model_.d_model);
}

Kernel ProgramBuilder::kernel(std::string name, Op op, std::vector<int> inputs,
                              std::vector<int> weights, std::vector<int> outputs) const {
  Kernel k;
  k.name = std::move(name);
  k.op = op;
  k.multiply = options_.numerics.stream;
  k.inputs = std::move(inputs);
  k.weights = std::move(weights);
  k.outputs = std::move(outputs);
  return k;
}

Kernel ProgramBuilder::rowwise(std::string name, Op op, Extent rows, std::int64_t columns,
                               std::vector<int> inputs, std::vector<int> weights,
                               std::vector<int> outputs) const {
  Kernel k = kernel(std::move(name), op, std::move(inputs), std::move(weights), std::move(outputs));
  set_extent(k, Axis::m, rows);
  set_extent(k, Axis::n, {columns, Symbol::one});
  Mapping mapping;
  mapping.loops = {{Axis::m, 1, Over::cores}, {Axis::n, columns, Over::time}};
  k.mappings.push_back(std::move(mapping));
  return k;
}

Kernel ProgramBuilder::gemm(std::string name, Extent rows, int input, std::vector<int> weights,
                            int output, Epilogue epilogue, const ProductNumerics& numerics) {
  Kernel k = kernel(std::move(name), Op::gemm, {input}, std::move(weights), {output});
  k.epilogue = epilogue;
  std::int64_t n = 0;
  for (const int w : k.weights) n += program_.tensor(w).rows.scale;
  set_extent(k, Axis::m, rows);
  set_extent(k, Axis::n, {n, Symbol::one});
  set_extent(k, Axis::k, {program_.tensor(k.weights.front()).columns, Symbol::one});
  mappings_.map_gemm(k, shape_of(program_, k, numerics), numerics);
  return k;
}

Kernel ProgramBuilder::grouped_gemm(std::string name, const Routing& routing, Extent pairs,
                                    std::int64_t n, std::int64_t k, int input,
                                    std::vector<int> weights, int output, Epilogue epilogue) {
  Kernel g = kernel(std::move(name), Op::grouped_gemm, {input}, std::move(weights), {output});
  g.epilogue = epilogue;
  g.routing = routing;
  set_extent(g, Axis::m, pairs);
  set_extent(g, Axis::n, {n, Symbol::one});
  set_extent(g, Axis::k, {k, Symbol::one});
  const ProductNumerics& numerics = options_.numerics.products;
  mappings_.map_gemm(g, shape_of(program_, g, numerics), numerics);
  return g;
}

Kernel ProgramBuilder::attention(std::string name, int queries, std::vector<int> keys, int output,
                                 std::int64_t kv_heads, std::int64_t head_dim,
                                 std::int64_t value_dim) {
  std::vector<int> inputs = {queries};
  inputs.insert(inputs.end(), keys.begin(), keys.end());
  Kernel k = kernel(std::move(name), Op::attention, std::move(inputs), {}, {output});
  set_extent(k, Axis::s, {1, Symbol::S});
  set_extent(k, Axis::h, {kv_heads, Symbol::one});
  set_extent(k, Axis::n, {share_.heads, Symbol::one});
  set_extent(k, Axis::q, {1, Symbol::Q});
  set_extent(k, Axis::c, {1, Symbol::C});
  set_extent(k, Axis::d, {head_dim, Symbol::one});
  if (value_dim != head_dim) set_extent(k, Axis::v, {value_dim, Symbol::one});
  const AttentionShape shape{kv_heads, share_.heads / kv_heads, head_dim, 1,
                             options_.numerics.kv_cache};
  mappings_.map_attention(k, shape, options_.numerics.attention);
  return k;
}

Kernel ProgramBuilder::collective(std::string name, Op op, Extent rows, std::int64_t columns,
                                  int input, int output, std::int64_t group) const {
  Kernel k = rowwise(std::move(name), op, rows, columns, {input}, {}, {output});
  k.group = group;
  return k;
}

void ProgramBuilder::add_norm(Block& block, const std::string& name, int weight) {
  const std::int64_t d = model_.d_model;
  const Extent tokens{1, Symbol::T};
  const int h = activation("h", tokens, d);
  if (!options_.sequence_parallel) {
    block.kernels.push_back(rowwise(name, Op::rmsnorm, tokens, d, {residual()}, {weight}, {h}));
    return;
  }
  const int part = activation("h_part", residual_rows(), d);
  block.kernels.push_back(
      rowwise(name, Op::rmsnorm, residual_rows(), d, {residual()}, {weight}, {part}));
  block.kernels.push_back(
      collective(name + "_all_gather", Op::all_gather, residual_rows(), d, part, h, chips()));
}

void ProgramBuilder::add_to_residual(Block& block, Kernel product) {
  const std::string name = product.name;
  if (chips() == 1) {
    product.outputs = {residual()};
    product.epilogue = Epilogue::add;
    block.kernels.push_back(std::move(product));
    return;
  }
  product.outputs = {partial()};
  block.kernels.push_back(std::move(product));
  sum_over_group(block, name, Epilogue::add);
}

void ProgramBuilder::sum_over_group(Block& block, const std::string& name, Epilogue epilogue) {
  const bool spread = options_.sequence_parallel;
  Kernel sum = collective(name + (spread ? "_reduce_scatter" : "_all_reduce"),
                          spread ? Op::reduce_scatter : Op::all_reduce, {1, Symbol::T},
                          model_.d_model, partial(), residual(), chips());
  sum.epilogue = epilogue;
  block.kernels.push_back(std::move(sum));
}

Feasible<Program> ProgramBuilder::finish() {
  if (mappings_.infeasible()) return tl::unexpected(*mappings_.infeasible());
  pin_mappings(program_, options_.mappings, chip_, options_.pipeline_parallel == 1);
  place_weights(program_);  // every weight has an address; layers are layer_stride apart
  return std::move(program_);
}

}  // namespace presil
