#include "silicon/attention_rows.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "kernels/machine.h"

namespace presil::silicon {
namespace {

using kernels::Machine;

/// What the data call a type, as the format of its elements; their scales are small beside them.
std::optional<Format> format_of(std::string_view type) {
  if (type == "bf16" || type == "fp16" || type == "float16") return Format::bf16;
  if (type.starts_with("fp8") || type == "mxfp8") return Format::fp8_e4m3;
  if (type == "nvfp4" || type == "mxfp4" || type == "fp4") return Format::fp4_e2m1;
  if (type == "int8") return Format::int8;
  if (type == "int4") return Format::int4;
  return {};
}

/// The row but for its group of sequences and its kernel.
std::variant<JudgedAttention, std::string> judge(const Row& row, const Machine& machine) {
  if (row.batch < 1 || row.context < 0 || row.window < 0 || row.head_dim < 1) {
    return fmt::format("no attention of {} sequences over {} tokens with heads of {}", row.batch,
                       row.context, row.head_dim);
  }
  if (row.kv_heads < 1 || row.heads < row.kv_heads || row.heads % row.kv_heads != 0) {
    return fmt::format("{} heads do not share {} of the cache evenly", row.heads, row.kv_heads);
  }
  const std::string& kept = row.kv_dtype.empty() ? row.dtype : row.kv_dtype;
  const std::optional<Format> multiply = format_of(row.dtype), cache = format_of(kept);
  if (!multiply || !cache) return fmt::format("unknown type {}", multiply ? kept : row.dtype);
  JudgedAttention j;
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
                 .kernel = {}};
  return j;
}

}  // namespace

std::variant<JudgedAttention, std::string> judge_prefill(const Row& row, const Machine& machine) {
  if (row.seq < 1) return fmt::format("no prefill of {} tokens", row.seq);
  auto judged = judge(row, machine);
  if (auto* j = std::get_if<JudgedAttention>(&judged)) {
    j->group = {.batch = row.batch, .seq = row.seq, .context = row.context};
    j->situation.kernel = kernels::prefill_kernel(row.backend, machine.generation, j->call());
  }
  return judged;
}

std::variant<JudgedAttention, std::string> judge_decode(const Row& row, const Machine& machine) {
  auto judged = judge(row, machine);
  if (auto* j = std::get_if<JudgedAttention>(&judged)) {
    // The data count the new token in its context.
    const std::int64_t fresh = std::max<std::int64_t>(1, row.seq);
    j->group = {.batch = row.batch,
                .seq = fresh,
                .context = std::max<std::int64_t>(0, row.context - fresh)};
    // Profiled kernels of vLLM's first engine: as PyTorch's, without a launch and never split.
    const bool lone = row.backend == "vllm" && row.kernel == "flash_attention";
    if (lone) j->situation.engine = "pytorch";
    j->situation.kernel =
        kernels::decode_kernel(j->situation.engine, machine.generation, j->call());
  }
  return judged;
}

}  // namespace presil::silicon
