// Putting a program together: tensors by name, kernels over them, and the collectives that close a
// region in which chips hold parts of a sum.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "compiler/compile.h"
#include "compiler/mapping_chooser.h"
#include "compiler/model_share.h"
#include "model/architecture.h"
#include "program/program.h"

namespace presil {

class ProgramBuilder {
 public:
  ProgramBuilder(const Architecture& model, const Chip& chip, const MemoryPart& part,
                 const CompileOptions& options);

  const Architecture& model() const { return model_; }
  const CompileOptions& options() const { return options_; }
  const ModelShare& share() const { return share_; }
  std::int64_t cores() const { return program_.cores; }
  std::int64_t chips() const { return options_.tensor_parallel; }

  /// The activation of this name, made when there is none yet; in the stream's format.
  int activation(std::string_view name, Extent rows, std::int64_t columns);
  int activation(std::string_view name, Extent rows, std::int64_t columns, Format format);
  /// The cache of this name, with `heads` rows of `columns` for each token.
  int cache(std::string_view name, std::int64_t heads, std::int64_t columns);
  /// A new weight, kept as it was `made`, or else as it is stored in `layer`.
  int weight(const std::string& name, std::int64_t rows, std::int64_t columns,
             const std::optional<Operand>& made, std::int64_t layer = 0);

  /// The residual stream. With sequence parallelism a chip has the rows of some tokens only.
  int residual();
  Extent residual_rows() const;
  /// What a chip adds of its own to a sum over the tensor group: (T, d_model).
  int partial();

  Kernel kernel(std::string name, Op op, std::vector<int> inputs, std::vector<int> weights,
                std::vector<int> outputs) const;
  /// An operator over rows: elements of a row stay on one core, rows are handed out.
  Kernel rowwise(std::string name, Op op, Extent rows, std::int64_t columns,
                 std::vector<int> inputs, std::vector<int> weights, std::vector<int> outputs) const;
  /// A product over rows of `input`; weights lie side by side along n.
  Kernel gemm(std::string name, Extent rows, int input, std::vector<int> weights, int output,
              Epilogue epilogue, const ProductNumerics& numerics);
  /// A product with n x k weights for each of routing.here experts.
  Kernel grouped_gemm(std::string name, const Routing& routing, Extent pairs, std::int64_t n,
                      std::int64_t k, int input, std::vector<int> weights, int output,
                      Epilogue epilogue);
  /// Attention of share().heads query heads over what `keys` names, as Op::attention takes them.
  Kernel attention(std::string name, int queries, std::vector<int> keys, int output,
                   std::int64_t kv_heads, std::int64_t head_dim, std::int64_t value_dim);
  Kernel collective(std::string name, Op op, Extent rows, std::int64_t columns, int input,
                    int output, std::int64_t group) const;

  /// A norm of the residual stream into "h", whole again where its rows were spread.
  void add_norm(Block& block, const std::string& name, int weight);
  /// Closes a parallel region whose last kernel gives `product`: with one chip it adds to the
  /// residual stream by itself, else the parts are summed over the tensor group.
  void add_to_residual(Block& block, Kernel product);
  /// Sums partial() over the tensor group into the residual stream.
  void sum_over_group(Block& block, const std::string& name, Epilogue epilogue);

  void add(Block block) { program_.blocks.push_back(std::move(block)); }
  /// The program, its weights placed. Infeasible when a kernel got no mapping.
  Feasible<Program> finish();

 private:
  int add_tensor(Tensor tensor);

  const Architecture& model_;
  const Chip& chip_;
  const CompileOptions& options_;
  const ModelShare share_;
  MappingChooser mappings_;
  Program program_;
};

/// Sets an extent of `kernel`.
void set_extent(Kernel& kernel, Axis axis, Extent extent);

}  // namespace presil
