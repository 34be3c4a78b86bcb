#include "silicon/prefill_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::Machine;

/// What the tensor cores are given under a row's name of a type.
std::optional<Format> format_of(const std::string& name) {
  if (name == "bf16" || name == "fp16") return Format::bf16;
  if (name == "fp8" || name == "fp8_block") return Format::fp8_e4m3;
  if (name == "int8") return Format::int8;
  return std::nullopt;
}

}  // namespace

std::variant<JudgedPrefill, std::string> judge_prefill(const Row& row, const Machine& machine) {
  if (row.batch < 1 || row.seq < 1 || row.context < 0 || row.window < 0 || row.head_dim < 1) {
    return fmt::format("no attention of {} x {} tokens with heads of {}", row.batch, row.seq,
                       row.head_dim);
  }
  if (row.kv_heads < 1 || row.heads % row.kv_heads != 0) {
    return fmt::format("{} heads do not share {} KV heads evenly", row.heads, row.kv_heads);
  }
  const std::string& kept = row.kv_dtype.empty() ? row.dtype : row.kv_dtype;
  const std::optional<Format> multiply = format_of(row.dtype), cache = format_of(kept);
  if (!multiply || !cache) return fmt::format("type {} with a cache of {}", row.dtype, kept);
  JudgedPrefill j;
  j.group = {.batch = row.batch, .seq = row.seq, .context = row.context};
  j.shape = {.groups = {},
             .heads = row.heads,
             .kv_heads = row.kv_heads,
             .head_dim = row.head_dim,
             .window = row.window,
             .multiply = *multiply,
             .cache = *cache};
  j.situation = {.engine = row.backend,
                 .type = row.dtype == kept ? row.dtype : row.dtype + "/" + kept,
                 .generation = machine.generation,
                 .kernel = kernels::prefill_kernel(row.backend, machine.generation, j.call())};
  return j;
}

}  // namespace presil::silicon
