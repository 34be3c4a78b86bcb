#include "silicon/row_program.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "compiler/operator_program.h"
#include "kernels/gemm_law.h"

namespace presil::silicon {
namespace {

std::optional<Format> format_of(const std::string& type) {
  if (type == "bf16") return Format::bf16;
  if (type == "fp16") return Format::fp16;
  if (type == "fp8") return Format::fp8_e4m3;
  if (type == "int8") return Format::int8;
  return std::nullopt;
}

std::variant<RowProgram, std::string> made(Feasible<Program> program, Step step) {
  if (!program) return program.error().reason;
  return RowProgram{std::move(*program), std::move(step)};
}

std::variant<RowProgram, std::string> gemm_of(const Row& row, const ChipFiles& chip) {
  const auto types = kernels::gemm_types(row.dtype);
  if (!types) return fmt::format("unknown type {}", row.dtype);
  GemmOperator g{row.m, row.n, row.k, types->multiply, {}};
  g.numerics.stream = Format::bf16;
  g.numerics.products.weights = Operand{types->weights, types->weight_scaling};
  g.numerics.products.activations = Operand{types->activations, types->activation_scaling};
  return made(operator_program(g, chip.chip, chip.memory), Step{{{row.m, 0}}});
}

std::variant<RowProgram, std::string> attention_of(const Row& row, const ChipFiles& chip) {
  const auto multiply = format_of(row.dtype);
  const auto cache = format_of(row.kv_dtype.empty() ? row.dtype : row.kv_dtype);
  if (!multiply || !cache) return fmt::format("unknown type {}/{}", row.dtype, row.kv_dtype);
  if (row.heads % row.kv_heads != 0) return std::string("heads that the KV heads do not divide");
  AttentionOperator a;
  a.heads = row.heads;
  a.kv_heads = row.kv_heads;
  a.head_dim = row.head_dim;
  a.window = row.window;
  a.queries = row.seq;
  // Rows of decoding count the new token in their context.
  const std::int64_t before = row.op == MeasuredOp::attention_decode
                                  ? std::max<std::int64_t>(0, row.context - row.seq)
                                  : row.context;
  a.keys = before + row.seq;
  a.multiply = *multiply;
  a.numerics.stream = Format::bf16;
  a.numerics.kv_cache = {*cache, Scaling::none};
  return made(operator_program(a, chip.chip, chip.memory),
              Step{std::vector<Sequence>(static_cast<std::size_t>(row.batch), {row.seq, before})});
}

}  // namespace

std::variant<RowProgram, std::string> program_of(const Row& row, const ChipFiles& chip) {
  try {
    if (row.op == MeasuredOp::collective)
      return std::string("an exchange has no program of its own");
    if (row.op == MeasuredOp::collective) return std::string("an exchange has no program");
    return row.op == MeasuredOp::gemm ? gemm_of(row, chip) : attention_of(row, chip);
  } catch (const InputError& e) {
    return std::string(e.what());
  }
}

}  // namespace presil::silicon
