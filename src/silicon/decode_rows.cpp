#include "silicon/decode_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::Machine;

/// What the data call a type, as the format of its elements; their scales are small beside them.
std::optional<Format> format_of(std::string_view type) {
  if (type == "bf16") return Format::bf16;
  if (type == "fp16" || type == "float16") return Format::fp16;
  if (type.starts_with("fp8") || type == "mxfp8") return Format::fp8_e4m3;
  if (type == "nvfp4" || type == "mxfp4" || type == "fp4") return Format::fp4_e2m1;
  if (type == "int8") return Format::int8;
  if (type == "int4") return Format::int4;
  return {};
}

}  // namespace

std::variant<JudgedDecode, std::string> judge_decode(const Row& row, const Machine& machine) {
  const std::optional<Format> multiply = format_of(row.dtype);
  const std::optional<Format> cache = format_of(row.kv_dtype.empty() ? row.dtype : row.kv_dtype);
  if (!multiply || !cache) {
    return fmt::format("unknown type {}", multiply ? row.kv_dtype : row.dtype);
  }
  if (row.kv_heads < 1 || row.heads < row.kv_heads || row.heads % row.kv_heads != 0) {
    return fmt::format("{} heads do not share {} of the cache evenly", row.heads, row.kv_heads);
  }
  JudgedDecode j;
  // The data count the new token in its context.
  const std::int64_t fresh = std::max<std::int64_t>(1, row.seq);
  j.group = {
      .batch = row.batch, .seq = fresh, .context = std::max<std::int64_t>(0, row.context - fresh)};
  j.shape.heads = row.heads;
  j.shape.kv_heads = row.kv_heads;
  j.shape.head_dim = row.head_dim;
  j.shape.window = row.window;
  j.shape.multiply = *multiply;
  j.shape.cache = *cache;
  // Profiled kernels of vLLM's first engine: as PyTorch's, without a launch and never split.
  const bool lone = row.backend == "vllm" && row.kernel == "flash_attention";
  const std::string engine = lone ? "pytorch" : row.backend;
  j.situation = {.engine = engine,
                 .type = row.kv_dtype.empty() || row.dtype == row.kv_dtype
                             ? row.dtype
                             : row.dtype + "/" + row.kv_dtype,
                 .generation = machine.generation,
                 .kernel = {}};
  j.situation.kernel = kernels::decode_kernel(engine, machine.generation, j.call());
  return j;
}

}  // namespace presil::silicon
